"""Scores of policies on traces: means over draws of the phases, tables, and ours over the best rival."""

COLUMNS = [
    ("over %", lambda s: f"{100 * s['overShare']:.2f}"),
    ("late+lost %", lambda s: f"{100 * missed(s):.2f}"),
    ("lost", lambda s: f"{s['lost']:.0f}"),
    ("pod h", lambda s: f"{s['podSeconds'] / 3600:.2f}"),
    ("x oracle", lambda s: f"{s['podRatio']:.2f}"),
    ("too few %", lambda s: f"{100 * s['underAccuracy']:.1f}"),
    ("too many %", lambda s: f"{100 * s['overAccuracy']:.1f}"),
    ("t few %", lambda s: f"{100 * s['underTimeShare']:.1f}"),
    ("t many %", lambda s: f"{100 * s['overTimeShare']:.1f}"),
    ("rev/h", lambda s: f"{s['reversalsPerHour']:.1f}"),
    ("react s", lambda s: "-" if s["reactSeconds"] is None else f"{s['reactSeconds']:.1f}"),
    ("peak", lambda s: f"{s['peakReplicas']:.0f}"),
]


def missed(score):
    return (score["late"] + score["lost"]) / score["requests"] if score["requests"] else 0


def mean(runs):
    """Policy → the mean of each of its scores; a score that a draw has not is left out of its mean."""
    result = {}
    for i, first in enumerate(runs[0]["policies"]):
        of_policy = [run["policies"][i] for run in runs]
        score = {"side": first["side"]}
        for key, value in first.items():
            if isinstance(value, str):
                continue
            numbers = [one[key] for one in of_policy if one[key] is not None]
            score[key] = sum(numbers) / len(numbers) if numbers else None
        result[first["name"]] = score
    return result


def table(scores):
    rows = [["policy"] + [title for title, _ in COLUMNS]]
    rows += [[name] + [cell(score) for _, cell in COLUMNS] for name, score in scores.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield row[0].ljust(widths[0]) + "".join(cell.rjust(width + 2) for cell, width in zip(row[1:], widths[1:]))


def rivals(scores):
    return {name: score for name, score in scores.items() if score["side"] == "rival"}


def violation_ratio(scores, ours):
    """Our seconds over the objective against the fewest of a rival; a second is added to both, so that none is none."""
    name, best = min(rivals(scores).items(), key=lambda item: item[1]["overSeconds"])
    return (scores[ours]["overSeconds"] + 1) / (best["overSeconds"] + 1), name


def pod_seconds_ratio(scores, ours):
    """Our pod-seconds against the fewest among the rivals that are over the objective no longer than ours.

    None where all rivals are over it for longer: no rival gives the same service for any price."""
    as_good = {name: score for name, score in rivals(scores).items()
               if score["overSeconds"] <= scores[ours]["overSeconds"]}
    if not as_good:
        return None, "nobody"
    name, best = min(as_good.items(), key=lambda item: item[1]["podSeconds"])
    return scores[ours]["podSeconds"] / best["podSeconds"], name


def against(traces, ours):
    """A line a trace: both ratios, and the rivals that are better in one or in both."""
    for trace, scores in traces.items():
        violation, least = violation_ratio(scores, ours)
        pods, cheapest = pod_seconds_ratio(scores, ours)
        own = scores[ours]
        served_better = {name for name, score in rivals(scores).items() if score["overSeconds"] < own["overSeconds"]}
        cheaper = {name for name, score in rivals(scores).items() if score["podSeconds"] < own["podSeconds"]}
        yield (f"{trace}: time over {violation:.2f} of {least}'s; pod-seconds "
               + (f"{pods:.2f} of {cheapest}'s" if pods is not None else "without compare, for nobody serves as well")
               + f"; better in both: {', '.join(sorted(served_better & cheaper)) or 'nobody'}"
               + f"; less time over for more pods: {', '.join(sorted(served_better - cheaper)) or 'nobody'}"
               + f"; fewer pods for more time over: {', '.join(sorted(cheaper - served_better)) or 'nobody'}")


def worst(traces, ours):
    """Both ratios on the trace where they are worst."""
    pods = [ratio for scores in traces.values() if (ratio := pod_seconds_ratio(scores, ours)[0]) is not None]
    return max(violation_ratio(scores, ours)[0] for scores in traces.values()), max(pods, default=None)

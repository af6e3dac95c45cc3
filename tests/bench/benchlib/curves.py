"""Curves as an SVG picture, by itself: demand, and the replicas that were and that were simulated."""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, GAP = 900, 170, 46, 12, 26, 24, 14


def picture(trace, panels, unit):
    """`panels`: a title, the live curve, and the simulated curves, of which the area between least and most is drawn."""
    parts = [_panel(0, f"demand, {unit}", trace, [], "#555")]
    for number, (title, live, simulated) in enumerate(panels, 1):
        parts.append(_panel(number, title, live, simulated, "#0b61a4"))
    height = (len(panels) + 1) * (HEIGHT + GAP) + 8
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
            + "".join(parts) + "</svg>\n")


def _panel(number, title, live, simulated, color):
    top = number * (HEIGHT + GAP)
    most = max([1, *live, *(value for curve in simulated for value in curve)])
    seconds = len(live)

    def x(second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / max(1, seconds - 1)

    def y(value):
        return top + TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most)

    parts = [f'<text x="{LEFT}" y="{top + 16}" fill="#222">{title}</text>']
    for value in sorted({0, most / 2, most}):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#555">{value:g}</text>')
    for second in range(0, seconds, 60):
        parts.append(f'<text x="{x(second):.1f}" y="{top + HEIGHT - 8}" text-anchor="middle" fill="#555">{second} s</text>')
    if simulated:
        least = [min(values) for values in zip(*simulated)]
        greatest = [max(values) for values in zip(*simulated)]
        area = _steps(greatest, x, y) + _steps(least, x, y)[::-1]
        parts.append(f'<polygon points="{_points(area)}" fill="#f0a030" fill-opacity="0.45" stroke="#f0a030"/>')
    parts.append(f'<polyline points="{_points(_steps(live, x, y))}" fill="none" stroke="{color}" stroke-width="1.6"/>')
    return "".join(parts)


def _steps(values, x, y):
    """A value holds until the next one comes."""
    points = []
    for second, value in enumerate(values):
        if points:
            points.append((x(second), points[-1][1]))
        points.append((x(second), y(value)))
    return points


def _points(points):
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in points)

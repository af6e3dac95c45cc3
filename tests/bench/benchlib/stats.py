"""Percentiles, and intervals by resampling whole rounds: neighbours in time share their disturbances."""

import random


def percentile(values, share):
    """The nearest of the values; `share` of 0.5 is the median."""
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1) + 0.5)]


def interval(rounds, statistic, resamples=400, seed=1):
    """The 95 % interval of statistic(rounds) by bootstrap over rounds."""
    generator = random.Random(seed)
    found = sorted(statistic(generator.choices(rounds, k=len(rounds))) for _ in range(resamples))
    return found[int(0.025 * resamples)], found[int(0.975 * resamples) - 1]

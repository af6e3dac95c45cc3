"""Percentiles, and intervals by resampling whole rounds: neighbours in time share their disturbances."""

import random


def nearest(ordered, share):
    """The nearest of values in order; `share` of 0.5 is the median."""
    return ordered[int(share * (len(ordered) - 1) + 0.5)]


def percentile(values, share):
    return nearest(sorted(values), share)


def intervals(rounds, statistics, resamples=400, seed=1):
    """The 95 % intervals of each value of the dictionary statistics(rounds), by bootstrap over rounds."""
    generator = random.Random(seed)
    samples = [statistics(generator.choices(rounds, k=len(rounds))) for _ in range(resamples)]
    low, high = int(0.025 * resamples), int(0.975 * resamples) - 1
    ordered = {name: sorted(sample[name] for sample in samples) for name in samples[0]}
    return {name: (values[low], values[high]) for name, values in ordered.items()}

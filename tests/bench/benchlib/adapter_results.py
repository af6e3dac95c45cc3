"""What was found of the metrics adapters, and what follows from it."""

import json
import pathlib
from typing import NamedTuple


class Size(NamedTuple):
    pods: int
    series: int

    def __str__(self):
        return f"{self.pods}x{self.series}"


class Results:
    """What was found, by size, adapter and part, in a file as soon as it is there."""

    def __init__(self, file, resume):
        self._file = file and pathlib.Path(file)
        self.found = json.loads(self._file.read_text()) if resume and self._file.exists() else {}

    def missing(self, size, adapter, parts):
        done = self.found.get(str(size), {}).get(adapter, {})
        return [part for part in parts if part not in done]

    def put(self, size, adapter, part, value):
        self.found.setdefault(str(size), {}).setdefault(adapter, {})[part] = value
        if self._file:
            new = self._file.with_name(self._file.name + ".new")
            new.write_text(json.dumps(self.found, indent=1) + "\n")
            new.rename(self._file)

    def get(self, size, adapter, *keys):
        """A value by its keys below the adapter; None where it was not measured."""
        value = self.found.get(str(size), {}).get(adapter, {})
        for key in keys:
            value = (value or {}).get(key)
        return value


class Column:
    """What one adapter was found to do at one size, as numbers; None where that was not measured."""

    def __init__(self, results, size, adapter):
        self.size = size
        self._results, self._adapter = results, adapter

    def get(self, *keys):
        return self._results.get(self.size, self._adapter, *keys)

    def per_second(self, point):
        found = self.get("load", "points", point)
        return found and found["answers"] / found["seconds"]

    def cpu_us(self, point, *names):
        """CPU an answer of these processes, above what they use when nobody asks; None where few answers are lost in that."""
        found, cores = self.get("load", "points", point), self.get("idle", "cores")
        if not found or not cores or not found["answers"]:
            return None
        used = sum(found["cpu_s"].get(name, 0) - cores.get(name, 0) * found["seconds"] for name in names)
        return used / found["answers"] * 1e6 if used > 0 else None

    def per_core(self, point):
        """Answers a second that one core would give, with the scraping that goes on meanwhile."""
        found = self.get("load", "points", point)
        return found and found["cpu_s"]["adapter"] and found["answers"] / found["cpu_s"]["adapter"]

    def bytes_per_series(self, process):
        full, empty = self.get("idle", "rss_mib", process), self.get("empty", "rss_mib", process)
        return full and empty and (full - empty) * 2**20 / (self.size.pods * self.size.series)

    def round_ms(self):
        """None also where the round was not over in time."""
        found = self.get("hpa")
        return found["round_ms"] if found and found["reads"] == found["hpas"] else None


def over(one, other):
    return one / other if one is not None and other else None

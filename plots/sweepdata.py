"""Reads what sweeps, `compare` and `pinpoint` leave: results.jsonl, a line per run, and kraftsim-pinpoint/1 files."""
import json
import math
import pathlib

from rundata import NotARun

RESULTS = "results.jsonl"


class Sweep:
    """A sweep's results, by configuration; `wanted` names one of them (SWEEP:CONFIGURATION)."""

    def __init__(self, where):
        self.where = str(where)
        folder, self.wanted = pathlib.Path(where), None
        if not (folder / RESULTS).exists() and ":" in self.where:
            name, self.wanted = self.where.rsplit(":", 1)
            folder = pathlib.Path(name)
        self.folder = folder
        try:
            with open(folder / RESULTS, encoding="utf-8") as file:
                self.head = json.loads(file.readline())
                if self.head["schema"] != "kraftsim-sweep/1":
                    raise ValueError(f"schema {self.head['schema']}")
                self.runs = [json.loads(line) for line in file if line.endswith("\n")]  # a last line may be cut off
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotARun(f"{where}: not the folder of a sweep: {error}") from error
        self.name = self.head["scenario"]
        self.configurations = [one["name"] or "as it is" for one in self.head["configurations"]]
        if self.wanted is not None and self.wanted not in self.configurations:
            raise NotARun(f"{where}: no such configuration; there are {', '.join(self.configurations)}")

    def of(self, configuration):
        return [run for run in self.runs if run["configuration"] == configuration]

    def side(self):
        """Its runs by seed, of the configuration that was asked for, and how to call it."""
        if self.wanted is None and len(self.configurations) > 1:
            raise NotARun(f"{self.where}: which configuration? {', '.join(self.where + ':' + one for one in self.configurations)}")
        index = 0 if self.wanted is None else self.configurations.index(self.wanted)
        label = self.wanted or (self.configurations[0] if self.configurations[0] != "as it is" else self.folder.name)
        return label, {run["seed"]: run for run in self.of(index)}


class Pinpoint:
    def __init__(self, where):
        self.file = pathlib.Path(where)
        try:
            self.data = json.loads(self.file.read_text(encoding="utf-8"))
            if self.data["schema"] != "kraftsim-pinpoint/1":
                raise ValueError(f"schema {self.data['schema']}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotARun(f"{where}: not what `kraftsim pinpoint` wrote: {error}") from error


def wilson(failed, of):
    """The interval in which the true rate lies with 95 %, as the sweep's page has it; of none or all, the rule of three."""
    if of == 0:
        return 0.0, 1.0
    if failed == 0:
        return 0.0, min(1.0, 3 / of)
    if failed == of:
        return max(0.0, 1 - 3 / of), 1.0
    z, share = 1.959963984540054, failed / of
    centre, spread = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, (centre - spread) / (1 + z * z / of)), min(1.0, (centre + spread) / (1 + z * z / of))


def rate_text(failed, of):
    low, high = wilson(failed, of)
    if of < 4:
        return "true rate unknown"
    if failed == 0:
        return f"true rate below {percent(high)}"
    if failed == of:
        return f"true rate above {percent(low)}"
    return f"true rate {percent(low)} to {percent(high)}"


def percent(share):
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"

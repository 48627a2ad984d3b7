"""Reads the files of one run. Nothing here simulates or guesses: what a file does not say is None or empty.

What follows from the model (who led what, what became of an order, where its time went) stands in charts.json.
"""
import csv
import functools
import json
import pathlib

import numpy as np

class NotARun(Exception):
    pass


class Run:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        try:
            self.summary = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NotARun(f"{folder}: not the folder of a run: {error}") from error
        self.name = self.summary["scenario"]["name"]
        self.seed = self.summary["seed"]
        self.end_ns = self.summary["end_ns"]
        self.warmup_ns = self.summary["warmup_ns"]
        self.load_ns = min(self.summary["duration_ns"], self.end_ns)
        self.services = list(self.summary["services"])

    def _rows(self, name):
        try:
            with open(self.folder / name, newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))
        except OSError as error:
            raise NotARun(f"{self.folder}: {error}") from error

    @functools.cached_property
    def charts(self):
        """charts.json: bins, curves, bands, leaders, controllers."""
        try:
            charts = json.loads((self.folder / "charts.json").read_text(encoding="utf-8"))
            if charts["schema"] != "kraftsim-charts/1":
                raise ValueError(f"schema {charts['schema']}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotARun(f"{self.folder / 'charts.json'}: {error}; play the run again with this kraftsim") from error
        return charts

    def curve(self, of, service=None):
        """(x = 1/(1-p), latency in ns) of one latency, as far out as three orders lie beyond; and of how many orders."""
        for curve in self.charts["curves"]:
            if curve["of"] == of and curve.get("service") == service:
                beyond = np.array(curve["beyond"], dtype=float)
                return curve["orders"] / beyond, np.array(curve["latency_ns"], dtype=np.int64), curve["orders"]
        return np.array([]), np.array([], dtype=np.int64), 0

    @functools.cached_property
    def metrics(self):
        """metrics.csv: column -> array of float, NaN where empty."""
        rows = self._rows("metrics.csv")
        names = rows[0].keys() if rows else []
        return {name: np.array([float(row[name]) if row[name] else np.nan for row in rows]) for name in names}

    def lag(self, what):
        """group -> array; what = kafka_consumergroup_lag_seconds or kafka_consumergroup_lag."""
        return {name[len(what) + 1:-1]: values for name, values in self.metrics.items() if name.startswith(what + "[")}

    @functools.cached_property
    def faults(self):
        """(name, from ns, to ns) of each strike; a fault that did not strike has no times."""
        return [(row["name"], int(row["from_ns"]), int(row["to_ns"])) for row in self._rows("faults.csv") if row["from_ns"]]

    def limit(self, metric="e2e_latency"):
        """The expectation on a percentile of this latency, if there is one: (statistic, limit in ns, text)."""
        for expected in self.summary["expectations"]:
            if expected["metric"] == metric and expected["unit"] == "ns" and not expected.get("of"):
                return expected["statistic"], expected["limit"], expected["expected"]
        return None

    def conditions(self):
        """Which scenario and seed, and the load: how many orders, when, and how many a second that makes."""
        text = f"{self.name} · seed {self.seed} · {count_text(self.summary['orders']['placed'])} orders"
        if self.charts["orders"]:
            start = self.charts["first_order_ns"] // 100_000_000 / 10
            seconds = max(self.load_ns / 1e9 - start, 1e-9)
            text += f" from {start:g} s to {self.load_ns / 1e9:g} s ({self.charts['orders'] / seconds:.3g}/s)"
        if self.warmup_ns > 0:
            text += f" · warm-up until {self.warmup_ns / 1e9:g} s"
        if self.summary["partial"]:
            text += " · PARTIAL: interrupted"
        return text

    def footer(self):
        return f"{self.summary['repro']}    fingerprint {self.summary['fingerprint']}"


def count_text(n):
    return f"{n:,}".replace(",", " ")

"""Reads the files of one run. Nothing here simulates or guesses: what a file does not say is None or empty.

What follows from the model (who led what, what became of an order, where its time went) stands in charts.json. Of a
folder that is partial or damaged there is what is left: `missing` says what is not.
"""
import csv
import functools
import json
import pathlib
import re

import numpy as np


class NotARun(Exception):
    """Nothing of a run is there."""


class NotDrawable(Exception):
    """A file is missing that a chart cannot do without."""


class Run:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.missing = []
        self.summary = self._json("summary.json", "kraftsim-summary/1")
        self._charts = self._json("charts.json", "kraftsim-charts/1")
        self.metrics = self._read_metrics()
        if self.summary is None and self._charts is None and not self.metrics:
            raise NotARun(f"{folder}: not the folder of a run: {'; '.join(self.missing)}")
        self.has_summary = self.summary is not None
        if not self.has_summary:
            self.summary = self._what_is_left()
        self.name = self.summary["scenario"]["name"]
        self.seed = self.summary["seed"]
        self.end_ns = max(self.summary["end_ns"], 1)
        self.warmup_ns = self.summary["warmup_ns"]
        self.load_ns = min(self.summary["duration_ns"], self.end_ns)
        self.services = list(self.summary["services"])

    def _json(self, name, schema):
        try:
            read = json.loads((self.folder / name).read_text(encoding="utf-8"))
            if not isinstance(read, dict):
                raise ValueError("not an object")
        except OSError:
            self.missing.append(f"{name} is not there")
            return None
        except ValueError:
            self.missing.append(f"{name} is damaged")
            return None
        if read.get("schema", schema) != schema:
            self.missing.append(f"{name} is of another version ({read['schema']}); play the run again with this kraftsim")
            return None
        return read

    def _what_is_left(self):
        """As much of a summary as the other files tell."""
        bins = (self._charts or {}).get("bins", [])
        orders = {kind: sum(one.get(kind, 0) for one in bins) for kind in ("fulfilled", "failed", "lost", "open")}
        spans = [span["to_ns"] for one in (self._charts or {}).get("leaders", []) for span in one["spans"]]
        at = self.metrics.get("t_s", np.array([]))
        end = max([int(at[-1] * 1e9) if len(at) else 0, *spans, 1])
        services = [curve["service"] for curve in (self._charts or {}).get("curves", []) if "service" in curve]
        return {"scenario": {"name": self.folder.name}, "seed": "?", "partial": False, "duration_ns": end, "warmup_ns": 0, "end_ns": end,
                "orders": {"placed": sum(orders.values()), **orders}, "services": services, "expectations": [], "verdicts": [], "faults": [],
                "e2e_latency": {"count": 0, "p50_ns": None, "p99_ns": None, "max_ns": None}, "repro": "", "fingerprint": ""}

    def _rows(self, name):
        try:
            with open(self.folder / name, newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error):
            self.missing.append(f"{name} is not there")
            return []

    @property
    def charts(self):
        """charts.json: bins, curves, bands, leaders, controllers."""
        if self._charts is None:
            raise NotDrawable(next(text for text in self.missing if text.startswith("charts.json")))
        return self._charts

    def curve(self, of, service=None):
        """(x = 1/(1-p), latency in ns) of one latency, as far out as three orders lie beyond; and of how many orders."""
        for curve in self.charts["curves"]:
            if curve["of"] == of and curve.get("service") == service:
                beyond = np.array(curve["beyond"], dtype=float)
                return curve["orders"] / beyond, np.array(curve["latency_ns"], dtype=np.int64), curve["orders"]
        return np.array([]), np.array([], dtype=np.int64), 0

    def _read_metrics(self):
        """metrics.csv: column -> array of float, NaN where empty; up to the first row that is not whole."""
        rows = self._rows("metrics.csv")
        names = [name for name in (rows[0].keys() if rows else []) if name]
        columns = {name: [] for name in names}
        for row in rows:
            try:
                values = [float(row[name]) if row[name] else np.nan for name in names]
            except (ValueError, TypeError):
                self.missing.append("metrics.csv is damaged; it is drawn up to there")
                break
            for name, value in zip(names, values):
                columns[name].append(value)
        return {name: np.array(values) for name, values in columns.items()}

    def lag(self, what):
        """group -> array; what = kafka_consumergroup_lag_seconds or kafka_consumergroup_lag."""
        return {name[len(what) + 1:-1]: values for name, values in self.metrics.items() if name.startswith(what + "[")}

    @functools.cached_property
    def faults(self):
        """(name, from ns, to ns) of each strike; a fault that did not strike has no times."""
        strikes = []
        for row in self._rows("faults.csv"):
            try:
                if row["from_ns"]:
                    strikes.append((row["name"], int(row["from_ns"]), int(row["to_ns"])))
            except (KeyError, ValueError, TypeError):
                self.missing.append("faults.csv is damaged")
                break
        return strikes

    def limits(self, metric="e2e_latency"):
        """The expectations on this latency of all services, of orders placed in their windows."""
        return [Limit(self, one) for one in self.summary["expectations"]
                if one["metric"] == metric and one["unit"] == "ns" and not one.get("of")]

    def conditions(self):
        """Which scenario and seed, and the load: how many orders, when, and how many a second that makes."""
        text = f"{self.name} · seed {self.seed} · {count_text(self.summary['orders']['placed'])} orders"
        if self._charts and self._charts["orders"]:
            start = self._charts["first_order_ns"] // 100_000_000 / 10
            seconds = max(self.load_ns / 1e9 - start, 1e-9)
            text += f" from {start:g} s to {self.load_ns / 1e9:g} s ({self._charts['orders'] / seconds:.3g}/s)"
        if self.warmup_ns > 0:
            text += f" · warm-up until {self.warmup_ns / 1e9:g} s"
        if self.summary["partial"]:
            text += " · PARTIAL: interrupted"
        if self.missing:
            text += " · " + "; ".join(dict.fromkeys(self.missing))
        return text

    def footer(self):
        return f"{self.summary['repro']}    fingerprint {self.summary['fingerprint']}" if self.summary["repro"] else ""

    def configuration(self):
        """What is the same of two runs that differ in nothing but their seed; and its settings, as they were typed."""
        command = re.sub(r" --seed \d+", "", self.summary["repro"]) or str(self.folder)
        return command, re.findall(r" --set ('[^']*'|\S+)", command)


class Limit:
    """What an expectation says of a latency, when, and on which side of its limit it is to stay."""

    def __init__(self, run, expectation):
        self.statistic = expectation["statistic"]
        self.ns = expectation["limit"]
        self.upper_ns = expectation.get("upper_limit")
        text = expectation["expected"].strip()
        self.is_ceiling = text.startswith("<")
        self.window = expectation.get("window", "all")
        self.spans = self._spans(run, expectation)  # (from s, to s)

    @property
    def is_of_all(self):
        """Of every order after the warm-up, as the spectrum shows them."""
        return self.window == "all"

    def values(self):
        return [self.ns] if self.upper_ns is None else [self.ns, self.upper_ns]

    def words(self, duration):
        side = "" if self.is_ceiling else "at least " if self.upper_ns is None else ""
        value = duration(self.ns) if self.upper_ns is None else f"{duration(self.ns)} to {duration(self.upper_ns)}"
        when = "" if self.window == "all" else f", {self.window}"
        return f"{self.statistic} limit {side}{value}{when}"

    def _spans(self, run, expectation):
        load = run.load_ns
        begin = run.warmup_ns
        felt = [(fault["name"], strike["from_ns"], max(strike.get("effect_to_ns", strike["to_ns"]), strike["to_ns"]))
                for fault in run.summary.get("faults", []) for strike in fault["strikes"]]
        felt.sort(key=lambda one: one[1])
        if self.window == "between":
            spans = [(expectation["window_from_ns"], expectation["window_to_ns"])]
        elif self.window == "after":
            ends = [to for name, _, to in felt if name == expectation.get("after")]
            spans = [(max(ends), load)] if ends else []
        elif self.window == "during":
            spans = [(start, to) for name, start, to in felt if name == expectation.get("during")]
        elif self.window == "faults":
            spans = [(start, to) for _, start, to in felt]
        elif self.window == "steady":
            spans, at = [], begin
            for _, start, to in felt:
                if start > at:
                    spans.append((at, start))
                at = max(at, to)
            spans.append((at, load))
        else:
            spans = [(begin, load)]
        return [(max(start, 0) / 1e9, min(to, load) / 1e9) for start, to in spans if min(to, load) > max(start, 0)]


def count_text(n):
    return f"{n:,}".replace(",", " ")


def wait_words(run):
    """(whether every order was fulfilled, "3 lost and 2 open of 100 orders" or "All 100 orders fulfilled")."""
    orders = run.summary["orders"]
    bad = [f"{count_text(orders[kind])} {kind}" for kind in ("lost", "failed", "open") if orders[kind]]
    placed = f"{count_text(orders['placed'])} orders"
    return (not bad, f"{' and '.join(bad)} of {placed}" if bad else f"All {placed} fulfilled")

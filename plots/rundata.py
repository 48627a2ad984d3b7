"""Reads the files of one run. Nothing here simulates or guesses: what a file does not say is None or empty."""
import csv
import functools
import json
import pathlib

import numpy as np

NEVER = -1
STAGES = ["send_wait", "linger", "retry", "network", "request_queue", "append", "replication", "fetch_wait",
          "consumer_queue", "service"]
PRODUCER_STAMPS = ["accepted_ns", "batched_ns", "sent_ns", "received_ns", "dequeued_ns", "appended_ns", "high_watermark_ns"]


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
    def orders(self):
        """Columns of orders.csv as arrays; an empty cell is NEVER."""
        wanted = ["intended_ns", "ended_ns", "acknowledged_ns", "failed_ns", "warmup", "retries", *PRODUCER_STAMPS]
        for service in self.services:
            wanted += [f"{service}_{stamp}" for stamp in ("fetched_ns", "started_ns", "done_ns")]
        try:
            with open(self.folder / "orders.csv", newline="", encoding="utf-8") as file:
                reader = csv.reader(file)
                header = next(reader)
                index = [header.index(name) for name in wanted]
                outcome_at = header.index("outcome")
                cells = []
                outcomes = []
                for row in reader:
                    cells.append([int(row[i] or NEVER) for i in index])
                    outcomes.append(row[outcome_at])
        except (OSError, ValueError, StopIteration, IndexError) as error:
            raise NotARun(f"{self.folder / 'orders.csv'}: {error}") from error
        table = np.array(cells, dtype=np.int64).reshape(len(cells), len(wanted))
        columns = {name: table[:, i] for i, name in enumerate(wanted)}
        columns["outcome"] = np.array(outcomes, dtype="U10")
        return columns

    def e2e(self):
        return self.orders["ended_ns"] - self.orders["intended_ns"]

    def after_warmup(self):
        return self.orders["warmup"] == 0

    def produce(self):
        orders = self.orders
        end = np.where(orders["failed_ns"] != NEVER, orders["failed_ns"], orders["acknowledged_ns"])
        return np.where(end == NEVER, self.end_ns, end) - orders["intended_ns"]

    def service_latency(self, service):
        orders = self.orders
        done = orders[f"{service}_done_ns"]
        end = np.where(orders["failed_ns"] != NEVER, orders["failed_ns"], np.where(done == NEVER, self.end_ns, done))
        return end - orders["intended_ns"]

    def stages(self):
        """(rows, shares): for each fulfilled order after the warm-up the ns in each stage on the way to its last service."""
        orders = self.orders
        if not self.services:
            return np.zeros((0, len(STAGES)), dtype=np.int64)
        done = np.stack([orders[f"{s}_done_ns"] for s in self.services])
        last = np.argmax(done, axis=0)
        keep = (orders["outcome"] == "fulfilled") & self.after_warmup()
        ends = [orders[name] for name in PRODUCER_STAMPS]
        for stamp in ("fetched_ns", "started_ns", "done_ns"):
            ends.append(np.choose(last, [orders[f"{s}_{stamp}"] for s in self.services]))
        stages = np.zeros((len(last), len(STAGES)), dtype=np.int64)
        before = orders["intended_ns"]
        for i, end in enumerate(ends):
            stamp = np.clip(np.maximum(end, before), before, np.maximum(before, ends[-1]))
            stages[:, i] = stamp - before
            before = stamp
        return stages[keep]

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
    def leadership(self):
        return self._rows("leadership.csv")

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
        intended = self.orders["intended_ns"]
        if len(intended):
            start = intended.min() // 100_000_000 / 10
            seconds = max(self.load_ns / 1e9 - start, 1e-9)
            text += f" from {start:g} s to {self.load_ns / 1e9:g} s ({len(intended) / seconds:.3g}/s)"
        if self.warmup_ns > 0:
            text += f" · warm-up until {self.warmup_ns / 1e9:g} s"
        if self.summary["partial"]:
            text += " · PARTIAL: interrupted"
        return text

    def footer(self):
        return f"{self.summary['repro']}    fingerprint {self.summary['fingerprint']}"


def count_text(n):
    return f"{n:,}".replace(",", " ")


def percentile(sorted_values, p):
    """By the rank rule: the value at rank ceil(p n), an order that occurred. p in hundred-thousandths."""
    n = len(sorted_values)
    return sorted_values[max(1, -(-n * p // 100_000)) - 1]


def enough(n, p):
    """n(1-p) >= 3: otherwise a percentile says more about chance than about the system."""
    return n * (100_000 - p) >= 300_000

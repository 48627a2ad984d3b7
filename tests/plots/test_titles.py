#!/usr/bin/env python3
"""The number in each chart's title is the one that orders.csv and metrics.csv of the run give, computed here anew."""
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PLOTS = TOP / "plots"
PROGRAM = os.environ.get("KRAFTSIM", str(TOP / "build" / "release" / "kraftsim"))
PYTHON = "/usr/bin/python3" if pathlib.Path("/usr/bin/python3").exists() else sys.executable
# Everything goes well; orders are lost; most are never done; two topics with a service each.
TWO_TOPICS = """
schema: kraftsim/v1
name: two-topics
duration: 30s
cluster: {brokers: 3, controllers: 3}
topics: {a: {partitions: 3, replication.factor: 3}, b: {partitions: 3, replication.factor: 3}}
clients:
  pa: {produces: a, arrivals: {poisson: 50/s}}
  pb: {produces: b, arrivals: {poisson: 50/s}}
  ca: {consumes: a, service: 1ms}
  cb: {consumes: b, service: 20ms}
"""
SCENARIOS = {"well": ["@order-flow", "--until", "40s"], "lost": ["@acks1-leader-crash-loss"], "stuck": ["@disk-full-everywhere"], "topics": None}
UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}
NUMBER = r"([\d.]+) (ns|µs|ms|s)\b"
STAGES = {"waiting for send()": ("intended_ns", "accepted_ns"), "waiting in the producer (for its batch, or a leader)": ("accepted_ns", "batched_ns"),
          "producer retries": ("batched_ns", "sent_ns"), "the network": ("sent_ns", "received_ns"), "the request queue": ("received_ns", "dequeued_ns"),
          "the append": ("dequeued_ns", "appended_ns"), "replication": ("appended_ns", "high_watermark_ns"),
          "waiting to be fetched": ("high_watermark_ns", "fetched"), "the consumer's queue": ("fetched", "started"), "the service itself": ("started", "done")}



class Orders:
    """The orders of a run, as orders.csv has them."""

    def __init__(self, folder):
        with open(folder / "orders.csv", newline="", encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))
        self.late = [row for row in self.rows if row["warmup"] == "0"]

    def of_outcome(self, outcome):
        return sum(row["outcome"] == outcome for row in self.rows)

    @staticmethod
    def wait(row):
        return int(row["ended_ns"]) - int(row["intended_ns"])

    def share_within(self, limit, fulfilled_only=False):
        """Of those after the warm-up."""
        inside = sum(self.wait(row) <= limit and (row["outcome"] == "fulfilled" or not fulfilled_only) for row in self.late)
        return inside / len(self.late)

    def stage_times(self):
        """All time of fulfilled orders after the warm-up, by stage, on the way to the service that did it last."""
        sums = dict.fromkeys(STAGES, 0)
        services = [name[:-8] for name in self.rows[0] if name.endswith("_done_ns")]
        for row in self.late:
            if row["outcome"] != "fulfilled":
                continue
            last = max((name for name in services if row[f"{name}_done_ns"]), key=lambda name: int(row[f"{name}_done_ns"]))
            for stage, (begin, end) in STAGES.items():
                at = [row[f"{last}_{key}_ns"] if not key.endswith("_ns") else row[key] for key in (begin, end)]
                if at[0] and at[1]:
                    sums[stage] += int(at[1]) - int(at[0])
        return sums


def title_of(folder, chart):
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import importlib; from rundata import Run\n"
            "m = importlib.import_module(sys.argv[2]); run = Run(sys.argv[3])\n"
            "fig = m.draw([run] if sys.argv[2] == 'percentile_spectrum' else run)\n"
            "print(next(t.get_text() for t in fig.texts if t.get_fontweight() == 'bold'))")
    done = subprocess.run([PYTHON, "-B", "-c", code, str(PLOTS), chart, str(folder)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Titles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.runs = {}
        for name, arguments in SCENARIOS.items():
            folder = pathlib.Path(cls.temporary.name) / name
            if arguments is None:
                (pathlib.Path(cls.temporary.name) / "two.yaml").write_text(TWO_TOPICS)
                arguments = [pathlib.Path(cls.temporary.name) / "two.yaml"]
            subprocess.run([PROGRAM, "run", *map(str, arguments), "--out", str(folder), "--quiet"], cwd=TOP, capture_output=True, timeout=300)
            cls.runs[name] = folder, Orders(folder)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def each(self, chart):
        for name, (folder, orders) in self.runs.items():
            title = title_of(folder, chart)
            with self.subTest(run=name, title=title):
                yield folder, orders, title

    def check_counts(self, orders, title):
        for count, kind in re.findall(r"([\d ]+) (lost|failed|open)\b", title):
            self.assertEqual(int(count.replace(" ", "")), orders.of_outcome(kind))
        if "All " in title:
            self.assertEqual(orders.of_outcome("fulfilled"), len(orders.rows))
        for count in re.findall(r"(?:All|of) ([\d ]+) orders", title):
            self.assertEqual(int(count.replace(" ", "")), len(orders.rows))

    def check_share(self, orders, limit, share, fulfilled_only):
        """At most so long takes that share, and not so many take a little less: three digits are told."""
        self.assertGreaterEqual(orders.share_within(1.006 * limit, fulfilled_only), share)
        self.assertLess(orders.share_within(0.994 * limit, fulfilled_only), share + 1 / len(orders.late))

    def test_incident_timeline(self):
        for _, orders, title in self.each("incident_timeline"):
            self.check_counts(orders, title)
            if match := re.search(f"99 % end to end within {NUMBER}", title):
                self.check_share(orders, float(match[1]) * UNITS[match[2]], 0.99, True)
            if match := re.search(f"99 % wait at most {NUMBER}", title):
                self.check_share(orders, float(match[1]) * UNITS[match[2]], 0.99, False)
            if match := re.search(f"(?:the worst|the longest wait is) {NUMBER}", title):
                worst = max(map(orders.wait, orders.late if "after the warm-up" in title else orders.rows))
                self.assertAlmostEqual(float(match[1]) * UNITS[match[2]] / worst, 1, delta=0.006)

    def test_percentile_spectrum(self):
        for _, orders, title in self.each("percentile_spectrum"):
            self.check_counts(orders, title)
            if match := re.search(r"Only (\d+) % of the orders were ever done", title):
                self.assertEqual(int(match[1]), 100 * orders.of_outcome("fulfilled") // len(orders.rows))
                continue
            half = re.search(f"[Hh]alf of all (?:orders are done within|wait at most) {NUMBER}", title)
            self.check_share(orders, float(half[1]) * UNITS[half[2]], 0.5, "are done" in title)
            if rare := re.search(f"one in a hundred (?:takes )?more than {NUMBER}", title):
                self.check_share(orders, float(rare[1]) * UNITS[rare[2]], 0.99, False)

    def test_stage_breakdown(self):
        for _, orders, title in self.each("stage_breakdown"):
            times = orders.stage_times()
            stage, share = re.search(r"all orders' time goes to (.+?) \((\d+) %\), of the ", title).groups()
            self.assertEqual(stage, max(times, key=times.get))
            self.assertAlmostEqual(int(share), 100 * times[stage] / sum(times.values()), delta=1.5)

    def test_lag(self):
        for folder, _, title in self.each("lag"):
            group, value, unit, at, time_unit = re.search(rf"(\S+) lagged most: {NUMBER} behind at ([\d.]+) (s|min);", title).groups()
            with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
                rows = {float(row["t_s"]): row for row in csv.DictReader(file)}
            behind = float(rows[float(at) * (60 if time_unit == "min" else 1)][f"kafka_consumergroup_lag_seconds[{group}]"])
            self.assertAlmostEqual(float(value) * UNITS[unit] / 1e9 / behind, 1, delta=0.006)
            peak = max(float(cell) for row in rows.values() for name, cell in row.items() if name.startswith("kafka_consumergroup_lag_seconds[") and cell)
            self.assertGreaterEqual(peak, behind)
            last = rows[max(rows)]
            left = [name[32:-1] for name, cell in last.items() if name.startswith("kafka_consumergroup_lag_seconds[") and float(cell) > 0]
            self.assertEqual("in the end nothing was left" in title, not left)

    def test_heat_map(self):
        for _, orders, title in self.each("heat_map"):
            self.check_counts(orders, title)
            low, low_unit, high, high_unit, share = re.search(rf"most often they wait {NUMBER} to {NUMBER} \((\d+) %\)", title).groups()
            inside = sum(0.999 * float(low) * UNITS[low_unit] <= orders.wait(row) < 1.001 * float(high) * UNITS[high_unit] for row in orders.rows)
            self.assertAlmostEqual(100 * inside / len(orders.rows), int(share), delta=2)


if __name__ == "__main__":
    unittest.main()

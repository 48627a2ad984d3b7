"""The charts are drawn from the files of a run alone, say what they should, and have the same bytes each time."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PLOTS = TOP / "plots"
CHARTS = ["incident_timeline", "percentile_spectrum", "stage_breakdown", "lag"]
PYTHON = "/usr/bin/python3" if pathlib.Path("/usr/bin/python3").exists() else sys.executable
SERVICES = ["inventory", "payment", "fulfillment"]

STAGES = ["send_wait", "linger", "retry", "network", "request_queue", "append", "replication", "fetch_wait", "consumer_queue", "service"]


def curve(of, latencies, **more):
    """As charts.json has it: `beyond` of the orders take at least so long, down to three."""
    values = sorted(latencies)
    beyond = list(range(len(values), 2, -1)) if len(values) >= 4 else []
    return {"of": of, **more, "orders": len(values), "beyond": beyond, "latency_ns": [values[max(1, len(values) - k) - 1] for k in beyond]}


def charts_of(orders, load, ms):
    """charts.json of orders: (intended, latency, whether it failed), the first twenty of the warm-up."""
    steady = [latency for _, latency, _ in orders[20:]]
    bins = []
    for start in range(0, load - 100 * ms + 1, 100 * ms):
        inside = [(latency, failed) for at, latency, failed in orders if start <= at < start + 100 * ms]
        bins.append({"from_ns": start, "orders": len(inside), "p50_ns": sorted(l for l, _ in inside)[len(inside) // 2 - 1], "p90_ns": None,
                     "p99_ns": None, "max_ns": max(l for l, _ in inside), "fulfilled": sum(not f for _, f in inside),
                     "failed": sum(f for _, f in inside), "lost": 0, "open": 0})
    bands = []
    done = sorted(latency for _, latency, failed in orders[20:] if not failed)
    for low, high in ((0, 50), (50, 90), (90, 99), (99, 100)):
        part = done[len(done) * low // 100:len(done) * high // 100]
        if len(part) >= 3:
            mean = sum(part) // len(part)
            stages = {stage: ms for stage in STAGES if stage not in ("send_wait", "retry")}
            bands.append({"from_percent": low, "to_percent": high, "orders": len(part),
                          "stages_mean_ns": {stage: stages.get(stage, 0) if stage != "service" else mean - 7 * ms for stage in STAGES}})
    end = load + 50 * ms

    def spans(*changes):
        return [{"from_ns": at, "to_ns": until, "leader": leader, "isr": isr}
                for (at, leader, isr), until in zip(changes, [at for at, _, _ in changes[1:]] + [end])]
    leaders = [{"topic": "orders", "partition": 0, "spans": spans((0, 1, 2))},
               {"topic": "orders", "partition": 1, "spans": spans((0, 2, 2), (1000 * ms, None, 2), (1500 * ms, 1, 1))}]
    controllers = [{"from_ns": 0, "to_ns": 2000 * ms, "process": "controller-1"}, {"from_ns": 2000 * ms, "to_ns": 2200 * ms, "process": None},
                   {"from_ns": 2200 * ms, "to_ns": end, "process": "controller-2"}]
    return {"schema": "kraftsim-charts/1", "orders": len(orders), "first_order_ns": 0 if orders else None, "bin_ns": 100 * ms, "bins": bins,
            "curves": [curve("end_to_end", steady), *(curve("service", steady, service=s) for s in SERVICES), curve("acknowledged", steady)],
            "bands": bands, "leaders": leaders, "controllers": controllers}


def write_run(folder, orders=400, seed=1, fail_every=0, slow=1, faults=""):
    """A run of `orders` orders, ten milliseconds apart; each takes 10 to 29 ms, the more so the later its number in twenty."""
    folder.mkdir(parents=True)
    ms = 1_000_000
    failures = [bool(fail_every and n % fail_every == 0) for n in range(orders)]
    failed = sum(failures)
    placed = [(n * 10 * ms, 40 * ms if failures[n] else (10 + n % 20) * ms * slow, failures[n]) for n in range(orders)]
    (folder / "charts.json").write_text(json.dumps(charts_of(placed, orders * 10 * ms, ms)))
    seconds = max(1, orders // 100)
    metrics = ["t_s" + "".join(f",kafka_consumergroup_lag_seconds[{s}],kafka_consumergroup_lag[{s}]" for s in SERVICES)]
    for second in range(1, seconds + 1):
        metrics.append(f"{second}.000" + ",0.020,2" * 3)
    (folder / "metrics.csv").write_text("\n".join(metrics) + "\n")
    (folder / "faults.csv").write_text("name,kind,target,touched,from_ns,to_ns,effects\n" + faults)
    latency = {"count": orders, "p50_ns": 19 * ms * slow, "p90_ns": 27 * ms * slow, "p99_ns": 29 * ms * slow if orders >= 300 else None, "max_ns": 29 * ms * slow}
    summary = {"scenario": {"name": "shop"}, "seed": seed, "partial": False, "duration_ns": orders * 10 * ms, "warmup_ns": 200 * ms,
               "end_ns": orders * 10 * ms + 50 * ms, "fingerprint": "00c0ffee00c0ffee", "repro": "kraftsim run shop.yaml",
               "orders": {"placed": orders, "fulfilled": orders - failed, "failed": failed, "lost": 0, "open": 0},
               "e2e_latency": latency, "services": {s: {} for s in SERVICES},
               "expectations": [{"metric": "e2e_latency", "unit": "ns", "statistic": "p99", "limit": 25 * ms, "expected": "< 25 ms"}]}
    (folder / "summary.json").write_text(json.dumps(summary))


def draw(*arguments):
    return subprocess.run([PYTHON, "-B", str(PLOTS / "draw.py"), *[str(a) for a in arguments]], capture_output=True, text=True, timeout=300)


def texts_of(folder, chart):
    """The words of a chart, read by drawing it without saving."""
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import importlib; from rundata import Run\n"
            "m = importlib.import_module(sys.argv[2]); run = Run(sys.argv[3])\n"
            "fig = m.draw([run] if sys.argv[2] == 'percentile_spectrum' else run)\n"
            "import matplotlib.text as t\n"
            "print('\\n'.join(x.get_text() for x in fig.findobj(t.Text)))")
    done = subprocess.run([PYTHON, "-B", "-c", code, str(PLOTS), chart, str(folder)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Charts(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.folder = pathlib.Path(self.tmp.name)

    def test_all_charts_in_all_formats_have_the_same_bytes_twice(self):
        for name in ("one", "two"):
            write_run(self.folder / name, faults="bounce,kill,broker-2,broker-2,1000000000,1500000000,3\n")
            done = draw("--format", "png,svg,pdf", "--", self.folder / name)
            self.assertEqual(done.returncode, 0, done.stderr)
        for chart in CHARTS:
            for kind in ("png", "svg", "pdf"):
                file = f"charts/{chart}.{kind}"
                with self.subTest(file):
                    first = (self.folder / "one" / file).read_bytes()
                    self.assertGreater(len(first), 5000)
                    self.assertEqual(first, (self.folder / "two" / file).read_bytes())

    def test_a_title_does_not_call_it_well_when_orders_overtook_each_other(self):
        run = self.folder / "run"
        write_run(run)
        self.assertIn("All 400 orders fulfilled; 99 %", texts_of(run, "incident_timeline"))
        summary = json.loads((run / "summary.json").read_text())
        summary["verdicts"] = [{"verdict": "DUP(effect)", "count": 9}, {"verdict": "REORDER(key)", "count": 78}]
        (run / "summary.json").write_text(json.dumps(summary))
        self.assertIn("All 400 orders fulfilled, 78 of them in another order than they were placed in",
                      texts_of(run, "incident_timeline"))

    def test_titles_state_what_was_found(self):
        write_run(self.folder / "run", fail_every=100)
        run = self.folder / "run"
        timeline = texts_of(run, "incident_timeline")
        self.assertIn("4 failed of 400 orders", timeline)
        self.assertIn("kraftsim run shop.yaml    fingerprint 00c0ffee00c0ffee", timeline)
        self.assertIn("orders-1", timeline)
        self.assertNotIn("__consumer_offsets", timeline)
        spectrum = texts_of(run, "percentile_spectrum")
        self.assertIn("Half of all orders are done within 19 ms", spectrum)
        self.assertIn("p99 limit 25 ms", spectrum)
        self.assertIn("holds to p7", spectrum)  # 15 of 20 orders take less than 25 ms
        self.assertIn("the service itself", texts_of(run, "stage_breakdown"))
        self.assertIn("lagged most: 20 ms", texts_of(run, "lag"))

    def test_faults_are_named_once_and_the_active_controller_has_a_row(self):
        strikes = "".join(f"bounce,kill,broker-2,broker-2,{s}00000000,{s + 2}00000000,1\n" for s in (10, 20, 30))
        write_run(self.folder / "run", faults=strikes + "cut,partition,controller,controller-1,1500000000,2500000000,9\nnever,kill,broker-1,,,,0\n")
        timeline = texts_of(self.folder / "run", "incident_timeline").split("\n")
        self.assertEqual(timeline.count("bounce"), 1)
        self.assertEqual(timeline.count("cut"), 1)
        self.assertNotIn("never", timeline)  # it did not strike
        self.assertIn("controller-1", timeline)
        self.assertIn("controller-2", timeline)

    def test_a_percentile_with_too_few_orders_is_not_drawn(self):
        write_run(self.folder / "few", orders=40)
        spectrum = texts_of(self.folder / "few", "percentile_spectrum")
        self.assertIn("p50\n1 in 2", spectrum)  # 20 orders after the warm-up: as far as 1 in 6
        self.assertNotIn("p90\n", spectrum)

    def test_two_runs_are_compared_in_one_picture(self):
        write_run(self.folder / "before")
        write_run(self.folder / "after", seed=2, slow=2)
        done = draw("--chart", "percentile_spectrum", "--format", "svg", "--", self.folder / "before", self.folder / "after")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "before" / "charts" / "percentile_spectrum.svg").exists())
        self.assertFalse((self.folder / "after" / "charts").exists())

    def test_a_run_without_orders_has_charts_all_the_same(self):
        write_run(self.folder / "none", orders=0)
        done = draw("--format", "png", "--", self.folder / "none")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_not_a_run_is_said_without_a_traceback(self):
        done = draw("--", self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("not the folder of a run", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        write_run(self.folder / "broken")
        for charts in ("{}", "[1]", '{"schema": "kraftsim-charts/1"', '{"schema": "another/1"}'):
            (self.folder / "broken" / "charts.json").write_text(charts)
            done = draw("--", self.folder / "broken")
            self.assertEqual(done.returncode, 2)
            self.assertIn("charts.json", done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_no_rule_of_the_model_stands_in_a_script(self):
        for script in PLOTS.glob("*.py"):
            text = script.read_text()
            for rule in ("orders.csv", "leadership.csv", "_ns\"] !=", "3000", "3001"):
                self.assertNotIn(rule, text, script.name)


if __name__ == "__main__":
    unittest.main()

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

ORDER_COLUMNS = ("flow,order,key,value_bytes,warmup,outcome,error,intended_ns,accepted_ns,batched_ns,sent_ns,received_ns,dequeued_ns,"
                 "appended_ns,high_watermark_ns,acknowledged_ns,failed_ns,ended_ns,topic,partition,offset,leader,isr,batch_records,retries")


def write_run(folder, orders=400, seed=1, fail_every=0, slow=1, faults=""):
    """A run of `orders` orders, ten milliseconds apart; each takes 10 to 29 ms, the more so the later its number in twenty."""
    folder.mkdir(parents=True)
    header = ORDER_COLUMNS
    for service in SERVICES:
        header += "".join(f",{service}_{c}" for c in ("fetched_ns", "started_ns", "done_ns", "committed_ns", "member", "times", "lost"))
    lines = [header]
    ms = 1_000_000
    failed = 0
    for n in range(orders):
        at = n * 10 * ms
        took = (10 + n % 20) * ms * slow
        if fail_every and n % fail_every == 0:
            failed += 1
            cells = ["shop", n, n, 100, int(n < 20), "failed", "REQUEST_TIMED_OUT", at, at, "", "", "", "", "", "", "", at + 40 * ms, at + 40 * ms,
                     "", "", "", "", "", 0, 0] + ["", "", "", "", "", 0, 0] * 3
        else:
            cells = ["shop", n, n, 100, int(n < 20), "fulfilled", "", at, at, at + ms, at + ms, at + 2 * ms, at + 3 * ms, at + 4 * ms, at + 5 * ms,
                     at + 6 * ms, "", at + took, "orders", n % 2, n // 2, "broker-1", "1;2", 1, 0]
            for service in SERVICES:
                cells += [at + 7 * ms, at + 8 * ms, at + took, at + took + ms, 0, 1, 0]
        lines.append(",".join(str(cell) for cell in cells))
    (folder / "orders.csv").write_text("\n".join(lines) + "\n")
    seconds = max(1, orders // 100)
    metrics = ["t_s" + "".join(f",kafka_consumergroup_lag_seconds[{s}],kafka_consumergroup_lag[{s}]" for s in SERVICES)]
    for second in range(1, seconds + 1):
        metrics.append(f"{second}.000" + ",0.020,2" * 3)
    (folder / "metrics.csv").write_text("\n".join(metrics) + "\n")
    (folder / "leadership.csv").write_text(
        "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica,node\n"
        "0,__cluster_metadata,0,controller,3001,1,,,,controller-1\n900000000,,,fenced,,,,9,1,controller-1\n"
        "0,orders,0,leader,1,0,1;2,0,,broker-1\n0,orders,1,leader,2,0,1;2,0,,broker-2\n0,__consumer_offsets,0,leader,1,0,1;2,0,,broker-1\n"
        "1000000000,orders,1,leader_stopped,,0,1;2,,,broker-2\n1500000000,orders,1,leader,1,1,1,50,,broker-1\n"
        "2000000000,__cluster_metadata,0,controller_stopped,,1,,,,controller-1\n2200000000,__cluster_metadata,0,controller,3002,2,,,,controller-2\n")
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
        (self.folder / "broken" / "orders.csv").write_text("flow,order\nshop\n")
        done = draw("--", self.folder / "broken")
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()

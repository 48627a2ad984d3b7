"""The charts are drawn from the files of a run alone, say what they should, and have the same bytes each time."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PLOTS = TOP / "plots"
CHARTS = ["incident_timeline", "percentile_spectrum", "stage_breakdown", "lag", "heat_map"]
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
    edges = [10 * ms, 20 * ms, 50 * ms]
    heat = [[sum(low <= latency < high for at, latency, _ in orders if one["from_ns"] <= at < one["from_ns"] + 100 * ms)
             for low, high in zip(edges, edges[1:])] for one in bins]
    end = load + 50 * ms

    def spans(*changes):
        return [{"from_ns": at, "to_ns": until, "leader": leader, "isr": isr}
                for (at, leader, isr), until in zip(changes, [at for at, _, _ in changes[1:]] + [end])]
    leaders = [{"topic": "orders", "partition": 0, "spans": spans((0, 1, 2))},
               {"topic": "orders", "partition": 1, "spans": spans((0, 2, 2), (1000 * ms, None, 2), (1500 * ms, 1, 1))}]
    controllers = [{"from_ns": 0, "to_ns": 2000 * ms, "process": "controller-1"}, {"from_ns": 2000 * ms, "to_ns": 2200 * ms, "process": None},
                   {"from_ns": 2200 * ms, "to_ns": end, "process": "controller-2"}]
    return {"schema": "kraftsim-charts/1", "orders": len(orders), "first_order_ns": 0 if orders else None, "bin_ns": 100 * ms, "bins": bins,
            "heat": {"edges_ns": edges if orders else [], "orders": heat},
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
    summary = {"schema": "kraftsim-summary/1", "scenario": {"name": "shop"}, "seed": seed, "partial": False, "duration_ns": orders * 10 * ms, "warmup_ns": 200 * ms,
               "end_ns": orders * 10 * ms + 50 * ms, "fingerprint": "00c0ffee00c0ffee", "repro": "kraftsim run shop.yaml",
               "orders": {"placed": orders, "fulfilled": orders - failed, "failed": failed, "lost": 0, "open": 0},
               "e2e_latency": latency, "services": {s: {} for s in SERVICES},
               "faults": [], "verdicts": [],
               "expectations": [{"metric": "e2e_latency", "unit": "ns", "statistic": "p99", "window": "all", "limit": 25 * ms, "expected": "< 25 ms"}]}
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
        self.assertIn("4 failed of 400 orders; half of all wait at most 19 ms", spectrum)
        self.assertIn("p99 limit 25 ms", spectrum)
        self.assertIn("holds to p7", spectrum)  # 15 of 20 orders take less than 25 ms
        self.assertIn("the service itself", texts_of(run, "stage_breakdown"))
        self.assertIn("4 not fulfilled are left out", texts_of(run, "stage_breakdown"))
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

    def test_of_a_damaged_run_is_drawn_what_can_be(self):
        run = self.folder / "broken"
        write_run(run, faults="bounce,kill,broker-2,broker-2,1000000000,1500000000,3\n")
        whole = {name: (run / name).read_text() for name in ("charts.json", "summary.json", "metrics.csv", "faults.csv")}
        for name, content, said, drawn in (
                ("charts.json", "{", "charts.json is damaged", {"lag"}),
                ("charts.json", "[1]", "charts.json is damaged", {"lag"}),
                ("charts.json", '{"schema": "another/1"}', "charts.json is of another version (another/1)", {"lag"}),
                ("summary.json", "{", "summary.json is damaged", set(CHARTS)),
                ("metrics.csv", whole["metrics.csv"][:-20] + "x\n", "metrics.csv is damaged; it is drawn up to there", set(CHARTS)),
                ("metrics.csv", "", "metrics.csv is not there", set(CHARTS) - {"lag"}),
                ("faults.csv", "name,kind\nx,y\n", "", set(CHARTS))):
            with self.subTest(name=name, content=content[:10]):
                for each, text in whole.items():
                    (run / each).write_text(text)
                (run / name).write_text(content)
                if not content:
                    (run / name).unlink()
                shutil.rmtree(run / "charts", ignore_errors=True)
                done = draw("--format", "png", "--", run)
                self.assertEqual({path.stem for path in (run / "charts").glob("*.png")}, drawn, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                if said:
                    self.assertIn(said, done.stderr)
                    self.assertEqual(done.returncode, 2)

    def change_summary(self, run, **more):
        summary = json.loads((run / "summary.json").read_text())
        summary.update(more)
        (run / "summary.json").write_text(json.dumps(summary))

    def test_a_limit_is_drawn_when_and_as_it_is_meant(self):
        run = self.folder / "run"
        write_run(run)
        ms = 1_000_000
        base = {"metric": "e2e_latency", "unit": "ns", "statistic": "p99", "limit": 25 * ms}
        for more, words, is_told_how_far in (({"expected": "< 25 ms", "window": "all"}, "p99 limit 25 ms", True),
                                             ({"expected": "> 25 ms", "window": "all"}, "p99 limit at least 25 ms", False),
                                             ({"expected": "< 25 ms", "window": "steady"}, "p99 limit 25 ms, steady", False),
                                             ({"expected": "25 ms to 30 ms", "upper_limit": 30 * ms, "window": "all"},
                                              "p99 limit 25 ms to 30 ms", False)):
            with self.subTest(words):
                self.change_summary(run, expectations=[{**base, **more}])
                spectrum = texts_of(run, "percentile_spectrum")
                self.assertIn(words, spectrum.split("\n"))
                self.assertEqual("holds to" in spectrum, is_told_how_far)
        faults = [{"name": "bounce", "strikes": [{"from_ns": 1000 * ms, "to_ns": 1500 * ms, "effect_to_ns": 2000 * ms}]}]
        for window, spans in (({"window": "steady"}, [(0.2, 1.0), (2.0, 4.0)]), ({"window": "faults"}, [(1.0, 2.0)]),
                              ({"window": "after", "after": "bounce"}, [(2.0, 4.0)]), ({"window": "all"}, [(0.2, 4.0)]),
                              ({"window": "between", "window_from_ns": 500 * ms, "window_to_ns": 700 * ms}, [(0.5, 0.7)])):
            with self.subTest(window):
                self.change_summary(run, expectations=[{**base, "expected": "< 25 ms", **window}], faults=faults)
                code = "import sys; sys.path.insert(0, sys.argv[1]); from rundata import Run; print(Run(sys.argv[2]).limits()[0].spans)"
                done = subprocess.run([PYTHON, "-B", "-c", code, str(PLOTS), str(run)], capture_output=True, text=True, timeout=100)
                self.assertEqual(done.stdout.strip(), repr(spans), done.stderr)

    def test_many_partitions_and_many_services_are_counted_and_the_most_eventful_shown(self):
        run = self.folder / "run"
        write_run(run)
        charts = json.loads((run / "charts.json").read_text())
        eventful = charts["leaders"][1]
        charts["leaders"] = [{**charts["leaders"][0], "partition": number} for number in range(199)] + [{**eventful, "partition": 199}]
        (run / "charts.json").write_text(json.dumps(charts))
        names = [f"service-{number}" for number in range(12)]
        lines = ["t_s" + "".join(f",kafka_consumergroup_lag_seconds[{s}],kafka_consumergroup_lag[{s}]" for s in names)]
        lines += [f"{second}.000" + "".join(f",0.{number:03},{number}" for number in range(12)) for second in (1, 2, 3, 4)]
        (run / "metrics.csv").write_text("\n".join(lines) + "\n")
        timeline = texts_of(run, "incident_timeline")
        self.assertIn("orders-199", timeline)
        self.assertIn("176 quieter partitions are left out", timeline)
        self.assertIn("6 groups that lag less are left out", timeline)
        lag = texts_of(run, "lag")
        self.assertIn("4 groups that lag less are left out", lag)
        self.assertIn("service-11, at most 11 ms", lag)
        self.assertNotIn("service-3,", lag)

    def test_runs_with_other_settings_are_no_band_and_are_told_apart(self):
        folders = []
        for number, setting in enumerate(("1", "0", "all")):
            folders.append(self.folder / setting)
            write_run(folders[-1], seed=1)
            self.change_summary(folders[-1], repro=f"kraftsim run shop.yaml --seed 1 --set clients.order-service.config.acks={setting}")
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from rundata import Run; import percentile_spectrum as p\n"
                "print([line[0] for line in p.lines_of([Run(f) for f in sys.argv[2:]])[0]], len(p.lines_of([Run(f) for f in sys.argv[2:]])[1]))")

        def labels(*folders):
            done = subprocess.run([PYTHON, "-B", "-c", code, str(PLOTS), *map(str, folders)], capture_output=True, text=True, timeout=100)
            return done.stdout.strip() + done.stderr
        self.assertEqual(labels(*folders), "['acks=1', 'acks=0', 'acks=all'] 0")
        seeds = []
        for seed in (1, 2, 3):
            seeds.append(self.folder / f"seed-{seed}")
            write_run(seeds[-1], seed=seed)
            self.change_summary(seeds[-1], repro=f"kraftsim run shop.yaml --seed {seed}")
        self.assertEqual(labels(*seeds), "['shop, 3 seeds'] 1")
        self.assertEqual(labels(*seeds[:2]), "['shop, seed 1', 'shop, seed 2'] 0")

    def test_where_lines_end_their_names_do_not_overlap(self):
        run = self.folder / "run"
        write_run(run)
        charts = json.loads((run / "charts.json").read_text())
        for curve in charts["curves"]:
            if curve["of"] == "service":  # half as far out as all together, and all alike
                curve["beyond"], curve["latency_ns"] = curve["beyond"][:-5], [19_000_000] * (len(curve["beyond"]) - 5)
        (run / "charts.json").write_text(json.dumps(charts))
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from rundata import Run; import percentile_spectrum as p\n"
                "fig = p.draw([Run(sys.argv[2])]); fig.canvas.draw(); r = fig.canvas.get_renderer(); import matplotlib.text as t\n"
                "boxes = [x.get_window_extent(r) for x in fig.findobj(t.Text) if x.get_text().endswith(' done')]\n"
                "print(len(boxes), any(a.overlaps(b) and min(a.y1, b.y1) - max(a.y0, b.y0) > 2 for i, a in enumerate(boxes) for b in boxes[:i]))")
        done = subprocess.run([PYTHON, "-B", "-c", code, str(PLOTS), str(run)], capture_output=True, text=True, timeout=100)
        self.assertEqual(done.stdout.strip(), "3 False", done.stderr)

    def test_a_users_matplotlibrc_does_not_leak_in_and_text_stays_text(self):
        for name in ("one", "two"):
            write_run(self.folder / name)
        (self.folder / "matplotlibrc").write_text("lines.linewidth: 9\nfigure.facecolor: red\naxes.titlecolor: green\nsavefig.dpi: 30\n")
        draw("--format", "svg", "--chart", "lag", "--", self.folder / "one")
        subprocess.run([PYTHON, "-B", str(PLOTS / "draw.py"), "--format", "svg", "--chart", "lag", "--", str(self.folder / "two")],
                       env={**os.environ, "MATPLOTLIBRC": str(self.folder)}, capture_output=True, timeout=100)
        one, two = ((self.folder / name / "charts/lag.svg").read_bytes() for name in ("one", "two"))
        self.assertEqual(one, two)
        self.assertIn(b"lagged most", one)

    def test_the_load_knee_of_several_runs_and_of_one_whose_load_grows(self):
        folders = []
        for load, done in ((100, 100), (200, 199), (400, 250)):
            run = self.folder / str(load)
            write_run(run)
            rows = "".join(f"{second}.000,{load},{done},5\n" for second in (1, 2, 3, 4))
            (run / "metrics.csv").write_text("t_s,orders_placed_per_s,orders_fulfilled_per_s,e2e_latency_p99_ms\n" + rows)
            self.change_summary(run, orders={"placed": 4 * load, "fulfilled": 4 * done, "failed": 0, "lost": 0, "open": 4 * (load - done)})
            folders.append(run)
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from rundata import Run; import load_knee as k\n"
                "import matplotlib.text as t; print('|'.join(x.get_text() for x in k.draw([Run(f) for f in sys.argv[2:]]).findobj(t.Text)))")

        def texts(*folders):
            done = subprocess.run([PYTHON, "-B", "-c", code, str(PLOTS), *map(str, folders)], capture_output=True, text=True, timeout=100)
            return done.stdout + done.stderr
        self.assertIn("Up to 200/s is kept up with; of 400/s only 250/s is done", texts(*folders))
        self.assertIn("Every load is kept up with, 200/s at the most", texts(*folders[:2]))
        self.assertIn("the load is the same throughout", texts(folders[0]))
        rows = "".join(f"{second}.000,{100 * second},{min(100 * second, 250)},5\n" for second in (1, 2, 3, 4))
        (folders[0] / "metrics.csv").write_text("t_s,orders_placed_per_s,orders_fulfilled_per_s,e2e_latency_p99_ms\n" + rows)
        self.assertIn("Up to 200/s is kept up with; of 300/s only 250/s is done", texts(folders[0]))

    def test_the_contact_sheet_holds_every_run(self):
        for name in ("one", "two"):
            write_run(self.folder / name, orders=100)
        done = draw("--chart", "contact_sheet", "--format", "png", "--", self.folder / "one", self.folder / "two")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater((self.folder / "one/charts/contact_sheet.png").stat().st_size, 50_000)

    def test_no_rule_of_the_model_stands_in_a_script(self):
        for script in PLOTS.glob("*.py"):
            text = script.read_text()
            for rule in ("orders.csv", "leadership.csv", "_ns\"] !=", "3000", "3001"):
                self.assertNotIn(rule, text, script.name)


if __name__ == "__main__":
    unittest.main()

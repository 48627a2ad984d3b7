"""The product's main job as a user meets it: run, read the files, look at one order, draw."""
import csv
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from kraftsim import ORDER_FLOW, PROGRAM, SCENARIOS, TOP, files_of, kraftsim, manifest

SHORT = ["--set", "duration=40s"]


class InATemporaryFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kraftsim-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_short(self, name="run", *more, expect=0):
        run = self.folder / name
        done = kraftsim("run", ORDER_FLOW, *SHORT, "--out", run, *more)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return run, done


class MainJob(InATemporaryFolder):
    def test_the_healthy_cluster_passes_and_says_so(self):
        run, done = self.run_short()
        self.assertTrue(done.stdout.startswith("PASS"), done.stdout)
        for name in ("summary.json", "summary.txt", "manifest.json", "host.json", "scenario.resolved.yaml", "orders.csv",
                     "metrics.csv", "verdicts.csv", "faults.csv", "leadership.csv", "hist/e2e.hgrm"):
            self.assertTrue((run / name).is_file(), name)

    def test_two_runs_have_the_same_bytes_whatever_is_traced_and_shown(self):
        first, _ = self.run_short("first")
        again, _ = self.run_short("again", "--quiet")
        self.assertEqual(files_of(first), files_of(again))
        traced, _ = self.run_short("traced", "--trace", "full")
        for fingerprint in ("fingerprint", "meaning"):
            self.assertEqual(manifest(first)[fingerprint], manifest(traced)[fingerprint])
        self.assertEqual((first / "orders.csv").read_bytes(), (traced / "orders.csv").read_bytes())

    def test_json_on_stdout_is_summary_json(self):
        run, done = self.run_short("run", "--json")
        self.assertEqual(done.stdout, (run / "summary.json").read_text())

    def test_the_manifest_knows_every_file(self):
        run, _ = self.run_short()
        import hashlib
        for name, entry in manifest(run)["files"].items():
            self.assertEqual(hashlib.sha256((run / name).read_bytes()).hexdigest(), entry["sha256"], name)

    def test_the_summary_agrees_with_orders_csv_and_littles_law_holds(self):
        run, _ = self.run_short()
        done = subprocess.run([sys.executable, str(TOP / "tests/app/summary_from_orders.py"), str(run)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_each_order_keeps_to_its_partition_and_its_turn(self):
        run, _ = self.run_short()
        with open(run / "orders.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        partition_of, seen = {}, {}
        for row in rows:
            self.assertEqual(partition_of.setdefault(row["key"], row["partition"]), row["partition"])
            place = (row["partition"], int(row["offset"]))
            self.assertNotIn(place, seen)
            seen[place] = row
        for partition in {p for p, _ in seen}:
            offsets = sorted(offset for p, offset in seen if p == partition)
            self.assertEqual(offsets, list(range(len(offsets))))

    def test_replay_finds_the_same_fingerprint(self):
        run, _ = self.run_short("run", "--trace", "control")
        done = kraftsim("replay", run)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(done.stdout.startswith("SAME"))

    def test_a_run_that_was_cut_in_the_middle_of_a_fault_is_replayed_to_the_same_end(self):
        run = self.folder / "cut"
        kraftsim("run", SCENARIOS / "broker-crash.yaml", "--until", "35s", "--trace", "control", "--out", run, "--quiet")
        done = kraftsim("replay", run)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_replay_names_the_first_event_that_differs(self):
        run, _ = self.run_short("run", "--trace", "control")
        events = (run / "events.jsonl").read_text().splitlines()
        events[3] = events[3].replace('"t":', '"t":9', 1)
        text = "\n".join(events) + "\n"
        (run / "events.jsonl").write_text(text)
        recorded = json.loads((run / "manifest.json").read_text())  # as if it had been written so
        recorded["files"]["events.jsonl"]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        (run / "manifest.json").write_text(json.dumps(recorded))
        done = kraftsim("replay", run)
        self.assertEqual(done.returncode, 4)
        self.assertIn(events[3], done.stdout)
        told = done.stdout[done.stdout.index("the first event that differs"):]
        node = json.loads(events[3])["node"]
        self.assertRegex(told, rf"of {node} at .*\n  its t is 9\d* \(recorded\) and \d+ \(replayed\)")
        for line in events[:3]:  # the same on both sides
            self.assertIn(line, told)

    def test_check_determinism_plays_twice(self):
        self.run_short("run", "--check-determinism")

    def test_the_story_of_one_order_is_a_sequence_diagram(self):
        run, _ = self.run_short()
        done = kraftsim("export", run, "--format", "mermaid", "--order", "100")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("sequenceDiagram"))
        for word in ("order-service", "inventory", "payment", "fulfillment", "offset", "NEXT offset", "ProduceRequest"):
            self.assertIn(word, done.stdout)

    def test_the_slowest_order_is_the_one_the_summary_names(self):
        run, _ = self.run_short()
        slowest = json.loads((run / "summary.json").read_text())["slowest"]
        done = kraftsim("export", run, "--format", "mermaid", "--order", "slowest")
        self.assertIn(f"Order {slowest['order']} of {slowest['flow']}", done.stdout)

    def test_an_order_that_was_never_placed_is_an_error(self):
        run, _ = self.run_short()
        done = kraftsim("export", run, "--format", "mermaid", "--order", "99999999")
        self.assertEqual(done.returncode, 2)
        self.assertIn("99999999", done.stderr)

    def test_charts_are_drawn_from_the_files(self):
        run, _ = self.run_short()
        done = kraftsim("plot", run, "--format", "png")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name in ("incident_timeline", "percentile_spectrum", "stage_breakdown", "lag"):
            self.assertGreater((run / "charts" / f"{name}.png").stat().st_size, 10_000)

    def test_resolved_is_a_scenario_that_plays_the_same(self):
        run, _ = self.run_short()
        again = self.folder / "again"
        kraftsim("run", run / "scenario.resolved.yaml", "--out", again, "--quiet")
        self.assertEqual(manifest(run)["fingerprint"], manifest(again)["fingerprint"])


class EveryScenario(InATemporaryFolder):
    def test_every_scenario_meets_its_expectations(self):
        for scenario in sorted(SCENARIOS.glob("*.yaml")):
            with self.subTest(scenario.stem):
                done = kraftsim("run", scenario, "--out", self.folder / scenario.stem)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class WhatGoesWrong(InATemporaryFolder):
    def test_an_expectation_that_fails_is_exit_1_with_the_value_beside_the_limit(self):
        scenario = self.folder / "strict.yaml"
        scenario.write_text(ORDER_FLOW.read_text().replace('p99: "< 500ms"', 'p99: "< 1ms"').replace("duration: 120s", "duration: 30s"))
        done = kraftsim("run", scenario, "--out", self.folder / "run")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertTrue(done.stdout.startswith("FAIL"))
        self.assertIn("expected < 1 ms", done.stdout)

    def test_all_mistakes_of_a_file_are_listed_and_nothing_is_run(self):
        scenario = self.folder / "broken.yaml"
        scenario.write_text(ORDER_FLOW.read_text().replace("partitions: 6", "partitons: 6").replace("duration: 120s", "duration: 120"))
        done = kraftsim("run", scenario, "--out", self.folder / "run")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean", done.stderr)
        self.assertGreaterEqual(done.stderr.count("error:"), 2, done.stderr)
        self.assertFalse((self.folder / "run").exists())

    def test_impossible_topologies_are_refused(self):
        for setting in ("cluster.brokers=2", "cluster.controllers=0"):
            with self.subTest(setting):
                done = kraftsim("check", ORDER_FLOW, "--set", setting)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn("error:", done.stderr)

    def test_a_folder_that_is_not_ours_is_not_touched(self):
        run = self.folder / "run"
        run.mkdir()
        (run / "thesis.txt").write_text("three years of work")
        done = kraftsim("run", ORDER_FLOW, *SHORT, "--out", run)
        self.assertEqual(done.returncode, 2)
        self.assertEqual([p.name for p in run.iterdir()], ["thesis.txt"])

    def test_a_place_where_nothing_can_be_written_is_said_before_anything_is_played(self):
        (self.folder / "file").write_text("")
        done = kraftsim("run", ORDER_FLOW, *SHORT, "--out", self.folder / "file" / "run")
        self.assertEqual(done.returncode, 2)
        self.assertIn("file/run", done.stderr)

    def test_a_broken_trace_names_line_and_column(self):
        (self.folder / "orders.csv").write_text("time,key,size\n0.5,a,100\n0.7,b,many\n")
        scenario = self.folder / "trace.yaml"
        scenario.write_text(ORDER_FLOW.read_text().replace("{poisson: 500/s}", "{trace: orders.csv}"))
        done = kraftsim("check", scenario)
        self.assertEqual(done.returncode, 2)
        self.assertIn("orders.csv:3:", done.stderr)

    def test_an_interrupted_run_leaves_partial_results_that_say_so(self):
        run = self.folder / "run"
        program = subprocess.Popen([PROGRAM, "run", str(ORDER_FLOW), "--set", "duration=20000s", "--out", str(run)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.0)
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 130, output + errors)
        self.assertTrue(manifest(run)["partial"])
        self.assertIn("partial", (run / "summary.txt").read_text().lower())

    def test_mistyped_commands_are_corrected(self):
        for arguments in (["rnu", ORDER_FLOW], ["run"], ["run", self.folder / "nothing.yaml"], ["run", ORDER_FLOW, "--seed", "x"], []):
            with self.subTest(str(arguments)):
                done = kraftsim(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()

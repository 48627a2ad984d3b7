"""What becomes of files, of stdout and of paths: runs that are edited, copied or typed otherwise, disks that are full, commands
that are printed."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import PROGRAM, SCENARIOS, files_of, kraftsim, manifest

SMALL = """schema: kraftsim/v1
name: small shop
duration: 12s
warmup: 0s
cluster: {brokers: 3, controllers: 1}
topics: {orders: {partitions: 2}}
clients:
  shop: {produces: orders, start: 1s, arrivals: {trace: {file: recorded.csv, time: at, key: none, size: bytes}}}
  pay: {consumes: orders, config: {auto.offset.reset: earliest}}
"""
RECORDED = "at,bytes\n" + "".join(f"{second}.5,{100 + second}\n" for second in range(6))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kraftsim-files-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        (self.top / "small.yaml").write_text(SMALL.replace("small shop", "small"))
        (self.top / "recorded.csv").write_text(RECORDED)
        self.run_folder = self.top / "run"

    def play(self, *arguments, out=None, cwd=None):
        done = kraftsim("run", self.top / "small.yaml", "--out", out or self.run_folder, *arguments, cwd=cwd or self.top)
        self.assertEqual(0, done.returncode, done.stderr)
        return done

    def replay(self, run=None):
        return kraftsim("replay", run or self.run_folder, cwd=self.top)

    def test_a_run_with_a_trace_is_replayed_wherever_it_is_copied(self):
        self.play("--trace", "control")
        elsewhere = self.top / "elsewhere" / "copy"
        shutil.copytree(self.run_folder, elsewhere)
        for name in ("small.yaml", "recorded.csv"):
            (self.top / name).unlink()
        shutil.rmtree(self.run_folder)
        done = self.replay(elsewhere)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertTrue(done.stdout.startswith("SAME  "))

    def test_replay_tells_edited_files_a_changed_input_and_another_run_apart(self):
        self.play("--trace", "control")
        for edit, file, code, said in [
                (lambda text: text.replace("orders", "ORDERS", 1), "orders.csv", 2, "EDITED"),
                (lambda text: text.replace('"t":', '"t" :', 1), "events.jsonl", 2, "EDITED"),
                (lambda text: text.replace("brokers: 3", "brokers: 4"), "scenario.resolved.yaml", 2, "the input was changed"),
                (lambda text: text.replace("103", "104"), "inputs/recorded.csv", 2, "the input was changed"),
                (lambda text: text.replace(manifest(self.run_folder)["fingerprint"], "0" * 16), "manifest.json", 4, "DIFFERENT")]:
            with self.subTest(file=file):
                path = self.run_folder / file
                before = path.read_text()
                self.assertNotEqual(before, edit(before))
                path.write_text(edit(before))
                done = self.replay()
                path.write_text(before)
                self.assertEqual(code, done.returncode, done.stdout + done.stderr)
                self.assertIn(said, done.stdout + done.stderr)
                if file != "manifest.json":
                    self.assertIn(file, done.stdout + done.stderr)
        (self.run_folder / "faults.csv").unlink()
        done = self.replay()
        self.assertEqual(2, done.returncode)
        self.assertIn("faults.csv (does not exist)", done.stdout)

    def test_files_do_not_depend_on_how_the_path_was_typed_nor_on_the_working_folder(self):
        self.play()
        first = files_of(self.run_folder)
        (self.top / "deep" / "er").mkdir(parents=True)
        for number, (file, cwd) in enumerate([("small.yaml", self.top), ("./deep/../small.yaml", self.top),
                                              ("../../small.yaml", self.top / "deep" / "er"), (self.top / "small.yaml", "/")]):
            out = self.top / f"other-{number}"
            done = kraftsim("run", file, "--out", out, cwd=cwd)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn(f"run {file} --seed 1", done.stdout)  # what is on the screen can be pasted here
            self.assertEqual(first, files_of(out))

    def test_a_write_error_on_stdout_is_an_error_of_every_command(self):
        self.play()
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        for arguments in (["run", "small.yaml", "--out", "again"], ["run", "small.yaml", "--out", "again", "--json"],
                          ["run", "small.yaml", "--no-files", "--quiet"], ["check", "small.yaml"], ["check", "--resolve", "small.yaml"],
                          ["replay", "run"], ["export", "run", "--format", "openmetrics"], ["list"], ["explain"], ["explain", "acks"],
                          ["schema"], ["completion", "bash"], ["version"], ["--help"], ["run", "--help"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAM, *arguments], cwd=self.top, stdin=subprocess.DEVNULL, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=120)
                self.assertEqual(7, done.returncode, done.stderr)
                self.assertIn("No space left on device", done.stderr)

    def test_a_full_disk_in_the_end_leaves_the_verdict_and_names_one_cause(self):
        # A limit of the size of files stands for a full disk.
        done = subprocess.run(["/bin/sh", "-c", f'trap "" XFSZ; ulimit -f 1; exec "{PROGRAM}" run small.yaml --out run'], cwd=self.top,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(7, done.returncode, done.stdout + done.stderr)
        self.assertIn("PASS  small", done.stdout)
        self.assertNotIn("files    ", done.stdout)
        self.assertEqual(1, done.stderr.count("error: "), done.stderr)
        self.assertIn("cannot be written: File too large", done.stderr)
        self.assertEqual(["recorded.csv", "small.yaml"], sorted(os.listdir(self.top)))

    def test_openmetrics_keeps_to_the_window(self):
        self.play()
        done = kraftsim("export", self.run_folder, "--format", "openmetrics", "--window", "3s..5s")
        times = {line.split()[-1] for line in done.stdout.splitlines() if not line.startswith("#")}
        self.assertEqual({"3.000", "4.000"}, times)

    def test_printed_commands_can_be_pasted(self):
        out = self.top / "a run's folder"
        done = self.play(out=out)
        command = next(line for line in done.stdout.splitlines() if line.startswith("slowest")).split("   ")[-1]
        self.assertNotIn("kraftsim export " + str(out), command)
        pasted = subprocess.run(["/bin/sh", "-c", command], cwd=self.top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(0, pasted.returncode, f"{command}\n{pasted.stderr}")
        self.assertTrue(pasted.stdout.startswith("sequenceDiagram"))

    def test_list_names_each_scenario_once(self):
        listed = kraftsim("list").stdout.splitlines()
        names = [line.split()[0].lstrip("@").removeprefix("scenarios/").removesuffix(".yaml") for line in listed if line.startswith("  ")]
        self.assertEqual(sorted(set(names)), sorted(names))
        self.assertIn("order-flow", names)
        (self.top / "scenarios").mkdir()
        shutil.copy(SCENARIOS / "order-flow.yaml", self.top / "scenarios")
        shutil.copy(SCENARIOS / "broker-crash.yaml", self.top / "scenarios" / "mine.yaml")
        listed = kraftsim("list", cwd=self.top).stdout
        self.assertEqual(1, listed.count("order-flow"))
        self.assertIn("scenarios/mine.yaml", listed)

    def test_explain_knows_metrics_verdicts_targets_and_files(self):
        for topic, words in [("e2e_latency", "metric of expectations"), ("ownership_gap", "metric of expectations"),
                             ("LOST(acked)", "verdict of a run"), ("STUCK", "verdict of a run"), ("DUP", "verdict of a run"),
                             ("leader", "target of a fault"), ("leader(orders-0)", "target of a fault"), ("random", "target of a fault"),
                             ("groups.csv", "file of a run"), ("charts", "file of a run"), ("hist", "file of a run")]:
            with self.subTest(topic=topic):
                done = kraftsim("explain", topic)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertIn(words, done.stdout)
        run = self.play() and files_of(self.run_folder)
        for file in run:
            with self.subTest(file=file):
                name = file.split("/")[0] if "/" in file else file
                self.assertIn("file of a run", kraftsim("explain", name).stdout)

    def test_control_characters_of_files_never_reach_the_terminal(self):
        escape = "\\e[31mred\\a"
        for place, text in [
                ("a topic", SMALL.replace("orders", '"or' + escape + 'ders"')), ("a client", SMALL.replace("shop:", '"sh' + escape + 'op":')),
                ("the name", SMALL.replace("small shop", '"sm' + escape + 'all"')),
                ("a group", SMALL.replace("{consumes: orders", '{consumes: orders, group.id: "g' + escape + '"')),
                ("a fault", SMALL + 'faults: [{name: "f' + escape + '", at: 2s, for: 1s, pause: {target: broker-1}}]\n'),
                ("a target", SMALL + 'faults: [{name: f, at: 2s, for: 1s, pause: {target: "broker-1' + escape + '"}}]\n'),
                ("a limit", SMALL + 'expect: [{id: "i' + escape + '", metric: lag, of: pay, max: "< 1s' + escape + '"}]\n'),
                ("an id", SMALL + 'expect: [{id: "i' + escape + '", metric: lag, of: pay, max: "< 1s"}]\n'),
                ("a reason", SMALL + 'invariants: {acked-never-lost: {because: "x' + escape + '"}}\n'),
                ("about", SMALL + 'about: "x' + escape + '"\n'),
                ("a value", SMALL.replace("auto.offset.reset: earliest", 'client.id: "c' + escape + '"'))]:
            with self.subTest(place=place):
                (self.top / "esc.yaml").write_text(text.replace("name: small shop\n", "name: esc\n"))
                for arguments in (["run", "esc.yaml", "--out", "esc"], ["check", "esc.yaml"], ["check", "--resolve", "esc.yaml"],
                                  ["run", "esc.yaml", "--no-files", "--json"], ["export", "esc", "--format", "mermaid", "--order", "slowest"],
                                  ["export", "esc", "--format", "openmetrics"], ["replay", "esc"]):
                    done = kraftsim(*arguments, cwd=self.top)
                    for stream in (done.stdout, done.stderr):
                        self.assertFalse([c for c in stream if ord(c) < 32 and c not in "\n\t"], f"{arguments}: {stream!r}")
                shutil.rmtree(self.top / "esc", ignore_errors=True)
        for arguments in (["run", "no\x1b[31msuch.yaml"], ["explain", "\x1b[31m"], ["\x1b[31m"], ["replay", "\x1b[31m"],
                          ["run", "small.yaml", "--set", "\x1b[31m=1"], ["run", "small.yaml", "--seed", "\x1b[31m"]):
            with self.subTest(arguments=arguments):
                done = kraftsim(*arguments, cwd=self.top)
                self.assertEqual(2, done.returncode)
                self.assertNotIn("\x1b", done.stdout + done.stderr)

    def test_a_quoted_block_of_properties_is_the_same_as_a_literal_one(self):
        shop = SMALL[SMALL.index("  shop:"):SMALL.index("  pay:")]
        resolved = []
        for config in ('"acks=all\\nlinger.ms=7\\n"', "|\n      acks=all\n      linger.ms=7\n"):
            (self.top / "block.yaml").write_text(SMALL.replace("small shop", "block").replace(
                shop, "  shop:\n    produces: orders\n    start: 1s\n    arrivals: {constant: 5/s}\n    config: " + config + "\n"))
            done = kraftsim("check", "--resolve", "block.yaml", cwd=self.top)
            self.assertEqual(0, done.returncode, done.stderr)
            resolved.append(done.stdout)
        self.assertEqual(resolved[0], resolved[1])
        self.assertIn("linger.ms: 7", resolved[0])


if __name__ == "__main__":
    unittest.main()

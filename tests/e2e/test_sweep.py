"""Sweeps: what is finished is never lost, shards add up to the very bytes, bad input is told in words."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from kraftsim import PROGRAM, SHOP, files_of, kraftsim


class Sweeps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "shop.yaml").write_text(SHOP.read_text())

    def sweep(self, *arguments):
        return kraftsim("sweep", "shop.yaml", *arguments, cwd=self.folder)

    def results(self, name):
        return (self.folder / name / "results.jsonl").read_bytes()

    def test_failures_are_found_grouped_and_kept(self):
        done = self.sweep("--seeds", "1-8")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("durable · LOST(acked) · after kill", done.stdout)
        page = json.loads((self.folder / "runs/shop/sweep/summary.json").read_text())
        group = page["failures"][0]
        kept = self.folder / "runs/shop/sweep/kept" / str(group["smallest_seed"])
        # The command that the page prints repeats it: the same verdict, the same files.
        command = next(line.split() for line in done.stdout.splitlines() if "kraftsim run" in line)
        again = kraftsim(*command[1:], "--out", "again", cwd=self.folder)
        self.assertEqual(again.returncode, 1)
        self.assertEqual((kept / "orders.csv").read_bytes(), (self.folder / "again/orders.csv").read_bytes())
        self.assertEqual(kraftsim("replay", kept, cwd=self.folder).returncode, 0)

    def test_shards_add_up_to_the_bytes_of_the_whole(self):
        (self.folder / "matrix.yaml").write_text("clients.order-service.config.acks: [1, all]\n")
        common = ("--seeds", "1-5", "--matrix", "matrix.yaml")
        self.sweep(*common, "--out", "whole", "--jobs", "2")
        for shard in ("1/2", "2/2"):
            self.sweep(*common, "--shard", shard, "--out", shard.replace("/", "of"), "--jobs", "1")
        merged = kraftsim("merge", "2of2", "1of2", "--out", "sum", cwd=self.folder)
        self.assertEqual(self.results("sum"), self.results("whole"), merged.stderr)
        self.assertEqual((self.folder / "sum/summary.json").read_bytes(), (self.folder / "whole/summary.json").read_bytes())
        self.assertEqual(kraftsim("merge", "sum", "1of2", "--out", "sum", cwd=self.folder).returncode, merged.returncode)
        self.assertEqual(self.results("sum"), self.results("whole"))

    def test_a_killed_sweep_goes_on_where_it_was(self):
        self.sweep("--seeds", "1-30", "--out", "whole")
        with subprocess.Popen([PROGRAM, "sweep", "shop.yaml", "--seeds", "1-30", "--out", "cut", "--jobs", "2"],
                              cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sweep:
            file = self.folder / "cut/results.jsonl"
            while not file.exists() or file.read_bytes().count(b"\n") < 6:
                time.sleep(0.01)
            sweep.send_signal(signal.SIGKILL)
        finished = file.read_bytes().count(b"\n") - 1
        self.assertGreaterEqual(finished, 5)
        self.assertEqual(self.sweep("--seeds", "1-30", "--out", "cut").returncode, 2)  # it holds one already
        again = self.sweep("--seeds", "1-30", "--out", "cut", "--resume")
        self.assertEqual(again.returncode, 1, again.stderr)
        self.assertEqual(self.results("cut"), self.results("whole"))

    def test_ctrl_c_keeps_what_is_finished(self):
        with subprocess.Popen([PROGRAM, "sweep", "shop.yaml", "--seeds", "1-5000", "--out", "cut"], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sweep:
            file = self.folder / "cut/results.jsonl"
            while not file.exists() or file.read_bytes().count(b"\n") < 4:
                time.sleep(0.01)
            sweep.send_signal(signal.SIGINT)
            page, said = sweep.communicate(timeout=60)
        self.assertEqual(sweep.returncode, 130)
        self.assertIn("--resume", said)
        self.assertIn("the rest was not played", page)
        self.assertTrue((self.folder / "cut/summary.json").exists())

    def test_a_process_that_is_killed_costs_one_seed(self):
        with subprocess.Popen([PROGRAM, "sweep", "shop.yaml", "--seeds", "1-12", "--out", "hurt", "--jobs", "1"],
                              cwd=self.folder, stdout=subprocess.PIPE, text=True) as sweep:
            file = self.folder / "hurt/results.jsonl"
            while not file.exists() or file.read_bytes().count(b"\n") < 3:
                time.sleep(0.01)
            children = pathlib.Path(f"/proc/{sweep.pid}/task/{sweep.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)
            page, _ = sweep.communicate(timeout=60)
        self.assertEqual(sweep.returncode, 5, page)
        self.assertIn("signal 9", page)
        self.assertEqual(self.results("hurt").count(b"\n"), 13)
        self.assertEqual(self.results("hurt").count(b'"crashed"'), 1)
        self.sweep("--seeds", "1-12", "--out", "hurt", "--resume")
        self.sweep("--seeds", "1-12", "--out", "whole")
        self.assertEqual(self.results("hurt"), self.results("whole"))

    def test_a_situation_that_is_required_must_occur(self):
        done = self.sweep("--seeds", "1-2", "--set", "clients.order-service.config.acks=all", "--require", "leader-from-isr")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?s)never seen .*metadata-snapshot-fetched")
        self.assertNotRegex(done.stdout, r"(?s)never seen .*leader-from-isr")
        lacking = self.sweep("--seeds", "1-2", "--set", "clients.order-service.config.acks=all", "--resume", "--require", "log-wiped")
        self.assertEqual(lacking.returncode, 1, lacking.stderr)
        self.assertIn("log-wiped was required", lacking.stdout)
        unknown = self.sweep("--seeds", "1-2", "--out", "x", "--require", "log-wipd")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("log-wiped", unknown.stderr)

    def test_enough_failures_end_it(self):
        done = self.sweep("--seeds", "1-500", "--until-fail", "1", "--jobs", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--resume", done.stderr)
        self.assertLess(self.results("runs/shop/sweep").count(b"\n"), 100)

    def test_bad_input_is_told_in_words(self):
        (self.folder / "bad.yaml").write_text("a: [1]\nb: {c: 1}\n")
        for arguments, word in [(("--shard", "3/2"), "there is no shard 3/2"), (("--seeds", "9-1"), "ends before it begins"),
                                (("--matrix", "bad.yaml"), "must be a list"), (("--matrix", "none.yaml"), "none.yaml"),
                                (("--jobs", "0"), "--jobs"), (("--until-fail", "x"), "--until-fail"),
                                (("--budget", "10"), "--budget"), (("--set", "cluster.brokers=x"), "cluster.brokers")]:
            with self.subTest(arguments=arguments):
                done = self.sweep(*(arguments if "--seeds" in arguments else ("--seeds", "1-2", *arguments)))
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(word, done.stderr)
                self.assertFalse((self.folder / "runs").exists())
        self.assertEqual(kraftsim("merge", "nowhere", cwd=self.folder).returncode, 2)
        self.sweep("--seeds", "1-2", "--out", "a")
        (self.folder / "shop.yaml").write_text(SHOP.read_text() + "# another\n")
        self.sweep("--seeds", "1-2", "--out", "b")
        mixed = kraftsim("merge", "a", "b", "--out", "c", cwd=self.folder)
        self.assertEqual(mixed.returncode, 2)
        self.assertIn("sha256", mixed.stderr)
        resumed = self.sweep("--seeds", "1-2", "--out", "a", "--resume")
        self.assertEqual(resumed.returncode, 2)
        self.assertIn("another sweep", resumed.stderr)

    def test_a_full_disk_loses_nothing_that_was_finished(self):
        # Files may not grow beyond this: as good as a full disk. The program must not die of SIGXFSZ.
        limited = f"trap '' XFSZ; ulimit -f 4; exec '{PROGRAM}' sweep shop.yaml --seeds 1-60 --out full --jobs 1"
        done = subprocess.run(["bash", "-c", limited], cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("cannot be written", done.stderr)
        lines = self.results("full").splitlines()
        self.assertGreater(len(lines), 3)
        for line in lines:
            json.loads(line)
        self.sweep("--seeds", "1-60", "--out", "full", "--resume")
        self.sweep("--seeds", "1-60", "--out", "whole")
        self.assertEqual(self.results("full"), self.results("whole"))


if __name__ == "__main__":
    unittest.main()

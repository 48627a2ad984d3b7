"""Shards played by what hands them to several machines add up to the bytes of one machine's sweep."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import PROGRAM, SCENARIOS, SHOP, TOP, kraftsim

AT_SCALE = SCENARIOS / "at-scale"


class AtScale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        kraftsim("sweep", SHOP, "--seeds", "1-7", "--out", cls.folder / "whole")

    def call(self, *command, **environment):
        done = subprocess.run([str(word) for word in command], cwd=TOP, env={**os.environ, "KRAFTSIM": str(PROGRAM), **environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        return done.returncode, done.stdout

    def assert_whole(self, folder):
        for name in ("results.jsonl", "summary.json"):
            self.assertEqual((folder / name).read_bytes(), (self.folder / "whole" / name).read_bytes(), name)

    def test_shards_add_up_and_failures_are_no_failure_of_the_job(self):
        for number in (1, 2, 3):
            self.assertEqual((0, ""), self.call(AT_SCALE / "shard.sh", f"{number}/3", self.folder / "shards", SHOP, "1-7"))
        self.assertEqual((0, ""), self.call(AT_SCALE / "shard.sh", "3/3", self.folder / "shards", SHOP, "1-7"))  # begun again
        kraftsim("merge", *sorted((self.folder / "shards").iterdir()), "--out", self.folder / "sum")
        self.assert_whole(self.folder / "sum")

    def test_what_cannot_be_played_is_a_failure_of_the_job(self):
        code, said = self.call(AT_SCALE / "shard.sh", "4/3", self.folder / "none", SHOP, "1-7")
        self.assertEqual(code, 2)
        self.assertIn("there is no shard 4/3", said)

    def test_slurms_variables_name_the_shard(self):
        for number in ("1", "2"):
            code, said = self.call(AT_SCALE / "slurm.sh", self.folder / "slurm", SHOP, "1-7", SLURM_SUBMIT_DIR=str(TOP),
                                   SLURM_ARRAY_TASK_ID=number, SLURM_ARRAY_TASK_COUNT="2", SLURM_CPUS_PER_TASK="1")
            self.assertEqual(code, 0, said)
        kraftsim("merge", *sorted((self.folder / "slurm").iterdir()), "--out", self.folder / "slurm-sum")
        self.assert_whole(self.folder / "slurm-sum")

    @unittest.skipUnless(shutil.which("parallel"), "GNU parallel is not installed")
    def test_gnu_parallel_plays_and_merges(self):
        code, said = self.call(AT_SCALE / "parallel.sh", "2", self.folder / "parallel", SHOP, "1-7")
        self.assertEqual(code, 1, said)  # of the merged sweep: some runs failed
        self.assert_whole(self.folder / "parallel" / "whole")


if __name__ == "__main__":
    unittest.main()

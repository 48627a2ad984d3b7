"""To understand one failure: why, blame, pinpoint, shrink, compare. And a canary: a share of failures that is known."""
import json
import pathlib
import re
import tempfile
import unittest

from kraftsim import SHOP, kraftsim

# One of three brokers dies, whichever; only if it leads the one partition are orders lost.
CANARY = """
schema: kraftsim/v1
name: canary
duration: 20s
drain: 10s
cluster: {brokers: 3, controllers: 1}
topics: {orders: {partitions: 1, replication.factor: 3}}
clients:
  order-service: {produces: orders, arrivals: {constant: 50/s}, start: 8s, config: {acks: 1}}
faults:
  - {name: slow, at: 9s, for: 11s, delay: {target: brokers, to: brokers, by: 200ms}}
  - {name: crash, at: 12s, kill: {target: "random(brokers, 1)"}}
expect:
  - {id: durable, metric: lost_acked, equals: 0}
"""


class Search(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "shop.yaml").write_text(SHOP.read_text())
        cls.ran = cls.do("run", "shop.yaml", "--out", "run")

    @classmethod
    def do(cls, *arguments):
        return kraftsim(*arguments, cwd=cls.folder)

    def test_the_run_fails(self):
        self.assertEqual(self.ran.returncode, 1, self.ran.stdout + self.ran.stderr)

    def test_shrink_writes_a_scenario_that_fails_alike(self):
        done = self.do("shrink", "shop.yaml", "--out", "small.yaml", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.folder / "small.yaml").read_text()
        self.assertIn("# What happens", text)
        self.assertNotIn("pause", text)
        self.assertLess(len(text.splitlines()), 40)
        again = self.do("run", "small.yaml", "--no-files")
        self.assertEqual(again.returncode, 1, again.stdout + again.stderr)
        self.assertIn("LOST(acked)", again.stdout)
        self.assertEqual(self.do("check", "small.yaml").stderr, "")

    def test_what_does_not_fail_is_not_shrunk(self):
        for command in ("shrink", "pinpoint"):
            done = self.do(command, "shop.yaml", "--set", "clients.order-service.config.acks=all")
            self.assertEqual(done.returncode, 2)
            self.assertIn("does not fail", done.stderr)

    def test_blame_names_the_fault_and_the_protection(self):
        done = self.do("blame", "shop.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        guilty, _, innocent = done.stdout.partition("no difference")
        self.assertRegex(guilty, r"without crash +gone")
        self.assertRegex(guilty, r"clients.order-service.config.acks=all +gone")
        self.assertIn("without pause", innocent)
        self.assertIn("without standby", innocent)
        self.assertLessEqual(max(map(len, innocent.splitlines())), 120, innocent)

    def test_pinpoint_finds_when_it_became_certain(self):
        done = self.do("pinpoint", "shop.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = re.search(r"certain between ([\d.]+) s and ([\d.]+) s", done.stdout)
        self.assertLessEqual(float(found.group(1)), 30.0, done.stdout)
        self.assertIn("futures that fail", done.stdout)

    def test_why_tells_the_story_of_an_order(self):
        lost = self.do("why", "run", "--order", "lost")
        self.assertEqual(lost.returncode, 0, lost.stderr)
        self.assertIn("fault crash strikes", lost.stdout)
        self.assertIn("LOST(acked)", lost.stdout)
        self.assertIn("what was decisive", lost.stdout)
        self.assertLessEqual(len(lost.stdout.splitlines()), 62)
        self.assertEqual(self.do("why", "run").returncode, 0)  # the slowest
        for order in ("999999", "duplicated", "nonsense"):
            done = self.do("why", "run", "--order", order)
            self.assertEqual(done.returncode, 2, done.stdout)
        self.assertEqual(self.do("why", "nowhere", "--order", "1").returncode, 2)

    def test_compare_pairs_seeds_and_knows_tolerances(self):
        self.do("sweep", "shop.yaml", "--seeds", "1-6", "--out", "one")
        self.do("sweep", "shop.yaml", "--seeds", "1-6", "--out", "all", "--set", "clients.order-service.config.acks=all")
        done = self.do("compare", "one", "all", "--tolerance", "placed=1%")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("6 seeds of both", done.stdout)
        worse = self.do("compare", "one", "all", "--tolerance", "e2e_p50_ns=1%")
        self.assertEqual(worse.returncode, 1, worse.stdout)
        same = self.do("compare", "one", "one", "--tolerance", "p99=0%")
        self.assertEqual(same.returncode, 0, same.stdout)
        self.do("run", "shop.yaml", "--out", "other", "--set", "clients.order-service.config.acks=all")
        runs = self.do("compare", "run", "other")
        self.assertEqual(runs.returncode, 0, runs.stderr)
        self.assertIn("A only 1, B only 0", runs.stdout)
        (self.folder / "empty").mkdir()
        for where, words in (("nowhere", "no such run, and no such sweep"), ("empty", "neither a run")):
            wrong = self.do("compare", "run", where)
            self.assertEqual(wrong.returncode, 2)
            self.assertIn(words, wrong.stderr)
        self.assertEqual(self.do("compare", "one", "all", "--tolerance", "p99").returncode, 2)

    def test_a_canary_fails_as_often_as_it_should(self):
        (self.folder / "canary.yaml").write_text(CANARY)
        self.do("sweep", "canary.yaml", "--seeds", "1-90", "--out", "canary")
        page = json.loads((self.folder / "canary/summary.json").read_text())["configurations"][0]
        self.assertEqual(page["crashed"], 0)
        self.assertLess(page["rate_low_per_million"], 333_333)
        self.assertGreater(page["rate_high_per_million"], 333_333)
        self.assertGreater(page["failed"], 15)


if __name__ == "__main__":
    unittest.main()

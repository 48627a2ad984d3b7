"""Faults as a user meets them: written in a scenario, told on screen and in files, drawn, exported, expected of."""
import csv
import json
import pathlib
import shutil
import tempfile
import unittest

from kraftsim import kraftsim

SHOP = """schema: kraftsim/v1
name: shop
duration: 40s
warmup: 8s
cluster: {brokers: 3, controllers: 3}
topics: {orders: {partitions: 6, replication.factor: 3, config: {min.insync.replicas: 2}}}
clients:
  order-service: {produces: orders, arrivals: {poisson: 50/s}, config: {acks: all}}
  payment: {consumes: orders, members: 2, commit: after-batch}
"""
CRASH = """faults:
  - {name: crash, at: 15s, for: 15s, kill: {target: leader(orders-0)}}
expect:
  - {id: replaced, metric: time_to_new_leader, of: orders-0, fault: crash, max: "6s..11s"}
  - {id: fenced, metric: time_to_fence, fault: crash, max: "6s..11s"}
  - {id: gone, metric: unavailability, of: orders, max: "6s..11s"}
  - {id: durable, metric: lost_orders, equals: 0}
  - {id: quiet, metric: controller_elections, equals: 0}
  - {id: healed, recovery: crash, until: "under_replicated = 0", within: 10s}
"""


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kraftsim-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def play(self, text, *more, expect=0):
        file = self.folder / "shop.yaml"
        file.write_text(SHOP + text)
        run = self.folder / "run"
        done = kraftsim("run", file, "--out", run, "--force", *more)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return run, done.stdout

    def rows(self, run, name):
        with open(run / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_a_killed_leader_is_replaced_when_its_session_ends_and_every_file_says_so(self):
        run, said = self.play(CRASH, "--trace", "control")
        victim = self.rows(run, "faults.csv")[0]["touched"]
        self.assertRegex(victim, "^broker-[123]$")
        self.assertRegex(said, rf"faults   crash   15 s to 30 s   {victim} \(leader of orders-0\)   1 process killed")
        fault, = self.rows(run, "faults.csv")
        self.assertEqual([fault["kind"], fault["target"], fault["from_ns"], fault["to_ns"], fault["effects"]],
                         ["kill", "leader(orders-0)", "15000000000", "30000000000", "1"])
        summary = json.loads((run / "summary.json").read_text())
        self.assertEqual(summary["faults"][0]["strikes"][0]["touched"], [victim])
        changes = self.rows(run, "leadership.csv")
        events = [row["event"] for row in changes if (row["topic"], row["partition"]) == ("orders", "0")]
        self.assertIn("leader_stopped", events)
        self.assertEqual([row["replica"] for row in changes if row["event"] == "fenced"], [victim[-1]])
        self.assertEqual(sum(row["event"] == "controller" for row in changes), 1)
        shown = kraftsim("export", run, "--format", "mermaid", "--window", "20s..27s")
        self.assertIn(f"{victim} fenced", shown.stdout)

    def test_an_election_is_shown_and_its_time_bounded(self):
        text = ("faults:\n  - {name: brain, at: 15s, for: 10s, kill: {target: controller}}\n"
                "expect:\n  - {metric: time_to_new_controller, fault: brain, max: \"10ms..5s\"}\n"
                "  - {metric: leader_elections, of: orders, equals: 0}\n")
        run, _ = self.play(text, "--trace", "full")
        changes = [row for row in self.rows(run, "leadership.csv") if row["event"] == "controller"]
        self.assertEqual(len(changes), 2)
        shown = kraftsim("export", run, "--format", "mermaid", "--window", "15s..20s").stdout
        for words in ("fault brain", "VoteRequest", "vote in epoch", "BeginQuorumEpochRequest", "active controller in epoch"):
            self.assertIn(words, shown)
        self.assertNotIn("BrokerHeartbeat", shown)
        self.assertLess(len(shown.splitlines()), 200)

    def test_a_window_without_a_trace_says_what_to_do(self):
        run, _ = self.play("")
        done = kraftsim("export", run, "--format", "mermaid", "--window", "15s..20s")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--trace control", done.stderr)

    def test_a_fault_that_touches_nothing_leaves_the_run_inconclusive(self):
        text = "faults:\n  - {name: again, at: 20s, kill: {target: broker-2}}\n  - {name: late, at: 25s, pause: {target: broker-2}, for: 1s}\n"
        _, said = self.play(text, expect=3)
        self.assertTrue(said.startswith("INCONCLUSIVE"), said)
        self.assertRegex(said, r"late .* touched nothing")

    def test_the_same_bytes_again_and_the_resolved_scenario_is_the_same_run(self):
        run, _ = self.play(CRASH, "--quiet")
        done = kraftsim("replay", run)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Chaos, variations and faults that wait: what is drawn is written out, and what is written out runs by itself."""
import csv
import pathlib
import re
import tempfile
import unittest

from kraftsim import kraftsim, manifest

SHOP = """
schema: kraftsim/v1
name: shop
duration: 30s
warmup: 5s
cluster: {brokers: 3, controllers: 3}
topics: {orders: {partitions: 3, replication.factor: 3, config: {min.insync.replicas: 2}}}
clients:
  order-service: {produces: orders, arrivals: {poisson: 50/s}, start: 8s, config: {acks: all}}
  payment: {consumes: orders, members: 1, service: 2ms, commit: after-batch, config: {auto.offset.reset: earliest}}
"""


class Chaos(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_shop(self, more, *arguments, out="run"):
        (self.folder / "shop.yaml").write_text(SHOP + more)
        done = kraftsim("run", "shop.yaml", "--out", out, "--force", *arguments, cwd=self.folder)
        return done, self.folder / out

    def strikes(self, run):
        with open(run / "faults.csv", newline="") as file:
            return list(csv.DictReader(file))

    def test_what_was_drawn_runs_by_itself(self):
        for seed in (1, 2, 3):
            done, run = self.run_shop("chaos: {budget: 5, gap: 3s, for: 2s}\n", "--seed", seed)
            self.assertIn(done.returncode, (0, 1, 3), done.stderr)
            resolved = (run / "scenario.resolved.yaml").read_text()
            self.assertNotIn("\nchaos:", resolved)
            self.assertIn("chaos-1-", resolved)
            kraftsim("run", run / "scenario.resolved.yaml", "--out", "alone", "--force", cwd=self.folder)
            self.assertEqual(manifest(run)["fingerprint"], manifest(self.folder / "alone")["fingerprint"])

    def test_each_seed_draws_its_own(self):
        drawn = set()
        for seed in range(1, 6):
            resolved = kraftsim("check", "--resolve", "--set", f"seed={seed}", "@chaos").stdout
            drawn.add(tuple(line for line in resolved.splitlines() if "name: chaos-" in line))
        self.assertEqual(len(drawn), 5)

    def test_a_fault_waits_for_a_lag(self):
        slow = 'faults:\n  - {name: stall, at: 14s, for: 8s, pause: {target: "client(payment)"}}\n' \
               '  - {name: then, at: 12s, when: "lag(payment) > 3s", for: 1s, kill: {target: broker-1}}\n'
        _, run = self.run_shop(slow)
        seconds = next(int(row["from_ns"]) / 1e9 for row in self.strikes(run) if row["name"] == "then")
        self.assertGreater(seconds, 16.9)
        self.assertLess(seconds, 17.5)

    def test_a_fault_waits_for_a_moment(self):
        for moment in ("append(orders-0)", "append(orders)", "leader_change(orders-1)", "isr_change", "rebalance(payment)",
                       "controller_change"):
            with self.subTest(moment=moment):
                after = "at: 9s, " if moment.startswith("append") else ""
                _, run = self.run_shop(f'faults:\n  - {{name: kill, at: 15s, for: 12s, kill: {{target: "leader(orders-1)"}}}}\n'
                                       f'  - {{name: then, {after}when: "{moment}", for: 1s, pause: {{target: broker-1}}}}\n')
                self.assertTrue([row for row in self.strikes(run) if row["name"] == "then" and row["from_ns"]])

    def test_a_moment_that_never_comes_is_inconclusive_unless_it_may(self):
        never = 'faults:\n  - {name: then, at: 20s, when: "isr_change", kill: {target: broker-1}%s}\n'
        self.assertEqual(self.run_shop(never % "")[0].returncode, 3)
        self.assertEqual(self.run_shop(never % ", may.miss: true")[0].returncode, 0)

    def test_variations_are_drawn_and_written_out(self):
        vary = "vary: {clients.order-service.config.linger.ms: [0, 5, 20], cluster.network.rtt: {from: 200us, to: 2ms}}\n"
        seen = set()
        for seed in range(1, 9):
            (self.folder / "shop.yaml").write_text(SHOP + vary)
            resolved = kraftsim("check", "--resolve", "--set", f"seed={seed}", "shop.yaml", cwd=self.folder).stdout
            self.assertNotIn("vary", resolved)
            seen.add(re.findall(r"(?<![.\w])linger\.ms: (\d+)", resolved)[-1])
        self.assertGreater(len(seen), 1)
        given = kraftsim("check", "--resolve", "--set", "clients.order-service.config.linger.ms=77", "shop.yaml", cwd=self.folder)
        self.assertIn("linger.ms: 77", given.stdout)

    def test_bad_input_is_told_in_words(self):
        for more, word in [("chaos: {kinds: [kil]}\n", "did you mean kill"), ("chaos: {from: 50s, until: 10s}\n", "later than from"),
                           ("chaos: 3\n", "chaos"), ("vary: {seed: 5}\n", "list of values"),
                           ("vary: {seed: {from: 1s, to: 5}}\n", "in one unit"),
                           ('faults: [{when: "lagg(payment) > 5s", kill: {target: broker-1}}]\n', "is no condition"),
                           ('faults: [{when: "lag(payment) > 5", kill: {target: broker-1}}]\n', "limit"),
                           ('faults: [{when: "lag(paymnt) > 5s", kill: {target: broker-1}}]\n', "paymnt"),
                           ('faults: [{when: "append(order-0)", kill: {target: broker-1}}]\n', "order")]:
            with self.subTest(more=more):
                done, _ = self.run_shop(more)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(word, done.stderr)
                self.assertNotIn("bug", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Safety, then liveness: once the load is over every fault ends, and all must come right."""
import csv
import json
import pathlib
import tempfile
import unittest

from kraftsim import kraftsim

SHOP = """
schema: kraftsim/v1
name: shop
duration: 30s
drain: 90s
then: THEN
cluster: {brokers: 3, controllers: 3}
topics: {orders: {partitions: 3, replication.factor: 3, config: {min.insync.replicas: 2}}}
clients:
  order-service: {produces: orders, arrivals: {poisson: 30/s}, start: 8s, config: {acks: all}}
  payment: {consumes: orders, members: 2, service: 2ms, config: {auto.offset.reset: earliest}}
faults:
  - {name: dead, at: 12s, kill: {target: broker-2}}
  - {name: dark, at: 14s, powerloss: {target: controller-1}}
  - {name: cut, at: 20s, for: 200s, partition: {isolate: "client(payment[0])"}}
"""


class Converge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def play(self, then, *arguments):
        (self.folder / "shop.yaml").write_text(SHOP.replace("THEN", then))
        done = kraftsim("run", "shop.yaml", "--out", then, "--force", *arguments, cwd=self.folder)
        return done, json.loads((self.folder / then / "summary.json").read_text())

    def unfenced_after_the_load(self, run):
        with open(self.folder / run / "leadership.csv", newline="") as file:
            return [row["replica"] for row in csv.DictReader(file) if row["event"] == "unfenced" and int(row["t_ns"]) > 30e9]

    def test_what_had_no_end_is_taken_back_and_all_comes_right(self):
        done, summary = self.play("converge")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(summary["unconverged"], {"open_orders": 0, "partitions": [], "lags": [], "excused": []})
        self.assertGreater(summary["end_ns"], 30_000_000_000)
        self.assertLess(summary["end_ns"], 110_000_000_000)  # it did not wait for the end of the drain
        self.assertEqual(self.unfenced_after_the_load("converge"), ["2"])  # the dead broker is back
        self.assertEqual(kraftsim("replay", "converge", cwd=self.folder).returncode, 0)

    def test_without_it_the_dead_stay_dead(self):
        done, summary = self.play("settle")
        self.assertNotIn("unconverged", summary)
        self.assertNotIn("converges", done.stdout)
        self.assertEqual(self.unfenced_after_the_load("settle"), [])

    def test_what_does_not_come_right_in_time_fails_and_is_named(self):
        done, summary = self.play("converge", "--set", "drain=2s")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("unconverged", done.stdout)
        self.assertRegex(done.stdout, r"not yet  orders-\d: ISR 1,3 of 1,2,3|not yet  orders-\d: ISR 3,1 of")
        self.assertTrue(summary["unconverged"]["partitions"])

    def test_chaos_must_converge_unless_told_otherwise(self):
        for arguments, word in (((), "converge"), (("--set", "then=settle"), "settle")):
            resolved = kraftsim("check", "--resolve", *arguments, "@chaos").stdout
            self.assertIn(f"\nthen: {word}\n", resolved)


if __name__ == "__main__":
    unittest.main()

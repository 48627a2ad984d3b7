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

    def test_a_name_for_whoever_led_then_outlives_the_role_and_a_role_of_the_dead_is_missed(self):
        text = ("let: {b1: \"leader(orders-0) at 14s\"}\nfaults:\n"
                "  - {name: crash, at: 15s, until: 24s, kill: {target: b1}}\n"
                "  - {name: gone, at: 16s, for: 1s, pause: {target: leader(orders-0)}}\n"
                "  - {name: again, at: 35s, stop: {target: b1, down: 1s}}\n")
        run, said = self.play(text, expect=3)
        crash, gone, again = self.rows(run, "faults.csv")
        victim = crash["touched"]
        self.assertEqual(crash["to_ns"], "24000000000")
        self.assertEqual(again["touched"], victim)
        self.assertGreater(int(again["to_ns"]), 36_000_000_000)  # a second after it has exited
        self.assertEqual([gone["touched"], gone["missed"]], ["", f"leader(orders-0) was {victim}, which was down"])
        self.assertIn(f"touched nothing: leader(orders-0) was {victim}, which was down", said)

    def test_a_reply_that_is_held_makes_a_producer_without_idempotence_send_again(self):
        text = ("faults:\n  - {name: silence, at: 15s, until: 25s, hold: {target: leader(orders-0), to: "
                "client(order-service), request: Produce, replies: true, partition: orders-0, count: 1}}\n"
                "expect:\n  - {metric: duplicate_records, value: \"%s\"}\n")
        settings = "clients.order-service.config.request.timeout.ms=3000"
        self.play(text % "= 0", "--set", settings)
        self.play(text % "> 0", "--set", settings, "--set", "clients.order-service.config.enable.idempotence=false")

    def test_a_topic_that_an_operator_makes_is_used_from_then_on(self):
        text = ("faults:\n  - {name: make, at: 15s, admin: {create-topic: {topic: late, replicas: [[3, 1], [2, 3]], "
                "config: {min.insync.replicas: 1}}}}\n"
                "expect:\n  - {metric: fulfilled_orders, of: order-service, value: \"> 1000\"}\n")
        run, _ = self.play(text, "--set", "clients.order-service.produces=late", "--set", "clients.payment.consumes=late",
                           "--set", "cluster.config.auto.create.topics.enable=false",
                           "--set", "clients.payment.config.auto.offset.reset=earliest",
                           "--set", "clients.payment.config.metadata.max.age.ms=1000")
        made = [row for row in self.rows(run, "leadership.csv") if row["topic"] == "late" and row["event"] == "decided"]
        self.assertEqual([row["replicas"] for row in made], ["3;1", "2;3"])
        self.assertTrue(all(int(row["t_ns"]) >= 15_000_000_000 for row in made))

    def test_a_deployment_changes_what_clients_do_and_the_next_one_takes_it_back(self):
        text = ("faults:\n  - {name: slow, at: 15s, deploy: {target: client(payment), service: 100ms}}\n"
                "  - {name: back, at: 28s, deploy: {target: client(payment), config: {max.poll.records: 100}}}\n"
                "expect:\n  - {id: before, metric: lag, of: payment, window: 10s..15s, max: \"< 1s\"}\n"
                "  - {id: slow, metric: lag, of: payment, window: 22s..28s, max: \"> 4s\"}\n"
                "  - {id: after, recovery: back, until: \"lag(payment) < 1s\", within: 20s}\n")
        run, said = self.play(text)
        self.assertRegex(said, r"slow +15 s to .*payment\[0\], payment\[1\] +2 processes deployed")

    def test_replicas_lie_in_the_directories_they_are_given(self):
        text = ("faults:\n  - {name: dead, at: 15s, io-error: {target: broker-1, dir: 2}}\n"
                "expect:\n  - {metric: under_replicated, of: orders, equals: %d}\n")
        layout = ["--set", "cluster.config.log.dirs=/a,/b", "--set", "topics.orders.partitions=2",
                  "--set", "topics.orders.replicas=[[1, 2, 3], [2, 3, 1]]"]
        self.play(text % 1, *layout, "--set", "topics.orders.directories=[[2, 1, 1], [1, 1, 1]]")
        self.play(text % 2, *layout, "--set", "topics.orders.directories=[[2, 1, 1], [1, 1, 2]]")

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

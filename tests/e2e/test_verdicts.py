"""Verdicts: the words for what became of a run, in the summary and case by case in verdicts.csv; and invariants that a
scenario switches off."""
import csv
import json
import pathlib
import tempfile
import unittest

from kraftsim import SCENARIOS, kraftsim


def played(folder, scenario, *settings):
    run = pathlib.Path(folder) / "run"
    arguments = [word for setting in settings for word in ("--set", setting)]
    done = kraftsim("run", SCENARIOS / f"{scenario}.yaml", "--out", run, "--quiet", "--force", *arguments)
    return done.returncode, json.loads((run / "summary.json").read_text()), (run / "verdicts.csv").read_bytes()


class Verdicts(unittest.TestCase):
    def test_every_order_that_the_log_lost_is_listed_with_its_cause(self):
        with tempfile.TemporaryDirectory() as folder:
            _, summary, listed = played(folder, "unclean-leader-election-loss")
            lost = next(one for one in summary["verdicts"] if one["verdict"] == "LOST(acked)")
            rows = [row for row in csv.DictReader(listed.decode().splitlines()) if row["verdict"] == "LOST(acked)"]
            self.assertEqual(lost["count"], len(rows))
            self.assertEqual(lost["orders"], [row["order"] for row in rows[:10]])
            self.assertGreaterEqual(lost["count"], summary["orders"]["lost"])
            for row in rows:
                self.assertRegex(row["cause"], r"^broker-\d became leader of orders-\d in leader epoch \d+ by an unclean election, "
                                               r"its log ended at \d+$")
                end = int(row["cause"].rsplit(" ", 1)[1])
                self.assertGreaterEqual(int(row["offset"]), end)
            self.assertEqual("ok", summary["invariants"]["verdict"])
            _, _, again = played(folder, "unclean-leader-election-loss")
            self.assertEqual(listed, again)

    def test_an_order_that_failed_counts_at_its_age_and_never_as_a_quick_one(self):
        with tempfile.TemporaryDirectory() as folder:
            code, summary, _ = played(folder, "order-flow", "duration=20s", "clients.order-service.record.size=2MiB")
            self.assertEqual(1, code)
            self.assertEqual(summary["orders"]["placed"], summary["orders"]["failed"])
            tail = next(one for one in summary["expectations"] if one["metric"] == "e2e_latency")
            self.assertEqual("failed", tail["verdict"])
            self.assertGreater(tail["measured"], 4_000_000_000)  # orders count from 15 s on, and the run ends at 20 s

    def test_a_run_that_is_cut_does_not_fail_for_what_it_could_not_finish(self):
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            done = kraftsim("run", SCENARIOS / "broker-crash.yaml", "--until", "33s", "--out", run)
            self.assertEqual(3, done.returncode, done.stdout)
            self.assertIn("cut by --until", done.stdout)
            summary = json.loads((run / "summary.json").read_text())
            self.assertGreater(summary["orders"]["open"], 100)
            verdicts = {one["metric"]: one["verdict"] for one in summary["expectations"]}
            self.assertEqual("inconclusive", verdicts["unhandled_orders"])
            self.assertEqual("ok", verdicts["lost_orders"])

    def test_what_was_lost_without_an_expectation_is_no_plain_pass(self):
        with tempfile.TemporaryDirectory() as folder:
            text = (SCENARIOS / "unclean-leader-election-loss.yaml").read_text().split("\nexpect:")[0] + "\n"
            scenario = pathlib.Path(folder) / "silent.yaml"
            scenario.write_text(text)
            done = kraftsim("run", scenario, "--out", pathlib.Path(folder) / "run", "--quiet")
            self.assertEqual(3, done.returncode, done.stdout)
            self.assertIn("NO EXPECTATIONS", done.stdout)

    def play_text(self, folder, name, text, *arguments):
        scenario, run = pathlib.Path(folder) / f"{name}.yaml", pathlib.Path(folder) / "run"
        scenario.write_text(f"schema: kraftsim/v1\nname: {name}\nwarmup: 0s\n" + text)
        done = kraftsim("run", scenario, "--out", run, "--force", *arguments)
        return done, json.loads((run / "summary.json").read_text()), run

    def test_orders_that_wait_for_a_member_at_work_are_not_stuck(self):
        text = """duration: 60s
drain: 120s
cluster: {brokers: 3, controllers: 1}
topics: {jobs: {partitions: 2, replication.factor: 1}}
clients:
  producer: {produces: jobs, arrivals: {constant: 4/s}, key: {uniform: {n: 1000}}}
  worker: {consumes: jobs, start: 55s, members: 1, service: %s, commit: after-batch, config: {auto.offset.reset: earliest}}
"""
        with tempfile.TemporaryDirectory() as folder:
            done, summary, _ = self.play_text(folder, "at-work", text % "2s")
            self.assertGreater(summary["orders"]["open"], 100)  # one after the other, whole partitions first
            self.assertNotIn("STUCK", done.stdout)
            # A member that stands still for good is another matter.
            done, summary, _ = self.play_text(folder, "still", text % "1ms" + 'faults: [{name: still, at: 57s, pause: {target: "client(worker)"}}]\n')
            self.assertIn("STUCK worker", done.stdout)

    def test_rebalances_and_why_members_were_expelled_are_told_everywhere(self):
        text = """duration: 2min
cluster: {brokers: 3, controllers: 1, config: {default.replication.factor: 3}}
topics: {jobs: {partitions: 1}}
clients:
  p: {produces: jobs, arrivals: {constant: 0.1/s}}
  worker:
    consumes: jobs
    service: 7s
    commit: after-batch
    config: {max.poll.interval.ms: 6000, session.timeout.ms: 6000, max.poll.records: 1, auto.offset.reset: earliest}
expect:
  - {id: calm, metric: rebalances, of: worker, value: "<= 3"}
  - {id: kept, metric: expelled_members, of: worker, equals: 0}
  - {id: owned, metric: ownership_gap, of: worker, max: "< 1s"}
  - {id: commits, metric: metadata_commit_gap, max: "< 1s"}
  - {id: epochs, metric: quorum_epochs, equals: 0}
"""
        with tempfile.TemporaryDirectory() as folder:
            done, summary, run = self.play_text(folder, "expelled", text)
            verdicts = {one["id"]: one["verdict"] for one in summary["expectations"]}
            self.assertEqual({"calm": "failed", "kept": "failed", "owned": "failed", "commits": "ok", "epochs": "ok"}, verdicts, done.stdout)
            group = summary["groups"]["worker"]
            self.assertGreater(group["expelled"]["poll_timeout"], 5)
            rows = list(csv.DictReader((run / "groups.csv").read_text().splitlines()))
            expelled = [row for row in rows if row["event"] == "expelled"]
            self.assertEqual({"poll_timeout"}, {row["reason"] for row in expelled})
            self.assertEqual(group["expelled"]["poll_timeout"], len(expelled))
            self.assertEqual(group["rebalances"], sum(row["event"] == "rebalance" for row in rows))
            seconds = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))
            self.assertEqual(group["rebalances"], sum(int(row["group_rebalances[worker]"]) for row in seconds))
            self.assertEqual(len(expelled), sum(int(row["group_members_expelled[worker]"]) for row in seconds))
            self.assertIn(f"groups   worker: {group['rebalances']} rebalances", done.stdout)
            again = [row for row in csv.DictReader((run / "verdicts.csv").read_text().splitlines()) if row["verdict"] == "DUP(effect)"]
            self.assertIn("no poll() within max.poll.interval.ms", again[0]["cause"])

    def test_who_waits_for_a_leader_does_not_linger(self):
        text = """duration: 45s
cluster: {brokers: 3, controllers: 3, exit.time: 0ms, config: {default.replication.factor: 3}}
topics: {orders: {partitions: 1}}
clients:
  shop: {produces: orders, arrivals: {constant: 20/s}, config: {acks: 1, linger.ms: 5}}
  pay: {consumes: orders}
faults: [{name: crash, at: 20s, kill: {target: "leader(orders-0)"}}]
"""
        with tempfile.TemporaryDirectory() as folder:
            done, summary, _ = self.play_text(folder, "leaderless", text)
            self.assertEqual(("linger", "leader"), (summary["slowest"]["stage"], summary["slowest"]["waiting_for"]))
            self.assertIn("waiting for a leader of its partition", done.stdout)
            _, summary, _ = self.play_text(folder, "lingering", text.split("faults")[0].replace("linger.ms: 5", "linger.ms: 3000"))
            self.assertEqual(("linger", "linger"), (summary["slowest"]["stage"], summary["slowest"]["waiting_for"]))

    def test_topics_are_called_by_their_names_from_the_first_line_on(self):
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            kraftsim("run", SCENARIOS / "auto-created-topic.yaml", "--out", run, "--quiet", "--trace", "full", "--until", "12s")
            self.assertNotIn('"topic-', (run / "events.jsonl").read_text())

    def test_the_peak_at_the_end_of_a_fault_is_the_faults(self):
        text = """duration: 60s
cluster: {brokers: 3, controllers: 1}
topics: {orders: {partitions: 3}}
clients:
  shop: {produces: orders, arrivals: {constant: 20/s}}
  pay: {consumes: orders, commit: after-batch}
faults: [{name: still, at: 20s, for: 10s, pause: {target: "client(pay)"}}]
expect:
  - {id: during, metric: lag, of: pay, window: faults, max: "> 9s"}
  - {id: otherwise, metric: lag, of: pay, window: steady, max: "< 1s"}
  - {id: late, metric: e2e_latency, window: steady, max: "< 1s"}
"""
        with tempfile.TemporaryDirectory() as folder:
            done, summary, run = self.play_text(folder, "peak", text)
            verdicts = {one["id"]: (one["verdict"], one["measured"]) for one in summary["expectations"]}
            self.assertEqual("ok", verdicts["during"][0], done.stdout)
            self.assertEqual("ok", verdicts["otherwise"][0], done.stdout)
            strike = summary["faults"][0]["strikes"][0]
            self.assertGreater(strike["effect_to_ns"], strike["to_ns"])
            self.assertEqual("recovered", strike["effect_ended_by"])
            row = next(csv.DictReader((run / "faults.csv").read_text().splitlines()))
            self.assertEqual(str(strike["effect_to_ns"]), row["effect_to_ns"])
            self.assertIn("felt until", done.stdout)

    def test_a_run_without_trouble_lists_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            _, summary, listed = played(folder, "auto-created-topic")
            self.assertEqual([], summary["verdicts"])
            self.assertEqual(1, len(listed.decode().splitlines()))

    def test_an_invariant_that_is_switched_off_is_named_with_its_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            _, summary, _ = played(folder, "auto-created-topic", "invariants.acked-never-lost.because=it is about losing")
            self.assertEqual(["acked-never-lost: it is about losing"], summary["invariants"]["off"])


if __name__ == "__main__":
    unittest.main()

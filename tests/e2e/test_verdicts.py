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

"""Transactions as a real Kafka 4.1.2 does them: epochs, offsets of data and markers, who is fenced, and how long it takes.

KRAFTSIM_SWEEP=20 plays that many seeds of each script; without it six.
"""
import concurrent.futures
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent / "transactions"
PROGRAM = os.environ.get("KRAFTSIM", str(HERE.parent.parent.parent / "build" / "release" / "kraftsim"))
SEEDS = range(1, 1 + int(os.environ.get("KRAFTSIM_SWEEP", "6")))
RECORDED = json.loads((HERE / "recordings.json").read_text())


class Play:
    """One run: what leaders appended, what clients were told, in order. Times are ms."""

    def __init__(self, script, seed, *settings):
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            arguments = [word for setting in settings for word in ("--set", setting)]
            done = subprocess.run([PROGRAM, "run", str(HERE / f"{script}.yaml"), "--seed", str(seed), "--out", str(run), "--quiet",
                                   "--trace", "full", *arguments], capture_output=True, text=True)
            assert done.returncode in (0, 1, 3), done.stdout + done.stderr
            self.summary = json.loads((run / "summary.json").read_text())
            with open(run / "events.jsonl") as file:
                wanted = ("BatchAppended", "ProducerTransactionChanged", "FaultStruck", "TransactionStateChanged")
                self.events = [json.loads(line) for line in file if any(f'"ev":"{name}"' in line for name in wanted)]
        for event in self.events:
            event["ms"] = event["t"] / 1e6

    def all(self, name, **fields):
        return [e for e in self.events if e["ev"] == name and all(e.get(key) == value for key, value in fields.items())]

    def log(self, partition):
        """[first offset, last offset, epoch, data|COMMIT|ABORT] of what transactional producers wrote."""
        return [[e["offset"], e["offset"] + e["records"] - 1, e["producer_epoch"], e.get("marker", "data")]
                for e in self.all("BatchAppended", tp=partition) if e.get("transactional")]


@functools.cache
def play(script, seed, *settings):
    return Play(script, seed, *settings)


def plays(script, *settings):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda seed: play(script, seed, *settings), SEEDS))


def merged(log):
    """Batches of one transaction, one behind the other, as one: how many they are is a matter of linger."""
    whole = []
    for first, last, epoch, kind in log:
        if whole and kind == "data" and whole[-1][3] == "data" and whole[-1][2] == epoch and whole[-1][1] + 1 == first:
            whole[-1] = [whole[-1][0], last, epoch, kind]
        else:
            whole.append([first, last, epoch, kind])
    return whole


def shape(log):
    """What must be the same of every log: a transaction's data at epoch n, its marker at n + 1 and of one offset."""
    problems = []
    data_epoch = None
    for first, last, epoch, kind in merged(log):
        if kind == "data":
            if data_epoch is not None:
                problems.append(f"data at {first} follows data without a marker")
            data_epoch = epoch
        else:
            if last != first:
                problems.append(f"a marker of {last - first + 1} offsets at {first}")
            if data_epoch is None or epoch != data_epoch + 1:
                problems.append(f"a marker of epoch {epoch} at {first} after data of epoch {data_epoch}")
            data_epoch = None
    return problems


class AsRealKafkaDoesIt(unittest.TestCase):
    def test_t1_epochs_and_offsets(self):
        for run in RECORDED["T1"]:
            self.assertEqual([], shape(run["log_of_partition_0"]))
        for run in plays("T1"):
            ended = run.all("ProducerTransactionChanged", state="ready")
            self.assertGreater(len(ended), 20)
            epochs = [e["producer_epoch"] for e in ended]
            self.assertEqual(list(range(len(epochs))), epochs)  # 0, and one more with each transaction, committed or aborted
            aborted = 0
            for partition in range(3):
                log = run.log(f"out-{partition}")
                self.assertEqual([], shape(log))
                aborted += sum(kind == "ABORT" for *_, kind in log)
            self.assertGreater(aborted, 0)
            self.assertEqual("ok", run.summary["invariants"]["verdict"])

    def test_t1_commit_returns_before_its_transaction_is_complete(self):
        """Real: describeTransactions right after the call said PrepareCommit or PrepareAbort in 58 of 60."""
        for run in plays("T1"):
            told = {e["producer_epoch"]: e["ms"] for e in run.all("ProducerTransactionChanged", state="ready")}
            complete = [e for e in run.all("TransactionStateChanged", transactional_id="t1")
                        if e["state"] in ("CompleteCommit", "CompleteAbort") and e["producer_epoch"] in told]
            self.assertGreater(len(complete), 20)
            earlier = sum(told[e["producer_epoch"]] <= e["ms"] for e in complete)
            self.assertGreater(earlier, 0.8 * len(complete))

    def test_t3_the_last_stable_offset_of_a_dead_producer(self):
        waits = []
        for run in plays("T3"):
            struck = run.all("FaultStruck")[0]["ms"]
            marker = [e for e in run.all("BatchAppended", tp="out-0") if e.get("marker")]
            self.assertEqual(["ABORT"], [e["marker"] for e in marker])
            self.assertEqual(1, marker[0]["producer_epoch"])
            waits.append(marker[0]["ms"] - struck)
        for run in RECORDED["T3"]:
            self.assertEqual([[0, 9, 0, "data"], [10, 10, 1, "ABORT"]], run["log"])
            self.assertTrue(9000 <= run["kill_to_lso_ms"] <= 21000)
        self.assertTrue(all(9000 <= wait <= 21000 for wait in waits), waits)

    def test_t4_the_next_member_begins_behind_what_was_committed(self):
        self.assertEqual([10, 10, 10], [run["m2_first_offset"] for run in RECORDED["T4-committed-classic"]])
        for run in plays("T4-committed"):
            self.assertEqual(0, run.summary["orders"]["lost"])
            self.assertNotIn("DUP(effect)", {v["verdict"] for v in run.summary["verdicts"]})
            self.assertNotIn("DUP(log)", {v["verdict"] for v in run.summary["verdicts"]})


if __name__ == "__main__":
    unittest.main()

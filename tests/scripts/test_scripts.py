"""Interaction scripts: commands to a cluster, and below `----` what it said.

A script (*.txt) is about one rule of Kafka, which its first lines name. Then come the parts of a scenario that it needs (YAML, as
under scenarios/, without name and duration) with a line `watch:` that lists the facts to print, by their names in events.jsonl,
each perhaps with a condition: `PartitionChanged(leader=1)`. A line `====` ends that; then blocks of commands follow:

    run 3s                       time passes, and what happens is printed
    wait 5s                      time passes
    kill leader(orders-0)        a fault of the scenario's language; what it needs is its target
    kill broker-2 for 5s         it ends after so long
    cut broker-1                 partition {isolate: ...}
    partition {isolate: broker-1, from: controllers} for 5s
    show orders-0                each replica of a partition, and the controller's record of it
    show quorum                  each controller
    show orders                  how many were placed, acknowledged, failed, handled

What happened is printed with its virtual time to a tenth of a second. Facts about Kafka's own topics are left out unless a
condition asks for them.

After a change that is meant to change what a cluster does:  KRAFTSIM_REWRITE=1 python3 tests/scripts/test_scripts.py
writes what it says now below each `----`; read the difference before you keep it, and say in the commit which rule changed it.
"""
import collections
import itertools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.environ.get("KRAFTSIM", str(HERE.parent.parent / "build" / "release" / "kraftsim"))
SCRIPTS = sorted(HERE.glob("*.txt"))
# What is printed of a fact, so that a script stays as it is when facts learn to tell more; of others, all.
FIELDS = {
    "BatchAcknowledged": ("error", "offset", "orders"),
    "BatchAppended": ("offset", "leader_epoch", "orders"),
    "BecameFollower": ("leader_epoch", "leader"),
    "BecameLeader": ("leader_epoch", "epoch_start"),
    "BrokerStateChanged": ("broker", "broker_epoch", "fenced", "in_controlled_shutdown"),
    "FollowerHighWatermarkAdvanced": ("to",),
    "HighWatermarkAdvanced": ("from", "to"),
    "IsrChanged": ("isr", "partition_epoch"),
    "IsrProposed": ("isr", "partition_epoch"),
    "LogTruncated": ("from", "to"),
    "PartitionChanged": ("leader", "leader_epoch", "partition_epoch", "isr", "elr"),
    "RecordsPolled": ("from", "to"),
    "ReplicaAppended": ("log_end_offset",),
    "AssignmentReceived": ("generation", "partitions"),
    "CommitAcknowledged": ("offset", "error"),
    "PositionReset": ("to",),
    "GroupStateChanged": ("group", "state", "generation", "members"),
    "QuorumRoleChanged": ("role", "epoch", "leader"),
    "QuorumVoteAnswered": ("candidate", "epoch", "pre_vote", "granted"),
    "ControllerChanged": ("epoch", "active"),
}
HIDDEN_FIELDS = {"t", "seq", "node", "ev", "cause", "tp"}


class Wrong(Exception):
    """A script that cannot be read, or a scenario that cannot be played."""


def seconds(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|min)", text)
    if not match:
        raise Wrong(f"{text!r} is no duration")
    return float(match.group(1)) * {"ms": 0.001, "s": 1, "min": 60}[match.group(2)]


class Script:
    """One file: .about (its comment), .setup (YAML), .watch ([(fact, {field: value})]), .blocks ([[command, ...]])."""

    def __init__(self, text):
        head, rule, body = text.partition("\n====\n")
        if not rule:
            raise Wrong("no line ====")
        self.head = head
        lines = head.splitlines()
        self.about = [line for line in lines if line.startswith("#")]
        self.watch = [fact for line in lines if line.startswith("watch:") for fact in self.facts(line[len("watch:"):])]
        self.setup = "\n".join(line for line in lines if not line.startswith(("#", "watch:")))
        self.blocks, self.said = [], []
        for block in re.split(r"\n\s*\n", body.strip("\n")):
            commands, rule, said = block.partition("\n----")
            if not rule:
                raise Wrong(f"no line ---- below {block.splitlines()[0]!r}")
            self.blocks.append(commands.splitlines())
            self.said.append(said.strip("\n").splitlines())

    @staticmethod
    def facts(text):
        for name, condition in re.findall(r"(\w+)(?:\(([^)]*)\))?", text):
            yield name, dict(part.strip().split("=", 1) for part in condition.split(",")) if condition else {}

    def with_said(self, said):
        """The file's text with this below each `----`."""
        blocks = ["\n".join([*commands, "----", *lines]) for commands, lines in zip(self.blocks, said)]
        return self.head + "\n====\n" + "\n\n".join(blocks) + "\n"


def fault_of(command, at, name):
    """A line of a scenario's `faults` for a command such as `kill broker-1 for 5s`."""
    match = re.fullmatch(r"([\w-]+) (.+?)(?: for (\w+))?", command)
    if not match:
        raise Wrong(f"{command!r} is no command")
    kind, what, lasts = match.groups()
    if not what.startswith("{"):
        what = f"{{isolate: {json.dumps(what)}}}" if kind == "cut" else f"{{target: {json.dumps(what)}}}"
    kind = "partition" if kind == "cut" else kind
    return f"  - {{name: {name}, at: {round(at * 1000)}ms, {f'for: {lasts}, ' if lasts else ''}{kind}: {what}}}"


def scenario_of(script):
    """The scenario's YAML: its faults are the commands of the script, at their times."""
    now, faults = 0.0, []
    for command in itertools.chain(*script.blocks):
        verb, _, what = command.partition(" ")
        if verb in ("run", "wait"):
            now += seconds(what)
        elif verb != "show":
            faults.append(fault_of(command, now, f"command-{len(faults) + 1}"))
    head = f"schema: kraftsim/v1\nname: script\nabout: An interaction script.\nduration: {round(now * 1000)}ms\ndrain: 1ms\n"
    return head + script.setup + ("\nfaults:\n" + "\n".join(faults) if faults else "") + "\n"


def played(scenario):
    """Every event of a run of it."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "script.yaml"
        file.write_text(scenario)
        done = subprocess.run([PROGRAM, "run", file, "--trace", "full", "--quiet", "--out", f"{folder}/run"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        events = pathlib.Path(folder) / "run" / "events.jsonl"
        if not events.exists():
            raise Wrong(f"exit {done.returncode}:\n{done.stdout}{done.stderr}\n{scenario}")
        return [json.loads(line) for line in events.read_text().splitlines()
                if '"ev":"Message' not in line and '"ev":"RequestProgress' not in line]


def text_of(value):
    if isinstance(value, list):
        return ",".join(text_of(one) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Replica:
    role, epoch, log_end_offset, high_watermark = "no replica", None, 0, 0


class Cluster:
    """What is known of a cluster from the facts so far."""

    def __init__(self, events):
        # A topic's name, by how an event calls it that knows its id only.
        self.topics = {f"topic-{one['id']}": one["topic"] for one in events if one["ev"] == "TopicCreated"}
        self.replicas = {}    # by partition, then by broker
        self.partitions = {}  # the controller's record of each
        self.roles = {}       # of controllers
        self.down = set()
        self.orders = {"placed": set(), "acknowledged": set(), "failed": set(), "handled": set()}

    def partition(self, tp):
        topic, _, index = tp.rpartition("-")
        return f"{self.topics.get(topic, topic)}-{index}"

    def replica(self, event):
        broker = event.get("broker", event["node"])
        broker = f"broker-{broker}" if isinstance(broker, int) else broker
        return self.replicas.setdefault(self.partition(event["tp"]), {}).setdefault(broker, Replica())

    def see(self, event):
        kind = event["ev"]
        if kind in ("BecameLeader", "BecameFollower"):
            self.replica(event).role, self.replica(event).epoch = kind[len("Became"):].lower(), event["leader_epoch"]
        elif kind == "ReplicaOpened":
            self.replica(event).log_end_offset = event["log_end_offset"]
            self.replica(event).high_watermark = event["high_watermark"]
        elif kind == "BatchAppended":
            self.replica(event).log_end_offset = event["offset"] + event["records"]
        elif kind == "ReplicaAppended":
            self.replica(event).log_end_offset = event["log_end_offset"]
        elif kind in ("LogTruncated", "LogLost"):
            self.replica(event).log_end_offset = event["to"]
        elif kind in ("HighWatermarkAdvanced", "FollowerHighWatermarkAdvanced"):
            self.replica(event).high_watermark = event["to"]
        elif kind == "PartitionChanged":
            self.partitions[self.partition(event["tp"])] = event
        elif kind == "QuorumRoleChanged":
            self.roles[event["node"]] = event
        elif kind == "ProcessStopped":
            self.down.add(event["node"])
        elif kind == "ProcessStarted":
            self.down.discard(event["node"])
        elif kind == "OrderPlaced":
            self.orders["placed"].add(event["order"])
        elif kind == "BatchAcknowledged" and event["error"] == "NONE":
            self.orders["acknowledged"].update(event["orders"])
        elif kind == "RecordFailed":
            self.orders["failed"].add(event["order"])
        elif kind == "ProcessingDone":
            self.orders["handled"].add(event["order"])

    def line(self, event):
        fields = [text_of(self.partition(event["tp"]))] if "tp" in event else []
        for name in FIELDS.get(event["ev"], [name for name in event if name not in HIDDEN_FIELDS]):
            if name not in event:
                continue
            value = event[name]
            if name == "partitions" and isinstance(value, list):
                value = [self.partition(tp) for tp in value]
            fields.append(f"{name}={text_of(value)}")
        return " ".join([f"{event['t'] / 1e9:.1f}s", event["node"] or "-", event["ev"], *fields])

    def wants(self, event, watch):
        for name, condition in watch:
            if name != event["ev"]:
                continue
            told = {**event, **({"tp": self.partition(event["tp"])} if "tp" in event else {})}
            if "tp" in event and told["tp"].startswith("__") and "tp" not in condition:
                continue
            if all(text_of(told.get(field)) == value for field, value in condition.items()):
                return True
        return False

    def show(self, what):
        if what == "orders":
            return [" ".join(["orders", *(f"{name}={len(orders)}" for name, orders in self.orders.items())])]
        if what == "quorum":
            return [f"{node} " + ("down" if node in self.down else f"{one['role']} epoch={one['epoch']} leader={one['leader']}")
                    for node, one in sorted(self.roles.items()) if node.startswith("controller")]
        if what not in self.partitions:
            raise Wrong(f"nobody has told of {what}")
        record = self.partitions[what]
        told = ("leader", "leader_epoch", "partition_epoch", "isr", "elr")
        lines = [f"controller {what} " + " ".join(f"{name}={text_of(record[name])}" for name in told if name in record)]
        for broker, one in sorted(self.replicas.get(what, {}).items()):
            role = "down" if broker in self.down else f"{one.role} epoch={one.epoch}"
            lines.append(f"{broker} {what} {role} leo={one.log_end_offset} hw={one.high_watermark}")
        return lines


def answers(script):
    """What the cluster says to each block, a list of lines each."""
    events = collections.deque(played(scenario_of(script)))
    cluster, said, now = Cluster(events), [], 0.0
    for commands in script.blocks:
        lines = []
        for command in commands:
            verb, _, what = command.partition(" ")
            if verb == "show":
                lines += cluster.show(what)
            elif verb in ("run", "wait"):
                now += seconds(what)
                while events and events[0]["t"] < now * 1e9:
                    event = events.popleft()
                    cluster.see(event)
                    if verb == "run" and cluster.wants(event, script.watch):
                        lines.append(cluster.line(event))
        said.append(lines)
    return said


class Scripts(unittest.TestCase):
    maxDiff = None


def case_of(path):
    def test(self):
        script = Script(path.read_text())
        self.assertTrue(any(re.search(r"KIP-\d+|KAFKA-\d+|[A-Z]\w+[a-z]\w*[A-Z]\w+|Raft", line) for line in script.about),
                        "the comment names the rule's source: a KIP, a ticket, a class of Kafka")
        said = answers(script)
        if os.environ.get("KRAFTSIM_REWRITE") == "1":
            path.write_text(script.with_said(said))
            return
        self.assertEqual(script.said, said)
    return test


for script_path in SCRIPTS:
    setattr(Scripts, "test_" + script_path.stem.replace("-", "_"), case_of(script_path))


class TheRunner(unittest.TestCase):
    TEXT = textwrap.dedent("""\
        # About.
        cluster: {brokers: 1}
        watch: BecameLeader, PartitionChanged(tp=orders-0, leader=1)
        ====
        run 2s
        cut broker-1 for 500ms
        run 1500ms
        show orders-0
        ----
        said

        stop client(payment[0])
        run 1s
        ----
        """)

    def test_a_script_is_read(self):
        script = Script(self.TEXT)
        self.assertEqual(["# About."], script.about)
        self.assertEqual([("BecameLeader", {}), ("PartitionChanged", {"tp": "orders-0", "leader": "1"})], script.watch)
        scenario = scenario_of(script)
        self.assertIn("duration: 4500ms\n", scenario)
        self.assertIn('  - {name: command-1, at: 2000ms, for: 500ms, partition: {isolate: "broker-1"}}\n', scenario)
        self.assertIn('  - {name: command-2, at: 3500ms, stop: {target: "client(payment[0])"}}\n', scenario)
        self.assertEqual([["said"], []], script.said)

    def test_rewriting_changes_only_what_was_said(self):
        script = Script(self.TEXT)
        self.assertEqual(self.TEXT, script.with_said(script.said))
        self.assertEqual(self.TEXT.replace("said", "other"), script.with_said([["other"], []]))

    def test_mistakes_are_told(self):
        for text in ("# no rule\nrun 1s\n", "\n====\nrun 1s\n", "\n====\nrun soon\n----\n", "\n====\nkill\n----\n"):
            with self.subTest(text), self.assertRaises(Wrong):
                scenario_of(Script(text))

    def test_there_are_scripts(self):
        self.assertGreaterEqual(len(SCRIPTS), 15)


if __name__ == "__main__":
    unittest.main()

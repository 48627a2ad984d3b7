"""Worlds nobody has thought of: a generator of valid scenarios, and a mutator of the scenario files there are. Whatever it
is, kraftsim says what is wrong with it, with file, line and column, or plays it to its end: no signal, no bug of its own,
nothing that never ends, and no invariant of the simulated cluster broken.

    KRAFTSIM_FUZZ=2000 python3 tests/e2e/test_fuzz.py              so many cases instead of a minute's worth
    KRAFTSIM_FUZZ_FROM=500 KRAFTSIM_FUZZ=1 python3 tests/e2e/...   one of them again

A case that fails is printed with its number and text. Cut down to what shows it, it goes to tests/e2e/found.
"""
import json
import os
import pathlib
import random
import re
import resource
import subprocess
import tempfile
import unittest

from kraftsim import SCENARIOS, kraftsim

CASES = int(os.environ.get("KRAFTSIM_FUZZ", "0"))
FIRST = int(os.environ.get("KRAFTSIM_FUZZ_FROM", "0"))
CPU_SECONDS = 35  # of each of the two tests, unless a number of cases is asked for
TIMEOUT = 240
EXTREMES = ["0", "1", "-1", "2", "7", "1000", "65536", "2147483647", "2147483648", "4611686018427387904", "9223372036854775807",
            "99999999999999999999", "0s", "1ns", "1us", "1ms", "1s", "366d", "1B", "1KiB", "1GiB", "1/s", "0.001/s", "10000000/s",
            "0%", "99%", "100%", "true", "false", "null", "none", "all", "[]", "{}", "\"\"", "x", "bell\\a", "1e9", "0x10", "010"]


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cases():
    if CASES:
        return range(FIRST, FIRST + CASES)
    return range(FIRST, FIRST + 1_000_000)


class World:
    """A valid scenario, drawn."""

    def __init__(self, number):
        self.draw = random.Random(f"world {number}")
        self.brokers = self.draw.choice([1, 1, 2, 3, 3, 4, 5])
        self.combined = self.draw.random() < 0.2
        self.controllers = self.draw.choice([1, 3]) if not self.combined else min(self.brokers, self.draw.choice([1, 3]))
        self.topics = [f"t{i}" for i in range(self.draw.randint(1, 3))]
        self.groups = []
        self.producers = []

    def maybe(self, chance, text):
        return text if self.draw.random() < chance else ""

    def pick(self, *values):
        return self.draw.choice(values)

    def duration(self):
        return self.pick("1ms", "20ms", "300ms", "2s", "7s", "1ns", "12345us")

    def distribution(self, low="1us", high="30ms"):
        return self.pick(low, high, f"{{p50: {low}, p99: {high}}}", f"{{uniform: {{min: {low}, max: {high}}}}}", f"{{exponential: {low}}}")

    def number(self):
        return self.pick(0, 1, 2, 5, 100, 1000, 30000, 10**6, 2**31 - 1, 2**62, 2**63 - 1, -1)

    def properties(self, names, chance):
        chosen = {}
        for name, values in names.items():
            if self.draw.random() < chance:
                chosen[name] = self.draw.choice(values) if values else self.number()
        return "{" + ", ".join(f"{name}: {value}" for name, value in chosen.items()) + "}"

    def text(self):
        out = [f"schema: kraftsim/v1\nduration: {self.pick(5, 12, 25, 40)}s\nwarmup: 0s\ndrain: {self.pick(0, 5, 20)}s\nseed: {self.draw.randrange(10**6)}\n"]
        server = {"default.replication.factor": [min(3, self.brokers)], "num.network.threads": [1, 3], "num.io.threads": [1, 2, 8],
                  "queued.max.requests": [1, 500], "replica.lag.time.max.ms": [500, 3000, 30000, 2**63 - 1],
                  "broker.session.timeout.ms": [1000, 3000, 9000], "group.initial.rebalance.delay.ms": [0, 1, 3000],
                  "offsets.topic.num.partitions": [1, 5, 50], "log.retention.check.interval.ms": [1, 5000, 2**63 - 1],
                  "log.flush.interval.messages": [1, 100], "min.insync.replicas": [1, 2], "unclean.leader.election.enable": ["true", "false"],
                  "replica.high.watermark.checkpoint.interval.ms": [1, 5000], "metadata.max.idle.interval.ms": [0, 1, 500],
                  "controller.quorum.append.linger.ms": [0, 25], "log.initial.task.delay.ms": [0, 30000],
                  "unclean.leader.election.interval.ms": [1, 300000], "leader.imbalance.check.interval.seconds": [1, 300]}
        config = self.properties(server, 0.2)[1:-1]
        config += (", " if config else "") + f"offsets.topic.replication.factor: {min(3, self.brokers)}"
        racks = self.maybe(0.3, "  racks: [a, b, c]\n")
        out.append(f"cluster:\n  brokers: {self.brokers}\n  controllers: {self.controllers}\n  combined: {str(self.combined).lower()}\n{racks}"
                   f"  config: {{{config}}}\n"
                   + self.maybe(0.3, f"  network: {{rtt: {self.distribution()}, bandwidth: {self.pick('unlimited', '1Gbit', '10Mbit', '64kbit')}}}\n")
                   + self.maybe(0.3, f"  disk: {{append: {self.distribution()}, flush: {self.distribution('100us', '200ms')}, bandwidth: {self.pick('unlimited', '5MB/s', '500MB/s')}}}\n"))
        topic = {"min.insync.replicas": [1, 2], "retention.ms": [-1, 1, 1000], "segment.ms": [1, 500], "segment.bytes": [1048576],
                 "retention.bytes": [0, 10000], "cleanup.policy": ["delete", "compact"], "flush.messages": [1], "max.compaction.lag.ms": [1, 100],
                 "max.message.bytes": [0, 1000, 2**31 - 1], "message.timestamp.type": ["LogAppendTime"], "min.cleanable.dirty.ratio": [0, 0.5, 1]}
        out.append("topics:\n")
        for name in self.topics:
            out.append(f"  {name}: {{partitions: {self.pick(1, 2, 6, 12)}, replication.factor: {self.draw.randint(1, min(3, self.brokers))}, "
                       f"config: {self.properties(topic, 0.15)}}}\n")
        out.append("clients:\n")
        for i in range(self.draw.randint(1, 2)):
            out.append(self.producer(i))
        for i in range(self.draw.randint(0, 3)):
            out.append(self.consumer(i))
        faults = [self.fault(i) for i in range(self.draw.randint(0, 4))]
        if faults:
            out.append("faults:\n" + "".join(faults))
        out.append(self.maybe(0.6, "expect:\n  - {metric: lost_orders, equals: 0}\n  - {metric: open_orders, value: \">= 0\"}\n"))
        return "".join(out)

    def producer(self, i):
        self.producers.append(f"p{i}")
        arrivals = self.pick("{constant: 20/s}", "{poisson: 60/s}", "{poisson: 100/min}", "{ramp: {from: 1/s, to: 200/s, over: 10s}}",
                             "{burst: {base: 1/s, peak: 300/s, every: 3s, length: 1s}}", "{daily: {low: 1/s, high: 100/s, day: 10s}}")
        config = {"acks": ["all", 1, 0], "linger.ms": [0, 5, 1000], "batch.size": [0, 16384], "retries": [0, 3], "max.block.ms": [0, 60000, 2**63 - 1],
                  "enable.idempotence": ["false"], "delivery.timeout.ms": [120000, 2**31 - 1], "retry.backoff.ms": [0, 1, 100, 2**62],
                  "max.in.flight.requests.per.connection": [1, 5], "metadata.max.age.ms": [0, 1000, 2**63 - 1], "reconnect.backoff.ms": [0, 50],
                  "buffer.memory": [0, 20000, 2**63 - 1], "max.request.size": [0, 1048576], "request.timeout.ms": [30000, 2**31 - 1]}
        return (f"  p{i}: {{produces: {self.pick(*self.topics)}, start: {self.pick('0s', '1s', '2s')}, arrivals: {arrivals}, "
                f"key: {self.pick('none', '{zipf: {n: 100, s: 1.1}}', '{uniform: {n: 5}}')}, "
                f"record.size: {self.pick('1B', '200B', '1KiB', '100KiB', '{p50: 1KiB, p99: 10MiB}')}, config: {self.properties(config, 0.2)}}}\n")

    def consumer(self, i):
        self.groups.append(f"s{i}")
        config = {"session.timeout.ms": [6000, 45000], "heartbeat.interval.ms": [1, 500, 3000], "max.poll.records": [1, 500],
                  "max.poll.interval.ms": [1, 1000, 300000], "auto.offset.reset": ["earliest", "latest", "none"], "fetch.max.wait.ms": [0, 1, 500],
                  "fetch.min.bytes": [0, 1, 100000], "fetch.max.bytes": [0, 1, 52428800], "max.partition.fetch.bytes": [0, 1, 1048576],
                  "partition.assignment.strategy": ["range", "sticky", "cooperative-sticky", "roundrobin"],
                  "auto.commit.interval.ms": [0, 100, 5000], "retry.backoff.ms": [0, 100, 2**62], "isolation.level": ["read_committed"],
                  "default.api.timeout.ms": [0, 60000]}
        return (f"  s{i}: {{consumes: {self.pick(*self.topics)}, members: {self.pick(1, 2, 5)}, start: {self.pick('0s', '1s', '3s')}, "
                f"group.id: {self.pick(f's{i}', f'team {i}/eu', f'g#{i}')}, service: {self.distribution('1us', '50ms')}, "
                f"commit: {self.pick('auto', 'after-batch', 'after-each', 'before')}, config: {self.properties(config, 0.15)}}}\n")

    def target(self):
        return self.pick(f"broker-{self.draw.randint(1, self.brokers)}", "controller", f'"leader({self.pick(*self.topics)}-0)"', "brokers",
                         "controllers", '"random(brokers, 1)"', f"controller-{self.draw.randint(1, self.controllers)}")

    def fault(self, i):
        anyone = self.pick(self.target(), f'"client({self.pick(*self.producers)})"', *([f'"client({self.pick(*self.groups)})"'] if self.groups else []))
        kind = self.pick(f"kill: {{target: {anyone}}}", f"powerloss: {{target: {anyone}}}", f"stop: {{target: {anyone}}}", f"pause: {{target: {anyone}}}",
                         f"restart: {{target: {anyone}}}", f"partition: {{isolate: {anyone}}}", "partition: halves",
                         f"io-delay: {{target: {self.target()}, factor: {self.pick(2, 1000, 1000000)}}}", f"io-error: {{target: {self.target()}}}",
                         f"disk-full: {{target: {self.target()}}}", f"slow-cpu: {{target: {anyone}, factor: {self.pick(2, 100, 1000000)}}}",
                         f"delay: {{target: {anyone}, by: {self.distribution('1ms', '500ms')}}}", f"loss: {{target: {anyone}, rate: {self.pick('1%', '40%', '99%')}}}",
                         f"bandwidth: {{target: {anyone}, limit: {self.pick('1bit', '10kbit', '1Mbit')}}}", f"reset: {{target: {anyone}}}",
                         f"hold: {{target: {self.target()}, request: {self.pick('AlterPartition', 'BrokerHeartbeat', 'Fetch', 'Produce')}}}",
                         f"time-offset: {{target: {anyone}, by: {self.pick('-10s', '3h', '-7000d')}}}", f"drift: {{target: {anyone}, ppm: {self.pick(200, -500000, 1000000)}}}",
                         f"admin: {{elect-leaders: {{type: {self.pick('preferred', 'unclean')}}}}}", f"admin: {{delete-topic: {self.pick(*self.topics)}}}",
                         f"wipe: {{target: {self.target()}}}")
        lasts = "" if kind.startswith(("admin", "restart", "reset")) else self.maybe(0.7, f"for: {self.pick('1ms', '500ms', '3s', '8s')}, ")
        every = self.maybe(0.25, f"every: {self.pick('9s', '20s')}, ")
        return f"  - {{name: f{i}, at: {self.pick('1s', '3s', '4500ms', '9s')}, {lasts}{every}{kind}}}\n"


def mutated(number):
    draw = random.Random(f"mutant {number}")
    files = sorted(SCENARIOS.glob("*.yaml"))
    text = draw.choice(files).read_text()
    for _ in range(draw.randint(1, 4)):
        lines = text.splitlines(keepends=True)
        at = draw.randrange(len(lines))
        kind = draw.randrange(7)
        if kind <= 2:  # a value
            values = list(re.finditer(r"(?<=[:=\[, ])[A-Za-z0-9_.%/()\[\]-]+(?=[,}\]\n ])", text))
            if values:
                value = draw.choice(values)
                text = text[:value.start()] + draw.choice(EXTREMES + [draw.choice(values).group()]) + text[value.end():]
            continue
        if kind == 3:
            del lines[at]
        elif kind == 4:
            lines.insert(at, draw.choice(lines))
        elif kind == 5:
            lines[at] = lines[at].replace("  ", draw.choice(["", " ", "\t", "    "]), 1)
        else:
            column = draw.randrange(len(lines[at]))
            lines[at] = lines[at][:column] + draw.choice("{}[]:,|>&*!%@`'\"#-?~\\\x7f\u00e9\u202e") + lines[at][column + draw.randint(0, 2):]
        text = "".join(lines)
    return text


class Fuzz(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kraftsim-fuzz-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, number, text, *arguments, allowed):
        try:
            done = kraftsim(*arguments, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.fail(f"case {number}: no end within {TIMEOUT} s: {arguments}\n{text}")
        self.assertIn(done.returncode, allowed, f"case {number}: {arguments}\n{done.stdout}{done.stderr}\n{text}")
        self.assertNotIn("Traceback", done.stderr)
        self.assertFalse([c for c in done.stdout + done.stderr if ord(c) < 32 and c not in "\n\t"], f"case {number}: control characters\n{text}")
        if done.returncode == 2:
            self.assertRegex(done.stderr, r"\.yaml(:\d+:\d+)?: error: ", f"case {number}\n{text}")
        return done

    def test_valid_worlds_are_played_to_their_end(self):
        start, played = cpu(), 0
        for number in cases():
            if not CASES and cpu() - start > CPU_SECONDS:
                break
            text = World(number).text()
            file, run = self.folder / "world.yaml", self.folder / f"run-{number}"
            file.write_text(text)
            done = self.call(number, text, "run", file, "--out", run, "--quiet", "--set", "event.budget=3000000", allowed=(0, 1, 2, 3))
            if done.returncode == 2:
                continue  # what was drawn does not go together, and that was said
            played += 1
            summary = json.loads((run / "summary.json").read_text())
            self.assertEqual(summary["invariants"]["verdict"], "ok", f"case {number}\n{summary['invariants']}\n{text}")
            if number % 4 == 0:
                self.call(number, text, "replay", run, "--quiet", allowed=(0,))
        self.assertGreater(played, 0)

    def test_mutated_scenarios_are_refused_with_their_place_or_played(self):
        start, refused = cpu(), 0
        for number in cases():
            if not CASES and cpu() - start > CPU_SECONDS:
                break
            text = mutated(number)
            file, run = self.folder / "mutant.yaml", self.folder / f"mutant-{number}"
            file.write_text(text)
            done = self.call(number, text, "check", file, allowed=(0, 2))
            refused += done.returncode == 2
            if done.returncode == 0 and number % 3 == 0:
                self.call(number, text, "run", file, "--out", run, "--quiet", "--until", "20s", "--set", "event.budget=1500000", allowed=(0, 1, 2, 3))
        self.assertGreater(refused, 0)


if __name__ == "__main__":
    unittest.main()

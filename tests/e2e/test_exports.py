#!/usr/bin/env python3
"""What is exported is read by the parsers of those whose formats they are, as far as they are installed (others.py)."""
import base64
import csv
import json
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from kraftsim import kraftsim
from others import NODE, needs_npm, needs_program, needs_python

RULES = """
groups:
- name: kafka
  rules:
  - alert: LagIsHigh
    expr: kafka_consumergroup_lag_seconds{consumergroup="payment"} > 2
  - alert: Under Replicated
    expr: kafka_server_ReplicaManager_UnderReplicatedPartitions > 0
  - alert: Never
    expr: kafka_consumergroup_lag > 1e12
"""


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.run_folder = cls.folder / "run"
        done = kraftsim("run", "@broker-crash", "--trace", "full", "--until", "45s", "--out", cls.run_folder)
        assert done.returncode in (0, 1, 3), done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def export(self, *arguments, run=None):
        done = kraftsim("export", run or self.run_folder, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    # ---- ShiViz

    def test_vector_clocks_are_those_of_one_history(self):
        text = self.export("--format", "shiviz", "--window", "29s..45s")
        head, blank, *lines = text.split("\n")
        self.assertEqual((head, blank), (r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})", ""))
        event = re.compile(head.replace("?<", "?P<"))  # as JavaScript writes it, and as Python does
        clocks = []
        last = {}
        sent = {}
        for what, stamp in zip(lines[::2], lines[1::2]):
            match = event.fullmatch(what + "\n" + stamp)
            self.assertIsNotNone(match, stamp)
            host, clock = match["host"], json.loads(match["clock"])
            # Each host counts its own events one by one, and forgets nothing.
            self.assertEqual(clock[host], last.get(host, {}).get(host, 0) + 1)
            for other, count in last.get(host, {}).items():
                self.assertGreaterEqual(clock[other], count)
            # Nobody knows more of another than that one has done.
            for other, count in clock.items():
                self.assertLessEqual(count, clock[host] if other == host else last.get(other, {}).get(other, 0))
            if " sends " in what:
                name, to = re.search(r" sends (\w+) to (\S+)", what).groups()
                sent.setdefault((name, host, to), []).append(clock)
            if " receives " in what:  # it knows what its sender knew of one of the messages of that name at least
                name, origin = re.search(r" receives (\w+) from (\S+)", what).groups()
                known = sent.get((name, origin, host), [])
                if known:
                    self.assertTrue(any(all(clock.get(h, 0) >= n for h, n in one.items()) for one in known))
            last[host] = clock
            clocks.append(clock)
        self.assertGreater(len(clocks), 100)
        self.assertTrue(any(len(clock) >= 4 for clock in clocks))

    def test_what_shiviz_cannot_show_is_said(self):
        done = kraftsim("export", self.run_folder, "--format", "shiviz", "--window", "44s..44001ms")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nothing changed in that window", done.stderr)

    # ---- OTLP

    def spans(self, *arguments):
        request = json.loads(self.export("--format", "otlp", *arguments))
        return request, [span for resource in request["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]

    def test_a_trace_has_the_times_of_its_order(self):
        with open(self.run_folder / "orders.csv", newline="", encoding="utf-8") as file:
            order = next(row for row in csv.DictReader(file) if row["outcome"] == "fulfilled" and row["order"] == "100")
        _, spans = self.spans("--order", "100")
        origin = 946_684_800 * 10**9
        root = next(span for span in spans if "parentSpanId" not in span)
        self.assertEqual(int(root["startTimeUnixNano"]) - origin, int(order["intended_ns"]))
        self.assertEqual(int(root["endTimeUnixNano"]) - origin, int(order["ended_ns"]))
        self.assertEqual({span["traceId"] for span in spans}, {root["traceId"]})
        names = [span["name"] for span in spans]
        self.assertEqual(names.count("process orders"), 3)
        for stage in ("linger", "network", "append", "replication", "Produce", "send orders"):
            self.assertIn(stage, names)

    @needs_python("opentelemetry.proto", "google.protobuf")
    def test_opentelemetry_reads_it(self):
        from google.protobuf import json_format
        from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
        request, spans = self.spans("--window", "30s..33s")
        for span in spans:  # protobuf's own JSON has ids in base64, OTLP's in hexadecimal
            for key in ("traceId", "spanId", "parentSpanId"):
                if key in span:
                    span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
        data = json_format.ParseDict(request, TracesData())  # unknown fields are errors
        read = [span for resource in data.resource_spans for scope in resource.scope_spans for span in scope.spans]
        self.assertEqual(len(read), len(spans))
        self.assertTrue(all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in read))

    # ---- Perfetto

    def test_perfetto_has_arrows_that_begin_and_end_in_slices(self):
        trace = json.loads(self.export("--format", "perfetto", "--window", "30s..32s"))
        events = trace["traceEvents"]
        names = {event["pid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
        self.assertLessEqual({"order-service", "broker-1", "broker-2", "metrics"}, set(names.values()))
        slices = {}
        for event in events:
            if event["ph"] == "X":
                slices.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
        arrows = {}
        for event in events:
            if event["ph"] in "sf":
                arrows.setdefault(event["id"], {})[event["ph"]] = event
        self.assertGreater(len(arrows), 500)
        astray = 0
        for arrow in arrows.values():
            self.assertEqual(set(arrow), {"s", "f"})
            self.assertLessEqual(arrow["s"]["ts"], arrow["f"]["ts"])
            for end in arrow.values():
                astray += not any(low - 1e-3 <= end["ts"] <= high + 1e-3 for low, high in slices.get((end["pid"], end["tid"]), []))
        self.assertLess(astray, len(arrows) / 100)  # a stage that took no time at all has no slice
        counters = {event["name"] for event in events if event["ph"] == "C"}
        self.assertIn("kafka_consumergroup_lag_seconds payment", counters)

    # ---- Prometheus

    @needs_program("promtool")
    def test_promtool_tells_when_an_alert_would_have_fired(self):
        rules = self.folder / "rules.yml"
        rules.write_text(RULES)
        test = self.folder / "test.yml"
        test.write_text(self.export("--format", "promtool", "--rules", rules))
        done = subprocess.run(["promtool", "test", "rules", test], capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 1)
        fired = []
        for name, seconds, minutes in re.findall(r"alertname: ([^,]+), time: (?:(?=\d+s)(\d+)s|(\d+m\d*s?))", done.stdout + done.stderr):
            fired.append((name, int(seconds) if seconds else sum(int(n) * f for n, f in zip(re.findall(r"\d+", minutes), (60, 1)))))
        with open(self.run_folder / "metrics.csv", newline="", encoding="utf-8") as file:
            rows = {int(float(row["t_s"])): row for row in csv.DictReader(file) if row["t_s"].endswith(".000")}
        last = max(rows)
        expected = []
        for name, column, limit in (("LagIsHigh", "kafka_consumergroup_lag_seconds[payment]", 2),
                                    ("Under Replicated", "kafka_server_ReplicaManager_UnderReplicatedPartitions", 0)):
            expected += [(name, at) for at in range(5, last + 1, 5) if float(rows[at][column]) > limit]
        self.assertEqual(sorted(fired), sorted(expected))
        self.assertTrue(any(name == "Under Replicated" for name, _ in fired))

    @needs_python("prometheus_client")
    def test_prometheus_client_reads_the_samples(self):
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
        families = {family.name: family for family in text_string_to_metric_families(self.export("--format", "openmetrics"))}
        with open(self.run_folder / "metrics.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        samples = [sample for sample in families["kafka_consumergroup_lag"].samples if sample.labels == {"consumergroup": "payment"}]
        self.assertEqual([(float(sample.timestamp), sample.value) for sample in samples],
                         [(float(row["t_s"]), float(row["kafka_consumergroup_lag[payment]"])) for row in rows])

    # ---- Continuous integration

    def test_junit_counts_what_failed(self):
        run = self.folder / "failing"
        done = kraftsim("run", "@order-flow", "--until", "20s", "--set", "expect.0.p99=< 1us", "--out", run, "--ci", "github")
        self.assertEqual(done.returncode, 1, done.stderr)
        annotations = [line for line in done.stdout.splitlines() if line.startswith("::")]
        self.assertRegex(annotations[0], r"^::error file=@order-flow,line=\d+,title=kraftsim%3A \S+::\S+ p99 .* expected < 1 us$")
        suite = xml.etree.ElementTree.fromstring(self.export("--format", "junit", run=run))
        self.assertEqual(int(suite.get("failures")), 1)
        self.assertEqual(len(suite.findall(".//testcase/failure")), 1)
        self.assertEqual(int(suite.get("tests")), len(suite.findall(".//testcase")))
        self.assertIn("kraftsim run @order-flow", suite.find(".//failure").text)

    def test_mistakes_of_a_scenario_are_annotated_at_their_lines(self):
        bad = self.folder / "bad.yaml"
        bad.write_text("schema: kraftsim/v1\nname: x\nduration: 5\n")
        for command in ("check", "run"):
            done = kraftsim(command, bad, "--ci", "github")
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"::error file={bad},line=3,title=kraftsim%3A scenario::", done.stdout)
        self.assertIn("is one of github", kraftsim("check", bad, "--ci", "travis").stderr)

    @needs_python("junitparser")
    def test_junitparser_reads_it(self):
        import junitparser
        path = self.folder / "junit.xml"
        path.write_text(self.export("--format", "junit"))
        self.assertGreaterEqual(junitparser.JUnitXml.fromfile(str(path)).tests, 5)

    # ---- Mermaid

    @needs_npm("mermaid", "jsdom")
    def test_mermaid_parses_its_diagrams(self):
        for name, arguments in (("order", ["--order", "slowest"]), ("window", ["--window", "29s..45s"])):
            (self.folder / f"{name}.mmd").write_text(self.export("--format", "mermaid", *arguments))
        script = ("import { JSDOM } from 'jsdom'; import fs from 'fs';\n"
                  "const dom = new JSDOM(''); globalThis.window = dom.window; globalThis.document = dom.window.document;\n"
                  "const mermaid = (await import('mermaid')).default;\n"
                  "for (const file of process.argv.slice(2)) console.log((await mermaid.parse(fs.readFileSync(file, 'utf8'))).diagramType);\n")
        (NODE / "parse.mjs").write_text(script)
        done = subprocess.run(["node", NODE / "parse.mjs", self.folder / "order.mmd", self.folder / "window.mmd"], cwd=NODE,
                              capture_output=True, text=True, timeout=100)
        self.assertEqual(done.stdout, "sequence\nsequence\n", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""kraftsim calibrate finds settings with which acknowledgements take as long as measured ones."""
import json
import pathlib
import re
import tempfile
import unittest

from kraftsim import TOP, kraftsim

RECORDINGS = TOP / "tests" / "reality" / "recordings"


def percentiles(line):
    """p50, p90 and p99 of a printed line, in ms."""
    units = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3}
    return [float(value) * units[unit] for value, unit in re.findall(r"p\d+ ([\d.]+) (ns|us|ms|s)", line)]


def setting(text, pattern):
    found = re.search(pattern, text)
    return found.group(1) if found else None


class Calibrate(unittest.TestCase):
    def calibrated(self, file, *more):
        done = kraftsim("calibrate", file, *more, timeout=900)
        lines = done.stdout.splitlines()
        self.assertIn("cluster:", lines, done.stderr)
        return done, percentiles(lines[0]), percentiles(lines[1])

    def assert_within_a_tenth(self, measured, simulated):
        for wanted, found in zip(measured, simulated):
            self.assertLessEqual(abs(found - wanted), max(0.1, 0.1 * wanted) + 0.05, (measured, simulated))

    def test_settings_that_a_recording_of_kraftsim_was_made_with_are_found_again(self):
        with tempfile.TemporaryDirectory() as folder:
            settings = ["cluster.network.rtt={p50: 3ms, p99: 9ms}", "cluster.cpu={cores: 2, pauses: {interval: {p50: 2s, p99: 8s}, length: {p50: 40ms, p99: 120ms}}}"]
            run = kraftsim("run", "@calibration", "--seed", 9, "--out", f"{folder}/run", *[w for s in settings for w in ("--set", s)])
            self.assertIn(run.returncode, (0, 1), run.stderr)
            done, measured, simulated = self.calibrated(f"{folder}/run/orders.csv")
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assert_within_a_tenth(measured, simulated)
            rtt = setting(done.stdout, r"rtt: \{p50: ([\d.]+)(?:us|ms)")
            unit = setting(done.stdout, r"rtt: \{p50: [\d.]+(us|ms)")
            rtt_ms = float(rtt) / (1000 if unit == "us" else 1)
            self.assertTrue(2.0 < rtt_ms < 4.0, done.stdout)
            # And what was found is a scenario that has these percentiles: a fragment to paste.
            self.assertIn("pauses: {interval:", done.stdout)

    def test_the_recordings_of_a_real_cluster(self):
        for acks in ("1", "all"):
            with self.subTest(acks=acks), tempfile.TemporaryDirectory() as folder:
                recorded = json.loads((RECORDINGS / f"L1-{acks}-100.json").read_text())[0]["acks_before"]
                file = pathlib.Path(folder) / "percentiles.csv"
                file.write_text("percentile,latency_ms\n" + "".join(f"{name},{ms}\n" for name, ms in recorded.items()))
                done, measured, simulated = self.calibrated(file, "--set", f"clients.order-service.config.acks={acks}")
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assert_within_a_tenth(measured, simulated)

    def test_what_kafka_producer_perf_test_printed(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "perf-test.txt"
            file.write_text("501 records sent, 100.1 records/sec (0.10 MB/sec), 9.1 ms avg latency, 160.0 ms max latency.\n"
                            "6000 records sent, 100.023337 records/sec (0.10 MB/sec), 9.90 ms avg latency, 181.00 ms max latency, 8 ms 50th, "
                            "15 ms 95th, 45 ms 99th, 120 ms 99.9th.\n")
            done, measured, simulated = self.calibrated(file)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assert_within_a_tenth(measured[:3], simulated[:3])
            # What was not fitted stands beside what came of it.
            for line in done.stdout.splitlines()[:2]:
                self.assertRegex(line, r"p50 .* p95 .* p99 .* mean .* max .* p99\.9 ")
            self.assertIn("Played with 100 orders a second of 1048 bytes", done.stdout)

    def test_what_is_wrong_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "few.csv"
            file.write_text("latency_ms\n1\n2\n")
            done = kraftsim("calibrate", file)
            self.assertEqual(done.returncode, 2)
            self.assertIn("holds 2 latencies", done.stderr)
            done = kraftsim("calibrate", f"{folder}/nowhere.csv")
            self.assertEqual(done.returncode, 2)
            self.assertIn("does not exist", done.stderr)


if __name__ == "__main__":
    unittest.main()

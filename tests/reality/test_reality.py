"""Each recording of a real Kafka cluster is replayed by kraftsim: what the real one did occurs among the simulated runs.

KRAFTSIM_SWEEP=100 plays that many seeds of each script; without it twenty.
"""
import unittest

import compare


class Reality(unittest.TestCase):
    def test_what_the_real_cluster_did_occurs_in_simulated_runs(self):
        scripts = sorted(file.stem for file in (compare.HERE / "recordings").glob("*.json"))
        self.assertGreaterEqual(len(scripts), 15)
        for script in scripts:
            with self.subTest(script=script):
                differing = [line for line in compare.compare(script, compare.SEEDS) if line.verdict == "DIFFERS"]
                self.assertEqual(differing, [])

    def test_a_sequence_that_is_never_simulated_is_told(self):
        real = compare.Run(replicas={0: [1, 2, 3]}, states=[[5, 0, 2, 1, [2, 3], 1]], struck={1: 0})
        other = compare.Run(replicas={0: [2, 3, 1]}, states=[[7, 0, 3, 1, [3], 1]], struck={2: 0})
        told = compare.compare_sequences("F1", [real], [other])
        self.assertEqual([line.verdict for line in told], ["ok", "DIFFERS"])
        same = compare.Run(replicas={0: [3, 1, 2]}, states=[[9, 0, 1, 1, [1, 2], 1]], struck={3: 0})
        self.assertEqual([line.verdict for line in compare.compare_sequences("F1", [real], [same])], ["ok"])

    def test_a_healthy_latency_is_excused_by_nothing_on_either_side(self):
        name = "acknowledged in health, acks=all, p99"
        verdict = lambda real: compare.compare_numbers("L1", [{name: real}], [{name: 40}, {name: 50}])[0].verdict
        self.assertEqual([verdict(ms) for ms in (35, 37, 54, 56, 200)], ["DIFFERS", "ok", "ok", "DIFFERS", "DIFFERS"])

    def test_a_time_outside_of_the_widened_spread_is_told(self):
        within = compare.compare_numbers("F1", [{"x": 1090}], [{"x": 900}, {"x": 1000}])
        self.assertEqual([line.verdict for line in within], ["ok"])
        outside = compare.compare_numbers("F1", [{"x": 1200}], [{"x": 900}, {"x": 1000}])
        self.assertEqual([line.verdict for line in outside], ["DIFFERS"])


if __name__ == "__main__":
    unittest.main()

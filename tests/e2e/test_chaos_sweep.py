"""Chaos on a shop that is set up as one should: nothing acknowledged is lost, all comes right afterwards, and what is rare did occur."""
import pathlib
import tempfile
import unittest

from kraftsim import kraftsim

REQUIRED = ["batch-retried", "broker-fenced", "commit-not-coordinator", "controlled-shutdown", "controller-renounced", "controller-resigned",
            "elr-not-empty", "isr-expanded", "isr-shrunk", "leader-from-isr", "leader-preferred", "log-lost-unflushed",
            "log-truncated-above-high-watermark", "pre-vote-refused", "produce-not-leader-or-follower", "quorum-follower-to-prospective",
            "quorum-leader-to-resigned", "quorum-prospective-to-unattached"]


class ChaosSweep(unittest.TestCase):
    def test_nothing_fails_and_what_is_required_occurs(self):
        with tempfile.TemporaryDirectory() as folder:
            requirements = [word for name in REQUIRED for word in ("--require", name)]
            done = kraftsim("sweep", "@chaos", "--seeds", "1-24", "--out", pathlib.Path(folder) / "sweep", "--quiet", *requirements, timeout=900)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Golden fingerprints: every scenario, played for its first 16 seconds, or 42 if something goes wrong in it, with the same
events on every compiler and build.

After a change that is meant to change what happens:  python3 tests/e2e/test_fingerprints.py --rewrite
and say in the commit why each line changed.
"""
import pathlib
import sys
import tempfile
import unittest

from kraftsim import SCENARIOS, kraftsim, manifest

GOLDEN = pathlib.Path(__file__).resolve().parent / "fingerprints.txt"


def until(scenario):
    return "42s" if "\nfaults:" in scenario.read_text() else "16s"


def play(scenario, seed):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        done = kraftsim("run", scenario, "--seed", seed, "--until", until(scenario), "--out", run, "--quiet")
        if not (run / "manifest.json").exists():
            raise AssertionError(f"{scenario} left no manifest (exit {done.returncode}):\n{done.stderr}")
        told = manifest(run)
        return f"{told['events']} {told['fingerprint']}"


def all_runs():
    return [(path, seed) for path in sorted(SCENARIOS.glob("*.yaml")) for seed in (1, 2)]


def lines():
    return {f"{path.stem} {seed}": play(path, seed) for path, seed in all_runs()}


class Fingerprints(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.played = lines()

    def test_every_scenario_meets_its_golden_fingerprint(self):
        golden = {}
        for line in GOLDEN.read_text().splitlines():
            name, events, fingerprint = line.rsplit(" ", 2)
            golden[name] = f"{events} {fingerprint}"
        self.assertEqual(golden, self.played)

    def test_another_seed_is_another_run(self):
        self.assertEqual(len(set(self.played.values())), len(self.played))


if __name__ == "__main__":
    if "--rewrite" in sys.argv:
        GOLDEN.write_text("".join(f"{name} {value}\n" for name, value in lines().items()))
    else:
        unittest.main()

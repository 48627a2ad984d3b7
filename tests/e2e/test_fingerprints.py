"""Golden fingerprints: every scenario, played for its first 16 seconds, or 42 if something goes wrong in it, with the same
events on every compiler and build. A line is `scenario seed events fingerprint meaning`: a change of the host may change how many
events there are and their fingerprint, and must not change the meaning, which is of what happened, where and when.

After a change that is meant to change what happens:  python3 tests/e2e/test_fingerprints.py --rewrite
and say in the commit why each line changed.
"""
import concurrent.futures
import os
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
        return f"{told['events']} {told['fingerprint']} {told['meaning']}"


def all_runs():
    return [(path, seed) for path in sorted(SCENARIOS.glob("*.yaml")) for seed in (1, 2)]


def lines():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        played = pool.map(lambda run: play(*run), all_runs())
        return {f"{path.stem} {seed}": told for (path, seed), told in zip(all_runs(), played)}


class Fingerprints(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.played = lines()

    def test_every_scenario_meets_its_golden_fingerprint(self):
        golden = {}
        for line in GOLDEN.read_text().splitlines():
            scenario, seed, played = line.split(" ", 2)
            golden[f"{scenario} {seed}"] = played
        self.assertEqual(golden, self.played)

    def test_meanings_differ_as_runs_do(self):
        meanings = {played.split()[2] for played in self.played.values()}
        self.assertEqual(len(meanings), len(set(self.played.values())))

    def test_another_seed_is_another_run(self):
        self.assertEqual(len(set(self.played.values())), len(self.played))


if __name__ == "__main__":
    if "--rewrite" in sys.argv:
        before = {tuple(line.split()[:2]): line.split()[4:] for line in GOLDEN.read_text().splitlines()}
        now = lines()
        GOLDEN.write_text("".join(f"{name} {value}\n" for name, value in now.items()))
        changed = [name for name, value in now.items() if before.get(tuple(name.split())) != value.split()[2:]]
        print(f"the meaning of {len(changed)} of {len(now)} runs has changed: {', '.join(changed)}")
    else:
        unittest.main()

"""The corpus of found seeds: plausible and wrong settings, at seeds at which chaos showed what they cost, shrunk to what it takes.
Each still fails as its first line says, and does not with the setting that its second line names."""
import json
import pathlib
import re
import tempfile
import unittest

from kraftsim import kraftsim

WRONG = sorted((pathlib.Path(__file__).parent / "found" / "wrong").glob("*.yaml"))


class FoundWrong(unittest.TestCase):
    def verdicts(self, scenario, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            done = kraftsim("run", scenario, "--out", run, "--quiet", *arguments)
            self.assertIn(done.returncode, (0, 1, 3), done.stderr)
            summary = json.loads((run / "summary.json").read_text())
            self.assertEqual(summary["invariants"]["verdict"], "ok")
            return done.returncode, {one["verdict"] for one in summary["verdicts"]}

    def test_each_still_shows_its_failure_and_its_protection_prevents_it(self):
        self.assertGreaterEqual(len(WRONG), 7)
        for scenario in WRONG:
            with self.subTest(scenario=scenario.stem):
                first, second = scenario.read_text().splitlines()[:2]
                anomaly = re.search(r"· ([A-Z]+(?:\(\w+\))?) ·", first).group(1)
                protection = re.search(r"Prevented by: (\S+)$", second).group(1)
                code, verdicts = self.verdicts(scenario)
                self.assertEqual(code, 1)
                self.assertIn(anomaly, verdicts)
                code, verdicts = self.verdicts(scenario, "--set", protection)
                self.assertIn(code, (0, 3))  # 3: what waited for its moment may never come
                self.assertNotIn(anomaly, verdicts)


if __name__ == "__main__":
    unittest.main()

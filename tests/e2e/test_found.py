"""What random scenarios once brought to light, each cut down to what shows it: none may break an invariant again, nor the
simulator."""
import json
import pathlib
import tempfile
import unittest

from kraftsim import kraftsim

FOUND = sorted((pathlib.Path(__file__).parent / "found").glob("*.yaml"))


class Found(unittest.TestCase):
    def test_none_breaks_anything_again(self):
        self.assertTrue(FOUND)
        for scenario in FOUND:
            with self.subTest(scenario=scenario.stem), tempfile.TemporaryDirectory() as folder:
                run = pathlib.Path(folder) / "run"
                done = kraftsim("run", scenario, "--out", run, "--quiet")
                self.assertIn(done.returncode, (0, 3), done.stderr)
                self.assertEqual("ok", json.loads((run / "summary.json").read_text())["invariants"]["verdict"])

    def test_a_topic_that_came_back_smaller_gets_its_orders(self):
        scenario = next(one for one in FOUND if one.stem == "producer-keeps-old-partition-count")
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            kraftsim("run", scenario, "--out", run, "--quiet")
            orders = json.loads((run / "summary.json").read_text())["orders"]
            self.assertLess(orders["failed"], 10)


if __name__ == "__main__":
    unittest.main()

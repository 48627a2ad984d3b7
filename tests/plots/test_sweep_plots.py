"""Charts of sweeps, comparisons and pinpoints: drawn from their files alone, the same bytes each time, and in their words what
the figures say."""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DRAW = TOP / "plots" / "draw_sweeps.py"


def write_sweep(folder, failing, names=("acks-1", "acks-all")):
    folder.mkdir(parents=True)
    head = {"schema": "kraftsim-sweep/1", "build": "0123456789abcdef", "scenario": "shop", "sha256": "ab" * 32, "seeds": "1-20",
            "configurations": [{"name": name, "settings": []} for name in names]}
    lines = [head]
    for configuration in range(len(names)):
        for seed in range(1, 21):
            failed = configuration == 0 and seed in failing
            run = {"configuration": configuration, "seed": seed, "outcome": "failed" if failed else "held",
                   "metrics": {"e2e_p50_ns": 10_000_000, "e2e_p99_ns": (20 + seed) * 1_000_000 * (1 + configuration), "lost": 7 if failed else 0},
                   "events": 1, "end_ns": 30_000_000_000, "fingerprint": "0" * 16, "meaning": "0" * 16}
            if failed:
                run |= {"signatures": [{"what": "durable", "anomaly": "LOST(acked)", "fault": "kill"}], "failed_at_ns": 18_500_000_000}
            lines.append(run)
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


PINPOINT = {"schema": "kraftsim-pinpoint/1", "scenario": "shop", "seed": 3, "failure": "durable · LOST(acked) · after kill", "end_ns": 40_000_000_000,
            "not_yet_ns": 17_500_000_000, "certain_ns": 18_000_000_000,
            "moments": [{"at_ns": at * 5_000_000_000, "failed": failed, "of": 8} for at, failed in enumerate([0, 1, 3, 6, 8, 8])],
            "faults": [{"name": "crash", "from_ns": 18_000_000_000, "to_ns": 28_000_000_000}], "around": ["18.000 s  crash strikes: kill, broker-2"]}


class SweepPlots(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def draw(self, *arguments):
        done = subprocess.run(["/usr/bin/python3", DRAW, "--format", "svg,png", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def titles(self, arguments):
        """What the figures say above all, asked of the scripts: in an SVG letters are paths."""
        code = ("import sys; sys.path.insert(0, sys.argv[1]); import compare, pinpoint, sweep; from sweepdata import Pinpoint, Sweep\n"
                "a = sys.argv[2:]\n"
                "print(pinpoint.finding(Pinpoint(a[0]).data) if a[0].endswith('.json') else sweep.finding(Sweep(a[0])) if len(a) == 1 else\n"
                "      compare.draw([Sweep(one) for one in a]).texts[0].get_text())")
        return subprocess.run(["/usr/bin/python3", "-c", code, DRAW.parent, *arguments], cwd=self.folder, check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def test_a_sweep_has_a_row_for_each_configuration_and_says_which_failed(self):
        write_sweep(self.folder / "s", failing={3, 4, 5, 17})
        code, out, err = self.draw("s")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.split(), ["s/charts/sweep.svg", "s/charts/sweep.png"])
        first = (self.folder / "s/charts/sweep.svg").read_bytes()
        self.draw("s")
        self.assertEqual((self.folder / "s/charts/sweep.svg").read_bytes(), first)
        self.assertIn("acks-1 failed with 4 of 20 seeds: LOST(acked); acks-all never did", self.titles(["s"]))
        write_sweep(self.folder / "well", failing=set())
        self.assertIn("None of 40 runs failed", self.titles(["well"]))

    def test_rates_are_those_of_the_page(self):
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from sweepdata import rate_text\n"
                "print(rate_text(0, 200), rate_text(41, 1000), rate_text(200, 200), rate_text(1, 2), sep='; ')")
        said = subprocess.run(["/usr/bin/python3", "-c", code, DRAW.parent], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.assertEqual(said, "true rate below 1.5 %; true rate 3.0 % to 5.5 %; true rate above 98 %; true rate unknown")

    def test_two_configurations_are_compared_in_pairs(self):
        write_sweep(self.folder / "s", failing={3, 4})
        code, out, err = self.draw("s:acks-1", "s:acks-all")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.split(), ["s/charts/compare.svg", "s/charts/compare.png"])
        self.assertIn("acks-all instead of acks-1: 2 of 20 seeds fail no longer; p99 changes by +100 %", self.titles(["s:acks-1", "s:acks-all"]))

    def test_a_pinpoint_is_drawn_beside_its_file(self):
        (self.folder / "pinpoint-3.json").write_text(json.dumps(PINPOINT))
        code, out, err = self.draw("pinpoint-3.json")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.split(), ["charts/pinpoint-3.svg", "charts/pinpoint-3.png"])
        self.assertIn("It became certain between 17.5 s and 18 s", self.titles(["pinpoint-3.json"]))

    def test_what_cannot_be_drawn_is_told_in_words(self):
        write_sweep(self.folder / "s", failing={3})
        (self.folder / "other.json").write_text("{}")
        for arguments, said in [(["nowhere"], "not the folder of a sweep"), (["s:acks-7"], "no such configuration"), (["other.json"], "kraftsim pinpoint"),
                                (["--chart", "compare", "s", "s"], "which configuration"), (["--chart", "compare", "s:acks-1"], "two sweeps")]:
            with self.subTest(arguments=arguments):
                code, _, err = self.draw(*arguments)
                self.assertEqual(code, 2)
                self.assertIn(said, err)


if __name__ == "__main__":
    unittest.main()

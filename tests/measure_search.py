#!/usr/bin/env python3
"""Measures what explains failures, and prints tables; no test, for it takes long and depends on the machine.

  measure_search.py shrink [--count 20]    failures that chaos finds in two wrong configurations, each shrunk: how many faults
                                           are left, how long it took, and whether the result fails alike on the same seed
  measure_search.py blame [--only NAME]    the pairs of tests/e2e/test_pairs.py: whether blame names the protection that the
                                           scenario's own head names, and how long it took

KRAFTSIM names the program. Times are on the clock and of the processor, for a machine may be busy with other things.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "e2e"))
from kraftsim import SCENARIOS, kraftsim  # noqa: E402
from test_pairs import PAIRS  # noqa: E402

WRONG = ["clients.order-service.config.acks=1", "topics.orders.config.min.insync.replicas=1"]
# The budget of faults that the target speaks of; and faults at once, so that there is something to leave out.
TWELVE = ["--set", "chaos.budget=12", "--set", "chaos.at.once=2", "--set", "chaos.gap=3s"]


def timed(*arguments):
    """What it said, and the seconds it took: on the clock, and of processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = kraftsim(*arguments, timeout=1200)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def failures(folder, count):
    """(setting, seed, kind) of failing runs, as many of each configuration."""
    found = []
    for setting in WRONG:
        out = folder / re.sub(r"\W", "-", setting)
        kraftsim("sweep", "@chaos", "--seeds", "1-2000", "--until-fail", (count + 1) // len(WRONG), "--set", setting, *TWELVE,
                 "--out", out, "--quiet", timeout=3600)
        for line in (out / "results.jsonl").read_text().splitlines()[1:]:
            run = json.loads(line)
            if run["outcome"] == "failed":
                found.append((setting, run["seed"], run["signatures"][0]["anomaly"] or run["signatures"][0]["what"]))
    return found[:count]


def measure_shrink(count):
    with tempfile.TemporaryDirectory() as name:
        folder, left, slowest, broken = pathlib.Path(name), [], 0.0, 0
        print("faults     runs   clock   cpu    alike  failure")
        for setting, seed, kind in failures(folder, count):
            file = folder / "small.yaml"
            done, clock, cpu = timed("shrink", "@chaos", "--seed", seed, "--set", setting, *TWELVE, "--out", file, "--quiet")
            said = re.search(r": (\d+) faults of (\d+), (\d+) runs played", done.stdout)
            if not said:
                print(f"seed {seed}, {setting}: {done.stderr}")
                broken += 1
                continue
            alike = kind in kraftsim("run", file, "--no-files").stdout
            broken += not alike
            left.append(int(said.group(1)))
            slowest = max(slowest, cpu)
            print(f"{said.group(1):>3} of {said.group(2):>3} {said.group(3):>6} {clock:6.1f} s {cpu:5.1f} s  {'yes' if alike else 'NO '}    "
                  f"{kind}, seed {seed}, {setting}", flush=True)
        if left:
            print(f"{len(left)} failures: median {statistics.median(left):g} faults left, most {max(left)}; slowest {slowest:.1f} s of processor; "
                  f"{broken} not shrunk to one that fails alike")
        return 0 if left and statistics.median(left) <= 3 and slowest < 60 and not broken else 1


def names_it(said, protection):
    """Whether the setting is among those that make a difference."""
    guilty = said.partition("no difference")[0]
    return any(line.split()[:1] == [protection] for line in guilty.splitlines())


def measure_blame(only):
    said, named, slowest = {}, 0, 0.0
    pairs = [pair for pair in PAIRS if not only or only in pair.scenario]
    print("named  clock    cpu     scenario: protection")
    for pair in pairs:
        if pair.scenario not in said:
            said[pair.scenario] = timed("blame", SCENARIOS / f"{pair.scenario}.yaml")
        done, clock, cpu = said[pair.scenario]
        is_named = names_it(done.stdout, pair.protection)
        named += is_named
        slowest = max(slowest, clock)
        print(f"{'yes' if is_named else 'NO ':5}  {clock:5.1f} s  {cpu:5.1f} s  {pair.scenario}: {pair.protection}", flush=True)
    print(f"{named} of {len(pairs)} protections named; slowest {slowest:.1f} s on the clock, {max(cpu for _, _, cpu in said.values()):.1f} s of processor")
    return 0 if named * 43 >= len(pairs) * 40 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["shrink", "blame"])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ.setdefault("NO_COLOR", "1")
    return measure_shrink(options.count) if options.what == "shrink" else measure_blame(options.only)


if __name__ == "__main__":
    sys.exit(main())

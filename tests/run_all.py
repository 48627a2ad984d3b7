#!/usr/bin/env python3
"""Builds and runs every test and closes with `N passed, N failed`.

Steps, each in a build folder of its own under build/:
  release   g++, optimised, checks on: unit tests, the end-to-end tests, the interaction scripts, the plots
  clang     the program with clang: its runs must be the same; with --full its unit tests as well
  debug     g++ with AddressSanitizer and UndefinedBehaviorSanitizer: every scenario must run the same, and the unit
            tests of some rooms; with --full of all
Before them, what needs no build: the rooms' includes, and the format of every file.

As many tests run at a time as there are processors; what they say is printed in the same order each time.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import typing

TOP = pathlib.Path(__file__).resolve().parent.parent
# Their unit tests run with sanitizers each time, the others' with --full: every scenario runs with them anyway.
SANITIZED = ["test_coordinator", "test_group", "test_kernel", "test_log", "test_partition", "test_scenario"]
# What takes longest is begun first, so that no processor is idle while the last one ends.
LONGEST_FIRST = ["test_cluster", "e2e/test_pairs.py", "test_raft", "e2e/test_fingerprints.py", "e2e/test_order_flow.py",
                 "e2e/test_faults.py", "test_broker", "plots/test_plots.py"]
passed = 0
failed = 0


class Job(typing.NamedTuple):
    name: str         # as it is counted
    rank: str         # its place in LONGEST_FIRST
    command: list
    counted: typing.Callable  # (exit code, output) -> (passed, failed)
    env: dict = {}


def say(text):
    print(text, flush=True)


def count(name, ok, bad, output=""):
    global passed, failed
    passed += ok
    failed += bad
    say(f"  {'ok  ' if not bad else 'FAIL'} {name}: {ok} passed{f', {bad} failed' if bad else ''}")
    if bad and output:
        say("\n".join("       " + line for line in output.splitlines()[-60:]))


def run(command, timeout=1500, env=None, cwd=TOP):
    merged = dict(os.environ, **(env or {}))
    try:
        done = subprocess.run([str(c) for c in command], cwd=cwd, env=merged, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=timeout)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        text = expired.stdout or ""
        return 124, (text if isinstance(text, str) else text.decode(errors="replace")) + f"\ntimed out after {timeout} s"


def run_jobs(jobs):
    """All of them, the longest first; counted in the order given."""
    def rank(job):
        return LONGEST_FIRST.index(job.rank) if job.rank in LONGEST_FIRST else len(LONGEST_FIRST)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = {job.name: pool.submit(run, job.command, env=job.env) for job in sorted(jobs, key=rank)}
        for job in jobs:
            code, output = begun[job.name].result()
            count(job.name, *job.counted(code, output), output)


def build(preset, *targets):
    start = time.monotonic()
    code, output = run(["cmake", "--preset", preset])
    if code == 0:
        code, output = run(["cmake", "--build", f"build/{preset}", "--target", *(targets or ["all"])])
    say(f"{preset}: {'built' if code == 0 else 'THE BUILD FAILED'} in {time.monotonic() - start:.0f} s")
    if code != 0:
        count(f"build {preset}", 0, 1, output)
    return code == 0


def doctest_counts(code, output):
    cases = re.search(r"test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", output)
    if not cases:
        return 0, 1
    bad = int(cases.group(3))
    return int(cases.group(2)), bad if bad or code == 0 else 1


def doctests(preset, only=None):
    """The test binaries of a build, each a job."""
    binaries = sorted(path for path in (TOP / "build" / preset / "tests").glob("test_*")
                      if path.is_file() and os.access(path, os.X_OK) and (only is None or path.name in only))
    return [Job(binary.name, binary.name, [binary, "--no-colors"], doctest_counts) for binary in binaries]


def unittest_counts(code, output):
    ran = re.search(r"Ran (\d+) tests?", output)
    total = int(ran.group(1)) if ran else 0
    last = output.splitlines()[-1] if output else ""
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", last))
    skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", last))
    if (code != 0 and bad == 0) or total == 0:
        bad = max(bad, 1)
    return max(0, total - bad - skipped), bad


def unittests(file, name=None, program=None):
    """The cases of one Python file as a job."""
    command = [sys.executable, "-m", "unittest", "discover", "-s", file.parent, "-p", file.name, "-t", file.parent]
    rank = file.relative_to(TOP / "tests").as_posix()
    return Job(name or rank, rank, command, unittest_counts, {"KRAFTSIM": str(program)} if program else {})


def fingerprints(preset, name):
    return unittests(TOP / "tests/e2e/test_fingerprints.py", name, TOP / "build" / preset / "kraftsim")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["release", "clang", "debug"], action="append",
                        help="only this step (may be given more than once)")
    parser.add_argument("--full", action="store_true", help="all unit tests with clang and with sanitizers, too (some fifteen minutes more)")
    options = parser.parse_args()
    steps = options.only or ["release", "clang", "debug"]
    start = time.monotonic()

    run_jobs([unittests(TOP / "tests" / name) for name in ("rooms_test.py", "format_test.py")])
    if "release" in steps and build("release"):
        scripts = [file for folder in ("e2e", "scripts", "plots", "reality") for file in sorted((TOP / "tests" / folder).glob("test_*.py"))]
        run_jobs(doctests("release") + [unittests(script, program=TOP / "build/release/kraftsim") for script in scripts])
    if "clang" in steps and build("clang", *([] if options.full else ["kraftsim"])):
        run_jobs((doctests("clang") if options.full else []) + [fingerprints("clang", "fingerprints (clang)")])
    if "debug" in steps and build("debug", *([] if options.full else ["kraftsim", *SANITIZED])):
        run_jobs(doctests("debug", None if options.full else SANITIZED)
                 + [fingerprints("debug", "fingerprints (debug, sanitizers)")])

    say(f"{time.monotonic() - start:.0f} s in all")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Builds and runs every test and closes with `N passed, N failed`.

Steps, each in a build folder of its own under build/:
  release   g++, optimised, checks on: unit tests, the end-to-end tests, the plots
  clang     the program with clang: its runs must be the same; with --full its unit tests as well
  debug     g++ with AddressSanitizer and UndefinedBehaviorSanitizer: every scenario must run the same, and the unit
            tests of some rooms; with --full of all
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
# Their unit tests run with sanitizers each time, the others' with --full: every scenario runs with them anyway.
SANITIZED = ["test_broker", "test_kernel", "test_log", "test_raft"]
passed = 0
failed = 0


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


def build(preset, *targets):
    start = time.monotonic()
    code, output = run(["cmake", "--preset", preset])
    if code == 0:
        code, output = run(["cmake", "--build", f"build/{preset}", "--target", *(targets or ["all"])])
    say(f"{preset}: {'built' if code == 0 else 'THE BUILD FAILED'} in {time.monotonic() - start:.0f} s")
    if code != 0:
        count(f"build {preset}", 0, 1, output)
    return code == 0


def doctests(preset, only=None):
    for binary in sorted((TOP / "build" / preset / "tests").glob("test_*")):
        if only is not None and binary.name not in only:
            continue
        if not os.access(binary, os.X_OK) or binary.is_dir():
            continue
        code, output = run([binary, "--no-colors"], timeout=600)
        cases = re.search(r"test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", output)
        if cases:
            bad = int(cases.group(3))
            count(binary.name, int(cases.group(2)), bad if bad or code == 0 else 1, output)
        else:
            count(binary.name, 0, 1, output)


def unittests(folder, env=None, pattern="test_*.py", name=None):
    code, output = run([sys.executable, "-m", "unittest", "discover", "-s", folder, "-p", pattern, "-t", folder], env=env)
    ran = re.search(r"Ran (\d+) tests?", output)
    total = int(ran.group(1)) if ran else 0
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", output.splitlines()[-1] if output else ""))
    skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", output.splitlines()[-1] if output else ""))
    if code != 0 and bad == 0:
        bad = 1
    if total == 0:
        bad = max(bad, 1)
    count(name or folder, max(0, total - bad - skipped), bad, output)


def script(path, *arguments):
    code, output = run([sys.executable, path, *arguments])
    count(str(path), 1 if code == 0 else 0, 0 if code == 0 else 1, output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["release", "clang", "debug"], action="append",
                        help="only this step (may be given more than once)")
    parser.add_argument("--full", action="store_true", help="all unit tests with clang and with sanitizers, too (some fifteen minutes more)")
    options = parser.parse_args()
    steps = options.only or ["release", "clang", "debug"]
    start = time.monotonic()

    script("tests/rooms_test.py")
    if "release" in steps and build("release"):
        doctests("release")
        unittests("tests/e2e", env={"KRAFTSIM": str(TOP / "build/release/kraftsim")}, name="e2e (release)")
        unittests("tests/plots", name="plots")
    if "clang" in steps and build("clang", *([] if options.full else ["kraftsim"])):
        if options.full:
            doctests("clang")
        unittests("tests/e2e", env={"KRAFTSIM": str(TOP / "build/clang/kraftsim")}, pattern="test_fingerprints.py",
                  name="fingerprints (clang)")
    if "debug" in steps and build("debug", *([] if options.full else ["kraftsim", *SANITIZED])):
        doctests("debug", None if options.full else SANITIZED)
        unittests("tests/e2e", env={"KRAFTSIM": str(TOP / "build/debug/kraftsim")}, pattern="test_fingerprints.py",
                  name="fingerprints (debug, sanitizers)")

    say(f"{time.monotonic() - start:.0f} s in all")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the end-to-end tests share: the program under test, and runs in a temporary folder."""
import json
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("KRAFTSIM", str(TOP / "build" / "release" / "kraftsim"))
SCENARIOS = TOP / "scenarios"
SHOP = TOP / "tests" / "search" / "shop.yaml"  # one that fails, of sweeps and of what explains a failure
ORDER_FLOW = SCENARIOS / "order-flow.yaml"


def kraftsim(*arguments, cwd=TOP, timeout=300):
    return subprocess.run([PROGRAM, *[str(a) for a in arguments]], cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)


def files_of(run):
    """Every file of a run but host.json, by name."""
    run = pathlib.Path(run)
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file() and p.name != "host.json"}


def manifest(run):
    return json.loads((pathlib.Path(run) / "manifest.json").read_text())

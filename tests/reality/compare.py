#!/usr/bin/env python3
"""Holds kraftsim against recordings of a real Kafka cluster.

usage: compare.py [SCRIPT ...] [--seeds N] [--verbose] [--json FILE]

recordings/SCRIPT.json are runs of a real cluster of three controllers and three brokers under a scripted failure, reduced
to what matters (record/ makes new ones); scenarios/SCRIPT.yaml is the same script for kraftsim. Each scenario is played
with N seeds (20, or KRAFTSIM_SWEEP). Then

  sequences  each sequence of (leader, leader epoch, ISR, partition epoch) that the real controller wrote for a partition
             must occur among the simulated ones; brokers are named by their place in the partition's replicas, and
             partitions compared with those in which the same places were hit by the failure;
  times      each real time lies between the least and the greatest simulated one, widened by 10 % of each, and by the
             50 ms at most that lie between a record's append (real stamps) and its commit (simulated ones);
  latencies  how long acknowledgements took in the healthy runs (L1, played with `profile: laptop`): within the simulated
             spread, widened by 10 %; nothing but a late load (LATE_LOAD) excuses them;
  groups     when groups of KIP-848 (and one of the classic protocol beside them) were whole again, how long partitions
             had no owner, group epochs and how many partitions were revoked, as times are;
  counters   orders lost, duplicated, handled twice and failed lie between the least and the greatest simulated ones.

What the busy machine of the recordings explains is named in BUSY, with how much, and printed. The program is build/release/kraftsim,
or what KRAFTSIM names. The exit code is 1 if anything else differs.
"""
import argparse
import collections
import concurrent.futures
import csv
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.environ.get("KRAFTSIM", str(HERE.parent.parent / "build" / "release" / "kraftsim"))
WIDENED = 0.10
RELEASE = "4.1.2"  # what kraftsim plays
ORDERS_START_MS = 12_000  # in every scenario here
GROUP_STARTS_MS = 5_000  # in F13
SEEDS = int(os.environ.get("KRAFTSIM_SWEEP", "20"))
JUST_BEFORE = -50  # ms: what is this close to the first fault counts as after it

COMMIT_MS = 50  # a real record is stamped when it is appended, a simulated one told of when it is committed

# What only processors explain: six servers, the load and a compiler shared two cores, and the servers waited for one for
# 12 to 90 s in the ten seconds before the fault. Name of the number, how far above the simulated ones it may lie, why.
BUSY = [
    (r"acknowledged before the fault, p\d+", 1500, "every step of an order waited for a processor"),
    (r"(broker \d: )?unfenced to (first|last) ISR", 1100, "fetchers and AlterPartition waited for a processor"),
    (r"(broker \d: )?(registered to unfenced|unfenced)", 9000, "what a broker does when it starts is processor time"),
    (r"(broker \d: )?(shutdown|new leaders|out of the (first|last) ISR)", 150, "the heartbeat waited for a processor"),
    (r"(broker \d: )?fenced", 4700, "a broker had not replayed the change by its next heartbeat: a round of 2 s more"),
    (r"longest gap of acks, .*", 10000, "the servers' start-up, and producers that had no processor"),
    (r"generation \+2 assigned to all", 6000, "the new member's JVM took up to 6.8 s to start"),
    (r"stable", 700, "the members' JVMs shared a processor when they joined"),
    (r"stable after the first close", 5200, "a heartbeat was just ahead of what it should have heard: a round of 5 s more"),
    (r"orders failed", 900, "the brokers took longer to come back, see unfenced"),
]


# With acks=0 an order is acknowledged when it is sent, and the recorded latencies hold how late the thread was that placed
# it: in the recordings that have both stamps (F1, F2, F15) 0.9 ms at p50, 2.6 to 5.7 at p90, 10 to 31 at p99. The simulated
# load is never late. So far above the simulated ones a healthy run may lie, in ms.
LATE_LOAD = {"acknowledged in health, acks=0, p50": 1.0, "acknowledged in health, acks=0, p90": 2.7, "acknowledged in health, acks=0, p99": 10}


@dataclasses.dataclass
class Run:
    """One run, real or simulated. Times are ms after the first fault (or the first order, if there is none)."""

    replicas: dict = dataclasses.field(default_factory=dict)  # partition of `orders` -> broker ids
    states: list = dataclasses.field(default_factory=list)  # [ms, partition, leader, leader epoch, isr, partition epoch]
    brokers: list = dataclasses.field(default_factory=list)  # [ms, broker, registered|unfenced|fenced|shutdown]
    controllers: list = dataclasses.field(default_factory=list)  # [ms, node, quorum epoch]
    struck: dict = dataclasses.field(default_factory=dict)  # broker -> ms, in the order in which a fault first hit them
    ack_gaps: dict = dataclasses.field(default_factory=dict)  # partition -> (longest gap between two acks, its begin)
    assignments: list = dataclasses.field(default_factory=list)  # [ms, member, generation]
    results: dict = dataclasses.field(default_factory=dict)
    counters: dict = dataclasses.field(default_factory=dict)
    acks_before: dict = dataclasses.field(default_factory=dict)  # p50, p90, p99 in ms, before the fault
    formed: list = dataclasses.field(default_factory=list)  # how long groups took to form
    group: dict = dataclasses.field(default_factory=dict)  # of a script about a group: name -> number


# ---- Real runs


def real_runs(script):
    with open(HERE / "recordings" / f"{script}.json") as file:
        return [real_run(run) for run in json.load(file) if run["kafka"] == RELEASE]


def real_run(recorded):
    if "formed" in recorded:
        return Run(formed=recorded["formed"])
    if "group" in recorded:
        return Run(group=recorded["group"])
    strikes = [(ms, node) for ms, what, node in recorded["events"] if what in ("kill", "term", "pause", "cut")]
    return Run(
        replicas={int(p): replicas for p, replicas in recorded["replicas"].items()},
        states=recorded["partitions"],
        brokers=recorded["brokers"],
        controllers=recorded["controllers"],
        struck=first_strikes(strikes),
        ack_gaps={int(p): tuple(gap) for p, gap in recorded["ack_gaps"].items()},
        assignments=recorded["assignments"],
        results=recorded["results"],
        counters=recorded["counters"],
        acks_before=recorded["acks_before"],
    )


def first_strikes(strikes):
    struck = {}
    for ms, node in strikes:
        if isinstance(node, int) and node < 100:
            struck.setdefault(node, ms)
    return struck


# ---- Simulated runs


def simulated_runs(script, seeds):
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(lambda seed: simulated_run(script, seed), range(1, seeds + 1)))


def simulated_run(script, seed):
    scenario = HERE / "scenarios" / f"{script}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        command = [PROGRAM, "run", str(scenario), "--seed", str(seed), "--trace", "control", "--quiet", "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if not (out / "orders.csv").exists():
            raise RuntimeError(f"{' '.join(command)} failed: {done.stdout[-500:]} {done.stderr[-500:]}")
        return read_simulated(out, script)


def rows(file):
    with open(file, newline="") as opened:
        return list(csv.DictReader(opened))


def read_simulated(out, script=""):
    faults = sorted(rows(out / "faults.csv"), key=lambda fault: int(fault["from_ns"])) if (out / "faults.csv").exists() else []
    first_ns = int(faults[0]["from_ns"]) if faults else ORDERS_START_MS * 1_000_000
    ms = lambda ns: round((int(ns) - first_ns) / 1e6, 1)
    run = Run()
    if script.startswith("G"):
        run.group = group_of(out, script, faults)
    struck = []
    for fault in faults:
        for name in re.split(r"[|; ]+", fault["touched"]):
            if name.startswith("broker-"):
                struck.append((ms(fault["from_ns"]), int(name.split("-")[1])))
    run.struck = first_strikes(struck)
    read_events(out / "events.jsonl", ms, run)
    for row in rows(out / "leadership.csv"):
        if row["event"] == "controller":
            run.controllers.append([ms(row["t_ns"]), row["node"], int(row["leader_epoch"])])
    read_orders(out / "orders.csv", ms, first_ns, run)
    verdicts = collections.Counter(row["verdict"] for row in rows(out / "verdicts.csv"))
    run.counters["lost"] = verdicts["LOST(acked)"]
    run.counters["duplicates in the log"] = verdicts["DUP(log)"]
    run.counters["reordered"] = verdicts["REORDER(key)"]
    run.counters["handled twice"] = verdicts["DUP(effect)"]
    return run


class Group:
    """The group of one simulated run, event by event: who owns what, and what the coordinator tells."""

    def __init__(self, faults):
        self.strikes = [int(fault["from_ns"]) / 1e6 for fault in faults]
        self.owned = {}  # member -> its partitions
        self.gaps = []  # [partition, from, to or None]
        self.states = []  # [ms, state, group epoch or generation, members]
        self.revoked = []  # [ms, how many partitions]

    def change(self, at, member, partitions):
        before = set().union(*self.owned.values()) if self.owned else set()
        self.owned[member] = set(partitions)
        after = set().union(*self.owned.values())
        self.gaps += [[partition, at, None] for partition in sorted(before - after)]
        for gap in self.gaps:
            if gap[2] is None and gap[0] in after:
                gap[2] = at

    def on(self, event):
        at = event["t"] / 1e6
        if event["ev"] == "AssignmentReceived":
            self.change(at, event["node"], event["partitions"])
        elif event["ev"] == "PartitionsRevoked":
            self.revoked.append([at, len(event["partitions"])])
            self.change(at, event["node"], self.owned.get(event["node"], set()) - set(event["partitions"]))
        elif event["ev"] == "ProcessStopped" and event["node"] in self.owned:
            self.change(at, event["node"], [])
        elif event["ev"] == "GroupStateChanged":
            self.states.append([at, event["state"], event["generation"], event["members"]])

    def stable_since(self, after=0.0):
        """When the group became stable for the last time, ms after that instant."""
        return [at - after for at, state, *_ in self.states if state == "Stable"][-1]

    def ownerless(self, since=0.0, until=float("inf")):
        """For each partition how long it had no owner, all gaps that began in this time together."""
        sums = collections.Counter()
        for partition, at, to in self.gaps:
            if since <= at < until:
                sums[partition] += (to if to is not None else self.states[-1][0]) - at
        return sums

    def worst(self, since=0.0, until=float("inf")):
        return max(self.ownerless(since, until).values(), default=0.0)

    def numbers(self, script):
        sizes = [len(partitions) for partitions in self.owned.values() if partitions]
        result = {"fewest partitions of a member": min(sizes), "most partitions of a member": max(sizes)}
        epochs = [epoch for _, _, epoch, _ in self.states]
        if script == "G1":
            result |= {"stable": self.stable_since(GROUP_STARTS_MS), "group epoch": epochs[-1],
                       "without an owner, worst partition": self.worst()}
        elif script == "G2-consumer":
            kill, close = self.strikes
            before = max(epoch for at, _, epoch, _ in self.states if at < kill)
            result |= {"kill to owned": self.worst(kill - 1, close - 1), "close to owned": self.worst(close - 1),
                       "rise of the group epoch": epochs[-1] - before}
        else:
            first = self.strikes[0]
            result |= {"stable after the first close": self.stable_since(first),
                       "without an owner, worst partition": self.worst(first - 1),
                       "without an owner, all partitions": sum(self.ownerless(first - 1).values()),
                       "partitions revoked": sum(count for at, count in self.revoked if at >= first - 1),
                       "group epoch": epochs[-1]}
        return result


GROUP_EVENTS = ("AssignmentReceived", "PartitionsRevoked", "ProcessStopped", "GroupStateChanged")


def group_of(out, script, faults):
    group = Group(faults)
    with open(out / "events.jsonl") as events:
        for line in events:
            if any(f'"{name}"' in line for name in GROUP_EVENTS):
                group.on(json.loads(line))
    return group.numbers(script)


def partition_of_orders(name):
    """`orders-3`, or `topic-1-3` for the only topic of the scenario."""
    found = re.fullmatch(r"(?:orders|topic-1)-(\d+)", name)
    return int(found.group(1)) if found else None


def read_events(file, ms, run):
    registered = {}  # broker -> (broker epoch, fenced, in controlled shutdown)
    partition_epochs = {}
    with open(file) as events:
        for line in events:
            if '"PartitionChanged"' in line:
                note_partition(json.loads(line), ms, partition_epochs, run)
            elif '"BrokerStateChanged"' in line:
                note_broker(json.loads(line), ms, registered, run)
            elif '"AssignmentReceived"' in line:
                event = json.loads(line)
                run.assignments.append([ms(event["t"]), event["member"], event["generation"]])


def note_partition(event, ms, partition_epochs, run):
    p = partition_of_orders(event["tp"])
    if p is None:
        return
    if p not in run.replicas:
        run.replicas[p] = event.get("replicas") or event["isr"]
        partition_epochs[p] = event["partition_epoch"]
    elif event["partition_epoch"] > partition_epochs[p]:
        partition_epochs[p] = event["partition_epoch"]
        state = [event["leader"], event["leader_epoch"], event["isr"], event["partition_epoch"]]
        run.states.append([ms(event["t"]), p, *state])


def note_broker(event, ms, registered, run):
    broker, at = event["broker"], ms(event["t"])
    new = (event["broker_epoch"], event["fenced"], event.get("in_controlled_shutdown", False))
    old = registered.get(broker)
    if old is None or new[0] >= old[0]:
        registered[broker] = new
    if old is None or new[0] < old[0]:
        return
    if new[0] > old[0]:
        run.brokers.append([at, broker, "registered"])
        return
    if new[2] and not old[2]:
        run.brokers.append([at, broker, "shutdown"])
    if new[1] != old[1]:
        run.brokers.append([at, broker, "fenced" if new[1] else "unfenced"])


def read_orders(file, ms, first_ns, run):
    acks = collections.defaultdict(list)
    results = collections.Counter()
    before = []
    failed_in_log = 0
    for order in rows(file):
        error = order["error"]
        if error:
            results[error] += 1
            failed_in_log += 1 if order["appended_ns"] else 0
            continue
        if not order["acknowledged_ns"]:
            results["PENDING"] += 1
            continue
        results["ok"] += 1
        acks[int(order["partition"])].append(ms(order["acknowledged_ns"]))
        intended = int(order["intended_ns"])
        if ORDERS_START_MS * 1_000_000 + 3e9 < intended and (intended < first_ns - 1e9 or first_ns <= ORDERS_START_MS * 1e6):
            before.append((int(order["acknowledged_ns"]) - intended) / 1e6)
    run.results = dict(results)
    run.counters["failed, but in the log"] = failed_in_log
    for p, times in acks.items():
        times.sort()
        run.ack_gaps[p] = max(((after - at, at) for at, after in zip(times, times[1:])), default=(0, 0))
    before.sort()
    if before:
        run.acks_before = {name: before[min(len(before) - 1, int(part * len(before)))] for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))}


# ---- Sequences


def forms(run):
    """(places that were hit) -> how often each sequence was seen; brokers by their place in the replicas."""
    counted = collections.defaultdict(collections.Counter)
    for p, replicas in run.replicas.items():
        place = lambda broker: replicas.index(broker) if broker in replicas else "-"
        steps = []
        for _, of, leader, leader_epoch, isr, partition_epoch in run.states:
            if of == p:
                steps.append(f"{place(leader)}/{leader_epoch}/[{','.join(str(place(b)) for b in isr)}]/{partition_epoch}")
        counted[tuple(place(broker) for broker in run.struck)][" ".join(steps) or "(none)"] += 1
    return counted


def merged(runs):
    result = collections.defaultdict(collections.Counter)
    for run in runs:
        for hit, counted in forms(run).items():
            result[hit].update(counted)
    return result


# ---- Times


def times_of(run):
    """What happened when: name -> ms."""
    times = {}
    for number, (broker, strike) in enumerate(run.struck.items()):
        times.update(broker_times(run, broker, strike, f"broker {number + 1}: " if len(run.struck) > 1 else ""))
    if run.struck:
        times.update(ack_times(run, next(iter(run.struck))))
    times.update(controller_times(run))
    times.update(group_times(run))
    return times


def after(events, strike=0):
    """Those after a strike, their times counted from it."""
    return [[event[0] - strike, *event[1:]] for event in events if event[0] > strike + JUST_BEFORE]


def broker_times(run, broker, strike, prefix):
    """Counted from the strike that hit this broker."""
    times = {}
    of = lambda what: [at for at, who, did in after(run.brokers, strike) if who == broker and did == what]
    for what in ("shutdown", "fenced", "registered", "unfenced"):
        if of(what):
            times[prefix + what] = of(what)[0]
    if of("registered") and of("unfenced") and of("unfenced")[-1] >= of("registered")[0]:
        times[prefix + "registered to unfenced"] = of("unfenced")[-1] - of("registered")[0]
    states = after(run.states, strike)
    led = [p for p, replicas in run.replicas.items() if replicas[0] == broker]
    replaced = [min((at for at, of_p, leader, *_ in states if of_p == p and leader not in (broker, -1)), default=None) for p in led]
    if replaced and None not in replaced:
        times[prefix + "new leaders"] = max(replaced)
    out = [min((at for at, of_p, _, _, isr, _ in states if of_p == p and broker not in isr), default=None) for p in run.replicas]
    out = [at for at in out if at is not None]
    if out:
        times[prefix + "out of the first ISR"] = min(out)
        times[prefix + "out of the last ISR"] = max(out)
    if of("unfenced"):
        unfenced = of("unfenced")[-1]
        back = [min((at for at, of_p, _, _, isr, _ in states if of_p == p and broker in isr and at >= unfenced - 1), default=None) for p in run.replicas]
        back = [at for at in back if at is not None]
        if back:
            times[prefix + "unfenced to first ISR"] = min(back) - unfenced
            times[prefix + "unfenced to last ISR"] = max(back) - unfenced
    return times


def ack_times(run, broker):
    own, others = [], []
    for p, (gap, _) in run.ack_gaps.items():
        (own if run.replicas[p][0] == broker else others).append(gap)
    result = {}
    if own:
        result["longest gap of acks, its partitions"] = max(own)
    if others:
        result["longest gap of acks, others"] = max(others)
    return result


def controller_times(run):
    later, before = after(run.controllers), [c for c in run.controllers if c[0] <= JUST_BEFORE]
    if not later or not before:
        return {}
    return {"new controller": later[0][0], "rise of the quorum epoch": later[-1][2] - before[-1][2]}


def group_times(run):
    times = {}
    at_first = max((generation for at, _, generation in run.assignments if at <= 0), default=0)
    generations = sorted({generation for at, _, generation in run.assignments if at > 0})
    for generation in generations[:2]:
        at = [when for when, _, of in run.assignments if of == generation and when > 0]
        times[f"generation +{generation - at_first} assigned to all"] = max(at)
    return times


# ---- The verdict


@dataclasses.dataclass
class Line:
    script: str
    what: str
    real: str
    simulated: str
    verdict: str  # ok, explained, or DIFFERS
    reason: str = ""


def spread(values):
    if not values:
        return "-"
    low, high = min(values), max(values)
    digits = 1 if high < 100 and high != round(high) else 0
    return f"{low:.{digits}f}" if f"{low:.{digits}f}" == f"{high:.{digits}f}" else f"{low:.{digits}f} .. {high:.{digits}f}"


def is_within(real, simulated):
    return lowest(simulated) <= min(real) and max(real) <= max(simulated) + WIDENED * abs(max(simulated))


def is_near(real, simulated):
    """Within the spread widened by 10 %, with nothing on top."""
    return min(simulated) * (1 - WIDENED) <= min(real) and max(real) <= max(simulated) * (1 + WIDENED)


def why_busy(name, real, simulated):
    """Why the real numbers may lie above the simulated ones; nothing if they may not."""
    if name in LATE_LOAD:
        explained = min(simulated) * (1 - WIDENED) <= min(real) and max(real) <= max(simulated) + LATE_LOAD[name]
        return "the recorder's thread placed orders late" if explained else ""
    for pattern, most, reason in BUSY:
        if simulated and re.fullmatch(pattern, name) and min(real) >= lowest(simulated) and max(real) <= max(simulated) + most:
            return reason
    return ""


def lowest(simulated):
    return min(simulated) - WIDENED * abs(min(simulated)) - COMMIT_MS


def compare_sequences(script, real, simulated):
    in_real, in_simulated = merged(real), merged(simulated)
    lines, found, total = [], 0, 0
    for hit, counted in sorted(in_real.items()):
        for form, times in counted.items():
            total += times
            if form in in_simulated.get(hit, {}):
                found += times
            else:
                lines.append(Line(script, f"sequence, hit {hit}", f"{times} x {form}", "never", "DIFFERS"))
    lines.insert(0, Line(script, "sequences", f"{total}", f"{found} of them occur", "ok"))
    return lines


def compare_numbers(script, real, simulated):
    lines = []
    names = dict.fromkeys(name for numbers in real for name in numbers)
    for name in names:
        ours = [numbers[name] for numbers in simulated if name in numbers]
        theirs = [numbers[name] for numbers in real if name in numbers]
        within = bool(ours) and (is_near(theirs, ours) if name.startswith("acknowledged in health") else is_within(theirs, ours))
        reason = "" if within else why_busy(name, theirs, ours)
        verdict = "ok" if within else "explained" if reason else "DIFFERS"
        lines.append(Line(script, name, spread(theirs), spread(ours), verdict, reason))
    return lines


def compare(script, seeds):
    real, simulated = real_runs(script), simulated_runs(script, seeds)
    if real[0].group:
        return compare_numbers(script, [run.group for run in real], [run.group for run in simulated])
    if real[0].formed:
        formed = [max(at for at, _, generation in run.assignments if generation == 1) for run in simulated]
        since_start = ORDERS_START_MS - GROUP_STARTS_MS
        return compare_numbers(script, [{"group formed": t} for run in real for t in run.formed],
                               [{"group formed": t + since_start} for t in formed])
    lines = compare_sequences(script, real, simulated)
    lines += compare_numbers(script, [times_of(run) for run in real], [times_of(run) for run in simulated])
    lines += compare_numbers(script, [run.counters for run in real], [run.counters for run in simulated])
    lines += compare_numbers(script, [outcome(run) for run in real], [outcome(run) for run in simulated])
    healthy = re.fullmatch(r"L1-(\w+)-\d+", script)
    when = f"in health, acks={healthy.group(1)}" if healthy else "before the fault"
    acks = lambda runs: [{f"acknowledged {when}, {name}": ms for name, ms in run.acks_before.items()} for run in runs]
    return lines + compare_numbers(script, acks(real), acks(simulated))


def outcome(run):
    return {"orders failed": sum(count for result, count in run.results.items() if result != "ok")}


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", help="the default is all")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--verbose", action="store_true", help="print what agrees, too")
    options = parser.parse_args(argv)
    scripts = options.scripts or sorted(file.stem for file in (HERE / "recordings").glob("*.json"))
    differing = 0
    for script in scripts:
        lines = compare(script, options.seeds)
        counted = collections.Counter(line.verdict for line in lines)
        differing += counted["DIFFERS"]
        print(f"{script}: {counted['ok']} agree, {counted['explained']} explained, {counted['DIFFERS']} differ")
        for line in lines:
            if options.verbose or line.verdict != "ok":
                print(f"  {line.verdict:9s} {line.what:40s} real {line.real:>20s}   simulated {line.simulated:>20s}   {line.reason}")
        sys.stdout.flush()
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

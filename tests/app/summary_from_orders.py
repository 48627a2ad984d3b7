#!/usr/bin/env python3
"""Recomputes the numbers of a run's summary.json from its orders.csv, independently of the simulator.

    summary_from_orders.py RUN...      prints what differs; exit code 1 if anything does

Also holds each order to what must be true of it: its stamps never decrease, and (Little's law) what is in the system on
average is the rate times the mean time spent in it.
"""
import csv
import json
import pathlib
import sys

STAMPS = ["intended_ns", "accepted_ns", "batched_ns", "sent_ns", "received_ns", "dequeued_ns", "appended_ns", "high_watermark_ns"]
STAGES = ["send_wait", "linger", "retry", "network", "request_queue", "append", "replication", "fetch_wait", "consumer_queue", "service"]


def distribution(values):
    values = sorted(values)
    n = len(values)

    def at(share):  # the value at rank ceil(share n), if three samples or more lie beyond it; share in thousandths
        return values[-(-n * share // 1000) - 1] if n * (1000 - share) >= 3000 else None

    return {"count": n, "mean_ns": sum(values) // n if n else 0, "p50_ns": at(500), "p90_ns": at(900), "p99_ns": at(990),
            "p99.9_ns": at(999), "max_ns": values[-1] if n else 0}


def number(cell):
    return int(cell) if cell else None


def stage_times(row, service):
    ends = [number(row[stamp]) for stamp in STAMPS[1:]]
    ends += [number(row[f"{service}_{stamp}"]) for stamp in ("fetched_ns", "started_ns", "done_ns")]
    times, before = [], int(row["intended_ns"])
    for end in ends:
        end = before if end is None else end
        times.append(end - before)
        before = end
    return times


def differences(folder):
    folder = pathlib.Path(folder)
    summary = json.loads((folder / "summary.json").read_text())
    with open(folder / "orders.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    services = list(summary["services"])
    end = summary["end_ns"]
    found = []

    def same(what, ours, theirs):
        if ours != theirs:
            found.append(f"{what}: orders.csv says {ours}, summary.json {theirs}")

    orders = summary["orders"]
    same("placed", len(rows), orders["placed"])
    for outcome in ("fulfilled", "failed", "lost", "open"):
        same(outcome, sum(row["outcome"] == outcome for row in rows), orders[outcome])
    same("acknowledged", sum(row["acknowledged_ns"] != "" for row in rows), orders["acknowledged"])
    same("retried", sum(int(row["retries"]) > 0 for row in rows), orders["retried"])

    counted = [row for row in rows if int(row["intended_ns"]) >= summary["warmup_ns"]]
    same("warmup", sum(row["warmup"] == "1" for row in rows), len(rows) - len(counted))
    same("e2e_latency", distribution([int(row["ended_ns"]) - int(row["intended_ns"]) for row in counted]), summary["e2e_latency"])
    same("produce_latency", distribution([(number(row["failed_ns"]) or number(row["acknowledged_ns"]) or end) - int(row["intended_ns"])
                                          for row in counted]), summary["produce_latency"])
    for service in services:
        theirs = summary["services"][service]
        times = [int(row[f"{service}_times"]) for row in rows]
        same(f"{service} done", sum(t > 0 for t in times), theirs["done"])
        same(f"{service} duplicate effects", sum(max(0, t - 1) for t in times), theirs["duplicate_effects"])
        same(f"{service} lost", sum(row[f"{service}_lost"] == "1" for row in rows), theirs["lost"])

    sums, fulfilled = [0] * len(STAGES), 0
    for row in rows:
        name = f"order {row['flow']}/{row['order']}"
        done = {s: number(row[f"{s}_done_ns"]) for s in services}
        if row["outcome"] == "fulfilled" and all(done.values()):
            last = max(services, key=lambda s: done[s])
            times = stage_times(row, last)
            same(f"{name}: sum of its stages", sum(times), done[last] - int(row["intended_ns"]))
            same(f"{name}: its end", done[last], int(row["ended_ns"]))
            for service in services:
                if min(stage_times(row, service)) < 0:
                    found.append(f"{name}: its stamps for {service} go back in time")
            if int(row["intended_ns"]) >= summary["warmup_ns"]:
                fulfilled += 1
                sums = [total + time for total, time in zip(sums, times)]
    for stage, total in zip(STAGES, sums):
        same(f"mean of {stage}", total // fulfilled if fulfilled else 0, summary["stages"][stage]["mean_ns"])

    found += little(rows, services, folder)
    return found


def left_at(row, services):
    """When an order was over: done by all or reported as failed, whichever came first; None if neither did."""
    done = [number(row[f"{s}_done_ns"]) for s in services]
    ends = [max(done)] if done and None not in done else []
    if row["failed_ns"]:
        ends.append(int(row["failed_ns"]))
    if not services and row["acknowledged_ns"]:
        ends.append(int(row["acknowledged_ns"]))
    return min(ends, default=None)


def little(rows, services, folder):
    """Orders in flight at the end of each second, as metrics.csv has them, against the orders' own stamps."""
    found = []
    starts = sorted(int(row["intended_ns"]) for row in rows)
    ends = sorted(end for row in rows if (end := left_at(row, services)) is not None)
    if not starts:
        return found
    with open(folder / "metrics.csv", newline="") as file:
        series = list(csv.DictReader(file))
    s = e = 0
    for second in series:
        at = round(float(second["t_s"]) * 1e9)
        while s < len(starts) and starts[s] <= at:
            s += 1
        while e < len(ends) and ends[e] <= at:
            e += 1
        whole = at % 1_000_000_000 == 0  # the last row ends between two seconds; t_s has milliseconds only
        if whole and s - e != int(second["orders_in_flight"]):
            found.append(f"in flight at {second['t_s']} s: orders.csv says {s - e}, metrics.csv {second['orders_in_flight']}")
    # L = lambda W over the whole run: the integral of the number in flight is the sum of all times in the system.
    inside = [float(second["orders_in_flight"]) for second in series[:-1]]
    spent = sum(int(row["ended_ns"]) - int(row["intended_ns"]) for row in rows) / 1e9
    if len(inside) >= 30 and sum(inside) >= 3000:
        ratio = sum(inside) / spent
        if not 0.9 < ratio < 1.1:
            found.append(f"Little's law: {sum(inside):.0f} order-seconds in flight, {spent:.0f} spent by the orders")
    return found


def main(folders):
    bad = 0
    for folder in folders:
        for line in differences(folder):
            print(f"{folder}: {line}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

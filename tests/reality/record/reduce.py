#!/usr/bin/env python3
"""Reduces recordings to what the comparison needs.

usage: reduce.py RECORDINGS OUT [SCRIPT ...]

RECORDINGS has a folder for each script with repN-VERSION.json as recorder.py writes them. OUT gets SCRIPT.json: a list of
runs, each with what was done to whom, what the controller wrote, and what the clients saw. All times are ms after the
first fault, or after the first order of a script without one.
"""
import glob
import json
import os
import sys


def reduced_cluster_run(run):
    replicas, partitions, brokers, controllers = {}, [], [], []
    for record in run["metadata"]:
        kind, ms = record["type"], record["ms"]
        if kind == "PARTITION":
            replicas[record["p"]] = record["replicas"]
        elif kind == "PARTITION_CHANGE":
            state = [record["leader"], record["le"], record["isr"], record["pe"]]
            partitions.append([ms, record["p"], *state])
        elif kind == "REGISTER_BROKER":
            brokers.append([ms, record["brokerId"], "registered"])
        elif kind == "BROKER_REGISTRATION_CHANGE":
            if record.get("inControlledShutdown") == 1:
                brokers.append([ms, record["brokerId"], "shutdown"])
            if record.get("fenced") in (1, -1):
                what = "fenced" if record["fenced"] == 1 else "unfenced"
                brokers.append([ms, record["brokerId"], what])
        elif kind == "LeaderChange":
            controllers.append([ms, record["leader"], record["e"]])
    client = run["client"]
    return {
        "kafka": run["kafka"],
        "events": [[event["ms"], event["what"], event["node"]] for event in run["events"]],
        "replicas": replicas,
        "partitions": partitions,
        "brokers": brokers,
        "controllers": controllers,
        "results": client["results"],
        "counters": {
            "lost": client["lost_acked"],
            "duplicates in the log": client["dup_extra"],
            "failed, but in the log": client["failed_but_in_log"],
            "reordered": client["reordered_in_log"],
            "handled twice": client["received_twice"],
        },
        "ack_gaps": {p: [gap["gap_ms"], gap["from_ms"]] for p, gap in client["ack_gap"].items()},
        "acks_before": percentiles(client.get("ack_before_fault_ms") or client["ack_latency_ms"]),
        "assignments": [
            [event["ms"], event["member"], event["gen"]]
            for event in run.get("rebalance", [])
            if event["event"] == "assigned"
        ],
    }


def percentiles(latency):
    return {name: latency[name] for name in ("p50", "p90", "p99")}


def reduced_group_run(run):
    """Six groups one after the other: how long each took from its first subscribe() to its last assignment."""
    formed = []
    for group in run["groups"]:
        of = lambda what: [event["ms"] for event in group["events"] if event["event"] == what]
        formed.append(round(max(of("assigned")) - min(of("subscribe")), 1))
    return {"kafka": run["kafka"], "formed": formed}


def main(argv):
    source, out, scripts = argv[1], argv[2], argv[3:]
    os.makedirs(out, exist_ok=True)
    for script in scripts or sorted(os.listdir(source)):
        runs = []
        for file in sorted(glob.glob(os.path.join(source, script, "rep*.json"))):
            with open(file) as opened:
                run = json.load(opened)
            if "groups" in run:
                runs.append(reduced_group_run(run))
            elif "metadata" in run:
                runs.append(reduced_cluster_run(run))
        if not runs:
            continue
        with open(os.path.join(out, script + ".json"), "w") as opened:
            opened.write("[\n" + ",\n".join(json.dumps(run, separators=(",", ":")) for run in runs) + "\n]\n")
        print(script, len(runs), "runs")


if __name__ == "__main__":
    main(sys.argv)

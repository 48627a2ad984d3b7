#!/usr/bin/python3
"""A sweep: a row per configuration, a dot per seed at its slowest or 99th percentile latency, failures as crosses with how
often they come; beside it the instants of the runs at which they went wrong."""
import sys

import numpy as np

import style
from rundata import count_text
from sweepdata import Sweep, rate_text

SAID_SOMETHING = ("held", "failed")


def anomaly_of(run):
    first = run.get("signatures", [{}])[0]
    return first.get("anomaly") or first.get("what", "")


def finding(sweep):
    failed = [(name, [run for run in sweep.of(i) if run["outcome"] == "failed"], sweep.of(i)) for i, name in enumerate(sweep.configurations)]
    bad = [(name, runs, of) for name, runs, of in failed if runs]
    played = len(sweep.runs)
    if not bad:
        return f"None of {count_text(played)} runs failed"
    name, runs, of = max(bad, key=lambda one: (len(one[1]) / len(one[2]), one[0]))
    kinds = sorted({anomaly_of(run) for run in runs if anomaly_of(run)})
    what = f": {', '.join(kinds[:2])}{', ...' if len(kinds) > 2 else ''}" if kinds else ""
    if len(sweep.configurations) == 1:
        return f"{count_text(len(runs))} of {count_text(len(of))} seeds failed{what}"
    good = [one[0] for one in failed if not one[1]]
    rest = f"; {' and '.join(good[:3])} never did" if good and len(good) <= 3 else ""
    return f"{name} failed with {count_text(len(runs))} of {count_text(len(of))} seeds{what}{rest}"


def spread(values, height):
    """Vertical places of dots in a row, so that they do not hide each other: the denser, the wider; always the same."""
    places = np.zeros(len(values))
    if len(values) < 2:
        return places
    logs = np.log10(np.maximum(values, 1))
    width = max(logs.max() - logs.min(), 1e-9) / 60
    bins = np.floor((logs - logs.min()) / width).astype(int)
    most = max(np.bincount(bins).max(), 6)
    seen = {}
    for index in np.argsort(values, kind="stable"):
        rank = seen[bins[index]] = seen.get(bins[index], -1) + 1
        places[index] = (rank + 1) // 2 * (1 if rank % 2 else -1) * 2 * height / most
    return places


def latency_key(sweep):
    for key in ("e2e_p99_ns", "produce_p99_ns", "e2e_max_ns"):
        if any(key in run.get("metrics", {}) for run in sweep.runs):
            return key
    return None


LATENCIES = {"e2e_p99_ns": "99th percentile of end-to-end latency", "produce_p99_ns": "99th percentile of acknowledgements",
             "e2e_max_ns": "slowest order"}


def draw_rows(ax, sweep, key):
    everything = [run["metrics"][key] for run in sweep.runs if key in run.get("metrics", {})]
    if everything:
        ax.set_xscale("log")
        low, high = min(everything) / 1.4, max(everything) * 1.4
        ax.set_xlim(low, high)
        style.latency_axis(ax.xaxis, low, high)
    for i in range(len(sweep.configurations)):
        runs = [run for run in sweep.of(i) if key in run.get("metrics", {})]
        values = np.array([run["metrics"][key] for run in runs], dtype=float)
        ys = i + spread(values, 0.36)
        held = np.array([run["outcome"] == "held" for run in runs], dtype=bool)
        failed = np.array([run["outcome"] == "failed" for run in runs], dtype=bool)
        unknown = ~held & ~failed
        ax.scatter(values[held], ys[held], s=13, color=style.BLUE, alpha=0.55, linewidths=0, zorder=3)
        ax.scatter(values[unknown], ys[unknown], s=14, facecolors="none", edgecolors=style.GREY, linewidths=0.8, zorder=3)
        ax.scatter(values[failed], ys[failed], s=34, marker="x", color=style.VERMILLION, linewidths=1.6, zorder=4)
        if len(values):
            middle = float(np.median(values))
            ax.plot([middle, middle], [i - 0.42, i + 0.42], color="#333333", linewidth=1.1, zorder=5)
    ax.set_title(LATENCIES.get(key, "") + " · a dot per seed, a cross where it failed, a line at the median", loc="left", fontsize=8.5,
                 color="#333333", pad=6)


def draw_instants(ax, sweep):
    """When, in each failed run, the first of what failed went wrong."""
    ends = np.array([run["end_ns"] for run in sweep.runs] or [1], dtype=float)
    latest = max([run.get("failed_at_ns", 0) for run in sweep.runs] or [0])
    ax.set_xlim(0, max(float(np.median(ends)), latest * 1.05) / 1e9)
    for i in range(len(sweep.configurations)):
        at = sorted(run["failed_at_ns"] / 1e9 for run in sweep.of(i) if run.get("failed_at_ns", -1) >= 0 and run["outcome"] == "failed")
        for x in at:
            ax.plot([x, x], [i - 0.3, i + 0.3], color=style.VERMILLION, linewidth=1.3, alpha=0.8, zorder=3)
    ax.set_title("when in the run it went wrong", loc="left", fontsize=8.5, color="#333333", pad=6)
    ax.xaxis.set_major_formatter(style.FuncFormatter(lambda s, _: f"{s:g} s"))


def draw(sweep):
    rows = len(sweep.configurations)
    height = 1.75 + max(rows * 0.78, 1.5)
    fig = style.plt.figure(figsize=(11, height))
    widest = max(len(name) for name in sweep.configurations)
    left = min(0.05 + 0.0082 * widest, 0.26)
    bottom, top = 0.62 / height, 1 - 1.12 / height
    ax = fig.add_axes([left, bottom, 0.60 - left, top - bottom])
    instants = fig.add_axes([0.795, bottom, 0.18, top - bottom], sharey=ax)
    key = latency_key(sweep)
    if key:
        draw_rows(ax, sweep, key)
    draw_instants(instants, sweep)
    ax.set_ylim(rows - 0.5, -0.5)
    ax.set_yticks(range(rows), sweep.configurations)
    ax.tick_params(axis="y", length=0, labelsize=9.5)
    instants.tick_params(axis="y", labelleft=False, length=0)
    for axes in (ax, instants):
        axes.grid(axis="y", visible=False)
        for y in range(1, rows):
            axes.axhline(y - 0.5, color="#D8D8D8", linewidth=0.6)
    for i in range(rows):
        runs = sweep.of(i)
        failed, of = sum(run["outcome"] == "failed" for run in runs), sum(run["outcome"] in SAID_SOMETHING for run in runs)
        colour = style.VERMILLION if failed else "#222222"
        ax.annotate(f"{count_text(failed)} of {count_text(of)} failed", (1, i), xycoords=("axes fraction", "data"), xytext=(8, 6),
                    textcoords="offset points", fontsize=9.5, fontweight="bold", color=colour, va="center")
        said = rate_text(failed, of)
        if of < len(runs):
            said += f"\n{count_text(len(runs) - of)} said nothing"
        ax.annotate(said, (1, i), xycoords=("axes fraction", "data"), xytext=(8, -4), textcoords="offset points", fontsize=8.5,
                    color="#444444", va="top" if "\n" in said else "center")
    expected = f"seeds {sweep.head['seeds']}"
    style.frame(fig, finding(sweep), f"{sweep.name} · {expected} · {count_text(len(sweep.runs))} runs · rates with 95 % confidence",
                f"scenario sha256 {sweep.head['sha256'][:16]}    build {sweep.head['build']}", left=0.02)
    return fig


def main(argv):
    return style.save(draw(Sweep(argv[0])), f"{argv[0]}/charts", "sweep", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

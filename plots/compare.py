#!/usr/bin/python3
"""Two sweeps seed by seed: by how much each metric differs in pairs of runs that met the same random numbers."""
import sys

import numpy as np

import style
from rundata import NotARun, count_text
from sweepdata import Sweep

METRICS = [("e2e_p50_ns", "end-to-end p50"), ("e2e_p99_ns", "end-to-end p99"), ("e2e_max_ns", "slowest order"),
           ("produce_p50_ns", "acknowledgement p50"), ("produce_p99_ns", "acknowledgement p99")]
COUNTS = [("lost", "orders lost"), ("failed", "orders failed"), ("done_again", "orders done again"), ("open", "orders still open")]


def pairs_of(a, b):
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        raise NotARun("the two have no seed in common")
    return [(a[seed], b[seed]) for seed in seeds]


def median_interval(values, z=1.96):
    """The median, and the order statistics between which the true one lies with 95 %."""
    values = np.sort(values)
    n = len(values)
    half = z * np.sqrt(n) / 2
    low, high = int(np.floor((n - 1) / 2 - half)), int(np.ceil((n - 1) / 2 + half))
    return float(np.median(values)), float(values[max(low, 0)]), float(values[min(high, n - 1)])


def finding(pairs, a, b):
    only_a = sum(x["outcome"] == "failed" != y["outcome"] for x, y in pairs)
    only_b = sum(y["outcome"] == "failed" != x["outcome"] for x, y in pairs)
    ratios = [y["metrics"]["e2e_p99_ns"] / x["metrics"]["e2e_p99_ns"] for x, y in pairs
              if x.get("metrics", {}).get("e2e_p99_ns") and y.get("metrics", {}).get("e2e_p99_ns")]
    cost = ""
    if ratios:
        middle, low, high = median_interval(np.array(ratios))
        change = f"{100 * (middle - 1):+.0f} %" if abs(middle - 1) >= 0.005 else "nothing"
        cost = f"p99 changes by {change}" if low > 1 or high < 1 else "p99 is the same, as far as these seeds tell"
    changes = [f"{count_text(n)} of {count_text(len(pairs))} seeds {what}" for n, what in ((only_a, "fail no longer"), (only_b, "fail that did not")) if n]
    return f"{b} instead of {a}: {', '.join(changes) or 'no seed fails on one side only'}; {cost}"


def draw_ratios(ax, pairs):
    rows = [(key, label) for key, label in METRICS
            if any(x.get("metrics", {}).get(key) and y.get("metrics", {}).get(key) for x, y in pairs)]
    for i, (key, _) in enumerate(rows):
        ratios = np.array([y["metrics"][key] / x["metrics"][key] for x, y in pairs
                           if x.get("metrics", {}).get(key) and y.get("metrics", {}).get(key)])
        jitter = (np.arange(len(ratios)) * 0.618034 % 1 - 0.5) * 0.5
        ax.scatter(ratios, i + jitter, s=11, color=style.BLUE, alpha=0.4, linewidths=0, zorder=3)
        middle, low, high = median_interval(ratios)
        ax.plot([low, high], [i, i], color="#111111", linewidth=2.4, solid_capstyle="butt", zorder=5)
        ax.plot([middle], [i], marker="D", markersize=6, color="#111111", zorder=6)
        certain = low > 1 or high < 1
        text = f"{100 * (middle - 1):+.1f} %" + ("" if certain else ", may be chance")
        ax.annotate(text, (1, i), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points", fontsize=9,
                    va="center", color="#111111" if certain else "#777777")
    ax.set_xscale("log")
    everything = np.array([y["metrics"][key] / x["metrics"][key] for key, _ in rows for x, y in pairs
                           if x.get("metrics", {}).get(key) and y.get("metrics", {}).get(key)] or [1.0])
    low, high = min(float(everything.min()) / 1.1, 0.8), max(float(everything.max()) * 1.1, 1.25)
    ax.set_xlim(low, high)
    decades = np.log10(high / low)
    steps = (0.8, 0.9, 1, 1.1, 1.25) if decades < 0.5 else (0.1, 0.2, 0.5, 1, 2, 5, 10) if decades < 2.2 else (0.001, 0.01, 0.1, 1, 10, 100, 1000)
    ticks = [t for t in steps if low <= t <= high]
    ax.xaxis.set_major_locator(style.FixedLocator(ticks))
    ax.xaxis.set_major_formatter(style.FuncFormatter(lambda t, _: "same" if t == 1 else f"×{t:g}"))
    ax.xaxis.set_minor_locator(style.NullLocator())
    ax.axvline(1, color="#888888", linewidth=1)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(range(len(rows)), [label for _, label in rows])
    ax.tick_params(axis="y", length=0, labelsize=9.5)
    ax.grid(axis="y", visible=False)
    ax.set_title("latency of B against A, a dot per seed · diamond: median, bar: its 95 % interval", loc="left", fontsize=8.5,
                 color="#333333", pad=6)


def draw_counts(ax, pairs):
    """Orders that went wrong: of each seed, B minus A; only where there is a difference."""
    rows = []
    for key, label in COUNTS:
        gaps = np.array([y.get("metrics", {}).get(key, 0) - x.get("metrics", {}).get(key, 0) for x, y in pairs], dtype=float)
        if np.any(gaps):
            rows.append((label, gaps))
    ax.set_ylim(max(len(rows), 2) - 0.5, -0.6)
    ax.set_title("B less A, per seed", loc="left", fontsize=8.5, color="#333333", pad=6)
    if not rows:
        ax.axis("off")
        ax.text(0, 0, "no order of any seed is lost, failed, done\nagain or left open on one side only", fontsize=9, color="#444444", va="center")
        return
    for i, (_, gaps) in enumerate(rows):
        jitter = (np.arange(len(gaps)) * 0.618034 % 1 - 0.5) * 0.5 + 0.08
        worse = gaps > 0
        ax.scatter(gaps[~worse], (i + jitter)[~worse], s=11, color=style.BLUE, alpha=0.5, linewidths=0, zorder=3)
        ax.scatter(gaps[worse], (i + jitter)[worse], s=26, marker="x", color=style.VERMILLION, linewidths=1.2, zorder=4)
        ax.annotate(f"{count_text(int((gaps < 0).sum()))} fewer, {count_text(int(worse.sum()))} more", (0, i - 0.42), xycoords=("axes fraction", "data"),
                    xytext=(4, 0), textcoords="offset points", fontsize=8, va="center", ha="left", color="#444444",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1}, zorder=6)
    ax.set_xscale("symlog", linthresh=1)
    ax.xaxis.set_major_formatter(style.FuncFormatter(lambda n, _: f"{'+' if n > 0 else ''}{count_text(int(n))}"))
    ax.axvline(0, color="#888888", linewidth=1)
    ax.set_yticks(range(len(rows)), [label for label, _ in rows])
    ax.tick_params(axis="y", length=0, labelsize=9.5)
    ax.grid(axis="y", visible=False)


def draw(sides):
    if len(sides) != 2:
        raise NotARun("a comparison is of two sweeps, or of two configurations: SWEEP:A SWEEP:B")
    (a, of_a), (b, of_b) = (side.side() for side in sides)
    pairs = pairs_of(of_a, of_b)
    fig = style.plt.figure(figsize=(11, 4.4))
    ax = fig.add_axes([0.155, 0.135, 0.37, 0.62])
    draw_ratios(ax, pairs)
    draw_counts(fig.add_axes([0.785, 0.135, 0.19, 0.62]), pairs)
    style.frame(fig, finding(pairs, a, b), f"A: {sides[0].where} · B: {sides[1].where} · {sides[0].name} · {count_text(len(pairs))} seeds of both, in pairs",
                f"kraftsim compare {sides[0].where} {sides[1].where}    build {sides[0].head['build']}", left=0.02)
    return fig


def main(argv):
    return style.save(draw([Sweep(one) for one in argv[:2]]), "charts", "compare", argv[2:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

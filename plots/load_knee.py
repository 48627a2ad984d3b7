#!/usr/bin/python3
"""Load and its knee: what is done a second, and how late, against what is offered.

Of several runs each is a point, at its mean rates. Of one run whose load changes (a ramp, a burst) each stretch of time is.
"""
import sys

import numpy as np

import style
from rundata import NotDrawable, Run, count_text

KEEPS_UP = 0.95  # of what is offered
STRETCHES = 40


def points_of(runs):
    """(offered a second, done a second, p99 in ns or NaN), sorted by what is offered."""
    if len(runs) > 1:
        points = []
        for run in runs:
            seconds = max(run.load_ns / 1e9 - run.charts["first_order_ns"] / 1e9, 1e-9) if run.charts["orders"] else 1
            done = np.nansum(run.metrics["orders_fulfilled_per_s"][run.metrics["t_s"] <= run.load_ns / 1e9])
            p99 = run.summary["e2e_latency"]["p99_ns"]
            points.append((run.summary["orders"]["placed"] / seconds, done / seconds, np.nan if p99 is None else p99))
        return np.array(sorted(points))
    run = runs[0]
    at = run.metrics.get("t_s", np.array([]))
    keep = (at > run.warmup_ns / 1e9) & (at <= run.load_ns / 1e9)
    offered, done = (run.metrics[name][keep] for name in ("orders_placed_per_s", "orders_fulfilled_per_s"))
    late = run.metrics.get("e2e_latency_p99_ms", np.full(len(at), np.nan))[keep] * 1e6
    cuts = np.linspace(0, len(offered), min(STRETCHES, len(offered)) + 1).astype(int)
    points = []
    for low, high in zip(cuts, cuts[1:]):
        if high > low and offered[low:high].mean() > 0:
            known = late[low:high][~np.isnan(late[low:high])]
            points.append((offered[low:high].mean(), done[low:high].mean(), known.max() if len(known) else np.nan))
    return np.array(sorted(points))


def knee_of(points):
    """The greatest load up to which every load is kept up with, and the first that is not: (load or None, index or None)."""
    slow = np.flatnonzero(points[:, 1] < KEEPS_UP * points[:, 0])
    first = int(slow[0]) if len(slow) else None
    return (points[first - 1, 0] if first else None) if first is not None else points[-1, 0], first


def rate(value):
    return f"{float(f'{value:.3g}'):g}/s"


def finding(points):
    knee, first = knee_of(points)
    if first is None:
        return f"Every load is kept up with, {rate(points[-1, 0])} at the most"
    done = points[first, 1]
    if knee is None:
        return f"Not even {rate(points[0, 0])} is kept up with: {rate(done)} is done"
    return f"Up to {rate(knee)} is kept up with; of {rate(points[first, 0])} only {rate(done)} is done"


def draw(runs):
    if any("orders_placed_per_s" not in run.metrics for run in runs):
        raise NotDrawable("metrics.csv is not there, or is of another version")
    points = points_of(runs)
    if len(points) < 2 or points[-1, 0] < 1.3 * points[0, 0]:
        raise NotDrawable("the load is the same throughout: give several runs with different loads, or one whose load grows")
    fig = style.plt.figure(figsize=(10, 6.4))
    low = fig.add_axes([0.085, 0.115, 0.76, 0.32])
    top = fig.add_axes([0.085, 0.49, 0.76, 0.35], sharex=low)
    knee, first = knee_of(points)
    x, done, p99 = points.T
    far = x[-1] * 1.06
    top.plot([0, far], [0, far], color="#999999", linewidth=1, linestyle=(0, (4, 2)))
    top.plot(x, done, color=style.BLUE, marker="o", markersize=4, linewidth=1.6 if len(runs) > 1 else 0)
    top.set_ylim(0, max(done.max(), x[-1]) * 1.1)
    top.annotate("all that is offered", (far, far), xytext=(5, 0), textcoords="offset points", fontsize=8.5, color="#666666", annotation_clip=False)
    top.annotate("done", (x[-1], done[-1]), xytext=(8, -3), textcoords="offset points", fontsize=8.5, color=style.BLUE, annotation_clip=False)
    known = ~np.isnan(p99)
    if known.any():
        low.set_yscale("log")
        bottom, ceiling = p99[known].min() * 0.7, p99[known].max() * 1.4
        low.set_ylim(bottom, ceiling)
        style.latency_axis(low.yaxis, bottom, ceiling)
        low.plot(x[known], p99[known], color=style.BLUES["p99"], marker="o", markersize=4, linewidth=1.6 if len(runs) > 1 else 0)
        low.annotate("p99", (x[known][-1], p99[known][-1]), xytext=(8, -3), textcoords="offset points", fontsize=8.5, color=style.BLUES["p99"],
                     annotation_clip=False)
    low.set_xlim(0, far)
    if first is not None and knee is not None:
        for ax in (top, low):
            ax.axvline(knee, color=style.VERMILLION, linewidth=1.1, linestyle=(0, (6, 2)))
        top.annotate(f"knee at {rate(knee)}", (knee, 1), xycoords=("data", "axes fraction"), xytext=(-4, -9), textcoords="offset points",
                     fontsize=8.5, color=style.VERMILLION, ha="right")
    for ax, title in ((top, "orders fulfilled a second"), (low, "end-to-end latency, p99")):
        ax.set_title(title, loc="left", fontsize=8.5, color="#333333", pad=4)
    top.tick_params(axis="x", labelbottom=False)
    low.xaxis.set_major_formatter(style.FuncFormatter(lambda n, _: f"{n:g}/s"))
    top.yaxis.set_major_formatter(style.FuncFormatter(lambda n, _: f"{n:g}/s"))
    low.set_xlabel("orders offered a second")
    what = f"{len(runs)} runs, a point each" if len(runs) > 1 else f"{count_text(len(points))} stretches of one run, a point each"
    conditions = (", ".join(dict.fromkeys(run.name for run in runs)) if len(runs) > 1 else runs[0].conditions()) + f" · {what} · kept up: 95 % or more"
    style.frame(fig, finding(points), conditions, runs[0].footer(), left=0.085)
    return fig


def main(argv):
    return style.save(draw([Run(folder) for folder in argv]), f"{argv[0]}/charts", "load_knee", ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/python3
"""Percentile spectrum: how latency grows from the median out to the rarest orders; of one run, or of several compared."""
import sys

import numpy as np

import style
from rundata import Run

NINES = [(1, "p0"), (2, "p50"), (4, "p75"), (10, "p90"), (100, "p99"), (1_000, "p99.9"), (10_000, "p99.99"), (100_000, "p99.999")]
DASHES = ["-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5))]


def share_text(percent):
    """98.2, 99.95: rounded down, so that it is never more than was measured."""
    digits = 1
    while digits < 4 and percent < 100 and 100 - percent < 10**-digits:
        digits += 1
    return f"{np.floor(percent * 10**digits) / 10**digits:.{digits}f}"


def lines_of(runs):
    """(label, x, y, colour, dash, width) of every line, and bands (x, low, high)."""
    if len(runs) == 1:
        run = runs[0]
        lines = [("end to end, all services", *run.curve("end_to_end")[:2], "#00406A", "-", 2.8)]
        for i, service in enumerate(run.services):
            colour, dash = style.service_style(i)
            lines.append((f"{service} done", *run.curve("service", service)[:2], colour, dash, 1.3))
        lines.append(("acknowledged", *run.curve("acknowledged")[:2], style.GREY, "-", 1.3))
        return lines, []
    names = list(dict.fromkeys(run.name for run in runs))
    lines, bands = [], []
    colours = [style.BLUE, style.ORANGE, style.BLACK, style.GREY]
    for name in names:
        mine = [run for run in runs if run.name == name]
        if len(mine) >= 3:  # seeds of one scenario: their median, and a band from the lowest to the highest
            curves = [run.curve("end_to_end") for run in mine]
            x = np.geomspace(1, max(min(orders for _, _, orders in curves) / 3, 1), 400)
            table = [y[np.clip(np.searchsorted(far, x), 0, len(far) - 1)] for far, y, _ in curves if len(far)]
            if not table:
                continue
            i = len(bands)
            bands.append((x, np.min(table, axis=0), np.max(table, axis=0), colours[i % 4]))
            lines.append((f"{name}, {len(mine)} seeds", x, np.median(table, axis=0), colours[i % 4], DASHES[i % 4], 2.0))
            continue
        for run in mine:
            i = len(lines)
            label = f"{run.name}, seed {run.seed}" if len(names) > 1 or len(mine) > 1 else run.name
            lines.append((label, *run.curve("end_to_end")[:2], colours[i % 4], DASHES[i % 4], 2.0))
    return lines, bands


def mark_limit(ax, limit, lines, low):
    """The limit, and for each line how far out it holds."""
    ax.axhline(limit[1], color=style.VERMILLION, linewidth=1.1, linestyle=(0, (6, 2)))
    for _, x, y, *_ in lines:
        beyond = np.flatnonzero(y >= limit[1])
        if len(beyond) == 0:
            continue
        at = x[max(beyond[0] - 1, 0)]
        ax.plot([at], [limit[1]], marker="o", markersize=5, color=style.VERMILLION, zorder=5)
        ax.vlines(at, low, limit[1], color=style.VERMILLION, linewidth=0.8, linestyle=(0, (2, 2)))
        ax.annotate(f"holds to p{share_text(100 * (1 - 1 / at))}", (at, low), xytext=(4, 5), textcoords="offset points", fontsize=8.5,
                    color=style.VERMILLION, ha="left" if at < ax.get_xlim()[1] / 4 else "right",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})


def finding(runs):
    first = runs[0].summary["e2e_latency"]
    if len(runs) > 1:
        ends = [run.summary["e2e_latency"]["p99_ns"] for run in runs]
        known = [end for end in ends if end is not None]
        if not known:
            return f"{len(runs)} runs compared"
        if len(runs) == 2 and len(known) == 2:
            change = 100 * (known[1] - known[0]) / known[0]
            return f"p99 end to end went from {style.duration(known[0])} to {style.duration(known[1])} ({change:+.0f} %)"
        return f"p99 end to end lies between {style.duration(min(known))} and {style.duration(max(known))} over {len(runs)} runs"
    if first["p50_ns"] is None:
        return f"Latency of {first['count']} orders"
    orders = runs[0].summary["orders"]
    if orders["fulfilled"] < orders["placed"] / 2:
        return f"Only {100 * orders['fulfilled'] // orders['placed']} % of the orders were ever done"
    text = f"Half of all orders are done within {style.duration(first['p50_ns'])}"
    if first["p99_ns"] is not None:
        text += f"; one in a hundred takes more than {style.duration(first['p99_ns'])}"
    return text


def draw(runs):
    run = runs[0]
    fig = style.plt.figure(figsize=(10, 5.8))
    ax = fig.add_axes([0.085, 0.145, 0.7, 0.685])
    lines, bands = lines_of(runs)
    drawn = [line for line in lines if len(line[1])]
    limit = run.limit()
    if not drawn:
        ax.text(0.5, 0.5, "too few orders for any percentile", transform=ax.transAxes, ha="center", color=style.GREY)
        ax.set_xscale("log")
        ax.set_xlim(1, 10)
    else:
        far = max(line[1][-1] for line in drawn)
        values = np.concatenate([line[2] for line in drawn])
        low, high = max(values.min() * 0.8, 1), max(values.max(), limit[1] if limit else 0) * 1.3
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(1, far * 1.02)
        ax.set_ylim(low, high)
        style.latency_axis(ax.yaxis, low, high)
        for x, bottom, top, colour in bands:
            ax.fill_between(x, bottom, top, color=colour, alpha=0.18, linewidth=0)
        labels = []
        for label, x, y, colour, dash, width in drawn:
            ax.plot(x, y, color=colour, linestyle=dash, linewidth=width)
            if x[-1] >= far * 0.7:
                labels.append((y[-1], label, "#B37700" if colour == style.ORANGE else colour))
            else:
                ax.annotate(label, (x[-1], y[-1]), xytext=(4, 2), textcoords="offset points", fontsize=8.5, color=colour)
        if limit:
            mark_limit(ax, limit, drawn[:1] if len(runs) == 1 else drawn, low)
            labels.append((limit[1], f"{limit[0]} limit {style.duration(limit[1])}", style.VERMILLION))
        style.direct_labels(ax, labels)
    ticks = [(x, name) for x, name in NINES if x <= ax.get_xlim()[1] and x != 4]
    ax.xaxis.set_major_locator(style.FixedLocator([x for x, _ in ticks]))
    ax.set_xticklabels([f"{name}\n{'' if x == 1 else '1 in ' + style.count(x)}" for x, name in ticks])
    ax.xaxis.set_minor_locator(style.NullLocator())
    ax.set_xlabel("percentile of orders, at 1/(1−p) on a logarithmic axis, as far as n(1−p) ≥ 3", labelpad=6)
    ax.set_title("latency from the intended time of the order, failures at their age", loc="left", fontsize=8.5, color="#333333", pad=6)
    conditions = run.conditions() if len(runs) == 1 else " against ".join(r.conditions().split(" · warm")[0] for r in runs[:2])
    if len(runs) > 2:
        conditions = ", ".join(dict.fromkeys(r.name for r in runs)) + f" · {len(runs)} runs"
    style.frame(fig, finding(runs), conditions, run.footer(), left=0.085)
    return fig


def main(argv):
    runs = [Run(folder) for folder in argv]
    return style.save(draw(runs), f"{argv[0]}/charts", "percentile_spectrum", ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

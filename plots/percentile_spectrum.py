#!/usr/bin/python3
"""Percentile spectrum: how latency grows from the median out to the rarest orders; of one run, or of several compared."""
import re
import sys

import numpy as np

import style
from rundata import Run, wait_words

NINES = [(1, "p0"), (2, "p50"), (4, "p75"), (10, "p90"), (100, "p99"), (1_000, "p99.9"), (10_000, "p99.99"), (100_000, "p99.999")]


def share_text(percent):
    """98.2, 99.95: rounded down, so that it is never more than was measured."""
    digits = 1
    while digits < 4 and percent < 100 and 100 - percent < 10**-digits:
        digits += 1
    return f"{np.floor(percent * 10**digits) / 10**digits:.{digits}f}"


def name_of(run, runs):
    """What tells this run from the others: its scenario, the settings that not all of them have, its seed."""
    settings = {id(one): one.configuration()[1] for one in runs}
    common = set.intersection(*(set(texts) for texts in settings.values()))
    parts = [text.strip("'") for text in settings[id(run)] if text not in common]
    parts = [text.split(".")[-1] if len(text) > 28 else text for text in parts]
    if len({one.name for one in runs}) > 1 or not parts:
        parts.insert(0, run.name)
    alike = [one for one in runs if one.configuration()[0] == run.configuration()[0]]
    if len(alike) > 1 or len({one.seed for one in runs}) > 1:
        parts.append(f"seed {run.seed}")
    return ", ".join(parts)


def lines_of(runs):
    """(label, x, y, colour, dash, width) of every line, bands (x, low, high, colour), and how many are left out."""
    if len(runs) == 1:
        run = runs[0]
        lines = [("end to end, all services", *run.curve("end_to_end")[:2], "#00406A", "-", 2.8)]
        curves = [(service, *run.curve("service", service)[:2]) for service in run.services]
        shown, left_out = style.most_of(curves, lambda curve: curve[2][-1] if len(curve[2]) else 0)
        for i, (service, x, y) in enumerate(shown):
            colour, dash = style.service_style(i)
            lines.append((f"{service} done", x, y, colour, dash, 1.3))
        lines.append(("acknowledged", *run.curve("acknowledged")[:2], style.GREY, "-", 1.3))
        return lines, [], left_out
    by_configuration = {}
    for run in runs:
        by_configuration.setdefault(run.configuration()[0], []).append(run)
    lines, bands = [], []
    for mine in by_configuration.values():
        if len({run.seed for run in mine}) >= 3:  # seeds of one configuration: their median, and a band from the lowest to the highest
            curves = [run.curve("end_to_end") for run in mine]
            x = np.geomspace(1, max(min(orders for _, _, orders in curves) / 3, 1), 400)
            table = [y[np.clip(np.searchsorted(far, x), 0, len(far) - 1)] for far, y, _ in curves if len(far)]
            if not table:
                continue
            colour, dash = style.service_style(len(lines))
            bands.append((x, np.min(table, axis=0), np.max(table, axis=0), colour))
            label = name_of(mine[0], runs).rsplit(", seed", 1)[0]
            lines.append((f"{label}, {len(mine)} seeds", x, np.median(table, axis=0), colour, dash, 2.0))
            continue
        for run in mine:
            colour, dash = style.service_style(len(lines))
            lines.append((name_of(run, runs), *run.curve("end_to_end")[:2], colour, dash, 2.0))
    return lines[:8], bands, max(len(lines) - 8, 0)


def mark_limit(ax, limit, lines, low):
    """The limit; and for each line how far out it holds, if it is one of these orders and no floor."""
    for value in limit.values():
        ax.axhline(value, color=style.VERMILLION, linewidth=1.1, linestyle=(0, (6, 2)))
    if not (limit.is_of_all and limit.is_ceiling):
        return
    for _, x, y, *_ in lines:
        beyond = np.flatnonzero(y >= limit.ns)
        if len(beyond) == 0:
            continue
        at = x[max(beyond[0] - 1, 0)]
        ax.plot([at], [limit.ns], marker="o", markersize=5, color=style.VERMILLION, zorder=5)
        ax.vlines(at, low, limit.ns, color=style.VERMILLION, linewidth=0.8, linestyle=(0, (2, 2)))
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
        return f"Latency of {first['count']} orders" if first["count"] else wait_words(runs[0])[1]
    orders = runs[0].summary["orders"]
    if orders["fulfilled"] < orders["placed"] / 2:
        return f"Only {100 * orders['fulfilled'] // orders['placed']} % of the orders were ever done"
    are_all_done, head = wait_words(runs[0])
    if not are_all_done:  # what is not done counts at its age
        text = f"{head}; half of all wait at most {style.duration(first['p50_ns'])}"
        return text + (f", one in a hundred more than {style.duration(first['p99_ns'])}" if first["p99_ns"] is not None else "")
    text = f"Half of all orders are done within {style.duration(first['p50_ns'])}"
    if first["p99_ns"] is not None:
        text += f"; one in a hundred takes more than {style.duration(first['p99_ns'])}"
    return text


def draw(runs):
    run = runs[0]
    fig = style.plt.figure(figsize=(10, 5.8))
    ax = fig.add_axes([0.085, 0.145, 0.7, 0.685])
    lines, bands, left_out = lines_of(runs)
    drawn = [line for line in lines if len(line[1])]
    is_of_one = len({one.name for one in runs}) == 1  # a limit of one scenario is none of another
    limits = [limit for limit in (run.limits() if is_of_one else []) if re.fullmatch(r"p[0-9.]+|max", limit.statistic)]
    if not drawn:
        ax.text(0.5, 0.5, "too few orders for any percentile", transform=ax.transAxes, ha="center", color=style.GREY)
        ax.set_xscale("log")
        ax.set_xlim(1, 10)
    else:
        far = max(line[1][-1] for line in drawn)
        values = np.concatenate([line[2] for line in drawn])
        low, high = max(values.min() * 0.8, 1), max([values.max(), *(value for limit in limits for value in limit.values())]) * 1.3
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(1, far * 1.02)
        ax.set_ylim(low, high)
        style.latency_axis(ax.yaxis, low, high)
        for x, bottom, top, colour in bands:
            ax.fill_between(x, bottom, top, color=colour, alpha=0.18, linewidth=0)
        labels, inner = [], []
        for label, x, y, colour, dash, width in drawn:
            ax.plot(x, y, color=colour, linestyle=dash, linewidth=width)
            if x[-1] >= far * 0.7:
                labels.append((y[-1], label, style.ink(colour)))
            else:
                inner.append((x[-1], y[-1], label, style.ink(colour)))
        for limit in limits:
            mark_limit(ax, limit, drawn[:1] if len(runs) == 1 else drawn, low)
            labels.append((limit.ns, limit.words(style.duration), style.VERMILLION))
        style.direct_labels(ax, labels)
        style.end_labels(ax, inner)
    ticks = [(x, name) for x, name in NINES if x <= ax.get_xlim()[1] and x != 4]
    ax.xaxis.set_major_locator(style.FixedLocator([x for x, _ in ticks]))
    ax.set_xticklabels([f"{name}\n{'' if x == 1 else '1 in ' + style.count(x)}" for x, name in ticks])
    ax.xaxis.set_minor_locator(style.NullLocator())
    ax.set_xlabel("percentile of orders, at 1/(1−p) on a logarithmic axis, as far as n(1−p) ≥ 3", labelpad=6)
    more = f"; {left_out} lines are left out" if left_out else ""
    ax.set_title("latency from the intended time of the order, what is not done at its age" + more, loc="left", fontsize=8.5, color="#333333", pad=6)
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

#!/usr/bin/python3
"""Incident timeline: what happened to orders, and when, on one axis of simulated time."""
import sys

import numpy as np

import style
from rundata import Run, count_text

PERCENTILES = ["p50", "p90", "p99"]


def column(bins, name):
    """A column of the bins, NaN where nothing is said."""
    return np.array([np.nan if one[name] is None else one[name] for one in bins], dtype=float)


def draw_latency(ax, run, bins, width):
    middles = column(bins, "from_ns") / 1e9 + width / 2
    lines = {name: column(bins, f"{name}_ns") for name in PERCENTILES}
    worst = column(bins, "max_ns")
    known = np.concatenate([worst, *lines.values()])
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return
    limit = run.limit()
    low, high = known.min() * 0.75, max(known.max(), limit[1] if limit else 0) * 1.5
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    style.latency_axis(ax.yaxis, low, high)
    labels = []
    for name in PERCENTILES:
        ax.plot(middles, lines[name], color=style.BLUES[name], linewidth=1.6, solid_joinstyle="round")
        seen = lines[name][~np.isnan(lines[name])]
        if len(seen):
            labels.append((seen[-1], name, style.BLUES[name] if name != "p50" else "#5FA8D3"))
    ax.plot(middles, worst, linestyle="none", marker=".", markersize=3.5, color="#222222")
    labels.append((worst[~np.isnan(worst)][-1], "max", "#222222"))
    if limit:
        ax.axhline(limit[1], color=style.VERMILLION, linewidth=1.1, linestyle=(0, (6, 2)))
        labels.append((limit[1], f"{limit[0]} limit {style.duration(limit[1])}", style.VERMILLION))
    style.direct_labels(ax, labels)


def draw_outcomes(ax, run, bins, width):
    start = column(bins, "from_ns") / 1e9
    middles = start + width / 2
    parts = [("fulfilled", "#7FB8DA", None, style.BLUE), ("failed", style.VERMILLION, "////", style.VERMILLION),
             ("lost", style.VERMILLION, "xxxx", style.VERMILLION), ("open", "#BBBBBB", "....", "#555555")]
    floor = np.zeros(len(bins))
    labels = []
    for name, colour, hatch, text in parts:
        rate = column(bins, name) / width
        if rate.sum() == 0:
            continue
        total = run.summary["orders"][name]
        some = rate > 0
        ax.bar(start[some], rate[some], width, bottom=floor[some], align="edge", facecolor="white" if hatch else colour,
               edgecolor=text if hatch else colour, linewidth=0.4, hatch=hatch)
        if name in ("failed", "lost"):  # they must be seen, however few
            ax.plot(middles[some], (floor + rate)[some], linestyle="none", marker="x", markersize=5, color=text)
        labels.append(((floor + rate / 2)[some][-1], f"{name}\n{count_text(total)}", text))
        floor = floor + rate
    ax.set_ylim(0, max(floor.max() * 1.15, 1e-9))
    style.direct_labels(ax, labels, gap=2.4)


def draw_lag(ax, run):
    at = run.metrics.get("t_s", np.array([]))
    labels = []
    top = 0.0
    for i, (group, seconds) in enumerate(run.lag("kafka_consumergroup_lag_seconds").items()):
        colour, dash = style.service_style(i)
        ax.plot(np.append([0], at), np.append([0], seconds), color=colour, linestyle=dash, linewidth=1.4)
        inside = seconds[at <= run.load_ns / 1e9]
        labels.append((inside[-1] if len(inside) else 0, group, colour if colour != style.ORANGE else "#B37700"))
        top = max(top, np.nanmax(seconds) if len(seconds) else 0)
    ax.set_ylim(0, top * 1.15 if top > 0 else 1)
    style.direct_labels(ax, labels)


def spans_of(run):
    """(topic, partition) -> list of (from s, to s, leader or '', ISR size)."""
    return {(one["topic"], one["partition"]): [(span["from_ns"] / 1e9, span["to_ns"] / 1e9, "" if span["leader"] is None else str(span["leader"]),
                                                span["isr"]) for span in one["spans"]] for one in run.charts["leaders"]}


def controllers_of(run):
    """(from s, to s, process or '') of the active controller; empty if nobody told."""
    return [(span["from_ns"] / 1e9, span["to_ns"] / 1e9, span["process"] or "") for span in run.charts["controllers"]]


def draw_controllers(ax, run, spans, bottom, height):
    """A thin row above the partitions: who is the active controller."""
    nodes = sorted({span[2] for span in spans if span[2]}, key=lambda name: (len(name), name))
    for start, end, node in spans:
        if not node:
            ax.broken_barh([(start, end - start)], (bottom, height), facecolor="white", edgecolor=style.VERMILLION, hatch="/////", linewidth=0.8)
            continue
        ax.broken_barh([(start, end - start)], (bottom, height), facecolor=style.CONTROLLERS[nodes.index(node) % len(style.CONTROLLERS)],
                       edgecolor="white", linewidth=0.8)
        if end - start > 0.07 * run.load_ns / 1e9:
            ax.text(start + 0.008 * run.load_ns / 1e9, bottom + height / 2, node, fontsize=7, va="center", ha="left",
                    color="#222222", clip_on=True)


def draw_leaders(ax, run, spans, controllers):
    brokers = sorted({span[2] for rows in spans.values() for span in rows if span[2]}, key=int)
    replicas = max((span[3] for rows in spans.values() for span in rows), default=1) or 1
    keys = sorted(spans)
    for row, key in enumerate(keys):
        y = len(keys) - 1 - row
        for start, end, leader, isr in spans[key]:
            if not leader:
                ax.broken_barh([(start, end - start)], (y + 0.08, 0.84), facecolor="white", edgecolor=style.VERMILLION,
                               hatch="/////", linewidth=0.8)
                continue
            colour = style.BROKERS[brokers.index(leader) % len(style.BROKERS)]
            height = 0.84 * (isr or replicas) / replicas
            ax.broken_barh([(start, end - start)], (y + 0.08, height), facecolor=colour, edgecolor="white", linewidth=0.8)
            if end - start > 0.09 * run.load_ns / 1e9 and len(keys) <= 16:
                text = f"broker {leader}" + (f" · ISR {isr} of {replicas}" if isr and isr < replicas else "")
                thin = height < 0.35  # too thin to be written on
                ax.text(start + 0.008 * run.load_ns / 1e9, y + 0.08 + (height + 0.04 if thin else height / 2), text,
                        fontsize=7, va="bottom" if thin else "center", ha="left", color="#222222", clip_on=True)
    few = len(keys) <= 16
    ticks = [(len(keys) - 0.5 - i, f"{topic}-{number}") for i, (topic, number) in enumerate(keys)] if few else []
    top = max(len(keys), 1)
    if controllers:
        height = 0.62 * max(1.0, top / 16)  # as thin however many partitions there are
        draw_controllers(ax, run, controllers, top + 0.3 * height, height)
        ticks.insert(0, (top + 0.8 * height, "controller"))
        top += 1.4 * height
    ax.set_ylim(0, top)
    ax.set_yticks([y for y, _ in ticks])
    ax.set_yticklabels([name for _, name in ticks], fontsize=7.5)
    ax.grid(False)
    ax.tick_params(axis="y", length=0)


def fault_rows(run):
    """A row for each fault, shared by those that keep clear of each other, names included: [[(name, strikes), ...], ...]."""
    load = run.load_ns / 1e9
    strikes = {}
    for name, start, end in run.faults:
        strikes.setdefault(name, []).append((start / 1e9, end / 1e9))
    rows = []
    for name, bars in strikes.items():
        room = (0.012 + 0.0085 * len(name)) * load
        start, end = bars[0][0], bars[-1][1]
        start, end = (start, end + room) if end + room <= 1.02 * load else (start - room, end)
        row = next((row for row in rows if all(end <= a or start >= b for _, _, a, b in row)), None)
        if row is None:
            rows.append(row := [])
        row.append((name, bars, start, end))
    return [[(name, bars) for name, bars, _, _ in row] for row in rows]


def draw_faults(ax, run, rows):
    load = run.load_ns / 1e9
    for y, row in enumerate(rows):
        for name, bars in row:
            ax.broken_barh([(start, max(end - start, 0.002 * load)) for start, end in bars], (-y + 0.15, 0.7), facecolor="white",
                           edgecolor="#333333", hatch="////", linewidth=0.8)
            room = (0.012 + 0.0085 * len(name)) * load
            fits = bars[-1][1] + room <= 1.02 * load
            x, side = (bars[-1][1] + 0.006 * load, "left") if fits else (bars[0][0] - 0.006 * load, "right")
            ax.text(x, -y + 0.5, name, fontsize=8, va="center", ha=side, color="#222222")
    ax.set_ylim(-len(rows) + 1, 1)
    ax.axis("off")


NEVERTHELESS = {  # of orders that every service has done, the gravest first
    "LOST(acked)": ", {} of them gone from the log",
    "DIVERGED": ", and replicas differ",
    "DUP(log)": ", {} of them twice in the log",
    "REORDER(key)": ", {} of them in another order than they were placed in",
    "DUP(effect)": ", {} of them more than once",
}


def what_is_wrong_nevertheless(run):
    counts = {}
    for one in run.summary.get("verdicts", []):
        counts[one["verdict"]] = max(counts.get(one["verdict"], 0), one["count"])
    return next((text.format(count_text(counts[verdict])) for verdict, text in NEVERTHELESS.items() if verdict in counts), "")


def finding(run):
    orders = run.summary["orders"]
    latency = run.summary["e2e_latency"]
    bad = [f"{count_text(orders[kind])} {kind}" for kind in ("lost", "failed", "open") if orders[kind]]
    placed = f"{count_text(orders['placed'])} orders"
    wrong = what_is_wrong_nevertheless(run)
    head = f"{' and '.join(bad)} of {placed}" if bad else f"All {placed} fulfilled{wrong}"
    if wrong and not bad:
        return head
    if orders["fulfilled"] < 0.99 * orders["placed"]:
        return head  # what was never fulfilled took no time that could be told
    if latency["p99_ns"] is not None:
        return f"{head}; 99 % end to end within {style.duration(latency['p99_ns'])}, the worst {style.duration(latency['max_ns'])}"
    return f"{head}; the slowest took {style.duration(latency['max_ns'])}" if latency["count"] else head


def draw(run):
    spans = spans_of(run)
    rows = max(1, min(len(spans), 16))
    controllers = controllers_of(run)
    faults = fault_rows(run)
    heights = [2.6, 1.3, 1.3, 0.32 + 0.17 * (rows + (1 if controllers else 0))]
    names = ["latency", "outcomes", "lag", "leaders"]
    if run.faults:
        heights.insert(0, 0.25 + 0.2 * len(faults))
        names.insert(0, "faults")
    size = sum(heights) + 0.22 * len(heights) + 1.5
    fig = style.plt.figure(figsize=(11, size))
    grid = fig.add_gridspec(len(heights), 1, height_ratios=heights, left=0.09, right=0.875, top=1 - 1.0 / size, bottom=0.72 / size,
                            hspace=0.22 * len(heights) / sum(heights) * 1.6)
    axes = {}
    for i, name in enumerate(names):
        axes[name] = fig.add_subplot(grid[i], sharex=next(iter(axes.values()), None))
    bins, width = run.charts["bins"], run.charts["bin_ns"] / 1e9
    load = run.load_ns / 1e9
    if bins and run.charts["orders"]:
        draw_latency(axes["latency"], run, bins, width)
        draw_outcomes(axes["outcomes"], run, bins, width)
    draw_lag(axes["lag"], run)
    draw_leaders(axes["leaders"], run, spans, controllers)
    if run.faults:
        draw_faults(axes["faults"], run, faults)
    titles = {"latency": f"end-to-end latency of orders placed then (per {width:g} s; percentiles where n(1−p) ≥ 3)",
              "outcomes": "orders/s placed then, by what became of them", "lag": "consumer group lag: age of the oldest uncommitted record",
              "leaders": ("active controller and " if controllers else "") + "partition leaders (height = in-sync replicas; hatched = none)"}
    for name, ax in axes.items():
        if name in titles:
            ax.set_title(titles[name], loc="left", fontsize=8.5, color="#333333", pad=4)
        for _, start, end in run.faults:
            if name != "faults":
                ax.axvspan(start / 1e9, end / 1e9, color="#B0B0B0", alpha=0.22, linewidth=0, zorder=0)
        if run.warmup_ns and name not in ("faults", "leaders"):
            ax.axvspan(0, run.warmup_ns / 1e9, color="#F4F0E4", linewidth=0, zorder=0)
        if name != "leaders":
            ax.tick_params(axis="x", labelbottom=False)
    if run.warmup_ns:
        axes["latency"].annotate("warm-up", (0, 1), xycoords=("data", "axes fraction"), xytext=(3, -9), textcoords="offset points",
                                 fontsize=7.5, color="#666666")
    axes["lag"].yaxis.set_major_formatter(style.FuncFormatter(lambda s, _: f"{s:g} s"))
    axes["outcomes"].yaxis.set_major_formatter(style.FuncFormatter(lambda n, _: f"{n:g}/s"))
    axes["leaders"].set_xlim(0, load)
    axes["leaders"].xaxis.set_major_formatter(style.FuncFormatter(lambda s, _: f"{s:g} s"))
    axes["leaders"].set_xlabel("simulated time (of an order: when it was meant to be sent)")
    style.frame(fig, finding(run), run.conditions(), run.footer(), left=0.09)
    return fig


def main(argv):
    return style.save(draw(Run(argv[0])), f"{argv[0]}/charts", "incident_timeline", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/python3
"""Incident timeline: what happened to orders, and when, on one axis of simulated time."""
import sys

import numpy as np

import style
from rundata import Run, count_text, enough, percentile

PERCENTILES = [("p50", 50_000), ("p90", 90_000), ("p99", 99_000)]


WIDTHS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600)


def bin_width(seconds, orders):
    """About a hundred bins of a round width; fewer where that lets a p99 be drawn, which takes 300 orders a bin."""
    fitting = [width for width in WIDTHS if seconds / width <= 130] or [WIDTHS[-1]]
    for width in fitting:
        if seconds / width < 25:
            break
        if orders * width / seconds >= 350:
            return width
    return fitting[0]


def bins_of(run):
    """Edges in seconds; the last bin is left out if the load ends within it, for its rate would look like a drop."""
    end = run.load_ns / 1e9
    width = bin_width(end, len(run.orders["intended_ns"]))
    return np.arange(0, end + 1e-9, width), width


def draw_latency(ax, run, edges):
    at = run.orders["intended_ns"] / 1e9
    e2e = run.e2e()
    which = np.digitize(at, edges) - 1
    middles = (edges[:-1] + edges[1:]) / 2
    lines = {name: np.full(len(middles), np.nan) for name, _ in PERCENTILES}
    worst = np.full(len(middles), np.nan)
    for i in range(len(middles)):
        samples = np.sort(e2e[which == i])
        if len(samples) == 0:
            continue
        worst[i] = samples[-1]
        for name, p in PERCENTILES:
            if enough(len(samples), p):
                lines[name][i] = percentile(samples, p)
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
    for name, _ in PERCENTILES:
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


def draw_outcomes(ax, run, edges, width):
    at = run.orders["intended_ns"] / 1e9
    outcome = run.orders["outcome"]
    parts = [("fulfilled", "#7FB8DA", None, style.BLUE), ("failed", style.VERMILLION, "////", style.VERMILLION),
             ("lost", style.VERMILLION, "xxxx", style.VERMILLION), ("open", "#BBBBBB", "....", "#555555")]
    floor = np.zeros(len(edges) - 1)
    labels = []
    for name, colour, hatch, text in parts:
        rate = np.histogram(at[outcome == name], edges)[0] / width
        if rate.sum() == 0:
            continue
        total = int((outcome == name).sum())
        some = rate > 0
        middles = (edges[:-1] + edges[1:]) / 2
        ax.bar(edges[:-1][some], rate[some], width, bottom=floor[some], align="edge", facecolor="white" if hatch else colour,
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


METADATA = "__cluster_metadata"


def spans_of(run, wanted=lambda topic: not topic.startswith("__")):
    """partition -> list of (from s, to s, leader or '', ISR size); without Kafka's own topics unless they are wanted."""
    state = {}
    spans = {}
    for row in run.leadership:
        if not row["topic"] or not wanted(row["topic"]):
            continue
        key = (row["topic"], int(row["partition"]))
        at = int(row["t_ns"]) / 1e9
        now = (row["leader"], len(row["isr"].split(";")) if row["isr"] else 0)
        if key in state and state[key][1] != now and at > state[key][0]:
            spans.setdefault(key, []).append((state[key][0], at, *state[key][1]))
        if key not in state or state[key][1] != now:
            state[key] = (at, now)
    for key, (at, now) in state.items():
        spans.setdefault(key, []).append((at, run.end_ns / 1e9, *now))
    return spans


def controllers_of(run):
    """(from s, to s, node id or '') of the active controller, which leads the metadata; empty if nobody told."""
    spans = spans_of(run, lambda topic: topic == METADATA).get((METADATA, 0), [])
    return [span[:3] for span in spans]


def server_name(node):
    """Dedicated controllers are nodes 3001 and up; with combined roles a controller has its broker's id."""
    return f"controller-{int(node) - 3000}" if int(node) > 3000 else f"broker-{node}"


def draw_controllers(ax, run, spans, bottom, height):
    """A thin row above the partitions: who is the active controller."""
    nodes = sorted({span[2] for span in spans if span[2]}, key=int)
    for start, end, node in spans:
        if not node:
            ax.broken_barh([(start, end - start)], (bottom, height), facecolor="white", edgecolor=style.VERMILLION, hatch="/////", linewidth=0.8)
            continue
        ax.broken_barh([(start, end - start)], (bottom, height), facecolor=style.CONTROLLERS[nodes.index(node) % len(style.CONTROLLERS)],
                       edgecolor="white", linewidth=0.8)
        if end - start > 0.07 * run.load_ns / 1e9:
            ax.text(start + 0.008 * run.load_ns / 1e9, bottom + height / 2, server_name(node), fontsize=7, va="center", ha="left",
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
    edges, width = bins_of(run)
    load = run.load_ns / 1e9
    if len(edges) > 1 and len(run.orders["intended_ns"]):
        draw_latency(axes["latency"], run, edges)
        draw_outcomes(axes["outcomes"], run, edges, width)
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

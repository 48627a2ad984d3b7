#!/usr/bin/python3
"""Incident timeline: what happened to orders, and when, on one axis of simulated time."""
import sys

import numpy as np

import faults
import style
from rundata import Run, count_text, wait_words

PERCENTILES = ["p50", "p90", "p99"]


def column(bins, name):
    """A column of the bins, NaN where nothing is said."""
    return np.array([np.nan if one[name] is None else one[name] for one in bins], dtype=float)


def draw_latency(ax, run, bins, width):
    start = column(bins, "from_ns") / 1e9
    middles = start + width / 2
    lines = {name: column(bins, f"{name}_ns") for name in PERCENTILES}
    worst = column(bins, "max_ns")
    known = np.concatenate([worst, *lines.values()])
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return
    limits = [limit for limit in run.limits() if limit.statistic in (*PERCENTILES, "max", "p99.9")]
    low, high = known.min() * 0.75, max([known.max(), *(value for limit in limits for value in limit.values())]) * 1.5
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    style.latency_axis(ax.yaxis, low, high)
    labels = []
    for name in PERCENTILES:
        ax.plot(middles, lines[name], color=style.BLUES[name], linewidth=1.6, solid_joinstyle="round")
        seen = lines[name][~np.isnan(lines[name])]
        if len(seen):
            labels.append((seen[-1], name, style.ink(style.BLUES[name])))
    early = start + width <= run.warmup_ns / 1e9  # the summary leaves these orders out
    ax.plot(middles[~early], worst[~early], linestyle="none", marker=".", markersize=3.5, color="#222222")
    ax.plot(middles[early], worst[early], linestyle="none", marker=".", markersize=3.5, color="#BBBBBB")
    labels.append((worst[~np.isnan(worst)][-1], "max", "#222222"))
    for limit in limits:
        for value in limit.values():
            for begin, end in limit.spans:
                ax.plot([begin, end], [value, value], color=style.VERMILLION, linewidth=1.1, linestyle=(0, (6, 2)), solid_capstyle="butt")
        if limit.spans:
            labels.append((limit.ns, limit.words(style.duration).replace(" limit ", "\nlimit ", 1), style.VERMILLION))
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
    """Returns how many groups found no place."""
    at = run.metrics.get("t_s", np.array([]))
    labels = []
    top = 0.0
    groups, left_out = style.most_of(run.lag("kafka_consumergroup_lag_seconds").items(), lambda group: np.nanmax(group[1]), limit=6)
    for i, (group, seconds) in enumerate(groups):
        colour, dash = style.service_style(i)
        x, y = style.thinned(np.append([0], at), np.append([0], seconds))
        ax.plot(x, y, color=colour, linestyle=style.line_style(dash, len(at)), linewidth=1.4)
        labels.append((seconds[-1], group, style.ink(colour)))
        top = max(top, np.nanmax(seconds) if len(seconds) else 0)
    ax.set_ylim(0, top * 1.15 if top > 0 else 1)
    style.direct_labels(ax, labels)
    return left_out


def spans_of(run):
    """(topic, partition) -> list of (from s, to s, leader or '', ISR size)."""
    return {(one["topic"], one["partition"]): [(span["from_ns"] / 1e9, span["to_ns"] / 1e9, "" if span["leader"] is None else str(span["leader"]),
                                                span["isr"]) for span in one["spans"]] for one in run.charts["leaders"]}


def controllers_of(run):
    """(from s, to s, process or '') of the active controller; empty if nobody told."""
    return [(span["from_ns"] / 1e9, span["to_ns"] / 1e9, span["process"] or "") for span in run.charts["controllers"]]


def bar_words(ax, run, start, end, y, words, size=7, above=False):
    """Written into a bar, as much of it as the bar has room for: the longest of `words` that fits."""
    inches = ax.get_window_extent().width / ax.figure.dpi
    room = (end - start) / (run.end_ns / 1e9) * inches * 72 - 6  # points
    for text in words:
        if 0.6 * size * len(text) <= room:
            ax.text(start + 0.004 * run.end_ns / 1e9, y, text, fontsize=size, va="bottom" if above else "center", ha="left", color="#222222",
                    clip_on=True)
            return


def draw_controllers(ax, run, spans, bottom, height):
    """A thin row above the partitions: who is the active controller."""
    nodes = sorted({span[2] for span in spans if span[2]}, key=lambda name: (len(name), name))
    for start, end, node in spans:
        if not node:
            ax.broken_barh([(start, end - start)], (bottom, height), facecolor="white", edgecolor=style.VERMILLION, hatch="/////", linewidth=0.8)
            continue
        ax.broken_barh([(start, end - start)], (bottom, height), facecolor=style.CONTROLLERS[nodes.index(node) % len(style.CONTROLLERS)],
                       edgecolor="white", linewidth=0.8)
        bar_words(ax, run, start, end, bottom + height / 2, [node, node.rsplit("-", 1)[-1]])


MOST_PARTITIONS = 24


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
            words = [f"broker {leader}", leader]
            thin = height < 0.6  # too thin to be written on
            if isr and isr < replicas:
                words.insert(0, f"broker {leader} · ISR {isr} of {replicas}")
            if not thin or len(keys) <= 12:
                bar_words(ax, run, start, end, y + 0.08 + (height + 0.02 if thin else height / 2), words, above=thin, size=6 if thin else 7)
    ticks = [(len(keys) - 0.5 - i, f"{topic}-{number}") for i, (topic, number) in enumerate(keys)]
    top = max(len(keys), 1)
    if controllers:
        height = 0.62 * max(1.0, top / 16)  # as thin however many partitions there are
        draw_controllers(ax, run, controllers, top + 0.3 * height, height)
        ticks.insert(0, (top + 0.8 * height, "controller"))
        top += 1.4 * height
    ax.set_ylim(0, top)
    ax.set_yticks([y for y, _ in ticks])
    ax.set_yticklabels([name if len(name) <= 16 else name[:7] + "…" + name[-8:] for _, name in ticks], fontsize=7.5)
    ax.grid(False)
    ax.tick_params(axis="y", length=0)


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
    are_all_done, head = wait_words(run)
    if not run.has_summary:
        return f"What is left of a run without its summary: {head}"
    wrong = what_is_wrong_nevertheless(run) if are_all_done else ""
    if wrong or orders["fulfilled"] < 0.99 * orders["placed"] or not latency["count"]:
        return head + wrong  # what was never fulfilled took no time that could be told
    after = " after the warm-up" if run.warmup_ns and worst_of(run) > latency["max_ns"] else ""
    if not are_all_done:  # what is not done counts at its age
        known = "" if latency["p99_ns"] is None else f"; 99 % wait at most {style.duration(latency['p99_ns'])}"
        return f"{head}{known}, the longest wait is {style.duration(latency['max_ns'])}{after}"
    if latency["p99_ns"] is None:
        return f"{head}; the slowest{after} took {style.duration(latency['max_ns'])}"
    return f"{head}; 99 % end to end within {style.duration(latency['p99_ns'])}, the worst {style.duration(latency['max_ns'])}{after}"


def worst_of(run):
    """The longest wait of all, the warm-up's too."""
    return max((one["max_ns"] or 0 for one in run.charts["bins"]), default=0)


def draw(run):
    spans = spans_of(run)
    shown, quieter = style.most_of(sorted(spans), lambda key: len(spans[key]), MOST_PARTITIONS)
    spans = {key: spans[key] for key in shown}
    rows = max(1, len(spans))
    controllers = controllers_of(run)
    strikes = faults.rows_of(run)
    heights = [2.6, 1.3, 1.3, 0.32 + 0.17 * (rows + (1 if controllers else 0))]
    names = ["latency", "outcomes", "lag", "leaders"]
    if strikes:
        heights.insert(0, faults.height(strikes))
        names.insert(0, "faults")
    size = sum(heights) + 0.22 * len(heights) + 1.5
    fig = style.plt.figure(figsize=(11, size))
    grid = fig.add_gridspec(len(heights), 1, height_ratios=heights, left=0.09, right=0.875, top=1 - 1.0 / size, bottom=0.72 / size,
                            hspace=0.22 * len(heights) / sum(heights) * 1.6)
    axes = {}
    for i, name in enumerate(names):
        axes[name] = fig.add_subplot(grid[i], sharex=next(iter(axes.values()), None))
    style.time_axis(axes["leaders"], run.end_ns / 1e9)
    bins, width = run.charts["bins"], run.charts["bin_ns"] / 1e9
    if bins and run.charts["orders"]:
        draw_latency(axes["latency"], run, bins, width)
        draw_outcomes(axes["outcomes"], run, bins, width)
    more_groups = draw_lag(axes["lag"], run)
    draw_leaders(axes["leaders"], run, spans, controllers)
    if strikes:
        faults.draw(axes["faults"], run, strikes)
    early = "; grey dots: warm-up" if run.warmup_ns else ""
    titles = {"latency": f"end-to-end latency of orders placed then, what is not done at its age (per {width:g} s; percentiles where n(1−p) ≥ 3{early})",
              "outcomes": "orders/s placed then, by what became of them",
              "lag": "consumer group lag: age of the oldest uncommitted record" + (f"; {more_groups} groups that lag less are left out" if more_groups else ""),
              "leaders": ("active controller and " if controllers else "") + "partition leaders (height = in-sync replicas; hatched = none)"
                         + (f"; {quieter} quieter partitions are left out" if quieter else "")}
    for name, ax in axes.items():
        if name in titles:
            ax.set_title(titles[name], loc="left", fontsize=8.5, color="#333333", pad=4)
        if name != "faults":
            faults.shade(ax, run)
        if name != "leaders":
            ax.tick_params(axis="x", labelbottom=False)
    faults.name_shades(axes["latency"], run)
    axes["lag"].yaxis.set_major_formatter(style.FuncFormatter(lambda s, _: "0" if s == 0 else style.time_text(s)))
    axes["outcomes"].yaxis.set_major_formatter(style.FuncFormatter(lambda n, _: f"{n:g}/s"))
    axes["leaders"].set_xlabel("simulated time (of an order: when it was meant to be sent)")
    style.time_axis(axes["leaders"], run.end_ns / 1e9)
    style.frame(fig, finding(run), run.conditions(), run.footer(), left=0.09)
    return fig


def main(argv):
    return style.save(draw(Run(argv[0])), f"{argv[0]}/charts", "incident_timeline", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

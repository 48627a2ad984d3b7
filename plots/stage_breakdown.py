#!/usr/bin/python3
"""Stage breakdown: where the time of an order goes, for ordinary orders and for slow ones."""
import sys

import numpy as np

import style
from rundata import Run

# Producer in blues, broker in greys, consumer in ambers: each side of the cluster is one hue, from light to dark.
LOOKS = {
    "send_wait": ("#DCEBF5", "send() waits"),
    "linger": ("#9CCBE8", "linger / batch"),
    "retry": ("#FFFFFF", "retry"),
    "network": ("#5FA8D3", "network"),
    "request_queue": ("#EDEDED", "request queue"),
    "append": ("#C4C4C4", "append"),
    "replication": ("#969696", "replication"),
    "fetch_wait": ("#FBE6B5", "fetch wait"),
    "consumer_queue": ("#F2C14E", "consumer queue"),
    "service": ("#D08C00", "service"),
}
BANDS = {(0, 50): "fastest half", (50, 90): "p50 to p90", (90, 99): "p90 to p99", (99, 100): "slowest 1 %"}
IN_WORDS = {"send_wait": "waiting for send()", "linger": "waiting in the producer (for its batch, or a leader)", "retry": "producer retries", "network": "the network",
            "request_queue": "the request queue", "append": "the append", "replication": "replication", "fetch_wait": "waiting to be fetched",
            "consumer_queue": "the consumer's queue", "service": "the service itself"}


def bands_of(run):
    """(label, number of orders, mean latency, {stage: share of that}) of each band of orders, from the fastest to the slowest."""
    rows = []
    for band in run.charts["bands"]:
        stages = band["stages_mean_ns"]
        whole = sum(stages.values())
        label = BANDS.get((band["from_percent"], band["to_percent"]), f"{band['from_percent']} to {band['to_percent']} %")
        rows.append((label, band["orders"], whole, {stage: mean / whole for stage, mean in stages.items()}))
    return rows


def finding(rows):
    if not rows:
        return "No order was fulfilled after the warm-up"
    whole = {}
    for _, number, mean, shares in rows:
        for stage, share in shares.items():
            whole[stage] = whole.get(stage, 0) + number * mean * share
    usual = max(whole, key=whole.get)
    last = rows[-1]
    slow = max(last[3], key=last[3].get)
    share = 100 * whole[usual] / max(sum(whole.values()), 1)
    if usual == slow:
        return f"The largest share of all orders' time goes to {IN_WORDS[usual]} ({share:.0f} %), of the {last[0]} too ({100 * last[3][slow]:.0f} %)"
    return f"The largest share of all orders' time goes to {IN_WORDS[usual]} ({share:.0f} %), of the {last[0]} to {IN_WORDS[slow]} ({100 * last[3][slow]:.0f} %)"


def text_width(fig, text, size):
    """In inches, as it will be drawn."""
    probe = fig.text(0, 0, text, fontsize=size)
    width = probe.get_window_extent(fig.canvas.get_renderer()).width / fig.dpi
    probe.remove()
    return width


def draw_bars(fig, ax, rows, width_inches):
    """Returns stage -> (row, left, share, whether its share is told) for those that found no room for their name."""
    nameless = {}
    named = set()
    for i, (_, _, _, shares) in enumerate(rows):
        y = len(rows) - 1 - i
        left = 0.0
        for stage, share in shares.items():
            colour, name = LOOKS[stage]
            if share > 0:
                ax.barh(y, share, left=left, height=0.62, color=colour, edgecolor="#FFFFFF" if stage != "retry" else "#555555", linewidth=0.8,
                        hatch="/////" if stage == "retry" else None)
            room = share * width_inches - 0.06
            told = False
            dark = stage in ("service", "replication")
            for text in (f"{name}\n{100 * share:.0f} %", f"{100 * share:.0f} %"):
                if room >= max(text_width(fig, line, 8) for line in text.split("\n")):
                    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2} if stage == "retry" else None
                    ax.text(left + share / 2, y, text, ha="center", va="center", fontsize=8, color="#000000" if not dark else "#111111", bbox=box,
                            linespacing=1.15)
                    if "\n" in text:
                        named.add(stage)
                    told = True
                    break
            if share >= 0.004 and share > nameless.get(stage, (0, 0, 0))[2]:
                nameless[stage] = (y, left, share, told)
            left += share
    return {stage: where for stage, where in nameless.items() if stage not in named}


def name_from_outside(fig, ax, nameless, width_inches):
    """Names, above or below the bar, for stages too narrow to hold theirs."""
    by_row = {}
    for stage, (y, left, share, told) in nameless.items():
        name = LOOKS[stage][1]
        by_row.setdefault(y, []).append((left + share / 2, name if told else f"{name} {100 * share:.1f} %"))
    for y, items in by_row.items():
        items.sort()
        widths = [text_width(fig, text, 7.5) / width_inches for _, text in items]
        gap = 0.014
        start = np.mean([x for x, _ in items]) - (sum(widths) + gap * (len(widths) - 1)) / 2
        start = min(max(start, 0.0), 1.0 - sum(widths) - gap * (len(widths) - 1))
        for (x, text), width in zip(items, widths):
            ax.text(start, y + 0.47, text, fontsize=7.5, ha="left", va="center", color="#333333")
            ax.plot([x, start + width / 2], [y + 0.31, y + 0.4], color="#777777", linewidth=0.6, clip_on=False)
            start += width + gap


def draw(run):
    rows = bands_of(run)
    size = 1.75 + 0.95 * max(len(rows), 1)
    fig = style.plt.figure(figsize=(11, size))
    left, width = 0.115, 0.755
    ax = fig.add_axes([left, 0.72 / size, width, (size - 1.75) / size])
    width_inches = 11 * width
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.5, max(len(rows), 1) - 0.35)
    if rows:
        name_from_outside(fig, ax, draw_bars(fig, ax, rows, width_inches), width_inches)
    for i, (_, number, mean, _) in enumerate(rows):
        ax.annotate(f"mean {style.duration(mean)}\n{style.count(number)} orders", (1, len(rows) - 1 - i), xytext=(8, 0),
                    textcoords="offset points", fontsize=8.5, va="center", ha="left", color="#222222", annotation_clip=False)
    ax.set_yticks([len(rows) - 1 - i for i in range(len(rows))])
    ax.set_yticklabels([row[0] for row in rows], fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(style.FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.xaxis.set_major_formatter(style.FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    ax.set_xlabel("share of the mean end-to-end latency, on the way to the service that was last")
    ax.grid(axis="y", visible=False)
    ax.spines["left"].set_visible(False)
    left_out = run.summary["orders"]["placed"] - run.summary["orders"]["fulfilled"]
    conditions = run.conditions() + (f" · {style.count(left_out)} not fulfilled are left out" if left_out else "") + \
        " · blue: producer, grey: broker, amber: consumer"
    style.frame(fig, finding(rows), conditions, run.footer(), left=0.02)
    return fig


def main(argv):
    return style.save(draw(Run(argv[0])), f"{argv[0]}/charts", "stage_breakdown", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/python3
"""Lag per consumer group: in seconds, which is what an operator promises, and in records, which is what Kafka counts."""
import sys

import numpy as np

import style
from rundata import Run


def finding(run, seconds):
    if not seconds or all(len(values) == 0 for values in seconds.values()):
        return "No consumer group read anything"
    at = run.metrics["t_s"]
    keep = (at > run.warmup_ns / 1e9) if (at > run.warmup_ns / 1e9).any() else at >= 0
    worst = max(seconds, key=lambda group: (np.nanmax(seconds[group][keep]), group))
    value = np.nanmax(seconds[worst][keep])
    when = at[keep][int(np.nanargmax(seconds[worst][keep]))]
    if value <= 0:
        return "No consumer group ever lagged"
    left = [group for group, values in seconds.items() if values[-1] > 0]
    end = "in the end nothing was left" if not left else f"in the end {' and '.join(left)} still lagged"
    return f"{worst} lagged most: {style.duration(value * 1e9)} behind at {when:g} s; {end}"


def draw_panel(ax, run, groups, title, unit):
    at = run.metrics.get("t_s", np.array([]))
    labels = []
    top = 0.0
    for i, (group, values) in enumerate(groups.items()):
        if len(values) == 0:
            continue
        colour, dash = style.service_style(i)
        ax.plot(np.append([0], at), np.append([0], values), color=colour, linestyle=dash, linewidth=1.5)
        text = "#B37700" if colour == style.ORANGE else colour
        worst = int(np.nanargmax(values))
        label = f"{group}, at most {unit(values[worst])}"
        shown = np.flatnonzero(at <= run.load_ns / 1e9)
        labels.append((values[shown[-1]] if len(shown) else values[-1], label, text))
        top = max(top, float(np.nanmax(values)))
    ax.set_ylim(0, top * 1.12 if top > 0 else 1)
    ax.set_xlim(0, max(run.end_ns / 1e9, 1e-9))
    ax.yaxis.set_major_formatter(style.FuncFormatter(lambda v, _: unit(v)))
    ax.set_title(title, loc="left", fontsize=8.5, color="#333333", pad=5)
    for name, start, end in run.faults:
        ax.axvspan(start / 1e9, end / 1e9, color="#B0B0B0", alpha=0.22, linewidth=0, zorder=0)
    if run.warmup_ns:
        ax.axvspan(0, run.warmup_ns / 1e9, color="#F4F0E4", linewidth=0, zorder=0)
    if run.end_ns > run.load_ns * 1.01:
        ax.axvline(run.load_ns / 1e9, color="#888888", linewidth=0.8, linestyle=(0, (2, 2)))
    style.direct_labels(ax, labels)


def name_faults(ax, run):
    for name, start, _ in run.faults:
        ax.annotate(name, (start / 1e9, 1), xycoords=("data", "axes fraction"), xytext=(3, -9), textcoords="offset points", fontsize=7.5,
                    color="#444444")
    if run.warmup_ns:
        ax.annotate("warm-up", (0, 1), xycoords=("data", "axes fraction"), xytext=(3, -9), textcoords="offset points", fontsize=7.5,
                    color="#666666")
    if run.end_ns > run.load_ns * 1.01:
        ax.annotate("last order placed", (run.load_ns / 1e9, 1), xycoords=("data", "axes fraction"), xytext=(-3, -9),
                    textcoords="offset points", fontsize=7.5, color="#666666", ha="right")


def draw(run):
    fig = style.plt.figure(figsize=(11, 6))
    top = fig.add_axes([0.075, 0.5, 0.715, 0.335])
    bottom = fig.add_axes([0.075, 0.125, 0.715, 0.27], sharex=top)
    seconds = run.lag("kafka_consumergroup_lag_seconds")
    draw_panel(top, run, seconds, "kafka_consumergroup_lag_seconds: age of the oldest record not yet committed",
               lambda s: "0" if s == 0 else style.duration(s * 1e9))
    draw_panel(bottom, run, run.lag("kafka_consumergroup_lag"), "kafka_consumergroup_lag: records between committed offset and high watermark",
               lambda n: style.count(int(n)) if n == int(n) else "")
    name_faults(top, run)
    top.tick_params(axis="x", labelbottom=False)
    bottom.xaxis.set_major_formatter(style.FuncFormatter(lambda s, _: f"{s:g} s"))
    bottom.set_xlabel("simulated time")
    style.frame(fig, finding(run, seconds), run.conditions(), run.footer())
    return fig


def main(argv):
    return style.save(draw(Run(argv[0])), f"{argv[0]}/charts", "lag", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

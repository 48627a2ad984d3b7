#!/usr/bin/python3
"""Lag per consumer group: in seconds, which is what an operator promises, and in records, which is what Kafka counts."""
import sys

import numpy as np

import faults
import style
from rundata import NotDrawable, Run


def finding(run, seconds):
    if not seconds or all(len(values) == 0 for values in seconds.values()):
        return "No consumer group read anything"
    at = run.metrics["t_s"]
    late = at > run.warmup_ns / 1e9
    keep = late if late.any() else at >= 0
    peak = {group: np.nanmax(values[keep]) if not np.isnan(values[keep]).all() else 0 for group, values in seconds.items()}
    worst = max(seconds, key=lambda group: (peak[group], group))
    if peak[worst] <= 0:
        return "No consumer group ever lagged"
    when = at[keep][int(np.nanargmax(seconds[worst][keep]))]
    left = [group for group, values in seconds.items() if values[-1] > 0]
    end = "in the end nothing was left" if not left else \
        f"in the end {' and '.join(left) if len(left) <= 3 else f'{len(left)} groups'} still lagged"
    return f"{worst} lagged most: {style.duration(peak[worst] * 1e9)} behind at {style.time_text(when)}; {end}"


def draw_panel(ax, run, groups, title, unit):
    at = run.metrics.get("t_s", np.array([]))
    labels = []
    top = 0.0
    shown, left_out = style.most_of(groups.items(), lambda group: np.nanmax(group[1]) if len(group[1]) else 0)
    for i, (group, values) in enumerate(shown):
        if len(values) == 0 or np.isnan(values).all():
            continue
        colour, dash = style.service_style(i)
        x, y = style.thinned(np.append([0], at), np.append([0], values))
        ax.plot(x, y, color=colour, linestyle=style.line_style(dash, len(at)), linewidth=1.5)
        labels.append((values[~np.isnan(values)][-1], f"{group}, at most {unit(np.nanmax(values))}", style.ink(colour)))
        top = max(top, float(np.nanmax(values)))
    ax.set_ylim(0, top * 1.12 if top > 0 else 1)
    ax.yaxis.set_major_formatter(style.FuncFormatter(lambda v, _: unit(v)))
    more = f"; {left_out} groups that lag less are left out" if left_out else ""
    ax.set_title(title + more, loc="left", fontsize=8.5, color="#333333", pad=5)
    faults.shade(ax, run)
    style.direct_labels(ax, labels, size=8.5 if len(labels) <= 6 else 7)


def draw(run):
    if "t_s" not in run.metrics:
        raise NotDrawable("metrics.csv is not there")
    strikes = faults.rows_of(run)
    strip = faults.height(strikes) if strikes else 0
    size = 6 + strip
    fig = style.plt.figure(figsize=(11, size))
    bottom = fig.add_axes([0.075, 0.75 / size, 0.715, 1.62 / size])
    top = fig.add_axes([0.075, 3.0 / size, 0.715, 2.0 / size], sharex=bottom)
    seconds = run.lag("kafka_consumergroup_lag_seconds")
    style.time_axis(bottom, run.end_ns / 1e9)
    draw_panel(top, run, seconds, "kafka_consumergroup_lag_seconds: age of the oldest record not yet committed",
               lambda s: "0" if s == 0 else style.duration(s * 1e9))
    draw_panel(bottom, run, run.lag("kafka_consumergroup_lag"), "kafka_consumergroup_lag: records between committed offset and high watermark",
               lambda n: style.count(int(n)) if n == int(n) else "")
    if strikes:
        above = fig.add_axes([0.075, 5.25 / size, 0.715, strip / size], sharex=bottom)
        faults.draw(above, run, strikes)
    faults.name_shades(top, run)
    top.tick_params(axis="x", labelbottom=False)
    bottom.set_xlabel("simulated time")
    style.time_axis(bottom, run.end_ns / 1e9)
    style.frame(fig, finding(run, seconds), run.conditions(), run.footer())
    return fig


def main(argv):
    return style.save(draw(Run(argv[0])), f"{argv[0]}/charts", "lag", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

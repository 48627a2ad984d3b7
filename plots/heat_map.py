#!/usr/bin/python3
"""Heat map: how many orders took how long, over time. As readable for ten million orders as for a thousand."""
import sys

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm

import faults
import style
from rundata import NotDrawable, Run, wait_words

SHADES = LinearSegmentedColormap.from_list("blues", ["#E4F1FA", "#9CCBE8", "#4C9CCB", "#00507D", "#00192B"])


def finding(run, edges, table):
    _, head = wait_words(run)
    rows = table.sum(axis=0)
    busiest = int(np.argmax(rows))
    share = 100 * rows[busiest] / rows.sum()
    return f"{head}; most often they wait {style.duration(edges[busiest])} to {style.duration(edges[busiest + 1])} ({share:.0f} %)"


def draw(run):
    heat = run.charts.get("heat")
    if not heat or not heat["edges_ns"]:
        raise NotDrawable("charts.json has no heat map of orders: none was placed, or another version wrote it")
    edges = np.array(heat["edges_ns"], dtype=float)
    table = np.array(heat["orders"], dtype=float)  # a row per bin of time, a column per step of latency
    width = run.charts["bin_ns"] / 1e9
    strikes = faults.rows_of(run)
    strip = faults.height(strikes) if strikes else 0
    size = 5.2 + strip
    fig = style.plt.figure(figsize=(11, size))
    ax = fig.add_axes([0.085, 0.72 / size, 0.77, 3.45 / size])
    ax.set_yscale("log")
    ax.set_ylim(edges[0], edges[-1])
    style.latency_axis(ax.yaxis, edges[0], edges[-1])
    mesh = ax.pcolormesh(np.arange(len(table) + 1) * width, edges, np.ma.masked_less(table.T, 1), cmap=SHADES, norm=LogNorm(1, max(table.max(), 2)),
                         rasterized=True)
    style.time_axis(ax, run.end_ns / 1e9)
    faults.shade(ax, run)
    for limit in run.limits():
        for value in limit.values():
            for begin, end in limit.spans:
                ax.plot([begin, end], [value, value], color=style.VERMILLION, linewidth=1.1, linestyle=(0, (6, 2)))
    bar = fig.colorbar(mesh, cax=fig.add_axes([0.875, 0.72 / size, 0.014, 3.45 / size]))
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(style.FuncFormatter(lambda n, _: style.count(int(n))))
    bar.ax.yaxis.set_minor_locator(style.NullLocator())
    bar.ax.set_title("orders", fontsize=8, loc="left", color="#333333")
    ax.set_title(f"end-to-end latency of orders placed then, what is not done at its age (a column per {width:g} s)", loc="left", fontsize=8.5,
                 color="#333333", pad=4)
    faults.name_shades(ax, run)
    ax.set_xlabel("simulated time (of an order: when it was meant to be sent)")
    if strikes:
        faults.draw(fig.add_axes([0.085, 4.5 / size, 0.77, strip / size], sharex=ax), run, strikes)
    style.frame(fig, finding(run, edges, table), run.conditions(), run.footer(), left=0.085)
    return fig


def main(argv):
    return style.save(draw(Run(argv[0])), f"{argv[0]}/charts", "heat_map", argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

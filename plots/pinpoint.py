#!/usr/bin/python3
"""When a failure became certain: the share of futures, from copies of the world at each instant, that fail."""
import sys

import numpy as np

import style
from sweepdata import Pinpoint, wilson


def seconds(ns):
    return ns / 1e9


def finding(data):
    moments = [moment for moment in data["moments"] if moment["of"]]
    if moments and all(moment["failed"] == moment["of"] for moment in moments):
        return "It was certain from the beginning"
    return f"It became certain between {seconds(data['not_yet_ns']):.3g} s and {seconds(data['certain_ns']):.3g} s"


def draw(pinpoint):
    data = pinpoint.data
    moments = [moment for moment in data["moments"] if moment["of"]]
    fig = style.plt.figure(figsize=(11, 5))
    ax = fig.add_axes([0.075, 0.14, 0.895, 0.6])
    end = max(seconds(data["end_ns"]), 1e-9)
    ax.set_xlim(0, end)
    ax.set_ylim(-0.04, 1.06)
    for fault in data["faults"]:
        start, stop = seconds(fault["from_ns"]), seconds(fault["to_ns"])
        ax.axvspan(start, max(stop, start + end / 400), color="#B0B0B0", alpha=0.25, linewidth=0, zorder=0)
    for row, fault in enumerate(sorted(data["faults"], key=lambda one: one["from_ns"])):
        ax.annotate(fault["name"], (seconds(fault["from_ns"]), 1), xycoords=("data", "axes fraction"), xytext=(2, 4 + 10 * (row % 3)),
                    textcoords="offset points", fontsize=7.5, color="#444444")
    at = np.array([seconds(moment["at_ns"]) for moment in moments])
    share = np.array([moment["failed"] / moment["of"] for moment in moments])
    bounds = np.array([wilson(moment["failed"], moment["of"]) for moment in moments]) if moments else np.zeros((0, 2))
    if len(at):
        ax.fill_between(at, bounds[:, 0], bounds[:, 1], color=style.BLUE, alpha=0.13, linewidth=0, zorder=1)
        ax.plot(at, share, color=style.BLUE, linewidth=1.6, zorder=3)
        sure = share == 1
        ax.scatter(at[~sure], share[~sure], s=26, color=style.BLUE, zorder=4)
        ax.scatter(at[sure], share[sure], s=34, marker="x", color=style.VERMILLION, linewidths=1.6, zorder=4)
    start, stop = seconds(data["not_yet_ns"]), seconds(data["certain_ns"])
    ax.axvspan(start, max(stop, start + end / 300), color=style.VERMILLION, alpha=0.25, linewidth=0, zorder=2)
    lines = data["around"][:5]
    to_the_right = stop < 0.55 * end
    ax.annotate("\n".join(line if len(line) <= 78 else line[:75] + "..." for line in lines), (stop if to_the_right else start, 0.47),
                xytext=(9 if to_the_right else -9, 0), textcoords="offset points", fontsize=8, color="#222222", va="center",
                ha="left" if to_the_right else "right", linespacing=1.5, zorder=6,
                bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "#CCCCCC", "alpha": 0.92})
    ax.yaxis.set_major_locator(style.FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.yaxis.set_major_formatter(style.FuncFormatter(lambda v, _: f"{100 * v:g} %"))
    ax.xaxis.set_major_formatter(style.FuncFormatter(lambda s, _: f"{s:g} s"))
    ax.set_xlabel("simulated time from which the world goes on with other random numbers")
    ax.set_ylabel("futures that fail")
    futures = max((moment["of"] for moment in moments), default=0)
    style.frame(fig, f"{data['failure']}: {finding(data)[0].lower() + finding(data)[1:]}",
                f"{data['scenario']} · seed {data['seed']} · {futures} futures from each instant, with the 95 % interval of their share",
                f"kraftsim pinpoint {data['scenario']} --seed {data['seed']}")
    return fig


def main(argv):
    pinpoint = Pinpoint(argv[0])
    return style.save(draw(pinpoint), pinpoint.file.parent / "charts", pinpoint.file.stem, argv[1:] or ["png", "svg"])


if __name__ == "__main__":
    main(sys.argv[1:])

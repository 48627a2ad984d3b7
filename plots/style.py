"""The shared look of all charts, and how they are saved.

Blue, orange and black with a dash of their own stand for the services; vermillion for limits and losses only. Every
chart reads in greyscale, names its lines directly, says in its title what was found, beneath it under which
conditions, and at its foot how to see it again. The same data gives the same bytes: no dates, fixed ids.
"""
import math
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator  # noqa: E402

BLUE = "#0072B2"
ORANGE = "#E69F00"
BLACK = "#000000"
VERMILLION = "#D55E00"
GREY = "#6E6E6E"
PALE = "#E8E8E8"
BLUES = {"p50": "#9CCBE8", "p90": "#4C9CCB", "p99": "#00507D"}  # one hue, light to dark
SERVICES = [(BLUE, "-"), (ORANGE, (0, (5, 1.5))), (BLACK, (0, (1.5, 1.5))), (GREY, (0, (6, 1.5, 1.5, 1.5)))]
CONTROLLERS = ["#DADADA", "#B9B9B9", "#EFEFEF", "#A3A3A3", "#C9C9C9"]
BROKERS = ["#56B4E9", "#F0D58C", "#8C8C8C", "#B7E3D0", "#D9B3CC", "#C8C8C8"]

plt.rcParams.update({
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.8,
    "axes.labelcolor": "#222222",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "kraftsim",
    "svg.fonttype": "path",
    "path.simplify": True,
    "agg.path.chunksize": 10000,
})


def duration(ns):
    """12.1 ms, from nanoseconds, to three digits."""
    for unit, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= unit:
            return f"{float(f'{ns / unit:.3g}'):g} {name}"
    return f"{ns:.0f} ns"


def count(n):
    return f"{n:,}".replace(",", " ")


def service_style(index):
    return SERVICES[index % len(SERVICES)]


def latency_axis(axis, low, high):
    """Ticks of a logarithmic axis in ns at 1, 2 and 5, with real units; only decades when there are many."""
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades <= 2.2 else (1, 3) if decades <= 3 else (1,)
    ticks = [s * 10.0**e for e in range(2, 14) for s in steps if low <= s * 10.0**e <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda ns, _: duration(ns)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def direct_labels(ax, labels, x=1.0, size=8.5, gap=1.15):
    """Names lines at the right edge. labels: (y in data, text, colour); moved apart where they would overlap."""
    if not labels:
        return
    ax.figure.canvas.draw()
    to_axes = ax.transData + ax.transAxes.inverted()
    height = ax.get_window_extent().height / ax.figure.dpi * 72  # points
    step = size * gap / height
    x0 = ax.get_xlim()[0]
    placed = sorted(((min(max(to_axes.transform((x0, y))[1], 0.0), 1.0), text, colour) for y, text, colour in reversed(labels)),
                    key=lambda item: item[0])  # of two at the same height, the first named stands above
    ys = [item[0] for item in placed]
    for _ in range(200):  # push neighbours apart until none overlap
        moved = False
        for i in range(len(ys) - 1):
            lack = step - (ys[i + 1] - ys[i])
            if lack > 1e-6:
                ys[i] -= lack / 2
                ys[i + 1] += lack / 2
                moved = True
        if ys and ys[0] < step / 2:
            ys[0] = step / 2
        if not moved:
            break
    for y, (_, text, colour) in zip(ys, placed):
        ax.annotate(text, (x, y), xycoords="axes fraction", xytext=(5, 0), textcoords="offset points", color=colour,
                    fontsize=size, va="center", ha="left", annotation_clip=False)


def frame(fig, title, subtitle, footer, left=0.075):
    """Title with the finding, subtitle with the conditions, footer with the command that repeats the run."""
    height = fig.get_size_inches()[1]
    fig.text(left, 1 - 0.22 / height, title, fontsize=13, fontweight="bold", va="top", ha="left", color="#111111")
    fig.text(left, 1 - 0.52 / height, subtitle, fontsize=9, va="top", ha="left", color="#444444")
    fig.text(left, 0.12 / height, footer, fontsize=7.5, va="bottom", ha="left", color="#666666", family="DejaVu Sans Mono")


def save(fig, folder, name, formats):
    """Writes folder/name.<format> for each format and closes the figure; returns what was written."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None, "Producer": None, "Creator": None}}
    written = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        fig.savefig(path, dpi=160, metadata=nothing[kind])
        written.append(path)
    plt.close(fig)
    return written

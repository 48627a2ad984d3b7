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
import numpy as np  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullFormatter, NullLocator  # noqa: E402

BLUE = "#0072B2"
ORANGE = "#E69F00"
BLACK = "#000000"
VERMILLION = "#D55E00"
GREY = "#6E6E6E"
PALE = "#E8E8E8"
BLUES = {"p50": "#9CCBE8", "p90": "#4C9CCB", "p99": "#00507D"}  # one hue, light to dark
SERVICES = [(BLUE, "-"), (ORANGE, (0, (5, 1.5))), (BLACK, (0, (1.5, 1.5))), ("#8A8A8A", (0, (6, 1.5, 1.5, 1.5))), ("#009E73", (0, (9, 2))),
            ("#A04A7D", (0, (3, 1, 1, 1, 1, 1))), ("#56B4E9", (0, (1, 3))), ("#6A5000", (0, (12, 2, 3, 2)))]
INKS = {ORANGE: "#9A6200", "#8A8A8A": "#666666", "#56B4E9": "#2A7FB0", "#9CCBE8": "#3E86B5", "#009E73": "#00714F"}  # dark enough for text
CONTROLLERS = ["#DADADA", "#B9B9B9", "#EFEFEF", "#A3A3A3", "#C9C9C9"]
BROKERS = ["#56B4E9", "#F0D58C", "#8C8C8C", "#B7E3D0", "#D9B3CC", "#C8C8C8"]

plt.rcdefaults()  # whatever a matplotlibrc says
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
    "svg.fonttype": "none",
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


def ink(colour):
    """For text about a line of this colour."""
    return INKS.get(colour, colour)


def line_style(dash, points):
    """Dashes of a line with very many points make a blot: such a line is drawn through."""
    return dash if points <= 900 else "-"


def thinned(at, values, most=900):
    """A line of at most about so many points: of each stretch the highest, so that no peak is lost."""
    if len(at) <= most:
        return at, values
    cuts = np.linspace(0, len(at), most + 1).astype(int)
    picked = [low + int(np.nanargmax(values[low:high])) for low, high in zip(cuts, cuts[1:]) if high > low and not np.isnan(values[low:high]).all()]
    return at[picked], values[picked]


def time_text(s):
    """45 s, 12 min, 3 h: an instant of a run."""
    if s >= 7200 and s % 60 == 0:
        return f"{int(s // 3600)} h" + (f" {int(s % 3600 // 60)} min" if s % 3600 else "")
    if s >= 120 and s % 60 == 0:
        return f"{int(s // 60)} min"
    return f"{s:g} s"


def time_axis(ax, end_s):
    """Whole seconds, minutes and hours, as clocks have them."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
    step = next((step for step in steps if end_s / step <= 12), 86400 * math.ceil(end_s / 86400 / 12))
    ax.set_xlim(0, end_s)
    ax.xaxis.set_major_locator(MultipleLocator(step))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda s, _: time_text(round(s, 6)) if step >= 60 else f"{round(s, 6):g} s"))


def most_of(items, weight, limit=8):
    """(those with the greatest weight, in their order; how many are left out)."""
    items = list(items)
    kept = set(sorted(range(len(items)), key=lambda i: (-weight(items[i]), i))[:limit])
    return [item for i, item in enumerate(items) if i in kept], len(items) - len(kept)


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


def end_labels(ax, labels, size=8.5):
    """Names lines where they end. labels: (x, y in data, text, colour); moved apart where they would overlap."""
    ax.figure.canvas.draw()
    scale = 72 / ax.figure.dpi
    renderer = ax.figure.canvas.get_renderer()
    boxes = []  # of what is placed: left, bottom, right, top in points
    for x, y, text, colour in sorted(labels, key=lambda one: one[1]):
        at = ax.transData.transform((x, y)) * scale
        probe = ax.figure.text(0, 0, text, fontsize=size)
        width = probe.get_window_extent(renderer).width * scale
        probe.remove()
        left, bottom = at[0] + 4, at[1] - size / 2
        for _, low, right, top in sorted(boxes, key=lambda box: box[1]):
            if left < right and bottom < top and bottom + size * 1.15 > low:
                bottom = top
        boxes.append((left, bottom, left + width, bottom + size * 1.15))
        ax.annotate(text, (x, y), xytext=(4, bottom + size / 2 - at[1]), textcoords="offset points", fontsize=size, color=colour, va="center")


def fitted(fig, text, size, smallest, left, **looks):
    """A line of text as large as fits between `left` and the right edge, and not smaller than `smallest`."""
    line = fig.text(left, 0, text, fontsize=size, **looks)
    room = fig.get_window_extent().width * (0.985 - left)
    while size > smallest and line.get_window_extent(fig.canvas.get_renderer()).width > room:
        size -= 0.25
        line.set_fontsize(size)
    while line.get_window_extent(fig.canvas.get_renderer()).width > room and len(text) > 20:
        text = text[:-2]
        line.set_text(text + "…")
    return line


def frame(fig, title, subtitle, footer, left=0.075):
    """Title with the finding, subtitle with the conditions, footer with the command that repeats the run."""
    height = fig.get_size_inches()[1]
    for text, size, smallest, y, looks in (
            (title, 13, 8.5, 1 - 0.22 / height, {"fontweight": "bold", "va": "top", "color": "#111111"}),
            (subtitle, 9, 6.5, 1 - 0.52 / height, {"va": "top", "color": "#444444"}),
            (footer, 7.5, 5, 0.12 / height, {"va": "bottom", "color": "#666666", "family": "DejaVu Sans Mono"})):
        fitted(fig, text, size, smallest, left, ha="left", **looks).set_y(y)


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

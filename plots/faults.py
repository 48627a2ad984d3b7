"""Faults above the panels of a chart: a row for each, shared by those that keep clear of each other, names included."""


def rows_of(run):
    """[[(name, strikes in s), ...], ...]"""
    span = run.end_ns / 1e9
    strikes = {}
    for name, start, end in run.faults:
        strikes.setdefault(name, []).append((start / 1e9, end / 1e9))
    rows = []
    for name, bars in strikes.items():
        room = _room(name, span)
        start, end = bars[0][0], bars[-1][1]
        start, end = (start, end + room) if end + room <= 1.02 * span else (start - room, end)
        row = next((row for row in rows if all(end <= a or start >= b for _, _, a, b in row)), None)
        if row is None:
            rows.append(row := [])
        row.append((name, bars, start, end))
    return [[(name, bars) for name, bars, _, _ in row] for row in rows]


def _room(name, span):
    return (0.012 + 0.0085 * len(name)) * span


MOST_ROWS = 12


def height(rows):
    """In inches."""
    return 0.25 + 0.2 * min(len(rows), MOST_ROWS + 1)


def draw(ax, run, rows):
    span = run.end_ns / 1e9
    shown = rows[:MOST_ROWS]
    for y, row in enumerate(shown):
        for name, bars in row:
            ax.broken_barh([(start, max(end - start, 0.002 * span)) for start, end in bars], (-y + 0.15, 0.7), facecolor="white",
                           edgecolor="#333333", hatch="////", linewidth=0.8)
            fits = bars[-1][1] + _room(name, span) <= 1.02 * span
            x, side = (bars[-1][1] + 0.006 * span, "left") if fits else (bars[0][0] - 0.006 * span, "right")
            ax.text(x, -y + 0.5, name, fontsize=8, va="center", ha=side, color="#222222")
    bottom = -len(shown) + 1
    if len(rows) > MOST_ROWS:
        more = sum(len(row) for row in rows[MOST_ROWS:])
        ax.text(0, bottom - 0.5, f"and {more} faults more", fontsize=8, va="center", ha="left", color="#222222")
        bottom -= 1
    ax.set_ylim(bottom, 1)
    ax.axis("off")


def shade(ax, run):
    """The strikes, the warm-up and the end of the load, through a panel."""
    for _, start, end in run.faults:
        ax.axvspan(start / 1e9, end / 1e9, color="#B0B0B0", alpha=0.22, linewidth=0, zorder=0)
    if run.warmup_ns:
        ax.axvspan(0, run.warmup_ns / 1e9, color="#F4F0E4", linewidth=0, zorder=0)
    if run.end_ns > run.load_ns * 1.005:
        ax.axvline(run.load_ns / 1e9, color="#888888", linewidth=0.8, linestyle=(0, (2, 2)))


def name_shades(ax, run):
    """What the shades mean, in the panel's upper corners."""
    if run.warmup_ns > 0.04 * run.end_ns:
        ax.annotate("warm-up", (0, 1), xycoords=("data", "axes fraction"), xytext=(3, -9), textcoords="offset points", fontsize=7.5,
                    color="#666666")
    if run.end_ns > run.load_ns * 1.005:
        late = run.load_ns > 0.85 * run.end_ns
        ax.annotate("load ends", (run.load_ns / 1e9, 1), xycoords=("data", "axes fraction"), xytext=(-3 if late else 3, -9),
                    textcoords="offset points", fontsize=7.5, color="#666666", ha="right" if late else "left")

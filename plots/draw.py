#!/usr/bin/python3
"""Draws charts of runs: draw.py --chart incident_timeline,lag --format png,svg -- RUN...

Writes RUN/charts/CHART.FORMAT and says so, a line per chart. What cannot be drawn, because a file is missing or damaged,
is said, and the rest is drawn. Exit code 2 if something is not a run, or cannot be drawn.
"""
import argparse
import importlib
import sys

CHARTS = ["incident_timeline", "percentile_spectrum", "stage_breakdown", "lag", "heat_map"]
ON_REQUEST = ["load_knee", "contact_sheet"]
COMPARES = {"percentile_spectrum", "load_knee", "contact_sheet"}  # draws all runs into one picture


def main(argv):
    parser = argparse.ArgumentParser(description="Draws charts of runs.")
    parser.add_argument("--chart", default=",".join(CHARTS))
    parser.add_argument("--format", default="png,svg")
    parser.add_argument("runs", nargs="+")
    options = parser.parse_args(argv)
    try:
        from rundata import NotARun, NotDrawable, Run
        modules = {name: importlib.import_module(name) for name in options.chart.split(",")}
        import style
    except ImportError as error:
        print(f"kraftsim plot: {error}; install it with: apt-get install python3-matplotlib", file=sys.stderr)
        return 2
    is_asked_for = options.chart != ",".join(CHARTS)
    code = 0

    def complain(about):
        nonlocal code
        print(f"kraftsim plot: {about}", file=sys.stderr)
        code = 2

    runs = []
    for folder in options.runs:
        try:
            runs.append(Run(folder))
            for missing in runs[-1].missing:
                complain(f"{folder}: {missing}")
        except (NotARun, OSError, KeyError, TypeError) as error:
            complain(error if isinstance(error, NotARun) else f"{folder}: not a run of this version: {error!r}")
    for name, module in modules.items():
        groups = [runs] if name in COMPARES and runs else [[run] for run in runs]
        for group in groups:
            try:
                figure = module.draw(group) if name in COMPARES else module.draw(group[0])
                written = style.save(figure, group[0].folder / "charts", name, options.format.split(","))
                print(" ".join(str(path) for path in written))
            except NotDrawable as error:
                has_orders = group[0].summary["orders"]["placed"] > 0
                if is_asked_for or has_orders or group[0].missing:  # without an order there is nothing to tell of some charts
                    complain(f"{group[0].folder}: {name} is not drawn: {error}")
            except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
                complain(f"{group[0].folder}: {name} is not drawn: {error if isinstance(error, OSError) else repr(error)}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/python3
"""Draws charts of runs: draw.py --chart incident_timeline,lag --format png,svg -- RUN...

Writes RUN/charts/CHART.FORMAT and says so, a line per chart. Exit code 2 if something is not a run, or cannot be drawn.
"""
import argparse
import importlib
import sys

CHARTS = ["incident_timeline", "percentile_spectrum", "stage_breakdown", "lag"]
COMPARES = {"percentile_spectrum"}  # draws all runs into one picture


def main(argv):
    parser = argparse.ArgumentParser(description="Draws charts of runs.")
    parser.add_argument("--chart", default=",".join(CHARTS))
    parser.add_argument("--format", default="png,svg")
    parser.add_argument("runs", nargs="+")
    options = parser.parse_args(argv)
    try:
        from rundata import NotARun, Run
        modules = {name: importlib.import_module(name) for name in options.chart.split(",")}
        import style
    except ImportError as error:
        print(f"kraftsim plot: {error}; install it with: apt-get install python3-matplotlib", file=sys.stderr)
        return 2
    try:
        runs = [Run(folder) for folder in options.runs]
        for name, module in modules.items():
            groups = [runs] if name in COMPARES else [[run] for run in runs]
            for group in groups:
                figure = module.draw(group) if name in COMPARES else module.draw(group[0])
                written = style.save(figure, group[0].folder / "charts", name, options.format.split(","))
                print(" ".join(str(path) for path in written))
    except (NotARun, OSError, KeyError) as error:
        print(f"kraftsim plot: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/python3
"""Draws charts of sweeps and of what explains a failure: draw_sweeps.py [--chart compare] --format png,svg -- WHERE...

A sweep's folder is drawn into its charts/; a file of `pinpoint` beside it; `--chart compare` draws two sweeps, or two
configurations SWEEP:NAME, against each other into the first one's charts/. Exit code 2 if something cannot be drawn.
"""
import argparse
import pathlib
import sys


def main(argv):
    parser = argparse.ArgumentParser(description="Draws charts of sweeps.")
    parser.add_argument("--chart", default="")
    parser.add_argument("--format", default="png,svg")
    parser.add_argument("where", nargs="+")
    options = parser.parse_args(argv)
    formats, wanted = options.format.split(","), set(filter(None, options.chart.split(",")))
    try:
        import compare
        import pinpoint
        import style
        import sweep
        from rundata import NotARun
        from sweepdata import Pinpoint, Sweep
    except ImportError as error:
        print(f"kraftsim plot: {error}; install it with: apt-get install python3-matplotlib", file=sys.stderr)
        return 2
    try:
        files = [one for one in options.where if pathlib.Path(one).suffix == ".json"]
        sweeps = [Sweep(one) for one in options.where if one not in files]
        drawn = []
        if not wanted or "pinpoint" in wanted:
            for file in map(Pinpoint, files):
                drawn.append((pinpoint.draw(file), file.file.parent / "charts", file.file.stem))
        if "sweep" in wanted or (not wanted and not all(one.wanted for one in sweeps)):
            for one in sweeps:
                drawn.append((sweep.draw(one), one.folder / "charts", "sweep"))
        if "compare" in wanted or (not wanted and len(sweeps) == 2 and all(one.wanted for one in sweeps)):
            drawn.append((compare.draw(sweeps), sweeps[0].folder / "charts" if sweeps else ".", "compare"))
        if not drawn:
            raise NotARun("there is nothing of that kind to draw among these")
        for figure, folder, name in drawn:
            print(" ".join(str(path) for path in style.save(figure, folder, name, formats)))
    except (NotARun, OSError, KeyError) as error:
        print(f"kraftsim plot: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

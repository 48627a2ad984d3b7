#!/usr/bin/python3
"""Contact sheet: every chart of every run in one picture, in colour and beside it in greyscale, to be looked over."""
import io
import sys

import numpy as np

import heat_map
import incident_timeline
import lag
import percentile_spectrum
import stage_breakdown
import style
from rundata import NotDrawable, Run

CHARTS = [incident_timeline, percentile_spectrum, stage_breakdown, lag, heat_map]
MOST_RUNS = 80


def picture(figure, dpi=55):
    with io.BytesIO() as file:
        figure.savefig(file, dpi=dpi, format="png", metadata={"Software": None})
        style.plt.close(figure)
        file.seek(0)
        return style.plt.imread(file)[:, :, :3]


def grey(image):
    return np.repeat((image @ np.array([0.2126, 0.7152, 0.0722]))[:, :, None], 3, axis=2)


def draw(runs):
    rows = []
    for run in runs[:MOST_RUNS]:
        images = []
        for chart in CHARTS:
            try:
                images.append(picture(chart.draw([run] if chart is percentile_spectrum else run)))
            except NotDrawable:
                images.append(None)
        rows.append((run, images + [grey(images[0]) if images[0] is not None else None]))
    columns = len(CHARTS) + 1
    heights = [max([image.shape[0] / image.shape[1] for image in images if image is not None], default=0.5) for _, images in rows]
    width = 3.2
    size = sum(heights) * width + 0.9 + 0.25 * len(rows)
    fig = style.plt.figure(figsize=(columns * width, size))
    top = size - 0.8
    for (run, images), tall in zip(rows, heights):
        fig.text(0.005, (top - 0.05) / size, f"{run.name}, seed {run.seed}", fontsize=9, fontweight="bold", va="top")
        top -= 0.25
        for i, image in enumerate(images):
            if image is None:
                continue
            ratio = image.shape[0] / image.shape[1]
            ax = fig.add_axes([i / columns, (top - ratio * width) / size, 0.98 / columns, ratio * width / size])
            ax.imshow(image, aspect="auto", interpolation="bilinear")
            ax.axis("off")
        top -= tall * width
    more = f", the first {MOST_RUNS} of {len(runs)}" if len(runs) > MOST_RUNS else ""
    style.frame(fig, f"{len(rows)} runs{more}, a row each", "the last column is the first in greyscale", "", left=0.005)
    return fig


def main(argv):
    return style.save(draw([Run(folder) for folder in argv]), f"{argv[0]}/charts", "contact_sheet", ["png"])


if __name__ == "__main__":
    main(sys.argv[1:])

"""What is in a data set."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from pasapas.data.dataset import Dataset
from pasapas.errors import PasapasError
from pasapas.figures.style import BLUE, ORANGE, as_image, new_figure, show_image, styled, white, write_numbers
from pasapas.i18n import _, integer, ngettext

_SAMPLES = 10
_GAP = 0.1  # between images, in image widths


@styled
def dataset(training: Dataset, test: Dataset) -> Figure:
    """How many images each class has, ten training images of each, and the mean of all its training images.

    Raises PasapasError if there are no training images.
    """
    if not len(training):
        raise PasapasError(_("There are no images to train or to measure on."))
    n = int(max(training.labels.max(), test.labels.max(initial=0))) + 1
    blocks = 1 if n == 1 else 2 if n <= 26 else 3
    rows = -(-n // blocks)  # of images in a block
    height, width = as_image(training.images[0]).shape
    tile = 9.2 / (blocks * ((_SAMPLES + 1.5) * (1 + _GAP) + 1))  # inches: the width of an image
    below = rows * (1 + _GAP) * tile * height / width + 0.5
    figure = new_figure(10, 2.8 + below)
    grid = figure.add_gridspec(2, blocks, height_ratios=[2.8, below])

    counts = figure.add_subplot(grid[0, :])
    for data, name, color, hatch, shift in [
        (training, ngettext("Training ({n} image)", "Training ({n} images)", len(training)), BLUE, "", -0.2),
        (test, ngettext("Test ({n} image)", "Test ({n} images)", len(test)), ORANGE, "////", 0.2),
    ]:
        per_class = np.bincount(data.labels, minlength=n)
        label = name.format(n=integer(len(data)))
        bars = counts.bar(
            np.arange(n) + shift, per_class, 0.4, color=color, hatch=hatch, edgecolor="white", linewidth=0, label=label
        )
        if n <= 10:
            counts.bar_label(bars, [integer(count) for count in per_class], fontsize=8, padding=1)
    write_numbers(counts)
    counts.set_xticks(range(n), [str(c) for c in range(n)], fontsize=10 if n <= 26 else 6.5)
    counts.set_xlim(-0.7, n - 0.3)
    counts.margins(y=0.1)
    counts.tick_params(axis="x", bottom=False)
    counts.set(xlabel=_("Class"), ylabel=_("Images"))
    counts.grid(axis="y")
    figure.legend(loc="outside upper center", ncols=2)

    for block in range(blocks):
        classes = range(block * rows, min((block + 1) * rows, n))
        axes = figure.add_subplot(grid[1, block])
        axes.set_anchor("N")
        mosaic, down, across = _mosaic(training, classes)
        show_image(axes, mosaic, white(training.images))
        axes.set_yticks([(i + 0.5) * down for i in range(len(classes))], [str(c) for c in classes])
        axes.set_xticks([_SAMPLES / 2 * across, (_SAMPLES + 1) * across], [_("Samples"), _("Mean")])
        axes.tick_params(length=0, labeltop=True, labelbottom=False, labelsize=9 if n <= 26 else 7.5)
    return figure


def _mosaic(data: Dataset, classes: range) -> tuple[npt.NDArray[np.float64], int, int]:
    """One image of nan and of the classes' images, a class in a row, and how many pixels from one to the next."""
    height, width = as_image(data.images[0]).shape
    gap = max(1, round(_GAP * min(height, width)))
    down, across = height + gap, width + gap
    tiles = np.full((down * len(classes), across * (_SAMPLES + 1) + across // 2), np.nan)
    for i, c in enumerate(classes):
        members = np.flatnonzero(data.labels == c)
        places = [(k * across, data.images[m]) for k, m in enumerate(members[:_SAMPLES])]
        if len(members):
            places.append((_SAMPLES * across + across // 2, data.images[members].mean(axis=0)))
        for x, image in places:
            tiles[i * down : i * down + height, x : x + width] = as_image(image)
    return tiles, down, across

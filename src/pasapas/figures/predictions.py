"""What a network makes of an image, and what became of the image before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from pasapas.errors import PasapasError
from pasapas.figures.style import (
    BLUE,
    ORANGE,
    PALE,
    VERMILLION,
    as_image,
    new_figure,
    show_image,
    styled,
    write_numbers,
)
from pasapas.i18n import _, integer, percent

if TYPE_CHECKING:
    from pasapas.data.images import Prepared  # needs Pillow

_MOST_BARS = 12
_MOST_IMAGES = 100  # a larger picture would be slow to draw and hard to open


def digit(image: npt.ArrayLike, probabilities: npt.ArrayLike, label: int | None = None) -> Figure:
    """An image (h, w), what the network takes it for, and how sure it is of each class (n_classes,)."""
    return digits([(image, probabilities, label)])


@styled
def digits(answers: Sequence[tuple[npt.ArrayLike, npt.ArrayLike, int | None]]) -> Figure:
    """The same as `digit` for several (image, probabilities, label or None), two to a row.

    Of more than twelve classes, the ten most likely are shown. Raises PasapasError for no image and for more than a
    hundred.
    """
    if not answers:
        raise PasapasError(_("There is no image to draw."))
    if len(answers) > _MOST_IMAGES:
        raise PasapasError(
            _("A figure shows at most {limit} images, but there are {n}: draw them in several figures.").format(
                limit=integer(_MOST_IMAGES), n=integer(len(answers))
            )
        )
    columns = min(len(answers), 2)
    rows = -(-len(answers) // columns)
    figure = new_figure(*((7, 3.3) if columns == 1 else (10, 2.7 * rows)))
    grid = figure.add_gridspec(rows, 2 * columns, width_ratios=[1, 1.1] * columns)
    for i, (image, probabilities, label) in enumerate(answers):
        row, column = divmod(i, columns)
        P = np.asarray(probabilities).ravel()
        predicted = int(P.argmax())
        picture = figure.add_subplot(grid[row, 2 * column])
        show_image(picture, as_image(image))
        if label is None:
            title = _("Predicted: {predicted}").format(predicted=predicted)
        else:
            title = _("True: {label} | Predicted: {predicted}").format(label=label, predicted=predicted)
        picture.set_title(title, loc="center")
        _probability_bars(figure.add_subplot(grid[row, 2 * column + 1]), P, predicted, label)
    return figure


def _probability_bars(axes: Axes, P: npt.NDArray[np.floating], predicted: int, label: int | None) -> None:
    classes = np.arange(len(P)) if len(P) <= _MOST_BARS else np.argsort(-P, kind="stable")[:10]
    bars = axes.barh(range(len(classes)), 100 * P[classes], color=PALE, height=0.75)
    for bar, c in zip(bars, classes, strict=True):
        if c == predicted:
            bar.set_facecolor(BLUE if label in (None, predicted) else VERMILLION)
        elif c == label:
            bar.set(facecolor="white", edgecolor=BLUE, hatch="////")
    axes.bar_label(bars, [percent(P[c], 1) for c in classes], padding=3, fontsize=8)
    write_numbers(axes)
    axes.set_yticks(range(len(classes)), [str(c) for c in classes])
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set(xlim=(0, 122), ylim=(len(classes) - 0.4, -0.6), xlabel=_("Probability (%)"), ylabel=_("Class"))
    axes.spines["bottom"].set_bounds(0, 100)
    axes.tick_params(axis="y", left=False)


@styled
def preparation(prepared: Prepared) -> Figure:
    """A drawing's way to the network, stage by stage, with the 20 × 20 box and the centre of mass on the last."""
    top, left, bottom, right = prepared.box
    cut = prepared.ink[top:bottom, left:right]
    stages = [
        (_("1. As it came"), prepared.source),
        (_("2. The ink and its frame"), prepared.ink),
        (_("3. Cut out"), cut),
        (_("4. 28 × 28, centred"), prepared.image),
    ]
    figure = new_figure(10, 3.3)
    panels = list(figure.subplots(1, 4).flat)
    for axes, (title, image) in zip(panels, stages, strict=True):
        if image.size:
            show_image(axes, image)
        else:
            axes.axis("off")
        axes.set_title(title, loc="center")
        axes.set_anchor("N")
    if cut.size:
        panels[1].add_patch(_frame(top, left, bottom - top, right - left, "-"))

    rows, columns = np.nonzero(prepared.image)
    if len(rows):
        # the box moved with the drawing when its centre of mass was brought to the middle
        y, x = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
        panels[3].add_patch(_frame(y - 9.5, x - 9.5, 20, 20, "--"))
        box = Line2D([], [], color=ORANGE, linestyle="--")
        weights = prepared.image[rows, columns].astype(float)
        centre = (np.average(columns, weights=weights), np.average(rows, weights=weights))
        (mark,) = panels[3].plot(*centre, "P", color=VERMILLION, markeredgecolor="white", markersize=12)
        panels[3].set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5))
        figure.legend([box, mark], [_("20 × 20 box"), _("Centre of mass")], loc="outside lower right", ncols=2)
    return figure


def _frame(top: float, left: float, height: float, width: float, line: str) -> Rectangle:
    """A frame around pixels, whose centres are at whole numbers."""
    return Rectangle(
        (left - 0.5, top - 0.5), width, height, fill=False, edgecolor=ORANGE, linestyle=line, linewidth=1.8
    )

"""How far a network can be trusted: on disturbed digits, and when it may stay silent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from pasapas import metrics
from pasapas.figures.style import (
    BLUE,
    VERMILLION,
    Image,
    NumberFormatter,
    new_figure,
    styled,
    write_numbers,
)
from pasapas.i18n import _, percent, short
from pasapas.studies.robustness import Robustness

_TOP = 1.06  # the digits' places, in heights of the axes
_ZOOM = 1.2  # points for each of a digit's pixels


@styled
def robustness(results: Sequence[Robustness], undisturbed: float, example: Image) -> Figure:
    """The accuracy under each disturbance, from none to the strongest, with an example digit (h, w) above each strength.

    `undisturbed` is the accuracy, a fraction, on images as they are.
    """
    rows = -(-len(results) // 2)
    figure = new_figure(10, 0.6 + 2.9 * rows, _("Accuracy on disturbed digits"))
    panels = list(figure.subplots(rows, 2, squeeze=False).flat)
    lowest = min(undisturbed, *(min(result.accuracy) for result in results))
    for axes, result in zip(panels, results, strict=False):
        _strengths(axes, result, undisturbed, example)
        axes.set_ylim(max(0, 10 * np.floor(10 * lowest) - 4), 112)
    for axes in panels[len(results) :]:
        axes.axis("off")
    return figure


def _strengths(axes: Axes, result: Robustness, undisturbed: float, example: Image) -> None:
    disturbance = result.disturbance
    accuracy = 100 * np.array([undisturbed, *result.accuracy])
    places = range(len(accuracy))
    axes.plot(places, accuracy, "o-", color=BLUE)
    for x, y in zip(places, accuracy, strict=True):
        above = (8, 5)  # and to the right, where a falling line does not pass
        axes.annotate(percent(y / 100, 1), (x, y), above, textcoords="offset points", ha="center", fontsize=8)
    pictures = [example, *(next(disturbance.variants(example[None], s))[0] for s in disturbance.strengths)]
    for x, image in zip(places, pictures, strict=True):
        shown = OffsetImage(image, zoom=_ZOOM, cmap="gray", interpolation="nearest")
        shown.image.set_clim(0, 255)
        axes.add_artist(
            AnnotationBbox(
                shown, (x, _TOP), xycoords=("data", "axes fraction"), box_alignment=(0.5, 0), frameon=False, pad=0
            )
        )
    axes.set_xticks(places, [_("as it is"), *map(disturbance.label, disturbance.strengths)])
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.set(ylabel=_("Accuracy (%)"))
    axes.set_title(_(disturbance.title), pad=46)
    axes.yaxis.set_major_formatter(NumberFormatter())
    axes.grid(axis="y")


@styled
def abstention(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> Figure:
    """What staying silent below a confidence gives, from P (m, n_classes) and labels (m,).

    Left, the images answered and the answers that are right against the confidence asked for, whose axis is stretched
    towards 100 %; right, the wrong answers against the images answered.
    """
    figure = new_figure(10, 4.4, _("Answering only when sure"))
    left, right = figure.subplots(1, 2)

    stops = np.array([0.5, 0.9, 0.99, 0.999, 0.9999])
    asked = 1 - np.geomspace(0.5, 1e-4, 200)
    found = metrics.abstention(probabilities, labels, asked)
    left.plot(-np.log10(1 - asked), 100 * found.coverage, color=BLUE, label=_("images answered"))
    left.plot(-np.log10(1 - asked), 100 * found.accuracy, color=VERMILLION, linestyle="--", label=_("of these, right"))
    left.set_xticks(-np.log10(1 - stops), [short(100 * stop) for stop in stops])
    left.set(xlabel=_("Confidence asked for (%)"), ylabel=_("Share (%)"))
    left.set_ylim(top=100 + 0.04 * (100 - left.get_ylim()[0]))
    left.legend(loc="lower left")
    left.yaxis.set_major_formatter(NumberFormatter())

    every = metrics.abstention(probabilities, labels)
    right.plot(100 * every.coverage, 100 * (1 - every.accuracy), color=BLUE, drawstyle="steps-post")
    right.set(xlabel=_("Images answered (%)"), ylabel=_("Wrong answers among them (%)"))
    right.set_ylim(bottom=0)
    write_numbers(right)
    for axes in (left, right):
        axes.grid()
    return figure

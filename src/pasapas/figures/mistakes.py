"""Where a network is wrong, and whether it knows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from pasapas import metrics
from pasapas.errors import PasapasError
from pasapas.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    as_image,
    at_least_one,
    message,
    new_figure,
    panels,
    show_image,
    styled,
    write_numbers,
)
from pasapas.i18n import _, integer, ngettext, percent


@styled
def confusion_matrix(counts: npt.ArrayLike) -> Figure:
    """Counts (true class, predicted class), coloured by the mistakes alone, with recall and precision beside."""
    C = np.asarray(counts)
    n = len(C)
    off = ~np.eye(n, dtype=bool)
    worst = max(int(C[off].max(initial=0)), 1)
    cell, size = (0.6, 9.5) if n <= 16 else (0.36, 6.5)
    figure = new_figure(max(cell * (n + 2.6), 5), max(cell * (n + 2.6), 5))
    axes = figure.add_subplot()
    blues = colormaps["Blues"].with_extremes(bad=PALE)
    axes.imshow(np.where(off, C, np.nan), cmap=blues, vmin=0, vmax=1.25 * worst)
    for i, j in np.ndindex(n, n):
        color = "white" if off[i, j] and C[i, j] > 0.85 * worst else INK if C[i, j] or i == j else GREY
        weight = "bold" if i == j else "normal"
        axes.text(
            j,
            i,
            integer(int(C[i, j])),
            ha="center",
            va="center_baseline",
            color=color,
            fontsize=size,
            fontweight=weight,
        )

    recalls, precisions = metrics.recall(C), metrics.precision(C)
    edge = n + 0.3
    for k in range(n):
        axes.text(edge, k, _share(recalls[k]), ha="center", va="center_baseline", fontsize=size)
        axes.text(k, edge, _share(precisions[k]), ha="center", va="center_baseline", fontsize=size)
    places, names = [*range(n), edge], [str(k) for k in range(n)]
    axes.set_xticks(places, [*names, _("Recall")])
    axes.set_yticks(places, [*names, _("Precision")])
    axes.tick_params(top=False, left=False, bottom=False, labeltop=True, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set(xlim=(-0.5, edge + 0.6), ylim=(edge + 0.5, -0.5), xlabel=_("Predicted class"), ylabel=_("True class"))
    axes.spines[:].set_visible(False)
    figure.suptitle(_("Confusion matrix"), fontsize=13, fontweight="bold")
    right, total = int(C.trace()), int(C.sum())
    figure.supxlabel(
        ngettext("{right} of {n} image recognised", "{right} of {n} images recognised", total).format(
            right=integer(right), n=integer(total)
        )
        + (f" ({percent(right / total)})" if total else ""),
        fontsize=10,
    )
    return figure


def _share(fraction: float) -> str:
    return "—" if np.isnan(fraction) else percent(fraction, 1)


@styled
def worst_mistakes(images: npt.ArrayLike, labels: npt.ArrayLike, probabilities: npt.ArrayLike, n: int = 20) -> Figure:
    """The n wrong answers that the network was surest of: from images (m, ...), labels (m,) and P (m, n_classes).

    Raises PasapasError where the three do not belong together, there are no images, or n is less than 1.
    """
    at_least_one("n", n)
    pictures, true, P = np.asarray(images), np.asarray(labels), np.asarray(probabilities)
    if P.ndim != 2 or not len(pictures) == len(true) == len(P):
        raise PasapasError(
            _(
                "Images, labels and probabilities do not belong together: got {images}, {labels} and {probabilities}."
            ).format(images=pictures.shape, labels=true.shape, probabilities=P.shape)
        )
    if not P.size:
        raise PasapasError(_("There are no images to train or to measure on."))
    predicted, confidence = P.argmax(axis=1), P.max(axis=1)  # (m,), (m,)
    wrong = np.flatnonzero(predicted != true)
    if not len(wrong):
        figure = new_figure(9, 2)
        right = ngettext(
            "No mistake to show: the network is right about {n} image.",
            "No mistake to show: the network is right about all {n} images.",
            len(P),
        )
        message(figure, right.format(n=integer(len(P))))
        return figure
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:n]
    title = _("The surest mistakes ({shown} of {n})").format(shown=integer(len(shown)), n=integer(len(wrong)))
    figure = new_figure(9, 0.6 + 1.9 * -(-len(shown) // 5), title)
    for axes, i in zip(panels(figure, len(shown), 5), shown, strict=True):
        show_image(axes, as_image(pictures[i]))
        answer = _("True: {label} | Predicted: {predicted}").format(label=true[i], predicted=predicted[i])
        sure = _("Confidence: {percent}").format(percent=percent(confidence[i], 1))
        axes.set_title(f"{answer}\n{sure}", fontsize=9, fontweight="normal", loc="center")
    return figure


@styled
def calibration(calibration: metrics.Calibration) -> Figure:
    """The reliability diagram: accuracy against confidence, bin by bin, and how many images each bin holds."""
    n = len(calibration.counts)
    figure = new_figure(6.5, 6.5)
    grid = figure.add_gridspec(2, 1, height_ratios=[3, 1.2])
    top = figure.add_subplot(grid[0])
    top.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1.2, label=_("If confidence were always right"))
    some = calibration.counts > 0
    confidence, accuracy = 100 * calibration.confidence[some], 100 * calibration.accuracy[some]
    top.vlines(confidence, confidence, accuracy, color=ORANGE, linewidth=4, label=_("Gap"))
    top.plot(confidence, accuracy, "o-", color=BLUE, label=_("This network"))
    top.set(ylim=(-3, 103), ylabel=_("Accuracy (%)"))
    top.set_title(
        _("Reliability diagram (expected calibration error: {error})").format(error=percent(calibration.error))
    )
    top.tick_params(labelbottom=False)
    top.legend(loc="upper left")

    bottom = figure.add_subplot(grid[1], sharex=top)
    bars = bottom.bar((np.arange(n) + 0.5) * 100 / n, calibration.counts, 90 / n, color=PALE, edgecolor=GREY)
    bottom.bar_label(bars, [integer(count) for count in calibration.counts], fontsize=8 if n <= 15 else 5, padding=2)
    bottom.margins(y=0.2)
    bottom.set(xlim=(-3, 103), xlabel=_("Confidence (%)"), ylabel=_("Images"))
    for axes in (top, bottom):
        axes.xaxis.set_major_locator(MultipleLocator(20))
        axes.grid(axis="both" if axes is top else "y")
        write_numbers(axes)
    return figure

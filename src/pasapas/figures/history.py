"""How training went, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pasapas.errors import PasapasError
from pasapas.figures.style import BLUE, GREEN, GREY, VERMILLION, new_figure, styled, write_numbers
from pasapas.i18n import _
from pasapas.metrics import final_statistics
from pasapas.training import Epoch

_MOST_MARKERS = 40


@styled
def training_history(history: Sequence[Epoch]) -> Figure:
    """The losses (left) and accuracies in % (right) of each epoch in which they were measured, and what they gained.

    Raises PasapasError if there is no epoch.
    """
    if not history:
        raise PasapasError(_("There is no epoch to draw: train for at least one."))
    statistics = final_statistics(history)
    below = 0.28 * (len(statistics) + 1)
    figure = new_figure(9, 4 + below)
    grid = figure.add_gridspec(2, 2, height_ratios=[4, below])

    loss = figure.add_subplot(grid[0, 0])
    _curves(loss, history, ["loss", "validation_loss", "test_loss"], 1)
    loss.set_title(_("Loss (cross-entropy)"))
    loss.set_ylim(0, 1.08 * loss.dataLim.y1 or 1)

    accuracy = figure.add_subplot(grid[0, 1])
    _curves(accuracy, history, ["accuracy", "validation_accuracy", "test_accuracy"], 100)
    accuracy.set_title(_("Accuracy (%)"))
    accuracy.set_ylim(top=min(accuracy.get_ylim()[1], 100.5))

    _table(figure.add_subplot(grid[1, :]), [("", _("First epoch"), _("Last epoch"), _("Change")), *statistics])
    return figure


def _curves(axes: Axes, history: Sequence[Epoch], fields: Sequence[str], scale: float) -> None:
    looks = [(_("Training"), BLUE, "-", "o"), (_("Validation"), VERMILLION, "--", "s"), (_("Test"), GREEN, "-.", "^")]
    for field, (label, color, line, marker) in zip(fields, looks, strict=True):
        measured = [(epoch.epoch, scale * value) for epoch in history if (value := getattr(epoch, field)) is not None]
        if measured:
            epochs, values = zip(*measured, strict=True)
            shown = marker if len(measured) <= _MOST_MARKERS else None
            axes.plot(epochs, values, color=color, linestyle=line, marker=shown, label=label)
    first, last = history[0].epoch, history[-1].epoch
    beside = max(0.5, 0.02 * (last - first))
    axes.set_xlim(first - beside, last + beside)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel(_("Epoch"))
    axes.grid()
    axes.legend()
    write_numbers(axes)


def _table(axes: Axes, rows: Sequence[Sequence[str]]) -> None:
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    axes.axis("off")
    for i, row in enumerate(rows):
        for text, x in zip(row, [0.1, 0.5, 0.7, 0.9], strict=True):
            weight = "bold" if i == 0 or x == 0.1 else "normal"
            axes.text(x, i, text, ha="left" if x == 0.1 else "right", va="center", fontweight=weight)
    axes.plot([0.1, 0.9], [0.5, 0.5], color=GREY, linewidth=0.8)

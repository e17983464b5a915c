"""What a search for hyper-parameters found: how it went, which fields mattered, and which values were good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from pasapas.errors import PasapasError
from pasapas.figures.style import BLUE, GREY, INK, ORANGE, VERMILLION, NumberFormatter, new_figure, styled
from pasapas.i18n import _, number, percent
from pasapas.recipes.definition import as_text
from pasapas.searching import Choice, Range, Search, Trial, best_first

_COLUMNS = 3
_MANY = 24  # characters, together, of a field's values that have room below one panel


@styled
def search_overview(search: Search, trials: Sequence[Trial], importances: Mapping[str, float]) -> Figure:
    """The best score so far (top left), how much each field mattered (top right), and each field's values against the
    scores that they gave. Accuracies are drawn as errors, in %, so that small differences between good ones show.

    Raises PasapasError if no trial is complete.
    """
    ranked = best_first(trials, search)
    if not ranked:
        raise PasapasError(_("There is no complete trial to draw."))
    rows = -(-len(search.space) // _COLUMNS)
    figure = new_figure(11, 3.4 + 2.9 * rows)
    grid = figure.add_gridspec(1 + rows, 6, height_ratios=[3.4, *[2.9] * rows])
    _course(figure.add_subplot(grid[0, :3]), search, trials)
    _importances(figure.add_subplot(grid[0, 3:]), search, importances)
    first: Axes | None = None
    for i, dimension in enumerate(search.space):
        row, column = divmod(i, _COLUMNS)
        axes = figure.add_subplot(grid[1 + row, 2 * column : 2 * column + 2], sharey=first)
        _slice(axes, search, dimension, ranked, [trial for trial in trials if trial.finished and trial.score is None])
        axes.set_ylabel(_label(search) if column == 0 else "")
        first = first or axes
    return figure


def _label(search: Search) -> str:
    return _("Validation error (%)") if search.by_accuracy else _("Validation loss")


def _drawn(search: Search, score: float) -> float:
    """The height of a score. No error at all counts as half an image: there is no logarithm of nothing."""
    if not search.by_accuracy:
        return max(score, 1e-12)
    return 100 * max(1 - score, 0.5 / search.recipe.validation_images)


def _logarithmic(axes: Axes, axis: Axis, values: Sequence[float]) -> None:
    """A logarithmic axis with a few numbers on it, however little or much the values span."""
    low, high = min(values), max(values)
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    room = max((high / low) ** 0.08, 1.02)
    (axes.set_xlim if axis is axes.xaxis else axes.set_ylim)(low / room, high * room)
    wide = high / low
    axis.set_major_locator(
        MaxNLocator(5, steps=[1, 2, 5, 10])
        if wide < 5
        else LogLocator(subs=(1, 2, 5) if wide < 200 else (1,), numticks=9)
    )
    axis.set_major_formatter(_Plain())
    axis.set_minor_formatter(NullFormatter())


class _Plain(NumberFormatter):
    """Each number with the digits that it needs: on a logarithmic axis they differ by orders of magnitude."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        digits = max(0, 2 - int(np.floor(np.log10(abs(x))))) if x else 0
        text = f"{x:,.{min(digits, 12)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.translate(self._signs)


def _course(axes: Axes, search: Search, trials: Sequence[Trial]) -> None:
    complete = [(trial.number, _drawn(search, trial.score)) for trial in trials if trial.score is not None]
    numbers, heights = (np.array(column) for column in zip(*complete, strict=True))
    axes.plot(numbers, heights, "o", color=BLUE, markersize=5, label=_("Trial"))
    last = max(trial.number for trial in trials)
    axes.step(
        [*numbers, last],
        [*np.minimum.accumulate(heights), heights.min()],
        where="post",
        color=VERMILLION,
        label=_("Best so far"),
    )
    ended = [trial.number for trial in trials if trial.finished and trial.score is None]
    _logarithmic(axes, axes.yaxis, heights.tolist())
    if ended:
        _at_the_bottom(axes, ended, _("Ended early"))
    axes.set_title(_("How the search went"))
    axes.set_xlabel(_("Trial"))
    axes.set_ylabel(_label(search))
    axes.set_xlim(0.5, last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(NumberFormatter())
    axes.grid()
    axes.legend(loc="upper right", fontsize=9)


def _importances(axes: Axes, search: Search, importances: Mapping[str, float]) -> None:
    axes.set_title(_("What mattered"))
    if not importances:
        axes.axis("off")
        axes.text(0.5, 0.5, _("Too few complete trials to tell."), ha="center", va="center", transform=axes.transAxes)
        return
    names = list(importances)
    bars = axes.barh(names, [100 * importances[name] for name in names], color=BLUE, height=0.6)
    axes.bar_label(bars, [percent(importances[name], 0) for name in names], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel(_("Share of what sets the best trials apart (%)"))
    axes.xaxis.set_major_formatter(NumberFormatter())
    axes.tick_params(axis="y", length=0)


def _slice(
    axes: Axes, search: Search, dimension: Range | Choice, ranked: Sequence[Trial], ended: Sequence[Trial]
) -> None:
    """The score against the value of one field in all complete trials, the best one larger; at the bottom the values of
    those that ended early.
    """
    heights = [_drawn(search, trial.score) for trial in ranked if trial.score is not None]

    def places(trials: Sequence[Trial]) -> list[float]:
        values = [trial.values[dimension.field] for trial in trials if dimension.field in trial.values]
        return [float(dimension.values.index(v)) if isinstance(dimension, Choice) else float(v) for v in values]

    at = places(ranked)
    axes.plot(at[1:], heights[1:], "o", color=BLUE, markersize=5, alpha=0.7, markeredgewidth=0)
    axes.plot(at[:1], heights[:1], "D", color=ORANGE, markersize=8, markeredgecolor=INK)
    _logarithmic(axes, axes.yaxis, heights)
    _at_the_bottom(axes, places(ended))
    if isinstance(dimension, Choice):
        texts = [as_text(value) for value in dimension.values]
        crowded = sum(map(len, texts)) > _MANY
        axes.set_xticks(range(len(texts)), texts, rotation=30 if crowded else 0, ha="right" if crowded else "center")
        axes.set_xlim(-0.5, len(texts) - 0.5)
    elif dimension.log:
        _logarithmic(axes, axes.xaxis, [dimension.low, dimension.high])
    else:
        beside = 0.04 * (dimension.high - dimension.low)
        axes.set_xlim(dimension.low - beside, dimension.high + beside)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=isinstance(dimension.low, int)))
        axes.xaxis.set_major_formatter(NumberFormatter())
    axes.set_title(dimension.field)
    axes.grid()
    best, score = ranked[0].values[dimension.field], ranked[0].score or 0.0
    axes.set_xlabel(
        _("best trial: {value}, {score}").format(
            value=as_text(best) if isinstance(dimension, Choice) else number(best, _digits(best)),
            score=percent(1 - score) if search.by_accuracy else number(score),
        ),
        fontsize=9,
    )


def _at_the_bottom(axes: Axes, places: Sequence[float], label: str | None = None) -> None:
    """Marks trials that have no score, below the others."""
    where = axes.get_xaxis_transform()
    axes.plot(
        places, [0.035] * len(places), "x", color=GREY, markersize=5, markeredgewidth=1.2, transform=where, label=label
    )


def _digits(value: float) -> int:
    """Decimals that show three digits of `value`."""
    return 0 if isinstance(value, int) else max(0, 2 - int(np.floor(np.log10(abs(value))))) if value else 0

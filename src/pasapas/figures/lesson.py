"""What a loss is, and how gradient descent goes down: the pictures that need no network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pasapas.errors import PasapasError
from pasapas.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    NumberFormatter,
    new_figure,
    styled,
    write_numbers,
)
from pasapas.i18n import _, integer, number, percent
from pasapas.studies.demonstrations import (
    MOMENTUM,
    RATES,
    SCENARIOS,
    VALLEY,
    Descent,
    ValleyPath,
    cross_entropy,
    in_words,
    parabola,
    valley_loss,
)
from pasapas.studies.demonstrations import valley as valley_path

_LINES = [
    (BLUE, "o", "-"),
    (GREEN, "s", "--"),
    (INK, "D", "-"),
    (ORANGE, "^", "-."),
    (VERMILLION, "v", ":"),
    (PURPLE, "P", "--"),
    (SKY, "X", "-."),
    (GREY, "*", "-"),
]
_GOOD, _BAD = 0.9, 0.1
MOST_RATES = len(_LINES)


@styled
def loss_curve(probabilities: Sequence[float] = SCENARIOS) -> Figure:
    """−ln p against the probability p that the true class is given, and beside it the loss at `probabilities` as bars.

    Raises PasapasError for no probability and for one that is not between 0 and 1.
    """
    if not probabilities or not all(0 < p < 1 for p in probabilities):
        raise PasapasError(_("The loss is drawn at probabilities above 0 and below 1: give at least one of these."))
    figure = new_figure(10.5, 4.6)
    grid = figure.add_gridspec(1, 2, width_ratios=[1.15, 1])

    curve = figure.add_subplot(grid[0])
    x = np.linspace(0.005, 1, 400)
    curve.fill_between(100 * x, -np.log(x), color=BLUE, alpha=0.1, linewidth=0)
    curve.plot(100 * x, -np.log(x), color=BLUE)
    for place, name, color, marker, beside in [
        (_BAD, _("A bad prediction"), VERMILLION, "v", (22, 3.4)),
        (_GOOD, _("A good prediction"), GREEN, "o", (62, 1.55)),
    ]:
        loss = cross_entropy(place)
        curve.plot(100 * place, loss, marker, color=color, markersize=10, markeredgecolor="white", zorder=3)
        curve.annotate(
            f"{name}\n−ln {number(place, 1)} = {number(loss, 3)}",
            (100 * place, loss),
            beside,
            fontsize=10.5,
            linespacing=1.5,
            arrowprops={"arrowstyle": "->", "color": color, "linewidth": 1.6, "shrinkB": 8},
        )
    curve.set(xlim=(0, 100), ylim=(0, 5.4))
    curve.set(xlabel=_("Probability given to the true class (%)"), ylabel=_("Loss"))
    curve.set_title(_("The loss of one image: L = −ln p"))
    curve.grid()
    write_numbers(curve)

    bars = figure.add_subplot(grid[1])
    losses = [cross_entropy(p) for p in probabilities]
    drawn = bars.bar(range(len(losses)), losses, 0.62, edgecolor="white", linewidth=0)
    for bar, p in zip(drawn, probabilities, strict=True):
        color, hatch = (GREEN, "") if p > 0.5 else (ORANGE, "//") if p >= 0.5 else (VERMILLION, "xx")
        bar.set(facecolor=color, hatch=hatch)
    bars.bar_label(drawn, [number(loss, 3) for loss in losses], padding=4, fontsize=11, fontweight="bold")
    places = [percent(p, 0 if round(100 * p, 6).is_integer() else 1) for p in probabilities]
    bars.margins(y=0.12)
    bars.set(xlabel=_("Probability given to the true class"), ylabel=_("Loss"))
    bars.set_title(_("What the same loss says of each answer"))
    bars.grid(axis="y")
    bars.yaxis.set_major_formatter(NumberFormatter())
    bars.set_xticks(range(len(losses)), places)
    bars.tick_params(axis="x", bottom=False, labelsize=11)
    return figure


@styled
def descent(learning_rates: Sequence[float] = RATES) -> Figure:
    """Gradient descent on x² from 2.5, in 15 steps: a panel for each rate, and |x| against the step for all of them.

    Raises PasapasError for no rate, for more than eight, and for one that is not above 0 and at most 10.
    """
    if not 1 <= len(learning_rates) <= MOST_RATES or not all(0 < rate <= 10 for rate in learning_rates):
        raise PasapasError(
            _("Give 1 to {most} learning rates, each above 0 and at most 10.").format(most=integer(MOST_RATES))
        )
    descents = [parabola(rate) for rate in learning_rates]
    columns = 3 if len(descents) > 1 else 2
    rows = -(-(len(descents) + 1) // columns)
    figure = new_figure(3.9 * columns, 1.2 + 3.1 * rows, _("Gradient descent on x²: each step multiplies x by 1 − 2α"))
    grid = figure.add_gridspec(rows, columns)
    for i, (one, look) in enumerate(zip(descents, _LINES, strict=False)):
        _on_parabola(figure.add_subplot(grid[divmod(i, columns)]), one, look)
    row, column = divmod(len(descents), columns)
    distances = figure.add_subplot(grid[row, column:])
    _distances(distances, descents)
    ends = figure.axes[0].get_legend_handles_labels()
    rates = distances.get_legend_handles_labels()
    figure.legend(ends[0] + rates[0], ends[1] + rates[1], loc="outside lower center", ncols=min(len(rates[0]) + 2, 7))
    return figure


def short(value: float) -> str:
    """A number with as many decimals as it needs, six at most, and a proper minus: "0.8", "−2"."""
    digits = next((n for n in range(6) if math.isclose(value, round(value, n), abs_tol=1e-9)), 6)
    return number(value + 0.0, digits).replace("-", "−")


def _on_parabola(axes: Axes, one: Descent, look: tuple[str, str, str]) -> None:
    color, marker, _line = look
    reach = float(np.abs(one.x).max())
    edge = 3.1 if reach < 3 else min(1.15 * reach, 12.0)
    curve = np.linspace(-edge, edge, 200)
    axes.plot(curve, curve**2, color=GREY, linewidth=1.2)
    axes.plot(one.x, one.x**2, color=color, linewidth=1.3, zorder=2)
    axes.plot(one.x[1:-1], one.x[1:-1] ** 2, marker, color=color, markersize=5.5, markeredgecolor="white", zorder=3)
    axes.plot(
        one.x[0], one.x[0] ** 2, "o", color="white", markeredgecolor=INK, markersize=9, label=_("Start"), zorder=4
    )
    axes.plot(one.x[-1], one.x[-1] ** 2, "*", color=INK, markersize=11, label=_("After 15 steps"), zorder=4)
    axes.set(xlim=(-edge, edge), ylim=(-0.04 * edge**2, edge**2), xlabel="x")
    if axes.get_subplotspec().is_first_col():  # type: ignore[union-attr]
        axes.set_ylabel("x²")
    axes.set_title(f"α = {short(one.learning_rate)}\u2002{in_words(one.regime)}", fontsize=10)
    text = _("× {factor} each step").format(factor=short(one.factor))
    if reach > edge:
        text += "\n" + _("leaves the picture at step {step}").format(step=int(np.argmax(np.abs(one.x) > edge)))
    axes.text(
        0.5, 0.96, text, transform=axes.transAxes, ha="center", va="top", fontsize=10, fontweight="bold", linespacing=1.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2}, zorder=5,
    )  # fmt: skip
    write_numbers(axes)


def _distances(axes: Axes, descents: Sequence[Descent]) -> None:
    axes.set_yscale("log")
    positive = np.concatenate([np.abs(one.x[one.x != 0]) for one in descents])
    bottom, top = max(float(positive.min()) / 4, 1e-20), max(float(positive.max()) * 3, 10)
    for one, (color, marker, line) in zip(descents, _LINES, strict=False):
        distance = np.where(one.x == 0, bottom, np.abs(one.x))  # a logarithmic axis has no 0: at the bottom
        end = int(np.argmax(one.x == 0)) + 1 if (one.x == 0).any() else len(one.x)
        label = f"α = {short(one.learning_rate)}"
        axes.plot(
            range(end), distance[:end], color=color, marker=marker, linestyle=line, linewidth=1.5, ms=4.5, label=label
        )
        if end < len(one.x):
            axes.plot(end - 1, bottom, marker, color=color, ms=6, clip_on=False, zorder=4)
            axes.annotate(
                _("exactly 0"), (end - 1, bottom), (8, 5), textcoords="offset points", fontsize=9, fontweight="bold"
            )
    axes.set(ylim=(bottom, top), xlim=(-0.4, 15.4), xlabel=_("Step"))
    axes.set_title(_("|x|, on a logarithmic axis"), fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(NumberFormatter())
    axes.grid()


@styled
def valley(momentum: float = MOMENTUM) -> Figure:
    """Plain descent and descent with momentum, with the same learning rate, in a valley 40 times as steep as long."""
    paths = [valley_path(), valley_path(momentum)]
    figure = new_figure(11, 5.2)
    grid = figure.add_gridspec(2, 2, width_ratios=[1.35, 1])
    looks = [(VERMILLION, "o", "-"), (BLUE, "s", "--")]
    names = [_("Without momentum"), _("With momentum {momentum}").format(momentum=number(momentum, 1))]
    for i, (path, name, look) in enumerate(zip(paths, names, looks, strict=True)):
        _in_valley(figure.add_subplot(grid[i, 0]), path, name, look, last=i == 1)

    losses = figure.add_subplot(grid[:, 1])
    for path, name, (color, marker, line) in zip(paths, names, looks, strict=True):
        losses.plot(path.loss, color=color, linestyle=line, marker=marker, markevery=5, label=name)
    losses.set_yscale("log")
    losses.set(xlabel=_("Step"), ylabel=_("Loss"))
    losses.set_title(_("Loss, on a logarithmic axis"))
    losses.xaxis.set_major_formatter(NumberFormatter())
    losses.grid()
    losses.legend(loc="upper right")
    return figure


def _in_valley(axes: Axes, path: ValleyPath, name: str, look: tuple[str, str, str], last: bool) -> None:
    color, marker, line = look
    x, y = np.meshgrid(np.linspace(-11, 4, 300), np.linspace(-2, 2, 200))
    levels = valley_loss(path.points[0]) * 0.5 ** np.arange(9)[::-1]
    heights = valley_loss(np.stack([x, y], axis=-1))
    greys = [str(grey) for grey in np.linspace(1, 0.74, len(levels) + 1)]
    axes.contourf(x, y, heights, levels=[0, *levels, 1e9], colors=greys)
    axes.contour(x, y, heights, levels=levels, colors="white", linewidths=0.8)
    axes.plot(
        *path.points.T,
        color=color,
        linestyle=line,
        linewidth=1.2,
        marker=marker,
        ms=4,
        markeredgecolor="white",
        mew=0.5,
    )
    axes.plot(*path.points[0], "o", color="white", markeredgecolor=INK, markersize=9)
    axes.plot(0, 0, "*", color=INK, markersize=13, markeredgecolor="white")
    axes.set(xlim=(-11, 4), ylim=(-2, 2), ylabel=_("Steep: curvature {curvature}").format(curvature=integer(VALLEY[1])))
    if last:
        axes.set_xlabel(_("Flat: curvature {curvature}").format(curvature=integer(VALLEY[0])))
    else:
        axes.tick_params(labelbottom=False)
    axes.set_title(name)
    write_numbers(axes)

"""The picture of the derivation: a unit, what comes in, what follows, and which way the errors go."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from pasapas.figures.style import BLUE, GREY, INK, VERMILLION, hide_ticks, new_figure, styled

Point = tuple[float, float]

_UNIT: Point = (3.0, 1.0)
_DOWNSTREAM: tuple[Point, ...] = ((6.2, 1.75), (6.2, 0.25))
_INPUTS: tuple[Point, ...] = ((0.0, 1.9), (0.0, 1.0), (0.0, 0.1))
_ERROR: Point = (8.9, 1.0)


@styled
def chain() -> Figure:
    """Unit j between its inputs and the units k downstream: values go right in blue, errors come back dashed.

    Symbols only, the same in every language; below, the names that the code has for what stands above.
    """
    figure = new_figure(9, 3.6)
    axes = figure.add_subplot(xlim=(-0.5, 9.4), ylim=(-0.75, 2.5), aspect="equal")
    hide_ticks(axes)
    for place in _INPUTS:
        _arrow(axes, place, _UNIT, BLUE)
    for place in _DOWNSTREAM:
        _arrow(axes, _UNIT, place, BLUE, bend=0.12)
        _arrow(axes, place, _UNIT, VERMILLION, bend=0.12, dashed=True)
        _arrow(axes, place, _ERROR, BLUE, bend=0.12)
        _arrow(axes, _ERROR, place, VERMILLION, bend=0.12, dashed=True)
    for place, text in zip(_INPUTS, (r"$x_{j1}$", r"$x_{ji}$", r"$x_{jn}$"), strict=True):
        _circle(axes, place, text)
    _circle(axes, _UNIT, r"$net_j\ |\ o_j$")
    for place in _DOWNSTREAM:
        _circle(axes, place, r"$net_k\ |\ o_k$")
    _circle(axes, _ERROR, r"$E_d$")
    for (x, y), text, color in (
        ((1.35, 1.16), r"$W_{ji}$", BLUE),
        ((4.35, 1.98), r"$W_{kj}$", BLUE),
        ((3.0, 1.52), r"$\delta_j$", VERMILLION),
        ((6.2, 1.0), r"$\delta_k$", VERMILLION),
    ):
        axes.text(x, y, text, color=color, fontsize=14, ha="center", va="center")
    for x, text in ((0.0, "X"), (1.5, "W1"), (3.0, "Z1 | A1"), (4.6, "W2"), (6.2, "Z2 | P"), (8.9, "L")):
        axes.text(x, -0.6, text, color=GREY, fontsize=11, ha="center", family="DejaVu Sans Mono")
    return figure


def _circle(axes: Axes, place: Point, text: str) -> None:
    axes.text(
        *place,
        text,
        fontsize=13,
        color=INK,
        ha="center",
        va="center",
        zorder=3,
        bbox={"boxstyle": "round,pad=0.45,rounding_size=0.9", "facecolor": "white", "edgecolor": INK},
    )


def _arrow(axes: Axes, start: Point, end: Point, color: str, bend: float = 0.0, dashed: bool = False) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=13,
            color=color,
            linestyle=(0, (4, 2)) if dashed else "-",
            linewidth=1.5,
            connectionstyle=f"arc3,rad={-bend}",
            shrinkA=30,
            shrinkB=34,
            zorder=2,
        )
    )

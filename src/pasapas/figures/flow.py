"""How gradients fade or explode on their way through a deep network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from pasapas.errors import PasapasError
from pasapas.figures.lesson import short
from pasapas.figures.style import GREY, NumberFormatter, new_figure, styled
from pasapas.i18n import _, integer, number
from pasapas.initializers import He, Normal
from pasapas.studies.gradient_flow import Flow

_MARKERS = "osD^vPX*<>hp"
_DASHES: list[str | tuple[int, tuple[float, ...]]] = ["-", "--", "-.", ":", (0, (6, 2)), (0, (3, 1, 1, 1)), (0, (1, 1))]


@styled
def gradient_flow(flows: Sequence[Flow]) -> Figure:
    """The mean |∂L/∂Z| of each layer against the training step: a panel for each network, all on one logarithmic axis.

    Raises PasapasError if there is nothing to draw.
    """
    if not flows:
        raise PasapasError(_("There is no network whose gradients to draw."))
    figure = new_figure(4 * len(flows), 5.2, _("How much of the gradient reaches each layer: mean |∂L/∂Z|"))
    panels = figure.subplots(1, len(flows), sharey=True, squeeze=False)[0]
    for axes, flow in zip(panels, flows, strict=True):
        layers = flow.dZ.shape[1]
        shades = colormaps["cividis"](np.linspace(0, 0.82, layers))
        for i in range(layers):
            axes.plot(
                range(1, len(flow.dZ) + 1),
                np.where(flow.dZ[:, i] > 0, flow.dZ[:, i], np.nan),
                color=shades[i],
                linestyle=_DASHES[i % len(_DASHES)],
                marker=_MARKERS[i % len(_MARKERS)],
                markevery=(2 * i % 10, 10),
                markersize=5,
                linewidth=1.6,
                label=_name(i, layers),
            )
        axes.set_yscale("log")
        axes.set_title(
            f"{title(flow)}\n{about(flow)} · α = {short(flow.case.learning_rate)}", fontsize=10.5, linespacing=1.4
        )
        axes.set_xlabel(_("Training step"))
        axes.xaxis.set_major_formatter(NumberFormatter())
        axes.grid()
        for i in (0, layers - 1):
            axes.text(-1, flow.dZ[0, i], str(i + 1), ha="right", va="center", fontsize=9, fontweight="bold")
        axes.set_xlim(-6, len(flow.dZ) + 1)
        axes.text(
            0.5, 0.02, _("Layer 1 / layer {n}: {ratio}").format(n=layers, ratio=ratio(flow.reach)), transform=axes.transAxes,
            ha="center", va="bottom", fontsize=10, fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": GREY, "boxstyle": "round,pad=0.35", "linewidth": 0.8},
        )  # fmt: skip
    seen = np.concatenate([flow.dZ[flow.dZ > 0] for flow in flows])
    panels[0].set_ylim(seen.min() / 30, seen.max() * 4)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=9, columnspacing=1.4)
    return figure


def title(flow: Flow) -> str:
    """What becomes of the gradients."""
    return {
        "vanishing": _("They vanish"),
        "healthy": _("They arrive"),
        "exploding": _("They explode"),
    }.get(flow.case.name, flow.case.name)


def about(flow: Flow) -> str:
    """The network, in a few words: its activation and how its weights began."""
    initializer = flow.case.initializer
    activation = {"relu": "ReLU", "sigmoid": _("sigmoid")}.get(flow.case.activation, flow.case.activation)
    if isinstance(initializer, Normal):
        return _("{activation}, weights of σ = {sigma}").format(
            activation=activation, sigma=number(initializer.sigma, 1)
        )
    name = _("He's weights, σ = √(2/n)") if isinstance(initializer, He) else type(initializer).__name__
    return f"{activation}, {name}"


def ratio(value: float) -> str:
    """How many times as much, or what fraction of it: "280", "0.37", "1/45,000"."""
    if value >= 10:
        return integer(float(f"{value:.2g}"))
    return number(value, 2) if value >= 0.1 else "1/" + integer(float(f"{1 / value:.2g}"))


def _name(i: int, layers: int) -> str:
    if i == 0:
        return _("Layer 1, the first")
    return _("Layer {n}, the last").format(n=layers) if i == layers - 1 else str(i + 1)

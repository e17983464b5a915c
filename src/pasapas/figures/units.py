"""What one hidden unit looks for, and what it finds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from pasapas.errors import PasapasError
from pasapas.figures.style import BLUE, NumberFormatter, as_image, hide_ticks, new_figure, show_image, styled
from pasapas.i18n import _, number
from pasapas.studies.units import Unit


@styled
def unit(unit: Unit, images: npt.ArrayLike, labels: npt.ArrayLike) -> Figure:
    """The weights of a unit as an image, its mean activation on each class, and the images at its extremes.

    `images` (m, height, width) and `labels` (m,) are those that the unit was asked about. Raises PasapasError where they
    are others.
    """
    pictures, true = np.asarray(images), np.asarray(labels)
    if not len(pictures) == len(true) == len(unit.sums) or pictures[0].size != unit.weights.size:
        raise PasapasError(_("These are not the images that the unit was asked about."))
    n = len(unit.most)
    figure = new_figure(3.6 + 1.35 * n, 5, _("What unit {n} of the first layer looks for").format(n=unit.number))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[3.6, 1.35 * n])[0]

    top, bottom = left.subplots(2, 1, height_ratios=[1.7, 1])
    scale = float(np.abs(unit.weights).max()) or 1.0
    shape = as_image(pictures[0]).shape
    shown = top.imshow(unit.weights.reshape(shape), cmap="RdBu_r", vmin=-scale, vmax=scale, interpolation="nearest")
    hide_ticks(top)
    top.set_title(_("Its weights"), loc="center")
    bar = left.colorbar(shown, ax=top, format=NumberFormatter(), shrink=0.9, pad=0.03)
    bar.set_label(_("red wants ink, blue wants none"), fontsize=9)
    classes = np.arange(len(unit.likes))
    bottom.bar(classes, np.nan_to_num(unit.likes), color=BLUE)
    bottom.set_title(_("Mean activation by digit"), loc="center", fontsize=10)
    bottom.set_xticks(classes if len(classes) <= 12 else [], [str(c) for c in classes] if len(classes) <= 12 else [])
    bottom.yaxis.set_major_formatter(NumberFormatter())
    bottom.grid(axis="y")
    bottom.tick_params(axis="x", bottom=False)

    rows = right.subfigures(2, 1, squeeze=False)[:, 0]
    for part, chosen, title in [
        (rows[0], unit.most, _("The test images that activate it most (z = x · w + b, a = its activation)")),
        (rows[1], unit.least, _("and least")),
    ]:
        part.suptitle(title, fontsize=11, fontweight="bold")
        for axes, i in zip(part.subplots(1, n, squeeze=False)[0], chosen, strict=True):
            show_image(axes, as_image(pictures[i]))
            sum, activation = signed(unit.sums[i]), signed(unit.activations[i])
            axes.set_title(f"z = {sum}\na = {activation}", loc="center", fontsize=9.5, fontweight="normal")
            axes.set_xlabel(_("digit {label}").format(label=true[i]), fontsize=9.5)
    return figure


def signed(value: float) -> str:
    """A number with two decimals and a proper minus."""
    return number(float(value) + 0.0, 2).replace("-", "−")

"""What the weights of a network look like."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from pasapas.errors import PasapasError
from pasapas.figures.style import NumberFormatter, at_least_one, hide_ticks, new_figure, panels, styled
from pasapas.i18n import _, integer, ngettext

_COLUMNS = 8


@styled
def first_layer_units(W: npt.ArrayLike, image_shape: tuple[int, int] = (28, 28), n: int = 32) -> Figure:
    """The weights of the at most n strongest units of W (n_in, n_units), each as an image, all on one scale.

    The strongest units are those with the largest √(Σ W²). Raises PasapasError if n_in is no image of `image_shape`, or
    n is less than 1.
    """
    at_least_one("n", n)
    weights = np.asarray(W)
    height, width = image_shape
    if weights.ndim != 2 or len(weights) != height * width:
        raise PasapasError(
            _(
                "The weights {shape} do not begin with the {pixels} pixels of a {height} × {width} image: give the image_shape of this network's images."
            ).format(shape=weights.shape, pixels=height * width, height=height, width=width)
        )
    strongest = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:n]
    scale = float(np.abs(weights[:, strongest]).max(initial=0)) or 1.0
    columns = min(len(strongest), _COLUMNS)
    rows = -(-len(strongest) // columns)
    tile = min(8.2 / columns, 2)  # inches
    title = ngettext(
        "What the first layer looks for: the {shown} strongest of {n} unit",
        "What the first layer looks for: the {shown} strongest of {n} units",
        weights.shape[1],
    )
    figure = new_figure(
        9,
        1.4 + (tile * height / width + 0.28) * rows,
        title.format(shown=integer(len(strongest)), n=integer(weights.shape[1])),
    )
    shown = panels(figure, len(strongest), columns)
    for axes, unit in zip(shown, strongest, strict=True):
        picture = axes.imshow(
            weights[:, unit].reshape(image_shape), cmap="RdBu_r", vmin=-scale, vmax=scale, interpolation="nearest"
        )
        hide_ticks(axes)
        axes.set_title(str(unit), loc="center", fontsize=8, fontweight="normal", pad=2)
    bar = figure.colorbar(picture, ax=shown, format=NumberFormatter(), location="bottom", shrink=0.7, aspect=40)
    bar.set_label(_("Weight: positive (red) wants ink here, negative (blue) wants none"))
    return figure

"""How training images are deformed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pasapas.data.dataset import scaled
from pasapas.data.deformations import Deformation
from pasapas.figures.style import BLUE, PALE, Image, as_image, at_least_one, hide_ticks, new_figure, show_image, styled
from pasapas.i18n import _, percent, short

_MESH = 4  # pixels between the lines of the grid


@styled
def deformed_digits(deformation: Deformation, image: Image, draws: int = 6, seed: int = 0) -> Figure:
    """An image (height, width), of bytes or of numbers within 0-1, deformed in each way by itself and in all together.

    A row for each way, with `draws` random images; the random shares are the same in each column. The last column has
    the pixel grid, deformed as the first of these images. Raises PasapasError for images that cannot be deformed.
    """
    at_least_one("draws", draws)
    pixels = as_image(image)
    deformation.check(pixels[None])
    height, width = pixels.shape
    random = np.random.default_rng(seed)
    affine, noise = random.random((draws, 6)), random.random((draws, 2, height, width))
    copies = np.repeat(scaled(pixels[None], np.float64), draws, axis=0).reshape(-1, height, width)
    rows = list(_ways(deformation))

    figure = new_figure(1.35 * (draws + 2), 0.8 + 1.2 * len(rows), _("Deformed training images"))
    grid = figure.subplots(len(rows), draws + 1, squeeze=False)
    for axes, (name, way) in zip(grid, rows, strict=True):
        shown = way.apply(copies, affine, noise)
        for place, digit in zip(axes, shown if way else shown[:1], strict=False):
            show_image(place, digit, 1.0)
        for place in axes[:-1]:
            hide_ticks(place)
        _grid(axes[-1], *(places[0] for places in way.places(shown.shape, affine, noise)))
        axes[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=10)
    grid[0, -1].set_title(_("Grid of\nthe first"), loc="center", fontsize=10, fontweight="normal")
    return figure


def _ways(deformation: Deformation) -> Iterator[tuple[str, Deformation]]:
    """What to write beside each row, and the deformation of that row: those without amplitude are left out."""
    nothing = Deformation(elastic_sigma=deformation.elastic_sigma, sampling=deformation.sampling)
    px = "\u00a0px"
    texts = {
        "rotation": _("Rotation") + f"\n±{short(deformation.rotation)}°",
        "scaling": _("Scaling") + f"\n±{percent(deformation.scaling, 0)}",
        "shear": _("Shear") + f"\n±{short(deformation.shear)}",
        "translation": _("Shift") + f"\n±{short(deformation.translation)}{px}",
        "elastic": _("Elastic") + f"\n{short(deformation.elastic)}{px}, σ\u00a0{short(deformation.elastic_sigma)}{px}",
    }
    yield _("Original"), nothing
    ways = [name for name in texts if getattr(deformation, name)]
    for name in ways:
        yield texts[name], replace(nothing, **{name: getattr(deformation, name)})
    if len(ways) > 1:
        yield _("All together"), deformation


def _grid(axes: Axes, rows: Image, columns: Image) -> None:
    """The lines between pixels of the given image, where `rows` and `columns` (height, width) bring them."""
    height, width = rows.shape
    hide_ticks(axes)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", facecolor="white")
    for places, n in ((rows, height), (columns, width)):
        lines = np.arange(-0.5, n, _MESH)
        lines = lines[(places.min() < lines) & (lines < places.max())]
        if lines.size:
            axes.contour(places, levels=lines, colors=BLUE, linewidths=1, linestyles="solid")
    axes.spines[:].set(visible=True, color=PALE)

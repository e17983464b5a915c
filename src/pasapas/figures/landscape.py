"""The loss around a network, as a map."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from pasapas.figures.lesson import short
from pasapas.figures.style import INK, VERMILLION, new_figure, styled, write_numbers
from pasapas.i18n import _, number, percent
from pasapas.studies.landscape import PathPlane, Surface

_LEVELS = np.array([a * 10.0**e for e in range(-6, 7) for a in (1, 1.3, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8)])


@styled
def loss_surface(around: Surface, path: tuple[Surface, PathPlane] | None = None, loss: float | None = None) -> Figure:
    """The loss on a plane of random directions around a network, and on the plane in which its training went.

    The network is at (0, 0) of both; `loss` is its own. Both maps have one scale of colours.
    """
    maps = [around] if path is None else [around, path[0]]
    values = np.concatenate([one.loss.ravel() for one in maps])
    values = np.clip(values[np.isfinite(values)], 1e-6, 1e6) if np.isfinite(values).any() else np.ones(1)
    low, high = float(values.min()), max(float(values.max()), 1.05 * float(values.min()))
    levels = _LEVELS[(low <= _LEVELS) & (high >= _LEVELS)]
    while len(levels) > 14:
        levels = levels[::2]
    levels = np.unique([low, *levels, high])
    inner = levels[1:-1].tolist()
    figure = new_figure(6.4 if path is None else 11.5, 5.2)
    panels = [figure.add_subplot(1, len(maps), i + 1) for i in range(len(maps))]
    for axes, one in zip(panels, maps, strict=True):
        filled = np.clip(np.nan_to_num(one.loss, nan=high, posinf=high), low, high)
        norm = LogNorm(low, high)
        colours = axes.contourf(one.x, one.y, filled, levels=levels, cmap="viridis", norm=norm)
        lines = axes.contour(one.x, one.y, filled, levels=levels, colors="white", linewidths=0.6, alpha=0.7)
        marked = [level for level in inner[1::2] if not loss or not 0.6 < level / loss < 1.7]  # the network hides these
        # viridis ends in yellow, on which white cannot be read
        axes.clabel(lines, marked, fmt=short, fontsize=8, colors=[INK if norm(v) > 0.6 else "white" for v in marked])
        write_numbers(axes)

    panels[0].plot(0, 0, "*", color="white", markeredgecolor=INK, markersize=16)
    here = (
        _("the network")
        if loss is None
        else _("the network: {loss}").format(loss=number(loss, 3 if loss >= 0.1 else 4))
    )
    panels[0].annotate(here, (0, 0), (0, -16), textcoords="offset points", ha="center", va="top", color="white",
                       fontweight="bold", fontsize=9.5)  # fmt: skip
    panels[0].set_title(_("Along two random directions"))
    panels[0].set(xlabel=_("First random direction"), ylabel=_("Second random direction"))
    if path is not None:
        _draw_path(panels[1], path[1])
    bar = figure.colorbar(colours, ax=panels, aspect=30, pad=0.02)
    bar.set_label(_("Loss"))
    bar.ax.yaxis.set_major_locator(FixedLocator(inner))
    bar.ax.yaxis.set_major_formatter(FixedFormatter([short(level) for level in inner]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return figure


def _draw_path(axes: Axes, plane: PathPlane) -> None:
    points = plane.coordinates
    axes.plot(*points.T, color=INK, linewidth=3.2)
    axes.plot(*points.T, "o-", color=VERMILLION, linewidth=1.6, markersize=4, markeredgecolor="white", mew=0.5,
              label=_("Training"))  # fmt: skip
    axes.plot(*points[0], "o", color="white", markeredgecolor=INK, markersize=10, label=_("Start"))
    axes.plot(0, 0, "*", color="white", markeredgecolor=INK, markersize=16, label=_("The network"))
    axes.set_title(_("Along the path of its training"))
    first, second = (percent(share, 1) for share in plane.explained)
    axes.set(
        xlabel=_("First principal component ({share} of the path's variance)").format(share=first),
        ylabel=_("Second principal component ({share})").format(share=second),
    )
    axes.legend(loc="best", frameon=True, framealpha=0.9, handlelength=1.5, fontsize=9)

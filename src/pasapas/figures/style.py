"""What all pictures have in common: colours, type, numbers on the axes, and how an image is shown."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import matplotlib.scale
import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import ScalarFormatter

from pasapas.errors import PasapasError
from pasapas.i18n import _, language

Image = npt.NDArray[Any]

# M. Okabe, K. Ito, "Color Universal Design", 2008: apart for every kind of colour vision
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
GREY, PALE, INK = "#767676", "#DADADA", "#222222"

STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib and has every character that is used
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": "#E4E4E4",
    "legend.frameon": False,
    "legend.handlelength": 3,  # long enough to tell dashes from dots
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    "hatch.linewidth": 1.2,
    "pdf.fonttype": 42,
    "svg.hashsalt": "pasapas",
}
"""Our settings of matplotlib, on top of its own."""

_lock = threading.RLock()  # matplotlib's settings are global, and the laboratory's server draws in threads

P = ParamSpec("P")


@contextmanager
def house_style() -> Iterator[None]:
    """Our settings on top of matplotlib's own, whatever the user's are; these come back afterwards."""
    with _lock, matplotlib.style.context(["default", STYLE]):
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draws in the house style, and lays out the figure once and for all, so that it looks the same each time."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with house_style():
            figure = draw(*args, **kwargs)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        return figure

    return wrapper


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """An empty figure of `width` × `height` inches that belongs to no window."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, fontsize=13, fontweight="bold")
    return figure


class NumberFormatter(ScalarFormatter):
    """Numbers at the ticks as the language writes them: "1,000" and "0.25", in French "1 000" and "0,25"."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)
        french = language() == "fr"
        self._signs = str.maketrans("-,.", "\u2212\u202f," if french else "\u2212,.")

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The text at tick `x`."""
        digits = len(super().__call__(x, pos).partition(".")[2])  # as many as the ticks need to differ
        return f"{x + 0.0:,.{digits}f}".translate(self._signs)


class LinearScale(matplotlib.scale.LinearScale):
    """What matplotlib gives all axes that are not asked for anything else, with a decimal comma where the language has it."""

    def __init__(self, *given: Axis) -> None:  # the axis until matplotlib 3.10, nothing from 3.11 on
        super().__init__(*given)

    def set_default_locators_and_formatters(self, axis: Axis) -> None:
        """Called by matplotlib for each new axis."""
        super().set_default_locators_and_formatters(axis)
        if language() == "fr":
            axis.set_major_formatter(_CommaFormatter())


class _CommaFormatter(ScalarFormatter):
    def __call__(self, x: float, pos: int | None = None) -> str:
        return super().__call__(x, pos).replace(".", ",")

    def get_offset(self) -> str:
        return super().get_offset().replace(".", ",")


def write_numbers(axes: Axes) -> None:
    """Writes the numbers at both axes as the language does."""
    axes.xaxis.set_major_formatter(NumberFormatter())
    axes.yaxis.set_major_formatter(NumberFormatter())


def message(figure: Figure, text: str) -> None:
    """Says `text` where there is nothing to draw."""
    axes = figure.add_subplot()
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=12, wrap=True)


def as_image(image: npt.ArrayLike) -> Image:
    """`image` as (height, width): a row of numbers (n,) is taken for a square. Raises PasapasError if it is none."""
    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    side = math.isqrt(pixels.size)
    if pixels.ndim == 1 and side * side == pixels.size:
        pixels = pixels.reshape(side, side)
    if pixels.ndim != 2 or not pixels.size:
        raise PasapasError(
            _(
                "An image has the shape (height, width), or is a square in one row of numbers, but this one is {shape}."
            ).format(shape=pixels.shape)
        )
    return pixels


def white(images: Image) -> float:
    """The pixel value that is shown as white: 255 for bytes, 1 for other numbers unless some are larger."""
    return 255.0 if images.dtype == np.uint8 else max(1.0, float(np.max(images, initial=0)))


def show_image(axes: Axes, image: Image, brightest: float | None = None) -> AxesImage:
    """Shows image (height, width), 0 black, each pixel a square; nan is left empty."""
    hide_ticks(axes)
    return axes.imshow(image, cmap="gray", vmin=0, vmax=brightest or white(image), interpolation="nearest")


def at_least_one(name: str, value: int) -> None:
    """Raises PasapasError for a number of things to draw that is less than 1."""
    if value < 1:
        raise PasapasError(_("{name} must be at least 1, not {value}.").format(name=name, value=value))


def hide_ticks(axes: Axes) -> None:
    """Leaves nothing of the axes but what is in them."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def panels(figure: Figure, n: int, columns: int) -> Sequence[Axes]:
    """n axes in rows of `columns`."""
    rows = -(-n // columns)
    grid = figure.add_gridspec(rows, columns)
    return [figure.add_subplot(grid[divmod(i, columns)]) for i in range(n)]

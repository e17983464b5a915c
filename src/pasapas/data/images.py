"""From any picture of one digit to MNIST's form, as MNIST's makers did it.

They scaled each digit, keeping its proportions, to fit a box of 20x20 pixels, with the greys that anti-aliasing gives,
and placed it in a field of 28x28 with its centre of mass at the centre. Source: Y. LeCun, L. Bottou, Y. Bengio,
P. Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998), section III.A.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from pasapas.data.ink import Floats, box_of, find_ink, resized
from pasapas.data.pictures import Grey
from pasapas.errors import PasapasError
from pasapas.i18n import _

FIELD, INNER = 28, 20  # pixels: the side of MNIST's images, and of the box that its digits fill
CENTRE = 14  # the row and column, counted from 0, to which MNIST's makers brought the centre of mass

_WORKING_SIDE = 640  # larger pictures are reduced to this: still many times finer than MNIST
_THIN, _THICKENED = 1.3, 2.0  # widths of strokes in MNIST's pixels; 98 of 100 of MNIST's own are between 1.3 and 4
_FINE = 6  # pixels for one of MNIST's, where strokes are measured and thickened


@dataclass(frozen=True)
class Prepared:
    """The stages from a picture to MNIST's form.

    `source` is the grey picture (h, w), reduced if it was very large; `ink` (h, w) says how much ink is where, 0
    background to 255 full; `box` is (top, left, bottom, right) of the digit in it, the last two exclusive; `image` is
    the digit in MNIST's form, (28, 28).
    """

    source: Grey
    ink: Grey
    box: tuple[int, int, int, int]
    image: Grey


def prepare(picture: npt.NDArray[Any]) -> Prepared:
    """The digit in a picture, greys (h, w) of uint8, brought to MNIST's form, whichever of ink and ground is darker.

    Raises PasapasError where no ink is found, or no background.
    """
    if picture.dtype != np.uint8 or picture.ndim != 2 or not picture.size:
        raise PasapasError(
            _(
                "A picture must be an array (height, width) of uint8 with at least one pixel, not {shape} of {dtype}."
            ).format(shape=picture.shape, dtype=picture.dtype)
        )
    step = math.ceil(max(picture.shape) / _WORKING_SIDE)
    source = np.array(Image.fromarray(picture).reduce(step))
    ink = find_ink(source.astype(np.float64))
    rows, columns = box_of(ink)
    box = (rows.start, columns.start, rows.stop, columns.stop)
    return Prepared(source, _bytes(ink), box, _bytes(_centred(_fitted(ink[rows, columns]))))


def _fitted(ink: Floats) -> Floats:
    """Ink cropped to its box, scaled to fit 20x20, with strokes made thicker if they would be too thin to be seen."""
    fine = _scaled(ink, min(max(ink.shape), _FINE * INNER))
    width = _stroke_width(fine) * INNER / max(fine.shape)
    if width < _THIN:
        fine = _scaled(ink, _FINE * INNER)
        full = np.median(fine[fine > 0.5 * fine.max()])
        fine = _thickened(np.minimum(fine / full, 1), (_THICKENED - width) / 2 * _FINE)
        ink = fine[box_of(fine)]
    ink = _scaled(ink, INNER)
    scaled: Floats = ink / ink.max()
    return scaled


def _scaled(ink: Floats, side: int) -> Floats:
    """Ink (h, w), its longer side brought to `side`, in proportion."""
    h, w = (max(1, round(n * side / max(ink.shape))) for n in ink.shape)
    return resized(ink, h, w)


def _stroke_width(ink: Floats) -> float:
    """The mean width of strokes: their area over half their outline, which the sum of slopes measures."""
    padded = np.pad(ink, 1)
    slopes = np.hypot(np.diff(padded, axis=0)[:, 1:], np.diff(padded, axis=1)[1:])
    return float(2 * ink.sum() / slopes.sum())


def _thickened(ink: Floats, radius: float) -> Floats:
    """The ink drawn again with a round pen: the greatest value within the radius of each pixel."""
    r = max(1, round(radius))
    i, j = np.ogrid[-r : r + 1, -r : r + 1]
    thick: Floats = ndimage.maximum_filter(np.pad(ink, r), footprint=i * i + j * j <= radius * radius)
    return thick


def _centred(ink: Floats) -> Floats:
    """The ink in a field of 28x28, its centre of mass at the centre, to the pixel, as in MNIST."""
    top, left = (
        min(max(round(CENTRE - float(mass)), 0), FIELD - n)
        for n, mass in zip(ink.shape, ndimage.center_of_mass(ink), strict=True)
    )
    field = np.zeros((FIELD, FIELD))
    field[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return field


def _bytes(values: Floats) -> Grey:
    """Values from 0 to 1 as bytes."""
    grey: Grey = np.rint(255 * values).astype(np.uint8)
    return grey

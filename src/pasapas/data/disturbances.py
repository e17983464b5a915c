"""Images of digits disturbed in known ways, to see what a network trained on clean ones makes of them.

Nothing is drawn anew from one call to the next: the same images and strength give the same disturbed images. To add a
disturbance, add a function and a line to `DISTURBANCES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import N_, _, short

Images = npt.NDArray[np.uint8]

_BLOCK = 200  # images that are redrawn at a time: what is computed for them stays in the processor's cache
_DIRECTIONS = 8  # of a pen's outline; for pens of up to two pixels a circle is hardly rounder


@dataclass(frozen=True)
class Disturbance:
    """One way of disturbing images, at several strengths, the weakest first.

    `title` is to be translated; `sign` stands before a strength and `symbol` after it; `unit` says the same in full for
    what a machine reads. `make` gives the images (m, height, width) disturbed, once for each of its directions.
    """

    name: str
    title: str
    unit: str
    sign: str
    symbol: str
    strengths: tuple[float, ...]
    make: Callable[[Images, float], Iterator[Images]]

    def label(self, strength: float) -> str:
        """A strength as it is shown: "±15°"."""
        return self.sign + short(strength) + self.symbol

    def variants(self, images: npt.NDArray[Any], strength: float) -> Iterator[Images]:
        """Images (m, height, width) of uint8, disturbed: as many, in the same shape, once for each direction.

        Raises PasapasError for images of another form.
        """
        if images.ndim != 3 or images.dtype != np.uint8:
            raise PasapasError(
                _("Only images (m, height, width) of uint8 can be disturbed, not {shape} of {dtype}.").format(
                    shape=images.shape, dtype=images.dtype
                )
            )
        return self.make(images, strength)


def shifted(images: Images, pixels: float) -> Iterator[Images]:
    """Right, left, down and up by a whole number of pixels; what leaves the image is lost, what comes in is black."""
    height, width = images.shape[1:]
    n = round(pixels)
    for down, right in [(0, n), (0, -n), (n, 0), (-n, 0)]:
        padded = np.pad(images, ((0, 0), (n, n), (n, n)))
        yield padded[:, n - down : n - down + height, n - right : n - right + width]


def rotated(images: Images, degrees: float) -> Iterator[Images]:
    """Counter-clockwise and clockwise about the centre, with bilinear interpolation."""
    from scipy import ndimage

    for angle in (degrees, -degrees):
        yield ndimage.rotate(images, angle, axes=(2, 1), reshape=False, order=1)


def noisy(images: Images, deviation: float) -> Iterator[Images]:
    """With Gaussian noise on each pixel, of a standard deviation in fractions of white; clipped to black and white.

    At all strengths it is the same noise, multiplied.
    """
    noise = np.random.default_rng(0).standard_normal(images.shape, np.float32)
    noise *= 255 * deviation
    noise += images
    yield _bytes(noise)


def thick(images: Images, pixels: float) -> Iterator[Images]:
    """Drawn with a pen that is wider by so many pixels: each pixel the lightest around it."""
    yield _redrawn(images, pixels / 2, np.maximum)


def thin(images: Images, pixels: float) -> Iterator[Images]:
    """Drawn with a pen that is narrower by so many pixels, its ink as bright as before: each pixel the darkest around it."""
    darker = _redrawn(images, pixels / 2, np.minimum)
    brightness = _of_ink(images) / np.maximum(_of_ink(darker), 1)  # (m,)
    yield _bytes(darker * np.maximum(brightness, 1)[:, None, None])


def _of_ink(images: Images) -> npt.NDArray[np.float32]:
    """How bright the ink of each image is (m,), from 0 to 255: a mean to which the grey edges of strokes add little."""
    pixels = images.reshape(len(images), -1) / np.float32(255)
    weights = pixels**4
    brightness: npt.NDArray[np.float32] = (
        255 * (weights * pixels).sum(axis=1) / np.maximum(weights.sum(axis=1), np.float32(1e-9))
    )
    return brightness


def _redrawn(images: Images, radius: float, choose: Callable[[Any, Any], Any]) -> Images:
    """What `choose` makes of each pixel (m, height, width) and of those on a circle of `radius` pixels around it.

    Grey-scale dilation and erosion (J. Serra, "Image Analysis and Mathematical Morphology", 1982), with bilinear
    interpolation between pixels, so that the radius need not be whole.
    """
    redrawn = np.empty_like(images)
    for i in range(0, len(images), _BLOCK):
        block = images[i : i + _BLOCK].astype(np.float32)
        result = block
        for k in range(_DIRECTIONS):
            angle = 2 * math.pi * k / _DIRECTIONS
            result = choose(result, _moved(block, radius * math.sin(angle), radius * math.cos(angle)))
        redrawn[i : i + _BLOCK] = np.rint(result)
    return redrawn


def _moved(images: npt.NDArray[np.float32], down: float, right: float) -> npt.NDArray[np.float32]:
    """Images (m, height, width) moved by any number of pixels, with bilinear interpolation and black around them."""
    for axis, distance in ((1, down), (2, right)):
        whole = math.floor(distance)
        part = distance - whole
        reach = abs(whole) + 1
        size = images.shape[axis]
        padded = np.moveaxis(np.pad(images, [(reach * (a == axis),) * 2 for a in range(3)]), axis, 0)
        near, far = (padded[reach - n : reach - n + size] for n in (whole, whole + 1))
        images = np.moveaxis(np.float32(1 - part) * near + np.float32(part) * far, 0, axis)
    return images


def _bytes(values: npt.NDArray[Any]) -> Images:
    grey: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return grey


DISTURBANCES = (
    Disturbance("shift", N_("Shifted (four ways)"), "pixels", "", "\u00a0px", (1, 2, 3, 4), shifted),
    Disturbance("rotation", N_("Rotated (both ways)"), "degrees", "±", "°", (5, 10, 15, 20, 25, 30), rotated),
    Disturbance(
        "noise", N_("Noisy"), "standard deviation, white is 1", "σ\u00a0", "", (0.1, 0.2, 0.3, 0.4, 0.5), noisy
    ),
    Disturbance("thick", N_("Thick strokes"), "pixels", "+", "\u00a0px", (0.5, 1, 1.5, 2), thick),
    Disturbance("thin", N_("Thin strokes"), "pixels", "−", "\u00a0px", (0.5, 1, 1.5), thin),
)
"""What digits are disturbed by, in the order of tables and pictures."""

"""Training images deformed at random, so that a network never sees quite the same one twice.

P. Y. Simard, D. Steinkraus, J. C. Platt, "Best Practices for Convolutional Neural Networks Applied to Visual Document
Analysis", 2003; D. Ciresan, U. Meier, L. M. Gambardella, J. Schmidhuber, "Deep, Big, Simple Neural Nets for Handwritten
Digit Recognition", 2010. Written against the array API standard, so that the same lines run on NumPy and compiled by JAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from pasapas.data.dataset import scaled
from pasapas.errors import PasapasError, one_of
from pasapas.i18n import _, integer, short
from pasapas.layers import Array

SAMPLINGS = ("linear", "cubic")
_RADIUS = 10  # pixels: the Gaussian of the elastic deformation has 21 taps
_MOST = 1e6  # of any amplitude: what float32 still computes with
_BLOCK = 64  # images that are deformed at a time: what is computed for them stays in the processor's cache
_KEPT = 1 << 24  # bytes: several times what a block takes


@dataclass(frozen=True)
class Deformation:
    """How training images are deformed: amplitudes, of which each image gets a random share, uniform either way.

    An image is scaled, sheared, rotated and shifted, about its centre, and its pixels then moved by a smooth random
    field. Shares are positive for turning counter-clockwise, factors above 1, the lower half slanting to the right, and
    shifting down and to the right. Raises PasapasError for amplitudes that are negative, beyond all sense or that would
    turn images inside out.
    """

    rotation: float = 0.0  # degrees
    scaling: float = 0.0  # each axis is multiplied by a factor of its own, 1 ± this
    shear: float = 0.0  # pixels to the side for each pixel of height
    translation: float = 0.0  # pixels, on each axis
    elastic: float = 0.0  # pixels: what the smoothed noise, uniform in [-1, 1], is multiplied by
    elastic_sigma: float = 6.0  # pixels: the standard deviation of the Gaussian that smooths it
    sampling: str = "linear"  # between pixels: or "cubic", by the spline of Catmull and Rom

    def __post_init__(self) -> None:
        one_of(_("sampling"), self.sampling, SAMPLINGS)
        for field in fields(self)[:-1]:
            value = getattr(self, field.name)
            if not 0 <= value <= _MOST:
                raise PasapasError(
                    _("A deformation's '{name}' must be a number from 0 to {most}, not {value}.").format(
                        name=field.name, most=integer(_MOST), value=value
                    )
                )
        if np.float32(self.scaling) >= 1:
            raise PasapasError(
                _("A deformation's 'scaling' must be below 1, not {value}: 0.1 is for factors from 0.9 to 1.1.").format(
                    value=self.scaling
                )
            )
        if not self.elastic_sigma:
            raise PasapasError(_("A deformation's 'elastic_sigma' must be above 0, such as 6 pixels."))

    def __bool__(self) -> bool:
        """Whether images are changed at all."""
        return any((self.rotation, self.scaling, self.shear, self.translation, self.elastic))

    def check(self, images: Array) -> None:
        """Raises PasapasError unless `images` can be deformed: (m, height, width), of bytes or of numbers within 0-1."""
        if not self:
            return
        if images.ndim != 3:
            raise PasapasError(
                _(
                    "Deformations need images (m, height, width), not {shape}: reshape them, or set all amplitudes to 0."
                ).format(shape=images.shape)
            )
        if images.dtype != np.uint8 and images.size and not (images.min() >= 0 and images.max() <= 1):  # nan fails too
            raise PasapasError(
                _(
                    "Deformations need pixels that are bytes or from 0, black, to 1, but these go from {low} to {high}."
                ).format(low=short(float(images.min())), high=short(float(images.max())))
            )

    def numbers(self, m: int, height: int, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shapes of the uniform numbers in [0, 1) that m images take: `affine` and `noise`."""
        return (m, 6), (m, 2, height, width) if self.elastic else (0,)

    def apply(self, images: Array, affine: Array, noise: Array, strength: Array | float = 1.0) -> Array:
        """`images` (m, height, width) in 0-1, deformed: same shape and dtype, again in 0-1, black where nothing was.

        `affine` and `noise` are uniform numbers in [0, 1), of the shapes that `numbers` says and the images' dtype;
        row i of `affine` has the shares of image i, 0.5 for none: rotation, scaling down and across, shear, shift down
        and across. `strength`, from 0 to 1, multiplies all amplitudes.
        """
        rows, columns = self.places(images.shape, affine, noise, strength)
        return sampled(images, rows, columns, self.sampling)

    def places(
        self, shape: tuple[int, ...], affine: Array, noise: Array, strength: Array | float = 1.0
    ) -> tuple[Array, Array]:
        """Where in the images, of `shape` (m, height, width), each pixel of the deformed ones is found.

        Rows and columns, (m, height, width) each, from 0 at the centre of the first pixel.
        """
        xp = array_namespace(affine)
        height, width = shape[1:]
        share = strength * (2 * xp.reshape(xp.permute_dims(affine, (1, 0)), (6, -1, 1, 1)) - 1)  # (6, m, 1, 1)
        angle = math.radians(self.rotation) * share[0, ...]
        sin, cos = xp.sin(angle), xp.cos(angle)
        down, across = 1 + self.scaling * share[1, ...], 1 + self.scaling * share[2, ...]
        shear = self.shear * share[3, ...]
        middle = (height - 1) / 2, (width - 1) / 2
        # from the deformed image back to the given one: shifted, rotated, sheared, scaled
        y = xp.reshape(xp.arange(height, dtype=affine.dtype), (-1, 1)) - (middle[0] + self.translation * share[4, ...])
        x = xp.reshape(xp.arange(width, dtype=affine.dtype), (1, -1)) - (middle[1] + self.translation * share[5, ...])
        rows = sin / down * x + (cos / down * y + middle[0])
        columns = (cos - shear * sin) / across * x + (middle[1] - (sin + shear * cos) / across * y)
        if self.elastic:
            most = strength * self.elastic
            moves = self.smoothed(2 * most * noise - most)  # (m, 2, height, width)
            rows, columns = rows + moves[:, 0, ...], columns + moves[:, 1, ...]
        return rows, columns

    def smoothed(self, noise: Array) -> Array:
        """`noise` (..., height, width) under the Gaussian, with zeros around it."""
        xp = array_namespace(noise)
        left, right = (xp.asarray(gaussian(n, self.elastic_sigma), dtype=noise.dtype) for n in noise.shape[-2:])
        return xp.matmul(left, xp.matmul(noise, right))  # small products, which no BLAS splits among threads


REFERENCE = Deformation(rotation=10, scaling=0.12, shear=0.1, translation=0.5, elastic=46)
"""Amplitudes that serve MNIST well: strong, and a digit hardly ever becomes another one."""


def gaussian(n: int, sigma: float) -> npt.NDArray[np.float64]:
    """G (n, n), symmetric: G @ x is x (n,) under a Gaussian of 21 taps that sum up to 1, with zeros around x."""
    taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / sigma) ** 2)
    distance = np.abs(np.arange(n)[:, None] - np.arange(n))
    G: npt.NDArray[np.float64] = np.where(distance <= _RADIUS, np.exp(-0.5 * (distance / sigma) ** 2), 0) / taps.sum()
    return G


def sampled(images: Array, rows: Array, columns: Array, sampling: str) -> Array:
    """`images` (m, height, width) at `rows` and `columns` (m, h, w) between their pixels, within 0-1; black outside.

    "linear" weighs the 2 × 2 pixels around a place, "cubic" the 4 × 4: E. Catmull, R. Rom, "A Class of Local Interpolating
    Splines", 1974; the cubic convolution with a = -1/2 of R. G. Keys, 1981.
    """
    xp = array_namespace(images)
    m, height, width = images.shape
    weights, n = (_linear, 2) if sampling == "linear" else (_cubic, 4)
    # with zeros around the images, the weights of a place outside fall on zeros and nothing needs a mask
    side = xp.zeros((m, height, n), dtype=images.dtype)
    end = xp.zeros((m, n, width + 2 * n), dtype=images.dtype)
    pixels = xp.reshape(xp.concat([end, xp.concat([side, images, side], axis=2), end], axis=1), (-1,))
    # each pixel with those on its right: n numbers are fetched at a time
    last = pixels.shape[0] - (n - 1)
    runs = xp.stack([pixels[j : last + j] for j in range(n)], axis=1)  # (last, n)

    reach = n // 2
    rows, columns = xp.clip(rows, -reach, height - 1 + reach), xp.clip(columns, -reach, width - 1 + reach)
    row, column = xp.floor(rows), xp.floor(columns)
    down, across = weights(rows - row), weights(columns - column)
    line = width + 2 * n
    corner = xp.reshape(xp.arange(m, dtype=xp.int32), (-1, 1, 1)) * ((height + 2 * n) * line) + (reach + 1) * (line + 1)
    first = corner + xp.astype(row * line + column, xp.int32)  # (m, h, w): the first of the n × n pixels
    found = 0
    for i in range(n):
        run = xp.take(runs, xp.reshape(first + i * line, (-1,)), axis=0)
        run = xp.reshape(run, (*first.shape, n))
        found = found + down[i] * sum(across[j] * run[..., j] for j in range(n))
    return found if sampling == "linear" else xp.clip(found, 0, 1)


def _linear(t: Array) -> tuple[Array, ...]:
    """What the pixels before and after a place weigh, t past the first of them."""
    return 1 - t, t


def _cubic(t: Array) -> tuple[Array, ...]:
    """What the two pixels before and the two after a place weigh, t past the second of them."""
    return (
        t * (t * (1 - 0.5 * t) - 0.5),
        t * t * (1.5 * t - 2.5) + 1,
        t * (t * (2 - 1.5 * t) + 0.5),
        t * t * (0.5 * t - 0.5),
    )


def deformed(
    deformation: Deformation,
    images: npt.NDArray[Any],
    random: np.random.Generator,
    strength: float = 1.0,
    dtype: Any = np.float32,
) -> npt.NDArray[Any]:
    """X (m, n_in), rows for the network, of images (m, height, width) deformed at random; bytes are scaled to 0-1.

    The numbers are drawn from `random` for all images at once, however they are then worked on. `strength` is as in
    `Deformation.apply`.
    """
    m, height, width = images.shape
    affine, noise = (random.random(shape, dtype=dtype) for shape in deformation.numbers(m, height, width))
    # where memory of this size was given back, the C library keeps what the blocks give back, instead of returning it
    # to the system and having it cleared page by page for the next block, which takes longer than all that is computed
    np.empty(_KEPT, np.uint8)
    X = np.empty((m, height * width), dtype)
    for i in range(0, m, _BLOCK):
        block = slice(i, i + _BLOCK)
        part = scaled(images[block], dtype).reshape(-1, height, width)
        X[block] = deformation.apply(part, affine[block], noise[block], strength).reshape(len(part), -1)
    return X

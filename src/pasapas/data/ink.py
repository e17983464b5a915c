"""The ink of a digit, told from the ground that it is drawn on, be that a screen or unevenly lit paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage, stats

from pasapas.errors import PasapasError
from pasapas.i18n import _

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FAINTEST = 16  # grey levels: the least contrast that counts as ink
_LIGHT_SIDE = 160  # pixels: to this, larger pictures are reduced to see how their light changes
_WIDEST = 0.3  # of the longer side: whatever is narrower may be a stroke, whatever is wider is ground


def find_ink(grey: Floats) -> Floats:
    """How much ink is where in a picture, greys (h, w) from 0 to 255: 0 background to 1 full.

    Raises PasapasError where no ink is found, or no background.
    """
    height = _above_ground(grey if _ground_is_dark(grey) else 255 - grey)
    if _noise(height) > 2:
        height = ndimage.gaussian_filter(height, 1)
    floor = 4 * _noise(height)
    ink = _strokes(_without_edges(height, floor), floor)
    if ink is None or max(_extent(ink)) < 0.2 * max(height.shape):
        ink = _strokes(height, floor)
    if ink is None:
        raise PasapasError(
            _("There is no digit in this picture: it is blank, or its ink is too faint; write with more contrast.")
        )
    if np.mean(ink > 0.5) > 2 / 3:
        raise PasapasError(
            _("Ink cannot be told from background in this picture: nearly all is ink; leave a margin around the digit.")
        )
    return ink


def box_of(ink: npt.NDArray[Any]) -> tuple[slice, slice]:
    """The rows and columns of what is clearly ink (h, w); there must be some."""
    rows, columns = ndimage.find_objects((ink > 0.2).astype(np.int8))[0]
    return rows, columns


def resized(x: Floats, h: int, w: int) -> Floats:
    """x brought to (h, w), as the mean over about what each new pixel covers."""
    way = Image.Resampling.HAMMING if h * w < x.size else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(x.astype(np.float32)).resize((w, h), way), np.float64)


def _ground_is_dark(x: Floats) -> bool:
    """Whether the ground of x (h, w) is darker than its ink.

    The ground has more of the area and of the border than the ink has. In a photo, where the darker part may be a
    shadow, what decides is whether strokes are lighter or darker than what is around them.
    """
    dark = x <= _otsu(x)
    answer = bool(dark.mean() + _border(dark).mean() > 1)
    if _one_colour(x[dark == answer]):
        return answer
    small = resized(x, *(min(n, 2 * _LIGHT_SIDE) for n in x.shape))
    skews = [stats.skew(small - _blurred(small, width), axis=None) for width in (0.05, 0.1)]
    return bool(max(skews, key=abs) > 0)


def _above_ground(x: Floats) -> Floats:
    """How much lighter than its ground each pixel of x (h, w) is, where the ground is darker than the ink."""
    ground = x[x <= _otsu(x)]
    if _one_colour(ground):  # drawn on a screen
        return x - np.median(ground)
    small = resized(x, *(min(n, _LIGHT_SIDE) for n in x.shape))
    level = ndimage.grey_opening(ndimage.gaussian_filter(small, 1), round(_WIDEST * max(small.shape)))
    for width in (0.1, 0.05, 0.05):
        rest = small - level
        low = rest <= _otsu(rest)
        rest -= np.median(rest if low.mean() > 0.45 else rest[low])  # a bold digit may have more than half of the area
        bare = rest <= max(_otsu(rest) / 2, _FAINTEST)
        level = level + _blurred((small - level) * bare, width) / (_blurred(bare.astype(np.float64), width) + 1e-3)
    return x - resized(level, *x.shape)


def _strokes(height: Floats, floor: float) -> Floats | None:
    """The ink of the largest piece and of those that belong to it; None if there is none large enough to be seen."""
    labels, masses = _pieces(height, floor)
    if not masses.size:
        return None
    largest = labels == np.argmax(masses) + 1
    if largest.sum() < 4 or max(_extent(largest)) < 0.03 * max(height.shape):
        return None
    mask = _belonging(labels, masses)[labels]
    inked = height[mask]
    full = float(np.percentile(inked[inked >= _otsu(inked)], 75 if floor else 100))
    near = _widened(mask, max(2, round(0.03 * math.hypot(*_extent(mask)))))
    return np.where(near, np.clip((height - floor) / (full - floor), 0, 1), 0)


def _without_edges(height: Floats, floor: float) -> Floats:
    """Heights without what runs along the picture's border, such as a table around the sheet."""
    labels, masses = _pieces(height, floor)
    border = _border(labels)
    along = np.bincount(border, minlength=len(masses) + 1) > 0.1 * len(border)
    along[0] = False
    return np.where(_widened(along[labels], max(2, max(height.shape) // 100)), 0, height)


def _pieces(height: Floats, floor: float) -> tuple[npt.NDArray[np.int32], Floats]:
    """Connected pieces of ink, also by diagonals: labels (h, w) from 1, 0 outside, and the sum of heights of each."""
    candidates = height[height > max(floor, _FAINTEST)]
    middle = _otsu(candidates) if candidates.size else np.inf  # between full ink and edges of strokes, or rulings
    labels, n = ndimage.label(height > max(floor, middle / 2), np.ones((3, 3)))
    return labels, ndimage.sum_labels(height, labels, np.arange(1, n + 1))


def _belonging(labels: npt.NDArray[np.int32], masses: Floats) -> Mask:
    """Which labels, 0 included, are the largest piece or belong to it: the farther away, the larger they must be."""
    boxes = np.array([[(s.start, s.stop) for s in box] for box in ndimage.find_objects(labels)])  # (n, 2, 2)
    first, last = boxes[..., 0], boxes[..., 1]
    kept = np.zeros(len(masses), np.bool_)
    new = masses == masses.max()
    while (new & ~kept).any():
        kept |= new
        start, stop = first[kept].min(axis=0), last[kept].max(axis=0)
        gaps = np.maximum(np.maximum(first - stop, start - last), 0)  # (n, 2)
        distance = np.hypot(*gaps.T) / math.hypot(*(stop - start))
        new = masses > (0.01 + 0.2 * distance) * masses[kept].sum()
    return np.append(False, kept)


def _otsu(values: Floats) -> float:
    """The threshold that best divides values in two classes: N. Otsu (1979), by the variance between them."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return high
    counts, edges = np.histogram(values, 256, (low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * centres)
    means_below, means_above = sums[:-1] / below, (sums[-1] - sums[:-1]) / above
    between = below * above * (means_below - means_above) ** 2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))  # a gap between the classes: its middle
    return float(edges[1:-1][best].mean())


def _one_colour(ground: Floats) -> bool:
    return bool(np.mean(np.abs(ground - np.median(ground)) <= 1) > 0.5)


def _noise(height: Floats) -> float:
    """The standard deviation of noise in the ground, judged by the pixels below it, where no ink is."""
    return max(0.0, -float(np.quantile(height, 0.16)))


def _blurred(x: Floats, width: float) -> Floats:
    """x (h, w), each pixel averaged with those within a share `width` of the longer side."""
    blurred: Floats = ndimage.gaussian_filter(x, width * max(x.shape), truncate=2)
    return blurred


def _widened(mask: Mask, r: int) -> Mask:
    """The mask (h, w) and all within r pixels of it, in rows and columns."""
    return np.asarray(ndimage.maximum_filter(mask, 2 * r + 1, mode="constant"), np.bool_)


def _border(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]])


def _extent(mask: npt.NDArray[Any]) -> tuple[int, int]:
    rows, columns = box_of(mask)
    return rows.stop - rows.start, columns.stop - columns.start

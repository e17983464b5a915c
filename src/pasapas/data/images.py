"""From any picture of one digit to MNIST's form, as MNIST's makers did it.

They scaled each digit, keeping its proportions, to fit a box of 20x20 pixels, with the greys that anti-aliasing gives,
and placed it in a field of 28x28 with its centre of mass at the centre. Source: Y. LeCun, L. Bottou, Y. Bengio,
P. Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998), section III.A.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer

if TYPE_CHECKING:
    from PIL import Image

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]

FIELD, INNER = 28, 20  # pixels: the side of MNIST's images, and of the box that its digits fill
CENTRE = 14  # the row and column, counted from 0, to which MNIST's makers brought the centre of mass
MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")

_WORKING_SIDE = 640  # larger pictures are reduced to this: still many times finer than MNIST
_FAINTEST = 16  # grey levels: the least contrast that counts as ink
_THIN, _THICKENED = 1.3, 2.0  # widths of strokes in MNIST's pixels; 98 of 100 of MNIST's own are between 1.3 and 4
_FINE = 6  # pixels for one of MNIST's, where strokes are measured and thickened
_pillow = threading.Lock()  # silencing its warnings concerns the whole process


@dataclass(frozen=True)
class Prepared:
    """The stages from a picture to MNIST's form.

    `source` is the grey picture (h, w), reduced if it was very large; `ink` (h, w) says how much ink is where, 0
    background to 255 full; `box` is (top, left, bottom, right) of the digit in it, the last two exclusive; `image` is
    the digit in MNIST's form, (28, 28).
    """

    source: Grey
    ink: Grey
    box: Box
    image: Grey


def read_picture(path: str | Path) -> Grey:
    """The picture in a PNG, JPEG, BMP, GIF, WEBP or TIFF file, turned upright, as greys (h, w); the first of several.

    Raises PasapasError for a file that is missing, not readable, no picture, damaged, or larger than `MAX_PIXELS`.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise PasapasError(_("'{path}' is a folder: give the file of a picture.").format(path=path))
        with path.open("rb") as file:
            return _read(file, path)
    except FileNotFoundError:
        raise PasapasError(_("There is no file '{path}'.").format(path=path)) from None
    except OSError as error:
        raise PasapasError(_("Cannot read '{path}': {reason}.").format(path=path, reason=error.strerror)) from None


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
    source = _reduced(picture)
    x = source.astype(np.float64)
    ink = _ink(_above_ground(x if _ground_is_dark(x) else 255 - x))
    box = _box(ink)
    return Prepared(source, _bytes(ink), box, _bytes(_centred(_fitted(_crop(ink, box)))))


# Files


def _read(file: io.BufferedReader, path: Path) -> Grey:
    from PIL import Image, UnidentifiedImageError

    with _quiet():
        try:
            with Image.open(file, formats=FORMATS) as picture:
                if math.prod(picture.size) > MAX_PIXELS:
                    raise Image.DecompressionBombError
                return _grey(picture)
        except Image.DecompressionBombError:
            raise PasapasError(
                _("'{path}' is too large: a picture may have {most} million pixels at most; reduce it first.").format(
                    path=path, most=integer(MAX_PIXELS // 1_000_000)
                )
            ) from None
        except UnidentifiedImageError:
            raise PasapasError(
                _("'{path}' is no picture that can be read here: expected one of {formats}.").format(
                    path=path, formats=", ".join(FORMATS)
                )
            ) from None
        except Exception:  # there is hardly an exception that Pillow's decoders do not raise on damaged data
            raise PasapasError(
                _("'{path}' is truncated or damaged: its picture cannot be decoded; save or copy it again.").format(
                    path=path
                )
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings from Pillow: what matters of them is raised as an error."""
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _grey(picture: Image.Image) -> Grey:
    """A decoded picture, upright, its transparency laid on a ground, as greys (h, w)."""
    from PIL import ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits a pixel
        return np.asarray(np.clip(np.asarray(picture) // 257, 0, 255), np.uint8)
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, np.float64), posinf=0, neginf=0)
        low, high = values.min(), values.max()
        return _bytes((values - low) / (high - low or 1))
    if not picture.has_transparency_data:
        return np.array(picture.convert("L"))
    picture = picture.convert("RGBA")
    return _on_ground(picture.convert("L"), picture.getchannel("A"))


def _on_ground(grey: Image.Image, alpha: Image.Image) -> Grey:
    """Greys of opacity alpha, laid on white or black, or on their own ground if they have one, as (h, w)."""
    from PIL import Image

    opacity = np.asarray(alpha)
    opaque = np.asarray(grey)[opacity > 127]
    if not opaque.size:
        return np.full_like(opacity, 255)
    low, middle, high = np.percentile(opaque, [5, 50, 95])
    has_own = opacity.mean() > 127 and high - low > 64  # a picture with transparent corners, say
    ground = int(middle) if has_own else 0 if middle > 127 else 255
    return np.array(Image.composite(grey, Image.new("L", grey.size, ground), alpha))


# Ground and ink


def _reduced(picture: Grey) -> Grey:
    """The picture, brought down to the working size if it is larger."""
    h, w = picture.shape
    step = math.ceil(max(h, w) / _WORKING_SIDE)
    if step == 1:
        return picture
    rows, columns = np.arange(0, h, step), np.arange(0, w, step)
    sums = np.add.reduceat(np.add.reduceat(picture, rows, axis=0, dtype=np.uint32), columns, axis=1, dtype=np.uint64)
    areas = np.outer(np.diff(rows, append=h), np.diff(columns, append=w))
    return _bytes(sums / (255.0 * areas))


def _ground_is_dark(x: Floats) -> bool:
    """Whether the ground of x (h, w) is darker than its ink.

    The ground has more of the area and of the border than the ink has. In a photo, where the darker part may be a
    shadow, what decides is whether strokes are lighter or darker than what is around them.
    """
    answer = _lies_behind(dark := x <= _otsu(x))
    if _one_colour(x[dark == answer]):
        return answer
    if min(x.shape) <= 4 * FIELD:
        rest = _evenly_lit(x, 2)
        return _lies_behind(rest <= _otsu(rest))
    small = _resized(x, *(min(n, 320) for n in x.shape))
    everywhere = np.ones(small.shape, np.bool_)
    skews = [_skewness(small - _local_mean(small, everywhere, 0.0, width)) for width in (0.05, 0.1)]
    return max(skews, key=abs) > 0


def _lies_behind(part: Mask) -> bool:
    """Whether a part of the pixels has more of the area and of the border than the others have."""
    border = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    return bool(part.mean() + border.mean() > 1)


def _above_ground(x: Floats) -> Floats:
    """How much lighter than its ground each pixel of x (h, w) is, where the ground is darker than the ink."""
    ground = x[x <= _otsu(x)]
    if _one_colour(ground) or _tiny(x):  # drawn on a screen
        return x - np.median(ground)
    rest = _evenly_lit(x, 1)
    if rest is x:  # the ground is where most pixels are, unless a bold digit has more than half of the area
        low = x <= _otsu(x)
        rest = x - np.median(x if low.mean() > 0.45 else x[low])
    level: Floats | float = float(x.mean())
    for width in (0.1, 0.1, 0.07, 0.05, 0.04):
        level = _local_mean(x, rest <= max(_otsu(rest) / 2, 2 * _noise(rest)), level, width)
        rest = x - level
    return rest


def _one_colour(ground: Floats) -> bool:
    return bool(np.mean(np.abs(ground - np.median(ground)) <= 1) > 0.5)


def _tiny(x: Floats) -> bool:
    """Whether x (h, w) is so small that an estimate of its light would follow the strokes themselves."""
    return bool(min(x.shape) < INNER / 2)


def _evenly_lit(x: Floats, factor: float) -> Floats:
    """x (h, w) less its smooth surface, if two classes of pixels are tighter then, by the factor: uneven light."""
    if _tiny(x):
        return x
    rest = x - _smooth_surface(x)
    return rest if factor * _spread(rest) < _spread(x) else x


def _ink(height: Floats) -> Floats:
    """The digit's ink (h, w), 0 to 1, from the heights of pixels above the ground."""
    noise = _noise(height)
    if noise > 2 and min(height.shape) > 4 * FIELD:
        height = _blurred(height)
        noise = _noise(height)
    floor = 4 * noise
    inside = _without_edges(height, floor)
    ink = _strokes(inside, floor) if inside is not None else None
    if ink is None or max(_extent(_box(ink))) < 0.2 * max(height.shape):
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


def _strokes(height: Floats, floor: float) -> Floats | None:
    """The ink of the largest piece and of those that belong to it; None if there is none large enough to be seen."""
    candidates = height[height > max(floor, _FAINTEST)]
    if not candidates.size:
        return None
    middle = _otsu(candidates)  # between full ink and edges of strokes, or faint rulings
    labels, boxes, masses = _pieces(height > max(floor, middle / 2), height)
    largest = labels == np.argmax(masses) + 1
    if largest.sum() < 4 or max(_extent(_box(largest))) < 0.03 * max(height.shape):
        return None
    mask = _belonging(boxes, masses)[labels]
    top, left, bottom, right = _box(mask)
    inked = height[mask]
    full = float(np.percentile(inked[inked >= _otsu(inked)], 75 if floor else 100))
    near = _widened(mask, max(2, round(0.03 * math.hypot(bottom - top, right - left))))
    return np.where(near, np.clip((height - floor) / (full - floor), 0, 1), 0)


def _without_edges(height: Floats, floor: float) -> Floats | None:
    """Heights without what runs along the picture's border, such as a table around the sheet; None if nothing does."""
    candidates = height[height > max(floor, _FAINTEST)]
    if not candidates.size:
        return None
    labels, boxes, _masses = _pieces(height > max(floor, _otsu(candidates) / 2), height)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    along = np.bincount(border, minlength=len(boxes) + 1) > 0.1 * len(border)
    along[0] = False
    if not along.any():
        return None
    return np.where(_widened(along[labels], max(2, max(height.shape) // 100)), 0, height)


def _pieces(mask: Mask, height: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Connected pieces of a mask (h, w), also by diagonals: labels (h, w) from 1, 0 outside; boxes; sums of height.

    Runs of pixels are joined with those that they touch in the row above.
    """
    h, w = mask.shape
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)  # (h, w + 1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    row, start, end = rows.tolist(), starts.tolist(), ends.tolist()
    above = 0
    for i in range(len(row)):
        while row[above] < row[i] - 1 or (row[above] == row[i] - 1 and end[above] < start[i]):
            above += 1
        j = above
        while row[j] == row[i] - 1 and start[j] <= end[i]:
            parent[root(j)] = root(i)
            j += 1
    roots, of_run = np.unique([root(i) for i in range(len(row))], return_inverse=True)
    labels = np.zeros((h, w), np.intp)
    labels[mask] = np.repeat(of_run + 1, ends - starts)
    boxes = np.tile(np.array([h, w, 0, 0], np.intp), (len(roots), 1))
    for column, reduce, values in (
        (0, np.minimum, rows),
        (1, np.minimum, starts),
        (2, np.maximum, rows + 1),
        (3, np.maximum, ends),
    ):
        reduce.at(boxes[:, column], of_run, values)
    masses: Floats = np.bincount(labels[mask], height[mask], len(roots) + 1)[1:].astype(np.float64)
    return labels, boxes, masses


def _belonging(boxes: npt.NDArray[np.intp], masses: Floats) -> Mask:
    """Which labels, 0 included, are the largest piece or belong to it: the farther away, the larger they must be."""
    kept = np.zeros(len(boxes) + 1, np.bool_)
    new = masses == masses.max()
    while (new & ~kept[1:]).any():
        kept[1:] |= new
        top, left = boxes[kept[1:], :2].min(axis=0)
        bottom, right = boxes[kept[1:], 2:].max(axis=0)
        dy = np.maximum(np.maximum(boxes[:, 0] - bottom, top - boxes[:, 2]), 0)
        dx = np.maximum(np.maximum(boxes[:, 1] - right, left - boxes[:, 3]), 0)
        distance = np.hypot(dy, dx) / math.hypot(bottom - top, right - left)
        new = masses > (0.01 + 0.2 * distance) * masses[kept[1:]].sum()
    return kept


# MNIST's form


def _fitted(ink: Floats) -> Floats:
    """Ink cropped to its box, scaled to fit 20x20, with strokes made thicker if they would be too thin to be seen."""
    fine = _scaled(ink, min(max(ink.shape), _FINE * INNER))
    width = _stroke_width(fine) * INNER / max(fine.shape)
    if width < _THIN:
        fine = _scaled(ink, _FINE * INNER)
        fine = _thickened(
            np.minimum(fine / np.percentile(fine[fine > 0.5 * fine.max()], 50), 1), (_THICKENED - width) / 2 * _FINE
        )
        ink = _crop(fine, _box(fine))
    ink = _scaled(ink, INNER)
    scaled: Floats = ink / ink.max()
    return scaled


def _stroke_width(ink: Floats) -> float:
    """The mean width of strokes: their area over half their outline, which the sum of slopes measures."""
    padded = np.pad(ink, 1)
    slopes = np.hypot(np.diff(padded, axis=0)[:, 1:], np.diff(padded, axis=1)[1:])
    return float(2 * ink.sum() / slopes.sum())


def _thickened(ink: Floats, radius: float) -> Floats:
    """The ink drawn again with a round pen: the greatest value within the radius of each pixel."""
    r = max(1, round(radius))
    h, w = ink.shape
    padded = np.pad(ink, 2 * r)
    thick = np.zeros((h + 2 * r, w + 2 * r))
    for i in range(-r, r + 1):
        for j in range(-r, r + 1):
            if i * i + j * j <= radius * radius:
                np.maximum(thick, padded[r + i : 3 * r + i + h, r + j : 3 * r + j + w], out=thick)
    return thick


def _centred(ink: Floats) -> Floats:
    """The ink in a field of 28x28, its centre of mass at the centre, to the pixel, as in MNIST."""
    h, w = ink.shape
    y = np.average(np.arange(h), weights=ink.sum(axis=1))
    x = np.average(np.arange(w), weights=ink.sum(axis=0))
    top = min(max(round(CENTRE - float(y)), 0), FIELD - h)
    left = min(max(round(CENTRE - float(x)), 0), FIELD - w)
    field = np.zeros((FIELD, FIELD))
    field[top : top + h, left : left + w] = ink
    return field


# Arrays


def _bytes(values: npt.NDArray[Any]) -> Grey:
    """Values from 0 to 1 as bytes."""
    grey: Grey = np.rint(255 * values).astype(np.uint8)
    return grey


def _box(ink: npt.NDArray[Any]) -> Box:
    """Top, left, bottom and right of what is clearly ink; empty if nothing is."""
    clear = ink > 0.2
    rows, columns = np.flatnonzero(clear.any(axis=1)), np.flatnonzero(clear.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _extent(box: Box) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


def _crop(ink: Floats, box: Box) -> Floats:
    return ink[box[0] : box[2], box[1] : box[3]]


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


def _noise(height: Floats) -> float:
    """The standard deviation of noise in the ground, judged by the pixels below it, where no ink is."""
    return max(0.0, -float(np.quantile(height, 0.16)))


def _smooth_surface(x: Floats) -> Floats:
    """The surface of second degree nearest to most of x (h, w): least absolute differences, by reweighting."""
    small = _resized(x, *(min(n, 64) for n in x.shape))
    v, u = np.meshgrid(*(np.linspace(-1, 1, n) for n in small.shape), indexing="ij")
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1).reshape(-1, 6)  # (h w, 6)
    values = small.reshape(-1)
    fitted, weights = values, np.ones_like(values)
    for _i in range(12):
        root = np.sqrt(weights)
        fitted = terms @ np.linalg.lstsq(terms * root[:, None], values * root, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(values - fitted), 1)
    return _resized(fitted.reshape(small.shape), *x.shape)


def _spread(x: Floats) -> float:
    """The variance that remains within each of two classes of values."""
    low = x <= _otsu(x)
    return float(sum(part.size * part.var() for part in (x[low], x[~low]) if part.size))


def _skewness(x: Floats) -> float:
    """Positive where a few values are far above the others, negative where they are far below."""
    x = x - x.mean()
    return float(np.mean(x**3) / (np.mean(x**2) ** 1.5 + 1e-9))


def _local_mean(x: Floats, mask: Mask, otherwise: Floats | float, width: float) -> Floats:
    """The mean of x (h, w) over the mask, within `width` of the picture around; `otherwise` where it is empty."""
    h, w = (min(n, 48) for n in x.shape)
    rows, columns = _bell(h, width), _bell(w, width)
    sums = _resized(rows @ _resized((x - otherwise) * mask, h, w) @ columns, *x.shape)
    counts = _resized(rows @ _resized(mask.astype(np.float64), h, w) @ columns, *x.shape)
    return otherwise + sums / (counts + 1e-3)


def _bell(n: int, width: float) -> Floats:
    """Weights (n, n) that average over a share `width` of n positions."""
    i = np.arange(n)
    weights: Floats = np.exp(-(((i[:, None] - i) / (width * n)) ** 2) / 2)
    weights /= weights.sum(axis=1).max()
    return weights


def _blurred(x: Floats) -> Floats:
    """x (h, w) averaged with the weights 1, 4, 6, 4, 1 in both directions."""
    for _i in range(2):
        p = np.pad(x, 1, mode="edge")
        p = (p[:-2] + 2 * p[1:-1] + p[2:]) / 4
        x = (p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]) / 4
    return x


def _widened(mask: Mask, r: int) -> Mask:
    """The mask (h, w) and all within r pixels of it, in rows and columns."""
    for _i in range(2):
        sums = np.cumsum(np.pad(mask, ((r + 1, r), (0, 0))), axis=0)
        mask = (sums[2 * r + 1 :] > sums[: -2 * r - 1]).T
    return mask


def _scaled(x: Floats, side: int) -> Floats:
    """x (h, w), its longer side brought to `side`, in proportion."""
    scale = side / max(x.shape)
    h, w = (max(1, round(n * scale)) for n in x.shape)
    return _resized(x, h, w)


def _resized(x: Floats, h: int, w: int) -> Floats:
    resized: Floats = _resampling(x.shape[0], h) @ x @ _resampling(x.shape[1], w).T
    return resized


def _resampling(n: int, m: int) -> Floats:
    """Weights (m, n) that bring n pixels to m: the mean over what each new one covers; between pixels, linear."""
    if m > n:
        at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
        near: Floats = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n)))
        return near
    edges = np.arange(m + 1) * n / m
    covered: Floats = np.minimum(edges[1:, None], np.arange(n) + 1) - np.maximum(edges[:-1, None], np.arange(n))
    return np.maximum(0, covered) * m / n

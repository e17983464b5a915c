"""Reading the file of a picture."""

from __future__ import annotations

import errno
import math
import warnings
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from pasapas.errors import PasapasError, cannot_read
from pasapas.i18n import _, integer

Grey = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")


def read_picture(path: str | Path) -> Grey:
    """The picture in a PNG, JPEG, BMP, GIF, WEBP or TIFF file, turned upright, as greys (h, w); the first of several.

    Raises PasapasError for a file that is missing, not readable, no picture, damaged, or larger than `MAX_PIXELS`.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a named pipe, for one, would keep us waiting
            raise PasapasError(_("'{path}' is not a file: give the file of a picture.").format(path=path))
        file = path.open("rb")
    except OSError as error:
        raise cannot_read(path, error) from None
    except PasapasError:
        raise
    except ValueError:  # a name that no file can have
        raise cannot_read(path, OSError(errno.ENOENT, "")) from None
    with file:
        return _read(file, path)


def _read(file: IO[bytes], path: Path) -> Grey:
    try:
        # what matters of Pillow's warnings is raised here as an error
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
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


def _grey(picture: Image.Image) -> Grey:
    """A decoded picture, upright, its transparency laid on a ground, as greys (h, w)."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits a pixel
        return np.asarray(np.clip(np.asarray(picture) // 257, 0, 255), np.uint8)
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, np.float64), posinf=0, neginf=0)
        values -= values.min()
        return np.asarray(np.rint(values * (255 / (values.max() or 1))), np.uint8)
    if not picture.has_transparency_data:
        return np.array(picture.convert("L"))
    picture = picture.convert("RGBA")
    return _on_ground(picture.convert("L"), picture.getchannel("A"))


def _on_ground(grey: Image.Image, alpha: Image.Image) -> Grey:
    """Greys of opacity alpha, laid on white or black, or on their own ground if they have one, as (h, w)."""
    opacity = np.asarray(alpha)
    opaque = np.asarray(grey)[opacity > 127]
    if not opaque.size:
        return np.full_like(opacity, 255)
    low, middle, high = np.percentile(opaque, [5, 50, 95])
    has_own = opacity.mean() > 127 and high - low > 64  # a picture with transparent corners, say
    ground = int(middle) if has_own else 0 if middle > 127 else 255
    return np.array(Image.composite(grey, Image.new("L", grey.size, ground), alpha))

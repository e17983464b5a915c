"""The IDX format, in which MNIST and its relatives are published: a type, a shape, and the numbers, big-endian.

Format: four bytes (0, 0, type, number of dimensions), one unsigned 32-bit size a dimension, then the data. Source:
Y. LeCun, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError, cannot_read
from pasapas.i18n import _, integer

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_DEFLATE_RATIO = 1032  # deflate cannot pack tighter: a header that promises more is wrong


def read_idx(path: str | Path) -> npt.NDArray[Any]:
    """The array in an IDX file, gzipped or not, in the machine's byte order.

    Raises PasapasError for a file that is missing, of another format, truncated, too long or damaged. Nothing is
    allocated that the size of the file does not warrant.
    """
    path = Path(path)
    try:
        packed = path.stat().st_size
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP
            file.seek(0)
            if zipped:
                with gzip.open(file) as stream:
                    return _read(cast(IO[bytes], stream), path, packed * _DEFLATE_RATIO)
            return _read(file, path, packed)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise PasapasError(_("'{path}' is damaged: its gzip data cannot be unpacked.").format(path=path)) from None
    except OSError as error:
        raise cannot_read(path, error) from None


def mapped_idx(path: str | Path) -> npt.NDArray[Any]:
    """The array in an IDX file that is not gzipped, where it lies: its rows are read from disk when they are needed.

    So it can be larger than memory. Numbers of several bytes stay big-endian. Raises PasapasError as `read_idx` does.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if file.read(2) == _GZIP:
                raise PasapasError(
                    _("'{path}' is gzipped, so that its rows cannot be read one by one: unpack it first.").format(
                        path=path
                    )
                )
            file.seek(0)
            dtype, shape, complete = _header(file, path)
            start = file.tell()
        expected, got = math.prod(shape) * dtype.itemsize, path.stat().st_size - start
        if not complete or got != expected:
            raise _truncated(path, expected, got)
        return np.memmap(path, dtype, "r", start, shape) if expected else np.empty(shape, dtype)
    except OSError as error:
        raise cannot_read(path, error) from None


def _header(stream: IO[bytes], path: Path) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Type and shape of what follows, and whether all of the shape is there."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 8:
        raise PasapasError(
            _(
                "'{path}' is no IDX file: it does not begin with two zero bytes, a type and a number of dimensions."
            ).format(path=path)
        )
    dtype, ndim = np.dtype(_TYPES[magic[2]]), magic[3]
    sizes = stream.read(4 * ndim)
    shape = tuple(int(n) for n in np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4"))
    return dtype, shape, len(shape) == ndim


def _read(stream: IO[bytes], path: Path, limit: int) -> npt.NDArray[Any]:
    dtype, shape, complete = _header(stream, path)
    expected = math.prod(shape) * dtype.itemsize
    data = stream.read(expected + 1) if complete and expected <= limit else b""
    if not complete or len(data) != expected:
        raise _truncated(path, expected, len(data))
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _truncated(path: Path, expected: int, got: int) -> PasapasError:
    return PasapasError(
        _(
            "'{path}' is truncated or damaged: its header promises {expected} bytes of data and the file has {got}."
        ).format(
            path=path,
            expected=integer(expected),
            got=_("more") if got > expected else integer(got) if got else _("fewer"),
        )
    )

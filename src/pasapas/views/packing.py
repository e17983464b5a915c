"""Arrays as text, for pages: base64 of their bytes, row after row, the least significant byte first."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _


def packed(array: npt.ArrayLike, dtype: str = "<f4") -> str:
    """The numbers of an array in `dtype`: "<f4" for float32, "u1" for bytes."""
    return base64.b64encode(np.asarray(array).astype(dtype, order="C").tobytes()).decode("ascii")


def packed_bytes(content: bytes) -> str:
    """The bytes of a file."""
    return base64.b64encode(content).decode("ascii")


def unpacked(text: str) -> bytes:
    """The bytes in a base64 text. Raises PasapasError where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PasapasError(_("The bytes that came are not base64: send the file again.")) from None


def signed(array: npt.NDArray[Any]) -> dict[str, Any]:
    """Numbers of both signs for a picture: bytes from −127 to 127, and the largest magnitude, which 127 stands for."""
    largest = float(np.max(np.abs(array), initial=0.0))
    return {"values": packed(np.rint(array * (127 / largest if largest else 0)), "i1"), "largest": largest}

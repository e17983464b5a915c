"""What the doctor and its child process say to each other, as bytes.

A message is a token of 16 bytes, the lengths of a header and of the data (two unsigned 32-bit numbers), the header in
JSON, and the bytes of all arrays, one after another. Nothing is unpickled. What comes from the child may have been
written by anyone: `unpack` bounds and checks everything, and raises `Malformed`.
"""

from __future__ import annotations

import json
import math
import re
import struct
from typing import Any

import numpy as np

from pasapas.doctor.recording import Call, Wanted
from pasapas.doctor.session import Failure, Outcome, Step
from pasapas.doctor.values import Opaque, Ref

PREFIX = struct.Struct("!16sII")
TOKEN = 16
LARGEST_HEADER = 8_000_000
LARGEST_DATA = 64_000_000
MOST_NODES = 500_000
DEEPEST = 40

_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f(2|4|8|12|16)|c(8|16))")
_FIELDS = {
    Outcome: ("value", "handle", "failure", "after", "steps", "owner", "calls"),
    Failure: ("kind", "message", "line", "function", "shapes"),
    Step: ("function", "line", "name", "value"),
    Call: ("function", "caller", "line", "arguments", "owner", "shared", "value"),
    Wanted: ("functions", "until", "most", "shared"),
    Opaque: ("kind", "attributes"),
    Ref: ("handle", "path"),
}
_CLASSES: dict[str, type] = {kind.__name__: kind for kind in _FIELDS}
_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "handle": (int,),
    "line": (int,),
    "kind": (str,),
    "message": (str,),
    "function": (str,),
    "name": (str,),
    "failure": (Failure, type(None)),
    "after": (list,),
    "steps": (list,),
    "calls": (list,),
    "caller": (str,),
    "arguments": (dict,),
    "shapes": (dict,),
    "attributes": (dict,),
    "path": (tuple,),
    "shared": (dict, tuple),
    "functions": (tuple,),
    "until": (str,),
    "most": (int,),
}
_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


class Malformed(Exception):
    """Bytes that are no message."""


def pack(token: bytes, value: Any) -> bytes:
    """The message that carries `value`. Arrays for which there is no more room become `Opaque("ndarray")`."""
    data: list[bytes] = []
    header = _encode(_Packer(data).pack(value)).encode()
    if len(header) > LARGEST_HEADER:
        raise Malformed("too much to say")
    size = sum(map(len, data))
    return b"".join([PREFIX.pack(token, len(header), size), header, *data])


def lengths(prefix: bytes, token: bytes) -> tuple[int, int]:
    """The lengths of the header and of the data of the message that begins so."""
    said, header, data = PREFIX.unpack(prefix)
    if said != token or header > LARGEST_HEADER or data > LARGEST_DATA:
        raise Malformed("no message, or not the one that was asked for")
    return header, data


def unpack(header: bytes, data: bytes) -> Any:
    """The value that a message carries."""
    try:
        unpacker = _Unpacker(data)
        value = unpacker.unpack(_decode(header.decode()), 0)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError, OverflowError) as error:
        raise Malformed(str(error)) from None
    if unpacker.offset != len(data):
        raise Malformed("data left over")
    return value


class _Packer:
    def __init__(self, data: list[bytes]) -> None:
        self.data, self.room, self.nodes = data, LARGEST_DATA, MOST_NODES

    def pack(self, value: Any) -> Any:
        self.nodes -= 1
        if self.nodes < 0:
            raise Malformed("too much to say")
        if isinstance(value, np.ndarray):
            return self._array(value, "array")
        if isinstance(value, np.generic):
            return self._array(np.asarray(value), "scalar")
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, float):
            return float(value)
        if isinstance(value, int):
            return int(value) if -(1 << 63) <= value < 1 << 63 else float(value)
        if isinstance(value, list):
            return ["list", *map(self.pack, value)]
        if isinstance(value, tuple):
            return ["tuple", *map(self.pack, value)]
        if isinstance(value, dict):
            return ["dict", *(self.pack(x) for pair in value.items() for x in pair)]
        if type(value) in _FIELDS:
            return [type(value).__name__, *(self.pack(getattr(value, name)) for name in _FIELDS[type(value)])]
        return ["Opaque", type(value).__name__, ["dict"]]

    def _array(self, array: np.ndarray, tag: str) -> Any:
        if array.nbytes > self.room or not _DTYPE.fullmatch(array.dtype.str):
            return ["Opaque", "ndarray", ["dict"]]
        self.room -= array.nbytes
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        self.data.append(array.tobytes(order="F" if order == "F" else "C"))
        return [tag, array.dtype.str, order, *array.shape]


class _Unpacker:
    def __init__(self, data: bytes) -> None:
        self.data, self.offset, self.nodes = data, 0, 2 * MOST_NODES

    def unpack(self, said: Any, depth: int) -> Any:
        self.nodes -= 1
        if depth > DEEPEST or self.nodes < 0:
            raise Malformed("too deep or too long")
        if said is None or isinstance(said, (bool, int, float, str)):
            if isinstance(said, int) and not -(1 << 63) <= said < 1 << 63:
                raise Malformed("a number that is too large")
            return said
        if not isinstance(said, list) or not said or not isinstance(said[0], str):
            raise Malformed("a value of no known kind")
        tag, rest = said[0], said[1:]
        if tag in ("array", "scalar"):
            array = self._array(*rest)
            return array if tag == "array" else array[()]
        parts = [self.unpack(part, depth + 1) for part in rest]
        if tag == "list":
            return parts
        if tag == "tuple":
            return tuple(parts)
        if tag == "dict":
            return dict(zip(parts[::2], parts[1::2], strict=True))
        return _build(_CLASSES[tag], parts)

    def _array(self, dtype: Any, order: Any, *shape: Any) -> np.ndarray:
        if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype) or order not in ("C", "F") or len(shape) > 32:
            raise Malformed("an array of no known kind")
        if not all(type(n) is int and 0 <= n < 1 << 40 for n in shape):
            raise Malformed("an array of no possible shape")
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if size > len(self.data) - self.offset:
            raise Malformed("an array that is not there")
        flat = np.frombuffer(self.data, kind, math.prod(shape), self.offset) if size else np.empty(0, kind)
        self.offset += size
        return flat.reshape(shape, order=order).copy(order="K")


def _build(kind: type, parts: list[Any]) -> Any:
    names = _FIELDS[kind]
    for name, part in zip(names, parts, strict=True):
        expected = _FIELD_TYPES.get(name)
        if expected is not None and (not isinstance(part, expected) or isinstance(part, bool)):
            raise Malformed(f"{kind.__name__}.{name} is a {type(part).__name__}")
    for field, part in (("steps", Step), ("calls", Call)):
        if kind is Outcome and not all(isinstance(p, part) for p in parts[names.index(field)]):
            raise Malformed(f"one of {field} that is none")
    if kind is Failure and not all(
        isinstance(name, str) and isinstance(shape, tuple) and all(type(n) is int for n in shape)
        for name, shape in parts[names.index("shapes")].items()
    ):
        raise Malformed("a shape that is none")
    if kind is Ref and not all(isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], str) for p in parts[1]):
        raise Malformed("a path that is none")
    return kind(**dict(zip(names, parts, strict=True)))

"""A reader of pickled dictionaries of plain arrays that executes nothing.

Python's own unpickler calls whatever a file names. This one knows no functions at all: it follows the few
instructions that NumPy arrays in dictionaries are written with, keeps names as names, and refuses everything else.

The format: the documentation of `pickletools` in Python's standard library.
"""

from __future__ import annotations

import io
import pickletools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError, cannot_read, one_of
from pasapas.i18n import _
from pasapas.layers import ACTIVATIONS, Params
from pasapas.network import Network, mlp

MAX_BYTES = 1_000_000_000
"""A larger file is not read: it would hold more weights than a network may have."""

_DTYPE = re.compile(r"[<>|=]?[fiu][1248]")
_RECONSTRUCT = {f"numpy.{core}.multiarray _reconstruct" for core in ("core", "_core")}
_FROM_BUFFER = {f"numpy.{core}.numeric _frombuffer" for core in ("core", "_core")}
_MARK = object()


class Refused(Exception):
    """The pickle asks for something that is no plain array; the argument names it."""


@dataclass(frozen=True)
class _Name:
    """A function or class that the pickle names. It is never looked up."""

    name: str


class _Dtype:
    def __init__(self, code: Any) -> None:
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            raise Refused(f"dtype {code!r}")
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise Refused("dtype state")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    value: npt.NDArray[Any] | None = None

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("array state")
        _version, shape, dtype, fortran, data = state
        self.value = _array(data, dtype, shape, "F" if fortran else "C")


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
    if not isinstance(dtype, _Dtype) or not isinstance(data, bytes) or order not in ("C", "F"):
        raise Refused("array of objects")
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n <= len(data) for n in shape) or len(shape) > 8:
        raise Refused(f"array shape {shape!r}"[:60])
    flat = np.frombuffer(data, dtype.dtype)  # as many numbers as there are bytes: the shape allocates nothing
    if flat.size != int(np.prod([int(n) for n in shape], dtype=object)):
        raise Refused(f"array shape {shape!r}"[:60])
    return flat.reshape(shape, order=order)


def _call(function: Any, arguments: Any) -> Any:
    name = function.name if isinstance(function, _Name) else type(function).__name__
    if isinstance(function, _Name) and isinstance(arguments, tuple):
        if name in _RECONSTRUCT:
            return _Array()
        if name == "numpy dtype" and arguments:
            return _Dtype(arguments[0])
        if name in _FROM_BUFFER and len(arguments) == 4:
            return _array(*arguments)
        if name == "_codecs encode" and len(arguments) == 2 and isinstance(arguments[0], str):
            return arguments[0].encode("latin-1")
    raise Refused(name)


def read_pickle(data: bytes) -> Any:
    """The dictionaries, lists, tuples, strings, numbers and plain arrays in a pickle. Raises Refused for any other thing.

    Raises ValueError, IndexError, KeyError or TypeError where `data` is no whole pickle.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def to_mark() -> list[Any]:
        cut = len(stack) - 1 - next(i for i, item in enumerate(reversed(stack)) if item is _MARK)
        items = stack[cut + 1 :]
        del stack[cut:]
        return items

    argument: Any
    for opcode, argument, _position in pickletools.genops(io.BytesIO(data)):
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return _finished(stack.pop())
            case "MARK":
                stack.append(_MARK)
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "INT" | "BININT" | "BININT1" | "BININT2" | "LONG" | "LONG1" | "FLOAT" | "BINFLOAT":
                stack.append(argument)
            case "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8":
                stack.append(argument)
            case "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8" | "BYTEARRAY8":
                stack.append(bytes(argument))
            case "STRING" | "BINSTRING" | "SHORT_BINSTRING":  # as Python 2 wrote them
                stack.append(argument.encode("latin-1") if opcode.name != "STRING" else argument)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                n = int(opcode.name[-1])
                stack[-n:] = [tuple(stack[-n:])]
            case "TUPLE":
                stack.append(tuple(to_mark()))
            case "LIST":
                stack.append(to_mark())
            case "DICT":
                items = to_mark()
                stack.append(dict(zip(items[::2], items[1::2], strict=True)))
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items = to_mark()
                stack[-1].extend(items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                stack[-1][key] = value
            case "SETITEMS":
                items = to_mark()
                stack[-1].update(zip(items[::2], items[1::2], strict=True))
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_Name(argument))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(_Name(f"{module} {name}"))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_call(function, arguments))
            case "BUILD":
                state = stack.pop()
                if not isinstance(stack[-1], (_Array, _Dtype)):
                    raise Refused("BUILD")
                stack[-1].set_state(state)
            case _:
                raise Refused(opcode.name)
    raise ValueError("no STOP")


def _finished(value: Any) -> Any:
    """`value` if it is a dictionary of arrays alone, with the arrays themselves in it."""
    if not isinstance(value, dict):
        raise Refused(type(value).__name__)
    return {key: item.value if isinstance(item, _Array) else item for key, item in value.items()}


def load_pickled(path: Path, activation: str | None = None) -> tuple[Network, list[Params], dict[str, Any]]:
    """Network, parameters, and what to say of them, from a pickled dictionary of W1, b1, W2, b2, ..., as courses save them.

    W may be (n_in, n_out) or (n_out, n_in); b (n,), (1, n) or (n, 1). The file does not say what its hidden units
    are: without `activation` they are taken to be tanh for the layout (n_out, n_in) and ReLU for (n_in, n_out), as in the
    two courses that write these. Raises PasapasError for everything else.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PasapasError(_("'{path}' is too large for a model.").format(path=path))
        content = read_pickle(path.read_bytes())
        return _as_model(path, content, activation)
    except OSError as error:
        raise cannot_read(path, error) from None
    except Refused as refused:
        raise PasapasError(
            _(
                "'{path}' was refused and nothing in it was run: a pickled model may hold plain arrays alone, and this one asks for '{name}'."
            ).format(path=path, name=str(refused)[:80])
        ) from None
    except PasapasError:
        raise
    except Exception as error:  # pickletools raises whatever it meets in a damaged file
        if isinstance(error, KeyboardInterrupt):
            raise
        raise PasapasError(_("'{path}' is no pickled dictionary, or it is damaged.").format(path=path)) from None


def _as_model(
    path: Path, content: dict[Any, Any], activation: str | None
) -> tuple[Network, list[Params], dict[str, Any]]:
    depth = len(content) // 2
    expected = [f"{name}{i}" for i in range(1, depth + 1) for name in ("W", "b")]
    if not depth or set(map(str, content)) != set(expected):
        raise PasapasError(
            _("'{path}' holds {got} where a pickled model has W1, b1, W2, b2 and so on.").format(
                path=path, got=", ".join(str(key)[:20] for key in list(content)[:12]) or _("nothing")
            )
        )
    for name, value in content.items():
        if not isinstance(value, np.ndarray) or value.ndim != (2 if name[0] == "W" else value.ndim) or not value.size:
            raise PasapasError(_("'{path}': {name} is no array of weights.").format(path=path, name=name))
        if not np.isfinite(value).all():
            raise PasapasError(_("'{path}': {name} has values that are NaN or infinite.").format(path=path, name=name))
    W = [content[f"W{i}"] for i in range(1, depth + 1)]
    b = [content[f"b{i}"] for i in range(1, depth + 1)]
    columns = (b[0].ndim == 2 and b[0].shape[1] == 1 and b[0].shape[0] > 1) or (b[0].ndim == 1 and W[0].shape[1] == 784)
    if columns:
        W = [w.T for w in W]
    sizes = [W[0].shape[0], *(w.shape[1] for w in W)]
    for i, (w, bias) in enumerate(zip(W, b, strict=True), 1):
        if w.shape != (sizes[i - 1], sizes[i]) or bias.size != sizes[i] or bias.ndim > 2:
            raise PasapasError(
                _("'{path}': the shapes of W{i} {w} and b{i} {b} do not fit a network of {sizes}.").format(
                    path=path, i=i, w=content[f"W{i}"].shape, b=bias.shape, sizes="-".join(map(str, sizes))
                )
            )
    hidden = one_of(_("activation"), activation, ACTIVATIONS) if activation else "tanh" if columns else "relu"
    network = mlp(*sizes, activation=hidden)
    dtype = "float32" if all(a.dtype == np.float32 for a in content.values()) else "float64"
    arrays = iter(zip(W, b, strict=True))
    params: list[Params] = []
    for layer in network.layers:
        if layer in network.dense:
            w, bias = next(arrays)
            params.append({"W": np.ascontiguousarray(w, dtype), "b": bias.reshape(-1).astype(dtype)})
        else:
            params.append({})
    return network, params, {"imported": path.name, "activation": hidden}

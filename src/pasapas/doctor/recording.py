"""What a learner's functions are given, and what they give, while something larger runs: a training loop, a script.

As `session.py`, it needs NumPy and the standard library alone. What is recorded is plain: large arrays are summed up.
"""

from __future__ import annotations

import ast
import copy
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from pasapas.doctor.values import Opaque

MOST_CALLS = 400
LARGEST_WHOLE = 20_000
"""An array with more entries is summed up."""
ROOM = 16_000_000
"""So many bytes of arrays are kept in all."""
MOST_NODES = 100_000
"""So many lists, dictionaries and objects are looked into."""
ROWS, SAMPLE = 24, 4_096


class Enough(BaseException):
    """Ends what is recorded when all has been seen; no `except Exception` of a learner's catches it."""


@dataclass(frozen=True)
class Wanted:
    """Which calls are recorded: of functions by qualified name ("Class.method"), with the globals `shared` at that time.

    The one with number `most` + 1 of the function `until` ends it all.
    """

    functions: tuple[str, ...]
    until: str = ""
    most: int = MOST_CALLS
    shared: tuple[str, ...] = ()


@dataclass
class Call:
    """One call: its arguments and its object as they were when it began, and its result. `line` is the caller's."""

    function: str
    caller: str
    line: int
    arguments: dict[str, Any] = field(default_factory=dict)
    owner: Any = None
    shared: dict[str, Any] = field(default_factory=dict)
    value: Any = None


class Recorder:
    """Records calls while it is entered. `watched` says whether a file's frames are the learner's."""

    def __init__(self, wanted: Wanted, namespace: dict[str, Any], watched: Callable[[str], bool]) -> None:
        self.wanted, self.namespace, self.watched = wanted, namespace, watched
        self.calls: list[Call] = []
        self.count = 0
        self.room, self.nodes = ROOM, MOST_NODES

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self._enter)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _enter(self, frame: Any, event: str, argument: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        if code.co_qualname not in self.wanted.functions or not self.watched(code.co_filename):
            return None
        if code.co_qualname == self.wanted.until:
            self.count += 1
        if self.count > self.wanted.most or len(self.calls) >= MOST_CALLS:
            raise Enough
        caller = frame.f_back
        known = caller is not None and self.watched(caller.f_code.co_filename)
        call = Call(code.co_qualname, caller.f_code.co_name if known else "", caller.f_lineno if known else 0)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        for i, name in enumerate(names):
            value = self._safely(frame.f_locals.get(name))
            if i == 0 and name == "self":
                call.owner = value
            else:
                call.arguments[name] = value
        for name in self.wanted.shared:
            if name in self.namespace:
                call.shared[name] = self._safely(self.namespace[name])
        self.calls.append(call)
        frame.f_trace_lines = False

        def leave(_frame: Any, event: str, argument: Any) -> Any:
            if event == "return":
                call.value = self._safely(argument)
            return leave

        return leave

    def _safely(self, value: Any) -> Any:
        try:
            return self.seen(value)
        except Exception:  # a learner's class that cannot be looked at
            return Opaque(type(value).__name__)

    def seen(self, value: Any, depth: int = 0) -> Any:
        """As `values.view`, with large arrays summed up, and fewer items of long lists."""
        if value is None or isinstance(value, (bool, float, str)):
            return value[:200] if isinstance(value, str) else value
        if isinstance(value, int):
            return value if abs(value) < 1 << 62 else float("inf")
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(np.asarray(value)) if value.dtype.kind in "fiub" else Opaque("ndarray")
        self.nodes -= 1
        if depth < 5 and self.nodes > 0:
            if isinstance(value, (list, tuple)):
                parts = [self.seen(v, depth + 1) for v in value[:64]]
                return parts if isinstance(value, list) else tuple(parts)
            if isinstance(value, dict):
                return {
                    (k if isinstance(k, (str, int)) else str(k)[:100]): self.seen(v, depth + 1)
                    for k, v in list(value.items())[:64]
                }
            attributes = getattr(value, "__dict__", None)
            if isinstance(attributes, dict) and not isinstance(value, (type, ModuleType)) and not callable(value):
                items = list(attributes.items())[:64]
                return Opaque(type(value).__name__, {str(k): self.seen(v, depth + 1) for k, v in items})
        return Opaque(type(value).__name__)

    def _array(self, array: np.ndarray) -> Any:
        if array.size <= LARGEST_WHOLE and array.nbytes <= self.room:
            self.room -= array.nbytes
            return np.array(array)
        with np.errstate(all="ignore"):
            facts: dict[str, Any] = {
                "shape": array.shape,
                "dtype": array.dtype.str,
                "digest": zlib.crc32(np.ascontiguousarray(array).tobytes()),
                "max": float(array.max()),
                "min": float(array.min()),
                "std": float(array.std()),
            }
        parts = {"sample": array.ravel()[:: 1 + array.size // SAMPLE]}
        if array.ndim == 2 and min(array.shape) <= 1_000:
            parts["rows" if array.shape[1] <= 1_000 else "columns"] = (
                array[:ROWS] if array.shape[1] <= 1_000 else array[:, :ROWS]
            )
            if max(array.shape) <= 1_000:
                parts["columns"] = array[:, :ROWS]
        for name, part in parts.items():
            if part.nbytes <= self.room:
                self.room -= part.nbytes
                facts[name] = np.array(part)
        return Opaque(SUMMARY, facts)


def shortened(statements: list[ast.stmt]) -> list[ast.stmt]:
    """A script in which whole numbers from 10,000 to 70,000 are those of the smaller MNIST that `loaders.py` gives."""
    return [_Shorten().visit(copy.deepcopy(statement)) for statement in statements]


class _Shorten(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        n = node.value
        if isinstance(n, int) and 10_000 <= n <= 70_000 and n % 1_000 == 0:
            node.value = int(np.interp(n, [10_000, 50_000, 60_000, 70_000], [500, 1_500, 2_000, 2_500]))
        return node


SUMMARY = "large array"
"""The kind of what stands for an array that is summed up."""

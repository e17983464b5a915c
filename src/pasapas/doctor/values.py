"""What passes between the doctor and the process that runs a learner's code: plain values, and stand-ins for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

DEEPEST = 7
MOST_ITEMS = 512


@dataclass(frozen=True)
class Ref:
    """Stands for an object that stays where the learner's code runs.

    `handle` is the number of a result, 0 the namespace; `path` leads into it: ("global", name), ("attr", name) or
    ("item", key).
    """

    handle: int = 0
    path: tuple[tuple[str, Any], ...] = ()

    def item(self, key: Any) -> Ref:
        """What stands for its item `key`."""
        return Ref(self.handle, (*self.path, ("item", key)))

    def attr(self, name: str) -> Ref:
        """What stands for its attribute `name`."""
        return Ref(self.handle, (*self.path, ("attr", name)))


def named(name: str) -> Ref:
    """The global `name`; "Class.method" is the function in the class."""
    first, *rest = name.split(".")
    return Ref(0, (("global", first), *(("attr", part) for part in rest)))


@dataclass
class Opaque:
    """An object of a class that the doctor does not know, with the views of its attributes."""

    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)


def view(value: Any, depth: int = 0) -> Any:
    """A copy of `value` made of arrays, numbers, strings, lists, tuples and dictionaries; `Opaque` for the rest."""
    if isinstance(value, np.generic):  # before float, which a float64 is as well
        return np.asarray(value) if value.dtype.kind in "fiub" else Opaque(type(value).__name__)
    if value is None or isinstance(value, (bool, int, float)):
        return value if not isinstance(value, int) or abs(value) < 1 << 62 else float(min(value, 10**300))
    if isinstance(value, str):
        return value[:1000]
    if isinstance(value, np.ndarray):
        return np.array(value) if value.dtype.kind in "fiub" else Opaque("ndarray")
    if depth < DEEPEST:
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return Opaque(type(value).__name__, {k: view(getattr(value, k), depth + 1) for k in value._fields})
        if isinstance(value, tuple):
            return tuple(view(v, depth + 1) for v in value[:MOST_ITEMS])
        if isinstance(value, list):
            return [view(v, depth + 1) for v in value[:MOST_ITEMS]]
        if isinstance(value, dict):
            return {
                (k if isinstance(k, (str, int)) else str(k)[:100]): view(v, depth + 1)
                for k, v in list(value.items())[:MOST_ITEMS]
            }
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict) and not isinstance(value, (type, ModuleType)) and not callable(value):
            return Opaque(
                type(value).__name__, {str(k): view(v, depth + 1) for k, v in list(attributes.items())[:MOST_ITEMS]}
            )
    return Opaque(type(value).__name__)


def arrays_in(
    value: Any, path: tuple[tuple[str, Any], ...] = ()
) -> list[tuple[tuple[tuple[str, Any], ...], np.ndarray]]:
    """All arrays in a view, each with the path that leads to it."""
    if isinstance(value, np.ndarray):
        return [(path, value)]
    found = []
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            found += arrays_in(item, (*path, ("item", i)))
    elif isinstance(value, dict):
        for key, item in value.items():
            found += arrays_in(item, (*path, ("item", key)))
    elif isinstance(value, Opaque):
        for key, item in value.attributes.items():
            found += arrays_in(item, (*path, ("attr", key)))
    return found

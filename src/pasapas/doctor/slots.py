"""Where a submission keeps its weights and biases, and where it leaves their gradients: found by shape and by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pasapas.doctor.inventory import plain
from pasapas.doctor.values import arrays_in

Path = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Layout:
    """How a submission writes its arrays. `columns`: samples in columns. `out_in`: W is (n_out, n_in)."""

    columns: bool = False
    out_in: bool = False
    flat: bool = False
    """Whether one sample is a vector (n,) and not a row or a column."""

    def W(self, W: np.ndarray) -> np.ndarray:
        """From (n_in, n_out) to theirs, and back."""
        return np.ascontiguousarray(W.T) if self.out_in else W

    def rows(self, array: np.ndarray) -> np.ndarray:
        """From samples in rows to theirs, and back."""
        if self.flat:
            return array[None, :] if array.ndim == 1 else array[0] if len(array) == 1 else array
        return np.ascontiguousarray(array.T) if self.columns and array.ndim == 2 else array


@dataclass(frozen=True)
class Slot:
    """One parameter's place. `path` leads to it in its container; `bias` is "flat", "row" or "column" for a bias.

    `fold` is "last" or "first" where this row of W is the bias.
    """

    tensor: str
    path: Path
    bias: str = ""
    fold: str = ""

    def joined(self, W: np.ndarray, b: np.ndarray) -> np.ndarray:
        """W (n_in, n_out) as this place has it: with the bias as a row of it, where it is folded in."""
        rows = {"last": (W, b[None, :]), "first": (b[None, :], W)}.get(self.fold)
        return W if rows is None else np.concatenate(rows)

    def parts(self, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """W and b from a folded W (n_in + 1, n_out)."""
        return (W[:-1], W[-1]) if self.fold == "last" else (W[1:], W[0])

    def shaped(self, b: np.ndarray) -> np.ndarray:
        """A bias (n,) in the shape that this place has."""
        return {"row": b[None, :], "column": b[:, None]}.get(self.bias, b)


_GRADIENT_LIKE = re.compile(
    r"^(d|grad|g_|g[wb]\d?$|nabla|delta|vel|v_|vw|vb|v\d|mom|m_|s_|prev|best|cache|old|∂|δ)|grad$|velocity|vitesse|moment",
    re.IGNORECASE,
)

_MOMENTS = re.compile(r"[mvs]|[mv]t|[mvs][12]")
"""What holds the memory of an optimizer: `self.m["W1"]`."""


def last_text(path: Path) -> str:
    """The last name in a path: "W" of layers[0].W."""
    return next((key for _kind, key in reversed(path) if isinstance(key, str)), "")


def all_texts(path: Path) -> list[str]:
    """All names in a path."""
    return [key for _kind, key in path if isinstance(key, str)]


def looks_like_gradient(path: Path) -> bool:
    """Whether a name on the way says gradient, velocity or a copy, and not parameter."""
    texts = all_texts(path)
    return any(_GRADIENT_LIKE.search(plain(text)) for text in texts) or any(_MOMENTS.fullmatch(t) for t in texts[:-1])


def find_parameters(value: Any, sizes: Sequence[int] | None) -> tuple[list[Slot], list[int], bool] | None:
    """The slots W1, b1, ... in a view, the widths, and whether W is (n_out, n_in); None where they are not all there."""
    arrays = [(path, a) for path, a in arrays_in(value) if a.dtype.kind in "fiu" and a.ndim in (1, 2) and a.size]
    proper = [(path, a) for path, a in arrays if not looks_like_gradient(path)] or arrays
    if sizes is None:
        widths = _chain(proper)
        if widths is None:
            return None
        sizes = widths
    for extra in (0, 1):  # with 1, the bias is a row of W
        for out_in in (False, True):
            slots = _match(proper, sizes, out_in, extra)
            if slots:
                return slots, list(sizes), out_in
    return None


def _match(
    arrays: list[tuple[Path, np.ndarray]], sizes: Sequence[int], out_in: bool, extra: int = 0
) -> list[Slot] | None:
    left = list(arrays)
    slots: list[Slot] = []
    for l in range(1, len(sizes)):
        shape = (sizes[l], sizes[l - 1] + extra) if out_in else (sizes[l - 1] + extra, sizes[l])
        found = [(path, a) for path, a in left if a.shape == shape]
        found.sort(key=lambda pair: (kind_of(pair[0]) == "b", _layer(pair[0])))  # a column of weights looks like a bias
        if not found:
            return None
        path, array = found[0]
        left = [(p, a) for p, a in left if p != path]
        slots.append(Slot(f"W{l}", path, fold="last" if extra else ""))
    if not extra and _more_layers(left, slots, dict(arrays)):
        return None
    for l in range(1, len(sizes)):
        n = sizes[l]
        found = [(p, a) for p, a in left if a.size == n and a.shape in ((n,), (1, n), (n, 1))]
        named = [pair for pair in found if kind_of(pair[0]) == "b"]
        if not found or extra:
            continue  # a layer without biases
        path, array = (named or found)[0]
        left = [(p, a) for p, a in left if p != path]
        bias = (
            "flat"
            if array.ndim == 1
            else "column"
            if (array.shape == (n, 1) and n > 1) or array.shape == (1, 1)
            else "row"
        )
        slots.append(Slot(f"b{l}", path, bias))
    return slots


def _more_layers(left: list[tuple[Path, np.ndarray]], slots: list[Slot], arrays: dict[Path, np.ndarray]) -> bool:
    """Whether weights remain, under names like those that were taken, that are none of these again."""
    names = {re.sub(r"\d", "", last_text(slot.path)) for slot in slots}
    taken = [arrays[slot.path] for slot in slots]
    return any(
        a.ndim == 2
        and min(a.shape) > 1
        and len(path) == len(slots[0].path)
        and kind_of(path) == "w"
        and re.sub(r"\d", "", last_text(path)) in names
        and not any(np.array_equal(a, t) for t in taken)
        for path, a in left
    )


def _chain(arrays: list[tuple[Path, np.ndarray]]) -> list[int] | None:
    """The widths of the layers, from weights that fit one another in the order in which they come."""
    matrices = [(path, a.shape) for path, a in arrays if a.ndim == 2 and (min(a.shape) > 1 or kind_of(path) == "w")]
    weights = [shape for path, shape in matrices if kind_of(path) != "b"]
    if not weights:
        return None
    for shapes in (weights, [s[::-1] for s in weights]):
        if all(a[1] == b[0] for a, b in pairwise(shapes)) and (len(shapes) > 1 or shapes is weights):
            return [shapes[0][0], *(s[1] for s in shapes)]
    for shapes in (weights, [s[::-1] for s in weights]):
        if len(shapes) > 1 and all(a[1] + 1 == b[0] for a, b in pairwise(shapes)):
            return [shapes[0][0] - 1, *(s[1] for s in shapes)]
    return None


def kind_of(path: Path) -> str:
    """ "w" or "b" where a name on the path says weight or bias, the last such name first; "" otherwise."""
    return next((kind for text in reversed(all_texts(path)) if (kind := kind_of_name(text))), "")


def kind_of_name(text: str) -> str:
    """ "w" or "b" where an identifier says weight or bias, or its gradient; "" otherwise."""
    name = _PREFIX.sub("", plain(text).lower().strip("_"))
    name = re.sub(r"^∂l?_?∂?", "", name)
    if re.match(r"(w|weights?|poids|theta|coef|matrice)", name):
        return "w"
    if re.match(r"(b(?!atch|est|ack|uffer|oucle|on)|bias|biais)", name):
        return "b"
    return ""


_PREFIX = re.compile(
    r"^(dl_?d|dj_?d|dl|dj|nabla_?|gradients?_?(de_?|des_?)?|grads?_?|g_?(?=[wb]|poids|bi)|d_?(?=[wb]|poids|bi|th)"
    r"|delta_?(?=[wb]|poids|bi)|som(mes?)?_?(?=[wb]|poids|bi))"
)


def _layer(path: Path) -> tuple[int, ...]:
    """What orders the arrays of one kind: the number in a name, and the indices."""
    numbers = [int(n) for text in all_texts(path) for n in re.findall(r"\d+", text)]
    name = plain(last_text(path)).lower()
    if not numbers and re.search(r"(out|sortie|ho|hy|output|_o$|_s$|_y$|^.?[wb]o$|v$)", name):
        numbers = [99]
    return (*numbers, *(key for _kind, key in path if isinstance(key, int)))


def find_gradients(
    candidates: list[tuple[Path, np.ndarray]], shapes: dict[str, tuple[int, ...]]
) -> dict[str, tuple[Path, np.ndarray]]:
    """The gradients among some arrays: "W1" → (path, array), for parameters of the given shapes (theirs)."""
    L = max(int(t[1:]) for t in shapes)
    found: dict[str, tuple[Path, np.ndarray]] = {}
    usable = [(p, a) for p, a in candidates if a.dtype.kind in "fiu"]
    for kind in "Wb":
        tensors = [f"{kind}{l}" for l in range(1, L + 1) if f"{kind}{l}" in shapes]
        group = [(p, a) for p, a in usable if kind_of(p) == kind.lower()]
        group = group if len(group) >= len(tensors) else []
        if len(group) > len(tensors):
            fitting = [(p, a) for p, a in group if a.shape in [shapes[t] for t in tensors]]
            group = fitting if len(fitting) == len(tensors) else group
        if len(group) == len(tensors):
            ordered = sorted(group, key=lambda pair: _layer(pair[0]))
            found.update(zip(tensors, _turned(ordered, [shapes[t] for t in tensors]), strict=True))
    taken = {p for p, _a in found.values()}
    for tensor, shape in shapes.items():  # where names do not tell, shapes may
        if tensor not in found:
            fits = [
                (p, a)
                for p, a in usable
                if p not in taken and a.shape == shape and kind_of(p) in ("", tensor[0].lower())
            ]
            if fits:
                found[tensor] = fits[0]
                taken.add(fits[0][0])
    for tensor in [t for t in shapes if t not in found]:  # and where names mislead, a shape that only one array has
        fits = [(p, a) for p, a in usable if p not in taken and a.shape == shapes[tensor]]
        if len(fits) == 1:
            found[tensor] = fits[0]
            taken.add(fits[0][0])
    missing = [t for t in shapes if t not in found]
    left = [(p, a) for p, a in usable if p not in taken]
    if missing and len(left) == len(missing) and len(usable) == len(shapes):
        found.update(zip(missing, left, strict=True))
    return found


def _turned(group: list[tuple[Path, np.ndarray]], shapes: list[tuple[int, ...]]) -> list[tuple[Path, np.ndarray]]:
    """`group` in the order in which its shapes fit: as it is, or from the last to the first."""

    def fit(order: list[tuple[Path, np.ndarray]]) -> int:
        return sum(a.shape == s for (_p, a), s in zip(order, shapes, strict=True))

    return max((group, group[::-1]), key=fit)

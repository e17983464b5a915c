"""Which activations a forward pass used, told from the numbers that it gave."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pasapas.doctor.replay import FUNCTIONS, Problem
from pasapas.doctor.world import World

HIDDEN = [name for name in FUNCTIONS if name not in ("softmax", "identity")] + ["identity"]
OUTPUTS = ("softmax", "sigmoid", "identity", "tanh")
MOST_COMBINATIONS = 1_500
Masks = tuple[np.ndarray | None, ...]


@dataclass(frozen=True)
class Architecture:
    """The activations, layer by layer, and the dropout masks that a run drew."""

    activations: tuple[str, ...]
    masks: tuple[np.ndarray | None, ...] = ()

    def with_output(self, name: str) -> Architecture:
        """The same with another activation of the last layer."""
        return Architecture((*self.activations[:-1], name), self.masks)

    def problem(
        self,
        w: World,
        loss: str = "cross-entropy",
        scale: float = 1.0,
        penalty: float = 0.0,
        learning_rate: float = 0.1,
    ) -> Problem:
        """The right problem for a world."""
        return Problem(w.X, w.Y, w.W, w.b, self.activations, loss, scale, penalty, self.masks, learning_rate)


class Pool:
    """Arrays that were seen, to be asked whether one of them is a given tensor, in rows or in columns."""

    def __init__(self, arrays: Iterable[np.ndarray]) -> None:
        self.by_shape: dict[tuple[int, ...], list[np.ndarray]] = {}
        for a in {id(a): a for a in arrays}.values():
            if a.ndim == 1:
                a = a[None, :]
            if a.ndim == 2 and a.dtype.kind == "f":
                self.by_shape.setdefault(a.shape, []).append(a)
                if a.shape[0] != a.shape[1]:
                    self.by_shape.setdefault(a.shape[::-1], []).append(a.T)
                else:
                    self.by_shape[a.shape].append(a.T)

    def __contains__(self, wanted: np.ndarray) -> bool:
        return any(close(a, wanted) for a in self.by_shape.get(wanted.shape, []))

    def drawn(self, shape: tuple[int, ...]) -> list[np.ndarray]:
        """The arrays that are masks of inverted dropout by themselves: zeros and one number above 1, or that alone."""
        arrays = self.by_shape.get(shape, [])
        return [a for a in arrays if (c := float(a.max())) > 1 + 1e-6 and ((a == 0) | (a == c)).all()]

    def masked(self, A: np.ndarray) -> np.ndarray | None:
        """The dropout mask with which A was seen multiplied: zeros and one other number; None where it was not."""
        for mask in self.drawn(A.shape):
            if A * mask in self:
                return mask
        known = np.abs(A) > 1e-9
        if known.sum() < 4:
            return None
        for a in self.by_shape.get(A.shape, []):
            with np.errstate(all="ignore"):
                ratio = np.where(known, a / np.where(known, A, 1), np.nan)
            values = ratio[known]
            kept = values[np.abs(values) > 1e-9]
            if 0 < len(kept) < len(values) and np.ptp(kept) < 1e-6 and 0.99 < kept[0] < 20:
                return np.where(known, np.where(np.abs(ratio) > 1e-9, kept[0], 0.0), kept[0])
        return None


def tolerance_of(a: np.ndarray) -> float:
    """How near two arrays must be: what float64, or float32, leaves of a short computation."""
    return 2e-4 if a.dtype == np.float32 else 1e-7


def close(a: np.ndarray, b: np.ndarray, tolerance: float | None = None) -> bool:
    """Whether two arrays of one shape are equal up to rounding."""
    if a.shape != b.shape:
        return False
    t = tolerance or max(tolerance_of(a), tolerance_of(b))
    with np.errstate(all="ignore"):
        size = float(np.max(np.abs(b), initial=0.0))
        return bool(np.max(np.abs(a - b), initial=0.0) <= t * max(size, 1e-3))


def identify(
    w: World, P: np.ndarray | None, seen: Iterable[np.ndarray], tolerance: float | None = None
) -> Architecture | None:
    """The activations under which the right forward pass gives `P`; None where no combination does."""
    if P is None or P.ndim != 2 or not np.isfinite(P).all():
        return None
    for names, masks, Z in _scores(w, Pool(seen)):
        for output in OUTPUTS:
            if close(P, _applied(output, Z), tolerance):
                return Architecture((*names, output), masks)
    return None


def guess(w: World, seen: Iterable[np.ndarray]) -> tuple[str, ...] | None:
    """The hidden activations as far as they can be seen, whatever the output is."""
    return next((names for names, _masks, _Z in _scores(w, Pool(seen))), None)


def guess_by_pairs(w: World, seen: Iterable[np.ndarray]) -> tuple[str, ...] | None:
    """The hidden activations of which an argument and its value were seen, whatever the argument is; None without."""
    pool = Pool(seen)
    found = []
    for n in w.sizes[1:-1]:
        arrays = pool.by_shape.get((w.m, n), [])[:20]
        named = (name for name in HIDDEN[:-1] for Z in arrays if _is_value(name, Z, pool))
        found.append(next(named, None))
    return None if None in found else tuple(str(name) for name in found)


def _is_value(name: str, Z: np.ndarray, pool: Pool) -> bool:
    A = _applied(name, Z)
    return not close(A, Z) and A in pool


def _applied(name: str, Z: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[name].forward({}, Z))


def _scores(w: World, pool: Pool) -> Iterator[tuple[tuple[str, ...], Masks, np.ndarray]]:
    """Combinations of hidden activations and dropout masks, likeliest first, each with the last layer's Z."""
    return itertools.islice(_below(w, pool, 1, w.X, (), ()), MOST_COMBINATIONS)


def _below(
    w: World, pool: Pool, l: int, A: np.ndarray, names: tuple[str, ...], masks: Masks
) -> Iterator[tuple[tuple[str, ...], Masks, np.ndarray]]:
    Z = A @ w.W[l - 1] + w.b[l - 1]
    if l == w.L:
        yield names, masks, Z
        return
    for name, value, mask in _options(w, pool, Z, names):
        yield from _below(w, pool, l + 1, value if mask is None else value * mask, (*names, name), (*masks, mask))


def _options(
    w: World, pool: Pool, Z: np.ndarray, names: tuple[str, ...]
) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """The activations that a layer may have: first those whose values were seen, then those seen behind a mask."""
    values = {name: _applied(name, Z) for name in HIDDEN}
    seen = [name for name in HIDDEN if name != "identity" and values[name] in pool]
    for name in seen:
        mask = pool.masked(values[name])
        if mask is not None:
            yield name, values[name], mask
    for name in seen:
        yield name, values[name], None
    if not seen:
        for name in HIDDEN:
            mask = pool.masked(values[name]) if name != "identity" else None
            if mask is not None:
                yield name, values[name], mask
    others = HIDDEN if w.L < 4 else list(dict.fromkeys([*names, "relu", "tanh", "sigmoid", "leaky-relu 0.01"]))
    for name in others:
        if name not in seen:
            yield name, values[name], None

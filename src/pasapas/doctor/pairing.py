"""Whether the rows of a batch come with their own labels: rows are recognised again, whatever order they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.doctor.recording import ROWS, SUMMARY
from pasapas.doctor.values import Opaque

UNLIKE = 1e-3
"""Two rows are told apart where the cosine between them is further from 1 than this."""


@dataclass(frozen=True)
class Known:
    """Samples (m, n_features) whose labels (m,) are known. `shifted`: also recognised when a constant was added."""

    X: np.ndarray
    labels: np.ndarray
    shifted: bool = False

    def rows(self, batch: Any) -> np.ndarray | None:
        """Which of the samples the rows, or the columns, of a batch are; None unless all of them are recognised."""
        for rows in turned(batch, self.X.shape[1]):
            found = self._find(rows)
            if found is not None:
                return found
        return None

    def _find(self, rows: np.ndarray) -> np.ndarray | None:
        ours, theirs = _directions(self.X, self.shifted), _directions(rows, self.shifted)
        if ours is None or theirs is None or not len(theirs):
            return None
        cosines = theirs @ ours.T  # (k, m)
        best = cosines.argmax(axis=1)
        if (cosines[np.arange(len(best)), best] < 1 - 1e-5).any():
            return None
        cosines[np.arange(len(best)), best] = -1
        return None if (cosines.max(axis=1) > 1 - UNLIKE).any() else best


def _directions(rows: np.ndarray, shifted: bool) -> np.ndarray | None:
    rows = np.asarray(rows, dtype=np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True) if shifted else rows
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / length if np.isfinite(length).all() and (length > 0).all() else None


def cut_elsewhere(rows: np.ndarray, images: np.ndarray, m: int) -> bool:
    """Whether rows (k, n) are none of the images (m, n), but columns of the first m of them, `reshape(n, m)`.

    Rows of one value alone say nothing and are left out; at least eight must be found.
    """
    n = images.shape[1]
    cut = images[:m].reshape(n, -1).T
    varied = rows[np.ptp(rows, axis=1) > 0]
    theirs = _directions(varied, shifted=True)
    ours, true = (_directions(a[np.ptp(a, axis=1) > 0], shifted=True) for a in (cut, images[:m]))
    if theirs is None or ours is None or true is None or len(theirs) < 8:
        return False
    return bool((theirs @ ours.T).max(axis=1).min() > 1 - 1e-5 and (theirs @ true.T).max() < 1 - UNLIKE)


def turned(batch: Any, n: int) -> list[np.ndarray]:
    """The rows that a recorded array may mean, each with n features; of a large one, the first."""
    if isinstance(batch, Opaque) and batch.kind == SUMMARY:
        both = [batch.attributes.get("rows"), batch.attributes.get("columns")]
        return [
            a if side == 0 else a.T
            for side, a in enumerate(both)
            if isinstance(a, np.ndarray) and a.ndim == 2 and a.shape[1 - side] == n
        ]
    if not isinstance(batch, np.ndarray) or batch.dtype.kind not in "fiu" or not batch.size:
        return []
    if batch.ndim == 1:
        return [batch[None]] if len(batch) == n else []
    if batch.ndim > 2:
        batch = batch.reshape(len(batch), -1)
    found = [batch] if batch.shape[1] == n else []
    return found + ([batch.T] if batch.shape[0] == n and batch.shape[0] != batch.shape[1] else [])


def samples_in(batch: Any, n: int) -> int:
    """How many samples of n features a recorded array holds, of which only the first may have been kept."""
    shape = tuple(batch.attributes["shape"]) if isinstance(batch, Opaque) else np.shape(batch)
    return 1 if len(shape) == 1 else shape[0] if len(shape) > 2 or shape[1] == n else shape[1]


def keys(Y: Any, k: int) -> list[tuple[float, ...]] | None:
    """What the labels of k samples say, sample by sample, in whatever form; None where they are no such labels.

    Of a large array, only those of the first samples.
    """
    if isinstance(Y, Opaque) and Y.kind == SUMMARY:
        shape = tuple(Y.attributes["shape"])
        if len(shape) != 2 or (shape[0] == k) == (shape[1] == k):
            return None
        Y = Y.attributes.get("rows" if shape[0] == k else "columns")
        k = min(k, ROWS)
    if isinstance(Y, (int, float, list)):
        try:
            Y = np.asarray(Y, dtype=np.float64)
        except (ValueError, TypeError):
            return None
    if not isinstance(Y, np.ndarray) or Y.dtype.kind not in "fiub":
        return None
    if k == 1:
        Y = Y.reshape(1, -1)
    elif Y.ndim == 1:
        Y = Y[:, None]
    elif Y.ndim != 2 or (Y.shape[0] == k) == (Y.shape[1] == k):
        return None
    rows = Y if Y.shape[0] == k else Y.T
    return list(map(_key, np.round(rows.astype(np.float64), 6))) if rows.shape[1] <= 100 else None


def _key(row: np.ndarray) -> tuple[float, ...]:
    """A row of one-hot labels by the place of its one: how many classes there are may change from batch to batch."""
    place = int(row.argmax())
    others = np.delete(row, place)
    return (float(place),) if len(others) and (others == others[0]).all() and others[0] < row[place] else tuple(row)


def misaligned(pairs: list[tuple[np.ndarray, list[tuple[float, ...]]]], labels: np.ndarray) -> bool:
    """Whether samples, given by their numbers, come with labels that are not theirs.

    `labels` are the true ones. Whatever form labels take, and even where each class has been given another's name,
    samples of one class have one label.
    """
    said: dict[int, set[tuple[float, ...]]] = {}
    for rows, ys in pairs:
        for row, y in zip(rows, ys, strict=False):  # of a large array, there are the first alone
            said.setdefault(int(labels[row]), set()).add(y)
    everything = set().union(*said.values()) if said else set()
    few = len(everything) <= max(2, len(set(labels.tolist())))
    return few and len(everything) > 1 and any(len(ys) > 1 for ys in said.values())

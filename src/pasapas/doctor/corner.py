"""The part of two tensors that is shown side by side: a few rows and columns around what differs most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasapas.doctor.report import Comparison
from pasapas.doctor.texts import decimals, written

MARK = "≠"
"""Stands before an entry that differs: colour alone would not do."""


@dataclass(frozen=True)
class Corner:
    """Numbers as text, both sides with the same rows and columns; an entry that is not there is empty."""

    rows: list[int]
    columns: list[int]
    theirs: list[list[str]]
    expected: list[list[str]]
    differs: list[list[bool]]
    whole: bool
    """Whether this is all there is."""


def corner(shown: Comparison, rows: int = 5, columns: int = 5) -> Corner:
    """At most `rows` and `columns` of both tensors, the largest difference among them."""
    a, b = _table(shown.theirs), _table(shown.expected)
    height, width = max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])
    i, j = 0, 0
    if a.shape == b.shape and a.size:
        with np.errstate(all="ignore"):
            difference = np.abs(a - b)
        difference[np.isnan(difference)] = np.inf
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(difference)), difference.shape))
    top = int(np.clip(i - rows // 2, 0, max(0, height - rows)))
    left = int(np.clip(j - columns // 2, 0, max(0, width - columns)))
    shown_rows = list(range(top, min(height, top + rows)))
    shown_columns = list(range(left, min(width, left + columns)))
    places = decimals(*(t[top : top + rows, left : left + columns] for t in (a, b)))
    size = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    return Corner(
        shown_rows,
        shown_columns,
        [[_cell(a, i, j, places) for j in shown_columns] for i in shown_rows],
        [[_cell(b, i, j, places) for j in shown_columns] for i in shown_rows],
        [[_differs(a, b, i, j, size) for j in shown_columns] for i in shown_rows],
        height <= rows and width <= columns,
    )


def _table(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, dtype=float)
    return array.reshape(-1, array.shape[-1]) if array.ndim > 2 else np.atleast_2d(array)


def _cell(table: np.ndarray, i: int, j: int, places: int) -> str:
    return written(float(table[i, j]), places) if i < table.shape[0] and j < table.shape[1] else ""


def _differs(a: np.ndarray, b: np.ndarray, i: int, j: int, size: float) -> bool:
    if any(i >= t.shape[0] or j >= t.shape[1] for t in (a, b)):
        return True
    return not np.isclose(a[i, j], b[i, j], rtol=1e-5, atol=1e-6 * size, equal_nan=True)

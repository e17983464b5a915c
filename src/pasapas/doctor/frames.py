"""As much of pandas as it takes to read MNIST from Kaggle's files. Used in the child process alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pasapas.doctor import loaders
from pasapas.doctor.standin import StandIn

Array = np.ndarray


class Column(np.ndarray):
    """A pandas Series: an array with some more methods."""

    @property
    def values(self) -> Array:
        """The plain array."""
        return np.asarray(self)

    def to_numpy(self, *_: Any, **__: Any) -> Array:
        """The plain array."""
        return np.asarray(self)

    @property
    def iloc(self) -> Array:
        """Indexed by position."""
        return self

    @property
    def loc(self) -> Array:
        """Indexed by label, which is the position here."""
        return self

    def head(self, n: int = 5) -> Any:
        """The first `n`."""
        return self[:n]

    def unique(self) -> Array:
        """The values that occur."""
        return np.unique(np.asarray(self))

    def value_counts(self, *_: Any, **__: Any) -> StandIn:
        """For display alone."""
        return StandIn("pandas.Series")

    def map(self, function: Any) -> Any:
        """`function`, or what a dictionary says, of each value."""
        get = function.get if isinstance(function, dict) else function
        return np.array([get(v) for v in np.asarray(self)]).view(Column)

    apply = map

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(f"pandas.Series.{name}")


class Frame:
    """A pandas DataFrame of numbers: `data` (rows, columns), and the columns' names."""

    def __init__(self, data: Any = None, columns: Any = None, **_: Any) -> None:
        if isinstance(data, dict):
            columns = list(data)
            data = np.column_stack([np.asarray(v) for v in data.values()]) if data else np.empty((0, 0))
        array = np.asarray([] if data is None or isinstance(data, StandIn) else data)
        self._data = array.reshape(len(array), -1) if array.ndim != 2 else array
        n = self._data.shape[1]
        self.columns = list(columns) if columns is not None and len(columns) == n else list(range(n))

    @property
    def values(self) -> Array:
        """(rows, columns), a new array."""
        return self._data.copy()

    def to_numpy(self, *_: Any, **__: Any) -> Array:
        """(rows, columns), a new array."""
        return self._data.copy()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return self._data.astype(dtype or self._data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns)."""
        return self._data.shape

    @property
    def T(self) -> Frame:
        """Rows for columns."""
        return Frame(self._data.T)

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)

    def __contains__(self, name: Any) -> bool:
        return name in self.columns

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (str, int)):
            if key not in self.columns:
                raise KeyError(key)
            return self._data[:, self.columns.index(key)].copy().view(Column)
        if isinstance(key, list) and key and all(k in self.columns for k in key):
            return Frame(self._data[:, [self.columns.index(k) for k in key]], key)
        return Frame(self._data[np.asarray(key) if not isinstance(key, slice) else key], self.columns)

    def __setitem__(self, key: Any, value: Any) -> None:
        column = np.broadcast_to(np.asarray(value), (len(self),))
        if key in self.columns:
            self._data[:, self.columns.index(key)] = column
        else:
            self._data = np.column_stack([self._data, column])
            self.columns.append(key)

    def pop(self, name: Any) -> Any:
        """The column, which is then no longer there."""
        column, rest = self[name], self.drop(columns=[name])
        self._data, self.columns = rest._data, rest.columns
        return column

    def drop(self, labels: Any = None, *_: Any, columns: Any = None, inplace: bool = False, **__: Any) -> Any:
        """Without some columns."""
        labels = columns if columns is not None else labels
        gone = [labels] if isinstance(labels, (str, int)) else list(labels if labels is not None else [])
        kept = [c for c in self.columns if c not in gone]
        rest = Frame(self._data[:, [self.columns.index(c) for c in kept]], kept)
        if inplace:
            self._data, self.columns = rest._data, rest.columns
            return None
        return rest

    def sample(self, n: int | None = None, frac: float | None = None, *_: Any, **__: Any) -> Frame:
        """Some rows, in another order."""
        count = n if n is not None else round((frac or 1.0) * len(self))
        return Frame(self._data[np.random.permutation(len(self))[:count]], self.columns)

    def head(self, n: int = 5) -> Frame:
        """The first rows."""
        return Frame(self._data[:n], self.columns)

    def reset_index(self, *_: Any, **__: Any) -> Frame:
        """The same rows."""
        return self

    dropna = fillna = copy = reset_index

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Frame:
        """The same numbers in another type."""
        return Frame(self._data.astype(dtype), self.columns)

    @property
    def iloc(self) -> _Located:
        """Indexed by positions of rows and columns."""
        return _Located(self, False)

    @property
    def loc(self) -> _Located:
        """Indexed by rows and the names of columns."""
        return _Located(self, True)

    def __truediv__(self, other: Any) -> Frame:
        return Frame(self._data / other, self.columns)

    def __sub__(self, other: Any) -> Frame:
        return Frame(self._data - other, self.columns)

    def __mul__(self, other: Any) -> Frame:
        return Frame(self._data * other, self.columns)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.columns:
            return self[name]
        return StandIn(f"pandas.DataFrame.{name}")


class _Located:
    def __init__(self, frame: Frame, by_name: bool) -> None:
        self.frame, self.by_name = frame, by_name

    def __getitem__(self, key: Any) -> Any:
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        names = self.frame.columns
        if self.by_name and columns != slice(None):
            columns = names.index(columns) if isinstance(columns, (str, int)) else [names.index(c) for c in columns]
        found = self.frame._data[rows][..., columns]
        if found.ndim == 2:
            return Frame(found, np.array(names, dtype=object)[columns].tolist())
        return found.copy().view(Column) if isinstance(found, np.ndarray) and found.ndim else found


def read_csv(path: Any = "", *_: Any, header: Any = "infer", **__: Any) -> Frame:
    """`pd.read_csv` in Kaggle's layout: the column "label" (not in its test.csv), then pixel0 to pixel783, int64."""
    name = Path(str(path)).name.lower()
    numbers = loaders.table(name).astype(np.int64)
    names: list[Any] = ["label", *(f"pixel{i}" for i in range(loaders.PIXELS))]
    if name == "test.csv":
        numbers, names = numbers[:, 1:], names[1:]
    return Frame(numbers, names if header is not None else None)


def get_dummies(values: Any, *_: Any, **__: Any) -> Frame:
    """One-hot rows, a column for each value that occurs."""
    kinds, indices = np.unique(np.asarray(values), return_inverse=True)
    return Frame(np.eye(len(kinds))[indices.reshape(-1)], kinds.tolist())

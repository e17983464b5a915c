"""The numbers that a submission is asked about: a small network, its parameters and a batch, drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pasapas.doctor.replay import Floats


@dataclass(frozen=True)
class World:
    """X (m, n_0), one-hot Y (m, n_L), labels (m,), and parameters W (n_in, n_out), b (n_out,); all float64."""

    sizes: tuple[int, ...]
    X: Floats
    Y: Floats
    labels: np.ndarray
    W: tuple[Floats, ...]
    b: tuple[Floats, ...]

    @property
    def m(self) -> int:
        """The number of samples."""
        return len(self.X)

    def without_biases(self, layers: Iterable[int]) -> World:
        """The same with b = 0 in some layers, counted from 1: those of a network that has none there."""
        none = set(layers)
        return replace(self, b=tuple(np.zeros_like(b) if l in none else b for l, b in enumerate(self.b, 1)))

    @property
    def L(self) -> int:
        """The number of layers with weights."""
        return len(self.W)


def world(sizes: Sequence[int], m: int, seed: int = 0) -> World:
    """Weights that keep the units alive, biases that are not zero, every class among the labels where m allows it."""
    random = np.random.default_rng((seed, m, *sizes))
    X = random.normal(0.3, 1.0, (m, sizes[0]))
    W = tuple(random.normal(0, 1.1 / np.sqrt(a), (a, b)) for a, b in pairwise(sizes))
    b = tuple(random.normal(0.1, 0.4, n) for n in sizes[1:])
    n = sizes[-1]
    if n == 1:
        labels = np.arange(m) % 2
        labels = labels[random.permutation(m)]
        Y = labels[:, None].astype(float)
    else:
        labels = random.permutation((np.arange(m) + random.integers(n)) % n)
        if n - 1 not in labels:
            labels[0] = n - 1  # else `np.zeros((m, labels.max() + 1))` would be too narrow
        if m > 2 and all(labels == np.roll(labels, 1)):
            labels[0] = (labels[0] + 1) % n
        Y = np.eye(n)[labels]
    return World(tuple(sizes), X, Y, labels, W, b)

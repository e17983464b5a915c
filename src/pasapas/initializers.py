"""How the weights start: random, so that units differ, and of a size that neither fades nor explodes with depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


class _Normal(Protocol):
    def standard_normal(self, size: tuple[int, int]) -> npt.NDArray[np.float64]: ...


@dataclass(frozen=True)
class Initializer:
    """Normal weights of mean 0. `legacy` draws them from NumPy's older generator, as `np.random.seed` does."""

    legacy: bool = False

    def generator(self, seed: int) -> _Normal:
        """The source of random numbers for one network."""
        return np.random.RandomState(seed) if self.legacy else np.random.default_rng(seed)

    def scale(self, n_in: int, n_out: int) -> float:
        """The standard deviation of the weights of a dense layer."""
        raise NotImplementedError

    def weights(self, random: _Normal, n_in: int, n_out: int) -> npt.NDArray[np.float64]:
        """W (n_in, n_out) in float64."""
        return random.standard_normal((n_in, n_out)) * self.scale(n_in, n_out)


@dataclass(frozen=True)
class He(Initializer):
    """σ = √(2 / n_in): keeps the variance through ReLU layers (He et al. 2015)."""

    def scale(self, n_in: int, n_out: int) -> float:
        return math.sqrt(2 / n_in)


@dataclass(frozen=True)
class Xavier(Initializer):
    """σ = √(2 / (n_in + n_out)): between what the forward and the backward pass want (Glorot and Bengio 2010)."""

    def scale(self, n_in: int, n_out: int) -> float:
        return math.sqrt(2 / (n_in + n_out))


@dataclass(frozen=True)
class Normal(Initializer):
    """The same σ for every layer, whatever its size."""

    sigma: float = 0.01

    def scale(self, n_in: int, n_out: int) -> float:
        return self.sigma

"""How the learning rate changes over training: a factor for every step, to be multiplied with the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """What training needs of a schedule."""

    def factor(self, epoch: float, epochs: float) -> float:
        """The factor at a moment of training: `epoch` of `epochs`, counted from 0, with fractions."""


@dataclass(frozen=True)
class Constant:
    """Always 1."""

    def factor(self, epoch: float, epochs: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Step:
    """Multiplied by `factor_each` after every `every` epochs."""

    every: int = 10
    factor_each: float = 0.5

    def factor(self, epoch: float, epochs: float) -> float:
        return float(self.factor_each ** (int(epoch) // self.every))


@dataclass(frozen=True)
class Linear:
    """From 1 straight down to 0 at the end."""

    def factor(self, epoch: float, epochs: float) -> float:
        return 1 - epoch / epochs


@dataclass(frozen=True)
class Cosine:
    """From 1 to 0 along half a cosine: slow, fast, slow (Loshchilov and Hutter 2017)."""

    def factor(self, epoch: float, epochs: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * epoch / epochs))


@dataclass(frozen=True)
class Warmup:
    """The first `warmup` epochs rise from 0 to 1 in a straight line; `then` follows over the rest of training."""

    warmup: float
    then: Schedule

    def factor(self, epoch: float, epochs: float) -> float:
        if epoch < self.warmup:
            return epoch / self.warmup
        return self.then.factor(epoch - self.warmup, epochs - self.warmup)

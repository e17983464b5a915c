"""Small worlds in which one idea of the lesson can be seen whole: a loss of one number, descents with a known end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pasapas.losses import SoftmaxCrossEntropy
from pasapas.optimizers import SGD, Momentum, Optimizer

Floats = npt.NDArray[np.float64]

SCENARIOS = (0.99, 0.80, 0.50, 0.20, 0.05)
"""What a network may give to the true class: from all but certain to badly wrong."""

RATES = (0.1, 0.3, 0.5, 0.8, 1.05)
"""A learning rate for each way in which the descent on x² can go."""

VALLEY = (1.0, 40.0)
"""The curvatures of the valley: 40 times as steep across as along."""

VALLEY_RATE = 1.9 / VALLEY[1]
"""Nearly the largest rate with which plain descent still converges, which is 2 / curvature."""

MOMENTUM = 0.7
"""Near the best for this valley, ((√40 − 1) / (√40 + 1))² = 0.53, and a little on the side of too much."""


def cross_entropy(p: float) -> float:
    """The loss of one image whose true class is given the probability p, in (0, 1): −ln p."""
    Z = np.log([[p, 1 - p]])  # (1, 2), scores whose softmax is (p, 1 − p)
    return float(SoftmaxCrossEntropy().value(Z, np.array([[1.0, 0.0]])))


def trajectory(
    optimizer: Optimizer,
    gradient: Callable[[Floats], Floats],
    start: Sequence[float],
    learning_rate: float,
    steps: int,
) -> Floats:
    """The points (steps + 1, n) that `optimizer` goes through from `start` (n,), where `gradient` gives the slope."""
    params = [{"x": np.array(start, np.float64)}]
    state = optimizer.initialize(params)
    points = [params[0]["x"]]
    for _step in range(steps):
        params, state = optimizer.update(params, [{"x": gradient(params[0]["x"])}], state, learning_rate)
        points.append(params[0]["x"])
    return np.stack(points)


@dataclass(frozen=True)
class Descent:
    """Gradient descent on x² with one learning rate: the points x (steps + 1,)."""

    learning_rate: float
    x: Floats

    @property
    def factor(self) -> float:
        """What each step multiplies x by: x − α · 2x = (1 − 2α) x."""
        return 1 - 2 * self.learning_rate

    @property
    def regime(self) -> str:
        """How it goes: "slow", "good", "exact", "oscillating", "endless" or "diverging", as the factor says."""
        if self.factor == 0:
            return "exact"
        if self.factor > 0:
            return "slow" if self.factor > 0.5 else "good"
        return "oscillating" if self.factor > -1 else "endless" if self.factor == -1 else "diverging"


def parabola(learning_rate: float, start: float = 2.5, steps: int = 15) -> Descent:
    """Plain gradient descent on x², whose slope is 2x."""
    return Descent(learning_rate, trajectory(SGD(), lambda x: 2 * x, [start], learning_rate, steps)[:, 0])


@dataclass(frozen=True)
class ValleyPath:
    """A descent in the valley ½ (a x² + b y²): its points (steps + 1, 2), and the loss (steps + 1,) at each."""

    momentum: float
    learning_rate: float
    points: Floats
    loss: Floats


def valley_loss(points: Floats, curvatures: tuple[float, float] = VALLEY) -> Floats:
    """½ (a x² + b y²) at points (..., 2)."""
    loss: Floats = 0.5 * np.sum(np.asarray(curvatures) * points**2, axis=-1)
    return loss


def valley(
    momentum: float = 0.0,
    learning_rate: float = VALLEY_RATE,
    start: tuple[float, float] = (-10.0, 1.5),
    steps: int = 60,
    curvatures: tuple[float, float] = VALLEY,
) -> ValleyPath:
    """A descent with one learning rate α for two directions of curvatures a and b.

    Without momentum, each coordinate is multiplied by 1 − α times its own curvature in every step: near −1 across the
    valley while still near 1 along it. Momentum adds up the steps that agree and lets cancel those that do not (Polyak
    1964; G. Goh, "Why Momentum Really Works", Distill, 2017).
    """
    optimizer: Optimizer = Momentum(momentum) if momentum else SGD()
    points = trajectory(optimizer, lambda x: np.asarray(curvatures) * x, start, learning_rate, steps)
    return ValleyPath(momentum, learning_rate, points, valley_loss(points, curvatures))

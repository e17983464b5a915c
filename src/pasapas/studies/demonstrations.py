"""Small worlds in which one idea of the lesson can be seen whole: a loss of one number, descents with a known end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pasapas.i18n import _
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.optimizers import SGD, Momentum, Optimizer, State

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
    return np.stack(
        [x for x, _dx, _state in itertools.islice(walk(optimizer, gradient, start, learning_rate), steps + 1)]
    )


def walk(
    optimizer: Optimizer, gradient: Callable[[Floats], Floats], start: Sequence[float], learning_rate: float
) -> Iterator[tuple[Floats, Floats, State]]:
    """Without an end: a point (n,), the gradient (n,) there, and what the optimizer remembers of the steps before it."""
    params = [{"x": np.array(start, np.float64)}]
    state = optimizer.initialize(params)
    while True:
        dx = gradient(params[0]["x"])
        yield params[0]["x"], dx, state
        params, state = optimizer.update(params, [{"x": dx}], state, learning_rate)


def regime(factor: float) -> str:
    """How it goes where each step multiplies the distance from the minimum by `factor`.

    "slow", "good", "exact", "oscillating", "endless" or "diverging".
    """
    if factor == 0:
        return "exact"
    if factor > 0:
        return "slow" if factor > 0.5 else "good"
    return "oscillating" if factor > -1 else "endless" if factor == -1 else "diverging"


def in_words(regime: str) -> str:
    """How a descent of this regime goes, in a few words."""
    return {
        "slow": _("small steps, slow"),
        "good": _("straight to the bottom"),
        "exact": _("the bottom in one step"),
        "oscillating": _("from side to side, and down"),
        "endless": _("to and fro for ever"),
        "diverging": _("further away each time"),
    }[regime]


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
        return regime(self.factor)


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


# Landscapes: functions of one or two numbers to descend in

FAR = 1e6
"""A descent that is further than this from 0 has diverged; all that is computed up to there is finite."""

LONG = 20
"""A descent that needs more steps than this to arrive is called slow."""


@dataclass(frozen=True)
class Landscape:
    """A function of n numbers with its gradient, both as text and as what computes them at points (..., n).

    `low` and `high` bound what a picture shows. Where the function is quadratic, with an axis for each coordinate,
    `curvatures` has the second derivatives. `rates` has learning rates by what they do from `start` in `steps` steps.
    """

    name: str
    formula: str
    slope: str
    value: Callable[[Floats], Floats]  # (..., n) -> (...)
    gradient: Callable[[Floats], Floats]  # (..., n) -> (..., n)
    low: tuple[float, ...]
    high: tuple[float, ...]
    start: tuple[float, ...]
    steps: int
    minima: tuple[tuple[float, ...], ...]
    rates: Mapping[str, float]
    most: float
    """The largest learning rate worth trying."""
    curvatures: tuple[float, ...] = field(default=())

    @property
    def near(self) -> float:
        """So close to a minimum, one has arrived: 1 % of the picture."""
        return 0.01 * float(np.max(np.subtract(self.high, self.low)))


@dataclass(frozen=True)
class Walk:
    """A descent in a landscape: points and gradients (k, n), losses (k,), velocities (k, n) that led to each point.

    `regime` is one of `regime`'s, or "stuck" where it hardly moves though it has not arrived, or "resting" at a minimum
    from the start. `arrived` is the step from which on it stays near the minimum `minimum`; both are None otherwise.
    """

    points: Floats
    gradients: Floats
    losses: Floats
    velocities: Floats
    regime: str
    arrived: int | None
    minimum: tuple[float, ...] | None


def descend(
    landscape: Landscape,
    start: Sequence[float],
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    steps: int = 30,
) -> Walk:
    """So many steps of descent, fewer where it goes further than `FAR`."""
    optimizer: Optimizer = Momentum(momentum, nesterov) if momentum else SGD()
    points, gradients, velocities = [], [], []
    walking = walk(optimizer, landscape.gradient, start, learning_rate)
    for x, dx, state in itertools.islice(walking, steps + 1):
        points.append(x)
        gradients.append(dx)
        velocities.append(state["velocity"][0]["x"] if state else np.zeros_like(x))
        if np.abs(x).max() > FAR:
            break
    X, G = np.stack(points), np.stack(gradients)
    losses = landscape.value(X)
    arrived, minimum = _arrival(landscape, X)
    factors = [] if momentum else [1 - learning_rate * curvature for curvature in landscape.curvatures]
    how = _judged(landscape, X, G, losses, arrived, factors)
    return Walk(X, G, losses, np.stack(velocities), how, arrived, minimum)


def _arrival(landscape: Landscape, points: Floats) -> tuple[int | None, tuple[float, ...] | None]:
    """From which step on the points stay near a minimum, and which."""
    for minimum in landscape.minima:
        away = np.linalg.norm(points - np.array(minimum), axis=1) > landscape.near
        if not away[-1]:
            return int(np.max(np.nonzero(away)[0], initial=-1)) + 1, minimum
    return None, None


def _judged(
    landscape: Landscape, points: Floats, gradients: Floats, losses: Floats, arrived: int | None, factors: list[float]
) -> str:
    """How a descent went: by its factors where they say it, otherwise by where it was."""
    if not gradients[0].any():
        return "resting" if arrived == 0 else "stuck"
    moving = {regime(factor) for factor, dx in zip(factors, gradients[0], strict=False) if dx}
    for certain in ("diverging", "endless"):
        if certain in moving:
            return certain
    if (len(moving) == 1 and len(factors) == 1) or moving == {"exact"}:
        return moving.pop()
    if np.abs(points[-1]).max() > FAR:
        return "diverging"
    turns = np.sum(gradients[1:] * gradients[:-1], axis=1) < 0  # the slope has changed sides
    if arrived is not None:
        return "oscillating" if turns[:arrived].any() else "slow" if arrived > LONG else "good"
    half = len(points) // 2
    if turns[half:].any():
        return "oscillating" if losses[half:].min() < 0.999 * losses[:half].min() else "endless"
    return "stuck" if np.ptp(points[half:], axis=0).max() < landscape.near else "slow"


def _quadratic(name: str, steep: float, steps: int) -> Landscape:
    """The valley ½ (x² + `steep` y²)."""
    curvatures = (1.0, steep)
    return Landscape(
        name, f"f(x, y) = ½ (x² + {steep:.0f} y²)", f"∇f = (x, {steep:.0f} y)",
        lambda p: valley_loss(p, curvatures), lambda p: np.asarray(curvatures) * p,
        (-6.0, -3.0), (6.0, 3.0), (-5.0, 1.0), steps, ((0.0, 0.0),),
        {"slow": 0.4 / steep, "oscillating": 1.9 / steep, "endless": 2 / steep, "diverging": 2.1 / steep}, 2.4 / steep,
        curvatures,
    )  # fmt: skip


def _wells_slope(p: Floats) -> Floats:
    """Of (x² − 1)² + x/4."""
    return 4 * p * (p**2 - 1) + 0.25


def _bend_slope(p: Floats) -> Floats:
    """Of (1 − x)² + 10 (y − x²)²."""
    x, y = p[..., 0], p[..., 1]
    return np.stack([-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)], axis=-1)


_WELLS = np.sort(np.roots([4, 0, -4, 0.25]).real)  # where the slope is 0: a minimum, a hilltop, a minimum

LANDSCAPES = {
    one.name: one
    for one in (
        Landscape(
            "parabola", "f(x) = x²", "f′(x) = 2x", lambda p: p[..., 0] ** 2, lambda p: 2 * p,
            (-3.0,), (3.0,), (2.5,), 15, ((0.0,),),
            {"slow": 0.1, "good": 0.3, "exact": 0.5, "oscillating": 0.8, "endless": 1.0, "diverging": 1.05}, 1.2, (2.0,),
        ),
        Landscape(
            "wells", "f(x) = (x² − 1)² + x/4", "f′(x) = 4x (x² − 1) + 1/4",
            lambda p: (p[..., 0] ** 2 - 1) ** 2 + p[..., 0] / 4, _wells_slope,
            (-1.7,), (1.7,), (1.6,), 30, ((float(_WELLS[0]),), (float(_WELLS[2]),)),
            {"slow": 0.01, "good": 0.05, "oscillating": 0.2, "endless": 0.3, "diverging": 0.4}, 0.48,
        ),
        Landscape(
            "plateau", "f(x) = x² / (1 + x²)", "f′(x) = 2x / (1 + x²)²",
            lambda p: p[..., 0] ** 2 / (1 + p[..., 0] ** 2), lambda p: 2 * p / (1 + p**2) ** 2,
            (-6.0,), (6.0,), (4.0,), 30, ((0.0,),),
            {"stuck": 0.1, "slow": 1.0, "oscillating": 3.0}, 6.0,
        ),
        Landscape(
            "kink", "f(x) = |x|", "f′(x) = ±1", lambda p: np.abs(p[..., 0]), np.sign,
            (-3.0,), (3.0,), (2.5,), 30, ((0.0,),),
            {"slow": 0.05, "good": 0.25, "endless": 0.4}, 1.2,
        ),
        _quadratic("valley", 10, 40),
        _quadratic("ravine", VALLEY[1], 60),
        Landscape(
            "bend", "f(x, y) = (1 − x)² + 10 (y − x²)²", "∇f = (−2 (1 − x) − 40 x (y − x²), 20 (y − x²))",
            lambda p: (1 - p[..., 0]) ** 2 + 10 * (p[..., 1] - p[..., 0] ** 2) ** 2, _bend_slope,
            (-2.0, -1.0), (2.0, 2.0), (-1.5, 0.5), 100, ((1.0, 1.0),),
            {"slow": 0.01, "diverging": 0.06}, 0.06,
        ),
        Landscape(
            "saddle", "f(x, y) = ½ x² − ½ y² + ¼ y⁴", "∇f = (x, y³ − y)",
            lambda p: p[..., 0] ** 2 / 2 - p[..., 1] ** 2 / 2 + p[..., 1] ** 4 / 4,
            lambda p: np.stack([p[..., 0], p[..., 1] ** 3 - p[..., 1]], axis=-1),
            (-3.0, -1.5), (3.0, 1.5), (-2.5, 0.02), 40, ((0.0, -1.0), (0.0, 1.0)),
            {"slow": 0.15, "good": 0.5, "oscillating": 0.8, "endless": 1.2, "diverging": 2.2}, 2.4,
        ),
    )
}  # fmt: skip

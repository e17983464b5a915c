"""From gradients to new parameters. Each optimizer is a pure function: (params, gradients, state) -> (params, state).

Parameters, gradients and the optimizer's memory all have one structure: a list with a dictionary of arrays for each
layer. `α` is the learning rate of this step, which comes from a schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from array_api_compat import array_namespace

from pasapas.layers import Array, Params

State = dict[str, Any]
"""What an optimizer remembers from step to step, by name: lists like the parameters, or numbers."""


class Optimizer(Protocol):
    """How training moves the parameters."""

    def initialize(self, params: Sequence[Params]) -> State:
        """The memory before the first step."""

    def update(
        self, params: Sequence[Params], gradients: Sequence[Params], state: State, learning_rate: float
    ) -> tuple[list[Params], State]:
        """The parameters and the memory after one step."""


def each(formula: Callable[..., Array], *trees: Sequence[Params]) -> list[Params]:
    """`formula` applied to the arrays that stand at the same place in every one of `trees`."""
    return [
        {name: formula(*(layer[name] for layer in layers)) for name in layers[0]} for layers in zip(*trees, strict=True)
    ]


def zeros_like(params: Sequence[Params]) -> list[Params]:
    """Zeros in the shape of every parameter."""
    return each(lambda p: array_namespace(p).zeros_like(p), params)


@dataclass(frozen=True)
class SGD:
    """p ← p − α dp."""

    def initialize(self, params: Sequence[Params]) -> State:
        return {}

    def update(
        self, params: Sequence[Params], gradients: Sequence[Params], state: State, learning_rate: float
    ) -> tuple[list[Params], State]:
        return each(lambda p, dp: p - learning_rate * dp, params, gradients), state


@dataclass(frozen=True)
class Momentum:
    """v ← β v + dp; p ← p − α v. With `nesterov`, p ← p − α (dp + β v): the slope is looked at one step ahead.

    Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013 that needs the gradient at p only.
    """

    momentum: float = 0.9
    nesterov: bool = False

    def initialize(self, params: Sequence[Params]) -> State:
        return {"velocity": zeros_like(params)}

    def update(
        self, params: Sequence[Params], gradients: Sequence[Params], state: State, learning_rate: float
    ) -> tuple[list[Params], State]:
        velocity = each(lambda v, dp: self.momentum * v + dp, state["velocity"], gradients)
        direction = each(lambda v, dp: dp + self.momentum * v, velocity, gradients) if self.nesterov else velocity
        return each(lambda p, d: p - learning_rate * d, params, direction), {"velocity": velocity}


@dataclass(frozen=True)
class Adam:
    """p ← p − α m̂ / (√v̂ + ε): running means of the gradient and of its square, corrected for their start at 0.

    Kingma and Ba 2015, algorithm 1.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def initialize(self, params: Sequence[Params]) -> State:
        return {"step": 0, "mean": zeros_like(params), "square": zeros_like(params)}

    def update(
        self, params: Sequence[Params], gradients: Sequence[Params], state: State, learning_rate: float
    ) -> tuple[list[Params], State]:
        step = state["step"] + 1
        mean = each(lambda m, dp: self.beta1 * m + (1 - self.beta1) * dp, state["mean"], gradients)
        square = each(lambda v, dp: self.beta2 * v + (1 - self.beta2) * (dp * dp), state["square"], gradients)
        mean_correction = 1 - self.beta1**step
        square_correction = 1 - self.beta2**step

        def moved(p: Array, m: Array, v: Array) -> Array:
            root = array_namespace(v).sqrt(v / square_correction)
            return p - learning_rate * (m / mean_correction) / (root + self.epsilon)

        return each(moved, params, mean, square), {"step": step, "mean": mean, "square": square}

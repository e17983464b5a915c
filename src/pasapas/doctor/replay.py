"""One pass of backpropagation in which any line can be replaced: mistakes are replayed in it, and nothing else.

The formulas are those of `pasapas.layers` and `pasapas.losses`; what a mistake overrides is one of the methods below. Two
mistakes at once are one class that inherits from both, so a method that changes a result calls `super()` first.

Layers are counted as in the lesson, from 1 to L. Samples are in rows, W is (n_in, n_out), b is (n_out,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.layers import Dense, LeakyReLU, ReLU, Sigmoid, Tanh
from pasapas.losses import log_softmax, softmax

Floats = npt.NDArray[Any]


class Identity:
    """No activation: what a linear output layer has."""

    def forward(self, params: Any, X: Floats) -> Floats:
        return X

    def input_gradient(self, params: Any, X: Floats, Y: Floats, dY: Floats) -> Floats:
        return dY


class Softmax:
    """Softmax as a layer of its own, with its whole Jacobian: for losses other than the cross-entropy."""

    def forward(self, params: Any, X: Floats) -> Floats:
        return np.asarray(softmax(X))

    def input_gradient(self, params: Any, X: Floats, Y: Floats, dY: Floats) -> Floats:
        return np.asarray(Y * (dY - np.sum(Y * dY, axis=1, keepdims=True)))


FUNCTIONS: dict[str, Any] = {
    "relu": ReLU(),
    "tanh": Tanh(),
    "sigmoid": Sigmoid(),
    "identity": Identity(),
    "softmax": Softmax(),
    **{f"leaky-relu {slope}": LeakyReLU(slope) for slope in (0.01, 0.1, 0.2, 0.05, 0.02, 0.001, 0.3, 0.25)},
}
"""The activations by name."""

LOSSES = ("cross-entropy", "binary cross-entropy", "squared error")


@dataclass(frozen=True)
class Problem:
    """A network, a batch, and the loss: everything that the gradients depend on.

    `W[l]` and `b[l]` belong to layer l + 1. `activations` has one name for each layer, the output's last. `scale` is what
    the loss of one sample, summed over its outputs, is multiplied by: 1 / m for a mean. `penalty` κ adds κ/2 · Σ W² to
    the loss. `masks[l]` multiplies the activation of layer l + 1, or is None.
    """

    X: Floats
    Y: Floats
    W: tuple[Floats, ...]
    b: tuple[Floats, ...]
    activations: tuple[str, ...]
    loss: str = "cross-entropy"
    scale: float = 1.0
    penalty: float = 0.0
    masks: tuple[Floats | None, ...] = ()
    learning_rate: float = 0.1

    @property
    def m(self) -> int:
        return len(self.X)

    @property
    def L(self) -> int:
        return len(self.W)

    def with_scale(self, scale: float) -> Problem:
        return replace(self, scale=scale)

    def mask(self, l: int) -> Floats | None:
        return self.masks[l - 1] if l - 1 < len(self.masks) else None


@dataclass(eq=False)
class Replay:
    """The right pass. `layer` is where a mistake is made: a number from 1 to L, or None for every layer where it can be."""

    problem: Problem
    layer: int | None = None
    Z: dict[int, Floats] = field(default_factory=dict)
    A: dict[int, Floats] = field(default_factory=dict)
    dZ: dict[int, Floats] = field(default_factory=dict)
    dA: dict[int, Floats] = field(default_factory=dict)
    dW: dict[int, Floats] = field(default_factory=dict)
    db: dict[int, Floats] = field(default_factory=dict)

    def here(self, l: int) -> bool:
        """Whether the mistake is made in layer l."""
        return self.layer is None or self.layer == l

    # what mistakes know of the problem -------------------------------------------------------------------------

    @property
    def m(self) -> int:
        """The batch size."""
        return self.problem.m

    @property
    def L(self) -> int:
        """The number of layers with weights."""
        return self.problem.L

    def W(self, l: int) -> Floats:
        return self.problem.W[l - 1]

    def b(self, l: int) -> Floats:
        return self.problem.b[l - 1]

    def function(self, l: int) -> Any:
        """The activation of layer l."""
        return FUNCTIONS[self.problem.activations[l - 1]]

    def name(self, l: int) -> str:
        """The name of the activation of layer l."""
        return self.problem.activations[l - 1]

    def derivative(self, function: str, Z: Floats, A: Floats) -> Floats:
        """The derivative of an element-wise activation, from what it was given and what it gave."""
        return np.asarray(FUNCTIONS[function].input_gradient({}, Z, A, np.ones_like(Z)))

    # forward ---------------------------------------------------------------------------------------------------

    def forward(self) -> Floats:
        """P (m, n_classes); `Z` and `A` are filled on the way."""
        self.A[0] = self.input(self.problem.X)
        for l in range(1, self.L + 1):
            self.Z[l] = self.preactivation(l, self.A[l - 1])
            self.A[l] = self.output(self.Z[l]) if l == self.L else self.activation(l, self.Z[l])
        return self.A[self.L]

    def input(self, X: Floats) -> Floats:
        return X

    def preactivation(self, l: int, A: Floats) -> Floats:
        return np.asarray(Dense(*self.W(l).shape).forward({"W": self.W(l), "b": self.b(l)}, A))  # (m, n)

    def activation(self, l: int, Z: Floats) -> Floats:
        A = np.asarray(self.function(l).forward({}, Z))  # (m, n)
        mask = self.problem.mask(l)
        return A if mask is None else A * mask

    def output(self, Z: Floats) -> Floats:
        return np.asarray(self.function(self.L).forward({}, Z))  # (m, n_classes)

    # the loss --------------------------------------------------------------------------------------------------

    def loss(self) -> float:
        """The loss of the values of `forward`, with its penalty."""
        Z, P, Y, kind = self.Z[self.L], self.A[self.L], self.problem.Y, self.problem.loss
        with np.errstate(all="ignore"):
            if kind == "squared error":
                total = np.sum((P - Y) ** 2)
            elif kind == "binary cross-entropy":
                total = -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P))
            elif self.name(self.L) == "softmax":
                total = -np.sum(Y * log_softmax(Z))
            else:
                total = -np.sum(Y * np.log(P))
        penalty = sum(np.sum(W * W) for W in self.problem.W)
        return float(self.problem.scale * total + self.problem.penalty / 2 * penalty)

    # backward --------------------------------------------------------------------------------------------------

    def backward(self) -> dict[str, Floats]:
        """{"dW1": ..., "db1": ...} after `forward`; `dZ`, `dA`, `dW` and `db` are filled on the way."""
        self.dZ[self.L] = self.output_delta()
        for l in range(self.L, 0, -1):
            self.dW[l] = self.weight_gradient(l, self.dZ[l])
            self.db[l] = self.bias_gradient(l, self.dZ[l])
            if l > 1:
                self.dA[l - 1] = self.back(l, self.dZ[l])
                self.dZ[l - 1] = self.through(l - 1, self.dA[l - 1])
        return self.gradients()

    def gradients(self) -> dict[str, Floats]:
        """All gradients by name, after `backward`."""
        return {f"{kind}{l}": g[l] for l in range(1, self.L + 1) for kind, g in (("dW", self.dW), ("db", self.db))}

    def targets(self) -> Floats:
        """Y as the backward pass reads it (m, n_classes)."""
        return self.problem.Y

    @property
    def simple(self) -> bool:
        """Whether δ of the last layer is P − Y, the derivative of the output function being part of it."""
        pair = (self.problem.loss, self.name(self.L))
        return pair in (("cross-entropy", "softmax"), ("binary cross-entropy", "sigmoid"))

    def loss_gradient(self) -> Floats:
        """∂/∂P of the loss of one sample, without `scale` (m, n_classes)."""
        P, Y, kind = self.A[self.L], self.targets(), self.problem.loss
        with np.errstate(all="ignore"):
            if kind == "squared error":
                return np.asarray(2 * (P - Y))
            if kind == "binary cross-entropy":
                return np.asarray((P - Y) / (P * (1 - P)))
            return np.asarray(-Y / P)

    def output_delta(self) -> Floats:
        """∂L/∂Z of the last layer (m, n_classes)."""
        Z, P = self.Z[self.L], self.A[self.L]
        if self.simple:
            return self.problem.scale * (P - self.targets())
        dP = self.problem.scale * self.loss_gradient()
        if self.differentiates(self.L):
            return dP * self.activation_derivative(self.L)
        return np.asarray(self.function(self.L).input_gradient({}, Z, P, dP))

    def weight_input(self, l: int) -> Floats:
        """What layer l multiplied by its weights, as the backward pass reads it (m, n_in)."""
        return self.A[l - 1]

    def weight_gradient(self, l: int, dZ: Floats) -> Floats:
        """∂L/∂W of layer l (n_in, n_out)."""
        dW = Dense(*self.W(l).shape).parameter_gradients({}, self.weight_input(l), self.Z[l], dZ)["W"]
        return np.asarray(dW) + self.penalty(l)

    def penalty(self, l: int) -> Floats:
        """What the L2 penalty adds to ∂L/∂W of layer l."""
        return self.problem.penalty * self.W(l) if self.problem.penalty else np.zeros(())

    def bias_gradient(self, l: int, dZ: Floats) -> Floats:
        """∂L/∂b of layer l (n_out,)."""
        return np.asarray(np.sum(dZ, axis=0))

    def back_weights(self, l: int) -> Floats:
        """The weights of layer l, as the backward pass reads them (n_in, n_out)."""
        return self.W(l)

    def back(self, l: int, dZ: Floats) -> Floats:
        """∂L/∂A of layer l − 1 (m, n_in)."""
        dA = np.asarray(Dense(*self.W(l).shape).input_gradient({"W": self.back_weights(l)}, dZ, dZ, dZ))
        return self.through_mask(l - 1, dA)

    def through_mask(self, l: int, dA: Floats) -> Floats:
        """∂L/∂A before dropout, from the one after it."""
        mask = self.problem.mask(l)
        return dA if mask is None else dA * mask

    def differentiates(self, l: int) -> bool:
        """Whether δ of layer l has the derivative of an element-wise activation as a factor of its own."""
        return l < self.L or not (self.simple or self.name(l) in ("softmax", "identity"))

    def unmasked(self, l: int) -> Floats:
        """A of layer l before dropout (m, n)."""
        return self.A[l] if self.problem.mask(l) is None else np.asarray(self.function(l).forward({}, self.Z[l]))

    def activation_derivative(self, l: int) -> Floats:
        """The derivative of the activation of layer l at Z (m, n)."""
        return self.derivative(self.name(l), self.Z[l], self.unmasked(l))

    def through(self, l: int, dA: Floats) -> Floats:
        """∂L/∂Z of a hidden layer l from its ∂L/∂A (m, n)."""
        return dA * self.activation_derivative(l)

    def run(self) -> Replay:
        """Forward and backward."""
        with np.errstate(all="ignore"):
            self.forward()
            self.backward()
        return self


Maker = Callable[[Problem, "int | None"], Replay]
"""What makes a replay: a class that inherits from Replay, or a function like one."""

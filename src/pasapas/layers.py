"""The layers: one formula for each direction, nothing remembered, nothing changed in place.

A layer is a small frozen dataclass with three methods:

    forward(params, X) -> Y
    parameter_gradients(params, X, Y, dY) -> gradients, {} for a layer without parameters
    input_gradient(params, X, Y, dY) -> dX

Samples are in rows: m of them. `dT` always means ∂L/∂T, where L is the mean loss over the batch. Everything is
written against the Python array API standard, so that the same lines run on NumPy, JAX or any other library that
keeps to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from array_api_compat import array_namespace

Array = Any
"""An array of any library that keeps to the array API standard."""

Params = dict[str, Array]
"""The parameters of one layer, or their gradients, by name; empty for a layer that has none."""


class Layer(Protocol):
    """What `pasapas.forward` and `pasapas.backward` need of a layer."""

    def forward(self, params: Params, X: Array) -> Array:
        """Y of the same m rows as X."""

    def parameter_gradients(self, params: Params, X: Array, Y: Array, dY: Array) -> Params:
        """∂L/∂p for each parameter p, in its shape, from the values that `forward` read and gave."""

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        """∂L/∂X, in the shape of X."""


@dataclass(frozen=True)
class Dense:
    """Fully connected: each of the n_out units adds up all n_in inputs, each times its weight, and a bias."""

    n_in: int
    n_out: int

    def forward(self, params: Params, X: Array) -> Array:
        return X @ params["W"] + params["b"]  # (m, n_out)

    def parameter_gradients(self, params: Params, X: Array, Y: Array, dY: Array) -> Params:
        xp = array_namespace(dY)
        return {
            "W": X.T @ dY,  # (n_in, n_out)
            "b": xp.sum(dY, axis=0),  # (n_out,)
        }

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        return dY @ params["W"].T  # (m, n_in)


class _Elementwise:
    """A layer without parameters."""

    def parameter_gradients(self, params: Params, X: Array, Y: Array, dY: Array) -> Params:
        return {}


@dataclass(frozen=True)
class ReLU(_Elementwise):
    """max(0, x). Its derivative at exactly 0 is taken as 0."""

    def forward(self, params: Params, X: Array) -> Array:
        xp = array_namespace(X)
        # maximum, not where: a NaN must stay one, or a diverged network would look healthy
        return xp.maximum(X, xp.asarray(0, dtype=X.dtype))  # (m, n)

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        xp = array_namespace(dY)
        return dY * xp.astype(X > 0, dY.dtype)  # (m, n)


@dataclass(frozen=True)
class LeakyReLU(_Elementwise):
    """x where it is positive, slope · x elsewhere (Maas, Hannun, Ng 2013)."""

    slope: float = 0.01

    def forward(self, params: Params, X: Array) -> Array:
        xp = array_namespace(X)
        return xp.where(X > 0, X, self.slope * X)  # (m, n)

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        xp = array_namespace(dY)
        return xp.where(X > 0, dY, self.slope * dY)  # (m, n)


@dataclass(frozen=True)
class Tanh(_Elementwise):
    """The hyperbolic tangent; its derivative is 1 − y²."""

    def forward(self, params: Params, X: Array) -> Array:
        return array_namespace(X).tanh(X)  # (m, n)

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        return dY * (1 - Y * Y)  # (m, n)


@dataclass(frozen=True)
class Sigmoid(_Elementwise):
    """1 / (1 + e⁻ˣ), written with tanh, which cannot overflow; its derivative is y (1 − y)."""

    def forward(self, params: Params, X: Array) -> Array:
        return 0.5 * (1 + array_namespace(X).tanh(0.5 * X))  # (m, n)

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        return dY * (Y * (1 - Y))  # (m, n)


@dataclass(frozen=True)
class Dropout(_Elementwise):
    """Inverted dropout (Srivastava et al. 2014): a unit is kept with probability 1 − rate and scaled by 1 / (1 − rate).

    The layer draws nothing itself. Training hands it a mask as its parameter `mask`, shape (m, n), made by
    `draw_mask`; without a mask the layer does nothing, which is what prediction wants.
    """

    rate: float

    def draw_mask(self, uniform: Array) -> Array:
        """A mask of zeros and 1 / (1 − rate) from numbers drawn uniformly in [0, 1), in their shape and dtype."""
        xp = array_namespace(uniform)
        return xp.astype(uniform >= self.rate, uniform.dtype) / (1 - self.rate)

    def forward(self, params: Params, X: Array) -> Array:
        return X * params["mask"] if "mask" in params else X  # (m, n)

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        return dY * params["mask"] if "mask" in params else dY  # (m, n)


ACTIVATIONS: dict[str, type[ReLU | LeakyReLU | Tanh | Sigmoid]] = {
    "relu": ReLU,
    "leaky-relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
"""The activations by the names that recipes, models and the command line use."""

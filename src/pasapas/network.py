"""A network: layers and a loss, and the forward and the backward pass over them.

`forward` and `backward` are the whole of backpropagation. `forward` returns every value that it computes; `backward`
reads them. There is no cache, no state on layers, and nothing is changed in place.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from array_api_compat import array_namespace

from pasapas.errors import PasapasError, one_of
from pasapas.i18n import _, integer
from pasapas.initializers import He, Initializer
from pasapas.layers import ACTIVATIONS, Array, Dense, Dropout, Layer, Params
from pasapas.losses import SoftmaxCrossEntropy

MAX_WEIGHTS = 250_000_000
"""The largest network that is built: 1 GB of float32 weights, several GB while it trains."""


def forward(layers: Sequence[Layer], params: Sequence[Params], X: Array) -> list[Array]:
    """All values from X (m, n_in) to the scores Z (m, n_classes): `[X, Z1, A1, Z2]` for two dense layers."""
    values = [X]
    for layer, p in zip(layers, params, strict=True):
        values.append(layer.forward(p, values[-1]))
    return values


def backward(
    layers: Sequence[Layer], params: Sequence[Params], values: Sequence[Array], d: Array
) -> tuple[list[Params], list[Array | None]]:
    """All gradients, from `values` of `forward` and `d` = ∂L/∂(last value).

    The first list has those of the parameters, layer by layer; the second ∂L/∂value for each of `values`, or None where
    nobody needs it: at the inputs, and before the first layer with weights. `input_gradient` gives the one at the inputs.
    """
    gradients: list[Params] = [{} for _ in layers]
    deltas: list[Array | None] = [None] * len(layers) + [d]
    first = next((i for i, layer in enumerate(layers) if isinstance(layer, Dense)), 0)
    for i in reversed(range(first, len(layers))):
        X, Y, dY = values[i], values[i + 1], deltas[i + 1]
        gradients[i] = layers[i].parameter_gradients(params[i], X, Y, dY)
        if i > first:
            deltas[i] = layers[i].input_gradient(params[i], X, Y, dY)
    return gradients, deltas


def input_gradient(layers: Sequence[Layer], params: Sequence[Params], values: Sequence[Array], d: Array) -> Array:
    """∂L/∂X (m, n_in), from `values` of `forward` and `d` = ∂L/∂(last value): how each input raises the loss.

    Any numbers can stand for L: with `values` of one sample and d (n, n_out), the slopes of n of them come back as (n, n_in).
    """
    for i in reversed(range(len(layers))):
        d = layers[i].input_gradient(params[i], values[i], values[i + 1], d)
    return d


@dataclass(frozen=True)
class Network:
    """Layers, a loss, and the weight of an L2 penalty on weights (not on biases): L + l2/2 · Σ W²."""

    layers: tuple[Layer, ...]
    loss: SoftmaxCrossEntropy = field(default_factory=SoftmaxCrossEntropy)
    l2: float = 0.0

    @property
    def dense(self) -> list[Dense]:
        """The dense layers, in order: the ones with parameters."""
        return [layer for layer in self.layers if isinstance(layer, Dense)]

    @property
    def sizes(self) -> list[int]:
        """The widths, from inputs to classes: [784, 128, 10]."""
        return [self.dense[0].n_in, *(layer.n_out for layer in self.dense)]

    def initialize(self, initializer: Initializer | None = None, seed: int = 0, dtype: str = "float32") -> list[Params]:
        """Fresh NumPy parameters for every layer, the same for the same seed: random weights, biases 0.

        The numbers are drawn in float64 and then rounded to `dtype`, so that float32 and float64 start alike.
        """
        initializer = initializer or He()
        random = initializer.generator(seed)
        return [
            {
                "W": initializer.weights(random, layer.n_in, layer.n_out).astype(dtype),
                "b": np.zeros(layer.n_out, dtype),
            }
            if isinstance(layer, Dense)
            else {}
            for layer in self.layers
        ]

    def with_masks(self, params: Sequence[Params], m: int, random: np.random.Generator) -> Sequence[Params]:
        """`params` with a freshly drawn mask for m samples at every dropout layer; `params` itself if there is none."""
        if not any(isinstance(layer, Dropout) for layer in self.layers):
            return params
        dtype = next(p["W"].dtype for p in params if "W" in p)
        width = self.sizes[0]
        masked = []
        for layer, p in zip(self.layers, params, strict=True):
            if isinstance(layer, Dense):
                width = layer.n_out
            if isinstance(layer, Dropout):
                p = {**p, "mask": layer.draw_mask(random.random((m, width), dtype=dtype))}
            masked.append(p)
        return masked

    def loss_value(self, params: Sequence[Params], values: Sequence[Array], Y: Array) -> Array:
        """The loss of `values` of a forward pass against Y (m, n_classes), its penalty included."""
        L = self.loss.value(values[-1], Y)
        if self.l2:
            L = L + self.l2 / 2 * sum(array_namespace(p["W"]).sum(p["W"] * p["W"]) for p in params if "W" in p)
        return L

    def gradients(self, params: Sequence[Params], values: Sequence[Array], Y: Array) -> list[Params]:
        """∂(loss_value)/∂p for every parameter, in the order and shapes of `params`."""
        gradients, _deltas = backward(self.layers, params, values, self.loss.gradient(values[-1], Y))
        return self.with_penalty(params, gradients)

    def with_penalty(self, params: Sequence[Params], gradients: list[Params]) -> list[Params]:
        """`gradients` of the loss alone, with those of the L2 penalty added."""
        if not self.l2:
            return gradients
        return [
            {**g, "W": g["W"] + self.l2 * p["W"]} if "W" in g else g for g, p in zip(gradients, params, strict=True)
        ]


def mlp(
    *sizes: int,
    activation: str = "relu",
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    label_smoothing: float = 0.0,
    l2: float = 0.0,
) -> Network:
    """A multilayer perceptron: `mlp(784, 128, 10)` is dense 784 → 128, ReLU, dense 128 → 10, softmax cross-entropy.

    `dropout` follows every hidden activation and `input_dropout` comes before the first layer, each as the share of
    units that is dropped. Raises PasapasError for sizes that are no positive whole numbers, an unknown activation, a
    rate outside [0, 1), or more than 250 million weights.
    """
    check_sizes(sizes)
    activation = one_of(_("activation"), activation, ACTIVATIONS)
    for name, value in [("dropout", dropout), ("input_dropout", input_dropout), ("label_smoothing", label_smoothing)]:
        if not 0 <= value < 1:
            raise PasapasError(
                _("{name} must be at least 0 and less than 1, not {value}.").format(name=name, value=value)
            )
    if not 0 <= l2 < math.inf:
        raise PasapasError(_("{name} must be at least 0, not {value}.").format(name="l2", value=l2))

    layers: list[Layer] = [Dropout(input_dropout)] if input_dropout else []
    for i, (n_in, n_out) in enumerate(pairs(sizes)):
        layers.append(Dense(n_in, n_out))
        if i < len(sizes) - 2:
            layers.append(ACTIVATIONS[activation]())
            if dropout:
                layers.append(Dropout(dropout))
    return Network(tuple(layers), SoftmaxCrossEntropy(label_smoothing), l2)


def pairs(sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """(784, 128), (128, 10) from 784, 128, 10."""
    return itertools.pairwise(sizes)


def check_sizes(sizes: Sequence[int]) -> None:
    """Raises PasapasError where `sizes` cannot be the widths of a network's layers."""
    if len(sizes) < 2 or any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise PasapasError(
            _("A network needs at least two layer sizes, each a whole number of 1 or more, not {sizes}.").format(
                sizes=", ".join(map(str, sizes)) or "∅"
            )
        )
    weights = sum(n_in * n_out for n_in, n_out in pairs(map(int, sizes)))
    if weights > MAX_WEIGHTS:
        raise PasapasError(
            _(
                "A network of sizes {sizes} has {weights} weights, more than the {limit} that fit in memory here: choose smaller layers."
            ).format(sizes="-".join(map(str, sizes)), weights=integer(weights), limit=integer(MAX_WEIGHTS))
        )

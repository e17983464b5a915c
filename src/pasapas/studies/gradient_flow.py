"""How much of the gradient reaches each layer of a deep network, step by step of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pasapas.data.dataset import Dataset, scaled
from pasapas.initializers import He, Initializer, Normal
from pasapas.layers import Dense
from pasapas.network import backward, forward, mlp
from pasapas.optimizers import SGD

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A network whose gradients go one way: `name` is "vanishing", "healthy" or "exploding"."""

    name: str
    activation: str
    initializer: Initializer
    learning_rate: float = 0.1


CASES = (
    Case("vanishing", "sigmoid", Normal(sigma=0.1)),
    Case("healthy", "relu", He()),
    Case("exploding", "relu", Normal(sigma=0.5), 1e-5),  # with 0.1 there would be no fourth step
)


@dataclass(frozen=True)
class Flow:
    """What was measured before each step: the loss (steps,), and for each dense layer the means of |∂L/∂Z| and |∂L/∂W|.

    `dZ` and `dW` are (steps, layers), nan from the step on at which a number was no longer finite.
    """

    case: Case
    loss: Floats
    dZ: Floats
    dW: Floats

    @property
    def reach(self) -> float:
        """The first layer's mean |∂L/∂Z| as a multiple of the last layer's, before any training."""
        return float(self.dZ[0, 0] / self.dZ[0, -1])


def gradient_flow(
    case: Case,
    data: Dataset,
    hidden: Sequence[int] = (64,) * 6,
    steps: int = 60,
    batch_size: int = 64,
    seed: int = 0,
) -> Flow:
    """Trains a network of the given hidden layers for some steps of plain descent on the images in their order.

    ∂L/∂Z is what the backward pass hands from layer to layer: each layer multiplies it by its weights and by the slope
    of its activation, so that it shrinks or grows by about the same factor each time (S. Hochreiter 1991; X. Glorot and
    Y. Bengio 2010). ∂L/∂W is that times the layer's inputs; in a ReLU network large weights let the inputs grow
    towards the end as much as ∂L/∂Z grows towards the beginning, and ∂L/∂W is then too large in every layer alike.
    """
    network = mlp(data.n_inputs, *hidden, 10, activation=case.activation)
    params = network.initialize(case.initializer, seed, "float64")
    dense = [i for i, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    optimizer = SGD()
    state = optimizer.initialize(params)
    loss = np.full(steps, np.nan)
    dZ, dW = np.full((steps, len(dense)), np.nan), np.full((steps, len(dense)), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            batch = np.arange(step * batch_size, (step + 1) * batch_size) % len(data)
            X = scaled(data.images[batch], np.float64)  # (batch, n_in)
            Y = network.loss.targets(data.labels[batch], 10, np.float64)  # (batch, 10)
            values = forward(network.layers, params, X)
            gradients, deltas = backward(network.layers, params, values, network.loss.gradient(values[-1], Y))
            L = float(network.loss.value(values[-1], Y))
            sizes = [[float(np.mean(np.abs(np.asarray(d)))) for d in (deltas[i + 1], gradients[i]["W"])] for i in dense]
            if not np.isfinite([L, *np.ravel(sizes)]).all():
                break
            loss[step] = L
            dZ[step], dW[step] = np.transpose(sizes)
            params, state = optimizer.update(params, gradients, state, case.learning_rate)
    return Flow(case, loss, dZ, dW)

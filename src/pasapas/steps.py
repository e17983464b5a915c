"""One training step, as the lesson tells it: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from pasapas.layers import Array, Params
from pasapas.network import Network, forward, input_gradient
from pasapas.optimizers import Optimizer, State


def step(
    network: Network,
    optimizer: Optimizer,
    params: Sequence[Params],
    state: State,
    X: Array,
    Y: Array,
    learning_rate: float,
    masked: Sequence[Params] | None = None,
) -> tuple[Sequence[Params], State, Array, Array]:
    """The parameters and the optimizer's memory after the step, and the loss and the scores Z before it.

    X (m, n_in), Y (m, n_classes), Z (m, n_classes). `masked` is `params` together with the masks that the dropout
    layers use in this step, from `Network.with_masks`.
    """
    used = params if masked is None else masked
    values = forward(network.layers, used, X)
    L = network.loss_value(used, values, Y)
    gradients = network.gradients(used, values, Y)
    params, state = optimizer.update(params, gradients, state, learning_rate)
    return params, state, L, values[-1]


def adversarial(network: Network, params: Sequence[Params], X: Array, Y: Array, distance: float) -> Array:
    """X (m, n_in) made harder for the network: each row moved by `distance` to where its loss rises fastest.

    x + distance · g / ‖g‖, g the row's part of ∂L/∂X with no unit dropped; a row whose g is 0 stays. Trained on as well,
    it keeps what the network answers from hanging on little (I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and
    Harnessing Adversarial Examples", 2015; by Euclidean length in T. Miyato, A. Dai, I. Goodfellow, 2017).
    """
    xp = array_namespace(X)
    values = forward(network.layers, params, X)
    dX = input_gradient(network.layers, params, values, network.loss.gradient(values[-1], Y))  # (m, n_in)
    one = xp.asarray(1, dtype=dX.dtype)
    largest = xp.max(xp.abs(dX), axis=1, keepdims=True)  # (m, 1); by it first, for the squares of small numbers are 0
    g = dX / xp.where(largest > 0, largest, one)
    length = xp.sqrt(xp.sum(g * g, axis=1, keepdims=True))  # (m, 1)
    return X + distance * g / xp.where(length > 0, length, one)

"""One training step, as the lesson tells it: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Sequence

from pasapas.layers import Array, Params
from pasapas.network import Network, forward
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

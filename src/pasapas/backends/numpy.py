"""An epoch on NumPy: a Python loop over mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pasapas.data.dataset import Dataset, scaled
from pasapas.layers import Params
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.network import Network, forward
from pasapas.optimizers import Optimizer, State
from pasapas.steps import step


class StepResult(NamedTuple):
    """Parameters and optimizer memory after a step; its loss, right answers and number of images."""

    params: Sequence[Params]
    state: State
    loss: float
    correct: int
    images: int


def epoch(
    network: Network,
    optimizer: Optimizer,
    params: Sequence[Params],
    state: State,
    data: Dataset,
    batches: Sequence[npt.NDArray[np.intp] | slice],
    learning_rate: Callable[[int], float],
    random: np.random.Generator,
) -> Iterator[StepResult]:
    """One step for each of `batches`, which say what images to take, yielding after each.

    `learning_rate(i)` is that of step i of this epoch; `random` draws the dropout masks.
    """
    dtype = _dtype(params)
    for i, batch in enumerate(batches):
        labels = data.labels[batch]
        X = scaled(data.images[batch], dtype)  # (m, n_in)
        Y = network.loss.targets(labels, network.sizes[-1], dtype)  # (m, n_classes)
        masked = network.with_masks(params, len(labels), random)
        params, state, L, Z = step(network, optimizer, params, state, X, Y, learning_rate(i), masked)
        yield StepResult(params, state, float(L), int(np.sum(np.argmax(Z, axis=1) == labels)), len(labels))


def scores(network: Network, params: Sequence[Params], images: npt.NDArray[Any], chunk: int = 1000) -> npt.NDArray[Any]:
    """The scores Z (m, n_classes) for images (m, ...), computed `chunk` rows at a time."""
    Z = np.empty((len(images), network.sizes[-1]), _dtype(params))
    for i in range(0, len(images), chunk):
        X = scaled(images[i : i + chunk], Z.dtype)
        Z[i : i + chunk] = forward(network.layers, params, X)[-1]
    return Z


def evaluate(network: Network, params: Sequence[Params], data: Dataset) -> tuple[float, float]:
    """The mean cross-entropy, without smoothing or penalty, and the accuracy, as a fraction, over `data`."""
    Z = scores(network, params, data.images)
    plain = SoftmaxCrossEntropy()
    Y = plain.targets(data.labels, Z.shape[1], Z.dtype)
    return float(plain.value(Z, Y)), float(np.mean(np.argmax(Z, axis=1) == data.labels))


def _dtype(params: Sequence[Params]) -> np.dtype[Any]:
    """The dtype that a network computes in: that of its weights."""
    return next(p["W"].dtype for p in params if "W" in p)

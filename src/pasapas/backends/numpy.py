"""An epoch on NumPy: a Python loop over mini-batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.backends import Steps
from pasapas.backends.epochs import Plan
from pasapas.backends.fused import FusedSteps
from pasapas.backends.threads import blas_threads
from pasapas.data.dataset import Dataset, scaled
from pasapas.data.deformations import deformed
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Params
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.network import Network, forward
from pasapas.optimizers import State, each
from pasapas.recipes import Recipe
from pasapas.steps import adversarial, step


class NumpyEngine:
    """The engine `numpy`: arrays in memory, one step after the other."""

    def __init__(self, recipe: Recipe, network: Network) -> None:
        if recipe.products == "bfloat16":
            raise PasapasError(_("NumPy has no products in bfloat16: choose --engine jax, or --products full."))
        self.recipe, self.network, self.optimizer = recipe, network, recipe.make_optimizer()

    def place(self, values: Any) -> Any:
        """`values` themselves: they are NumPy's already."""
        return values

    fetch = place

    def epoch(self, params: Sequence[Params], state: State, data: Dataset, plan: Plan) -> Iterator[Steps]:
        """One step for each batch of `plan`, yielding after each. Meanwhile the BLAS has the threads that suit the network."""
        with blas_threads(self.network, self.recipe.batch_size):
            yield from self.steps(params, state, data, plan)

    def steps(self, params: Sequence[Params], state: State, data: Dataset, plan: Plan) -> Iterator[Steps]:
        """The same on the threads that the BLAS has: for whoever does other work between two steps, or leaves off."""
        if not FusedSteps.supports(self.network, self.optimizer):
            yield from self.readable_epoch(params, state, data, plan)
            return
        twice = 2 if self.recipe.adversarial else 1
        steps = FusedSteps(self.network, self.optimizer, params, state, twice * self.recipe.batch_size)
        masks = plan.masks()
        for images, labels, batch, learning_rate in self._batches(data, plan):
            m = len(labels[batch])
            if self.recipe.adversarial:
                images, labels = self._with_adversarial(steps.params, images[batch], labels[batch])
                batch = slice(None)
            loss, correct = steps.step(images, labels, learning_rate, masks, batch)
            yield Steps(steps.params, steps.state, [loss], [correct / twice], [m])

    def readable_epoch(self, params: Sequence[Params], state: State, data: Dataset, plan: Plan) -> Iterator[Steps]:
        """The same by `pasapas.steps.step` itself, for layers and optimizers that `FusedSteps` does not know."""
        network, dtype, random = self.network, _dtype(params), plan.masks()
        for images, labels, batch, learning_rate in self._batches(data, plan):
            images, labels, m = images[batch], labels[batch], len(labels[batch])
            if self.recipe.adversarial:
                images, labels = self._with_adversarial(params, images, labels)
            X = scaled(images, dtype)  # (m, n_in)
            Y = network.loss.targets(labels, network.sizes[-1], dtype)  # (m, n_classes)
            masked = network.with_masks(params, len(X), random)
            params, state, L, Z = step(network, self.optimizer, params, state, X, Y, learning_rate, masked)
            correct = int(np.sum(np.argmax(Z, axis=1) == labels))
            yield Steps(params, state, [float(L)], [correct * m / len(X)], [m])

    def _with_adversarial(
        self, params: Sequence[Params], images: npt.NDArray[Any], labels: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The rows X (2m, n_in) of m images and of the same images made harder, and the labels of both."""
        network, dtype = self.network, _dtype(params)
        X = scaled(images, dtype)  # (m, n_in)
        Y = network.loss.targets(labels, network.sizes[-1], dtype)
        moved = adversarial(network, params, X, Y, self.recipe.adversarial / self.recipe.input_std)
        return np.concatenate([X, moved]), np.concatenate([labels, labels])

    def _batches(self, data: Dataset, plan: Plan) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], Any, float]]:
        """Images, labels, which of them a step takes, and its learning rate: bytes, or rows prepared by the recipe."""
        recipe, random = self.recipe, plan.deformations()
        for batch, learning_rate in zip(plan.batches, plan.learning_rates, strict=True):
            if recipe.deformation:
                X = deformed(recipe.deformation, data.images[batch], random, plan.strength, recipe.dtype)
            elif recipe.standardizes:
                X = scaled(data.images[batch], recipe.dtype)
            else:
                yield data.images, data.labels, batch, learning_rate
                continue
            yield recipe.standardized(X), data.labels[batch], slice(None), learning_rate

    def evaluate(self, params: Sequence[Params], data: Dataset) -> tuple[float, float]:
        """The mean cross-entropy, without smoothing or penalty, and the accuracy, as a fraction, over `data`."""
        return evaluate(self.network, self.recipe.for_pixels(params), data)

    def average(self, mean: Sequence[Params], params: Sequence[Params], share: float) -> Sequence[Params]:
        """mean + share · (params − mean)."""
        return each(lambda m, p: m + share * (p - m), mean, params)


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

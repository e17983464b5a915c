"""pasapas as its users have it: `training.run` with each engine, and the readable loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas import Model, Recipe, step, training
from pasapas.data import Dataset
from pasapas.data.dataset import scaled
from pasapas.layers import Params
from pasapas.recipes import FIELDS
from peers.contender import Contender, Task, Weights


def for_engine(engine: str, recipe: Recipe) -> Recipe:
    """The recipe with another engine. Raises ImportError where this pasapas has no such engine."""
    if "engine" in FIELDS:
        return recipe.replace(engine=engine)
    if engine != "numpy":
        raise ImportError(f"this pasapas has no engine {engine}")
    return recipe


class Pasapas(Contender):
    """Trains on bytes, and answers with a `Model`, as `pasapas.train` returns it."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.network = self.setting.network()
        self.data = Dataset(task.images, task.labels)

    def reset(self) -> None:
        self.params: Sequence[Params] = self.network.initialize()

    def weights(self) -> Weights:
        return [(np.asarray(p["W"]), np.asarray(p["b"])) for p in self.params if p]

    def inputs(self, images: npt.NDArray[np.uint8]) -> Any:
        return images

    def classes(self, X: Any) -> Sequence[int]:
        return self.model.predict(X)

    @property
    def model(self) -> Model:
        return Model(self.network, self.params)


class NumPyEngine(Pasapas):
    """`training.run` for one epoch."""

    engine = "numpy"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        s = self.setting
        recipe = Recipe(
            hidden=s.sizes[1:-1],
            activation=s.activation,
            batch_size=s.batch_size,
            learning_rate=s.learning_rate,
            shuffle=False,
        )
        self.recipe = for_engine(self.engine, recipe)
        self.run_epochs = 1

    def epoch(self) -> float:
        """The seconds of the last of `run_epochs`; the weights are those after the first."""
        recipe = self.recipe.replace(epochs=self.run_epochs)
        start = training.Progress(self.params, recipe.make_optimizer().initialize(self.params))
        began, seconds = time.perf_counter(), 0.0

        def note(progress: training.Progress) -> None:
            nonlocal began, seconds
            seconds = time.perf_counter() - began
            if progress.epochs == 1:
                self.params = [{name: np.array(p) for name, p in layer.items()} for layer in progress.params]
            began = time.perf_counter()

        training.run(self.network, recipe, training.Splits(self.data), start, training.Watcher(epoch=note))
        return seconds


class JaxEngine(NumPyEngine):
    """The same with JAX: after the first run, which is that of the cold start, each run's second epoch counts.

    So neither compiling nor bringing the images to the device is in the time.
    """

    engine = "jax"

    def epoch(self) -> float:
        seconds = super().epoch()
        self.run_epochs = 2
        return seconds

    def threads(self) -> int:
        from peers.jax_grad import threads

        return threads()


class Readable(Pasapas):
    """The four lines of `pasapas.steps.step`, batch after batch."""

    def train(self) -> None:
        optimizer = Recipe().make_optimizer()
        params, state, losses = self.params, optimizer.initialize(self.params), []
        for batch in self.batches:
            X = scaled(self.data.images[batch], np.float32)
            Y = self.network.loss.targets(self.data.labels[batch], self.network.sizes[-1], np.float32)
            params, state, L, _Z = step(self.network, optimizer, params, state, X, Y, self.setting.learning_rate)
            losses.append(float(L))
        self.params = params

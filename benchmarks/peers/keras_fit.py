"""Keras 3 as its tutorials write it, on JAX where that is installed, else on PyTorch."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax" if importlib.util.find_spec("jax") else "torch")

import keras
import numpy as np

from peers.contender import Contender, Task, Weights


def mlp(sizes: Sequence[int], activation: str, optimizer: Any) -> Any:
    hidden = [keras.layers.Dense(n, activation=activation) for n in sizes[1:-1]]
    model = keras.Sequential([keras.Input((sizes[0],)), *hidden, keras.layers.Dense(sizes[-1])])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


class Keras(Contender):
    """`fit` for one epoch on floats in memory."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.X, self.y = task.floats(), task.labels.astype("int32")
        s = self.setting
        self.model = mlp(s.sizes, s.activation, keras.optimizers.SGD(s.learning_rate))

    def reset(self) -> None:
        self.model.set_weights([p for layer in self.setting.weights() for p in layer])

    def train(self) -> None:
        self.model.fit(self.X, self.y, batch_size=self.setting.batch_size, epochs=1, shuffle=False, verbose=0)

    def weights(self) -> Weights:
        flat = self.model.get_weights()
        return list(zip(flat[::2], flat[1::2], strict=True))

    def classes(self, X: Any) -> Sequence[int]:
        P = self.model.predict_on_batch(X) if len(X) == 1 else self.model.predict(X, batch_size=1000, verbose=0)
        return np.argmax(P, axis=1)

    def threads(self) -> int:
        if keras.backend.backend() == "torch":
            import torch

            return torch.get_num_threads()
        from peers.jax_grad import threads

        return threads()

"""JAX as its users write it: `value_and_grad` of the loss, an epoch as one compiled scan."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from peers.contender import Contender, Task, Weights

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


def threads() -> int:
    """XLA takes as many threads as the process may use processors."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def scores(activation: str, p: Any, X: jax.Array) -> jax.Array:
    for i, (W, b) in enumerate(p):
        X = (ACTIVATIONS[activation](X) if i else X) @ W + b
    return X


def loss(activation: str, p: Any, X: jax.Array, y: jax.Array) -> jax.Array:
    log_P = jax.nn.log_softmax(scores(activation, p, X))
    return -jnp.mean(jnp.take_along_axis(log_P, y[:, None], axis=1))


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def epoch(activation: str, rate: float, p: Any, batches: Any, rest: Any) -> Any:
    """The weights and the losses after all of `batches` (steps, m, ...) and then the smaller `rest`."""

    def step(p: Any, batch: Any) -> Any:
        L, gradients = jax.value_and_grad(partial(loss, activation))(p, *batch)
        return jax.tree.map(lambda p, dp: p - rate * dp, p, gradients), L

    p, losses = jax.lax.scan(step, p, batches)
    if len(rest[1]):
        p, _last = step(p, rest)
    return p, losses


@partial(jax.jit, static_argnums=0)
def best(activation: str, p: Any, X: jax.Array) -> jax.Array:
    return jnp.argmax(scores(activation, p, X), axis=1)


class JaxGrad(Contender):
    """Floats in memory, in batches beforehand."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        X, y, size = task.floats(), task.labels.astype("int32"), self.setting.batch_size
        steps = len(y) // size
        end = steps * size
        self.full = jnp.asarray(X[:end].reshape(steps, size, -1)), jnp.asarray(y[:end].reshape(steps, size))
        self.rest = jnp.asarray(X[end:]), jnp.asarray(y[end:])

    def reset(self) -> None:
        self.p = [(jnp.array(W), jnp.array(b)) for W, b in self.setting.weights()]

    def train(self) -> None:
        s = self.setting
        self.p, self.losses = jax.block_until_ready(epoch(s.activation, s.learning_rate, self.p, self.full, self.rest))

    def weights(self) -> Weights:
        return [(np.asarray(W), np.asarray(b)) for W, b in self.p]

    def inputs(self, images: npt.NDArray[np.uint8]) -> Any:
        return jnp.asarray(super().inputs(images))

    def classes(self, X: Any) -> Sequence[int]:
        return np.asarray(best(self.setting.activation, self.p, X))

    def threads(self) -> int:
        return threads()

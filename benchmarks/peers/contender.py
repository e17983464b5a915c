"""What all contenders have in common: the task, and the interface that `worker.py` drives."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pasapas

Weights = list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]
"""For each dense layer W (n_in, n_out) and b (n_out,)."""


@dataclass(frozen=True)
class Setting:
    """A network and how one epoch trains it: plain SGD on the mean cross-entropy of each batch, images as they come."""

    sizes: tuple[int, ...]
    activation: str = "relu"
    batch_size: int = 128
    learning_rate: float = 0.1
    tolerance: float = 1e-3
    """How far a loss after one epoch may be from the median of all, relative.

    It is more with more steps and more layers: rounding in float32 puts a sum near 0 on the other side of ReLU, and from
    there weights go ways of their own. In float64 the same implementations end with weights that differ by 2e-15.
    """

    images: int = 60_000  # fewer where an epoch of them all would take minutes

    @property
    def name(self) -> str:
        tanh = "" if self.activation == "relu" else f"-{self.activation}"
        return f"{'-'.join(map(str, self.sizes))}{tanh}@{self.batch_size}"

    def network(self) -> pasapas.Network:
        return pasapas.mlp(*self.sizes, activation=self.activation)

    def weights(self) -> Weights:
        """The weights from which everyone starts, float32."""
        return [(p["W"], p["b"]) for p in self.network().initialize() if p]


@dataclass(frozen=True)
class Task:
    """A setting, with images (m, 28, 28) of uint8 and labels (m,)."""

    setting: Setting
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.integer]

    def floats(self, dtype: str = "float32") -> npt.NDArray[Any]:
        """X (m, 784), from 0 to 1."""
        return pixels(self.images, dtype)

    def batches(self) -> list[slice]:
        m, size = len(self.labels), self.setting.batch_size
        return [slice(i, min(i + size, m)) for i in range(0, m, size)]


def pixels(images: npt.NDArray[np.uint8], dtype: str = "float32") -> npt.NDArray[Any]:
    return np.divide(images.reshape(len(images), -1), 255, dtype=dtype)


class Contender:
    """One way to train: made with a task, which it brings into the form that it trains on."""

    def __init__(self, task: Task) -> None:
        self.setting, self.batches = task.setting, task.batches()

    def reset(self) -> None:
        """Takes the weights from which everyone starts."""
        raise NotImplementedError

    def train(self) -> None:
        """One epoch, done when this returns."""
        raise NotImplementedError

    def epoch(self) -> float:
        """The seconds of one epoch."""
        began = time.perf_counter()
        self.train()
        return time.perf_counter() - began

    def weights(self) -> Weights:
        """The weights after one epoch from `reset`."""
        raise NotImplementedError

    def inputs(self, images: npt.NDArray[np.uint8]) -> Any:
        """Images (m, 28, 28) in the form that `classes` takes, before the clock starts."""
        return pixels(images)

    def classes(self, X: Any) -> Sequence[int]:
        """The most probable class of each image."""
        raise NotImplementedError

    def threads(self) -> int:
        """How many threads it computes with: here those of NumPy's BLAS."""
        from threadpoolctl import threadpool_info

        return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)

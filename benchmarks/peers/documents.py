"""The training loops of the two reference documents: the same operations in the same layouts, in float64.

As there, labels are made one-hot beforehand, and the loss of each batch is computed. The batches are everyone's: where
the lesson leaves out an incomplete last batch, here it is trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from peers.contender import Contender, Task, Weights, pixels

Arrays = dict[str, npt.NDArray[Any]]


class Document(Contender):
    """Two layers, float64."""

    p: Arrays

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.X = task.floats("float64")
        self.Y = np.eye(10)[task.labels]
        self.losses: list[float] = []

    def inputs(self, images: npt.NDArray[np.uint8]) -> Any:
        return pixels(images, "float64")


class Lesson3(Document):
    """Rows of samples, W (n_in, n_out), b (1, n_out), ReLU; each update makes a new dictionary of parameters."""

    def reset(self) -> None:
        (W1, b1), (W2, b2) = self.setting.weights()
        start = {"W1": W1, "b1": b1[np.newaxis], "W2": W2, "b2": b2[np.newaxis]}
        self.p = {name: value.astype("float64") for name, value in start.items()}

    def forward(self, X: npt.NDArray[Any]) -> Arrays:
        p = self.p
        Z1 = np.dot(X, p["W1"]) + p["b1"]
        A1 = np.maximum(0, Z1)
        Z2 = np.dot(A1, p["W2"]) + p["b2"]
        powers = np.exp(Z2 - np.max(Z2, axis=1, keepdims=True))
        return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": powers / np.sum(powers, axis=1, keepdims=True)}

    def gradients(self, X: npt.NDArray[Any], Y: npt.NDArray[Any], values: Arrays) -> Arrays:
        m, A1 = len(X), values["A1"]
        dZ2 = values["A2"] - Y
        dW2 = np.dot(A1.T, dZ2) / m
        db2 = np.sum(dZ2, axis=0, keepdims=True) / m
        dZ1 = np.dot(dZ2, self.p["W2"].T) * (values["Z1"] > 0)
        dW1 = np.dot(X.T, dZ1) / m
        db1 = np.sum(dZ1, axis=0, keepdims=True) / m
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    def train(self) -> None:
        total = 0.0
        for batch in self.batches:
            X, Y = self.X[batch], self.Y[batch]
            values = self.forward(X)
            total += -np.sum(Y * np.log(np.clip(values["A2"], 1e-7, 1 - 1e-7))) / len(X)
            gradients = self.gradients(X, Y, values)
            self.p = {name: value - self.setting.learning_rate * gradients[name] for name, value in self.p.items()}
        self.losses = [total / len(self.batches)]

    def weights(self) -> Weights:
        return [(self.p["W1"], self.p["b1"][0]), (self.p["W2"], self.p["b2"][0])]

    def classes(self, X: Any) -> Sequence[int]:
        return np.argmax(self.forward(X)["A2"], axis=1)


class TanhDocument(Document):
    """Rows of samples, W (n_out, n_in), b (n_out, 1), tanh; softmax takes its powers twice; updates are in place."""

    def reset(self) -> None:
        (W1, b1), (W2, b2) = self.setting.weights()
        start = {"W1": W1.T, "b1": b1[:, np.newaxis], "W2": W2.T, "b2": b2[:, np.newaxis]}
        self.p = {name: np.array(value, "float64", order="C") for name, value in start.items()}

    def forward(self, X: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        p = self.p
        A1 = np.tanh(np.dot(X, p["W1"].T) + p["b1"].T)
        Z2 = np.dot(A1, p["W2"].T) + p["b2"].T
        return A1, np.exp(Z2) / np.sum(np.exp(Z2), axis=1, keepdims=True)

    def gradients(self, X: npt.NDArray[Any], Y: npt.NDArray[Any], A1: npt.NDArray[Any], P: npt.NDArray[Any]) -> Arrays:
        m = len(Y)
        dZ2 = P - Y
        dW2 = np.dot(dZ2.T, A1) / m
        db2 = (np.sum(dZ2, axis=0, keepdims=True) / m).T
        dZ1 = np.dot(dZ2, self.p["W2"]) * (1 - np.power(A1, 2))
        dW1 = np.dot(dZ1.T, X) / m
        db1 = (np.sum(dZ1, axis=0, keepdims=True) / m).T
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    def train(self) -> None:
        losses, accuracies = [], []
        for batch in self.batches:
            X, Y = self.X[batch], self.Y[batch]
            A1, P = self.forward(X)
            gradients = self.gradients(X, Y, A1, P)
            for name in self.p:
                self.p[name] -= self.setting.learning_rate * gradients[name]
            losses.append(-np.mean(np.sum(Y * np.log(P + 1e-8), axis=1)))
            accuracies.append(100 * np.mean(np.argmax(P, axis=1) == np.argmax(Y, axis=1)))
        self.losses = [float(np.mean(losses)), float(np.mean(accuracies))]

    def weights(self) -> Weights:
        return [(self.p["W1"].T, self.p["b1"][:, 0]), (self.p["W2"].T, self.p["b2"][:, 0])]

    def classes(self, X: Any) -> Sequence[int]:
        return np.argmax(self.forward(X)[1], axis=1)

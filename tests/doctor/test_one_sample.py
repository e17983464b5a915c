"""Backward passes for one sample at a time, with lists of weights, whose gradients the training loop adds up."""

from __future__ import annotations

import pytest

import pasapas
from pasapas.doctor.report import Report

PROGRAM = """
import random
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def slope(z):
    return sigmoid(z) * (1 - sigmoid(z))

class Net:
    def __init__(self, sizes):
        self.sizes = sizes
        self.weights = [np.random.randn(n, m) / np.sqrt(m) for m, n in zip(sizes, sizes[1:])]
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]

    def predict(self, x):
        for W, b in zip(self.weights, self.biases):
            x = sigmoid(W @ x + b)
        return x

    def backward(self, x, y):
        layers, scores = [x], []
        for W, b in zip(self.weights, self.biases):
            scores.append(W @ layers[-1] + b)
            layers.append(sigmoid(scores[-1]))
        n = len(self.weights)
        grad_w, grad_b = [None] * n, [None] * n
        delta = (layers[-1] - y) * slope(scores[-1])
        for i in range(n - 1, -1, -1):
            grad_b[i] = delta
            grad_w[i] = delta @ layers[i].T
            if i > 0:
                delta = self.weights[i].T @ delta * slope(scores[i - 1])
        return grad_w, grad_b

    def learn(self, batch, eta):
        total_w = [np.zeros(W.shape) for W in self.weights]
        total_b = [np.zeros(b.shape) for b in self.biases]
        for x, y in batch:
            grad_w, grad_b = self.backward(x, y)
            total_w = [t + g for t, g in zip(total_w, grad_w)]
            total_b = [t + g for t, g in zip(total_b, grad_b)]
        self.weights = [W - eta / len(batch) * t for W, t in zip(self.weights, total_w)]
        self.biases = [b - eta / len(batch) * t for b, t in zip(self.biases, total_b)]
"""

MISTAKES = {
    "activation-derivative-missing": ("delta * slope(scores[i - 1])", "delta"),
    "activation-derivative-wrong-argument": ("slope(scores[i - 1])", "slope(layers[i])"),
    "wrong-input-in-weight-gradient": ("delta @ layers[i].T", "delta @ layers[i + 1].T"),
    "weights-not-transposed": ("self.weights[i].T", "self.weights[i]"),
    "wrong-weights-in-backpropagation": ("self.weights[i].T", "self.weights[i - 1].T"),
    "weight-gradient-transposed": ("delta @ layers[i].T", "layers[i] @ delta.T"),
    "sign-flipped": ("layers[-1] - y", "y - layers[-1]"),
    "wrong-delta-in-backpropagation": ("self.weights[i].T @ delta", "self.weights[i].T @ (layers[-1] - y if i == n - 1 else delta)"),
}  # fmt: skip


def report(text: str, folder) -> Report:
    path = folder / "net.py"
    path.write_text(text, encoding="utf-8")
    return pasapas.check(str(path))


@pytest.mark.parametrize("code", MISTAKES)
def test_one_mistake_is_found_and_no_other(code, tmp_path):
    """With squared error, though no loss function says so: a slope at the output is no mistake then."""
    old, new = MISTAKES[code]
    assert PROGRAM.count(old) == 1
    assert [f.code for f in report(PROGRAM.replace(old, new), tmp_path).findings] == [code]


@pytest.mark.parametrize("output", ["(layers[-1] - y) * slope(scores[-1])", "layers[-1] - y"])
def test_right_with_squared_error_and_with_cross_entropy(output, tmp_path):
    found = report(PROGRAM.replace("(layers[-1] - y) * slope(scores[-1])", output), tmp_path)
    assert found.verdict == "correct"
    assert found.comparison is None
    assert found.right[-2:] == ["dW1", "db1"]

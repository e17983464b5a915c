"""Gradients of biases in a shape that does not go with the biases: named where the update lets them stretch, and only there."""

from __future__ import annotations

import numpy as np
import pytest

import pasapas

COLUMNS = """
import numpy as np

def init(n0, n1, n2):
    np.random.seed(0)
    return {"W1": np.random.randn(n1, n0) * 0.05, "b1": np.zeros((n1, 1)), "W2": np.random.randn(n2, n1) * 0.1, "b2": np.zeros((n2, 1))}

def softmax(Z):
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)

def forward(X, p):
    Z1 = p["W1"] @ X + p["b1"]
    A1 = np.tanh(Z1)
    Z2 = p["W2"] @ A1 + p["b2"]
    return softmax(Z2), {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": softmax(Z2)}

def backward(p, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = dZ2 @ cache["A1"].T / m
    db2 = np.sum(dZ2, axis=1) / m
    dZ1 = p["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
"""

LOOP = """
from tensorflow.keras.datasets import mnist

(images, labels), _ = mnist.load_data()
X, Y = images.reshape(len(images), 784).T / 255, np.eye(10)[labels].T
p = init(784, 32, 10)
for start in range(0, 60000, 64):
    A2, cache = forward(X[:, start:start + 64], p)
    g = backward(p, cache, X[:, start:start + 64], Y[:, start:start + 64])
    p["W1"] -= 0.1 * g["dW1"]
    p["W2"] -= 0.1 * g["dW2"]
    UPDATE
"""

CLASS = """
import numpy as np

class Net:
    def __init__(self, n0, n1, n2):
        self.W1, self.b1 = 0.05 * np.random.randn(n1, n0), np.zeros((n1, 1))
        self.W2, self.b2 = 0.1 * np.random.randn(n2, n1), np.zeros((n2, 1))

    def forward(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.maximum(0, self.Z1)
        Z2 = self.W2 @ self.A1 + self.b2
        E = np.exp(Z2 - Z2.max(axis=0))
        self.A2 = E / E.sum(axis=0)
        return self.A2

    def backward(self, X, Y, lr=0.1):
        m = X.shape[1]
        dZ2 = self.A2 - Y
        dZ1 = self.W2.T @ dZ2 * (self.Z1 > 0)
        dW2, db2 = dZ2 @ self.A1.T / m, np.sum(dZ2, axis=1) / m
        dW1, db1 = dZ1 @ X.T / m, np.sum(dZ1, axis=1) / m
        self.W1 -= lr * dW1
        self.W2 -= lr * dW2
        UPDATE
"""


def update(body: str) -> str:
    return COLUMNS + "\ndef update(p, g, lr=0.1):\n    " + body.replace("\n", "\n    ") + "\n"


STRETCHED = {
    "new arrays": update('return {k: p[k] - lr * g["d" + k] for k in p}'),
    "in place, where NumPy refuses": update('for k in p:\n    p[k] -= lr * g["d" + k]'),
    "a row in place of a column": update('return {k: p[k] - lr * g["d" + k] for k in p}').replace(
        "axis=1) / m", "axis=1).reshape(1, -1) / m"
    ),
    "momentum": update('v = {k: 0.9 * np.zeros(p[k].shape) + g["d" + k] for k in p}\nreturn {k: p[k] - lr * v[k] for k in p}'),
    "in a loop of the script": COLUMNS + LOOP.replace("UPDATE", 'p = {k: p[k] - 0.1 * g["d" + k] for k in p}'),
    "inside the backward pass": CLASS.replace("UPDATE", "self.b1 = self.b1 - lr * db1; self.b2 = self.b2 - lr * db2"),
    "inside it, where NumPy refuses": CLASS.replace("UPDATE", "self.b1 -= lr * db1"),
}  # fmt: skip

FITTING = {
    "the update gives it the shape": update('return {k: p[k] - lr * g["d" + k].reshape(p[k].shape) for k in p}'),
    "the loop gives it the shape": COLUMNS + LOOP.replace("UPDATE", 'p["b1"] -= 0.1 * g["db1"][:, None]; p["b2"] -= 0.1 * g["db2"][:, None]'),
    "one entry after the other": COLUMNS + LOOP.replace("UPDATE", "b1 = p['b1']\n    for i in range(32): b1[i] -= 0.1 * g['db1'][i]\n    b2 = p['b2']\n    for i in range(10): b2[i] -= 0.1 * g['db2'][i]"),
    "the backward pass gives it the shape": CLASS.replace("UPDATE", "self.b1 -= lr * db1[:, None]; self.b2 -= lr * db2.reshape(-1, 1)"),
    "keepdims": update('return {k: p[k] - lr * g["d" + k] for k in p}').replace("axis=1) / m", "axis=1, keepdims=True) / m"),
    "flat biases with a row of gradients": update('return {k: p[k] - lr * g["d" + k] for k in p}').replace("(n1, 1)", "n1").replace("(n2, 1)", "n2").replace(
        'p["b1"]', 'p["b1"][:, None]').replace('p["b2"]', 'p["b2"][:, None]'),
}  # fmt: skip


def report(text: str, folder) -> pasapas.doctor.report.Report:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return pasapas.check(str(path))


@pytest.mark.parametrize("style", STRETCHED)
def test_a_gradient_that_stretches_its_bias_is_named(style, tmp_path):
    found = report(STRETCHED[style], tmp_path)
    assert [f.code for f in found.findings] == ["bias-gradient-wrong-shape"]
    assert found.findings[0].facts["line"] > 20


@pytest.mark.parametrize("style", FITTING)
def test_a_gradient_that_is_given_the_shape_of_its_bias_is_right(style, tmp_path):
    found = report(FITTING[style], tmp_path)
    assert found.verdict == "correct", found
    assert not [note for note in found.notes if "shape" in note[0]]


def test_without_an_update_it_is_a_note(tmp_path):
    found = report(COLUMNS, tmp_path)
    assert found.verdict == "correct"
    assert [note[1]["both"] for note in found.notes] == [np.broadcast_shapes((3,), (3, 1))]
    assert found.notes[0][1]["name"] == "db2"

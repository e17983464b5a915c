"""Each detector finds its mistake, in several styles, and nothing in code that is right."""

from __future__ import annotations

import textwrap

import pytest

from pasapas.doctor.detectors import DETECTORS
from pasapas.doctor.diagnosis import examine
from pasapas.doctor.evidence import Evidence
from pasapas.doctor.inventory import Inventory
from pasapas.doctor.programs import names, program
from pasapas.doctor.recognition import recognise
from pasapas.doctor.report import Finding
from pasapas.doctor.session import Session

ROWS = """
import numpy as np

def relu(Z):
    return np.maximum(0, Z)

def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)

def one_hot_encode(y, n_classes=10):
    Y = np.zeros((len(y), n_classes))
    Y[np.arange(len(y)), y] = 1
    return Y

def preparer(images):
    return images.reshape(len(images), -1) / 255

def initialize_parameters(layer_dims):
    n0, n1, n2 = layer_dims
    W1 = np.random.randn(n0, n1) * np.sqrt(2 / n0)
    W2 = np.random.randn(n1, n2) * np.sqrt(2 / n1)
    return {"W1": W1, "b1": np.zeros((1, n1)), "W2": W2, "b2": np.zeros((1, n2))}

def forward_propagation(X, parameters):
    Z1 = X @ parameters["W1"] + parameters["b1"]
    A1 = relu(Z1)
    Z2 = A1 @ parameters["W2"] + parameters["b2"]
    A2 = softmax(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

def cross_entropy_loss(y_true, y_pred):
    return -np.sum(y_true * np.log(y_pred + 1e-12)) / len(y_true)

def backward_propagation(X, Y, parameters, cache):
    m = len(X)
    dZ2 = (cache["A2"] - Y) / m
    dZ1 = dZ2 @ parameters["W2"].T * (cache["Z1"] > 0)
    return {"dW1": X.T @ dZ1, "db1": dZ1.sum(axis=0, keepdims=True),
            "dW2": cache["A1"].T @ dZ2, "db2": dZ2.sum(axis=0, keepdims=True)}

def compute_accuracy(X, y, parameters):
    A2, _ = forward_propagation(X, parameters)
    return np.mean(np.argmax(A2, axis=1) == y)

def train(images, labels):
    X = preparer(images)
    Y = one_hot_encode(labels)
    parameters = initialize_parameters([784, 64, 10])
    for epoch in range(10):
        A2, cache = forward_propagation(X, parameters)
        gradients = backward_propagation(X, Y, parameters, cache)
        parameters = {k: parameters[k] - 0.1 * gradients["d" + k] for k in parameters}
        print(cross_entropy_loss(Y, A2), compute_accuracy(X, labels, parameters))
"""

COLUMNS = """
import numpy as np

class Reseau:
    def __init__(self, nx, nh, ny):
        self.W1 = np.random.randn(nh, nx) / np.sqrt(nx)
        self.b1 = np.zeros((nh, 1))
        self.W2 = np.random.randn(ny, nh) / np.sqrt(nh)
        self.b2 = np.zeros((ny, 1))

    def encoder(self, y, n_classes=10):
        return (np.arange(n_classes)[:, None] == y).astype(float)

    def preparer(self, images):
        X = images.astype(np.float64).reshape(len(images), -1).T
        return (X - 128) / 128

    def forward(self, X):
        self.X = X
        self.A1 = np.tanh(self.W1 @ X + self.b1)
        S = self.W2 @ self.A1 + self.b2
        E = np.exp(S - S.max(axis=0))
        self.P = E / E.sum(axis=0)
        return self.P

    def perte(self, Y):
        return -np.mean(np.log(np.sum(self.P * Y, axis=0) + 1e-12))

    def backward(self, Y):
        m = Y.shape[1]
        d2 = (self.P - Y) / m
        self.dW2 = d2 @ self.A1.T
        self.db2 = d2.sum(axis=1, keepdims=True)
        d1 = self.W2.T @ d2 * (1 - self.A1**2)
        self.dW1 = d1 @ self.X.T
        self.db1 = d1.sum(axis=1, keepdims=True)

    def score(self, X, Y):
        return 100 * np.mean(self.forward(X).argmax(axis=0) == Y.argmax(axis=0))

    def fit(self, images, y):
        X = self.preparer(images)
        Y = self.encoder(y)
        for k in range(100):
            self.forward(X[:, :50])
            self.backward(Y[:, :50])
            self.W1 -= 0.1 * self.dW1
            self.b1 -= 0.1 * self.db1
            self.W2 -= 0.1 * self.dW2
            self.b2 -= 0.1 * self.db2
            print(self.perte(Y[:, :50]), self.score(X, Y))

if __name__ == "__main__":
    Reseau(784, 50, 10).fit(images, y)
"""

NUMBERS = """
import numpy as np
from math import log

sigmoide = lambda z: 1 / (1 + np.exp(-z))

def init(n_in=784, n_hidden=32, n_out=10, std=0.05):
    W1 = std * np.random.randn(n_in, n_hidden)
    W2 = std * np.random.randn(n_hidden, n_out)
    return W1, np.zeros(n_hidden), W2, np.zeros(n_out)

def loss_and_gradients(X, y, W1, b1, W2, b2):
    m = len(X)
    h = sigmoide(X @ W1 + b1)
    s = h @ W2 + b2
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(m), y] + 1e-12).mean()
    d = p.copy()
    d[np.arange(m), y] -= 1
    d /= m
    dh = d @ W2.T * h * (1 - h)
    return loss, X.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0)
"""


def evidence(source: str) -> Evidence:
    source = textwrap.dedent(source)
    session = Session()
    session.load(source, 2)
    recognition = recognise(session, Inventory.of(source))
    assert recognition.binding is not None
    return examine(recognition, list(recognition.binding.provider.sizes))


def found(source: str) -> list[Finding]:
    e = evidence(source)
    return [f for detect in DETECTORS for f in detect(e)]


def edited(source: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


@pytest.mark.parametrize("source", [ROWS, COLUMNS, NUMBERS], ids=["rows", "columns", "numbers"])
def test_right_code_has_no_findings(source: str) -> None:
    assert found(source) == []


@pytest.mark.parametrize("name", names())
def test_right_programs_have_no_findings(name: str) -> None:
    assert found(program(name)) == []


WRONG = [
    ("one-hot-wrong", ROWS, [("Y[np.arange(len(y)), y] = 1", "Y[:, y] = 1")]),
    ("one-hot-wrong", ROWS, [("Y[np.arange(len(y)), y] = 1", "Y[np.arange(len(y)), y - 1] = 1")]),
    ("one-hot-wrong", ROWS, [("len(y), n_classes))\n", "len(y), y.max() + 1))\n")]),
    ("one-hot-wrong", COLUMNS, [("np.arange(n_classes)[:, None] == y", "np.arange(n_classes) == y[:, None]")]),
    ("inputs-not-scaled", ROWS, [(" / 255\n", "\n")]),
    ("inputs-not-scaled", COLUMNS, [("(X - 128) / 128", "X")]),
    ("uint8-arithmetic", ROWS, [("-1) / 255", "-1) * 2 / 255 - 1")]),
    ("uint8-arithmetic", COLUMNS, [("images.astype(np.float64)", "images"), ("(X - 128) / 128", "(X - 128) / 128.0")]),
    (
        "uint8-arithmetic",
        ROWS,
        [("n_classes))", "n_classes), dtype=np.uint8)"), ("-np.sum(y_true *", "np.sum(-y_true *")],
    ),
    ("uint8-arithmetic", ROWS, [("n_classes))", "n_classes), np.uint8)"), ('(cache["A2"] - Y)', '(-Y + cache["A2"])')]),
    ("symmetric-initialisation", ROWS, [("np.random.randn(n0, n1) * np.sqrt(2 / n0)", "np.zeros((n0, n1))")]),
    ("symmetric-initialisation", COLUMNS, [("np.random.randn(nh, nx) / np.sqrt(nx)", "np.full((nh, nx), 0.01)")]),
    (
        "symmetric-initialisation",
        NUMBERS,
        [("std * np.random.randn(n_in, n_hidden)", "np.tile(np.random.randn(n_in, 2), (1, n_hidden // 2))")],
    ),
    ("initialisation-too-large", ROWS, [("np.sqrt(2 / n0)", "np.sqrt(2 * n0)")]),
    ("initialisation-too-large", COLUMNS, [("randn(nh, nx) / np.sqrt(nx)", "randn(nh, nx)")]),
    ("initialisation-too-large", NUMBERS, [("std=0.05", "std=10")]),
    ("activation-wrong", ROWS, [("np.maximum(0, Z)", "np.minimum(0, Z)")]),
    ("activation-wrong", ROWS, [("np.maximum(0, Z)", "np.where(Z > 0, 1, 0)")]),
    ("activation-wrong", NUMBERS, [("1 / (1 + np.exp(-z))", "1 / (1 + np.exp(z))")]),
    ("softmax-overflow", ROWS, [("np.exp(Z - Z.max(axis=1, keepdims=True))", "np.exp(Z)")]),
    ("softmax-overflow", ROWS, [("Z - Z.max(", "Z - Z.mean(")]),
    ("softmax-overflow", COLUMNS, [("np.exp(S - S.max(axis=0))", "np.exp(S)")]),
    ("softmax-overflow", NUMBERS, [("    s = s - s.max(axis=1, keepdims=True)\n", "")]),
    ("cache-mutated", ROWS, [("    return np.maximum(0, Z)", "    Z[Z < 0] = 0\n    return Z")]),
    ("log-of-zero", ROWS, [("np.log(y_pred + 1e-12)", "np.log(y_pred)")]),
    ("log-of-zero", ROWS, [("np.log(y_pred + 1e-12)", "np.log(np.minimum(y_pred, 1 - 1e-9))")]),
    ("log-of-zero", COLUMNS, [(" + 1e-12", "")]),
    ("log-of-zero", NUMBERS, [(" + 1e-12", "")]),
    (
        "log-of-zero",
        NUMBERS,
        [("-np.log(p[np.arange(m), y] + 1e-12).mean()", "-sum(log(p[i, y[i]]) for i in range(m)) / m")],
    ),
    ("accuracy-wrong", ROWS, [("np.argmax(A2, axis=1)", "np.argmax(A2)")]),
    ("accuracy-wrong", ROWS, [("np.argmax(A2, axis=1)", "np.argmax(A2, axis=0)")]),
    ("accuracy-wrong", ROWS, [("compute_accuracy(X, labels, parameters)", "compute_accuracy(X, Y, parameters)")]),
    ("accuracy-wrong", COLUMNS, [("Y.argmax(axis=0)", "Y")]),
    ("accuracy-wrong", COLUMNS, [("argmax(axis=0) == Y.argmax(axis=0)", "argmax(axis=1) == Y.argmax(axis=1)")]),
]


@pytest.mark.parametrize(
    ("code", "source", "edits"), WRONG, ids=[f"{i}-{code}" for i, (code, _s, _e) in enumerate(WRONG)]
)
def test_a_mistake_is_found_alone(code: str, source: str, edits: list[tuple[str, str]]) -> None:
    findings = found(edited(source, *edits))
    assert [f.code for f in findings] == [code]
    assert findings[0].facts["line"] > 0
    assert findings[0].facts["function"]


RIGHT = [
    (ROWS, [("Y[np.arange(len(y)), y] = 1", "for i, c in enumerate(y):\n        Y[i, c] = 1.0")]),
    (
        ROWS,
        [
            (
                "    Y = np.zeros((len(y), n_classes))\n    Y[np.arange(len(y)), y] = 1\n    return Y",
                "    return np.eye(n_classes)[y]",
            )
        ],
    ),
    (
        COLUMNS,
        [
            ("np.arange(n_classes)[:, None] == y", "np.arange(n_classes) == y[:, None]"),
            ("self.encoder(y)", "self.encoder(y).T"),
        ],
    ),
    (ROWS, [("n_classes))", "n_classes), dtype=np.uint8)")]),
    (ROWS, [(" / 255\n", "\n"), ("X = preparer(images)", "X = preparer(images) / 255")]),
    (ROWS, [("-1) / 255", "-1).astype(int) * 2 / 255 - 1")]),
    (ROWS, [("np.random.randn(n0, n1) * np.sqrt(2 / n0)", "np.random.rand(n0, n1) - 0.5")]),
    (ROWS, [("np.random.randn(n1, n2) * np.sqrt(2 / n1)", "np.zeros((n1, n2))")]),
    (COLUMNS, [("randn(nh, nx) / np.sqrt(nx)", "normal(0, 0.3, (nh, nx))")]),
    (COLUMNS, [("randn(nh, nx) / np.sqrt(nx)", "randn(nh, nx)"), ("Reseau(784, 50, 10)", "Reseau(2, 4, 3)")]),
    (ROWS, [("np.maximum(0, Z)", "(np.abs(Z) + Z) / 2")]),
    (ROWS, [("np.maximum(0, Z)", "Z * (Z > 0)")]),
    (ROWS, [("Z - Z.max(axis=1, keepdims=True)", "Z - np.max(Z)")]),
    (
        ROWS,
        [("    return np.maximum(0, Z)", "    Z[Z < 0] = 0\n    return Z"), ("A1 = relu(Z1)", "A1 = relu(Z1.copy())")],
    ),
    (ROWS, [("np.log(y_pred + 1e-12)", "np.log(np.clip(y_pred, 1e-7, 1 - 1e-7))")]),
    (
        ROWS,
        [("np.mean(np.argmax(A2, axis=1) == y)", "100 * sum(int(p.argmax() == k) for p, k in zip(A2, y)) / len(y)")],
    ),
    (
        ROWS,
        [
            ("np.mean(np.argmax(A2, axis=1) == y)", "np.mean(np.argmax(A2, axis=1) == np.argmax(y, axis=1))"),
            ("compute_accuracy(X, labels, parameters)", "compute_accuracy(X, Y, parameters)"),
        ],
    ),
    (COLUMNS, [("Y.argmax(axis=0)", "Y"), ("self.score(X, Y)", "self.score(X, y)")]),
]


@pytest.mark.parametrize(("source", "edits"), RIGHT, ids=map(str, range(len(RIGHT))))
def test_other_right_ways_have_no_findings(source: str, edits: list[tuple[str, str]]) -> None:
    assert found(edited(source, *edits)) == []


def test_facts_say_what_came_and_what_was_expected() -> None:
    (finding,) = found(edited(ROWS, ("np.maximum(0, Z)", "np.minimum(0, Z)")))
    assert (finding.tensor, finding.layer) == ("A1", 1)
    assert finding.facts == {
        "function": "relu", "line": 4, "activation": "relu", "at": -4.5, "got": -4.5, "expected": 0.0,
    }  # fmt: skip


def test_a_detector_never_raises() -> None:
    e = evidence(ROWS)
    e.worlds = []
    e.seen = []
    assert all(isinstance(detect(e), list) for detect in DETECTORS)

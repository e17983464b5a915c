"""Whole scripts as beginners write them after a tutorial: right ones, mistakes in them, and the place that is named."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

import pasapas
from pasapas.doctor.report import Report

# samples in columns, as many classes as the largest label says, the decisions by a function of their own
COLUMNS = """
import numpy as np

def init_params():
    W1, b1 = np.random.rand(10, 784) - 0.5, np.random.rand(10, 1) - 0.5
    W2, b2 = np.random.rand(10, 10) - 0.5, np.random.rand(10, 1) - 0.5
    return W1, b1, W2, b2

def relu(Z):
    return np.maximum(Z, 0)

def softmax(Z):
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)

def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1 @ X + b1
    A1 = relu(Z1)
    Z2 = W2 @ A1 + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2

def one_hot(y):
    Y = np.zeros((y.size, y.max() + 1))
    Y[np.arange(y.size), y] = 1
    return Y.T

def back_prop(Z1, A1, Z2, A2, W2, X, y):
    m = y.size
    dZ2 = A2 - one_hot(y)
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2

def get_predictions(A2):
    return np.argmax(A2, 0)

def get_accuracy(predictions, y):
    return np.sum(predictions == y) / y.size

def train(X, y, alpha, iterations):
    W1, b1, W2, b2 = init_params()
    for i in range(iterations):
        Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = back_prop(Z1, A1, Z2, A2, W2, X, y)
        W1, b1, W2, b2 = W1 - alpha * dW1, b1 - alpha * db1, W2 - alpha * dW2, b2 - alpha * db2
        predictions = get_predictions(A2)
        print(i, get_accuracy(predictions, y))
    return W1, b1, W2, b2
"""

# layers that update themselves, each backward pass given the rate, one sample at a time
RATE = """
import numpy as np

class Dense:
    def __init__(self, input_size, output_size):
        self.weights = np.random.randn(output_size, input_size)
        self.bias = np.random.randn(output_size, 1)

    def forward(self, x):
        self.x = x
        return self.weights @ x + self.bias

    def backward(self, gradient, rate):
        dW = gradient @ self.x.T
        dx = self.weights.T @ gradient
        self.weights -= rate * dW
        self.bias -= rate * gradient
        return dx

class Tanh:
    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, gradient, rate):
        return gradient * (1 - np.tanh(self.x) ** 2)

def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)

def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / np.size(y_true)

def train(network, x_train, y_train, epochs=10, rate=0.1):
    for e in range(epochs):
        for x, y in zip(x_train, y_train):
            output = x
            for layer in network:
                output = layer.forward(output)
            gradient = mse_prime(y, output)
            for layer in reversed(network):
                gradient = layer.backward(gradient, rate)

network = [Dense(784, 40), Tanh(), Dense(40, 10), Tanh()]
"""

# one image at a time, in the order of shuffled indices
INDICES = """
import random
import numpy as np

def sigmoide(z):
    return 1 / (1 + np.exp(-z))

def creer(n, h, k):
    return {"W1": np.random.randn(h, n) * 0.1, "b1": np.zeros(h), "W2": np.random.randn(k, h) * 0.1, "b2": np.zeros(k)}

def propagation(reseau, x):
    cache = sigmoide(reseau["W1"].dot(x) + reseau["b1"])
    return cache, sigmoide(reseau["W2"].dot(cache) + reseau["b2"])

def retropropagation(reseau, x, cible, cache, sortie):
    delta2 = (sortie - cible) * sortie * (1 - sortie)
    delta1 = reseau["W2"].T.dot(delta2) * cache * (1 - cache)
    return {"W1": np.outer(delta1, x), "b1": delta1, "W2": np.outer(delta2, cache), "b2": delta2}

def entrainer(reseau, images, cibles, epoques, eta):
    indices = list(range(len(images)))
    for e in range(epoques):
        random.shuffle(indices)
        for i in indices:
            cache, sortie = propagation(reseau, images[i])
            g = retropropagation(reseau, images[i], cibles[i], cache, sortie)
            for nom in reseau:
                reseau[nom] = reseau[nom] - eta * g[nom]
"""

# layers that keep what they compute; one of them gives back what it was given
KEEPERS = """
import numpy as np

class LayerDense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.1 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T

class ActivationLinear:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()

class ActivationSoftmaxLossCategoricalCrossentropy:
    def forward(self, inputs, y_true):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(self.output[range(len(inputs)), y_true] + 1e-12))

    def backward(self, dvalues, y_true):
        self.dinputs = dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1
        self.dinputs = self.dinputs / len(dvalues)

dense1, linear1, dense2 = LayerDense(784, 64), ActivationLinear(), LayerDense(64, 10)
loss_activation = ActivationSoftmaxLossCategoricalCrossentropy()

def train(X, y, rate):
    for epoch in range(10):
        dense1.forward(X)
        linear1.forward(dense1.output)
        dense2.forward(linear1.output)
        loss = loss_activation.forward(dense2.output, y)
        loss_activation.backward(loss_activation.output, y)
        dense2.backward(loss_activation.dinputs)
        linear1.backward(dense2.dinputs)
        dense1.backward(linear1.dinputs)
        for layer in (dense1, dense2):
            layer.weights -= rate * layer.dweights
            layer.biases -= rate * layer.dbiases
"""

# ∂L/∂A of a sigmoid output, then the derivative of the sigmoid; a logarithm without a floor
THROUGH_DA = """
import numpy as np

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))

def relu(Z):
    return np.maximum(Z, 0)

def initialize_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x) * 0.1, "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h) * 0.1, "b2": np.zeros((n_y, 1))}

def forward(X, parameters):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = relu(Z1)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

def compute_cost(A2, Y):
    m = Y.shape[1]
    return float(np.squeeze(-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m))

def backward(X, Y, parameters, cache):
    m = X.shape[1]
    A1, A2, Z2 = cache["A1"], cache["A2"], cache["Z2"]
    dA2 = -(Y / A2) + (1 - Y) / (1 - A2)
    dZ2 = dA2 * A2 * (1 - A2)
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = parameters["W2"].T @ dZ2 * (cache["Z1"] > 0)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}

def update_parameters(parameters, gradients, learning_rate):
    return {name: value - learning_rate * gradients["d" + name] for name, value in parameters.items()}
"""


def report(text: str, folder: Path) -> Report:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return pasapas.check(str(path))


@pytest.mark.parametrize("text", [COLUMNS, RATE, INDICES, KEEPERS], ids=["columns", "rate", "indices", "keepers"])
def test_a_right_one_is_right(text, tmp_path):
    assert report(text, tmp_path).verdict == "correct"


MISTAKES = [
    (COLUMNS, "np.argmax(A2, 0)", "np.argmax(A2, 1)", "accuracy-wrong", "get_accuracy"),
    (COLUMNS, "e.sum(axis=0)", "e.sum(axis=1, keepdims=True)", "softmax-wrong-axis", "forward_prop"),
    (COLUMNS, "@ X + b1", "@ X", "bias-missing-in-forward", "forward_prop"),
    (RATE, "gradient * (1 - np.tanh(self.x) ** 2)", "gradient * (1 - self.x ** 2)", "activation-derivative-wrong-argument", None),
    (RATE, "y_pred - y_true", "y_true - y_pred", "sign-flipped", None),
    (INDICES, "np.outer(delta1, x)", "np.outer(delta1, x) * 2", None, None),
    (INDICES, " * cache * (1 - cache)", "", "activation-derivative-missing", "retropropagation"),
    (KEEPERS, "self.dinputs / len(dvalues)", "self.dinputs", "batch-mean-missing", "LayerDense.backward"),
    (THROUGH_DA, "dA2 * A2 * (1 - A2)", "dA2 * Z2 * (1 - Z2)", "activation-derivative-wrong-argument", "backward"),
    (THROUGH_DA, "value - learning_rate", "value + learning_rate", "update-sign", "update_parameters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "code", "function"), MISTAKES)
def test_a_mistake_is_named_with_its_place(text, old, new, code, function, tmp_path):
    assert text.count(old) == 1
    found = report(text.replace(old, new), tmp_path)
    if code is None:
        assert found.verdict in ("wrong", "unknown")
        return
    assert found.verdict == "wrong"
    assert found.findings[0].code == code
    assert found.findings[0].facts.get("function") == function


def test_with_a_logarithm_of_zero_alone_the_gradients_are_said_to_be_right(tmp_path):
    found = report(THROUGH_DA, tmp_path)
    assert [f.code for f in found.findings] == ["log-of-zero"]
    assert found.right == ["Z1", "A1", "Z2", "P", "dW2", "db2", "dW1", "db1"]


def test_a_logarithm_of_zero_comes_after_what_is_wrong_in_every_batch(tmp_path):
    found = report(THROUGH_DA.replace("dZ2 = dA2 * A2", "dZ2 = -dA2 * A2"), tmp_path)
    assert [f.code for f in found.findings] == ["sign-flipped", "log-of-zero"]


def test_a_wrong_gradient_that_nothing_explains_is_not_hidden_by_a_logarithm_of_zero(tmp_path):
    found = report(THROUGH_DA.replace("dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ np.cos(A1).T / m"), tmp_path)
    assert [f.code for f in found.findings] == ["log-of-zero"]
    assert any(values.get("tensor") == "dW2" for _text, values in found.notes)


ADAM = """
    def step(self, rate, beta1=0.9, beta2=0.999):
        self.t += 1
        for name in self.p:
            self.m[name] = beta1 * self.m[name] + (1 - beta1) * self.g[name]
            self.v[name] = beta2 * self.v[name] + (1 - beta2) * self.g[name] ** 2
            m, v = self.m[name] / (1 - beta1**self.t), self.v[name] / (1 - beta2**self.t)
            self.p[name] = self.p[name] - rate * m / (np.sqrt(v) + 1e-8)
"""

CLASS = (
    """
import numpy as np

class Network:
    def __init__(self, n, h, k):
        self.p = {"W1": np.random.randn(n, h) * 0.1, "b1": np.zeros(h), "W2": np.random.randn(h, k) * 0.1, "b2": np.zeros(k)}
        self.m = {name: np.zeros_like(value) for name, value in self.p.items()}
        self.v = {name: np.zeros_like(value) for name, value in self.p.items()}
        self.g, self.t = {}, 0

    def forward(self, X):
        self.X = X
        self.Z1 = X @ self.p["W1"] + self.p["b1"]
        self.A1 = np.maximum(self.Z1, 0)
        Z2 = self.A1 @ self.p["W2"] + self.p["b2"]
        e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
        self.P = e / e.sum(axis=1, keepdims=True)
        return self.P

    def backward(self, Y):
        dZ2 = (self.P - Y) / len(Y)
        self.g["W2"], self.g["b2"] = self.A1.T @ dZ2, dZ2.sum(axis=0)
        dZ1 = dZ2 @ self.p["W2"].T * (self.Z1 > 0)
        self.g["W1"], self.g["b1"] = self.X.T @ dZ1, dZ1.sum(axis=0)
        return self.g
"""
    + ADAM
    + """
    def fit(self, X, Y, epochs=3, size=32, rate=0.001):
        for epoch in range(epochs):
            for start in range(0, len(X), size):
                self.forward(X[start:start + size])
                self.backward(Y[start:start + size])
                self.step(rate)
"""
)


def test_adam_that_goes_uphill_is_seen(tmp_path):
    assert report(CLASS, tmp_path).verdict == "correct"
    uphill = CLASS.replace("+ (1 - beta1) * self.g[name]", "- (1 - beta1) * self.g[name]")
    assert [f.code for f in report(uphill, tmp_path).findings] == ["update-sign"]


def test_the_derivative_of_an_activation_is_no_backward_pass(tmp_path):
    found = report(
        "import numpy as np\ndef sigmoid_gradient(z):\n    return np.exp(-z) / (1 + np.exp(-z)) ** 2\n", tmp_path
    )
    assert found.verdict == "unrunnable"

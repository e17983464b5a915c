"""Code as learners write it is recognised: which functions, which containers, which layout, which labels."""

from __future__ import annotations

import numpy as np
import pytest

from pasapas.doctor.diagnosis import diagnose
from pasapas.doctor.identify import identify
from pasapas.doctor.inventory import Inventory
from pasapas.doctor.labels import label_forms
from pasapas.doctor.products import affine_steps, loose_tensors
from pasapas.doctor.recognition import Recognition, recognise
from pasapas.doctor.session import Session
from pasapas.doctor.slots import find_parameters, kind_of_name
from pasapas.doctor.values import view
from pasapas.doctor.world import world

ROWS = """
import numpy as np
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
COLUMNS = ROWS.replace("axis=1", "axis=0")
INIT = """
def init(n_in, n_hidden, n_out):
    return {"W1": np.random.randn(n_in, n_hidden), "b1": np.zeros((1, n_hidden)),
            "W2": np.random.randn(n_hidden, n_out), "b2": np.zeros((1, n_out))}
"""
DELTAS = """
    d2 = (P - Y) / len(Y)
    d1 = (d2 @ W2.T) * (A1 > 0)
"""
GRADIENTS = "X.T @ d1, d1.sum(axis=0), A1.T @ d2, d2.sum(axis=0)"
HEAD = """
    A1 = np.maximum(0, X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
"""


def loose(forward: str, backward: str, names: tuple[str, ...] = (), init: str = "") -> str:
    """A program whose functions take weights one by one; `names` in place of W1, b1, W2, b2."""
    text = f"{forward}:{HEAD}    return P, A1\n{backward}:{DELTAS}    return {GRADIENTS}\n"
    for old, new in zip(("W1", "b1", "W2", "b2"), names, strict=False):
        text = text.replace(old, new)
    return ROWS + init + text


def unpacked(
    how: str, init: str, order: str = "X, params", back: str = "X, Y, params, P, A1", grads: str = GRADIENTS
) -> str:
    """A program whose functions take a container, unpacked as `how` says."""
    return (
        ROWS + init + f"def forward({order}):\n    {how}{HEAD}    return P, A1\n"
        f"def backward({back}):\n    {how}{DELTAS}    return {grads}\n"
    )


def network(body: str, init: str = "n_in, n_hidden, n_out", weights: str = "") -> str:
    """A class with weights of its own."""
    weights = weights or (
        "        self.W1, self.b1 = np.random.randn(n_in, n_hidden), np.zeros(n_hidden)\n"
        "        self.W2, self.b2 = np.random.randn(n_hidden, n_out), np.zeros(n_out)\n"
    )
    return ROWS + f"class Net:\n    def __init__(self, {init}):\n{weights}{body}"


KEYS = 'W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]'
DICT = "dict(W1=X.T @ d1, b1=d1.sum(0), W2=A1.T @ d2, b2=d2.sum(0))"
CLASS = """
    def forward(self, X):
        self.X, self.A1 = X, np.tanh(X @ self.W1 + self.b1)
        self.P = softmax(self.A1 @ self.W2 + self.b2)
        return self.P
    def backward(self, Y):
        d2 = (self.P - Y) / len(Y)
        d1 = d2 @ self.W2.T * (1 - self.A1 ** 2)
        self.dW1, self.db1, self.dW2, self.db2 = self.X.T @ d1, d1.sum(0), self.A1.T @ d2, d2.sum(0)
"""
LAYERS = (
    ROWS
    + """
class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.dW, self.db = self.x.T @ grad, grad.sum(0)
        return grad @ self.W.T
class Relu:
    def forward(self, x):
        self.on = x > 0
        return x * self.on
    def backward(self, grad):
        return grad * self.on
"""
)
CRITERION = """
class SoftmaxLoss:
    def forward(self, scores, y):
        self.P, self.y = softmax(scores), y
        return -np.log(self.P[np.arange(len(y)), y]).mean()
    def backward(self):
        g = self.P.copy()
        g[np.arange(len(self.y)), self.y] -= 1
        return g / len(self.y)
"""
CHAIN = """
class Network:
    def __init__(self, layers):
        self.layers = layers
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
"""
DEEP = (
    ROWS
    + """
def creer(tailles):
    return [{"W": np.random.randn(a, b), "b": np.zeros(b)} for a, b in zip(tailles, tailles[1:])]
def avant(reseau, X):
    A = [X]
    for i, couche in enumerate(reseau):
        Z = A[-1] @ couche["W"] + couche["b"]
        A.append(softmax(Z) if i == len(reseau) - 1 else np.tanh(Z))
    return A
def arriere(reseau, A, Y):
    delta, gradients = (A[-1] - Y) / len(Y), []
    for i in reversed(range(len(reseau))):
        gradients.insert(0, {"W": A[i].T @ delta, "b": delta.sum(0)})
        if i:
            delta = delta @ reseau[i]["W"].T * (1 - A[i] ** 2)
    return gradients
"""
)
LISTS = (
    ROWS
    + """
def init(sizes):
    Ws = [np.random.randn(a, b) for a, b in zip(sizes, sizes[1:])]
    return Ws, [np.zeros((1, b)) for b in sizes[1:]]
def forward(X, Ws, bs):
    A = [X]
    for k in range(len(Ws)):
        Z = A[-1] @ Ws[k] + bs[k]
        A.append(softmax(Z) if k == len(Ws) - 1 else np.maximum(Z, 0))
    return A[-1], A
def backward(Y, Ws, A):
    d, dWs, dbs = (A[-1] - Y) / len(Y), [None] * len(Ws), [None] * len(Ws)
    for k in reversed(range(len(Ws))):
        dWs[k], dbs[k] = A[k].T @ d, d.sum(axis=0, keepdims=True)
        d = d @ Ws[k].T * (A[k] > 0)
    return dWs, dbs
"""
)
COLUMN_WISE = (
    COLUMNS
    + """
def init_params(nx, nh, ny):
    return {"W1": np.random.randn(nh, nx), "b1": np.zeros((nh, 1)), "W2": np.random.randn(ny, nh), "b2": np.zeros((ny, 1))}
def forward(params, X):
    A1 = np.tanh(params["W1"] @ X + params["b1"])
    return softmax(params["W2"] @ A1 + params["b2"]), A1
def backward(params, outputs, Y, X):
    Yhat, A1 = outputs
    m = X.shape[1]
    d2 = (Yhat - Y) / m
    d1 = params["W2"].T @ d2 * (1 - A1 ** 2)
    return {"W1": d1 @ X.T, "b1": d1.sum(1, keepdims=True), "W2": d2 @ A1.T, "b2": d2.sum(1, keepdims=True)}
"""
)
NIELSEN = """
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
class Network:
    def __init__(self, sizes):
        self.weights = [np.random.randn(b, a) for a, b in zip(sizes, sizes[1:])]
        self.biases = [np.random.randn(b, 1) for b in sizes[1:]]
    def feedforward(self, a):
        for w, b in zip(self.weights, self.biases):
            a = sigmoid(w @ a + b)
        return a
    def backprop(self, x, y):
        nw, nb = [0 * w for w in self.weights], [0 * b for b in self.biases]
        acts = [x]
        for w, b in zip(self.weights, self.biases):
            acts.append(sigmoid(w @ acts[-1] + b))
        delta = acts[-1] - y
        for l in range(1, len(nw) + 1):
            nw[-l], nb[-l] = delta @ acts[-l - 1].T, delta
            if l < len(nw):
                delta = self.weights[-l].T @ delta * acts[-l - 1] * (1 - acts[-l - 1])
        return nb, nw
    def update_mini_batch(self, mini_batch, eta):
        for x, y in mini_batch:
            nb, nw = self.backprop(x, y)
"""
VECTORS = """
import numpy as np
def calcul(x, V, c, U, d):
    h = np.tanh(V @ x + c)
    s = np.exp(U @ h + d)
    return h, s / s.sum()
def gradients(X, classes, V, c, U, d):
    gV, gc, gU, gd = 0 * V, 0 * c, 0 * U, 0 * d
    for x, k in zip(X, classes):
        h, p = calcul(x, V, c, U, d)
        p[k] -= 1
        gU += np.outer(p, h); gd += p
        back = U.T @ p * (1 - h ** 2)
        gV += np.outer(back, x); gc += back
    return gV / len(X), gc / len(X), gU / len(X), gd / len(X)
"""
CLOSURES = (
    ROWS
    + INIT
    + """
def make(n_in, n_hidden, n_out):
    params, kept = init(n_in, n_hidden, n_out), {}
    def forward(X):
        kept["X"], kept["A"] = X, np.tanh(X @ params["W1"] + params["b1"])
        kept["P"] = softmax(kept["A"] @ params["W2"] + params["b2"])
        return kept["P"]
    def backward(Y):
        d2 = (kept["P"] - Y) / len(Y)
        d1 = d2 @ params["W2"].T * (1 - kept["A"] ** 2)
        return {"W1": kept["X"].T @ d1, "b1": d1.sum(0), "W2": kept["A"].T @ d2, "b2": d2.sum(0)}
    return forward, backward
"""
)
LOSS_GRADIENT = (
    ROWS
    + INIT
    + """
def forward(params, X):
    A = np.tanh(X @ params["W1"] + params["b1"])
    return A @ params["W2"] + params["b2"], A
def nll_grad(logits, y):
    g = softmax(logits)
    g[np.arange(len(y)), y] -= 1
    return g / len(y)
def backward(params, X, A, dlogits):
    d = dlogits @ params["W2"].T * (1 - A ** 2)
    return {"W1": X.T @ d, "b1": d.sum(0), "W2": A.T @ dlogits, "b2": dlogits.sum(0)}
"""
)
FOLDED = (
    ROWS
    + """
def init(n_in, n_hidden, n_out):
    return {"W1": np.random.randn(n_in + 1, n_hidden), "W2": np.random.randn(n_hidden + 1, n_out)}
def ones(A):
    return np.hstack([A, np.ones((len(A), 1))])
def forward(X, weights):
    A = ones(np.tanh(ones(X) @ weights["W1"]))
    return softmax(A @ weights["W2"]), (ones(X), A)
def backward(Y, P, weights, cache):
    X1, A = cache
    d = (P - Y) / len(Y)
    h = (d @ weights["W2"].T * (1 - A ** 2))[:, :-1]
    return {"dW1": X1.T @ h, "dW2": A.T @ d}
"""
)
ONE_LAYER = (
    ROWS
    + """
def forward(X, W, b):
    return softmax(X @ W + b)
def gradients(X, Y, W, b):
    d = (forward(X, W, b) - Y) / len(X)
    return X.T @ d, d.sum(axis=0)
"""
)
BINARY = (
    """
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
"""
    + INIT
    + """
def forward(X, params):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    return A1, sigmoid(A1 @ params["W2"] + params["b2"])
def backward(X, y, params, A1, A2):
    d2 = (A2 - y) / len(X)
    d1 = d2 @ params["W2"].T * (1 - A1 ** 2)
    return {"dW1": X.T @ d1, "db1": d1.sum(0), "dW2": A1.T @ d2, "db2": d2.sum(0)}
"""
)
DATACLASS = (
    ROWS
    + """
from typing import NamedTuple
class Params(NamedTuple):
    W1: object
    b1: object
    W2: object
    b2: object
def init(n_in, n_hidden, n_out):
    return Params(np.random.randn(n_in, n_hidden), np.zeros(n_hidden), np.random.randn(n_hidden, n_out), np.zeros(n_out))
def forward(params, X):
    A = np.tanh(X @ params.W1 + params.b1)
    return softmax(A @ params.W2 + params.b2), A
def backward(params, X, A, P, Y):
    d = (P - Y) / len(Y)
    h = d @ params.W2.T * (1 - A ** 2)
    return Params(X.T @ h, h.sum(0), A.T @ d, d.sum(0))
"""
)
GLOBALS = (
    ROWS
    + """
W1, b1 = np.random.randn(7, 6), np.zeros(6)
W2, b2 = np.random.randn(6, 3), np.zeros(3)
def forward(X):
    A1 = np.maximum(0, X @ W1 + b1)
    return A1, softmax(A1 @ W2 + b2)
def backward(X, Y, A1, P):
    d2 = (P - Y) / len(Y)
    d1 = d2 @ W2.T * (A1 > 0)
    return X.T @ d1, d1.sum(0), A1.T @ d2, d2.sum(0)
"""
)
ONE_FUNCTION = (
    ROWS
    + """
def loss_and_gradients(X, y, W1, b1, W2, b2):
    A1 = np.maximum(0, X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
    d2 = P.copy()
    d2[np.arange(len(y)), y] -= 1
    d2 /= len(y)
    d1 = d2 @ W2.T * (A1 > 0)
    return -np.log(P[np.arange(len(y)), y]).mean(), X.T @ d1, d1.sum(0), A1.T @ d2, d2.sum(0)
"""
)

FORWARD, BACKWARD = "def forward(X, W1, b1, W2, b2)", "def backward(X, Y, P, A1, W2)"

FACTORY = """
import numpy as np
rng = np.random.default_rng(7)
class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = rng.normal(0.0, 0.1, (n_in, n_out)), np.zeros(n_out)
    def forward(self, inputs, training=True):
        self.inputs = inputs
        return inputs @ self.W + self.b
    def backward(self, grad, learning_rate):
        self.dW, self.db = self.inputs.T @ grad, grad.sum(axis=0)
        back = grad @ self.W.T
        self.W -= learning_rate * self.dW
        self.b -= learning_rate * self.db
        return back
class Tanh:
    def forward(self, inputs, training=True):
        self.outputs = np.tanh(inputs)
        return self.outputs
    def backward(self, grad, learning_rate):
        return grad * (1 - self.outputs ** 2)
class Dropout:
    def forward(self, inputs, training=True):
        self.mask = (rng.random(inputs.shape) < 0.8) / 0.8 if training else 1.0
        return inputs * self.mask
    def backward(self, grad, learning_rate):
        return grad * self.mask
class SoftmaxCrossEntropy:
    def forward(self, scores, digits):
        self.digits = digits
        e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        self.p = e / np.sum(e, axis=1, keepdims=True)
        return -np.mean(np.log(self.p[np.arange(len(digits)), digits]))
    def backward(self):
        grad = self.p.copy()
        grad[np.arange(len(self.digits)), self.digits] -= 1
        return grad / len(self.digits)
class Network:
    def __init__(self, layers, loss):
        self.layers, self.loss = layers, loss
    def forward(self, X, training=True):
        for layer in self.layers:
            X = layer.forward(X, training)
        return X
    def backward(self, learning_rate):
        grad = self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad, learning_rate)
        return grad
def build_network(sizes=(784, 64, 64, 10)):
    layers = [Dense(sizes[0], sizes[1]), Tanh(), Dropout(), Dense(sizes[1], sizes[2]), Tanh()]
    layers.append(Dense(sizes[2], sizes[3]))
    return Network(layers, SoftmaxCrossEntropy())
"""

KEEPERS = """
import numpy as np
class Layer_Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights, self.biases = 0.1 * np.random.randn(n_inputs, n_neurons), np.zeros((1, n_neurons))
    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases
    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T
class Activation_ReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)
    def backward(self, dvalues):
        self.dinputs = dvalues * (self.inputs > 0)
class Activation_Softmax:
    def forward(self, inputs):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
    def backward(self, dvalues):
        self.dinputs = np.empty_like(dvalues)
        for i, (p, d) in enumerate(zip(self.output, dvalues)):
            self.dinputs[i] = (np.diag(p) - np.outer(p, p)) @ d
class Loss_CategoricalCrossentropy:
    def calculate(self, output, y):
        return np.mean(self.forward(output, y))
    def forward(self, y_pred, y_true):
        return -np.log(np.clip(y_pred, 1e-7, 1 - 1e-7)[range(len(y_pred)), y_true])
    def backward(self, dvalues, y_true):
        self.dinputs = -np.eye(dvalues.shape[1])[y_true] / dvalues / len(dvalues)
class Activation_Softmax_Loss_CategoricalCrossentropy:
    def __init__(self):
        self.activation, self.loss = Activation_Softmax(), Loss_CategoricalCrossentropy()
    def forward(self, inputs, y_true):
        self.activation.forward(inputs)
        self.output = self.activation.output
        return self.loss.calculate(self.output, y_true)
    def backward(self, dvalues, y_true):
        self.dinputs = dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1
        self.dinputs = self.dinputs / len(dvalues)
class Optimizer_SGD:
    def __init__(self, learning_rate=1.0):
        self.learning_rate = learning_rate
    def update_params(self, layer):
        layer.weights += -self.learning_rate * layer.dweights
        layer.biases += -self.learning_rate * layer.dbiases
"""
KEEPERS_APART = """
def train(X, y):
    dense1 = Layer_Dense(2, 64)
    relu = Activation_ReLU()
    dense2 = Layer_Dense(64, 3)
    softmax = Activation_Softmax()
    loss = Loss_CategoricalCrossentropy()
    optimizer = Optimizer_SGD(learning_rate=0.5)
    for epoch in range(10):
        dense1.forward(X)
        relu.forward(dense1.output)
        dense2.forward(relu.output)
        softmax.forward(dense2.output)
        value = loss.calculate(softmax.output, y)
        loss.backward(softmax.output, y)
        softmax.backward(loss.dinputs)
        dense2.backward(softmax.dinputs)
        relu.backward(dense2.dinputs)
        dense1.backward(relu.dinputs)
        for layer in (dense1, dense2):
            optimizer.update_params(layer)
"""
KEEPERS_ONE_HOT = (
    KEEPERS.replace(
        "-np.log(np.clip(y_pred, 1e-7, 1 - 1e-7)[range(len(y_pred)), y_true])",
        "-np.sum(y_true * np.log(np.clip(y_pred, 1e-7, 1)), axis=1)",
    )
    .replace("np.eye(dvalues.shape[1])[y_true]", "y_true")
    .replace(
        """dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1""",
        "dvalues - y_true",
    )
)

NEW_ONES = """
import numpy as np
def forward(X, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    e = np.exp(A1 @ W2 + b2)
    return A1, e / e.sum(axis=1, keepdims=True)
def backward(X, Y, A1, P, W1, b1, W2, b2, lr=0.1):
    d2 = (P - Y) / len(Y)
    d1 = d2 @ W2.T * (1 - A1 ** 2)
    W2, b2 = W2 - lr * (A1.T @ d2), b2 - lr * d2.sum(axis=0)
    W1, b1 = W1 - lr * (X.T @ d1), b1 - lr * d1.sum(axis=0)
    return W1, b1, W2, b2
"""

LISTS_IN_PLACE = """
import numpy as np
def forward(X, W, b):
    A = [X]
    for i in range(len(W)):
        Z = A[i] @ W[i] + b[i]
        e = np.exp(Z - Z.max(axis=1, keepdims=True))
        A.append(np.tanh(Z) if i < len(W) - 1 else e / e.sum(axis=1, keepdims=True))
    return A
def backward(A, Y, W, b, lr=0.2):
    d = (A[-1] - Y) / len(Y)
    for i in range(len(W) - 1, -1, -1):
        before = (d @ W[i].T) * (1 - A[i] ** 2)
        W[i] -= lr * (A[i].T @ d)
        b[i] -= lr * d.sum(axis=0)
        d = before
"""

STYLES: dict[str, tuple[str, dict[str, str]]] = {
    "loose": (loose(FORWARD, BACKWARD), {"forward": "forward", "backward": "backward", "kind": "loose", "layout": "rows"}),
    "loose, data last": (loose("def forward_prop(W1, b1, W2, b2, X)", "def backward_prop(A1, P, W2, X, Y)"),
                         {"forward": "forward_prop", "weights": "(in, out)", "activation": "relu", "output": "softmax"}),
    "loose, weights before biases": (loose("def forward(X, W1, W2, b1, b2)", BACKWARD), {"kind": "loose"}),
    "loose, letters": (loose("def prediction(x, A, a, B, b)", "def gradients(x, Y, P, A1, B)", ("A", "a", "B", "b")).replace("X", "x"),
                       {"forward": "prediction", "backward": "gradients", "kind": "loose"}),
    "loose, w_h and w_o": (loose("def forward(X, w_h, b_h, w_o, b_o)", "def backward(X, Y, P, A1, w_o)", ("w_h", "b_h", "w_o", "b_o")),
                           {"layers": "2", "kind": "loose"}),
    "loose, French": (loose("def propagation_avant(X, poids1, biais1, poids2, biais2)", "def retropropagation(X, Y, P, A1, poids2)",
                            ("poids1", "biais1", "poids2", "biais2")), {"backward": "retropropagation"}),
    "dictionary": (unpacked(KEYS, INIT, grads=DICT), {"kind": "container", "layout": "rows"}),
    "dictionary first": (unpacked(KEYS, INIT, "params, X", "params, X, Y, A1, P", DICT), {"kind": "container"}),
    "dictionary, no initialisation": (unpacked(KEYS, "", grads=DICT), {"kind": "container"}),
    "dictionary, French": (unpacked(KEYS, INIT, grads=DICT).replace("params", "parametres"), {"kind": "container"}),
    "theta as a tuple": (unpacked("W1, b1, W2, b2 = params", "", "X, params"), {"kind": "container"}),
    "pairs": (unpacked("(W1, b1), (W2, b2) = params", "", "X, params"), {"kind": "container"}),
    "list of dictionaries": (DEEP, {"forward": "avant", "backward": "arriere", "layers": "3", "activation": "tanh"}),
    "two lists": (LISTS, {"forward": "forward", "layers": "3", "activation": "relu"}),
    "columns": (COLUMN_WISE, {"layout": "columns", "weights": "(out, in)", "labels": "one-hot"}),
    "columns of labels in the loss": (COLUMN_WISE + "def cout(Yhat, Y):\n    return -np.sum(Y * np.log(Yhat)) / Y.shape[1]\n",
                                      {"loss": "cout", "layout": "columns"}),
    "out, in with rows": (unpacked(KEYS, INIT.replace("(n_in, n_hidden)", "(n_hidden, n_in)").replace("(n_hidden, n_out)", "(n_out, n_hidden)"),
                                   grads="dict(W1=d1.T @ X, b1=d1.sum(0), W2=d2.T @ A1, b2=d2.sum(0))")
                          .replace("X @ W1 +", "X @ W1.T +").replace("A1 @ W2 +", "A1 @ W2.T +").replace("d2 @ W2.T", "d2 @ W2")
                          .replace("def init(n_in, n_hidden, n_out)", "def init(n_in, n_hidden, n_out)")
                          .replace("(n_hidden, n_in)", "(n_hidden, n_in)"), {"layout": "rows", "weights": "(out, in)"}),
    "class": (network(CLASS), {"forward": "Net.forward", "backward": "Net.backward", "kind": "object", "activation": "tanh"}),
    "class, default sizes": (network(CLASS, "n_in=784, n_hidden=30, n_out=10"), {"kind": "object"}),
    "class, French": (network(CLASS.replace("forward", "propagation_avant").replace("backward", "retropropagation"), "entrees, caches, sorties")
                      .replace("n_in", "entrees").replace("n_hidden", "caches").replace("n_out", "sorties"),
                      {"forward": "Net.propagation_avant", "backward": "Net.retropropagation"}),
    "class, fixed sizes": (network(CLASS, "", "        self.W1, self.b1 = np.random.randn(6, 5), np.zeros(5)\n"
                                              "        self.W2, self.b2 = np.random.randn(5, 4), np.zeros(4)\n")
                           .replace("self, ):", "self):"), {"kind": "object", "layers": "2"}),
    "class, learning rate": (network(CLASS, "n_in, n_hidden, n_out, learning_rate"), {"kind": "object"}),
    "layers alone": (LAYERS, {"forward": "Dense.forward", "backward": "Dense.backward", "activation": "relu", "output": "identity"}),
    "layers and a loss": (LAYERS + CRITERION, {"labels": "numbers"}),
    "layers, as they are listed": (LAYERS + CRITERION + "net = [Dense(9, 8), Relu(), Dense(8, 7), Relu(), Dense(7, 2)]\n", {"layers": "3"}),
    "network of given layers": (LAYERS + CRITERION + CHAIN, {"forward": "Network.forward", "backward": "Network.backward"}),
    "network of starred layers": (LAYERS + CRITERION + CHAIN.replace("self, layers", "self, *layers"), {"forward": "Network.forward"}),
    "layers added one by one": (LAYERS + CRITERION + CHAIN.replace("self, layers):\n        self.layers = layers",
                                "self):\n        self.layers = []\n    def add(self, layer):\n        self.layers.append(layer)"),
                                {"forward": "Network.forward"}),
    "network that holds its loss": (LAYERS + CRITERION + CHAIN.replace("        self.layers = layers", "        self.layers = layers\n        self.loss = SoftmaxLoss()")
                                    .replace("self, grad):", "self):\n        grad = self.loss.backward()"), {"labels": "numbers"}),
    "base class": (LAYERS.replace("class Dense:", "class Layer:\n    def forward(self, x):\n        raise NotImplementedError\n"
                                  "    def backward(self, grad):\n        raise NotImplementedError\nclass Dense(Layer):"), {"activation": "relu"}),
    "one sample, columns": (NIELSEN, {"forward": "Network.feedforward", "samples": "one at a time", "weights": "(out, in)", "activation": "sigmoid"}),
    "loop over samples": (VECTORS, {"backward": "gradients", "labels": "numbers", "weights": "(out, in)"}),
    "closures": (CLOSURES, {"forward": "forward", "backward": "backward", "activation": "tanh"}),
    "gradient of the loss apart": (LOSS_GRADIENT, {"backward": "backward", "labels": "numbers", "output": "identity"}),
    "bias in the weights": (FOLDED, {"activation": "tanh", "layout": "rows"}),
    "one layer": (ONE_LAYER, {"layers": "1", "output": "softmax"}),
    "one output": (BINARY, {"output": "sigmoid", "labels": "one-hot"}),
    "named tuple": (DATACLASS, {"kind": "container", "activation": "tanh"}),
    "globals": (GLOBALS, {"kind": "globals"}),
    "one function": (ONE_FUNCTION, {"backward": "loss_and_gradients", "labels": "numbers", "kind": "loose"}),
    "number labels": (unpacked(KEYS, INIT, back="X, y, params, P, A1", grads=DICT).replace("(P - Y)", "(P - np.eye(3)[y])").replace("len(Y)", "len(y)"), {"labels": "numbers"}),
    "an activation of its own": (unpacked(KEYS, INIT, grads=DICT).replace("np.maximum(0, X @ W1 + b1)", "np.tanh(X @ W1 + b1)")
                                 .replace("(A1 > 0)", "(1 - A1 ** 2)"), {"activation": "tanh"}),
    "leaky": (unpacked(KEYS, INIT, grads=DICT).replace("    P =", "    A1 = np.where(A1 > 0, A1, 0.0)\n    P =")
              .replace("np.maximum(0, X @ W1 + b1)", "np.where(X @ W1 + b1 > 0, X @ W1 + b1, 0)"), {"activation": "relu"}),
    "a numerical gradient too": (unpacked(KEYS, INIT, grads=DICT) + "def numerical_gradient(params, X, Y):\n    return {}\n"
                                 "def predict(X, params):\n    return forward(X, params)[0].argmax(1)\n", {"backward": "backward", "forward": "forward"}),
}  # fmt: skip


def recognised(source: str) -> Recognition:
    session = Session()
    session.load(source, 2.0)
    return recognise(session, Inventory.of(source))


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_recognised(style: str) -> None:
    source, wanted = STYLES[style]
    found = recognised(source)
    assert found.binding is not None
    said = {**found.summary(), "kind": found.binding.provider.kind}
    assert {key: said.get(key) for key in wanted} == wanted
    assert found.score == 100, found.first and found.first.failure


def test_what_the_user_names_is_taken() -> None:
    source = (
        STYLES["dictionary"][0] + "def backward_old(X, Y, params, P, A1):\n    return backward(X, Y, params, P, A1)\n"
    )
    session = Session()
    session.load(source, 2.0)
    found = recognise(session, Inventory.of(source), "forward", "backward_old")
    assert found.summary()["backward"] == "backward_old"


def test_nothing_is_recognised_where_there_is_nothing() -> None:
    found = recognised("x = 3\ndef hello(name):\n    return name\n")
    assert found.binding is None
    assert found.summary() == {}


def test_nan_stops_nothing() -> None:
    found = recognised(STYLES["dictionary"][0].replace("(P - Y)", "(P - Y) * np.nan"))
    assert found.binding is not None
    assert 50 <= found.score < 100


def test_labels_are_not_chosen_to_repair_a_mistake() -> None:
    source = STYLES["number labels"][0].replace("np.eye(3)[y]", "np.eye(4)[y]")
    assert recognised(source).summary()["labels"] == "numbers"


def test_depth_is_not_chosen_to_repair_a_mistake() -> None:
    found = recognised(LISTS.replace("d @ Ws[k].T", "d @ Ws[-1].T"))
    assert found.summary()["layers"] == "3"


def test_a_mistake_leaves_the_conventions() -> None:
    found = recognised(
        COLUMN_WISE.replace("params['W2'].T @ d2", "params['W2'] @ d2").replace('["W2"].T @ d2', '["W2"] @ d2')
    )
    assert found.first is not None
    assert found.first.failed_in == "backward"
    said = found.summary()
    assert (said["layout"], said["weights"], said["labels"]) == ("columns", "(out, in)", "one-hot")


def test_no_biases_are_zero_biases() -> None:
    source = loose("def forward(X, W1, W2)", BACKWARD).replace(" + b1", "").replace(" + b2", "")
    source = source.replace(GRADIENTS, "X.T @ d1, A1.T @ d2")
    found = recognised(source)
    assert found.binding is not None
    assert found.architecture is not None
    assert all((b == 0).all() for b in found.binding.world(4, 0).b)


def test_one_sample_at_a_time_has_worlds_of_one() -> None:
    found = recognised(NIELSEN)
    assert found.binding is not None
    assert found.binding.single
    assert set(found.binding.batch_sizes([7, 5, 3])) == {1}
    assert recognised(LISTS).binding.batch_sizes([11, 2, 3]) == (12, 4)  # type: ignore[union-attr]


def test_products_tell_weights_from_data() -> None:
    f = Inventory.of("def f(x, A, a, B, b):\n    h = g(x @ A + a)\n    return h @ B.T + b").functions["f"]
    assert loose_tensors(f) == {"A": "W1", "a": "b1", "B": "W2", "b": "b2"}
    assert [(s.columns, s.out_in) for s in affine_steps(f)] == [(False, False), (False, True)]


@pytest.mark.parametrize(
    ("line", "form", "sure"),
    [
        ("g = P - Y", "one-hot", True),
        ("P[np.arange(m), Y] -= 1", "numbers", True),
        ("g = P - np.eye(10)[Y]", "numbers", True),
        ("g = P - one_hot(Y, 10)", "numbers", True),
        ("g = f(Y)", "one-hot", False),
    ],
)
def test_labels_are_read_in_the_text(line: str, form: str, sure: bool) -> None:
    inventory = Inventory.of(f"def backward(P, Y):\n    {line}\n    return g")
    labels = label_forms(inventory, inventory.functions["backward"], None, (7, 3))
    assert (labels.forms[0], labels.sure) == (form, sure)


@pytest.mark.parametrize(
    ("name", "kind"), [("dW1", "w"), ("grad_b2", "b"), ("poids", "w"), ("nabla_b", "b"), ("batch", ""), ("db", "b")]
)
def test_names_say_weight_or_bias(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


def test_parameters_of_a_deeper_network_are_not_a_shallow_one() -> None:
    value = {"W1": np.ones((7, 5)), "W2": np.ones((5, 5)), "W3": np.ones((5, 3)), "b1": np.ones(5)}
    assert find_parameters(view(value), (7, 5, 3)) is None
    found = find_parameters(view(value), None)
    assert found is not None
    assert found[1] == [7, 5, 5, 3]


def test_activations_are_told_from_numbers() -> None:
    w = world((7, 5, 3), 11)
    Z = np.maximum(w.X @ w.W[0] + w.b[0], 0) @ w.W[1] + w.b[1]
    found = identify(w, Z, [])
    assert found is not None
    assert found.activations == ("relu", "identity")
    assert identify(w, np.full((11, 3), np.nan), []) is None


def test_a_network_that_a_function_makes_is_recognised() -> None:
    found = recognised(FACTORY)
    assert found.score == 100, found.first and found.first.failure
    assert found.binding is not None
    assert (found.binding.provider.kind, found.binding.labels) == ("object", "numbers")
    assert found.summary()["layers"] == "3"
    assert found.others["loss"].short == "loss"


@pytest.mark.parametrize(
    ("source", "labels"),
    [(KEEPERS, "numbers"), (KEEPERS + KEEPERS_APART, "numbers"), (KEEPERS_ONE_HOT, "one-hot")],
    ids=["loss with its softmax", "loss apart", "one-hot"],
)
def test_layers_that_keep_what_they_compute_are_recognised(source: str, labels: str) -> None:
    found = recognised(source)
    assert found.score == 100, found.first and found.first.failure
    assert (
        found.summary().items() >= {"labels": labels, "layers": "2", "activation": "relu", "output": "softmax"}.items()
    )
    assert (found.others["loss"].short, found.others["update"].short) == ("loss", "update")
    assert diagnose(found).verdict == "correct"


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("+= -self", "+= self", "update-sign"),
        ("self.dinputs = -np.eye", "self.dinputs = np.eye", "sign-flipped"),
        ("np.diag(p) - np.outer(p, p)", "np.diag(p * (1 - p))", "softmax-cross-terms-missing"),
        ("        relu.backward(dense2.dinputs)\n        dense1.backward(relu", "        dense1.backward(dense2",
         "activation-derivative-missing"),
        ("return np.mean", "return np.sum", "loss-not-averaged"),
    ],
)  # fmt: skip
def test_mistakes_in_layers_that_keep_what_they_compute_are_found(right: str, wrong: str, code: str) -> None:
    source = KEEPERS + KEEPERS_APART
    assert right in source
    assert [f.code for f in diagnose(recognised(source.replace(right, wrong))).findings] == [code]


def test_dropout_that_a_generator_of_the_module_draws_is_the_same_in_every_call() -> None:
    found = recognised(FACTORY)
    assert found.binding is not None
    w = found.binding.world(11, 3)
    first, second = (found.binding.observe(w).P for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)


@pytest.mark.parametrize("way", ["new ones", "lists in place"])
def test_an_update_that_is_all_that_backward_does_gives_the_gradients(way: str) -> None:
    found = recognised(LISTS_IN_PLACE if way == "lists in place" else NEW_ONES)
    assert found.score == 100, found.first and found.first.failure
    assert found.first is not None
    assert found.first.moved
    assert set(found.first.parameters_after) == {t[1:] for t in found.first.gradients}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("softmax(A1 @ W2 + b2)", "softmax(softmax(A1 @ W2 + b2))"), ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0)")],
)
def test_P_is_seen_by_its_name_where_its_rows_do_not_tell(right: str, wrong: str) -> None:
    assert right in ONE_FUNCTION
    found = recognised(ONE_FUNCTION.replace(right, wrong))
    assert found.first is not None
    assert found.first.P is not None
    w = found.first.world
    Z = np.maximum(0, w.X @ w.W[0] + w.b[0]) @ w.W[1] + w.b[1]
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    once = e / e.sum(axis=1, keepdims=True)
    twice = np.exp(once) / np.exp(once).sum(axis=1, keepdims=True)
    assert np.allclose(found.first.P, twice if "softmax(softmax" in wrong else e / e.sum(axis=0))

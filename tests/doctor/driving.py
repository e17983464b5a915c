"""Drives the programs of the doctor, each by its own functions, at small odd sizes and with biases that are not zero."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from pasapas import Dataset

M, N_IN, N_HIDDEN, N_OUT = 7, 5, 4, 3
Namespace = dict[str, Any]
Arrays = list[np.ndarray]


@dataclass
class Driver:
    """What can be asked of one program: each returns arrays or numbers, and seeds its randomness itself."""

    params: Arrays
    loss: Callable[[], float]
    gradients: Callable[[], Arrays]
    """In the order of `params`."""
    given: Callable[[], Any]
    """All that the backward pass was given, after it."""
    certain: Callable[[], Any]
    """The loss where P is 0 for the right class."""
    huge: Callable[[], Any]
    """The outputs where the scores are huge."""
    data: Callable[[np.ndarray, np.ndarray], Any]
    init: Callable[[], Any]
    learn: Callable[[np.ndarray, np.ndarray, int], Any]
    """Trains 784-16-…-10 on images and labels for some epochs; gives the parameters and the accuracy."""
    namespace: Namespace = field(default_factory=dict)


def batch_size(images: np.ndarray) -> int:
    return 10 if len(images) < 100 else 32


def load(text: str) -> Namespace:
    namespace: Namespace = {"__name__": "program"}
    exec(compile(text, "<program>", "exec"), namespace)
    return namespace


def driver(name: str, text: str) -> Driver:
    namespace = load(text)
    made: Driver = DRIVERS[name](namespace)
    made.namespace = namespace
    return made


_random = np.random.default_rng(11)
X = _random.normal(size=(M, N_IN))
DIGITS = np.array([0, 2, 1, 1, 0, 2, 2])
Y = np.eye(N_OUT)[DIGITS]
CERTAIN = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
WRONG = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])


def some(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def lesson(f: Namespace) -> Driver:
    p = {"W1": some(N_IN, N_HIDDEN), "b1": some(1, N_HIDDEN), "W2": some(N_HIDDEN, N_OUT), "b2": some(1, N_OUT)}

    def gradients() -> Arrays:
        _, cache = f["forward_propagation"](X, p)
        g = f["backward_propagation"](X, Y, p, cache)
        return [g["d" + k] for k in p]

    def given() -> Any:
        _, cache = f["forward_propagation"](X, p)
        f["backward_propagation"](X, Y, p, cache)
        return cache

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        np.random.seed(0)
        A, B = f["prepare"](images, labels)
        q = f["initialize_parameters"]([784, 16, 10])
        for _ in range(epochs):
            q, _ = f["train_one_epoch"](A, B, q, 0.1, batch_size(images))
        return q, f["compute_accuracy"](A, labels, q)

    return Driver(
        list(p.values()),
        lambda: f["cross_entropy_loss"](Y, f["forward_propagation"](X, p)[0]),
        gradients,
        given,
        lambda: f["cross_entropy_loss"](CERTAIN, WRONG),
        lambda: f["forward_propagation"](1e4 * X, p)[0],
        f["prepare"],
        lambda: f["initialize_parameters"]([20, 10, 3]),
        learn,
    )


def tanh(f: Namespace) -> Driver:
    p = {"W1": some(N_HIDDEN, N_IN), "b1": some(N_HIDDEN, 1), "W2": some(N_OUT, N_HIDDEN), "b2": some(N_OUT, 1)}

    def given() -> Any:
        outputs = f["forward"](p, X)
        f["backward"](p, outputs, Y, X)
        return outputs

    def gradients() -> Arrays:
        g = f["backward"](p, f["forward"](p, X), Y, X)
        return [g[k] for k in p]

    def init() -> Any:
        np.random.seed(0)
        return f["init_params"](20, 10, 3)

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        np.random.seed(0)
        A, B = f["prepare"](images, labels)
        q = f["train"](f["init_params"](784, 16, 10), A, B, epochs, batch_size(images))
        return q, f["loss_accuracy"](f["forward"](q, A)[0], B)[1] / 100

    return Driver(
        list(p.values()),
        lambda: f["loss_accuracy"](f["forward"](p, X)[0], Y)[0],
        gradients,
        given,
        lambda: f["loss_accuracy"](WRONG, CERTAIN)[0],
        lambda: f["softmax"](1e4 * X),
        f["prepare"],
        init,
        learn,
    )


def classe(f: Namespace) -> Driver:
    made = f["ReseauDeNeurones"](N_IN, N_HIDDEN, N_OUT, lambda_l2=0.3)
    for k in (1, 2, 3):
        setattr(made, f"b{k}", some(1, getattr(made, f"b{k}").shape[1]))
        setattr(made, f"W{k}", some(*getattr(made, f"W{k}").shape))

    def loss() -> float:
        made.propagation_avant(X)
        return float(made.cout(Y))

    def gradients() -> Arrays:
        made.propagation_avant(X)
        made.retropropagation(X, Y)
        return [np.array(getattr(made, f"d{kind}{k}")) for k in (1, 2, 3) for kind in "Wb"]

    def given() -> Any:
        made.propagation_avant(X)
        made.retropropagation(X, Y)
        return {k: v for k, v in vars(made).items() if k[0] != "d"}

    def certain() -> Any:
        net = f["ReseauDeNeurones"](N_IN, N_HIDDEN, N_OUT)
        net.A3 = WRONG
        return net.cout(CERTAIN)

    def huge() -> Any:
        net = copy.deepcopy(made)
        net.W3 = 1e4 * net.W3
        return net.propagation_avant(X)

    def data(images: np.ndarray, labels: np.ndarray) -> Any:
        return f["normaliser"](images), f["un_parmi_n"](labels)

    def init() -> Any:
        return {k: v for k, v in vars(f["ReseauDeNeurones"](20, 10, 3)).items() if k[0] in "Wb"}

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        A, B = data(images, labels)
        net = f["ReseauDeNeurones"](784, 16, 10)
        net.entrainer(A, B, epochs, batch_size(images))
        return {k: v for k, v in vars(net).items() if k[0] in "Wb"}, net.exactitude(A, labels)

    params = [getattr(made, f"{kind}{k}") for k in (1, 2, 3) for kind in "Wb"]
    return Driver(params, loss, gradients, given, certain, huge, data, init, learn)


def profond(f: Namespace) -> Driver:
    sizes = [N_IN, N_HIDDEN, 6, N_OUT]
    layers = [{"W": some(o, i), "b": some(o, 1)} for i, o in pairwise(sizes)]

    def forward() -> Any:
        np.random.seed(4)
        return f["forward"](X.T, layers, keep_prob=0.7)

    def given() -> Any:
        AL, caches = forward()
        f["backward"](AL, Y.T, layers, caches)
        return AL, caches

    def gradients() -> Arrays:
        AL, caches = forward()
        grads = f["backward"](AL, Y.T, [dict(layer) for layer in layers], caches)
        return [grads[k][kind] for k in range(3) for kind in "Wb"]

    def init() -> Any:
        np.random.seed(0)
        return f["initialize"]([20, 10, 3])

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        np.random.seed(0)
        A, B = f["prepare"](images, labels)
        q = f["train"](A, B, [784, 16, 16, 10], epochs, batch_size(images))
        return q, f["accuracy"](A, B, q)

    return Driver(
        [layer[kind] for layer in layers for kind in "Wb"],
        lambda: f["compute_cost"](forward()[0], Y.T, layers),
        gradients,
        given,
        lambda: f["compute_cost"](WRONG.T, CERTAIN.T, layers),
        lambda: f["softmax"](1e4 * X.T),
        f["prepare"],
        init,
        learn,
    )


def entiers(f: Namespace) -> Driver:
    f["REG"], f["KEEP"], f["SLOPE"] = 0.3, 0.7, 0.1
    p = [some(N_IN, N_HIDDEN), some(N_HIDDEN), some(N_HIDDEN, N_OUT), some(N_OUT)]

    def everything() -> Any:
        np.random.seed(4)
        return f["loss_and_gradients"](X, DIGITS, *p)

    def certain() -> Any:
        np.random.seed(4)
        return f["loss_and_gradients"](1e3 * X, DIGITS, *p)[0]

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        np.random.seed(0)
        f["REG"] = 1e-4
        A, y = f["prepare"](images, labels)
        q = f["fit"](A, y, *f["init"](784, 16, 10), epochs, batch_size(images))
        return q, np.mean(f["predict"](A, *q) == y)

    return Driver(
        p,
        lambda: everything()[0],
        lambda: list(everything()[1:]),
        lambda: (everything(), p)[1],
        certain,
        lambda: f["softmax"](1e4 * X),
        f["prepare"],
        lambda: f["init"](20, 10, 3),
        learn,
    )


def couches(f: Namespace) -> Driver:
    net = f["build_network"]((N_IN, N_HIDDEN, 6, N_OUT))
    dense = [layer for layer in net.layers if hasattr(layer, "W")]
    for layer in dense:
        layer.W, layer.b = some(*layer.W.shape), some(*layer.b.shape)

    def forward(rate: float | None = None) -> float:
        f["rng"] = np.random.default_rng(4)
        value = net.loss.forward(net.forward(X), DIGITS)
        if rate is not None:
            net.backward(rate)
        return float(value)

    def gradients() -> Arrays:
        forward(0.0)
        return [np.array(g) for layer in dense for g in (layer.dW, layer.db)]

    def certain() -> Any:
        return f["SoftmaxCrossEntropy"]().forward(1e4 * X[:, :N_OUT], DIGITS)

    def data(images: np.ndarray, labels: np.ndarray) -> Any:
        return f["prepare"](Dataset(images, labels), 1000)

    def init() -> Any:
        f["rng"] = np.random.default_rng(4)
        return [layer.W for layer in f["build_network"]((20, 10, 9, 3)).layers if hasattr(layer, "W")]

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        f["rng"] = np.random.default_rng(4)
        A, y = data(images, labels)
        other = f["build_network"]((784, 16, 16, 10))
        other.fit(A, y, epochs, batch_size(images))
        return [{k: v for k, v in vars(layer).items() if k in "Wb"} for layer in other.layers], other.accuracy(A, y)

    return Driver(
        [p for layer in dense for p in (layer.W, layer.b)],
        forward,
        gradients,
        lambda: (forward(0.0), [vars(layer) for layer in net.layers])[1],
        certain,
        lambda: (certain(), f["SoftmaxCrossEntropy"])[0],
        data,
        init,
        learn,
    )


def binaire(f: Namespace) -> Driver:
    p = [some(N_IN, N_HIDDEN), some(N_HIDDEN), some(N_HIDDEN, 1), some(1)]
    y = (DIGITS > 0).astype(float).reshape(-1, 1)

    def given() -> Any:
        A1, A2 = f["propager"](X, p)
        f["gradients"](X, y, p, A1, A2)
        return A1, A2

    def learn(images: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
        np.random.seed(0)
        A, B = f["preparer"](images, labels)
        q = f["entrainer"](A, B, f["initialiser"](784, 16), epochs, batch_size(images))
        return q, f["exactitude"](A, B, q)

    return Driver(
        p,
        lambda: f["perte"](y, f["propager"](X, p)[1]),
        lambda: f["gradients"](X, y, p, *f["propager"](X, p)),
        given,
        lambda: f["perte"](np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])),
        lambda: f["propager"](X, p)[1],
        f["preparer"],
        lambda: f["initialiser"](20, 10),
        learn,
    )


DRIVERS: dict[str, Callable[[Namespace], Driver]] = {
    "lesson": lesson,
    "tanh": tanh,
    "classe": classe,
    "profond": profond,
    "entiers": entiers,
    "couches": couches,
    "binaire": binaire,
}

"""Writes a learner's program, in one of the two dialects of the courses, from a table of lines.

Every line has a role, such as ("dZ", 2), and a mistake replaces the lines of some roles. Lines without a role of their own
are numbered text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Role = tuple[str, int]
Lines = dict[Role, str]

ACTIVATIONS = ("relu", "tanh", "sigmoid", "leaky-relu")


@dataclass(frozen=True)
class Setting:
    """What a program is like. The defaults of a style, "", are those of the dialect.

    Dialect 1: W (n_in, n_out), b (1, n_out), helpers for derivatives, division by m in the gradients, a new dictionary
    in the update. Dialect 2: W (n_out, n_in), b (n_out, 1), derivatives written out, division by m in δ, updates in place.
    """

    dialect: int = 1
    depth: int = 2
    activation: str = "relu"
    output: str = "softmax"
    """Or "sigmoid": one unit, for even and odd digits."""
    penalty: bool = False
    dropout: bool = False
    centred: bool = False
    """Pixels from −1 to 1."""
    division: str = ""
    """Where m divides: in "delta", in the "gradient", in the "update", or "nowhere", the loss being a sum."""
    bias: str = ""
    """"row", "flat" or "column"."""
    derivative: str = ""
    """"helper" of Z, or "inline"."""
    update: str = ""
    """"new" or "in place"."""
    columns: bool = False
    reverse: bool = False
    """Y − P, and an update that adds."""
    at_zero: bool = False
    """ReLU′ is 1 at 0."""
    float32: bool = False
    integers: bool = False
    """Labels are numbers, encoded where they are used."""
    extra: bool = False
    names: str = "course"
    """Or "french", or "short"."""


class Writer:
    """The expressions of one setting, and its lines in order. l counts layers from 1 to L."""

    def __init__(self, setting: Setting) -> None:
        s = self.s = setting
        first = s.dialect == 1
        self.L = s.depth
        self.hidden = range(s.depth - 1, 0, -1)
        self.layers = range(s.depth, 0, -1)
        self.out_in = not first or s.columns
        self.division = s.division or ("gradient" if first else "delta")
        self.bias = "column" if s.columns else s.bias or ("row" if first else "column")
        self.helper = (s.derivative or ("helper" if first or s.dropout else "inline")) == "helper"
        self.in_place = (s.update or ("new" if first else "in place")) == "in place"
        self.P = f"A{self.L}" if first else "Yhat"
        self.labels = "y" if s.integers else "Y"
        self.params = "parameters" if first else "params"
        self.grads = "gradients" if first else "grads"
        self.rate = "learning_rate" if first else "eta"
        self.m = "X.shape[1]" if s.columns else "X.shape[0]"
        self.over_samples, self.over_classes = (1, 0) if s.columns else (0, 1)
        self.function = s.activation.replace("-", "_")

    # expressions -----------------------------------------------------------------------------------------------

    def A(self, l: int) -> str:
        return "X" if l == 0 else self.P if l == self.L else f"A{l}"

    def dZ(self, l: int) -> str:
        return f"dZ{l}" if self.s.dialect == 1 else f"delta{l}"

    def param(self, name: str) -> str:
        return f'{self.params}["{name}"]'

    def W(self, l: int) -> str:
        """As the backward pass reads it."""
        return f"W{l}" if self.s.dialect == 1 else self.param(f"W{l}")

    def product(self, a: str, b: str) -> str:
        return f"{a} @ {b}" if self.s.dialect == 1 else f"np.dot({a}, {b})"

    def affine(self, l: int) -> str:
        A, W, b = self.A(l - 1), self.param(f"W{l}"), self.param(f"b{l}")
        if self.s.columns:
            return f"{self.product(W, A)} + {b}"
        turned = ".T" if self.bias == "column" else ""
        return f"{self.product(A, W + '.T' * self.out_in)} + {b}{turned}"

    def weight_product(self, A: str, dZ: str) -> str:
        if self.s.columns:
            return self.product(dZ, f"{A}.T")
        return self.product(f"{dZ}.T", A) if self.out_in else self.product(f"{A}.T", dZ)

    def back_product(self, dZ: str, W: str) -> str:
        if self.s.columns:
            return self.product(f"{W}.T", dZ)
        return self.product(dZ, W) if self.out_in else self.product(dZ, f"{W}.T")

    def bias_sum(self, dZ: str) -> str:
        if self.s.columns:
            return f"np.sum({dZ}, axis=1, keepdims=True)"
        return {
            "row": f"np.sum({dZ}, axis=0, keepdims=True)",
            "flat": f"np.sum({dZ}, axis=0)",
            "column": f"np.sum({dZ}, axis=0).reshape(-1, 1)",
        }[self.bias]

    def slope(self, l: int) -> str:
        """The derivative of the activation of layer l."""
        return f"{self.function}_derivative(Z{l})" if self.helper else self.formula(f"Z{l}", f"A{l}")

    def formula(self, Z: str, A: str, activation: str = "") -> str:
        return {
            "relu": f"({Z} >= 0)" if self.s.at_zero else f"({Z} > 0)",
            "tanh": f"(1 - {A} ** 2)",
            "sigmoid": f"{A} * (1 - {A})",
            "leaky-relu": f"np.where({Z} > 0, 1, 0.01)",
        }[activation or self.s.activation]

    @property
    def per_m(self) -> str:
        return " / m" if self.division == "gradient" else ""

    def decay(self, l: int) -> str:
        """What the penalty adds to dW."""
        if not self.s.penalty:
            return ""
        sign = "-" if self.s.reverse else "+"
        divided = "" if self.division in ("update", "nowhere") else " / m"
        return f" {sign} lambd{divided} * {self.W(l)}"

    def signature(self, name: str) -> str:
        """A function's parameters."""
        s = self.s
        keep, lambd = ", keep_prob=0.8" * s.dropout, ", lambd=0.7" * s.penalty
        if s.dialect == 1:
            return {
                "forward": f"def forward_propagation(X, parameters{keep}):",
                "loss": f"def cross_entropy_loss(y_true, y_pred{', parameters' * s.penalty}{lambd}):",
                "backward": f"def backward_propagation(X, {self.labels}, parameters, cache{keep}{lambd}):",
            }[name]
        return {
            "forward": f"def forward(params, X{keep}):",
            "loss": f"def loss_accuracy(Yhat, {self.labels}{', params' * s.penalty}{lambd}):",
            "backward": f"def backward(params, outputs, {self.labels}, X{keep}{lambd}):",
        }[name]

    # lines -----------------------------------------------------------------------------------------------------

    def lines(self) -> Lines:
        """The table of lines, in order."""
        table: Lines = {}
        for i, (role, text) in enumerate(self._lines()):
            key = role or ("text", i)
            assert key not in table, key
            table[key] = text
        return table

    def _lines(self) -> Iterator[tuple[Role | None, str]]:
        yield None, '"""Un réseau de neurones qui apprend à lire les chiffres de MNIST."""\n'
        yield None, "import numpy as np\nfrom tensorflow.keras.datasets import mnist\n\n"
        yield from self._data()
        yield from self._functions()
        yield from self._initialisation()
        yield from self._forward()
        yield from self._loss()
        yield from self._backward()
        yield from self._update()
        yield from self._training() if self.s.dialect == 1 else self._training_2()

    def _data(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        yield None, "def preprocess(images):"
        yield ("flatten", 0), "    X = images.reshape(images.shape[0], 784).astype(np.float64)"
        yield ("scale", 0), "    X = (X - 127) / 128" if s.centred else "    X = X / 255.0"
        if s.float32:
            yield None, "    X = X.astype(np.float32)"
        yield None, "    return X.T\n\n" if s.columns else "    return X\n\n"
        if s.output == "sigmoid":
            yield None, f"def even_or_odd(y):\n    return (y % 2).reshape({'1, -1' if s.columns else '-1, 1'})\n\n"
            return
        if s.dialect == 1:
            yield None, "def one_hot_encode(y, n_classes=10):"
            yield ("table", 0), "    Y = np.zeros((y.shape[0], n_classes))"
            yield ("ones", 0), "    Y[np.arange(y.shape[0]), y] = 1"
            yield None, "    return Y.T\n\n" if s.columns else "    return Y\n\n"
        else:
            yield None, "def one_hot(y, ny=10):"
            yield ("table", 0), "    Y = np.zeros((len(y), ny))"
            yield ("loop", 0), "    for i in range(len(y)):"
            yield ("ones", 0), "        Y[i, y[i]] = 1"
            yield None, "    return Y.T\n\n" if s.columns else "    return Y\n\n"

    def _functions(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        yield None, f"def {self.function}(Z):"
        yield (
            ("activation", 0),
            "    return "
            + {
                "relu": "np.maximum(0, Z)",
                "tanh": "np.tanh(Z)",
                "sigmoid": "1 / (1 + np.exp(-Z))",
                "leaky-relu": "np.where(Z > 0, Z, 0.01 * Z)",
            }[s.activation],
        )
        yield None, "\n"
        if self.helper:
            yield None, f"def {self.function}_derivative(Z):"
            yield (
                ("derivative", 0),
                "    return "
                + {
                    "relu": "np.where(Z >= 0, 1.0, 0.0)" if s.at_zero else "(Z > 0).astype(float)",
                    "tanh": "1 - np.tanh(Z) ** 2",
                    "sigmoid": "sigmoid(Z) * (1 - sigmoid(Z))",
                    "leaky-relu": "np.where(Z > 0, 1.0, 0.01)",
                }[s.activation],
            )
            yield None, "\n"
        if s.output == "sigmoid":
            if s.activation != "sigmoid":
                yield None, "def sigmoid(Z):\n    return 1 / (1 + np.exp(-Z))\n\n"
            return
        axis = self.over_classes
        yield None, "def softmax(Z):"
        if s.dialect == 1:
            yield ("exponentials", 0), f"    exp_Z = np.exp(Z - np.max(Z, axis={axis}, keepdims=True))"
            yield ("normalised", 0), f"    return exp_Z / np.sum(exp_Z, axis={axis}, keepdims=True)"
        else:
            yield ("maximum", 0), f"    Z = Z - Z.max(axis={axis}, keepdims=True)"
            yield ("exponentials", 0), "    e = np.exp(Z)"
            yield ("normalised", 0), f"    return e / e.sum(axis={axis}, keepdims=True)"
        yield None, "\n"

    def _initialisation(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        cast = ".astype(np.float32)" if s.float32 else ""
        shape = {"row": "(1, {n})", "flat": "{n}", "column": "({n}, 1)"}[self.bias]
        if s.dialect == 1:
            n, before = "layer_dims[l]", "layer_dims[l - 1]"
            W = f"({n}, {before})" if self.out_in else f"({before}, {n})"
            yield None, "def initialize_parameters(layer_dims):"
            yield None, "    np.random.seed(3)"
            yield None, "    parameters = {}"
            yield None, "    for l in range(1, len(layer_dims)):"
            random = f"np.random.randn{W} * np.sqrt(2 / {before})"
            random = f"({random}){cast}" if cast else random
            yield ("W0", 1), f'        parameters["W" + str(l)] = {random}'
            yield ("b0", 1), f'        parameters["b" + str(l)] = np.zeros({shape.format(n=n)}){cast}'
            yield None, "    return parameters\n\n"
            return
        widths = self.widths()
        yield None, f"def init_params({', '.join(widths)}):"
        yield None, "    params = {}"
        for l in range(1, self.L + 1):
            n, before = widths[l], widths[l - 1]
            random = f"np.random.normal(0, 1 / np.sqrt({before}), ({n}, {before}))"
            yield ("W0", l), f'    params["W{l}"] = {random}{cast}'
            yield ("b0", l), f'    params["b{l}"] = np.zeros({shape.format(n=n)}){cast}'
        yield None, "    return params\n\n"

    def widths(self) -> list[str]:
        """The names of the widths in dialect 2."""
        return ["nx", *(["nh"] if self.L == 2 else [f"nh{l}" for l in range(1, self.L)]), "ny"]

    def _forward(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        yield ("forward", 0), self.signature("forward")
        for l in range(1, self.L + 1):
            yield ("Z", l), f"    Z{l} = {self.affine(l)}"
            if l == self.L:
                yield ("A", l), f"    {self.P} = {s.output}(Z{l})"
                continue
            yield ("A", l), f"    A{l} = {self.function}(Z{l})"
            if s.dropout:
                yield ("D", l), f"    D{l} = np.random.rand(*A{l}.shape) < keep_prob"
                yield ("dropped", l), f"    A{l} = A{l} * D{l} / keep_prob"
        cached = [n for l in range(1, self.L) for n in (f"Z{l}", f"A{l}", *([f"D{l}"] if s.dropout else []))]
        if s.dialect == 1:
            cached += [f"Z{self.L}", self.P]
            if s.extra:
                cached.insert(0, "X")
            yield ("cache", 0), "    cache = {" + ", ".join(f'"{n}": {n}' for n in cached) + "}"
            yield ("P", 0), f"    return {self.P}, cache\n\n"
        else:
            cached += [f"Z{self.L}"] if s.extra else []
            yield ("P", 0), f"    return Yhat, {', '.join(cached)}\n\n"

    def _loss(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        P, Y = ("y_pred", "y_true") if s.dialect == 1 else ("Yhat", self.labels)
        yield None, self.signature("loss")
        m = f"{P}.shape[{self.over_samples}]"
        per = "" if self.division == "nowhere" else " / m"
        yield ("loss m", 0), f"    m = {m}"
        if s.dialect == 1:
            yield ("clip", 0), f"    {P} = np.clip({P}, 1e-12, 1 - 1e-12)"
        log = f"np.log({P})" if s.dialect == 1 else f"np.log({P} + 1e-10)"
        if s.output == "sigmoid":
            rest = f"np.log(1 - {P})" if s.dialect == 1 else f"np.log(1 - {P} + 1e-10)"
            value = f"-np.sum({Y} * {log} + (1 - {Y}) * {rest}){per}"
        elif s.integers:
            picked = f"{P}[{Y}, np.arange(m)]" if s.columns else f"{P}[np.arange(m), {Y}]"
            value = f"-np.sum(np.log({picked} + 1e-12)){per}"
        elif s.dialect == 1 or per == "":
            value = f"-np.sum({Y} * {log}){per}"
        else:
            value = f"-np.mean(np.sum({Y} * {log}, axis={self.over_classes}))"
        yield ("loss", 0), f"    loss = {value}"
        if s.penalty:
            squares = " + ".join(f"np.sum({self.param(f'W{l}')} ** 2)" for l in range(1, self.L + 1))
            yield ("penalty", 0), f"    loss = loss + lambd / {'2' if not per else '(2 * m)'} * ({squares})"
        if s.dialect == 1:
            yield None, "    return loss\n\n"
            return
        if s.output == "sigmoid":
            answers, right = "(Yhat > 0.5)", "Y"
        else:
            answers = f"np.argmax(Yhat, axis={self.over_classes})"
            right = Y if s.integers else f"np.argmax(Y, axis={self.over_classes})"
        yield ("accuracy", 0), f"    accuracy = np.mean({answers} == {right})"
        yield None, "    return loss, accuracy\n\n"

    def _backward(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        yield ("backward", 0), self.signature("backward")
        yield ("m", 0), f"    m = {self.m}"
        masks = [f"D{l}" for l in range(1, self.L)] if s.dropout else []
        hidden = [f"{n}{l}" for l in range(1, self.L) for n in "ZA"]
        if s.dialect == 1:
            for n in [*hidden, *masks, self.P]:
                yield None, f'    {n} = cache["{n}"]'
            for l in range(2 - s.penalty, self.L + 1):
                yield None, f'    W{l} = parameters["W{l}"]'
        else:
            order = [n for l in range(1, self.L) for n in (f"Z{l}", f"A{l}", *([f"D{l}"] if s.dropout else []))]
            yield ("unpack", 0), f"    Yhat, {', '.join(order + [f'Z{self.L}'] * s.extra)} = outputs"
        if s.integers:
            yield ("encode", 0), f"    Y = {'one_hot_encode' if s.dialect == 1 else 'one_hot'}(y, 10)"
        yield None, ""
        difference = f"Y - {self.P}" if s.reverse else f"{self.P} - Y"
        divided = f"({difference}) / m" if self.division == "delta" else difference
        yield ("dZ", self.L), f"    {self.dZ(self.L)} = {divided}"
        for l in self.layers:
            if l < self.L:
                yield ("dA", l), f"    dA{l} = {self.back_product(self.dZ(l + 1), self.W(l + 1))}"
                if s.dropout:
                    yield ("mask", l), f"    dA{l} = dA{l} * D{l} / keep_prob"
                yield ("dZ", l), f"    {self.dZ(l)} = dA{l} * {self.slope(l)}"
            product = self.weight_product(self.A(l - 1), self.dZ(l))
            yield ("dW", l), f"    dW{l} = {product}{self.per_m}{self.decay(l)}"
            yield ("db", l), f"    db{l} = {self.bias_sum(self.dZ(l))}{self.per_m}"
        yield None, ""
        d = "d" if s.dialect == 1 else ""
        keys = [f'"{d}{n}{l}": d{n}{l}' for l in range(1, self.L + 1) for n in "Wb"]
        if s.extra:
            keys += [f'"dZ{l}": {self.dZ(l)}' for l in range(1, self.L + 1)]
        yield ("gradients", 0), "    return {" + ", ".join(keys) + "}\n\n"

    def _update(self) -> Iterator[tuple[Role | None, str]]:
        s = self.s
        sign = "+" if s.reverse else "-"
        key = '"d" + key' if s.dialect == 1 else "key"
        step = f"{self.rate} * {self.grads}[{key}]"
        step += " / m" if self.division == "update" else ""
        name = "update_parameters" if s.dialect == 1 else "sgd"
        yield (
            ("update", 0),
            f"def {name}({self.params}, {self.grads}, {self.rate}{', m' * (self.division == 'update')}):",
        )
        if self.in_place:
            yield ("keys", 0), f"    for key in {self.params}:"
            yield ("step", 0), f"        {self.params}[key] {sign}= {step}"
            yield ("updated", 0), f"    return {self.params}\n\n" if s.dialect == 1 else "\n"
        else:
            yield None, "    updated = {}"
            yield ("keys", 0), f"    for key in {self.params}:"
            yield ("step", 0), f"        updated[key] = {self.params}[key] {sign} {step}"
            yield ("updated", 0), "    return updated\n\n"

    def _chosen(self, array: str, index: str) -> str:
        return f"{array}[:, {index}]" if self.s.columns and array[0] != "y" else f"{array}[{index}]"

    def _training(self) -> Iterator[tuple[Role | None, str]]:
        s, Y = self.s, self.labels
        yield None, f"def train_one_epoch(X, {Y}, parameters, learning_rate, batch_size):"
        yield None, f"    m = {self.m}"
        yield ("order", 0), "    order = np.random.permutation(m)"
        yield ("shuffle", 0), f"    X_shuffled = {self._chosen('X', 'order')}"
        yield ("shuffle", 1), f"    {Y}_shuffled = {self._chosen(Y, 'order')}"
        yield None, "    total, n_batches = 0, 0"
        yield None, "    for start in range(0, m, batch_size):"
        yield ("batch", 0), f"        X_batch = {self._chosen('X_shuffled', 'start:start + batch_size')}"
        yield ("batch", 1), f"        {Y}_batch = {self._chosen(f'{Y}_shuffled', 'start:start + batch_size')}"
        yield None, f"        {self.P}, cache = forward_propagation(X_batch, parameters)"
        loss = f"cross_entropy_loss({Y}_batch, {self.P}{', parameters' * s.penalty})"
        yield None, f"        total += {loss}"
        yield ("call", 0), f"        gradients = backward_propagation(X_batch, {Y}_batch, parameters, cache)"
        m = ", X_batch.shape[1]" if s.columns else ", X_batch.shape[0]"
        called = f"update_parameters(parameters, gradients, learning_rate{m * (self.division == 'update')})"
        yield ("call", 1), f"        parameters = {called}"
        yield None, "        n_batches += 1\n    return parameters, total / n_batches\n\n"
        yield None, "def compute_accuracy(X, y, parameters):"
        yield None, f"    {self.P}, cache = forward_propagation(X, parameters{', keep_prob=1.0' * s.dropout})"
        if s.output == "sigmoid":
            yield ("accuracy", 0), f"    return np.mean(({self.P} > 0.5) == y)\n\n"
        else:
            yield ("accuracy", 0), f"    answers = np.argmax({self.P}, axis={self.over_classes})"
            yield ("accuracy", 1), "    return np.mean(answers == y)\n\n"
        yield None, 'if __name__ == "__main__":'
        yield None, "    (train_images, train_labels), (test_images, test_labels) = mnist.load_data()"
        yield None, "    X_train = preprocess(train_images)\n    X_test = preprocess(test_images)"
        encode = "even_or_odd" if s.output == "sigmoid" else "one_hot_encode"
        yield ("labels", 0), f"    {Y}_train = {'train_labels' if s.integers else f'{encode}(train_labels)'}"
        dims = {2: "784, 64", 3: "784, 64, 32", 4: "784, 64, 32, 16"}[self.L]
        yield None, f"    parameters = initialize_parameters([{dims}, {10 if s.output == 'softmax' else 1}])"
        yield None, "    for epoch in range(5):"
        yield None, f"        parameters, loss = train_one_epoch(X_train, {Y}_train, parameters, 0.1, 32)"
        y = "even_or_odd(test_labels)" if s.output == "sigmoid" else "test_labels"
        yield None, f"        print(epoch, loss, compute_accuracy(X_test, {y}, parameters))"

    def _training_2(self) -> Iterator[tuple[Role | None, str]]:
        s, Y = self.s, self.labels
        yield None, f"def train(params, X, {Y}, epochs=5, batch_size=32, eta=0.1):"
        yield None, f"    N = {self.m}"
        yield None, "    for epoch in range(epochs):"
        yield ("order", 0), "        order = np.random.permutation(N)"
        yield ("shuffle", 0), f"        X = {self._chosen('X', 'order')}"
        yield ("shuffle", 1), f"        {Y} = {self._chosen(Y, 'order')}"
        yield None, "        for i in range(0, N, batch_size):"
        yield ("batch", 0), f"            X_batch = {self._chosen('X', 'i:i + batch_size')}"
        yield ("batch", 1), f"            {Y}_batch = {self._chosen(Y, 'i:i + batch_size')}"
        yield None, "            outputs = forward(params, X_batch)"
        yield None, f"            loss, accuracy = loss_accuracy(outputs[0], {Y}_batch{', params' * s.penalty})"
        yield ("call", 0), f"            grads = backward(params, outputs, {Y}_batch, X_batch)"
        m = ", X_batch.shape[1]" if s.columns else ", X_batch.shape[0]"
        called = f"sgd(params, grads, eta{m * (self.division == 'update')})"
        yield ("call", 1), f"            {'' if self.in_place else 'params = '}{called}"
        yield None, "        print(epoch, loss, accuracy)\n    return params\n\n"
        yield None, "(train_images, train_labels), (test_images, test_labels) = mnist.load_data()"
        yield None, "X_train = preprocess(train_images)\nX_test = preprocess(test_images)"
        encode = "even_or_odd" if s.output == "sigmoid" else "one_hot"
        yield ("labels", 0), f"{Y}_train = {'train_labels' if s.integers else f'{encode}(train_labels)'}"
        widths = [*["784", "64", "32", "16"][: self.L], "10" if s.output == "softmax" else "1"]
        yield None, "np.random.seed(1)"
        yield None, f"params = train(init_params({', '.join(widths)}), X_train, {Y}_train)"
        y = "test_labels" if s.integers else f"{encode}(test_labels)"
        keep = ", keep_prob=1.0" * s.dropout
        yield None, f"print(loss_accuracy(forward(params, X_test{keep})[0], {y}{', params' * s.penalty}))"


FRENCH = {
    "forward_propagation": "propagation_avant", "backward_propagation": "retropropagation", "parameters": "parametres",
    "gradients": "gradients", "update_parameters": "mise_a_jour", "initialize_parameters": "initialisation",
    "cross_entropy_loss": "entropie_croisee", "one_hot_encode": "encodage_one_hot", "learning_rate": "taux",
    "compute_accuracy": "exactitude", "train_one_epoch": "entrainer_une_epoque", "y_true": "y_vrai",
    "y_pred": "y_predit", "layer_dims": "dimensions", "batch_size": "taille_lot", "preprocess": "preparer",
    "forward": "avant", "backward": "arriere", "init_params": "initialiser", "loss_accuracy": "perte_et_exactitude",
    "params": "parametres", "grads": "gradients", "sgd": "descente", "eta": "taux", "outputs": "sorties",
    "Yhat": "Y_chapeau", "train": "entrainer", "loss": "perte", "accuracy": "exactitude", "lambd": "lambd",
    "tanh_derivative": "derivee_tanh", "sigmoid_derivative": "derivee_sigmoide", "relu_derivative": "derivee_relu",
}  # fmt: skip
SHORT = {
    "forward_propagation": "fwd", "backward_propagation": "backprop", "parameters": "p", "gradients": "g",
    "update_parameters": "step", "initialize_parameters": "init_weights", "cross_entropy_loss": "loss_fn",
    "one_hot_encode": "to_one_hot", "learning_rate": "lr", "compute_accuracy": "acc", "y_true": "t", "y_pred": "p_hat",
    "forward": "forward_pass", "backward": "backward_pass", "init_params": "init", "loss_accuracy": "evaluate",
    "params": "theta", "grads": "grad", "sgd": "update", "eta": "lr", "outputs": "cache", "Yhat": "probs",
    "delta1": "d1", "delta2": "d2", "delta3": "d3", "delta4": "d4", "lambd": "reg", "cache": "saved",
}  # fmt: skip


def renamed(text: str, names: str) -> str:
    """The program in other words."""
    words = {"course": {}, "french": FRENCH, "short": SHORT}[names]
    return re.sub(r"(?<![\w.\"])[A-Za-z_]\w*(?![\w\"])", lambda word: words.get(word[0], word[0]), text)


def program(setting: Setting, edits: Mapping[Role, str] | None = None) -> str:
    """The program's text. `edits` gives the new text of some lines, "" to leave one out; None is the right program."""
    writer = Writer(setting)
    table = writer.lines()
    for role, text in (edits or {}).items():
        assert role in table, role
        table[role] = text
    kept = [text for role, text in table.items() if text or role[0] == "text"]
    return renamed("\n".join(kept) + "\n", setting.names)

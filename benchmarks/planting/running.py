"""Runs the functions of a program, to see whether two programs do the same."""

from __future__ import annotations

import contextlib
import copy
import io
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from planting.writing import Setting, Writer

M = 25
Stages = dict[str, Callable[[], Any]]


class Driver:
    """Drives a program in the course's names, by its functions, on a small network with biases that are not zero."""

    def __init__(self, setting: Setting, text: str) -> None:
        s = self.s = setting
        self.f = _load(text)
        self.first = s.dialect == 1
        random = np.random.default_rng(5)
        sizes = self.sizes = (784, *[5] * (s.depth - 1), 1 if s.output == "sigmoid" else 10)
        self.images = random.integers(0, 256, (M, 28, 28)).astype(np.uint8)
        self.digits = np.concatenate([np.arange(10), random.integers(0, 10, M - 10)])
        self.X = self._laid(random.random((M, 784)) - 0.5)
        self.targets = np.eye(10)[self.digits] if s.output == "softmax" else (self.digits % 2).reshape(-1, 1)
        self.Y = self.digits if s.integers else self._laid(self.targets)
        writer = Writer(s)
        self.params: dict[str, Any] = {}
        for l in range(1, s.depth + 1):
            W, b = random.normal(size=(sizes[l - 1], sizes[l])) / np.sqrt(sizes[l - 1]), random.normal(size=sizes[l])
            self.params[f"W{l}"] = W.T.copy() if writer.out_in else W
            self.params[f"b{l}"] = b.reshape({"row": (1, -1), "flat": (-1,), "column": (-1, 1)}[writer.bias])

    def _laid(self, rows: Any) -> Any:
        return rows.T.copy() if self.s.columns else rows

    def forward(self, params: Any) -> Any:
        np.random.seed(0)
        return self.f["forward_propagation"](self.X, params) if self.first else self.f["forward"](params, self.X)

    def loss(self, P: Any, params: Any) -> Any:
        more = [params] if self.s.penalty else []
        if self.first:
            return self.f["cross_entropy_loss"](self.Y, P, *more)
        return self.f["loss_accuracy"](P, self.Y, *more)[0]

    def backward(self, times: int = 1) -> Any:
        """The gradients, and the cache after the call."""
        cache, gradients = self.forward(self.params), None
        for _ in range(times):
            p = copy.deepcopy(self.params)
            if self.first:
                gradients = self.f["backward_propagation"](self.X, self.Y, p, cache[1])
            else:
                gradients = self.f["backward"](p, cache, self.Y, self.X)
        return gradients, cache

    def accuracy(self) -> Any:
        """For the labels, and for each class shifted by some: by chance, one alone may be what a mistake gives."""
        params = {k: 20 * v if k[0] == "W" else 0 * v for k, v in self.params.items()}  # so that answers differ
        P, found = self.forward(params)[0], []
        for by in range(5):
            digits = (self.digits + by) % 10
            targets = self._laid(np.eye(10)[digits] if self.s.output == "softmax" else (digits % 2).reshape(-1, 1))
            if self.first:
                y = digits if self.s.output == "softmax" else targets
                found.append(self.f["compute_accuracy"](self.X, y, params))
            else:
                more = [params] if self.s.penalty else []
                found.append(self.f["loss_accuracy"](P, digits if self.s.integers else targets, *more)[1])
        return found

    def train(self) -> Any:
        p = copy.deepcopy(self.params)
        if self.first:
            return self.f["train_one_epoch"](self.X, self.Y, p, 0.1, 5)[0]
        return self.f["train"](p, self.X, self.Y, 1, 5)

    def initial(self) -> Any:
        if self.first:
            return self.f["initialize_parameters"](list(self.sizes))
        return self.f["init_params"](*self.sizes)

    def encoded(self) -> Any:
        names = ("even_or_odd", "one_hot_encode", "one_hot")
        return next(self.f[name] for name in names if name in self.f)(self.digits)

    def certain(self) -> Any:
        """The loss where P is 0 for the right class."""
        P = np.roll(self.targets, 1, axis=1) if self.s.output == "softmax" else 1.0 - self.targets
        return self.loss(self._laid(P), self.params)

    def stages(self) -> Stages:
        return {
            "pixels": lambda: self.f["preprocess"](self.images),
            "labels": self.encoded,
            "initial": self.initial,
            "P": lambda: self.forward(self.params)[0],
            "large": lambda: self.forward({k: 1e4 * v for k, v in self.params.items()})[0],
            "loss": lambda: self.loss(self.forward(self.params)[0], self.params),
            "certain": self.certain,
            "gradients": lambda: self.backward()[0],
            "cache": lambda: self.backward()[1],
            "again": lambda: self.backward(2)[0],
            "trained": self.train,
            "accuracy": self.accuracy,
        }

    def gradients_are_right(self) -> bool:
        """Whether the gradients are those of the program's own loss, by central differences, in its own conventions."""
        gradients, _cache = self.backward()
        factor = (M if Writer(self.s).division == "update" else 1) * (-1 if self.s.reverse else 1)
        random = np.random.default_rng(1)
        for name, value in self.params.items():
            for index in random.integers(0, value.size, 4):
                ends = []
                for step in (1e-5, -1e-5):
                    params = copy.deepcopy(self.params)
                    params[name].reshape(-1)[index] += step
                    ends.append(float(self.loss(self.forward(params)[0], params)))
                slope = factor * (ends[0] - ends[1]) / 2e-5
                given = gradients["d" + name if self.first else name]
                if given.shape != value.shape or abs(given.reshape(-1)[index] - slope) > 1e-5 * max(1.0, abs(slope)):
                    return False
        return True


def observations(setting: Setting, text: str) -> dict[str, Any]:
    """What the functions of a program give, by stage; the name of its exception where one fails."""
    return {name: _tried(stage) for name, stage in Driver(setting, text).stages().items()}


def _load(text: str) -> dict[str, Any]:
    data = types.ModuleType("tensorflow.keras.datasets")
    vars(data)["mnist"] = None
    names = ("tensorflow", "tensorflow.keras", "tensorflow.keras.datasets")
    kept = {name: sys.modules.get(name) for name in names}
    sys.modules.update(dict.fromkeys(names, data))
    functions = text.split('if __name__ == "__main__":')[0].split("\n(train_images")[0]
    namespace: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(functions, "<program>", "exec"), namespace)
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return namespace


def _tried(stage: Callable[[], Any]) -> Any:
    np.random.seed(0)
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        try:
            return stage()
        except Exception as error:
            return type(error).__name__


def alike(a: Any, b: Any) -> bool:
    """Whether two observations are the same up to rounding."""
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, str) or isinstance(b, str):
        return bool(isinstance(a, str) and isinstance(b, str) and a == b)
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return x.shape == y.shape and bool(np.allclose(x, y, rtol=1e-7, atol=1e-9, equal_nan=True))


def differing(setting: Setting, text: str, right: dict[str, Any]) -> list[str]:
    """The stages at which a program does something else than the right one, whose observations are `right`."""
    seen = observations(setting, text)
    return [name for name in seen if not alike(seen[name], right[name])]

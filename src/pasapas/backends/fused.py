"""Training steps on NumPy that reuse their memory: the readable step, each result written where the last one was.

The same operations on the same numbers in the same order as in `pasapas.steps.step`, so the same bits come out; what is
saved are temporary arrays, passes over memory and calls. Where a step's time goes: `benchmarks/numpy_step.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pasapas.layers import Dense, Dropout, Layer, LeakyReLU, Params, ReLU, Sigmoid, Tanh
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.network import Network
from pasapas.optimizers import SGD, Adam, Momentum, Optimizer, State

Floats = npt.NDArray[Any]
DType = np.dtype[Any]

_PIECE = 65_536
"""How many parameters are updated at once: few enough to stay in a core's cache from one operation to the next."""


class FusedSteps:
    """Consecutive training steps of one network; each equals `pasapas.steps.step` with masks of `Network.with_masks`.

    `params` and `state` are copied: the arrays handed in are never written to. `batch_size` is the largest number of
    images that a step will get.
    """

    def __init__(
        self, network: Network, optimizer: Optimizer, params: Sequence[Params], state: State, batch_size: int
    ) -> None:
        self.network, self.optimizer = network, optimizer
        dtype = next(p["W"].dtype for p in params if "W" in p)
        self._flat, self._params = _copied(params, dtype)
        self._flat_gradients, self._gradients = _copied(params, dtype)
        memory = {name: _copied(value, dtype) for name, value in state.items() if isinstance(value, list)}
        self._memory = [flat for flat, _tree in memory.values()]
        self._state = {**state, **{name: tree for name, (_flat, tree) in memory.items()}}
        self._pieces = list(self._cut())
        self._scratch = np.empty(max(len(p) for _penalized, (p, *_rest) in self._pieces), dtype)

        classes = np.arange(network.sizes[-1])
        self._targets = network.loss.targets(classes, len(classes), dtype)  # row k is Y for label k
        self._inputs = _Inputs(batch_size, network.sizes[0], dtype)
        self._output = _Output(batch_size, len(classes), dtype)
        self._stages = _make_stages(network, batch_size, dtype)
        self._rows: dict[int, tuple[_Inputs, list[_Stage], _Output]] = {}

    @staticmethod
    def supports(network: Network, optimizer: Optimizer) -> bool:
        """Whether steps of this network and optimizer can be taken here: networks as `mlp` makes them, our optimizers."""
        kinds = [type(layer) for layer in network.layers]
        if kinds[:1] == [Dropout]:
            del kinds[0]
        while kinds[:1] == [Dense] and kinds[1:2] and kinds[1] in _ACTIVATIONS:
            del kinds[: 3 if kinds[2:3] == [Dropout] else 2]
        return (
            kinds == [Dense]
            and all(0 < layer.slope <= 1 for layer in network.layers if isinstance(layer, LeakyReLU))
            and type(network.loss) is SoftmaxCrossEntropy
            and type(optimizer) in _MOVES
        )

    @property
    def params(self) -> list[Params]:
        """The parameters after the last step: views of memory that the next step writes over."""
        return self._params

    @property
    def state(self) -> State:
        """The optimizer's memory after the last step: views, as for `params`."""
        return dict(self._state)

    def step(
        self,
        images: npt.NDArray[Any],
        labels: npt.NDArray[Any],
        learning_rate: float,
        random: np.random.Generator,
        batch: npt.NDArray[np.intp] | slice = slice(None),
    ) -> tuple[float, int]:
        """One step on `images[batch]` and `labels[batch]`: the loss before it, penalty included, and the right answers.

        images (n, ...) of bytes, which are scaled to 0–1, or of numbers that are taken as they are; labels (n,) of whole
        numbers; `batch` a slice, or places from 0 to n − 1. Dropout masks are drawn from `random`.
        """
        labels = labels[batch]
        inputs, stages, output = self._for(len(labels))
        A = inputs.take(images, batch)  # (m, n_in)
        for stage, p in zip(stages, self._params, strict=True):
            A = stage.forward(p, A, random)  # (m, n)
        d: Floats | None  # ∂L/∂ what a stage gave
        loss, correct, d = output.loss(A, labels, self._targets)
        if self.network.l2:
            loss = loss + self.network.l2 / 2 * sum(self._squares())
        for stage, p, gradients in zip(
            reversed(stages), reversed(self._params), reversed(self._gradients), strict=True
        ):
            if d is None:
                break
            d = stage.backward(p, gradients, d)  # (m, n)
        self._update(learning_rate)
        return float(loss), correct

    def _for(self, m: int) -> tuple[_Inputs, list[_Stage], _Output]:
        """The buffers' first m rows; made once for each m, of which an epoch has two."""
        if m not in self._rows:
            self._rows[m] = self._inputs.rows(m), [stage.rows(m) for stage in self._stages], self._output.rows(m)
        return self._rows[m]

    def _squares(self) -> Iterator[Any]:
        """Σ W² of each layer. The gradients, which nobody needs yet, hold the squares."""
        for p, gradients in zip(self._params, self._gradients, strict=True):
            if "W" in p:
                np.multiply(p["W"], p["W"], out=gradients["W"])
                yield np.add.reduce(gradients["W"], axis=None)

    def _cut(self) -> Iterator[tuple[bool, list[Floats]]]:
        """Whether there is a penalty on it, and parameters, gradients and memory, for one piece after the other."""
        flats = [self._flat, self._flat_gradients, *self._memory]
        n_weights = sum(p["W"].size for p in self._params if "W" in p)
        start = 0
        for end in (n_weights, len(self._flat)) if self.network.l2 else (len(self._flat),):
            while start < end:
                stop = min(start + _PIECE, end)
                yield bool(self.network.l2) and stop <= n_weights, [flat[start:stop] for flat in flats]
                start = stop

    def _update(self, learning_rate: float) -> None:
        """Moves the parameters, piece by piece."""
        if "step" in self._state:
            self._state["step"] += 1
        move = _MOVES[type(self.optimizer)]
        for penalized, (p, dp, *memory) in self._pieces:
            t = self._scratch[: len(p)]
            if penalized:
                np.multiply(p, self.network.l2, out=t)
                np.add(dp, t, out=dp)
            move(self.optimizer, learning_rate, self._state, p, dp, t, *memory)


def _copied(tree: Sequence[Params], dtype: DType) -> tuple[Floats, list[Params]]:
    """All arrays of `tree` in one flat copy, weights before biases, and its views in the structure of `tree`."""
    places = [(i, name) for name in ("W", "b") for i, p in enumerate(tree) if name in p]
    flat = np.concatenate([np.ravel(tree[i][name]) for i, name in places]).astype(dtype, copy=False)
    views: list[Params] = [{} for _ in tree]
    start = 0
    for i, name in places:
        shape, size = tree[i][name].shape, tree[i][name].size
        views[i][name] = flat[start : start + size].reshape(shape)
        start += size
    return flat, views


class _Buffers:
    """Arrays with a row for each image of a batch, to be written over and over."""

    def rows(self, m: int) -> Self:
        """The same with m images: the first m rows of each array."""
        part = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(part, name, value[:m])
        return part


class _Inputs(_Buffers):
    def __init__(self, m: int, n_in: int, dtype: DType) -> None:
        self.bytes = np.empty((m, n_in), np.uint8)
        self.X = np.empty((m, n_in), dtype)

    def take(self, images: npt.NDArray[Any], batch: npt.NDArray[np.intp] | slice) -> Floats:
        """X (m, n_in), as `data.dataset.scaled` makes it."""
        X = self.X
        if not isinstance(batch, slice) and images.dtype == np.uint8 and images.flags.c_contiguous:
            rows = images.reshape(len(images), -1).take(batch, axis=0, out=self.bytes, mode="clip")
        else:
            rows = images[batch].reshape(X.shape)
        if rows.dtype == X.dtype:
            return rows
        np.copyto(X, rows, casting="unsafe")
        if rows.dtype == np.uint8:
            np.divide(X, 255, out=X)
        return X


class _Stage(_Buffers):
    """One layer: `forward` and `backward` write into buffers, or over the array that they are given."""

    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        """Y (m, n_out)."""
        raise NotImplementedError

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats | None:
        """dX (m, n_in), and gradients of parameters written into `gradients`; None where nobody needs dX."""
        raise NotImplementedError


class _Dense(_Stage):
    def __init__(self, layer: Dense, m: int, dtype: DType, first: bool) -> None:
        self.Y = np.empty((m, layer.n_out), dtype)
        self.dX = None if first else np.empty((m, layer.n_in), dtype)
        self.X = np.empty((m, 0))

    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        self.X = X
        np.matmul(X, params["W"], out=self.Y)
        np.add(self.Y, params["b"], out=self.Y)
        return self.Y

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats | None:
        np.matmul(self.X.T, dY, out=gradients["W"])
        np.add.reduce(dY, axis=0, out=gradients["b"])
        if self.dX is not None:
            np.matmul(dY, params["W"].T, out=self.dX)
        return self.dX


class _Activation(_Stage):
    """Writes over the scores of the dense layer before it, which its derivative, told by Y alone, does not need."""

    def __init__(self, layer: Any, m: int, n: int, dtype: DType) -> None:
        self.layer = layer
        self.Y = np.empty((m, 0), dtype)
        self.t = np.empty((m, n), dtype)


class _ReLU(_Activation):
    def __init__(self, layer: Any, m: int, n: int, dtype: DType) -> None:
        super().__init__(layer, m, n, dtype)
        self.zeros = np.zeros((m, n), dtype)  # five times as fast as the number 0
        self.positive = np.empty((m, n), bool)

    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        self.Y = np.maximum(X, self.zeros, out=X)
        return self.Y

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats:
        np.greater(self.Y, 0, out=self.positive)
        return np.multiply(dY, self.positive, out=dY)


class _LeakyReLU(_Activation):
    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        np.multiply(X, self.layer.slope, out=self.t)
        self.Y = np.maximum(X, self.t, out=X)  # as slope ≤ 1
        return self.Y

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats:
        np.greater(self.Y, 0, out=self.t)  # 0 or 1
        np.maximum(self.t, self.layer.slope, out=self.t)
        return np.multiply(dY, self.t, out=dY)


class _Tanh(_Activation):
    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        self.Y = np.tanh(X, out=X)
        return self.Y

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats:
        np.multiply(self.Y, self.Y, out=self.t)
        np.subtract(1, self.t, out=self.t)
        return np.multiply(dY, self.t, out=dY)


class _Sigmoid(_Activation):
    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        np.multiply(0.5, X, out=X)
        np.tanh(X, out=X)
        np.add(1, X, out=X)
        self.Y = np.multiply(0.5, X, out=X)
        return self.Y

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats:
        np.subtract(1, self.Y, out=self.t)
        np.multiply(self.Y, self.t, out=self.t)
        return np.multiply(dY, self.t, out=dY)


class _Dropout(_Stage):
    def __init__(self, layer: Dropout, m: int, n: int, dtype: DType) -> None:
        self.layer, self.dtype = layer, dtype
        self.scale = dtype.type(1) / dtype.type(1 - layer.rate)
        self.mask, self.Y = np.empty((m, n), dtype), np.empty((m, n), dtype)

    def forward(self, params: Params, X: Floats, random: np.random.Generator) -> Floats:
        random.random(out=self.mask, dtype=self.dtype.type)
        np.greater_equal(self.mask, self.layer.rate, out=self.mask)  # 0 or 1
        np.multiply(self.mask, self.scale, out=self.mask)
        return np.multiply(X, self.mask, out=self.Y)

    def backward(self, params: Params, gradients: Params, dY: Floats) -> Floats:
        return np.multiply(dY, self.mask, out=dY)


class _Output(_Buffers):
    """Softmax cross-entropy, its gradient, and the answers."""

    def __init__(self, m: int, n: int, dtype: DType) -> None:
        self.starts = np.arange(m) * n  # where each row begins in the flat scores
        self.answers, self.places = np.empty(m, np.intp), np.empty(m, np.intp)
        self.column = np.empty((m, 1), dtype)
        self.Y, self.P, self.t = np.empty((m, n), dtype), np.empty((m, n), dtype), np.empty((m, n), dtype)

    def loss(self, Z: Floats, labels: npt.NDArray[Any], targets: Floats) -> tuple[Any, int, Floats]:
        """L without penalty, the number of right answers, and dZ (m, n), from Z (m, n) and labels (m,)."""
        Y, P, t, column, m = self.Y, self.P, self.t, self.column, len(Z)
        targets.take(labels, axis=0, out=Y, mode="clip")
        # the largest score is where the answer is: reading it there is four times as fast as looking for it again
        Z.argmax(axis=1, out=self.answers)
        np.add(self.answers, self.starts, out=self.places)
        Z.reshape(-1).take(self.places, out=column[:, 0], mode="clip")
        np.subtract(Z, column, out=P)
        np.exp(P, out=t)
        np.add.reduce(t, axis=1, keepdims=True, out=column)
        np.log(column, out=column)
        np.subtract(P, column, out=P)  # log softmax
        np.multiply(Y, P, out=t)
        L = -np.add.reduce(t, axis=None) / m
        np.exp(P, out=P)
        np.subtract(P, Y, out=P)
        dZ = np.divide(P, m, out=P)  # (m, n)
        return L, int(np.count_nonzero(self.answers == labels)), dZ


def _make_stages(network: Network, m: int, dtype: DType) -> list[_Stage]:
    stages: list[_Stage] = []
    width, first = network.sizes[0], True
    for layer in network.layers:
        if isinstance(layer, Dense):
            stages.append(_Dense(layer, m, dtype, first))
            width, first = layer.n_out, False
        elif isinstance(layer, Dropout):
            stages.append(_Dropout(layer, m, width, dtype))
        else:
            stages.append(_ACTIVATIONS[type(layer)](layer, m, width, dtype))
    return stages


_ACTIVATIONS: dict[type[Layer], type[_Activation]] = {
    ReLU: _ReLU,
    LeakyReLU: _LeakyReLU,
    Tanh: _Tanh,
    Sigmoid: _Sigmoid,
}


def _sgd(o: SGD, learning_rate: float, state: State, p: Floats, dp: Floats, t: Floats) -> None:
    np.multiply(dp, learning_rate, out=dp)  # the gradient is no longer needed
    np.subtract(p, dp, out=p)


def _momentum(o: Momentum, learning_rate: float, state: State, p: Floats, dp: Floats, t: Floats, v: Floats) -> None:
    np.multiply(v, o.momentum, out=v)
    np.add(v, dp, out=v)
    if o.nesterov:
        np.multiply(v, o.momentum, out=t)
        np.add(dp, t, out=t)
        np.multiply(t, learning_rate, out=t)
    else:
        np.multiply(v, learning_rate, out=t)
    np.subtract(p, t, out=p)


def _adam(
    o: Adam, learning_rate: float, state: State, p: Floats, dp: Floats, t: Floats, mean: Floats, square: Floats
) -> None:
    np.multiply(mean, o.beta1, out=mean)
    np.multiply(dp, 1 - o.beta1, out=t)
    np.add(mean, t, out=mean)
    np.multiply(square, o.beta2, out=square)
    np.multiply(dp, dp, out=t)
    np.multiply(t, 1 - o.beta2, out=t)
    np.add(square, t, out=square)
    np.divide(square, 1 - o.beta2 ** state["step"], out=t)
    np.sqrt(t, out=t)
    np.add(t, o.epsilon, out=t)  # √v̂ + ε
    np.divide(mean, 1 - o.beta1 ** state["step"], out=dp)  # m̂; the gradient is no longer needed
    np.multiply(dp, learning_rate, out=dp)
    np.divide(dp, t, out=t)
    np.subtract(p, t, out=p)


_MOVES: dict[type[Any], Callable[..., None]] = {SGD: _sgd, Momentum: _momentum, Adam: _adam}

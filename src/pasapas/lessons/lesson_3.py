"""The lesson on backpropagation: ReLU and softmax, parameters {"W1", "b1", "W2", "b2"}, gradients {"dW1", ...}.

W is (n_in, n_out) and b (1, n_out), float64. The lesson has two layers; here every function takes as many as the
parameters have. Its dZ2 = A2 − Y is divided by m later, in dW and db; here dZ2 is divided at once, by the loss's
gradient. The gradients of the parameters are the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, number, percent
from pasapas.initializers import He
from pasapas.layers import Params, ReLU
from pasapas.losses import one_hot
from pasapas.losses import softmax as softmax_of_rows
from pasapas.network import Network, mlp
from pasapas.network import backward as backward_pass
from pasapas.network import forward as forward_pass
from pasapas.optimizers import SGD
from pasapas.steps import step

Array = npt.NDArray[Any]

SMALLEST = 1e-7
"""What a probability is held above where its logarithm is taken, as in the lesson."""


def one_hot_encode(y: npt.ArrayLike, n_classes: int = 10) -> Array:
    """Y (m, n_classes) of zeros and a one in each row, from labels y (m,) of 0 to n_classes − 1.

    Raises PasapasError for other labels; the lesson's indexing takes −1 for the last class.
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise PasapasError(
            _("Labels must be whole numbers in one row, (m,), not {dtype} of shape {shape}.").format(
                dtype=labels.dtype, shape=labels.shape
            )
        )
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise PasapasError(
            _("The network knows classes 0 to {last}, but the labels go from {low} to {high}.").format(
                last=n_classes - 1, low=labels.min(), high=labels.max()
            )
        )
    encoded: Array = one_hot(labels.astype(np.intp), n_classes, np.float64)
    return encoded


def cross_entropy_loss(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """L = −Σ Y log P / m, from Y and probabilities P, both (m, n_classes).

    Probabilities are held between 1e-7 and 1 − 1e-7, as in the lesson: a probability that has been rounded to 0 no longer
    says how small it was, and log 0 is infinite. `pasapas.SoftmaxCrossEntropy` needs no such bound, since it starts from the
    scores. Raises PasapasError where the shapes differ.
    """
    Y, P = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
    if Y.ndim != 2 or Y.shape != P.shape:
        raise PasapasError(
            _(
                "Targets and probabilities must have one shape, (m, n_classes), not {targets} and {probabilities}."
            ).format(targets=Y.shape, probabilities=P.shape)
        )
    return float(-np.sum(Y * np.log(np.clip(P, SMALLEST, 1 - SMALLEST))) / len(Y))


def relu(Z: npt.ArrayLike) -> Array:
    """max(0, Z), in the shape of Z."""
    A: Array = ReLU().forward({}, np.asarray(Z))
    return A


def softmax(Z: npt.ArrayLike) -> Array:
    """P (m, n_classes) of scores Z (m, n_classes): each row positive, with sum 1, however large the scores."""
    P: Array = softmax_of_rows(np.asarray(Z, dtype=np.float64))
    return P


def forward_propagation(X: npt.ArrayLike, parameters: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
    """The probabilities A2 (m, n_classes) for X (m, n_in), and the cache {"Z1", "A1", "Z2", "A2"}."""
    network, params = _network(parameters)
    values = forward_pass(network.layers, params, _inputs(X, network))
    A = softmax(values[-1])  # (m, n_classes)
    L = len(network.dense)
    return A, {f"{'ZA'[i % 2]}{i // 2 + 1}": value for i, value in enumerate([*values[1:], A][: 2 * L])}


def backward_propagation(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    parameters: Mapping[str, Array],
    cache: Mapping[str, Array],
    verbose: bool = False,
) -> dict[str, Array]:
    """The gradients {"dW1", "db1", "dW2", "db2"}, each in the shape of its parameter, from what is in `cache`.

    X (m, n_in), Y (m, n_classes), one-hot or other probabilities. `verbose` prints every step: formula, shape, range, and
    which share of ReLU's gates is open. Raises PasapasError where `cache` lacks a value.
    """
    network, params = _network(parameters)
    names = _value_names(network)
    values = [_inputs(X, network)]
    for name in names[1:]:
        if name not in cache:
            raise PasapasError(
                _("The cache lacks {name}: hand over the one that forward_propagation returned.").format(name=name)
            )
        values.append(np.asarray(cache[name]))
    targets = np.asarray(Y, dtype=np.float64)
    if targets.shape != values[-1].shape or len(targets) != len(values[0]):
        raise PasapasError(
            _("Inputs {inputs}, targets {targets} and the cache's scores {scores} do not belong together.").format(
                inputs=values[0].shape, targets=targets.shape, scores=values[-1].shape
            )
        )
    found, deltas = backward_pass(network.layers, params, values, network.loss.gradient(values[-1], targets))
    trained = [gradients for gradients in found if gradients]
    result = {
        f"d{name}{i}": gradients[name].reshape(np.shape(parameters[f"{name}{i}"]))
        for i, gradients in enumerate(trained, 1)
        for name in ("W", "b")
    }
    if verbose:
        print(_account(dict(zip(names, values, strict=True)), dict(zip(names, deltas, strict=True)), result))
    return result


def initialize_parameters(layer_dims: Sequence[int]) -> dict[str, Array]:
    """Fresh parameters for layers of these widths: He's normal weights, biases 0; always the same ones.

    They are the numbers that the lesson draws after `np.random.seed(42)`; here NumPy's own generator is left alone.
    """
    params = mlp(*layer_dims).initialize(He(legacy=True), 42, "float64")
    parameters: dict[str, Array] = {}
    for i, p in enumerate((p for p in params if p), 1):
        parameters |= {f"W{i}": p["W"], f"b{i}": p["b"].reshape(1, -1)}
    return parameters


def update_parameters(
    parameters: Mapping[str, Array], gradients: Mapping[str, Array], learning_rate: float
) -> dict[str, Array]:
    """New parameters p − learning_rate · dp. Raises PasapasError for a gradient that is missing or of another shape."""
    matched = {}
    for name, parameter in parameters.items():
        dp = gradients.get(f"d{name}")
        if dp is None or np.shape(dp) != np.shape(parameter):
            raise PasapasError(
                _("The gradient {name} must have the shape {expected}, not {got}.").format(
                    name=f"d{name}", expected=np.shape(parameter), got=None if dp is None else np.shape(dp)
                )
            )
        matched[name] = dp
    updated, _state = SGD().update([dict(parameters)], [matched], {}, learning_rate)
    return updated[0]


def train_one_epoch(
    X: npt.ArrayLike, Y: npt.ArrayLike, parameters: Mapping[str, Array], learning_rate: float, batch_size: int = 32
) -> tuple[dict[str, Array], float]:
    """New parameters and the mean loss, after a step for each whole batch of X (m, n_in), Y (m, n_classes) as they come.

    As in the lesson, the images that do not fill a last batch are left out. The loss is that of the scores, without the
    bound of `cross_entropy_loss`. Raises PasapasError where there is not one whole batch.
    """
    network, params = _network(parameters)
    inputs, targets = _inputs(X, network), np.asarray(Y, dtype=np.float64)
    n_batches = len(inputs) // batch_size if batch_size > 0 else 0
    if not n_batches or targets.shape != (len(inputs), network.sizes[-1]):
        raise PasapasError(
            _(
                "An epoch needs X (m, n_in) and Y (m, n_classes) with at least one batch of {batch}, not {X} and {Y}."
            ).format(batch=batch_size, X=inputs.shape, Y=targets.shape)
        )
    trained: Sequence[Params] = params
    losses = []
    for i in range(n_batches):
        batch = slice(i * batch_size, (i + 1) * batch_size)
        trained, _state, L, _Z = step(network, SGD(), trained, {}, inputs[batch], targets[batch], learning_rate)
        losses.append(float(L))
    updated = {
        f"{name}{i}": p[name].reshape(np.shape(parameters[f"{name}{i}"]))
        for i, p in enumerate((p for p in trained if p), 1)
        for name in ("W", "b")
    }
    return updated, float(np.mean(losses))


def compute_accuracy(X: npt.ArrayLike, y: npt.ArrayLike, parameters: Mapping[str, Array]) -> float:
    """The share of X (m, n_in) whose most probable class is its label in y (m,), as a fraction."""
    predictions, _cache = forward_propagation(X, parameters)
    labels = np.asarray(y)
    if labels.shape != (len(predictions),):
        raise PasapasError(
            _("There must be one label for each image, ({m},), not an array of shape {shape}.").format(
                m=len(predictions), shape=labels.shape
            )
        )
    return float(np.mean(np.argmax(predictions, axis=1) == labels))


def _network(parameters: Mapping[str, Array]) -> tuple[Network, list[Params]]:
    """The network that `parameters` are for, and the same parameters as a list by layer, with b (n_out,)."""
    L = len(parameters) // 2
    if not L or set(parameters) != {f"{name}{i}" for i in range(1, L + 1) for name in ("W", "b")}:
        raise PasapasError(
            _("Parameters are W1, b1, W2, b2 and so on, not {got}.").format(
                got=", ".join(map(str, parameters)) or _("nothing")
            )
        )
    weights = [np.asarray(parameters[f"W{i}"]) for i in range(1, L + 1)]
    biases = [np.asarray(parameters[f"b{i}"]) for i in range(1, L + 1)]
    fits = all(
        W.ndim == 2 and b.shape in ((1, W.shape[1]), (W.shape[1],)) for W, b in zip(weights, biases, strict=True)
    )
    if not fits or any(V.shape[1] != W.shape[0] for V, W in itertools.pairwise(weights)):
        raise PasapasError(
            _(
                "W (n_in, n_out) and b (1, n_out) of each layer must fit the layer before, but the shapes are {shapes}."
            ).format(shapes=", ".join(f"{name} {np.shape(array)}" for name, array in parameters.items()))
        )
    network = mlp(weights[0].shape[0], *(W.shape[1] for W in weights))
    params: list[Params] = [{} for _layer in network.layers]
    params[::2] = [{"W": W, "b": b.reshape(-1)} for W, b in zip(weights, biases, strict=True)]
    return network, params


def _inputs(X: npt.ArrayLike, network: Network) -> Array:
    """X as an array. Raises PasapasError where it is not (m, n_in)."""
    inputs = np.asarray(X)
    if inputs.ndim != 2 or inputs.shape[1] != network.sizes[0]:
        raise PasapasError(
            _("X must have the shape (m, {n_in}), not {shape}.").format(n_in=network.sizes[0], shape=inputs.shape)
        )
    return inputs


def _value_names(network: Network) -> list[str]:
    """X, Z1, A1, Z2: the values of the forward pass, as the lesson calls them."""
    return ["X", *(f"{'ZA'[i % 2]}{i // 2 + 1}" for i in range(len(network.layers)))]


def _account(values: Mapping[str, Array], deltas: Mapping[str, Array | None], gradients: Mapping[str, Array]) -> str:
    """The steps of a backward pass, one to a line: formula, shape and range."""
    last, m = len(gradients) // 2, len(values["X"])

    def line(formula: str, array: Any) -> str:
        low, high = number(float(np.min(array)), 6), number(float(np.max(array)), 6)
        shown = _("shape {shape}, from {low} to {high}").format(shape=np.shape(array), low=low, high=high)
        return f"  {formula:<26} {shown}"

    lines = [_("Backpropagation, step by step, for a batch of m = {m}").format(m=m)]
    for i in range(last, 0, -1):
        before = f"A{i - 1}" if i > 1 else "X"
        lines += ["", _("Layer {i}").format(i=i)]
        if i == last:
            lines.append(line(f"dZ{i} = (A{i} − Y) / {m}", deltas[f"Z{i}"]))
        else:
            lines.append(line(f"dA{i} = dZ{i + 1} · W{i + 1}.T", deltas[f"A{i}"]))
            lines.append(line(f"dZ{i} = dA{i} ⊙ (Z{i} > 0)", deltas[f"Z{i}"]))
            Z = values[f"Z{i}"]
            active = int(np.sum(Z > 0))
            share = percent(active / Z.size, 1)
            lines.append("  " + _("active {active} / {all}, {share}").format(active=active, all=Z.size, share=share))
        lines.append(line(f"dW{i} = {before}.T · dZ{i}", gradients[f"dW{i}"]))
        lines.append(line(f"db{i} = Σ dZ{i}", gradients[f"db{i}"]))
    lines += ["", _("The lesson divides by m in dW and db; here dZ{last} is divided, once.").format(last=last)]
    return "\n".join(lines)

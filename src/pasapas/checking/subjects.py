"""What is checked: a network of this package, or anybody's function, behind one face."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pasapas.checking.report import Floats
from pasapas.data.dataset import Dataset, scaled
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import ACTIVATIONS, Dense, Dropout, LeakyReLU, ReLU
from pasapas.network import Network, forward

Function = Callable[[Any], tuple[Any, Any]]
"""What a learner writes: from parameters to (loss, gradients)."""


class Subject:
    """What is checked. `arrays` are private float64 copies of the parameters, changed one entry at a time."""

    names: list[str]
    arrays: list[Floats]
    gradients: list[Floats]
    loss: float
    precision: float = float(np.finfo(np.float64).eps)
    sees_kinks: bool

    def at(self, i: int) -> tuple[float, bool]:
        """The loss with `arrays` as they are now, array i changed; and whether a known kink was crossed."""
        raise NotImplementedError

    def assert_unchanged(self) -> None:
        """Raises PasapasError if `arrays` are not what they were at the start."""
        for name, array, before in zip(self.names, self.arrays, self._before, strict=True):
            if not np.array_equal(array, before, equal_nan=True):
                raise PasapasError(
                    _(
                        "The function changes its parameter {name} in place, so no slope can be measured: let it work on a copy."
                    ).format(name=name)
                )

    def _remember(self) -> None:
        self._before = [array.copy() for array in self.arrays]


class OfNetwork(Subject):
    """A network, its parameters and a batch of images."""

    def __init__(self, network: Network, params: Any, X: Any, y: Any) -> None:
        if X is None or y is None:
            raise PasapasError(
                _("A network is checked on images and their labels: gradient_check(network, params, X, y).")
            )
        data = Dataset(np.asarray(X), np.asarray(y))
        data.check_fits(network.sizes[0], network.sizes[-1])
        if len(params) != len(network.layers):
            raise PasapasError(
                _("The network has {layers} layers, but the parameters are for {got}.").format(
                    layers=len(network.layers), got=len(params)
                )
            )
        self.network = network
        self.params = [{name: _as_floats(name, array) for name, array in p.items()} for p in params]
        self.names, self.arrays, self.starts = [], [], []
        m, width, place = len(data), network.sizes[0], 0
        for i, (layer, p) in enumerate(zip(network.layers, self.params, strict=True)):
            if isinstance(layer, Dense):
                _expect_shapes(p, {f"W{place + 1}": (layer.n_in, layer.n_out), f"b{place + 1}": (layer.n_out,)})
                width = layer.n_out
            if isinstance(layer, Dropout) and "mask" in p:
                _expect_shapes(p, {"mask": (m, width)})
            trained = [name for name in p if name != "mask"]
            place += bool(trained)
            for name in trained:
                self.names.append(f"{name}{place}")
                self.arrays.append(p[name])
                self.starts.append(i)
        self.Y = network.loss.targets(data.labels, network.sizes[-1], np.float64)  # (m, n_classes)
        self.values = forward(network.layers, self.params, scaled(data.images, np.float64).copy())
        self.gates = {
            i: self.values[i] > 0 for i, layer in enumerate(network.layers) if isinstance(layer, (ReLU, LeakyReLU))
        }
        self.sees_kinks = all(isinstance(layer, (Dense, Dropout, *ACTIVATIONS.values())) for layer in network.layers)
        self._remember()
        self.loss = _one_number(network.loss_value(self.params, self.values, self.Y))
        found = network.gradients(self.params, self.values, self.Y)
        held = [{name: array for name, array in p.items() if name != "mask"} for p in self.params]
        raw = [value for p, g in zip(held, found, strict=True) for value in _matched(p, g)]
        self.gradients = [_fitting(*three) for three in zip(self.names, raw, self.arrays, strict=True)]

    def at(self, i: int) -> tuple[float, bool]:
        start = self.starts[i]  # what lies before the changed layer stays
        later = forward(self.network.layers[start:], self.params[start:], self.values[start])
        values = [*self.values[:start], *later]
        crossed = any(not np.array_equal(values[j] > 0, gate) for j, gate in self.gates.items() if j > start)
        return float(self.network.loss_value(self.params, values, self.Y)), crossed


class OfFunction(Subject):
    """Any function from parameters to (loss, gradients)."""

    sees_kinks = False

    def __init__(self, f: Function, params: Any) -> None:
        self.f = f
        single = isinstance(params, Mapping)
        if not single and not (isinstance(params, (list, tuple)) and all(isinstance(p, Mapping) for p in params)):
            raise PasapasError(
                _("Parameters are a dictionary of arrays or a list of such dictionaries, not {got}.").format(
                    got=type(params).__name__
                )
            )
        copies = [{k: _as_floats(str(k), v) for k, v in p.items()} for p in ([params] if single else params)]
        self.given: Any = copies[0] if single else copies
        self.names = _names(copies)
        self.arrays = [array for p in copies for array in p.values()]
        if not self.arrays:
            raise PasapasError(_("There are no parameters to check."))
        self._remember()

        answer = f(self.given)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise PasapasError(
                _("The function must return two things, (loss, gradients), not {got}.").format(
                    got=type(answer).__name__
                )
            )
        loss, gradients = answer
        self.loss = _one_number(loss)
        found = [gradients] if single else gradients
        if (
            not isinstance(found, (list, tuple))
            or len(found) != len(copies)
            or not all(isinstance(g, Mapping) for g in found)
        ):
            raise PasapasError(
                _("The gradients must be built like the parameters: a dictionary, or a list of as many.")
            )
        raw = [value for p, g in zip(copies, found, strict=True) for value in _matched(p, g)]
        self.gradients = [_fitting(*three) for three in zip(self.names, raw, self.arrays, strict=True)]
        self.precision = max(map(_precision, [loss, *raw]))
        self.assert_unchanged()
        if abs(self.at(0)[0] - self.loss) > 1e3 * self.precision * max(1.0, abs(self.loss)):
            raise PasapasError(
                _(
                    "The function gives another loss for the same parameters: draw its random numbers, such as dropout masks, once and outside."
                )
            )

    def at(self, i: int) -> tuple[float, bool]:
        return float(np.asarray(self.f(self.given)[0])), False


def _names(params: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of all parameters; with the number of their layer, W1, W2, where one key stands in several layers."""
    filled = [p for p in params if p]
    keys = [str(key) for p in filled for key in p]
    if len(set(keys)) == len(keys):
        return keys
    return [f"{key}{i}" for i, p in enumerate(filled, 1) for key in p]


def _as_floats(name: str, value: Any) -> Floats:
    """A float64 copy, in memory row by row."""
    try:
        array = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise PasapasError(
            _("Parameter {name} must be an array of numbers, not {got}.").format(name=name, got=type(value).__name__)
        ) from None
    if not np.isfinite(array).all():
        raise PasapasError(_("Parameter {name} has values that are NaN or infinite.").format(name=name))
    return array


def _expect_shapes(p: Mapping[str, Floats], shapes: Mapping[str, tuple[int, ...]]) -> None:
    for shown, shape in shapes.items():
        array = p.get(shown.rstrip("0123456789"))
        got = None if array is None else array.shape
        if got != shape:
            raise PasapasError(
                _(
                    "Parameter {name} must have the shape {expected} for this network and these images, not {got}."
                ).format(name=shown, expected=shape, got=got)
            )


def _one_number(loss: Any) -> float:
    """The loss as a float. Raises PasapasError for anything but one finite number."""
    array = np.asarray(loss)
    if array.ndim or array.dtype.kind not in "fiu":
        got = _("an array of shape {shape}").format(shape=array.shape) if array.ndim else type(loss).__name__
        raise PasapasError(_("The loss must be one number, not {got}.").format(got=got))
    if not np.isfinite(array):
        raise PasapasError(_("The loss is {loss}: it must be a finite number.").format(loss=float(array)))
    return float(array)


def _matched(params: Mapping[str, Any], gradients: Mapping[str, Any]) -> Iterator[Any]:
    """The gradient of each parameter, found under its name or with a d before it."""
    left = dict(gradients)
    for name in params:
        key = name if name in left else f"d{name}"
        if key not in left:
            raise PasapasError(
                _("The gradients lack {name}: there are {got}.").format(
                    name=f"d{name}", got=", ".join(map(str, gradients)) or _("none")
                )
            )
        yield left.pop(key)
    if left:
        raise PasapasError(
            _("The gradients have {name}, but there is no such parameter: there are {got}.").format(
                name=", ".join(map(str, left)), got=", ".join(map(str, params))
            )
        )


def _fitting(name: str, gradient: Any, array: Floats) -> Floats:
    """A float64 copy of a gradient. Raises PasapasError where it is not finite numbers in the parameter's shape."""
    try:
        got = np.array(gradient, dtype=np.float64)
    except (TypeError, ValueError):
        raise PasapasError(
            _("The gradient of {name} must be an array of numbers, not {got}.").format(
                name=name, got=type(gradient).__name__
            )
        ) from None
    if got.shape != array.shape:
        raise PasapasError(
            _("The gradient of {name} must have its shape, {expected}, not {got}.").format(
                name=name, expected=array.shape, got=got.shape
            )
        )
    if not np.isfinite(got).all():
        raise PasapasError(_("The gradient of {name} has values that are NaN or infinite.").format(name=name))
    return got


def _precision(value: Any) -> float:
    """The relative rounding error of the numbers in `value`."""
    dtype = np.asarray(value).dtype
    return float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)

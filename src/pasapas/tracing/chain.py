"""The chain rule for one weight or one unit of a traced step, with its actual numbers, down to the sum.

Beside each derivative stands what central differences give for it: the loss, worked out anew in float64 with that one
number a little larger and a little smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Dense, Params
from pasapas.network import forward
from pasapas.tracing.tensors import Trace, layer_names

_STEP = 1e-5


@dataclass(frozen=True)
class Term:
    """One product of a sum: what each factor is called, and its number."""

    factors: tuple[tuple[str, float], ...]

    @property
    def product(self) -> float:
        """The factors multiplied."""
        return float(np.prod([value for _name, value in self.factors]))


@dataclass(frozen=True)
class Sum:
    """`name` = the sum of `terms`; `value` is the number that the step recorded for it."""

    name: str
    terms: tuple[Term, ...]
    value: float


@dataclass(frozen=True)
class Chain:
    """The sums that lead to a derivative, in order; the derivative by its name; and the same by finite differences."""

    name: str
    sums: tuple[Sum, ...]
    value: float
    by_differences: float


def weight(step: Trace, layer: int, i: int, j: int) -> Chain:
    """∂L/∂W of the weight from input i to unit j of dense layer `layer`, counted from 1.

    Each image of the batch gives a term: the input times ∂L/∂Z of the unit. Raises PasapasError for a layer, an input or
    a unit that is not there.
    """
    index, names = _dense(step, layer)
    _within(_("input"), i, step[f"W{layer}"].shape[0])
    _within(_("unit"), j, step[f"W{layer}"].shape[1])
    inputs, delta = step[names["X"]].value[:, i], step[f"dZ{layer}"].value[:, j]
    divide = (("1/m", 1 / step.m),) if step.convention == "per-example" else ()
    terms = [
        Term(((f"{names['X']}[{n},{i}]", float(a)), (f"dZ{layer}[{n},{j}]", float(d)), *divide))
        for n, (a, d) in enumerate(zip(inputs, delta, strict=True))
    ]
    W = step[f"W{layer}"].value
    if step.network.l2:
        terms.append(Term((("l2", step.network.l2), (f"W{layer}[{i},{j}]", float(W[i, j])))))
    name = f"dW{layer}[{i},{j}]"
    value = float(step[f"dW{layer}"].value[i, j])

    def loss(nudge: float) -> float:
        params = _in_float64(step)
        params[index]["W"][i, j] += nudge
        return _loss(step, params, 0, step["X"].value.astype(np.float64))

    return Chain(name, (Sum(name, tuple(terms), value),), value, _central(loss))


def neuron(step: Trace, layer: int, unit: int, image: int = 0) -> Chain:
    """∂L/∂Z of one unit of dense layer `layer`, counted from 1, for one image of the batch, and how its sum came about.

    Raises PasapasError for a layer, a unit or an image that is not there.
    """
    index, names = _dense(step, layer)
    _within(_("unit"), unit, step[f"W{layer}"].shape[1])
    _within(_("image"), image, step.m)
    Z = f"Z{layer}"
    x, w = step[names["X"]].value[image], step[f"W{layer}"].value[:, unit]
    bias = Term(((f"b{layer}[{unit}]", float(step[f"b{layer}"].value[unit])),))
    forward_terms = [
        Term(((f"{names['X']}[{image},{i}]", float(x[i])), (f"W{layer}[{i},{unit}]", float(w[i]))))
        for i in np.flatnonzero(x)
    ]
    sums = [Sum(f"{Z}[{image},{unit}]", (*forward_terms, bias), float(step[Z].value[image, unit]))]
    value = float(step[f"d{Z}"].value[image, unit])
    if layer == len(step.network.dense):
        scale = () if step.convention == "per-example" else (("1/m", 1 / step.m),)
        P, Y = float(step["P"].value[image, unit]), float(step["Y"].value[image, unit])
        terms = (Term(((f"P[{image},{unit}]", P), *scale)), Term((("−1", -1.0), (f"Y[{image},{unit}]", Y), *scale)))
        sums.append(Sum(f"d{Z}[{image},{unit}]", terms, value))
    else:
        above = f"Z{layer + 1}"
        _above_index, above_names = _dense(step, layer + 1)
        top = above_names["X"]
        back = [
            Term(
                (
                    (f"d{above}[{image},{k}]", float(step[f"d{above}"].value[image, k])),
                    (f"W{layer + 1}[{unit},{k}]", float(step[f"W{layer + 1}"].value[unit, k])),
                )
            )
            for k in range(step[above].shape[1])
        ]
        sums.append(Sum(f"d{top}[{image},{unit}]", tuple(back), float(step[f"d{top}"].value[image, unit])))
        slope = Term(((f"d{top}[{image},{unit}]", sums[-1].value), *_slopes(step, index, image, unit)))
        sums.append(Sum(f"d{Z}[{image},{unit}]", (slope,), value))

    def loss(nudge: float) -> float:
        nudged = step[Z].value.astype(np.float64)
        nudged[image, unit] += nudge
        return _loss(step, _in_float64(step), index + 1, nudged)

    differences = _central(loss) * (step.m if step.convention == "per-example" else 1)
    return Chain(f"d{Z}[{image},{unit}]", tuple(sums), value, differences)


def _slopes(step: Trace, index: int, image: int, unit: int) -> list[tuple[str, float]]:
    """The factors from a dense layer's output to the next one's input: the activation's slope, dropout's mask."""
    factors = []
    params, names = step.params(), layer_names(step.network)
    for i in range(index + 1, len(step.network.layers)):
        layer = step.network.layers[i]
        if isinstance(layer, Dense):
            break
        if names[i]["Y"] not in step.tensors:
            continue
        X, Y = (step[names[i][key]].value for key in "XY") if names[i]["X"] in step.tensors else (None, None)
        slope = layer.input_gradient(params[i], X, Y, np.ones_like(Y))
        label = f"{names[i]['M']}[{image},{unit}]" if "mask" in params[i] else f"∂{names[i]['Y']}/∂{names[i]['X']}"
        factors.append((label, float(slope[image, unit])))
    return factors


def _dense(step: Trace, layer: int) -> tuple[int, dict[str, str]]:
    """Where dense layer `layer` stands among all layers, and the names that it has in the trace."""
    _within(_("layer"), layer, len(step.network.dense) + 1, first=1)
    places = [i for i, one in enumerate(step.network.layers) if isinstance(one, Dense)]
    index = places[layer - 1]
    names = dict(layer_names(step.network)[index])
    before = index
    while names["X"] not in step.tensors:  # a dropout layer without a mask stands for its input
        before -= 1
        names["X"] = layer_names(step.network)[before]["X"]
    return index, names


def _within(what: str, value: int, end: int, first: int = 0) -> None:
    if not first <= value < end:
        raise PasapasError(
            _("There is no {what} {value}: they go from {first} to {last}.").format(
                what=what, value=value, first=first, last=end - 1
            )
        )


def _in_float64(step: Trace) -> list[Params]:
    return [{name: array.astype(np.float64) for name, array in p.items()} for p in step.params()]


def _loss(step: Trace, params: list[Params], start: int, values: Any) -> float:
    """The loss in float64, with the forward pass taken up before layer `start`."""
    scores = forward(step.network.layers[start:], params[start:], values)
    return float(step.network.loss_value(params, scores, step["Y"].value.astype(np.float64)))


def _central(loss: Callable[[float], float]) -> float:
    return (loss(_STEP) - loss(-_STEP)) / (2 * _STEP)

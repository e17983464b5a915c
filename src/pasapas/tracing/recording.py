"""Records one training step as a trace.

Nothing is watched while it runs: `forward` and `backward` return every tensor, and here they get their names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.data.dataset import Dataset, scaled
from pasapas.errors import one_of
from pasapas.i18n import _
from pasapas.layers import Dense, Dropout, Layer, LeakyReLU, Params, ReLU, Tanh
from pasapas.losses import softmax
from pasapas.network import Network, backward, forward
from pasapas.optimizers import SGD
from pasapas.tracing import formulas
from pasapas.tracing.formulas import Formula
from pasapas.tracing.tensors import CONVENTIONS, Tensor, Trace, layer_names


def trace(
    network: Network,
    params: Sequence[Params],
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    *,
    learning_rate: float = 0.01,
    convention: str = "mean",
) -> Trace:
    """One step of gradient descent on images X (m, ...) with integer classes y (m,), with every tensor in sight.

    Bytes in X are scaled to 0–1. Masks of dropout layers are shown where `params` has them, as `Network.with_masks` gives
    them. Raises PasapasError for what does not fit together.
    """
    convention = one_of(_("convention"), convention, CONVENTIONS)
    y = np.asarray(y)
    dtype = next(p["W"].dtype for p in params if "W" in p)
    data = Dataset(np.asarray(X), y)
    data.check_fits(network.sizes[0], network.sizes[-1])
    X = scaled(data.images, dtype)
    return _Recorder(network, params, X, y, learning_rate, convention).record()


class _Recorder:
    """Names what forward, loss, backward and update give."""

    def __init__(
        self,
        network: Network,
        params: Sequence[Params],
        X: npt.NDArray[Any],
        y: npt.NDArray[Any],
        learning_rate: float,
        convention: str,
    ) -> None:
        self.network, self.used, self.X, self.y = network, list(params), X, y
        self.params = [{k: v for k, v in p.items() if k != "mask"} for p in params]
        self.learning_rate, self.convention = learning_rate, convention
        self.tensors: dict[str, Tensor] = {}
        self.names = layer_names(network)
        self.last = self.names[-1]["Y"]
        self.steps = list(zip(network.layers, self.used, self.names, strict=True))

    def add(self, name: str, value: Any, stage: str, formula: Formula | str) -> None:
        layer = int("".join(c for c in name if c.isdigit()) or 0)
        if isinstance(formula, str):
            self.tensors[name] = Tensor(name, np.asarray(value), stage, layer, formula, None, formulas.symbol(name))
            return
        latex = f"{formulas.symbol(name)} = {formula.latex}"
        if self.convention == "per-example":  # ℓ is the loss of one example
            latex = re.sub(r"\\partial L\}(?=\{\\partial [ZAD])", r"\\partial \\ell}", latex)
        self.tensors[name] = Tensor(name, np.asarray(value), stage, layer, formula.meaning, formula.text, latex)

    def record(self) -> Trace:
        values = forward(self.network.layers, self.used, self.X)
        dtype = values[-1].dtype
        Y = self.network.loss.targets(self.y, self.network.sizes[-1], dtype)
        gradients, deltas = backward(self.network.layers, self.used, values, self.network.loss.gradient(values[-1], Y))
        gradients = self.network.with_penalty(self.used, gradients)
        new, _state = SGD().update(self.params, gradients, {}, self.learning_rate)

        self.inputs(Y)
        for i, (layer, p, names) in enumerate(self.steps):
            if not (isinstance(layer, Dropout) and "mask" not in p):
                self.add(names["Y"], values[i + 1], "forward", self.forward_formula(layer, names))
        self.add("P", softmax(values[-1]), "forward", formulas.PROBABILITIES.fill(Z=self.last))
        self.add("L", self.network.loss_value(self.used, values, Y), "loss", self.loss_formula())
        self.backward(gradients, deltas)
        self.update(new, gradients)
        masked = [{**p, **({"mask": q["mask"]} if "mask" in q else {})} for p, q in zip(new, self.used, strict=True)]
        after = forward(self.network.layers, masked, self.X)
        self.add("L_new", self.network.loss_value(masked, after, Y), "after", self.loss_after_formula())
        return Trace(self.network, self.learning_rate, self.convention, self.tensors)

    def inputs(self, Y: npt.NDArray[Any]) -> None:
        n, smoothing = str(self.network.sizes[-1]), self.network.loss.label_smoothing
        self.add("X", self.X, "inputs", formulas.INPUTS["X"])
        self.add("y", self.y, "inputs", formulas.INPUTS["y"])
        targets = formulas.SMOOTHED_TARGETS if smoothing else formulas.TARGETS
        self.add("Y", Y, "inputs", targets.fill(n=n, smoothing=repr(smoothing)))
        for _layer, p, names in self.steps:
            for key in p:
                kind = "M" if key == "mask" else key
                self.add(names[kind], p[key], "parameters", formulas.INPUTS[kind])

    def names_in_use(self, names: dict[str, str]) -> dict[str, str]:
        """`names`, where a dropout layer without a mask stands for its input."""
        return {key: self.seen(name) for key, name in names.items()}

    def seen(self, name: str) -> str:
        for layer, p, names in self.steps:
            if names["Y"] == name and isinstance(layer, Dropout) and "mask" not in p:
                return self.seen(names["X"])
        return name

    def forward_formula(self, layer: Layer, names: dict[str, str]) -> Formula:
        return formulas.FORWARD[type(layer)].fill(**self.names_in_use(names), slope=_slope(layer))

    def loss_formula(self) -> Formula:
        formula = formulas.LOSS.fill(Z=self.last)
        if not self.network.l2:
            return formula
        weights = [names["W"] for layer, _p, names in self.steps if isinstance(layer, Dense)]
        half = repr(self.network.l2 / 2)
        text = f"{formula.text} + {half} * ({' + '.join(f'sum({W} ** 2)' for W in weights)})"
        squares = " + ".join(rf"\|{formulas.symbol(W)}\|^2" for W in weights)
        return Formula(text, rf"{formula.latex} + \frac{{\lambda}}{{2}} ({squares})", formula.meaning)

    def backward(self, gradients: Sequence[Params], deltas: Sequence[Any]) -> None:
        per_example = self.convention == "per-example"
        scale = len(self.X) if per_example else 1
        output = formulas.OUTPUT_DELTA_PER_EXAMPLE if per_example else formulas.OUTPUT_DELTA
        self.add(f"d{self.last}", deltas[-1] * scale, "backward", output)
        for i in reversed(range(len(self.steps))):
            layer, p, names = self.steps[i]
            names = self.names_in_use(names)
            dY = f"d{names['Y']}"
            for key, formula in (("W", formulas.WEIGHT_GRADIENT), ("b", formulas.BIAS_GRADIENT)):
                if key in gradients[i]:
                    filled = self.parameter_formula(formula.fill(**names, dY=dY), names[key], per_example)
                    self.add(f"d{names[key]}", gradients[i][key], "backward", filled)
            skipped = isinstance(layer, Dropout) and "mask" not in p
            if deltas[i] is not None and not skipped:
                filled = formulas.INPUT_GRADIENT[type(layer)].fill(**names, dY=dY, slope=_slope(layer))
                self.add(f"d{names['X']}", deltas[i] * scale, "backward", filled)

    def parameter_formula(self, formula: Formula, name: str, per_example: bool) -> Formula:
        text, latex = formula.text, formula.latex
        if per_example:
            text, latex = f"{text} / m", rf"\frac{{1}}{{m}} {latex}"
        if self.network.l2 and name.startswith("W"):
            text, latex = f"{text} + {self.network.l2!r} * {name}", rf"{latex} + \lambda {formulas.symbol(name)}"
        return Formula(text, latex, formula.meaning)

    def update(self, new: Sequence[Params], gradients: Sequence[Params]) -> None:
        for (_layer, _p, names), p in zip(self.steps, new, strict=True):
            for key in p:
                filled = formulas.UPDATED.fill(p=names[key], dp=f"d{names[key]}")
                self.add(f"{names[key]}_new", p[key], "update", filled)

    def loss_after_formula(self) -> Formula:
        """The whole forward pass in one expression, with the new parameters."""
        text = "X"
        for layer, p, names in self.steps:
            if isinstance(layer, Dropout) and "mask" not in p:
                continue
            alone = isinstance(ast.parse(text, mode="eval").body, ast.Name | ast.Call) or type(layer) in (ReLU, Tanh)
            inner = text if alone else f"({text})"
            new = {"W": names["W"] + "_new", "b": names["b"] + "_new", "M": names["M"]}
            text = formulas.FORWARD[type(layer)].text.format(X=inner, slope=_slope(layer), **new)
        loss = self.loss_formula()
        with_scores = loss.text.replace(f"log_softmax({self.last})", f"log_softmax({text})")
        for layer, _p, names in self.steps:
            if isinstance(layer, Dense):
                with_scores = with_scores.replace(f"sum({names['W']} ** 2)", f"sum({names['W']}_new ** 2)")
        return Formula(with_scores, r"-\frac{1}{m} \sum Y \log P^{+}", formulas.LOSS_AFTER)


def _slope(layer: Layer) -> str:
    return repr(layer.slope) if isinstance(layer, LeakyReLU) else ""

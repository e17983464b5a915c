"""The formulas of a training step, once: as text that Python evaluates, as LaTeX, and as a sentence.

Every line of the table is evaluated against what really ran by `tests/tracing/test_formulas.py`, so what is shown
cannot drift from what runs. The names in braces are filled in for each layer: {X} its input, {Y} its output, {W}, {b},
{M} its parameters and mask, {d…} the derivative of the loss by one of them, {slope} a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.i18n import N_
from pasapas.layers import Dense, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from pasapas.losses import log_softmax, one_hot, softmax


@dataclass(frozen=True)
class Formula:
    """`text` is a Python expression, `latex` the same on paper, `meaning` a message to be translated."""

    text: str
    latex: str
    meaning: str

    def fill(self, **names: str) -> Formula:
        """The formula for one layer: names in place of the braces."""
        paper = {name: symbol(value) for name, value in names.items()}
        return Formula(self.text.format(**names), _fill_latex(self.latex, paper), self.meaning)


FORWARD: dict[type, Formula] = {
    Dense: Formula(
        "{X} @ {W} + {b}",
        "<X> <W> + <b>",
        N_("Weighted sums: each unit adds up its inputs, each times its weight, and its bias."),
    ),
    ReLU: Formula(
        "maximum({X}, 0)", r"\max(0, <X>)", N_("Activations: ReLU lets positive sums through and stops the others.")
    ),
    LeakyReLU: Formula(
        "where({X} > 0, {X}, {slope} * {X})",
        r"\max(<X>, <slope> <X>)",
        N_("Activations: leaky ReLU lets positive sums through and a little of the others."),
    ),
    Tanh: Formula("tanh({X})", r"\tanh(<X>)", N_("Activations: tanh squeezes each sum between −1 and 1.")),
    Sigmoid: Formula(
        "1 / (1 + exp(-{X}))",
        r"\frac{1}{1 + e^{-<X>}}",
        N_("Activations: the sigmoid squeezes each sum between 0 and 1."),
    ),
    Dropout: Formula(
        "{X} * {M}", r"<X> \odot <M>", N_("What dropout leaves: some units silenced, the others made larger.")
    ),
}

INPUT_GRADIENT: dict[type, Formula] = {
    Dense: Formula(
        "{dY} @ {W}.T",
        r"<dY> <W>^\top",
        N_(
            "Back through the weights: a unit's blame is the sum, over the units above, of theirs times the weight that leads there."
        ),
    ),
    ReLU: Formula(
        "{dY} * ({X} > 0)",
        r"<dY> \odot \mathbf{1}[<X> > 0]",
        N_("Back through ReLU: where the gate was open the gradient passes, elsewhere it is 0."),
    ),
    LeakyReLU: Formula(
        "where({X} > 0, {dY}, {slope} * {dY})",
        r"<dY> \odot (1 \text{ or } <slope>)",
        N_("Back through leaky ReLU: all of the gradient passes where the sum was positive, a little elsewhere."),
    ),
    Tanh: Formula(
        "{dY} * (1 - {Y} ** 2)",
        r"<dY> \odot (1 - <Y>^2)",
        N_("Back through tanh: times its slope 1 − a², which is small where the unit is saturated."),
    ),
    Sigmoid: Formula(
        "{dY} * {Y} * (1 - {Y})",
        r"<dY> \odot <Y> \odot (1 - <Y>)",
        N_("Back through the sigmoid: times its slope a (1 − a), which is at most a quarter."),
    ),
    Dropout: Formula(
        "{dY} * {M}", r"<dY> \odot <M>", N_("Back through dropout: the same units are silenced on the way back.")
    ),
}

WEIGHT_GRADIENT = Formula(
    "{X}.T @ {dY}",
    r"<X>^\top <dY>",
    N_("For each weight: its input times the blame of its unit, added up over the batch."),
)
BIAS_GRADIENT = Formula(
    "sum({dY}, axis=0)",
    r"\sum_{\text{batch}} <dY>",
    N_("For each bias: the blame of its unit, added up over the batch."),
)
TARGETS = Formula(
    "one_hot(y, {n})", r"\text{one-hot}(y)", N_("What is asked for: 1 for the true class, 0 for the others.")
)
SMOOTHED_TARGETS = Formula(
    "(1 - {smoothing}) * one_hot(y, {n}) + {smoothing} / {n}",
    r"(1 - <smoothing>)\, \text{one-hot}(y) + <smoothing> / <n>",
    N_("What is asked for: nearly 1 for the true class, a little for each other one."),
)
PROBABILITIES = Formula(
    "softmax({Z})",
    r"\frac{e^{<Z>}}{\sum_{\text{classes}} e^{<Z>}}",
    N_("Probabilities: softmax makes the scores positive with the sum 1 for each image."),
)
LOSS = Formula(
    "-sum(Y * log_softmax({Z})) / m",
    r"-\frac{1}{m} \sum Y \log P",
    N_("The loss: the mean over the batch of −log of the probability that the true class was given."),
)
OUTPUT_DELTA = Formula(
    "(P - Y) / m",
    r"\frac{1}{m} (P - Y)",
    N_("Where it begins: probability given minus probability asked for, divided by m since the loss is a mean."),
)
OUTPUT_DELTA_PER_EXAMPLE = Formula(
    "P - Y",
    "P - Y",
    N_("Where it begins: probability given minus probability asked for, for each example; m divides later."),
)
UPDATED = Formula(
    "{p} - learning_rate * {dp}",
    r"<p> - \alpha\, <dp>",
    N_("One step down the slope: the parameter less α times its gradient."),
)
LOSS_AFTER = N_("The loss of the same images with the new parameters.")
INPUTS = {
    "X": N_("The inputs: a row for each image of the batch, a column for each pixel."),
    "y": N_("The true classes of the images."),
    "W": N_("Weights: a row for each input, a column for each unit."),
    "b": N_("Biases: one for each unit."),
    "M": N_("The mask that dropout drew: 0 silences a unit, the others are made larger to keep the mean."),
}


def symbol(name: str) -> str:
    """The LaTeX of a tensor's name: Z1 is Z_1, dZ1 is ∂L/∂Z_1, W1_new is W_1 with a plus."""
    if name.endswith("_new"):
        return symbol(name.removesuffix("_new")) + "^{+}"
    if match := re.fullmatch(r"d([A-Z]|b)(\d*)", name):
        return rf"\frac{{\partial L}}{{\partial {symbol(match[1] + match[2])}}}"
    if match := re.fullmatch(r"([A-Za-z])(\d+)", name):
        return f"{match[1]}_{{{match[2]}}}" if len(match[2]) > 1 else f"{match[1]}_{match[2]}"
    return name


def _fill_latex(latex: str, names: Mapping[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda match: names[match[1]], latex)


_FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log_softmax": log_softmax,
    "maximum": np.maximum,
    "one_hot": lambda y, n: one_hot(y, n, np.float64),
    "softmax": softmax,
    "sum": np.sum,
    "tanh": np.tanh,
    "where": np.where,
}


def evaluate(text: str, values: Mapping[str, Any]) -> Any:
    """The value of a formula's text, where `values` has the tensors by name, `m` and `learning_rate`.

    For formulas of this module only: text from a file must never come here.
    """
    return eval(text, {"__builtins__": {}}, {**_FUNCTIONS, **values})

"""What a trace holds: the tensors of one training step, under the lesson's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Dense, Dropout, Params, ReLU
from pasapas.network import Network
from pasapas.tracing import formulas

CONVENTIONS = ("mean", "per-example")
STAGES = ("inputs", "parameters", "forward", "loss", "backward", "update", "after")


@dataclass(frozen=True, repr=False)
class Tensor:
    """One array of a step. `layer` counts dense layers from 1; 0 is before the first. Inputs have no formula.

    `formula` is a Python expression over the other tensors; `latex` is the same as an equation.
    """

    name: str
    value: npt.NDArray[Any]
    stage: str
    layer: int
    meaning_id: str
    formula: str | None = None
    latex: str = ""

    def __repr__(self) -> str:
        formula = f" = {self.formula}" if self.formula else ""
        return f"Tensor({self.name}{formula}, shape {self.shape})"

    @property
    def meaning(self) -> str:
        """What it is, in a sentence in the language spoken now."""
        return _(self.meaning_id)

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape; () for the loss."""
        return self.value.shape

    @property
    def minimum(self) -> float:
        """Its least value."""
        return float(self.value.min())

    @property
    def maximum(self) -> float:
        """Its greatest value."""
        return float(self.value.max())

    @property
    def mean_absolute(self) -> float:
        """The mean of the absolute values."""
        return float(np.mean(np.abs(self.value.astype(np.float64))))

    @property
    def zeros(self) -> float:
        """The share of values that are exactly 0."""
        return float(np.mean(self.value == 0))


@dataclass(frozen=True, repr=False)
class Trace:
    """The tensors of one step by name, in the order of the computation: `trace["dZ1"].value`.

    `convention` is "mean", where every d… is the derivative of the mean loss, or "per-example", where the d… of values
    are those of each example's own loss and the division by m comes with the parameters' gradients, as in the lesson.
    """

    network: Network
    learning_rate: float
    convention: str
    tensors: Mapping[str, Tensor] = field(default_factory=dict)

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.network.sizes))
        return f"Trace({sizes}, m = {self.m}, loss {self.loss:.4f} before, {self.loss_after:.4f} after)"

    def __getitem__(self, name: str) -> Tensor:
        try:
            return self.tensors[name]
        except KeyError:
            raise PasapasError(
                _("This step has no tensor '{name}'; it has {names}.").format(name=name, names=", ".join(self.tensors))
            ) from None

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.tensors.values())

    def __len__(self) -> int:
        return len(self.tensors)

    @property
    def m(self) -> int:
        """The number of images in the batch."""
        return len(self["X"].value)

    @property
    def loss(self) -> float:
        """The loss before the step."""
        return float(self["L"].value)

    @property
    def loss_after(self) -> float:
        """The loss of the same images after it."""
        return float(self["L_new"].value)

    def params(self, suffix: str = "") -> list[Params]:
        """The parameters, layer by layer, with dropout's masks; with the suffix "_new" those after the step."""
        params: list[Params] = []
        for layer, names in zip(self.network.layers, layer_names(self.network), strict=True):
            if isinstance(layer, Dense):
                params.append({p: self[names[p] + suffix].value for p in ("W", "b")})
            else:
                params.append({"mask": self[names["M"]].value} if names["M"] in self.tensors else {})
        return params

    def evaluate(self, name: str) -> Any:
        """The value that the formula of tensor `name` gives for the recorded arrays."""
        text = self[name].formula
        if text is None:
            return self[name].value
        values = {tensor.name: tensor.value for tensor in self}
        return formulas.evaluate(text, {**values, "m": self.m, "learning_rate": self.learning_rate})

    def save(self, path: str | Path) -> Path:
        """Writes the trace as a capsule; see `pasapas.tracing.capsule`."""
        from pasapas.tracing.capsule import save

        return save(self, path)

    def _repr_html_(self) -> str:
        from pasapas.tracing.html import as_html

        return as_html(self)


def layer_names(network: Network) -> list[dict[str, str]]:
    """For each layer the lesson's names of its input X, output Y, parameters W and b, and mask M."""
    names = []
    k, current = 0, "X"
    for layer in network.layers:
        before = current
        if isinstance(layer, Dense):
            k += 1
        current = f"{'Z' if isinstance(layer, Dense) else 'D' if isinstance(layer, Dropout) else 'A'}{k}"
        names.append({"X": before, "Y": current, "W": f"W{k}", "b": f"b{k}", "M": f"M{k}"})
    return names


def open_gates(tensor: Tensor, trace: Trace) -> tuple[int, int] | None:
    """How many units of a ReLU layer let their sum through, and of how many; None for other tensors."""
    for layer, names in zip(trace.network.layers, layer_names(trace.network), strict=True):
        if isinstance(layer, ReLU) and tensor.name in (names["Y"], f"d{names['X']}"):
            Z = trace[names["X"]].value
            return int(np.sum(Z > 0)), Z.size
    return None

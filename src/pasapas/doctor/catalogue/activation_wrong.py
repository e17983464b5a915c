"""The hidden activation is not the function that its name says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay

Function = Callable[[Floats], Floats]


def _instead(function: Function, name: str) -> type[Replay]:
    """Another function in place of the hidden activation of this name; its derivative stays that of the right one."""

    class Instead(Replay):
        def activation(self, l: int, Z: Floats) -> Floats:
            layers = [k for k in range(1, self.L) if self.here(k) and self.name(k).startswith(name)]
            if not layers:
                raise ValueError("no such activation here")
            if l not in layers:
                return super().activation(l, Z)
            A, mask = np.asarray(function(Z)), self.problem.mask(l)
            return A if mask is None else A * mask

    return Instead


def _sigmoid(Z: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * Z)))


def _exchanged(slope: float) -> Function:
    return lambda Z: np.where(Z > 0, slope * Z, Z)


def _constant(slope: float) -> Function:
    return lambda Z: np.where(Z > 0, Z, slope)


def _folded(slope: float) -> Function:
    return lambda Z: np.where(Z > 0, Z, -slope * Z)


_FUNCTIONS: dict[str, tuple[Function, ...]] = {
    "relu": (
        lambda Z: np.minimum(0, Z),
        np.abs,
        lambda Z: np.maximum(0, -Z),
        lambda Z: np.maximum(1, Z),
        lambda Z: np.minimum(1, Z),
        lambda Z: (Z > 0) * 1.0,
        lambda Z: Z,
        lambda Z: np.where(Z > 0, Z, 0.01 * Z),
        lambda Z: np.where(Z > 0, Z, 1.0),
        lambda Z: Z * Z * (Z > 0),
        _sigmoid,
        np.tanh,
    ),
    "leaky-relu": (
        *(kind(slope) for slope in (0.01, 0.1, 0.2) for kind in (_exchanged, _constant, _folded)),
        lambda Z: np.maximum(0, Z),
        lambda Z: Z,
    ),
    "sigmoid": (
        lambda Z: _sigmoid(-Z),
        lambda Z: 1 / (1 - np.exp(-Z)),
        lambda Z: 1 + np.exp(-Z),
        lambda Z: 1 / np.exp(-Z),
        lambda Z: np.exp(-Z),
        lambda Z: 1 / (1 + np.exp(-Z)) ** 2,
        lambda Z: _sigmoid(_sigmoid(Z)),
        np.tanh,
        lambda Z: Z,
    ),
    "tanh": (
        np.sinh,
        np.tan,
        lambda Z: -np.tanh(Z),
        lambda Z: 1 / np.tanh(Z),
        lambda Z: np.tanh(0.5 * Z),
        lambda Z: np.tanh(2 * Z),
        lambda Z: 1.7159 * np.tanh(2 / 3 * Z),
        lambda Z: np.tanh(np.tanh(Z)),
        lambda Z: 1 - np.tanh(Z) ** 2,
        _sigmoid,
        lambda Z: Z,
    ),
}

MISTAKE = Mistake(
    code="activation-wrong",
    stage="forward",
    name=Text(en="The activation is another function", fr="L’activation est une autre fonction"),
    hints=(
        Text(
            en="Look at the activation of layer {layer}: what does it give for Z = −2, Z = 0 and Z = 2?",
            fr="Regarder l’activation de la couche {layer} : que donne-t-elle pour Z = −2, Z = 0 et Z = 2 ?",
        ),
        Text(
            en="The three values do not belong to the function of that name. On paper, ReLU gives 0, 0, 2; leaky ReLU with slope 0.01 gives −0.02, 0, 2; sigmoid 0.12, 0.5, 0.88; tanh −0.96, 0, 0.96. Which of them does the code miss, and is it a sign, a comparison or a bracket?",
            fr="Les trois valeurs ne sont pas celles de la fonction de ce nom. Sur le papier, ReLU donne 0, 0, 2 ; leaky ReLU de pente 0,01 donne (−0,02 ; 0 ; 2), la sigmoïde (0,12 ; 0,5 ; 0,88), tanh (−0,96 ; 0 ; 0,96). Laquelle de ces valeurs le code manque-t-il, et est-ce un signe, une comparaison ou une parenthèse ?",
        ),
        Text(
            en="Write it as its name says: ReLU `np.maximum(0, Z)`, leaky ReLU `np.where(Z > 0, Z, slope * Z)`, sigmoid `1 / (1 + np.exp(-Z))`, tanh `np.tanh(Z)`.",
            fr="L’écrire comme son nom le dit : ReLU `np.maximum(0, Z)`, leaky ReLU `np.where(Z > 0, Z, slope * Z)`, sigmoïde `1 / (1 + np.exp(-Z))`, tanh `np.tanh(Z)`.",
        ),
    ),
    lesson="2-forward",
    replays=tuple(
        Replays(_instead(function, name), "A{l}", "hidden", needs=(name,))
        for name, functions in _FUNCTIONS.items()
        for function in functions
    ),
    examples={
        "entiers": {
            "return np.where(s > 0, s, SLOPE * s)": "return np.where(s > 0, s, -SLOPE * s)",
        },
        "lesson": {
            "return np.maximum(0, Z)": "return np.minimum(0, Z)",
        },
        "couches": {
            "self.outputs = np.tanh(inputs)": "self.outputs = (np.exp(inputs) - np.exp(-inputs)) / (np.exp(inputs) + np.exp(inputs))",
        },
        "classe": {
            "return 1 / (1 + np.exp(-Z))": "return 1 / (1 + np.exp(Z))",
        },
    },
    trains=True,
)

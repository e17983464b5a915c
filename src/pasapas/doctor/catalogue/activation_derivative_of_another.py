"""The derivative of another function than the activation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.catalogue._making import other_derivative
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay

Factor = Callable[[Replay, int], Floats]


def _step(replay: Replay, l: int) -> Floats:
    return np.asarray(replay.Z[l] > 0, dtype=float)


def _closed(replay: Replay, l: int) -> Floats:
    """ReLU's mask the wrong way round."""
    return np.asarray(replay.Z[l] <= 0, dtype=float)


def _slope(slope: float) -> Factor:
    def leaky(replay: Replay, l: int) -> Floats:
        if replay.name(l) == f"leaky-relu {slope}":
            raise ValueError("the right slope")
        return np.where(replay.Z[l] > 0, 1.0, slope)

    return leaky


def _exchanged(replay: Replay, l: int) -> Floats:
    """Leaky ReLU's two slopes in each other's place."""
    slope = float(replay.name(l).split()[1])
    return np.where(replay.Z[l] > 0, slope, 1.0)


def _of_tanh(replay: Replay, l: int) -> Floats:
    """tanh's derivative as a formula in A."""
    return 1 - replay.unmasked(l) ** 2


def _tanh_there(replay: Replay, l: int) -> Floats:
    return np.asarray(1 - np.tanh(replay.Z[l]) ** 2)


def _of_sigmoid(replay: Replay, l: int) -> Floats:
    """The sigmoid's derivative as a formula in A."""
    A = replay.unmasked(l)
    return np.asarray(A * (1 - A))


def _sigmoid_there(replay: Replay, l: int) -> Floats:
    return np.asarray(0.25 / np.cosh(replay.Z[l] / 2) ** 2)


def _value(replay: Replay, l: int) -> Floats:
    return replay.unmasked(l)


def _rest(replay: Replay, l: int) -> Floats:
    return 1 - replay.unmasked(l)


def _square(replay: Replay, l: int) -> Floats:
    return replay.unmasked(l) ** 2


def _plus(replay: Replay, l: int) -> Floats:
    return 1 + replay.unmasked(l) ** 2


_FACTORS: dict[str, tuple[Factor, ...]] = {
    "relu": (_of_tanh, _tanh_there, _of_sigmoid, _sigmoid_there, _slope(0.01), _slope(0.1), _value, _rest, _closed),
    "tanh": (_of_sigmoid, _sigmoid_there, _step, _slope(0.01), _value, _rest, _square, _plus),
    "sigmoid": (_of_tanh, _tanh_there, _step, _slope(0.01), _value, _rest, _square),
    "leaky-relu": (
        _step,
        *(_slope(slope) for slope in (0.01, 0.1, 0.2)),
        _exchanged,
        _of_tanh,
        _tanh_there,
        _of_sigmoid,
        _sigmoid_there,
        _value,
    ),
}

MISTAKE = Mistake(
    code="activation-derivative-of-another",
    stage="backward",
    name=Text(en="The derivative of another function", fr="La dérivée d’une autre fonction"),
    hints=(
        Text(
            en="Look at the factor that the activation brings into dZ{layer}, next to the activation that layer {layer} has in the forward pass.",
            fr="Regarder le facteur que l’activation apporte dans dZ{layer}, à côté de l’activation de la couche {layer} dans la passe avant.",
        ),
        Text(
            en="This factor is not the slope of the function that the forward pass applies. On paper, draw that function, read off its slope at Z = −2, 0.5 and 2, and compute the code's factor at the same places. A ReLU has the slopes 0 and 1 only, tanh's lie between 0 and 1, the sigmoid's never exceed 1/4.",
            fr="Ce facteur n’est pas la pente de la fonction que la passe avant applique. Sur le papier, dessiner cette fonction, lire sa pente en Z = −2 ; 0,5 ; 2, et calculer le facteur du code aux mêmes endroits. ReLU n’a que les pentes 0 et 1, celles de tanh sont entre 0 et 1, celles de la sigmoïde ne dépassent jamais 1/4.",
        ),
        Text(
            en="Take the derivative of the layer's own activation: ReLU `(Z{layer} > 0)`, leaky ReLU `np.where(Z{layer} > 0, 1, slope)`, tanh `1 - A{layer} ** 2`, sigmoid `A{layer} * (1 - A{layer})`.",
            fr="Prendre la dérivée de l’activation de la couche elle-même : ReLU `(Z{layer} > 0)`, leaky ReLU `np.where(Z{layer} > 0, 1, slope)`, tanh `1 - A{layer} ** 2`, sigmoïde `A{layer} * (1 - A{layer})`.",
        ),
    ),
    lesson="5-derivation",
    replays=tuple(
        Replays(other_derivative(factor, name), "dZ{l}", needs=(name,))
        for name, factors in _FACTORS.items()
        for factor in factors
    ),
    examples={
        "entiers": {
            "ds1 = np.where(s1 > 0, dh, SLOPE * dh)": "ds1 = dh * (s1 > 0)",
        },
        "profond": {
            "return dA * (1 - np.tanh(Z) ** 2)": "return dA * (Z > 0)",
        },
        "classe": {
            "return A * (1 - A)": "return 1 - A**2",
        },
        "tanh": {
            "delta1 = dA1 * (1 - np.tanh(Z1) ** 2)": "delta1 = dA1 * A1 * (1 - A1)",
        },
        "lesson": {
            "dZ1 = dA1 * (Z1 > 0)": "dZ1 = dA1 * (1 - A1**2)",
        },
    },
    trains=True,
)

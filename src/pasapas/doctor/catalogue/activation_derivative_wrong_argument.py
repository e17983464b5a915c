"""The right derivative, fed the wrong tensor or applied twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.catalogue._making import layer, other_derivative
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import FUNCTIONS, Floats, Replay


def _sigmoid(Z: Floats) -> Floats:
    return np.asarray(FUNCTIONS["sigmoid"].forward({}, Z))


def _twice(replay: Replay, l: int) -> Floats:
    return np.asarray(replay.derivative(replay.name(l), replay.Z[l], replay.unmasked(l)) ** 2)


def _of_layer(by: int) -> Callable[[Replay, int], Floats]:
    """The derivative at Z of another layer, which sizes that are equal allow."""

    def derivative(replay: Replay, l: int) -> Floats:
        Z = layer(replay.Z, l + by)
        if Z.shape != replay.Z[l].shape:
            raise ValueError("another size")
        return replay.derivative(replay.name(l), Z, np.asarray(replay.function(l).forward({}, Z)))

    return derivative


def _after_dropout(replay: Replay, l: int) -> Floats:
    if replay.problem.mask(l) is None:
        raise ValueError("no dropout")
    return replay.derivative(replay.name(l), replay.Z[l], replay.A[l])


class _SigmoidAtZ(Replay):
    """Z(1 − Z) in every sigmoid layer, the output too, where the code goes through ∂L/∂P though P − Y would do."""

    def output_delta(self) -> Floats:
        if not self.simple or self.name(self.L) != "sigmoid":
            raise ValueError("no sigmoid, or its derivative is not part of P − Y")
        return np.asarray(self.problem.scale * self.loss_gradient() * self.activation_derivative(self.L))

    def activation_derivative(self, l: int) -> Floats:
        Z = self.Z[l]
        return Z * (1 - Z) if self.name(l) == "sigmoid" else super().activation_derivative(l)


MISTAKE = Mistake(
    code="activation-derivative-wrong-argument",
    stage="backward",
    name=Text(
        en="The activation's derivative is taken at the wrong place",
        fr="La dérivée de l’activation est prise au mauvais endroit",
    ),
    hints=(
        Text(
            en="Look at what the activation's derivative is given in dZ{layer}, at what its formula expects, and at how often it is applied.",
            fr="Regarder ce qui est donné à la dérivée de l’activation dans dZ{layer}, ce que sa formule attend, et combien de fois elle est appliquée.",
        ),
        Text(
            en="A derivative can be written for Z, or for the value A = f(Z) that is already there; each formula goes wrong with the other's argument, or if it is applied twice. On paper, draw the activation's curve, read off its slope at Z = 0 and at Z = 2 (for tanh 1 and 0.07, for sigmoid 0.25 and 0.10), and compare with the numbers of the code.",
            fr="Une dérivée peut s’écrire pour Z, ou pour la valeur A = f(Z) qui est déjà là ; chaque formule devient fausse avec l’argument de l’autre, ou si elle est appliquée deux fois. Sur le papier, dessiner la courbe de l’activation, lire sa pente en Z = 0 et en Z = 2 (pour tanh 1 et 0,07, pour la sigmoïde 0,25 et 0,10), et comparer avec les nombres du code.",
        ),
        Text(
            en="For tanh, `1 - A{layer} ** 2` or `1 - np.tanh(Z{layer}) ** 2`; for sigmoid, `A{layer} * (1 - A{layer})` or `sigmoid(Z{layer}) * (1 - sigmoid(Z{layer}))`; always the Z or A of the same layer, from before dropout, and once.",
            fr="Pour tanh, `1 - A{layer} ** 2` ou `1 - np.tanh(Z{layer}) ** 2` ; pour la sigmoïde, `A{layer} * (1 - A{layer})` ou `sigmoid(Z{layer}) * (1 - sigmoid(Z{layer}))` ; toujours le Z ou le A de la même couche, d’avant le dropout, et une seule fois.",
        ),
    ),
    lesson="5-derivation",
    replays=(
        Replays(other_derivative(lambda r, l: 1 - r.Z[l] ** 2, "tanh"), "dZ{l}", needs=("tanh",)),
        Replays(other_derivative(lambda r, l: 1 - np.tanh(r.unmasked(l)) ** 2, "tanh"), "dZ{l}", needs=("tanh",)),
        Replays(other_derivative(lambda r, l: r.Z[l] * (1 - r.Z[l]), "sigmoid"), "dZ{l}", needs=("sigmoid",)),
        Replays(
            other_derivative(lambda r, l: _sigmoid(s := r.unmasked(l)) * (1 - _sigmoid(s)), "sigmoid"),
            "dZ{l}",
            needs=("sigmoid",),
        ),
        Replays(
            other_derivative(_twice, "tanh", "sigmoid", "leaky-relu"),
            "dZ{l}",
            needs=("tanh", "sigmoid", "leaky-relu"),
        ),
        Replays(other_derivative(_after_dropout, "tanh", "sigmoid"), "dZ{l}", needs=("tanh", "sigmoid")),
        Replays(_SigmoidAtZ, "dZ{L}", "all", needs=("sigmoid",)),
        Replays(other_derivative(_of_layer(1)), "dZ{l}"),
        Replays(other_derivative(_of_layer(-1)), "dZ{l}"),
    ),
    examples={
        "tanh": {
            "delta1 = dA1 * (1 - np.tanh(Z1) ** 2)": "delta1 = dA1 * (1 - np.tanh(A1) ** 2)",
        },
        "classe": {
            "return A * (1 - A)": "return sigmoide(A) * (1 - sigmoide(A))",
        },
        "profond": {
            "return dA * (1 - np.tanh(Z) ** 2)": "return dA * (1 - Z**2)",
        },
        "couches": {
            "self.outputs = np.tanh(inputs)\n        return self.outputs": "self.inputs = inputs\n        return np.tanh(inputs)",
            "return grad * (1.0 - self.outputs**2)": "return grad * (1.0 - self.inputs**2)",
        },
        "binaire": {
            "dZ1 = dA1 * (1 - A1 * A1)": "dZ1 = dA1 * (1 - np.tanh(A1) ** 2)",
        },
    },
    trains=True,
)

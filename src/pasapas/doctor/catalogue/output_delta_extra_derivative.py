"""P − Y is multiplied by a derivative that it already contains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _times(derivative: Callable[[Floats, Floats], Floats]) -> type[Replay]:
    """δ of the last layer times a derivative, from its Z and its P."""

    class Times(Replay):
        def output_delta(self) -> Floats:
            if not self.simple:
                raise ValueError("the derivative belongs here")
            return super().output_delta() * derivative(self.Z[self.L], self.A[self.L])

    return Times


class _Jacobian(Replay):
    """The whole Jacobian of softmax, once more."""

    def output_delta(self) -> Floats:
        if self.name(self.L) != "softmax" or not self.simple:
            raise ValueError("no softmax that is already contained")
        d, P = super().output_delta(), self.A[self.L]
        return np.asarray(P * (d - np.sum(P * d, axis=1, keepdims=True)))


MISTAKE = Mistake(
    code="output-delta-extra-derivative",
    stage="backward",
    name=Text(
        en="One derivative too many at the output",
        fr="Une dérivée de trop à la sortie",
    ),
    hints=(
        Text(
            en="Look at dZ{last}, δ of the output layer: of which function, with respect to which variable, is P − Y the derivative?",
            fr="Regarder dZ{last}, le δ de la couche de sortie : de quelle fonction, et par rapport à quelle variable, P − Y est-il la dérivée ?",
        ),
        Text(
            en="P − Y already is the derivative with respect to the scores Z{last}: that of the output function is part of it and has cancelled against that of the cross-entropy. On paper, let the network be certain and wrong, P = 0.999 where Y = 0: the correction should be strongest there, and the extra factor makes it almost vanish.",
            fr="P − Y est déjà la dérivée par rapport aux scores Z{last} : celle de la fonction de sortie y est comprise, elle s’est simplifiée avec celle de l’entropie croisée. Sur le papier, prendre un réseau sûr de lui et dans l’erreur, P = 0,999 là où Y = 0 : la correction devrait y être la plus forte, et le facteur de trop la fait presque disparaître.",
        ),
        Text(
            en="Leave `dZ{last} = (P - Y) / m` as it is: with softmax or sigmoid and the cross-entropy, no derivative follows. Only hidden layers multiply, `dZ = dA * derivative`. (With the squared error the output's derivative is needed, exactly once.)",
            fr="Laisser `dZ{last} = (P - Y) / m` tel quel : avec softmax ou sigmoïde et l’entropie croisée, aucune dérivée ne suit. Seules les couches cachées multiplient, `dZ = dA * derivative`. (Avec l’erreur quadratique, la dérivée de la sortie est nécessaire, exactement une fois.)",
        ),
    ),
    lesson="5-derivation",
    replays=(
        Replays(_times(lambda Z, P: P * (1 - P)), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: 1 - P * P), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: (Z > 0) * 1.0), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: np.where(Z > 0, 1.0, 0.01)), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: 1 - np.tanh(Z) ** 2), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: 0.25 / np.cosh(Z / 2) ** 2), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: P), "dZ{L}", "all"),
        Replays(_times(lambda Z, P: Z * (1 - Z)), "dZ{L}", "all"),
        Replays(_Jacobian, "dZ{L}", "all", needs=("softmax",)),
    ),
    examples={
        "profond": {
            "dZ = AL - Y": "dZ = (AL - Y) * AL * (1 - AL)",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "delta2 = (Yhat - Y) * Yhat * (1 - Yhat) / m",
        },
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = (A2 - Y) * A2 * (1 - A2)",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = (self.A3 - Y) * derivee_sigmoide(self.A3)",
        },
        "binaire": {
            "dZ2 = (A2 - y) / m": "dZ2 = (A2 - y) * A2 * (1 - A2) / m",
        },
    },
    trains=True,
)

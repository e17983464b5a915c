"""∂L/∂P taken for ∂L/∂Z."""

from __future__ import annotations

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


class _WithoutJacobian(Replay):
    """∂L/∂P in place of ∂L/∂Z; for an element-wise output function that is a derivative missing, and not this mistake."""

    def output_delta(self) -> Floats:
        if self.name(self.L) == "identity" or self.differentiates(self.L):
            raise ValueError("no softmax, and no sigmoid with its own loss")
        return self.problem.scale * self.loss_gradient()


class _BothLabels(Replay):
    """(P − Y) / (P (1 − P)), the derivative of the binary cross-entropy, for a softmax."""

    def output_delta(self) -> Floats:
        if self.name(self.L) != "softmax":
            raise ValueError("no softmax")
        P = self.A[self.L]
        with np.errstate(all="ignore"):
            return np.asarray(self.problem.scale * (P - self.targets()) / (P * (1 - P)))


MISTAKE = Mistake(
    code="output-delta-without-jacobian",
    stage="backward",
    name=Text(
        en="The output function's derivative is missing",
        fr="La dérivée de la fonction de sortie manque",
    ),
    hints=(
        Text(
            en="Look at the first line of the backward pass: with respect to which variable is the derivative that it computes, the probabilities P or the scores Z{last}?",
            fr="Regarder la première ligne de la passe arrière : par rapport à quelle variable y dérive-t-on, les probabilités P ou les scores Z{last} ?",
        ),
        Text(
            en="From Z{last} to the loss there are two functions, the output function and the loss, so two derivatives; only that of the loss, with respect to P, is there. On paper, for −log of the right class's probability: raising the score of another class lowers that probability, so δ is not 0 for the wrong classes. What does the code give for them?",
            fr="De Z{last} à la perte il y a deux fonctions, celle de la sortie et la perte, donc deux dérivées ; seule celle de la perte, par rapport à P, est là. Sur le papier, pour −log de la probabilité de la vraie classe : monter le score d’une autre classe baisse cette probabilité, donc δ n’est pas nul pour les classes fausses. Que donne le code pour elles ?",
        ),
        Text(
            en="Go on from dP to Z: for softmax `dZ{last} = P * (dP - np.sum(P * dP, axis=1, keepdims=True))`, for sigmoid `dZ{last} = dP * P * (1 - P)`. With the cross-entropy both come down to `dZ{last} = (P - Y) / m`.",
            fr="Continuer de dP à Z : pour softmax `dZ{last} = P * (dP - np.sum(P * dP, axis=1, keepdims=True))`, pour la sigmoïde `dZ{last} = dP * P * (1 - P)`. Avec l’entropie croisée, les deux se ramènent à `dZ{last} = (P - Y) / m`.",
        ),
    ),
    lesson="5-derivation",
    replays=(
        Replays(_WithoutJacobian, "dZ{L}", "all", needs=("softmax", "sigmoid")),
        Replays(_BothLabels, "dZ{L}", "all", needs=("softmax",)),
    ),
    examples={
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = -Y / A2",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "delta2 = -Y / (Yhat + 1e-10) / m",
        },
        "profond": {
            "dZ = AL - Y": "dZ = -(Y / AL)",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = -Y / (self.A3 + 1e-12)",
        },
        "couches": {
            "grad = self.probabilities.copy()": "grad = np.zeros_like(self.probabilities)",
            "grad[np.arange(m), self.digits] -= 1.0": "grad[np.arange(m), self.digits] = -1.0 / self.probabilities[np.arange(m), self.digits]",
        },
    },
)

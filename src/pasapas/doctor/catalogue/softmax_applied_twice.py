"""Softmax of a softmax."""

from __future__ import annotations

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay
from pasapas.losses import softmax


class _Forward(Replay):
    """The network gives the softmax of its probabilities."""

    def output(self, Z: Floats) -> Floats:
        if self.name(self.L) != "softmax":
            raise ValueError("no softmax")
        return np.asarray(softmax(super().output(Z)))


class _Backward(Replay):
    """Only the backward pass applies softmax to P once more."""

    def output_delta(self) -> Floats:
        if self.name(self.L) != "softmax":
            raise ValueError("no softmax")
        P = self.A[self.L]
        self.A[self.L] = np.asarray(softmax(P))
        try:
            return super().output_delta()
        finally:
            self.A[self.L] = P


MISTAKE = Mistake(
    code="softmax-applied-twice",
    stage="forward",
    name=Text(en="Softmax is applied twice", fr="Softmax est appliqué deux fois"),
    hints=(
        Text(
            en="Follow the scores Z{last} on their way to the loss and to the backward pass: which functions do they go through?",
            fr="Suivre les scores Z{last} sur leur chemin vers la perte et vers la passe arrière : par quelles fonctions passent-ils ?",
        ),
        Text(
            en="Softmax comes twice, and what goes into the second one are no longer scores but probabilities between 0 and 1. On paper, with two classes and total certainty (1, 0) after the first: the second makes (0.73, 0.27) of it, so the network can never be certain and the loss never gets near 0.",
            fr="Softmax intervient deux fois, et ce qui entre dans le second, ce ne sont plus des scores mais des probabilités entre 0 et 1. Sur le papier, avec deux classes et une certitude totale (1 ; 0) après le premier : le second en fait (0,73 ; 0,27), donc le réseau ne peut jamais être sûr et la perte ne s’approche jamais de 0.",
        ),
        Text(
            en="Apply it once: `P = softmax(Z{last})` at the end of the forward pass, and let the loss and `dZ{last} = (P - Y) / m` use this P as it is. A loss that wants scores (“from logits”) applies softmax itself: give it Z{last}.",
            fr="L’appliquer une fois : `P = softmax(Z{last})` à la fin de la passe avant, et laisser la perte et `dZ{last} = (P - Y) / m` utiliser ce P tel quel. Une perte qui attend des scores (« from logits ») applique softmax elle-même : lui donner Z{last}.",
        ),
    ),
    lesson="2-forward",
    replays=(
        Replays(_Forward, "A{L}", "all", needs=("softmax",)),
        Replays(_Backward, "dZ{L}", "all", needs=("softmax",)),
    ),
    examples={
        "tanh": {
            "Yhat = softmax(Z2)": "Yhat = softmax(softmax(Z2))",
        },
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = softmax(A2) - Y",
        },
        "profond": {
            "AL = softmax(Z)": "AL = softmax(softmax(Z))",
        },
        "entiers": {
            "p = softmax(scores)": "p = softmax(softmax(scores))",
        },
        "classe": {
            "        return self.A3": "        self.A3 = np.exp(self.A3) / np.exp(self.A3).sum(axis=1, keepdims=True)\n        return self.A3",
        },
    },
)

"""A stray constant factor."""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.catalogue._making import scaled_delta, scaled_gradients, scaled_hidden_delta
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Replay


def _constant(value: float) -> Callable[[Replay, int], float]:
    return lambda replay, l: value


_FACTORS = tuple(map(_constant, (2, 0.5, 10, 0.1, 4, 0.25, 3)))
_USUAL = _FACTORS[:2]

MISTAKE = Mistake(
    code="constant-factor",
    stage="backward",
    name=Text(en="A constant factor too many", fr="Un facteur constant de trop"),
    hints=(
        Text(
            en="Look at the constants on the lines that lead to {tensor}, and next to them at those in the loss.",
            fr="Regarder les constantes sur les lignes qui mènent à {tensor}, et à côté d’elles celles de la perte.",
        ),
        Text(
            en="All numbers of {tensor} are off by the same factor, whatever the batch size. On paper, differentiate the loss exactly as the code computes it, constants included: x² has the derivative 2x, x²/2 has x, −log p has −1/p. Which constant of the code has no counterpart there?",
            fr="Tous les nombres de {tensor} s’écartent du même facteur, quelle que soit la taille du lot. Sur le papier, dériver la perte exactement comme le code la calcule, constantes comprises : x² a pour dérivée 2x, x²/2 a x, −log p a −1/p. Quelle constante du code n’y a pas d’équivalent ?",
        ),
        Text(
            en="Take the factor out of the gradient, or put the matching one into the loss. For the mean cross-entropy, `dZ{last} = (P - Y) / m`; for the squared error Σ(P − Y)² / m, `dP = 2 * (P - Y) / m`; for half of it, `dP = (P - Y) / m`.",
            fr="Retirer le facteur du gradient, ou mettre dans la perte celui qui lui correspond. Pour l’entropie croisée moyenne, `dZ{last} = (P - Y) / m` ; pour l’erreur quadratique Σ(P − Y)² / m, `dP = 2 * (P - Y) / m` ; pour sa moitié, `dP = (P - Y) / m`.",
        ),
    ),
    lesson="5-derivation",
    replays=(
        *(Replays(scaled_delta(factor), "dZ{L}", "all") for factor in _FACTORS),
        *(Replays(scaled_gradients(factor), "dW{l}") for factor in _FACTORS),
        *(Replays(scaled_hidden_delta(factor), "dZ{l}", "hidden") for factor in _FACTORS),
        *(Replays(scaled_gradients(factor, biases=False), "dW{l}") for factor in _USUAL),
        *(Replays(scaled_gradients(factor, weights=False), "db{l}") for factor in _USUAL),
    ),
    examples={
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = 2 * (A2 - Y)",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "delta2 = 2 * (Yhat - Y) / m",
        },
        "profond": {
            "dW = 1 / m * dZ @": "dW = 1 / (2 * m) * dZ @",
            "db = 1 / m * np.sum(dZ,": "db = 1 / (2 * m) * np.sum(dZ,",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = 0.5 * (self.A3 - Y)",
        },
        "couches": {
            "return grad / m": "return 2.0 * grad / m",
        },
        "binaire": {
            "dZ2 = (A2 - y) / m": "dZ2 = 2 * (A2 - y) / m",
        },
    },
    trains=True,
)

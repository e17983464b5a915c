"""No maximum subtracted: inf and NaN on large scores."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="softmax-overflow",
    stage="forward",
    name=Text(en="Softmax overflows on large scores", fr="Softmax déborde sur de grands scores"),
    hints=(
        Text(
            en="Look at the output for large scores: give softmax a row such as (1000, 0, −1000).",
            fr="Regarder la sortie pour de grands scores : donner à softmax une ligne comme (1000 ; 0 ; −1000).",
        ),
        Text(
            en="The exponential of about 710 no longer fits into float64 (of 89 into float32): it becomes inf, and inf divided by inf is NaN. Only the differences between the scores of a row count, though: on paper, compare the probabilities for (2, 1) with those for (1, 0), and those for (1001, 1000).",
            fr="L’exponentielle de 710 environ ne tient plus dans un float64 (celle de 89 dans un float32) : elle devient inf, et inf divisé par inf donne NaN. Pourtant seules comptent les différences entre les scores d’une ligne : sur le papier, comparer les probabilités pour (2 ; 1) avec celles pour (1 ; 0), et celles pour (1001 ; 1000).",
        ),
        Text(
            en="Subtract the largest score of each row first, which changes no probability: `E = np.exp(Z - Z.max(axis=1, keepdims=True))`, then `P = E / E.sum(axis=1, keepdims=True)` (axis=0 with samples in columns).",
            fr="Soustraire d’abord le plus grand score de chaque ligne, ce qui ne change aucune probabilité : `E = np.exp(Z - Z.max(axis=1, keepdims=True))`, puis `P = E / E.sum(axis=1, keepdims=True)` (axis=0 avec les exemples en colonnes).",
        ),
    ),
    lesson="6-when-it-goes-wrong",
    examples={
        "lesson": {
            "np.exp(Z - Z.max(axis=1, keepdims=True))": "np.exp(Z)",
        },
        "tanh": {
            "    Z = Z - np.max(Z, axis=1, keepdims=True)\n": "",
        },
        "classe": {
            "np.exp(self.Z3 - self.Z3.max(axis=1, keepdims=True))": "np.exp(self.Z3)",
        },
        "profond": {
            "np.exp(Z - np.max(Z, axis=0, keepdims=True))": "np.exp(Z)",
        },
        "entiers": {
            "np.exp(scores - scores.max(axis=1, keepdims=True))": "np.exp(scores)",
        },
        "couches": {
            "np.exp(scores - np.max(scores, axis=1, keepdims=True))": "np.exp(scores)",
        },
    },
)

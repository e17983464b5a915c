"""db is not the sum of δ over the samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _instead(take: Callable[[Floats], Floats], per_sample: bool = False) -> type[Replay]:
    """db taken from δ in another way; `per_sample`: from a δ that is not divided by m yet."""

    class Instead(Replay):
        def bias_gradient(self, l: int, dZ: Floats) -> Floats:
            if not self.here(l):
                return super().bias_gradient(l, dZ)
            return np.asarray(take(dZ * self.m if per_sample else dZ))

    return Instead


_WAYS: tuple[Callable[[Floats], Floats], ...] = (
    lambda dZ: dZ,
    lambda dZ: dZ[0],
    lambda dZ: dZ[-1],
    lambda dZ: np.sum(dZ, axis=1),
    lambda dZ: np.mean(dZ, axis=1),
    np.sum,
    np.mean,
)

MISTAKE = Mistake(
    code="bias-gradient-not-summed",
    stage="backward",
    name=Text(
        en="The gradient of the biases is not the sum over the samples",
        fr="Le gradient des biais n’est pas la somme sur les exemples",
    ),
    hints=(
        Text(
            en="Look at db{layer}: compare its shape with that of b{layer}, and its numbers with those of dZ{layer}.",
            fr="Regarder db{layer} : comparer sa forme avec celle de b{layer}, et ses nombres avec ceux de dZ{layer}.",
        ),
        Text(
            en="A unit's bias is the same for every sample, so every sample adds its share to that one number. On paper, with samples in rows and dZ = [[1, 2], [3, 4], [5, 6]]: two units, so two biases; which two numbers are their gradients, and what does the code give?",
            fr="Le biais d’un neurone est le même pour tous les exemples, donc chaque exemple ajoute sa part à ce seul nombre. Sur le papier, avec les exemples en lignes et dZ = [[1, 2], [3, 4], [5, 6]] : deux neurones, donc deux biais ; quels sont les deux nombres de leur gradient, et que donne le code ?",
        ),
        Text(
            en="Sum dZ{layer} over the samples, and over them alone: `db{layer} = np.sum(dZ{layer}, axis=0)` with samples in rows, `db{layer} = np.sum(dZ{layer}, axis=1, keepdims=True)` with samples in columns; divided by m if dZ{layer} is not yet.",
            fr="Additionner dZ{layer} sur les exemples, et sur eux seuls : `db{layer} = np.sum(dZ{layer}, axis=0)` avec les exemples en lignes, `db{layer} = np.sum(dZ{layer}, axis=1, keepdims=True)` avec les exemples en colonnes ; diviser par m si dZ{layer} ne l’est pas encore.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        *(Replays(_instead(way), "db{l}") for way in _WAYS),
        *(Replays(_instead(way, per_sample=True), "db{l}") for way in _WAYS),
    ),
    examples={
        "entiers": {
            "db2 = dscores.sum(axis=0)": "db2 = dscores[0]",
        },
        "classe": {
            "self.db2 = delta2.sum(axis=0, keepdims=True) / m": "self.db2 = delta2.sum() / m",
        },
        "couches": {
            "self.db = grad.sum(axis=0)": "self.db = grad[-1]",
        },
        "lesson": {
            "db1 = np.sum(dZ1, axis=0, keepdims=True) / m": "db1 = dZ1 / m",
        },
        "profond": {
            "db = 1 / m * np.sum(dZ, axis=1, keepdims=True)": "db = 1 / m * np.sum(dZ, axis=0, keepdims=True)",
        },
        "tanh": {
            "db1 = np.sum(delta1, axis=0).reshape(-1, 1)": "db1 = np.sum(delta1, axis=1).reshape(-1, 1)",
        },
    },
    trains=True,
)

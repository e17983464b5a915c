"""The labels of other rows, or of other classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _moved(move: Callable[[Floats], Floats]) -> type[Replay]:
    """Y moved, as the backward pass reads it."""

    class Moved(Replay):
        def targets(self) -> Floats:
            Y = super().targets()
            moved = move(Y)
            if np.array_equal(moved, Y):
                raise ValueError("this moves nothing here")
            return moved

    return Moved


MISTAKE = Mistake(
    code="labels-misaligned",
    stage="backward",
    name=Text(en="The labels do not belong to these samples", fr="Les étiquettes ne sont pas celles de ces exemples"),
    hints=(
        Text(
            en="Look at the labels as the backward pass reads them: put the rows of Y next to those of X, and the columns of Y next to those of P.",
            fr="Regarder les étiquettes telles que la passe arrière les lit : mettre les lignes de Y à côté de celles de X, et les colonnes de Y à côté de celles de P.",
        ),
        Text(
            en="The formula is right, but the labels have slipped against the samples or against the classes. On paper, take three samples with the labels 0, 1 and 2 and mark in dZ{last} where each row is negative: it must be in one column alone, that of the sample's own label.",
            fr="La formule est juste, mais les étiquettes ont glissé par rapport aux exemples ou aux classes. Sur le papier, prendre trois exemples d’étiquettes 0, 1 et 2 et marquer dans dZ{last} où chaque ligne est négative : ce doit être dans une seule colonne, celle de l’étiquette de l’exemple.",
        ),
        Text(
            en="Shuffle and cut X and Y with the same indices, `order = rng.permutation(len(X))` and then `X[order], Y[order]`, and let column k of Y stand for class k: `Y[np.arange(m), labels] = 1`.",
            fr="Mélanger et découper X et Y avec les mêmes indices, `order = rng.permutation(len(X))` puis `X[order], Y[order]`, et réserver la colonne k de Y à la classe k : `Y[np.arange(m), labels] = 1`.",
        ),
    ),
    lesson="1-data-and-neurons",
    replays=(
        Replays(_moved(lambda Y: np.roll(Y, 1, axis=0)), "dZ{L}", "all"),
        Replays(_moved(lambda Y: np.roll(Y, -1, axis=0)), "dZ{L}", "all"),
        Replays(_moved(lambda Y: Y[::-1]), "dZ{L}", "all"),
        Replays(_moved(lambda Y: np.roll(Y, 1, axis=1)), "dZ{L}", "all"),
        Replays(_moved(lambda Y: np.roll(Y, -1, axis=1)), "dZ{L}", "all"),
        Replays(_moved(lambda Y: Y[:, ::-1]), "dZ{L}", "all"),
    ),
    examples={
        "lesson": {
            "X, Y = X[order], Y[order]": "X = X[order]",
        },
        "tanh": {
            "X_mixed, Y_mixed = X[order], Y[order]": "X_mixed, Y_mixed = X[order], Y",
        },
        "entiers": {
            "dscores[rows, y] -= 1": "dscores[rows, y - 1] -= 1",
        },
        "couches": {
            "grad[np.arange(m), self.digits] -= 1.0": "grad[np.arange(m), self.digits - 1] -= 1.0",
        },
        "profond": {
            "Y_shuffled = Y[:, permutation]": "Y_shuffled = Y[:, np.random.permutation(m)]",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = self.A3 - np.roll(Y, 1, axis=0)",
        },
    },
)

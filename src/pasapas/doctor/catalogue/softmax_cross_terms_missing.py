"""Only the diagonal of softmax's Jacobian."""

from __future__ import annotations

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


class _Diagonal(Replay):
    """Each Z changes its own P only: P (1 − P)."""

    def output_delta(self) -> Floats:
        if self.name(self.L) != "softmax":
            raise ValueError("no softmax")
        P = self.A[self.L]
        return np.asarray(self.problem.scale * self.loss_gradient() * P * (1 - P))


class _OwnTerm(Replay):
    """The Jacobian's Pᵢ without its − Pᵢ Pⱼ."""

    def output_delta(self) -> Floats:
        if self.name(self.L) != "softmax":
            raise ValueError("no softmax")
        return np.asarray(self.problem.scale * self.loss_gradient() * self.A[self.L])


class _RightClassOnly(Replay):
    """(P − Y) · Y: δ of the right class, nothing for the others."""

    def output_delta(self) -> Floats:
        if self.name(self.L) != "softmax":
            raise ValueError("no softmax")
        return super().output_delta() * self.targets()


MISTAKE = Mistake(
    code="softmax-cross-terms-missing",
    stage="backward",
    name=Text(en="Softmax's cross terms are missing", fr="Les termes croisés de softmax manquent"),
    hints=(
        Text(
            en="Look at dZ{last} in the columns of the classes that are not the right one, and at the sum of each of its rows.",
            fr="Regarder dZ{last} dans les colonnes des classes qui ne sont pas la vraie, et la somme de chaque ligne.",
        ),
        Text(
            en="Each P of a row depends on every score of that row, not on its own alone. On paper, with P = (0.5, 0.3, 0.2) and the first class right: raising the second score lowers the first probability, so ∂L/∂Z is not 0 there. And adding the same number to all three scores changes nothing, so each row of δ must add up to 0.",
            fr="Chaque P d’une ligne dépend de tous les scores de cette ligne, et non du sien seulement. Sur le papier, avec P = (0,5 ; 0,3 ; 0,2) et la première classe pour vraie : monter le deuxième score baisse la première probabilité, donc ∂L/∂Z n’y est pas nul. Et ajouter le même nombre aux trois scores ne change rien, donc chaque ligne de δ doit avoir une somme nulle.",
        ),
        Text(
            en="The Jacobian has Pᵢ(1 − Pᵢ) on its diagonal and −PᵢPⱼ off it. With the cross-entropy, both parts together leave `dZ{last} = (P - Y) / m`; for any other loss, `dZ{last} = P * (dP - np.sum(P * dP, axis=1, keepdims=True))`.",
            fr="La jacobienne a Pᵢ(1 − Pᵢ) sur sa diagonale et −PᵢPⱼ en dehors. Avec l’entropie croisée, les deux parties ensemble laissent `dZ{last} = (P - Y) / m` ; pour toute autre perte, `dZ{last} = P * (dP - np.sum(P * dP, axis=1, keepdims=True))`.",
        ),
    ),
    lesson="5-derivation",
    replays=(
        Replays(_Diagonal, "dZ{L}", "all", needs=("softmax",)),
        Replays(_OwnTerm, "dZ{L}", "all", needs=("softmax",)),
        Replays(_RightClassOnly, "dZ{L}", "all", needs=("softmax",)),
    ),
    examples={
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = A2 * Y - Y",
        },
        "entiers": {
            "dscores = p.copy()": "dscores = np.zeros_like(p)",
            "dscores[rows, y] -= 1": "dscores[rows, y] = p[rows, y] - 1",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "dYhat = -Y / (Yhat + 1e-10) / m\n    delta2 = dYhat * Yhat * (1 - Yhat)",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = -Y * (1 - self.A3)",
        },
    },
)

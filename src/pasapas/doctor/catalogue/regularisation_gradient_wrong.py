"""The L2 penalty of the loss is not that of the gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _penalty(gradient: Callable[[Replay, float, Floats], Floats]) -> type[Replay]:
    """Another gradient of the penalty, from κ and W."""

    class Penalty(Replay):
        def penalty(self, l: int) -> Floats:
            if not self.problem.penalty:
                raise ValueError("no penalty")
            return gradient(self, self.problem.penalty, self.W(l)) if self.here(l) else super().penalty(l)

    return Penalty


class _OnBiases(Replay):
    """κ b is added to db, though the loss does not penalise biases."""

    def bias_gradient(self, l: int, dZ: Floats) -> Floats:
        if not self.problem.penalty:
            raise ValueError("no penalty")
        db = super().bias_gradient(l, dZ)
        return db + self.problem.penalty * self.b(l) if self.here(l) else db


_GRADIENTS: tuple[Callable[[Replay, float, Floats], Floats], ...] = (
    lambda replay, k, W: np.zeros_like(W),
    lambda replay, k, W: 2 * k * W,
    lambda replay, k, W: k / 2 * W,
    lambda replay, k, W: replay.m * k * W,
    lambda replay, k, W: k / replay.m * W,
    lambda replay, k, W: replay.m / 2 * k * W,
    lambda replay, k, W: k / (2 * replay.m) * W,
    lambda replay, k, W: 2 * replay.m * k * W,
    lambda replay, k, W: 2 * k / replay.m * W,
    lambda replay, k, W: -k * W,
    lambda replay, k, W: np.full_like(W, k),
    lambda replay, k, W: np.asarray(k * np.sign(W)),
    lambda replay, k, W: k * W * W,
    lambda replay, k, W: k / 2 * W * W,
    lambda replay, k, W: np.full_like(W, k * np.sum(W)),
    lambda replay, k, W: np.full_like(W, k / 2 * np.sum(W * W)),
)

MISTAKE = Mistake(
    code="regularisation-gradient-wrong",
    stage="backward",
    name=Text(
        en="The gradient of the L2 penalty does not belong to the loss",
        fr="Le gradient de la pénalité L2 n’est pas celui de la perte",
    ),
    hints=(
        Text(
            en="Look at the penalty on the weights twice: as it stands in the loss, and as it stands in {tensor}.",
            fr="Regarder deux fois la pénalité sur les poids : telle qu’elle est dans la perte, et telle qu’elle est dans {tensor}.",
        ),
        Text(
            en="The gradient must contain the derivative of the very penalty that the loss has: the same factor, the same division or none, the same parameters. On paper, with a single weight w = 3 and the penalty 0.1/2 · w²: what is its slope at 3, and what does the code add with these numbers? Then change m: if the penalty in the loss does not change with it, neither may its gradient.",
            fr="Le gradient doit contenir la dérivée de la pénalité même qui est dans la perte : le même facteur, la même division ou aucune, les mêmes paramètres. Sur le papier, avec un seul poids w = 3 et la pénalité 0,1/2 · w² : quelle est sa pente en 3, et qu’ajoute le code avec ces nombres ? Changer ensuite m : si la pénalité dans la perte n’en dépend pas, son gradient ne doit pas en dépendre non plus.",
        ),
        Text(
            en="With κ/2 · ΣW² in the loss, add `kappa * W{layer}` to dW{layer}; with λ/(2m) · ΣW², `lam / m * W{layer}`; without the ½, twice as much. The biases get nothing unless the loss penalises them, and a dW that is divided by m afterwards must not divide the penalty along with it.",
            fr="Avec κ/2 · ΣW² dans la perte, ajouter `kappa * W{layer}` à dW{layer} ; avec λ/(2m) · ΣW², `lam / m * W{layer}` ; sans le ½, le double. Les biais ne reçoivent rien, sauf si la perte les pénalise, et un dW divisé par m après coup ne doit pas diviser aussi la pénalité.",
        ),
    ),
    lesson="7-further",
    replays=(
        *(Replays(_penalty(gradient), "dW{l}", needs=("penalty",)) for gradient in _GRADIENTS),
        Replays(_OnBiases, "db{l}", needs=("penalty",)),
    ),
    examples={
        "profond": {
            ' + lambd / m * layers[i]["W"]': "",
        },
        "entiers": {
            "dW1 += REG * W1": "dW1 += 2 * REG * W1",
            "dW2 += REG * W2": "dW2 += 2 * REG * W2",
        },
        "classe": {
            " + self.lambda_l2 * self.W3": " + self.lambda_l2 / m * self.W3",
            " + self.lambda_l2 * self.W2": " + self.lambda_l2 / m * self.W2",
            " + self.lambda_l2 * self.W1": " + self.lambda_l2 / m * self.W1",
        },
    },
    trains=True,
)

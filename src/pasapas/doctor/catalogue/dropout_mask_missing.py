"""Dropout in the forward pass, and not the same in the backward pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _masks(replay: Replay) -> list[int]:
    """The layers where the mistake can be made; ValueError if there are none."""
    layers = [l for l in range(1, replay.L) if replay.here(l) and replay.problem.mask(l) is not None]
    if not layers:
        raise ValueError("no dropout here")
    return layers


def _instead(factor: Callable[[Floats], Floats]) -> type[Replay]:
    """Another factor in place of the mask on the way back."""

    class Instead(Replay):
        def through_mask(self, l: int, dA: Floats) -> Floats:
            mask = self.problem.mask(l)
            return dA * factor(mask) if l in _masks(self) and mask is not None else super().through_mask(l, dA)

    return Instead


class _BeforeDropout(Replay):
    """dW of the next layer reads A from before dropout: made in the layer whose dW it is."""

    def weight_input(self, l: int) -> Floats:
        dropped = [k for k in range(2, self.L + 1) if self.here(k) and self.problem.mask(k - 1) is not None]
        if not dropped:
            raise ValueError("no dropout here")
        return self.unmasked(l - 1) if l in dropped else super().weight_input(l)


MISTAKE = Mistake(
    code="dropout-mask-missing",
    stage="backward",
    name=Text(
        en="Dropout's mask is missing on the way back",
        fr="Le masque du dropout manque au retour",
    ),
    hints=(
        Text(
            en="Look at the place where dropout works: what does the forward pass do there with A, after the activation, and what does the backward pass do at the same place?",
            fr="Regarder l’endroit où agit le dropout : qu’y fait la passe avant de A, après l’activation, et que fait la passe arrière au même endroit ?",
        ),
        Text(
            en="Dropout multiplies by a mask, and a product passes the gradient on with the same factor. On paper, with 80% of the units kept: a unit that was dropped has no influence on this batch, so its gradient is 0; a unit that was kept and enlarged has its gradient enlarged by the same 1.25. Check both kinds of units.",
            fr="Le dropout multiplie par un masque, et un produit transmet le gradient avec le même facteur. Sur le papier, avec 80 % des neurones gardés : un neurone éteint n’a pas d’influence sur ce lot, donc son gradient est nul ; un neurone gardé et agrandi a un gradient agrandi du même facteur 1,25. Vérifier les deux sortes de neurones.",
        ),
        Text(
            en="Keep the mask of the forward pass and multiply by it once more, exactly as there: after `A = A * mask / keep`, on the way back `dA = dA * mask / keep`. dW of the next layer takes the A that went on, from after dropout.",
            fr="Garder le masque de la passe avant et multiplier par lui, exactement comme là-bas : après `A = A * mask / keep`, au retour `dA = dA * mask / keep`. dW de la couche suivante prend le A qui a été transmis, celui qui sort du dropout.",
        ),
    ),
    lesson="7-further",
    replays=(
        Replays(_instead(np.ones_like), "dA{l}", "hidden", needs=("dropout",)),
        Replays(_instead(lambda mask: (mask > 0) * 1.0), "dA{l}", "hidden", needs=("dropout",)),
        Replays(_instead(lambda mask: np.full_like(mask, mask.max())), "dA{l}", "hidden", needs=("dropout",)),
        Replays(_instead(lambda mask: mask * mask), "dA{l}", "hidden", needs=("dropout",)),
        Replays(_BeforeDropout, "dW{l}", "upper", needs=("dropout",)),
    ),
    examples={
        "profond": {
            '            dA = dA * below["D"]\n': "",
        },
        "entiers": {
            "dh = dscores @ W2.T * kept": "dh = dscores @ W2.T",
        },
        "couches": {
            "return grad * self.mask": "return grad * (self.mask > 0)",
        },
    },
    trains=True,
)

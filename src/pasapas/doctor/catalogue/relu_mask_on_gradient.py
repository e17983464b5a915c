"""ReLU's mask taken from the gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.catalogue._making import meant
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _masked(mask: Callable[[Replay, int, Floats], Floats], name: str) -> type[Replay]:
    """dA times a mask that depends on it."""

    class Masked(Replay):
        def through(self, l: int, dA: Floats) -> Floats:
            dZ = super().through(l, dA)
            return dA * mask(self, l, dA) if l in meant(self, name) else dZ

    return Masked


def _slope(replay: Replay, l: int, dA: Floats) -> Floats:
    return np.where(dA > 0, 1.0, float(replay.name(l).split()[1]))


MISTAKE = Mistake(
    code="relu-mask-on-gradient",
    stage="backward",
    name=Text(en="ReLU's mask is taken from the gradient", fr="Le masque de ReLU est pris sur le gradient"),
    hints=(
        Text(
            en="Look at the mask in dZ{layer}: whose sign decides which numbers pass?",
            fr="Regarder le masque dans dZ{layer} : le signe de quel tenseur décide des nombres qui passent ?",
        ),
        Text(
            en="Whether a ReLU unit is open was decided in the forward pass; the sign of the gradient has no say in it. On paper: with Z = 3 and dA = −0.5 the unit is open, so −0.5 must pass; with Z = −3 and dA = 0.5 it is closed, so 0 must come out. Compare with what the code does in both cases.",
            fr="L’ouverture d’un neurone ReLU s’est décidée dans la passe avant ; le signe du gradient n’y change rien. Sur le papier : avec Z = 3 et dA = −0,5 le neurone est ouvert, donc −0,5 doit passer ; avec Z = −3 et dA = 0,5 il est fermé, donc il doit sortir 0. Comparer avec ce que fait le code dans les deux cas.",
        ),
        Text(
            en="Make the mask from the forward pass: `dZ{layer} = dA{layer} * (Z{layer} > 0)`. `A{layer} > 0` is the same mask; relu(dA) and `dA{layer} > 0` are not.",
            fr="Faire le masque à partir de la passe avant : `dZ{layer} = dA{layer} * (Z{layer} > 0)`. `A{layer} > 0` est le même masque ; relu(dA) et `dA{layer} > 0` n’en sont pas.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        Replays(_masked(lambda r, l, dA: (dA > 0) * 1.0, "relu"), "dZ{l}", "hidden", needs=("relu",)),
        Replays(_masked(lambda r, l, dA: (dA > 0) * (r.Z[l] > 0) * 1.0, "relu"), "dZ{l}", "hidden", needs=("relu",)),
        Replays(_masked(_slope, "leaky-relu"), "dZ{l}", "hidden", needs=("leaky-relu",)),
    ),
    examples={
        "lesson": {
            "dZ1 = dA1 * (Z1 > 0)": "dZ1 = dA1 * (dA1 > 0)",
        },
        "couches": {
            "return grad * (self.inputs > 0)": "return grad * (grad > 0)",
        },
        "entiers": {
            "ds1 = np.where(s1 > 0, dh, SLOPE * dh)": "ds1 = np.where(dh > 0, dh, SLOPE * dh)",
        },
    },
)

"""Labels of another shape than the outputs, stretched by NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _shaped(shape: Callable[[Floats], Floats], several: bool) -> type[Replay]:
    """Y in another shape, for several classes or for a single output."""

    class Shaped(Replay):
        def targets(self) -> Floats:
            Y = super().targets()
            if (Y.shape[1] > 1) != several:
                raise ValueError("another number of outputs")
            return shape(Y)

    return Shaped


def _reduced(reduce: Callable[..., Floats], axis: int) -> type[Replay]:
    """The (m, m) differences of a single output, brought back to (m, 1) by a sum or a mean over one of their axes."""

    class Reduced(Replay):
        def output_delta(self) -> Floats:
            P, Y = self.A[self.L], self.targets()
            if P.shape[1] > 1 or self.m == 1:
                raise ValueError("nothing to stretch")
            return np.asarray(self.problem.scale * reduce(P - Y.T, axis=axis)[:, None])

    return Reduced


def _every_label(Y: Floats) -> Floats:
    """1 in each class that any sample of the batch has: what `P[rows, column of labels] -= 1` subtracts."""
    return np.broadcast_to(Y.max(axis=0), Y.shape)


def _numbers(Y: Floats) -> Floats:
    return np.asarray(np.argmax(Y, axis=1) * 1.0)


MISTAKE = Mistake(
    code="labels-broadcast",
    stage="backward",
    name=Text(en="Labels stretched to another shape", fr="Étiquettes étirées à une autre forme"),
    hints=(
        Text(
            en="Look at the line where the labels are subtracted: write down the shape of P, the shape of the labels, and the shape of the result.",
            fr="Regarder la ligne où les étiquettes sont soustraites : noter la forme de P, celle des étiquettes, et celle du résultat.",
        ),
        Text(
            en="NumPy stretches arrays of unlike shapes instead of refusing them: (m, 1) minus (m,) is an (m, m) table where every output meets every label, and label numbers next to (m, n_classes) are subtracted from every class. On paper, with m = 3: how many differences should there be, and how many are there?",
            fr="NumPy étire les tableaux de formes différentes au lieu de les refuser : (m, 1) moins (m,) est un tableau (m, m) où chaque sortie rencontre chaque étiquette, et des numéros d’étiquettes face à (m, n_classes) sont soustraits à chaque classe. Sur le papier, avec m = 3 : combien de différences devrait-il y avoir, et combien y en a-t-il ?",
        ),
        Text(
            en="Give the labels the shape of P before subtracting: `Y = y.reshape(-1, 1)` for a single output, one-hot rows `Y = np.eye(n_classes)[y]` for several classes. A line `assert Y.shape == P.shape` keeps it so.",
            fr="Donner aux étiquettes la forme de P avant de soustraire : `Y = y.reshape(-1, 1)` pour une seule sortie, des lignes one-hot `Y = np.eye(n_classes)[y]` pour plusieurs classes. Une ligne `assert Y.shape == P.shape` y veille ensuite.",
        ),
    ),
    lesson="1-data-and-neurons",
    replays=(
        Replays(_shaped(lambda Y: Y.ravel(), several=False), "dZ{L}", "all"),
        Replays(_shaped(lambda Y: _numbers(Y)[:, None], several=True), "dZ{L}", "all"),
        Replays(_shaped(_numbers, several=True), "dZ{L}", "all"),
        Replays(_shaped(_every_label, several=True), "dZ{L}", "all"),
        *(Replays(_reduced(reduce, axis), "dZ{L}", "all") for reduce in (np.sum, np.mean) for axis in (0, 1)),
    ),
    examples={
        "entiers": {
            "dscores = p.copy()": "dscores = p - y.reshape(-1, 1)",
            "    dscores[rows, y] -= 1\n": "",
        },
        "couches": {
            "m = len(self.digits)\n": "m = len(self.digits)\n        digits = self.digits.reshape(-1, 1)\n",
            "grad[np.arange(m), self.digits] -= 1.0": "grad[np.arange(m), digits] -= 1.0",
        },
        "binaire": {
            "dZ2 = (A2 - y) / m": "dZ2 = (A2 - y.ravel()) / m",
        },
    },
)

"""Softmax normalised over something else than the classes of a sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _with(softmax: Callable[[Floats], Floats]) -> type[Replay]:
    class OtherSoftmax(Replay):
        def output(self, Z: Floats) -> Floats:
            if self.name(self.L) != "softmax":
                raise ValueError("no softmax")
            return softmax(Z)

    return OtherSoftmax


def _over_batch(Z: Floats) -> Floats:
    E = np.exp(Z - np.max(Z, axis=0))
    return np.asarray(E / np.sum(E, axis=0))


def _over_all(Z: Floats) -> Floats:
    E = np.exp(Z - np.max(Z))
    return np.asarray(E / np.sum(E))


def _rows_by_columns(Z: Floats) -> Floats:
    """Without keepdims: each column is divided by the sum of a row, where there are as many of both."""
    E = np.exp(Z - np.max(Z))
    return np.asarray(E / np.sum(E, axis=1))


def _maximum_over_batch(Z: Floats) -> Floats:
    """Each class has a maximum of its own subtracted, which the sum over classes does not undo."""
    E = np.exp(Z - np.max(Z, axis=0))
    return np.asarray(E / np.sum(E, axis=1, keepdims=True))


def _sum_over_batch(Z: Floats) -> Floats:
    E = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return np.asarray(E / np.sum(E, axis=0))


def _sum_over_all(Z: Floats) -> Floats:
    E = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return np.asarray(E / np.sum(E))


MISTAKE = Mistake(
    code="softmax-wrong-axis",
    stage="forward",
    name=Text(en="Softmax over the wrong axis", fr="Softmax sur le mauvais axe"),
    hints=(
        Text(
            en="Look at P: what do the probabilities of one sample add up to, and those of one class?",
            fr="Regarder P : quelle est la somme des probabilités d’un même exemple, et celle d’une même classe ?",
        ),
        Text(
            en="Each sample's probabilities must add up to 1, and must not depend on the other samples of the batch. On paper, with two samples of the same scores (1, 2, 3): both must get the same three probabilities, about 0.09, 0.24 and 0.67, in a batch of two as in a batch of one. What does the code give?",
            fr="Les probabilités de chaque exemple doivent avoir pour somme 1, et ne pas dépendre des autres exemples du lot. Sur le papier, avec deux exemples de mêmes scores (1 ; 2 ; 3) : tous deux doivent recevoir les trois mêmes probabilités, environ 0,09, 0,24 et 0,67, dans un lot de deux comme dans un lot d’un seul. Que donne le code ?",
        ),
        Text(
            en="Sum over the classes, and keep the axis so that the division goes row by row: `E = np.exp(Z - Z.max(axis=1, keepdims=True))`, then `P = E / E.sum(axis=1, keepdims=True)`; axis=0 in both places with samples in columns.",
            fr="Additionner sur les classes, et garder l’axe pour que la division se fasse ligne par ligne : `E = np.exp(Z - Z.max(axis=1, keepdims=True))`, puis `P = E / E.sum(axis=1, keepdims=True)` ; axis=0 aux deux endroits avec les exemples en colonnes.",
        ),
    ),
    lesson="2-forward",
    replays=tuple(
        Replays(_with(softmax), "A{L}", "all", needs=("softmax",))
        for softmax in (_over_batch, _over_all, _rows_by_columns, _maximum_over_batch, _sum_over_batch, _sum_over_all)
    ),
    examples={
        "lesson": {
            "np.exp(Z - Z.max(axis=1, keepdims=True))": "np.exp(Z - Z.max(axis=0, keepdims=True))",
            "exponentials.sum(axis=1, keepdims=True)": "exponentials.sum(axis=0, keepdims=True)",
        },
        "tanh": {
            "return expZ / np.sum(expZ, axis=1, keepdims=True)": "return expZ / np.sum(expZ, axis=0, keepdims=True)",
        },
        "profond": {
            "T = np.exp(Z - np.max(Z, axis=0, keepdims=True))": "T = np.exp(Z - np.max(Z, axis=1, keepdims=True))",
            "return T / np.sum(T, axis=0, keepdims=True)": "return T / np.sum(T, axis=1, keepdims=True)",
        },
        "classe": {
            "self.A3 = exp / exp.sum(axis=1, keepdims=True)": "self.A3 = exp / exp.sum(axis=0, keepdims=True)",
        },
        "couches": {
            "self.probabilities = exps / np.sum(exps, axis=1, keepdims=True)": "self.probabilities = exps / np.sum(exps, axis=0)",
        },
        "entiers": {
            "return e / e.sum(axis=1, keepdims=True)": "return e / e.sum(axis=0)",
        },
    },
)

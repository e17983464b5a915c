"""Divided by m twice."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import scaled_delta, scaled_gradients, scaled_hidden_delta
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Replay


def _once_more(replay: Replay, l: int) -> float:
    return 1 / replay.m


MISTAKE = Mistake(
    code="batch-mean-twice",
    stage="backward",
    name=Text(en="Divided by the batch size twice", fr="Deux divisions par la taille du lot"),
    hints=(
        Text(
            en="Follow the batch size m through the computation, from the loss to {tensor}, and count the lines where it comes in, np.mean included.",
            fr="Suivre la taille m du lot dans le calcul, de la perte jusqu’à {tensor}, et compter les lignes où elle intervient, np.mean comprise.",
        ),
        Text(
            en="A mean divides by m once; here it happens twice, and {tensor} is m times too small. On paper, take a batch of two identical samples: the gradient of the mean loss is the gradient of one sample, not half of it.",
            fr="Une moyenne divise une fois par m ; ici c’est fait deux fois, et {tensor} est m fois trop petit. Sur le papier, prendre un lot de deux exemples identiques : le gradient de la perte moyenne est celui d’un seul exemple, et non sa moitié.",
        ),
        Text(
            en="Keep a single division. With `dZ{last} = (P - Y) / m` at the start, write `dW{layer} = A{previous}.T @ dZ{layer}` and `db{layer} = np.sum(dZ{layer}, axis=0)`, without / m and without np.mean (samples in rows, A0 is X).",
            fr="Garder une seule division. Avec `dZ{last} = (P - Y) / m` au début, écrire `dW{layer} = A{previous}.T @ dZ{layer}` et `db{layer} = np.sum(dZ{layer}, axis=0)`, sans / m et sans np.mean (exemples en lignes, A0 est X).",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        Replays(scaled_delta(_once_more), "dW{L}", "all"),
        Replays(scaled_gradients(_once_more), "dW{l}"),
        Replays(scaled_gradients(_once_more, biases=False), "dW{l}"),
        Replays(scaled_hidden_delta(_once_more), "dZ{l}", "hidden"),
    ),
    examples={
        "entiers": {
            "dW2 = h.T @ dscores": "dW2 = h.T @ dscores / m",
            "db2 = dscores.sum(axis=0)": "db2 = dscores.mean(axis=0)",
        },
        "tanh": {
            "dW1 = np.dot(delta1.T, X)": "dW1 = np.dot(delta1.T, X) / m",
            "db1 = np.sum(delta1, axis=0).reshape(-1, 1)": "db1 = np.sum(delta1, axis=0).reshape(-1, 1) / m",
        },
        "couches": {
            "self.dW = self.inputs.T @ grad": "self.dW = self.inputs.T @ grad / len(grad)",
            "self.db = grad.sum(axis=0)": "self.db = grad.sum(axis=0) / len(grad)",
        },
        "profond": {
            "dZ = AL - Y": "dZ = (AL - Y) / m",
        },
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = (A2 - Y) / m",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = (self.A3 - Y) / m",
        },
    },
    trains=True,
)

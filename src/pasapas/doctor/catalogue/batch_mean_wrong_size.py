"""Divided by another number than m."""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.catalogue._making import scaled_delta, scaled_gradients
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Replay

Size = Callable[[Replay, int], int]


def _features(replay: Replay, l: int) -> int:
    return int(replay.problem.X.shape[1])


def _classes(replay: Replay, l: int) -> int:
    return int(replay.problem.Y.shape[1])


def _first_units(replay: Replay, l: int) -> int:
    return int(replay.W(1).shape[1])


def _inputs(replay: Replay, l: int) -> int:
    return int(replay.W(l).shape[0])


def _outputs(replay: Replay, l: int) -> int:
    return int(replay.W(l).shape[1])


def _by(*sizes: Size) -> Callable[[Replay, int], float]:
    """m over the product of these sizes: what is left of 1 / m."""

    def factor(replay: Replay, l: int) -> float:
        ratio = float(replay.m)
        for size in sizes:
            ratio /= size(replay, l)
        if ratio in (1, replay.m):
            raise ValueError("right, or no division at all")
        return ratio

    return factor


def _batch(replay: Replay, l: int) -> int:
    return replay.m


_WHOLE: tuple[Callable[[Replay, int], float], ...] = (
    _by(_classes),
    _by(_features),
    _by(_first_units),
    _by(_batch, _classes),
    _by(_batch, _features),
    _by(lambda replay, l: max(replay.m - 1, 1)),
    _by(lambda replay, l: replay.m + 1),
    _by(lambda replay, l: replay.L),
    _by(lambda replay, l: 2 * replay.L),
    _by(lambda replay, l: replay.L + 1),
)
_LAYER: tuple[Callable[[Replay, int], float], ...] = (
    _by(_inputs),
    _by(_outputs),
    _by(_batch, _inputs),
    _by(_batch, _outputs),
    _by(lambda replay, l: max(replay.m - 1, 1)),
)

MISTAKE = Mistake(
    code="batch-mean-wrong-size",
    stage="backward",
    name=Text(en="Divided by another size than the batch's", fr="Division par une autre taille que celle du lot"),
    hints=(
        Text(
            en="Look at the division on the way to {tensor}: what does the number in the denominator count?",
            fr="Regarder la division sur le chemin de {tensor} : que compte le nombre qui est au dénominateur ?",
        ),
        Text(
            en="The mean runs over the samples of the batch, not over features, units or classes. On paper, give each of these sizes another number (5 samples, 3 inputs, 4 units, 2 classes), write the shape of every array, and read off which number the code divides by.",
            fr="La moyenne porte sur les exemples du lot, et non sur les entrées, les neurones ou les classes. Sur le papier, donner à chacune de ces tailles un autre nombre (5 exemples, 3 entrées, 4 neurones, 2 classes), écrire la forme de chaque tableau, et lire par lequel de ces nombres le code divise.",
        ),
        Text(
            en="Divide by the number of samples: `m = X.shape[0]` with samples in rows, `m = X.shape[1]` with samples in columns. An np.mean without axis divides by the number of units or classes as well: replace it with np.sum and one division by m.",
            fr="Diviser par le nombre d’exemples : `m = X.shape[0]` avec les exemples en lignes, `m = X.shape[1]` avec les exemples en colonnes. Une np.mean sans axis divise en plus par le nombre de neurones ou de classes : la remplacer par np.sum et une seule division par m.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        *(Replays(scaled_delta(factor), "dW{L}", "all") for factor in _WHOLE),
        *(Replays(scaled_gradients(factor), "dW{l}") for factor in _LAYER),
        *(Replays(scaled_gradients(factor, biases=False), "dW{l}") for factor in _LAYER),
        *(Replays(scaled_gradients(factor, weights=False), "db{l}") for factor in _LAYER),
    ),
    examples={
        "tanh": {
            "m = X.shape[0]": "m = Y.shape[1]",
        },
        "profond": {
            "dW = 1 / m * dZ @": "dW = 1 / len(dZ) * dZ @",
            "db = 1 / m * np.sum(dZ,": "db = 1 / len(dZ) * np.sum(dZ,",
        },
        "classe": {
            "        m = X.shape[0]": "        m = self.W1.shape[1]",
        },
        "entiers": {
            "dscores /= m": "dscores /= dscores.size",
        },
        "lesson": {
            "m = X.shape[0]": "m = X.shape[1]",
        },
        "couches": {
            "return grad / m": "return grad / grad.shape[1]",
        },
    },
    trains=True,
)

"""A reshape where the backward pass needs a transpose."""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.catalogue._making import from_inputs, from_weights
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _read_on(a: Floats) -> Floats:
    """`a.reshape(its transpose's shape)`, where a.T is meant; seen from the other side, so in a's shape again."""
    return _rectangle(a).reshape(a.shape[::-1]).T


def _read_on_turned(a: Floats) -> Floats:
    """The same for who keeps the transpose of `a`."""
    return _rectangle(a).T.reshape(a.shape)


def _rectangle(a: Floats) -> Floats:
    if a.shape[0] == a.shape[1] or 1 in a.shape:
        raise ValueError("with such a shape a reshape is no transpose, or is one")
    return a


Read = Callable[[Floats], Floats]


def _of_weights(read: Read) -> Callable[[Replay, int], Floats]:
    return lambda replay, l: read(replay.W(l))


def _of_input(read: Read) -> Callable[[Replay, int], Floats]:
    return lambda replay, l: read(replay.A[l - 1])


def _of_delta(read: Read) -> type[Replay]:
    """δ reshaped in the gradient of the weights."""

    class OfDelta(Replay):
        def weight_gradient(self, l: int, dZ: Floats) -> Floats:
            return super().weight_gradient(l, read(dZ) if self.here(l) else dZ)

    return OfDelta


def _of_result(read: Read) -> type[Replay]:
    """The gradient of the weights, computed the other way round, reshaped."""

    class OfResult(Replay):
        def weight_gradient(self, l: int, dZ: Floats) -> Floats:
            dW = super().weight_gradient(l, dZ)
            return read(dW) if self.here(l) else dW

    return OfResult


_BOTH = (_read_on, _read_on_turned)

MISTAKE = Mistake(
    code="reshape-for-transpose",
    stage="backward",
    name=Text(en="A reshape in place of a transpose", fr="Un reshape à la place d’une transposée"),
    hints=(
        Text(
            en="Look at the line that computes {tensor}: what is done there to make the shapes fit?",
            fr="Regarder la ligne qui calcule {tensor} : qu’y fait-on pour que les formes conviennent ?",
        ),
        Text(
            en="`reshape` gives the shape of the transpose, but not its numbers: it reads them row after row, as they are stored, and only ends the rows elsewhere. On paper, W = [[1, 2, 3], [4, 5, 6]], two inputs and three units: write down `W.T` and `W.reshape(3, 2)`. In which of the two do the weights of the first unit, 1 and 4, stand in one row?",
            fr="`reshape` donne la forme de la transposée, mais non ses nombres : il les lit ligne après ligne, comme ils sont rangés, et ne fait que couper les lignes ailleurs. Sur le papier, W = [[1, 2, 3], [4, 5, 6]], deux entrées et trois neurones : écrire `W.T` et `W.reshape(3, 2)`. Dans lequel des deux les poids du premier neurone, 1 et 4, sont-ils sur une même ligne ?",
        ),
        Text(
            en="Write `.T` in place of `.reshape(…)`. With samples in rows and W (n_in, n_out), `W.T` carries δ back, and `A.T` stands in the gradient of the weights.",
            fr="Écrire `.T` à la place de `.reshape(…)`. Avec les exemples en lignes et W (n_in, n_out), `W.T` ramène δ en arrière, et `A.T` figure dans le gradient des poids.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        *(Replays(from_weights(_of_weights(read)), "dA{l}", "hidden") for read in _BOTH),
        *(Replays(from_inputs(_of_input(read)), "dW{l}") for read in _BOTH),
        *(Replays(_of_delta(read), "dW{l}") for read in _BOTH),
        *(Replays(_of_result(read), "dW{l}") for read in _BOTH),
    ),
    examples={
        "classe": {
            "self.W2.T": "self.W2.reshape(self.W2.shape[1], -1)",
        },
        "lesson": {
            "dA1 = dZ2 @ W2.T": "dA1 = dZ2 @ W2.reshape(10, -1)",
        },
        "profond": {
            'layers[i]["W"].T @ dZ': 'layers[i]["W"].reshape(-1, len(dZ)) @ dZ',
        },
        "couches": {
            "self.dW = self.inputs.T @ grad": "self.dW = self.inputs.reshape(-1, len(grad)) @ grad",
        },
    },
    trains=True,
)

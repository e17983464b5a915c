"""No division by m."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import scaled_delta, scaled_gradients
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Replay


def _m(replay: Replay, l: int) -> float:
    return replay.m


MISTAKE = Mistake(
    code="batch-mean-missing",
    stage="backward",
    name=Text(en="The mean over the batch is missing", fr="La moyenne sur le lot manque"),
    hints=(
        Text(
            en="Look at the size of the numbers in {tensor}, rather than at their signs or at its shape: how should it depend on the number m of samples in the batch?",
            fr="Regarder la grandeur des nombres de {tensor}, plutôt que leurs signes ou sa forme : comment doit-elle dépendre du nombre m d’exemples du lot ?",
        ),
        Text(
            en="The loss is a mean over the batch, but this gradient is that of a sum. On paper, write every sample of the batch twice: the mean loss stays the same, and its gradient must stay the same too; here {tensor} doubles.",
            fr="La perte est une moyenne sur le lot, mais ce gradient est celui d’une somme. Sur le papier, écrire deux fois chaque exemple du lot : la perte moyenne reste la même, son gradient doit donc aussi rester le même ; ici {tensor} double.",
        ),
        Text(
            en="Divide by the batch size m exactly once: either at the start, `dZ{last} = (P - Y) / m` for softmax with cross-entropy, and nowhere after it; or in every dW and every db, as in `dW{layer} = A{previous}.T @ dZ{layer} / m` (samples in rows, A0 is X).",
            fr="Diviser par la taille m du lot exactement une fois : soit au début, `dZ{last} = (P - Y) / m` pour softmax et entropie croisée, et nulle part ensuite ; soit dans chaque dW et chaque db, comme dans `dW{layer} = A{previous}.T @ dZ{layer} / m` (exemples en lignes, A0 est X).",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        Replays(scaled_delta(_m), "dW{L}", "all"),
        Replays(scaled_gradients(_m), "dW{l}"),
        Replays(scaled_gradients(_m, biases=False), "dW{l}"),
        Replays(scaled_gradients(_m, weights=False), "db{l}"),
    ),
    examples={
        "classe": {
            "self.db3 = delta3.sum(axis=0, keepdims=True) / m": "self.db3 = delta3.sum(axis=0, keepdims=True)",
            "self.db2 = delta2.sum(axis=0, keepdims=True) / m": "self.db2 = delta2.sum(axis=0, keepdims=True)",
            "self.db1 = delta1.sum(axis=0, keepdims=True) / m": "self.db1 = delta1.sum(axis=0, keepdims=True)",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "delta2 = Yhat - Y",
        },
        "entiers": {
            "    dscores /= m\n": "",
        },
        "couches": {
            "return grad / m": "return grad",
        },
        "profond": {
            'dW = 1 / m * dZ @ cache["A_prev"].T': 'dW = dZ @ cache["A_prev"].T',
            "db = 1 / m * np.sum(dZ, axis=1, keepdims=True)": "db = np.sum(dZ, axis=1, keepdims=True)",
        },
        "lesson": {
            "dW2 = A1.T @ dZ2 / m": "dW2 = A1.T @ dZ2",
            "db2 = np.sum(dZ2, axis=0, keepdims=True) / m": "db2 = np.sum(dZ2, axis=0, keepdims=True)",
            "dW1 = X.T @ dZ1 / m": "dW1 = X.T @ dZ1",
            "db1 = np.sum(dZ1, axis=0, keepdims=True) / m": "db1 = np.sum(dZ1, axis=0, keepdims=True)",
        },
        "binaire": {
            "dZ2 = (A2 - y) / m": "dZ2 = A2 - y",
        },
    },
    trains=True,
)

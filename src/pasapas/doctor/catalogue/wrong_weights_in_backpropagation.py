"""Another layer's W when δ goes back."""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.catalogue._making import from_weights
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _of(by: int, transposed: bool) -> Callable[[Replay, int], Floats]:
    """W of the layer that many further up, or its transpose."""

    def weights(replay: Replay, l: int) -> Floats:
        if not 1 <= l + by <= replay.L:
            raise IndexError(l + by)
        return replay.W(l + by).T if transposed else replay.W(l + by)

    return weights


MISTAKE = Mistake(
    code="wrong-weights-in-backpropagation",
    stage="backward",
    name=Text(en="Another layer's weights on the way back", fr="Les poids d’une autre couche au retour"),
    hints=(
        Text(
            en="Look at the line that carries dZ{next} back to layer {layer}: check the number of each tensor on it.",
            fr="Regarder la ligne qui ramène dZ{next} vers la couche {layer} : vérifier le numéro de chacun de ses tenseurs.",
        ),
        Text(
            en="δ comes back through the matrix of another layer; equal sizes hide it. On paper, draw each layer as a box and each W as the arrow between two boxes: over which arrow does one get from layer {next} back to layer {layer}? Giving every layer another size turns this mistake into a shape error.",
            fr="δ revient par la matrice d’une autre couche ; des tailles égales le cachent. Sur le papier, dessiner chaque couche comme une boîte et chaque W comme la flèche entre deux boîtes : par quelle flèche revient-on de la couche {next} à la couche {layer} ? Si chaque couche a une autre taille, NumPy refuse les formes et l’erreur se voit.",
        ),
        Text(
            en="δ of layer {next} goes back through W of layer {next}: `dA{layer} = dZ{next} @ W{next}.T` with samples in rows, `dA{layer} = W{next}.T @ dZ{next}` with samples in columns. In a loop, check the index with the last layer and with the first.",
            fr="Le δ de la couche {next} revient par le W de la couche {next} : `dA{layer} = dZ{next} @ W{next}.T` avec les exemples en lignes, `dA{layer} = W{next}.T @ dZ{next}` avec les exemples en colonnes. Dans une boucle, vérifier l’indice pour la dernière couche et pour la première.",
        ),
    ),
    lesson="3-backpropagation",
    replays=tuple(
        Replays(from_weights(_of(by, transposed)), "dA{l}", "hidden")
        for by in (-1, 1, -2, 2)
        for transposed in (False, True)
    ),
    examples={
        "lesson": {
            "dA1 = dZ2 @ W2.T": 'dA1 = dZ2 @ parameters["W1"].T',
        },
        "classe": {
            "(delta2 @ self.W2.T)": "(delta2 @ self.W3.T)",
        },
        "profond": {
            'dA = layers[i]["W"].T @ dZ': 'dA = layers[i - 1]["W"].T @ dZ',
        },
        "tanh": {
            'dA1 = np.dot(delta2, params["W2"])': 'dA1 = np.dot(delta2, params["W1"])',
        },
    },
)

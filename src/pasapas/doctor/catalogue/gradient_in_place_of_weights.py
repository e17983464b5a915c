"""dW in place of W when δ goes back."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import from_weights
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _without_penalty(replay: Replay, l: int) -> Floats:
    """dW as it is before the L2 penalty is added to it."""
    return replay.dW[l] - replay.penalty(l)


MISTAKE = Mistake(
    code="gradient-in-place-of-weights",
    stage="backward",
    name=Text(en="dW in place of W on the way back", fr="dW à la place de W au retour"),
    hints=(
        Text(
            en="Look at the line that carries dZ{next} back to layer {layer}: read the name of each of its factors.",
            fr="Regarder la ligne qui ramène dZ{next} vers la couche {layer} : lire le nom de chacun de ses facteurs.",
        ),
        Text(
            en="δ is carried back by the gradient of the weights instead of the weights; the shapes are the same, so nothing complains. On paper, with one unit in each layer, w = 2: raise A{layer} by 0.01, by how much does Z{next} change? That number must be the factor on the way back, and a gradient has no part in it.",
            fr="δ est ramené par le gradient des poids au lieu des poids ; les formes sont les mêmes, donc rien ne proteste. Sur le papier, avec un neurone par couche et w = 2 : augmenter A{layer} de 0,01, de combien change Z{next} ? Ce rapport doit être le facteur au retour, et un gradient n’y est pour rien.",
        ),
        Text(
            en="Multiply by the weights of the forward pass: `dA{layer} = dZ{next} @ W{next}.T` with samples in rows, `dA{layer} = W{next}.T @ dZ{next}` with samples in columns.",
            fr="Multiplier par les poids de la passe avant : `dA{layer} = dZ{next} @ W{next}.T` avec les exemples en lignes, `dA{layer} = W{next}.T @ dZ{next}` avec les exemples en colonnes.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        Replays(from_weights(lambda replay, l: replay.dW[l]), "dA{l}", "hidden"),
        Replays(from_weights(_without_penalty), "dA{l}", "hidden", needs=("penalty",)),
    ),
    examples={
        "lesson": {
            "dA1 = dZ2 @ W2.T": "dA1 = dZ2 @ dW2.T",
        },
        "tanh": {
            'dA1 = np.dot(delta2, params["W2"])': "dA1 = np.dot(delta2, dW2)",
        },
        "classe": {
            "(delta2 @ self.W2.T)": "(delta2 @ self.dW2.T)",
        },
        "profond": {
            'dA = layers[i]["W"].T @ dZ': "dA = dW.T @ dZ",
        },
        "entiers": {
            "dh = dscores @ W2.T * kept": "dh = dscores @ dW2.T * kept",
        },
    },
)

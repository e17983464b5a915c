"""δ goes back through W the wrong way round."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import from_weights
from pasapas.doctor.mistake import Mistake, Replays, Text

MISTAKE = Mistake(
    code="weights-not-transposed",
    stage="backward",
    name=Text(en="The weights stand the wrong way round", fr="Les poids sont dans le mauvais sens"),
    hints=(
        Text(
            en="Look at the line that carries dZ{next} back to layer {layer}: follow, for one unit of layer {layer}, which weights its number is made with.",
            fr="Regarder la ligne qui ramène dZ{next} vers la couche {layer} : suivre, pour un neurone de la couche {layer}, avec quels poids son nombre est calculé.",
        ),
        Text(
            en="W{next} is transposed where it should not be, or the reverse; a square layer hides it, as both shapes fit. On paper, with two units in each layer: forward, the first unit of layer {layer} reaches the two units of layer {next} over two weights. Its responsibility must come back over these same two, and not over the two that arrive at the first unit of layer {next}.",
            fr="W{next} est transposé là où il ne devrait pas l’être, ou l’inverse ; une couche carrée le cache, car les deux formes conviennent. Sur le papier, avec deux neurones par couche : en avant, le premier neurone de la couche {layer} atteint les deux neurones de la couche {next} par deux poids. Sa responsabilité doit revenir par ces deux mêmes poids, et non par les deux qui arrivent au premier neurone de la couche {next}.",
        ),
        Text(
            en="Samples in rows, W (n_in, n_out): `dA{layer} = dZ{next} @ W{next}.T`. Samples in columns, W (n_out, n_in): `dA{layer} = W{next}.T @ dZ{next}`. In general: forward with W, back with its transpose.",
            fr="Exemples en lignes, W (n_in, n_out) : `dA{layer} = dZ{next} @ W{next}.T`. Exemples en colonnes, W (n_out, n_in) : `dA{layer} = W{next}.T @ dZ{next}`. En général : en avant avec W, en arrière avec sa transposée.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(Replays(from_weights(lambda replay, l: replay.W(l).T), "dA{l}", "hidden"),),
    examples={
        "classe": {
            "(delta2 @ self.W2.T)": "(delta2 @ self.W2)",
        },
        "lesson": {
            "dA1 = dZ2 @ W2.T": "dA1 = dZ2 @ W2",
        },
        "profond": {
            'dA = layers[i]["W"].T @ dZ': 'dA = layers[i]["W"] @ dZ',
        },
        "couches": {
            "grad_inputs = grad @ self.W.T": "grad_inputs = grad @ self.W",
        },
    },
    trains=True,
)

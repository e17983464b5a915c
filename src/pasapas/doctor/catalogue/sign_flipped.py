"""The negative of a gradient."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import scaled_delta, scaled_gradients, scaled_hidden_delta
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Replay


def _minus(replay: Replay, l: int) -> float:
    return -1.0


MISTAKE = Mistake(
    code="sign-flipped",
    stage="backward",
    name=Text(en="The sign is the wrong way round", fr="Le signe est inversé"),
    hints=(
        Text(
            en="Look at the signs in {tensor}, for a single sample: would this number make the loss larger or smaller if its parameter grew a little?",
            fr="Regarder les signes dans {tensor}, pour un seul exemple : si le paramètre augmentait un peu, la perte deviendrait-elle plus grande ou plus petite ?",
        ),
        Text(
            en="A gradient is positive where the loss grows, and the update subtracts it. On paper, take a sample with P = 0.7 for its right class: to lower the loss this score must rise, so ∂L/∂Z must be negative there. Compare with the code, then look for a stray minus between there and {tensor}.",
            fr="Un gradient est positif là où la perte augmente, et la mise à jour le soustrait. Sur le papier, prendre un exemple avec P = 0,7 pour sa vraie classe : pour que la perte baisse, ce score doit monter, donc ∂L/∂Z doit y être négatif. Comparer avec le code, puis chercher un signe moins de trop entre cet endroit et {tensor}.",
        ),
        Text(
            en="Start from `dZ{last} = (P - Y) / m`, put no minus in front of the products that follow, and subtract in the update: `W = W - learning_rate * dW`. Y − P is only right together with `W + learning_rate * dW`; the two conventions must not be mixed.",
            fr="Partir de `dZ{last} = (P - Y) / m`, ne mettre aucun signe moins devant les produits qui suivent, et soustraire dans la mise à jour : `W = W - learning_rate * dW`. Y − P n’est juste qu’avec `W + learning_rate * dW` ; il ne faut pas mélanger les deux conventions.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        Replays(scaled_delta(_minus), "dZ{L}", "all"),
        Replays(scaled_hidden_delta(_minus), "dZ{l}", "hidden"),
        Replays(scaled_gradients(_minus), "dW{l}"),
        Replays(scaled_gradients(_minus, biases=False), "dW{l}"),
        Replays(scaled_gradients(_minus, weights=False), "db{l}"),
    ),
    examples={
        "entiers": {
            "db1 = ds1.sum(axis=0)": "db1 = -ds1.sum(axis=0)",
        },
        "classe": {
            "delta1 = (delta2 @ self.W2.T) *": "delta1 = -(delta2 @ self.W2.T) *",
        },
        "profond": {
            "dZ = AL - Y": "dZ = Y - AL",
        },
        "lesson": {
            "dZ2 = A2 - Y": "dZ2 = Y - A2",
        },
        "couches": {
            "return grad / m": "return -grad / m",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "delta2 = (Y - Yhat) / m",
        },
        "binaire": {
            "dZ2 = (A2 - y) / m": "dZ2 = (y - A2) / m",
        },
    },
    trains=True,
)

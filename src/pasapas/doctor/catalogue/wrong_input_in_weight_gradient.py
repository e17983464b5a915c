"""Another layer's input in dW."""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.catalogue._making import from_inputs, layer
from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


def _shifted(by: int) -> Callable[[Replay, int], Floats]:
    return lambda replay, l: layer(replay.A, l - 1 + by)


def _before(by: int) -> Callable[[Replay, int], Floats]:
    """A of a layer further down; where all layers are wrong at once, the first stays right."""
    return lambda replay, l: layer(replay.A, l - 1 - by) if l > 1 else replay.A[0]


MISTAKE = Mistake(
    code="wrong-input-in-weight-gradient",
    stage="backward",
    name=Text(
        en="Another layer's input in a weight gradient", fr="L’entrée d’une autre couche dans le gradient des poids"
    ),
    hints=(
        Text(
            en="Look at what dZ{layer} is multiplied by in dW{layer}: on which side of layer {layer} is it?",
            fr="Regarder par quoi dZ{layer} est multiplié dans dW{layer} : de quel côté de la couche {layer} cela se trouve-t-il ?",
        ),
        Text(
            en="A weight's gradient is what came in through it times the responsibility δ of the unit that it leads to, and another layer's values came in here. On paper, draw the forward pass as a chain X → Z1 → A1 → Z2 → … and find the arrow of W{layer}: what is at its beginning? The shape tells too: dW{layer} must have that of W{layer}.",
            fr="Le gradient d’un poids est ce qui est entré par lui fois la responsabilité δ du neurone où il mène, et ce sont ici les valeurs d’une autre couche. Sur le papier, dessiner la passe avant comme une chaîne X → Z1 → A1 → Z2 → … et chercher la flèche de W{layer} : qu’y a-t-il à son départ ? La forme le dit aussi : dW{layer} doit avoir celle de W{layer}.",
        ),
        Text(
            en="Use the input of the same layer: `dW{layer} = A{previous}.T @ dZ{layer}` with samples in rows, `dW{layer} = dZ{layer} @ A{previous}.T` with samples in columns (A0 is X).",
            fr="Utiliser l’entrée de la même couche : `dW{layer} = A{previous}.T @ dZ{layer}` avec les exemples en lignes, `dW{layer} = dZ{layer} @ A{previous}.T` avec les exemples en colonnes (A0 est X).",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        *(Replays(from_inputs(_shifted(by)), "dW{l}") for by in (1, 2, 3)),
        *(Replays(from_inputs(_before(by)), "dW{l}", "upper") for by in (1, 2, 3)),
        Replays(from_inputs(lambda replay, l: layer(replay.Z, l)), "dW{l}"),
    ),
    examples={
        "classe": {
            "self.dW3 = self.A2.T @ delta3 / m": "self.dW3 = self.A1.T @ delta3 / m",
        },
        "lesson": {
            "dW2 = A1.T @ dZ2 / m": "dW2 = X.T @ dZ2 / m",
        },
        "profond": {
            'dW = 1 / m * dZ @ cache["A_prev"].T': 'dW = 1 / m * dZ @ caches[0]["A_prev"].T',
        },
        "tanh": {
            "dW1 = np.dot(delta1.T, X)": "dW1 = np.dot(delta1.T, A1)",
        },
    },
    trains=True,
)

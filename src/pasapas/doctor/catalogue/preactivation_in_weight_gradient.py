"""Z in place of A in dW of the next layer."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import from_inputs, layer
from pasapas.doctor.mistake import Mistake, Replays, Text

MISTAKE = Mistake(
    code="preactivation-in-weight-gradient",
    stage="backward",
    name=Text(en="Z in place of A in a weight gradient", fr="Z à la place de A dans le gradient des poids"),
    hints=(
        Text(
            en="Look at what dZ{layer} is multiplied by in dW{layer}, and at what exactly came into layer {layer} in the forward pass.",
            fr="Regarder par quoi dZ{layer} est multiplié dans dW{layer}, et ce qui est entré exactement dans la couche {layer} lors de la passe avant.",
        ),
        Text(
            en="Z{previous} stands there, from before the activation, but layer {layer} has never seen it. On paper, take a ReLU unit of layer {previous} with Z = −3: it passes 0 on, so the weights that leave it cannot matter for this sample and their gradient must be 0. What does the code give?",
            fr="C’est Z{previous} qui s’y trouve, d’avant l’activation, mais la couche {layer} ne l’a jamais vu. Sur le papier, prendre un neurone ReLU de la couche {previous} avec Z = −3 : il transmet 0, donc les poids qui en partent ne peuvent pas compter pour cet exemple et leur gradient doit être nul. Que donne le code ?",
        ),
        Text(
            en="Use what the forward pass multiplied by W{layer}: `dW{layer} = A{previous}.T @ dZ{layer}` with samples in rows, `dW{layer} = dZ{layer} @ A{previous}.T` with samples in columns.",
            fr="Utiliser ce que la passe avant a multiplié par W{layer} : `dW{layer} = A{previous}.T @ dZ{layer}` avec les exemples en lignes, `dW{layer} = dZ{layer} @ A{previous}.T` avec les exemples en colonnes.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(
        Replays(
            from_inputs(lambda replay, l: layer(replay.Z, l - 1) if l > 1 else replay.A[0]),
            "dW{l}",
            "upper",
        ),
    ),
    examples={
        "entiers": {
            "dW2 = h.T @ dscores": "dW2 = s1.T @ dscores",
        },
        "tanh": {
            "dW2 = np.dot(delta2.T, A1)": "dW2 = np.dot(delta2.T, Z1)",
        },
        "lesson": {
            "dW2 = A1.T @ dZ2 / m": "dW2 = Z1.T @ dZ2 / m",
        },
        "classe": {
            "self.dW2 = self.A1.T @ delta2 / m": "self.dW2 = self.Z1.T @ delta2 / m",
        },
    },
    trains=True,
)

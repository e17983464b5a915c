"""δ without the activation's derivative."""

from __future__ import annotations

import numpy as np

from pasapas.doctor.catalogue._making import other_derivative
from pasapas.doctor.mistake import Mistake, Replays, Text

MISTAKE = Mistake(
    code="activation-derivative-missing",
    stage="backward",
    name=Text(en="The activation's derivative is missing", fr="La dérivée de l’activation manque"),
    hints=(
        Text(
            en="Look at dZ{layer}: what lies between Z{layer} and A{layer} in the forward pass, and what between dA{layer} and dZ{layer} in the backward pass?",
            fr="Regarder dZ{layer} : qu’y a-t-il entre Z{layer} et A{layer} dans la passe avant, et entre dA{layer} et dZ{layer} dans la passe arrière ?",
        ),
        Text(
            en="Between Z and A there is a function, so by the chain rule the way back has a factor: its slope at Z. On paper, where the function is flat (ReLU at Z = −2, tanh or sigmoid at Z = 10) moving Z changes next to nothing, so ∂L/∂Z must be about 0 there; here it is as large as ∂L/∂A.",
            fr="Entre Z et A il y a une fonction, donc par la règle de la chaîne le retour a un facteur : sa pente en Z. Sur le papier, là où la fonction est plate (ReLU en Z = −2, tanh ou sigmoïde en Z = 10), bouger Z ne change presque rien, donc ∂L/∂Z doit y être à peu près nul ; ici il est aussi grand que ∂L/∂A.",
        ),
        Text(
            en="Multiply number by number: `dZ{layer} = dA{layer} * (Z{layer} > 0)` for ReLU, `dZ{layer} = dA{layer} * (1 - A{layer} ** 2)` for tanh, `dZ{layer} = dA{layer} * A{layer} * (1 - A{layer})` for sigmoid.",
            fr="Multiplier nombre par nombre : `dZ{layer} = dA{layer} * (Z{layer} > 0)` pour ReLU, `dZ{layer} = dA{layer} * (1 - A{layer} ** 2)` pour tanh, `dZ{layer} = dA{layer} * A{layer} * (1 - A{layer})` pour la sigmoïde.",
        ),
    ),
    lesson="3-backpropagation",
    replays=(Replays(other_derivative(lambda replay, l: np.ones_like(replay.Z[l])), "dZ{l}"),),
    examples={
        "tanh": {
            "delta1 = dA1 * (1 - np.tanh(Z1) ** 2)": "delta1 = dA1",
        },
        "lesson": {
            "dZ1 = dA1 * (Z1 > 0)": "dZ1 = dA1",
        },
        "profond": {
            "return dA * (1 - np.tanh(Z) ** 2)": "return dA",
        },
        "classe": {
            "delta1 = (delta2 @ self.W2.T) * derivee_sigmoide(self.A1)": "delta1 = delta2 @ self.W2.T",
        },
        "couches": {
            "return grad * (1.0 - self.outputs**2)": "return grad",
        },
        "entiers": {
            "ds1 = np.where(s1 > 0, dh, SLOPE * dh)": "ds1 = dh",
        },
        "binaire": {
            "dZ1 = dA1 * (1 - A1 * A1)": "dZ1 = dA1",
        },
    },
    trains=True,
)

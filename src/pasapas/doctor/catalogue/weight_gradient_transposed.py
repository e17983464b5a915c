"""dW is the transpose of what it should be."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


class _Transposed(Replay):
    """The transpose of Aᵀ δ; the penalty's part stays as it is where shapes allow it."""

    def weight_gradient(self, l: int, dZ: Floats) -> Floats:
        dW = super().weight_gradient(l, dZ)
        if not self.here(l):
            return dW
        penalty = self.penalty(l)
        square = dW.shape[0] == dW.shape[1]
        return (dW - penalty).T + (penalty if square else penalty.T)


MISTAKE = Mistake(
    code="weight-gradient-transposed",
    stage="backward",
    name=Text(en="The gradient of the weights is transposed", fr="Le gradient des poids est transposé"),
    hints=(
        Text(
            en="Look at dW{layer} next to W{layer}: their shapes, and which input and which unit each row and each column belongs to.",
            fr="Regarder dW{layer} à côté de W{layer} : leurs formes, et à quelle entrée et à quel neurone appartient chaque ligne et chaque colonne.",
        ),
        Text(
            en="Rows and columns have changed places; with a square layer no shape betrays it. On paper, take one sample with the input (1, 0): only the weights of the first input take part, so only they may have a gradient that is not 0. Where are they in W{layer}, and where are the numbers in dW{layer}?",
            fr="Lignes et colonnes ont échangé leurs places ; avec une couche carrée, aucune forme ne le trahit. Sur le papier, prendre un exemple dont l’entrée est (1 ; 0) : seuls les poids de la première entrée interviennent, donc eux seuls peuvent avoir un gradient non nul. Où sont-ils dans W{layer}, et où sont les nombres dans dW{layer} ?",
        ),
        Text(
            en="dW{layer} has the shape of W{layer}. Samples in rows, W (n_in, n_out): `dW{layer} = A{previous}.T @ dZ{layer}`; samples in columns, W (n_out, n_in): `dW{layer} = dZ{layer} @ A{previous}.T` (A0 is X).",
            fr="dW{layer} a la forme de W{layer}. Exemples en lignes, W (n_in, n_out) : `dW{layer} = A{previous}.T @ dZ{layer}` ; exemples en colonnes, W (n_out, n_in) : `dW{layer} = dZ{layer} @ A{previous}.T` (A0 est X).",
        ),
    ),
    lesson="3-backpropagation",
    replays=(Replays(_Transposed, "dW{l}"),),
    examples={
        "classe": {
            "self.dW2 = self.A1.T @ delta2 / m": "self.dW2 = delta2.T @ self.A1 / m",
        },
        "lesson": {
            "dW2 = A1.T @ dZ2 / m": "dW2 = dZ2.T @ A1 / m",
        },
        "couches": {
            "self.dW = self.inputs.T @ grad": "self.dW = grad.T @ self.inputs",
        },
        "tanh": {
            "dW1 = np.dot(delta1.T, X)": "dW1 = np.dot(X.T, delta1)",
        },
    },
    trains=True,
)

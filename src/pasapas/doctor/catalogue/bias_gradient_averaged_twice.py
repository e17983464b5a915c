"""db alone is divided by m once more."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import scaled_gradients
from pasapas.doctor.mistake import Mistake, Replays, Text

MISTAKE = Mistake(
    code="bias-gradient-averaged-twice",
    stage="backward",
    name=Text(en="The gradient of the biases is averaged twice", fr="Le gradient des biais est moyenné deux fois"),
    hints=(
        Text(
            en="Look at db{layer} next to dW{layer}: do both treat dZ{layer} and the batch size in the same way?",
            fr="Regarder db{layer} à côté de dW{layer} : les deux traitent-ils dZ{layer} et la taille du lot de la même façon ?",
        ),
        Text(
            en="dW{layer} has the right size, db{layer} is m times too small: for the biases alone, the mean over the batch is taken once more. On paper, add to the layer's input a column of ones: a bias is the weight of that input, so db{layer} must be what dW would have in its row.",
            fr="dW{layer} a la bonne grandeur, db{layer} est m fois trop petit : pour les biais seuls, la moyenne sur le lot est prise une fois de plus. Sur le papier, ajouter à l’entrée de la couche une colonne de uns : un biais est le poids de cette entrée, donc db{layer} doit être ce que dW aurait sur sa ligne.",
        ),
        Text(
            en="If dZ{layer} already contains 1/m, only sum: `db{layer} = np.sum(dZ{layer}, axis=0)`. If it does not, either `np.sum(dZ{layer}, axis=0) / m` or `np.mean(dZ{layer}, axis=0)`, never both (axis=1 with samples in columns).",
            fr="Si dZ{layer} contient déjà 1/m, additionner seulement : `db{layer} = np.sum(dZ{layer}, axis=0)`. Sinon, soit `np.sum(dZ{layer}, axis=0) / m`, soit `np.mean(dZ{layer}, axis=0)`, jamais les deux (axis=1 avec les exemples en colonnes).",
        ),
    ),
    lesson="3-backpropagation",
    replays=(Replays(scaled_gradients(lambda replay, l: 1 / replay.m, weights=False), "db{l}"),),
    examples={
        "entiers": {
            "db2 = dscores.sum(axis=0)": "db2 = dscores.mean(axis=0)",
            "db1 = ds1.sum(axis=0)": "db1 = ds1.mean(axis=0)",
        },
        "tanh": {
            "db1 = np.sum(delta1, axis=0).reshape(-1, 1)": "db1 = np.mean(delta1, axis=0).reshape(-1, 1)",
        },
        "lesson": {
            "db2 = np.sum(dZ2, axis=0, keepdims=True) / m": "db2 = np.mean(dZ2, axis=0, keepdims=True) / m",
            "db1 = np.sum(dZ1, axis=0, keepdims=True) / m": "db1 = np.mean(dZ1, axis=0, keepdims=True) / m",
        },
        "couches": {
            "self.db = grad.sum(axis=0)": "self.db = grad.mean(axis=0)",
        },
        "classe": {
            "self.db3 = delta3.sum(axis=0, keepdims=True) / m": "self.db3 = delta3.mean(axis=0, keepdims=True) / m",
        },
    },
    trains=True,
)

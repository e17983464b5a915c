"""The loss is not finite where P is 0."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="log-of-zero",
    stage="loss",
    name=Text(en="The logarithm of 0 in the loss", fr="Le logarithme de 0 dans la perte"),
    hints=(
        Text(
            en="Look at the loss for a sample where a probability is exactly 0, such as P = (1, 0).",
            fr="Regarder la perte pour un exemple où une probabilité est exactement 0, comme P = (1 ; 0).",
        ),
        Text(
            en="log 0 is −∞, and 0 · log 0 is NaN in the computer; one such sample spoils the mean of the whole batch. On paper, write out the sum over both classes for P = (1, 0) with the label 1, and then with the label 0, where the answer is right and the loss should be 0.",
            fr="log 0 vaut −∞, et 0 · log 0 donne NaN dans l’ordinateur ; un seul exemple de ce genre gâche la moyenne de tout le lot. Sur le papier, écrire la somme sur les deux classes pour P = (1 ; 0) avec l’étiquette 1, puis avec l’étiquette 0, où la réponse est juste et la perte devrait être nulle.",
        ),
        Text(
            en="Keep the probability away from 0 before the logarithm, `np.log(np.clip(P, 1e-12, 1))`; or, better, compute the logarithm from the scores: `S = Z - Z.max(axis=1, keepdims=True)`, then `log_P = S - np.log(np.exp(S).sum(axis=1, keepdims=True))`.",
            fr="Tenir la probabilité loin de 0 avant le logarithme, `np.log(np.clip(P, 1e-12, 1))` ; ou, mieux, calculer le logarithme à partir des scores : `S = Z - Z.max(axis=1, keepdims=True)`, puis `log_P = S - np.log(np.exp(S).sum(axis=1, keepdims=True))`.",
        ),
    ),
    lesson="6-when-it-goes-wrong",
    examples={
        "lesson": {
            "    y_pred = np.clip(y_pred, 1e-12, 1)\n": "",
        },
        "tanh": {
            "np.log(Yhat + 1e-10)": "np.log(Yhat)",
        },
        "classe": {
            "np.log(self.A3 + 1e-12)": "np.log(self.A3)",
        },
        "profond": {
            "np.log(AL + 1e-12)": "np.log(AL)",
        },
        "entiers": {
            "np.log(p[rows, y] + 1e-12)": "np.log(p[rows, y])",
        },
        "couches": {
            "np.log(right + 1e-12)": "np.log(right)",
        },
        "binaire": {
            "proba = np.clip(A2, 1e-12, 1 - 1e-12)": "proba = A2",
        },
    },
)

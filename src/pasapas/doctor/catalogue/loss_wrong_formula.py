"""Another loss than the one that the gradient belongs to."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="loss-wrong-formula",
    stage="loss",
    name=Text(
        en="The loss is not the one that the gradient belongs to",
        fr="La perte n’est pas celle du gradient",
    ),
    hints=(
        Text(
            en="Look at what the loss gives for a single sample with P = (0.5, 0.25, 0.25), once for each of the three labels.",
            fr="Regarder ce que donne la perte pour un seul exemple avec P = (0,5 ; 0,25 ; 0,25), pour chacune des trois étiquettes.",
        ),
        Text(
            en="The gradients are those of the cross-entropy: minus the natural logarithm of the probability given to the right class, 0 for certainty, never negative, growing without limit towards P = 0. On paper it is 0.69 for the first label above and 1.39 for the other two; compare, and look for a sign, another logarithm, a square or a term too many.",
            fr="Les gradients sont ceux de l’entropie croisée : moins le logarithme népérien de la probabilité donnée à la vraie classe, 0 pour la certitude, jamais négatif, croissant sans limite vers P = 0. Sur le papier, elle vaut 0,69 pour la première étiquette ci-dessus et 1,39 pour les deux autres ; comparer, et chercher un signe, un autre logarithme, un carré ou un terme de trop.",
        ),
        Text(
            en="Write `loss = -np.sum(Y * np.log(P)) / m`, or with label numbers `-np.mean(np.log(P[np.arange(m), labels]))`; for sigmoid outputs `-np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / m`. To keep another loss on purpose, derive its own gradient: `(P - Y) / m` is not it.",
            fr="Écrire `loss = -np.sum(Y * np.log(P)) / m`, ou avec les numéros des étiquettes `-np.mean(np.log(P[np.arange(m), labels]))` ; pour des sorties sigmoïdes `-np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / m`. Pour garder exprès une autre perte, dériver son propre gradient : ce n’est pas `(P - Y) / m`.",
        ),
    ),
    lesson="5-derivation",
    examples={
        "lesson": {
            "return -np.sum(y_true * np.log(y_pred)) / len(y_true)": "return np.sum((y_pred - y_true) ** 2) / len(y_true)",
        },
        "tanh": {
            "loss = -np.mean(np.sum(Y * log_probabilities, axis=1))": "loss = -np.mean(np.sum(Yhat * log_probabilities, axis=1))",
        },
        "classe": {
            "entropie = -np.sum(Y * np.log(self.A3 + 1e-12)) / Y.shape[0]": "log1, log0 = np.log(self.A3 + 1e-12), np.log(1 - self.A3 + 1e-12)\n        entropie = -np.sum(Y * log1 + (1 - Y) * log0) / Y.shape[0]",
        },
        "couches": {
            "return -np.mean(np.log(right + 1e-12))": "return np.mean((1.0 - right) ** 2)",
        },
        "profond": {
            "np.log(AL + 1e-12)": "np.log10(AL + 1e-12)",
        },
    },
)

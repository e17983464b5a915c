"""Arg max over the wrong axis, or compared with the wrong labels."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="accuracy-wrong",
    stage="measure",
    name=Text(en="The accuracy is computed wrongly", fr="L’exactitude est mal calculée"),
    hints=(
        Text(
            en="Look at the line that compares predictions with labels in {function}: write down the shapes of both sides.",
            fr="Regarder la ligne qui compare prédictions et étiquettes dans {function} : noter les formes des deux côtés.",
        ),
        Text(
            en="A prediction is the number of the class with the largest probability of that sample, so there are m of them, and numbers must be compared with numbers. On paper, three samples with P = (0.1, 0.9), (0.8, 0.2), (0.3, 0.7) and the labels 1, 0, 0: two of three are right. What does the code give, and what for a single sample?",
            fr="Une prédiction est le numéro de la classe de plus grande probabilité pour cet exemple, donc il y en a m, et des numéros doivent être comparés à des numéros. Sur le papier, trois exemples avec P = (0,1 ; 0,9), (0,8 ; 0,2), (0,3 ; 0,7) et les étiquettes 1, 0, 0 : deux sur trois sont justes. Que donne le code, et que donne-t-il pour un seul exemple ?",
        ),
        Text(
            en="Samples in rows: `np.mean(np.argmax(P, axis=1) == labels)`, where one-hot labels become numbers first, `labels = np.argmax(Y, axis=1)`; axis=0 with samples in columns. For one sigmoid output: `np.mean((P > 0.5) == Y)` with P and Y of the same shape.",
            fr="Exemples en lignes : `np.mean(np.argmax(P, axis=1) == labels)`, où des étiquettes one-hot deviennent d’abord des numéros, `labels = np.argmax(Y, axis=1)` ; axis=0 avec les exemples en colonnes. Pour une seule sortie sigmoïde : `np.mean((P > 0.5) == Y)` avec P et Y de même forme.",
        ),
    ),
    lesson="4-a-complete-network",
    examples={
        "lesson": {
            "return np.mean(np.argmax(probabilities, axis=1) == y)": "answers = np.argmax(probabilities, axis=1, keepdims=True)\n    return np.mean(answers == one_hot_encode(y))",
        },
        "tanh": {
            "np.mean(Yhat.argmax(axis=1) == Y.argmax(axis=1))": "np.mean(Yhat.argmax(axis=0) == Y.argmax(axis=0))",
        },
        "profond": {
            "np.mean(np.argmax(AL, axis=0) == np.argmax(Y, axis=0))": "np.mean(np.argmax(AL, axis=1) == np.argmax(Y, axis=1))",
        },
        "classe": {
            "return np.mean(self.predire(X) == chiffres)": "return np.mean(self.propagation_avant(X) == un_parmi_n(chiffres))",
        },
    },
)

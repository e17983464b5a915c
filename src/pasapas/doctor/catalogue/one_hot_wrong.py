"""One-hot rows that do not say the label."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="one-hot-wrong",
    stage="data",
    name=Text(en="The one-hot labels are wrong", fr="L’encodage one-hot est faux"),
    hints=(
        Text(
            en="Look at the one-hot table for a few labels that are known, such as 0, 1 and the largest: its shape, the sum for each label, the place of the one.",
            fr="Regarder le tableau one-hot pour quelques étiquettes connues, comme 0, 1 et la plus grande : sa forme, la somme pour chaque étiquette, la place du un.",
        ),
        Text(
            en="Each label becomes a single 1, at the place whose number is the label, counted from 0; and there are as many places as classes, even where a batch does not contain them all. On paper, write the table for the labels 2, 0, 2 among four classes and compare.",
            fr="Chaque étiquette devient un seul 1, à la place dont le numéro est l’étiquette, en comptant à partir de 0 ; et il y a autant de places que de classes, même si un lot ne les contient pas toutes. Sur le papier, écrire le tableau pour les étiquettes 2, 0, 2 parmi quatre classes et comparer.",
        ),
        Text(
            en="With samples in rows: `Y = np.zeros((m, n_classes))`, then `Y[np.arange(m), labels] = 1`; or in one line `Y = np.eye(n_classes)[labels]`. Give n_classes yourself instead of taking `labels.max() + 1` from the batch; with samples in columns, transpose.",
            fr="Avec les exemples en lignes : `Y = np.zeros((m, n_classes))`, puis `Y[np.arange(m), labels] = 1` ; ou en une ligne `Y = np.eye(n_classes)[labels]`. Donner n_classes plutôt que de prendre `labels.max() + 1` dans le lot ; avec les exemples en colonnes, transposer.",
        ),
    ),
    lesson="1-data-and-neurons",
    examples={
        "lesson": {
            "encoded[np.arange(len(y)), y] = 1": "encoded[:, y] = 1",
        },
        "classe": {
            "Y[ligne, chiffre] = 1": "Y[ligne, chiffre] = chiffre",
        },
        "tanh": {
            "Y = np.eye(10)[labels]": "Y = np.eye(10, k=1)[labels]",
        },
        "profond": {
            "Y[labels, np.arange(labels.size)] = 1": "Y[(labels + 1) % 10, np.arange(labels.size)] = 1",
        },
    },
)

"""The loss is a sum and the gradient a mean, or the reverse."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="loss-not-averaged",
    stage="loss",
    name=Text(
        en="The loss and its gradient disagree about the mean",
        fr="La perte et son gradient ne s’accordent pas sur la moyenne",
    ),
    hints=(
        Text(
            en="Look at how the loss depends on the number m of samples in the batch, and at how the gradients do.",
            fr="Regarder comment la perte dépend du nombre m d’exemples du lot, et comment les gradients en dépendent.",
        ),
        Text(
            en="One of the two is a sum over the batch and the other a mean, so they belong to two different functions. On paper, write every sample twice: a sum doubles, a mean stays. What does the loss do, and what do the gradients?",
            fr="L’un des deux est une somme sur le lot et l’autre une moyenne, donc ils appartiennent à deux fonctions différentes. Sur le papier, écrire deux fois chaque exemple : une somme double, une moyenne reste. Que fait la perte, et que font les gradients ?",
        ),
        Text(
            en="Average both: `loss = -np.sum(Y * np.log(P)) / m` belongs with `dZ{last} = (P - Y) / m`. Beware of np.mean without axis: on a table (m, n_classes) it divides by n_classes as well.",
            fr="Moyenner les deux : `loss = -np.sum(Y * np.log(P)) / m` va avec `dZ{last} = (P - Y) / m`. Prendre garde à np.mean sans axis : sur un tableau (m, n_classes), elle divise en plus par n_classes.",
        ),
    ),
    lesson="2-forward",
    examples={
        "lesson": {
            "return -np.sum(y_true * np.log(y_pred)) / len(y_true)": "return -np.sum(y_true * np.log(y_pred))",
        },
        "tanh": {
            "loss = -np.mean(np.sum(Y * log_probabilities, axis=1))": "loss = -np.sum(Y * log_probabilities)",
        },
        "entiers": {
            "data_loss = -np.log(p[rows, y] + 1e-12).mean()": "data_loss = -np.log(p[rows, y] + 1e-12).sum()",
        },
        "couches": {
            "return -np.mean(np.log(right + 1e-12))": "return -np.sum(np.log(right + 1e-12))",
        },
        "classe": {
            "np.log(self.A3 + 1e-12)) / Y.shape[0]": "np.log(self.A3 + 1e-12))",
        },
    },
)

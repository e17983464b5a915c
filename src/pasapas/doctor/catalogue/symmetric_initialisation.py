"""All weights are equal, and hidden units stay identical."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="symmetric-initialisation",
    stage="initialisation",
    name=Text(en="All weights start out equal", fr="Tous les poids partent égaux"),
    hints=(
        Text(
            en="Look at the weights of two units of the same hidden layer side by side: at the start, and again after a few steps.",
            fr="Regarder côte à côte les poids de deux neurones d’une même couche cachée : au départ, puis après quelques pas.",
        ),
        Text(
            en="Units with equal weights give the same A, receive the same δ and so the same gradient: they stay equal for ever, and a hundred of them can do no more than one. On paper, take two hidden units with all weights 0.5 and do one step; then do it with all weights 0 and see what comes back to the hidden layer.",
            fr="Des neurones aux poids égaux donnent le même A, reçoivent le même δ et donc le même gradient : ils restent égaux pour toujours, et cent d’entre eux ne peuvent pas plus qu’un seul. Sur le papier, prendre deux neurones cachés avec tous les poids à 0,5 et faire un pas ; puis le faire avec tous les poids à 0 et voir ce qui revient à la couche cachée.",
        ),
        Text(
            en="Draw the weights at random, `W = rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)` for ReLU, with `np.sqrt(1 / n_in)` for tanh or sigmoid. Only biases may all start at 0.",
            fr="Tirer les poids au hasard, `W = rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)` pour ReLU, avec `np.sqrt(1 / n_in)` pour tanh ou sigmoïde. Seuls les biais peuvent tous partir de 0.",
        ),
    ),
    lesson="4-a-complete-network",
    examples={
        "lesson": {
            "rng.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)": "np.zeros((n_in, n_out))",
        },
        "tanh": {
            "W1 = np.random.normal(0, 0.05, (nh, nx))": "W1 = np.full((nh, nx), 0.05)",
            "W2 = np.random.normal(0, 0.1, (ny, nh))": "W2 = np.full((ny, nh), 0.1)",
        },
        "classe": {
            "self.W1 = rng.normal(0, 1 / np.sqrt(n_entrees), (n_entrees, n_cachees))": "self.W1 = np.ones((n_entrees, n_cachees)) / n_entrees",
            "self.W2 = rng.normal(0, 1 / np.sqrt(n_cachees), (n_cachees, n_cachees))": "self.W2 = np.ones((n_cachees, n_cachees)) / n_cachees",
            "self.W3 = rng.normal(0, 1 / np.sqrt(n_cachees), (n_cachees, n_sorties))": "self.W3 = np.ones((n_cachees, n_sorties)) / n_cachees",
        },
        "profond": {
            "W = np.random.randn(n_out, n_in) * np.sqrt(1 / n_in)": "W = np.zeros((n_out, n_in))",
        },
        "binaire": {
            "W1 = rng.normal(0, np.sqrt(1 / n_entrees), (n_entrees, n_caches))": "W1 = np.full((n_entrees, n_caches), 0.01)",
            "W2 = rng.normal(0, np.sqrt(1 / n_caches), (n_caches, 1))": "W2 = np.full((n_caches, 1), 0.01)",
        },
    },
)

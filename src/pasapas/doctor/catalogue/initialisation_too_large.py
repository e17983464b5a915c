"""Weights so large that the network starts saturated."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="initialisation-too-large",
    stage="initialisation",
    name=Text(en="The weights start out too large", fr="Les poids de départ sont trop grands"),
    hints=(
        Text(
            en="Look at the numbers of Z1, at the scores and at the loss at the very start, before any training.",
            fr="Regarder les nombres de Z1, les scores et la perte tout au départ, avant tout entraînement.",
        ),
        Text(
            en="A network that knows nothing yet should give each of ten classes about 0.1, so a loss near log 10 = 2.30. On paper: a sum of n terms of size σ with random signs has about the size σ√n, so 784 inputs near 1 with weights of size 1 make scores of 28: tanh and sigmoid are flat there, softmax is certain and mostly wrong.",
            fr="Un réseau qui ne sait encore rien devrait donner à chacune de dix classes environ 0,1, donc une perte proche de log 10 = 2,30. Sur le papier : une somme de n termes de taille σ et de signes aléatoires a environ la taille σ√n, donc 784 entrées proches de 1 avec des poids de taille 1 font des scores de 28 : tanh et sigmoïde y sont plates, softmax est sûr de lui et le plus souvent dans l’erreur.",
        ),
        Text(
            en="Scale the random numbers by the number of inputs: `W = rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)` for ReLU, with `np.sqrt(1 / n_in)` for tanh or sigmoid.",
            fr="Mettre les nombres aléatoires à l’échelle du nombre d’entrées : `W = rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)` pour ReLU, avec `np.sqrt(1 / n_in)` pour tanh ou sigmoïde.",
        ),
    ),
    lesson="4-a-complete-network",
    examples={
        "lesson": {
            "rng.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)": "rng.normal(size=(n_in, n_out)) * 10",
        },
        "tanh": {
            "W1 = np.random.normal(0, 0.05, (nh, nx))": "W1 = np.random.normal(0, 5, (nh, nx))",
            "W2 = np.random.normal(0, 0.1, (ny, nh))": "W2 = np.random.normal(0, 10, (ny, nh))",
        },
        "classe": {
            "self.W1 = rng.normal(0, 1 / np.sqrt(n_entrees), (n_entrees, n_cachees))": "self.W1 = rng.normal(0, np.sqrt(n_entrees), (n_entrees, n_cachees))",
            "self.W2 = rng.normal(0, 1 / np.sqrt(n_cachees), (n_cachees, n_cachees))": "self.W2 = rng.normal(0, np.sqrt(n_cachees), (n_cachees, n_cachees))",
            "self.W3 = rng.normal(0, 1 / np.sqrt(n_cachees), (n_cachees, n_sorties))": "self.W3 = rng.normal(0, np.sqrt(n_cachees), (n_cachees, n_sorties))",
        },
        "profond": {
            "W = np.random.randn(n_out, n_in) * np.sqrt(1 / n_in)": "W = np.random.randn(n_out, n_in) * np.sqrt(n_in)",
        },
        "entiers": {
            "* np.sqrt(2.0 / n_in)": "* np.sqrt(2.0 * n_in)",
            "* np.sqrt(2.0 / n_hidden)": "* np.sqrt(2.0 * n_hidden)",
        },
    },
)

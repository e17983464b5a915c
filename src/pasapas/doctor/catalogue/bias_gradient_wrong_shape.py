"""db has the right numbers in a shape that does not go with b."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="bias-gradient-wrong-shape",
    stage="backward",
    name=Text(
        en="The gradient of the biases has another shape than they have",
        fr="Le gradient des biais n’a pas la même forme qu’eux",
    ),
    hints=(
        Text(
            en="Print the shapes of b{layer}, of db{layer} and of b{layer} - db{layer}.",
            fr="Afficher les formes de b{layer}, de db{layer} et de b{layer} - db{layer}.",
        ),
        Text(
            en="The numbers of db{layer} are right, but it lies across b{layer}: of a column and a row, NumPy makes a square table without a word (broadcasting). On paper, take the column b = (1, 2) and the row db = (10, 20), and write b − db entry by entry: each number of the column meets each of the row. How many biases are there then?",
            fr="Les nombres de db{layer} sont justes, mais il est en travers de b{layer} : d’une colonne et d’une ligne, NumPy fait sans rien dire un tableau carré (broadcasting). Sur le papier, prendre la colonne b = (1 ; 2) et la ligne db = (10 ; 20), et écrire b − db terme à terme : chaque nombre de la colonne rencontre chacun de la ligne. Combien y a-t-il alors de biais ?",
        ),
        Text(
            en="Give db{layer} the shape of b{layer}, here by `keepdims=True`: `db{layer} = np.sum(dZ{layer}, axis=1, keepdims=True)` with samples in columns and b{layer} of shape (n, 1), `np.sum(dZ{layer}, axis=0, keepdims=True)` with samples in rows and b{layer} of shape (1, n). In any other case `.reshape(b{layer}.shape)` does it.",
            fr="Donner à db{layer} la forme de b{layer}, par `keepdims=True` : `db{layer} = np.sum(dZ{layer}, axis=1, keepdims=True)` avec les exemples en colonnes et b{layer} de forme (n, 1), `np.sum(dZ{layer}, axis=0, keepdims=True)` avec les exemples en lignes et b{layer} de forme (1, n). Dans tout autre cas, `.reshape(b{layer}.shape)` le fait.",
        ),
    ),
    lesson="3-backpropagation",
    examples={
        "profond": {
            "np.sum(dZ, axis=1, keepdims=True)": "np.sum(dZ, axis=1)",
        },
        "tanh": {
            "db2 = np.sum(delta2, axis=0).reshape(-1, 1)": "db2 = np.sum(delta2, axis=0)",
            "db1 = np.sum(delta1, axis=0).reshape(-1, 1)": "db1 = np.sum(delta1, axis=0)",
        },
        "lesson": {
            "db1 = np.sum(dZ1, axis=0, keepdims=True) / m": "db1 = np.sum(dZ1.T, axis=1, keepdims=True) / m",
        },
        "classe": {
            "self.db1 = delta1.sum(axis=0, keepdims=True) / m": "self.db1 = delta1.sum(axis=0).reshape(-1, 1) / m",
        },
        "entiers": {
            "db2 = dscores.sum(axis=0)": "db2 = dscores.sum(axis=0)[:, None]",
        },
    },
)

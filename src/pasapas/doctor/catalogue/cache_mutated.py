"""Something given is changed in place."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="cache-mutated",
    stage="backward",
    name=Text(en="What was given is changed in place", fr="Ce qui a été donné est modifié sur place"),
    hints=(
        Text(
            en="Compare what {function} is given before the call and after it: X, Y, the parameters, and the values that the forward pass kept.",
            fr="Comparer ce qui est donné à {function} avant l’appel et après : X, Y, les paramètres, et les valeurs que la passe avant a gardées.",
        ),
        Text(
            en="A second name for an array is not a second array: after `B = A`, a line such as `B -= 1` or `B[0] = 0` changes A as well. Go through {function} on paper with A = [1, 2] and mark each line that writes into an array instead of making a new one: one of these arrays came from outside, and a second call finds other numbers in it.",
            fr="Un deuxième nom pour un tableau n’est pas un deuxième tableau : après `B = A`, une ligne comme `B -= 1` ou `B[0] = 0` change aussi A. Parcourir {function} sur le papier avec A = [1, 2] et marquer chaque ligne qui écrit dans un tableau au lieu d’en faire un nouveau : l’un de ces tableaux vient du dehors, et un deuxième appel y trouve d’autres nombres.",
        ),
        Text(
            en="Make a new array, `dZ{last} = P - Y` in place of `P -= Y` and `np.maximum(0, Z)` in place of `Z[Z < 0] = 0`, or work on a copy: `dZ{last} = P.copy()`.",
            fr="Faire un nouveau tableau, `dZ{last} = P - Y` à la place de `P -= Y` et `np.maximum(0, Z)` à la place de `Z[Z < 0] = 0`, ou travailler sur une copie : `dZ{last} = P.copy()`.",
        ),
    ),
    lesson="6-when-it-goes-wrong",
    examples={
        "profond": {
            "dZ = AL - Y": "dZ = AL\n    dZ -= Y",
        },
        "tanh": {
            "delta2 = (Yhat - Y) / m": "delta2 = Yhat\n    delta2 -= Y\n    delta2 /= m",
        },
        "lesson": {
            "    return np.maximum(0, Z)": "    Z[Z < 0] = 0\n    return Z",
        },
        "classe": {
            "delta3 = self.A3 - Y": "delta3 = self.A3\n        delta3 -= Y",
        },
        "binaire": {
            "dZ2 = (A2 - y) / m": "A2 -= y\n    dZ2 = A2 / m",
        },
    },
)

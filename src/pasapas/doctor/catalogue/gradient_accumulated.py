"""Gradients that keep growing from call to call."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="gradient-accumulated",
    stage="backward",
    name=Text(en="The gradients pile up from call to call", fr="Les gradients s’accumulent d’un appel à l’autre"),
    hints=(
        Text(
            en="Call {function} twice with the same arguments, and put the two results next to each other.",
            fr="Appeler {function} deux fois avec les mêmes arguments, et mettre les deux résultats côte à côte.",
        ),
        Text(
            en="A gradient depends on the parameters and on the batch, so the same question must have the same answer; here each call adds to what the earlier ones left. On paper, with a gradient of 3 at every call: what comes out after the first, the second and the third?",
            fr="Un gradient dépend des paramètres et du lot, donc la même question doit avoir la même réponse ; ici chaque appel ajoute à ce que les précédents ont laissé. Sur le papier, avec un gradient de 3 à chaque appel : que sort-il après le premier, le deuxième et le troisième ?",
        ),
        Text(
            en="Give each call new values, `dW = A.T @ dZ` in place of `dW += A.T @ dZ`, or set the gradients to 0 at its beginning, `self.dW[...] = 0`. A list or a dictionary as a default argument, or a global one, survives from call to call too: make it inside the function.",
            fr="Donner à chaque appel des valeurs neuves, `dW = A.T @ dZ` à la place de `dW += A.T @ dZ`, ou remettre les gradients à 0 au début, `self.dW[...] = 0`. Une liste ou un dictionnaire en valeur par défaut d’un argument, ou en variable globale, survit aussi d’un appel à l’autre : le créer dans la fonction.",
        ),
    ),
    lesson="6-when-it-goes-wrong",
    examples={
        "couches": {
            "self.b = np.zeros(n_out)": "self.b = np.zeros(n_out)\n        self.dW = np.zeros((n_in, n_out))\n        self.db = np.zeros(n_out)",
            "self.dW = self.inputs.T @ grad": "self.dW += self.inputs.T @ grad",
            "self.db = grad.sum(axis=0)": "self.db += grad.sum(axis=0)",
        },
        "lesson": {
            "def backward_propagation(X, Y, parameters, cache):": "def backward_propagation(X, Y, parameters, cache, gradients={}):",
            '    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}': '    for name, gradient in {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}.items():\n        gradients[name] = gradients.get(name, 0) + gradient\n    return gradients',
        },
        "classe": {
            "        self.taux = taux\n": "        self.dW1, self.dW2, self.dW3 = 0, 0, 0\n        self.db1, self.db2, self.db3 = 0, 0, 0\n        self.taux = taux\n",
            "self.dW3 = self.A2.T @ delta3 / m": "self.dW3 += self.A2.T @ delta3 / m",
            "self.dW2 = self.A1.T @ delta2 / m": "self.dW2 += self.A1.T @ delta2 / m",
            "self.dW1 = X.T @ delta1 / m": "self.dW1 += X.T @ delta1 / m",
            "self.db3 = delta3.sum(axis=0, keepdims=True) / m": "self.db3 += delta3.sum(axis=0, keepdims=True) / m",
            "self.db2 = delta2.sum(axis=0, keepdims=True) / m": "self.db2 += delta2.sum(axis=0, keepdims=True) / m",
            "self.db1 = delta1.sum(axis=0, keepdims=True) / m": "self.db1 += delta1.sum(axis=0, keepdims=True) / m",
        },
    },
)

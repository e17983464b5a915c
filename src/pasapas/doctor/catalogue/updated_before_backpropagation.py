"""W is updated before δ goes back through it."""

from __future__ import annotations

from pasapas.doctor.catalogue._making import from_weights
from pasapas.doctor.mistake import Mistake, Replays, Text

MISTAKE = Mistake(
    code="updated-before-backpropagation",
    stage="backward",
    name=Text(
        en="The weights are updated before they are used",
        fr="Les poids sont mis à jour avant d’avoir servi",
    ),
    hints=(
        Text(
            en="Look at the order of the lines around W{next}: when is it changed, and when is it read?",
            fr="Regarder l’ordre des lignes autour de W{next} : quand change-t-il, et quand est-il lu ?",
        ),
        Text(
            en="All gradients of a step belong to the same parameters, those of the forward pass; here W{next} has moved before dZ{next} goes back through it. It shows in a limiting case: with a learning rate of 0 the gradients of layer {layer} are right, and the larger the rate, the further off they are.",
            fr="Tous les gradients d’un pas se rapportent aux mêmes paramètres, ceux de la passe avant ; ici W{next} a bougé avant que dZ{next} ne revienne par lui. Un cas limite le montre : avec un taux d’apprentissage de 0 les gradients de la couche {layer} sont justes, et plus le taux est grand, plus ils sont faux.",
        ),
        Text(
            en="Compute all gradients first, from the last layer to the first, and update only then: no `W{next} -= learning_rate * dW{next}` before `dA{layer} = dZ{next} @ W{next}.T`.",
            fr="Calculer d’abord tous les gradients, de la dernière couche à la première, et ne mettre à jour qu’ensuite : pas de `W{next} -= learning_rate * dW{next}` avant `dA{layer} = dZ{next} @ W{next}.T`.",
        ),
    ),
    lesson="4-a-complete-network",
    replays=(
        Replays(
            from_weights(lambda replay, l: replay.W(l) - replay.problem.learning_rate * replay.dW[l]),
            "dA{l}",
            "hidden",
        ),
    ),
    examples={
        "profond": {
            'def backward(AL, Y, layers, caches, activation="tanh", lambd=0.1):': 'def backward(AL, Y, layers, caches, activation="tanh", lambd=0.1, learning_rate=0.1):',
            'grads[i] = {"W": dW, "b": db}': 'grads[i] = {"W": dW, "b": db}\n        layers[i]["W"] = layers[i]["W"] - learning_rate * dW\n        layers[i]["b"] = layers[i]["b"] - learning_rate * db',
            "            grads = backward(AL, Y_batch, layers, caches)\n            layers = update(layers, grads, learning_rate)\n": "            backward(AL, Y_batch, layers, caches, learning_rate=learning_rate)\n",
        },
        "couches": {
            "        grad_inputs = grad @ self.W.T\n": "",
            "        return grad_inputs\n": "        return grad @ self.W.T\n",
        },
        "classe": {
            "self.db3 = delta3.sum(axis=0, keepdims=True) / m": "self.db3 = delta3.sum(axis=0, keepdims=True) / m\n        self.W3 -= self.taux * self.dW3\n        self.b3 -= self.taux * self.db3",
            "        self.W3 -= self.taux * self.dW3\n        self.b3 -= self.taux * self.db3\n": "",
        },
    },
    trains=True,
)

"""Parameters go up the gradient."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="update-sign",
    stage="update",
    name=Text(en="The update goes uphill", fr="La mise à jour monte la pente"),
    hints=(
        Text(
            en="Look at the loss of one batch right before and right after a single update with a very small learning rate.",
            fr="Regarder la perte d’un lot juste avant et juste après une seule mise à jour avec un taux d’apprentissage très petit.",
        ),
        Text(
            en="The loss rises: the parameters move along the gradient, and a gradient points to where the loss grows. On paper, L = w² at w = 3 has the gradient 6: with a rate of 0.1, where does the code's update take w, and is L smaller there?",
            fr="La perte monte : les paramètres avancent dans le sens du gradient, et un gradient indique où la perte augmente. Sur le papier, L = w² en w = 3 a pour gradient 6 : avec un taux de 0,1, où la mise à jour du code mène-t-elle w, et L y est-elle plus petite ?",
        ),
        Text(
            en="Subtract: `W = W - learning_rate * dW`, and b likewise. Adding is right only where the gradient already has the other sign, as with Y − P.",
            fr="Soustraire : `W = W - learning_rate * dW`, et b de même. Ajouter n’est juste que si le gradient a déjà l’autre signe, comme avec Y − P.",
        ),
    ),
    lesson="4-a-complete-network",
    examples={
        "lesson": {
            "parameters[name] - learning_rate * gradients": "parameters[name] + learning_rate * gradients",
        },
        "tanh": {
            "params[key] -= eta * grads[key]": "params[key] += eta * grads[key]",
        },
        "classe": {
            "self.W1 -= self.taux * self.dW1": "self.W1 += self.taux * self.dW1",
            "self.b1 -= self.taux * self.db1": "self.b1 += self.taux * self.db1",
            "self.W2 -= self.taux * self.dW2": "self.W2 += self.taux * self.dW2",
            "self.b2 -= self.taux * self.db2": "self.b2 += self.taux * self.db2",
            "self.W3 -= self.taux * self.dW3": "self.W3 += self.taux * self.dW3",
            "self.b3 -= self.taux * self.db3": "self.b3 += self.taux * self.db3",
        },
        "entiers": {
            "W1 = W1 - lr * dW1": "W1 = W1 + lr * dW1",
            "b1 = b1 - lr * db1": "b1 = b1 + lr * db1",
            "W2 = W2 - lr * dW2": "W2 = W2 + lr * dW2",
            "b2 = b2 - lr * db2": "b2 = b2 + lr * db2",
        },
        "profond": {
            'layer["W"] - learning_rate': 'layer["W"] + learning_rate',
            'layer["b"] - learning_rate': 'layer["b"] + learning_rate',
        },
        "binaire": {
            "p - taux * d for": "p + taux * d for",
        },
    },
)

"""The update changes a copy, or not all parameters."""

from __future__ import annotations

from pasapas.doctor.mistake import Mistake, Text

MISTAKE = Mistake(
    code="update-lost",
    stage="update",
    name=Text(en="The update does not reach the parameters", fr="La mise à jour n’atteint pas les paramètres"),
    hints=(
        Text(
            en="Compare every parameter before and after the call of {function}, one by one, W and b of each layer.",
            fr="Comparer chaque paramètre avant et après l’appel de {function}, un par un, W et b de chaque couche.",
        ),
        Text(
            en="At least one is the same as before, though its gradient is not 0. Either it was left out, or a line such as `W = …` has only given a new array to a name inside the function, and the one outside knows nothing of it. On paper, note for each name which array it stands for, before and after each line.",
            fr="Au moins l’un d’eux est le même qu’avant, alors que son gradient n’est pas nul. Ou bien il a été oublié, ou bien une ligne comme `W = …` n’a donné un nouveau tableau qu’à un nom à l’intérieur de la fonction, et celui du dehors n’en sait rien. Sur le papier, noter pour chaque nom de quel tableau il s’agit, avant et après chaque ligne.",
        ),
        Text(
            en="Change the array itself, `W -= learning_rate * dW`, or put the new one where the old one was, `parameters[name] = parameters[name] - learning_rate * gradient`, or return it and use what is returned; for W and b of all layers from 1 to {last}.",
            fr="Modifier le tableau lui-même, `W -= learning_rate * dW`, ou mettre le nouveau à la place de l’ancien, `parameters[name] = parameters[name] - learning_rate * gradient`, ou le renvoyer et utiliser ce qui est renvoyé ; pour W et b de toutes les couches de 1 à {last}.",
        ),
    ),
    lesson="4-a-complete-network",
    examples={
        "profond": {
            '        layer["b"] = layer["b"] - learning_rate * grad["b"]\n': "",
        },
        "entiers": {
            "            b1 = b1 - lr * db1\n": "",
        },
        "classe": {
            "self.W3 -= self.taux * self.dW3": "W3 = self.W3 - self.taux * self.dW3",
            "self.b3 -= self.taux * self.db3": "b3 = self.b3 - self.taux * self.db3",
        },
        "tanh": {
            "params[key] -= eta * grads[key]": "value = params[key] - eta * grads[key]",
        },
        "lesson": {
            "parameters = update_parameters(parameters, gradients, learning_rate)": "update_parameters(parameters, gradients, learning_rate)",
        },
    },
    trains=True,
)

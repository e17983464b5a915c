"""b is not added, or not where it belongs."""

from __future__ import annotations

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay


class _Missing(Replay):
    """Z = A W."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        Z = super().preactivation(l, A)
        return Z - self.b(l) if self.here(l) else Z


class _MissingBelow(Replay):
    """The same in all hidden layers, as where a loop computes them and a line of its own the last one."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        if self.L < 3:
            raise ValueError("one hidden layer alone")
        Z = super().preactivation(l, A)
        return Z - self.b(l) if l < self.L else Z


class _ToSamples(Replay):
    """One number of b for each sample instead of each unit: only runs where there are as many of both."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        Z = super().preactivation(l, A)
        if not self.here(l):
            return Z
        if len(self.b(l)) != len(Z):
            raise ValueError("shapes do not fit")
        return np.asarray(Z - self.b(l) + self.b(l)[:, None])


class _FirstOnly(Replay):
    """The first number of b is added everywhere."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        Z = super().preactivation(l, A)
        if not self.here(l):
            return Z
        if len(self.b(l)) == 1 and l in (self.layer, 1):
            raise ValueError("there is only one")
        return np.asarray(Z - self.b(l) + self.b(l)[0])


class _FirstSample(Replay):
    """Only the first sample of the batch gets b."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        Z = super().preactivation(l, A)
        if not self.here(l):
            return Z
        first = np.arange(len(Z))[:, None] == 0
        return np.where(first, Z, Z - self.b(l))


class _Subtracted(Replay):
    """Z = A W − b."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        Z = super().preactivation(l, A)
        return Z - 2 * self.b(l) if self.here(l) else Z


class _AfterActivation(Replay):
    """A = f(Z) + b, with a Z that has none."""

    def preactivation(self, l: int, A: Floats) -> Floats:
        Z = super().preactivation(l, A)
        return Z - self.b(l) if self.here(l) and l < self.L else Z

    def activation(self, l: int, Z: Floats) -> Floats:
        A = super().activation(l, Z)
        return A + self.b(l) if self.here(l) else A

    def unmasked(self, l: int) -> Floats:
        return np.asarray(self.function(l).forward({}, self.Z[l])) if self.here(l) else super().unmasked(l)


class _AfterActivationSeen(_AfterActivation):
    """The same, where the derivative is a formula in this A."""

    def unmasked(self, l: int) -> Floats:
        A = super().unmasked(l)
        return A + self.b(l) if self.here(l) and l < self.L else A


MISTAKE = Mistake(
    code="bias-missing-in-forward",
    stage="forward",
    name=Text(en="The bias is not added as it should be", fr="Le biais n’est pas ajouté comme il faut"),
    hints=(
        Text(
            en="Look at Z{layer}: what remains of it when the input of layer {layer} is all zeros?",
            fr="Regarder Z{layer} : qu’en reste-t-il quand l’entrée de la couche {layer} n’a que des zéros ?",
        ),
        Text(
            en="Without any input only the bias remains: every sample must then have the same Z{layer}, one number of b{layer} for each unit. Biases that start at 0 hide the mistake: on paper, take two units with b = (1, 2), three samples of zeros, and compare the 3 × 2 table with what the code gives.",
            fr="Sans aucune entrée il ne reste que le biais : chaque exemple doit alors avoir le même Z{layer}, un nombre de b{layer} par neurone. Des biais qui partent de 0 cachent l’erreur : sur le papier, prendre deux neurones avec b = (1 ; 2), trois exemples nuls, et comparer le tableau 3 × 2 avec ce que donne le code.",
        ),
        Text(
            en="Samples in rows: `Z{layer} = A{previous} @ W{layer} + b{layer}` with b{layer} of shape (n,) or (1, n). Samples in columns: `Z{layer} = W{layer} @ A{previous} + b{layer}` with b{layer} of shape (n, 1). The activation comes after it (A0 is X).",
            fr="Exemples en lignes : `Z{layer} = A{previous} @ W{layer} + b{layer}` avec b{layer} de forme (n,) ou (1, n). Exemples en colonnes : `Z{layer} = W{layer} @ A{previous} + b{layer}` avec b{layer} de forme (n, 1). L’activation vient après (A0 est X).",
        ),
    ),
    lesson="2-forward",
    replays=(
        Replays(_Missing, "Z{l}"),
        Replays(_MissingBelow, "Z1", "all"),
        Replays(_ToSamples, "Z{l}"),
        Replays(_FirstOnly, "Z{l}"),
        Replays(_FirstSample, "Z{l}"),
        Replays(_Subtracted, "Z{l}"),
        Replays(_AfterActivation, "A{l}", "hidden"),
        Replays(_AfterActivationSeen, "A{l}", "hidden", needs=("tanh", "sigmoid")),
    ),
    examples={
        "profond": {
            'Z = layer["W"] @ A_prev + layer["b"]': 'Z = layer["W"] @ A_prev',
        },
        "entiers": {
            "s1 = X @ W1 + b1": "s1 = X @ W1",
            "h = leaky_relu(X @ W1 + b1)": "h = leaky_relu(X @ W1)",
        },
        "classe": {
            "self.Z2 = self.A1 @ self.W2 + self.b2": "self.Z2 = self.A1 @ self.W2",
        },
        "tanh": {
            'np.dot(X, params["W1"].T) + params["b1"].T': 'np.dot(X, params["W1"].T)',
        },
        "lesson": {
            'Z2 = A1 @ parameters["W2"] + parameters["b2"]': 'Z2 = A1 @ parameters["W2"]',
        },
        "couches": {
            "return inputs @ self.W + self.b": "return inputs @ self.W",
        },
    },
    trains=True,
)

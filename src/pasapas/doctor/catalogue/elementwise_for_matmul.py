"""`*` in place of `@`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pasapas.doctor.mistake import Mistake, Replays, Text
from pasapas.doctor.replay import Floats, Replay

Product = Callable[[Floats, Floats], Floats]


def _forward(product: Product) -> type[Replay]:
    class Forward(Replay):
        def preactivation(self, l: int, A: Floats) -> Floats:
            return product(A, self.W(l)) + self.b(l) if self.here(l) else super().preactivation(l, A)

    return Forward


def _weights(product: Product) -> type[Replay]:
    class Weights(Replay):
        def weight_gradient(self, l: int, dZ: Floats) -> Floats:
            dW = super().weight_gradient(l, dZ)
            return product(self.weight_input(l), dZ) + self.penalty(l) if self.here(l) else dW

    return Weights


def _back(product: Product) -> type[Replay]:
    class Back(Replay):
        def back(self, l: int, dZ: Floats) -> Floats:
            if not self.here(l - 1):
                return super().back(l, dZ)
            if dZ.shape[1] == 1:
                raise ValueError("nothing to add up: both products are the same")
            return self.through_mask(l - 1, product(dZ, self.back_weights(l)))

    return Back


def _sample_by_sample(A: Floats, dZ: Floats) -> Floats:
    """What `dW += a * dz`, one sample after the other, adds to every row of a square dW."""
    return np.tile((A * dZ).sum(axis=0), (A.shape[1], 1))


MISTAKE = Mistake(
    code="elementwise-for-matmul",
    stage="backward",
    name=Text(
        en="An element-wise product in place of a matrix product",
        fr="Un produit terme à terme à la place d’un produit de matrices",
    ),
    hints=(
        Text(
            en="Look at the product on the line of {tensor}: write the shape of both factors and of the result under it.",
            fr="Regarder le produit sur la ligne de {tensor} : écrire en dessous la forme des deux facteurs et celle du résultat.",
        ),
        Text(
            en="`*` multiplies number by number and adds nothing up, where a layer adds up over its units or over the samples. On paper, with (m, n_out) and (n_out, n_in): a matrix product gives (m, n_in), each number a sum of n_out terms. With `*`, NumPy mostly refuses the shapes; where all sizes are equal, it gives something else without a word.",
            fr="`*` multiplie nombre par nombre et n’additionne rien, alors qu’une couche additionne sur ses neurones ou sur les exemples. Sur le papier, avec (m, n_out) et (n_out, n_in) : un produit de matrices donne (m, n_in), chaque nombre étant une somme de n_out termes. Avec `*`, NumPy refuse le plus souvent les formes ; là où toutes les tailles sont égales, il donne autre chose sans rien dire.",
        ),
        Text(
            en="Write `@` (or np.dot) where a sum belongs, with samples in rows: `Z = A @ W + b`, `dW = A.T @ dZ`, `dA = dZ @ W.T`. `*` is for the activation's derivative alone: `dZ = dA * derivative`.",
            fr="Écrire `@` (ou np.dot) là où il faut une somme, avec les exemples en lignes : `Z = A @ W + b`, `dW = A.T @ dZ`, `dA = dZ @ W.T`. `*` ne sert qu’à la dérivée de l’activation : `dZ = dA * derivative`.",
        ),
    ),
    lesson="2-forward",
    replays=(
        Replays(_forward(np.multiply), "Z{l}"),
        Replays(_weights(lambda A, dZ: A.T * dZ), "dW{l}"),
        Replays(_weights(np.multiply), "dW{l}"),
        Replays(_weights(_sample_by_sample), "dW{l}"),
        Replays(_weights(lambda A, dZ: _sample_by_sample(A, dZ).T), "dW{l}"),
        Replays(_back(lambda dZ, W: dZ * W.T), "dA{l}", "hidden"),
        Replays(_back(np.multiply), "dA{l}", "hidden"),
    ),
    examples={
        "lesson": {
            "dA1 = dZ2 @ W2.T": "dA1 = dZ2 * W2.T",
        },
        "tanh": {
            "dW1 = np.dot(delta1.T, X)": "dW1 = np.multiply(delta1.T, X)",
        },
        "classe": {
            "(delta3 @ self.W3.T)": "(delta3 * self.W3.T)",
        },
        "couches": {
            "self.dW = self.inputs.T @ grad": "self.dW = self.inputs.T * grad",
        },
    },
)

"""Exercises of lesson 1: images prepared, labels encoded, a layer, its parameters counted, nearest means as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.course.judging import Exercise, Slip, call, is_missing, right, same_function, unanswered, wrong
from pasapas.course.verdict import Verdict
from pasapas.data.dataset import scaled
from pasapas.doctor.mistake import Text
from pasapas.i18n import integer
from pasapas.lessons import one_hot_encode
from pasapas.network import pairs

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

_RANDOM = np.random.default_rng(1)

# 1.1 -----------------------------------------------------------------------------------------------------------------

_IMAGES = [(_RANDOM.integers(0, high, (m, 28, 28), dtype=np.uint8),) for m, high in ((4, 256), (7, 200), (1, 256))]


def _prepare(images: Bytes) -> Floats:
    X: Floats = scaled(images, "float64")
    return X


_MIXED = Text(
    "each row mixes pixels of several images, and the shape should be `(m, 784)`: reshape to `(len(images), 784)`, one image in each row.",
    "chaque ligne mélange des pixels de plusieurs images, et la forme devrait être `(m, 784)` : passe à la forme `(len(images), 784)`, une image par ligne.",
)

_PREPARE_SLIPS = [
    Slip(
        lambda images: images.reshape(len(images), -1),
        Text(
            "these are still the numbers 0 to 255: divide by 255.",
            "ce sont encore les nombres de 0 à 255 : divise par 255.",
        ),
    ),
    Slip(
        lambda images: images.reshape(len(images), -1) / 256,
        Text(
            "divide by 255, the largest byte, not by 256: the strongest ink must become exactly 1.",
            "divise par 255, le plus grand octet, et non par 256 : l’encre la plus forte doit devenir exactement 1.",
        ),
    ),
    Slip(
        lambda images: images.reshape(len(images), -1) / images.max(),
        Text(
            "divide by 255, not by the largest pixel of these images: the same byte must always become the same number.",
            "divise par 255, et non par le plus grand pixel de ces images : un même octet doit toujours devenir le même nombre.",
        ),
    ),
    Slip(
        lambda images: images.reshape(len(images), -1) // 255,
        Text(
            "`//` divides whole numbers, and nearly everything becomes 0: write `/`.",
            "`//` divise des entiers, et presque tout devient 0 : écris `/`.",
        ),
    ),
    Slip(
        lambda images: images / 255,
        Text(
            "the division is right, but each image is still a square: reshape to `(len(images), 784)`.",
            "la division est juste, mais chaque image est encore un carré : passe à la forme `(len(images), 784)`.",
        ),
    ),
    Slip(
        lambda images: images,
        Text(
            "nothing has changed yet: two things are asked, a new shape and a division.",
            "rien n’a encore changé : on demande deux choses, une nouvelle forme et une division.",
        ),
    ),
    Slip(
        lambda images: images.reshape(len(images), -1).T / 255,
        Text(
            "each image has become a column: one image in each *row*, so the shape `(m, 784)`.",
            "chaque image est devenue une colonne : une image par *ligne*, donc la forme `(m, 784)`.",
        ),
    ),
    Slip(lambda images: images.reshape(-1, len(images)) / 255, _MIXED),
    Slip(lambda images: images.reshape(-1, len(images)), _MIXED),
    Slip(
        lambda images: images.transpose(0, 2, 1).reshape(len(images), -1) / 255,
        Text(
            "the columns are laid end to end; lay the rows, so that pixel (r, c) becomes number 28 r + c.",
            "les colonnes sont mises bout à bout ; mets-y les lignes, pour que le pixel (r, c) devienne le nombre 28 r + c.",
        ),
    ),
]


def prepare(f: Any = None) -> Verdict:
    """f(images): bytes (m, 28, 28) as numbers from 0 to 1, (m, 784)."""
    return same_function(f, _prepare, _IMAGES, _PREPARE_SLIPS, names=("X",))


# 1.2 -----------------------------------------------------------------------------------------------------------------

_LABELS = [(np.array([3, 0, 9, 3, 1]), 10), (np.array([2, 0]), 4), (np.array([1, 0, 2, 0]), 4)]


def _all_rows(labels: Integers, n: int) -> Floats:
    Y = np.zeros((len(labels), n))
    Y[:, labels] = 1
    return Y


_ONE_HOT_SLIPS = [
    Slip(
        lambda labels, n: one_hot_encode(labels, n).T,
        Text(
            "each label has become a column: one label in each *row*, so the shape `(m, n)`.",
            "chaque étiquette est devenue une colonne : une étiquette par *ligne*, donc la forme `(m, n)`.",
        ),
    ),
    Slip(
        _all_rows,
        Text(
            "every row has a 1 in the columns of *all* labels: `Y[:, labels]` takes all rows. Rows and columns must go in pairs, with `np.arange(m)` for the rows.",
            "chaque ligne a un 1 dans les colonnes de *toutes* les étiquettes : `Y[:, labels]` prend toutes les lignes. Lignes et colonnes doivent aller par paires, avec `np.arange(m)` pour les lignes.",
        ),
    ),
    Slip(
        lambda labels, n: np.eye(n)[labels - 1],
        Text(
            "the 1s are one column too far left: classes are numbered from 0, so label 0 is column 0.",
            "les 1 sont une colonne trop à gauche : les classes sont numérotées à partir de 0, donc l’étiquette 0 est la colonne 0.",
        ),
    ),
    Slip(
        lambda labels, n: np.eye(labels.max() + 1)[labels],
        Text(
            "the number of columns comes from the largest label that is there; it must be `n`, even if the last classes are absent.",
            "le nombre de colonnes vient de la plus grande étiquette présente ; il doit être `n`, même si les dernières classes sont absentes.",
        ),
    ),
    Slip(
        lambda labels, n: one_hot_encode(labels, n) * labels[:, None],
        Text(
            "the right places hold the labels themselves; put a 1 there, whatever the class.",
            "les bonnes places contiennent les étiquettes elles-mêmes ; mets-y un 1, quelle que soit la classe.",
        ),
    ),
    Slip(
        lambda labels, n: np.zeros((len(labels), n)),
        Text(
            "zeros only: the 1 of each row is missing.",
            "des zéros seulement : il manque le 1 de chaque ligne.",
        ),
    ),
    Slip(
        lambda labels, n: 1 - one_hot_encode(labels, n),
        Text(
            "it is the other way round: a 1 for the class of the label, zeros elsewhere.",
            "c’est l’inverse : un 1 pour la classe de l’étiquette, des zéros ailleurs.",
        ),
    ),
]


def one_hot(f: Any = None) -> Verdict:
    """f(labels, n): zeros (m, n) with a 1 in column labels[i] of row i."""
    return same_function(f, one_hot_encode, _LABELS, _ONE_HOT_SLIPS, names=("Y",))


# 1.3 -----------------------------------------------------------------------------------------------------------------


def _arrays(m: int, n_in: int, n_out: int) -> tuple[Floats, Floats, Floats]:
    return _RANDOM.normal(size=(m, n_in)), _RANDOM.normal(size=(n_in, n_out)), _RANDOM.normal(size=n_out)


_SQUARE = [_arrays(3, 3, 3), _arrays(4, 4, 4)]
_OTHERS = [_arrays(5, 4, 2), _arrays(2, 3, 6), _arrays(1, 7, 1)]


def _layer(X: Floats, W: Floats, b: Floats) -> Floats:
    return X @ W + b


_LAYER_SLIPS = [
    Slip(
        lambda X, W, b: X @ W,
        Text("the bias is missing: add `b[j]` to neuron j.", "il manque le biais : ajoute `b[j]` au neurone j."),
    ),
    Slip(
        lambda X, W, b: X @ W - b,
        Text("the bias is subtracted; add it.", "le biais est soustrait ; ajoute-le."),
    ),
    Slip(
        lambda X, W, b: X @ W + len(W) * b,
        Text(
            "the bias is added once for each input; add it once for each neuron, outside the loop over the inputs.",
            "le biais est ajouté une fois par entrée ; ajoute-le une fois par neurone, hors de la boucle sur les entrées.",
        ),
    ),
    Slip(
        lambda X, W, b: X @ W + b[:, None],
        Text(
            "each *image* was given a bias; it is each neuron, each column of Z, that has one.",
            "chaque *image* a reçu un biais ; c’est chaque neurone, chaque colonne de Z, qui en a un.",
        ),
    ),
    Slip(
        lambda X, W, b: X @ W.T + b,
        Text(
            "`W` is read the wrong way round: the weights of neuron j are its *column*, `W[:, j]`, and the weight of input k is `W[k, j]`.",
            "`W` est lue de travers : les poids du neurone j sont sa *colonne*, `W[:, j]`, et le poids de l’entrée k est `W[k, j]`.",
        ),
    ),
    Slip(
        lambda X, W, b: X.T @ W + b,
        Text(
            "`X` is read the wrong way round: image i is its *row*, `X[i]`, and input k of that image is `X[i, k]`.",
            "`X` est lue de travers : l’image i est sa *ligne*, `X[i]`, et l’entrée k de cette image est `X[i, k]`.",
        ),
    ),
    Slip(
        lambda X, W, b: W @ X + b,
        Text(
            "the factors are swapped: `X @ W`, not `W @ X`; for matrices the order counts.",
            "les facteurs sont échangés : `X @ W`, et non `W @ X` ; pour des matrices, l’ordre compte.",
        ),
    ),
    Slip(
        lambda X, W, b: X * W + b,
        Text(
            "`*` multiplies entry by entry, and nothing is added up: the product of matrices is `@`.",
            "`*` multiplie terme à terme, et rien n’est additionné : le produit de matrices est `@`.",
        ),
    ),
    Slip(
        lambda X, W, b: X[:, :-1] @ W[:-1] + b,
        Text(
            "the last input is left out: `range(n_in)` already ends at `n_in - 1`.",
            "la dernière entrée est oubliée : `range(n_in)` finit déjà à `n_in - 1`.",
        ),
    ),
    Slip(
        lambda X, W, b: X[:, 1:] @ W[1:] + b,
        Text(
            "the first input is left out: count from 0.",
            "la première entrée est oubliée : compte à partir de 0.",
        ),
    ),
    Slip(
        lambda X, W, b: X[:, -1:] * W[-1] + b,
        Text(
            "only the last input counts: the sum is overwritten at each turn of the inner loop. Add with `+=`.",
            "seule la dernière entrée compte : la somme est remplacée à chaque tour de la boucle intérieure. Ajoute avec `+=`.",
        ),
    ),
    Slip(
        lambda X, W, b: (X @ W + b).T,
        Text(
            "`Z` is transposed: row i is an image, column j a neuron.",
            "`Z` est transposée : la ligne i est une image, la colonne j un neurone.",
        ),
    ),
    Slip(
        lambda X, W, b: np.maximum(X @ W + b, 0),
        Text(
            "the negative answers were set to 0: that is an activation, for lesson 2. The layer itself keeps them.",
            "les réponses négatives ont été mises à 0 : c’est une activation, pour la leçon 2. La couche, elle, les garde.",
        ),
    ),
]


def layer(f: Any = None) -> Verdict:
    """f(X, W, b) = X @ W + b; square matrices first, where what is transposed gives numbers and no error."""
    for inputs in (_SQUARE, _OTHERS):
        verdict = same_function(f, _layer, inputs, _LAYER_SLIPS, names=("Z",))
        if not verdict.ok:
            return verdict
    return right()


# 1.4 -----------------------------------------------------------------------------------------------------------------

_SIZES = [(784, 128, 10), (3, 2), (4, 5, 6, 2), (132, 40, 40, 26)]


def _count(*sizes: int) -> int:
    return sum((n_in + 1) * n_out for n_in, n_out in pairs(sizes))


def _weights(*sizes: int) -> int:
    return sum(n_in * n_out for n_in, n_out in pairs(sizes))


_COUNT_SLIPS = [
    Slip(
        _weights,
        Text(
            "these are the weights alone: each neuron has a bias too.",
            "ce sont les poids seuls : chaque neurone a aussi un biais.",
        ),
    ),
    Slip(
        lambda *sizes: _weights(*sizes) + sum(sizes),
        Text(
            "the inputs have no bias: they are pixels, not neurons.",
            "les entrées n’ont pas de biais : ce sont des pixels, pas des neurones.",
        ),
    ),
    Slip(
        lambda *sizes: _weights(*sizes) + sum(sizes[:-1]),
        Text(
            "a bias belongs to each neuron that a layer *gives*, n_out of them, not to each input.",
            "il y a un biais pour chaque neurone que la couche *donne*, soit n_out, et non pour chaque entrée.",
        ),
    ),
    Slip(
        lambda *sizes: _weights(*sizes) + len(sizes) - 1,
        Text(
            "a layer has one bias for each of its neurons, not one in all.",
            "une couche a un biais pour chacun de ses neurones, et non un seul en tout.",
        ),
    ),
    Slip(
        lambda *sizes: int(np.prod(sizes)),
        Text(
            "the widths are all multiplied together: multiply neighbours alone, and add up the layers.",
            "toutes les largeurs sont multipliées entre elles : multiplie les voisines seulement, et additionne les couches.",
        ),
    ),
    Slip(
        lambda *sizes: (sizes[0] + 1) * sizes[1],
        Text(
            "this is the first layer alone: go on to the last.",
            "c’est la première couche seule : continue jusqu’à la dernière.",
        ),
    ),
    Slip(
        lambda *sizes: sum(sizes),
        Text(
            "this counts inputs and neurons; what is asked is the numbers on the connections between them, and the biases.",
            "cela compte les entrées et les neurones ; on demande les nombres portés par les liens entre eux, et les biais.",
        ),
    ),
]


def count_parameters(f: Any = None) -> Verdict:
    """f(784, 128, 10) = 101,770: weights and biases of a network of these widths."""
    verdict = same_function(f, _count, _SIZES, _COUNT_SLIPS, names=("n",))
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right. The 784-128-10 network has {n} numbers to find: that is what training is for.",
            "juste. Le réseau 784-128-10 a {n} nombres à trouver : c’est à cela que sert l’entraînement.",
        ).show(n=integer(_count(784, 128, 10)))
    )


# 1.5 -----------------------------------------------------------------------------------------------------------------


def _worlds() -> list[tuple[Floats, Floats]]:
    """Means (n, d) of quite different lengths, and points (m, d) between them."""
    random = np.random.default_rng(5)
    worlds = []
    for n, d in ((10, 12), (4, 3), (3, 3)):
        means = random.normal(size=(n, d)) * np.geomspace(0.4, 2.5, n)[:, None]
        worlds.append((means, random.normal(size=(400, d)) * 1.5 + means.mean(axis=0)))
    return worlds


_WORLDS = _worlds()


def _squares(means: Floats) -> Floats:
    lengths: Floats = np.sum(means**2, axis=1)
    return lengths


_NEAREST_SLIPS: list[tuple[Callable[[Floats], Floats], Text]] = [
    (
        lambda means: np.zeros(len(means)),
        Text(
            "the bias is forgotten: without it the means with much ink win, near or not. Which term of the expanded square depends on the class, but not on x?",
            "le biais est oublié : sans lui, les moyennes qui ont beaucoup d’encre gagnent, proches ou non. Quel terme du carré développé dépend de la classe, mais pas de x ?",
        ),
    ),
    (
        lambda means: _squares(means) / 2,
        Text(
            "the sign of the bias is wrong: a long mean must be handicapped, not favoured.",
            "le signe du biais est faux : une moyenne longue doit être handicapée, et non favorisée.",
        ),
    ),
    (
        lambda means: -_squares(means),
        Text(
            "the bias is twice too large: x · μ has the factor 2 in the expanded square, |μ|² has not.",
            "le biais est deux fois trop grand : dans le carré développé, x · μ a le facteur 2 ; |μ|² ne l’a pas.",
        ),
    ),
    (
        lambda means: -np.sqrt(_squares(means)) / 2,
        Text(
            "the length of the mean must be squared: |μ|², the sum of the squares, without a root.",
            "la longueur de la moyenne doit être au carré : |μ|², la somme des carrés, sans racine.",
        ),
    ),
    (
        lambda means: -means.sum(axis=1) / 2,
        Text(
            "the bias has the sum of the mean's entries; it takes the sum of their *squares*.",
            "le biais contient la somme des termes de la moyenne ; il faut la somme de leurs *carrés*.",
        ),
    ),
    (
        lambda means: -np.mean(means**2, axis=1) / 2,
        Text(
            "the bias has the mean of the squares (`np.mean`); it takes their sum.",
            "le biais contient la moyenne des carrés (`np.mean`) ; il faut leur somme.",
        ),
    ),
]


def nearest_mean(f: Any = None) -> Verdict:
    """f(means (n, d)) = W (d, n), b (n,) such that argmax(X @ W + b) is the nearest mean: any scores with that order."""
    answers = []
    for means, X in _WORLDS:
        result, verdict = call(f, (means,))
        if verdict is not None:
            return verdict
        told = _not_a_layer(result, means)
        if told is not None:
            return told
        answers.append((X @ np.asarray(result[0], float) + np.reshape(np.asarray(result[1], float), -1)).argmax(axis=1))
    due = [np.argmin(((X[:, None] - means) ** 2).sum(axis=2), axis=1) for means, X in _WORLDS]
    if _same(answers, due):
        return right(
            Text(
                "right: comparing with ten means is a layer of ten neurons.",
                "juste : comparer à dix moyennes, c’est une couche de dix neurones.",
            )
        )
    if _same(answers, [np.argmax(((X[:, None] - means) ** 2).sum(axis=2), axis=1) for means, X in _WORLDS]):
        return wrong(
            Text(
                "this finds the *farthest* mean: the smallest distance must have the largest score, so change all signs.",
                "cela trouve la moyenne la plus *lointaine* : la plus petite distance doit avoir le plus grand score, donc change tous les signes.",
            )
        )
    for bias, text in _NEAREST_SLIPS:
        if _same(answers, [(X @ means.T + bias(means)).argmax(axis=1) for means, X in _WORLDS]):
            return wrong(text)
    agree = int(np.sum(answers[0] == due[0]))
    return wrong(
        Text(
            "not yet: for {n} of {all} points, the largest score is that of the nearest mean.",
            "pas encore : pour {n} points sur {all}, le plus grand score est celui de la moyenne la plus proche.",
        ).show(n=agree, all=len(due[0]))
    )


def _not_a_layer(result: Any, means: Floats) -> Verdict | None:
    """What is said of a result that is not W (d, n) and b (n,)."""
    n, d = means.shape
    if not isinstance(result, tuple) or len(result) != 2:
        return wrong(Text("return two arrays, `W, b`.", "renvoie deux tableaux, `W, b`."))
    if any(map(is_missing, result)):
        return unanswered()
    try:
        W, b = (np.asarray(array, float) for array in result)
    except (TypeError, ValueError):
        return wrong(
            Text("`W` and `b` should be arrays of numbers.", "`W` et `b` doivent être des tableaux de nombres.")
        )
    if W.shape == (n, d) != (d, n):
        return wrong(
            Text(
                "`W` has the shape (n, d): one neuron for each *column*, so transpose.",
                "`W` a la forme (n, d) : un neurone par *colonne*, donc transpose.",
            )
        )
    for name, array, shapes in (("W", W, [(d, n)]), ("b", b, [(n,), (1, n)])):
        if array.shape not in shapes:
            return wrong(
                Text(
                    "`{name}` has the shape {got}; it should be {due}, for means of shape {means}.",
                    "`{name}` a la forme {got} ; elle devrait être {due}, pour des moyennes de forme {means}.",
                ).show(name=name, got=array.shape, due=shapes[0], means=means.shape)
            )
    return None


def _same(answers: list[Any], due: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(answers, due, strict=True))


EXERCISES = (
    Exercise(
        prepare,
        (
            Text(
                "`images.reshape(a, b)` gives the same numbers, in the same order, in a rows of b. How many images are there?",
                "`images.reshape(a, b)` donne les mêmes nombres, dans le même ordre, en a lignes de b. Combien y a-t-il d’images ?",
            ),
            Text(
                "`len(images)` is m. Then divide by 255, with a single `/`.",
                "`len(images)` est m. Divise ensuite par 255, avec un seul `/`.",
            ),
        ),
    ),
    Exercise(
        one_hot,
        (
            Text(
                "Begin with `Y = np.zeros((len(labels), n))`, then go through the labels.",
                "Commence par `Y = np.zeros((len(labels), n))`, puis parcours les étiquettes.",
            ),
            Text(
                "`for i, label in enumerate(labels):` gives each row with its column.",
                "`for i, label in enumerate(labels):` donne chaque ligne avec sa colonne.",
            ),
            Text(
                "Without a loop: `Y[np.arange(len(labels)), labels] = 1`, a list of rows and a list of columns, taken in pairs.",
                "Sans boucle : `Y[np.arange(len(labels)), labels] = 1`, une liste de lignes et une liste de colonnes, prises par paires.",
            ),
        ),
    ),
    Exercise(
        layer,
        (
            Text(
                "Begin with `Z = np.zeros((m, n_out))`, where `m, n_in = X.shape` and `n_out = W.shape[1]`.",
                "Commence par `Z = np.zeros((m, n_out))`, avec `m, n_in = X.shape` et `n_out = W.shape[1]`.",
            ),
            Text(
                "`Z[i, j]` is the bias of neuron j plus the sum, over the inputs k, of `X[i, k] * W[k, j]`.",
                "`Z[i, j]` est le biais du neurone j plus la somme, sur les entrées k, de `X[i, k] * W[k, j]`.",
            ),
            Text(
                "Three loops, one in the other, over i, j and k; the bias stands outside the loop over k.",
                "Trois boucles, l’une dans l’autre, sur i, j et k ; le biais est hors de la boucle sur k.",
            ),
        ),
    ),
    Exercise(
        count_parameters,
        (
            Text(
                "A layer from 784 to 128 has a matrix of 784 · 128 weights and a vector of 128 biases.",
                "Une couche de 784 à 128 a une matrice de 784 · 128 poids et un vecteur de 128 biais.",
            ),
            Text(
                "The layers are the pairs of neighbours: `zip(sizes[:-1], sizes[1:])`.",
                "Les couches sont les paires de voisines : `zip(sizes[:-1], sizes[1:])`.",
            ),
        ),
    ),
    Exercise(
        nearest_mean,
        (
            Text(
                "|x − μ|² = |x|² − 2 x · μ + |μ|². Which of the three terms is the same for all classes?",
                "|x − μ|² = |x|² − 2 x · μ + |μ|². Lequel des trois termes est le même pour toutes les classes ?",
            ),
            Text(
                "What is left, −2 x · μ + |μ|², must be small; so its opposite must be large. Divide by 2.",
                "Il reste −2 x · μ + |μ|², qui doit être petit ; son opposé doit donc être grand. Divise par 2.",
            ),
            Text(
                "x · μ − |μ|²/2 is x · w + b: the weights are the mean, the bias is −|μ|²/2.",
                "x · μ − |μ|²/2 est x · w + b : les poids sont la moyenne, le biais est −|μ|²/2.",
            ),
        ),
    ),
)

"""Exercises of lesson 6, when it goes wrong: slopes by central differences, a diagnosis, first weights, dead units, a repair."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas import lessons
from pasapas.course.judging import Exercise, Slip, by_doctor, call, choice, right, same_function, wrong
from pasapas.course.verdict import Verdict
from pasapas.doctor.mistake import Text

Array = npt.NDArray[Any]
Loss = Callable[[Array], Any]


# 6.1 -----------------------------------------------------------------------------------------------------------------

EPS = 1e-3
"""Large enough for a one-sided difference to show: it is off by a thousandth, rounding by a billionth."""


def _cubes(W: Array) -> float:
    return float(np.sum(W**3))


def _mixed(W: Array) -> float:
    """Each slope depends on all entries, so that one that is not put back falsifies the next."""
    return float(np.exp(np.sum(W)) + W[0, 0] * W[-1, -1] ** 2)


def _slopes(W: Array, difference: Callable[[Array], float]) -> Array:
    """`difference` of a matrix that is EPS or so at one entry and 0 elsewhere, for each entry."""
    slopes = np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        step = np.zeros(W.shape)
        step[at] = 1.0
        slopes[at] = difference(step)
    return slopes


def _central(f: Loss, W: Array, eps: float) -> Array:
    return _slopes(W, lambda step: (f(W + eps * step) - f(W - eps * step)) / (2 * eps))


_DIFFERENCES = (
    Slip(
        lambda f, W, eps: _slopes(W, lambda step: (f(W + eps * step) - f(W)) / eps),
        Text(
            en="These are one-sided differences: their error shrinks like ε only. Step to both sides, `f(W + …) - f(W - …)`, and divide by `2 * eps`.",
            fr="Ce sont des différences d’un seul côté : leur erreur ne diminue que comme ε. Fais un pas de chaque côté, `f(W + …) - f(W - …)`, et divise par `2 * eps`.",
        ),
    ),
    Slip(
        lambda f, W, eps: _slopes(W, lambda step: (f(W) - f(W - eps * step)) / eps),
        Text(
            en="These are one-sided differences, backwards: their error shrinks like ε only. Step to both sides, and divide by `2 * eps`.",
            fr="Ce sont des différences d’un seul côté, vers l’arrière : leur erreur ne diminue que comme ε. Fais un pas de chaque côté, et divise par `2 * eps`.",
        ),
    ),
    Slip(
        lambda f, W, eps: 2 * _central(f, W, eps),
        Text(
            en="All slopes are twice too large: from `w - eps` to `w + eps` it is `2 * eps`, not `eps`.",
            fr="Toutes les pentes sont deux fois trop grandes : de `w - eps` à `w + eps` il y a `2 * eps`, et non `eps`.",
        ),
    ),
    Slip(
        lambda f, W, eps: eps**2 * _central(f, W, eps),
        Text(
            en="Mind the parentheses: `a / 2 * eps` divides by 2 and then multiplies by `eps`; write `a / (2 * eps)`.",
            fr="Attention aux parenthèses : `a / 2 * eps` divise par 2 puis multiplie par `eps` ; écris `a / (2 * eps)`.",
        ),
    ),
    Slip(
        lambda f, W, eps: -_central(f, W, eps),
        Text(
            en="The sign is the wrong way round: it is `f` after the step forward, less `f` after the step back.",
            fr="Le signe est à l’envers : c’est `f` après le pas en avant, moins `f` après le pas en arrière.",
        ),
    ),
    Slip(
        lambda f, W, eps: np.asarray((f(W + eps) - f(W - eps)) / (2 * eps)),
        Text(
            en="`W + eps` moves all entries at once and gives a single slope. Move one entry at a time, in a loop over `np.ndindex(W.shape)`.",
            fr="`W + eps` bouge tous les nombres à la fois et ne donne qu’une pente. Bouge un nombre à la fois, dans une boucle sur `np.ndindex(W.shape)`.",
        ),
    ),
    Slip(
        lambda f, W, eps: np.full(W.shape, (f(W + eps) - f(W - eps)) / (2 * eps)),
        Text(
            en="`W + eps` moves all entries at once, so all slopes come out the same. Move one entry at a time.",
            fr="`W + eps` bouge tous les nombres à la fois, et toutes les pentes sont égales. Bouge un nombre à la fois.",
        ),
    ),
)


def _numerical_gradient(f: Any) -> Verdict:
    """`numerical_gradient(f, W, eps)`: the slopes of f at W by central differences; W comes out as it went in."""
    W = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])

    def on_a_copy(loss: Loss, W: Array, eps: float) -> Any:
        """What f returns; it may work in W, and put back what it moved, to rounding."""
        return f(loss, W.copy(), eps)

    if callable(f):
        try:
            f(_cubes, moved := W.copy(), EPS)
        except Exception:
            moved = W  # `same_function` tells
        if moved.shape == W.shape and np.max(np.abs(moved - W)) > 1e-9:
            return wrong(
                Text(
                    en="`W` does not come out as it went in: after each entry put its old value back (`old = W[i, j]` … `W[i, j] = old`), or work on a copy. As it is, each slope is measured at another place.",
                    fr="`W` ne ressort pas comme il est entré : après chaque nombre, remets son ancienne valeur (`old = W[i, j]` … `W[i, j] = old`), ou travaille sur une copie. Sinon, chaque pente est mesurée à un autre endroit.",
                )
            )
    verdict = same_function(
        on_a_copy if callable(f) else f,
        _central,
        [(_cubes, W, EPS), (_mixed, np.array([[0.3, -0.4], [0.1, 0.2], [-0.6, 0.9]]), EPS)],
        slips=_DIFFERENCES,
    )
    if not verdict.ok:
        return verdict
    return right(
        Text(
            en="right. This is all that a gradient check needs: two evaluations of the loss for each weight, which is why it is for checking and not for training.",
            fr="juste. Il n’en faut pas plus pour vérifier un gradient : deux calculs de la perte par poids, et c’est pourquoi on vérifie ainsi, mais on n’entraîne pas ainsi.",
        )
    )


# 6.2 -----------------------------------------------------------------------------------------------------------------

_CODES = {
    "activation-derivative-missing": Text(
        en="It is not missing: `dA1` is multiplied by something that has the form of tanh's derivative. Look at what stands inside.",
        fr="Elle ne manque pas : `dA1` est multiplié par quelque chose qui a la forme de la dérivée de tanh. Regarde ce qu’il y a dedans.",
    ),
    "activation-derivative-of-another": Text(
        en="1 − tanh² is the derivative of tanh, and tanh is the activation. The function is the right one; where is it taken?",
        fr="1 − tanh² est la dérivée de tanh, et l’activation est tanh. C’est la bonne fonction ; où est-elle prise ?",
    ),
    "bias-gradient-averaged-twice": Text(
        en="Then `db2` would be wrong too, and `dW1` right. In the table it is `dW1` and `db1` that are wrong, together: what do they share?",
        fr="Alors `db2` serait faux aussi, et `dW1` juste. Dans le tableau, ce sont `dW1` et `db1` qui sont faux, ensemble : qu’ont-ils en commun ?",
    ),
    "output-delta-extra-derivative": Text(
        en="Then `dZ2` would be wrong, and with it `dW2` and `db2`; the check finds both of them right.",
        fr="Alors `dZ2` serait faux, et avec lui `dW2` et `db2` ; la vérification les trouve justes tous les deux.",
    ),
    "preactivation-in-weight-gradient": Text(
        en="That would show in `dW2`, which the check finds right: it is made of `A1`, as it should be.",
        fr="Cela se verrait dans `dW2`, que la vérification trouve juste : il est bien fait de `A1`.",
    ),
}


def _diagnosis(code: Any) -> Verdict:
    """The code of the mistake in `suspect`: 1 - np.tanh(A1) ** 2, where A1 is tanh(Z1) already."""
    return choice(
        code,
        "activation-derivative-wrong-argument",
        _CODES,
        Text(
            en="right. `dW1` and `db1` have only `dZ1` in common, and `dA1` comes from a `dZ2` that is right: so it is the factor between. `A1` is tanh(Z1) already: write `1 - A1 ** 2`, or `1 - np.tanh(Z1) ** 2`.",
            fr="juste. `dW1` et `db1` n’ont en commun que `dZ1`, et `dA1` vient d’un `dZ2` juste : c’est donc le facteur entre les deux. `A1` est déjà tanh(Z1) : écris `1 - A1 ** 2`, ou `1 - np.tanh(Z1) ** 2`.",
        ),
    )


# 6.3 -----------------------------------------------------------------------------------------------------------------

_SIGMAS = (
    Slip(
        lambda n_in, s: 2 / ((1 + s**2) * n_in),
        Text(
            en="That is the variance, σ²; the question is for σ, its square root.",
            fr="C’est la variance, σ² ; on demande σ, sa racine carrée.",
        ),
    ),
    Slip(
        lambda n_in, s: math.sqrt(2 / n_in),
        Text(
            en="That is He's σ, for s = 0. With s > 0 the negative half is not lost altogether: what is the mean of a² over it?",
            fr="C’est le σ de He, pour s = 0. Avec s > 0, la moitié négative n’est pas toute perdue : que vaut la moyenne de a² sur elle ?",
        ),
    ),
    Slip(
        lambda n_in, s: 2 / n_in,
        Text(
            en="That is He's variance: it lacks the square root, and the part of s.",
            fr="C’est la variance de He : il manque la racine carrée, et la part de s.",
        ),
    ),
    Slip(
        lambda n_in, s: math.sqrt(1 / n_in),
        Text(
            en="That is the case without a kink, s = 1. With s < 1 part of a² is lost, and the weights must make up for it.",
            fr="C’est le cas sans coin, s = 1. Avec s < 1, une part de a² se perd, et les poids doivent la compenser.",
        ),
    ),
    Slip(
        lambda n_in, s: 1 / n_in,
        Text(
            en="1/n is the variance of the case without a kink: it lacks the square root, and the part of s.",
            fr="1/n est la variance du cas sans coin : il manque la racine carrée, et la part de s.",
        ),
    ),
    Slip(
        lambda n_in, s: math.sqrt(2 / ((1 + s) * n_in)),
        Text(
            en="Nearly: on the negative side a = s·z, so a² = s²·z². The s has to be squared too.",
            fr="Presque : du côté négatif a = s·z, donc a² = s²·z². Il faut aussi le carré de s.",
        ),
    ),
    Slip(
        lambda n_in, s: math.sqrt(1 / ((1 + s**2) * n_in)),
        Text(
            en="A factor is missing: each half of the z counts for one half, so the mean of a² is (1 + s²)/2 times Var(z).",
            fr="Il manque un facteur : chaque moitié des z compte pour un demi, donc la moyenne de a² est (1 + s²)/2 fois Var(z).",
        ),
    ),
    Slip(
        lambda n_in, s: math.sqrt((1 + s**2) * n_in / 2),
        Text(
            en="Upside down: the more inputs there are, the smaller the weights must be.",
            fr="C’est à l’envers : plus il y a d’entrées, plus les poids doivent être petits.",
        ),
    ),
)


def _sigma(f: Any) -> Verdict:
    """`sigma(n_in, s)`: the standard deviation of weights that keeps the mean of a² through LeakyReLU layers of slope s."""
    verdict = same_function(
        f,
        lambda n_in, s: math.sqrt(2 / ((1 + s**2) * n_in)),
        [(784, 0.0), (100, 0.1), (64, 0.5), (10, 1.0)],
        slips=_SIGMAS,
    )
    if not verdict.ok:
        return verdict
    return right(
        Text(
            en="right. It is the condition that He and his co-authors give for such units. At s = 0.01, LeakyReLU's usual slope, it differs from He's σ by 0.005%: nobody bothers.",
            fr="juste. C’est la condition que He et ses coauteurs donnent pour ces unités. Pour s = 0,01, la pente habituelle de LeakyReLU, elle ne diffère du σ de He que de 0,005 % : on s’en passe.",
        )
    )


# 6.4 -----------------------------------------------------------------------------------------------------------------

_COUNTS = (
    Slip(
        lambda A: np.sum(A == 0),
        Text(
            en="That counts zeros, and a unit that is off for one image is not dead. Ask of each column whether it is all zero: `(A == 0).all(axis=0)`.",
            fr="Ceci compte des zéros, or une unité éteinte pour une image n’est pas morte. Demande à chaque colonne si elle est toute nulle : `(A == 0).all(axis=0)`.",
        ),
    ),
    Slip(
        lambda A: np.sum((A == 0).all(axis=1)),
        Text(
            en="The axis is the wrong one: that counts images for which all units are off. Units are columns: `axis=0` runs down over the images.",
            fr="L’axe n’est pas le bon : ceci compte les images pour lesquelles toutes les unités sont éteintes. Les unités sont des colonnes : `axis=0` parcourt les images.",
        ),
    ),
    Slip(
        lambda A: np.sum((A == 0).any(axis=0)),
        Text(
            en="That counts units that are off for *some* image, which is what most do. Dead means off for all: `all`, not `any`.",
            fr="Ceci compte les unités éteintes pour *une* image au moins, ce qui est le cas de la plupart. Morte veut dire éteinte pour toutes : `all`, et non `any`.",
        ),
    ),
    Slip(
        lambda A: np.sum((A > 0).any(axis=0)),
        Text(
            en="Those are the living: the dead are the others.",
            fr="Ce sont les vivantes : les mortes sont les autres.",
        ),
    ),
    Slip(
        lambda A: np.mean((A == 0).all(axis=0)),
        Text(
            en="That is the share of dead units; the question is how many there are.",
            fr="C’est la proportion d’unités mortes ; on demande combien il y en a.",
        ),
    ),
    Slip(
        lambda A: (A == 0).all(axis=0),
        Text(
            en="That says for each unit whether it is dead. Now count them.",
            fr="Ceci dit de chaque unité si elle est morte. Maintenant, compte-les.",
        ),
    ),
    Slip(
        lambda A: np.flatnonzero((A == 0).all(axis=0)),
        Text(
            en="Those are the numbers of the dead units. How many are they?",
            fr="Ce sont les numéros des unités mortes. Combien sont-elles ?",
        ),
    ),
)


def _activations(m: int, n: int, dead: int, dark: int, seed: int) -> Array:
    """Outputs of a ReLU layer (m, n) with so many dead units, and so many images to which no unit answers."""
    random = np.random.default_rng(seed)
    A = np.maximum(random.standard_normal((m, n)), 0)
    A[0] = np.abs(A[0]) + 0.1  # no unit is dead by chance
    A[:, random.choice(n, dead, replace=False)] = 0
    A[1 : 1 + dark] = 0
    return A


def _dead_units(f: Any) -> Verdict:
    """`dead_units(A)`: how many columns of A (m, n) have no positive number."""
    verdict = same_function(
        f,
        lambda A: np.sum(~(A > 0).any(axis=0)),
        [(_activations(30, 12, 3, 5, 0),), (_activations(8, 20, 13, 1, 1),), (_activations(25, 6, 0, 2, 2),)],
        slips=_COUNTS,
    )
    if not verdict.ok:
        return verdict
    return right(
        Text(
            en="right. Count over many images: on a few, a unit that answers to one digit only looks dead.",
            fr="juste. Compte sur beaucoup d’images : sur quelques-unes, une unité qui ne répond qu’à un seul chiffre a l’air morte.",
        )
    )


# 6.5 -----------------------------------------------------------------------------------------------------------------


def _repaired(f: Any) -> Verdict:
    """`repaired(X, Y, parameters, cache)`: the right gradients of a 784-64-32-10 network of ReLU and softmax."""
    random = np.random.default_rng(0)
    X, Y = random.random((5, 7)), np.eye(3)[[0, 1, 2, 1, 0]]  # (m, 7), (m, 3)
    parameters = lessons.initialize_parameters([7, 6, 4, 3])
    _P, cache = lessons.forward_propagation(X, parameters)
    result, verdict = call(f, (X, Y, parameters, cache))
    if verdict is not None:
        return verdict
    due = [f"d{name}" for name in parameters]
    if not isinstance(result, Mapping) or sorted(result) != sorted(due):
        return wrong(
            Text(
                en="Return a dictionary with the six gradients of the three layers: " + ", ".join(due) + ".",
                fr="Rends un dictionnaire avec les six gradients des trois couches : " + ", ".join(due) + ".",
            )
        )
    verdict = by_doctor(forward=lessons.forward_propagation, backward=f)
    if not verdict.ok:
        return verdict
    return Verdict(
        "right",
        str(
            Text(
                en="right, both of them. `A1 > 0` in the mask was right all along: with ReLU, A1 is positive exactly where Z1 is.",
                fr="juste, les deux. `A1 > 0` dans le masque était juste depuis le début : avec ReLU, A1 est positif exactement là où Z1 l’est.",
            )
        ),
        verdict.report,
    )


EXERCISES = (
    Exercise(
        _numerical_gradient,
        (
            Text(
                en="Begin with `slopes = np.zeros_like(W)` and `for i, j in np.ndindex(W.shape):`.",
                fr="Commence par `slopes = np.zeros_like(W)` et `for i, j in np.ndindex(W.shape):`.",
            ),
            Text(
                en="In the loop: copy W, add `eps` to entry [i, j] of one copy and take it off that of another; `f` of both.",
                fr="Dans la boucle : copie W, ajoute `eps` au nombre [i, j] d’une copie, retire-le à celui d’une autre ; calcule `f` des deux.",
            ),
            Text(
                en="`slopes[i, j] = (f(up) - f(down)) / (2 * eps)`, with `up = W.copy(); up[i, j] += eps` and `down` likewise.",
                fr="`slopes[i, j] = (f(up) - f(down)) / (2 * eps)`, avec `up = W.copy(); up[i, j] += eps` et `down` de même.",
            ),
        ),
    ),
    Exercise(
        _diagnosis,
        (
            Text(
                en="Which gradients are wrong, which are right? What do the wrong ones have in common that the right ones have not?",
                fr="Quels gradients sont faux, lesquels sont justes ? Qu’ont les faux en commun que les justes n’ont pas ?",
            ),
            Text(
                en="It is `dZ1`. On paper: if Z1 = 0.5, what is A1, what is the slope of tanh there, and what does the line compute?",
                fr="C’est `dZ1`. Sur le papier : si Z1 = 0,5, que vaut A1, quelle est la pente de tanh à cet endroit, et que calcule la ligne ?",
            ),
        ),
    ),
    Exercise(
        _sigma,
        (
            Text(
                en="z is as often positive as negative. The mean of a² is half of what it is on the one side plus half of what it is on the other.",
                fr="z est aussi souvent positif que négatif. La moyenne de a² est la moitié de ce qu’elle est d’un côté, plus la moitié de ce qu’elle est de l’autre.",
            ),
            Text(
                en="On the positive side the mean of a² is Var(z), on the negative one s² Var(z). And Var(z) = n σ² times the mean of x².",
                fr="Du côté positif, la moyenne de a² est Var(z) ; du côté négatif, s² Var(z). Et Var(z) = n σ² fois la moyenne de x².",
            ),
            Text(
                en="So n σ² (1 + s²) / 2 = 1. Solve for σ.",
                fr="Donc n σ² (1 + s²) / 2 = 1. Il reste à en tirer σ.",
            ),
        ),
    ),
    Exercise(
        _dead_units,
        (
            Text(
                en="Units are the columns of A. What must be true of a whole column?",
                fr="Les unités sont les colonnes de A. Que doit-on pouvoir dire de toute une colonne ?",
            ),
            Text(
                en="`(A > 0).any(axis=0)` says of each unit whether it answers to some image.",
                fr="`(A > 0).any(axis=0)` dit de chaque unité si elle répond à une image au moins.",
            ),
        ),
    ),
    Exercise(
        _repaired,
        (
            Text(
                en="Copy `sabotaged` into the cell, under the name `repaired`, and check it as it is: the doctor begins with the first mistake.",
                fr="Recopie `sabotaged` dans la cellule, sous le nom `repaired`, et vérifie-la telle quelle : le docteur commence par la première erreur.",
            ),
            Text(
                en="For each dW: what came into this layer in the forward pass? For each db: is it made of its dZ in the same way as the others?",
                fr="Pour chaque dW : qu’est-ce qui est entré dans cette couche à l’aller ? Pour chaque db : est-il fait de son dZ de la même façon que les autres ?",
            ),
        ),
    ),
)

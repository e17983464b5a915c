"""Exercises of lesson 3: the loss, the learning rate, the gate, all of backpropagation, the update, three layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas import lessons
from pasapas.course.judging import (
    Exercise,
    Slip,
    by_doctor,
    by_gradient_check,
    call,
    is_missing,
    right,
    same_function,
    same_value,
    unanswered,
    wrong,
)
from pasapas.course.verdict import Verdict
from pasapas.doctor.mistake import Text
from pasapas.layers import ReLU

Floats = npt.NDArray[np.float64]
Arrays = dict[str, Floats]

# 3.1 -----------------------------------------------------------------------------------------------------------------

_P = np.array([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25], [0.05, 0.15, 0.8], [0.3, 0.6, 0.1]])
_Y = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
_BATCHES = [
    (_P, _Y),
    (_P[:2], _Y[:2]),
    (np.array([[0.1, 0.4, 0.3, 0.15, 0.05]]), np.array([[0.0, 0.0, 0.0, 1.0, 0.0]])),
]


def _entropy(P: Floats, Y: Floats) -> float:
    return lessons.cross_entropy_loss(Y, P)


_ONE_FOR_EACH = Text(
    "this is one loss for each image; return their mean, a single number.",
    "c’est une perte par image ; rends leur moyenne, un seul nombre.",
)
_OVER_IMAGES = Text(
    "this adds up over the images and keeps the classes apart; add up over both, and divide by the number of images.",
    "la somme est faite sur les images et garde les classes séparées ; additionne sur les deux, puis divise par le nombre d’images.",
)
_ENTROPY_SLIPS = [
    Slip(
        lambda P, Y: float(-np.sum(Y * np.log(P))),
        Text(
            "this is the sum over the images; divide it by their number, `len(P)`.",
            "c’est la somme sur les images ; divise-la par leur nombre, `len(P)`.",
        ),
    ),
    Slip(
        lambda P, Y: float(-np.sum(Y * np.log10(P)) / len(P)),
        Text(
            "this is the logarithm to base 10; take the natural one, `np.log`.",
            "c’est le logarithme décimal ; prends le logarithme naturel, `np.log`.",
        ),
    ),
    Slip(
        lambda P, Y: float(-np.sum(Y * np.log2(P)) / len(P)),
        Text(
            "this is the logarithm to base 2; take the natural one, `np.log`.",
            "c’est le logarithme en base 2 ; prends le logarithme naturel, `np.log`.",
        ),
    ),
    Slip(
        lambda P, Y: float(np.sum(Y * np.log(P)) / len(P)),
        Text(
            "the sign is missing: the logarithm of a probability is negative, and a loss is positive.",
            "il manque le signe : le logarithme d’une probabilité est négatif, et une perte est positive.",
        ),
    ),
    Slip(
        lambda P, Y: float(-np.mean(Y * np.log(P))),
        Text(
            "`np.mean` over the whole array divides by the number of entries, images times classes; divide by the number of images only.",
            "`np.mean` sur tout le tableau divise par le nombre de cases, images fois classes ; ne divise que par le nombre d’images.",
        ),
    ),
    Slip(lambda P, Y: -np.sum(Y * np.log(P), axis=1), _ONE_FOR_EACH),
    Slip(lambda P, Y: -np.sum(Y * np.log(P), axis=1, keepdims=True), _ONE_FOR_EACH),
    Slip(lambda P, Y: -np.sum(Y * np.log(P), axis=1) / len(P), _ONE_FOR_EACH),
    Slip(lambda P, Y: -np.sum(Y * np.log(P), axis=0), _OVER_IMAGES),
    Slip(lambda P, Y: -np.sum(Y * np.log(P), axis=0) / len(P), _OVER_IMAGES),
    Slip(
        lambda P, Y: float(-np.mean(np.sum(Y * np.log(P), axis=0))),
        Text(
            "the mean is taken over the classes, and the sum over the images: it is the other way round, `axis=1` for the sum.",
            "la moyenne est prise sur les classes, et la somme sur les images : c’est l’inverse, `axis=1` pour la somme.",
        ),
    ),
    Slip(
        lambda P, Y: float(-np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / len(P)),
        Text(
            "this is the loss for ten separate yes-or-no answers; with softmax only the right class counts, `Y * np.log(P)`.",
            "c’est la perte de réponses oui-ou-non séparées ; avec softmax, seule la bonne classe compte, `Y * np.log(P)`.",
        ),
    ),
    Slip(
        lambda P, Y: float(np.sum((P - Y) ** 2) / len(P)),
        Text(
            "this is the squared error; the cross-entropy takes the logarithm of the probability of the right class.",
            "c’est l’erreur quadratique ; l’entropie croisée prend le logarithme de la probabilité de la bonne classe.",
        ),
    ),
    Slip(
        lambda P, Y: float(1 - np.sum(Y * P) / len(P)),
        Text(
            "there is no logarithm yet: −ln p, not 1 − p.", "il n’y a pas encore de logarithme : −ln p, et non 1 − p."
        ),
    ),
]


def cross_entropy(f: Any = None) -> Verdict:
    """The mean of −ln of the probability of the right class, from P and Y (m, n); a column or a row of one is forgiven."""
    verdict = same_function(f, _entropy, _BATCHES, _ENTROPY_SLIPS, names=("L",))
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right: one number, and only the probability of the right class counts in it.",
            "juste : un seul nombre, où seule compte la probabilité de la bonne classe.",
        )
    )


# 3.2 -----------------------------------------------------------------------------------------------------------------

_STEP = Text("`one_step`: {said}", "`one_step` : {said}")
_LIMIT = Text("`diverges_above`: {said}", "`diverges_above` : {said}")

_ONE_STEP_SLIPS = [
    Slip(
        1.0,
        Text(
            "with α = 1, x becomes −x: as far from the bottom as before. The slope is 2x, not x: what is 1 − 2α then?",
            "avec α = 1, x devient −x : on est aussi loin du fond qu’avant. La pente est 2x et non x : que vaut alors 1 − 2α ?",
        ),
    ),
    Slip(
        2.0,
        Text(
            "with α = 2, x becomes −3x, further away. Solve x − α · 2x = 0.",
            "avec α = 2, x devient −3x, plus loin qu’avant. Résous x − α · 2x = 0.",
        ),
    ),
    Slip(
        0.25,
        Text(
            "with α = 0.25, half of the way is left after a step. Solve x − α · 2x = 0.",
            "avec α = 0,25, il reste la moitié du chemin après un pas. Résous x − α · 2x = 0.",
        ),
    ),
    Slip(
        0.4,
        Text(
            "from 2.5, the slope is 5: a step of 0.4 leads to 0.5, close by, but not to the bottom.",
            "depuis 2,5, la pente est 5 : un pas de 0,4 mène à 0,5, tout près, mais pas au fond.",
        ),
    ),
    Slip(
        0.0,
        Text("with α = 0 nothing moves at all.", "avec α = 0, rien ne bouge."),
    ),
]
_LIMIT_SLIPS = [
    Slip(
        0.5,
        Text(
            "just above 0.5 we jump to the other side, but closer to the bottom: the factor 1 − 2α is negative, and its size is below 1. When is its size above 1?",
            "juste au-dessus de 0,5, on saute sur l’autre versant, mais plus près du fond : le facteur 1 − 2α est négatif, et sa taille est inférieure à 1. Quand dépasse-t-elle 1 ?",
        ),
    ),
    Slip(
        2.0,
        Text(
            "already with α = 1.5, x becomes −2x. The limit 2 holds for a slope of x; here it is 2x.",
            "dès α = 1,5, x devient −2x. La limite 2 vaut pour une pente x ; ici, elle est 2x.",
        ),
    ),
    Slip(
        1.1,
        Text(
            "1.1 diverges, but so do smaller ones: look for the limit, where the factor 1 − 2α is exactly −1.",
            "1,1 diverge, mais de plus petits aussi : cherche la limite, où le facteur 1 − 2α vaut exactement −1.",
        ),
    ),
    Slip(
        1.5,
        Text(
            "with α = 1.5, x becomes −2x; but smaller ones diverge too: where is the factor 1 − 2α exactly −1?",
            "avec α = 1,5, x devient −2x ; mais de plus petits divergent aussi : où le facteur 1 − 2α vaut-il exactement −1 ?",
        ),
    ),
]


def learning_rates(one_step: Any = None, diverges_above: Any = None) -> Verdict:
    """Of the descent on x²: the rate that needs one step, 1/2, and the one above which it diverges, 1."""
    if is_missing(one_step) or is_missing(diverges_above):
        return unanswered()
    if same_value(one_step, 1.0).ok and same_value(diverges_above, 0.5).ok:
        return wrong(
            Text(
                "these two are the wrong way round: with 1, x becomes −x; with 0.5, x becomes 0.",
                "les deux sont échangés : avec 1, x devient −x ; avec 0,5, x devient 0.",
            )
        )
    for value, expected, slips, said in (
        (one_step, 0.5, _ONE_STEP_SLIPS, _STEP),
        (diverges_above, 1.0, _LIMIT_SLIPS, _LIMIT),
    ):
        verdict = same_value(value, expected, slips)
        if not verdict.ok:
            return wrong(said.show(said=verdict.message))
    return right(
        Text(
            "right: each step multiplies x by 1 − 2α, which is 0 for α = 1/2 and −1 for α = 1.",
            "juste : chaque pas multiplie x par 1 − 2α, qui vaut 0 pour α = 1/2 et −1 pour α = 1.",
        )
    )


# 3.3 -----------------------------------------------------------------------------------------------------------------

_Z1 = np.array([[-2.0, 0.5, 3.0, -0.1], [1.5, -0.7, -4.0, 2.0], [0.25, 0.75, -1.0, -3.0]])
_DA1 = np.array([[0.3, -0.2, 0.8, 0.6], [-0.5, -0.9, 0.4, 0.7], [1.1, -0.6, 0.2, -0.3]])


def _gate(dA1: Floats, Z1: Floats) -> Floats:
    dZ1: Floats = ReLU().input_gradient({}, Z1, Z1, dA1)
    return dZ1


_GATE_SLIPS = [
    Slip(
        lambda dA1, Z1: dA1 * np.maximum(0, Z1),
        Text(
            "this multiplies by ReLU(Z1), the value; take its derivative, which is 1 where `Z1 > 0` and 0 elsewhere.",
            "c’est multiplié par ReLU(Z1), la valeur ; prends sa dérivée, qui vaut 1 là où `Z1 > 0` et 0 ailleurs.",
        ),
    ),
    Slip(
        lambda dA1, Z1: dA1 * Z1,
        Text(
            "this multiplies by `Z1` itself; multiply by the derivative of ReLU there, which is 1 or 0.",
            "c’est multiplié par `Z1` lui-même ; multiplie par la dérivée de ReLU à cet endroit, qui vaut 1 ou 0.",
        ),
    ),
    Slip(
        lambda dA1, Z1: dA1 * (dA1 > 0),
        Text(
            "the mask looks at the sign of the gradient; the gate was opened or closed on the way forward, by the sign of `Z1`.",
            "le masque regarde le signe du gradient ; la porte a été ouverte ou fermée à l’aller, par le signe de `Z1`.",
        ),
    ),
    Slip(
        lambda dA1, Z1: dA1,
        Text(
            "the gradient goes through unchanged: the mask is missing, and closed units would learn.",
            "le gradient passe sans changer : il manque le masque, et des unités fermées apprendraient.",
        ),
    ),
    Slip(
        lambda dA1, Z1: (Z1 > 0) * 1.0,
        Text(
            "this is the mask alone; it multiplies the gradient `dA1` that arrives.",
            "c’est le masque seul ; il multiplie le gradient `dA1` qui arrive.",
        ),
    ),
    Slip(
        lambda dA1, Z1: dA1 * (Z1 < 0),
        Text(
            "the gate is the wrong way round: it is open where `Z1` is positive.",
            "la porte est à l’envers : elle est ouverte là où `Z1` est positif.",
        ),
    ),
    Slip(
        lambda dA1, Z1: dA1 * np.sign(Z1),
        Text(
            "the sign is −1 where the gate is closed; there, the derivative of ReLU is 0.",
            "le signe vaut −1 là où la porte est fermée ; la dérivée de ReLU y vaut 0.",
        ),
    ),
    Slip(
        lambda dA1, Z1: np.maximum(0, Z1),
        Text(
            "this is the way forward, ReLU(Z1); on the way back the gradient `dA1` passes the gate.",
            "c’est l’aller, ReLU(Z1) ; au retour, c’est le gradient `dA1` qui passe la porte.",
        ),
    ),
]


def gate(f: Any = None) -> Verdict:
    """dZ1 = dA1 where Z1 > 0, and 0 elsewhere, for arrays (m, n). No entry of Z1 is 0, where either side is good."""
    verdict = same_function(f, _gate, [(_DA1, _Z1), (_DA1.T, -_Z1.T)], _GATE_SLIPS, names=("dZ1",))
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right: an open gate lets the gradient through as it is, a closed one stops it.",
            "juste : une porte ouverte laisse passer le gradient tel quel, une porte fermée l’arrête.",
        )
    )


# 3.4 -----------------------------------------------------------------------------------------------------------------

_NAMES = ("W1", "b1", "W2", "b2")


def _world(*sizes: int, m: int = 4, seed: int = 3) -> tuple[Floats, Floats, Arrays]:
    """X (m, n_in), Y (m, n_classes) and parameters whose biases are not zero."""
    random = np.random.default_rng(seed)
    parameters = {k: v + 0.1 * random.standard_normal(v.shape) for k, v in lessons.initialize_parameters(sizes).items()}
    Y = lessons.one_hot_encode(random.integers(0, sizes[-1], m), sizes[-1])
    return random.standard_normal((m, sizes[0])), Y, parameters


def backward(f: Any = None) -> Verdict:
    """{"dW1", "db1", "dW2", "db2"} from (X, Y, parameters, cache): the doctor says what is wrong with them."""
    X, Y, parameters = _world(5, 4, 3)
    _P, cache = lessons.forward_propagation(X, parameters)
    found, verdict = call(f, (X, Y, parameters, cache))
    if verdict is not None and (verdict.status == "unanswered" or not callable(f)):
        return verdict
    if verdict is None:  # what stops, or changes its inputs, is explained better by the doctor
        verdict = _not_named(found, tuple(f"d{name}" for name in _NAMES))
        if verdict is not None:
            return verdict
    verdict = by_doctor(forward=lessons.forward_propagation, backward=f)
    if not verdict.ok:
        return verdict
    message = Text(
        "right. These few lines are the whole of backpropagation, and the doctor finds nothing wrong with them:",
        "juste. Ces quelques lignes sont toute la rétropropagation, et le docteur n’y trouve rien de faux :",
    )
    return Verdict("right", str(message), verdict.report)


def _not_named(found: Any, names: tuple[str, ...]) -> Verdict | None:
    """What to say where `found` is no dictionary with these names; None where it is."""
    if not isinstance(found, Mapping):
        return wrong(
            Text(
                "return a dictionary with the keys {names}, not {got}.",
                "rends un dictionnaire avec les clés {names}, et non {got}.",
            ).show(names=", ".join(f"`{name}`" for name in names), got=f"`{type(found).__name__}`")
        )
    if found and all(map(is_missing, found.values())):
        return unanswered()
    for name in names:
        if is_missing(found.get(name)):
            return wrong(
                Text("`{name}` is missing: the keys are {names}.", "`{name}` manque : les clés sont {names}.").show(
                    name=name, names=", ".join(f"`{one}`" for one in names)
                )
            )
    return None


# 3.5 -----------------------------------------------------------------------------------------------------------------

_RATES = (0.1, 0.7)

Update = Callable[[Arrays, Arrays, float], Any]


def _as_tuple(f: Update) -> Callable[[Arrays, Arrays, float], tuple[Any, ...]]:
    return lambda parameters, gradients, learning_rate: tuple(
        f(parameters, gradients, learning_rate)[name] for name in parameters
    )


_UPDATE_SLIPS = [
    Slip(
        _as_tuple(lambda p, g, a: {name: p[name] + a * g[f"d{name}"] for name in p}),
        Text(
            "with a plus sign this climbs: the gradient points uphill, subtract it.",
            "avec un plus, on monte : le gradient montre la montée, soustrais-le.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {name: p[name] - g[f"d{name}"] for name in p}),
        Text(
            "the learning rate is not used: multiply the gradient by it.",
            "le taux d’apprentissage n’est pas utilisé : multiplie le gradient par lui.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {name: -a * g[f"d{name}"] for name in p}),
        Text(
            "this is the step alone; add it to the parameter.",
            "c’est le pas seul ; ajoute-le au paramètre.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {name: a * g[f"d{name}"] for name in p}),
        Text(
            "this is the learning rate times the gradient; subtract it from the parameter.",
            "c’est le taux d’apprentissage fois le gradient ; soustrais-le du paramètre.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: dict(p)),
        Text(
            "these are the parameters as they were: nothing was subtracted.",
            "ce sont les paramètres d’avant : rien n’a été soustrait.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {k: p[k] - a * g[f"d{k}"] if k.startswith("W") else p[k] for k in p}),
        Text(
            "the weights move, but the biases stay as they were: update every parameter.",
            "les poids bougent, mais les biais restent les mêmes : mets à jour tous les paramètres.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {name: a * (p[name] - g[f"d{name}"]) for name in p}),
        Text(
            "the learning rate multiplies the parameter as well; it belongs to the gradient alone.",
            "le taux d’apprentissage multiplie aussi le paramètre ; il ne concerne que le gradient.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {name: p[name] - g[f"d{name}"] / a for name in p}),
        Text(
            "the gradient is divided by the learning rate; multiply it.",
            "le gradient est divisé par le taux d’apprentissage ; multiplie-le.",
        ),
    ),
    Slip(
        _as_tuple(lambda p, g, a: {name: p[name] * (1 - a * g[f"d{name}"]) for name in p}),
        Text(
            "the step is multiplied by the parameter; it is subtracted as it is, `p - learning_rate * dp`.",
            "le pas est multiplié par le paramètre ; il se soustrait tel quel, `p - learning_rate * dp`.",
        ),
    ),
]


def update_parameters(f: Any = None) -> Verdict:
    """A new dictionary p − learning_rate · dp, under the names of the parameters; what is given stays as it is."""
    inputs = []
    for rate, sizes in zip(_RATES, ((5, 4, 3), (3, 6, 2)), strict=True):
        X, Y, parameters = _world(*sizes)
        _P, cache = lessons.forward_propagation(X, parameters)
        inputs.append((parameters, lessons.backward_propagation(X, Y, parameters, cache), rate))
    found, verdict = call(f, inputs[0])
    if verdict is None:
        verdict = _not_named(found, _NAMES)
    if verdict is not None:
        return verdict
    verdict = same_function(_as_tuple(f), _as_tuple(lessons.update_parameters), inputs, _UPDATE_SLIPS, names=_NAMES)
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right: new arrays, and the old ones are still there to compare with.",
            "juste : de nouveaux tableaux, et les anciens sont toujours là pour comparer.",
        )
    )


# 3.6 -----------------------------------------------------------------------------------------------------------------

_DEEP = ("W3", "b3", "W2", "b2", "W1", "b1")
"""In the order in which backpropagation comes to them."""


def three_layers(f: Any = None) -> Verdict:
    """(L, gradients) from (params, X, Y), for two hidden layers with ReLU: the loss first, then a gradient check."""
    X, Y, params = _world(5, 6, 4, 3, m=7, seed=5)
    found, verdict = call(f, (params, X, Y))
    if verdict is not None:
        return verdict
    if not isinstance(found, tuple) or len(found) != 2:
        return by_gradient_check(lambda p: f(p, X, Y), params)  # says what it should return
    L, gradients = found
    if is_missing(L) or is_missing(gradients):
        return unanswered()
    verdict = _loss_of_three(L, X, Y, params)
    if not verdict.ok:
        return verdict
    verdict = _not_named(gradients, tuple(f"d{name}" for name in params))
    if verdict is not None:
        return verdict
    verdict = by_gradient_check(lambda p: f(p, X, Y), params)
    if verdict.ok:
        message = Text(
            "right: every layer repeats the same two lines, and any depth would do.",
            "juste : chaque couche répète les deux mêmes lignes, et toute profondeur irait.",
        )
        return Verdict("right", str(message), verdict.report)
    if verdict.report is None:
        return verdict
    bad = {row.name for row in verdict.report.rows if row.wrong.any()}
    first = next((name for name in _DEEP if name in bad), None)
    if first is None:
        return verdict
    said = _FIRST_WRONG[first].show(name=f"d{first}")
    return Verdict("wrong", said, verdict.report)


_FIRST_WRONG = {
    "W3": Text(
        "not yet. Going back, `{name}` is the first that is wrong: look at `dZ3`, its division by m, and the input of the third layer.",
        "pas encore. En remontant, `{name}` est le premier qui soit faux : regarde `dZ3`, sa division par m, et l’entrée de la troisième couche.",
    ),
    "b3": Text(
        "not yet. Going back, `{name}` is the first that is wrong: it is the sum of `dZ3` over the images.",
        "pas encore. En remontant, `{name}` est le premier qui soit faux : c’est la somme de `dZ3` sur les images.",
    ),
    "W2": Text(
        "not yet. `dW3` and `db3` are right; going back, `{name}` is the first that is wrong: look at the way from `dZ3` to `dZ2`, mask included, and at the input of the second layer.",
        "pas encore. `dW3` et `db3` sont justes ; en remontant, `{name}` est le premier qui soit faux : regarde le chemin de `dZ3` à `dZ2`, masque compris, et l’entrée de la deuxième couche.",
    ),
    "b2": Text(
        "not yet. Going back, `{name}` is the first that is wrong: it is the sum of `dZ2` over the images.",
        "pas encore. En remontant, `{name}` est le premier qui soit faux : c’est la somme de `dZ2` sur les images.",
    ),
    "W1": Text(
        "not yet. The second and third layers are right; `{name}` is wrong: look at the way from `dZ2` to `dZ1`, mask included, and at the input of the first layer.",
        "pas encore. Les couches 3 et 2 sont justes ; `{name}` est faux : regarde le chemin de `dZ2` à `dZ1`, masque compris, et l’entrée de la première couche.",
    ),
    "b1": Text(
        "not yet. Only `{name}` is wrong: it is the sum of `dZ1` over the images.",
        "pas encore. Seul `{name}` est faux : c’est la somme de `dZ1` sur les images.",
    ),
}


def _loss_of_three(L: Any, X: Floats, Y: Floats, params: Arrays) -> Verdict:
    """Whether L is the loss of this network; without this, a right gradient of another function would pass."""
    P, _cache = lessons.forward_propagation(X, params)
    one_relu = _scores(X, params, (True, False))
    other_relu = _scores(X, params, (False, True))
    without = _scores(X, params, (False, False))
    no_relu = Text(
        "the loss is that of a network in which a ReLU is missing: there is one after `Z1` and one after `Z2`.",
        "la perte est celle d’un réseau où il manque une ReLU : il y en a une après `Z1` et une après `Z2`.",
    )
    slips = [
        Slip(
            lessons.cross_entropy_loss(Y, P) * len(X),
            Text(
                "the loss is the sum over the images; it should be their mean, divided by `len(X)`.",
                "la perte est la somme sur les images ; il faut leur moyenne, divisée par `len(X)`.",
            ),
        ),
        Slip(
            -lessons.cross_entropy_loss(Y, P),
            Text("the loss has the wrong sign: it is positive.", "la perte a le mauvais signe : elle est positive."),
        ),
        *(Slip(lessons.cross_entropy_loss(Y, lessons.softmax(Z)), no_relu) for Z in (one_relu, other_relu, without)),
        Slip(
            lessons.cross_entropy_loss(Y, lessons.softmax(np.maximum(0, _scores(X, params, (True, True))))),
            Text(
                "there is a ReLU too many, after `Z3`: the scores go straight into softmax.",
                "il y a une ReLU de trop, après `Z3` : les scores vont directement dans softmax.",
            ),
        ),
    ]
    verdict = same_value(L, lessons.cross_entropy_loss(Y, P), slips, names=("L",))
    if verdict.ok or verdict.message in {str(slip.text) for slip in slips}:
        return verdict
    return wrong(
        Text(
            "the loss is not yet that of this network, so its slopes cannot be either: look at the way forward first. {said}",
            "la perte n’est pas encore celle de ce réseau, et ses pentes non plus : regarde d’abord l’aller. {said}",
        ).show(said=verdict.message)
    )


def _scores(X: Floats, params: Arrays, relu: tuple[bool, bool]) -> Floats:
    A = X
    for i, active in enumerate((*relu, False), 1):
        A = A @ params[f"W{i}"] + params[f"b{i}"]  # (m, n_out)
        A = np.maximum(0, A) if active else A
    return A


EXERCISES = (
    Exercise(
        cross_entropy,
        (
            Text(
                "`Y * np.log(P)` keeps the logarithm of the right class only, and puts zeros elsewhere.",
                "`Y * np.log(P)` ne garde que le logarithme de la bonne classe, et met des zéros ailleurs.",
            ),
            Text(
                "`np.sum` without `axis` adds up everything; then divide by the number of images, and mind the sign.",
                "`np.sum` sans `axis` additionne tout ; divise ensuite par le nombre d’images, et pense au signe.",
            ),
            Text("`return -np.sum(Y * np.log(P)) / len(P)`", "La ligne : `return -np.sum(Y * np.log(P)) / len(P)`"),
        ),
    ),
    Exercise(
        learning_rates,
        (
            Text(
                "The slope of x² is 2x, so a step leads from x to x − α · 2x. Put x outside brackets.",
                "La pente de x² est 2x ; un pas mène donc de x à x − α · 2x. Mets x en facteur.",
            ),
            Text(
                "Each step multiplies x by 1 − 2α. What must this factor be for the bottom? And for going away, on either side?",
                "Chaque pas multiplie x par 1 − 2α. Que doit valoir ce facteur pour arriver au fond ? Et pour s’éloigner, d’un côté ou de l’autre ?",
            ),
            Text(
                "Solve 1 − 2α = 0, and 1 − 2α = −1.",
                "Résous 1 − 2α = 0, puis 1 − 2α = −1.",
            ),
        ),
    ),
    Exercise(
        gate,
        (
            Text(
                "ReLU's derivative is 1 where its input is positive, and 0 where it is negative. Which array is its input?",
                "La dérivée de ReLU vaut 1 là où son entrée est positive, 0 là où elle est négative. Quel tableau est son entrée ?",
            ),
            Text(
                "`Z1 > 0` is an array of True and False; in a product they count as 1 and 0.",
                "`Z1 > 0` est un tableau de True et de False ; dans un produit, ils comptent pour 1 et 0.",
            ),
            Text("`return dA1 * (Z1 > 0)`", "La ligne : `return dA1 * (Z1 > 0)`"),
        ),
    ),
    Exercise(
        backward,
        (
            Text(
                "Begin at the output, with `dZ2 = (cache['A2'] - Y) / len(X)`; each line uses the one before.",
                "Commence par la sortie, avec `dZ2 = (cache['A2'] - Y) / len(X)` ; chaque ligne se sert de la précédente.",
            ),
            Text(
                "Write the shape beside each line: a gradient has the shape of its parameter, and that leaves one way to transpose.",
                "Écris la forme à côté de chaque ligne : un gradient a la forme de son paramètre, et il ne reste qu’une façon de transposer.",
            ),
            Text(
                "The seven lines are in the table of section 5, in their order.",
                "Les sept lignes sont dans le tableau de la section 5, dans l’ordre.",
            ),
        ),
    ),
    Exercise(
        update_parameters,
        (
            Text(
                "Go through `parameters.items()`; the gradient of `name` is `gradients['d' + name]`.",
                "Parcours `parameters.items()` ; le gradient de `name` est `gradients['d' + name]`.",
            ),
            Text(
                "`p - learning_rate * dp` makes a new array; `p -= …` would change the one that was given.",
                "`p - learning_rate * dp` fait un nouveau tableau ; `p -= …` changerait celui qui est donné.",
            ),
        ),
    ),
    Exercise(
        three_layers,
        (
            Text(
                "Start with the way forward and the loss alone, and return `{}` for the gradients: the loss is judged first.",
                "Commence par l’aller et la perte seuls, en rendant `{}` pour les gradients : la perte est jugée d’abord.",
            ),
            Text(
                "The output begins with `dZ3 = (P - Y) / len(X)`; then the lines of two layers, one more time: `dA2`, `dZ2`, and after these `dA1`, `dZ1`.",
                "La sortie commence par `dZ3 = (P - Y) / len(X)` ; puis les lignes de deux couches, une fois de plus : `dA2`, `dZ2`, et ensuite `dA1`, `dZ1`.",
            ),
            Text(
                "Layer l takes `dW = A.T @ dZ` with the A that came into it, `db` as the sum with `axis=0, keepdims=True`, and hands on `dZ @ W.T` times the mask of the Z before.",
                "La couche l prend `dW = A.T @ dZ` avec le A qui y entrait, `db` comme somme avec `axis=0, keepdims=True`, et transmet `dZ @ W.T` fois le masque du Z d’avant.",
            ),
        ),
    ),
)

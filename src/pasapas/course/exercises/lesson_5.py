"""Exercises of lesson 5: softmax's Jacobian, δ for another activation, the whole way back, signs, and weighted classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

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
from pasapas.lessons import backward, forward

Array = npt.NDArray[Any]

_JACOBIAN_SLIPS = (
    Slip(
        lambda o: np.diag(o * (1 - o)),
        Text(
            "Only the diagonal is there: raising one score lowers the other probabilities too. Off the diagonal stands −oᵢ oⱼ.",
            "Il n’y a que la diagonale : monter un score baisse aussi les autres probabilités. En dehors de la diagonale, il y a −oᵢ oⱼ.",
        ),
    ),
    Slip(
        lambda o: o * (1 - o),
        Text(
            "These are the n numbers of the diagonal; the Jacobian has n × n: each output depends on each score.",
            "Ce sont les n nombres de la diagonale ; la jacobienne en a n × n : chaque sortie dépend de chaque score.",
        ),
    ),
    Slip(
        lambda o: np.outer(o, o) - np.diag(o),
        Text(
            "All signs are the wrong way round: raising a score must raise its own probability, so the diagonal is positive.",
            "Tous les signes sont inversés : monter un score doit monter sa propre probabilité, donc la diagonale est positive.",
        ),
    ),
    Slip(
        lambda o: np.diag(o) + np.outer(o, o),
        Text(
            "The product oᵢ oⱼ is subtracted, not added: each column must add up to 0, and yours do not.",
            "Le produit oᵢ oⱼ se soustrait, il ne s’ajoute pas : chaque colonne doit avoir une somme nulle, ce qui n’est pas le cas des tiennes.",
        ),
    ),
    Slip(
        lambda o: -np.outer(o, o),
        Text(
            "Off the diagonal it is right. On the diagonal [i = j] is 1: oⱼ is missing there, for oⱼ (1 − oⱼ).",
            "Hors de la diagonale, c’est bon. Sur la diagonale, [i = j] vaut 1 : il y manque oⱼ, pour faire oⱼ (1 − oⱼ).",
        ),
    ),
    Slip(
        lambda o: np.diag(o * (1 - o)) + np.outer(o, o) - np.diag(o * o),
        Text(
            "The diagonal is right, but off it the sign is missing: −oᵢ oⱼ, since what one probability gains the others lose.",
            "La diagonale est juste, mais en dehors il manque le signe : −oᵢ oⱼ, car ce que gagne une probabilité, les autres le perdent.",
        ),
    ),
    Slip(
        lambda o: np.eye(len(o)) - np.outer(o, o),
        Text(
            "The factor oᵢ multiplies the whole bracket, [i = j] too: on the diagonal that is oᵢ − oᵢ², not 1 − oᵢ².",
            "Le facteur oᵢ multiplie toute la parenthèse, [i = j] aussi : sur la diagonale, cela fait oᵢ − oᵢ², et non 1 − oᵢ².",
        ),
    ),
)


def _softmax_jacobian(f: Any = None) -> Verdict:
    """`softmax_jacobian(o)`: (n, n) with ∂oᵢ/∂netⱼ at [i, j], from the probabilities o (n,) of one example."""
    inputs = [(np.array([0.7, 0.2, 0.1]),), (np.array([0.05, 0.4, 0.25, 0.1, 0.2]),)]
    verdict = same_function(f, lambda o: np.diag(o) - np.outer(o, o), inputs, _JACOBIAN_SLIPS)
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right. The matrix is symmetric: i on j acts as j on i.",
            "juste. La matrice est symétrique : i agit sur j comme j sur i.",
        )
    )


def _delta(factor: Any) -> Any:
    return lambda delta2, W2, A1: (delta2 @ W2) * factor(A1)


_HIDDEN_SLIPS = (
    Slip(
        _delta(lambda A: 1 - A**2),
        Text(
            "That is δ for tanh. For z > 0 softsign is z / (1 + z), with the derivative 1 / (1 + z)²: write 1 / (1 + z) with o.",
            "C’est le δ de tanh. Pour z > 0, softsign vaut z / (1 + z), de dérivée 1 / (1 + z)² : écris 1 / (1 + z) avec o.",
        ),
    ),
    Slip(
        _delta(lambda A: A * (1 - A)),
        Text(
            "That is δ for the sigmoid. Differentiate softsign: for z > 0 it is z / (1 + z).",
            "C’est le δ de la sigmoïde. Dérive softsign : pour z > 0, c’est z / (1 + z).",
        ),
    ),
    Slip(
        _delta(lambda A: (1 - A) ** 2),
        Text(
            "Right for z > 0. For z < 0 the output o is negative, and the slope is (1 + o)²: an absolute value joins both cases.",
            "C’est juste pour z > 0. Pour z < 0, la sortie o est négative, et la pente est (1 + o)² : une valeur absolue réunit les deux cas.",
        ),
    ),
    Slip(
        _delta(lambda A: 1 / (1 + np.abs(A)) ** 2),
        Text(
            "1 / (1 + |z|)² is the slope at z; but A1 is the output o. Write 1 / (1 + |z|) with o: 1 − |o|.",
            "1 / (1 + |z|)² est la pente en z ; mais A1 est la sortie o. Écris 1 / (1 + |z|) avec o : 1 − |o|.",
        ),
    ),
    Slip(
        _delta(lambda A: 1 - np.abs(A)),
        Text(
            "Nearly: 1 − |o| is 1 / (1 + |z|), and the slope is the square of that.",
            "Presque : 1 − |o| vaut 1 / (1 + |z|), et la pente en est le carré.",
        ),
    ),
    Slip(
        _delta(np.ones_like),
        Text(
            "That is the sum over the units downstream, ∂E/∂o. The factor f′(net), the slope of softsign, is missing.",
            "C’est la somme sur les neurones en aval, ∂E/∂o. Il manque le facteur f′(net), la pente de softsign.",
        ),
    ),
    Slip(
        _delta(lambda A: -((1 - np.abs(A)) ** 2)),
        Text(
            "The sign is the wrong way round: softsign rises everywhere, so its slope is positive, and δ is passed on as it is.",
            "Le signe est inversé : softsign monte partout, sa pente est donc positive, et δ se transmet tel quel.",
        ),
    ),
)


def _hidden_delta(f: Any = None) -> Verdict:
    """`hidden_delta(delta2, W2, A1)`: δ1 (m, n_hidden) of a softsign layer, from W2 (n_out, n_hidden)."""
    random = np.random.default_rng(52)
    inputs = []
    for m, n_hidden, n_out in ((4, 5, 3), (2, 3, 4)):
        Z1 = 2 * random.standard_normal((m, n_hidden))
        delta2, W2 = random.standard_normal((m, n_out)), random.standard_normal((n_out, n_hidden))
        inputs.append((delta2, W2, Z1 / (1 + np.abs(Z1))))
    verdict = same_function(f, _delta(lambda A: (1 - np.abs(A)) ** 2), inputs, _HIDDEN_SLIPS)
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right. The slope (1 − |o|)² falls like 1/z², that of tanh exponentially: softsign saturates more gently.",
            "juste. La pente (1 − |o|)² décroît comme 1/z², celle de tanh exponentiellement : softsign sature plus doucement.",
        )
    )


def _backward(f: Any = None) -> Verdict:
    """`my_backward(params, outputs, Y, X)`: the gradients of the tanh network, W (n_out, n_in) and b (n_out, 1)."""
    verdict = by_doctor(forward=forward, backward=f)
    if not verdict.ok:
        return verdict
    params, X, Y = _example()
    result, _stopped = call(f, (params, forward(params, X), Y, X))
    expected = backward(params, forward(params, X), Y, X)
    for name, gradient in expected.items():
        found = result.get(name, result.get(f"d{name}")) if isinstance(result, Mapping) else None
        if found is not None and np.shape(found) != gradient.shape:
            return wrong(
                str(
                    Text(
                        "the numbers are right, but the gradient of `{name}` has the shape {got}, and the parameter {expected}: `params[name] -= …` would fail. Transpose it, or sum with `keepdims=True`.",
                        "les nombres sont justes, mais le gradient de `{name}` est de forme {got}, et le paramètre {expected} : `params[name] -= …` échouerait. Transpose-le, ou additionne avec `keepdims=True`.",
                    )
                ).format(name=name, got=np.shape(found), expected=gradient.shape)
            )
    return Verdict(
        "right",
        str(
            Text(
                "right: your function gives the gradients that pasapas trains with, transposed.",
                "juste : ta fonction donne les gradients avec lesquels pasapas entraîne, transposés.",
            )
        ),
        verdict.report,
    )


_DESCENDING = frozenset("bd")
_PROGRAMS = {
    "a": Text(
        "Look at a again: P − Y is the gradient, and + goes along it, uphill. It is the document's slip.",
        "Regarde encore a : P − Y est le gradient, et + avance dans son sens, vers le haut. C’est la faute du document.",
    ),
    "b": Text(
        "Look at b again: Y − P is the opposite of the gradient, and adding it goes down. It is Mitchell's convention.",
        "Regarde encore b : Y − P est l’opposé du gradient, et l’ajouter fait descendre. C’est la convention de Mitchell.",
    ),
    "c": Text(
        "Look at c again: Y − P is the opposite of the gradient, and subtracting it goes along the gradient, uphill.",
        "Regarde encore c : Y − P est l’opposé du gradient, et le soustraire fait avancer dans le sens du gradient, vers le haut.",
    ),
    "d": Text(
        "Look at d again and count the minus signs: one in Y − P, one before the bracket. What is `d1`, the gradient or its opposite?",
        "Regarde encore d et compte les signes moins : un dans Y − P, un devant la parenthèse. Qu’est-ce que `d1`, le gradient ou son opposé ?",
    ),
    "e": Text(
        "Look at e again: `d2` is the gradient, but A1² − 1 is the slope of tanh with its sign turned. Where does `W1` go?",
        "Regarde encore e : `d2` est le gradient, mais A1² − 1 est la pente de tanh au signe près. Où va `W1` ?",
    ),
}


def _signs(answer: Any = None) -> Verdict:
    """The letters of the programs whose update makes the loss fall, as text or as a collection of letters."""
    if is_missing(answer):
        return unanswered()
    letters: set[str] = set()
    if isinstance(answer, (str, list, tuple, set, frozenset)):
        letters = {letter for part in answer for letter in str(part).lower() if letter.isalnum()}
    if not letters or not letters <= set(_PROGRAMS):
        return wrong(
            Text(
                'answer with letters from a to e in quotation marks, such as `"ac"`.',
                'réponds par des lettres de a à e entre guillemets, comme `"ac"`.',
            )
        )
    for letter, text in _PROGRAMS.items():
        if (letter in letters) != (letter in _DESCENDING):
            return wrong(text)
    return right(
        Text(
            "right: an even number of turned signs, counting the one of the update, goes down.",
            "juste : un nombre pair de signes retournés, celui de la mise à jour compris, fait descendre.",
        )
    )


def _example() -> tuple[dict[str, Array], Array, Array]:
    """A tanh network 5-4-3 with biases that are not 0, X (7, 5) and one-hot Y (7, 3) with every class."""
    random = np.random.default_rng(55)
    params = {
        "W1": random.standard_normal((4, 5)),
        "b1": random.standard_normal((4, 1)),
        "W2": random.standard_normal((3, 4)),
        "b2": random.standard_normal((3, 1)),
    }
    return params, random.standard_normal((7, 5)), np.eye(3)[[0, 2, 1, 1, 0, 2, 1]]


def _gradients(params: Mapping[str, Array], X: Array, A1: Array, delta2: Array, factor: float) -> dict[str, Array]:
    """The gradients of both layers from δ of the scores, delta2 (m, n_out), times `factor`."""
    delta1 = delta2 @ params["W2"] * (1 - A1**2)  # (m, n_hidden)
    return {
        "W1": factor * delta1.T @ X,
        "b1": factor * delta1.sum(axis=0)[:, None],
        "W2": factor * delta2.T @ A1,
        "b2": factor * delta2.sum(axis=0)[:, None],
    }


def _weighted(f: Any = None) -> Verdict:
    """`weighted(params, X, Y, w)`: the mean of −Σ w t ln o over the examples, and its gradients by parameter."""
    params, X, Y = _example()
    w = np.array([0.5, 2.0, 1.25])
    result, verdict = call(f, (params, X, Y, w))
    if verdict is not None:
        return verdict
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], Mapping):
        return wrong(
            Text(
                "return the loss and the dictionary of the gradients, as `L, gradients`.",
                "renvoie la perte et le dictionnaire des gradients, comme ceci : `L, gradients`.",
            )
        )
    L, found = result
    P, _Z1, A1 = forward(params, X)
    entropies = -(w * Y * np.log(P)).sum(axis=1)  # (m,)
    loss_verdict = same_value(L, float(entropies.mean()), _loss_slips(P, Y, w), names=("L",))
    if not loss_verdict.ok:
        return loss_verdict
    for slip in _weighted_slips(params, X, Y, w, P, A1):
        if _same_gradients(found, slip.answer):
            return wrong(slip.text)
    checked = by_gradient_check(lambda p: f(p, X, Y, w), params)
    if not checked.ok:
        return checked
    return Verdict(
        "right",
        str(
            Text(
                "right: δ = o Σ w t − w t, since Σ w t is no longer 1. With one-hot targets that is w (o − t), w being that of the true class: such an example counts w times.",
                "juste : δ = o Σ w t − w t, puisque Σ w t ne vaut plus 1. Avec des cibles one-hot, cela fait w (o − t), où w est celui de la vraie classe : un tel exemple compte w fois.",
            )
        ),
        checked.report,
    )


def _loss_slips(P: Array, Y: Array, w: Array) -> list[Slip]:
    """Losses that are near to the weighted one."""
    entropies = -(w * Y * np.log(P)).sum(axis=1)  # (m,)
    return [
        Slip(
            float(-(Y * np.log(P)).sum(axis=1).mean()),
            Text(
                "`L` is the plain cross-entropy: `w` is not in it.",
                "`L` est l’entropie croisée ordinaire : `w` n’y est pas.",
            ),
        ),
        Slip(
            float(entropies.sum()),
            Text(
                "`L` is the sum over the examples; it should be their mean.",
                "`L` est la somme sur les exemples ; il faut leur moyenne.",
            ),
        ),
        Slip(
            float(entropies.mean() / len(w)),
            Text(
                "`L` is divided by m and by the number of classes: sum over the classes, take the mean over the examples.",
                "`L` est divisée par m et par le nombre de classes : fais la somme sur les classes, la moyenne sur les exemples.",
            ),
        ),
        Slip(
            float(entropies.sum() / (Y @ w).sum()),
            Text(
                "`L` is divided by the sum of the weights; that is a choice too, but here L is divided by m.",
                "`L` est divisée par la somme des poids ; c’est un choix possible, mais ici L est divisée par m.",
            ),
        ),
    ]


def _weighted_slips(params: Mapping[str, Array], X: Array, Y: Array, w: Array, P: Array, A1: Array) -> list[Slip]:
    """Gradients from a δ that is not that of the weighted loss."""
    m = len(X)
    due = P * (Y @ w)[:, None] - w * Y  # (m, n_out)
    return [
        Slip(
            _gradients(params, X, A1, P - Y, 1 / m),
            Text(
                "These are the gradients of the plain cross-entropy, δ = o − t: `w` is in the loss, but not in δ.",
                "Ce sont les gradients de l’entropie croisée ordinaire, δ = o − t : `w` est dans la perte, mais pas dans δ.",
            ),
        ),
        Slip(
            _gradients(params, X, A1, P - w * Y, 1 / m),
            Text(
                "δ = o − w t takes Σ w t for 1. Line (4), with w t in place of t, is as far as the derivation goes: δ = o Σ w t − w t.",
                "δ = o − w t prend Σ w t pour 1. La ligne (4), avec w t à la place de t, est la dernière que l’on peut garder : δ = o Σ w t − w t.",
            ),
        ),
        Slip(
            _gradients(params, X, A1, w * (P - Y), 1 / m),
            Text(
                "δⱼ = wⱼ (oⱼ − tⱼ) gives each column its own weight. But in o Σ w t only the weight of the true class is left, the same for the whole row.",
                "δⱼ = wⱼ (oⱼ − tⱼ) donne à chaque colonne son propre poids. Mais dans o Σ w t, seul reste le poids de la vraie classe, le même pour toute la ligne.",
            ),
        ),
        Slip(
            _gradients(params, X, A1, due, 1.0),
            Text(
                "δ is right, but the gradients are not divided by m: L is a mean over the examples.",
                "δ est juste, mais les gradients ne sont pas divisés par m : L est une moyenne sur les exemples.",
            ),
        ),
        Slip(
            _gradients(params, X, A1, due, -1 / m),
            Text(
                "The numbers are right, the signs are turned: these are −∂L/∂W, Mitchell's convention. Here the gradients themselves are asked for.",
                "Les nombres sont justes, les signes sont inversés : c’est −∂L/∂W, la convention de Mitchell. Ici, on demande les gradients eux-mêmes.",
            ),
        ),
    ]


def _same_gradients(found: Mapping[Any, Any], expected: Mapping[str, Array]) -> bool:
    """Whether all gradients are those of a slip, under the parameters' names or with a d before them."""
    return all(same_value(found.get(name, found.get(f"d{name}")), value).ok for name, value in expected.items())


EXERCISES = (
    Exercise(
        _softmax_jacobian,
        (
            Text(
                "On the diagonal stands oⱼ − oⱼ², elsewhere −oᵢ oⱼ. So −oᵢ oⱼ is everywhere, and the diagonal has oⱼ more.",
                "Sur la diagonale, il y a oⱼ − oⱼ², ailleurs −oᵢ oⱼ. Il y a donc −oᵢ oⱼ partout, et la diagonale a oⱼ de plus.",
            ),
            Text(
                "`np.outer(o, o)` has all products oᵢ oⱼ, and `np.diag(o)` has o on its diagonal.",
                "`np.outer(o, o)` contient tous les produits oᵢ oⱼ, et `np.diag(o)` contient o sur sa diagonale.",
            ),
        ),
    ),
    Exercise(
        _hidden_delta,
        (
            Text(
                "For z > 0, f(z) = z / (1 + z): the derivative of the quotient is ((1 + z) − z) / (1 + z)². For z < 0, put 1 − z in place of 1 + z.",
                "Pour z > 0, f(z) = z / (1 + z) : la dérivée du quotient est ((1 + z) − z) / (1 + z)². Pour z < 0, mets 1 − z à la place de 1 + z.",
            ),
            Text(
                "In both cases f′(z) = 1 / (1 + |z|)². Now compute 1 − |o| with |o| = |z| / (1 + |z|).",
                "Dans les deux cas, f′(z) = 1 / (1 + |z|)². Calcule maintenant 1 − |o|, avec |o| = |z| / (1 + |z|).",
            ),
            Text(
                "The sum over the units downstream is the same as for tanh, `delta2 @ W2`; only the factor changes.",
                "La somme sur les neurones en aval est la même que pour tanh, `delta2 @ W2` ; seul le facteur change.",
            ),
        ),
    ),
    Exercise(
        _backward,
        (
            Text(
                "Begin with `P, Z1, A1 = outputs` and `m = len(X)`, then δ2, and follow the formulas of section 6 from top to bottom.",
                "Commence par `P, Z1, A1 = outputs` et `m = len(X)`, puis δ2, et suis les formules de la section 6 de haut en bas.",
            ),
            Text(
                "A gradient has the shape of its parameter: dW2 = δ2ᵀ A1 / m is (10, m) · (m, 132) = (10, 132), and db2 is a column.",
                "Un gradient a la forme de son paramètre : dW2 = δ2ᵀ A1 / m fait (10, m) · (m, 132) = (10, 132), et db2 est une colonne.",
            ),
        ),
    ),
    Exercise(
        _signs,
        (
            Text(
                "For each program, ask: does the update move along the gradient ∂L/∂W, or against it? P − Y goes with the gradient.",
                "Pour chaque programme, demande-toi si la mise à jour avance dans le sens du gradient ∂L/∂W, ou à l’opposé. P − Y a le signe du gradient.",
            ),
            Text(
                "In d and e, go through the signs one by one: that of `d2`, that before the product, that of the slope (1 − A1² is positive), that of the update.",
                "Dans d et e, passe les signes en revue un par un : celui de `d2`, celui devant le produit, celui de la pente (1 − A1² est positif), celui de la mise à jour.",
            ),
        ),
    ),
    Exercise(
        _weighted,
        (
            Text(
                "In lines (1) to (4), w t simply takes the place of t. Which property of t does the last line use, and does w t have it?",
                "Dans les lignes (1) à (4), w t prend simplement la place de t. Quelle propriété de t la dernière ligne utilise-t-elle, et w t l’a-t-il ?",
            ),
            Text(
                "Let T = w * Y. Then δ2 = P * T.sum(axis=1, keepdims=True) − T; from there on everything is as in `my_backward`.",
                "Pose T = w * Y. Alors δ2 = P * T.sum(axis=1, keepdims=True) − T ; à partir de là, tout est comme dans `my_backward`.",
            ),
            Text(
                "The loss: `-np.sum(w * Y * np.log(P)) / len(X)`, with `P, Z1, A1 = forward(params, X)`.",
                "La perte : `-np.sum(w * Y * np.log(P)) / len(X)`, avec `P, Z1, A1 = forward(params, X)`.",
            ),
        ),
    ),
)

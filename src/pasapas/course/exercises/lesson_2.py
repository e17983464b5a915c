"""Exercises of lesson 2: ReLU, a softmax that does not overflow, the forward pass, answers and accuracy, log-softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas import lessons, losses
from pasapas.course.judging import Exercise, Slip, call, is_missing, right, said_of, same_function, unanswered, wrong
from pasapas.course.verdict import Verdict
from pasapas.doctor.mistake import Text

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_RANDOM = np.random.default_rng(2)

# 2.1 -----------------------------------------------------------------------------------------------------------------

_SUMS = [(np.array([[-2.0, 0.5, 0.0], [3.0, -0.3, 1.0]]),), (np.array([1.5, -4.0, 2.0, -0.1]),)]

_RELU_SLIPS = [
    Slip(
        np.abs,
        Text(
            "this is the absolute value: −2 must become 0, not 2.",
            "c’est la valeur absolue : −2 doit devenir 0, et non 2.",
        ),
    ),
    Slip(
        lambda Z: Z > 0,
        Text(
            "this is the derivative, 1 where Z is positive; ReLU itself lets Z through there.",
            "c’est la dérivée, 1 là où Z est positif ; ReLU, elle, y laisse passer Z.",
        ),
    ),
    Slip(
        lambda Z: np.minimum(Z, 0),
        Text(
            "the wrong side is kept: the *negative* numbers become 0.",
            "c’est le mauvais côté qui est gardé : ce sont les nombres *négatifs* qui deviennent 0.",
        ),
    ),
    Slip(
        lambda Z: np.max(Z, axis=0),
        Text(
            "`np.max` looks for the largest number along an axis; `np.maximum` compares entry by entry.",
            "`np.max` cherche le plus grand nombre le long d’un axe ; `np.maximum` compare terme à terme.",
        ),
    ),
    Slip(
        np.max,
        Text(
            "`np.max` looks for the largest number of all; `np.maximum` compares entry by entry.",
            "`np.max` cherche le plus grand nombre de tous ; `np.maximum` compare terme à terme.",
        ),
    ),
    Slip(
        lambda Z: Z[Z > 0],
        Text(
            "`Z[Z > 0]` throws the negative numbers away; they must stay, as zeros.",
            "`Z[Z > 0]` jette les nombres négatifs ; ils doivent rester, sous forme de zéros.",
        ),
    ),
    Slip(
        lambda Z: Z,
        Text(
            "nothing has changed: the negative numbers are still there.",
            "rien n’a changé : les nombres négatifs sont encore là.",
        ),
    ),
]


def relu(f: Any = None) -> Verdict:
    """f(Z) = max(0, Z), entry by entry, in a new array."""
    return same_function(f, lessons.relu, _SUMS, _RELU_SLIPS, names=("A",))


# 2.2 -----------------------------------------------------------------------------------------------------------------

_SCORES = [(_RANDOM.normal(size=(m, n)) * 2,) for m, n in ((3, 3), (4, 4))]
_OTHER_SCORES = [(_RANDOM.normal(size=(m, n)) * 2,) for m, n in ((2, 5), (6, 3), (1, 4))]
_HIGH = (np.array([[1000.0, 998.0, 0.0], [1000.0, 1001.0, 1002.0]]),)
_LOW = (np.array([[-1000.0, -1001.0, -1003.0]]),)
_FAR_APART = (np.array([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -1002.0]]),)


def _softmax(Z: Floats) -> Floats:
    return lessons.softmax(Z)


def _e(Z: Floats) -> Floats:
    exponentials: Floats = np.exp(Z)
    return exponentials


_WITHOUT_KEEPDIMS = Text(
    "the sums have the shape (m,), which NumPy aligns with the *columns*: with as many rows as columns this gives numbers, and wrong ones. Add `keepdims=True`.",
    "les sommes ont la forme (m,), que NumPy aligne avec les *colonnes* : avec autant de lignes que de colonnes, cela donne des nombres, mais faux. Ajoute `keepdims=True`.",
)

_SOFTMAX_SLIPS = [
    Slip(
        lambda Z: _e(Z) / _e(Z).sum(),
        Text(
            "the sum is that of the whole array; each row needs one of its own: `axis=1, keepdims=True`.",
            "la somme est celle de tout le tableau ; chaque ligne a besoin de la sienne : `axis=1, keepdims=True`.",
        ),
    ),
    Slip(
        lambda Z: _e(Z) / _e(Z).sum(axis=0),
        Text(
            "the columns have the sum 1, and it should be the rows: `axis=1`.",
            "ce sont les colonnes qui ont la somme 1, et ce devrait être les lignes : `axis=1`.",
        ),
    ),
    Slip(lambda Z: _e(Z) / _e(Z).sum(axis=1), _WITHOUT_KEEPDIMS),
    Slip(lambda Z: _e(Z - Z.max(axis=1)) / _e(Z - Z.max(axis=1)).sum(axis=1), _WITHOUT_KEEPDIMS),
    Slip(
        lambda Z: _e(Z - Z.max(axis=1)) / _e(Z - Z.max(axis=1)).sum(axis=1, keepdims=True),
        Text(
            "the maxima have the shape (m,), which NumPy aligns with the *columns*: add `keepdims=True` to the maximum as well.",
            "les maximums ont la forme (m,), que NumPy aligne avec les *colonnes* : ajoute aussi `keepdims=True` au maximum.",
        ),
    ),
    Slip(
        lambda Z: _e(Z - Z.max(axis=0)) / _e(Z - Z.max(axis=0)).sum(axis=1, keepdims=True),
        Text(
            "the maximum subtracted is that of each *column*, which shifts the scores of one row by different amounts; take that of the row, `axis=1`.",
            "le maximum soustrait est celui de chaque *colonne*, ce qui décale différemment les scores d’une même ligne ; prends celui de la ligne, `axis=1`.",
        ),
    ),
    Slip(
        lambda Z: Z / Z.sum(axis=1, keepdims=True),
        Text(
            "the exponential is missing: scores may be negative, probabilities may not.",
            "il manque l’exponentielle : des scores peuvent être négatifs, des probabilités non.",
        ),
    ),
    Slip(
        _e,
        Text(
            "these are the exponentials; divide them by the sum of their row.",
            "ce sont les exponentielles ; divise-les par la somme de leur ligne.",
        ),
    ),
    Slip(
        lambda Z: _e(Z - Z.max(axis=1, keepdims=True)),
        Text(
            "these are the exponentials; divide them by the sum of their row.",
            "ce sont les exponentielles ; divise-les par la somme de leur ligne.",
        ),
    ),
    Slip(
        lambda Z: _e(Z - Z.max(axis=1, keepdims=True)) / _e(Z).sum(axis=1, keepdims=True),
        Text(
            "the maximum is subtracted above, but not below: both exponentials must be the same ones.",
            "le maximum est soustrait en haut, mais pas en bas : les deux exponentielles doivent être les mêmes.",
        ),
    ),
    Slip(
        lambda Z: _softmax(-Z),
        Text(
            "the sign in the exponential is wrong: the largest score must have the largest probability.",
            "le signe dans l’exponentielle est faux : le plus grand score doit avoir la plus grande probabilité.",
        ),
    ),
    Slip(
        lambda Z: np.log(_softmax(Z)),
        Text("this is its logarithm: that is exercise 2.5.", "c’est son logarithme : c’est l’exercice 2.5."),
    ),
]


def _right_when(f: Any, inputs: tuple[Any, ...], reference: Callable[..., Any]) -> bool:
    return same_function(f, reference, [inputs]).ok


def _finite(f: Any, inputs: tuple[Any, ...]) -> bool:
    result, verdict = call(f, inputs)
    try:
        return verdict is None and bool(np.isfinite(np.asarray(result, dtype=float)).all())
    except (TypeError, ValueError):  # no array of numbers
        return False


def softmax(f: Any = None) -> Verdict:
    """f(Z): the softmax of each row, also of scores near ±1000. Square arrays first, where a missing keepdims is no error."""
    for inputs in (_SCORES, _OTHER_SCORES):
        verdict = same_function(f, _softmax, inputs, _SOFTMAX_SLIPS, names=("P",))
        if not verdict.ok:
            return verdict
    if any(_finite(f, one) and not _right_when(f, one, _softmax) for one in (_HIGH, _LOW)):
        return wrong(
            Text(
                "right for small scores, but wrong, though finite, for scores near ±1000: a bound (`np.clip`, `+ 1e-12`, `np.nan_to_num`) hides the overflow and changes the result. Subtract the maximum of each row instead; nothing else changes.",
                "juste pour de petits scores, mais faux, quoique fini, pour des scores près de ±1000 : une borne (`np.clip`, `+ 1e-12`, `np.nan_to_num`) cache le débordement et change le résultat. Soustrais plutôt le maximum de chaque ligne : rien d’autre ne change.",
            )
        )
    if not _right_when(f, _HIGH, _softmax):
        return wrong(
            Text(
                "right for small scores, but e¹⁰⁰⁰ overflows: inf / inf is `nan`. Subtract the maximum of each row first; nothing else changes.",
                "juste pour de petits scores, mais e¹⁰⁰⁰ déborde : inf / inf donne `nan`. Soustrais d’abord le maximum de chaque ligne ; rien d’autre ne change.",
            )
        )
    if not _right_when(f, _LOW, _softmax):
        return wrong(
            Text(
                "right for large scores, but with −1000, −1001, −1003 all exponentials become 0, and 0 / 0 is `nan`: subtract the maximum itself, even where it is negative.",
                "juste pour de grands scores, mais avec −1000, −1001, −1003 toutes les exponentielles deviennent 0, et 0 / 0 donne `nan` : soustrais le maximum lui-même, même s’il est négatif.",
            )
        )
    if not _right_when(f, _FAR_APART, _softmax):
        return right(
            Text(
                "right. One reserve: you subtract one maximum for the whole array, so a row far below it (by 746 or more) would give 0 / 0; with the maximum of each row that cannot happen.",
                "juste. Une réserve : tu soustrais un seul maximum pour tout le tableau, et une ligne très au-dessous (de 746 ou plus) donnerait 0 / 0 ; avec le maximum de chaque ligne, cela ne peut pas arriver.",
            )
        )
    return right()


# 2.3 -----------------------------------------------------------------------------------------------------------------

_CACHE = ("Z1", "A1", "Z2", "A2")


def _pass(m: int, n_in: int, n_hidden: int, n_classes: int) -> tuple[Floats, dict[str, Floats]]:
    """Images and parameters of a small network, with biases that are not zero."""
    return _RANDOM.normal(size=(m, n_in)), {
        "W1": _RANDOM.normal(size=(n_in, n_hidden)),
        "b1": _RANDOM.normal(size=(1, n_hidden)),
        "W2": _RANDOM.normal(size=(n_hidden, n_classes)),
        "b2": _RANDOM.normal(size=(1, n_classes)),
    }


_PASSES = [_pass(5, 4, 3, 2), _pass(3, 6, 6, 3), _pass(4, 3, 5, 6)]
_SQUARE_PASSES = [_pass(4, 4, 4, 4), _pass(3, 3, 3, 3)]
_LARGE_PASS = (
    np.array([[1000.0], [-1000.0]]),
    {"W1": np.array([[1.0, -1.0]]), "b1": np.zeros((1, 2)), "W2": np.eye(2), "b2": np.zeros((1, 2))},
)

_Values = tuple[Floats, Floats, Floats, Floats, Floats]


def _in_order(result: tuple[Any, Mapping[str, Any]]) -> tuple[Any, ...]:
    """A2, and what the cache holds: all that is compared."""
    A2, cache = result
    return (A2, *(cache[name] for name in _CACHE))


def _forward(X: Floats, parameters: Mapping[str, Floats]) -> _Values:
    A2, cache = lessons.forward_propagation(X, parameters)
    return A2, cache["Z1"], cache["A1"], cache["Z2"], cache["A2"]


def _otherwise(
    hidden: Callable[[Floats], Floats] = lessons.relu,
    output: Callable[[Floats], Floats] = _softmax,
    without: tuple[str, ...] = (),
    transposed: bool = False,
) -> Callable[..., _Values]:
    """A forward pass with one thing different."""

    def forward(X: Floats, parameters: Mapping[str, Floats]) -> _Values:
        p = {name: np.zeros_like(value) if name in without else value for name, value in parameters.items()}
        W1, W2 = (p["W1"].T, p["W2"].T) if transposed else (p["W1"], p["W2"])
        Z1 = X @ W1 + p["b1"]
        A1 = hidden(Z1)
        Z2 = A1 @ W2 + p["b2"]
        A2 = output(Z2)
        return A2, Z1, A1, Z2, A2

    return forward


def _one_bias(name: str) -> Text:
    return Text(f"the bias `{name}` is forgotten.", f"le biais `{name}` est oublié.")


_OUTPUT_RELU = Text(
    "ReLU is applied to the output too: a negative score must stay negative, softmax knows what to do with it.",
    "ReLU est appliquée aussi à la sortie : un score négatif doit le rester, softmax sait quoi en faire.",
)

_FORWARD_SLIPS = [
    Slip(
        _otherwise(hidden=lambda Z: Z),
        Text(
            "the activation is missing on the hidden layer: `A1` is ReLU of `Z1`. Without it two layers are but one.",
            "il manque l’activation sur la couche cachée : `A1` est ReLU de `Z1`. Sans elle, deux couches n’en font qu’une.",
        ),
    ),
    Slip(
        _otherwise(hidden=np.tanh),
        Text(
            "the hidden layer has tanh; ReLU is asked for here.",
            "la couche cachée a tanh ; c’est ReLU qui est demandée ici.",
        ),
    ),
    Slip(
        _otherwise(hidden=_softmax),
        Text(
            "softmax is applied to the hidden layer; it belongs to the output alone, and ReLU here.",
            "softmax est appliqué à la couche cachée ; sa place est à la sortie seulement, et ReLU ici.",
        ),
    ),
    Slip(_otherwise(output=lambda Z: _softmax(lessons.relu(Z))), _OUTPUT_RELU),
    Slip(_otherwise(output=lessons.relu), _OUTPUT_RELU),
    Slip(
        _otherwise(output=lambda Z: Z),
        Text("these are the scores: apply softmax at the end.", "ce sont les scores : applique softmax à la fin."),
    ),
    Slip(
        _otherwise(output=lambda Z: _softmax(Z.T).T),
        Text(
            "softmax goes over the wrong axis: the *rows* must have the sum 1, one row for each image.",
            "softmax va sur le mauvais axe : ce sont les *lignes* qui doivent avoir la somme 1, une ligne par image.",
        ),
    ),
    Slip(
        _otherwise(output=lambda Z: _e(Z) / _e(Z).sum()),
        Text(
            "the probabilities of the whole batch have the sum 1, and it should be those of each row: `axis=1, keepdims=True` in softmax.",
            "ce sont les probabilités de tout le lot qui ont la somme 1, et ce devrait être celles de chaque ligne : `axis=1, keepdims=True` dans softmax.",
        ),
    ),
    Slip(
        _otherwise(output=lambda Z: _softmax(_softmax(Z))),
        Text("softmax is applied twice.", "softmax est appliqué deux fois."),
    ),
    Slip(
        _otherwise(without=("b1", "b2")),
        Text("both biases are forgotten.", "les deux biais sont oubliés."),
    ),
    Slip(_otherwise(without=("b1",)), _one_bias("b1")),
    Slip(_otherwise(without=("b2",)), _one_bias("b2")),
]

_SQUARE_SLIPS = [
    Slip(
        _otherwise(transposed=True),
        Text(
            "the weights are transposed; `W1` is (n_in, n_hidden) already: `X @ W1`, without `.T`.",
            "les poids sont transposés ; `W1` est déjà (n_in, n_hidden) : `X @ W1`, sans `.T`.",
        ),
    ),
    *_FORWARD_SLIPS,
]


def forward_propagation(f: Any = None) -> Verdict:
    """f(X, parameters) = A2, cache, as `pasapas.lessons.forward_propagation`: values, and what is kept of them."""
    result, verdict = call(f, _SQUARE_PASSES[0])
    if verdict is not None:
        return verdict
    if isinstance(result, tuple) and any(map(is_missing, result)):
        return unanswered()
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], Mapping):
        return wrong(
            Text(
                "return two things, `A2, cache`: an array and a dictionary.",
                "renvoie deux choses, `A2, cache` : un tableau et un dictionnaire.",
            )
        )
    absent = [name for name in _CACHE if name not in result[1]]
    if absent:
        return wrong(
            Text(
                "`{names}` is not in the cache: the backward pass will look for it there.",
                "`{names}` n’est pas dans le cache : la passe arrière l’y cherchera.",
            ).show(names="`, `".join(absent))
        )

    def flat(X: Floats, parameters: Mapping[str, Floats]) -> tuple[Any, ...]:
        return _in_order(f(X, parameters))

    names = ("A2", *(f'cache["{name}"]' for name in _CACHE))
    for inputs, slips in ((_SQUARE_PASSES, _SQUARE_SLIPS), (_PASSES, _FORWARD_SLIPS)):
        verdict = same_function(flat, _forward, inputs, slips, names=names)
        if not verdict.ok:
            return verdict
    if not same_function(flat, _forward, [_LARGE_PASS], names=names).ok:
        return wrong(
            Text(
                "right for small scores, but with scores of 1000 softmax overflows: use that of exercise 2.2, or `pasapas.softmax`.",
                "juste pour de petits scores, mais avec des scores de 1000, softmax déborde : prends celui de l’exercice 2.2, ou `pasapas.softmax`.",
            )
        )
    return right()


# 2.4 -----------------------------------------------------------------------------------------------------------------

_ROWS = [_softmax(_RANDOM.normal(size=(m, n)) * 2) for m, n in ((4, 4), (7, 10), (5, 3))]
# of each set, some labels are the answer, and some are not; class 0 is there too
_TRUE = [np.where(np.arange(len(P)) % 3 == 0, (P.argmax(axis=1) + 1) % P.shape[1], P.argmax(axis=1)) for P in _ROWS]


def _predict(P: Floats) -> Integers:
    answers: Integers = np.argmax(P, axis=1)
    return answers


def _accuracy(P: Floats, y: Integers) -> float:
    return float(np.mean(_predict(P) == y))


_PREDICT_SLIPS = [
    Slip(
        lambda P: np.argmax(P, axis=0),
        Text(
            "this is the best image for each class; the best class of each image is along the row, `axis=1`.",
            "c’est la meilleure image pour chaque classe ; la meilleure classe de chaque image est le long de la ligne, `axis=1`.",
        ),
    ),
    Slip(
        np.argmax,
        Text(
            "without an axis `np.argmax` gives one number for the whole array: add `axis=1`.",
            "sans axe, `np.argmax` donne un seul nombre pour tout le tableau : ajoute `axis=1`.",
        ),
    ),
    Slip(
        lambda P: P.max(axis=1),
        Text(
            "this is the largest probability; its *place* is asked for: `argmax`.",
            "c’est la plus grande probabilité ; on demande sa *place* : `argmax`.",
        ),
    ),
    Slip(
        lambda P: np.argmin(P, axis=1),
        Text("this is the least probable class.", "c’est la classe la moins probable."),
    ),
    Slip(
        lambda P: P.max(axis=1, keepdims=True) == P,
        Text(
            "this marks the class in each row; its number is asked for, of shape `(m,)`: `argmax`.",
            "cela marque la classe dans chaque ligne ; on demande son numéro, de forme `(m,)` : `argmax`.",
        ),
    ),
    Slip(
        lambda P: np.argmax(P, axis=1, keepdims=True),
        Text(
            "the answers stand in a column, `(m, 1)`; compared with labels `(m,)` they would give a table `(m, m)`. Leave out `keepdims`.",
            "les réponses sont en colonne, `(m, 1)` ; comparées à des étiquettes `(m,)`, elles donneraient un tableau `(m, m)`. Enlève `keepdims`.",
        ),
    ),
]

_ACCURACY_SLIPS = [
    Slip(
        lambda P, y: 100 * _accuracy(P, y),
        Text(
            "this is in percent; a share from 0 to 1 is asked for.",
            "c’est en pour cent ; on demande une part entre 0 et 1.",
        ),
    ),
    Slip(
        lambda P, y: np.sum(_predict(P) == y),
        Text(
            "this is the number of right answers; divide it by the number of images.",
            "c’est le nombre de réponses justes ; divise-le par le nombre d’images.",
        ),
    ),
    Slip(
        lambda P, y: np.sum(_predict(P) == y) / P.shape[1],
        Text(
            "this divides by the number of classes; divide by the number of images, `len(y)`.",
            "cela divise par le nombre de classes ; divise par le nombre d’images, `len(y)`.",
        ),
    ),
    Slip(
        lambda P, y: 1 - _accuracy(P, y),
        Text("this is the share of *wrong* answers.", "c’est la part de réponses *fausses*."),
    ),
    Slip(
        lambda P, y: _predict(P) == y,
        Text(
            "this says which answers are right; take the mean.",
            "cela dit quelles réponses sont justes ; prends la moyenne.",
        ),
    ),
    Slip(
        lambda P, y: np.mean(P[np.arange(len(y)), y]),
        Text(
            "this is the mean probability of the right class; the accuracy counts answers, right or wrong.",
            "c’est la probabilité moyenne de la bonne classe ; l’exactitude compte des réponses, justes ou fausses.",
        ),
    ),
]


def answers(predict: Any = None, accuracy: Any = None) -> Verdict:
    """predict(P): the most probable class of each row, (m,); accuracy(P, y): the share of right answers."""
    if is_missing(accuracy) and not is_missing(predict):
        return unanswered()
    verdict = same_function(predict, _predict, [(P,) for P in _ROWS], _PREDICT_SLIPS)
    if not verdict.ok:
        return said_of("predict", verdict)
    pairs = list(zip(_ROWS, _TRUE, strict=True))
    return said_of("accuracy", same_function(accuracy, _accuracy, pairs, _ACCURACY_SLIPS))


# 2.5 -----------------------------------------------------------------------------------------------------------------

_ENDS = [(np.array([[1000.0, 0.0, -1000.0], [0.0, 0.0, 0.0]]),), (np.array([[-1000.0, -1001.0]]),)]


def _log_softmax(Z: Floats) -> Floats:
    log_P: Floats = losses.log_softmax(Z)
    return log_P


def _rounded(Z: Floats) -> Floats:
    """−inf where the probability has been rounded to 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(_softmax(Z)))


_LOG_SLIPS = [
    Slip(
        _softmax,
        Text(
            "this is softmax itself; its logarithm is asked for.", "c’est softmax lui-même ; on demande son logarithme."
        ),
    ),
    Slip(
        lambda Z: Z - Z.max(axis=1, keepdims=True),
        Text(
            "these are the shifted scores; the logarithm of the sum of their exponentials is still to be subtracted.",
            "ce sont les scores décalés ; il reste à soustraire le logarithme de la somme de leurs exponentielles.",
        ),
    ),
    Slip(
        lambda Z: Z - np.log(_e(Z - Z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)),
        Text(
            "the maximum is subtracted inside the sum, but not from the first term: use the shifted scores in both places.",
            "le maximum est soustrait dans la somme, mais pas dans le premier terme : sers-toi des scores décalés aux deux endroits.",
        ),
    ),
    Slip(
        lambda Z: Z - _e(Z).sum(axis=1, keepdims=True),
        Text(
            "the logarithm of the sum is missing: log(a / b) = log a − log b.",
            "il manque le logarithme de la somme : log(a / b) = log a − log b.",
        ),
    ),
    Slip(
        lambda Z: -_log_softmax(Z),
        Text(
            "the sign is wrong: the logarithm of a probability is never positive.",
            "le signe est faux : le logarithme d’une probabilité n’est jamais positif.",
        ),
    ),
    Slip(
        lambda Z: Z - np.log(_e(Z).sum()),
        Text(
            "the sum is that of the whole array; each row needs one of its own: `axis=1, keepdims=True`.",
            "la somme est celle de tout le tableau ; chaque ligne a besoin de la sienne : `axis=1, keepdims=True`.",
        ),
    ),
    Slip(
        lambda Z: Z - np.log(_e(Z).sum(axis=0)),
        Text(
            "the sums are those of the columns; they should be those of the rows: `axis=1`.",
            "les sommes sont celles des colonnes ; ce devrait être celles des lignes : `axis=1`.",
        ),
    ),
    Slip(
        lambda Z: Z - np.log(_e(Z).sum(axis=1)),
        Text(
            "the sums have the shape (m,), which NumPy aligns with the *columns*: add `keepdims=True`.",
            "les sommes ont la forme (m,), que NumPy aligne avec les *colonnes* : ajoute `keepdims=True`.",
        ),
    ),
    Slip(
        lambda Z: np.log2(_softmax(Z)),
        Text("this is the logarithm in base 2: take `np.log`.", "c’est le logarithme en base 2 : prends `np.log`."),
    ),
]


def log_softmax(f: Any = None) -> Verdict:
    """f(Z): the logarithm of the softmax of each row, finite also for scores of ±1000."""
    for inputs in (_SCORES, _OTHER_SCORES):
        verdict = same_function(f, _log_softmax, inputs, _LOG_SLIPS, names=("log P",))
        if not verdict.ok:
            return verdict
    if all(_right_when(f, one, _log_softmax) for one in _ENDS):
        return right(
            Text(
                "right, and finite whatever the scores: the loss of lesson 3 is computed like this.",
                "juste, et fini quels que soient les scores : c’est ainsi que se calcule la perte de la leçon 3.",
            )
        )
    if _right_when(f, _ENDS[0], _rounded):
        return wrong(
            Text(
                "right for small scores, but with 1000, 0, −1000 it gives −inf: `p` is rounded to 0 before the logarithm. Take log(a / b) = log a − log b *before* you compute any p.",
                "juste pour de petits scores, mais avec 1000, 0, −1000 on trouve −inf : `p` est arrondi à 0 avant le logarithme. Prends log(a / b) = log a − log b *avant* de calculer le moindre p.",
            )
        )
    if all(_finite(f, one) for one in _ENDS):
        return wrong(
            Text(
                "right for small scores, but with 1000, 0, −1000 it gives a finite number that is not the logarithm: a bound (`+ 1e-12`, `np.clip`) takes the place of a `p` that is rounded to 0. Take log(a / b) = log a − log b *before* you compute any p.",
                "juste pour de petits scores, mais avec 1000, 0, −1000 on trouve un nombre fini qui n’est pas le logarithme : une borne (`+ 1e-12`, `np.clip`) remplace un `p` arrondi à 0. Prends log(a / b) = log a − log b *avant* de calculer le moindre p.",
            )
        )
    return wrong(
        Text(
            "right for small scores, but not for ±1000, where an exponential overflows, or all of them become 0: subtract the maximum of each row first.",
            "juste pour de petits scores, mais pas pour ±1000, où une exponentielle déborde, ou bien toutes deviennent 0 : soustrais d’abord le maximum de chaque ligne.",
        )
    )


EXERCISES = (
    Exercise(
        relu,
        (
            Text(
                "max(0, z) for every entry: NumPy has a function that compares entry by entry.",
                "max(0, z) pour chaque terme : NumPy a une fonction qui compare terme à terme.",
            ),
            Text(
                "It is `np.maximum`; `np.max` is another thing, the largest number of an array.",
                "C’est `np.maximum` ; `np.max` est autre chose, le plus grand nombre d’un tableau.",
            ),
        ),
    ),
    Exercise(
        softmax,
        (
            Text(
                "`Z.max(axis=1, keepdims=True)` has the shape (m, 1): subtracted from Z, it takes from each row its own maximum.",
                "`Z.max(axis=1, keepdims=True)` a la forme (m, 1) : soustrait de Z, il retire à chaque ligne son propre maximum.",
            ),
            Text(
                "Compute the exponentials once, in a variable, then divide them by their sum along the rows.",
                "Calcule les exponentielles une fois, dans une variable, puis divise-les par leur somme le long des lignes.",
            ),
            Text(
                "`e = np.exp(...)`, then `e / e.sum(axis=1, keepdims=True)`.",
                "`e = np.exp(...)`, puis `e / e.sum(axis=1, keepdims=True)`.",
            ),
        ),
    ),
    Exercise(
        forward_propagation,
        (
            Text(
                "The four lines are at the beginning of section 4; here the weights come from `parameters`.",
                "Les quatre lignes sont au début de la section 4 ; ici, les poids viennent de `parameters`.",
            ),
            Text(
                '`Z1 = X @ parameters["W1"] + parameters["b1"]`, then ReLU; the second layer takes A1, not X.',
                '`Z1 = X @ parameters["W1"] + parameters["b1"]`, puis ReLU ; la deuxième couche prend A1, et non X.',
            ),
            Text(
                "At the end `A2 = pasapas.softmax(Z2)`, then the dictionary with the four names, and `return A2, cache`.",
                "À la fin `A2 = pasapas.softmax(Z2)`, puis le dictionnaire avec les quatre noms, et `return A2, cache`.",
            ),
        ),
    ),
    Exercise(
        answers,
        (
            Text(
                "`np.argmax(P, axis=1)` gives, for each row, the place of its largest number.",
                "`np.argmax(P, axis=1)` donne, pour chaque ligne, la place de son plus grand nombre.",
            ),
            Text(
                "`predict(P) == y` is an array of trues and falses; the mean of such an array is the share of trues.",
                "`predict(P) == y` est un tableau de vrais et de faux ; la moyenne d’un tel tableau est la part de vrais.",
            ),
        ),
    ),
    Exercise(
        log_softmax,
        (
            Text("log(a / b) = log a − log b, and log eᶻ = z.", "log(a / b) = log a − log b, et log eᶻ = z."),
            Text(
                "So log p is z minus the logarithm of the sum of the exponentials: one exponential is left, in the sum.",
                "log p est donc z moins le logarithme de la somme des exponentielles : il ne reste d’exponentielle que dans la somme.",
            ),
            Text(
                "Subtract the maximum of the row from Z first, and use these shifted scores in both terms.",
                "Soustrais d’abord à Z le maximum de la ligne, et sers-toi de ces scores décalés dans les deux termes.",
            ),
        ),
    ),
)

"""Exercises of lesson 4: a layer of one's own, mini-batches, early stopping, the confusion matrix, the temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas import metrics
from pasapas.checking import gradient_check
from pasapas.course.judging import Exercise, Slip, call, is_missing, right, said_of, same_function, unanswered, wrong
from pasapas.course.verdict import Verdict
from pasapas.doctor.mistake import Text
from pasapas.i18n import number
from pasapas.layers import Dense, Sigmoid
from pasapas.losses import log_softmax
from pasapas.network import Network

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# 4.1 -----------------------------------------------------------------------------------------------------------------

_X = np.array([[-2.0, -0.5, 0.0], [0.3, 1.0, 2.5]])
_dY = np.array([[0.2, -0.7, 1.1], [0.5, -0.3, 0.9]])
_LARGE = np.array([[1000.0, -1000.0]])


def _softplus(X: Floats) -> Floats:
    Y: Floats = np.logaddexp(0, X)
    return Y


def _sigmoid(X: Floats) -> Floats:
    Y: Floats = Sigmoid().forward({}, X)
    return Y


def own_layer(layer: Any = None) -> Verdict:
    """A layer for log(1 + eˣ), an object with the three methods of a layer: each is tried alone, then all in a network."""
    if is_missing(layer):
        return unanswered()
    if isinstance(layer, type):
        return wrong(
            Text(
                "hand over a layer, not its class: `Softplus()`, with parentheses.",
                "donne une couche et non sa classe : `Softplus()`, avec les parenthèses.",
            )
        )
    for name in ("forward", "parameter_gradients", "input_gradient"):
        if not callable(getattr(layer, name, None)):
            return wrong(
                Text(
                    "a layer has three methods, and `{name}` is missing.",
                    "une couche a trois méthodes, et `{name}` manque.",
                ).show(name=name)
            )
    for judge in (_forward, _parameter_gradients, _input_gradient):
        verdict = judge(layer)
        if not verdict.ok:
            return verdict
    network = Network((Dense(5, 4), layer, Dense(4, 3)))
    params = network.initialize(seed=1, dtype="float64")
    checked = gradient_check(network, params, np.random.default_rng(0).normal(size=(6, 5)), np.arange(6) % 3)
    if not checked.ok:
        return Verdict("wrong", str(Text("not yet.", "pas encore.")), checked)
    message = Text(
        "right. The gradient check of a 5-4-3 network with your layer in the middle:",
        "juste. La vérification du gradient d’un réseau 5-4-3 avec ta couche au milieu :",
    )
    return Verdict("right", str(message), checked)


def _forward(layer: Any) -> Verdict:
    """Y = log(1 + eˣ), also where eˣ overflows."""
    slips = [
        Slip(
            lambda X: _softplus(-X),
            Text("the sign in the exponential is wrong.", "le signe dans l’exponentielle est faux."),
        ),
        Slip(
            _sigmoid,
            Text(
                "this is 1 / (1 + e⁻ˣ), the derivative; the layer itself gives log(1 + eˣ).",
                "c’est 1 / (1 + e⁻ˣ), la dérivée ; la couche elle-même donne log(1 + eˣ).",
            ),
        ),
        Slip(
            lambda X: np.maximum(X, 0),
            Text("this is ReLU; Softplus is log(1 + eˣ).", "c’est ReLU ; Softplus est log(1 + eˣ)."),
        ),
    ]

    def forward(X: Floats) -> Any:
        return layer.forward({}, X)

    verdict = same_function(forward, _softplus, [(_X,), (3 * _X.T,)], slips, names=("Y",))
    if verdict.ok and not same_function(forward, _softplus, [(_LARGE,)]).ok:
        verdict = wrong(
            Text(
                "right for small sums, but not for 1000, where e¹⁰⁰⁰ overflows: `np.logaddexp(0, X)` is the same formula without it.",
                "juste pour de petites sommes, mais pas pour 1000, où e¹⁰⁰⁰ déborde : `np.logaddexp(0, X)` est la même formule, sans ce défaut.",
            )
        )
    return said_of("forward", verdict)


def _parameter_gradients(layer: Any) -> Verdict:
    """An empty dictionary: nothing is learned here."""
    found, verdict = call(lambda X, Y, dY: layer.parameter_gradients({}, X, Y, dY), (_X, _softplus(_X), _dY))
    if verdict is None:
        verdict = right()
        if not isinstance(found, Mapping) or found:
            verdict = wrong(
                Text(
                    "return an empty dictionary: this layer has nothing to learn.",
                    "renvoie un dictionnaire vide : cette couche n’a rien à apprendre.",
                )
            )
    return said_of("parameter_gradients", verdict)


def _input_gradient(layer: Any) -> Verdict:
    """dX = dY / (1 + e⁻ˣ), also where an exponential overflows."""
    slips = [
        Slip(
            lambda X, dY: _sigmoid(X),
            Text(
                "the derivative is right, but it is alone: by the chain rule it multiplies `dY`.",
                "la dérivée est juste, mais elle est seule : par la règle de la chaîne, elle multiplie `dY`.",
            ),
        ),
        Slip(
            lambda X, dY: dY,
            Text(
                "`dY` goes through unchanged; it must be multiplied by the derivative.",
                "`dY` passe sans changer ; il faut le multiplier par la dérivée.",
            ),
        ),
        Slip(
            lambda X, dY: dY * _sigmoid(_softplus(X)),
            Text(
                "the derivative is taken at `Y`, what the layer gave; take it at `X`, what it received.",
                "la dérivée est prise en `Y`, ce que la couche a donné ; prends-la en `X`, ce qu’elle a reçu.",
            ),
        ),
        Slip(
            lambda X, dY: dY * (X > 0),
            Text(
                "this is the derivative of ReLU; that of log(1 + eˣ) has no jump.",
                "c’est la dérivée de ReLU ; celle de log(1 + eˣ) n’a pas de saut.",
            ),
        ),
        Slip(
            lambda X, dY: dY * _sigmoid(-X),
            Text(
                "the sign in the exponential is wrong: for a large sum the slope is 1, not 0.",
                "le signe dans l’exponentielle est faux : pour une grande somme, la pente est 1 et non 0.",
            ),
        ),
        Slip(
            lambda X, dY: dY * _softplus(X),
            Text(
                "`dY` is multiplied by the layer's value; multiply it by its derivative.",
                "`dY` est multiplié par la valeur de la couche ; multiplie-le par sa dérivée.",
            ),
        ),
        Slip(
            lambda X, dY: dY * _sigmoid(X) / len(X),
            Text(
                "no division by m here: it happened once already, in the gradient of the loss.",
                "pas de division par m ici : elle a déjà eu lieu une fois, dans le gradient de la perte.",
            ),
        ),
    ]

    def input_gradient(X: Floats, dY: Floats) -> Any:
        return layer.input_gradient({}, X, layer.forward({}, X), dY)

    def reference(X: Floats, dY: Floats) -> Floats:
        return dY * _sigmoid(X)

    inputs = [(_X, _dY), (2 * _X[:, :2] + 0.1, _dY[:, 1:])]
    verdict = same_function(input_gradient, reference, inputs, slips, names=("dX",))
    if verdict.ok and not same_function(input_gradient, reference, [(_LARGE, np.ones((1, 2)))]).ok:
        verdict = wrong(
            Text(
                "right for small sums, but not for 1000 and −1000, where an exponential overflows: write it as `1 / (1 + np.exp(-X))`.",
                "juste pour de petites sommes, mais pas pour 1000 et −1000, où une exponentielle déborde : écris `1 / (1 + np.exp(-X))`.",
            )
        )
    return said_of("input_gradient", verdict)


# 4.2 -----------------------------------------------------------------------------------------------------------------


def mini_batches(f: Any = None) -> Verdict:
    """f(m, batch_size, random) gives the index arrays of an epoch: each of m images once, shuffled, the last batch smaller."""
    if is_missing(f) or not callable(f):
        return call(f, ())[1] or unanswered()

    def epoch(m: int, batch_size: int, seed: int) -> tuple[list[Integers] | None, Verdict | None]:
        def listed(random: np.random.Generator) -> Any:
            batches = f(m, batch_size, random)
            return batches if is_missing(batches) else [np.asarray(batch) for batch in batches]

        return call(listed, (np.random.default_rng(seed),))

    for m, batch_size in ((100, 32), (60, 20), (7, 10)):
        batches, verdict = epoch(m, batch_size, 0)
        if batches is None:
            return verdict or unanswered()
        told = _not_batches(batches, m, batch_size)
        if told is not None:
            return wrong(told)

    first, again, other = (np.concatenate(epoch(100, 32, seed)[0] or [np.arange(100)]) for seed in (0, 0, 1))
    if not np.array_equal(first, again):
        return wrong(
            Text(
                "two epochs with the same `random` differ: draw from `random` alone, so that a run can be repeated.",
                "deux époques avec le même `random` diffèrent : ne tire que de `random`, pour qu’un essai puisse être répété.",
            )
        )
    if np.array_equal(first, other):
        return wrong(
            Text(
                "every epoch has the same order, whatever `random` is: draw from the `random` that you are given.",
                "toutes les époques ont le même ordre, quel que soit `random` : tire du `random` que tu reçois.",
            )
        )
    return right(
        Text(
            "right. Each image comes once, in an order that is new each time.",
            "juste. Chaque image vient une fois, dans un ordre nouveau à chaque fois.",
        )
    )


def _not_batches(batches: Sequence[Integers], m: int, batch_size: int) -> str | None:
    """What is wrong with the index arrays of one epoch, or None."""
    about = {"m": m, "batch_size": batch_size}
    if any(batch.ndim != 1 or batch.dtype.kind not in "iu" for batch in batches):
        return Text(
            "each batch should be an array of indices, of shape (n,) and whole numbers, such as a piece of `random.permutation(m)`.",
            "chaque lot doit être un tableau d’indices entiers, de forme (n,), tel un morceau de `random.permutation(m)`.",
        ).show()
    sizes = [len(batch) for batch in batches]
    indices = np.concatenate(batches) if batches else np.array([], int)
    due = [min(batch_size, m - start) for start in range(0, m, batch_size)]
    if indices.size and (indices.min() < 0 or indices.max() >= m):
        return Text(
            "there are indices from {low} to {high}; {m} images have the indices 0 to {last}.",
            "il y a des indices de {low} à {high} ; {m} images ont les indices 0 à {last}.",
        ).show(low=indices.min(), high=indices.max(), last=m - 1, **about)
    if len(np.unique(indices)) < len(indices):
        most = int(np.bincount(indices).max())
        if sizes == [batch_size] * len(due) and len(np.unique(indices)) == m:
            return Text(
                "the last batch is filled up with images that had their turn: with m = {m} it should have {n} of them.",
                "le dernier lot est complété par des images déjà passées : avec m = {m}, il doit en avoir {n}.",
            ).show(n=due[-1], **about)
        return Text(
            "an image comes {most} times in one epoch, and others not at all: that is drawing with replacement. Shuffle all indices once, then cut.",
            "une image vient {most} fois dans une époque, et d’autres jamais : c’est un tirage avec remise. Mélange une fois tous les indices, puis découpe.",
        ).show(most=most)
    if len(indices) < m:
        if sizes == [batch_size] * (m // batch_size):
            return Text(
                "with m = {m} and batch_size = {batch_size} the last images are lost: {n} never come. The last batch may be smaller.",
                "avec m = {m} et batch_size = {batch_size}, les dernières images sont perdues : {n} ne viennent jamais. Le dernier lot peut être plus petit.",
            ).show(n=m - len(indices), **about)
        return Text(
            "with m = {m} and batch_size = {batch_size}, {n} images never come.",
            "avec m = {m} et batch_size = {batch_size}, {n} images ne viennent jamais.",
        ).show(n=m - len(indices), **about)
    if 0 in sizes:
        return Text(
            "with m = {m} and batch_size = {batch_size} one batch is empty: a mean over no images does not exist.",
            "avec m = {m} et batch_size = {batch_size}, un lot est vide : une moyenne sur aucune image n’existe pas.",
        ).show(**about)
    if sizes != due:
        return Text(
            "with m = {m} and batch_size = {batch_size} the batches have {sizes} images; they should have {due}.",
            "avec m = {m} et batch_size = {batch_size}, les lots ont {sizes} images ; ils doivent en avoir {due}.",
        ).show(sizes=", ".join(map(str, sizes)), due=", ".join(map(str, due)), **about)
    if np.array_equal(indices, np.arange(m)):
        return Text(
            "each image comes once, but in the order of the file: shuffle.",
            "chaque image vient une fois, mais dans l’ordre du fichier : mélange.",
        ).show()
    neighbours = (np.array_equal(np.sort(batch), np.arange(batch.min(), batch.max() + 1)) for batch in batches)
    if len(batches) > 1 and all(neighbours):
        return Text(
            "the same images always stay together: neighbours in the file. Shuffle before you cut, not after.",
            "les mêmes images restent toujours ensemble : des voisines dans le fichier. Mélange avant de découper, pas après.",
        ).show()
    return None


# 4.3 -----------------------------------------------------------------------------------------------------------------


def _epoch_to_keep(losses: Sequence[float], patience: int) -> tuple[int, int]:
    """The epoch with the lowest loss before training stops, and the epoch after which it stops, both from 1."""
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss < losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return best, epoch
    return best, len(losses)


def _since_the_previous(losses: Sequence[float], patience: int) -> int:
    """The mistake of counting epochs that are worse than the one before, not than the best."""
    worse, best = 0, 1
    for epoch in range(2, len(losses) + 1):
        worse = worse + 1 if losses[epoch - 1] >= losses[epoch - 2] else 0
        best = epoch if losses[epoch - 1] < losses[best - 1] else best
        if worse >= patience:
            break
    return best


def _ties_are_better(losses: Sequence[float], patience: int) -> int:
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss <= losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            break
    return best


_LOSSES = (
    ([0.50, 0.40, 0.45, 0.41, 0.39, 0.42, 0.43, 0.44, 0.30], 3),
    ([0.50, 0.40, 0.45, 0.41, 0.39, 0.42, 0.43, 0.44, 0.30], 2),
    ([0.50, 0.40, 0.45, 0.41, 0.39, 0.42, 0.43, 0.44, 0.30], 4),
    ([0.90, 0.80, 0.70, 0.60], 2),
    ([0.50, 0.40, 0.40, 0.40, 0.30], 2),
    ([0.60, 0.50, 0.55, 0.52, 0.53, 0.40], 3),
    ([0.60, 0.50, 0.55, 0.52, 0.54, 0.51, 0.40], 3),
    ([0.90, 0.80, 0.85, 0.86, 0.70, 0.75], 2),
    ([0.70], 5),
)


def early_stopping(f: Any = None) -> Verdict:
    """f(losses, patience) is the epoch, from 1, whose weights to keep: the best before `patience` epochs without a better one."""
    slips = [
        Slip(
            lambda losses, patience: _epoch_to_keep(losses, patience)[0] - 1,
            Text(
                "one too low: epochs count from 1, Python's indices from 0.",
                "un de trop peu : les époques se comptent à partir de 1, les indices de Python à partir de 0.",
            ),
        ),
        Slip(
            lambda losses, patience: _epoch_to_keep(losses, patience)[1],
            Text(
                "this is the epoch at which training stops; keep the best one, `patience` epochs earlier.",
                "c’est l’époque où l’entraînement s’arrête ; garde la meilleure, `patience` époques plus tôt.",
            ),
        ),
        Slip(
            lambda losses, patience: int(np.argmin(losses)) + 1,
            Text(
                "this is the best of all epochs; but training stopped before the last ones, and never saw them.",
                "c’est la meilleure de toutes les époques ; mais l’entraînement s’est arrêté avant les dernières, et ne les a jamais vues.",
            ),
        ),
        Slip(
            lambda losses, patience: _epoch_to_keep(losses, patience + 1)[0],
            Text(
                "your training waits one epoch too long: stop when `patience` epochs have passed since the best one.",
                "ton entraînement attend une époque de trop : arrête quand `patience` époques ont passé depuis la meilleure.",
            ),
        ),
        Slip(
            lambda losses, patience: _epoch_to_keep(losses, patience - 1)[0],
            Text(
                "your training stops one epoch too early: `patience` epochs without a better one are allowed.",
                "ton entraînement s’arrête une époque trop tôt : il doit attendre `patience` époques sans amélioration.",
            ),
        ),
        Slip(
            _since_the_previous,
            Text(
                "compare each epoch with the best so far, not with the one before it.",
                "compare chaque époque avec la meilleure jusque-là, non avec la précédente.",
            ),
        ),
        Slip(
            _ties_are_better,
            Text(
                "an equal loss is no better one: compare with `<`, not with `<=`.",
                "une perte égale n’est pas meilleure : compare avec `<` et non avec `<=`.",
            ),
        ),
    ]
    verdict = same_function(f, lambda losses, patience: _epoch_to_keep(losses, patience)[0], _LOSSES, slips)
    if verdict.ok:
        return right(
            Text(
                'right. `pasapas.fit(…, patience=…, keep="best")` does just this.',
                'juste. `pasapas.fit(…, patience=…, keep="best")` fait exactement cela.',
            )
        )
    if verdict.status == "unanswered" or any(str(slip.text) == verdict.message for slip in slips):
        return verdict
    for losses, patience in _LOSSES:
        got, stopped = call(f, (losses, patience))
        if stopped is not None:
            return stopped
        due = _epoch_to_keep(losses, patience)[0]
        if not isinstance(got, (int, np.integer)) or isinstance(got, bool):
            break
        if got != due:
            return wrong(
                Text(
                    "for the losses {losses} and a patience of {patience}, epoch {due} is to be kept, not {got}.",
                    "pour les pertes {losses} et une patience de {patience}, il faut garder l’époque {due} et non {got}.",
                ).show(losses=" · ".join(number(L, 2) for L in losses), patience=patience, due=due, got=got)
            )
    return wrong(Text("return the number of an epoch, such as 5.", "renvoie le numéro d’une époque, comme 5."))


# 4.4 -----------------------------------------------------------------------------------------------------------------

_random = np.random.default_rng(4)
_TRUE = _random.integers(0, 10, 300)
_ANSWERS = np.where(_random.random(300) < 0.7, _TRUE, (3 * _TRUE + 1) % 10)
_CASES = ((_TRUE, _ANSWERS), (np.array([3, 3, 3, 5, 5, 0]), np.array([3, 3, 5, 5, 3, 2])))


def _counts(labels: Integers, predicted: Integers) -> Integers:
    return metrics.confusion_matrix(labels, predicted, 10)


def _shares(C: Integers, axis: int | None) -> Floats:
    totals = C.sum(axis=axis, keepdims=True)
    shares: Floats = np.divide(C, totals, out=np.zeros(C.shape), where=totals > 0)
    return shares


def confusion(f: Any = None) -> Verdict:
    """f(labels, predicted) is C (10, 10): C[i, j] images of the digit i were taken for j."""
    divided = Text(
        "these are shares; the confusion matrix holds counts of images.",
        "ce sont des proportions ; la matrice de confusion contient des nombres d’images.",
    )

    slips = [
        Slip(
            lambda y, p: _counts(y, p).T,
            Text(
                "rows and columns are exchanged: the true digit `i` is the row, the answer `j` the column.",
                "lignes et colonnes sont échangées : le vrai chiffre `i` est la ligne, la réponse `j` la colonne.",
            ),
        ),
        Slip(
            lambda y, p: np.minimum(_counts(y, p), 1),
            Text(
                "each pair is counted once at most: `C[labels, predicted] += 1` adds 1 once to an entry that comes several times. Use `np.add.at`, or a loop.",
                "chaque couple est compté une fois au plus : `C[labels, predicted] += 1` n’ajoute 1 qu’une fois à une case qui revient. Prends `np.add.at`, ou une boucle.",
            ),
        ),
        Slip(
            lambda y, p: _counts(y, p) * (1 - np.eye(10, dtype=int)),
            Text(
                "the diagonal is missing: right answers are counted as well.",
                "la diagonale manque : les bonnes réponses se comptent aussi.",
            ),
        ),
        *(Slip(lambda y, p, axis=axis: _shares(_counts(y, p), axis), divided) for axis in (0, 1, None)),
        *(
            Slip(lambda y, p, axis=axis: _counts(y, p) / _counts(y, p).sum(axis, keepdims=True), divided)
            for axis in (0, 1)
        ),
    ]
    verdict = same_function(f, _counts, _CASES, slips, names=("C",))
    if not verdict.ok:
        return verdict
    return right(
        Text(
            "right. Its diagonal, divided by the sum of its rows, is the recall; by that of its columns, the precision.",
            "juste. Sa diagonale, divisée par la somme de ses lignes, donne le rappel ; par celle de ses colonnes, la précision.",
        )
    )


# 4.5 -----------------------------------------------------------------------------------------------------------------


def _scores(sharpness: float, seed: int) -> tuple[Floats, Integers]:
    """Scores (400, 10) and labels (400,) that were drawn with the probabilities of the scores / sharpness."""
    random = np.random.default_rng(seed)
    Z = random.normal(size=(400, 10)) * 2.5
    P = np.exp(log_softmax(Z))
    labels = (P.cumsum(axis=1) < random.random((400, 1))).sum(axis=1).clip(max=9)
    return Z * sharpness, labels


_SETS = (_scores(1.8, 0), _scores(0.7, 1), _scores(1.3, 2))


def _loss(Z: Floats, labels: Integers, T: float) -> float:
    return metrics.cross_entropy(log_softmax(Z / T), labels)


def best_temperature(f: Any = None) -> Verdict:
    """f(Z, labels) is the T > 0 for which softmax(Z / T) has the least cross-entropy."""
    answers = []
    for Z, labels in _SETS:
        T, verdict = call(f, (Z, labels))
        if verdict is not None:
            return verdict
        try:
            value = float(T)
        except (TypeError, ValueError):
            value = np.nan
        if not 0 < value < np.inf:
            return wrong(
                Text(
                    "return one number `T` > 0, not `{got}`.",
                    "renvoie un nombre `T` > 0, et non `{got}`.",
                ).show(got=str(T)[:40])
            )
        answers.append(value)
    best = [metrics.temperature(Z, labels) for Z, labels in _SETS]
    if all(abs(T / due - 1) < 0.02 for T, due in zip(answers, best, strict=True)):
        return right(
            Text(
                "right. Dividing all scores by T changes no answer, only how sure it is.",
                "juste. Diviser tous les scores par T ne change aucune réponse, seulement son assurance.",
            )
        )
    if all(abs(T * due - 1) < 0.02 for T, due in zip(answers, best, strict=True)):
        return wrong(
            Text(
                "this is 1 / T: the scores are divided by T, not multiplied.",
                "c’est 1 / T : on divise les scores par T, on ne les multiplie pas.",
            )
        )
    if np.ptp(answers) < 1e-9:
        return wrong(
            Text(
                "the same T comes for quite different scores: does the loss in your function depend on T?",
                "le même T vient pour des scores tout différents : la perte, dans ta fonction, dépend-elle de T ?",
            )
        )
    twice = [metrics.temperature(np.exp(log_softmax(Z)), labels) for Z, labels in _SETS]
    if all(abs(T / due - 1) < 0.05 for T, due in zip(answers, twice, strict=True)):
        return wrong(
            Text(
                "the softmax is taken twice: divide the scores by T, not the probabilities.",
                "le softmax est appliqué deux fois : divise les scores par T, et non les probabilités.",
            )
        )
    i = int(np.argmax([abs(np.log(T / due)) for T, due in zip(answers, best, strict=True)]))
    Z, labels = _SETS[i]
    return wrong(
        Text(
            "not the minimum: with your T = {T} the loss of these scores is {L}, and with T = {due} it is {least}.",
            "ce n’est pas le minimum : avec ton T = {T}, la perte de ces scores est {L}, et avec T = {due} elle est {least}.",
        ).show(
            T=number(answers[i], 3),
            L=number(_loss(Z, labels, answers[i])),
            due=number(best[i], 3),
            least=number(_loss(Z, labels, best[i])),
        )
    )


EXERCISES = (
    Exercise(
        own_layer,
        (
            Text(
                "`forward` is one NumPy function, `np.logaddexp(0, X)`, since log(1 + eˣ) = log(e⁰ + eˣ).",
                "`forward` est une seule fonction de NumPy, `np.logaddexp(0, X)`, puisque log(1 + eˣ) = log(e⁰ + eˣ).",
            ),
            Text(
                "Differentiate log(u) with u = 1 + eˣ: u′ / u. Divide above and below by eˣ.",
                "Dérive log(u) avec u = 1 + eˣ : u′ / u. Divise en haut et en bas par eˣ.",
            ),
            Text(
                "`input_gradient` is `dY` times that derivative, 1 / (1 + e⁻ˣ), entry by entry.",
                "`input_gradient` est `dY` fois cette dérivée, 1 / (1 + e⁻ˣ), case par case.",
            ),
        ),
    ),
    Exercise(
        mini_batches,
        (
            Text(
                "`random.permutation(m)` gives the numbers 0 to m − 1 in a random order, each once.",
                "`random.permutation(m)` donne les nombres de 0 à m − 1 dans un ordre aléatoire, chacun une fois.",
            ),
            Text(
                "Cut that order in pieces: `order[start : start + batch_size]` for each `start` of `range(0, m, batch_size)`.",
                "Découpe cet ordre en morceaux : `order[start : start + batch_size]` pour chaque `start` de `range(0, m, batch_size)`.",
            ),
            Text(
                "A slice that goes past the end is shorter, without an error: the last batch takes care of itself.",
                "Une tranche qui dépasse la fin est plus courte, sans erreur : le dernier lot se règle tout seul.",
            ),
        ),
    ),
    Exercise(
        early_stopping,
        (
            Text(
                "Go through the losses from the first on, and remember the number of the best epoch so far.",
                "Parcours les pertes depuis la première, et retiens le numéro de la meilleure époque jusque-là.",
            ),
            Text(
                "After each epoch: how many have passed since the best one? From `patience` on, stop.",
                "Après chaque époque : combien ont passé depuis la meilleure ? À partir de `patience`, arrête.",
            ),
            Text(
                "`for epoch, loss in enumerate(losses, 1):` counts from 1; `return best` where `epoch - best >= patience`, and after the loop.",
                "`for epoch, loss in enumerate(losses, 1):` compte à partir de 1 ; `return best` si `epoch - best >= patience`, et après la boucle.",
            ),
        ),
    ),
    Exercise(
        confusion,
        (
            Text(
                "Begin with `C = np.zeros((10, 10), int)` and go through the pairs `zip(labels, predicted)`.",
                "Commence par `C = np.zeros((10, 10), int)` et parcours les couples `zip(labels, predicted)`.",
            ),
            Text("Each pair `i, j` adds 1 to `C[i, j]`.", "Chaque couple `i, j` ajoute 1 à `C[i, j]`."),
        ),
    ),
    Exercise(
        best_temperature,
        (
            Text(
                "For one T, the loss is `pasapas.SoftmaxCrossEntropy().value(Z / T, Y)`, with `Y` from `pasapas.lessons.one_hot_encode(labels)`.",
                "Pour un T, la perte est `pasapas.SoftmaxCrossEntropy().value(Z / T, Y)`, avec `Y` de `pasapas.lessons.one_hot_encode(labels)`.",
            ),
            Text(
                "There is one minimum alone. Try many T, such as `np.geomspace(0.1, 10, 500)`, and keep the one with the smallest loss.",
                "Il n’y a qu’un minimum. Essaie beaucoup de T, comme `np.geomspace(0.1, 10, 500)`, et garde celui de la plus petite perte.",
            ),
            Text("`min(candidates, key=loss)` does that.", "`min(candidates, key=loss)` fait cela."),
        ),
    ),
)

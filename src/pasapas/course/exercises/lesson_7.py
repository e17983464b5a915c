"""Exercises of lesson 7: momentum, Adam, L2, dropout, shifted images, a backward pass of any depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from pasapas.course.judging import (
    Exercise,
    Slip,
    by_gradient_check,
    call,
    is_missing,
    same_function,
    same_value,
    unanswered,
    wrong,
)
from pasapas.course.verdict import Verdict
from pasapas.doctor.mistake import Text
from pasapas.layers import Dropout, Params
from pasapas.losses import one_hot, softmax
from pasapas.network import backward, forward, mlp, pairs
from pasapas.optimizers import Adam, Momentum

Array = npt.NDArray[Any]


def _drawn(*shape: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


# 7.1 -----------------------------------------------------------------------------------------------------------------


def _momentum_step(W: Array, v: Array, dW: Array, learning_rate: float, beta: float) -> tuple[Array, Array]:
    params, state = Momentum(beta).update([{"W": W}], [{"W": dW}], {"velocity": [{"W": v}]}, learning_rate)
    return params[0]["W"], state["velocity"][0]["W"]


def _as(v_new: Any, move: Any) -> Any:
    """A step that keeps `v_new(v, dW, rate, beta)` and moves by `move` of the same and of the new velocity."""

    def step(W: Array, v: Array, dW: Array, rate: float, beta: float) -> tuple[Array, Array]:
        kept = v_new(v, dW, rate, beta)
        return W + move(v, dW, rate, beta, kept), kept

    return step


_MOMENTUM_SLIPS = (
    Slip(
        _as(lambda v, g, a, b: b * v + g, lambda v, g, a, b, new: a * new),
        Text(
            "the sign of the step is wrong: the loss falls against the gradient, so `W` moves by `-learning_rate * v`.",
            "le signe du pas est faux : la perte descend à l’opposé du gradient, donc `W` avance de `-learning_rate * v`.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: b * v + a * g, lambda v, g, a, b, new: -new),
        Text(
            "the learning rate is inside your velocity. That is another convention, of other programs; here `v` adds up bare gradients, and the learning rate comes in where `W` moves.",
            "le taux d’apprentissage est dans ta vitesse. C’est une autre convention, celle d’autres programmes ; ici `v` accumule les gradients nus, et le taux d’apprentissage intervient là où `W` avance.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: b * v + a * g, lambda v, g, a, b, new: -a * new),
        Text(
            "the learning rate is in twice: in the velocity and in the step. It belongs in the step alone.",
            "le taux d’apprentissage intervient deux fois : dans la vitesse et dans le pas. Sa place est dans le pas seul.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: b * v - a * g, lambda v, g, a, b, new: new),
        Text(
            "the learning rate and the sign are inside your velocity. That is another convention, of other programs; here `v` adds up bare gradients, and `W` moves by `-learning_rate * v`.",
            "le taux d’apprentissage et le signe sont dans ta vitesse. C’est une autre convention, celle d’autres programmes ; ici `v` accumule les gradients nus, et `W` avance de `-learning_rate * v`.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: v, lambda v, g, a, b, new: -a * (b * v + g)),
        Text(
            "`W` is right, but you return the old velocity: nothing is remembered for the next step. Return the new `v`.",
            "`W` est juste, mais tu renvoies l’ancienne vitesse : rien n’est gardé pour le pas suivant. Renvoie le nouveau `v`.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: g, lambda v, g, a, b, new: -a * new),
        Text(
            "your velocity is the gradient alone: that is plain descent. It should keep the share `beta` of the `v` that came in.",
            "ta vitesse n’est que le gradient : c’est la descente simple. Elle doit garder la part `beta` du `v` reçu.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: b * v + g, lambda v, g, a, b, new: -a * v),
        Text(
            "`W` moves with the old velocity. Compute the new `v` first, then use it.",
            "`W` avance avec l’ancienne vitesse. Calcule d’abord le nouveau `v`, puis sers-t’en.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: b * v + (1 - b) * g, lambda v, g, a, b, new: -a * new),
        Text(
            "you weigh the gradient with `1 - beta`, as Adam does for its means. The heavy ball adds the whole gradient.",
            "tu pèses le gradient par `1 - beta`, comme Adam pour ses moyennes. La boule lourde ajoute le gradient entier.",
        ),
    ),
    Slip(
        _as(lambda v, g, a, b: b * v + g, lambda v, g, a, b, new: -a * (g + b * new)),
        Text(
            "that is Nesterov's step, `dW + beta * v`. Asked for is the plain one: `W` moves along the new `v`.",
            "c’est le pas de Nesterov, `dW + beta * v`. On demande le pas simple : `W` avance selon le nouveau `v`.",
        ),
    ),
)


def _momentum(f: Any) -> Verdict:
    """`momentum_step(W, v, dW, learning_rate, beta)`: the new W and v, all of one shape."""
    inputs = [
        (_drawn(3, 2, seed=1), _drawn(3, 2, seed=2), _drawn(3, 2, seed=3), 0.1, 0.9),
        (_drawn(4, seed=4), np.zeros(4), _drawn(4, seed=5), 0.5, 0.6),
    ]
    return same_function(f, _momentum_step, inputs, _MOMENTUM_SLIPS, names=("W", "v"))


# 7.2 -----------------------------------------------------------------------------------------------------------------


def _adam_step(W: Array, m: Array, v: Array, dW: Array, t: int, rate: float) -> tuple[Array, Array, Array]:
    before = {"step": t - 1, "mean": [{"W": m}], "square": [{"W": v}]}
    params, state = Adam().update([{"W": W}], [{"W": dW}], before, rate)
    return params[0]["W"], state["mean"][0]["W"], state["square"][0]["W"]


def _adam_as(
    correct_m: Any = lambda m, t: m / (1 - 0.9**t),
    correct_v: Any = lambda v, t: v / (1 - 0.999**t),
    ratio: Any = lambda m, v: m / (np.sqrt(v) + 1e-8),
    square: Any = lambda g: g**2,
    keep_corrected: bool = False,
    betas: tuple[float, float] = (0.9, 0.999),
    sign: int = -1,
) -> Any:
    """A step of Adam with one thing done otherwise."""

    def step(W: Array, m: Array, v: Array, dW: Array, t: int, rate: float) -> tuple[Array, Array, Array]:
        m = betas[0] * m + (1 - betas[0]) * dW
        v = betas[1] * v + (1 - betas[1]) * square(dW)
        mh, vh = correct_m(m, t), correct_v(v, t)
        W = W + sign * rate * ratio(mh, vh)
        return (W, mh, vh) if keep_corrected else (W, m, v)

    return step


def _bare(mean: Array, t: int) -> Array:
    return mean


_ADAM_SLIPS = (
    Slip(
        _adam_as(_bare, _bare),
        Text(
            "the bias correction is missing: `m` and `v` started at 0, so divide by `1 - 0.9**t` and `1 - 0.999**t` before the step.",
            "la correction du biais manque : `m` et `v` sont partis de 0 ; divise-les par `1 - 0.9**t` et `1 - 0.999**t` avant le pas.",
        ),
    ),
    Slip(
        _adam_as(correct_v=_bare),
        Text(
            "only `m` is corrected; `v` started at 0 as well: divide it by `1 - 0.999**t`.",
            "seul `m` est corrigé ; `v` aussi est parti de 0 : divise-le par `1 - 0.999**t`.",
        ),
    ),
    Slip(
        _adam_as(correct_m=_bare),
        Text(
            "only `v` is corrected; `m` started at 0 as well: divide it by `1 - 0.9**t`.",
            "seul `v` est corrigé ; `m` aussi est parti de 0 : divise-le par `1 - 0.9**t`.",
        ),
    ),
    Slip(
        _adam_as(keep_corrected=True),
        Text(
            "`W` is right, but you return the corrected means: the next step would correct them again. Keep `m` and `v` as they are before the correction.",
            "`W` est juste, mais tu renvoies les moyennes corrigées : le pas suivant les corrigerait encore. Garde `m` et `v` d’avant la correction.",
        ),
    ),
    Slip(
        _adam_as(lambda m, t: m / (1 - 0.9 ** (t - 1)), lambda v, t: v / (1 - 0.999 ** (t - 1))),
        Text(
            "you count steps from 0: `1 - 0.9**0` is 0, and the first step divides by it. `t` is already 1 in the first step.",
            "tu comptes les pas à partir de 0 : `1 - 0.9**0` vaut 0, et le premier pas divise par lui. `t` vaut déjà 1 au premier pas.",
        ),
    ),
    Slip(
        _adam_as(lambda m, t: m / (1 - 0.9 ** (t + 1)), lambda v, t: v / (1 - 0.999 ** (t + 1))),
        Text(
            "you count one step too many: `t` is already 1 in the first step, so the exponent is `t`, not `t + 1`.",
            "tu comptes un pas de trop : `t` vaut déjà 1 au premier pas ; l’exposant est `t`, et non `t + 1`.",
        ),
    ),
    Slip(
        _adam_as(ratio=lambda m, v: m / np.sqrt(v + 1e-8)),
        Text(
            "epsilon is inside the root. For ordinary gradients you would never notice; for tiny ones it makes the step far too small. It belongs outside: `np.sqrt(v_hat) + 1e-8`.",
            "epsilon est sous la racine. Avec des gradients ordinaires, cela ne se verrait jamais ; avec de très petits, le pas devient bien trop court. Sa place est dehors : `np.sqrt(v_hat) + 1e-8`.",
        ),
    ),
    Slip(
        _adam_as(ratio=lambda m, v: m / np.sqrt(v)),
        Text(
            "epsilon is missing: a weight whose gradient has always been 0 would be divided by 0.",
            "epsilon manque : un poids dont le gradient a toujours été nul serait divisé par 0.",
        ),
    ),
    Slip(
        _adam_as(ratio=lambda m, v: m / (v + 1e-8)),
        Text(
            "the root is missing: divide by `np.sqrt(v_hat) + 1e-8`, which is as large as a gradient, not as its square.",
            "la racine manque : divise par `np.sqrt(v_hat) + 1e-8`, de la taille d’un gradient et non de son carré.",
        ),
    ),
    Slip(
        _adam_as(square=lambda g: g),
        Text(
            "`v` is the mean of the *squares*: it takes in `dW**2`, not `dW`.",
            "`v` est la moyenne des *carrés* : elle reçoit `dW**2`, et non `dW`.",
        ),
    ),
    Slip(
        _adam_as(sign=1),
        Text(
            "the sign of the step is wrong: `W` moves against the mean of its gradients.",
            "le signe du pas est faux : `W` avance à l’opposé de la moyenne de ses gradients.",
        ),
    ),
    Slip(
        _adam_as(betas=(0.999, 0.9)),
        Text(
            "the two shares are exchanged: `m` keeps 0.9 of what it was, `v` keeps 0.999.",
            "les deux parts sont échangées : `m` garde 0,9 de ce qu’il était, `v` garde 0,999.",
        ),
    ),
)


def _adam(f: Any) -> Verdict:
    """`adam_step(W, m, v, dW, t, learning_rate)`: the new W, m and v, all of one shape; t is 1 in the first step."""
    tiny = np.array([1e-6, -2e-6, 0.0])
    inputs = [
        (_drawn(3, 2, seed=1), np.zeros((3, 2)), np.zeros((3, 2)), _drawn(3, 2, seed=2), 1, 0.01),
        (_drawn(4, seed=3), 0.1 * _drawn(4, seed=4), _drawn(4, seed=5) ** 2, _drawn(4, seed=6), 5, 0.1),
        # where W does not hide the step, and epsilon counts
        (np.zeros(3), np.zeros(3), np.zeros(3), tiny, 1, 0.01),
    ]
    return same_function(f, _adam_step, inputs, _ADAM_SLIPS, names=("W", "m", "v"))


# 7.3 -----------------------------------------------------------------------------------------------------------------

_NETWORK = mlp(5, 4, 3)
_WORLD: dict[str, Array] = {
    "W1": _drawn(5, 4, seed=1),
    "b1": _drawn(4, seed=2),
    "W2": _drawn(4, 3, seed=3),
    "b2": _drawn(3, seed=4),
}
_X, _Y = _drawn(7, 5, seed=5), one_hot(np.arange(7) % 3, 3, np.float64)
_L2 = 0.1


def _plain(params: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
    """The loss of a small network and its gradients, without a penalty."""
    layers: list[Params] = [{"W": params["W1"], "b": params["b1"]}, {}, {"W": params["W2"], "b": params["b2"]}]
    values = forward(_NETWORK.layers, layers, _X)
    found = _NETWORK.gradients(layers, values, _Y)
    loss = float(_NETWORK.loss_value(layers, values, _Y))
    return loss, {"W1": found[0]["W"], "b1": found[0]["b"], "W2": found[2]["W"], "b2": found[2]["b"]}


def _penalised(loss: float, gradient: float, biases: bool = False, divided: bool = False) -> tuple[float, Any]:
    """The loss with `loss` · l2 · Σ W², and gradients with `gradient` · l2 · W."""
    L, gradients = _plain(_WORLD)
    m = len(_X) if divided else 1
    names = [name for name in _WORLD if biases or name.startswith("W")]
    L += loss * _L2 / m * sum(float(np.sum(_WORLD[name] ** 2)) for name in names)
    return L, {name: g + gradient * _L2 / m * _WORLD[name] if name in names else g for name, g in gradients.items()}


_L2_SLIPS = (
    Slip(
        _penalised(0.5, 1, biases=True),
        Text(
            "these are the right gradients of another loss: you penalise the biases as well. Only the weights, `W1` and `W2`, are.",
            "ce sont les bons gradients d’une autre perte : tu pénalises aussi les biais. Seuls les poids, `W1` et `W2`, le sont.",
        ),
    ),
    Slip(
        _penalised(0.5, 1, divided=True),
        Text(
            "you divide the penalty by the number of images. It has nothing to do with them: leave it undivided.",
            "tu divises la pénalité par le nombre d’images. Elle n’a rien à voir avec elles : ne la divise pas.",
        ),
    ),
    Slip(
        _penalised(0.5, 2),
        Text(
            "your gradient has a factor 2 too much: the derivative of `l2 / 2 * W**2` is `l2 * W`.",
            "ton gradient a un facteur 2 de trop : la dérivée de `l2 / 2 * W**2` est `l2 * W`.",
        ),
    ),
    Slip(
        _penalised(1, 1),
        Text(
            "loss and gradients do not agree: a penalty `l2 * W**2` would have the gradient `2 * l2 * W`. Asked for is `l2 / 2`.",
            "perte et gradients ne s’accordent pas : une pénalité `l2 * W**2` aurait pour gradient `2 * l2 * W`. On demande `l2 / 2`.",
        ),
    ),
    Slip(
        _penalised(1, 2),
        Text(
            "these are the right gradients of another loss: your penalty is `l2 * W**2`, without the factor ½.",
            "ce sont les bons gradients d’une autre perte : ta pénalité est `l2 * W**2`, sans le facteur ½.",
        ),
    ),
    Slip(
        _penalised(0, 1),
        Text(
            "the gradients are right, but the loss lacks its penalty: `L + l2 / 2 * ΣW²`.",
            "les gradients sont justes, mais la pénalité manque à la perte : `L + l2 / 2 * ΣW²`.",
        ),
    ),
    Slip(
        _penalised(0.5, 0),
        Text(
            "the loss is right, but its gradients do not know of the penalty: add `l2 * W` to those of the weights.",
            "la perte est juste, mais ses gradients ignorent la pénalité : ajoute `l2 * W` à ceux des poids.",
        ),
    ),
    Slip(
        _penalised(0.5, -1),
        Text(
            "the sign is wrong: the penalty's gradient is added, and the descent then pulls the weights towards 0.",
            "le signe est faux : le gradient de la pénalité s’ajoute, et c’est la descente qui tire ensuite les poids vers 0.",
        ),
    ),
)
_PENALTY_LOSS = Text(
    "the penalised loss is not right: add `l2 / 2` times the sum of the squares of all entries of `W1` and `W2`.",
    "la perte pénalisée n’est pas juste : ajoute `l2 / 2` fois la somme des carrés de toutes les valeurs de `W1` et `W2`.",
)


def _l2(f: Any) -> Verdict:
    """`with_l2(L, gradients, params, l2)`: the penalised loss, and its gradients in a dictionary like `params`."""
    result, verdict = call(f, (*_plain(_WORLD), _WORLD, _L2))
    if verdict is not None:
        return verdict
    due = _penalised(0.5, 1)
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping):
        if result[1].keys() == due[1].keys():
            given = (result[0], *(result[1][name] for name in _WORLD))
            slips = [Slip((slip.answer[0], *slip.answer[1].values()), slip.text) for slip in _L2_SLIPS]
            told = [same_value(given, slip.answer, names=("L", *_WORLD)) for slip in slips]
            for slip, agrees in zip(slips, told, strict=True):
                if agrees.ok:
                    return wrong(slip.text)
        if not is_missing(result[0]) and not same_value(result[0], due[0]).ok:
            return wrong(_PENALTY_LOSS)
    return by_gradient_check(lambda params: f(*_plain(params), params, _L2), _WORLD)


# 7.4 -----------------------------------------------------------------------------------------------------------------

_KEPT = np.random.default_rng(8).random((4, 5)) < 0.8
_DROPOUT_INPUTS = [
    (_drawn(4, 5, seed=1), _KEPT, 0.8),
    (_drawn(3, 2, seed=2), np.array([[True, False], [True, True], [False, True]]), 0.5),
    (_drawn(2, 3, seed=3), np.array([[True, False, True], [False, True, False]]), 0.4),
]


def _mask(kept: Array, q: float) -> Params:
    return {"mask": kept / q}


def _drop(A: Array, kept: Array, q: float) -> Array:
    result: Array = Dropout(1 - q).forward(_mask(kept, q), A)
    return result


def _drop_back(dY: Array, kept: Array, q: float) -> Array:
    result: Array = Dropout(1 - q).input_gradient(_mask(kept, q), dY, dY, dY)
    return result


_NOT_SCALED = Text(
    "the mask is there, but the survivors are not made larger: divide by `q`, or the next layer gets less on average.",
    "le masque y est, mais les survivants ne sont pas agrandis : divise par `q`, sinon la couche suivante reçoit moins en moyenne.",
)
_TIMES_Q = Text(
    "you multiply by `q` where you should divide: with fewer units left, each has to count for more.",
    "tu multiplies par `q` au lieu de diviser : moins il reste de neurones, plus chacun doit compter.",
)
_OTHER_SHARE = Text(
    "you divide by `1 - q`, the share that is dropped. Divide by `q`, the share that is kept.",
    "tu divises par `1 - q`, la part éteinte. Divise par `q`, la part gardée.",
)
_INVERTED = Text(
    "you switch off the units that should stay: `kept` is `True` where a unit stays on.",
    "tu éteins les neurones qui doivent rester : `kept` vaut `True` là où un neurone reste allumé.",
)
_NO_MASK = Text(
    "there is no mask in your result: units that are not `kept` should give 0.",
    "il n’y a pas de masque dans ton résultat : les neurones absents de `kept` doivent donner 0.",
)
_BACK_NOT_SCALED = Text(
    "in `dropout_backward`: the factor `1 / q` of the forward pass is missing; it is part of the derivative.",
    "dans `dropout_backward` : le facteur `1 / q` de l’aller manque ; il fait partie de la dérivée.",
)
_BACK_UNMASKED = Text(
    "in `dropout_backward`: units that were off did not contribute to the loss, so their gradient is 0. Use the mask here too.",
    "dans `dropout_backward` : les neurones éteints n’ont pas contribué à la perte, leur gradient est donc nul. Emploie le masque ici aussi.",
)
_NEW_MASK = Text(
    "in `{name}`: called twice with the same values, it gives two results. Draw nothing: the mask is the one you are given, there and back.",
    "dans `{name}` : appelée deux fois avec les mêmes valeurs, elle donne deux résultats. Ne tire rien : le masque est celui que tu reçois, à l’aller comme au retour.",
)


def _dropout(there: Any, back: Any = ...) -> Verdict:
    """`dropout_forward(A, kept, q)` and `dropout_backward(dY, kept, q)`: arrays (m, n); `kept` is True for what stays."""
    for name, f in (("dropout_forward", there), ("dropout_backward", back)):
        first, verdict = call(f, _DROPOUT_INPUTS[0])
        if verdict is not None:
            return verdict
        if not _same_again(f, first):
            return wrong(_NEW_MASK.show(name=name))
    verdict = same_function(
        there,
        _drop,
        _DROPOUT_INPUTS,
        [
            Slip(lambda A, kept, q: A * kept, _NOT_SCALED),
            Slip(lambda A, kept, q: A * kept * q, _TIMES_Q),
            Slip(lambda A, kept, q: A * kept / (1 - q), _OTHER_SHARE),
            Slip(lambda A, kept, q: A * ~kept / q, _INVERTED),
            Slip(lambda A, kept, q: A * ~kept / (1 - q), _INVERTED),
            Slip(lambda A, kept, q: A / q, _NO_MASK),
            Slip(lambda A, kept, q: A, _NO_MASK),
        ],
        names=("A",),
    )
    if not verdict.ok:
        return verdict
    return same_function(
        back,
        _drop_back,
        _DROPOUT_INPUTS,
        [
            Slip(lambda dY, kept, q: dY * kept, _BACK_NOT_SCALED),
            Slip(lambda dY, kept, q: dY * kept * q, _BACK_NOT_SCALED),
            Slip(lambda dY, kept, q: dY / q, _BACK_UNMASKED),
            Slip(lambda dY, kept, q: dY, _BACK_UNMASKED),
        ],
        names=("dA",),
    )


def _same_again(f: Any, first: Any) -> bool:
    try:
        due = np.asarray(first, float)
        for _again in range(3):
            second, verdict = call(f, _DROPOUT_INPUTS[0])
            if verdict is not None or not same_value(np.asarray(second, float), due).ok:
                return False
    except (TypeError, ValueError):
        pass  # no array of numbers: `same_function` says what it is instead
    return True


# 7.5 -----------------------------------------------------------------------------------------------------------------


def _shifted(images: Array, dx: int, dy: int) -> Array:
    height, width = images.shape[1:]
    padded = np.pad(images, ((0, 0), (abs(dy), abs(dy)), (abs(dx), abs(dx))))
    top, left = abs(dy) - dy, abs(dx) - dx
    return padded[:, top : top + height, left : left + width]


def _rolled(images: Array, dx: int, dy: int) -> Array:
    return np.roll(images, (dy, dx), axis=(1, 2))


_SHIFT_SLIPS = (
    Slip(
        _rolled,
        Text(
            "what goes out on one side comes in again on the other: that is what `np.roll` does. What comes in should be black.",
            "ce qui sort d’un côté rentre de l’autre : c’est ce que fait `np.roll`. Ce qui entre doit être noir.",
        ),
    ),
    Slip(
        lambda images, dx, dy: _shifted(images, dy, dx),
        Text(
            "the axes are exchanged: `dx` goes to the right, along the columns, which are the last axis.",
            "les axes sont échangés : `dx` va vers la droite, le long des colonnes, le dernier axe.",
        ),
    ),
    Slip(
        lambda images, dx, dy: _shifted(images, -dx, -dy),
        Text(
            "the direction is the opposite: a positive `dx` moves the ink to the right, a positive `dy` down.",
            "le sens est inversé : un `dx` positif emmène l’encre vers la droite, un `dy` positif vers le bas.",
        ),
    ),
    Slip(
        lambda images, dx, dy: _shifted(images, dx, -dy),
        Text(
            "`dy` goes the wrong way: rows are counted from the top, so down means larger row numbers.",
            "`dy` va dans le mauvais sens : les lignes se comptent depuis le haut, vers le bas leur numéro augmente.",
        ),
    ),
    Slip(
        lambda images, dx, dy: np.roll(images, (dx, dy), axis=(1, 2)),
        Text(
            "two things: what goes out comes in again on the other side (`np.roll`), and the axes are exchanged.",
            "deux choses : ce qui sort rentre de l’autre côté (`np.roll`), et les axes sont échangés.",
        ),
    ),
)


def _shift(f: Any) -> Verdict:
    """`shift(images, dx, dy)`: images (m, height, width) moved right and down, of the same shape, black coming in."""
    images = np.random.default_rng(0).integers(1, 256, (2, 5, 7), dtype=np.uint8)
    inputs = [(images, dx, dy) for dx, dy in ((1, 2), (-2, 1), (3, -1), (0, 2), (-1, 0), (0, 0))]
    return same_function(f, _shifted, inputs, _SHIFT_SLIPS, names=("images",))


# 7.6 -----------------------------------------------------------------------------------------------------------------

_DEPTHS = ((5, 6, 4, 4, 3), (5, 4, 3), (5, 3))


def _deep_world(sizes: tuple[int, ...]) -> tuple[list[Params], Array, Array]:
    """Parameters with biases that are not zero, X (7, 5) and Y (7, 3)."""
    params = [
        {"W": 0.7 * _drawn(a, b, seed=i), "b": 0.5 * _drawn(b, seed=10 + i)} for i, (a, b) in enumerate(pairs(sizes))
    ]
    return params, _X, _Y


def _deep(params: list[Params], X: Array, Y: Array) -> tuple[float, list[Params]]:
    network = mlp(*(p["W"].shape[0] for p in params), params[-1]["W"].shape[1])
    filled: list[Params] = [{}] * (2 * len(params) - 1)
    filled[::2] = params
    values = forward(network.layers, filled, X)
    gradients, _deltas = backward(network.layers, filled, values, network.loss.gradient(values[-1], Y))
    return float(network.loss_value(filled, values, Y)), gradients[::2]


def _deep_as(divided: bool = True, gate: Any = lambda d, Z: d * (Z > 0), biases_divided: bool = False) -> Any:
    """The gradients with one thing done otherwise."""

    def gradients(params: list[Params], X: Array, Y: Array) -> list[Params]:
        inputs, sums = [X], []
        for p in params:
            sums.append(inputs[-1] @ p["W"] + p["b"])
            inputs.append(np.maximum(0, sums[-1]))
        d = softmax(sums[-1]) - Y
        if divided:
            d = d / len(X)
        found: list[Params] = []
        for i in reversed(range(len(params))):
            db = d.mean(axis=0) if biases_divided else d.sum(axis=0)
            found.insert(0, {"W": inputs[i].T @ d, "b": db})
            if i:
                d = gate(d @ params[i]["W"].T, sums[i - 1])
        return found

    return gradients


_DEEP_SLIPS = (
    Slip(
        _deep_as(divided=False),
        Text(
            "all gradients are m times too large: `L` is a mean, so `dZ = (P - Y) / m`.",
            "tous les gradients sont m fois trop grands : `L` est une moyenne, donc `dZ = (P - Y) / m`.",
        ),
    ),
    Slip(
        _deep_as(gate=lambda d, Z: d),
        Text(
            "the way back skips ReLU: where `Z` was negative, nothing passes. Multiply by `Z > 0` at each hidden layer.",
            "le retour saute ReLU : là où `Z` était négatif, rien ne passe. Multiplie par `Z > 0` à chaque couche cachée.",
        ),
    ),
    Slip(
        _deep_as(gate=lambda d, Z: d * (d > 0)),
        Text(
            "you let pass where the *gradient* is positive. ReLU's gate is where `Z`, its input, was positive.",
            "tu laisses passer là où le *gradient* est positif. La porte de ReLU est ouverte là où `Z`, son entrée, était positif.",
        ),
    ),
    Slip(
        _deep_as(biases_divided=True),
        Text(
            "the gradients of the biases are m times too small: `dZ` was divided by m already, so `db` is its sum, not its mean.",
            "les gradients des biais sont m fois trop petits : `dZ` est déjà divisé par m, `db` est donc sa somme, et non sa moyenne.",
        ),
    ),
)
_REVERSED = Text(
    "your gradients come in the order of the way back, the last layer first. Return them in the order of `params`.",
    "tes gradients viennent dans l’ordre du retour, la dernière couche en premier. Renvoie-les dans l’ordre de `params`.",
)
_LOSS_SUMMED = Text(
    "the loss is the sum over the images; asked for is the mean: divide by m.",
    "la perte est la somme sur les images ; on demande la moyenne : divise par m.",
)
_LOSS_MEAN_OF_ALL = Text(
    "the loss is divided by m and by the number of classes: sum over the classes, and take the mean over the images only.",
    "la perte est divisée par m et par le nombre de classes : somme sur les classes, et moyenne sur les images seulement.",
)
_RELU_AT_THE_END = Text(
    "ReLU follows your last layer too. Its scores go to softmax as they are.",
    "ReLU suit aussi ta dernière couche. Ses scores vont au softmax tels quels.",
)
_NO_RELU = Text(
    "there is no ReLU between your layers: without it, several dense layers are worth no more than one.",
    "il n’y a pas de ReLU entre tes couches : sans elle, plusieurs couches denses ne valent pas mieux qu’une seule.",
)
_STOPS = Text(
    "with {n} dense layers it does not work: {what}",
    "avec {n} couches denses, cela ne marche pas : {what}",
)
_LOSS_WRONG = Text(
    "with {n} dense layers, the loss is not right: look at the forward pass before the backward one.",
    "avec {n} couches denses, la perte n’est pas juste : regarde l’aller avant le retour.",
)


def _loss_of(params: list[Params], X: Array, Y: Array, hidden: bool, last: bool) -> float:
    A = X
    for i, p in enumerate(params):
        A = A @ p["W"] + p["b"]
        if last if i == len(params) - 1 else hidden:
            A = np.maximum(0, A)
    return float(-np.sum(Y * np.log(softmax(A))) / len(X))


def _any_depth(f: Any) -> Verdict:
    """`loss_and_gradients(params, X, Y)`: L and a list of gradients like `params`, for networks of several depths."""
    verdict = unanswered()
    for sizes in _DEPTHS:
        verdict = _at_depth(f, sizes)
        if not verdict.ok:
            return verdict
    return verdict


def _at_depth(f: Any, sizes: tuple[int, ...]) -> Verdict:
    world = _deep_world(sizes)
    n = len(sizes) - 1
    result, verdict = call(f, world)
    if verdict is not None:
        if verdict.status == "unanswered":
            return verdict
        return wrong(_STOPS.show(n=n, what=verdict.message))
    L, due = _deep(*world)
    if isinstance(result, tuple) and len(result) == 2:
        loss, gradients = result
        if not is_missing(loss) and not same_value(loss, L).ok:
            others = [
                (len(_X) * L, _LOSS_SUMMED),
                (L / _Y.shape[1], _LOSS_MEAN_OF_ALL),
                (_loss_of(*world, hidden=True, last=True), _RELU_AT_THE_END),
                (_loss_of(*world, hidden=False, last=False), _NO_RELU),
            ]
            for value, text in others:
                if same_value(loss, value).ok:
                    return wrong(text)
            return wrong(_LOSS_WRONG.show(n=n))
        if _alike(gradients, due[::-1]) and n > 1:
            return wrong(_REVERSED)
        if not _alike(gradients, due):
            for slip in _DEEP_SLIPS:
                if _alike(gradients, slip.answer(*world)):
                    return wrong(slip.text)
    params, X, Y = world
    return by_gradient_check(lambda p: f(p, X, Y), cast(Any, params))


def _alike(gradients: Any, due: list[Params]) -> bool:
    """Whether a learner's list of gradients has the values of `due`."""
    if not isinstance(gradients, (list, tuple)) or len(gradients) != len(due):
        return False
    return all(
        isinstance(g, Mapping) and g.keys() == d.keys() and all(same_value(g[name], d[name]).ok for name in d)
        for g, d in zip(gradients, due, strict=True)
    )


EXERCISES = (
    Exercise(
        _momentum,
        (
            Text(
                "Two lines: first the new `v`, from the old one and `dW`; then the new `W`, from the new `v`.",
                "Deux lignes : d’abord le nouveau `v`, à partir de l’ancien et de `dW` ; puis le nouveau `W`, à partir du nouveau `v`.",
            ),
            Text(
                "`v = beta * v + dW`, and not `v *= beta`, which would change the array that came in.",
                "`v = beta * v + dW`, et non `v *= beta`, qui modifierait le tableau reçu.",
            ),
        ),
    ),
    Exercise(
        _adam,
        (
            Text(
                "The new `m` and `v` first: `m = 0.9 * m + 0.1 * dW`, and `v` likewise with 0.999, 0.001 and `dW**2`.",
                "D’abord les nouveaux `m` et `v` : `m = 0.9 * m + 0.1 * dW`, et `v` de même avec 0,999, 0,001 et `dW**2`.",
            ),
            Text(
                "Put the corrected means into variables of their own, `m_hat = m / (1 - 0.9**t)`; return `m` and `v`.",
                "Mets les moyennes corrigées dans des variables à part, `m_hat = m / (1 - 0.9**t)` ; renvoie `m` et `v`.",
            ),
            Text(
                "The step is `learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)`.",
                "Le pas vaut `learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)`.",
            ),
        ),
    ),
    Exercise(
        _l2,
        (
            Text(
                'The names of the weights begin with `W`: `name.startswith("W")`.',
                'Les noms des poids commencent par `W` : `name.startswith("W")`.',
            ),
            Text(
                "Go through `params.items()`; for a weight, add `l2 / 2 * np.sum(W**2)` to the loss and `l2 * W` to its gradient.",
                "Parcours `params.items()` ; pour un poids, ajoute `l2 / 2 * np.sum(W**2)` à la perte et `l2 * W` à son gradient.",
            ),
        ),
    ),
    Exercise(
        _dropout,
        (
            Text(
                "`kept` is an array of booleans: in a product, `True` counts as 1 and `False` as 0.",
                "`kept` est un tableau de booléens : dans un produit, `True` compte pour 1 et `False` pour 0.",
            ),
            Text(
                "The mask is `kept / q`. The forward pass multiplies `A` by it; the derivative of a product with a constant is that constant.",
                "Le masque est `kept / q`. L’aller multiplie `A` par lui ; la dérivée d’un produit par une constante est cette constante.",
            ),
        ),
    ),
    Exercise(
        _shift,
        (
            Text(
                "Begin with `np.zeros_like(images)`, and copy a rectangle of `images` to its new place.",
                "Pars de `np.zeros_like(images)`, et copie un rectangle de `images` à sa nouvelle place.",
            ),
            Text(
                "Or surround the images with black, `np.pad`, and cut out a window of the old size: it starts at row `abs(dy) - dy`.",
                "Ou entoure les images de noir, `np.pad`, et découpe une fenêtre de l’ancienne taille : elle commence à la ligne `abs(dy) - dy`.",
            ),
        ),
    ),
    Exercise(
        _any_depth,
        (
            Text(
                "On the way there, keep every `Z` and every `A` in lists: layer `i` reads `A[i]` (`A[0]` is `X`) and gives `Z[i]`.",
                "À l’aller, garde tous les `Z` et tous les `A` dans des listes : la couche `i` lit `A[i]` (`A[0]` est `X`) et donne `Z[i]`.",
            ),
            Text(
                "On the way back, start from `dZ = (P - Y) / m`. For `i` from the last layer to the first: `A[i].T @ dZ`, the sum of the rows of `dZ`, then the next `dZ`.",
                "Au retour, pars de `dZ = (P - Y) / m`. Pour `i` de la dernière couche à la première : `A[i].T @ dZ`, la somme des lignes de `dZ`, puis le `dZ` suivant.",
            ),
            Text(
                'The next one is `(dZ @ params[i]["W"].T) * (Z[i - 1] > 0)`, where `i` is not 0. Turn the list around at the end.',
                'Le suivant est `(dZ @ params[i]["W"].T) * (Z[i - 1] > 0)`, si `i` n’est pas 0. Retourne la liste à la fin.',
            ),
        ),
    ),
)

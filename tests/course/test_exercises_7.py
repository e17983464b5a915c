"""What the judges of lesson 7 say of right answers, of every slip, and of other wrong answers."""

from __future__ import annotations

import numpy as np
import pytest

import pasapas
from pasapas import i18n
from pasapas.course.exercises import lesson_7
from pasapas.course.exercises.lesson_7 import EXERCISES

MOMENTUM, ADAM, L2, DROPOUT, SHIFT, DEPTH = (exercise.judge for exercise in EXERCISES)


def momentum_step(W, v, dW, learning_rate, beta):
    v = beta * v + dW
    return W - learning_rate * v, v


def adam_step(W, m, v, dW, t, learning_rate):
    m = 0.9 * m + 0.1 * dW
    v = 0.999 * v + 0.001 * dW**2
    return W - learning_rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def with_l2(L, gradients, params, l2):
    L = L + l2 / 2 * sum(np.sum(p**2) for name, p in params.items() if name.startswith("W"))
    return L, {name: g + l2 * params[name] * name.startswith("W") for name, g in gradients.items()}


def masked(A, kept, q):
    return np.where(kept, A / q, 0)


def shift(images, dx, dy):
    moved = np.zeros_like(images)
    height, width = images.shape[1:]
    for row in range(height):
        for column in range(width):
            if 0 <= row - dy < height and 0 <= column - dx < width:
                moved[:, row, column] = images[:, row - dy, column - dx]
    return moved


def any_depth(params, X, Y, gate=lambda d, Z: d * (Z > 0), last=len, of_bias=lambda d: d.sum(axis=0)):
    A, Z = [X], []
    for p in params:
        Z.append(A[-1] @ p["W"] + p["b"])
        A.append(np.maximum(Z[-1], 0))
    P = pasapas.softmax(Z[-1])
    d = (P - Y) / last(X)
    gradients = []
    for i in reversed(range(len(params))):
        gradients.insert(0, {"W": A[i].T @ d, "b": of_bias(d)})
        d = gate(d @ params[i]["W"].T, Z[i - 1]) if i else None
    return -np.sum(Y * np.log(P)) / len(X), gradients


RIGHT = [
    (MOMENTUM, (momentum_step,)),
    (ADAM, (adam_step,)),
    (L2, (with_l2,)),
    (DROPOUT, (masked, masked)),
    (SHIFT, (shift,)),
    (DEPTH, (any_depth,)),
]
STUBS = [
    (MOMENTUM, (lambda W, v, dW, learning_rate, beta: (..., ...),)),
    (ADAM, (lambda W, m, v, dW, t, learning_rate: (..., ..., ...),)),
    (L2, (lambda L, gradients, params, l2: (..., ...),)),
    (DROPOUT, (lambda A, kept, q: ..., lambda dY, kept, q: ...)),
    (DROPOUT, (masked, lambda dY, kept, q: ...)),
    (SHIFT, (lambda images, dx, dy: ...,)),
    (DEPTH, (lambda params, X, Y: (..., ...),)),
]


@pytest.mark.parametrize(("judge", "answers"), RIGHT)
def test_a_right_answer(judge, answers):
    verdict = judge(*answers)
    assert verdict.status == "right", str(verdict)


@pytest.mark.parametrize(("judge", "answers"), STUBS)
def test_what_was_not_touched_is_no_answer(judge, answers):
    assert judge(*answers).status == "unanswered"


@pytest.mark.parametrize("judge", [MOMENTUM, ADAM, L2, DROPOUT, SHIFT, DEPTH])
def test_no_function_is_said(judge):
    assert "hand over the function itself" in judge(3).message


def told(verdict, *words):
    assert verdict.status == "wrong"
    for word in words:
        assert word in str(verdict)


@pytest.mark.parametrize("slips", [lesson_7._MOMENTUM_SLIPS, lesson_7._ADAM_SLIPS, lesson_7._SHIFT_SLIPS])
def test_every_slip_of_a_function_is_told_in_both_languages(slips):
    judge = {9: MOMENTUM, 12: ADAM, 5: SHIFT}[len(slips)]
    for language in ("en", "fr"):
        i18n.activate(language)
        for slip in slips:
            verdict = judge(slip.answer)
            assert (verdict.status, verdict.message) == ("wrong", str(slip.text))


# 7.1


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (lambda W, v, g, a, b: (W + a * (b * v + g), b * v + g), "the sign of the step"),
        (lambda W, v, g, a, b: (W - (b * v + a * g), b * v + a * g), "inside your velocity"),
        (lambda W, v, g, a, b: (W - a * (b * v + a * g), b * v + a * g), "in twice"),
        (lambda W, v, g, a, b: (W + b * v - a * g, b * v - a * g), "and the sign are inside"),
        (lambda W, v, g, a, b: (W - a * (b * v + g), v), "the old velocity"),
        (lambda W, v, g, a, b: (W - a * g, g), "plain descent"),
        (lambda W, v, g, a, b: (W - a * v, b * v + g), "moves with the old velocity"),
        (lambda W, v, g, a, b: (W - a * (b * v + (1 - b) * g), b * v + (1 - b) * g), "as Adam does"),
        (lambda W, v, g, a, b: (W - a * (g + b * (b * v + g)), b * v + g), "Nesterov"),
        (lambda W, v, g, a, b: (W, v), "it should be"),
        (lambda W, v, g, a, b: W - a * g, "return 2 values, `W`, `v`"),
    ],
)
def test_momentum(f, word):
    told(MOMENTUM(f), word)


def test_momentum_in_place():
    def f(W, v, dW, learning_rate, beta):
        v *= beta
        v += dW
        return W - learning_rate * v, v

    told(MOMENTUM(f), "changes what it is given")


# 7.2


def adam(c=lambda b, t: 1 - b**t, over=lambda m, v: m / (np.sqrt(v) + 1e-8), square=lambda g: g**2):
    def f(W, m, v, g, t, a):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * square(g)
        return W - a * over(m / c(0.9, t), v / c(0.999, t)), m, v

    return f


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (adam(lambda b, t: 1), "the bias correction is missing"),
        (adam(lambda b, t: 1 - b**t if b == 0.9 else 1), "only `m` is corrected"),
        (adam(lambda b, t: 1 - b**t if b == 0.999 else 1), "only `v` is corrected"),
        (adam(lambda b, t: 1 - b ** (t - 1)), "count steps from 0"),
        (adam(lambda b, t: 1 - b ** (t + 1)), "one step too many"),
        (adam(over=lambda m, v: m / np.sqrt(v + 1e-8)), "inside the root"),
        (adam(over=lambda m, v: m / np.sqrt(v)), "epsilon is missing"),
        (adam(over=lambda m, v: m / (v + 1e-8)), "the root is missing"),
        (adam(square=lambda g: g), "the mean of the *squares*"),
        (adam(over=lambda m, v: -m / (np.sqrt(v) + 1e-8)), "the sign of the step"),
        (adam(over=lambda m, v: m), "it should be"),
        (lambda W, m, v, g, t, a: (W, m), "return 3 values"),
    ],
)
def test_adam(f, word):
    told(ADAM(f), word)


# 7.3


def penalty(loss=0.5, gradient=1.0, of=lambda name: name.startswith("W"), m=1):
    def f(L, gradients, params, l2):
        L = L + loss * l2 / m * sum(np.sum(p**2) for name, p in params.items() if of(name))
        return L, {name: g + gradient * l2 / m * params[name] * of(name) for name, g in gradients.items()}

    return f


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (penalty(of=lambda name: True), "you penalise the biases"),
        (penalty(m=7), "number of images"),
        (penalty(gradient=2), "factor 2 too much"),
        (penalty(loss=1), "do not agree"),
        (penalty(1, 2), "without the factor ½"),
        (penalty(loss=0), "the loss lacks its penalty"),
        (penalty(gradient=0), "do not know of the penalty"),
        (penalty(gradient=-1), "the sign is wrong"),
        (penalty(loss=3), "the penalised loss is not right"),
        (penalty(of=lambda name: name == "W2"), "the penalised loss is not right"),
        (penalty(gradient=5), "not yet"),
        (lambda L, gradients, params, l2: L, "return the loss and the gradients"),
    ],
)
def test_l2(f, word):
    told(L2(f), word)


def test_l2_in_place():
    def f(L, gradients, params, l2):
        gradients["W1"] = gradients["W1"] + l2 * params["W1"]
        return L, gradients

    told(L2(f), "changes what it is given")


# 7.4


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (lambda A, kept, q: A * kept, "not made larger"),
        (lambda A, kept, q: A * kept * q, "where you should divide"),
        (lambda A, kept, q: A * kept / (1 - q), "the share that is dropped"),
        (lambda A, kept, q: A * ~kept / q, "switch off the units that should stay"),
        (lambda A, kept, q: A * ~kept / (1 - q), "switch off the units that should stay"),
        (lambda A, kept, q: A / q, "there is no mask"),
        (lambda A, kept, q: A, "there is no mask"),
        (lambda A, kept, q: A * (np.random.random(A.shape) < q) / q, "in `dropout_forward`: called twice"),
        (lambda A, kept, q: A * kept + 1, "it should be"),
        (lambda A, kept, q: A[0], "has the shape"),
        (lambda A, kept, q: (A * kept / q, kept / q), "has the shape"),
        (lambda A, kept, q: [A, A[0, 0]], "should be numbers"),
    ],
)
def test_dropout_forward(f, word):
    told(DROPOUT(f, masked), word)


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (lambda dY, kept, q: dY * kept, "the factor `1 / q`"),
        (lambda dY, kept, q: dY * kept * q, "the factor `1 / q`"),
        (lambda dY, kept, q: dY / q, "their gradient is 0"),
        (lambda dY, kept, q: dY, "their gradient is 0"),
        (lambda dY, kept, q: dY * (np.random.random(dY.shape) < q) / q, "in `dropout_backward`: called twice"),
        (lambda dY, kept, q: dY * 2, "it should be"),
        (lambda dY, kept, q: dY @ kept, "stops with `ValueError"),
    ],
)
def test_dropout_backward(f, word):
    told(DROPOUT(masked, f), word)


# 7.5


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (lambda images, dx, dy: np.roll(images, (dy, dx), (1, 2)), "`np.roll` does"),
        (lambda images, dx, dy: shift(images, dy, dx), "axes are exchanged"),
        (lambda images, dx, dy: shift(images, -dx, -dy), "direction is the opposite"),
        (lambda images, dx, dy: shift(images, dx, -dy), "`dy` goes the wrong way"),
        (lambda images, dx, dy: np.roll(images, (dx, dy), (1, 2)), "two things"),
        (lambda images, dx, dy: images, "it should be"),
        (lambda images, dx, dy: images[:, dy:, dx:], "has the shape"),
    ],
)
def test_shift(f, word):
    told(SHIFT(f), word)


# 7.6


def of_loss(change):
    def f(params, X, Y):
        L, gradients = any_depth(params, X, Y)
        return change(L, params, X, Y), gradients

    return f


def loss_with(activation, at_the_end):
    def loss(L, params, X, Y):
        A = X
        for i, p in enumerate(params):
            A = A @ p["W"] + p["b"]
            A = A if i == len(params) - 1 and not at_the_end else activation(A)
        return -np.mean(np.sum(Y * np.log(pasapas.softmax(A)), axis=1))

    return of_loss(loss)


def reversed_gradients(params, X, Y):
    L, gradients = any_depth(params, X, Y)
    return L, gradients[::-1]


def two_layers_only(params, X, Y):
    if len(params) != 2:
        raise ValueError("two layers")
    return any_depth(params, X, Y)


@pytest.mark.parametrize(
    ("f", "word"),
    [
        (lambda *a: any_depth(*a, last=lambda X: 1), "m times too large"),
        (lambda *a: any_depth(*a, gate=lambda d, Z: d), "the way back skips ReLU"),
        (lambda *a: any_depth(*a, gate=lambda d, Z: d * (d > 0)), "where the *gradient* is positive"),
        (lambda *a: any_depth(*a, of_bias=lambda d: d.mean(axis=0)), "its sum, not its mean"),
        (reversed_gradients, "in the order of `params`"),
        (of_loss(lambda L, params, X, Y: L * len(X)), "the sum over the images"),
        (of_loss(lambda L, params, X, Y: L / Y.shape[1]), "number of classes"),
        (loss_with(lambda A: np.maximum(A, 0), at_the_end=True), "ReLU follows your last layer"),
        (loss_with(lambda A: A, at_the_end=False), "no ReLU between your layers"),
        (loss_with(np.tanh, at_the_end=False), "with 4 dense layers, the loss is not right"),
        (two_layers_only, "with 4 dense layers it does not work: your function stops with `ValueError: two layers`"),
        (lambda *a: any_depth(*a, gate=lambda d, Z: 2 * d * (Z > 0)), "not yet"),
        (lambda params, X, Y: any_depth(params, X, Y)[0], "return the loss and the gradients"),
    ],
)
def test_any_depth(f, word):
    told(DEPTH(f), word)


def test_every_deep_slip_and_penalty_is_tried():
    assert len(lesson_7._DEEP_SLIPS) == 4
    assert len(lesson_7._L2_SLIPS) == 8


def test_french():
    i18n.activate("fr")
    told(DEPTH(reversed_gradients), "dans l’ordre de `params`")
    told(DROPOUT(masked, lambda dY, kept, q: dY), "leur gradient est donc nul")
    told(L2(penalty(of=lambda name: True)), "tu pénalises aussi les biais")

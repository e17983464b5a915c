"""What a learner is told of an answer to an exercise of lesson 2."""

from __future__ import annotations

import numpy as np
import pytest

import pasapas
from pasapas import lessons
from pasapas.course import Lesson
from pasapas.course.exercises import lesson_2


@pytest.fixture
def check():
    return Lesson("2-forward", "en").check


def nothing(*_):
    return ...


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_what_was_not_touched_is_no_answer(check, n):
    for answer in (..., None, nothing):
        assert check(n, answer).status == "unanswered"


def test_a_half_is_no_answer(check):
    assert check(3, lambda X, parameters: (..., ...)).status == "unanswered"
    assert check(3, lambda X, parameters: (X, ...)).status == "unanswered"
    assert check(4, nothing, nothing).status == "unanswered"
    assert check(4, predict, nothing).status == "unanswered"
    assert check(4, predict).status == "unanswered"
    assert check(4, nothing, accuracy).status == "unanswered"


def softmax(Z):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(X, parameters):
    Z1 = X @ parameters["W1"] + parameters["b1"]
    A1 = np.maximum(0, Z1)
    Z2 = A1 @ parameters["W2"] + parameters["b2"]
    A2 = softmax(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def predict(P):
    return P.argmax(axis=1)


def accuracy(P, y):
    return np.mean(predict(P) == y)


def log_softmax(Z):
    shifted = Z - Z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("n", "answers"),
    [
        (1, (lambda Z: np.maximum(0, Z),)),
        (1, (lambda Z: Z * (Z > 0),)),
        (1, (lambda Z: np.where(Z > 0, Z, 0),)),
        (2, (softmax,)),
        (2, (pasapas.softmax,)),
        (3, (forward,)),
        (3, (lessons.forward_propagation,)),
        (4, (predict, accuracy)),
        (4, (predict, lambda P, y: sum(predict(P) == y) / len(y))),
        (5, (log_softmax,)),
        (5, (pasapas.log_softmax,)),
        (5, (lambda Z: Z - np.logaddexp.reduce(Z, axis=1, keepdims=True),)),
    ],
)
def test_right_answers(check, n, answers):
    verdict = check(n, *answers)
    assert verdict.ok, verdict


def test_one_maximum_for_all_rows_is_right_with_a_reserve(check):
    def one_maximum(Z):
        e = np.exp(Z - Z.max())
        return e / e.sum(axis=1, keepdims=True)

    verdict = check(2, one_maximum)
    assert verdict.ok
    assert "One reserve" in verdict.message
    assert "reserve" not in check(2, softmax).message


SLIPS = {
    1: lesson_2._RELU_SLIPS,
    2: lesson_2._SOFTMAX_SLIPS,
    5: lesson_2._LOG_SLIPS,
}


@pytest.mark.parametrize(("n", "i"), [(n, i) for n, slips in SLIPS.items() for i in range(len(slips))])
def test_every_slip_is_named(check, n, i):
    slip = SLIPS[n][i]
    verdict = check(n, slip.answer)
    assert verdict.status == "wrong"
    assert verdict.message == slip.text.en


@pytest.mark.parametrize("i", range(len(lesson_2._SQUARE_SLIPS)))
def test_every_slip_of_the_forward_pass_is_named(check, i):
    slip = lesson_2._SQUARE_SLIPS[i]

    def answer(X, parameters):
        A2, *values = slip.answer(X, parameters)
        return A2, dict(zip(("Z1", "A1", "Z2", "A2"), values, strict=True))

    assert check(3, answer).message == slip.text.en


@pytest.mark.parametrize("i", range(len(lesson_2._PREDICT_SLIPS)))
def test_every_slip_of_the_answer_is_named(check, i):
    slip = lesson_2._PREDICT_SLIPS[i]
    assert check(4, slip.answer, accuracy).message == f"in `predict`: {slip.text.en}"


@pytest.mark.parametrize("i", range(len(lesson_2._ACCURACY_SLIPS)))
def test_every_slip_of_the_accuracy_is_named(check, i):
    slip = lesson_2._ACCURACY_SLIPS[i]
    assert check(4, predict, slip.answer).message == f"in `accuracy`: {slip.text.en}"


def in_place(Z):
    Z[Z < 0] = 0
    return Z


def overflowing(Z):
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def with_maximum_where_it_is_large(Z):
    e = np.exp(Z - np.maximum(Z.max(axis=1, keepdims=True), 0))
    return e / e.sum(axis=1, keepdims=True)


def names_swapped(X, parameters):
    A2, cache = forward(X, parameters)
    return A2, {**cache, "Z1": cache["A1"]}


def without_a_value(X, parameters):
    A2, cache = forward(X, parameters)
    return A2, {"A1": cache["A1"], "Z2": cache["Z2"]}


def overflowing_forward(X, parameters):
    A2, cache = forward(X, parameters)
    A2 = overflowing(cache["Z2"])
    return A2, {**cache, "A2": A2}


@pytest.mark.parametrize(
    ("n", "answers", "message"),
    [
        (1, (in_place,), "changes what it is given"),
        (1, (lambda Z: np.where(Z > 0, Z, 0.01 * Z),), "it should be 0.0000"),
        (1, (lambda Z: max(0, Z),), "stops with `ValueError"),
        (2, (overflowing,), "e¹⁰⁰⁰ overflows"),
        (2, (with_maximum_where_it_is_large,), "even where it is negative"),
        (2, (lambda Z: 1 / (1 + np.exp(-Z)),), "it should be"),
        (2, (lambda Z: overflowing(np.clip(Z, -500, 500)),), "a bound"),
        (2, (lambda Z: np.nan_to_num(overflowing(Z)),), "a bound"),
        (2, (lambda Z: (e := np.exp(np.minimum(Z, 700))) / (e.sum(axis=1, keepdims=True) + 1e-12),), "a bound"),
        (2, (lambda Z: Z.sum(axis=1),), "has the shape"),
        (3, (lambda X, parameters: forward(X, parameters)[0],), "return two things"),
        (3, (lambda X, parameters: (X, X),), "return two things"),
        (3, (without_a_value,), "`Z1`, `A2` is not in the cache"),
        (3, (names_swapped,), 'cache["Z1"]'),
        (3, (overflowing_forward,), "softmax overflows"),
        (3, (lambda X, parameters: forward(X, {**parameters, "W3": 0})[1]["Z3"],), "stops with `KeyError"),
        (4, (lambda P: P.round(), accuracy), "in `predict`: "),
        (4, (predict, lambda P, y: 0.5), "in `accuracy`: "),
        (5, (lambda Z: np.log(softmax(Z)),), "gives −inf"),
        (5, (lambda Z: Z - np.log(np.exp(Z).sum(axis=1, keepdims=True)),), "an exponential overflows"),
        (5, (lambda Z: np.log(overflowing(Z)),), "an exponential overflows"),
        (5, (lambda Z: np.log(softmax(Z) + 1e-3),), "it should be"),
        (5, (lambda Z: np.log(softmax(Z) + 1e-12),), "a bound"),
        (5, (lambda Z: np.log(np.clip(softmax(Z), 1e-300, 1)),), "a bound"),
    ],
)
def test_other_wrong_answers(check, n, answers, message):
    verdict = check(n, *answers)
    assert verdict.status == "wrong"
    assert message in verdict.message

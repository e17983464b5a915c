"""What is said of right and wrong answers to the exercises of lesson 6."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pasapas import i18n, lessons
from pasapas.course import Lesson
from pasapas.course.exercises import exercises_of


def check(n, *answers):
    return Lesson("6-when-it-goes-wrong", "en").check(n, *answers)


def assert_wrong(verdict, message):
    assert verdict.status == "wrong"
    assert message in str(verdict)


def loss_per_entry(W, difference):
    slopes = np.zeros_like(W)
    for at in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[at] += 1e-3
        down[at] -= 1e-3
        slopes[at] = difference(up, down)
    return slopes


@pytest.mark.parametrize(
    ("n", "stub"),
    [
        (1, lambda f, W, eps=1e-5: ...),
        (2, ...),
        (3, lambda n_in, s: ...),
        (4, lambda A: ...),
        (5, lambda X, Y, parameters, cache: ...),
    ],
)
def test_what_was_not_touched_is_no_answer(n, stub):
    assert check(n, stub).status == "unanswered"
    assert check(n, ...).status == "unanswered"


# 6.1 -----------------------------------------------------------------------------------------------------------------


def central(f, W, eps=1e-5):
    return loss_per_entry(W, lambda up, down: (f(up) - f(down)) / (2 * eps))


def in_place(f, W, eps=1e-5):
    slopes = np.zeros_like(W)
    for at in np.ndindex(W.shape):
        W[at] += eps
        up = f(W)
        W[at] -= 2 * eps
        slopes[at] = (up - f(W)) / (2 * eps)
        W[at] += eps  # puts it back to rounding
    return slopes


def not_put_back(f, W, eps=1e-5):
    slopes = np.zeros_like(W)
    for at in np.ndindex(W.shape):
        W[at] += eps
        up = f(W)
        W[at] -= 2 * eps
        slopes[at] = (up - f(W)) / (2 * eps)
    return slopes


@pytest.mark.parametrize("f", [central, in_place, lambda f, W, eps: central(f, W, eps).tolist()])
def test_slopes_of_a_matrix(f):
    verdict = check(1, f)
    assert verdict.ok, str(verdict)
    assert "two evaluations of the loss for each weight" in verdict.message


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (
            lambda f, W, eps: loss_per_entry(W, lambda up, down: (f(up) - f(W)) / eps),
            "These are one-sided differences: ",
        ),
        (
            lambda f, W, eps: loss_per_entry(W, lambda up, down: (f(W) - f(down)) / eps),
            "one-sided differences, backwards",
        ),
        (lambda f, W, eps: loss_per_entry(W, lambda up, down: (f(up) - f(down)) / eps), "twice too large"),
        (lambda f, W, eps: loss_per_entry(W, lambda up, down: (f(up) - f(down)) / 2 * eps), "Mind the parentheses"),
        (lambda f, W, eps: -central(f, W, eps), "The sign is the wrong way round"),
        (lambda f, W, eps: (f(W + eps) - f(W - eps)) / (2 * eps), "gives a single slope"),
        (lambda f, W, eps: np.full_like(W, (f(W + eps) - f(W - eps)) / (2 * eps)), "all slopes come out the same"),
        (not_put_back, "`W` does not come out as it went in"),
        (lambda f, W, eps: 3 * W, "it should be"),
        (lambda f, W, eps: central(f, W, eps).T, "has the shape (3, 2); it should be (2, 3)"),
        (lambda f, W: W, "your function stops with `TypeError"),
        (3, "hand over the function itself"),
    ],
)
def test_wrong_slopes(f, message):
    assert_wrong(check(1, f), message)


# 6.2 -----------------------------------------------------------------------------------------------------------------


def test_the_diagnosis():
    verdict = check(2, "activation-derivative-wrong-argument")
    assert verdict.ok
    assert "`1 - A1 ** 2`" in verdict.message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("activation-derivative-missing", "It is not missing"),
        ("activation-derivative-of-another", "where is it taken?"),
        ("bias-gradient-averaged-twice", "what do they share?"),
        ("output-delta-extra-derivative", "the check finds both of them right"),
        ("preactivation-in-weight-gradient", "it is made of `A1`"),
        ("sign-flipped", "answer with one of `'activation-derivative-missing'`"),
        (7, "answer with one of"),
    ],
)
def test_wrong_diagnoses(code, message):
    assert_wrong(check(2, code), message)


# 6.3 -----------------------------------------------------------------------------------------------------------------


def test_first_weights():
    verdict = check(3, lambda n_in, s: np.sqrt(2 / (n_in * (1 + s**2))))
    assert verdict.ok
    assert "He and his co-authors" in verdict.message


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda n_in, s: 2 / (n_in * (1 + s**2)), "That is the variance"),
        (lambda n_in, s: math.sqrt(2 / n_in), "That is He's σ, for s = 0"),
        (lambda n_in, s: 2 / n_in, "That is He's variance"),
        (lambda n_in, s: 1 / math.sqrt(n_in), "the case without a kink, s = 1"),
        (lambda n_in, s: 1 / n_in, "the variance of the case without a kink"),
        (lambda n_in, s: math.sqrt(2 / (n_in * (1 + s))), "The s has to be squared too"),
        (lambda n_in, s: math.sqrt(1 / (n_in * (1 + s**2))), "A factor is missing"),
        (lambda n_in, s: math.sqrt(n_in * (1 + s**2) / 2), "Upside down"),
        (lambda n_in, s: 0.01, "your answer is 0.0100; it should be 0.0505"),
        (lambda n_in, s: "small", "should be numbers, not `str`"),
    ],
)
def test_wrong_first_weights(f, message):
    assert_wrong(check(3, f), message)


# 6.4 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f", [lambda A: int((A == 0).all(axis=0).sum()), lambda A: sum(not column.any() for column in A.T)]
)
def test_dead_units(f):
    verdict = check(4, f)
    assert verdict.ok, str(verdict)
    assert "Count over many images" in verdict.message


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda A: np.sum(A == 0), "That counts zeros"),
        (lambda A: np.sum((A == 0).all(axis=1)), "The axis is the wrong one"),
        (lambda A: np.sum((A == 0).any(axis=0)), "off for *some* image"),
        (lambda A: np.sum((A > 0).any(axis=0)), "Those are the living"),
        (lambda A: np.mean((A == 0).all(axis=0)), "the share of dead units"),
        (lambda A: (A == 0).all(axis=0), "Now count them"),
        (lambda A: np.flatnonzero((A == 0).all(axis=0)), "How many are they?"),
        (lambda A: 3, "your answer is 3.0000; it should be 13.0000"),
        (lambda A: A.shape[2], "your function stops with `IndexError"),
    ],
)
def test_wrong_counts(f, message):
    assert_wrong(check(4, f), message)


# 6.5 -----------------------------------------------------------------------------------------------------------------


def repaired(X, Y, parameters, cache):
    dZ3 = (cache["A3"] - Y) / len(X)
    dW3 = cache["A2"].T @ dZ3
    db3 = dZ3.sum(axis=0, keepdims=True)
    dZ2 = (dZ3 @ parameters["W3"].T) * (cache["Z2"] > 0)
    dW2 = cache["A1"].T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dZ1 = (dZ2 @ parameters["W2"].T) * (cache["A1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


def sabotaged(X, Y, parameters, cache):
    dZ3 = (cache["A3"] - Y) / len(X)
    dW3 = cache["A2"].T @ dZ3
    db3 = dZ3.sum(axis=0, keepdims=True)
    dZ2 = (dZ3 @ parameters["W3"].T) * (cache["Z2"] > 0)
    dW2 = cache["Z1"].T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dZ1 = (dZ2 @ parameters["W2"].T) * (cache["A1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.mean(axis=0, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


def half_repaired(X, Y, parameters, cache):
    dZ3 = (cache["A3"] - Y) / len(X)
    dW3 = cache["A2"].T @ dZ3
    db3 = dZ3.sum(axis=0, keepdims=True)
    dZ2 = (dZ3 @ parameters["W3"].T) * (cache["Z2"] > 0)
    dW2 = cache["A1"].T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dZ1 = (dZ2 @ parameters["W2"].T) * (cache["A1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.mean(axis=0, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


def other_half_repaired(X, Y, parameters, cache):
    dZ3 = (cache["A3"] - Y) / len(X)
    dW3 = cache["A2"].T @ dZ3
    db3 = dZ3.sum(axis=0, keepdims=True)
    dZ2 = (dZ3 @ parameters["W3"].T) * (cache["Z2"] > 0)
    dW2 = cache["Z1"].T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dZ1 = (dZ2 @ parameters["W2"].T) * (cache["A1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


@pytest.mark.parametrize("f", [repaired, lessons.backward_propagation])
def test_the_repair(f):
    verdict = check(5, f)
    assert verdict.ok, str(verdict)
    assert "`A1 > 0` in the mask was right all along" in verdict.message
    assert verdict.report.verdict == "correct"


@pytest.mark.parametrize(
    ("f", "codes"),
    [
        (sabotaged, ["preactivation-in-weight-gradient", "bias-gradient-averaged-twice"]),
        (half_repaired, ["bias-gradient-averaged-twice"]),
        (other_half_repaired, ["preactivation-in-weight-gradient"]),
    ],
)
def test_the_doctor_names_what_is_left(f, codes):
    verdict = check(5, f)
    assert_wrong(verdict, "not yet.")
    assert [finding.code for finding in verdict.report.findings] == codes
    assert "Hint 1 of 3" in str(verdict)


def two_layers(X, Y, parameters, cache):
    return {name: gradient for name, gradient in repaired(X, Y, parameters, cache).items() if "3" not in name}


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (two_layers, "the six gradients of the three layers: dW1, db1, dW2, db2, dW3, db3."),
        (lambda X, Y, parameters, cache: X, "Return a dictionary"),
        (lambda X, Y, parameters, cache: cache["A4"], "your function stops with `KeyError"),
    ],
)
def test_what_is_no_such_function(f, message):
    assert_wrong(check(5, f), message)


def test_answers_in_french():
    lesson = Lesson("6-when-it-goes-wrong", "fr")
    assert "ne diminue que comme ε" in str(
        lesson.check(1, lambda f, W, eps: loss_per_entry(W, lambda up, down: (f(up) - f(W)) / eps))
    )
    assert "Elle ne manque pas" in str(lesson.check(2, "activation-derivative-missing"))
    assert "Ce sont les vivantes" in str(lesson.check(4, lambda A: np.sum((A > 0).any(axis=0))))
    i18n.activate("en")


def test_hints():
    assert [len(exercise.hints) for exercise in exercises_of(6)] == [3, 2, 3, 2, 2]
    verdict = check(3, lambda n_in, s: 1.0)
    assert "n σ² (1 + s²) / 2 = 1" in str(verdict.hints(3))
    assert "n σ² (1 + s²) / 2 = 1" not in str(verdict.hints(2))

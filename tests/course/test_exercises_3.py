"""The exercises of lesson 3: each stub, right answers, and every wrong answer with what it is told."""

from __future__ import annotations

import inspect
import linecache

import numpy as np
import pytest

from pasapas import i18n, lessons
from pasapas.course.exercises import exercises_of, lesson_3
from pasapas.course.lesson import Lesson


@pytest.fixture(autouse=True)
def english():
    i18n.activate("en")
    yield
    i18n.activate(None)


def judged(exercise, *answers):
    return exercises_of(3)[exercise - 1].judge(*answers)


def test_stubs_are_unanswered():
    def one(a):
        return ...

    def two(a, b):
        return ...

    def three(a, b, c):
        return ...

    def four(a, b, c, d):
        return ...

    def empty(X, Y, parameters, cache):
        return {"dW1": ..., "db1": ..., "dW2": ..., "db2": ...}

    def pair(a, b, c):
        return ..., ...

    answers = [(1, two), (2, ..., ...), (2, 0.5, ...), (3, two), (4, four), (4, empty), (4, ...), (5, three), (6, pair)]
    for exercise, *answer in answers:
        assert judged(exercise, *answer).status == "unanswered", exercise
    for exercise in range(1, 7):
        assert Lesson("3-backpropagation", "en").check(exercise).status == "unanswered"


# 3.1 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda P, Y: -np.sum(Y * np.log(P)) / len(P),
        lambda P, Y: -np.mean(np.log(P[Y == 1])),
        lambda P, Y: -np.sum(Y * np.log(np.clip(P, 1e-12, 1))) / P.shape[0],
        lambda P, Y: lessons.cross_entropy_loss(Y, P),
        lambda P, Y: -np.mean(np.sum(Y * np.log(P), axis=1)),
    ],
)
def test_the_loss_right(answer):
    verdict = judged(1, answer)
    assert verdict.ok
    assert "right class" in verdict.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda P, Y: -np.sum(Y * np.log(P)), "sum over the images; divide"),
        (lambda P, Y: -np.sum(Y * np.log10(P)) / len(P), "base 10"),
        (lambda P, Y: -np.sum(Y * np.log2(P)) / len(P), "base 2"),
        (lambda P, Y: np.sum(Y * np.log(P)) / len(P), "the sign is missing"),
        (lambda P, Y: -np.mean(Y * np.log(P)), "images times classes"),
        (lambda P, Y: -np.sum(Y * np.log(P), axis=1), "one loss for each image"),
        (lambda P, Y: -np.sum(Y * np.log(P), axis=1, keepdims=True), "one loss for each image"),
        (lambda P, Y: -np.sum(Y * np.log(P), axis=1) / len(P), "one loss for each image"),
        (lambda P, Y: -np.sum(Y * np.log(P), axis=0), "keeps the classes apart"),
        (lambda P, Y: -np.sum(Y * np.log(P), axis=0) / len(P), "keeps the classes apart"),
        (lambda P, Y: -np.mean(np.sum(Y * np.log(P), axis=0)), "over the classes"),
        (lambda P, Y: -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / len(P), "yes-or-no"),
        (lambda P, Y: np.sum((P - Y) ** 2) / len(P), "squared error"),
        (lambda P, Y: 1 - np.sum(Y * P) / len(P), "no logarithm yet"),
        (lambda P, Y: np.log(P), "has the shape (4, 3)"),
        (lambda P, Y: 0.0, "`L`"),
    ],
)
def test_the_loss_wrong(answer, said):
    verdict = judged(1, answer)
    assert verdict.status == "wrong"
    assert said in verdict.message


# 3.2 -----------------------------------------------------------------------------------------------------------------


def test_learning_rates_right():
    assert judged(2, 0.5, 1).ok
    assert "1 − 2α" in judged(2, 1 / 2, 1.0).message


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((1, 0.5), "wrong way round"),
        ((1, 1), "`one_step`: with α = 1, x becomes −x"),
        ((2, 1), "`one_step`: with α = 2, x becomes −3x"),
        ((0.25, 1), "half of the way"),
        ((0.4, 1), "leads to 0.5"),
        ((0, 1), "nothing moves"),
        ((0.3, 1), "`one_step`: your answer is not right yet"),
        ((0.5, 0.5), "`diverges_above`: just above 0.5"),
        ((0.5, 2), "already with α = 1.5"),
        ((0.5, 1.1), "1.1 diverges, but so do smaller ones"),
        ((0.5, 1.5), "exactly −1"),
        ((0.5, 0.9), "`diverges_above`: your answer is not right yet"),
        (("a", 1), "should be numbers"),
    ],
)
def test_learning_rates_wrong(answers, said):
    verdict = judged(2, *answers)
    assert verdict.status == "wrong"
    assert said in verdict.message


# 3.3 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda dA1, Z1: dA1 * (Z1 > 0),
        lambda dA1, Z1: dA1 * (Z1 >= 0),
        lambda dA1, Z1: np.where(Z1 > 0, dA1, 0),
        lambda dA1, Z1: dA1 * (lessons.relu(Z1) > 0),
    ],
)
def test_the_gate_right(answer):
    assert judged(3, answer).ok


def in_place(dA1, Z1):
    dA1[Z1 <= 0] = 0
    return dA1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda dA1, Z1: dA1 * np.maximum(0, Z1), "ReLU(Z1), the value"),
        (lambda dA1, Z1: dA1 * Z1, "multiplies by `Z1` itself"),
        (lambda dA1, Z1: dA1 * (dA1 > 0), "sign of the gradient"),
        (lambda dA1, Z1: np.maximum(0, dA1), "sign of the gradient"),
        (lambda dA1, Z1: dA1, "the mask is missing"),
        (lambda dA1, Z1: (Z1 > 0) * 1.0, "the mask alone"),
        (lambda dA1, Z1: Z1 > 0, "the mask alone"),
        (lambda dA1, Z1: dA1 * (Z1 < 0), "wrong way round"),
        (lambda dA1, Z1: dA1 * np.sign(Z1), "the sign is −1"),
        (lambda dA1, Z1: np.maximum(0, Z1), "the way forward"),
        (in_place, "changes what it is given"),
        (lambda dA1, Z1: dA1.T, "has the shape"),
        (lambda dA1, Z1: 2 * dA1, "`dZ1[0, 0]`"),
    ],
)
def test_the_gate_wrong(answer, said):
    verdict = judged(3, answer)
    assert verdict.status == "wrong"
    assert said in verdict.message


# 3.4 -----------------------------------------------------------------------------------------------------------------


def backward(X, Y, parameters, cache):
    m = len(X)
    dZ2 = (cache["A2"] - Y) / m
    dW2 = cache["A1"].T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dA1 = dZ2 @ parameters["W2"].T
    dZ1 = dA1 * (cache["Z1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def late(X, Y, parameters, cache):
    m = len(X)
    dZ2 = cache["A2"] - Y
    dZ1 = dZ2 @ parameters["W2"].T * (cache["Z1"] > 0)
    return {
        "dW1": X.T @ dZ1 / m,
        "db1": dZ1.sum(axis=0) / m,
        "dW2": cache["A1"].T @ dZ2 / m,
        "db2": dZ2.sum(axis=0) / m,
    }


@pytest.mark.parametrize("answer", [backward, late])
def test_backward_right(answer):
    verdict = judged(4, answer)
    assert verdict.ok, verdict
    assert "whole of backpropagation" in verdict.message


def planted(old, new, f=backward):
    """`f` with one thing changed. Its text can be found, as that of a notebook's cell can."""
    source = inspect.getsource(f)
    assert old in source
    source = source.replace(old, new)
    name = f"<cell {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {"np": np, "lessons": lessons}
    exec(compile(source, name, "exec"), namespace)
    return namespace[f.__name__]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (" / m", "", "batch-mean-missing"),
        (".T @ dZ2", ".T @ dZ2 / m", "batch-mean-twice"),
        ('cache["A2"] - Y', 'Y - cache["A2"]', "sign-flipped"),
        (' * (cache["Z1"] > 0)', "", "activation-derivative-missing"),
        ('(cache["Z1"] > 0)', "(dA1 > 0)", "relu-mask-on-gradient"),
        ('["W2"].T', '["W2"]', "weights-not-transposed"),
        ('cache["A1"].T @', 'cache["Z1"].T @', "preactivation-in-weight-gradient"),
        ("dZ2.sum(axis=0, keepdims=True)", "dZ2.mean(axis=0, keepdims=True)", "bias-gradient-averaged-twice"),
        ("dZ2.sum(axis=0, keepdims=True)", "dZ2.sum(axis=1, keepdims=True)", "bias-gradient-not-summed"),
        ("dZ2.sum(axis=0, keepdims=True)", "dZ2.sum()", "bias-gradient-not-summed"),
        ('cache["A1"].T @ dZ2', 'dZ2.T @ cache["A1"]', "weight-gradient-transposed"),
    ],
)
def test_the_doctor_names_the_mistake(old, new, code):
    verdict = judged(4, planted(old, new))
    assert verdict.status == "wrong"
    assert code in [finding.code for finding in verdict.report.findings]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda X, Y, parameters, cache: tuple(backward(X, Y, parameters, cache).values()), "return a dictionary"),
        (lambda X, Y, parameters, cache: {"dW1": X}, "`db1` is missing"),
        (lambda X, Y, parameters, cache: {**backward(X, Y, parameters, cache), "dW2": ...}, "`dW2` is missing"),
        (lambda X, Y, parameters, cache: cache["A3"], "not yet"),
        (3, "hand over the function itself"),
    ],
)
def test_backward_of_another_form(answer, said):
    verdict = judged(4, answer)
    assert verdict.status == "wrong"
    assert said in verdict.message


# 3.5 -----------------------------------------------------------------------------------------------------------------


def each(step):
    """An answer that does `step(p, dp, a)` with each parameter."""
    return lambda parameters, gradients, a: {k: step(p, gradients["d" + k], a) for k, p in parameters.items()}


def changes_in_place(parameters, gradients, learning_rate):
    for name in parameters:
        parameters[name] -= learning_rate * gradients["d" + name]
    return parameters


def copies_the_names_only(parameters, gradients, learning_rate):
    new = parameters.copy()
    for name in new:
        new[name] -= learning_rate * gradients["d" + name]
    return new


def weights_only(parameters, gradients, learning_rate):
    new = dict(parameters)
    for name in ("W1", "W2"):
        new[name] = new[name] - learning_rate * gradients["d" + name]
    return new


def test_update_right():
    assert judged(5, each(lambda p, dp, a: p - a * dp)).ok
    assert judged(5, lessons.update_parameters).ok


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (each(lambda p, dp, a: p + a * dp), "climbs"),
        (each(lambda p, dp, a: p - dp), "not used"),
        (each(lambda p, dp, a: -a * dp), "the step alone"),
        (each(lambda p, dp, a: a * dp), "subtract it from the parameter"),
        (each(lambda p, dp, a: p), "nothing was subtracted"),
        (weights_only, "the biases stay"),
        (each(lambda p, dp, a: a * (p - dp)), "gradient alone"),
        (each(lambda p, dp, a: p - dp / a), "divided by the learning rate"),
        (each(lambda p, dp, a: p * (1 - a * dp)), "multiplied by the parameter"),
        (changes_in_place, "changes what it is given"),
        (copies_the_names_only, "changes what it is given"),
        (lambda parameters, gradients, a: {"d" + k: p for k, p in parameters.items()}, "`W1` is missing"),
        (lambda parameters, gradients, a: list(parameters.values()), "return a dictionary"),
        (each(lambda p, dp, a: p - 2 * a * dp), "`W1["),
    ],
)
def test_update_wrong(answer, said):
    verdict = judged(5, answer)
    assert verdict.status == "wrong"
    assert said in verdict.message


# 3.6 -----------------------------------------------------------------------------------------------------------------


def three_layers(params, X, Y):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.maximum(0, Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = np.maximum(0, Z2)
    Z3 = A2 @ params["W3"] + params["b3"]
    P = lessons.softmax(Z3)
    L = -np.sum(Y * np.log(P)) / len(X)
    dZ3 = (P - Y) / len(X)
    dZ2 = dZ3 @ params["W3"].T * (Z2 > 0)
    dZ1 = dZ2 @ params["W2"].T * (Z1 > 0)
    gradients = {}
    for i, (A, dZ) in enumerate([(X, dZ1), (A1, dZ2), (A2, dZ3)], 1):
        gradients[f"dW{i}"] = A.T @ dZ
        gradients[f"db{i}"] = dZ.sum(axis=0, keepdims=True)
    return L, gradients


def test_three_layers_right():
    verdict = judged(6, three_layers)
    assert verdict.ok, verdict
    assert verdict.report.ok
    assert "any depth" in verdict.message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dZ3 = (P - Y) / len(X)", "dZ3 = P - Y", "`dW3` is the first"),
        ("(A2, dZ3)", "(Z2, dZ3)", "`dW3` is the first"),
        (" * (Z2 > 0)", "", "`dW2` is the first"),
        (" * (Z1 > 0)", "", "`dW1` is wrong"),
        ("dZ.sum(axis=0, keepdims=True)", "dZ.mean(axis=0, keepdims=True)", "`db3` is the first"),
        ("dZ.sum(axis=0, keepdims=True)", "dZ.sum(axis=0, keepdims=True) * (2 if i == 2 else 1)", "`db2` is the first"),
        ("dZ.sum(axis=0, keepdims=True)", "dZ.sum(axis=0, keepdims=True) * (2 if i == 1 else 1)", "Only `db1`"),
        ("np.sum(Y * np.log(P)) / len(X)", "np.sum(Y * np.log(P))", "the sum over the images"),
        ("L = -np", "L = np", "wrong sign"),
        ("A1 = np.maximum(0, Z1)", "A1 = Z1", "a ReLU is missing"),
        ("A2 = np.maximum(0, Z2)", "A2 = Z2", "a ReLU is missing"),
        ("lessons.softmax(Z3)", "lessons.softmax(np.maximum(0, Z3))", "ReLU too many"),
        ("lessons.softmax(Z3)", "lessons.softmax(2 * Z3)", "look at the way forward first"),
        ("return L, gradients", "return gradients", "return the loss and the gradients"),
        ("return L, gradients", "return L, {}", "`dW1` is missing"),
        ("return L, gradients", "return L, [1]", "return a dictionary"),
        (
            "return L, gradients",
            'return L, {**gradients, "dW2": gradients["dW2"].T}',
            "gradient of W2 must have its shape",
        ),
        ('params["W3"].T', 'params["W3"]', "stops with `ValueError"),
    ],
)
def test_three_layers_wrong(old, new, said):
    verdict = judged(6, planted(old, new, three_layers))
    assert verdict.status == "wrong"
    assert said in verdict.message


def test_no_gate_of_three_layers_stands_at_its_kink():
    """A check at a kink would leave entries out."""
    X, _Y, params = lesson_3._world(5, 6, 4, 3, m=7, seed=5)
    _P, cache = lessons.forward_propagation(X, params)
    for name in ("Z1", "Z2"):
        assert np.abs(cache[name]).min() > 1e-3
        assert 0.2 < np.mean(cache[name] > 0) < 0.8  # both sides of the gate are seen


def test_every_message_speaks_french():
    i18n.activate("fr")
    assert "logarithme décimal" in judged(1, lambda P, Y: -np.sum(Y * np.log10(P)) / len(P)).message
    assert "échangés" in judged(2, 1, 0.5).message
    assert "il manque le masque" in judged(3, lambda dA1, Z1: dA1).message
    assert "docteur" in judged(4, backward).message
    assert "on monte" in judged(5, each(lambda p, dp, a: p + a * dp)).message
    assert "le premier qui soit faux" in judged(6, planted(" * (Z2 > 0)", "", three_layers)).message

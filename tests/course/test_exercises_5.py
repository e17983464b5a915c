from __future__ import annotations

import numpy as np
import pytest

from pasapas import i18n
from pasapas.course import Lesson
from pasapas.course.exercises.lesson_5 import EXERCISES
from pasapas.lessons import forward


@pytest.fixture(params=["en", "fr"])
def lesson(request):
    before = i18n.language()
    yield Lesson("5-derivation", request.param)
    i18n.activate(before)


@pytest.fixture
def english():
    before = i18n.language()
    yield Lesson("5-derivation", "en")
    i18n.activate(before)


def stub(*_inputs):
    return ...


@pytest.mark.parametrize("n", range(1, len(EXERCISES) + 1))
def test_a_stub_is_unanswered(lesson, n):
    assert lesson.check(n, ... if n == 4 else stub).status == "unanswered"


def softmax_jacobian(o):
    return np.diag(o) - np.outer(o, o)


def by_loops(o):
    n = len(o)
    return [[o[i] * ((i == j) - o[j]) for j in range(n)] for i in range(n)]


@pytest.mark.parametrize(
    "f", [softmax_jacobian, by_loops, lambda o: o[:, None] * (np.eye(len(o)) - o), lambda o: softmax_jacobian(o).T]
)
def test_right_jacobians(lesson, f):
    assert lesson.check(1, f).status == "right"


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda o: np.diag(o * (1 - o)), "Only the diagonal"),
        (lambda o: o * (1 - o), "n × n"),
        (lambda o: np.outer(o, o) - np.diag(o), "All signs"),
        (lambda o: np.diag(o) + np.outer(o, o), "subtracted, not added"),
        (lambda o: -np.outer(o, o), "oⱼ is missing"),
        (lambda o: np.where(np.eye(len(o)) > 0, o * (1 - o), np.outer(o, o)), "off it the sign is missing"),
        (lambda o: np.eye(len(o)) - np.outer(o, o), "the whole bracket"),
        (lambda o: np.outer(o, 1 - o), "it should be"),
        (lambda o: softmax_jacobian(o)[:2, :2], "the shape"),
        (lambda o: o @ np.zeros(7), "stops with"),
    ],
)
def test_wrong_jacobians(english, f, says):
    verdict = english.check(1, f)
    assert verdict.status == "wrong"
    assert says in str(verdict)


def delta(slope):
    return lambda delta2, W2, A1: (delta2 @ W2) * slope(A1)


def inverted(A1):
    z = A1 / (1 - np.abs(A1))
    return 1 / (1 + np.abs(z)) ** 2


@pytest.mark.parametrize("slope", [lambda A: (1 - np.abs(A)) ** 2, lambda A: 1 - 2 * np.abs(A) + A**2, inverted])
def test_right_deltas(lesson, slope):
    assert lesson.check(2, delta(slope)).status == "right"


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (delta(lambda A: 1 - A**2), "δ for tanh"),
        (delta(lambda A: A * (1 - A)), "δ for the sigmoid"),
        (delta(lambda A: (1 - A) ** 2), "For z < 0"),
        (delta(lambda A: 1 / (1 + np.abs(A)) ** 2), "A1 is the output o"),
        (delta(lambda A: 1 - np.abs(A)), "the square of that"),
        (delta(np.ones_like), "f′(net)"),
        (delta(lambda A: -((1 - np.abs(A)) ** 2)), "The sign is the wrong way round"),
        (lambda delta2, W2, A1: delta2 @ W2.T * (1 - np.abs(A1)) ** 2, "stops with"),
        (delta(lambda A: 2 * (1 - np.abs(A)) ** 2), "it should be"),
    ],
)
def test_wrong_deltas(english, f, says):
    verdict = english.check(2, f)
    assert verdict.status == "wrong"
    assert says in str(verdict)


def a_backward(
    delta=lambda P, Y: P - Y, slope=lambda A: 1 - A**2, mean=True, transposed=False, bias=lambda d: d.sum(0)[:, None]
):
    def f(params, outputs, Y, X):
        P, _Z1, A1 = outputs
        m = len(X) if mean else 1
        d2 = delta(P, Y)
        d1 = d2 @ params["W2"] * slope(A1)
        dW1, dW2 = d1.T @ X / m, d2.T @ A1 / m
        if transposed:
            dW1, dW2 = dW1.T, dW2.T
        return {"W1": dW1, "b1": bias(d1) / m, "W2": dW2, "b2": bias(d2) / m}

    return f


def divided_at_once(params, outputs, Y, X):
    P, Z1, A1 = outputs
    d2 = (P - Y) / len(X)
    d1 = np.dot(d2, params["W2"]) * (1 - np.tanh(Z1) ** 2)
    return {
        "W1": d1.T @ X,
        "b1": d1.T.sum(axis=1, keepdims=True),
        "W2": d2.T @ A1,
        "b2": d2.T.sum(axis=1, keepdims=True),
    }


@pytest.mark.parametrize("f", [a_backward(), divided_at_once])
def test_right_ways_back(lesson, f):
    verdict = lesson.check(3, f)
    assert verdict.status == "right", str(verdict)
    assert verdict.report.verdict == "correct"


@pytest.mark.parametrize(
    ("f", "code"),
    [
        (a_backward(delta=lambda P, Y: Y - P), "sign-flipped"),
        (a_backward(slope=np.ones_like), "activation-derivative-missing"),
        (a_backward(slope=lambda A: 1 - np.tanh(A) ** 2), "activation-derivative-wrong-argument"),
        (a_backward(slope=lambda A: A * (1 - A)), "activation-derivative-of-another"),
        (a_backward(mean=False), "batch-mean-missing"),
        (a_backward(transposed=True), "weight-gradient-transposed"),
        (a_backward(delta=lambda P, Y: (P - Y) * P * (1 - P)), "output-delta-extra-derivative"),
    ],
)
def test_the_doctor_names_what_is_wrong_on_the_way_back(english, f, code):
    verdict = english.check(3, f)
    assert verdict.status == "wrong"
    assert [finding.code for finding in verdict.report.findings] == [code]


def test_a_bias_gradient_in_a_row_would_fail_in_the_update(english):
    verdict = english.check(3, a_backward(bias=lambda d: d.sum(0, keepdims=True)))
    assert verdict.status == "wrong"
    assert "gradient of `b1` has the shape (1, 4)" in str(verdict)


@pytest.mark.parametrize("answer", ["bd", "db", "B, D", ["b", "d"], {"d", "b"}])
def test_right_signs(lesson, answer):
    assert lesson.check(4, answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("abd", "Look at a again"),
        ("d", "Look at b again"),
        ("bcd", "Look at c again"),
        ("b", "Look at d again"),
        ("bde", "Look at e again"),
        ("", "letters from a to e"),
        ("bdz", "letters from a to e"),
        (3, "letters from a to e"),
    ],
)
def test_wrong_signs(english, answer, says):
    verdict = english.check(4, answer)
    assert verdict.status == "wrong"
    assert says in str(verdict)


def weighted(delta=None, loss=None, factor=1.0, names="{}"):
    def f(params, X, Y, w):
        P, _Z1, A1 = forward(params, X)
        T, m = w * Y, len(X)
        L = -np.sum(T * np.log(P)) / m if loss is None else loss(P, Y, w)
        d2 = P * T.sum(axis=1, keepdims=True) - T if delta is None else delta(P, Y, w)
        d2 = factor * d2 / m
        d1 = d2 @ params["W2"] * (1 - A1**2)
        found = {"W1": d1.T @ X, "b1": d1.sum(0)[:, None], "W2": d2.T @ A1, "b2": d2.sum(0)[:, None]}
        return L, {names.format(name): value for name, value in found.items()}

    return f


@pytest.mark.parametrize(
    "f", [weighted(), weighted(names="d{}"), weighted(delta=lambda P, Y, w: (Y @ w)[:, None] * (P - Y))]
)
def test_right_weighted_losses(lesson, f):
    verdict = lesson.check(5, f)
    assert verdict.status == "right"
    assert verdict.report.ok


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (weighted(loss=lambda P, Y, w: -np.sum(Y * np.log(P)) / len(Y)), "`w` is not in it"),
        (weighted(loss=lambda P, Y, w: -np.sum(w * Y * np.log(P))), "should be their mean"),
        (weighted(loss=lambda P, Y, w: -np.mean(w * Y * np.log(P))), "the number of classes"),
        (weighted(loss=lambda P, Y, w: -np.sum(w * Y * np.log(P)) / np.sum(w * Y)), "the sum of the weights"),
        (weighted(loss=lambda P, Y, w: 7.0), "`L` is not right yet"),
        (weighted(delta=lambda P, Y, w: P - Y), "not in δ"),
        (weighted(delta=lambda P, Y, w: P - w * Y), "takes Σ w t for 1"),
        (weighted(delta=lambda P, Y, w: w * (P - Y)), "the same for the whole row"),
        (weighted(delta=lambda P, Y, w: w * (P - Y), names="d{}"), "the same for the whole row"),
        (weighted(factor=7.0), "not divided by m"),
        (weighted(factor=-1.0), "Mitchell's convention"),
        (weighted(factor=2.0), "not yet"),
        (lambda params, X, Y, w: 3.0, "as `L, gradients`"),
        (lambda params, X, Y, w: (weighted()(params, X, Y, w)[0], {}), "✗"),
    ],
)
def test_wrong_weighted_losses(english, f, says):
    verdict = english.check(5, f)
    assert verdict.status == "wrong"
    assert says in str(verdict)


def test_a_gradient_check_shows_where_an_unknown_mistake_is(english):
    verdict = english.check(5, weighted(factor=2.0))
    assert verdict.report is not None
    assert not verdict.report.ok


def test_half_an_answer_is_unanswered(english):
    assert english.check(5, lambda params, X, Y, w: (..., ...)).status == "unanswered"

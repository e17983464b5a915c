"""What a learner is told of an answer to an exercise of lesson 1."""

from __future__ import annotations

import numpy as np
import pytest

from pasapas.course import Lesson
from pasapas.course.exercises import lesson_1


@pytest.fixture
def check():
    return Lesson("1-data-and-neurons", "en").check


def nothing(*_):
    return ...


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_what_was_not_touched_is_no_answer(check, n):
    for answer in (..., None, nothing):
        assert check(n, answer).status == "unanswered"


def test_nearest_means_not_touched_are_no_answer(check):
    for answer in (..., nothing, lambda means: (..., ...), lambda means: (means.T, ...)):
        assert check(5, answer).status == "unanswered"


def one_hot_by_places(labels, n):
    Y = np.zeros((len(labels), n))
    Y[np.arange(len(labels)), labels] = 1
    return Y


def layer_by_loops(X, W, b):
    Z = np.zeros((len(X), W.shape[1]))
    for i in range(len(X)):
        for j in range(W.shape[1]):
            Z[i, j] = b[j]
            for k in range(len(W)):
                Z[i, j] += X[i, k] * W[k, j]
    return Z


def count(*sizes):
    return sum(sizes[i] * sizes[i + 1] + sizes[i + 1] for i in range(len(sizes) - 1))


@pytest.mark.parametrize(
    ("n", "answer"),
    [
        (1, lambda images: images.reshape(-1, 784) / 255),
        (1, lambda images: images.reshape(len(images), 784).astype("float32") / 255),
        (2, one_hot_by_places),
        (2, lambda labels, n: np.eye(n)[labels]),
        (2, lambda labels, n: labels[:, None] == np.arange(n)),
        (3, lambda X, W, b: X @ W + b),
        (3, layer_by_loops),
        (4, count),
        (5, lambda means: (means.T, -np.sum(means**2, axis=1) / 2)),
        (5, lambda means: (2 * means.T, -np.sum(means**2, axis=1))),
        (5, lambda means: (means.T, -np.sum(means**2, axis=1)[None, :] / 2)),
        (5, lambda means: ((means - means.mean(axis=0)).T, 1 - np.sum(means**2, axis=1) / 2)),
    ],
)
def test_right_answers(check, n, answer):
    verdict = check(n, answer)
    assert verdict.ok, verdict


def test_the_parameters_are_counted_in_the_verdict(check):
    assert "101,770" in str(check(4, count))


SLIPS = {
    1: lesson_1._PREPARE_SLIPS,
    2: lesson_1._ONE_HOT_SLIPS,
    3: lesson_1._LAYER_SLIPS,
    4: lesson_1._COUNT_SLIPS,
}


@pytest.mark.parametrize(("n", "i"), [(n, i) for n, slips in SLIPS.items() for i in range(len(slips))])
def test_every_slip_is_named(check, n, i):
    slip = SLIPS[n][i]
    verdict = check(n, slip.answer)
    assert verdict.status == "wrong"
    assert verdict.message == slip.text.en


@pytest.mark.parametrize("i", range(len(lesson_1._NEAREST_SLIPS)))
def test_every_slip_of_the_nearest_mean_is_named(check, i):
    bias, text = lesson_1._NEAREST_SLIPS[i]
    assert check(5, lambda means: (means.T, bias(means))).message == text.en


@pytest.mark.parametrize(
    ("n", "answer", "message"),
    [
        (1, lambda images: images.reshape(len(images), -1) / 127.5 - 1, "it should be"),
        (1, lambda images: images[:, 0] / 255, "has the shape"),
        (2, lambda labels, n: labels, "has the shape"),
        (2, lambda labels, n: np.ones((len(labels), n)), "it should be 0.0000"),
        (3, lambda X, W, b: X @ W * b, "it should be"),
        (3, lambda X, W, b: X @ W[:, :3] + b[:3], "it should be"),
        (4, lambda *sizes: 101_770, "it should be 8"),
        (4, lambda *sizes: sizes, "`n` has the shape"),
        (5, lambda means: means.T, "return two arrays"),
        (5, lambda means: (means, np.zeros(len(means))), "one neuron for each *column*"),
        (5, lambda means: (means.T, 0.0), "`b` has the shape ()"),
        (5, lambda means: (means.T, "b"), "arrays of numbers"),
        (5, lambda means: (-means.T, np.sum(means**2, axis=1) / 2), "*farthest*"),
        (5, lambda means: (np.ones(means.T.shape), np.ones(len(means))), "not yet: for"),
    ],
)
def test_other_wrong_answers(check, n, answer, message):
    verdict = check(n, answer)
    assert verdict.status == "wrong"
    assert message in verdict.message

from __future__ import annotations

import numpy as np
import pytest

from gradients import assert_is_gradient
from pasapas import SoftmaxCrossEntropy, log_softmax, one_hot, softmax


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradient(random, smoothing):
    loss = SoftmaxCrossEntropy(smoothing)
    Z = random.standard_normal((7, 5)) * 3
    Y = loss.targets(random.integers(0, 5, 7), 5, np.float64)
    assert_is_gradient(loss.gradient(Z, Y), lambda z: loss.value(z, Y), Z)


def test_value_by_hand():
    loss = SoftmaxCrossEntropy()
    Z = np.log(np.array([[0.95, 0.03, 0.02], [0.1, 0.2, 0.7]]))
    Y = one_hot(np.array([0, 1]), 3, np.float64)
    assert float(loss.value(Z, Y)) == pytest.approx(-(np.log(0.95) + np.log(0.2)) / 2, rel=1e-14)
    np.testing.assert_allclose(loss.gradient(Z, Y) * 2, [[-0.05, 0.03, 0.02], [0.1, -0.8, 0.7]], atol=1e-15)


def test_large_scores_stay_finite():
    Z = np.array([[1e4, 0.0, -1e4], [1000.0, 1000.0, 1000.0]], dtype=np.float32)
    np.testing.assert_allclose(softmax(Z), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    np.testing.assert_allclose(log_softmax(Z)[0], [0, -1e4, -2e4])
    Y = one_hot(np.array([2, 0]), 3, np.float32)
    assert float(SoftmaxCrossEntropy().value(Z, Y)) == pytest.approx((2e4 + np.log(3)) / 2)


def test_softmax_rows_sum_to_one_and_ignore_a_shift(random):
    Z = random.standard_normal((9, 4)) * 10
    np.testing.assert_allclose(softmax(Z).sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(Z + 100), softmax(Z), rtol=1e-12)


def test_targets():
    np.testing.assert_array_equal(
        one_hot(np.array([3, 0], np.uint8), 4, np.float32), np.array([[0, 0, 0, 1], [1, 0, 0, 0]], np.float32)
    )
    Y = SoftmaxCrossEntropy(0.2).targets(np.array([1]), 4, np.float64)
    np.testing.assert_allclose(Y, [[0.05, 0.85, 0.05, 0.05]])
    assert Y.sum() == pytest.approx(1)

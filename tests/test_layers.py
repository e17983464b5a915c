from __future__ import annotations

import numpy as np
import pytest

from gradients import assert_is_gradient
from pasapas import Dense, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh

M, N = 7, 5  # odd, and unlike each other
ELEMENTWISE = [ReLU(), LeakyReLU(), LeakyReLU(0.3), Tanh(), Sigmoid()]


@pytest.fixture
def X(random):
    return random.standard_normal((M, N)) * 2


@pytest.mark.parametrize("layer", ELEMENTWISE, ids=repr)
def test_input_gradient_of_activations(layer, X, random):
    dY = random.standard_normal((M, N))
    got = layer.input_gradient({}, X, layer.forward({}, X), dY)
    assert_is_gradient(got, lambda x: (layer.forward({}, x) * dY).sum(), X)
    assert layer.parameter_gradients({}, X, layer.forward({}, X), dY) == {}


def test_gradients_of_dense(X, random):
    layer = Dense(N, 3)
    params = {"W": random.standard_normal((N, 3)), "b": random.standard_normal(3)}
    dY = random.standard_normal((M, 3))
    Y = layer.forward(params, X)

    def loss(W=params["W"], b=params["b"], x=X):
        return (layer.forward({"W": W, "b": b}, x) * dY).sum()

    gradients = layer.parameter_gradients(params, X, Y, dY)
    assert set(gradients) == {"W", "b"}
    assert_is_gradient(gradients["W"], lambda W: loss(W=W), params["W"])
    assert_is_gradient(gradients["b"], lambda b: loss(b=b), params["b"])
    assert_is_gradient(layer.input_gradient(params, X, Y, dY), lambda x: loss(x=x), X)


def test_gradient_of_dropout_with_its_mask(X, random):
    layer = Dropout(0.4)
    params = {"mask": layer.draw_mask(random.random((M, N)))}
    dY = random.standard_normal((M, N))
    got = layer.input_gradient(params, X, layer.forward(params, X), dY)
    assert_is_gradient(got, lambda x: (layer.forward(params, x) * dY).sum(), X)


def test_dropout_without_a_mask_does_nothing(X):
    layer = Dropout(0.4)
    assert layer.forward({}, X) is X
    assert layer.input_gradient({}, X, X, X) is X


def test_dropout_keeps_its_share_and_the_mean(random):
    mask = Dropout(0.3).draw_mask(random.random((1000, 500)))
    assert set(np.unique(mask)) == {0.0, 1 / 0.7}
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.005)
    assert np.mean(mask) == pytest.approx(1, abs=0.005)


def test_dense_by_hand():
    layer = Dense(2, 3)
    params = {"W": np.array([[1.0, 2, 3], [4, 5, 6]]), "b": np.array([0.5, -0.5, 0])}
    X = np.array([[1.0, 10], [-1, 2]])
    np.testing.assert_array_equal(layer.forward(params, X), [[41.5, 51.5, 63], [7.5, 7.5, 9]])
    dY = np.array([[1.0, 0, -1], [0, 2, 0]])
    gradients = layer.parameter_gradients(params, X, layer.forward(params, X), dY)
    np.testing.assert_array_equal(gradients["W"], [[1, -2, -1], [10, 4, -10]])
    np.testing.assert_array_equal(gradients["b"], [1, 2, -1])
    np.testing.assert_array_equal(layer.input_gradient(params, X, X, dY), [[-2, -2], [4, 10]])


def test_relu_at_zero_and_nan():
    X = np.array([[-1.0, 0.0, 2.0, np.nan]])
    np.testing.assert_array_equal(ReLU().forward({}, X), [[0, 0, 2, np.nan]])
    np.testing.assert_array_equal(ReLU().input_gradient({}, X, X, np.ones((1, 4)))[0, :3], [0, 0, 1])


def test_sigmoid_does_not_overflow():
    X = np.array([[-1e4, 0, 1e4]])
    np.testing.assert_array_equal(Sigmoid().forward({}, X), [[0, 0.5, 1]])


@pytest.mark.parametrize("layer", ELEMENTWISE, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays(layer, dtype, X):
    X = X.astype(dtype)
    Y = layer.forward({}, X)
    assert Y.dtype == dtype
    assert layer.input_gradient({}, X, Y, X).dtype == dtype

from __future__ import annotations

import array_api_strict
import jax
import numpy as np
import pytest

from gradients import assert_is_gradient
from pasapas import SGD, Adam, He, Momentum, PasapasError, Tanh, backward, forward, mlp, step
from pasapas.layers import ACTIVATIONS


def a_problem(network, random, m=6):
    """Parameters with biases that are not zero, images, and targets."""
    params = network.initialize(He(), seed=3, dtype="float64")
    for p in params:
        if "b" in p:
            p["b"] = random.standard_normal(p["b"].shape)
    X = random.standard_normal((m, network.sizes[0]))
    Y = network.loss.targets(random.integers(0, network.sizes[-1], m), network.sizes[-1], np.float64)
    return params, X, Y


def assert_gradients(network, params, X, Y, gradients) -> None:
    """The gradient of every parameter, but for masks, is that of the loss."""
    for i, p in enumerate(params):
        assert set(gradients[i]) == set(p) - {"mask"}
        for name in gradients[i]:

            def loss(value, i=i, name=name):
                changed = [{**q, name: value} if j == i else q for j, q in enumerate(params)]
                return network.loss_value(changed, forward(network.layers, changed, X), Y)

            assert_is_gradient(gradients[i][name], loss, p[name])


SIZES = [(5, 3), (5, 4, 3), (7, 5, 5, 3), (4, 6, 3, 5, 2)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_gradient(sizes, activation, random):
    network = mlp(*sizes, activation=activation, label_smoothing=0.1, l2=0.3)
    params, X, Y = a_problem(network, random)
    gradients = network.gradients(params, forward(network.layers, params, X), Y)
    assert_gradients(network, params, X, Y, gradients)


def test_gradients_with_dropout_masks(random):
    network = mlp(6, 5, 4, 3, dropout=0.3, input_dropout=0.2)
    params, X, Y = a_problem(network, random)
    masked = network.with_masks(params, len(X), random)
    gradients = network.gradients(masked, forward(network.layers, masked, X), Y)
    assert_gradients(network, masked, X, Y, gradients)


def test_a_planted_error_is_found(random):
    """The oracle itself can fail: one entry of one gradient wrong by one part in a thousand."""
    network = mlp(5, 4, 3)
    params, X, Y = a_problem(network, random)
    gradients = network.gradients(params, forward(network.layers, params, X), Y)
    W = gradients[0]["W"].copy()
    W[np.unravel_index(np.abs(W).argmax(), W.shape)] *= 1.001

    def loss(value):
        changed = [{**params[0], "W": value}, *params[1:]]
        return network.loss_value(changed, forward(network.layers, changed, X), Y)

    with pytest.raises(AssertionError):
        assert_is_gradient(W, loss, params[0]["W"])


def test_nothing_is_changed_in_place(random):
    network = mlp(6, 5, 4, dropout=0.5, l2=0.1)
    params, X, Y = a_problem(network, random)
    masked = network.with_masks(params, len(X), random)
    optimizer = Adam()
    state = optimizer.initialize(params)
    arrays = [X, Y, *jax.tree.leaves((params, masked, state["mean"], state["square"]))]
    for array in arrays:
        array.flags.writeable = False
    new, _, _, _ = step(network, optimizer, params, state, X, Y, 0.1, masked)
    assert not np.array_equal(new[0]["W"], params[0]["W"])


def test_no_gradient_of_the_inputs_is_computed(random):
    """Not with a dropout layer before the first weights either."""

    class Counting(Tanh):
        calls = 0

        def input_gradient(self, params, X, Y, dY):
            Counting.calls += 1
            return super().input_gradient(params, X, Y, dY)

    network = mlp(5, 4, 3)
    params, X, Y = a_problem(network, random)
    layers = (Counting(), *network.layers)
    values = forward(layers, [{}, *params], X)
    gradients, deltas = backward(layers, [{}, *params], values, network.loss.gradient(values[-1], Y))
    assert Counting.calls == 0
    assert [delta is None for delta in deltas] == [True, True, False, False, False]
    assert gradients[0] == {}
    assert gradients[1]["W"].shape == (5, 4)


def test_values_are_all_returned(random):
    network = mlp(5, 4, 3)
    params, X, _ = a_problem(network, random)
    values = forward(network.layers, params, X)
    assert values[0] is X
    Z1 = X @ params[0]["W"] + params[0]["b"]
    A1 = np.maximum(Z1, 0)
    for got, expected in zip(values[1:], [Z1, A1, A1 @ params[2]["W"] + params[2]["b"]], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_l2_is_on_weights_and_not_on_biases(random):
    params, X, Y = a_problem(mlp(5, 3), random)
    values = forward(mlp(5, 3).layers, params, X)
    plain, with_l2 = (mlp(5, 3, l2=l2).gradients(params, values, Y)[0] for l2 in (0, 0.5))
    np.testing.assert_allclose(with_l2["W"] - plain["W"], 0.5 * params[0]["W"], atol=1e-12)
    np.testing.assert_array_equal(with_l2["b"], plain["b"])


OPTIMIZERS = [SGD(), Momentum(), Momentum(nesterov=True), Adam()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_same_steps_on_the_strict_array_api_and_under_jit(activation, optimizer, random):
    """NumPy, array_api_strict and compiled JAX run the same functions and agree."""
    network = mlp(7, 5, 3, activation=activation, dropout=0.2, label_smoothing=0.1, l2=0.01)
    params, X, Y = a_problem(network, random)
    masks = network.with_masks(params, len(X), random)

    def two_steps(convert, run):
        p, x, y = [{k: convert(v) for k, v in q.items()} for q in params], convert(X), convert(Y)
        m = [{k: convert(v) for k, v in q.items() if k == "mask"} for q in masks]
        state = optimizer.initialize(p)
        for _ in range(2):
            masked = [{**q, **mask} for q, mask in zip(p, m, strict=True)]
            p, state, L, _ = run(p, state, x, y, masked)
        return [np.asarray(v) for q in p for v in q.values()], float(L)

    def run(p, state, x, y, masked):
        return step(network, optimizer, p, state, x, y, 0.1, masked)

    numpy, L = two_steps(np.asarray, run)
    strict, L_strict = two_steps(array_api_strict.asarray, run)
    jitted, L_jitted = two_steps(jax.numpy.asarray, jax.jit(run))
    assert L_strict == pytest.approx(L, rel=1e-13)
    assert L_jitted == pytest.approx(L, rel=1e-12)
    for a, b, c in zip(numpy, strict, jitted, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(c, a, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays_through_a_step(dtype, random):
    network = mlp(6, 5, 3, dropout=0.2, input_dropout=0.1, label_smoothing=0.1, l2=0.1)
    params = network.initialize(dtype=dtype)
    X = random.random((4, 6), dtype=dtype)
    Y = network.loss.targets(np.array([0, 1, 2, 0]), 3, np.dtype(dtype))
    masked = network.with_masks(params, 4, random)
    for optimizer in OPTIMIZERS:
        new, _, L, Z = step(network, optimizer, params, optimizer.initialize(params), X, Y, 0.1, masked)
        assert {a.dtype for p in new for a in p.values()} == {np.dtype(dtype)}
        assert L.dtype == Z.dtype == dtype


def test_masks_are_reproducible_and_of_the_right_widths():
    network = mlp(6, 5, 4, 3, dropout=0.3, input_dropout=0.2)
    params = network.initialize()
    first, second = (network.with_masks(params, 8, np.random.default_rng(5)) for _ in range(2))
    shapes = [p["mask"].shape for p in first if "mask" in p]
    assert shapes == [(8, 6), (8, 5), (8, 4)]
    for p, q in zip(first, second, strict=True):
        assert all(np.array_equal(p[k], q[k]) for k in p)
    plain = mlp(6, 5)
    assert plain.with_masks(params, 8, np.random.default_rng(5)) is params


@pytest.mark.parametrize(
    ("sizes", "options", "says"),
    [
        ((784,), {}, "at least two layer sizes"),
        ((784, 0, 10), {}, "784, 0, 10"),
        ((784, -3, 10), {}, "784, -3, 10"),
        ((784, 2.5, 10), {}, "2.5"),
        ((784, True, 10), {}, "True"),
        ((784, 10**9, 10), {}, "784-1000000000-10"),
        ((784, 10), {"activation": "rleu"}, "Did you mean 'relu'?"),
        ((784, 10), {"dropout": 1.0}, "dropout must be at least 0 and less than 1, not 1.0"),
        ((784, 10), {"input_dropout": float("nan")}, "input_dropout"),
        ((784, 10), {"label_smoothing": -0.1}, "label_smoothing"),
        ((784, 10), {"l2": float("inf")}, "l2"),
    ],
)
def test_what_cannot_be_is_refused(sizes, options, says):
    with pytest.raises(PasapasError) as error:
        mlp(*sizes, **options)
    assert says in str(error.value)

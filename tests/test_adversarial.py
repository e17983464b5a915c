"""Images moved against the network: the gradient at the inputs, and training on both."""

from __future__ import annotations

import numpy as np
import pytest

from pasapas import Dataset, Dropout, Network, Recipe, forward, mlp
from pasapas.backends import make_engine
from pasapas.backends.epochs import make_plan
from pasapas.layers import Dense, Sigmoid, Tanh
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.network import input_gradient
from pasapas.steps import adversarial, step
from pasapas.training import start


def small(activation: str = "relu", **options: float):
    network = mlp(7, 5, 4, activation=activation, **options)
    random = np.random.default_rng(3)
    params = [
        {k: v + 0.1 * random.standard_normal(v.shape) for k, v in p.items()}
        for p in network.initialize(seed=1, dtype="float64")
    ]
    X = random.standard_normal((6, 7))
    Y = network.loss.targets(random.integers(0, 4, 6), 4, "float64")
    return network, params, X, Y


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh", "sigmoid"])
def test_the_gradient_at_the_inputs_is_that_of_central_differences_and_of_jax(activation):
    import jax
    import jax.numpy as jnp

    network, params, X, Y = small(activation, label_smoothing=0.1)
    values = forward(network.layers, params, X)
    dX = input_gradient(network.layers, params, values, network.loss.gradient(values[-1], Y))

    def loss(X):
        return network.loss.value(forward(network.layers, params, X)[-1], Y)

    h = 1e-6
    for i, j in np.ndindex(*X.shape):
        E = np.zeros_like(X)
        E[i, j] = h
        assert dX[i, j] == pytest.approx((loss(X + E) - loss(X - E)) / (2 * h), rel=1e-6, abs=1e-9)
    with jax.enable_x64(True):
        np.testing.assert_allclose(dX, jax.grad(loss)(jnp.asarray(X)), rtol=1e-12, atol=1e-15)


def test_the_gradient_goes_through_a_layer_before_the_first_weights():
    network = Network((Tanh(), Dropout(0.5), Dense(7, 4), Sigmoid(), Dense(4, 4)), SoftmaxCrossEntropy())
    params = network.initialize(seed=2, dtype="float64")
    params[1] = {"mask": np.full((3, 7), 2.0)}
    X = np.random.default_rng(0).standard_normal((3, 7))
    Y = network.loss.targets(np.array([0, 1, 2]), 4, "float64")
    values = forward(network.layers, params, X)
    dX = input_gradient(network.layers, params, values, network.loss.gradient(values[-1], Y))
    E = np.zeros_like(X)
    E[1, 2] = 1e-6
    above, below = (network.loss.value(forward(network.layers, params, X + s * E)[-1], Y) for s in (1, -1))
    assert dX[1, 2] == pytest.approx((above - below) / 2e-6, rel=1e-6)


def test_every_row_moves_by_the_distance_along_its_gradient():
    network, params, X, Y = small()
    moved = adversarial(network, params, X, Y, 0.05)
    np.testing.assert_allclose(np.linalg.norm(moved - X, axis=1), 0.05)
    values = forward(network.layers, params, X)
    dX = input_gradient(network.layers, params, values, network.loss.gradient(values[-1], Y))
    cosines = np.sum((moved - X) * dX, axis=1) / (0.05 * np.linalg.norm(dX, axis=1))
    np.testing.assert_allclose(cosines, 1)
    before, after = (network.loss.value(forward(network.layers, params, x)[-1], Y) for x in (X, moved))
    assert after > before
    np.testing.assert_array_equal(adversarial(network, params, X, Y, 0.0), X)


def test_rows_that_are_nearly_certain_move_too_and_those_without_a_gradient_stay():
    network, params, X, Y = small()
    params = [{k: v.astype(np.float32) for k, v in p.items()} for p in params]
    sure = [{k: 60 * v for k, v in p.items()} if i == 2 else p for i, p in enumerate(params)]
    best = forward(network.layers, sure, X.astype(np.float32))[-1].argmax(axis=1)
    moved = adversarial(network, sure, X.astype(np.float32), np.eye(4, dtype=np.float32)[best], 0.5)
    assert np.isfinite(moved).all()
    lengths = np.linalg.norm(moved - X, axis=1)
    assert ((np.abs(lengths - 0.5) < 1e-4) | (lengths < 1e-6)).all()
    dead = [{**params[0], "b": params[0]["b"] - 100}, *params[1:]]
    np.testing.assert_array_equal(adversarial(network, dead, X, Y, 0.5), X)


RECIPE = Recipe(
    hidden=(9,), train_images=50, batch_size=20, adversarial=0.7, learning_rate=0.3, dtype="float64", optimizer="momentum"
)  # fmt: skip


@pytest.fixture(scope="module")
def images() -> Dataset:
    random = np.random.default_rng(5)
    return Dataset(random.integers(0, 256, (50, 28, 28), dtype=np.uint8), random.integers(0, 10, 50))


def trained(some, images, method: str = "epoch"):  # "epoch" alone chooses the number of BLAS threads
    network = some.network()
    engine = make_engine(some, network)
    progress = start(network, some)
    params, state = engine.place(progress.params), engine.place(progress.state)
    losses: list[float] = []
    for steps in getattr(engine, method)(params, state, images, make_plan(some, len(images), 1)):
        losses += steps.losses
    return [np.array(p["W"]) for p in engine.fetch(steps.params) if p], losses


def test_an_epoch_is_steps_on_both(images):
    some = RECIPE.replace(input_mean=0.1, input_std=0.5)
    weights, losses = trained(some, images)
    network, optimizer = some.network(), some.make_optimizer()
    progress = start(network, some)
    params, state = progress.params, progress.state
    plan, expected = make_plan(some, len(images), 1), []
    for batch, rate in zip(plan.batches, plan.learning_rates, strict=True):
        X = (images.images[batch].reshape(-1, 784) / 255 - 0.1) / 0.5
        Y = network.loss.targets(images.labels[batch], 10, "float64")
        both = np.concatenate([X, adversarial(network, params, X, Y, 0.7 / 0.5)])
        params, state, L, _Z = step(network, optimizer, params, state, both, np.concatenate([Y, Y]), rate)
        expected.append(float(L))
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    for W, p in zip(weights, [p for p in params if p], strict=True):
        np.testing.assert_allclose(W, p["W"], rtol=1e-9, atol=1e-12)


def test_fast_readable_and_compiled_steps_agree(images):
    some = RECIPE.replace(dropout=0.3)
    fast, losses = trained(some, images, "steps")
    readable, same = trained(some, images, "readable_epoch")
    np.testing.assert_array_equal(losses, same)
    for one, other in zip(fast, readable, strict=True):
        np.testing.assert_array_equal(one, other)
    plain = RECIPE
    for one, other in zip(trained(plain, images)[0], trained(plain.replace(engine="jax"), images)[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)

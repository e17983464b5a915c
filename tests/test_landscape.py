"""The numbers behind the lesson's pictures: small worlds, surfaces, paths, gradients and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pasapas import Dataset, mlp, training
from pasapas.errors import PasapasError
from pasapas.losses import softmax
from pasapas.models import Model
from pasapas.network import forward
from pasapas.optimizers import SGD, Momentum
from pasapas.recipes import recipe
from pasapas.studies import demonstrations, gradient_flow, landscape, units

QUICK = {"train_images": 700, "test_images": 100, "hidden": [7], "epochs": 3, "batch_size": 64}


@pytest.fixture
def data(random) -> Dataset:
    return Dataset(random.integers(0, 256, (50, 28, 28)).astype(np.uint8), random.integers(0, 10, 50))


def with_biases(network, random, dtype="float64"):
    params = network.initialize(seed=3, dtype=dtype)
    return [{"W": p["W"], "b": random.normal(size=p["b"].shape).astype(dtype)} if p else {} for p in params]


# --- small worlds


@pytest.mark.parametrize("p", [0.99, 0.8, 0.5, 0.2, 0.05, 1e-9])
def test_loss_of_one_image(p):
    assert demonstrations.cross_entropy(p) == pytest.approx(-np.log(p), rel=1e-12)


@pytest.mark.parametrize("rate", [*demonstrations.RATES, 0.9, 1, 1.5])
def test_descent_on_a_parabola_is_a_power_of_its_factor(rate):
    found = demonstrations.parabola(rate)
    np.testing.assert_allclose(found.x, 2.5 * (1 - 2 * rate) ** np.arange(16), rtol=1e-9, atol=1e-300)


def test_a_half_lands_on_the_minimum_in_one_step():
    assert demonstrations.parabola(0.5).x.tolist() == [2.5] + [0.0] * 15


@pytest.mark.parametrize(
    ("rate", "regime"),
    [
        (0.1, "slow"), (0.3, "good"), (0.25, "good"), (0.5, "exact"), (0.51, "oscillating"), (0.9, "oscillating"),
        (1, "endless"), (1.05, "diverging"),
    ],
)  # fmt: skip
def test_regimes(rate, regime):
    found = demonstrations.parabola(rate)
    assert found.regime == regime
    distances = np.abs(found.x)
    if regime == "diverging":
        assert (np.diff(distances) > 0).all()
    elif regime == "endless":
        assert (distances == 2.5).all()
    else:
        assert (np.diff(distances) <= 0).all()
        assert (found.x[1] < 0) == (regime == "oscillating")


def test_the_default_rates_show_all_five():
    regimes = [demonstrations.parabola(rate).regime for rate in demonstrations.RATES]
    assert regimes == ["slow", "good", "exact", "oscillating", "diverging"]


def test_valley_without_momentum_is_two_powers():
    path = demonstrations.valley(steps=30, learning_rate=0.04, curvatures=(2.0, 30.0), start=(-3.0, 5.0))
    steps = np.arange(31)[:, None]
    np.testing.assert_allclose(path.points, [-3, 5] * (1 - 0.04 * np.array([2, 30])) ** steps, rtol=1e-9)
    np.testing.assert_allclose(path.loss, path.points[:, 0] ** 2 + 15 * path.points[:, 1] ** 2)


def test_valley_with_momentum_is_its_recurrence_and_gets_further():
    path = demonstrations.valley(0.7)
    x, v = np.array([-10.0, 1.5]), np.zeros(2)
    for point in path.points:
        np.testing.assert_allclose(point, x, atol=1e-12)
        v = 0.7 * v + np.array(demonstrations.VALLEY) * x
        x = x - demonstrations.VALLEY_RATE * v
    assert path.loss[-1] < 1e-4 * demonstrations.valley().loss[-1]


def test_nearly_too_large_across_and_too_small_along():
    across, along = (demonstrations.VALLEY_RATE * c for c in reversed(demonstrations.VALLEY))
    assert 1.5 < across < 2  # 2 would not converge
    assert along < 0.1
    worse = demonstrations.valley(learning_rate=1.1 * demonstrations.VALLEY_RATE)
    assert worse.loss[-1] > worse.loss[0]


def test_trajectory_uses_the_optimizer_that_it_is_given():
    plain, heavy = (demonstrations.trajectory(o, lambda x: x, [1.0], 0.1, 3)[:, 0] for o in (SGD(), Momentum(0.5)))
    np.testing.assert_allclose(plain, [1, 0.9, 0.81, 0.729])
    np.testing.assert_allclose(heavy, [1, 0.9, 0.76, 0.614])


# --- surfaces


def test_vector_and_back(random):
    network = mlp(5, 4, 3, dropout=0.5)
    params = with_biases(network, random, "float32")
    row = landscape.vector(params)
    assert row.shape == (5 * 4 + 4 + 4 * 3 + 3,)
    again = landscape.unvector(row, params)
    for p, q in zip(params, again, strict=True):
        assert p.keys() == q.keys()
        for name in p:
            assert q[name].dtype == np.float32
            np.testing.assert_array_equal(p[name], q[name])


def test_random_directions_are_normalised_unit_by_unit(random):
    network = mlp(9, 6, 4)
    params = with_biases(network, random)
    params[0]["W"][:, 2] *= 50
    params[2]["W"][:, 1] = 0
    direction = landscape.random_direction(params, random)
    for p, d in zip(params, direction, strict=True):
        if p:
            np.testing.assert_allclose(np.linalg.norm(d["W"], axis=0), np.linalg.norm(p["W"], axis=0), rtol=1e-12)
            assert not d["b"].any()
    other = landscape.random_direction(params, random)
    cosine = np.vdot(direction[0]["W"][:, 0], other[0]["W"][:, 0]) / np.linalg.norm(params[0]["W"][:, 0]) ** 2
    assert abs(cosine) < 0.99


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "network", [mlp(784, 6, 5, 10, activation="tanh"), mlp(784, 10), mlp(784, 6, 10, input_dropout=0.2)]
)
def test_surface_is_the_loss_of_the_network_moved(network, dtype, data, random):
    params = with_biases(network, random, dtype)
    first, second = (with_biases(network, random, dtype) for _ in "ab")
    seen = []
    x, y = np.array([-0.5, 0.0, 0.25]), np.array([0.0, 2.0])
    found = landscape.surface(network, params, first, second, x, y, data, seen.append)
    assert found.loss.shape == (2, 3)
    assert seen == [3, 6]
    assert found.loss[0, 1] == Model(network, params).evaluate(data.images, data.labels)[0]
    for row, column in np.ndindex(2, 3):
        moved = [
            {name: p[name] + x[column] * d[name] + y[row] * e[name] for name in p}
            for p, d, e in zip(params, first, second, strict=True)
        ]
        P = softmax(forward(network.layers, moved, data.images.reshape(50, -1) / 255.0)[-1])
        expected = -np.log(P[np.arange(50), data.labels]).mean()
        np.testing.assert_allclose(found.loss[row, column], expected, rtol=1e-4 if dtype == "float32" else 1e-10)


# --- paths


def test_a_path_in_a_plane_is_reproduced(random):
    network = mlp(6, 5, 4)
    centre = with_biases(network, random)
    n = len(landscape.vector(centre))
    basis = np.linalg.qr(random.normal(size=(n, 2)))[0].T
    walk = np.vstack([random.normal(size=(9, 2)) * [3, 1], [[0, 0]]])
    rows = landscape.vector(centre) + walk @ basis
    path = [landscape.unvector(row, centre) for row in rows]
    plane = landscape.path_plane(path, centre)
    directions = np.stack([landscape.vector(plane.first), landscape.vector(plane.second)])
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(landscape.vector(centre) + plane.coordinates @ directions, rows, atol=1e-10)
    assert plane.explained.sum() == pytest.approx(1)
    assert plane.explained[0] > plane.explained[1]
    variances = np.var(plane.coordinates, axis=0)
    np.testing.assert_allclose(plane.explained, variances / variances.sum())
    assert (plane.coordinates[0] <= 0).all()
    np.testing.assert_allclose(plane.coordinates[-1], 0, atol=1e-12)


def test_a_path_that_fills_more_than_a_plane_is_explained_in_part(random):
    centre = with_biases(mlp(6, 5, 4), random)
    path = [landscape.unvector(row, centre) for row in random.normal(size=(8, len(landscape.vector(centre))))]
    plane = landscape.path_plane(path, centre)
    matrix = np.stack([landscape.vector(p) for p in path])
    S = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False) ** 2
    np.testing.assert_allclose(plane.explained, S[:2] / S.sum())


@pytest.mark.parametrize("lengths", [[0, 1, 2, 5], [0, 0, 0]])
def test_straight_paths_and_none_at_all(lengths, random):
    centre = with_biases(mlp(6, 5, 4), random)
    step = random.normal(size=len(landscape.vector(centre)))
    path = [landscape.unvector(landscape.vector(centre) + t * step, centre) for t in lengths]
    plane = landscape.path_plane(path, centre)
    assert np.linalg.norm(landscape.vector(plane.second)) == pytest.approx(1)
    np.testing.assert_allclose(np.abs(plane.coordinates[:, 0]), np.array(lengths) * np.linalg.norm(step), atol=1e-6)
    x, y = landscape.margins(plane.coordinates)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > 0).all()


def test_two_points_are_no_path(random):
    centre = with_biases(mlp(6, 5, 4), random)
    with pytest.raises(PasapasError, match="at least three points"):
        landscape.path_plane([centre, centre], centre)


def test_margins_lie_around_the_path():
    x, y = landscape.margins(np.array([[0.0, 1], [4, 3]]), points=5, margin=0.25)
    assert x.tolist() == [-1, 0.5, 2, 3.5, 5]
    assert y.tolist() == [0.5, 1.25, 2, 2.75, 3.5]


def test_recording_changes_nothing_and_notes_the_way():
    how = recipe(
        "default", **QUICK, optimizer="adam", learning_rate=0.01, dropout=0.1, schedule="constant", warmup_epochs=0
    )
    result, path = landscape.record(how, points=8)
    plain = training.train(how)
    for p, q in zip(result.model.params, plain.model.params, strict=True):
        for name in p:
            np.testing.assert_array_equal(p[name], q[name])
    assert landscape.steps_of(how) == 33
    assert path.steps == (0, 5, 10, 15, 20, 25, 30, 33)
    np.testing.assert_array_equal(landscape.vector(path.params[-1]), landscape.vector(result.model.params))
    start = training.start(how.network(), how).params
    np.testing.assert_array_equal(landscape.vector(path.params[0]), landscape.vector(start))
    one = training.train(how.replace(epochs=1))
    everything = landscape.record(how, points=33)[1]
    np.testing.assert_array_equal(landscape.vector(everything.params[11]), landscape.vector(one.model.params))


def test_samples_are_the_same_each_time_and_without_repetition(mnist):
    a, b = (landscape.sample(mnist[1], 500) for _ in "ab")
    np.testing.assert_array_equal(a.images, b.images)
    assert len(np.unique(a.images.reshape(500, -1), axis=0)) == 500
    assert len(landscape.sample(mnist[1].first(20), 500)) == 20
    assert (landscape.sample(mnist[1], 500, seed=1).labels != a.labels).any()


# --- gradients


def flows(mnist, steps=5):
    return [gradient_flow.gradient_flow(case, mnist[0], steps=steps) for case in gradient_flow.CASES]


def test_gradients_shrink_stay_and_grow_on_their_way_back(mnist):
    vanishing, healthy, exploding = flows(mnist)
    assert [flow.case.name for flow in (vanishing, healthy, exploding)] == ["vanishing", "healthy", "exploding"]
    for flow in (vanishing, healthy, exploding):
        assert flow.dZ.shape == flow.dW.shape == (5, 7)
        assert np.isfinite(flow.loss).all()
    assert (vanishing.dZ[:, 1:] > 3 * vanishing.dZ[:, :-1]).all()
    assert vanishing.reach < 1e-4
    assert 0.2 < healthy.reach < 5
    assert healthy.dZ.max() / healthy.dZ.min() < 10
    assert (exploding.dZ[:, :5] > 1.5 * exploding.dZ[:, 1:6]).all()
    assert exploding.reach > 100
    assert (exploding.dW[0] > 100 * healthy.dW[0]).all()  # too large in every layer alike


def test_gradients_are_those_of_the_network(mnist):
    case = gradient_flow.CASES[1]
    flow = gradient_flow.gradient_flow(case, mnist[0], hidden=(5,), steps=1, batch_size=8)
    network = mlp(784, 5, 10)
    params = network.initialize(case.initializer, 0, "float64")
    X, labels = mnist[0].images[:8].reshape(8, -1) / 255, mnist[0].labels[:8]
    values = forward(network.layers, params, X)
    Y = np.eye(10)[labels]
    gradients = network.gradients(params, values, Y)
    dZ2 = (softmax(values[-1]) - Y) / 8
    dZ1 = dZ2 @ params[2]["W"].T * (values[1] > 0)
    np.testing.assert_allclose(flow.dZ[0], [np.abs(dZ1).mean(), np.abs(dZ2).mean()])
    np.testing.assert_allclose(flow.dW[0], [np.abs(gradients[i]["W"]).mean() for i in (0, 2)])
    np.testing.assert_allclose(flow.loss[0], float(network.loss_value(params, values, Y)))


def test_training_that_blows_up_leaves_nothing_but_nan(mnist):
    case = replace(gradient_flow.CASES[2], learning_rate=0.1)
    flow = gradient_flow.gradient_flow(case, mnist[0], steps=8)
    assert np.isfinite(flow.loss[:2]).all()
    assert np.isnan(flow.loss[-3:]).all()
    assert (np.isnan(flow.dZ).all(axis=1) == np.isnan(flow.loss)).all()


def test_few_images_are_used_again(data):
    flow = gradient_flow.gradient_flow(gradient_flow.CASES[1], data, hidden=(6,), steps=4, batch_size=40)
    assert np.isfinite(flow.dZ).all()


# --- units


@pytest.mark.parametrize("sizes", [(784, 6, 10), (784, 10)])
def test_a_unit_and_its_extremes(sizes, data, random):
    network = mlp(*sizes)
    model = Model(network, with_biases(network, random))
    found = units.look_at(model, 4, data, n=3)
    Z = data.images.reshape(50, -1) / 255 @ model.params[0]["W"] + model.params[0]["b"]
    np.testing.assert_allclose(found.sums, Z[:, 4])
    np.testing.assert_allclose(found.activations, np.maximum(Z[:, 4], 0) if len(sizes) == 3 else Z[:, 4])
    assert found.most.tolist() == np.argsort(-Z[:, 4])[:3].tolist()
    assert found.least.tolist() == np.argsort(Z[:, 4])[:3].tolist()
    np.testing.assert_allclose(found.likes[data.labels[0]], found.activations[data.labels == data.labels[0]].mean())
    model.params[0]["W"][:, 2] *= 10
    assert units.strongest(model) == 2


@pytest.mark.parametrize("number", [-1, 6, 1000])
def test_units_that_are_not_there(number, data, random):
    network = mlp(784, 6, 10)
    with pytest.raises(PasapasError, match="units 0 to 5"):
        units.look_at(Model(network, with_biases(network, random)), number, data)


def test_units_of_other_images(data, random):
    network = mlp(100, 6, 10)
    with pytest.raises(PasapasError, match="takes 100 numbers"):
        units.look_at(Model(network, with_biases(network, random)), 1, data)

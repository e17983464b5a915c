"""Landscapes to descend in, and how descents in them are judged."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pasapas.optimizers import Momentum
from pasapas.studies.demonstrations import FAR, LANDSCAPES, descend, parabola, valley, walk

ALL = list(LANDSCAPES.values())


@pytest.mark.parametrize("landscape", ALL, ids=lambda one: one.name)
def test_gradients_are_those_of_central_differences(landscape):
    n, h = len(landscape.start), 1e-6
    points = np.random.default_rng(5).uniform(landscape.low, landscape.high, (50, n))
    found = landscape.gradient(points)
    assert found.shape == points.shape
    for i, along in enumerate(h * np.eye(n)):
        slope = (landscape.value(points + along) - landscape.value(points - along)) / (2 * h)
        np.testing.assert_allclose(found[:, i], slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("landscape", ALL, ids=lambda one: one.name)
def test_minima_are_minima(landscape):
    around = np.random.default_rng(6).normal(scale=0.05, size=(200, len(landscape.start)))
    for minimum in landscape.minima:
        np.testing.assert_allclose(landscape.gradient(np.array(minimum)), 0, atol=1e-12)
        assert (landscape.value(np.array(minimum) + around) >= landscape.value(np.array(minimum))).all()


@pytest.mark.parametrize(
    ("name", "regime", "rate"),
    [(one.name, regime, rate) for one in ALL for regime, rate in one.rates.items()],
)
def test_every_rate_to_try_does_what_is_said_of_it(name, regime, rate):
    landscape = LANDSCAPES[name]
    assert 0 < rate <= landscape.most
    assert descend(landscape, landscape.start, rate, steps=landscape.steps).regime == regime


@pytest.mark.parametrize("landscape", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_everything_stays_finite(landscape, momentum):
    for start in (landscape.low, landscape.high, [100.0] * len(landscape.start)):
        found = descend(landscape, start, 10.0, momentum, True, 200)
        for array in (found.points, found.gradients, found.losses, found.velocities):
            assert np.isfinite(array).all()
        assert (np.abs(found.points[:-1]) <= FAR).all()


@pytest.mark.parametrize(("rate", "regime"), [
    (0.2499, "slow"), (0.25, "good"), (0.4999, "good"), (0.5, "exact"), (0.5001, "oscillating"), (0.9999, "oscillating"),
    (1.0, "endless"), (1.0001, "diverging"),
])  # fmt: skip
def test_the_parabola_changes_at_a_quarter_a_half_and_one(rate, regime):
    found = descend(LANDSCAPES["parabola"], [2.5], rate, steps=15)
    assert found.regime == parabola(rate).regime == regime
    np.testing.assert_array_equal(found.points[:, 0], parabola(rate).x)


def test_where_the_ball_lands_depends_on_where_it_is_dropped():
    wells = LANDSCAPES["wells"]
    left, right = (descend(wells, [x], 0.05).minimum for x in (-0.3, 0.5))
    assert (left, right) == wells.minima


def test_momentum_leaves_the_plateau():
    plateau = LANDSCAPES["plateau"]
    assert descend(plateau, plateau.start, 0.5, steps=80).arrived is None
    assert descend(plateau, plateau.start, 0.5, 0.8, steps=80).arrived is not None


def test_a_ball_rests_at_a_minimum_and_is_stuck_on_a_pass():
    assert descend(LANDSCAPES["parabola"], [0.0], 0.1).regime == "resting"
    assert descend(LANDSCAPES["saddle"], [0.0, 0.0], 0.3).regime == "stuck"
    assert descend(LANDSCAPES["saddle"], [2.0, 0.0], 0.3).regime == "stuck"


def test_from_where_on_it_has_arrived():
    found = descend(LANDSCAPES["parabola"], [2.5], 0.3, steps=15)
    distances = np.abs(found.points[:, 0])
    assert (distances[found.arrived :] <= 0.06).all()
    assert distances[found.arrived - 1] > 0.06


def test_the_ravine_is_the_valley_of_the_lesson():
    found = descend(LANDSCAPES["ravine"], (-5.0, 1.0), 0.03, 0.7, steps=30)
    path = valley(0.7, 0.03, (-5.0, 1.0), 30)
    np.testing.assert_array_equal(found.points, path.points)
    np.testing.assert_array_equal(found.losses, path.loss)


def test_a_walk_tells_what_the_optimizer_remembers():
    steps = list(itertools.islice(walk(Momentum(0.5), lambda x: 2 * x, [1.0], 0.1), 3))
    assert [float(state["velocity"][0]["x"][0]) for _x, _dx, state in steps] == [0, 2, pytest.approx(2.6)]
    assert [float(x[0]) for x, _dx, _state in steps] == pytest.approx([1, 0.8, 0.54])

"""Two steps of each optimizer, worked out by hand for one parameter: p = 1, dp = 2 and then 3, α = 0.1."""

from __future__ import annotations

import numpy as np
import pytest

from pasapas import SGD, Adam, Momentum


def two_steps(optimizer):
    params = [{"W": np.array([[1.0]])}, {}]
    state = optimizer.initialize(params)
    seen = []
    for dp in (2.0, 3.0):
        params, state = optimizer.update(params, [{"W": np.array([[dp]])}, {}], state, 0.1)
        seen.append(params[0]["W"].item())
    return seen


def test_sgd():
    assert two_steps(SGD()) == pytest.approx([0.8, 0.5])


def test_momentum():
    # v = 2, p = 1 − 0.2; v = 0.5 · 2 + 3 = 4, p = 0.8 − 0.4
    assert two_steps(Momentum(0.5)) == pytest.approx([0.8, 0.4])


def test_nesterov():
    # v = 2, d = 2 + 0.5 · 2 = 3, p = 1 − 0.3; v = 4, d = 3 + 0.5 · 4 = 5, p = 0.7 − 0.5
    assert two_steps(Momentum(0.5, nesterov=True)) == pytest.approx([0.7, 0.2])


def test_adam():
    # m = 1, v = 1 (β1 = 0.5, β2 = 0.75), m̂ = 2, v̂ = 4: p = 1 − 0.1 · 2 / 2
    # m = 2, v = 3, m̂ = 2 / 0.75, v̂ = 3 / 0.4375: p = 0.9 − 0.1 · m̂ / √v̂
    expected = 0.9 - 0.1 * (2 / 0.75) / np.sqrt(3 / 0.4375)
    assert two_steps(Adam(0.5, 0.75, 1e-12)) == pytest.approx([0.9, expected])


def test_adam_epsilon_keeps_a_zero_gradient_from_dividing_by_zero():
    params = [{"W": np.array([[1.0]])}]
    optimizer = Adam()
    params, _ = optimizer.update(params, [{"W": np.array([[0.0]])}], optimizer.initialize(params), 0.1)
    assert params[0]["W"].item() == 1.0

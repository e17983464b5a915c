"""The two oracles that a hand-written gradient is held against: central differences, and JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)


def central_differences(f: Callable[[Any], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """∂f/∂x in float64, one entry at a time."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        h = step * max(1.0, abs(x[i]))
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (up[i] - down[i])
    return gradient


def assert_is_gradient(got: Any, f: Callable[[Any], Any], x: np.ndarray) -> None:
    """Both oracles agree with `got`: JAX to rounding, central differences to what they can give."""
    assert got.shape == x.shape
    np.testing.assert_allclose(got, np.asarray(jax.grad(f)(jax.numpy.asarray(x))), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(got, central_differences(lambda v: float(f(v)), x), rtol=2e-7, atol=2e-9)

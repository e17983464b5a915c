from __future__ import annotations

import numpy as np
import pytest

from pasapas import He, Normal, Xavier, mlp


@pytest.mark.parametrize(
    ("initializer", "sigma"),
    [(He(), np.sqrt(2 / 400)), (Xavier(), np.sqrt(2 / 700)), (Normal(sigma=0.3), 0.3)],
    ids=repr,
)
def test_standard_deviation(initializer, sigma):
    W = initializer.weights(initializer.generator(1), 400, 300)
    assert W.shape == (400, 300)
    assert W.mean() == pytest.approx(0, abs=4 * sigma / np.sqrt(W.size))
    assert W.std() == pytest.approx(sigma, rel=0.01)


def test_legacy_generator_is_numpys_seed_and_randn():
    network = mlp(7, 5, 3)
    params = network.initialize(He(legacy=True), seed=42, dtype="float64")
    old = np.random.RandomState(42)
    np.testing.assert_array_equal(params[0]["W"], old.randn(7, 5) * np.sqrt(2 / 7))
    np.testing.assert_array_equal(params[2]["W"], old.randn(5, 3) * np.sqrt(2 / 5))
    assert not params[0]["b"].any()


def test_same_seed_same_weights_in_both_precisions():
    network = mlp(9, 5, 3)
    one, two, other = (
        network.initialize(Xavier(), seed=s, dtype=d) for s, d in [(1, "float32"), (1, "float64"), (2, "float64")]
    )
    assert one[0]["W"].dtype == np.float32
    np.testing.assert_array_equal(one[0]["W"], two[0]["W"].astype(np.float32))
    assert not np.array_equal(two[0]["W"], other[0]["W"])

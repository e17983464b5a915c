from __future__ import annotations

import pytest

from pasapas import Constant, Cosine, Linear, Step, Warmup


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), [1, 1, 1, 1, 1]),
        (Step(3, 0.1), [1, 1, 0.1, 0.01, 0.001]),
        (Linear(), [1, 0.75, 0.5, 0.25, 0]),
        (Cosine(), [1, 0.853553, 0.5, 0.146447, 0]),
        (Warmup(5, Constant()), [0, 0.5, 1, 1, 1]),
        (Warmup(5, Linear()), [0, 0.5, 1, 0.5, 0]),
    ],
    ids=repr,
)
def test_factors_at_quarters_of_ten_epochs(schedule, factors):
    assert [schedule.factor(epoch, 10) for epoch in (0, 2.5, 5, 7.5, 10)] == pytest.approx(factors, abs=1e-6)

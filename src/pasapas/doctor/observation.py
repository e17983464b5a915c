"""What one run of a submission showed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasapas.doctor.session import Failure, Step
from pasapas.doctor.world import World


@dataclass
class Observation:
    """What one run of a submission in a world showed, samples in rows, parameters in this package's shapes.

    `gradients` are as they came, turned to (n_in, n_out) and samples in rows, but with whatever shape they have.
    """

    world: World
    P: np.ndarray | None = None
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What the submission calls each gradient."""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The shape in which each gradient came."""
    moved: bool = False
    """Whether gradients were told from how far the parameters moved."""
    failure: Failure | None = None
    failed_in: str = ""
    forward_steps: list[Step] = field(default_factory=list)
    backward_steps: list[Step] = field(default_factory=list)
    changed: dict[str, bool] = field(default_factory=dict)
    """Which of X, Y, params, cache the backward pass changed in place."""
    forward_changed: dict[str, bool] = field(default_factory=dict)
    parameters_after: dict[str, np.ndarray] = field(default_factory=dict)
    forward_value: Any = None
    backward_value: Any = None
    loss: float | None = None
    exhausted: str = ""
    """Which pass has no further way to be called, where one was asked for."""

    @property
    def complete(self) -> bool:
        """Whether it ran, and there is a gradient for each layer at least."""
        return self.failure is None and len(self.gradients) >= self.world.L

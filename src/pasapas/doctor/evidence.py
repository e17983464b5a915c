"""All that is learnt about a submission on the way to a diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasapas.doctor.binding import LEARNING_RATE, Binding, Observation
from pasapas.doctor.identify import Architecture, identify
from pasapas.doctor.objective import Caller, Objective
from pasapas.doctor.observing import Again, all_arrays, masks_seen
from pasapas.doctor.recognition import Recognition
from pasapas.doctor.replay import Problem, Replay
from pasapas.doctor.report import Finding
from pasapas.doctor.session import Failure
from pasapas.doctor.updates import Update
from pasapas.doctor.world import World


@dataclass
class Evidence:
    """All that was learnt about a submission, for the detectors and for the report."""

    recognition: Recognition
    binding: Binding
    worlds: list[World] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    architecture: Architecture | None = None
    base: type[Replay] = Replay
    """The forward pass as the submission has it: the right one, or one with a mistake."""
    objective: Objective | None = None
    caller: Caller | None = None
    update: Update | None = None
    refused: list[Failure] = field(default_factory=list)
    """The exceptions with which an update function ended."""
    again: Again = field(default_factory=Again)
    tolerance: float = 1e-6
    findings: list[Finding] = field(default_factory=list)
    ties: list[tuple[str, ...]] = field(default_factory=list)
    stopped: Failure | None = None
    """How the script ended with shapes that do not fit, on its way from one mini-batch to the next."""
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unequal: Observation | None = None
    """The run that failed with layers of several widths, where it was gone on with equal ones."""
    unexplained: bool = False
    target: Objective | None = None
    """The objective that the gradients were held against."""

    @property
    def failed(self) -> Observation | None:
        """The first run that ended in an exception."""
        return next((s for s in self.seen if s.failure), None)

    def add(self, code: str, tensor: str, layer: int = 0, **facts: Any) -> None:
        """Notes a mistake."""
        self.findings.append(Finding(code, tensor, layer, "exact", facts))


def restart(e: Evidence) -> None:
    """Forgets what earlier calls may have left in the submission's globals."""
    e.binding.session.restart()


def look(e: Evidence, sizes: Sequence[int], batch_sizes: Sequence[int]) -> None:
    """Fills `worlds` and `seen`; the last world has other hidden layers, so that no width looks like a constant."""
    e.worlds, e.seen = [], []
    for seed, m in enumerate(batch_sizes, 1):
        widths = list(sizes)
        if seed == len(batch_sizes) > 1 and not e.binding.provider.fixed:
            widths = [n + 2 * (0 < i < len(sizes) - 1) + 4 * (i == 0) for i, n in enumerate(sizes)]
        for chosen in [widths, list(sizes)] if widths != list(sizes) else [widths]:
            restart(e)
            w = e.binding.world(next(k for k in range(m, m + 99) if k not in chosen or m == 1), seed, chosen)
            seen = e.binding.observe(w)
            if not seen.failure and seen.P is not None:
                break
        e.worlds.append(w)
        e.seen.append(seen)
    if any(a.dtype == np.float32 for a in all_arrays(e.seen[0])):
        e.tolerance = 2e-3


def problems(e: Evidence, objective: Objective) -> list[Problem]:
    """The right problem in each world, for an objective."""
    assert e.architecture is not None
    problems = []
    for w, s in zip(e.worlds, e.seen, strict=True):
        architecture = e.architecture
        if any(mask is not None for mask in architecture.masks):
            known = identify(w, s.P, all_arrays(s))
            architecture = known or Architecture(architecture.activations, masks_seen(w, s))
        if architecture.activations[-1] == "identity" and objective.kind == "cross-entropy":
            architecture = architecture.with_output("softmax")
        scale, penalty = objective.scale_in(w), objective.penalty_in(w)
        problems.append(architecture.problem(w, objective.kind, scale, penalty, _learning_rate(e, w, s)))
    return problems


def _learning_rate(e: Evidence, w: World, s: Observation) -> float:
    """The one with which a backward pass that updates moved the last weights; ours where none moved."""
    L = w.L
    after, g = s.parameters_after.get(f"W{L}"), s.gradients.get(f"dW{L}")
    if after is None or g is None or g.shape != w.W[L - 1].shape or not np.abs(g).max():
        return LEARNING_RATE
    moved = w.W[L - 1] - e.binding.canonical(f"W{L}", after)
    return float((moved * g).sum() / (g * g).sum())

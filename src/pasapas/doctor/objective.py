"""What a submission's own loss function computes, told from its values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from pasapas.doctor.binding import Binding, as_number
from pasapas.doctor.identify import Architecture, identify
from pasapas.doctor.inventory import Function
from pasapas.doctor.observing import all_arrays
from pasapas.doctor.replay import LOSSES, Replay
from pasapas.doctor.roles import parameter_roles
from pasapas.doctor.session import Failure, Outcome
from pasapas.doctor.values import Ref
from pasapas.doctor.world import World

SCALES: dict[str, Callable[[int, int], float]] = {
    "1/m": lambda m, n: 1 / m,
    "1": lambda m, n: 1.0,
    "1/(mn)": lambda m, n: 1 / (m * n),
    "1/n": lambda m, n: 1 / n,
    "1/m²": lambda m, n: 1 / m**2,
}
"""What the loss, summed over batch and classes, may be multiplied by, from m and the number of classes."""


@dataclass(frozen=True)
class Objective:
    """`factor` · `scale` times the loss summed over the batch, and a penalty κ/2 · Σ W², κ = `penalty` or `penalty` / m.

    `kind` is one of `replay.LOSSES`, or "" for a loss that no known formula gives.
    """

    kind: str
    scale: str = "1/m"
    factor: float = 1.0
    penalty: float = 0.0
    penalty_per_m: bool = False

    def scale_in(self, w: World) -> float:
        """The number that the summed loss is multiplied by in a world."""
        return self.factor * SCALES[self.scale](w.m, w.sizes[-1])

    def penalty_in(self, w: World) -> float:
        """κ in a world."""
        return self.penalty / w.m if self.penalty_per_m else self.penalty


class Caller(Protocol):
    """What gives a submission's loss in a world."""

    choice: int
    """Which of the ways to fill the loss's parameters is taken."""

    def __call__(self, w: World) -> float | None:
        """The loss in a world, None where it gives no number."""

    def ways(self, w: World) -> int:
        """In how many ways its parameters can be filled."""


class LossCaller:
    """Calls a submission's loss function on what its forward pass gave."""

    def __init__(self, binding: Binding, loss: Function) -> None:
        self.binding, self.loss = binding, loss
        self.choice = 0
        self.failure: Failure | None = None

    def ways(self, w: World) -> int:
        """In how many ways its parameters can be filled."""
        return len(self._options(w, None, None)[0])

    def _options(self, w: World, P: np.ndarray | None, Y: Any) -> tuple[list[dict[str, Any]], Any, Any]:
        b = self.binding
        sources, holder = b.parameters(w)
        sources["X"] = b.layout.rows(w.X)
        sources["Y"] = b.label_array(w) if Y is None else Y
        sources["m"] = w.m
        forward = Outcome()
        if b.rowwise and P is None:
            P = b._row_by_row(w, sources, holder)
        else:
            forward = b.run_forward(sources, holder)
        if P is not None:
            held = b.session.hold(b.layout.rows(P))
            forward = Outcome(value=b.layout.rows(P), handle=held.handle)
        options = b.options(self.loss, sources, forward)
        return options + _exchanged(options, sources["Y"], forward), sources, holder

    def __call__(self, w: World, P: np.ndarray | None = None, Y: Any = None) -> float | None:
        """The loss in a world; with `P`, of these probabilities. None where it gives no number."""
        options, sources, holder = self._options(w, P, Y)
        if not options or self.choice >= len(options):
            return None
        outcome = self.binding._run(self.loss, options[self.choice], sources, holder, False, 0)
        self.failure = outcome.failure
        return None if outcome.failure else as_number(outcome.value)


def _exchanged(options: list[dict[str, Any]], Y: Any, forward: Outcome) -> list[dict[str, Any]]:
    """The same ways with labels and predictions exchanged, where their names do not say clearly which is which."""
    found = []
    for way in options[:2]:
        labels = [name for name, value in way.items() if value is Y]
        given = [name for name, value in way.items() if isinstance(value, Ref) and value.handle == forward.handle]
        if len(labels) != 1 or len(given) != 1:
            continue
        if parameter_roles(labels[0])[:1] != ["Y"] or parameter_roles(given[0])[:1] != ["P"]:
            found.append({**way, labels[0]: way[given[0]], given[0]: way[labels[0]]})
    return found


class LossOfBackward:
    """The loss that a backward pass gives beside its gradients."""

    def __init__(self, binding: Binding) -> None:
        self.binding, self.choice = binding, 0

    def ways(self, w: World) -> int:
        """One."""
        return 1

    def __call__(self, w: World) -> float | None:
        """The loss in a world; None where backward gives none."""
        seen = self.binding.observe(w, watch=False)
        return None if seen.failure else as_number(seen.backward_value)


def recognise_objective(
    caller: Caller, binding: Binding, architecture: Architecture, worlds: list[World], replays: type[Replay] = Replay
) -> Objective | None:
    """The objective whose values are those of the submission's loss, in several worlds; Objective("") where none is.

    None where the loss cannot be called.
    """
    called = None
    for choice in range(min(caller.ways(worlds[0]), 8)):
        caller.choice = choice
        values = []
        for w in worlds:
            value = caller(w)
            if value is None:
                break
            values.append(value)
        if len(values) < len(worlds):
            continue
        called = choice if called is None else called
        objective = fit(values, worlds, binding, architecture, replays)
        if objective is not None:
            return objective
    if called is None:
        return None
    caller.choice = called
    return Objective("")


def objective_worlds(binding: Binding) -> list[World]:
    """Worlds in which losses are told apart: several draws, and where the batch can vary, two batch sizes."""
    m, *others = binding.batch_sizes(binding.provider.sizes)
    last = m if {m, *others} == {m} else m + 2
    return [binding.world(size, seed) for seed, size in enumerate((m, m, m, last), 5)]


def fit(
    values: list[float], worlds: list[World], binding: Binding, architecture: Architecture, replays: type[Replay]
) -> Objective | None:
    """The objective that has these values in these worlds; the penalty is fitted, the rest must be exact."""
    if not all(map(math.isfinite, values)):
        return None
    v = np.array(values)
    norms = np.array([sum(float(np.sum(W * W)) for W in w.W) / 2 for w in worlds])
    per_m = norms / np.array([w.m for w in worlds])
    dropped = any(mask is not None for mask in architecture.masks)
    architectures = [_masks_of(binding, architecture, w) if dropped else architecture for w in worlds]
    for kind in LOSSES:
        sums = []
        for w, a in zip(worlds, architectures, strict=True):
            if kind == "cross-entropy" and a.activations[-1] == "identity":
                a = a.with_output("softmax")
            r = replays(a.problem(w, kind))
            r.forward()
            sums.append(r.loss())
        if not all(map(math.isfinite, sums)):
            continue
        for scale, function in SCALES.items():
            for factor in (1.0, 0.5, 2.0):
                rest = v - factor * np.array([function(w.m, w.sizes[-1]) for w in worlds]) * np.array(sums)
                size = float(np.abs(v).max())
                for basis, divided in ((norms, False), (per_m, True)):
                    k = float(rest @ basis / (basis @ basis))
                    left = np.abs(rest - k * basis).max()
                    if k > 1e-7 and np.abs(rest).max() > 1e-9 * size and left <= 5e-3 * np.abs(rest).max():
                        return Objective(kind, scale, factor, _round(k), divided)
                if np.abs(rest).max() <= 1e-4 * size:  # an epsilon in the logarithm moves the loss a little
                    return Objective(kind, scale, factor)
    return None


def _round(k: float) -> float:
    """The number with three digits that a fit comes near to, as people choose them."""
    near = float(f"{k:.3g}")
    return near if abs(near - k) < 1e-3 * k else k


def _masks_of(binding: Binding, architecture: Architecture, w: World) -> Architecture:
    """The architecture with the masks that the submission draws in a world."""
    seen = binding.observe(w, only_forward=binding.forward is not None)
    return identify(w, seen.P, all_arrays(seen)) or replace(architecture, masks=())


def slopes(caller: Caller, w: World, entries: int = 24) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Central differences of the loss: for each of dW1, db1, ... some flat indices and the slopes there."""
    random = np.random.default_rng(0)
    found = {}
    for l in range(1, w.L + 1):
        for kind, arrays in (("W", w.W), ("b", w.b)):
            array = arrays[l - 1]
            chosen = random.choice(array.size, min(entries, array.size), replace=False)
            values = []
            for i in chosen:
                ends = []
                for h in (1e-5, -1e-5):
                    moved = array.copy()
                    moved.flat[i] += h
                    several = tuple(moved if j == l - 1 else a for j, a in enumerate(arrays))
                    ends.append(caller(replace(w, W=several) if kind == "W" else replace(w, b=several)))
                values.append(np.nan if None in ends else (ends[0] - ends[1]) / 2e-5)  # type: ignore[operator]
            found[f"d{kind}{l}"] = (chosen, np.array(values))
    return found

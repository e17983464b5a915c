"""What else can be learnt from a binding: everything that was seen in a run, and what a second call does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasapas.doctor.binding import KEEP, Binding, Observation
from pasapas.doctor.identify import Pool
from pasapas.doctor.session import Outcome
from pasapas.doctor.slots import Path
from pasapas.doctor.values import Ref, arrays_in
from pasapas.doctor.world import World


def all_arrays(seen: Observation) -> list[np.ndarray]:
    """Every array that was seen in a run."""
    found = [step.value for step in (*seen.forward_steps, *seen.backward_steps)]
    found += [a for _path, a in arrays_in(seen.forward_value)]
    if seen.P is not None:
        found.append(seen.P)
    return found


def masks_seen(w: World, seen: Observation) -> tuple[np.ndarray | None, ...]:
    """The dropout masks of a run, one for each hidden layer or None: scaled ones by their numbers, others by name too."""
    pool = Pool(all_arrays(seen))
    named = [s.value for s in (*seen.forward_steps, *seen.backward_steps) if _MASK.search(s.name)]
    found: list[np.ndarray | None] = []
    for n in w.sizes[1:-1]:
        scaled = pool.drawn((w.m, n))
        plain = [a if a.shape == (w.m, n) else a.T for a in named if a.shape in ((w.m, n), (n, w.m))]
        plain = [a / KEEP for a in plain if ((a == 0) | (a == 1)).all()]
        found.append((scaled or plain or [None])[0])
    return tuple(found)


_MASK = re.compile(r"(?i)(^|[^a-z])(d\d?|mask\d?|masques?\d?|drop\w*)([^a-z]|$)")


@dataclass
class Again:
    """Two backward passes in a row on the same things: the gradients of each, and the arrays that the first one changed."""

    first: dict[str, np.ndarray] = field(default_factory=dict)
    second: dict[str, np.ndarray] = field(default_factory=dict)
    third: dict[str, np.ndarray] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    changed_array: np.ndarray | None = None
    """What the first of them was before."""
    ran: bool = False


def call_again(binding: Binding, w: World) -> Again:
    """Runs forward once and backward three times; forward again each time where backward needs it."""
    found = Again()
    sources, holder = binding.parameters(w)
    sources["X"], sources["Y"], sources["m"] = binding.layout.rows(w.X), binding.label_array(w), w.m
    held = {name: binding.session.hold(sources[name]) for name in ("X", "Y")}
    sources.update(held)
    before = {name: np.array(binding.session.look(ref)) for name, ref in held.items()}
    forward = Outcome()
    kept: list[tuple[Path, np.ndarray]] = []
    for i, gradients in enumerate((found.first, found.second, found.third)):
        if i == 0:
            forward = _forward(binding, sources, holder)
            if forward.failure:
                return found
            kept = arrays_in(forward.value)
        now = binding._parameters_now(holder)
        outcome = binding.run_backward(sources, holder, forward, watch=True)
        if outcome.failure and i:
            _forward(binding, sources, holder)
            outcome = binding.run_backward(sources, holder, forward, watch=True)
        if outcome.failure:
            return found
        seen = Observation(w, backward_steps=outcome.steps)
        seen.parameters_after = {
            t: a for t, a in binding._parameters_now(holder).items() if t in now and not np.array_equal(a, now[t])
        }
        binding._gather(seen, outcome, now, w)
        if seen.parameters_after and (seen.moved or not _put_back(binding, w, holder)):
            return found  # it updates: what comes next belongs to other parameters
        gradients.update(seen.gradients)
        if i == 0:
            found.changed = [n for n, ref in held.items() if not _equal(binding.session.look(ref), before[n])]
            found.changed_array = before[found.changed[0]] if found.changed else None
            if forward.handle:
                value = binding.session.look(Ref(forward.handle))
                later = dict(arrays_in(value))
                for path, array in kept:
                    if path in later and not _equal(later[path], array):
                        found.changed_array = array if not found.changed else found.changed_array
                        found.changed.append(next((str(k) for _kind, k in reversed(path)), "cache"))
    found.ran = True
    return found


def _put_back(binding: Binding, w: World, holder: Ref | None) -> bool:
    """Gives an object its parameters again after a backward pass that has updated them."""
    if holder is None or binding.provider.kind != "object":
        return False
    slots = binding.provider.slots
    return all(binding.session.put(Ref(holder.handle, s.path), binding.in_place(s.tensor, w)) for s in slots)


def _equal(a: object, b: np.ndarray) -> bool:
    return isinstance(a, np.ndarray) and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _forward(binding: Binding, sources: dict[str, Any], holder: Ref | None) -> Outcome:
    """Forward, and the loss where backward needs it; nothing where forward takes one sample at a time."""
    if binding.forward is None or binding.rowwise:
        return Outcome()
    outcome = binding.run_forward(sources, holder)
    binding.show_labels(sources, holder, outcome)
    return outcome

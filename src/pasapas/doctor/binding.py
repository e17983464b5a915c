"""How a submission's functions are called: what each parameter gets, and where results and gradients are found."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from pasapas.doctor.callsites import call_flow
from pasapas.doctor.filling import Filling
from pasapas.doctor.gathering import Gathering
from pasapas.doctor.inventory import Class, Function, Inventory
from pasapas.doctor.making import KEEP, LAMBDA, LEARNING_RATE, Provider, has_opaque, make, replaced
from pasapas.doctor.observation import Observation
from pasapas.doctor.roles import parameter_roles
from pasapas.doctor.session import Outcome, Session
from pasapas.doctor.slots import Layout
from pasapas.doctor.values import Ref, arrays_in, named
from pasapas.doctor.world import World, world

__all__ = ["KEEP", "LABELS", "LAMBDA", "LEARNING_RATE", "Binding", "Observation", "Provider", "as_number", "make"]

LABELS = ("one-hot", "numbers", "numbers in a column")


class Binding(Filling, Gathering):
    """One way to call a submission's forward and backward pass.

    `single`: both take one sample at a time, so a world must have m = 1. `rowwise`: only forward does.
    `adapter` is source text of the doctor's own that puts pieces of the submission together (`adapters.py`).
    """

    def __init__(
        self,
        session: Session,
        forward: Function | None,
        backward: Function,
        provider: Provider,
        layout: Layout,
        labels: str,
        *,
        owner: Class | None = None,
        loss: Function | None = None,
        inventory: Inventory | None = None,
        forward_choice: int = 0,
        backward_choice: int = 0,
        single: bool = False,
        rowwise: bool = False,
        adapter: str = "",
    ) -> None:
        self.session, self.forward, self.backward, self.provider = session, forward, backward, provider
        self.layout, self.labels, self.owner, self.loss = layout, labels, owner, loss
        self.inventory = inventory
        self.forward_choice, self.backward_choice = forward_choice, backward_choice
        self.single, self.rowwise, self.adapter = single, rowwise, adapter
        self.flow = call_flow(inventory, forward, backward) if inventory and forward else {}
        self.used: dict[str, dict[str, str]] = {}
        self.holder: Ref | None = None
        self.lists: dict[str, Ref] = {}

    def batch_sizes(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """The batches to try: about 11 and 2 samples, unlike any width; one alone where that is all that is taken."""
        if self.single:
            return (1, 1, 1)
        found = []
        for m in (11, 2):
            while m in sizes:
                m += 1
            found.append(m)
        return tuple(found)

    def world(self, m: int, seed: int, sizes: Sequence[int] | None = None) -> World:
        """A world for this submission: where it has no biases, they are 0."""
        sizes = list(sizes or self.provider.sizes)
        known = {slot.tensor for slot in self.provider.slots} | {
            f"b{s.tensor[1:]}" for s in self.provider.slots if s.fold
        }
        return world(sizes, m, seed).without_biases(l for l in range(1, len(sizes)) if f"b{l}" not in known)

    # what arguments are made of --------------------------------------------------------------------------------

    def label_array(self, w: World) -> Any:
        """Y as the submission wants it."""
        if self.labels == "one-hot":
            return self.layout.rows(w.Y)
        if self.single:
            return int(w.labels[0]) if self.layout.flat else w.labels
        if self.labels == "numbers":
            return w.labels
        return w.labels[None, :] if self.layout.columns else w.labels[:, None]

    def parameters(self, w: World) -> tuple[dict[str, Any], Ref | None]:
        """The sources that stand for parameters, in the submission's own shapes; and the object that holds them, if any."""
        if self.adapter:
            self.session.define(self.adapter)
        tensors = {slot.tensor: self.in_place(slot.tensor, w) for slot in self.provider.slots}
        sources: dict[str, Any] = {"classes": w.sizes[-1], **tensors}
        holder: Ref | None = None
        kind = self.provider.kind
        if kind == "container":
            holder = self._container(w, tensors)
            sources["params"] = holder
            for key, letter in (("weights", "W"), ("biases", "b")):
                path = self.provider.part(letter)
                if path:
                    sources[key] = Ref(holder.handle, path)
        elif kind == "object":
            holder = Ref(make(self.session, self.provider, w.sizes).handle)
            for slot in self.provider.slots:
                self.session.put(Ref(holder.handle, slot.path), tensors[slot.tensor])
            sources["object"] = holder
        elif kind == "globals":
            for slot in self.provider.slots:
                self.session.put(Ref(0, slot.path), tensors[slot.tensor])
        elif kind == "lists":
            for key, letter in (("weights", "W"), ("biases", "b")):
                listed = [tensors[t] for l in range(1, w.L + 1) if (t := f"{letter}{l}") in tensors]
                self.lists[letter] = sources[key] = self.session.hold(listed)
        self.holder = holder
        return sources, holder

    def _container(self, w: World, tensors: dict[str, np.ndarray]) -> Ref:
        if self.provider.maker is None or not has_opaque(self.provider.template):
            value = copy.deepcopy(self.provider.template)
            for slot in self.provider.slots:
                value = replaced(value, slot.path, tensors[slot.tensor])
            return self.session.hold(value)
        holder = Ref(make(self.session, self.provider, w.sizes).handle)
        if self.provider.inside is not None:
            holder = self.session.hold(holder.item(self.provider.inside))
        for slot in self.provider.slots:
            self.session.put(Ref(holder.handle, slot.path), tensors[slot.tensor])
        return holder

    # running ---------------------------------------------------------------------------------------------------

    def observe(
        self, w: World, *, watch: bool = True, only_forward: bool = False, seed: int = 0, X: Any = None, Y: Any = None
    ) -> Observation:
        """Runs forward and backward once."""
        seen = Observation(w)
        sources, holder = self.parameters(w)
        sources["X"] = self.layout.rows(w.X) if X is None else X
        sources["Y"] = self.label_array(w) if Y is None else Y
        sources["m"] = w.m
        before = self._parameters_now(holder)
        forward = Outcome()
        if self.rowwise:
            seen.P = self._row_by_row(w, sources, holder)
        elif self.forward is not None:
            ways = self.options(self.forward, sources, None)
            if self.forward_choice >= max(len(ways), 1):
                seen.exhausted = "forward"
                return seen
            forward = self._run(self.forward, ways[self.forward_choice] if ways else {}, sources, holder, watch, seed)
            seen.forward_steps, seen.forward_value = forward.steps, forward.value
            seen.forward_changed = self._changed(self.forward, forward)
            if forward.failure:
                seen.failure, seen.failed_in = forward.failure, "forward"
                return seen
            seen.P = self.probabilities(forward, w)
        if only_forward:
            return seen
        if self.loss is not None and self.owner is not None and self.loss_first(sources):
            ways = self.options(self.loss, sources, forward)
            lost = self._run(self.loss, ways[0] if ways else {}, sources, holder, watch, seed)
            if lost.failure:
                seen.failure, seen.failed_in = lost.failure, "loss"
                return seen
            seen.forward_steps = seen.forward_steps + lost.steps
            seen.loss = as_number(lost.value)
        ways = self.options(self.backward, sources, forward)
        if self.backward_choice >= max(len(ways), 1):
            seen.exhausted = "backward"
            return seen
        outcome = self._run(self.backward, ways[self.backward_choice] if ways else {}, sources, holder, watch, seed)
        seen.backward_steps, seen.backward_value = outcome.steps, outcome.value
        if outcome.failure:
            seen.failure, seen.failed_in = outcome.failure, "backward"
            return seen
        seen.changed = self._changed(self.backward, outcome)
        seen.parameters_after = {
            t: a for t, a in self._parameters_now(holder).items() if t in before and not np.array_equal(a, before[t])
        }
        if self.provider.kind == "loose":
            seen.parameters_after = self._loose_after(outcome)
        self._gather(seen, outcome, before, w)
        if seen.P is None:
            seen.P = self._probabilities_in_steps(seen, w)
        return seen

    def _row_by_row(self, w: World, sources: dict[str, Any], holder: Ref | None) -> np.ndarray | None:
        """P from a forward pass that takes one sample as a vector, or None."""
        assert self.forward is not None
        rows = []
        for x in w.X:
            ways = self.options(self.forward, {**sources, "X": x}, None)
            outcome = self._run(self.forward, ways[0] if ways else {}, sources, holder, False, 0)
            found = [a for a in arrays_of(outcome.value) if a.size == w.sizes[-1] and a.ndim == 1]
            if not found:
                return None
            sums = [a for a in found if abs(a.sum() - 1) < 1e-6]
            rows.append((sums or found)[-1])
        return np.stack(rows)

    def run_forward(self, sources: dict[str, Any], holder: Ref | None) -> Outcome:
        """Runs forward alone, unwatched; nothing where there is none."""
        if self.forward is None:
            return Outcome()
        ways = self.options(self.forward, sources, None)
        way = ways[min(self.forward_choice, len(ways) - 1)] if ways else {}
        return self._run(self.forward, way, sources, holder, False, 0)

    def run_backward(self, sources: dict[str, Any], holder: Ref | None, forward: Outcome, watch: bool) -> Outcome:
        """Runs backward on what forward gave."""
        ways = self.options(self.backward, sources, forward)
        way = ways[min(self.backward_choice, len(ways) - 1)] if ways else {}
        return self._run(self.backward, way, sources, holder, watch, 0)

    def show_labels(self, sources: dict[str, Any], holder: Ref | None, forward: Outcome) -> None:
        """Runs the loss, where the backward pass gets its labels from it alone."""
        if self.loss is not None and self.owner is not None and self.loss_first(sources):
            ways = self.options(self.loss, sources, forward)
            self._run(self.loss, ways[0] if ways else {}, sources, holder, False, 0)

    def loss_first(self, sources: dict[str, Any]) -> bool:
        """Whether the labels reach the backward pass by way of the loss alone."""
        assert self.loss is not None
        return not any("Y" in parameter_roles(p.name) for p in self.backward.parameters) and any(
            "Y" in parameter_roles(p.name) for p in self.loss.parameters
        )

    def _run(
        self,
        f: Function,
        arguments: dict[str, Any],
        sources: dict[str, Any],
        holder: Ref | None,
        watch: bool,
        seed: int,
    ) -> Outcome:
        args, kwargs = f.arranged(arguments)
        return self.session.call(self.target(f, holder), args, kwargs, watch=watch, seed=seed)

    def target(self, f: Function, holder: Ref | None) -> Ref:
        """What stands for a function, or for a method of the object that holds the parameters."""
        if f.owner is None:
            return named(f.short)
        if (
            holder is not None
            and self.provider.kind == "object"
            and self.owner is not None
            and f.short in self.owner.methods
        ):
            return holder.attr(f.short)
        return named(f.name)


def arrays_of(value: Any) -> list[np.ndarray]:
    """The arrays in a view, without their paths."""
    return [a for _path, a in arrays_in(value)]


def as_number(value: Any) -> float | None:
    """A scalar, or the scalar in an array of one entry; of a tuple, its first such element."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fi":
        return float(value.reshape(-1)[0])
    if isinstance(value, tuple):
        return next((n for n in map(as_number, value) if n is not None), None)
    return None

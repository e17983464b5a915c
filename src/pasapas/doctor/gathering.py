"""Where a submission's results and gradients are found, and how they are turned to this package's shapes."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

from pasapas.doctor.filling import are_probabilities
from pasapas.doctor.inventory import Function
from pasapas.doctor.making import LEARNING_RATE, Provider
from pasapas.doctor.observation import Observation
from pasapas.doctor.roles import parameter_roles, tensor_of
from pasapas.doctor.session import Outcome, Session
from pasapas.doctor.slots import Layout, Path, find_gradients, last_text, looks_like_gradient
from pasapas.doctor.values import Ref, arrays_in
from pasapas.doctor.world import World

_SCORES = re.compile(r"(?i)z_?\d*|zs?|logits?|scores?|net\d*")
"""Names of what comes before the last activation."""


class Gathering:
    """Reads the results of calls; a base of `Binding`."""

    session: Session
    forward: Function | None
    backward: Function
    provider: Provider
    layout: Layout
    used: dict[str, dict[str, str]]
    holder: Ref | None
    lists: dict[str, Ref]

    def probabilities(self, forward: Outcome, w: World) -> np.ndarray | None:
        """What forward gave for each sample and class (m, n_classes), the softmax's rather than the scores."""
        n = w.sizes[-1]
        arrays = [(path, a) for path, a in arrays_in(forward.value) if a.dtype.kind == "f"]
        shaped = [(p, rows) for p, a in arrays if a.ndim in (1, 2) and (rows := self._rows(a)).shape == (w.m, n)]
        if not shaped and n == 1:
            shaped = [(p, a.reshape(w.m, 1)) for p, a in arrays if a.shape == (w.m,)]
        if not shaped:
            return None
        found = [a for path, a in shaped if not _SCORES.fullmatch(self._called(path))] or [a for _path, a in shaped]
        layers = [
            (tensor[1], a) for path, a in shaped if (tensor := tensor_of(self._called(path))) and tensor[0] == "A"
        ]
        if len(layers) == len(found) > 1:  # a hidden layer may be as wide as the last
            found = [max(layers, key=lambda pair: pair[0])[1]]
        proper = [a for a in found if are_probabilities(a)]
        return proper[-1] if proper else found[-1] if isinstance(forward.value, list) else found[0]

    def _called(self, path: Path) -> str:
        """What forward calls a part of its result."""
        returned = self.forward.returned if self.forward is not None else []
        if len(path) == 1 and isinstance(path[0][1], int) and path[0][1] < len(returned) > 1:
            return returned[path[0][1]]
        return last_text(path)

    def _rows(self, a: np.ndarray) -> np.ndarray:
        """An array with samples in rows."""
        return self.layout.rows(a) if a.ndim == 2 or self.layout.flat else a

    def _probabilities_in_steps(self, seen: Observation, w: World) -> np.ndarray | None:
        """P where no function gives it: what the backward pass calls so, else what has rows that sum to 1."""
        called = self._called_probabilities(seen, w)
        if called is not None:
            return called
        for step in (*reversed(seen.forward_steps), *seen.backward_steps):
            a = self._rows(step.value)
            if a.shape == w.Y.shape and a.dtype.kind == "f" and are_probabilities(a) and not np.array_equal(a, w.Y):
                return a
        for place in {s.name: s.function for s in seen.backward_steps}.items():
            values = [s.value for s in seen.backward_steps if (s.name, s.function) == place]
            rows = [v for v in values if v.shape == (w.sizes[-1],) and are_probabilities(v[None, :])]
            if len(rows) == w.m:  # one sample after the other
                return np.stack(rows)
        return None

    def _called_probabilities(self, seen: Observation, w: World) -> np.ndarray | None:
        """The last variable of the backward pass whose name says P, as it was before labels were subtracted from it."""
        values: dict[str, list[np.ndarray]] = {}
        for step in seen.backward_steps:
            a = self._rows(step.value)
            name = step.name.split(".")[-1]
            if step.function == self.backward.short and a.shape == w.Y.shape and a.dtype.kind == "f":
                says = tensor_of(name) == ("A", w.L) or parameter_roles(name)[:1] == ["P"]
                if says and not np.array_equal(a, w.Y):
                    values.setdefault(name, []).append(a)
        firm = {n: v for n, v in values.items() if not re.match("(?i)logit|score|out|sortie", n)}
        for name in reversed(firm or values):
            proper = [a for a in values[name] if are_probabilities(a)]
            return proper[-1] if proper else values[name][0]
        return None

    def _parameters_now(self, holder: Ref | None) -> dict[str, np.ndarray]:
        """The parameters in their container as they are now, in the submission's shapes."""
        found = {}
        for slot in self.provider.slots:
            if self.provider.kind == "lists" and self.lists:
                value = self.session.look(self.lists[slot.tensor[0]].item(int(slot.tensor[1:]) - 1))
            elif self.provider.kind == "globals":
                value = self.session.look(Ref(0, slot.path))
            elif holder is not None:
                value = self.session.look(Ref(holder.handle, slot.path))
            else:
                continue
            if isinstance(value, np.ndarray):
                found[slot.tensor] = value
        return found

    def _loose_after(self, outcome: Outcome) -> dict[str, np.ndarray]:
        """The single weights and biases that the backward pass has changed in place, by tensor."""
        roles = self.used.get(self.backward.name, {})
        names = [p.name for p in self.backward.parameters if not p.keyword_only]
        known = {slot.tensor for slot in self.provider.slots}
        return {
            tensor: after
            for name, after in zip(names, outcome.after, strict=False)
            if isinstance(after, np.ndarray) and (tensor := roles.get(name, "")) in known
        }

    def _changed(self, f: Function, outcome: Outcome) -> dict[str, bool]:
        """Which arguments a call changed in place, by what they stood for."""
        roles = self.used.get(f.name, {})
        positional = [p.name for p in f.parameters if not p.keyword_only]
        return {
            roles.get(name, name): True
            for name, after in zip(positional, outcome.after, strict=False)
            if after is not None
        }

    def _gather(self, seen: Observation, outcome: Outcome, before: dict[str, np.ndarray], w: World) -> None:
        """Finds the gradients: in the result, on the object, among locals, or in how far the parameters moved."""
        shapes = {slot.tensor: self.in_place(slot.tensor, w).shape for slot in self.provider.slots}
        best: dict[str, tuple[Path, np.ndarray]] = {}
        for place in self._places(seen, outcome):
            found = find_gradients(place, shapes)
            if len(found) > len(best):
                best = found
            if len(best) == len(shapes):
                break
        before = before or {t: self.in_place(t, w) for t in shapes}
        if self._are_parameters(best, before):
            seen.parameters_after = {t: a for t, (_path, a) in best.items()}
            best = {}
        if len(best) < len(shapes) and seen.parameters_after:
            seen.moved = True
            for t, old in before.items():
                step = (old - seen.parameters_after.get(t, old)) / LEARNING_RATE
                best.setdefault(t, ((("attr", t),), step))
        for t, (path, a) in best.items():
            name = last_text(path) or f"d{t}"
            fold = next(s for s in self.provider.slots if s.tensor == t)
            whole = self.canonical(t, a)
            if fold.fold and whole.ndim == 2 and len(whole) > 1:
                parts = fold.parts(whole)
                seen.gradients[f"d{t}"], seen.gradients[f"db{t[1:]}"] = parts
                seen.names[f"db{t[1:]}"] = name
            else:
                seen.gradients[f"d{t}"] = whole
            seen.names[f"d{t}"] = name
            seen.shapes[f"d{t}"] = a.shape

    def _are_parameters(self, found: dict[str, tuple[Path, np.ndarray]], before: dict[str, np.ndarray]) -> bool:
        """Whether what a backward pass with a learning rate gives back is no gradient, but the new parameters."""
        rate = any("lr" in parameter_roles(p.name) for p in self.backward.parameters)
        return (
            rate
            and set(found) == set(before)
            and all(_near(a, before[t]) for t, (_path, a) in found.items() if t[0] == "W")
        )

    def _places(self, seen: Observation, outcome: Outcome) -> list[list[tuple[Path, np.ndarray]]]:
        """Where gradients may be, likeliest first."""
        parameter_paths = {slot.path for slot in self.provider.slots}
        places = [self._renamed(outcome.value)]
        owners = [outcome.owner]
        if self.holder is not None and outcome.owner is None and not any(places):
            owners.append(self.session.look(self.holder))
        for owner in owners:
            if owner is not None:
                inside = [(p, a) for p, a in arrays_in(owner) if p not in parameter_paths and looks_like_gradient(p)]
                places.append(inside)
        shared = [n for node in ast.walk(self.backward.node) if isinstance(node, ast.Global) for n in node.names]
        left = [((("attr", n),), self.session.look(Ref(0, (("global", n),)))) for n in shared]
        places.append([(p, a) for p, a in left if isinstance(a, np.ndarray) and looks_like_gradient(p)])
        steps = {
            step.name: step.value
            for step in seen.backward_steps
            if not step.name.startswith("return") and looks_like_gradient((("attr", step.name.split(".")[-1]),))
        }
        places.append([((("attr", self._tensor_name(name)),), a) for name, a in steps.items()])
        return places

    def canonical(self, tensor: str, a: np.ndarray) -> np.ndarray:
        """A gradient as it came, turned as this package has it."""
        a = np.asarray(a, dtype=np.float64)
        if tensor[0] == "W":
            return a.T if self.layout.out_in and a.ndim == 2 else a
        if a.ndim == 2 and self.layout.columns:
            a = a.T
        if a.ndim == 2 and 1 in a.shape:
            bias = next((s.bias for s in self.provider.slots if s.tensor == tensor), "")
            if a.shape[0] == 1 or (bias == "column" and not self.layout.columns):
                return a.reshape(-1)
        return a

    def _renamed(self, value: Any) -> list[tuple[Path, np.ndarray]]:
        """The arrays of a result; where it is a tuple of things with names, under those names."""
        returned = self.backward.returned
        found = []
        for path, a in arrays_in(value):
            if isinstance(value, tuple) and path and len(returned) == len(value):
                text = re.sub(r" / \w+(\(\w+\)|\.shape\[\d\])?$", "", returned[path[0][1]])
                if re.fullmatch(r"[\w.∂δ]+", text):
                    path = (("attr", self._tensor_name(text.split(".")[-1])), *path[1:])
            found.append((path, a))
        return found

    def _tensor_name(self, name: str) -> str:
        """The name of a gradient; where it is the gradient of a loose "A", that of the tensor that "A" is."""
        for prefix in ("d", "grad_", "g_", "g", "gradient_", "nabla_", "d_"):
            if name.startswith(prefix) and name[len(prefix) :] in self.provider.names:
                return "d" + self.provider.names[name[len(prefix) :]]
        return name

    def in_place(self, tensor: str, w: World) -> np.ndarray:
        """A parameter of a world in the shape that the submission has it."""
        slot = next(s for s in self.provider.slots if s.tensor == tensor)
        l = int(tensor[1:])
        if tensor[0] == "W":
            return self.layout.W(slot.joined(w.W[l - 1], w.b[l - 1]))
        return slot.shaped(w.b[l - 1])


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays point the same way."""
    if a.shape != b.shape or not np.isfinite(a).all():
        return False
    return bool((a * b).sum() > 0.9 * np.sqrt((a * a).sum() * (b * b).sum()))

"""The parameters from one mini-batch to the next: whether they move, all of them, and which way."""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.doctor.binding import Binding
from pasapas.doctor.evidence import Evidence
from pasapas.doctor.inventory import called
from pasapas.doctor.loops import Facts, says_update, updates
from pasapas.doctor.recording import SUMMARY, Call
from pasapas.doctor.replay import Replay
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import tensor_of
from pasapas.doctor.slots import find_gradients, last_text
from pasapas.doctor.values import Opaque, arrays_in

_GRADIENT = re.compile(r"(?i)(d|grads?|gradients?|nabla|∂)_?(w|b|weights?|poids|bias|biases|biais|theta)s?_?\d*$")


@dataclass
class Round:
    """One forward and backward pass: the parameters that it was made with, its gradients, and whether an update came."""

    parameters: dict[str, Any]
    gradients: dict[str, np.ndarray]
    line: int
    caller: str
    updated: bool = False


def rounds_of(binding: Binding, calls: list[Call]) -> list[Round]:
    """The passes among some calls, in order."""
    found: list[Round] = []
    before: dict[str, Any] = {}
    moving = {f.name for f in updates(binding) if says_update(f)}
    for i, call in enumerate(calls):
        parameters = _parameters(binding, call)
        if binding.forward is not None and call.function == binding.forward.name:
            before = parameters
        elif call.function == binding.backward.name:
            now = {**before, **parameters}
            shapes = {t: _shape(a) for t, a in now.items()}
            following = [calls[i + 1].owner, calls[i + 1].arguments] if i + 1 < len(calls) else []
            found.append(Round(now, _gradients(binding, call, following, shapes), call.line, call.caller))
        elif call.function in moving and found:
            found[-1].updated = True
    return found


def _parameters(binding: Binding, call: Call) -> dict[str, Any]:
    """The parameters as a call got them, by tensor."""
    found: dict[str, Any] = {}
    f = next((f for f in (binding.forward, binding.backward) if f is not None and f.name == call.function), None)
    if f is None:
        return found
    given = {role: call.arguments.get(name) for name, role in binding.used.get(f.name, {}).items()}
    kind = binding.provider.kind
    for slot in binding.provider.slots:
        together = "weights" if slot.tensor[0] == "W" else "biases"
        value: Any = None
        if kind == "object":
            value = _at(call.owner, slot.path) if not binding.adapter else _at(call.owner, slot.path[1:])
        elif kind == "globals":
            value = _at(call.shared.get(slot.path[0][1]), slot.path[1:])
        elif "params" in given:
            value = _at(given["params"], slot.path)
        elif slot.tensor in given:
            value = given[slot.tensor]
        elif together in given:
            inner = binding.provider.part(slot.tensor[0]) or ()
            path = slot.path[len(inner) :] or (("item", int(slot.tensor[1:]) - 1),)
            value = _at(given[together], path)
        if Facts.of(value) is not None:
            found[slot.tensor] = value
    return found


def _at(value: Any, path: tuple[tuple[str, Any], ...]) -> Any:
    for kind, key in path:
        if isinstance(value, Opaque):
            value = value.attributes.get(key) if kind == "attr" else None
        elif isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, (list, tuple)) and isinstance(key, int) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def _shape(array: Any) -> tuple[int, ...]:
    facts = Facts.of(array)
    return facts.shape if facts else ()


def _gradients(
    binding: Binding, call: Call, following: list[Any], shapes: dict[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """The gradients of a backward pass: in its result, or in what the next call was given; of large ones, a sample."""
    if not shapes:
        return {}
    places = [binding._renamed(_sampled(call.value))]
    places += [[(p, a) for p, a in arrays_in(_sampled(value)) if _GRADIENT.match(last_text(p))] for value in following]
    small = {
        t: np.empty(shape).ravel()[:: 1 + int(np.prod(shape)) // 4_096].shape if np.prod(shape) > 20_000 else shape
        for t, shape in shapes.items()
    }
    best: dict[str, np.ndarray] = {}
    for place in places:
        found = find_gradients(place, small)
        if len(found) > len(best):
            best = {t: a for t, (_p, a) in found.items() if a.shape == small[t]}
    return best


def _sampled(value: Any) -> Any:
    """A view in which a large array is its sample."""
    if isinstance(value, Opaque):
        if value.kind == SUMMARY:
            return value.attributes.get("sample")
        return Opaque(value.kind, {k: _sampled(v) for k, v in value.attributes.items()})
    if isinstance(value, dict):
        return {k: _sampled(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_sampled, value))
    return value


def _unchanged(a: Any, b: Any) -> bool:
    if isinstance(a, Opaque) and isinstance(b, Opaque):
        return bool(a.attributes.get("digest") == b.attributes.get("digest"))
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)


def judge_rounds(evidence: Evidence, rounds: list[Round], meant: bool, function: str) -> list[Finding]:
    """What the parameters of one round after another say of the update between them.

    `meant` says that an update is written where these rounds are made, even if no function is called for it.
    """
    steps = list(itertools.pairwise(rounds))
    tensors = (
        [t for t in sorted(rounds[0].parameters, key=lambda t: (t[1:], t)) if all(t in r.parameters for r in rounds)]
        if rounds
        else []
    )
    if len(steps) < 2 or not tensors or evidence.architecture is None:
        return []  # without an architecture, nobody knows whether these are the parameters that forward reads
    facts = {"function": rounds[0].caller or function, "line": rounds[0].line}
    still = {t for t in tensors if all(_unchanged(a.parameters[t], b.parameters[t]) for a, b in steps)}
    steep = {t for t in still if all(t in a.gradients and _length(a.gradients[t]) > 1e-9 for a, _b in steps)}
    if len(still) == len(tensors):
        if steep and (meant or all(a.updated for a, _b in steps)):
            return [Finding("update-lost", "W1", 1, facts=facts)]
        return []
    if steep:
        lost = next(t for t in tensors if t in steep)
        return [
            Finding(
                "update-lost", lost, int(lost[1:]), facts={**facts, "lost": tuple(t for t in tensors if t in steep)}
            )
        ]
    first, *later = [[c for t in tensors if (c := _cosine(a, b, t)) is not None] for a, b in steps]
    known = sum(later, first)
    enough = len(first) >= 2 and len(known) >= 2 * len(steps)
    # with momentum only the first step is that of its own gradient
    if enough and min(first) > 0.9 and np.mean(known) > 0.3 and _gradients_are_right(evidence):
        return [Finding("update-sign", "W1", 1, facts=facts)]
    uphill = next((t for t in tensors if _by_sign(*steps[0], t)), None)
    if uphill is not None and _gradients_are_right(evidence):
        return [Finding("update-sign", uphill, int(uphill[1:]), facts=facts)]
    return []


def _length(a: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        length = float(np.linalg.norm(np.asarray(a, dtype=np.float64)))
    return length if np.isfinite(length) else 0.0


def _cosine(a: Round, b: Round, t: str) -> float | None:
    """Between a parameter's step and its gradient: 1 straight up, −1 straight down."""
    old, new, g = _sampled(a.parameters[t]), _sampled(b.parameters[t]), a.gradients.get(t)
    if g is None or old is None or new is None or not (old.shape == new.shape == g.shape):
        return None
    with np.errstate(all="ignore"):
        step = np.asarray(new, dtype=np.float64) - old
    if not np.isfinite(step).all() or _length(step) == 0 or _length(g) < 1e-12:
        return None
    if np.allclose(step, g, rtol=1e-9, atol=0):
        return None  # not the gradient: the step itself, kept under such a name
    return float((step * g).sum() / _length(step) / _length(g))


def _by_sign(a: Round, b: Round, t: str) -> bool:
    """Whether a parameter moves up its gradient by one and the same length everywhere, as in Adam's first step."""
    old, new, g = _sampled(a.parameters[t]), _sampled(b.parameters[t]), a.gradients.get(t)
    if g is None or old is None or new is None or not (old.shape == new.shape == g.shape):
        return False
    with np.errstate(all="ignore"):
        step = np.asarray(new, dtype=np.float64) - old
    there = np.abs(g) > 1e-6
    return bool(there.any() and (step[there] * g[there] > 0).all() and np.ptp(np.abs(step[there])) < 1e-2 * step.max())


def _gradients_are_right(evidence: Evidence) -> bool:
    """Whether the gradients that the submission computes go up its loss, as gradients do."""
    if evidence.architecture is None or not evidence.seen:
        return False
    seen = evidence.seen[0]
    kind = {"softmax": "cross-entropy", "identity": "cross-entropy", "sigmoid": "binary cross-entropy"}.get(
        evidence.architecture.activations[-1], "squared error"
    )
    architecture = evidence.architecture
    if architecture.activations[-1] == "identity":
        architecture = architecture.with_output("softmax")
    right = Replay(architecture.problem(seen.world, kind, 1 / seen.world.m)).run().gradients()
    cosines = [
        (g * right[t]).sum() / max(_length(g) * _length(right[t]), 1e-300)
        for t, g in seen.gradients.items()
        if t in right and np.shape(g) == np.shape(right[t])
    ]
    return len(cosines) >= 2 and min(cosines) > 0.9


# updates that are lost by what is written ------------------------------------------------------------------------------


def local_updates(evidence: Evidence) -> list[Finding]:
    """Functions that update names of their own and give nothing back: whatever they are given stays as it is."""
    inventory = evidence.binding.inventory
    if inventory is None:
        return []
    used = {call for f in inventory.everything() for call in f.calls} | {
        called(n) for n in ast.walk(inventory.tree) if isinstance(n, ast.Call)
    }
    for f in updates(evidence.binding):
        names = _only_names(f.node.body)
        own = [n for n in names or [] if n in {p.name for p in f.parameters}]
        if own and f.short in used and says_update(f):
            tensor = tensor_of(own[0])
            layer = max(tensor[1], 1) if tensor else 1
            kind = tensor[0] if tensor and tensor[0] in "Wb" else "W"
            return [Finding("update-lost", f"{kind}{layer}", layer, facts={"function": f.name, "line": f.node.lineno})]
    return []


def _only_names(body: list[ast.stmt]) -> list[str] | None:
    """The names that statements give a new value to; None where they may do anything else that stays."""
    names: list[str] = []
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        if isinstance(statement, ast.For) and not statement.orelse:
            inner = _only_names(statement.body)
            if inner is None:
                return None
            names += inner
        elif (
            isinstance(statement, ast.Assign)
            and all(isinstance(t, ast.Name) for t in statement.targets)
            and isinstance(statement.value, (ast.BinOp, ast.Name, ast.Constant))
            and not any(isinstance(n, (ast.Call, ast.NamedExpr, ast.Yield)) for n in ast.walk(statement.value))
        ):
            names += [t.id for t in statement.targets if isinstance(t, ast.Name)]
        elif not isinstance(statement, ast.Pass):
            return None
    return names

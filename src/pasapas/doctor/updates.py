"""What a submission does with its gradients: the sign and the factor of its update, and whether it arrives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pasapas.doctor.binding import LEARNING_RATE, Binding, Observation
from pasapas.doctor.inventory import Function, Inventory, plain, words
from pasapas.doctor.roles import parameter_roles, tensor_of
from pasapas.doctor.session import Failure, Outcome
from pasapas.doctor.slots import find_parameters
from pasapas.doctor.values import Ref, arrays_in
from pasapas.doctor.world import World


@dataclass(frozen=True)
class Update:
    """A step is −learning rate × `factor` × gradient, `factor` relative to 1; `per_m` where it divides by m too.

    `lost` names parameters that stay as they are, `grown` those that have more entries afterwards; `read` says that this
    was read in the text and not tried.
    """

    factor: float = 1.0
    per_m: bool = False
    lost: tuple[str, ...] = ()
    grown: tuple[str, ...] = ()
    read: bool = False
    unknown: bool = False
    rate: float = 1.0
    """By how much the parameters moved, over learning rate × gradient."""

    def effective(self, gradients: dict[str, np.ndarray], m: int) -> dict[str, np.ndarray]:
        """The gradients as the update uses them."""
        scale = self.factor / (m if self.per_m else 1)
        return {t: scale * g for t, g in gradients.items()}


def read_update(inventory: Inventory, parameters: Iterable[str] = ()) -> Update | None:
    """The update as the text has it: `W1 -= lr * dW1 / m` anywhere; None where there is none.

    What is added to one of `parameters`, by name, is an update with or without a learning rate.
    """
    found = [(down, divides) for _node, down, divides in update_statements(inventory, parameters)]
    if not found:
        return None
    down = sum(s for s, _d in found) * 2 >= len(found)
    return Update(1.0 if down else -1.0, sum(d for _s, d in found) * 2 > len(found), read=True)


def update_statements(inventory: Inventory, parameters: Iterable[str] = ()) -> Iterator[tuple[ast.AST, bool, bool]]:
    """What reads like an update, whether it goes down the gradient, and whether it divides by the batch size."""
    known = set(parameters)
    for node in ast.walk(inventory.tree):
        target: ast.expr
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Sub, ast.Add)):
            target, sign, step = node.target, isinstance(node.op, ast.Sub), ast.unparse(node.value)
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.BinOp)
            and isinstance(node.value.op, (ast.Sub, ast.Add))
        ):
            target, sign, step = node.targets[0], isinstance(node.value.op, ast.Sub), ast.unparse(node.value.right)
            if _text(target) != _text(node.value.left) and not isinstance(target, ast.Subscript):
                continue
        elif (
            isinstance(node, ast.ListComp)
            and isinstance(node.elt, ast.BinOp)
            and isinstance(node.elt.op, (ast.Sub, ast.Add))
        ):
            target, sign, step = node.elt.left, isinstance(node.elt.op, ast.Sub), ast.unparse(node.elt.right)
        elif (
            isinstance(node, ast.DictComp)
            and isinstance(node.value, ast.BinOp)
            and isinstance(node.value.op, (ast.Sub, ast.Add))
        ):
            target, sign, step = node.value.left, isinstance(node.value.op, ast.Sub), ast.unparse(node.value.right)
        else:
            continue
        name = _text(target)
        if name in known and re.fullmatch(r"-?[\w.]+", step):
            yield node, sign != step.startswith("-"), False
            continue
        if not re.search(r"(?i)(^|[^a-z])(w|b|weights?|poids|biais|bias(es)?|param\w*|theta|p)\d*([^a-z]|$)", name):
            continue
        if not re.search(r"(?i)lr|learning|alpha|eta|taux|pas|rate|step|η|α|0\.\d", plain(step)):
            continue
        divides = bool(
            re.search(r"/ *\(?(m|n|nb|n_samples|len|batch\w*|taille\w*|[\w.]+\.shape|[\w.]+\.size)(?![\w.])", step)
        )
        minus = step.strip().startswith("-")
        yield node, sign != minus, divides


def _text(node: ast.expr) -> str:
    return ast.unparse(node)


def try_update(
    binding: Binding, f: Function, w: World, other: World, failures: list[Failure] | None = None
) -> Update | None:
    """Calls an update function with known gradients; None where it cannot be called, and why in `failures`.

    The learning rate may be its own: then a second batch size tells whether it divides by m.
    """
    failures = [] if failures is None else failures
    first = _try(binding, f, w, failures)
    if first is None or not first.unknown or first.rate == 1.0 or w.m == other.m:
        return first
    second = _try(binding, f, other, failures)
    if second is not None and abs(second.rate * other.m - first.rate * w.m) < 1e-4 * abs(first.rate * w.m):
        return replace(first, per_m=True, unknown=False)
    return first


def _try(binding: Binding, f: Function, w: World, failures: list[Failure]) -> Update | None:
    seen = binding.observe(w, watch=False)
    if seen.failure is not None:
        return None
    for names in ("d", ""):
        for attempt in range(2):
            result = _attempt(binding, f, w, seen, names, attempt, failures)
            if result is not None:
                return result
    return None


def _attempt(
    binding: Binding, f: Function, w: World, seen: Observation, prefix: str, attempt: int, failures: list[Failure]
) -> Update | None:
    """One way to call it: with the gradients that backward gave, so that their container is right."""
    session = binding.session
    sources, holder = binding.parameters(w)
    sources["X"], sources["Y"], sources["m"] = binding.layout.rows(w.X), binding.label_array(w), w.m
    before = {t: np.array(a) for t, a in binding._parameters_now(holder).items()}
    if not before:
        before = {s.tensor: np.array(sources[s.tensor]) for s in binding.provider.slots if s.tensor in sources}
    forward = binding.run_forward(sources, holder)
    binding.show_labels(sources, holder, forward)
    back = binding.run_backward(sources, holder, forward, watch=False)
    if back.failure is not None:
        return None
    now = binding._parameters_now(holder)
    if any(not np.array_equal(now[t], before[t]) for t in now):
        return None  # backward has updated already
    gradient_of = _gradient_names(f)
    arguments: dict[str, Any] = {}
    loose_gradients = _loose(binding, back)
    for p in f.parameters:
        joined = "".join(words(p.name))
        roles = parameter_roles(p.name)
        tensor = tensor_of(p.name)
        if p.name in gradient_of and gradient_of[p.name] in loose_gradients:
            arguments[p.name] = loose_gradients[gradient_of[p.name]]
        elif tensor is not None and f"{tensor[0]}{tensor[1] if tensor[1] > 0 else w.L}" in sources:
            arguments[p.name] = sources[f"{tensor[0]}{tensor[1] if tensor[1] > 0 else w.L}"]
            session_ref = session.hold(arguments[p.name])
            arguments[p.name] = session_ref
        elif re.search(r"grad|^g$|^d$|delta|^dp|nabla|derive", joined) and not re.search("^lr", joined):
            arguments[p.name] = _gradient_container(binding, back, joined)
        elif "lr" in roles:
            arguments[p.name] = LEARNING_RATE
        elif joined in ("weights", "poids", "ws", "w") and "weights" in sources:
            arguments[p.name] = session.hold(sources["weights"])
        elif joined in ("biases", "biais", "bias", "bs", "b") and "biases" in sources:
            arguments[p.name] = session.hold(sources["biases"])
        elif "params" in roles or ("cache" in roles and "params" in sources):
            arguments[p.name] = sources.get("params", sources.get("object"))
        elif "m" in roles:
            arguments[p.name] = w.m
        elif "X" in roles:
            arguments[p.name] = sources["X"]
        elif "Y" in roles:
            arguments[p.name] = sources["Y"]
        elif p.required:
            return None
    outcome = binding._run(f, arguments, sources, holder, False, 0)
    if outcome.failure is not None:
        failures.append(outcome.failure)
        return None
    after = dict(binding._parameters_now(holder))
    kind = binding.provider.kind
    if kind in ("loose", "lists"):
        after = {}
        for name, a in ((p.name, arguments.get(p.name)) for p in f.parameters):
            tensor = tensor_of(name)
            if tensor is not None and isinstance(a, Ref):
                value = session.look(a)
                if isinstance(value, np.ndarray):
                    after[f"{tensor[0]}{tensor[1] if tensor[1] > 0 else w.L}"] = value
            elif isinstance(a, Ref) and kind == "lists":
                value = session.look(a)
                letter = "W" if "".join(words(name)) in ("weights", "poids", "ws", "w") else "b"
                if isinstance(value, list):
                    after.update({f"{letter}{i + 1}": v for i, v in enumerate(value) if isinstance(v, np.ndarray)})
    returned = find_parameters(outcome.value, w.sizes) if outcome.value is not None else None
    if returned is not None:
        found = dict(arrays_in(outcome.value))
        for slot in returned[0]:
            after[slot.tensor] = found[slot.path]
    if not after:
        return None
    gradients = {t[1:]: g for t, g in seen.gradients.items()}
    ratios, lost, grown = [], [], []
    for t, old in before.items():
        if t not in after or t not in gradients:
            continue
        if np.size(after[t]) > old.size:
            grown.append(t)
            continue
        g, change = np.squeeze(gradients[t]), np.asarray(after[t], float) - old
        change = np.squeeze(binding.canonical(t, change))
        if g.shape != change.shape:
            continue
        if np.abs(g).max() < 1e-12:
            continue
        if np.abs(change).max() <= 1e-12 * np.abs(old).max():
            lost.append(t)
            continue
        r = -(change * g).sum() / (g * g).sum() / LEARNING_RATE
        straight = np.abs(change + r * LEARNING_RATE * g).max() <= 1e-5 * np.abs(change).max()
        ratios.append((r, straight))
    update = _told(ratios, tuple(lost), w.m)
    return None if update is None else replace(update, grown=tuple(grown))


def _told(ratios: list[tuple[float, bool]], lost: tuple[str, ...], m: int) -> Update | None:
    """The update of which each parameter went so far, over learning rate × gradient, and straight along it or not."""
    if lost and not ratios:
        return Update(0.0, lost=lost)
    if not ratios:
        return None
    values = np.array([r for r, _s in ratios])
    if not all(s for _r, s in ratios) or np.ptp(values) > 1e-4 * np.abs(values).max():
        direction = 1.0 if np.all(values > 0) else -1.0 if np.all(values < 0) else 1.0
        return Update(direction, lost=lost, unknown=True)
    r = float(values.mean())
    if abs(abs(r) * m - 1) < 1e-4:
        return Update(float(np.sign(r)), True, lost)
    if abs(abs(r) - 1) < 1e-4:
        return Update(float(np.sign(r)), False, lost)
    return Update(float(np.sign(r)), False, lost, unknown=True, rate=r)


def _gradient_names(f: Function) -> dict[str, str]:
    """Parameters that are single gradients: {"dW1": "W1"}."""
    found = {}
    for p in f.parameters:
        match = re.fullmatch(r"(?:d|grad_?|g|nabla_?|gradient_?|∂)_?((?:w|b|W|B|poids|biais)_?\w*)", plain(p.name))
        if match:
            tensor = tensor_of(match[1])
            if tensor:
                found[p.name] = f"{tensor[0]}{tensor[1]}"
    return found


def _loose(binding: Binding, back: Outcome) -> dict[str, Any]:
    """References to the single gradients in backward's result."""
    from pasapas.doctor.slots import find_gradients

    shapes: dict[str, tuple[int, ...]] = {slot.tensor: () for slot in binding.provider.slots}
    found = find_gradients(binding._renamed(back.value), shapes)  # by name alone
    originals = {id(a): path for path, a in arrays_in(back.value)}
    result = {}
    for t, (_path, a) in found.items():
        if id(a) in originals:
            result[t] = Ref(back.handle, originals[id(a)])
    return result


def _gradient_container(binding: Binding, back: Outcome, joined: str) -> Any:
    """The part of backward's result that holds the gradients."""
    ref = Ref(back.handle)
    if isinstance(back.value, tuple):
        returned = binding.backward.returned
        for i, text in enumerate(returned):
            if "".join(words(text)) == joined:
                return ref.item(i)
        containers = [i for i, v in enumerate(back.value) if isinstance(v, (dict, list))]
        if len(containers) == 1:
            return ref.item(containers[0])
    return ref

"""The calls of a submission's passes while its own loop runs: which are recorded, and what they were given."""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.doctor.binding import Binding
from pasapas.doctor.inventory import Function, Inventory
from pasapas.doctor.pairing import Known, keys, misaligned, samples_in
from pasapas.doctor.pairs import pairs
from pasapas.doctor.recording import SUMMARY, Call, Wanted
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import other_role, parameter_roles
from pasapas.doctor.values import Opaque

Pairs = list[tuple[np.ndarray, list[tuple[float, ...]]]]


@dataclass(frozen=True)
class Facts:
    """An array that was seen: its shape, its type, and its bounds."""

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    deviation: float

    @classmethod
    def of(cls, array: Any) -> Facts | None:
        """Of a recorded array, whether it was kept whole or not; None for anything else."""
        if isinstance(array, Opaque) and array.kind == SUMMARY:
            a = array.attributes
            return cls(tuple(a["shape"]), a["dtype"], a["min"], a["max"], a["std"])
        if isinstance(array, np.ndarray) and array.size and array.dtype.kind in "fiub":
            return cls(array.shape, array.dtype.str, float(array.min()), float(array.max()), float(array.std()))
        return None


def own_passes(binding: Binding) -> Binding | None:
    """The binding with passes that the submission itself calls, where it was bound by an adapter of the doctor's."""
    if not binding.adapter or binding.inventory is None:
        return binding if binding.inventory is not None else None
    names = {f.name for f in binding.inventory.everything()}
    for pair in pairs(binding.inventory):
        if pair.backward.name in names:
            own = copy.copy(binding)
            own.forward, own.backward, own.owner, own.used = pair.forward, pair.backward, pair.owner, {}
            methods = pair.owner.methods.values() if pair.owner else binding.inventory.functions.values()
            own.loss = next(
                (f for f in methods if other_role(f) == "loss" and f not in (own.forward, own.backward)), None
            )
            return own
    return None


def wanted(binding: Binding, rounds: int) -> Wanted:
    """The calls of the passes, the loss and the updates, until there were so many backward passes."""
    functions = [f for f in (binding.forward, binding.backward, binding.loss) if f is not None]
    assert binding.inventory is not None
    functions += [f for f in updates(binding) if f not in functions]
    shared = (
        tuple({slot.path[0][1]: None for slot in binding.provider.slots}) if binding.provider.kind == "globals" else ()
    )
    return Wanted(tuple(f.name for f in functions), binding.backward.name, rounds, shared)


def updates(binding: Binding) -> list[Function]:
    """The functions that update parameters, by their names."""
    assert binding.inventory is not None
    passes = [f.name for f in (binding.forward, binding.backward, binding.loss) if f is not None]
    return [f for f in binding.inventory.everything() if other_role(f) == "update" and f.name not in passes]


def parameter(binding: Binding, f: Function, wanted: str) -> str | None:
    """The parameter of a function that plays a role, as the function was called before, or by its name."""
    used = binding.used.get(f.name, {})
    for name, role in used.items():
        if role == wanted:
            return name
    if wanted in used.values():
        return None
    return next((p.name for p in f.parameters if parameter_roles(p.name)[:1] == [wanted]), None)


def argument(binding: Binding, call: Call, wanted: str) -> Any:
    """What a call of a pass was given as "X" or "Y"; None where it was given none."""
    for f in (binding.forward, binding.backward, binding.loss):
        if f is not None and f.name == call.function:
            name = parameter(binding, f, wanted)
            return call.arguments.get(name) if name is not None else None
    return None


def reaching(inventory: Inventory, targets: set[str]) -> set[str]:
    """The names of the functions that call one of `targets`, directly or not, and these themselves."""
    found = set(targets)
    everything = list(inventory.everything())
    while True:
        new = {f.short for f in everything if f.short not in found and f.calls & found}
        if not new:
            return found
        found |= new


def says_update(f: Function) -> bool:
    """Whether a function's own text moves something by a learning rate."""
    for node in ast.walk(f.node):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Sub, ast.Add)):
            text = ast.unparse(node.value)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Sub):
            text = ast.unparse(node.value.right)
        else:
            continue
        if (
            re.search(r"(?i)\b(self\.)?(lr|learning_rate|alpha|eta|taux\w*|pas|step_?size|rate)\b", text)
            and "*" in text
        ):
            return True
    return False


# the labels of a batch ---------------------------------------------------------------------------------------------


def paired(binding: Binding, calls: list[Call], known: Known) -> tuple[Pairs, Call | None]:
    """The samples and the labels with which the passes were called."""
    found: Pairs = []
    first: Call | None = None
    before: np.ndarray | None = None
    many, since, previous = 0, 0, ""
    cached = binding.provider.kind == "object"
    forward = binding.forward.name if binding.forward else ""
    by_loss = parameter(binding, binding.backward, "Y") is None
    for call in calls:
        X = argument(binding, call, "X")
        rows = known.rows(X) if X is not None else None
        m = samples_in(X, known.X.shape[1]) if rows is not None else 0
        if call.function == forward:
            before, many, since = rows, m, since + 1
        elif call.function == binding.backward.name or (
            by_loss
            and binding.loss is not None
            and call.function == binding.loss.name
            and (X is not None or previous == forward)
        ):
            if X is None:  # what forward was given last, unless its results may be those of an earlier call
                rows, m = (before, many) if cached or since == 1 else (None, 0)
            since = 0
            Y = argument(binding, call, "Y")
            ys = keys(Y, m) if rows is not None and Y is not None else None
            if rows is not None and ys is not None:
                found.append((rows, ys))
                first = first or call
        previous = call.function
    return found, first


def mispaired(binding: Binding, calls: list[Call], known: Known, function: str) -> list[Finding]:
    """The finding where batches have labels of other samples. `function` is whose loop it is."""
    pairs, first = paired(binding, calls, known)
    if first is None or not misaligned(pairs, known.labels):
        return []
    return [Finding("labels-misaligned", "Y", 0, facts={"function": first.caller or function, "line": first.line})]

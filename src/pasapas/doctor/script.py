"""The submission's script: what it hands to its own functions, data stood in for, until some batches are seen."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasapas.doctor.binding import Binding
from pasapas.doctor.evidence import Evidence
from pasapas.doctor.inventory import Inventory, called
from pasapas.doctor.loops import Facts, argument, own_passes, paired, reaching, wanted
from pasapas.doctor.observing import all_arrays
from pasapas.doctor.pairing import Known, cut_elsewhere, keys, misaligned, turned
from pasapas.doctor.recording import Call
from pasapas.doctor.replay import FUNCTIONS
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import parameter_roles
from pasapas.doctor.rounds import judge_rounds, rounds_of
from pasapas.doctor.session import Failure
from pasapas.doctor.world import world

SECONDS = 0.8
ROUNDS = 4
"""So many backward passes are looked at."""


@dataclass
class Flow:
    """What a script passes to its own functions: the first X and Y of a backward pass, and all recorded calls.

    `arrays` are the smaller arrays of the script as they were when its loop began, `failure` how it ended, if it did.
    """

    X: Facts | None = None
    Y: Facts | None = None
    line: int = 0
    calls: list[Call] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    failure: Failure | None = None


def script_flow(binding: Binding) -> Flow | None:
    """Runs the submission's own script until it has made some backward passes; None where it makes none, or none in time."""
    own = own_passes(binding)
    if own is None or own.inventory is None or not _calls_from_script(own.inventory, own):
        return None
    binding = own
    outcome = binding.session.run(wanted(binding, ROUNDS), SECONDS)
    arrays = outcome.value if isinstance(outcome.value, dict) else {}
    flow = Flow(calls=outcome.calls, arrays={k: v for k, v in arrays.items() if isinstance(v, np.ndarray)})
    flow.failure = outcome.failure
    before: Any = None
    for call in outcome.calls:
        X = argument(binding, call, "X")
        if binding.forward is not None and call.function == binding.forward.name:
            before = X
        elif call.function == binding.backward.name:
            flow.X = Facts.of(X) or Facts.of(before)
            flow.Y = Facts.of(argument(binding, call, "Y"))
            flow.line = call.line
            return flow
    return None


def _calls_from_script(inventory: Inventory, binding: Binding) -> bool:
    """Whether something at top level leads to the backward pass."""
    leading = reaching(inventory, {binding.backward.short})
    if binding.owner is not None and {"__init__"} & leading:
        leading.add(binding.owner.name)
    for statement in inventory.tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue
        if any(isinstance(n, ast.Call) and called(n) in leading for n in ast.walk(statement)):
            return True
    return False


def script_findings(evidence: Evidence, flow: Flow | None = None) -> list[Finding]:
    """What is wrong with what a script passes to its functions, and with what it does with their results."""
    flow = flow or script_flow(evidence.binding)
    binding = own_passes(evidence.binding)
    if flow is None or binding is None:
        return []
    if flow.failure is not None and _misfits(flow.failure):
        evidence.stopped = flow.failure
    found = _not_scaled(evidence, flow)
    found += _scrambled(binding, flow)
    found += _broadcast(evidence.binding, flow)
    found += _mispaired_in_script(binding, flow)
    found += judge_rounds(evidence, rounds_of(binding, flow.calls), False, "")
    return found


def _misfits(failure: Failure) -> bool:
    """Whether the script stops at shapes that do not fit, none of which may come from the smaller data stood in for."""
    fits = failure.kind != "ValueError" or not re.search("broadcast|matmul|not aligned", failure.message)
    return (
        not fits
        and failure.line > 0
        and all(n < 500 or n == 784 for n in map(int, re.findall(r"\d+", failure.message)))
    )


def _not_scaled(evidence: Evidence, flow: Flow) -> list[Finding]:
    """Pixels from 0 to 255, or such with their mean taken off, that reach the first product as they are."""
    X = flow.X
    if X is None or len(X.shape) > 2 or max(X.shape, default=0) < 64:
        return []
    if not (20 < X.high <= 256 and X.low >= -256 and X.deviation > 10):
        return []
    if not _multiplies_as_given(evidence, np.dtype(X.dtype)):
        return []
    return [Finding("inputs-not-scaled", "X", 0, facts={"line": flow.line, "low": X.low, "high": X.high})]


def _scrambled(binding: Binding, flow: Flow) -> list[Finding]:
    """Samples that are no images of MNIST but what `reshape` makes of them without a transpose.

    How many images there were is read from the script's arrays, or is one of the usual numbers, shortened.
    """
    images = _mnist(train=True)[0]
    sizes = {len(images), 500, 1_000, 1_500} | {n for a in flow.arrays.values() for n in a.shape}
    for call in flow.calls:
        for rows in turned(argument(binding, call, "X"), 784):
            if any(cut_elsewhere(rows, images, m) for m in {*sizes, len(rows)} if 8 <= m <= len(images)):
                return [Finding("images-scrambled", "X", 0, facts={"function": call.caller, "line": call.line})]
    return []


def _multiplies_as_given(evidence: Evidence, dtype: np.dtype) -> bool:
    """Whether the submission's first product is that of the pixels it is given, not of scaled ones."""
    binding, w = evidence.binding, evidence.worlds[0]
    X = np.random.default_rng(5).integers(0, 256, w.X.shape)
    X[:, 0] = 255
    seen = binding.observe(w, X=binding.layout.rows(X.astype(dtype)), watch=True)
    arrays = [a for a in all_arrays(seen) if a.ndim == 2 and a.dtype.kind == "f"]
    Z = X @ w.W[0] + w.b[0]  # (m, n_1)
    scaled = X / 255 @ w.W[0] + w.b[0]
    pairs = [(Z, scaled), (X @ w.W[0], scaled)]
    if evidence.architecture is not None and evidence.architecture.activations[0] in FUNCTIONS:
        function = FUNCTIONS[evidence.architecture.activations[0]]
        pairs.append((function.forward({}, Z), function.forward({}, scaled)))

    def there(value: np.ndarray) -> bool:
        return any(
            a.shape == value.shape and np.allclose(a, value, rtol=1e-3, atol=1e-3)
            for array in arrays
            for a in (array, array.T)
        )

    with np.errstate(all="ignore"):
        return any(there(raw) and not there(small) for raw, small in pairs)


def _broadcast(binding: Binding, flow: Flow) -> list[Finding]:
    """Labels of one output in a shape with which P − Y has a row and a column for each sample."""
    if flow.Y is None or binding.provider.sizes[-1] != 1 or binding.single:
        return []
    w = world(binding.provider.sizes, 13, 4)
    form = {1: "flat"}.get(len(flow.Y.shape)) or (
        "column" if flow.Y.shape[-1] == 1 else "row" if flow.Y.shape[0] == 1 else ""
    )
    Y = {"flat": w.labels, "column": w.labels[:, None], "row": w.labels[None]}.get(form)
    if Y is None or max(flow.Y.shape) < 2:
        return []

    def square(labels: Any) -> int:
        seen = binding.observe(w, Y=labels, watch=True)
        lines = [s.line for s in seen.backward_steps if s.value.shape == (w.m, w.m)]
        if not lines and seen.failure is not None and seen.failed_in == "backward":
            lines = [seen.failure.line for shape in seen.failure.shapes.values() if tuple(shape) == (w.m, w.m)]
        return lines[0] if lines else 0

    line = square(Y.astype(float))
    if not line or square(None):
        return []
    return [
        Finding(
            "labels-broadcast", "Y", 0, facts={"function": binding.backward.name, "line": line, "shape": flow.Y.shape}
        )
    ]


def _mispaired_in_script(binding: Binding, flow: Flow) -> list[Finding]:
    """Labels that are not those of their images: of images that this package knows, or that the script had before its loop."""
    for train in (True, False):
        images, other = _mnist(train), _mnist(not train)
        known = Known(images[0], images[1], shifted=True)
        pairs, first = paired(binding, flow.calls, known)
        if first is None:
            continue
        if sum(len(rows) for rows, _ys in pairs) < 10 or not misaligned(pairs, known.labels):
            return []
        inside = all(rows.max() < len(other[1]) for rows, _ys in pairs)
        if inside and not misaligned(pairs, other[1]):  # a loader's labels that we have taken for another's
            return []
        return [Finding("labels-misaligned", "Y", 0, facts={"function": first.caller, "line": first.line})]
    return _mispaired_in_loop(binding, flow)


def _mispaired_in_loop(binding: Binding, flow: Flow) -> list[Finding]:
    """The same for a script's own data: none of the labels that it had before its loop are those of its batches."""
    first: Call | None = None
    width = set(flow.X.shape) if flow.X else set()
    for X in (a for a in flow.arrays.values() if a.ndim == 2):
        for samples in (rows for rows in (X, X.T) if rows.shape[1] in width and len(rows) >= 12):
            for name, Y in flow.arrays.items():
                ys = keys(Y, len(samples))
                if ys is None or not 1 < len(set(ys)) <= 20:
                    continue
                numbers = {y: i for i, y in enumerate(dict.fromkeys(ys))}
                labels = np.array([numbers[y] for y in ys])
                pairs, call = paired(binding, flow.calls, Known(samples, labels))
                if sum(len(rows) for rows, _ys in pairs) < 10:
                    continue
                if not misaligned(pairs, labels):
                    return []
                named = "Y" in parameter_roles(name) or "Y" in parameter_roles(name[:1])
                if named and {y for _rows, found in pairs for y in found} <= set(ys):
                    first = first or call
    if first is None:
        return []
    return [Finding("labels-misaligned", "Y", 0, facts={"function": first.caller, "line": first.line})]


def _mnist(train: bool) -> tuple[np.ndarray, np.ndarray]:
    from pasapas.doctor.loaders import mnist

    images, labels = mnist(train)
    return images.reshape(len(images), -1).astype(np.float64), labels

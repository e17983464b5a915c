"""Gradients of biases that are right in their numbers, and in a shape that makes another of the biases' when subtracted."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import numpy as np

from pasapas.doctor.binding import Observation
from pasapas.doctor.evidence import Evidence
from pasapas.doctor.roles import tensor_of
from pasapas.doctor.updates import update_statements
from pasapas.i18n import N_

CODE = "bias-gradient-wrong-shape"

_TURNS = re.compile(
    r"reshape|newaxis|None|\.T\b|transpose|expand_dims|atleast|ravel|flatten|squeeze|shape|sum\(|mean\("
)
"""Words of a statement that may give an array another shape."""

_GROWN = re.compile(r"non-broadcastable output operand with shape \((\d+),(\d+)\).*shape \((\d+),(\d+)\)")


def judge_bias_shapes(e: Evidence) -> None:
    """Says of gradients that broadcast against their biases that they do, where the submission's update lets them.

    Where no update is known, it is a note: whoever writes the update may turn them.
    """
    seen = e.seen[0]
    stretched = _stretched(e)
    if not stretched:
        return
    t = next(iter(stretched))
    shape, bias, both = stretched[t]
    facts = {"shape": shape, "bias": bias, "both": both}
    tried = e.update is not None and not e.update.read
    if any(b in seen.parameters_after for b in stretched):
        wrong = any(b in seen.parameters_after and seen.parameters_after[b].shape != stretched[b][1] for b in stretched)
    elif tried:
        assert e.update is not None
        wrong = any(b in e.update.lost + e.update.grown for b in stretched)
        e.update = replace(e.update, lost=tuple(b for b in e.update.lost if b not in stretched))
    elif e.refused:
        wrong = any(_GROWN.search(failure.message) for failure in e.refused)
    elif e.update is not None:
        wrong = not _turned(e, stretched)
    else:
        name = seen.names.get(f"d{t}", f"d{t}")
        e.notes.append(
            (
                N_("`{name}` has the shape {shape} and its bias {bias}: their difference would have the shape {both}."),
                {"name": name, **facts},
            )
        )
        return
    if wrong:
        e.add(CODE, f"d{t}", int(t[1:]), **facts)
        e.findings[-1].certainty = "exact" if tried or e.refused or seen.parameters_after else "likely"


def _stretched(e: Evidence) -> dict[str, tuple[tuple[int, ...], ...]]:
    """The biases whose gradients broadcast to more entries than there are: the two shapes, and that of the difference."""
    seen = e.seen[0]
    found: dict[str, tuple[tuple[int, ...], ...]] = {}
    for slot in reversed(e.binding.provider.slots):
        t = slot.tensor
        if t[0] != "b" or f"d{t}" not in seen.shapes or seen.moved:
            continue
        shape, bias = seen.shapes[f"d{t}"], e.binding.in_place(t, seen.world).shape
        if np.prod(shape) == np.prod(bias) > 1:
            both = np.broadcast_shapes(shape, bias)
            if np.prod(both) > np.prod(bias):
                found[t] = (shape, bias, both)
    return found


def _turned(e: Evidence, stretched: dict[str, tuple[tuple[int, ...], ...]]) -> bool:
    """Whether the text has a statement that may give these gradients another shape before or in the update."""
    inventory, passes = e.recognition.inventory, (e.recognition.forward, e.recognition.backward)
    inside = {n for f in passes if f is not None for n in ast.walk(f.node)}
    updates = [node for node, _down, _m in update_statements(inventory, e.binding.provider.names)]
    if e.binding.provider.kind != "lists" and any(_one_entry(node) for node in updates):
        return True
    statements = list(updates)
    names = {e.seen[0].names.get(f"d{t}", f"d{t}") for t in stretched}
    for node in ast.walk(inventory.tree):
        if isinstance(node, (ast.Assign, ast.AugAssign)) and node not in inside:
            text = ast.unparse(node)
            if any(re.search(rf"\b{re.escape(name)}\b", text) for name in names):
                statements.append(node)
    return any(_TURNS.search(ast.unparse(node)) for node in statements)


def _one_entry(node: ast.AST) -> bool:
    """Whether a statement changes single entries of a bias, as in `b1[i] -= …`."""
    target = (
        node.target if isinstance(node, ast.AugAssign) else node.targets[0] if isinstance(node, ast.Assign) else None
    )
    return (
        isinstance(target, ast.Subscript)
        and not isinstance(target.slice, ast.Constant)
        and (tensor_of(ast.unparse(target.value).split(".")[-1].rstrip("']\"")) or "?")[0] == "b"
    )


def stretched_in_place(failed: Observation) -> int:
    """The layer whose biases an update inside a pass could not take back, being stretched; 0 where that was not it."""
    match = _GROWN.search(failed.failure.message) if failed.failure else None
    if match is None or failed.failed_in != "backward":
        return 0
    rows, columns, n, other = map(int, match.groups())
    if n != other or n == 1 or sorted((rows, columns)) != [1, n] or n not in failed.world.sizes[1:]:
        return 0
    return failed.world.sizes.index(n, 1)

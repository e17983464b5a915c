"""Activations that change what they are given, where forward keeps it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pasapas.doctor.detectors.activation_functions import GRID
from pasapas.doctor.detectors.probing import Prober, careful
from pasapas.doctor.detectors.softmax_function import MODERATE
from pasapas.doctor.identify import Pool
from pasapas.doctor.inventory import Function
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import activation_of
from pasapas.doctor.values import arrays_in

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Looks for activations that work in place on a named array which stands in the cache afterwards."""
    prober = Prober(evidence)
    for f in prober.functions:
        joined = "".join(f.words)
        by_name = activation_of(f)
        acts = (by_name is not None and not by_name[1]) or re.match("activ|redress|positif", joined)
        if acts and prober.used(f) and f.parameters and _changes(prober, f):
            layer = _kept(prober, f, by_name is not None and by_name[0] == "softmax")
            if layer:
                yield Finding("cache-mutated", f"Z{layer}", layer, facts=prober.facts(f, given=f.parameters[0].name))
                return


def _changes(prober: Prober, f: Function) -> bool:
    """Whether a call changes the array that it is given, by more than a shift of each row."""
    if any(p.required for p in f.parameters[1:]):
        return False
    grid = MODERATE if "softmax" in "".join(f.words) else GRID
    outcome = prober.call(f, {f.parameters[0].name: grid})
    if outcome is None or outcome.failure is not None or not outcome.after:
        return False
    after = outcome.after[0]
    if not isinstance(after, np.ndarray) or after.shape != grid.shape:
        return False
    return not any(np.allclose((after - grid), (after - grid).mean(axis=k, keepdims=True)) for k in (0, 1))


def _kept(prober: Prober, f: Function, output: bool) -> int:
    """The layer whose Z the forward pass keeps under a name of its own and which is Z no more; 0 where there is none."""
    evidence, binding = prober.evidence, prober.binding
    if not any(_keeps(prober, g, call) for call in prober.calls(f.short) if (g := prober.scope(call))):
        return 0
    w, architecture = evidence.worlds[0], evidence.architecture
    if architecture is None or any(mask is not None for mask in architecture.masks):
        return 0
    run = evidence.base(architecture.problem(w))
    run.forward()
    seen = binding.observe(w, watch=False, only_forward=binding.forward is not None)
    values = [a for _p, a in arrays_in(seen.forward_value)]
    _sources, holder = binding.parameters(w) if binding.provider.kind == "object" else ({}, None)
    if holder is not None and binding.forward is not None:
        outcome = binding._run(
            binding.forward, {binding.forward.parameters[0].name: binding.layout.rows(w.X)}, {}, holder, False, 0
        )
        values += [a for _p, a in arrays_in(outcome.owner)]
    pool = Pool(values)
    for l in range(w.L, w.L + 1) if output else range(1, w.L):
        if run.Z[l] not in pool and (output or run.A[l] in pool) and values:
            return l
    return 0


def _keeps(prober: Prober, scope: ast.AST, call: ast.Call) -> bool:
    """Whether a call gets a named array that its function uses afterwards, other than by giving the name to the result."""
    if not isinstance(scope, ast.FunctionDef) or not call.args:
        return False
    argument = call.args[0]
    if not isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript)):
        return False
    text = ast.unparse(argument)
    parent = prober.parents.get(call)
    if isinstance(parent, ast.Assign) and any(ast.unparse(t) == text for t in parent.targets):
        return False
    if isinstance(argument, (ast.Attribute, ast.Subscript)):
        return True
    inside = set(ast.walk(call))
    later = [
        n
        for n in ast.walk(scope)
        if isinstance(n, ast.Name) and n.id == argument.id and isinstance(n.ctx, ast.Load) and n not in inside
    ]
    kept = [n for n in later if (n.lineno, n.col_offset) > (call.lineno, call.col_offset)]
    return any(not _only_for_shape(prober, n) for n in kept)


def _only_for_shape(prober: Prober, node: ast.Name) -> bool:
    parent = prober.parents.get(node)
    return isinstance(parent, ast.Attribute) and parent.attr in ("shape", "size", "ndim", "dtype")

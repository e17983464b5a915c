"""One-hot labels and other arrays of bytes that are negated, subtracted or multiplied."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pasapas.doctor.detectors.one_hot import encode, one_hot_functions
from pasapas.doctor.detectors.probing import Prober, arrays_of, careful, is_label
from pasapas.doctor.inventory import Function, called
from pasapas.doctor.objective import LossCaller
from pasapas.doctor.report import Certainty, Finding

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

_BYTES = re.compile(r"^(np\.|numpy\.)?(uint8|ubyte|dtype\('uint8'\))$|^'(uint8|u1|>u1|B)'$")
_KEEPS = {"reshape", "ravel", "flatten", "copy", "transpose", "squeeze", "swapaxes", "repeat", "take", "clip"}
_KEEPS_FIRST = {"ravel", "reshape", "transpose", "squeeze", "ascontiguousarray", "copy", "abs", "atleast_2d", "stack"}
_MAKES = {
    "frombuffer",
    "zeros",
    "ones",
    "empty",
    "asarray",
    "array",
    "fromfile",
    "zeros_like",
    "eye",
    "full",
    "fromstring",
}


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Gives the loss and the backward pass their own one-hot labels; then reads where bytes are computed with."""
    prober = Prober(evidence)
    found = list(_labels(prober)) or list(_text(prober))
    yield from found[:1]


# labels of their own one-hot -------------------------------------------------------------------------------------------


def _labels(prober: Prober) -> Iterator[Finding]:
    evidence, binding = prober.evidence, prober.binding
    w = evidence.worlds[0]
    if binding.labels != "one-hot" or not any(_gives_bytes(prober, f) for f in one_hot_functions(prober)):
        return
    Y = binding.label_array(w).astype(np.uint8)
    loss = evidence.recognition.others.get("loss")
    if loss is not None:
        caller = LossCaller(binding, loss)
        for choice in range(min(caller.ways(w), 6)):
            caller.choice = choice
            wanted, got = caller(w), caller(w, Y=Y)
            if wanted is None or got is None or not np.isfinite(wanted):
                continue
            if abs(got - wanted) > 1e-6 * max(1.0, abs(wanted)):
                facts = prober.facts(loss, got=round(got, 4), expected=round(wanted, 4))
                yield Finding("uint8-arithmetic", "L", w.L, facts=facts)
            break
    again = binding.observe(w, watch=False, Y=Y)
    before = binding.observe(w, watch=False)
    if again.failure is None and before.failure is None:
        for tensor in sorted(before.gradients, key=lambda t: (-int(t[2:]), t)):
            a, b = again.gradients.get(tensor), before.gradients[tensor]
            if a is not None and a.shape == b.shape and np.abs(a - b).max() > 1e-6 * max(1.0, float(np.abs(b).max())):
                yield Finding("uint8-arithmetic", f"dZ{w.L}", w.L, facts=prober.facts(binding.backward))
                return


def _gives_bytes(prober: Prober, f: Function) -> bool:
    labels = np.arange(prober.sizes[-1])
    for told in (prober.sizes[-1], None):
        value, failure = encode(prober, f, labels, told)
        arrays = arrays_of(value) if failure is None else []
        if arrays:
            return arrays[0].dtype.kind == "u"
    return False


# read in the text --------------------------------------------------------------------------------------------------------


def _text(prober: Prober) -> Iterator[Finding]:
    """Arrays that a function makes as bytes and then computes with, before it converts them."""
    binding = prober.binding
    for f in prober.functions:
        if f.owner is None and not prober.used(f) and f not in (binding.forward, binding.backward):
            continue
        for node, name in _Reader().wraps(f):
            backward = f is binding.backward
            steps = prober.evidence.seen[0].backward_steps if backward else prober.evidence.seen[0].forward_steps
            kinds = {s.value.dtype.kind for s in steps if s.name == name and s.function == f.short}
            if kinds and kinds != {"u"}:
                continue
            w = prober.evidence.worlds[0]
            tensor, layer = (f"dZ{w.L}", w.L) if backward else ("X", 0)
            certainty: Certainty = "exact" if kinds else "likely"
            facts = {**prober.facts(f), "line": node.lineno, "name": name}
            yield Finding("uint8-arithmetic", tensor, layer, certainty, facts)
            return


class _Reader:
    """Follows, statement by statement, which names hold arrays of bytes."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.found: list[tuple[ast.expr, str]] = []

    def wraps(self, f: Function) -> list[tuple[ast.expr, str]]:
        """The operations on bytes that wrap around, with the name of the array."""
        self._block(f.node.body)
        return self.found

    def _block(self, body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            for value in (v for v in ast.iter_child_nodes(node) if isinstance(v, ast.expr)):
                self._look(value)
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self._bind(node.target, node.value)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in self.names:
                wraps = isinstance(node.op, ast.Mult) and self._is(node.value)
                wraps = wraps or (isinstance(node.op, ast.Sub) and _whole(node.value) > 0)
                if wraps:
                    self.found.append((node.target, node.target.id))
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    self._block(inner)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            (self.names.add if self._is(value) else self.names.discard)(target.id)
        elif isinstance(target, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=False) if isinstance(value, ast.Tuple) else ()
            for t, v in pairs:
                self._bind(t, v)
            if not isinstance(value, ast.Tuple):
                self.names -= {t.id for t in target.elts if isinstance(t, ast.Name)}

    def _is(self, node: ast.expr) -> bool:
        """Whether an expression is an array of bytes for certain."""
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Subscript):
            return self._is(node.value)
        if isinstance(node, ast.Attribute):
            return node.attr == "T" and self._is(node.value)
        if isinstance(node, ast.Call):
            name = called(node)
            kind = next((k.value for k in node.keywords if k.arg == "dtype"), None)
            texts = [ast.unparse(a) for a in ([kind] if kind is not None else node.args[1:])]
            if name in ("astype", "view") and isinstance(node.func, ast.Attribute):
                return any(_BYTES.match(ast.unparse(a)) for a in [*node.args, *([kind] if kind is not None else [])])
            if name in _MAKES and any(_BYTES.match(t) for t in texts):
                return True
            if name in ("asarray", "array") and kind is None and len(node.args) == 1:
                return self._is(node.args[0])
            if isinstance(node.func, ast.Attribute) and name in _KEEPS and self._is(node.func.value):
                return True
            return name in _KEEPS_FIRST and kind is None and bool(node.args) and self._is(node.args[0])
        if isinstance(node, ast.UnaryOp):
            return self._is(node.operand)
        return False

    def _look(self, node: ast.expr) -> None:
        """Notes the operations in an expression that wrap around."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub) and self._is(inner.operand):
                self.found.append((inner, _name(inner.operand)))
            elif isinstance(inner, ast.BinOp):
                left, right = self._is(inner.left), self._is(inner.right)
                wraps = left and right and isinstance(inner.op, (ast.Mult, ast.Sub)) and not _is_mask(inner)
                wraps = wraps or (left and isinstance(inner.op, ast.Sub) and _whole(inner.right) > 0)
                wraps = wraps or (left and isinstance(inner.op, ast.Pow) and _whole(inner.right) > 1)
                wraps = wraps or (isinstance(inner.op, ast.Mult) and left and _whole(inner.right) > 1)
                wraps = wraps or (isinstance(inner.op, ast.Mult) and right and _whole(inner.left) > 1)
                name = _name(inner.left if left else inner.right)
                if wraps and not is_label(name):  # labels from 1 to n are brought to 0 … n − 1 in this way
                    self.found.append((inner, name))
            elif isinstance(inner, ast.Call) and called(inner) == "square" and inner.args and self._is(inner.args[0]):
                self.found.append((inner, _name(inner.args[0])))


def _is_mask(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.Compare) for side in (node.left, node.right))


def _whole(node: ast.expr) -> int:
    """The value of a whole number in the text; 0 for anything else."""
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else 0


def _name(node: ast.expr) -> str:
    while not isinstance(node, ast.Name):
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            return ast.unparse(node)[:40]
    return node.id

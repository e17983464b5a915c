"""The products of data and weights in a function's text: they tell the layout, and which parameter is which weight."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pasapas.doctor.inventory import Class, Function, called
from pasapas.doctor.roles import parameter_roles
from pasapas.doctor.slots import kind_of_name


@dataclass(frozen=True)
class Affine:
    """One product of data and weights, with the bias that is added to it ("" for none), as texts.

    `columns`: the weights stand on the left, so samples are in columns. `out_in`: W is (n_out, n_in).
    """

    weight: str
    bias: str
    columns: bool
    out_in: bool


def affine_steps(f: Function) -> list[Affine]:
    """The products with weights in a forward pass, in the order of the text."""
    reader = _Reader(f)
    found: dict[str, Affine] = {}
    for node in _in_order(f.node):
        operands = _operands(node)
        if operands is not None:
            step = reader.affine(node, *operands)
            if step is not None and (not found.get(step.weight) or not found[step.weight].bias):
                found[step.weight] = step
    return list(found.values())


def loose_tensors(f: Function) -> dict[str, str]:
    """Which parameters of a forward pass are weights or biases, by the part that they play: {"A": "W1", "a": "b1"}."""
    names = {p.name for p in f.parameters}
    steps = [s for s in affine_steps(f) if s.weight in names]
    found = {}
    for l, step in enumerate(steps, 1):
        found[step.weight] = f"W{l}"
        if step.bias in names:
            found[step.bias] = f"b{l}"
    return found


def stated_layout(f: Function | None, owner: Class | None, classes: dict[str, Class]) -> tuple[bool, bool] | None:
    """(columns, out_in) as the products of a forward pass have it; None where its text does not tell."""
    sources = [f] if f is not None else []
    if owner is not None:
        sources += [m for m in owner.methods.values() if m not in sources]
    for c in classes.values():
        sources += [m for m in c.methods.values() if re.search("forward|avant|call|propag", m.short)]
    for source in sources:
        steps = affine_steps(source)
        if steps:
            forms = [(s.columns, s.out_in) for s in steps]
            return max(set(forms), key=forms.count)
    return None


def transposed_products(f: Function) -> int:
    """How many products have a transposed factor, or are outer products: what a backward pass is made of."""
    count = 0
    for node in ast.walk(f.node):
        operands = _operands(node)
        if operands is not None:
            count += _plain(operands[0])[1] or _plain(operands[1])[1]
        elif isinstance(node, ast.Call) and called(node) in ("outer", "einsum"):
            count += 1
    return count


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
    yield node


def _operands(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return node.left, node.right
    if isinstance(node, ast.Call) and called(node) in ("dot", "matmul"):
        if len(node.args) >= 2:
            return node.args[0], node.args[1]
        if len(node.args) == 1 and isinstance(node.func, ast.Attribute):
            return node.func.value, node.args[0]
    return None


def _plain(node: ast.expr) -> tuple[ast.expr, bool]:
    """An expression without its transposition, and whether it had one."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value, True
    if isinstance(node, ast.Call) and called(node) == "transpose":
        if isinstance(node.func, ast.Attribute) and not node.args:
            return node.func.value, True
        if node.args:
            return node.args[0], True
    return node, False


class _Reader:
    """Tells weights from data in one function."""

    def __init__(self, f: Function) -> None:
        names = [p.name for p in f.parameters]
        self.parameters = set(names)
        self.data = next((n for n in names if parameter_roles(n)[:1] == ["X"]), next(iter(names), ""))
        self.parents = {child: node for node in ast.walk(f.node) for child in ast.iter_child_nodes(node)}
        self.stored: set[str] = set()
        self.looped: set[str] = set()
        self.unpacked: set[str] = set()
        for node in ast.walk(f.node):
            if isinstance(node, ast.For):
                self.looped |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
            elif isinstance(node, ast.Assign) and not isinstance(node.value, (ast.Call, ast.Tuple)):
                for target in (t for t in node.targets[:1] if isinstance(t, ast.Tuple)):
                    self.unpacked |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
        self.stored = {n.id for n in ast.walk(f.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.added = {
            ast.unparse(n.target): ast.unparse(n.value)
            for n in ast.walk(f.node)
            if isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Add)
        }

    def affine(self, node: ast.AST, left: ast.expr, right: ast.expr) -> Affine | None:
        left, left_turned = _plain(left)
        right, right_turned = _plain(right)
        on_left, on_right = self.likeness(left), self.likeness(right)
        if max(on_left, on_right) <= 0 or on_left == on_right:
            return None
        weight = left if on_left > on_right else right
        turned = left_turned if weight is left else right_turned
        columns = weight is left
        return Affine(ast.unparse(weight), self.bias(node), columns, columns != turned)

    def likeness(self, node: ast.expr) -> float:
        """How much an expression is a weight rather than data."""
        text = ast.unparse(node)
        name = next(iter(re.findall(r"(?<![\w.])(\w+)$|['\"](\w+?)['\"]?[\])]*$|\.(\w+)$", text)), ("", "", ""))
        kind = kind_of_name("".join(name) or text)
        score = {"w": 3.0, "b": 0.5}.get(kind, 0.0)
        if isinstance(node, ast.Name):
            if node.id in self.parameters:
                score += 1 - 2.5 * (node.id == self.data)
            elif node.id in self.looped or node.id in self.unpacked:
                score += 0.5
            elif node.id not in self.stored:
                score += 1
            else:
                score -= 1
        elif isinstance(node, ast.Subscript):
            score += 0.5 - 1.5 * bool(re.search(r"\[-1\]$", text))
            owner = ast.unparse(node.value)
            score += 0.5 if owner in self.parameters and kind_of_name(owner) == "w" else 0
        elif isinstance(node, ast.Attribute):
            score += 0.5
        else:
            score -= 1
        return score

    def bias(self, node: ast.AST) -> str:
        """The text of what is added to a product."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add):
            return ast.unparse(parent.right if parent.left is node else parent.left)
        if isinstance(parent, ast.Assign):
            return self.added.get(ast.unparse(parent.targets[0]), "")
        return ""

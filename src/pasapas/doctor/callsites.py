"""What a submission does where it calls its own functions: what it hands over, and for how many samples at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pasapas.doctor.inventory import Function, Inventory, called
from pasapas.doctor.slots import Path

_SAMPLE = re.compile(
    r"^_?(x|a0|y|t|d|e|k|xi|yi|ti|x_?i|y_?i|x_?k|y_?k|ex|exemple|example|sample|image|img|entree|input|inp|cible|label|target"
    r"|classe|etiquette|row|ligne|vecteur|point)$"
)


def calls_of(inventory: Inventory, f: Function) -> Iterator[ast.Call]:
    """The calls of a function in a submission, outside of itself."""
    name = (f.stands_for or f).short
    inside = set(ast.walk((f.stands_for or f).node))
    for node in ast.walk(inventory.tree):
        if isinstance(node, ast.Call) and called(node) == name and node not in inside:
            yield node


def arguments_of(call: ast.Call, f: Function) -> Iterator[tuple[str, ast.expr]]:
    """The parameters of a function with what a call gives them; after a `*argument`, by name alone."""
    for p, argument in zip(f.parameters, call.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        yield p.name, argument
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg, keyword.value


def names_given(inventory: Inventory, f: Function) -> dict[str, str]:
    """The names of the variables that the parameters of a function get, where it is first called."""
    found: dict[str, str] = {}
    for call in calls_of(inventory, f):
        for name, argument in arguments_of(call, f):
            inner = argument
            while isinstance(inner, (ast.Subscript, ast.Attribute)):
                inner = inner.value
            if isinstance(inner, ast.Name):
                found.setdefault(name, inner.id)
    return found


def call_flow(inventory: Inventory, forward: Function, backward: Function) -> dict[str, Path]:
    """Which part of forward's result each parameter of backward gets where the submission itself calls them."""
    for scope in ast.walk(inventory.tree):
        if not isinstance(scope, (ast.FunctionDef, ast.Module, ast.For, ast.While, ast.If, ast.With)):
            continue
        results = _results(scope.body, (forward.stands_for or forward).short)
        if not results:
            continue
        for call in (
            n
            for n in ast.walk(scope)
            if isinstance(n, ast.Call) and called(n) == (backward.stands_for or backward).short
        ):
            found = {
                name: path
                for name, argument in arguments_of(call, backward.stands_for or backward)
                if (path := _path_of(argument, results)) is not None
            }
            found.update(_starred(call, results, forward, backward))
            if found:
                return found
    return {}


def _results(body: list[ast.stmt], name: str) -> dict[str, Path]:
    """The variables that hold a function's result, or parts of it."""
    results: dict[str, Path] = {}
    for inner in (n for node in body for n in ast.walk(node)):
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Call) and called(inner.value) == name:
            target = inner.targets[0]
            if isinstance(target, ast.Name):
                results[target.id] = ()
            elif isinstance(target, (ast.Tuple, ast.List)):
                for i, element in enumerate(target.elts):
                    if isinstance(element, ast.Name) and element.id != "_":
                        results[element.id] = (("item", i),)
    return results


def _starred(call: ast.Call, results: dict[str, Path], forward: Function, backward: Function) -> dict[str, Path]:
    """For a call that ends in `*result`: its parts for the last parameters."""
    last = call.args[-1] if call.args else None
    n = len(forward.returned)
    if not (isinstance(last, ast.Starred) and isinstance(last.value, ast.Name) and results.get(last.value.id) == ()):
        return {}
    names = [p.name for p in backward.parameters if p.required][-n:]
    return {name: (("item", i),) for i, name in enumerate(names)} if n > 1 else {}


def _path_of(node: ast.expr, results: dict[str, Path]) -> Path | None:
    if isinstance(node, ast.Name):
        return results.get(node.id)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Constant, ast.UnaryOp)):
        inner = _path_of(node.value, results)
        try:
            return None if inner is None else (*inner, ("item", ast.literal_eval(node.slice)))
        except ValueError:
            return None
    return None


def one_by_one(inventory: Inventory, f: Function) -> bool:
    """Whether a submission calls a function for one sample at a time, in a loop over the samples."""
    calls = list(calls_of(inventory, f))
    if not calls:
        return False
    parents = {child: node for node in ast.walk(inventory.tree) for child in ast.iter_child_nodes(node)}
    return all(_one_at_a_time(call, parents) for call in calls)


def _one_at_a_time(call: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    given = {n.id for a in call.args for n in ast.walk(a) if isinstance(n, ast.Name)}
    node: ast.AST | None = call
    while node is not None and not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
        node = parents.get(node)
        loops = [node] if isinstance(node, ast.For) else list(getattr(node, "generators", []))
        if isinstance(node, ast.For):  # `output = x`, and from then on `output = layer.forward(output)`
            for n in ast.walk(node):
                if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name) and ast.unparse(n.targets[0]) in given:
                    given = given | {n.value.id}
        for loop in loops:
            if _over_samples(loop.target, loop.iter, given, call):
                return True
    return False


def _over_samples(target: ast.expr, over: ast.expr, given: set[str], call: ast.Call) -> bool:
    names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    text = ast.unparse(over)
    if isinstance(over, ast.Call) and called(over) == "range":
        indexed = [a for a in call.args if isinstance(a, ast.Subscript) and ast.unparse(_index(a)) in names]
        return len(over.args) < 3 and bool(indexed)
    if isinstance(target, ast.Name) and re.fullmatch(r"(?i)\w*(ind|idx|perm|ordre|order)\w*", text):
        return any(isinstance(a, ast.Subscript) and ast.unparse(_index(a)) == target.id for a in call.args)
    if re.search(r"epoch|epoque|batches|lots|loader|range|chunks|split|permutation|choice", text):
        return False
    return bool(given & names) and all(_SAMPLE.match(n) or n not in given for n in names)


def _index(node: ast.Subscript) -> ast.expr:
    """The index of `X[i]`, `X[:, i]` or `X[:, i:i + 1]`."""
    index = node.slice
    if isinstance(index, ast.Tuple):
        index = next((e for e in index.elts if not (isinstance(e, ast.Slice) and e.lower is None)), index)
    if isinstance(index, ast.Slice) and index.lower is not None and index.upper is not None:
        return index.lower if ast.unparse(index.upper) == f"{ast.unparse(index.lower)} + 1" else index
    return index

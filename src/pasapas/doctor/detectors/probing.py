"""What the detectors share: which functions there are, how one of them is called alone, and where the learner calls it."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.inventory import Class, Function, called, words
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import parameter_roles
from pasapas.doctor.session import Outcome
from pasapas.doctor.values import Ref, named
from pasapas.doctor.world import World

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

SECONDS = 1.0
"""So long may one probe of a learner's function take."""

_LABELS = re.compile(
    r"chiffres?|digits?|labels?|etiquettes?|reponses?|y\w{0,6}|t|v|verite\w*|vrais?|classes|indices|cibles?|targets?"
)
_NUMBER_OF_CLASSES = re.compile(
    r"(n|nb|num|nombre|number|max)_?(of_?|de_?)?(class(es)?|cls|labels?|categories|sorties?|outputs?|out|chiffres|values?|y|l|c|k)?"
    r"|k|c|ny|depth|taille|size|dims?|classes|profondeur|total|length|longueur"
)


def careful(detect: Callable[[Evidence], Iterator[Finding]]) -> Callable[[Evidence], list[Finding]]:
    """A detector that finds nothing, and does not raise, where a probe goes wrong in a way that was not thought of."""

    @wraps(detect)
    def detector(evidence: Evidence) -> list[Finding]:
        found: list[Finding] = []
        try:
            if evidence.recognition.binding is not None:
                found.extend(detect(evidence))
        except Exception:
            return found
        return found

    return detector


class Prober:
    """Calls a submission's functions one by one."""

    def __init__(self, evidence: Evidence) -> None:
        binding = evidence.recognition.binding
        assert binding is not None
        self.evidence, self.binding, self.session = evidence, binding, binding.session
        self.inventory = evidence.recognition.inventory
        self.sizes = list(binding.provider.sizes)

    @property
    def columns(self) -> bool:
        """Whether samples are in columns."""
        return self.binding.layout.columns

    # what there is ---------------------------------------------------------------------------------------------

    @cached_property
    def functions(self) -> list[Function]:
        """Functions, named lambdas, and methods."""
        found = list(self.inventory.functions.values())
        for node in self.inventory.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                found += [_named_lambda(t.id, node.value) for t in node.targets if isinstance(t, ast.Name)]
        for c in self.inventory.classes.values():
            found += [f for f in c.methods.values() if not any(f is g for g in found)]
        return found

    @cached_property
    def source(self) -> str:
        """The whole text, without comments."""
        return ast.unparse(self.inventory.tree)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """What each node stands in."""
        return {child: node for node in ast.walk(self.inventory.tree) for child in ast.iter_child_nodes(node)}

    def calls(self, name: str) -> list[ast.Call]:
        """Where something of this name is called."""
        return [n for n in ast.walk(self.inventory.tree) if isinstance(n, ast.Call) and called(n) == name]

    def scope(self, node: ast.AST) -> ast.AST:
        """The function that a node stands in, or the module."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, (ast.FunctionDef, ast.Lambda)):
                return node
        return self.inventory.tree

    def used(self, f: Function) -> bool:
        """Whether the text speaks of a function outside of its own definition."""
        own = set(ast.walk(f.node))
        for n in ast.walk(self.inventory.tree):
            if n in own:
                continue
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id == f.short and f.owner is None:
                return True
            if isinstance(n, ast.Attribute) and n.attr == f.short and f.owner is not None:
                return True
        return False

    def facts(self, f: Function, **more: Any) -> dict[str, Any]:
        """The facts of a finding in a function; nothing of one that was put together of layers, any of which it may be."""
        if f.stands_for is not None:
            return more
        return {"function": f.short, "line": getattr(f.node, "lineno", 0), **more}

    # calling ---------------------------------------------------------------------------------------------------

    def network_has(self, f: Function) -> bool:
        """Whether a method is the network's own."""
        owner = self.binding.owner
        return owner is not None and any(f is g for g in owner.methods.values())

    def target(self, f: Function, w: World) -> Ref | None:
        """What stands for a function; for a method, that of a new object. None where no object can be made."""
        if f.owner is None:
            return named(f.short)
        if self.network_has(f) and self.binding.provider.kind == "object":
            _sources, holder = self.binding.parameters(w)
            return holder.attr(f.short) if holder is not None else None
        if f.is_static:
            return named(f.name)
        made = self.session.call(named(f.owner), [], seconds=SECONDS)
        return Ref(made.handle).attr(f.short) if made.failure is None else None

    def call(self, f: Function, arguments: dict[str, Any], w: World | None = None, **options: Any) -> Outcome | None:
        """What a function gives for arguments by name; None where it cannot be called at all."""
        target = self.target(f, w or self.evidence.worlds[0])
        if target is None:
            return None
        args, kwargs = f.arranged(arguments)
        return self.session.call(target, args, kwargs, seconds=SECONDS, **options)


def _named_lambda(name: str, node: ast.Lambda) -> Function:
    function = ast.FunctionDef(name, copy.deepcopy(node.args), [ast.Return(node.body)], [])
    return Function(name, ast.fix_missing_locations(ast.copy_location(function, node)))


def class_of(prober: Prober, f: Function) -> Class | None:
    """The class in which a method is written."""
    return prober.inventory.classes.get(f.owner or "")


def same_numbers(a: Any, b: np.ndarray, tolerance: float = 1e-5) -> bool:
    """Whether `a` is an array like `b`, up to rounding."""
    if not isinstance(a, np.ndarray) or a.shape != b.shape or a.dtype.kind not in "fiub":
        return False
    return bool(np.all(np.abs(a.astype(float) - b) <= tolerance * np.maximum(1.0, np.abs(b))))


def is_label(name: str) -> bool:
    """Whether a parameter of this name may stand for labels."""
    joined = "".join(words(name))
    return "Y" in parameter_roles(name) or bool(_LABELS.fullmatch(joined))


def is_class_number(name: str) -> bool:
    """Whether a parameter of this name may stand for the number of classes."""
    return bool(_NUMBER_OF_CLASSES.fullmatch("_".join(words(name))))


def literal(node: ast.expr, module: dict[str, Any]) -> Any:
    """The value of an expression made of numbers, strings, containers and constants of the module; else ValueError."""
    if isinstance(node, ast.Name):
        if node.id in module:
            return module[node.id]
        raise ValueError(node.id)
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [literal(e, module) for e in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Pow, ast.Add, ast.Div)):
        a, b = literal(node.left, module), literal(node.right, module)
        if isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a) < 1e6 and abs(b) < 1e3:
            if isinstance(node.op, ast.Mult):
                return a * b
            if isinstance(node.op, ast.Add):
                return a + b
            return a / b if isinstance(node.op, ast.Div) else a ** min(b, 8)
    return ast.literal_eval(node)


def module_constants(tree: ast.Module) -> dict[str, Any]:
    """The names that a module gives a value that can be read."""
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                for name, value in pairs:
                    if isinstance(name, ast.Name):
                        try:
                            found[name.id] = literal(value, found)
                        except (ValueError, TypeError, SyntaxError, ZeroDivisionError):
                            found.pop(name.id, None)
    return found


def arrays_of(value: Any) -> list[np.ndarray]:
    """The arrays of numbers in a result: itself, or the elements of a tuple or list; lists of numbers as arrays."""
    if isinstance(value, np.ndarray):
        return [value] if value.dtype.kind in "fiub" else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        as_one = _from_lists(value)
        if as_one is not None:
            return [as_one]
        return [a for item in value for a in arrays_of(item)]
    return []


def _from_lists(value: Any) -> np.ndarray | None:
    try:
        array = np.array(value)
    except (ValueError, TypeError):
        return None
    flat = isinstance(value, list) and array.dtype.kind in "fiub" and array.ndim in (1, 2)
    return array if flat and array.size else None

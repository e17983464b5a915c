"""What a submission defines, read from its text: functions, classes, their parameters, and what their names say."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pasapas.doctor.syntax import parse


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function. `default` is the text of its default value, None where it has none."""

    name: str
    default: str | None = None
    keyword_only: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is None


@dataclass
class Function:
    """A function or method of a submission. `name` is "Class.method" for a method."""

    name: str
    node: ast.FunctionDef
    owner: str | None = None
    stands_for: Function | None = None
    """The submission's own function, where this one was written by the doctor to call it (`adapters.py`)."""

    @property
    def short(self) -> str:
        """The name without its class."""
        return self.node.name

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Without `self`, `*args` and `**kwargs`."""
        a = self.node.args
        positional = [*a.posonlyargs, *a.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(a.defaults)) + list(a.defaults)
        found = [Parameter(p.arg, ast.unparse(d) if d else None) for p, d in zip(positional, defaults, strict=True)]
        if self.owner and found and not self.is_static:
            found = found[1:]
        found += [
            Parameter(p.arg, ast.unparse(d) if d else None, True)
            for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)
        ]
        return found

    @property
    def required(self) -> list[Parameter]:
        """The parameters that have no default."""
        return [p for p in self.parameters if p.required]

    @property
    def is_static(self) -> bool:
        """Whether it has no `self` or `cls`."""
        return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in self.node.decorator_list)

    @property
    def is_class_method(self) -> bool:
        """Whether its first parameter is its class."""
        return any(isinstance(d, ast.Name) and d.id == "classmethod" for d in self.node.decorator_list)

    @property
    def generated(self) -> bool:
        """Whether a decorator has written it."""
        return self.short == "__init__" and [ast.unparse(n) for n in self.node.body] == ["pass"]

    def arranged(self, given: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Values by parameter as the arguments of a call: by place until one is left out, then by name."""
        args, kwargs = [], {}
        skipped = False
        for p in self.parameters:
            if p.name in given and not p.keyword_only and not skipped:
                args.append(given[p.name])
            elif p.name in given:
                kwargs[p.name] = given[p.name]
            else:
                skipped = True
        return args, kwargs

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return words(self.short)

    @cached_property
    def calls(self) -> frozenset[str]:
        """The names of what it calls, without what stands before the last dot."""
        return frozenset(called(node) for node in ast.walk(self.node) if isinstance(node, ast.Call))

    @cached_property
    def text(self) -> str:
        """Its source, as `ast` writes it."""
        return ast.unparse(self.node)

    @cached_property
    def returned(self) -> list[str]:
        """The texts of what the last `return` gives, one for each element of a tuple."""
        returns = [n.value for n in ast.walk(self.node) if isinstance(n, ast.Return) and n.value is not None]
        if not returns:
            return []
        last = returns[-1]
        return [ast.unparse(e) for e in last.elts] if isinstance(last, ast.Tuple) else [ast.unparse(last)]

    @property
    def title(self) -> str:
        """The name of the submission's own function."""
        return self.stands_for.name if self.stands_for else self.name

    @property
    def signature(self) -> str:
        """Its name and the names of its parameters."""
        own = self.stands_for or self
        return f"{own.name}({', '.join(p.name for p in own.parameters)})"

    def has(self, *wanted: str) -> bool:
        """Whether one of `wanted` begins one of the words of its name."""
        return any(word.startswith(w) for word in self.words for w in wanted)


@dataclass
class Class:
    """A class of a submission with its methods by name."""

    name: str
    node: ast.ClassDef
    methods: dict[str, Function] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """Its source, as `ast` writes it."""
        return ast.unparse(self.node)


@dataclass
class Inventory:
    """All functions and classes at top level; where a name is defined again, the later one counts."""

    functions: dict[str, Function]
    classes: dict[str, Class]
    tree: ast.Module
    source: str = ""

    @classmethod
    def of(cls, source: str) -> Inventory:
        """What a source text defines."""
        """From a text that parses."""
        tree = parse(source)
        functions: dict[str, Function] = {}
        classes: dict[str, Class] = {}
        for node in _definitions(tree.body):
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = Function(node.name, node)
            elif isinstance(node, ast.ClassDef):
                classes[node.name] = Class(
                    node.name,
                    node,
                    {
                        m.name: Function(f"{node.name}.{m.name}", m, node.name)
                        for m in node.body
                        if isinstance(m, ast.FunctionDef)
                    },
                )
        for c in classes.values():
            init = None if "__init__" in c.methods else _generated_init(c.node)
            if init is not None:
                c.methods["__init__"] = Function(f"{c.name}.__init__", init, c.name)
        for c in classes.values():  # what a class inherits from another one here
            for base in c.node.bases:
                parent = classes.get(ast.unparse(base))
                if parent is not None and parent is not c:
                    c.methods = {**parent.methods, **c.methods}
        return cls(functions, classes, tree, source)

    def everything(self) -> Iterator[Function]:
        """All functions, then all methods."""
        yield from self.functions.values()
        for c in self.classes.values():
            yield from c.methods.values()


def _definitions(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _definitions(node.body)
            for handler in getattr(node, "handlers", []):
                yield from _definitions(handler.body)
            yield from _definitions(getattr(node, "orelse", []))


def _generated_init(node: ast.ClassDef) -> ast.FunctionDef | None:
    """The `__init__` that `@dataclass` or `NamedTuple` gives a class; None where neither does."""
    marks = " ".join(ast.unparse(n) for n in (*node.decorator_list, *node.bases))
    if not re.search(r"dataclass|NamedTuple|attr\.s|define", marks):
        return None
    fields = [n for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    if not fields:
        return None
    listed = ", ".join(
        ast.unparse(n.target)
        + ("" if n.value is None else " = None" if isinstance(n.value, ast.Call) else f" = {ast.unparse(n.value)}")
        for n in fields
    )
    made = parse(f"def __init__(self, {listed}): pass").body[0]
    return made if isinstance(made, ast.FunctionDef) else None


def plain(name: str) -> str:
    """`name` without accents: "rétropropagation" → "retropropagation"."""
    name = name.replace("Ŷ", "Yhat").replace("ŷ", "yhat")
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def words(name: str) -> tuple[str, ...]:
    """The words of an identifier, in lower case, without accents: "mettreAJour_W1" → ("mettre", "a", "jour", "w1")."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain(name))
    parts = re.sub(r"([A-Z]{2,})([A-Z][a-z])", r"\1_\2", parts)
    return tuple(w for w in re.split(r"[_\W]+", parts.lower()) if w)


def called(node: ast.Call) -> str:
    """The last name of what a call calls: "dot" of np.dot(...)."""
    f = node.func
    return f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""

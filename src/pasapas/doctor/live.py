"""Functions that are handed over alive, made into something that can be read and run like a file.

They are copied over a copy of their globals, and given line numbers in one common text: so they are watched and their
errors explained as a file's are, and whatever they change in globals is not yours.
"""

from __future__ import annotations

import ast
import bisect
import inspect
import linecache
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pasapas.doctor.inventory import Function, Inventory
from pasapas.doctor.report import Context
from pasapas.doctor.roles import other_role
from pasapas.doctor.session import FILE, LIVE, Session
from pasapas.doctor.syntax import parse
from pasapas.i18n import _

_LARGEST = 1_000_000  # entries of an array in the globals that is copied


class Live:
    """Live functions as a session, an inventory and a context. `forward` and `backward` are their names there."""

    def __init__(
        self, forward: Callable[..., Any] | None, backward: Callable[..., Any], others: dict[str, Callable[..., Any]]
    ) -> None:
        self._lines: list[str] = []
        self._starts: list[tuple[int, str]] = []
        self._functions: list[tuple[str, Any, int]] = []
        self._classes: list[tuple[str, type, int]] = []
        self._globals = _globals_of(backward)
        self._live: set[str] = set()
        self.names: dict[str, str] = {}
        """What the functions are called, where the session has them by another name."""
        self.backward = self._add(backward, nameless="backward")
        self.forward = self._add(forward, nameless="forward") if forward is not None else None
        for key, f in others.items():
            self._add(f, key)
        self._add_helpers()
        source = "\n".join(self._lines)
        self.inventory = Inventory.of(source)
        self.context = Context(source=source, where=self._where)
        self.session = _LiveSession(self._namespace)
        LIVE.update(self._live)

    def close(self) -> None:
        """No frames are watched any longer."""
        LIVE.difference_update(self._live)

    # gathering ---------------------------------------------------------------------------------------------------

    def _add(self, f: Callable[..., Any], key: str = "", nameless: str = "") -> str:
        """Takes a function, or the class of a method, and returns its name here."""
        owner = getattr(f, "__self__", None)
        if isinstance(f, types.MethodType) and owner is not None:
            cls = owner if isinstance(owner, type) else type(owner)
            if not any(known is cls for _name, known, _line in self._classes):
                line = self._write(cls.__name__, _class_source(cls))
                self._classes.append((cls.__name__, cls, line))
            return f"{cls.__name__}.{f.__name__}"
        own = _name(f) or key or nameless
        name = own
        if key and _role(own) != _role(key):
            name = key
            self.names[key] = own
        if any(known is f for _name, known, _line in self._functions):
            return next(known for known, g, _line in self._functions if g is f)
        self._functions.append((name, f, self._write(own, *_function_source(f, name))))
        return name

    def _write(self, name: str, source: str, has_lines: bool = True) -> int:
        """Adds a text, and returns the line where it begins; 0 where it has not the lines of the code."""
        start = len(self._lines) + 1
        self._lines += [*source.rstrip("\n").split("\n"), ""]
        self._starts.append((start, name))
        return start if has_lines else 0

    def _add_helpers(self) -> None:
        """The functions and classes in the globals that those here use, and what makes parameters."""
        wanted = [name for name, f in self._globals.items() if _own(f, self._globals) and _role(name) == "initialize"]
        done: set[str] = set()
        queue = [*wanted, *(n for _name, f, _line in self._functions for n in _used(f))]
        queue += [n for _name, cls, _line in self._classes for f in vars(cls).values() for n in _used(f)]
        while queue:
            name = queue.pop()
            f = self._globals.get(name)
            if name in done or not _own(f, self._globals):
                continue
            done.add(name)
            if isinstance(f, type):
                if not any(known is f for _name, known, _line in self._classes):
                    self._classes.append((name, f, self._write(name, _class_source(f))))
                queue += [n for method in vars(f).values() for n in _used(method)]
            elif not any(known is f for _name, known, _line in self._functions):
                self._functions.append((name, f, self._write(name, *_function_source(f, name))))
                queue += list(_used(f))

    def _where(self, line: int) -> str:
        i = bisect.bisect_right(self._starts, (line, "\U0010ffff")) - 1
        if i < 0:
            return _("line {line}").format(line=line)
        first, name = self._starts[i]
        return _("line {line} of {function}").format(line=line - first + 1, function=name)

    # running -----------------------------------------------------------------------------------------------------

    def _namespace(self) -> dict[str, Any]:
        """The globals, copied, with copies of the functions over them."""
        memo: dict[int, Any] = {}
        space = {name: _copied(value, memo) for name, value in self._globals.items()}
        for name, cls, line in sorted(self._classes, key=lambda entry: len(entry[1].__mro__)):
            source = _class_source(cls)
            try:
                tree = ast.increment_lineno(parse(source), line - 1)
                exec(compile(tree, FILE, "exec"), space)
            except Exception:
                space[name] = cls
        for name, f, line in self._functions:
            space[name] = self._copy(f, space, line)
            own = _name(f)
            if self._globals.get(own) is f:
                space[own] = space[name]
        return space

    def _copy(self, f: Any, space: dict[str, Any], line: int) -> Any:
        if not isinstance(f, types.FunctionType):
            return f
        if not line:
            self._live.add(f.__code__.co_filename)
        code = _moved(f.__code__, line - f.__code__.co_firstlineno) if line else f.__code__
        mine = space if f.__globals__ is self._globals else f.__globals__
        copy = types.FunctionType(code, mine, f.__name__, f.__defaults__, f.__closure__)
        copy.__kwdefaults__ = f.__kwdefaults__
        return copy


class _LiveSession(Session):
    """A session over a namespace that can be made anew."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        super().__init__({})
        self._make = make
        self.restart()

    def restart(self) -> None:
        """Forgets what calls have left behind."""
        fresh = self._make()
        self.namespace = fresh
        fresh["__name__"] = "submission"


def _globals_of(f: Any) -> dict[str, Any]:
    f = inspect.unwrap(getattr(f, "__func__", f))
    found = getattr(f, "__globals__", None)
    return found if isinstance(found, dict) else {}


def _name(f: Any) -> str:
    name = getattr(f, "__name__", "")
    return name if name.isidentifier() else ""


def _role(name: str) -> str | None:
    node = parse(f"def {name}(): ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    return other_role(Function(name, node))


def _own(f: Any, space: dict[str, Any]) -> bool:
    """Whether it is a function or a class that was written where these globals are."""
    if isinstance(f, types.FunctionType):
        return f.__globals__ is space
    return isinstance(f, type) and f.__module__ == space.get("__name__")


def _used(f: Any) -> Iterator[str]:
    """The global names in a function's code."""
    code = getattr(inspect.unwrap(f) if callable(f) else f, "__code__", None)
    if isinstance(code, types.CodeType):
        yield from _names(code)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _moved(code: types.CodeType, by: int) -> types.CodeType:
    """Code with the line numbers that it has in the common text."""
    inner = tuple(_moved(c, by) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_filename=FILE, co_firstlineno=code.co_firstlineno + by, co_consts=inner)


def _function_source(f: Any, name: str) -> tuple[str, bool]:
    """The text of a function under a name, and whether its lines are those of its code."""
    plain = inspect.unwrap(f)
    try:
        source = textwrap.dedent(inspect.getsource(plain))
        tree = parse(source)
    except (OSError, TypeError, SyntaxError, ValueError):
        return _stub(f, name), False
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return _stub(f, name), False
    node = tree.body[0]
    if node.name != name:
        lines = source.split("\n")
        lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"def {node.name}", f"def {name}", 1)
        source = "\n".join(lines)
    return source, plain is f


def _stub(f: Any, name: str) -> str:
    """A function of which nothing but the signature is known."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return f"def {name}(X): ..."
    shown = [
        ("*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else "")
        + p.name
        + ("" if p.default is p.empty else "=None")
        for p in parameters
    ]
    return f"def {name}({', '.join(shown)}): ..."


def _class_source(cls: type) -> str:
    """The text of a class, in a notebook too, where `inspect` may not find it; an empty class where there is none."""
    try:
        return textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        pass
    for method in vars(cls).values():
        code = getattr(method, "__code__", None)
        if isinstance(code, types.CodeType):
            text = "".join(linecache.getlines(code.co_filename))
            try:
                nodes = [n for n in ast.walk(parse(text)) if isinstance(n, ast.ClassDef) and n.name == cls.__name__]
            except (SyntaxError, ValueError):
                continue
            for node in nodes:
                if node.lineno <= code.co_firstlineno <= (node.end_lineno or 0):
                    return textwrap.dedent("\n".join(text.split("\n")[node.lineno - 1 : node.end_lineno]))
    return f"class {cls.__name__}: ..."


def _copied(value: Any, memo: dict[int, Any], depth: int = 0) -> Any:
    """Arrays and what holds them are copied, each once; all the rest is itself."""
    if id(value) in memo:
        return memo[id(value)]
    copy = value
    if type(value) is np.ndarray and value.size <= _LARGEST:
        copy = value.copy()
    elif depth < 4 and type(value) in (list, dict, tuple) and len(value) <= 1000:
        if isinstance(value, dict):
            copy = {k: _copied(v, memo, depth + 1) for k, v in value.items()}
        else:
            copy = type(value)(_copied(v, memo, depth + 1) for v in value)
    memo[id(value)] = copy
    return copy

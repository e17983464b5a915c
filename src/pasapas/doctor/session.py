"""Where a learner's functions run: loaded, called, and watched line by line.

One class for two places: inside the child process that runs a file (`child.py`), and in this process for functions that
are handed over alive. It needs NumPy and the standard library alone, and it knows nothing of networks.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import io
import random
import signal
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasapas.doctor.recording import Call, Recorder, Wanted, shortened
from pasapas.doctor.values import Opaque, Ref, view

FILE = "<submission>"
"""The name under which a learner's code is compiled: only such frames are watched."""

MOST_STEPS = 4_000
"""So many assignments are recorded of one call."""

LARGEST_WATCHED = 200_000
"""Arrays with more entries are not recorded while a call is watched."""


_LAZY_ANNOTATIONS = __future__.annotations.compiler_flag  # a name that only an annotation misses stops nothing


class OutOfTime(BaseException):
    """Raised inside a learner's function that takes too long; no `except Exception` of theirs catches it."""


@dataclass
class Step:
    """One assignment that was seen: `name` in `function` became `value` at `line`."""

    function: str
    line: int
    name: str
    value: Any


@dataclass
class Failure:
    """How a call ended that did not end well. `line` 0 where it was not in the learner's code."""

    kind: str
    message: str
    line: int = 0
    function: str = ""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The shapes of the arrays that stand in the failing line, by their text there."""


@dataclass
class Outcome:
    """What came of a call. `handle` stands for its result in later calls."""

    value: Any = None
    handle: int = 0
    failure: Failure | None = None
    after: list[Any] = field(default_factory=list)
    """The positional arguments after the call; None for one that is what it was before."""
    steps: list[Step] = field(default_factory=list)
    owner: Any = None
    """The object whose method was called, after the call."""
    calls: list[Call] = field(default_factory=list)
    """The calls inside that were to be recorded."""


class Session:
    """A learner's namespace, and the calls into it."""

    def __init__(self, namespace: dict[str, Any] | None = None) -> None:
        self.module = types.ModuleType("submission")
        self.namespace: dict[str, Any] = self.module.__dict__
        self.namespace.update({"__builtins__": builtins, **(namespace or {})})
        self.results: dict[int, Any] = {}
        self.source, self.seconds = "", 0.0
        self.deferred: list[ast.stmt] = []
        self.unfinished: set[str] = set()
        """Names that have a value only because another was supplied: statements that change it are still put off."""
        self.script: list[ast.stmt] = []
        """All statements, those of `if __name__ == "__main__"` among them, for a data set of 2,000 images."""
        self.failures: list[Failure] = []
        self.file = FILE
        """The name under which the code is compiled."""
        self.end = float("inf")
        """When what is being done must be over, by `time.monotonic`."""
        self.limits_time = threading.current_thread() is threading.main_thread() and namespace is None

    # loading ---------------------------------------------------------------------------------------------------

    def load(self, source: str, seconds: float) -> list[Failure]:
        """Runs what defines something; what computes is put off until a name from it is missed."""
        self.source, self.seconds = source, seconds
        sys.modules["submission"] = self.module  # where dataclasses and pickle look for the module of a class
        tree = ast.parse(source, FILE)
        with self._within(seconds):
            for statement in tree.body:
                if _defines(statement):
                    failure = self._execute(statement, seconds)
                    if failure is not None:
                        self.failures.append(failure)
                        self.deferred.append(statement)
                elif isinstance(statement, ast.If) and _is_main_guard(statement):
                    self.deferred.extend(statement.body)
                else:
                    self.deferred.append(statement)
        self.script = shortened([s for t in tree.body for s in (_main(t) if _is_main_guard(t) else [t])])
        return self.failures

    def restart(self) -> None:
        """Forgets what calls have left behind, and loads the source again."""
        if self.source:
            self.namespace.clear()
            self.namespace.update({"__name__": "submission", "__builtins__": builtins})
            self.deferred, self.failures, self.unfinished = [], [], set()
            self.load(self.source, self.seconds)

    def _execute(self, statement: ast.stmt, seconds: float) -> Failure | None:
        share = min(seconds, (self.end - time.monotonic()) / 2)  # one that hangs leaves time for the others
        try:
            code = compile(ast.Module([statement], []), self.file, "exec", _LAZY_ANNOTATIONS, dont_inherit=True)
            with self._quiet(), self._limit(share):
                exec(code, self.namespace)
        except BaseException as error:
            return self._failure(error)
        return None

    def supply(self, name: str, seconds: float) -> bool:
        """Runs the put-off statements that would give `name` a value, and what they need in turn."""
        with self._within(seconds):
            return self._supply(name, seconds, set())

    def _supply(self, name: str, seconds: float, asked: set[str]) -> bool:
        if name in asked:
            return name in self.namespace
        asked.add(name)
        for statement in [s for s in self.deferred if name in _bound(s)]:
            for _attempt in range(8):
                failure = self._execute(statement, seconds)
                if (
                    failure is None
                    or failure.kind != "NameError"
                    or not self._supply(_missing(failure), seconds, asked)
                ):
                    break
            if failure is None and statement in self.deferred:
                self.deferred.remove(statement)
                self.unfinished |= {n for s in self.deferred for n in _bound(s) & _bound(statement)}
        self.unfinished.discard(name)
        return name in self.namespace

    def define(self, source: str) -> None:
        """Runs definitions of the doctor's own in the namespace, under another name: their frames are not watched."""
        with contextlib.suppress(Exception), self._quiet():
            exec(compile(source, "<doctor>", "exec"), self.namespace)

    # calling ---------------------------------------------------------------------------------------------------

    def call(
        self,
        target: Ref,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        seed: int = 0,
        watch: bool = False,
        seconds: float = 2.0,
        keep: bool = True,
        record: Wanted | None = None,
    ) -> Outcome:
        """Calls what `target` stands for. Arrays are handed over as copies; a `Ref` among them is the object itself.

        It is watched line by line, or the calls that it makes are recorded, not both.
        """
        outcome = Outcome()
        with self._within(seconds):
            for _attempt in range(6):
                outcome = self._call_once(target, args, kwargs or {}, seed, watch, seconds, keep, record)
                failure = outcome.failure
                if failure is None or failure.kind != "NameError" or not self.supply(_missing(failure), seconds):
                    break
        return outcome

    def _call_once(
        self,
        target: Ref,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        seed: int,
        watch: bool,
        seconds: float,
        keep: bool,
        record: Wanted | None,
    ) -> Outcome:
        outcome = Outcome()
        try:
            function = self.resolve(target)
            given = [self._materialize(a) for a in args]
            named = {name: self._materialize(a) for name, a in kwargs.items()}
            before = [view(a) for a in given]
        except Exception as error:
            outcome.failure = self._failure(error)
            return outcome
        np.random.seed(seed)
        random.seed(seed)
        _reseed(self.namespace, seed)
        watcher = _Watcher() if watch else None
        recorder = Recorder(record, self.namespace, _is_watched) if record else None
        try:
            with (
                self._quiet(),
                self._limit(seconds),
                watcher or recorder or contextlib.nullcontext(),
                _same_generators(seed),
            ):
                result = function(*given, **named)
                if isinstance(result, Iterator) and not hasattr(result, "shape"):
                    result = [item for item, _ in zip(result, range(10_000), strict=False)]
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and not self.limits_time:
                raise
            outcome.failure = self._failure(error)
        else:
            if keep:
                outcome.handle = len(self.results) + 1
                self.results[outcome.handle] = result
            outcome.value = _viewed(result)
        outcome.after = [None if same(b, a := _viewed(g)) else a for b, g in zip(before, given, strict=True)]
        outcome.steps = watcher.steps if watcher else []
        outcome.calls = recorder.calls if recorder else []
        owner = getattr(function, "__self__", None)
        outcome.owner = _viewed(owner) if owner is not None else None
        return outcome

    def run(self, record: Wanted, seconds: float) -> Outcome:
        """Runs the whole script anew, beside what is there, until enough calls are recorded or something fails.

        The result has the smaller arrays of the script as they were when the loop began in which the recorded calls
        were made.
        """
        outcome = Outcome()
        namespace: dict[str, Any] = {
            k: self.namespace[k] for k in ("__name__", "__builtins__", "__file__") if k in self.namespace
        }
        recorder = Recorder(record, namespace, _is_watched)
        np.random.seed(0)
        random.seed(0)
        try:
            with self._within(seconds), self._quiet(), self._limit(seconds), _same_generators(0):
                for statement in self.script:
                    code = compile(ast.Module([statement], []), self.file, "exec", _LAZY_ANNOTATIONS, dont_inherit=True)
                    if isinstance(statement, (ast.For, ast.While)) and not recorder.calls:
                        small = [(n, a) for n, a in _arrays(namespace) if a.nbytes <= LARGEST_WATCHED]
                        outcome.value = {name: array.copy() for name, array in small[:40]}
                    with recorder:
                        exec(code, namespace)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and not self.limits_time:
                raise
            outcome.failure = self._failure(error)
        outcome.calls = recorder.calls
        return outcome

    def look(self, target: Ref) -> Any:
        """A view of what `target` stands for; None if there is no such thing."""
        try:
            return view(self.resolve(target))
        except Exception:
            return None

    def put(self, target: Ref, value: Any) -> bool:
        """Makes `target` be `value`: an attribute, an item, a global, or the content of an array that cannot be replaced."""
        value = self._materialize(value)
        try:
            kind, key = target.path[-1]
            owner = self.resolve(Ref(target.handle, target.path[:-1]))
            if kind == "global":
                self.namespace[key] = value
            elif kind == "attr":
                try:
                    setattr(owner, key, value)
                except AttributeError:
                    getattr(owner, key)[...] = value
            else:
                try:
                    owner[key] = value
                except TypeError:
                    owner[key][...] = value
        except Exception:
            return False
        return True

    def hold(self, value: Any) -> Ref:
        """Keeps `value` and returns what stands for it."""
        handle = len(self.results) + 1
        self.results[handle] = self._materialize(value)
        return Ref(handle)

    def resolve(self, ref: Ref) -> Any:
        """The object that `ref` stands for."""
        here: Any = self.results[ref.handle] if ref.handle else self.namespace
        for kind, key in ref.path:
            if kind == "global":
                if key not in self.namespace or key in self.unfinished:
                    self.supply(key, 1.0)
                here = self.namespace[key]
            elif kind == "attr":
                here = getattr(here, key)
            else:
                here = here[key]
        return here

    def _materialize(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return self.resolve(value)
        if isinstance(value, np.ndarray):
            return value.copy()
        if isinstance(value, list):
            return [self._materialize(v) for v in value]
        if isinstance(value, tuple):
            return tuple(self._materialize(v) for v in value)
        if isinstance(value, dict):
            return {k: self._materialize(v) for k, v in value.items()}
        if isinstance(value, Opaque):  # something with attributes
            return types.SimpleNamespace(**{k: self._materialize(v) for k, v in value.attributes.items()})
        return value

    # around a call ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """What a learner prints goes nowhere, and NumPy's warnings too."""
        import warnings

        with (
            contextlib.redirect_stdout(_Nowhere()),
            contextlib.redirect_stderr(_Nowhere()),
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield

    @contextlib.contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """All that is done inside, calls in calls too, takes `seconds` together."""
        before = self.end
        self.end = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self.end = before

    @contextlib.contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Raises OutOfTime inside after `seconds`, and again every tenth of a second until it is heeded."""
        if not self.limits_time:
            yield
            return

        def ring(_number: int, frame: Any) -> None:
            while frame is not None and frame.f_code.co_filename != FILE:
                frame = frame.f_back
            if frame is not None:  # not while this class is already clearing up
                raise OutOfTime

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, min(seconds, self.end - time.monotonic())), 0.1)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _failure(self, error: BaseException) -> Failure:
        frames = [f for f in traceback.walk_tb(error.__traceback__) if f[0].f_code.co_filename == FILE]
        kind = "OutOfTime" if isinstance(error, OutOfTime) else type(error).__name__
        kind = "NameError" if isinstance(error, NameError) and not isinstance(error, UnboundLocalError) else kind
        failure = Failure(kind, str(error)[:500])
        if isinstance(error, NameError) and getattr(error, "name", None):
            failure.message = str(error.name)
        if frames:
            frame, line = frames[-1]
            failure.line, failure.function = line, frame.f_code.co_name
            failure.shapes = _shapes({**frame.f_globals, **frame.f_locals})
        return failure


def _viewed(value: Any) -> Any:
    """`view(value)`; where a learner's class raises while it is looked at, what its kind is."""
    try:
        return view(value)
    except Exception:
        return Opaque(type(value).__name__)


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def _shapes(variables: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays among some variables and one level into their containers, by how one writes them."""
    return {name: array.shape for name, array in _arrays(variables)}


def _arrays(variables: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays among some variables, and those one or two levels into their lists, dictionaries and objects."""
    for name, value in list(variables.items()):
        if name.startswith("__"):
            continue
        yield from _inside(name, value, 0)


def _inside(name: str, value: Any, depth: int) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub" and value.size <= LARGEST_WATCHED:
            yield name, value
        return
    if isinstance(value, np.generic) or depth > 2:
        if isinstance(value, np.floating):
            yield name, np.asarray(value)
        return
    if isinstance(value, dict):
        for key, item in list(value.items())[:64]:
            yield from _inside(f"{name}[{key!r}]", item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value[:64]):
            yield from _inside(f"{name}[{i}]", item, depth + 1)
    elif type(value).__module__ in ("submission", "__main__") and hasattr(value, "__dict__"):
        for key, item in list(vars(value).items())[:64]:
            yield from _inside(f"{name}.{key}", item, depth + 1)


class _Watcher:
    """Records every array that a learner's functions assign, as it is right after the line that did it."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.seen: dict[int, dict[str, np.ndarray]] = {}
        self.lines: dict[int, int] = {}

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self._enter)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _enter(self, frame: Any, event: str, argument: Any) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != FILE and not _is_live(frame):
            return None
        if frame.f_code.co_name.startswith("<"):
            return None
        self.lines[id(frame)] = frame.f_lineno
        self.seen[id(frame)] = {name: array.copy() for name, array in _arrays(frame.f_locals)}
        return self._within

    def _within(self, frame: Any, event: str, argument: Any) -> Callable[..., Any]:
        key = id(frame)
        if len(self.steps) < MOST_STEPS:
            known, line, function = self.seen.setdefault(key, {}), self.lines.get(key, 0), frame.f_code.co_name
            for name, array in _arrays(frame.f_locals):
                old = known.get(name)
                if (
                    old is None
                    or old.shape != array.shape
                    or not np.array_equal(old, array, equal_nan=array.dtype.kind == "f")
                ):
                    known[name] = array.copy()
                    self.steps.append(Step(function, line, name, known[name]))
            if event == "return":
                for name, array in _inside("return", argument, 0):
                    self.steps.append(Step(function, frame.f_lineno, name, array.copy()))
        if event == "return":
            self.seen.pop(key, None)
            self.lines.pop(key, None)
        else:
            self.lines[key] = frame.f_lineno
        return self._within


LIVE: set[str] = set()
"""The files of functions that were handed over alive: their frames are watched too."""


def _is_live(frame: Any) -> bool:
    return frame.f_code.co_filename in LIVE


def _is_watched(file: str) -> bool:
    return file == FILE or file in LIVE


@contextlib.contextmanager
def _same_generators(seed: int) -> Iterator[None]:
    """`np.random.default_rng()` without a seed gives the same numbers in every call."""
    original = np.random.default_rng

    def seeded(given: Any = None) -> np.random.Generator:
        return original(seed if given is None else given)

    np.random.default_rng = seeded  # type: ignore[assignment]
    try:
        yield
    finally:
        np.random.default_rng = original


def _reseed(namespace: dict[str, Any], seed: int) -> None:
    """Generators that a submission keeps at top level begin anew, so that every call draws the same."""
    for value in namespace.values():
        if isinstance(value, np.random.Generator) and isinstance(value.bit_generator, np.random.PCG64):
            value.bit_generator.state = np.random.PCG64(seed).state
        elif isinstance(value, np.random.RandomState):
            value.seed(seed)


def same(a: Any, b: Any) -> bool:
    """Whether two views show the same."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return (
            isinstance(a, np.ndarray)
            and isinstance(b, np.ndarray)
            and a.shape == b.shape
            and a.dtype == b.dtype
            and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Opaque):
        return same(a.attributes, b.attributes)
    return bool(a == b) or (a != a and b != b)


def _defines(statement: ast.stmt) -> bool:
    """Whether a statement at top level only gives a name a meaning, and takes no time about it."""
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(statement, ast.Try):
        return all(_defines(s) for s in statement.body)
    if isinstance(statement, ast.If):
        return not _is_main_guard(statement) and all(_defines(s) for s in [*statement.body, *statement.orelse])
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return statement.value is None or not any(isinstance(n, ast.Call) for n in _outside_lambdas(statement.value))
    return isinstance(statement, ast.Pass)


def _outside_lambdas(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _outside_lambdas(child)


def _main(statement: ast.stmt) -> list[ast.stmt]:
    return statement.body if isinstance(statement, ast.If) else []


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(statement.test)
    )


def _bound(statement: ast.stmt) -> set[str]:
    """The global names that a statement may give a value to."""
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, (ast.Store, ast.Del))}
    names |= {
        a.asname or a.name.split(".")[0]
        for n in ast.walk(statement)
        for a in getattr(n, "names", [])
        if isinstance(n, (ast.Import, ast.ImportFrom))
    }
    return names | {n.name for n in ast.walk(statement) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}


def _missing(failure: Failure) -> str:
    parts = failure.message.split("'")
    return parts[1] if len(parts) > 1 else failure.message

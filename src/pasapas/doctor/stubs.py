"""Imports and calls that would stop, or slow down, a learner's code: what is missing is stood in for.

Used in the child process alone. Only imports that the learner's own code makes are changed; a library that tries an
import, and does without where it fails, works as ever.
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
import threading
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pasapas.doctor import loaders
from pasapas.doctor.session import FILE, Session
from pasapas.doctor.standin import StandIn
from pasapas.doctor.substitutes import KNOWN
from pasapas.doctor.syntax import parse

_LIBRARIES = """
    IPython PIL altair bokeh cv2 datasets fastai gdown google graphviz idx2numpy imageio ipywidgets jax joblib
    kaggle kagglehub keras lightgbm matplotlib mnist mpl_toolkits networkx numba pandas plotly pygame pylab requests
    seaborn skimage sklearn statsmodels streamlit tensorboard tensorboardX tensorflow tensorflow_datasets tkinter
    torch torchaudio torchsummary torchvision tqdm transformers turtle wandb xgboost
"""
STOOD_IN = frozenset(_LIBRARIES.split())
"""Never imported, even where they are installed: they draw, download, or take longer to start than a check may last."""

_PLOTS = (
    "figure plot show title xlabel ylabel xlim ylim legend grid axis imshow subplot subplots savefig hist scatter bar"
)
NUMPY = ("cupy", "jax.numpy", "autograd.numpy")
_SAME = (("tensorflow.python.keras.", "keras."), ("tensorflow.keras.", "keras."), ("keras.api.", "keras."))
_FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-np.asarray(x))),
    "relu": lambda x: np.maximum(0, x),
    "tanh": np.tanh,
}
"""What these names mean leaves no doubt, so that a learner's missing module can do without them."""


class Module(StandIn):
    """A module that is not there, or something in it."""

    def __init__(self, name: str, theirs: bool = False) -> None:
        super().__init__(name)
        self._theirs = theirs

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = self._find(name)
        setattr(self, name, value)
        return value

    def _find(self, name: str) -> Any:
        full = f"{self._name}.{name}"
        for long, short in _SAME:
            full = short + full.removeprefix(long) if full.startswith(long) else full
        if full in KNOWN:
            return KNOWN[full]
        if self._theirs and name in _FUNCTIONS:
            return _FUNCTIONS[name]
        return Module(full, self._theirs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing; data where a learner's own module has a function named like one that loads it."""
        name = self._name.rpartition(".")[2].lower()
        if self._theirs and name.startswith(("load", "charge", "get", "read", "lire")) and not _arrays(args):
            return loaders.Sets(self._name)
        return super().__call__(*args, **kwargs)


def _arrays(values: Sequence[Any]) -> bool:
    return any(isinstance(v, (np.ndarray, list, dict)) for v in values)


class Imports:
    """`__import__` for a learner's code."""

    def __init__(self, source: str, file: str, folder: str) -> None:
        self.file, self.folder = file, Path(folder) if folder else None
        self.original = builtins.__import__
        self.guarded = _guarded_lines(source)
        self.stand_ins: dict[str, Module] = {}
        self.siblings: dict[str, Any] = {}
        self.missing: list[str] = []
        """The learner's own modules that were not found."""

    def __call__(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: Any = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """As `builtins.__import__`."""
        if (globals or {}).get("__name__") != "submission":
            return self.original(name, globals, locals, fromlist or (), level)
        top = name.partition(".")[0]
        sibling = self._sibling(name, bool(fromlist)) if name and top not in STOOD_IN - {"mnist"} else None
        if sibling is not None:
            return sibling
        if name in NUMPY and (fromlist or "." not in name):
            return np
        if top in STOOD_IN or name == "urllib.request":
            return self._stand_in(name, bool(fromlist), False)
        try:
            if level:
                raise ModuleNotFoundError(name=name)
            module = self.original(name, globals, locals, fromlist or (), 0)
        except Exception:
            if sys._getframe(1).f_lineno in self.guarded:
                raise
            return self._stand_in(name or "package", bool(fromlist), True)
        absent = [n for n in fromlist or () if n != "*" and not hasattr(module, n)]
        if absent and sys._getframe(1).f_lineno not in self.guarded:
            return _partly(module, name)
        return module

    def _stand_in(self, name: str, whole: bool, theirs: bool) -> Any:
        top, *rest = name.split(".")
        if top == "pylab":
            return _partly(np, "matplotlib.pyplot", _PLOTS.split())
        if top not in self.stand_ins:
            self.stand_ins[top] = Module(top, theirs)
            if theirs:
                self.missing.append(top)
        here: Any = self.stand_ins[top]
        for part in rest if whole else ():
            here = getattr(here, part)
        return here

    def _sibling(self, name: str, whole: bool) -> Any:
        """A module that lies beside the learner's file, or beside its folder if it is in a folder of its own."""
        top, *rest = name.split(".")
        if self.folder is None or top in sys.stdlib_module_names or top in ("numpy", "scipy", "pasapas"):
            return None
        module = self._load(self.folder, name)
        if module is None and (rest or (self.folder.parent / top).is_dir()):
            module = self._load(self.folder.parent, name)
        if module is None:
            return None
        if whole or not rest:
            return module
        for part in reversed(rest):  # `import a.b` gives a
            module = types.SimpleNamespace(**{part: module})
        return module

    def _load(self, folder: Path, name: str) -> Any:
        if name in self.siblings:
            return self.siblings[name]
        path = folder.joinpath(*name.split("."))
        file = next((f for f in (path.with_name(path.name + ".py"), path / "__init__.py") if f.is_file()), None)
        if file is None:
            return _Package(self, folder, name) if path.is_dir() and any(path.glob("*.py")) else None
        try:
            source = file.read_bytes()[:1_000_000].decode("utf-8-sig", "replace")
            session = Session()
            session.file = f"<{name}>"
            session.limits_time = False  # the import statement has its time
            module = _Sibling(session)
            self.siblings[name] = module
            session.load(source, float("inf"))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return module


class _Sibling:
    """A module of the learner's: what it defines, and what computes a name when that name is asked for."""

    def __init__(self, session: Session) -> None:
        self.__dict__ = session.namespace
        object.__setattr__(self, "__session__", session)

    def __getattr__(self, name: str) -> Any:
        session = self.__dict__["__session__"]
        if not name.startswith("__") and session.supply(name, 2.0):
            return session.namespace[name]
        raise AttributeError(name)


class _Package:
    """A folder of the learner's modules."""

    def __init__(self, imports: Imports, folder: Path, name: str) -> None:
        self._imports, self._folder, self._name = imports, folder, name

    def __getattr__(self, name: str) -> Any:
        module = None if name.startswith("__") else self._imports._load(self._folder, f"{self._name}.{name}")
        if module is None:
            raise AttributeError(name)
        return module


def _partly(module: Any, name: str, more: Sequence[str] = ()) -> Any:
    """A module, with stand-ins for what it does not have. `more` names those that `import *` is to bring too."""
    partly = types.ModuleType(name)
    partly.__dict__.update({k: v for k, v in vars(module).items() if not k.startswith("__")})
    stand_in = Module(name)
    partly.__dict__.update({n: getattr(stand_in, n) for n in more})
    partly.__getattr__ = lambda attribute: getattr(stand_in, attribute)  # type: ignore[method-assign]
    return partly


def _guarded_lines(source: str) -> set[int]:
    """The lines of imports inside a `try`: whoever wrote it has thought of what to do where the import fails."""
    return {
        inner.lineno
        for node in ast.walk(parse(source))
        if isinstance(node, ast.Try) and node.handlers
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    }


def install(source: str, file: str = FILE, folder: str = "") -> Imports:
    """Makes the code in `source`, compiled under the name `file`, able to run without what it lacks."""
    imports = Imports(source, file, folder)
    main, sleep = threading.get_ident(), time.sleep

    def nap(seconds: Any) -> None:
        if threading.get_ident() != main:  # a thread that is left over leaves us the processor
            sleep(max(float(seconds), 0.05))

    def leave(*_: Any) -> None:
        raise SystemExit

    names: dict[str, Any] = vars(builtins)
    names.update(
        __import__=imports,
        open=loaders.opener(builtins.open),
        input=lambda *_: "",
        exit=leave,
        quit=leave,
        display=Module("IPython.display.display"),
        get_ipython=Module("IPython.get_ipython"),
    )
    os._exit = os.abort = leave  # type: ignore[assignment]
    time.sleep = nap
    np.load = loaders.otherwise(np.load, loaders.load)
    np.loadtxt = loaders.otherwise(np.loadtxt, loaders.table)
    np.genfromtxt = loaders.otherwise(np.genfromtxt, loaders.table)
    return imports

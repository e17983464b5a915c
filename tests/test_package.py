from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pasapas

SOURCE = Path(pasapas.__file__).parent


def test_public_names():
    for name in pasapas.__all__:
        assert getattr(pasapas, name) is not None
    assert set(pasapas.__all__) == {*pasapas._HOME, "__version__"}
    assert dir(pasapas) == sorted(pasapas.__all__)
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = pasapas.nothing_of_this_name


def test_names_for_type_checkers_are_those_at_run_time():
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name: f"{node.module}" for node in block.body for alias in node.names}
    assert imported == {name: f"pasapas.{module}" for name, module in pasapas._HOME.items()}


BARE = """
import sys

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {"pasapas", "numpy", "array_api_compat"} and not top.startswith("_sysconfig") and top not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not to be imported")

sys.meta_path.insert(0, OnlyThese())
import pasapas

for name in pasapas.__all__:
    getattr(pasapas, name)
train, test = pasapas.load_mnist()
network = pasapas.mlp(784, 16, 10)
result = pasapas.fit(network, train.images[:2000], train.labels[:2000], epochs=2)
loss, accuracy = result.model.evaluate(test.images, test.labels)
assert accuracy > 0.5, accuracy
assert result.model.predict(test.images[:3]).shape == (3,)
try:
    pasapas.mlp(784, 10, activation="rleu")
except pasapas.PasapasError as error:
    print(error)
"""


def test_numpy_and_array_api_compat_are_enough_to_learn():
    done = subprocess.run([sys.executable, "-W", "error", "-c", BARE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "rleu" in done.stdout


def test_importing_pasapas_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import pasapas; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    extra = {name.partition(".")[0] for name in done.stdout.split()}
    assert extra - set(sys.stdlib_module_names) <= {"pasapas"}


def test_modules_are_reached_without_an_import_of_their_own():
    code = "import pasapas; print(pasapas.lessons.relu([-1.0, 2.0]), pasapas.figures.descent, pasapas.layers.ReLU)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def layer_of(module: str) -> int:
    """How far up a module stands; imports go down only."""
    order = [
        ("pasapas.i18n",), ("pasapas.errors",), ("pasapas.files", "pasapas.layers"),
        ("pasapas.losses", "pasapas.initializers", "pasapas.optimizers", "pasapas.schedules", "pasapas.metrics"),
        ("pasapas.network",), ("pasapas.steps",), ("pasapas.data",), ("pasapas.recipes", "pasapas.checking", "pasapas.lessons"), ("pasapas.backends",),
        ("pasapas.models",), ("pasapas.calibrating",), ("pasapas.pickled",), ("pasapas.tracing",), ("pasapas.training",), ("pasapas.searching",), ("pasapas.runs",), ("pasapas.studies",), ("pasapas.figures",), ("pasapas.doctor",), ("pasapas.views",), ("pasapas.lab",), ("pasapas.course",), ("pasapas.cli",),
    ]  # fmt: skip
    for level, names in enumerate(order):
        if any(module == name or module.startswith(name + ".") for name in names):
            return level
    raise AssertionError(f"{module} has no place in the order")


def test_dependencies_point_downwards():
    """At import time; what is imported inside functions, such as figures by runs, costs nothing until it is used."""
    for path in SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        if module in ("pasapas", "pasapas.__main__"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pasapas."):
                assert layer_of(node.module or "") <= layer_of(module), f"{module} imports {node.module}"

"""Notebooks, found, read and executed as a reader would: in a kernel of their own, in a folder of their own."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

import pasapas

COURSE = Path(pasapas.__file__).parent / "course"
NAMES = sorted(path.stem for path in (COURSE / "fr").glob("*.ipynb"))
LANGUAGES = ("fr", "en")

# what a lesson of NumPy and matplotlib must do without: compiled extras, and what the terminal needs
WITHOUT = ("scipy", "safetensors", "threadpoolctl", "jax", "optuna", "torch", "sklearn", "pandas", "anywidget")
_BLOCK = """
import sys
class _Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, _Missing())
"""
_CLAIMS = """
printed = {printed!r}
exec(compile({source!r}, {path!r}, "exec"), globals())
"""


def notebook(name: str, language: str, kind: str = ".") -> Any:
    """The notebook of a lesson; kind "solutions" for its solutions."""
    return nbformat.read(COURSE / language / kind / f"{name}.ipynb", as_version=4)


@dataclass
class Executed:
    """What came of a notebook."""

    cells: list[Any]
    printed: str = ""
    """All that was printed or shown as text."""


def execute(nb: Any, folder: Path, without: tuple[str, ...] = (), claims: Path | None = None) -> Executed:
    """Runs all cells in `folder`, then the assertions of the file `claims` in what they left behind.

    The first error ends the run and is raised. Warnings are errors in the cells.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    environment = {"OPENBLAS_NUM_THREADS": "1"}  # as a lesson asks for, where there is threadpoolctl
    environment |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONWARNINGS": "error::UserWarning"}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        client = NotebookClient(nb, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
        with client.setup_kernel():
            if without:
                client.execute_cell(_extra(nb, _BLOCK.format(names=without)), len(nb.cells) - 1)
                nb.cells.pop()
            for i, cell in enumerate(nb.cells):
                client.execute_cell(cell, i)
            done = Executed(list(nb.cells))
            done.printed = "\n".join(map(_text, done.cells))
            if claims is not None:
                source = claims.read_text(encoding="utf-8")
                code = _CLAIMS.format(printed=done.printed, source=source, path=str(claims))
                try:
                    client.execute_cell(_extra(nb, code), len(nb.cells) - 1)
                except CellExecutionError as error:
                    lines = re.sub(r"\x1b\[[\d;]*m", "", error.traceback).split("\n")
                    raise AssertionError("\n".join(line[:300] for line in lines[-12:])) from None
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    return done


def _extra(nb: Any, code: str) -> Any:
    nb.cells.append(nbformat.v4.new_code_cell(code))
    return nb.cells[-1]


def _text(cell: Any) -> str:
    """All that a cell printed or showed, as text. What was printed arrives in pieces of any size."""
    text = ""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            text += output.text
        elif output.output_type in ("execute_result", "display_data"):
            text += output.data.get("text/plain", "") + "\n"
    return text

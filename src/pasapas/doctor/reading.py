"""Reads what a learner handed in, a Python file or a notebook, as one Python text that parses.

Nothing is run here. Notebooks are read in nbformat 3 and 4 (https://nbformat.readthedocs.io).
"""

from __future__ import annotations

import ast
import bisect
import codecs
import contextlib
import io
import json
import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pasapas.doctor.magics import body, without_magics
from pasapas.doctor.syntax import parse
from pasapas.errors import PasapasError, cannot_read, nearest
from pasapas.i18n import _

LARGEST_CODE = 1_000_000
"""In characters. Python's parser takes a second for so many, and cannot be stopped."""

LARGEST_FILE = 25_000_000
"""In bytes: a notebook holds its pictures too."""

DEEPEST = 250
"""Expressions and blocks are nested no deeper, so that whoever walks the tree stays within Python's own limit."""


class Unreadable(PasapasError):
    """What was handed in cannot be read as Python code. The message is one sentence."""


@dataclass(frozen=True)
class Submission:
    """A learner's code, as one Python text."""

    path: Path
    source: str
    """Parses; its nesting is at most `DEEPEST`."""
    tree: ast.Module = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()
    """Sentences on what was left out or changed, in the reader's language."""
    cells: tuple[tuple[int, int], ...] = ()
    """(first line in `source`, number of the code cell from 1) of each cell that was taken; empty for a Python file."""

    def where(self, line: int) -> str:
        """A line of `source` as the learner knows it: "line 42", or "code cell 3, line 5"."""
        i = bisect.bisect_right(self.cells, (line, 1 << 30)) - 1
        if i < 0:
            return _("line {line}").format(line=line)
        first, number = self.cells[i]
        return _("code cell {cell}, line {line}").format(cell=number, line=line - first + 1)


def read(path: str | Path) -> Submission:
    """The code in a .py file or a notebook.

    Raises Unreadable where there is no such file, or none that is Python. In a notebook, cells that do not parse are
    left out, with a note.
    """
    path = Path(path)
    text = _decode(_content(path), path)
    looks_like_one = text.lstrip().startswith("{") and '"cells"' in text
    if path.suffix.lower() == ".ipynb" or looks_like_one:
        return _read_notebook(path, text)
    return _read_python(path, text)


def _content(path: Path) -> bytes:
    if "\0" in str(path):
        raise Unreadable(_("There is no file '{path}'.").format(path=str(path).replace("\0", "\\0")))
    try:
        if path.is_dir():
            raise Unreadable(_("'{path}' is a folder: give one file, .py or .ipynb.").format(path=path))
        if path.exists() and not path.is_file():
            raise Unreadable(_("'{path}' is no ordinary file.").format(path=path))
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Unreadable(str(cannot_read(path, error)) + _near(path, error)) from None
    if len(data) > LARGEST_FILE:
        raise _too_large(path)
    return data


def _near(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return ""
    return nearest(path.name, [p.name for p in path.parent.glob("*") if p.suffix in (".py", ".ipynb")])


def _too_large(path: Path) -> Unreadable:
    return Unreadable(
        _("'{path}' is too large: a learner's code has fewer than a million characters.").format(path=path)
    )


def _decode(data: bytes, path: Path) -> str:
    """Text with "\\n" at the end of its lines, as UTF-8, as its PEP 263 cookie says, or at last as Latin-1."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in data:
        raise Unreadable(_("'{path}' is a binary file: give Python code, .py or .ipynb.").format(path=path))
    else:
        encodings = ["utf-8-sig"]
        with contextlib.suppress(SyntaxError, LookupError, ValueError):  # a cookie that is wrong
            encodings.insert(0, tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    for encoding in [*encodings, "latin-1"]:
        try:
            text = data.decode(encoding)
        except (LookupError, ValueError):
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    raise AssertionError("Latin-1 decodes everything")


def _read_python(path: Path, text: str) -> Submission:
    if len(text) > LARGEST_CODE:
        raise _too_large(path)
    if text.startswith(("%PDF-", "{\\rtf")):
        raise Unreadable(_("'{path}' is a document, not Python code: give a .py or .ipynb file.").format(path=path))
    notes: list[str] = []
    try:
        source, tree = _parse(text, notes)
    except SyntaxError as error:
        raise Unreadable(_sentence(path, error)) from None
    return Submission(path, source, tree, tuple(notes))


def _read_notebook(path: Path, text: str) -> Submission:
    sources: list[str] = []
    notes: list[str] = []
    places: list[tuple[int, int]] = []
    line = 1
    for number, cell in enumerate(_code_cells(path, text), 1):
        code = body(cell)
        if code is None or not code.strip():
            continue
        if sum(map(len, sources)) + len(code) > LARGEST_CODE:
            raise _too_large(path)
        try:
            source, _tree = _parse(code, notes)
        except SyntaxError as error:
            notes.append(_without_cell(number, error))
            continue
        sources.append(source)
        places.append((line, number))
        line += source.count("\n") + 1
    if not sources:
        raise Unreadable(" ".join([_("'{path}' has no code cell that parses.").format(path=path), *notes[:1]]))
    source = "\n".join(sources)
    try:
        _source, tree = _parse(source, [])
    except SyntaxError as error:
        raise Unreadable(_sentence(path, error)) from None
    return Submission(path, source, tree, tuple(notes), tuple(places))


def _code_cells(path: Path, text: str) -> list[str]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(_("'{path}' is no notebook: its content is not JSON.").format(path=path)) from None
    if not isinstance(notebook, dict):
        raise Unreadable(_("'{path}' is no notebook: it has no cells.").format(path=path))
    language = _at(notebook, "metadata", "kernelspec", "language") or _at(notebook, "metadata", "language_info", "name")
    if isinstance(language, str) and not language.lower().startswith(("python", "ipython")):
        raise Unreadable(
            _("'{path}' is a notebook in {language}, not in Python.").format(path=path, language=language[:40])
        )
    pages = [notebook, *_list(notebook.get("worksheets"))]  # nbformat 3 has worksheets
    cells = [cell for page in pages if isinstance(page, dict) for cell in _list(page.get("cells"))]
    code = [
        _text(cell.get("source", cell.get("input")))
        for cell in cells
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]
    if not any(c.strip() for c in code):
        raise Unreadable(_("The notebook '{path}' has no code cells.").format(path=path))
    return code


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(source: Any) -> str:
    text = source if isinstance(source, str) else "".join(s for s in _list(source) if isinstance(s, str))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _parse(code: str, notes: list[str]) -> tuple[str, ast.Module]:
    """`code`, or what it is without IPython's lines or with its tabs as spaces, and its tree; SyntaxError otherwise."""
    try:
        return code, _tree(code)
    except SyntaxError as error:
        first = error
    plain = without_magics(code)
    for spaces in (0, 8, 4):
        if spaces and "\t" not in plain:
            break
        text = _untabbed(plain, spaces) if spaces else plain
        try:
            tree = _tree(text)
        except SyntaxError as error:
            first = error if spaces == 0 else first
            continue
        if spaces:
            notes.append(_("Tabs and spaces are mixed; each tab was read as {n} spaces.").format(n=spaces))
        return text, tree
    raise first


def _untabbed(code: str, spaces: int) -> str:
    def untabbed(line: str) -> str:
        rest = line.lstrip(" \t")
        return line[: len(line) - len(rest)].expandtabs(spaces) + rest

    return "\n".join(map(untabbed, code.split("\n")))


def _tree(code: str) -> ast.Module:
    try:
        tree = parse(code)
    except (RecursionError, MemoryError):
        raise SyntaxError("nested too deeply") from None
    except ValueError as error:
        raise SyntaxError(str(error)) from None
    level: list[ast.AST] = [tree]
    for _depth in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise SyntaxError("nested too deeply", (None, getattr(level[0], "lineno", None), None, None))


def _sentence(path: Path, error: SyntaxError) -> str:
    if _is_python_2(error):
        return _("'{path}' is written in Python 2 ({place}): correct it for Python 3, with print(…).").format(
            path=path, place=_("line {line}").format(line=error.lineno)
        )
    if error.lineno is None:
        return _("'{path}' is not Python code that can be run: Python says “{words}”.").format(
            path=path, words=error.msg
        )
    return _("'{path}' is not Python code that can be run: on line {line}, Python says “{words}”.").format(
        path=path, line=error.lineno, words=error.msg
    )


def _without_cell(number: int, error: SyntaxError) -> str:
    if _is_python_2(error):
        return _("Code cell {cell} is left out: it is written in Python 2 (line {line}).").format(
            cell=number, line=error.lineno
        )
    return _("Code cell {cell} is left out: on its line {line}, Python says “{words}”.").format(
        cell=number, line=error.lineno or 1, words=error.msg
    )


def _is_python_2(error: SyntaxError) -> bool:
    return error.msg.startswith(
        (
            "Missing parentheses in call to 'print'",
            "Missing parentheses in call to 'exec'",
            "multiple exception types must",
        )
    )

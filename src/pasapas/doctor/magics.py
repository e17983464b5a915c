"""IPython's own lines, taken out of Python code so that it parses; every other line stays where it was."""

from __future__ import annotations

import re

KEPT = ("time", "timeit", "capture", "prun", "python", "python3", "memit", "mprun", "lprun", "debug")
"""The cell magics whose body is Python that runs in the notebook; the cells of all others are left out."""

_CELL = re.compile(r"\s*%%(\w+)")
_TIMED = re.compile(r"(\s*)%time\s+(\S.*)")
_ASSIGNED = re.compile(r"(\s*[\w.,\[\]'\" ]+?=)\s*[%!][^=].*")
_ALONE = re.compile(r"(\s*)(?:[%!].*|\?{1,2}\s*[\w.*%]+\s*|%?[\w.*]+\s*\?{1,2}\s*)")
_TOKENS = re.compile(r"\\.|\"\"\"|'''|[\"'#()\[\]{}]|\\$")


def body(cell: str) -> str | None:
    """A cell without its `%%magic` line, which is left empty; None where the cell is not Python."""
    lines = cell.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL.match(lines[first])
    if magic is None:
        return cell
    if magic[1] not in KEPT:
        return None
    lines[first] = ""
    return "\n".join(lines)


def without_magics(code: str) -> str:
    """`code` with `%magic`, `!command`, `?help` and `name = !command` made into `pass` or `name = None`.

    Only lines that begin a statement are looked at: none in a string, in brackets, or after a backslash.
    """
    quote, depth, continued, dropping = "", 0, False, False
    lines = code.split("\n")
    for i, line in enumerate(lines):
        if dropping:
            lines[i], dropping = "", line.endswith("\\")
            continue
        if not quote and depth == 0 and not continued:
            replaced = _replaced(line)
            if replaced is not None:
                lines[i], dropping = replaced, line.endswith("\\") and not _TIMED.fullmatch(line)
                line = replaced
        quote, depth, continued = _scan(line, quote, depth)
    return "\n".join(lines)


def _replaced(line: str) -> str | None:
    if timed := _TIMED.fullmatch(line):
        return timed[1] + timed[2]
    if assigned := _ASSIGNED.fullmatch(line):
        return f"{assigned[1]} None"
    if alone := _ALONE.fullmatch(line):
        return f"{alone[1]}pass"
    return None


def _scan(line: str, quote: str, depth: int) -> tuple[str, int, bool]:
    """Where the line after `line` begins: in which string, in how many brackets, and whether after a backslash."""
    continued = False
    for token in _TOKENS.findall(line):
        if quote:
            quote = "" if token == quote else quote
        elif token == "#":
            break
        elif token[0] in "\"'":
            quote = token
        elif token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth = max(0, depth - 1)
        elif token == "\\":
            continued = True
    if len(quote) == 1 and not line.endswith("\\"):
        quote = ""  # a string in single quotes ends with its line
    return quote, depth, continued

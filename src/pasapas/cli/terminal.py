"""What the commands share of the terminal: consoles, tables, and pictures drawn in characters."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pasapas.i18n import _, percent


def console(error: bool = False) -> Console:
    """Standard output, or standard error, as a rich console that leaves numbers alone."""
    return Console(stderr=error, highlight=False, emoji=False)


def say(terminal: Console, text: str, **values: object) -> None:
    """Prints a line that may be long: the terminal breaks it, so that a path in it can be copied whole.

    `text` may have rich's markup; `values`, which fill its braces, are shown as they are, brackets too.
    """
    terminal.print(text.format(**{name: escape(str(value)) for name, value in values.items()}), soft_wrap=True)


def wrapped(text: str, width: int) -> str:
    """`text` in lines of at most `width`: unlike rich's own, these never break at a no-break space."""
    return textwrap.fill(text, max(width, 20))


def complain(sentence: object, status: int) -> int:
    """Says on standard error what is wrong, and returns the exit status."""
    line = Text(_("Error: "), style="bold red").append(str(sentence), style="not bold default")
    Console(stderr=True, highlight=False, soft_wrap=True).print(line)
    return status


def print_json(content: Any) -> None:
    """One object on one line of standard output."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")


def table(*headings: str, title: str | None = None) -> Table:
    """An empty table: the first column left, the others right."""
    grid = Table(title=title, title_justify="left", header_style="bold", title_style="bold", box=None, pad_edge=False)
    for i, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if i else "left", no_wrap=True)
    return grid


def picture(terminal: Console, image: npt.NDArray[np.uint8]) -> Text:
    """An image (height, width) of bytes in characters: two pixels in each, or shades where there is no colour."""
    if not terminal.is_terminal or terminal.color_system is None:
        shades = " .:-=+*#%@"
        rows = image[::2].astype(int) // 26
        return Text("\n".join("".join(shades[v] for v in row) for row in rows))
    text = Text()
    padded = np.vstack([image, np.zeros((len(image) % 2, image.shape[1]), image.dtype)])
    for upper, lower in zip(padded[::2], padded[1::2], strict=True):
        for a, b in zip(upper.tolist(), lower.tolist(), strict=True):
            text.append("▀", style=f"rgb({a},{a},{a}) on rgb({b},{b},{b})")
        text.append("\n")
    text.rstrip()
    return text


def bars(probabilities: npt.NDArray[Any], width: int = 24) -> Table:
    """The probability of each class, with a bar; the largest stands out."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(justify="right")
    grid.add_column(width=width)
    grid.add_column(justify="right")
    best = int(np.argmax(probabilities))
    for i, p in enumerate(probabilities.tolist()):
        style = "bold" if i == best else ""
        grid.add_row(
            Text(str(i), style), Text("█" * round(p * width), "cyan" if i == best else "dim"), Text(percent(p), style)
        )
    return grid

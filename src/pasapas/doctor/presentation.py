"""A report in the terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pasapas.doctor import texts
from pasapas.doctor.corner import MARK, Corner, corner
from pasapas.doctor.report import Comparison, Finding, Report
from pasapas.i18n import _

MARKS = {"correct": "✓", "wrong": "✗", "unknown": "?", "unrunnable": "!"}
STYLES = {"correct": "green", "wrong": "red", "unknown": "yellow", "unrunnable": "yellow"}


def view(report: Report, python: bool = False) -> RenderableType:
    """All of a report: what was recognised, what is right, what is wrong with its numbers, hints, the lesson.

    `python` is whether it is read in Python, where the next hint is asked for in another way.
    """
    return Group(*_parts(report, python))


def as_text(report: Report, width: int = 80) -> str:
    """The same without colours."""
    terminal = Console(
        file=io.StringIO(), width=width, highlight=False, emoji=False, color_system=None, force_jupyter=False
    )
    terminal.print(view(report, python=True))
    assert isinstance(terminal.file, io.StringIO)
    return "\n".join(line.rstrip() for line in terminal.file.getvalue().rstrip().split("\n"))


def _parts(report: Report, python: bool) -> Iterator[RenderableType]:
    if report.context.file:
        yield Paragraph(report.context.file, "bold")
    read = texts.recognised(report)
    if read:
        yield Paragraph(" ".join(read), "dim")
        if report.context.file and report.verdict != "correct" and not python:
            yield Paragraph(_("Not so? Say --forward NAME and --backward NAME."), "dim")
    yield Text("")
    style = STYLES[report.verdict]
    yield Paragraph(f"{MARKS[report.verdict]} {texts.headline(report)}", f"bold {style}", hang=2)
    right = texts.right(report)
    if right and report.verdict != "correct":
        yield Paragraph("✓ " + _("Right so far: {tensors}.").format(tensors=", ".join(right)), "green", hang=2)
    elif right:
        yield Paragraph(_("Checked: {tensors}.").format(tensors=", ".join(right)), "green", hang=2, indent=2)
    for detail in texts.details(report):
        yield Paragraph(detail, indent=2, hang=2)
    for i, finding in enumerate(report.findings):
        yield Text("")
        yield from _finding(finding, report, i)
    if not report.findings and report.comparison is not None:
        yield Padding(Numbers(report.comparison), (1, 0, 0, 2))
    notes = texts.notes(report)
    if notes:
        yield Text("")
    for note in notes:
        yield Paragraph(f"· {note}", "", hang=2)
    further = texts.next_hint(report, python)
    if further:
        yield Text("")
        yield Paragraph(further, "dim")


def _finding(finding: Finding, report: Report, i: int) -> Iterator[RenderableType]:
    number = f"{i + 1}. " if len(report.findings) > 1 else ""
    yield Paragraph(number + texts.message(finding, report), "bold", hang=len(number))
    line, code = texts.code(finding, report)
    if code:
        yield Text.assemble((f"  {line} │ ", "dim"), (code, "cyan"), no_wrap=True, overflow="ellipsis")
    if i == 0 and report.comparison is not None:
        yield Padding(Numbers(report.comparison), (1, 0, 1, 2))
    for n, hint in enumerate(texts.hints(finding, report)[: report.hint], 1):
        if hint:
            label = _("Hint {n} of 3").format(n=n)
            yield Paragraph(f"{texts.colon(label)} {hint}", hang=2, indent=2, marked=len(label))
    lesson = texts.lesson(finding)
    if lesson:
        more = _("More: pasapas mistakes {code}").format(code=finding.code)
        yield Paragraph(f"→ {lesson}. {more}", "dim", hang=2, indent=2)


class Paragraph:
    """Text that is broken at ordinary spaces alone, never at a no-break space, and never inside `code`."""

    def __init__(self, text: str, style: str = "", hang: int = 0, indent: int = 0, marked: int = 0) -> None:
        self.text, self.style, self.hang, self.indent, self.marked = text, style, hang, indent, marked

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width, 20)
        lines = [" " * self.indent]
        empty = True
        for word in self._words():
            if not empty and cell_len(lines[-1]) + 1 + cell_len(word) > width:
                lines.append(" " * (self.indent + self.hang))
                empty = True
            lines[-1] += word if empty else f" {word}"
            empty = False
        text = Text("\n".join(lines), self.style, no_wrap=True, overflow="fold", end="\n")
        if self.marked:
            text.stylize("bold", self.indent, self.indent + self.marked)
        yield text

    def _words(self) -> Iterator[str]:
        """Words; a short piece of code is one."""
        text = re.sub(r"\(([^\s()`]+), ([^\s()`]+)\)", r"(\1,\0\2)", self.text)  # a shape is one word
        pieces = [piece.replace("\0", " ") if i % 2 else piece for i, piece in enumerate(text.split("`"))]
        word = ""
        for i, piece in enumerate(pieces):
            if i % 2 and i < len(pieces) - 1 and len(piece) <= 40:
                word += f"`{piece}`"
                continue
            rest = f"`{piece}" + ("`" if i < len(pieces) - 1 else "") if i % 2 else piece
            first, *more = rest.split(" ")
            word += first
            for other in more:
                if word:
                    yield word.replace("\0", " ")
                word = other
        if word:
            yield word.replace("\0", " ")


class Numbers:
    """Theirs beside the expected, as many columns as there is room for; below each other where there is none."""

    def __init__(self, shown: Comparison) -> None:
        self.shown = shown

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> RenderResult:
        columns = 5
        while columns > 2 and self._width(columns) > options.max_width:
            columns -= 1
        part = corner(self.shown, columns=columns)
        left, right = texts.sides(self.shown)
        both = Table.grid(padding=(0, 4, 0, 0))
        both.add_row(
            Group(Text(left, "bold"), self._side(part, part.theirs, True)),
            Group(Text(right, "bold"), self._side(part, part.expected, False)),
        )
        yield both
        yield Paragraph(texts.caption(part.whole, MARK), "dim")

    def _side(self, part: Corner, cells: list[list[str]], theirs: bool) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        if theirs:
            table.add_column("", justify="right", style="dim", no_wrap=True)
        for j in part.columns:
            table.add_column(str(j), justify="right", no_wrap=True)
        for i, row in enumerate(part.rows):
            shown = []
            for cell, wrong in zip(cells[i], part.differs[i], strict=True):
                mark = MARK if wrong and theirs else ""
                style = ("bold red" if theirs else "bold") if wrong else "dim"
                shown.append(Text(f"{mark}{cell or '–'}", style))
            table.add_row(*([str(row)] if theirs else []), *shown)
        return table

    def _width(self, columns: int) -> int:
        part = corner(self.shown, columns=columns)
        wide = max(len(cell) for rows in (part.theirs, part.expected) for row in rows for cell in row) + 1
        heading = max(cell_len(text) for text in texts.sides(self.shown))
        return max(2 * len(part.columns) * (wide + 1) - len(part.columns) + 8, heading)

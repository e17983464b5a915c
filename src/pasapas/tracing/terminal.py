"""A trace in the terminal: one page for each tensor, in the order of the computation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from pasapas.checking import GradientCheck
from pasapas.i18n import _, integer, number, percent, short
from pasapas.tracing.chain import Chain
from pasapas.tracing.tensors import Tensor, Trace
from pasapas.tracing.text import (
    convention,
    digits,
    first_numbers,
    magnitudes,
    shape_text,
    stage_title,
    statistics,
)

_ROWS = 5
_TERMS = 12  # of a sum, the largest ones: the others are added up in one line


def pages(step: Trace) -> list[tuple[str, RenderableType]]:
    """The title and the content of each page."""
    shown = [(stage_title(tensor.stage), _page(tensor, step)) for tensor in step]
    return [*shown, (_("In short"), summary(step))]


def _page(tensor: Tensor, step: Trace) -> RenderableType:
    head = Text(tensor.name, "bold cyan")
    if tensor.formula:
        head.append(f" = {tensor.formula}", "bold default")
    head.append(f"   {shape_text(tensor)}", "dim")
    parts: list[RenderableType] = [head, Text(tensor.meaning)]
    if shapes := _shapes(tensor, step):
        parts.append(Text(shapes, "dim"))
    parts.append(Text(statistics(tensor, step), "green"))
    if tensor.name == f"dZ{len(step.network.dense)}":
        parts.append(_by_hand(tensor, step))
    elif tensor.shape:
        parts.append(Numbers(tensor.value))
    return Group(*parts)


def _shapes(tensor: Tensor, step: Trace) -> str:
    """How the shapes of a matrix product meet: (5, 784) @ (784, 128) → (5, 128)."""
    left, product, right = (tensor.formula or "").partition(" @ ")
    if not product or tensor.stage == "after":
        return ""
    factors = []
    for text in (left, right.split(" ")[0]):
        name, _dot, transposed = text.partition(".")
        shape = step[name].shape[::-1] if transposed else step[name].shape
        factors.append(f"({', '.join(map(str, shape))})")
    return f"{factors[0]} @ {factors[1]} → {shape_text(tensor)}"


def _by_hand(tensor: Tensor, step: Trace) -> Table:
    """For the first image P, Y and their difference, class by class: to be checked by hand."""
    table = _grid(["", *map(str, range(tensor.shape[1]))])
    for name in ("P", "Y", tensor.name):
        table.add_row(f"{name}[0]", *(number(float(v)) for v in step[name].value[0]))
    return table


@dataclass(frozen=True)
class Numbers:
    """The first numbers of an array, as many columns as the terminal has room for."""

    array: npt.NDArray[Any]

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> RenderResult:
        top, left, block = first_numbers(self.array, _ROWS, 30)
        cells = [[number(v, digits(self.array)) for v in row] for row in block.tolist()]
        wide = max(len(str(left + 30)), *(len(cell) for row in cells for cell in row))
        fitting = max(1, (options.max_width - len(str(top + _ROWS)) - 3) // (wide + 2))
        shown = min(fitting, block.shape[1])
        n_rows, n_columns = np.atleast_2d(self.array).shape
        more = ["…"] if left + shown < n_columns else []
        table = _grid(["", *(str(left + j) for j in range(shown)), *more])
        for i, row in enumerate(cells):
            table.add_row(str(top + i), *row[:shown], *more)
        if top + len(cells) < n_rows:
            table.add_row("…")
        yield table


def summary(step: Trace) -> RenderableType:
    """The magnitude of each gradient, what the update changed, and the loss before and after."""
    headings, *rows = magnitudes(step)
    table = _grid(headings)
    for row in rows:
        table.add_row(*row)
    difference = step.loss - step.loss_after
    verdict = (
        _("The loss went down by {difference}: the step was a step downhill.")
        if difference > 0
        else _("The loss did not go down ({difference}): the step was too long for this slope.")
    )
    before, after = number(step.loss, 6), number(step.loss_after, 6)
    return Group(
        Text(_("Magnitudes (absolute values), with α = {rate}:").format(rate=short(step.learning_rate))),
        table,
        Text(_("Loss before {before}, after {after}.").format(before=before, after=after), "bold"),
        Text(verdict.format(difference=number(difference, 6))),
        Text(convention(step), "dim"),
    )


def chain(result: Chain) -> RenderableType:
    """The sums that lead to one derivative, and the same by finite differences."""
    parts: list[RenderableType] = []
    for total in result.sums:
        terms = sorted(total.terms, key=lambda term: -abs(term.product))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
        for _column in range(3):
            table.add_column(no_wrap=True)
        table.columns[2].justify = "right"
        for term in terms[:_TERMS]:
            names = " · ".join(name for name, _value in term.factors)
            values = " · ".join(number(value, 6) for _name, value in term.factors)
            table.add_row(names, f"= {values}", f"= {number(term.product, 8)}")
        if len(terms) > _TERMS:
            rest = sum(term.product for term in terms[_TERMS:])
            table.add_row(_("{n} smaller terms").format(n=integer(len(terms) - _TERMS)), "", f"= {number(rest, 8)}")
        table.add_row(Text(_("sum"), "bold"), "", Text(f"= {number(sum(t.product for t in terms), 8)}", "bold"))
        parts += [Text(total.name, "bold cyan"), table, Text("")]
    agree = _("{name}: {value} by the chain rule, {differences} by finite differences.").format(
        name=result.name, value=number(result.value, 8), differences=number(result.by_differences, 8)
    )
    scale = max(abs(result.value), abs(result.by_differences))
    if scale > 1e-12:
        apart = abs(result.value - result.by_differences) / scale
        agree += " " + _("They differ by {share}.").format(share=percent(apart, 6))
    return Group(*parts, Text(agree, "bold"))


def gradients(checked: GradientCheck) -> RenderableType:
    """The table of a gradient check, without shapes and columns of nothing but zeros, and the verdict."""
    headings, rows = checked.table()
    shown = [i for i in range(len(headings)) if i != 1 and any(row[i] != "0" for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for i in shown:
        words = headings[i].split()
        width = max(cell_len(text) for text in [*words, *(row[i] for row in rows)])  # headings are broken, numbers not
        table.add_column("\n".join(words), justify="left" if i == 0 else "right", width=width)
    for row in rows:
        table.add_row(*(row[i] for i in shown))
    return Group(table, Text(f"\n{checked.verdict}", "bold" if checked.ok else "bold red"))


def as_numbers(result: Chain) -> dict[str, Any]:
    """A chain as JSON can hold it."""
    return {
        "name": result.name,
        "value": result.value,
        "by_differences": result.by_differences,
        "sums": [
            {
                "name": total.name,
                "value": total.value,
                "terms": [{"factors": dict(term.factors), "product": term.product} for term in total.terms],
            }
            for total in result.sums
        ],
    }


def show_page(terminal: Console, title: str, content: RenderableType, place: str = "") -> None:
    """One page, with its title."""
    terminal.print()
    terminal.rule(Text(f"{place}{title}"), align="left", style="dim")
    terminal.print(content)


def _grid(headings: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i == 0 else "right", no_wrap=True)
    return table

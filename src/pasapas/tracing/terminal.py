"""A trace in the terminal: one page for each tensor, in the order of the computation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from pasapas.i18n import _, integer, number, percent
from pasapas.tracing.chain import Chain
from pasapas.tracing.tensors import Tensor, Trace
from pasapas.tracing.text import shape_text, stage_title, statistics

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
    """The first numbers of an array, as many columns as the terminal has room for.

    Rows and columns of nothing but zeros at the beginning, such as black pixels, are passed over.
    """

    array: npt.NDArray[Any]

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> RenderResult:
        rows = np.atleast_2d(self.array)
        digits = 0 if np.issubdtype(rows.dtype, np.integer) else 4
        top = _first_nonzero(rows.any(axis=1))
        left = _first_nonzero(rows[top : top + _ROWS].any(axis=0))
        cells = [[number(float(v), digits) for v in row[left:]] for row in rows[top : top + _ROWS, : left + 30]]
        wide = max(len(str(left + len(cells[0]))), *(len(cell) for row in cells for cell in row))
        fitting = max(1, (options.max_width - len(str(top + _ROWS)) - 3) // (wide + 2))
        shown = min(fitting, len(cells[0]))
        more = ["…"] if left + shown < rows.shape[1] else []
        table = _grid(["", *(str(left + j) for j in range(shown)), *more])
        for i, row in enumerate(cells):
            table.add_row(str(top + i), *row[:shown], *more)
        if top + len(cells) < len(rows):
            table.add_row("…")
        yield table


def _first_nonzero(mask: Any) -> int:
    return int(np.argmax(mask))  # 0 where there is none


def summary(step: Trace) -> RenderableType:
    """The magnitude of each gradient, what the update changed, and the loss before and after."""
    gradients = [step[f"d{name}"] for name in _parameters(step)]
    table = _grid(
        [_("gradient"), _("shape"), _("mean"), _("largest"), _("smallest"), _("mean change"), _("largest change")]
    )
    for tensor in gradients:
        size = np.abs(tensor.value)
        name = tensor.name[1:]
        change = np.abs(step[f"{name}_new"].value - step[name].value)
        values = (size.mean(), size.max(), size.min(), change.mean(), change.max())
        table.add_row(tensor.name, shape_text(tensor), *(number(float(v), 6) for v in values))
    difference = step.loss - step.loss_after
    verdict = (
        _("The loss went down by {difference}: the step was a step downhill.")
        if difference > 0
        else _("The loss did not go down ({difference}): the step was too long for this slope.")
    )
    return Group(
        Text(_("Magnitudes (absolute values), with α = {rate}:").format(rate=number(step.learning_rate, 4))),
        table,
        Text(
            _("Loss before {before}, after {after}.").format(
                before=number(step.loss, 6), after=number(step.loss_after, 6)
            ),
            "bold",
        ),
        Text(verdict.format(difference=number(difference, 6))),
        Text(convention(step), "dim"),
    )


def convention(step: Trace) -> str:
    """Which of the two conventions for the output's delta is shown, and why they agree."""
    if step.convention == "per-example":
        return _(
            "Here dZ and dA are those of each example's own loss (P − Y), and the division by m comes with dW and db. With "
            "--convention mean it comes at once, in dZ. Both give the same dW and db: what stands between is linear in dZ."
        )
    return _(
        "Here every d is the derivative of the mean loss, so m divides once, in dZ = (P − Y) / m. Lessons often write P − Y "
        "and divide dW and db later (--convention per-example): the same numbers, since what stands between is linear in dZ."
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


def _parameters(step: Trace) -> list[str]:
    return [name for i in range(1, len(step.network.dense) + 1) for name in (f"W{i}", f"b{i}")]


def _grid(headings: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i == 0 else "right", no_wrap=True)
    return table

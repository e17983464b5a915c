"""What a gradient check found: numbers, a table, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.i18n import _, integer, language, ngettext, number

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GradientRow:
    """One gradient: its numbers beside those that were measured.

    The arrays have the gradient's shape. The numbers are NaN in entries that were not checked, and `relative_errors` at
    kinks as well. `name` is that of the parameter, such as "W1".
    """

    name: str
    analytic: Floats
    numeric: Floats
    relative_errors: Floats
    wrong: Bools
    kinks: Bools
    too_small: Bools
    zero: Bools

    @property
    def shape(self) -> tuple[int, ...]:
        """The gradient's shape, which is that of the parameter."""
        return self.analytic.shape

    @property
    def checked(self) -> int:
        """How many entries were looked at, whatever came of it."""
        return int(np.sum(~np.isnan(self.analytic)))

    @property
    def judged(self) -> int:
        """How many entries were found right or wrong."""
        return self.checked - int(np.sum(self.kinks)) - int(np.sum(self.too_small))

    @property
    def worst(self) -> tuple[int, ...] | None:
        """Where the relative error is largest, as an index; None where no entry was judged."""
        errors = np.where(self.too_small, np.nan, self.relative_errors)
        if np.isnan(errors).all():
            return None
        return tuple(int(i) for i in np.unravel_index(np.nanargmax(errors), self.shape))

    def as_dict(self) -> dict[str, Any]:
        """The row of the table in values that JSON can hold."""
        at = self.worst
        return {
            "name": self.name,
            "shape": list(self.shape),
            "entries": self.analytic.size,
            "checked": self.checked,
            "judged": self.judged,
            "wrong": int(np.sum(self.wrong)),
            "kinks": int(np.sum(self.kinks)),
            "too_small": int(np.sum(self.too_small)),
            "zero": int(np.sum(self.zero)),
            "at": None if at is None else list(at),
            "relative_error": None if at is None else float(self.relative_errors[at]),
            "analytic": None if at is None else float(self.analytic[at]),
            "numeric": None if at is None else float(self.numeric[at]),
        }


@dataclass(frozen=True, eq=False, repr=False)
class GradientCheck:
    """What a gradient check found. Printed, it is a table and a verdict; in a notebook, a table of HTML.

    `precision` is the relative rounding error of the loss and the gradients, 2.2e-16 in float64.
    """

    rows: tuple[GradientRow, ...]
    loss: float
    tolerance: float
    seed: int
    precision: float

    @property
    def ok(self) -> bool:
        """Whether something could be judged and nothing was wrong."""
        return self._telling and not any(row.wrong.any() for row in self.rows)

    @property
    def _telling(self) -> bool:
        """Whether anything was judged; zeros alone are no sign where the rest is too small for it."""
        judged, zero, small = (
            sum(row.judged for row in self.rows),
            sum(int(np.sum(row.zero)) for row in self.rows),
            any(row.too_small.any() for row in self.rows),
        )
        return judged > zero or (judged > 0 and not small)

    @property
    def verdict(self) -> str:
        """What was found, in one sentence."""
        wrong = sum(int(np.sum(row.wrong)) for row in self.rows)
        judged = sum(row.judged for row in self.rows)
        notes = f" ({', '.join(self._notes())})" if self._notes() else ""
        if not self._telling:
            return _("Nothing can be said of these gradients: no entry could be judged{notes}.").format(notes=notes)
        row, at = max(
            ((row, row.worst) for row in self.rows if row.worst is not None),
            key=lambda found: found[0].relative_errors[found[1]],
        )
        if not wrong:
            return ngettext(
                "The gradients are right: {judged} entry agrees with the slope of the loss, with a relative error of {error} at most{notes}.",
                "The gradients are right: {judged} entries agree with the slope of the loss, with a relative error of {error} at most{notes}.",
                judged,
            ).format(judged=integer(judged), error=_scientific(float(row.relative_errors[at])), notes=notes)
        return ngettext(
            "The gradients are wrong: {wrong} entry of {judged} disagrees with the slope of the loss; in d{place} the gradient says {analytic}, and the slope is {numeric}{notes}.",
            "The gradients are wrong: {wrong} entries of {judged} disagree with the slope of the loss; worst is d{place}, where the gradient says {analytic}, and the slope is {numeric}{notes}.",
            wrong,
        ).format(
            wrong=integer(wrong),
            judged=integer(judged),
            place=row.name + index_text(at),
            analytic=_scientific(float(row.analytic[at]), 4),
            numeric=_scientific(float(row.numeric[at]), 4),
            notes=notes,
        )

    def _notes(self) -> list[str]:
        """What the reader of a verdict has to know of the entries that it does not speak of."""
        checked, entries = sum(row.checked for row in self.rows), sum(row.analytic.size for row in self.rows)
        kinks, small, zero = (
            sum(int(np.sum(getattr(row, kind))) for row in self.rows) for kind in ("kinks", "too_small", "zero")
        )
        notes = []
        if checked < entries:
            notes.append(
                _("a sample of {checked} among {entries}, drawn with seed {seed}").format(
                    checked=integer(checked), entries=integer(entries), seed=self.seed
                )
            )
        if zero:
            notes.append(_("exactly 0 on both sides: {n}").format(n=integer(zero)))
        if kinks:
            notes.append(_("left out at a kink, where there is no slope: {n}").format(n=integer(kinks)))
        if small:
            notes.append(_("too small to be judged: {n}").format(n=integer(small)))
            if self.precision > 1e-10:
                notes.append(_("the function rounds to float32, in float64 more could be judged"))
        return notes

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and cells, as text."""
        headings = [
            _("gradient"),
            _("shape"),
            _("finding"),
            _("entries checked"),
            _("entries wrong"),
            _("at a kink"),
            _("too small"),
            _("largest relative error"),
            _("where"),
            _("the gradient says"),
            _("the slope is"),
        ]
        cells = []
        for row in self.rows:
            at = row.worst
            finding = _("wrong") if row.wrong.any() else _("right") if row.judged else _("not judged")
            cells.append(
                [
                    f"d{row.name}",
                    str(row.shape),
                    finding,
                    f"{integer(row.checked)} / {integer(row.analytic.size)}",
                    *(integer(int(np.sum(kind))) for kind in (row.wrong, row.kinks, row.too_small)),
                    *(
                        ["–"] * 4
                        if at is None
                        else [
                            _scientific(float(row.relative_errors[at])),
                            index_text(at),
                            _scientific(float(row.analytic[at]), 4),
                            _scientific(float(row.numeric[at]), 4),
                        ]
                    ),
                ]
            )
        return headings, cells

    def __str__(self) -> str:
        headings, cells = self.table()
        widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        rule = ["─" * width for width in widths]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 3 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in [headings, rule, *cells]
        ]
        return "\n".join([*(line.rstrip() for line in lines), "", self.verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        headings, cells = self.table()
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in headings)
        body = "".join(
            f'<tr><th scope="row">{escape(line[0])}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in line[1:])
            + "</tr>"
            for line in cells
        )
        return (
            f'<table lang="{language()}"><caption>{escape(self.verdict)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def as_dict(self) -> dict[str, Any]:
        """All of the table, in values that JSON can hold."""
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "loss": self.loss,
            "tolerance": self.tolerance,
            "seed": self.seed,
            "precision": self.precision,
            "rows": [row.as_dict() for row in self.rows],
        }


def _scientific(value: float, digits: int = 1) -> str:
    """3.2e-09, in French 3,2e-09."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{number(float(mantissa), digits)}e{exponent}"


def index_text(at: tuple[int, ...]) -> str:
    """An index as it is written: [3,5]."""
    return f"[{', '.join(map(str, at))}]"

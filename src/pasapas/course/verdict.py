"""What a learner is told of an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal

from pasapas.doctor.html import STYLE, coded
from pasapas.doctor.mistake import Text
from pasapas.doctor.report import Report
from pasapas.errors import PasapasError
from pasapas.i18n import _, language

Status = Literal["unanswered", "wrong", "right"]

_MARKS = {"unanswered": "…", "wrong": "✗", "right": "✓"}
_CLASSES = {"unanswered": "unknown", "wrong": "wrong", "right": "correct"}


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and what is wrong with it. Displays itself in a notebook and when printed.

    `report` is the gradient doctor's, or that of a gradient check, where one of them was the judge.
    """

    status: Status
    message: str
    report: Any = None
    exercise: str = ""
    all_hints: tuple[Text, ...] = ()
    shown: int = 0
    """How many of the hints are shown."""

    @property
    def ok(self) -> bool:
        """Whether the answer is right."""
        return self.status == "right"

    def hints(self, n: int) -> Verdict:
        """The same verdict with the hints up to `n`. Raises PasapasError where there are not so many."""
        if self._by_doctor:
            return replace(self, report=self.report.hints(n))
        most = len(self.all_hints)
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= most:
            raise PasapasError(_("This exercise has hints 1 to {most}, not '{n}'.").format(most=most, n=n))
        return replace(self, shown=n)

    @property
    def _by_doctor(self) -> bool:
        """Whether the doctor's report speaks for itself, hints and all."""
        return isinstance(self.report, Report) and self.status == "wrong"

    @property
    def _headline(self) -> str:
        if not self.exercise:
            return self.message
        return _("{exercise}: {message}").format(exercise=self.exercise, message=self.message)

    def _below(self) -> list[str]:
        """The hints that are shown, and how to see the next."""
        if self._by_doctor or self.status == "right":
            return []
        most = len(self.all_hints)
        lines = [
            _("Hint {n} of {most}: {hint}").format(n=n, most=most, hint=hint)
            for n, hint in enumerate(self.all_hints[: self.shown], 1)
        ]
        if self.shown < most:
            lines.append(_("A hint? Add `.hints({n})` to the end of this cell.").format(n=self.shown + 1))
        return lines

    def __str__(self) -> str:
        lines = [f"{_MARKS[self.status]} {self._headline}", *(f"  {line}" for line in self._below())]
        if self.report is not None:
            lines += ["", str(self.report)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [
            f"<style>{STYLE}</style><section class='doctor' lang='{language()}' role='status'>",
            f"<p class='verdict {_CLASSES[self.status]}'><span aria-hidden='true'>{_MARKS[self.status]}</span> ",
            f"{coded(self._headline)}</p>",
            *(f"<p>{coded(line)}</p>" for line in self._below()),
            "</section>",
        ]
        if self.report is not None:
            html = getattr(self.report, "_repr_html_", None)
            parts.append(html() if html else f"<pre>{escape(str(self.report))}</pre>")
        return "".join(parts)

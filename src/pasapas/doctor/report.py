"""What the doctor says: a verdict, findings in the order of the computation, and what is right so far."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from pasapas.errors import PasapasError
from pasapas.i18n import _

Verdict = Literal["correct", "wrong", "unknown", "unrunnable"]
Certainty = Literal["exact", "likely"]

EXIT_STATUS: dict[str, int] = {"correct": 0, "wrong": 1, "unknown": 1, "unrunnable": 2}


@dataclass
class Comparison:
    """A corner of a tensor, theirs beside the expected."""

    tensor: str
    name: str
    theirs: np.ndarray
    expected: np.ndarray


@dataclass
class Finding:
    """One mistake. `code` is the catalogue's; `facts` fills the texts: function, line, name (theirs), shapes, factors."""

    code: str
    tensor: str
    layer: int
    certainty: Certainty = "exact"
    facts: dict[str, Any] = field(default_factory=dict)


def _line(line: int) -> str:
    return _("line {line}").format(line=line)


@dataclass
class Context:
    """What the texts need to know of a submission beside its mistakes."""

    file: str = ""
    source: str = ""
    where: Callable[[int], str] = _line
    """A line of `source` as the learner knows it: "line 42", "code cell 3, line 5"."""
    sizes: tuple[int, ...] = ()
    """The widths of the small network that was tried, n_in first."""
    batch_sizes: tuple[int, ...] = ()
    columns: bool = False
    """Whether samples are columns."""
    out_in: bool = False
    """Whether W is (n_out, n_in)."""
    signatures: dict[str, str] = field(default_factory=dict)
    """Of the two passes, as they are written: "forward" and "backward"."""

    def line(self, number: int) -> str:
        """The text of a line, without what it is indented by; empty where there is none."""
        lines = self.source.split("\n")
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


@dataclass(repr=False)
class Report:
    """The outcome of a check. Texts are made when they are shown, in the language spoken then."""

    verdict: Verdict
    findings: list[Finding] = field(default_factory=list)
    checked: dict[str, str] = field(default_factory=dict)
    """What was recognised: the names of functions by their part, and how arrays are laid out."""
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Conventions and remarks: a message to translate and what fills it."""
    right: list[str] = field(default_factory=list)
    """The tensors and parts that were seen to be right, in the order of the computation."""
    comparison: Comparison | None = None
    trouble: tuple[str, dict[str, Any]] | None = None
    """For `unknown` and `unrunnable`: the sentence that says what and where. A `Failure` in it is explained."""
    context: Context = field(default_factory=Context, repr=False)
    hint: int = 1
    """Hints are shown up to this one. 3 is the correction."""

    @property
    def status(self) -> int:
        """The exit status: 0 correct, 1 wrong or unknown, 2 unrunnable."""
        return EXIT_STATUS[self.verdict]

    def hints(self, n: int) -> Report:
        """The same report with hints up to `n`: 1 says where, 2 what to see on paper, 3 the correction."""
        if n not in (1, 2, 3):
            raise PasapasError(_("There are hints 1, 2 and 3, not '{n}'.").format(n=n))
        return replace(self, hint=n)

    def as_dict(self) -> dict[str, Any]:
        """All of it in values that JSON can hold. Hints after `hint` are empty."""
        from pasapas.doctor import texts

        content: dict[str, Any] = {
            "verdict": self.verdict,
            "findings": [
                {
                    "code": finding.code,
                    "tensor": finding.tensor,
                    "layer": finding.layer,
                    "certainty": finding.certainty,
                    "message": texts.message(finding, self),
                    "hints": [h if i < self.hint else "" for i, h in enumerate(texts.hints(finding, self))],
                    "lesson": texts.lesson_name(finding.code),
                }
                for finding in self.findings
            ],
            "checked": dict(self.checked),
            "message": texts.verdict(self),
            "notes": texts.notes(self),
            "right": texts.right(self),
            "comparison": None,
        }
        if self.comparison is not None:
            content["comparison"] = {
                "tensor": self.comparison.tensor,
                "name": self.comparison.name,
                "theirs": _numbers(self.comparison.theirs),
                "expected": _numbers(self.comparison.expected),
            }
        return content

    def to_json(self, hint: int | None = None) -> str:
        """One JSON object, with hints up to `hint`."""
        report = self if hint is None else self.hints(hint)
        return json.dumps(report.as_dict(), ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        from pasapas.doctor import presentation

        return presentation.as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from pasapas.doctor import html

        return html.as_html(self)


def _numbers(array: np.ndarray) -> Any:
    """Nested lists; what is not finite is a text, since JSON has no word for it. The first 100 rows and columns."""
    cut = np.asarray(array)[(slice(100),) * np.ndim(array)]

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(v) for v in value]
        return value if np.isfinite(value) else str(value)

    return plain(cut.tolist())

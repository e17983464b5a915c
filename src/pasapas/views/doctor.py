"""The view Doctor: a learner's program is checked, and the report comes as words and numbers for a page."""

from __future__ import annotations

import json
import re
import tempfile
from typing import Any, ClassVar

from pasapas.doctor import texts
from pasapas.doctor.checkup import SECONDS, check_file
from pasapas.doctor.corner import corner
from pasapas.doctor.presentation import MARKS
from pasapas.doctor.reading import LARGEST_CODE, Submission, Unreadable, read
from pasapas.doctor.report import Comparison, Finding, Report
from pasapas.doctor.sabotage import choose
from pasapas.doctor.session import Failure
from pasapas.i18n import _, percent, short
from pasapas.views.bench import Bench, opened
from pasapas.views.packing import unpacked
from pasapas.views.view import View

NAME = "code.py"
"""What a program is called that came without a name."""

_SCRATCH = re.compile(
    "/?" + re.escape(json.dumps(tempfile.gettempdir())[1:-1].lstrip("/")) + r"(?:/|\\\\)pasapas-[\w-]*(?:/|\\\\)?"
)
"""The folders, in JSON, in which programs are kept and run: no name of this machine's goes to a page."""


class DoctorView(View):
    """Runs what it is given, in a process of its own, `seconds` long at most: see `pasapas.doctor.process`."""

    name: ClassVar[str] = "doctor"
    asks: ClassVar[tuple[str, ...]] = ("check", "open", "planted")

    def __init__(self, bench: Bench | None = None, seconds: float = SECONDS) -> None:
        super().__init__(bench)
        self.seconds = seconds

    def about(self) -> dict[str, Any]:
        """The words; `runsCode` is whether this view checks anything."""
        return {**super().about(), "runsCode": True}

    def check(self, code: str, forward: str = "", backward: str = "") -> dict[str, Any]:
        """The report on a program, three times: with one, two and three hints.

        `forward` and `backward` name the two passes where they are not recognised. Raises PasapasError where there is no
        function of that name.
        """
        with opened(NAME, code.encode("utf-8", "replace")) as path:
            report = check_file(path, forward or None, backward or None, self.seconds)
        reports = [described(report.hints(n), code) for n in (1, 2, 3)]
        plain: dict[str, Any] = json.loads(_SCRATCH.sub("", json.dumps({"reports": reports})))
        return plain

    def open(self, name: str, content: str) -> dict[str, Any]:
        """The program in a file, a Python file or a notebook, its bytes as base64: `code`, and `notes` on what was left out.

        Cells of a notebook begin with a line `# %%`. Nothing is run. Raises PasapasError for what is no program.
        """
        data = unpacked(content)
        with opened(name[-60:], data) as path:
            try:
                submission = read(path)
            except Unreadable:
                text = data.decode("utf-8", "replace")
                if path.suffix != ".py" or "\0" in text or len(text) > LARGEST_CODE:
                    raise
                return {"code": text, "notes": []}  # a check says on which line it cannot be read
        return {"code": _with_cells(submission), "notes": list(submission.notes)}

    def planted(self, seed: int | None = None) -> dict[str, Any]:
        """A program with a mistake in it that still learns, drawn by `seed`, and how well it learns, in a sentence."""
        exercise = choose(seed)
        learns = _("The program still learns: about {accuracy} of the test images.")
        return {"code": exercise.text, "sentence": learns.format(accuracy=percent(exercise.accuracy or 0, 0))}

    def texts(self) -> dict[str, str]:
        """The words of the page."""
        return {
            "code": _("Your program"),
            "codeHelp": _("Paste a program here, or drop a .py file or a notebook. Ctrl+Enter checks it."),
            "check": _("Check"),
            "openFile": _("Open a file …"),
            "planted": _("Give me a program with a mistake"),
            "putBack": _("Bring my program back"),
            "drop": _("Drop the file here"),
            "checking": _("Your program is tried out, for {seconds} seconds at most …"),
            "changed": _("The program has changed since: check it again."),
            "nothing": _("There is nothing to check yet: paste a program, open a file, or take one with a mistake."),
            "hidden": _("One mistake is hidden in this program. Look for it before you check!"),
            "names": _("Are the two passes not recognised?"),
            "forward": _("Name of the forward pass"),
            "backward": _("Name of the backward pass"),
            "report": _("Report"),
            "about": _(
                "The doctor calls your functions on small networks, compares every tensor with what it should be, and says which mistake gives just your numbers: where it shows first, how to see it on paper, and only then how to correct it."
            ),
            "trust": _(
                "The program runs on the computer where the lab was started, in a process of its own that is ended after {seconds} seconds. That stops accidents, not intent: check only programs that you trust."
            ),
            "line": _("line {line}"),
            "toLine": _("Line {line}: select it in the program"),
            "hint": _("Hint {n} of 3"),
            "kind": _("What kind of mistake is it? Show hint 2"),
            "correction": _("How is it corrected? Show hint 3"),
            "mistakeMore": _("More: pasapas mistakes {code}"),
            "lessonOpen": _("To open it: {command}"),
            "differs": _("differs"),
            "closed": closed(),
        } | {"seconds": short(self.seconds)}


def closed() -> str:
    """Why a lab that answers to other machines checks nothing."""
    return _(
        "This lab answers to other machines, so it runs nobody's program: start it with --run-code too, or check with “pasapas check FILE”."
    )


def _with_cells(submission: Submission) -> str:
    """The source, with a line before each cell of a notebook that says its number, as editors know it."""
    lines = submission.source.split("\n")
    for first, number in reversed(submission.cells):
        lines[first - 1 : first - 1] = [f"# %% [{number}]"]
    return "\n".join(lines)


def described(report: Report, code: str) -> dict[str, Any]:
    """A report in the words and numbers of a page. Lines are numbers in `code`, None where they cannot be found there."""
    right = texts.right(report)
    checked = _("Checked: {tensors}.") if report.verdict == "correct" else _("Right so far: {tensors}.")
    failures = [value for value in (report.trouble or ("", {}))[1].values() if isinstance(value, Failure)]
    return {
        "verdict": report.verdict,
        "mark": MARKS[report.verdict],
        "headline": texts.headline(report),
        "read": texts.recognised(report),
        "right": checked.format(tensors=", ".join(right)) if right else "",
        "details": texts.details(report),
        "line": _line(failures[0].line, report, code) if failures else None,
        "findings": [_finding(finding, report, code) for finding in report.findings],
        "numbers": None if report.comparison is None else _numbers(report.comparison),
        "notes": texts.notes(report),
    }


def _finding(finding: Finding, report: Report, code: str) -> dict[str, Any]:
    line = int(finding.facts.get("line") or 0)
    lesson = texts.lesson(finding)
    return {
        "message": texts.message(finding, report),
        "code": finding.code,
        "line": _line(line, report, code),
        "text": report.context.line(line),
        "hints": [hint for hint in texts.hints(finding, report)[: report.hint] if hint],
        "lesson": lesson,
        "command": f"pasapas course --open {texts.lesson_name(finding.code).split('-')[0]}" if lesson else "",
    }


def _line(line: int, report: Report, code: str) -> int | None:
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    there = 0 < line <= len(lines) and lines[line - 1].strip() == report.context.line(line)
    return line if there else None


def _numbers(shown: Comparison) -> dict[str, Any]:
    part = corner(shown)
    left, right = texts.sides(shown)
    return {
        "titles": [left, right],
        "rows": part.rows,
        "columns": part.columns,
        "sides": [part.theirs, part.expected],
        "differs": part.differs,
        "caption": texts.caption(part.whole, "≠"),
    }

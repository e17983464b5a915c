"""Every sentence of a report, once, for the terminal, the notebook, the class and JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

import pasapas
from pasapas.doctor import shapes
from pasapas.doctor.catalogue import find, mistakes
from pasapas.doctor.mistake import PARTS, Mistake, Text
from pasapas.doctor.report import Comparison, Finding, Report
from pasapas.doctor.session import Failure
from pasapas.i18n import _, language, ngettext, number, short

LESSONS = {
    "1-data-and-neurons": Text("Data and neurons", "Les données et les neurones"),
    "2-forward": Text("The forward pass", "La propagation avant"),
    "3-backpropagation": Text("Backpropagation", "La rétropropagation"),
    "4-a-complete-network": Text("A complete network", "Un réseau complet"),
    "5-derivation": Text("The formulas, derived", "Les formules, démontrées"),
    "6-when-it-goes-wrong": Text("When it goes wrong", "Quand cela tourne mal"),
    "7-further": Text("Further", "Plus loin"),
}


def headline(report: Report) -> str:
    """One line: right, or how many mistakes, or what is in the way."""
    if report.verdict == "correct":
        return _("Right: the gradients are those of the loss.")
    if report.verdict == "wrong":
        n = len(report.findings)
        return ngettext("One mistake.", "{n} mistakes: begin with the first.", n).format(n=n)
    if report.verdict == "unrunnable":
        return _("This cannot be checked.")
    return _("The gradients are wrong, and no mistake that the doctor knows explains them.")


def details(report: Report) -> list[str]:
    """What belongs to the headline: the failure explained, or which tensor is the first wrong one, and by how much."""
    if report.verdict == "unknown" and report.comparison is not None:
        return [_by_how_much(report.comparison)]
    if report.trouble is None:
        return []
    found = [sentence(report.trouble, report)]
    if report.comparison is not None:
        found.append(_("With layers of equal widths the shapes fit, and the numbers are wrong."))
    return found


def verdict(report: Report) -> str:
    """All of it in a sentence or two: for a table, or a line of JSON."""
    if report.verdict == "wrong" and report.findings:
        first, *others = report.findings
        text = message(first, report)
        if others:
            n = len(others)
            text += " " + ngettext("({n} more mistake.)", "({n} more mistakes.)", n).format(n=n)
        return text
    if report.verdict == "unrunnable" and report.trouble is not None:
        return details(report)[0]
    return " ".join([headline(report), *details(report)])


def _by_how_much(shown: Comparison) -> str:
    """The first wrong tensor beside the expected, in a sentence."""
    name = named(shown.tensor, shown.name)
    theirs, expected = np.squeeze(shown.theirs), np.squeeze(shown.expected)
    if theirs.shape != expected.shape:
        text = _("{tensor} is the first tensor that is wrong: its shape is {theirs}, and {expected} was expected.")
        return text.format(tensor=name, theirs=shape(shown.theirs), expected=shape(shown.expected))
    with np.errstate(all="ignore"):
        difference = float(np.max(np.abs(theirs - expected), initial=0.0))
        size = float(np.max(np.abs(expected), initial=0.0))
    if not np.isfinite(difference):
        return _("{tensor} is the first tensor that is wrong: it has numbers that are not finite.").format(tensor=name)
    text = _(
        "{tensor} is the first tensor that is wrong: by {difference} at most, where the largest number should be {size}."
    )
    return text.format(tensor=name, difference=brief(difference), size=brief(size))


def sides(shown: Comparison) -> tuple[str, str]:
    """The headings of a comparison: "yours: dW2 (5, 3)" and "expected: dW2 (5, 3)"."""
    return (
        _("yours: {name} {shape}").format(name=shown.name or shown.tensor, shape=shape(shown.theirs)),
        _("expected: {name} {shape}").format(name=shown.tensor, shape=shape(shown.expected)),
    )


def caption(whole: bool, mark: str) -> str:
    """What the marks in a comparison mean."""
    text = _("{mark} differs.").format(mark=mark)
    return text if whole else text + " " + _("Shown are the rows and columns around the largest difference.")


def colon(text: str) -> str:
    """A label with its colon: "Hint 1:", in French with a no-break space."""
    return _("{label}:").format(label=text)


def brief(value: float) -> str:
    """A number with four digits."""
    return short(float(f"{value:.4g}"))


def named(tensor: str, name: str = "") -> str:
    """A tensor by the lesson's name, and by the learner's where it is another: "dW2 (yours: grads['W2'])"."""
    if not name or name == tensor:
        return tensor
    return _("{tensor} (yours: {name})").format(tensor=tensor, name=name)


def shape(array: Any) -> str:
    """The shape of an array as it is written: (5, 3)."""
    return str(tuple(np.shape(array)))


def sentence(message: tuple[str, dict[str, Any]], report: Report) -> str:
    """A message with what fills it, in the language spoken now; failures among it are explained."""
    text, values = message
    shown = {name: _shown(name, value, report) for name, value in values.items()}
    for name, value in values.items():
        if isinstance(value, Failure):
            return shown[name]  # says itself where
    try:
        return _(text).format(**shown)
    except (KeyError, IndexError):
        return _(text)


def _shown(name: str, value: Any, report: Report) -> str:
    if name == "part":
        return part(str(value))
    if name == "codes" and isinstance(value, str):
        return re.sub(
            r"[a-z][a-z0-9-]*", lambda match: f"“{title(match[0])}”" if match[0] in mistakes() else match[0], value
        )
    if isinstance(value, Failure):
        return shapes.explain(value, report.context, report.hint)
    if isinstance(value, (float, np.floating)):
        return brief(float(value))
    return str(value)


def recognised(report: Report) -> list[str]:
    """What was read as what, always shown: the two passes, the layout, the other functions."""
    checked = report.checked
    signatures = report.context.signatures
    lines = []
    forward, backward = (signatures.get(part) or checked.get(part, "") for part in ("forward", "backward"))
    if forward and backward and checked.get("forward") != checked.get("backward"):
        lines.append(
            _("I read `{forward}` as your forward pass and `{backward}` as your backward pass.").format(
                forward=forward, backward=backward
            )
        )
    elif forward and backward:
        lines.append(_("I read `{backward}` as your forward and backward pass in one.").format(backward=backward))
    elif backward:
        lines.append(_("I read `{backward}` as your backward pass.").format(backward=backward))
    elif forward:
        lines.append(_("I read `{forward}` as your forward pass.").format(forward=forward))
    layout = []
    if "W" in checked:
        layout.append(_("W {shape}").format(shape=checked["W"]))
    if checked.get("samples"):
        layout.append(_("samples in columns") if checked["samples"] == "columns" else _("samples in rows"))
    if checked.get("labels"):
        layout.append(
            {
                "one-hot": _("labels one-hot"),
                "numbers": _("labels as class numbers"),
                "numbers in a column": _("labels as class numbers in a column"),
            }.get(checked["labels"], checked["labels"])
        )
    if checked.get("activations"):
        layout.append(checked["activations"].replace(", ", " → "))
    if layout:
        lines.append(_("Layout: {layout}.").format(layout=", ".join(layout)))
    others = [
        f"{part(role)} `{checked[role]}`"
        for role in ("initialize", "one_hot", "loss", "update", "accuracy")
        if role in checked
    ]
    if others:
        lines.append(_("Also found: {others}.").format(others=", ".join(others)))
    return lines


def part(role: str) -> str:
    """What a part of a submission is called."""
    return {
        "forward": _("forward pass"),
        "backward": _("backward pass"),
        "initialize": _("initialisation"),
        "one_hot": _("one-hot encoding"),
        "labels": _("labels"),
        "loss": _("loss"),
        "update": _("update"),
        "accuracy": _("accuracy"),
        "data": _("data"),
        "train": _("training"),
        "gradients": _("gradients"),
    }.get(role, role)


def right(report: Report) -> list[str]:
    """What is right so far, part by part and tensor by tensor."""
    return [part(name) for name in report.right]


def message(finding: Finding, report: Report) -> str:
    """The name of a mistake and where it shows: "The mean over the batch is missing: first seen in dW2, layer 2."."""
    name = str(_mistake(finding).name) if finding.code in mistakes() else finding.code
    place = []
    if finding.tensor:
        place.append(named(finding.tensor, str(finding.facts.get("name") or "")))
    if finding.layer and not finding.tensor.endswith(str(finding.layer)):
        place.append(_("layer {layer}").format(layer=finding.layer))
    if finding.facts.get("line"):
        place.append(report.context.where(int(finding.facts["line"])))
    elif finding.facts.get("function"):
        place.append(f"`{finding.facts['function']}`")
    if finding.certainty == "likely":
        name = _("Probably: {name}").format(name=name[0].lower() + name[1:])
    if not place:
        return name + "."
    return _("{name}: see {place}.").format(name=name, place=", ".join(place))


def code(finding: Finding, report: Report) -> tuple[str, str]:
    """The number of the line where it shows, as the learner counts, and its text; empty where it is not known."""
    line = int(finding.facts.get("line") or 0)
    text = report.context.line(line)
    number = re.search(r"\d+(?=\D*$)|(?<=line )\d+", report.context.where(line))
    return (number[0] if number else "", text) if text else ("", "")


def title(code: str) -> str:
    """A mistake's name; its code, where the catalogue has none of it."""
    return str(find(code).name) if code in mistakes() else code


def hints(finding: Finding, report: Report) -> list[str]:
    """The three hints, filled: where, what to see on paper, how to correct it."""
    if finding.code not in mistakes():
        return ["", "", ""]
    mistake = _mistake(finding)
    layer, last = finding.layer, max(len(report.context.sizes) - 1, finding.layer, 1)
    names = [report.checked[role] for role in (*PARTS[mistake.stage], "backward") if report.checked.get(role)]
    values: dict[str, Any] = {
        "tensor": finding.tensor,
        "layer": layer or last,
        "previous": (layer or last) - 1,
        "next": (layer or last) + 1,
        "last": last,
        "function": f"`{names[0]}`" if names else "",
        "where": report.context.where(int(finding.facts.get("line") or 0)) if finding.facts.get("line") else "",
    }
    values |= {name: value for name, value in finding.facts.items() if isinstance(value, (str, int, float))}
    values["function"] = f"`{values['function'].strip('`')}`" if values["function"] else ""
    return [_filled(hint, values) for hint in mistake.hints]


def _filled(hint: Text, values: dict[str, Any]) -> str:
    try:
        return hint.show(**values)
    except (KeyError, IndexError):
        return str(hint)


def _mistake(finding: Finding) -> Mistake:
    return find(finding.code)


def notes(report: Report) -> list[str]:
    """Conventions and remarks."""
    return [sentence(note, report) for note in report.notes]


def next_hint(report: Report, python: bool = False) -> str:
    """How to ask for the next hint, on the command line or in Python; empty where there is none."""
    if report.hint >= 3 or not any(f.code in mistakes() for f in report.findings):
        return ""
    how = f"`.hints({report.hint + 1})`" if python else f"--hint {report.hint + 1}"
    if report.hint == 1:
        return _("What kind of mistake it is, and how to see it on paper: {how}").format(how=how)
    return _("How to correct it: {how}").format(how=how)


def lesson(finding: Finding) -> str:
    """The name of the lesson that teaches it: "Lesson 3, Backpropagation"."""
    return lesson_of(finding.code)


def lesson_name(code: str) -> str:
    """The lesson's own name: "3-backpropagation"; empty where there is no such mistake."""
    return find(code).lesson if code in mistakes() else ""


def lesson_of(code: str) -> str:
    """The lesson's title for a mistake's code; empty where there is none."""
    name = lesson_name(code)
    if not name:
        return ""
    return _("Lesson {n}, {title}").format(n=name.split("-")[0], title=str(LESSONS.get(name, name)))


def lesson_file(code: str) -> Path | None:
    """Where the lesson is on this machine, if it is."""
    if code not in mistakes():
        return None
    folder = Path(pasapas.__file__).parent / "course" / language()
    return next(iter(sorted(folder.glob(f"{find(code).lesson}*"))), None)


# numbers -------------------------------------------------------------------------------------------------------------


def decimals(*arrays: np.ndarray) -> int:
    """How many decimals show four digits of the smaller of some arrays; -1 where powers of ten are needed."""
    sizes = []
    for array in arrays:
        finite = np.abs(np.asarray(array, dtype=float))
        finite = finite[np.isfinite(finite) & (finite > 0)]
        if finite.size:
            sizes.append(float(finite.max()))
    if not sizes:
        return 1
    least, most = np.floor(np.log10(min(sizes))), np.floor(np.log10(max(sizes)))
    if least < -4 or most > 5:
        return -1
    return int(np.clip(3 - least, 0, 6))


def written(value: float, places: int) -> str:
    """A number with that many decimals, or with a power of ten; what is not finite by its name."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    if places < 0:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{number(float(mantissa), 2)}e{int(exponent)}"
    return number(float(value), places)

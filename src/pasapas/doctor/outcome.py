"""From evidence to a report: findings in order, what is right so far, and the first wrong tensor beside the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.evidence import Evidence, problems
from pasapas.doctor.explain import Gradients, agree, order
from pasapas.doctor.inventory import plain
from pasapas.doctor.layer_objects import NETWORK
from pasapas.doctor.mistake import PARTS, STAGES
from pasapas.doctor.replay import Replay
from pasapas.doctor.report import Comparison, Finding, Report
from pasapas.i18n import N_

_AT_EXTREMES = ("softmax-overflow", "log-of-zero")
"""Mistakes of some scores alone, and so not the cause of what others do: they come after these."""


def report(e: Evidence) -> Report:
    """The report on what was learnt."""
    ordered = sorted(e.findings, key=lambda f: (f.code in _AT_EXTREMES, STAGES.index(mistakes()[f.code].stage)))
    found = Report("correct", [f for i, f in enumerate(ordered) if f.code not in {g.code for g in ordered[:i]}])
    found.notes = list(e.notes)
    expected, first = _expected(e)
    found.right = list(_right(e, first))
    if first is not None and expected is not None:
        s = e.seen[0]
        name = s.names.get(first, first)
        found.comparison = Comparison(first, name, s.gradients[first], expected[first])
    if e.ties and found.findings:
        found.notes.append((N_("Other mistakes give the same numbers: {codes}."), {"codes": _ties(e)}))
    if found.findings:
        found.verdict = "wrong"
        for finding in found.findings:
            _locate(e, finding)
        if e.unexplained and all(f.code in _AT_EXTREMES for f in found.findings):
            found.notes.append(_first_wrong(e, first))
    elif (failed := e.failed or (None if e.unexplained else e.unequal)) is not None:
        found.verdict = "unrunnable"
        found.trouble = (
            N_("The {part} pass does not run: {failure}"),
            {"part": failed.failed_in, "failure": failed.failure},
        )
    elif e.unexplained:
        found.verdict = "unknown" if any(s.gradients for s in e.seen) else "unrunnable"
        found.trouble = _first_wrong(e, first)
    elif e.stopped is not None:
        found.notes.append((N_("The gradients are right, but the script stops:"), {}))
        found.notes.append(("{failure}", {"failure": e.stopped}))
    return found


def _ties(e: Evidence) -> str:
    return ", ".join(" + ".join(codes) for codes in e.ties)


def _expected(e: Evidence) -> tuple[Gradients | None, str | None]:
    """The right gradients in the submission's own convention, and the first of its gradients that differs."""
    if e.architecture is None or e.target is None or not e.target.kind or e.failed is not None:
        return None, None
    with np.errstate(all="ignore"):
        right = e.base(problems(e, e.target)[0]).run().gradients()
    if e.update is not None and e.update.factor:
        scale = e.update.factor / (e.seen[0].world.m if e.update.per_m else 1)
        right = {t: g / scale for t, g in right.items()}
    seen = e.seen[0].gradients
    wrong = [t for t in order(e.worlds[0].L) if t in seen and not agree(seen[t], right[t], e.tolerance)]
    return right, wrong[0] if wrong else None


def _right(e: Evidence, first: str | None) -> Iterator[str]:
    """The names of the tensors that are right, in the order of the computation, up to the first that is not."""
    L = e.worlds[0].L
    if e.architecture is None or e.base is not Replay:
        return
    for l in range(1, L + 1):
        yield from (f"Z{l}", "P" if l == L else f"A{l}")
    wrong = {f.code for f in e.findings if f.tensor == "L"}
    if wrong - set(_AT_EXTREMES):
        return
    if not wrong and e.objective is not None and e.objective.kind:
        yield "L"
    if e.target is None or not e.target.kind or e.failed is not None:
        return
    for t in order(L):
        if t == first:
            return
        if t in e.seen[0].gradients:
            yield t


def _first_wrong(e: Evidence, first: str | None) -> tuple[str, dict[str, object]]:
    if first is not None:
        s = e.seen[0]
        return (
            N_("{tensor} is the first tensor that is wrong (`{name}`), and no known mistake explains its numbers."),
            {"tensor": first, "name": s.names.get(first, first)},
        )
    if e.architecture is None:
        return (N_("The output of the forward pass is none that a usual network would give."), {})
    return (N_("No gradients were found in what the backward pass gives."), {})


def _locate(e: Evidence, finding: Finding) -> None:
    """Adds their name for the tensor and the line that made it, where they can be seen."""
    wanted = [finding.tensor, *([f"A{e.worlds[0].L}"] if finding.tensor == "P" else [])]
    if match := re.fullmatch(r"d[AZ](\d+)", finding.tensor):
        wanted += [f"dZ{match[1]}", f"delta{match[1]}", f"d{match[1]}", f"dA{match[1]}", f"dW{match[1]}"]
    stage = mistakes()[finding.code].stage
    r = e.recognition
    functions = {**r.others, "forward": r.forward, "backward": r.backward}
    parts = PARTS["loss" if finding.tensor == "L" else stage]
    made_in = next((f for part in parts if (f := functions.get(part)) is not None), None)
    # layers that were put together: what is known is the dense one's passes, which make Z, dW and db
    own = made_in is not None and (made_in.stands_for is None or re.match("Z|dW|db", finding.tensor) is not None)
    if made_in is not None and own and not made_in.title.startswith(NETWORK):
        finding.facts.setdefault("function", made_in.title)
    seen = {"forward": e.seen[0].forward_steps, "backward": e.seen[0].backward_steps}.get(stage, [])
    steps = [s for s in seen if not s.name.startswith("return")]
    for tensor in wanted:
        name = e.seen[0].names.get(tensor, tensor)
        for step in reversed(steps):
            last = re.split(r"[.\[\]'\"]+", step.name.rstrip("']\""))[-1]
            if _same_name(last, name) or _same_name(last, tensor):
                finding.facts.setdefault("line", step.line)
                finding.facts.setdefault("name", step.name)
                return


def _same_name(a: str, b: str) -> bool:
    def short(text: str) -> str:
        return re.sub(r"[_δ]|delta", lambda m: "d" if m[0] != "_" else "", plain(text).lower())

    return short(a) == short(b)

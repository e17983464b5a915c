"""A check from beginning to end: of a file, in a process of its own, or of functions that are handed over alive."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from pasapas.doctor.diagnosis import diagnose
from pasapas.doctor.inventory import Function, Inventory
from pasapas.doctor.layer_objects import NETWORK
from pasapas.doctor.process import Child, ChildLost
from pasapas.doctor.reading import Submission, Unreadable, read
from pasapas.doctor.recognition import Recognition, recognise
from pasapas.doctor.report import Context, Report
from pasapas.doctor.roles import backward_score, forward_score, loss_and_gradient_score
from pasapas.doctor.session import Failure, Outcome, Session
from pasapas.doctor.values import Ref
from pasapas.errors import PasapasError, nearest
from pasapas.i18n import N_, _

SECONDS = 10.0
"""What a file may take in all; most take one."""

_PATIENCE = 2  # calls of a pass that may run out of time


def check(
    path: str | Path | None = None,
    /,
    *,
    forward: str | Callable[..., Any] | None = None,
    backward: str | Callable[..., Any] | None = None,
    **others: Callable[..., Any],
) -> Report:
    """What is wrong with backpropagation code, and where it first shows.

    `check("file.py")` reads a Python file or a notebook and runs it in a process of its own; `forward` and `backward`
    name its two passes where they are not recognised. `check(forward=f, backward=g, loss=h, …)` takes functions, or
    methods of an object, and runs copies of them in this process: nothing of yours is changed, and there is no limit on
    their time. Raises PasapasError where there is no such file or function.
    """
    if path is not None:
        if others or callable(forward) or callable(backward):
            raise PasapasError(_("With a file, `forward` and `backward` are names of functions in it, as text."))
        return check_file(path, forward, backward)
    if isinstance(forward, str) or not callable(backward) or not all(map(callable, others.values())):
        raise PasapasError(
            _("There is nothing to check: give a file, or functions, as in check(forward=…, backward=…).")
        )
    return check_functions(forward, backward, **others)


def check_file(
    path: str | Path, forward: str | None = None, backward: str | None = None, seconds: float = SECONDS
) -> Report:
    """The report on a file. Raises PasapasError where there is no such file, or no such function in it."""
    try:
        submission = read(path)
    except Unreadable as error:
        if not Path(path).is_file():
            raise
        return Report("unrunnable", trouble=("{error}", {"error": str(error)}), context=Context(str(path)))
    inventory = Inventory.of(submission.source)
    for name in (forward, backward):
        _must_be_there(name, inventory)
    context = Context(str(path), submission.source, submission.where)
    child = Child(submission, seconds=seconds)
    watch = _Watch(child, inventory)
    try:
        with child:
            report = _examine(cast(Session, watch), inventory, forward, backward, context, child.load_failures)
    except _TooSlow as slow:
        report = Report("unrunnable", context=context)
        report.trouble = ("{failure}", {"failure": slow.failure})
    except ChildLost as lost:
        report = Report("unrunnable", context=context, trouble=_lost(lost.reason, watch.calling))
    _remark(report, submission, child)
    return report


def check_functions(
    forward: Callable[..., Any] | None, backward: Callable[..., Any], **others: Callable[..., Any]
) -> Report:
    """The report on live functions; `others` by the part that they play: loss, update, one_hot, …"""
    from pasapas.doctor.live import Live

    live = Live(forward, backward, others)
    states = np.random.get_state(), random.getstate()
    try:
        report = _examine(live.session, live.inventory, live.forward, live.backward, live.context, [])
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])
        live.close()
    report.checked = {part: live.names.get(name, name) for part, name in report.checked.items()}
    return report


def _examine(
    session: Session,
    inventory: Inventory,
    forward: str | None,
    backward: str | None,
    context: Context,
    failures: list[Failure],
) -> Report:
    recognition = recognise(session, inventory, forward, backward)
    if recognition.backward is None:
        return Report("unrunnable", trouble=_nothing_there(inventory), context=context)
    if recognition.binding is None:
        report = Report("unrunnable", trouble=_no_way(recognition, failures), context=context)
    else:
        context.sizes = tuple(recognition.binding.provider.sizes)
        context.batch_sizes = tuple(recognition.binding.batch_sizes(context.sizes))
        context.columns = recognition.binding.layout.columns
        context.out_in = recognition.binding.provider.out_in
        report = diagnose(recognition)
        report.context = context
        failure = recognition.first.failure if recognition.first is not None else None
        if failure is not None:
            _explain(report, failure)
    report.checked = recognised(recognition)
    for part, f in (("forward", recognition.forward), ("backward", recognition.backward)):
        if f is not None:
            context.signatures[part] = f.signature
    return report


_PRODUCTS = (
    "weights-not-transposed",
    "elementwise-for-matmul",
    "wrong-weights-in-backpropagation",
    "gradient-in-place-of-weights",
)


def _explain(report: Report, failure: Failure) -> None:
    """Says of code that does not run why, beside what was found with layers of equal widths, where more shapes fit."""
    if report.verdict == "wrong":
        report.trouble = report.trouble or ("{failure}", {"failure": failure})
        if report.findings[0].code in _PRODUCTS and failure.line:  # a product that does not fit is the mistake itself
            report.findings[0].facts |= {"line": failure.line, "name": ""}
    elif report.verdict == "unknown":
        report.verdict, report.comparison = "unrunnable", None
        report.trouble = ("{failure}", {"failure": failure})


def recognised(recognition: Recognition) -> dict[str, str]:
    """What was read as what: the names of functions by their part, and the layout."""
    assert recognition.backward is not None
    functions = {
        "forward": recognition.forward or recognition.backward,
        "backward": recognition.backward,
        **recognition.others,
    }
    found = {part: f.title for part, f in functions.items() if not f.title.startswith(NETWORK)}
    binding = recognition.binding
    if binding is not None:
        found["W"] = "(n_out, n_in)" if binding.provider.out_in else "(n_in, n_out)"
        found["samples"] = "columns" if binding.layout.columns else "rows"
        found["labels"] = binding.labels
    if recognition.architecture is not None:
        found["activations"] = ", ".join(recognition.architecture.activations)
    return found


# what is in the way --------------------------------------------------------------------------------------------------


class _TooSlow(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Watch:
    """A `Child` that remembers which function it was asked to call last, and gives up on a pass that hangs."""

    def __init__(self, child: Child, inventory: Inventory) -> None:
        self._child = child
        self._passes = {f.short for f in inventory.everything() if _is_a_pass(f)}
        self._slow: Counter[str] = Counter()
        self.calling = ""

    def call(self, target: Ref, *args: Any, **options: Any) -> Outcome:
        """As `Child.call`. Raises _TooSlow too."""
        name = ".".join(str(key) for kind, key in target.path if kind in ("global", "attr"))
        self.calling = self.calling if name.startswith("__builtins__") else name
        outcome = self._child.call(target, *args, **options)
        if outcome.failure is not None and outcome.failure.kind == "OutOfTime":
            name = name.split(".")[-1]
            self._slow[name] += name in self._passes
            if self._slow[name] >= _PATIENCE:
                raise _TooSlow(outcome.failure)
        return outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(self._child, name)


def _is_a_pass(f: Function) -> bool:
    return bool(backward_score(f) or forward_score(f) or loss_and_gradient_score(f))


def _must_be_there(name: str | None, inventory: Inventory) -> None:
    if name is None:
        return
    known = [f.name for f in inventory.everything()]
    if name not in known and name not in {f.short for f in inventory.everything()}:
        raise PasapasError(
            _("There is no function '{name}'; there are: {known}.").format(name=name, known=_listed(known) or "–")
            + nearest(name, known)
        )


def _listed(names: list[str], most: int = 12) -> str:
    shown = [name for name in dict.fromkeys(names) if not name.rpartition(".")[2].startswith("__")]
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")


def _nothing_there(inventory: Inventory) -> tuple[str, dict[str, Any]]:
    functions = list(inventory.everything())
    known = _listed([f.name for f in functions])
    if not known:
        return N_(
            "There is nothing to check: no function is defined. Write the forward pass as a function, and the backward pass as another that returns the gradients."
        ), {}
    forward = max(functions, key=forward_score)
    if forward_score(forward):
        return (
            N_(
                "I read `{forward}` as your forward pass, and find no backward pass. Functions: {known}. If one of them is it, say --backward NAME."
            ),
            {"forward": forward.signature, "known": known},
        )
    return (
        N_(
            "I find no forward pass and no backward pass. Functions: {known}. If two of them are, say --forward NAME --backward NAME; passes that stand inside a loop or another function must become functions of their own, the second of which returns the gradients."
        ),
        {"known": known},
    )


def _no_way(recognition: Recognition, failures: list[Failure]) -> tuple[str, dict[str, Any]]:
    assert recognition.backward is not None
    name = recognition.backward.signature
    serious = [f for f in failures if f.line]
    if serious:
        return "{failure}", {"failure": serious[0]}
    return (
        N_(
            "I read `{name}` as your backward pass, but find no parameters to call it with: no function or class that makes them, and no names such as W1 and b1."
        ),
        {"name": name},
    )


def _lost(reason: str, calling: str) -> tuple[str, dict[str, Any]]:
    """Why the process in which the code ran answers no more, with the function that was called last."""
    place = {"function": calling}
    if reason == "time":
        if not calling:
            return N_("It was stopped while it was loaded: something in it takes too long, or never ends."), {}
        return N_("It was stopped in `{function}`, which takes too long: is there a loop that never ends?"), place
    if reason == "memory":
        return N_("It was stopped in `{function}`, which asks for more memory than a check may have."), place
    if not calling:
        return N_("It ends Python while it is loaded (exit, or a crash)."), {}
    return N_("`{function}` ends Python (exit, or a crash), so that nothing comes back."), place


def _remark(report: Report, submission: Submission, child: Child) -> None:
    """Adds what was left out of the file, or put in another's place."""
    report.notes += [("{note}", {"note": note}) for note in submission.notes]
    if child.missing:
        report.notes.append((N_("Not found, so left out: {names}."), {"names": ", ".join(child.missing)}))

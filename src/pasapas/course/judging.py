"""How answers are judged: by values that pasapas computes, by the gradient doctor, or by a gradient check.

A function is tried on several inputs and held against one of this package. Where it differs, the wrong answers that are
known for an exercise, its `slips`, are tried as well: the one that gives the learner's numbers says what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.course.verdict import Verdict
from pasapas.doctor.mistake import Text
from pasapas.errors import PasapasError
from pasapas.i18n import _, number

Inputs = Sequence[tuple[Any, ...]]


@dataclass(frozen=True)
class Exercise:
    """One exercise: `judge` takes what the learner hands to `lesson.check` and returns a verdict."""

    judge: Callable[..., Verdict]
    hints: tuple[Text, ...]


@dataclass(frozen=True)
class Slip:
    """A wrong answer that learners give: what it computes, and what to tell who gives it."""

    answer: Any
    """A value, or a function of the same inputs as the right one."""
    text: Text


def right(message: Text | str | None = None) -> Verdict:
    """The answer is right; `message` may say what it shows."""
    return Verdict("right", _("right.") if message is None else str(message))


def wrong(message: Text | str, report: Any = None) -> Verdict:
    """The answer is wrong."""
    return Verdict("wrong", str(message), report)


def unanswered() -> Verdict:
    """There is no answer yet."""
    return Verdict("unanswered", _("no answer yet. Replace the `...` above with yours, and run both cells again."))


def said_of(name: str, verdict: Verdict) -> Verdict:
    """The verdict on one of several functions, with its name before what is wrong."""
    if verdict.status != "wrong":
        return verdict
    return wrong(Text("in `{name}`: {what}", "dans `{name}` : {what}").show(name=name, what=verdict.message))


def is_missing(value: Any) -> bool:
    """Whether a value is what stands in an exercise that was not touched: `...`, or None."""
    return value is None or value is Ellipsis or (isinstance(value, tuple) and all(map(is_missing, value)))


def call(f: Any, inputs: tuple[Any, ...]) -> tuple[Any, Verdict | None]:
    """What f returns for copies of `inputs`; or a verdict, where it is no function, or stops."""
    if is_missing(f):
        return None, unanswered()
    if not callable(f):
        return None, wrong(
            _("hand over the function itself, without parentheses after its name, not {type}.").format(
                type=f"`{type(f).__name__}`"
            )
        )
    copies = deepcopy(inputs)
    try:
        with np.errstate(all="ignore"):
            result = f(*copies)
    except NotImplementedError:
        return None, unanswered()
    except Exception as error:
        shapes = ", ".join(_shown(value) for value in inputs)
        return None, wrong(
            _("your function stops with `{error}` when it is called with {inputs}.").format(
                error=f"{type(error).__name__}: {error}", inputs=shapes
            )
        )
    if is_missing(result):
        return None, unanswered()
    if any(not _equal(before, after) for before, after in zip(inputs, copies, strict=True)):
        return None, wrong(
            _("your function changes what it is given; compute new arrays, and leave the inputs as they are.")
        )
    return result, None


def same_function(
    f: Any,
    reference: Callable[..., Any],
    inputs: Inputs,
    slips: Sequence[Slip] = (),
    names: Sequence[str] = ("",),
    tolerance: float = 1e-6,
) -> Verdict:
    """Whether f gives what `reference` gives for each of `inputs`. `names` are those of the values that it returns.

    A slip is told where it gives the learner's values for all inputs, and is wrong for one of them at least.
    """
    results = []
    for one in inputs:
        result, verdict = call(f, one)
        if verdict is not None:
            return verdict
        results.append(result)
    verdicts = [
        same_value(result, reference(*deepcopy(one)), names=names, tolerance=tolerance, of=one)
        for result, one in zip(results, inputs, strict=True)
    ]
    bad = next((verdict for verdict in verdicts if not verdict.ok), None)
    if bad is None:
        return right()
    for slip in slips:
        try:
            with np.errstate(all="ignore"):
                alternatives = [slip.answer(*deepcopy(one)) for one in inputs]
        except Exception:  # a slip that cannot be made with all inputs is not what gave an answer for each
            continue
        if all(_agree(a, b, tolerance) for a, b in zip(results, alternatives, strict=True)):
            return wrong(slip.text)
    return bad


def same_value(
    value: Any,
    expected: Any,
    slips: Sequence[Slip] = (),
    names: Sequence[str] = ("",),
    tolerance: float = 1e-6,
    of: tuple[Any, ...] = (),
) -> Verdict:
    """Whether a number, an array, or a tuple of them is what is expected, to a relative `tolerance` of the largest entry.

    The verdict shows an entry beside what it should be where `of` has the inputs of a function; an answer that is a
    number is not given away.
    """
    if is_missing(value):
        return unanswered()
    if isinstance(expected, tuple):
        if len(names) != len(expected):
            raise ValueError(f"name the {len(expected)} values that are expected")
        if not isinstance(value, tuple) or len(value) != len(expected):
            return wrong(
                _("return {n} values, {names}, not {got}.").format(
                    n=len(expected), names=", ".join(f"`{name}`" for name in names), got=_shown(value)
                )
            )
        verdicts = (
            same_value(a, b, names=(name,), tolerance=tolerance, of=of)
            for a, b, name in zip(value, expected, names, strict=True)
        )
        return next((verdict for verdict in verdicts if not verdict.ok), right())
    if _agree(value, expected, tolerance):
        return right()
    for slip in slips:
        if _agree(value, slip.answer, tolerance):
            return wrong(slip.text)
    return wrong(_difference(value, expected, names[0], of, tolerance))


def by_doctor(forward: Any = None, backward: Any = None, **others: Callable[..., Any]) -> Verdict:
    """What the gradient doctor says of a learner's functions."""
    from pasapas.doctor.checkup import check

    given = {name: f for name, f in {"forward": forward, "backward": backward, **others}.items() if f is not None}
    if is_missing(backward) or _returns_nothing(backward):
        return unanswered()
    try:
        report = check(**given)
    except PasapasError as error:
        return wrong(str(error))
    if report.verdict == "correct":
        return Verdict("right", _("right."), report)
    return wrong(_("not yet."), report)


def by_gradient_check(f: Any, params: Mapping[str, Any]) -> Verdict:
    """Whether f(params) = (loss, gradients) gives the slopes of its loss."""
    from pasapas.checking import gradient_check

    result, verdict = call(f, (params,))
    if verdict is not None:
        return verdict
    if not isinstance(result, tuple) or len(result) != 2:
        return wrong(_("return the loss and the gradients, as `L, gradients`, not {got}.").format(got=_shown(result)))
    if any(map(is_missing, result)) or (isinstance(result[1], Mapping) and any(map(is_missing, result[1].values()))):
        return unanswered()
    try:
        checked = gradient_check(f, params)
    except PasapasError as error:
        return wrong(str(error))
    return Verdict("right", _("right."), checked) if checked.ok else wrong(_("not yet."), checked)


def choice(value: Any, expected: Any, options: Mapping[Any, Text], message: Text | None = None) -> Verdict:
    """Whether `value` is `expected`, one of the `options`, each wrong one with what to tell who chose it."""
    if is_missing(value):
        return unanswered()
    try:
        if value == expected:
            return right(message)
        if value in options:
            return wrong(options[value])
    except (TypeError, ValueError):
        pass
    return wrong(
        _("answer with one of {options}.").format(
            options=", ".join(f"`{option!r}`" for option in {**options, expected: 0})
        )
    )


def _returns_nothing(f: Any) -> bool:
    """Whether the body of a function is still `...`, or returns it."""
    code = getattr(f, "__code__", None)
    if code is None:
        return False
    empty = (lambda *a, **k: ...).__code__, (lambda *a, **k: None).__code__
    return bool(code.co_consts) and any(
        code.co_code == other.co_code and set(code.co_consts) <= {None, Ellipsis} for other in empty
    )


def _agree(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(b, tuple):
        return (
            isinstance(a, tuple)
            and len(a) == len(b)
            and all(_agree(x, y, tolerance) for x, y in zip(a, b, strict=True))
        )
    try:
        x, y = np.asarray(a), np.asarray(b)
        if x.shape != y.shape:
            return False
        if y.dtype.kind in "USO" or x.dtype.kind in "USO":
            return bool(x.dtype.kind == y.dtype.kind and np.all(x == y))
        return bool(np.all(_close(x, y, tolerance)))
    except (TypeError, ValueError):
        return False


def _close(found: np.ndarray, due: np.ndarray, tolerance: float) -> np.ndarray:
    """Where two arrays of one shape agree, to `tolerance` of the largest finite entry that is due."""
    scale = float(np.max(np.abs(due[np.isfinite(due)]), initial=0.0))
    atol = tolerance * max(scale, 1e-12)
    agree: np.ndarray = np.isclose(found.astype(float), due.astype(float), rtol=0, atol=atol, equal_nan=True)
    return agree


def _difference(value: Any, expected: Any, name: str, of: tuple[Any, ...], tolerance: float) -> str:
    """What a value has that is not as expected: its type, its shape, or its first entry that differs."""
    called = f"`{name}`" if name else _("your answer")
    try:
        theirs = np.asarray(value)
        numeric = theirs.dtype.kind in "biuf"
    except ValueError:
        numeric = False
    due = np.asarray(expected)
    if not numeric:
        if due.dtype.kind not in "biuf":
            return _("{called} is not right yet.").format(called=called)
        return _("{called} should be numbers, not {got}.").format(called=called, got=_shown(value))
    if theirs.shape != due.shape:
        return _("{called} has the shape {got}; it should be {expected}.").format(
            called=called, got=theirs.shape, expected=due.shape
        )
    if not of:
        return _("{called} is not right yet.").format(called=called)
    differs = ~_close(theirs, due, tolerance)
    at = tuple(int(i) for i in np.argwhere(differs)[0])
    place = f"`{name or '…'}[{', '.join(map(str, at))}]`" if at else called
    return _("{place} is {theirs}; it should be {expected}, when the function is called with {inputs}.").format(
        place=place,
        theirs=_number(float(theirs[at])),
        expected=_number(float(due[at])),
        inputs=", ".join(_shown(v) for v in of),
    )


def _number(value: float) -> str:
    return number(value, 4) if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.3g}"


def _shown(value: Any) -> str:
    """An input in a few words: a number as it is, an array by its shape."""
    if isinstance(value, np.ndarray) and value.ndim:
        return _("an array of shape {shape}").format(shape=value.shape)
    if isinstance(value, (bool, int, float, np.number)):
        return f"`{value}`"
    if isinstance(value, Mapping):
        return _("a dictionary with {names}").format(names=", ".join(map(str, value)))
    return f"`{type(value).__name__}`"


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(_equal, a, b))
    return True

"""One-hot functions that do not say the label."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.detectors.probing import Prober, arrays_of, careful, is_class_number, is_label
from pasapas.doctor.inventory import Function, words
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import other_role, parameter_roles
from pasapas.doctor.session import Failure

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

_NOT = re.compile(
    r"loss|entrop|perte|cost|cout|auto|decod|image|pixel|smooth|liss|position|text|mot|word|model|reseau|grad|plot"
)
_MORE = re.compile(r"disjonctif|binaris|dummies|categoric")
MISSED_LAST = np.array([2, 0, 3, 0, 1, 2, 3])
"""Labels of five classes; the last does not occur."""
_CERTAIN = re.compile(r"hot|categor|label|etiq|class|cible|target|chaud|disjonc|indica")


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Calls each one-hot function with known labels."""
    prober = Prober(evidence)
    for f in one_hot_functions(prober):
        wrong = judged(prober, f)
        if wrong is not None:
            yield Finding("one-hot-wrong", "Y", 0, facts=prober.facts(f, **wrong))
            return


def one_hot_functions(prober: Prober) -> list[Function]:
    """The functions that encode labels, by name."""
    found = []
    for f in prober.functions:
        joined = "".join(f.words)
        if (other_role(f) == "one_hot" or _MORE.search(joined)) and not _NOT.search(joined) and f.parameters:
            if not _CERTAIN.search(joined) and "Y" not in parameter_roles(f.parameters[0].name):
                continue  # to encode may mean anything
            labels, classes = _parameters(f)
            if labels is not None and not any(p.required for p in f.parameters if p.name not in (labels, classes)):
                found.append(f)
    return found


def _parameters(f: Function) -> tuple[str | None, str | None]:
    """The names of the parameters for the labels and for the number of classes."""
    names = [p.name for p in f.parameters]
    likely = [n for n in names if "Y" in parameter_roles(n)] or [n for n in names if is_label(n)]
    if not likely:
        likely = [n for n in names if not is_class_number(n) and not _pictures(n)]
    if not likely:
        likely = [n for n in names[:1] if not _pictures(n)]
    if not likely:
        return None, None
    rest = [n for n in names if n != likely[0]]
    number = [n for n in rest if is_class_number(n)] or [p.name for p in f.parameters if p.name in rest and p.required]
    return likely[0], number[0] if number else None


def _pictures(name: str) -> bool:
    return bool(re.fullmatch(r"x|images?|imgs?|pixels|a|w|inputs?|batch", "".join(words(name))))


def encode(prober: Prober, f: Function, labels: Any, n: int | None) -> tuple[Any, Failure | None]:
    """What a one-hot function gives for labels, with the number of classes where it is told."""
    name, number = _parameters(f)
    arguments = {str(name): labels}
    if n is not None and number is not None:
        arguments[number] = n
    outcome = prober.call(f, arguments)
    if outcome is None:
        return None, Failure("", "")
    return outcome.value, outcome.failure


def judged(prober: Prober, f: Function) -> dict[str, Any] | None:
    """What is wrong with a one-hot function, as facts; None where it is right in one plausible way of use."""
    _name, number = _parameters(f)
    worst: dict[str, Any] | None = None
    turned = False
    trials: list[tuple[np.ndarray, int | None, int]] = []
    if number is not None:
        trials = [(MISSED_LAST, 5, 5)]
    else:
        for n in dict.fromkeys((10, prober.sizes[-1], 3, 2, 5)):
            if n > 1:
                trials.append((np.concatenate([np.arange(n)[::-1], np.arange(n)[: n // 2 + 2]]), None, n))
    for labels, told, n in trials:
        for form in (labels, labels[:, None], labels[None, :], labels.tolist()):
            value, failure = encode(prober, f, form, told)
            wrong = _wrong(prober, f, value, failure, labels, n)
            if wrong is None:
                return None
            if "unknown" in wrong:
                continue
            turned = bool(wrong.pop("turned", False)) or turned
            worst = worst or wrong
        if turned:
            continue
        one_by_one = [encode(prober, f, int(v), told) for v in labels]
        arrays = [arrays_of(v) for v, failure in one_by_one if failure is None]
        rows = [a[0].reshape(-1) for a in arrays if len(a) == 1 and a[0].size == n]
        if len(rows) == len(labels) and _misses(np.stack(rows), labels) is None:
            return None
    return worst


def _wrong(
    prober: Prober, f: Function, value: Any, failure: Failure | None, labels: np.ndarray, n: int
) -> dict[str, Any] | None:
    m = len(labels)
    expected = f"({n}, {m})" if prober.columns else f"({m}, {n})"
    if failure is not None:
        if failure.kind == "IndexError" and failure.line:
            return {"got": failure.kind, "expected": expected}
        return {"unknown": True}
    arrays = arrays_of(value)
    if len(arrays) != 1:
        return {"unknown": True}
    Y = arrays[0]
    if Y.shape not in ((m, n), (n, m)):
        return {"got": str(Y.shape), "expected": expected} if Y.ndim == 2 else {"unknown": True}
    in_columns = Y.shape == (n, m)
    missed = _misses(Y.T if in_columns else Y, labels)
    if missed is not None:
        return missed
    if in_columns != prober.columns and prober.binding.labels == "one-hot" and _goes_in_as_it_is(prober, f):
        return {"got": str(Y.shape), "expected": expected, "turned": True}
    return None


def _misses(Y: np.ndarray, labels: np.ndarray) -> dict[str, Any] | None:
    """What the first wrong row of a one-hot table has; None where each row says its label by two values that do not change."""
    low, high = float(Y.min()), float(Y.max())
    right = np.zeros(Y.shape, dtype=bool)
    right[np.arange(len(labels)), labels] = True
    expected = np.where(right, high, low)
    if high > low and np.allclose(Y.astype(float), expected) and 0.5 < high <= 1 and -1 <= low <= 0.2:
        return None
    wanted = right.astype(float)
    rows = np.flatnonzero(np.any(np.abs(Y.astype(float) - wanted) > 1e-9, axis=1))
    i = int(rows[0]) if len(rows) else 0
    places = ", ".join(str(k) for k in np.flatnonzero(Y[i])[:6])
    return {"label": int(labels[i]), "got": places or "–", "expected": str(int(labels[i]))}


def _goes_in_as_it_is(prober: Prober, f: Function) -> bool:
    """Whether each result, where the function is called, is used without being transposed."""
    calls = prober.calls(f.short)
    if not calls:
        return False
    for call in calls:
        parent = prober.parents.get(call)
        if not isinstance(parent, ast.Assign):
            return False
        for target in parent.targets:
            name = re.escape(ast.unparse(target))
            turned = rf"{name}(\[[^\]]*\])?\.(T\b|transpose|swapaxes|reshape)|(transpose|swapaxes|moveaxis|array|reshape)\(\s*{name}\b"
            if not isinstance(target, (ast.Name, ast.Attribute)) or re.search(rf"(?<![\w.]){turned}", prober.source):
                return False
    return True


def table_is_wrong(Y: np.ndarray, labels: np.ndarray, n: int = 10) -> dict[str, Any] | None:
    """What is wrong with a table that a preparation gave, in rows or in columns; None where nothing is, or it is none."""
    m = len(labels)
    if Y.shape not in ((m, n), (n, m)) or not np.all(np.isin(Y, np.arange(n + 1))):
        return None
    return _misses(Y if Y.shape == (m, n) else Y.T, labels)

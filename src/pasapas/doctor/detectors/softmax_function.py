"""A softmax that overflows on large scores."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pasapas.doctor.binding import Observation
from pasapas.doctor.detectors.probing import Prober, careful
from pasapas.doctor.inventory import Function
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import activation_of
from pasapas.doctor.values import arrays_in
from pasapas.doctor.world import World

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

_NO_SOFTMAX = re.compile("jacob|grad|numer|naif|naive|unstable|instable|test|demo")
_ROW = np.array([1000.0, 0.0, -1000.0, 500.0])
LARGE = np.stack([np.roll(_ROW, k) for k in range(4)])
"""Scores with the same maximum in all rows and all columns."""

MODERATE = np.stack([np.roll([1.3, -0.4, 0.2, 0.7], k) for k in range(4)])


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Where forward gives probabilities, theirs count; where it gives scores, softmax functions and gradients do."""
    prober = Prober(evidence)
    L = evidence.worlds[0].L
    guilty = next((f for f in _softmaxes(prober) if overflows(prober, f)), None)
    P = evidence.seen[0].P
    forward = prober.binding.forward
    if forward is not None and P is not None and _rows_of_probabilities(P):
        large = prober.binding.observe(
            with_scores(evidence.worlds[0], _spread(P.shape[1])), watch=False, only_forward=True
        )
        if large.failure is None and any(np.any(np.isnan(a)) for a in _outputs(large)):
            yield Finding("softmax-overflow", "P", L, facts=prober.facts(guilty or forward, got="nan"))
        elif large.failure is not None and "overflow" in large.failure.message.lower() + large.failure.kind.lower():
            yield Finding("softmax-overflow", "P", L, facts=prober.facts(guilty or forward, got=large.failure.kind))
    elif guilty is not None:
        yield Finding("softmax-overflow", "P", L, facts=prober.facts(guilty, got="nan"))
    elif _has_softmax(evidence, prober):
        w = with_scores(evidence.worlds[0], 1000.0 - np.arange(prober.sizes[-1]))
        large = prober.binding.observe(w, watch=False)
        if large.failure is None and any(not np.all(np.isfinite(g)) for g in large.gradients.values()):
            yield Finding("softmax-overflow", "P", L, facts=prober.facts(prober.binding.backward, got="nan"))


def _outputs(seen: Observation) -> list[np.ndarray]:
    """What forward gave."""
    found = [a for _path, a in arrays_in(seen.forward_value) if a.dtype.kind == "f"]
    return found if seen.P is None else [*found, seen.P]


def _spread(n: int) -> np.ndarray:
    return np.linspace(1000.0, -1000.0, n)


def with_scores(w: World, scores: np.ndarray) -> World:
    """A world in which the last layer gives about these scores to every sample."""
    return replace(w, W=(*w.W[:-1], 0.01 * w.W[-1]), b=(*w.b[:-1], np.asarray(scores, dtype=float)))


def _rows_of_probabilities(P: np.ndarray) -> bool:
    return P.shape[1] > 1 and bool(np.all(P >= 0)) and bool(np.allclose(P.sum(axis=1), 1, atol=1e-4))


def _has_softmax(evidence: Evidence, prober: Prober) -> bool:
    a = evidence.architecture
    return (
        a is not None
        and a.activations[-1] in ("softmax", "identity")
        and prober.sizes[-1] > 1
        and re.search(r"\bexp\(|softmax", prober.source) is not None
    )


def _softmaxes(prober: Prober) -> Iterator[Function]:
    for f in prober.functions:
        if activation_of(f) != ("softmax", False) or _NO_SOFTMAX.search("".join(f.words)) or not prober.used(f):
            continue
        if f.parameters and not any(p.required for p in f.parameters[1:]):
            yield f


def overflows(prober: Prober, f: Function) -> bool:
    """Whether a softmax that is right for moderate scores gives NaN or inf for large ones."""
    logarithm = "log" in "".join(f.words)
    first = f.parameters[0].name
    for moderate, large in ((MODERATE, LARGE), (MODERATE[0], LARGE[0])):
        small = prober.call(f, {first: moderate})
        value = _array(small.value) if small is not None and small.failure is None else None
        if value is None or value.shape != moderate.shape:
            continue
        with np.errstate(all="ignore"):
            P = np.exp(value) if logarithm else value
            sums = [P.sum()] if P.ndim == 1 else [P.sum(axis=0), P.sum(axis=1)]
        if not any(np.allclose(s, 1, atol=1e-5) for s in sums):
            continue
        big = prober.call(f, {first: large})
        if big is None:
            return False
        if big.failure is not None:
            return big.failure.kind == "OverflowError"
        result = _array(big.value)
        return result is not None and bool(np.any(np.isnan(result)) or (not logarithm and np.any(np.isinf(result))))
    return False


def _array(value: object) -> np.ndarray | None:
    if isinstance(value, tuple) and value:
        value = value[0]
    if isinstance(value, list):
        value = np.array(value)
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" else None

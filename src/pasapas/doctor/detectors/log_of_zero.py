"""A loss that is inf or NaN where a probability is 0."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.binding import Observation, as_number
from pasapas.doctor.detectors.probing import SECONDS, Prober, careful
from pasapas.doctor.detectors.softmax_function import with_scores
from pasapas.doctor.inventory import Function, words
from pasapas.doctor.objective import LossCaller
from pasapas.doctor.report import Finding
from pasapas.doctor.session import Failure
from pasapas.doctor.values import Ref, named
from pasapas.doctor.world import World

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

_LOG = re.compile(r"\blog\w*\(")


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Drives the scores so far apart that probabilities are exactly 0, and asks for the loss."""
    prober = Prober(evidence)
    L = evidence.worlds[0].L
    for found in (_by_caller(prober), _together(prober), _loss_objects(prober)):
        for f, got in found:
            yield Finding("log-of-zero", "L", L, facts=prober.facts(f, got=got))
            return


def _extreme(prober: Prober) -> list[World]:
    """Worlds in which P is 0 for the right class of some sample."""
    w, n = prober.evidence.worlds[0], prober.sizes[-1]
    last = prober.evidence.architecture.activations[-1] if prober.evidence.architecture is not None else ""
    if n == 1 or last == "sigmoid":
        signs = np.where(np.arange(n) % 2, -1.0, 1.0)
        return [with_scores(w, 1000.0 * signs), with_scores(w, -1000.0 * signs)]
    return [with_scores(w, -1000.0 * np.arange(n)), with_scores(w, -1000.0 * np.arange(n)[::-1])]


def _zero(failure: Failure | None) -> bool:
    """Whether a call failed because of the logarithm of 0, which raises in the module math."""
    return (
        failure is not None
        and failure.kind == "ValueError"
        and bool(re.search("math domain|expected a positive", failure.message))
    )


def _usable(seen: Observation) -> bool:
    """Whether forward came through with probabilities or scores that are numbers."""
    return seen.failure is None and (seen.P is None or bool(np.all(np.isfinite(seen.P))))


# a loss of its own -----------------------------------------------------------------------------------------------------


def _by_caller(prober: Prober) -> Iterator[tuple[Function, str]]:
    evidence, binding = prober.evidence, prober.binding
    w = evidence.worlds[0]
    loss = evidence.recognition.others.get("loss")
    candidates = (
        [loss] if loss is not None else [f for f in prober.inventory.functions.values() if _may_be_loss(prober, f)]
    )
    for f in candidates:
        if f is binding.backward or f is binding.forward:
            continue
        caller = LossCaller(binding, f)
        if f is loss and isinstance(evidence.caller, LossCaller):
            caller.choice = evidence.caller.choice
        else:
            choice = _first_that_gives(caller, w)
            if choice is None:
                continue
            caller.choice = choice
        usual = caller(w)
        if usual is None or not math.isfinite(usual):
            continue
        for extreme in _extreme(prober):
            if not _usable(binding.observe(extreme, watch=False, only_forward=True)):
                continue
            value = caller(extreme)
            if (value is not None and not math.isfinite(value)) or _zero(caller.failure):
                yield f, str(value) if value is not None else "ValueError"
                return


def _first_that_gives(caller: LossCaller, w: World) -> int | None:
    for choice in range(min(caller.ways(w), 6)):
        caller.choice = choice
        value = caller(w)
        if value is not None and math.isfinite(value):
            return choice
    return None


def _may_be_loss(prober: Prober, f: Function) -> bool:
    """Whether a function without a telling name computes a loss: it takes a logarithm and gives one number."""
    known = (prober.binding.backward, prober.binding.forward, *prober.evidence.recognition.others.values())
    if any(f is g for g in known) or not _LOG.search(f.text) or f.has("plot", "train", "entrain", "init"):
        return False
    return 2 <= len([p for p in f.parameters if p.required]) <= 6


# a loss together with the gradients ------------------------------------------------------------------------------------


def _together(prober: Prober) -> Iterator[tuple[Function, str]]:
    binding, f = prober.binding, prober.binding.backward
    if not _LOG.search(_text(prober, f)):
        return
    usual = _number(binding.observe(prober.evidence.worlds[0], watch=False))
    if usual is None or not math.isfinite(usual):
        return
    for extreme in _extreme(prober):
        seen = binding.observe(extreme, watch=False)
        value = _number(seen)
        if not _usable(seen) and not _zero(seen.failure):
            continue
        if any(not np.all(np.isfinite(g)) for g in seen.gradients.values()):
            continue
        if (value is not None and not math.isfinite(value)) or _zero(seen.failure):
            yield f, str(value) if value is not None else "ValueError"
            return


def _text(prober: Prober, f: Function) -> str:
    """The text of a function and of those that it calls."""
    return "\n".join([f.text, *(g.text for g in prober.functions if g.short in f.calls and g is not f)])


def _number(seen: Observation) -> float | None:
    if not isinstance(seen.backward_value, (tuple, int, float)) or seen.failure is not None:
        return None
    return as_number(seen.backward_value)


# a loss that is an object of a class -----------------------------------------------------------------------------------


def _loss_objects(prober: Prober) -> Iterator[tuple[Function, str]]:
    owner = prober.evidence.recognition.owner
    for c in prober.inventory.classes.values():
        joined = "".join(words(c.name))
        if c is owner or not re.search("loss|entrop|perte|cost|cout|criter|nll|softmax", joined):
            continue
        for name in (
            "forward",
            "avant",
            "__call__",
            "loss",
            "perte",
            "cout",
            "compute",
            "calculer",
            "value",
            "calculate",
        ):
            f = c.methods.get(name)
            if f is None or len([p for p in f.parameters if p.required]) != 2 or not _LOG.search(c.text):
                continue
            made = prober.session.call(named(c.name), [], seconds=SECONDS)
            if made.failure is None and (got := _object_gives(prober, Ref(made.handle).attr(name), f)) is not None:
                yield f, got
                return


def _object_gives(prober: Prober, target: Ref, f: Function) -> str | None:
    """What a loss object gives for a right class of probability 0, if it is no number; None where it is one."""
    n, layout = max(prober.sizes[-1], 3), prober.binding.layout
    labels = np.arange(2 * n) % n
    Y = np.eye(n)[labels]
    scores = "exp(" in f.text or "softmax" in f.text
    random = np.random.default_rng(2)
    usual = random.normal(size=(2 * n, n)) if scores else random.dirichlet(np.ones(n), 2 * n)
    extreme = np.tile(-1000.0 * np.arange(n), (2 * n, 1)) if scores else np.eye(n)[(labels + 1) % n]
    first = next(p.name for p in f.parameters if p.required).lower()
    swapped = first.startswith(("y_true", "y_vrai", "t", "label", "cible"))
    for form in (layout.rows(Y), labels):

        def value(P: np.ndarray, form: Any = form) -> tuple[float | None, Failure | None]:
            pair = [form, layout.rows(P)] if swapped else [layout.rows(P), form]
            outcome = prober.session.call(target, pair, seconds=SECONDS)
            return (as_number(outcome.value) if outcome.failure is None else None), outcome.failure

        before, _failure = value(usual)
        if before is None or not math.isfinite(before):
            continue
        after, failure = value(extreme)
        if (after is not None and not math.isfinite(after)) or _zero(failure):
            return str(after) if after is not None else "ValueError"
        return None
    return None

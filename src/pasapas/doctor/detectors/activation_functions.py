"""Activation functions that are not what their names say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.detectors.probing import SECONDS, Prober, careful, same_numbers
from pasapas.doctor.inventory import Function, words
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import ACTIVATIONS, activation_of, network_class, parameter_roles
from pasapas.doctor.values import Ref, named

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

GRID = np.array([[-4.5, -2.0, -0.7, 0.4], [0.9, -0.1, 2.2, -1.3], [3.7, 1.6, -3.1, 0.2]])
_OTHERS = re.compile(
    r"hard|dur|log(?!ist)|arc|^a(?=tanh)|scaled|lecun|relu6|[sgc]elu|elu6|crelu|soft(?!max)|approx|inverse|inv|init|plot|"
    r"trac|affich|test|check|verif|numer|jacob|quad|taylor|swish|noisy|concat|mod|random|bernoulli|std|var|kernel|noyau"
)
_SLOPE = re.compile(r"alpha|slope|pente|leak|fuite|a|negativeslope|coef\w*|eps(ilon)?|α")


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Calls each activation with negative and positive numbers, and compares."""
    prober = Prober(evidence)
    for f, name, values in _activations(prober):
        if values is None or not np.all(np.isfinite(values)):
            continue
        expected = _expected(name, values)
        if not same_numbers(values, expected, 1e-4):
            at = int(np.argmax(np.abs(values - expected)))
            layer = _layer(evidence, name)
            yield Finding(
                "activation-wrong",
                f"A{layer}",
                layer,
                facts=prober.facts(
                    f,
                    activation=name,
                    at=float(GRID.flat[at]),
                    got=round(float(values.flat[at]), 4),
                    expected=round(float(expected.flat[at]), 4),
                ),
            )
            return


def _activations(prober: Prober) -> Iterator[tuple[Function, str, np.ndarray | None]]:
    """Each activation function that is used, its name, and what it gives on the grid."""
    for f in prober.functions:
        what = activation_of(f)
        if what is not None and not what[1] and what[0] != "softmax" and not _OTHERS.search("".join(f.words)):
            if prober.used(f):
                yield f, what[0], values_on_grid(prober, f)
        elif _chooses(f):
            for text, name in _choices(f):
                yield f, name, values_on_grid(prober, f, text)
    network = prober.evidence.recognition.owner or network_class(prober.inventory)
    for c in prober.inventory.classes.values():
        joined = "".join(words(c.name))
        name = next((n for n, pattern in ACTIVATIONS.items() if re.search(pattern, joined)), "")
        if name in ("", "softmax") or c is network or _OTHERS.search(joined):
            continue
        if set(words(c.name)) & {"net", "network", "reseau", "mlp", "model", "modele", "neuron", "neurone"}:
            continue
        forward = next(
            (m for n, m in c.methods.items() if n in ("forward", "avant", "__call__", "fwd", "propager")), None
        )
        if forward is None or [p.required for p in forward.parameters].count(True) != 1:
            continue
        made = prober.session.call(named(c.name), [], seconds=SECONDS)
        if made.failure is None:
            outcome = prober.session.call(Ref(made.handle).attr(forward.short), [GRID], seconds=SECONDS)
            if outcome.failure is None and isinstance(outcome.value, np.ndarray) and outcome.value.shape == GRID.shape:
                yield Function(c.name, forward.node, c.name), name, outcome.value


def _chooses(f: Function) -> bool:
    """Whether a function applies the activation that a parameter names."""
    joined = "".join(f.words)
    return (
        joined.startswith("activ")
        and not re.search("deriv|prime|grad|back|arriere|retro|layer|couche|forward|avant", joined)
        and len(f.parameters) == 2
        and "activation" in (parameter_roles(f.parameters[1].name) + _name_roles(f.parameters[1].name))
        and f.owner is None
    )


def _name_roles(name: str) -> list[str]:
    return (
        ["activation"] if re.fullmatch(r"nom\w*|name|kind|type|mode|activation\w*|fonction|choix|func\w*", name) else []
    )


def _choices(f: Function) -> Iterator[tuple[str, str]]:
    """The strings that a function compares its parameter with, and the activations that they name."""
    for node in ast.walk(f.node):
        if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant):
            text = node.comparators[0].value
            if isinstance(text, str) and isinstance(node.ops[0], ast.Eq) and not _OTHERS.search(text.lower()):
                for name, pattern in ACTIVATIONS.items():
                    if name != "softmax" and re.search(pattern, text.lower()):
                        yield text, name
                        break


def values_on_grid(prober: Prober, f: Function, choice: str | None = None) -> np.ndarray | None:
    """What a function of one array gives on the grid: all at once, flat, or number by number; None where it does not run."""
    if not f.parameters:
        return None
    more: dict[str, Any] = {}
    for p in f.parameters[1:]:
        if choice is not None:
            more[p.name] = choice
        elif p.required and _SLOPE.fullmatch("".join(words(p.name))):
            more[p.name] = 0.01
        elif p.required:
            return None
    first = f.parameters[0].name
    for argument in (GRID, GRID.reshape(-1)):
        outcome = prober.call(f, {first: argument, **more})
        if outcome is None:
            return None
        if outcome.failure is None:
            value = outcome.value
            if isinstance(value, (tuple, list)) and value and isinstance(value[0], np.ndarray):
                value = value[0]
            if isinstance(value, list):
                value = np.array(value)
            if isinstance(value, np.ndarray) and value.shape == argument.shape and value.dtype.kind in "fiub":
                return np.asarray(value.astype(float).reshape(GRID.shape))
            return None
    numbers = []
    for z in GRID.flat:
        outcome = prober.call(f, {first: float(z), **more})
        if outcome is None or outcome.failure is not None:
            return None
        value = np.asarray(outcome.value) if isinstance(outcome.value, (int, float, np.ndarray)) else None
        if value is None or value.size != 1:
            return None
        numbers.append(float(value.reshape(-1)[0]))
    return np.array(numbers).reshape(GRID.shape)


def _expected(name: str, values: np.ndarray) -> np.ndarray:
    """The function of this name on the grid; for leaky ReLU, with the slope that the values have, if it is one."""
    if name == "relu":
        return np.asarray(np.maximum(0.0, GRID))
    if name == "tanh":
        return np.asarray(np.tanh(GRID))
    if name == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-GRID)))
    slopes = (values / GRID)[GRID < 0]
    slope = float(np.median(slopes))
    return np.where(GRID > 0, GRID, (slope if 0 < slope <= 0.5 else 0.01) * GRID)


def _layer(evidence: Evidence, name: str) -> int:
    """The first layer that has this activation as far as is known, else 1."""
    if evidence.architecture is not None:
        for l, activation in enumerate(evidence.architecture.activations, 1):
            if activation.startswith(name):
                return l
    return 1

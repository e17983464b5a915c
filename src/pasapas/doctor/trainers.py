"""The submission's own training functions, run on a small world whose rows are recognised again."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from pasapas.doctor.binding import KEEP, Binding
from pasapas.doctor.evidence import Evidence
from pasapas.doctor.inventory import Function, words
from pasapas.doctor.loops import mispaired, own_passes, paired, reaching, says_update, wanted
from pasapas.doctor.pairing import Known
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import other_role, parameter_roles
from pasapas.doctor.rounds import judge_rounds, rounds_of
from pasapas.doctor.session import Outcome
from pasapas.doctor.world import World, world

SECONDS = 0.3
LEARNING_RATE = 0.01


def training_functions(evidence: Evidence) -> list[Finding]:
    """What is wrong in the loops of a submission's training functions."""
    binding = own_passes(evidence.binding)
    if binding is None or binding.adapter:
        return []
    end = time.monotonic() + SECONDS
    found: list[Finding] = []
    for f in _trainers(binding)[:3]:
        for w, columns, labels in _forms(binding):
            left = end - time.monotonic()
            if left < 0.02:
                return found
            outcome, ran = _train(binding, f, w, columns, labels, min(left, 0.15))
            if outcome is None:
                break
            known = Known(w.X, w.labels)
            pairs, _first = paired(binding, outcome.calls, known)
            rounds = rounds_of(binding, outcome.calls)
            if not ran and (not pairs or len(rounds) < 3):
                continue
            in_time = outcome.failure is None or outcome.failure.kind == "Enough"
            new = mispaired(binding, outcome.calls, known, f.name) or judge_rounds(
                evidence, rounds, in_time and says_update(f), f.name
            )
            if new:
                return new
            break
    return found


def _trainers(binding: Binding) -> list[Function]:
    """The functions with a loop that calls the backward pass, likeliest first."""
    assert binding.inventory is not None
    everything = list(binding.inventory.everything())
    leading = reaching(binding.inventory, {binding.backward.short})
    passes = [f for f in (binding.forward, binding.backward, binding.loss) if f is not None]
    found = [
        f
        for f in everything
        if f.short in leading
        and f not in passes
        and (
            f.owner is None
            or (binding.provider.kind == "object" and binding.owner is not None and f.short in binding.owner.methods)
        )
        and not f.has("check", "verif", "numer", "test", "grad", "plot", "show", "predict", "accura")
        and not f.short.startswith("__")
        and other_role(f) not in ("loss", "accuracy", "predict", "one_hot", "initialize")
        and len(f.parameters) > 0
        and any(isinstance(n, (ast.For, ast.While)) for n in ast.walk(f.node))
    ]
    return sorted(found, key=lambda f: (other_role(f) != "train", len(f.parameters), f.node.lineno))


def _forms(binding: Binding) -> Iterator[tuple[World, bool, str]]:
    """Worlds, with samples in columns or not, and forms of labels, that a training function may want."""
    sizes = list(binding.provider.sizes)
    other = "numbers" if binding.labels == "one-hot" else "one-hot"
    columns = binding.layout.columns
    for form in ((columns, binding.labels), (columns, other), (not columns, other), (not columns, binding.labels)):
        yield _world(sizes), *form
    if sizes[0] < 784 and sizes[-1] > 1:
        yield _world([784, *sizes[1:-1], 10]), columns, binding.labels


def _world(sizes: list[int]) -> World:
    m = 23
    while m in sizes:
        m += 1
    return world(sizes, m, 3)


def _train(
    binding: Binding, f: Function, w: World, columns: bool, labels: str, seconds: float
) -> tuple[Outcome | None, bool]:
    """Calls a training function; None where its parameters are not all known. And whether it came to its end."""
    sources, holder = binding.parameters(w)
    turned = binding.layout.columns != columns
    sources["X"] = binding.layout.rows(w.X).T.copy() if turned else binding.layout.rows(w.X)
    Y: np.ndarray = w.labels
    if labels != "numbers":
        Y = w.Y.T.copy() if columns else w.Y
    elif w.sizes[-1] == 1:
        Y = w.labels.astype(float)
    sources["Y"] = Y
    arguments = _fill(binding, f, w, sources)
    if arguments is None:
        return None, False
    names = [p.name for p in f.parameters if not p.keyword_only]
    args = []
    while names and names[0] in arguments:
        args.append(arguments.pop(names.pop(0)))
    outcome = binding.session.call(
        binding.target(f, holder), args, arguments, seconds=seconds, keep=False, record=wanted(binding, 40)
    )
    return outcome, outcome.failure is None or outcome.failure.kind in ("Enough", "OutOfTime")


_BATCH = r"(n|nb|taille)?_?(mini)?_?(batch|lot|bs|mb|batchs|lots|minibatch|minilot)(size|taille)?|taille(du|de)?(mini)?(lot|batch)?|size|bs"
_EPOCHS = r"(n|nb|num|max|nombre)?(d?e?)?(epochs?|epoques?|iters?|iterations?|steps?|tours?|pas|etapes?|passes|it)"


def _fill(binding: Binding, f: Function, w: World, sources: dict[str, Any]) -> dict[str, Any] | None:
    """Arguments for a training function by their names; None where a required one is not known."""
    batch = next(k for k in (4, 5, 6, 9) if k not in w.sizes)
    has_Y = any("Y" in parameter_roles(p.name) for p in f.parameters)
    chosen: dict[str, Any] = {}
    seen_X = seen_Y = False
    for p in f.parameters:
        joined, roles = "".join(words(p.name)), parameter_roles(p.name)
        number = p.default is not None and re.fullmatch(r"\d+", p.default) is not None
        held_out = re.search(r"test|val|dev|eval", joined)
        value: Any = None
        if held_out and not p.required:
            continue
        if (number or (p.required and seen_X)) and re.fullmatch(_BATCH, joined):
            value = batch
        elif (number or p.required) and re.fullmatch(_EPOCHS, joined) and (number or seen_X or "lr" not in roles):
            value = 6 if not any(re.fullmatch(_BATCH, "".join(words(q.name))) for q in f.parameters) else 2
        elif not p.required and not ({"lr"} & set(roles)):
            continue
        elif p.required and re.search(r"data|donnees|train|ensemble|exemples", joined) and not has_Y and not seen_X:
            value, seen_X = [(x[:, None], y[:, None]) for x, y in zip(w.X, w.Y, strict=True)], True
        elif "params" in sources and "params" in roles:
            value = sources["params"]
        elif "object" in sources and (
            "params" in roles or re.fullmatch(r"(net|network|model|modele|reseau|nn|mlp|clf)", joined)
        ):
            value = sources["object"]
        elif "lr" in roles:
            value = LEARNING_RATE
        elif ("X" in roles or joined.startswith("x")) and (not seen_X or held_out):
            value, seen_X = sources["X"], True
        elif ("Y" in roles or joined.startswith("y")) and (not seen_Y or held_out):
            value, seen_Y = sources["Y"], True
        elif re.search(r"dims|sizes|couches|layers|architecture|tailles|dimensions", joined):
            value = list(w.sizes)
        elif re.search(r"hidden|cach|^n?h(id)?$", joined):
            value = w.sizes[1]
        elif re.search(r"^(nx|nin|ninput|inputsize|inputdim|nentrees?|nfeatures|d)$", joined):
            value = w.sizes[0]
        elif re.search(r"class|sortie|^ny$|^nout|outputs?(size|dim)", joined):
            value = w.sizes[-1]
        elif "keep" in roles:
            value = 1 - KEEP if "drop" in joined else KEEP
        elif "l2" in roles:
            value = 0.0
        elif "seed" in roles:
            value = 0
        elif "flag" in roles:
            value = False
        elif re.search(r"every|freq|interval", joined):
            value = 1
        else:
            key = next((k for k in sources if k == binding.used.get(binding.backward.name, {}).get(p.name)), None)
            if key is None:
                return None
            value = sources[key]
        chosen[p.name] = value
    return chosen if seen_X else None

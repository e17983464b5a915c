"""Weights that start out equal, or so large that the network starts saturated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.detectors.probing import SECONDS, Prober, careful, literal, module_constants
from pasapas.doctor.inventory import Function
from pasapas.doctor.making import call_maker, target_of
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import other_role
from pasapas.doctor.slots import Layout, find_parameters
from pasapas.doctor.values import arrays_in

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

MOST_Z = 5.0
"""The standard deviation of Z1 above which weights are too large."""

SATURATED = {"tanh": 2.65, "sigmoid": 4.6}
"""The |Z| from which on |A| is above 0.99, or A below 0.01."""

MOST_LOSS = 20.0
_NUMBERS = re.compile(r"random|rand|rng|normal|uniform|zeros|ones|full|gauss|alea|generateur|gen\b|eye|arange|linspace")


@dataclass
class Start:
    """The parameters that an initialisation gave: W (n_in, n_out), b (n_out,) or None; and whether the sizes are the file's own."""

    maker: Function
    W: list[np.ndarray]
    b: list[np.ndarray | None]
    own: bool


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Calls the initialisation with the file's own widths, or with those of a network for MNIST."""
    prober = Prober(evidence)
    starts = list(_starts(prober))
    for start in starts:
        layer = equal_units(start)
        if layer:
            W = start.W[layer - 1]
            facts = {**_facts(prober, start.maker), "got": float(np.round(W.flat[0], 4)), "units": W.shape[1]}
            yield Finding("symmetric-initialisation", f"W{layer}", layer, facts=facts)
            return
    large = [(start, too_large(start, evidence)) for start in starts]
    if large and all(how is not None for _start, how in large):
        start, how = large[0]
        layer, facts = how or (1, {})
        yield Finding("initialisation-too-large", f"W{layer}", layer, facts={**_facts(prober, start.maker), **facts})


def _facts(prober: Prober, maker: Function) -> dict[str, Any]:
    """Where the numbers are drawn: in a function, in a constructor, or in that of the layers that it makes."""
    if maker.owner is None or maker.owner not in prober.inventory.classes:
        return prober.facts(maker)
    own = prober.inventory.classes[maker.owner]
    others = [c for c in prober.inventory.classes.values() if c is not own and f"{c.name}(" in own.text]
    for c in (own, *others):
        for name in ("__post_init__", "__init__"):
            f = c.methods.get(name)
            if f is not None and _NUMBERS.search(f.text):
                return prober.facts(f)
    return (
        prober.facts(own.methods["__init__"])
        if "__init__" in own.methods
        else {"function": own.name, "line": own.node.lineno}
    )


# calling it ------------------------------------------------------------------------------------------------------------


def _starts(prober: Prober) -> Iterator[Start]:
    """What the first initialisation that works gives: for the file's own widths, or else for those of MNIST and for small ones."""
    mnist = re.search(r"784|28|mnist|digit|chiffre", prober.source, re.IGNORECASE) is not None
    L = len(prober.sizes) - 1
    hidden = ((), (128,), (128, 64), (128, 64, 32), (128, 64, 32, 16))[min(L, 5) - 1] if L <= 5 else None
    for maker in _makers(prober):
        own = _own(prober, maker)
        if own is not None:
            yield own
            return
        choices: list[list[int]] = []
        if prober.sizes[-1] > 1 and hidden is not None:
            choices = [[784, *hidden, n] for n in (10, prober.sizes[-1])]
        elif hidden is not None:
            choices = [[784, *hidden, 1]]
        found = next((s for s in (_made(prober, maker, c) for c in choices) if s is not None), None)
        if found is not None:
            yield found
            if not mnist and (small := _made(prober, maker, [20, *prober.sizes[1:]])) is not None:
                yield small
            return
        fixed = _made(prober, maker, prober.sizes)
        if fixed is not None:
            yield fixed
            return


def _makers(prober: Prober) -> list[Function]:
    """What may make the parameters, likeliest first."""
    provider = prober.binding.provider
    if provider.maker is not None:
        return [provider.maker]
    if provider.kind == "globals":
        return []
    found = [f for f in prober.inventory.functions.values() if other_role(f) == "initialize"]
    found += [
        f
        for f in prober.inventory.functions.values()
        if other_role(f) is None and f not in (prober.binding.forward, prober.binding.backward)
    ]
    return [f for f in found if _NUMBERS.search(f.text) and not f.has("train", "entrain", "data", "donnees")][:6]


def _own(prober: Prober, maker: Function) -> Start | None:
    """What the first call of it in the file gives, whose arguments can all be read."""
    constants = module_constants(prober.inventory.tree)
    name = maker.owner if maker.short == "__init__" and maker.owner else maker.short
    for call in prober.calls(name):
        scope = prober.scope(call)
        local = {a.arg for a in scope.args.args} if isinstance(scope, ast.FunctionDef) else set()
        known = {n: v for n, v in constants.items() if n not in local}
        if scope is not prober.inventory.tree and isinstance(scope, ast.FunctionDef):
            known |= module_constants(ast.Module(scope.body, []))
        try:
            args = [literal(a, known) for a in call.args]
            kwargs = {k.arg: literal(k.value, known) for k in call.keywords if k.arg}
        except (ValueError, TypeError, SyntaxError, ZeroDivisionError):
            continue
        outcome = prober.session.call(target_of(maker), args, kwargs, seconds=SECONDS)
        if outcome.failure is None:
            start = _read(prober, maker, outcome.value, None, True)
            if start is not None and len(start.W) == len(prober.sizes) - 1:
                return start
    return None


def _made(prober: Prober, maker: Function, sizes: list[int]) -> Start | None:
    provider = prober.binding.provider
    if provider.maker is maker and provider.shape_of_call:
        shapes = [provider.shape_of_call]
    else:
        required = [p for p in maker.parameters if p.required]
        shapes = ["list", "numbers", "none"] if len(required) == 1 else ["numbers", "in-out", "list", "none"]
    for shape in shapes:
        outcome = call_maker(prober.session, maker, sizes, shape)
        if outcome.failure is not None:
            continue
        start = _read(prober, maker, outcome.value, None if shape == "none" else sizes, False)
        if start is not None and len(start.W) == len(prober.sizes) - 1:
            return start
    return None


def _read(prober: Prober, maker: Function, value: Any, sizes: list[int] | None, own: bool) -> Start | None:
    """The weights and biases in what an initialisation gave, in this package's shapes."""
    found = find_parameters(value, sizes)
    if found is None:
        return None
    slots, widths, out_in = found
    provider = prober.binding.provider
    if sizes is None and out_in != provider.out_in:
        turned = find_parameters(value, widths[::-1])  # a chain of square matrices fits both ways
        slots, widths, out_in = turned if turned is not None and turned[2] == provider.out_in else found
    arrays = dict(arrays_in(value))
    layout = Layout(False, out_in)
    W: list[np.ndarray] = []
    b: list[np.ndarray | None] = []
    places = {slot.tensor: slot.path for slot in slots}
    for l in range(1, len(widths)):
        W.append(layout.W(np.asarray(arrays[places[f"W{l}"]], dtype=float)))
        bias = places.get(f"b{l}")
        b.append(np.asarray(arrays[bias], dtype=float).reshape(-1) if bias is not None else None)
    return Start(maker, W, b, own)


# judging ---------------------------------------------------------------------------------------------------------------


def equal_units(start: Start) -> int:
    """The first hidden layer whose units have all the same weights and biases, or few kinds of them; 0 where there is none."""
    for l, (W, b) in enumerate(zip(start.W[:-1], start.b[:-1], strict=True), 1):
        n_in, n = W.shape
        if n < 2 or not np.all(np.isfinite(W)):
            continue
        if b is not None and b.size == n and np.ptp(b) > 1e-12:
            continue
        kinds = len(np.unique(np.round(W.T, 12), axis=0))
        if kinds == 1 or (n >= 4 and n_in >= 10 and kinds <= n // 2):
            return l
    return 0


def too_large(start: Start, evidence: Evidence) -> tuple[int, dict[str, Any]] | None:
    """Where pictures make the network start saturated or sure of itself: the layer and the facts; None where they do not."""
    random = np.random.default_rng(3)
    m, n = 100, start.W[0].shape[0]
    X = np.where(random.random((m, n)) < 0.25, random.uniform(0.2, 1.0, (m, n)), 0.0)  # their mean square is 0.1
    known = evidence.architecture.activations if evidence.architecture is not None else ()
    names = known if len(known) == len(start.W) else ("relu",) * (len(start.W) - 1) + ("identity",)
    A = X
    with np.errstate(all="ignore"):
        for l, (W, b, name) in enumerate(zip(start.W, start.b, names, strict=True), 1):
            if W.shape[0] == A.shape[1] + 1:  # the bias is a row of W
                A = np.concatenate([A, np.ones((m, 1))], axis=1)
            Z = A @ W + (0.0 if b is None or b.size != W.shape[1] else b)
            spread = float(np.std(Z))
            if l == 1 and not spread <= MOST_Z:
                return 1, {"got": round(spread, 2), "expected": 1.0}
            if l == len(start.W):
                break
            if name in SATURATED:
                share = float(np.mean(np.abs(Z) > SATURATED[name]))
                if share > 0.5:
                    return l, {"got": round(spread, 2), "expected": 1.0, "saturated": round(share, 2)}
                A = np.tanh(Z) if name == "tanh" else 1 / (1 + np.exp(-Z))
            else:
                A = np.maximum(Z, 0.0)
        if names[-1] in ("softmax", "identity") and Z.shape[1] > 1:
            labels = random.integers(0, Z.shape[1], m)
            shifted = Z - Z.max(axis=1, keepdims=True)
            loss = float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(m), labels]))
            if not loss <= MOST_LOSS * max(1, len(start.W) - 1):
                return len(start.W), {"got": round(loss, 2), "expected": round(float(np.log(Z.shape[1])), 2)}
    return None

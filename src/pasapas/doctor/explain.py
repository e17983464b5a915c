"""Holds a submission's gradients against replays of every mistake in the catalogue, one by one and in pairs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.mistake import Mistake, Replays
from pasapas.doctor.replay import Problem, Replay

Gradients = dict[str, np.ndarray]
"""Gradients by name: dW1, db1, ..."""


@dataclass(frozen=True)
class Candidate:
    """A mistake at a place: `kind` replays it. `layer` None is every layer where it can be made."""

    code: str
    kind: type[Replay]
    layer: int | None
    template: str
    """Where it first shows: "dZ{l}"."""
    mistake: Mistake

    def tensor(self, first: str, L: int) -> str:
        """The tensor where it first shows, in a network of L layers whose gradient `first` is the first wrong one."""
        l = self.layer or int(first[-1])
        return self.template.format(l=l, L=L)


@dataclass(frozen=True)
class Explanation:
    """One or two mistakes whose replay gives exactly the gradients that were seen."""

    candidates: tuple[Candidate, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its mistakes."""
        return tuple(c.code for c in self.candidates)


def order(L: int) -> list[str]:
    """The gradients in the order in which a backward pass computes them."""
    return [f"{kind}{l}" for l in range(L, 0, -1) for kind in ("dW", "db")]


def agree(seen: np.ndarray | None, replayed: np.ndarray, tolerance: float) -> bool:
    """Whether a gradient is what a replay gives, whatever dimensions of length 1 it has."""
    if seen is None:
        return False
    a, b = np.squeeze(seen), np.squeeze(replayed)
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        size = float(np.max(np.abs(b), initial=0.0))
        return bool(np.max(np.abs(a - b), initial=0.0) <= tolerance * max(size, 1e-6))


def wrong_tensors(seen: Gradients, replayed: Gradients, L: int, tolerance: float) -> list[str]:
    """The gradients that differ, in the order of the computation."""
    return [
        t
        for t in order(L)
        if t in replayed
        and not agree(seen.get(t), replayed[t], tolerance)
        and not (t not in seen and t.startswith("db"))
    ]


def candidates(problem: Problem, stages: tuple[str, ...] = ("backward",)) -> list[Candidate]:
    """All mistakes of some stages at all places, for a network like that of `problem`."""
    L, found = problem.L, []
    have = {a.split()[0] for a in problem.activations} | {problem.loss}
    have |= {"penalty"} if problem.penalty else set()
    have |= {"dropout"} if any(mask is not None for mask in problem.masks) else set()
    for mistake in mistakes().values():
        if mistake.stage not in stages:
            continue
        for replays in mistake.replays:
            if replays.needs and not set(replays.needs) & have:
                continue
            found.append(Candidate(mistake.code, replays.kind, None, replays.tensor, mistake))
            if L > 2 and replays.layers == "each":  # all but the last: what a loop over hidden layers does
                hidden = restricted(replays.kind, tuple(range(1, L)))
                found.append(Candidate(mistake.code, hidden, None, replays.tensor, mistake))
            for l in _places(replays, L):
                found.append(Candidate(mistake.code, restricted(replays.kind, (l,)), l, replays.tensor, mistake))
    return found


def in_backward_alone(problem: Problem) -> list[Candidate]:
    """Mistakes of the forward pass's output that are made again, or only, where the backward pass reads P."""
    found = []
    for c in candidates(problem, ("forward",)):
        if c.layer is None and "output_delta" in vars(c.kind):
            found.append(c)
        elif c.layer is None and "output" in vars(c.kind):
            found.append(Candidate(c.code, _again(c.kind), None, "dZ{L}", c.mistake))
    return found


def _again(kind: type[Replay]) -> type[Replay]:
    """`kind`'s output in the backward pass alone."""

    class Again(Replay):
        def output_delta(self) -> Any:
            right = self.A[self.L]
            self.A[self.L] = kind(self.problem).output(self.Z[self.L])
            dZ = super().output_delta()
            self.A[self.L] = right
            return dZ

    return Again


def _places(replays: Replays, L: int) -> Iterable[int]:
    return {
        "all": (), "each": range(L, 0, -1), "hidden": range(L - 1, 0, -1), "upper": range(L, 1, -1),
    }[replays.layers]  # fmt: skip


Layers = tuple[int, ...] | None

_RESTRICTED: dict[tuple[type[Replay], Layers], type[Replay]] = {}


def restricted(kind: type[Replay], layers: Layers) -> type[Replay]:
    """`kind` in force in some layers alone, or, for None, wherever it can be; such classes combine without mixing them."""
    if (kind, layers) not in _RESTRICTED:
        _RESTRICTED[kind, layers] = _restrict(kind, layers)
    return _RESTRICTED[kind, layers]


def _restrict(kind: type[Replay], layers: Layers) -> type[Replay]:
    members: dict[str, Any] = {"LAYERS": layers, "here": _here}
    for cls in kind.__mro__[: kind.__mro__.index(Replay)]:
        for name, method in vars(cls).items():
            if name not in members and inspect.isfunction(method) and not name.startswith("__"):
                members[name] = _Bound(kind, name, layers)
    return type(f"{kind.__name__}In{layers or 'All'}", (kind,), members)


def _here(self: Any, l: int) -> bool:
    stack = self.__dict__.setdefault("_inside", [])
    meant = stack[-1:] or [vars(cls)["LAYERS"] for cls in type(self).__mro__ if "LAYERS" in vars(cls)]
    return any(layers is None or l in layers for layers in meant)


class _Bound:
    """A mistake's version of a method, for which `here` means its own layer, whatever other mistakes there are."""

    def __init__(self, kind: type[Replay], name: str, layers: Layers) -> None:
        self.kind, self.name, self.layers = kind, name, layers

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self

        def call(*arguments: Any) -> Any:
            stack = instance.__dict__.setdefault("_inside", [])
            stack.append(self.layers)
            try:
                return getattr(self.kind, self.name)(instance, *arguments)
            finally:
                stack.pop()

        return call


def run(kind: type[Replay], problems: Sequence[Problem]) -> list[Gradients] | None:
    """The gradients of a replay in each world; None where it cannot be run there."""
    try:
        return [kind(problem).run().gradients() for problem in problems]
    except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError, np.linalg.LinAlgError):
        return None


def explanations(
    seen: Sequence[Gradients],
    problems: Sequence[Problem],
    tolerance: float = 1e-6,
    base: type[Replay] = Replay,
    pairs: bool = True,
) -> list[Explanation]:
    """All single mistakes that explain the gradients in every world; where none does, and with `pairs`, the pairs that do."""
    L = problems[0].L
    tensors = order(L)
    pool = candidates(problems[0]) + in_backward_alone(problems[0])
    right = run(base, problems)
    if right is None:
        return []
    before = _matched(seen, right, tensors, tolerance)
    found, partial = [], []
    for c in pool:
        kind = c.kind if base is Replay else type("Based", (c.kind, base), {})
        replayed = run(kind, problems)
        if replayed is None:
            continue
        matched = _matched(seen, replayed, tensors, tolerance)
        if matched == len(tensors):
            if not _same(replayed, right, tolerance):
                found.append(Explanation((c,)))
        elif matched > before:
            partial.append((matched, c))
    if found or not pairs:
        return found
    partial.sort(key=lambda pair: -pair[0])
    for _matched_count, a in partial[:MOST_FIRST]:
        for b in pool:
            if b.code == a.code and (a.layer is None or b.layer in (None, a.layer)):
                continue
            for pair in ((a, b), (b, a)) if _overrides(a) & _overrides(b) else ((a, b),):
                kinds = [c.kind if "LAYERS" in vars(c.kind) else restricted(c.kind, None) for c in pair]
                try:
                    kind = type("Pair", (*kinds, *(() if base is Replay else (base,))), {})
                except TypeError:  # no order of inheritance suits both
                    continue
                replayed = run(kind, problems[:1])
                if replayed is None or _matched(seen[:1], replayed, tensors, tolerance) < len(tensors):
                    continue
                replayed = run(kind, problems)
                if replayed is not None and _matched(seen, replayed, tensors, tolerance) == len(tensors):
                    found.append(Explanation((a, b)))
                    break
        if found:
            break
    return found


MOST_FIRST = 8
"""So many mistakes that explain the first wrong gradients are tried together with each other one."""


def _overrides(c: Candidate) -> set[str]:
    """The methods that a mistake replaces."""
    return {name for cls in c.kind.__mro__[: c.kind.__mro__.index(Replay)] for name in vars(cls) if name != "here"}


def _matched(seen: Sequence[Gradients], replayed: Sequence[Gradients], tensors: list[str], tolerance: float) -> int:
    """How many gradients agree in every world before the first that does not."""
    for i, t in enumerate(tensors):
        for s, r in zip(seen, replayed, strict=True):
            if t not in s and t.startswith("db"):
                continue
            if not agree(s.get(t), r[t], tolerance):
                return i
    return len(tensors)


def _same(a: Sequence[Gradients], b: Sequence[Gradients], tolerance: float) -> bool:
    return all(agree(x[t], y[t], tolerance) for x, y in zip(a, b, strict=True) for t in y)

"""Which two functions of a submission may be its forward and its backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pasapas.doctor.inventory import Class, Function, Inventory
from pasapas.doctor.products import affine_steps, transposed_products
from pasapas.doctor.roles import (
    backward_score,
    forward_score,
    loss_and_gradient_score,
    network_class,
    other_role,
    roots,
)

MOST_PAIRS = 6


@dataclass(frozen=True)
class Pair:
    """Two functions to try; `forward` None where backward does all."""

    forward: Function | None
    backward: Function
    owner: Class | None = None


def pairs(inventory: Inventory, forward: str | None = None, backward: str | None = None) -> Iterator[Pair]:
    """Pairs of functions that may be the two passes, likeliest first. `forward` and `backward` are names from the user."""
    found = [*_methods(inventory), *_functions(inventory)]
    if not found or not any(p.forward for p in found):
        found += _by_text(inventory)
    if forward or backward:
        found = _named(inventory, found, forward, backward)
    seen: set[tuple[str, str]] = set()
    for pair in found:
        key = (pair.forward.name if pair.forward else "", pair.backward.name)
        if key not in seen and len(seen) < MOST_PAIRS:
            seen.add(key)
            yield pair


def _methods(inventory: Inventory) -> Iterator[Pair]:
    owner = network_class(inventory)
    if owner is None or _functions_use(inventory, owner):
        return
    methods = list(owner.methods.values())
    by_name = {f.name: f for f in methods}
    backs = {f.name: backward_score(f) for f in methods if backward_score(f)}
    both = {f.name: loss_and_gradient_score(f) for f in methods if loss_and_gradient_score(f)}
    forwards = {f.name: forward_score(f) for f in methods if forward_score(f)}
    f = by_name[roots(forwards, methods)[0]] if forwards else None
    for name in roots(backs, methods)[:2]:
        yield Pair(f, by_name[name], owner)
    if not backs:
        for name in roots(both, methods)[:1]:
            yield Pair(None, by_name[name], owner)


def _functions(inventory: Inventory) -> Iterator[Pair]:
    functions = list(inventory.functions.values())
    backs = {f.name: backward_score(f) for f in functions if backward_score(f)}
    both = {f.name: loss_and_gradient_score(f) for f in functions if loss_and_gradient_score(f)}
    forwards = {f.name: forward_score(f) for f in functions if forward_score(f)}
    for name, score in list(backs.items()):  # what multiplies no transposed array is hardly backpropagation
        if not _multiplies(inventory, inventory.functions[name]):
            backs[name] = score / 2
    for name in [n for n in both if not _multiplies(inventory, inventory.functions[n])]:
        del both[name]
    for name, score in list(forwards.items()):
        if not affine_steps(inventory.functions[name]) and any(affine_steps(inventory.functions[n]) for n in forwards):
            forwards[name] = score / 2 if score < 8 else score
    f_order = [inventory.functions[name] for name in roots(forwards, functions)]
    b_order = [inventory.functions[name] for name in roots(backs, functions)]
    for name in roots(both, functions)[:1]:
        b = inventory.functions[name]
        yield Pair(f_order[0] if f_order and b.calls & {f_order[0].short} else None, b)
    for b in [b for b in b_order if b.name not in both][:2]:
        for f in [f for f in f_order[:2] if f is not b]:
            yield Pair(f, b)
        if not f_order or len(affine_steps(b)) > 1:
            yield Pair(None, b)


def _multiplies(inventory: Inventory, f: Function, depth: int = 0) -> bool:
    """Whether a function, or one that it calls, multiplies by something transposed."""
    if transposed_products(f):
        return True
    return depth < 2 and any(
        _multiplies(inventory, g, depth + 1) for g in inventory.functions.values() if g is not f and g.short in f.calls
    )


def _by_text(inventory: Inventory) -> Iterator[Pair]:
    """Where no name tells: what multiplies by transposed arrays and gives something back, and what only multiplies."""
    functions = [f for f in inventory.functions.values() if f.returned and other_role(f) in (None, "loss", "predict")]
    backs = sorted((f for f in functions if transposed_products(f) > 1), key=transposed_products, reverse=True)
    forwards = [f for f in functions if affine_steps(f) and transposed_products(f) < 2 and f not in backs]
    forwards.sort(key=lambda f: -len(affine_steps(f)))
    for b in backs[:2]:
        if len(affine_steps(b)) > 1 and any(s.bias for s in affine_steps(b)):
            yield Pair(None, b)
        for f in forwards[:2]:
            yield Pair(f, b)
        if not forwards:
            yield Pair(None, b)


def _named(inventory: Inventory, found: list[Pair], forward: str | None, backward: str | None) -> list[Pair]:
    """The pairs with the functions that the user names."""
    everything = {f.name: f for f in inventory.everything()}

    def find(name: str | None) -> Function | None:
        return everything.get(name or "") or next((f for f in everything.values() if f.short == name), None)

    f, b = find(forward), find(backward)
    owner = inventory.classes.get((b or f).owner or "") if (b or f) is not None else None  # type: ignore[union-attr]
    result = [Pair(f or p.forward, b or p.backward, owner if b or f else p.owner) for p in found]
    if b is not None:
        result.insert(0, Pair(f, b, owner))
        if f is None:
            result.sort(key=lambda p: p.forward is None)
    return result


def _functions_use(inventory: Inventory, owner: Class) -> bool:
    """Whether plain functions are the two passes although a class looks like a network."""
    functions = inventory.functions.values()
    return any(backward_score(f) >= 9 for f in functions) and not any(
        backward_score(f) >= 7 for f in owner.methods.values()
    )

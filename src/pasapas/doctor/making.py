"""Parameters in a submission's own containers: how they are made, for a network of chosen widths."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasapas.doctor.inventory import Function, words
from pasapas.doctor.session import Outcome, Session
from pasapas.doctor.slots import Path, Slot
from pasapas.doctor.values import Opaque, Ref, named

LEARNING_RATE = 0.05
KEEP = 0.7
LAMBDA = 0.3


@dataclass
class Provider:
    """Where parameters come from. `kind`: "container", "loose", "lists", "globals" or "object".

    `template` is a view of the container with `slots` leading into it; `maker` and `shape_of_call` are the call that
    made it.
    """

    kind: str
    slots: list[Slot]
    sizes: list[int]
    out_in: bool
    template: Any = None
    maker: Function | None = None
    shape_of_call: str = ""
    fixed: bool = False
    """Whether the sizes cannot be chosen."""
    inside: int | None = None
    """Where the maker gives a tuple: which part of it is the container."""
    asked: tuple[int, ...] = ()
    """The widths that the maker was asked for; with `fixed`, `sizes` are others."""
    names: dict[str, str] = field(default_factory=dict)
    """Parameters of functions that are single weights or biases: {"A": "W1", "a": "b1"}."""

    @property
    def L(self) -> int:
        """The number of layers with weights."""
        return len(self.sizes) - 1

    def part(self, letter: str) -> Path | None:
        """Where all weights ("W") or all biases ("b") are together in the container; None where they are mixed."""
        mine = {slot.path[:1] for slot in self.slots if slot.tensor[0] == letter}
        others = {slot.path[:1] for slot in self.slots if slot.tensor[0] != letter}
        return next(iter(mine)) if len(mine) == 1 and not mine & others else None


def make(session: Session, provider: Provider, sizes: Sequence[int]) -> Outcome:
    """Calls what makes the container or the object, for a network of these widths."""
    assert provider.maker is not None
    asked = provider.asked if provider.fixed and provider.asked else sizes
    return call_maker(session, provider.maker, asked, provider.shape_of_call)


def call_maker(session: Session, maker: Function, sizes: Sequence[int], shape: str) -> Outcome:
    """Calls an initialisation or a constructor with these widths, in one of the ways of `init_arguments`."""
    args, kwargs = init_arguments(maker, list(sizes), shape)
    for name, value in kwargs.items():
        if isinstance(value, str) and value == _GENERATOR:
            kwargs[name] = _generator(session, old=bool(re.search(rf"\b{name}\.(randn|rand|randint)\b", maker.text)))
    return session.call(target_of(maker), args, kwargs)


def _generator(session: Session, old: bool) -> Ref:
    """A random generator where the submission runs."""
    numpy = session.call(Ref(0, (("global", "__builtins__"), ("attr", "__import__"))), ["numpy"])
    kind = "RandomState" if old else "default_rng"
    return Ref(session.call(Ref(numpy.handle).attr("random").attr(kind), [0]).handle)


def target_of(maker: Function) -> Ref:
    """What is called to make something: a function, or the class whose `__init__` this is."""
    return named(maker.owner) if maker.owner and maker.short == "__init__" else named(maker.name)


def init_arguments(f: Function, sizes: list[int], shape: str) -> tuple[list[Any], dict[str, Any]]:
    """Arguments for an initialisation; `shape` says how: "list", "tuple", "numbers", "starred", "in-out", "none"."""
    required = [p for p in f.parameters if p.required]
    kwargs: dict[str, Any] = {}
    if shape == "starred":
        return list(sizes), {}
    if shape in ("list", "tuple"):
        value: Any = list(sizes) if shape == "list" else tuple(sizes)
        first = True
        for p in f.parameters:
            if first and other_init(p.name, known=True):
                if p.required:
                    kwargs[p.name] = other_init(p.name)
            elif p.required or (first and not any(not other_init(q.name, known=True) for q in required)):
                kwargs[p.name] = value if first else other_init(p.name)
                first = False
    elif shape == "numbers":
        wanted = [p for p in f.parameters if not other_init(p.name, known=True)]
        wanted = [p for p in wanted if p.required or len(required) < len(sizes)][: len(sizes)]
        order = _order_of_sizes([p.name for p in wanted])
        for p, place in zip(wanted, order, strict=True):
            kwargs[p.name] = sizes[place if place < len(sizes) else -1]
        for p in required:
            if p.name not in kwargs:
                kwargs[p.name] = other_init(p.name)
    elif shape == "in-out":
        for p in f.parameters:
            joined = "".join(words(p.name))
            if re.search(r"hidden|cach|couches|nh|layers|intermed", joined):
                default = p.default or ""
                hidden = sizes[1:-1]
                single = re.fullmatch(r"\d+", default) and len(hidden) == 1
                kwargs[p.name] = hidden[0] if single else tuple(hidden) if default.startswith("(") else list(hidden)
            elif re.search(r"out|sortie|class|ny|fin", joined):
                kwargs[p.name] = sizes[-1]
            elif re.search(r"in|entree|nx|pixel|feature|dim|d", joined) and p.required:
                kwargs[p.name] = sizes[0]
            elif p.required:
                kwargs[p.name] = other_init(p.name)
    else:
        for p in required:
            kwargs[p.name] = other_init(p.name)
    return [], kwargs


def _order_of_sizes(names: list[str]) -> list[int]:
    """Which width each parameter is, from its name where names tell, else by its place."""
    n = len(names)
    order: list[int | None] = []
    for name in names:
        joined = "".join(words(name))
        if re.search(r"^(n|nb|dim|size|d|taille)?_?(out|sortie|class|ny$|y$)|output|sortie|classes", joined):
            order.append(n - 1)
        elif re.search(r"input|entree|pixel|feature|^nx$|^nin$|^x$", joined):
            order.append(0)
        else:
            order.append(None)
    known = [o for o in order if o is not None]
    if len(set(known)) != len(known):
        return list(range(n))
    rest = [i for i in range(n) if i not in known]
    return [o if o is not None else rest.pop(0) for o in order]


_GENERATOR = "a random generator"

_OPTIONS: list[tuple[str, Any]] = [
    (r"seed|graine|randomstate", 0),
    (r"rng|gen|generator|generateur|rs|alea|random|rnd|aleatoire|prng", _GENERATOR),
    (r"lr|learningrate|alpha|eta|taux.*|pas|stepsize", LEARNING_RATE),
    (r"std|scale|sigma|echelle|ecart.*|weightscale|init.*scale|gain", 0.1),
    (r"lambd.*|reg.*|l2.*|weightdecay|decay|wd", LAMBDA),
    (r"keep.*|p?drop.*|p", KEEP),
    (r"activation.*|act|fonction.*", "relu"),
    (r"epochs?|epoques?|niter|batchsize|nepochs", 1),
    (r"init|initialisation|methode?|method|mode", "he"),
    (r"momentum|beta\d?", 0.9),
    (r"verbose|debug|bias|dtype", False),
]


def other_init(name: str, known: bool = False) -> Any:
    """A value for a parameter of an initialisation that is no width; with `known`, whether it is such a one."""
    joined = "".join(words(name))
    for pattern, value in _OPTIONS:
        if re.fullmatch(pattern, joined):
            return True if known else value
    return False if known else 3


def replaced(value: Any, path: Path, array: np.ndarray) -> Any:
    """`value` with `array` at the end of `path`; tuples on the way are made anew."""
    if not path:
        return array
    (_kind, key), rest = path[0], path[1:]
    if isinstance(value, tuple):
        return tuple(replaced(v, rest, array) if i == key else v for i, v in enumerate(value))
    if isinstance(value, Opaque):
        value.attributes[key] = replaced(value.attributes[key], rest, array)
    else:
        value[key] = replaced(value[key], rest, array)
    return value


def has_opaque(value: Any) -> bool:
    """Whether a view shows an object that cannot be made from its view."""
    if isinstance(value, Opaque):
        return True
    if isinstance(value, dict):
        return any(map(has_opaque, value.values()))
    return isinstance(value, (list, tuple)) and any(map(has_opaque, value))


def literal(default: str | None, other: Any) -> Any:
    """A default that is a literal, or `other`."""
    if default is None:
        return other
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return other
    return other if value is None or value is False else value

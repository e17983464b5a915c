"""What each parameter of a submission's function gets: by its name, by where it comes from, by what is left over."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pasapas.doctor.callsites import names_given
from pasapas.doctor.inventory import Function, Inventory, words
from pasapas.doctor.making import KEEP, LAMBDA, LEARNING_RATE, Provider, literal
from pasapas.doctor.roles import parameter_roles, tensor_of
from pasapas.doctor.session import Outcome
from pasapas.doctor.slots import Layout, Path
from pasapas.doctor.values import Opaque, Ref, arrays_in, named

MOST_WAYS = 8


class Filling:
    """The arguments of calls; a base of `Binding`."""

    forward: Function | None
    backward: Function
    provider: Provider
    layout: Layout
    inventory: Inventory | None
    flow: dict[str, Path]
    used: dict[str, dict[str, str]]

    def options(self, f: Function, sources: dict[str, Any], forward: Outcome | None) -> list[dict[str, Any]]:
        """The ways in which a function's parameters can be filled, likeliest first; 8 at most."""
        flow = self.flow if f is self.backward else {}
        per_parameter: list[list[tuple[str, Any]]] = []
        for p in f.parameters:
            found = list(self._fillings(p.name, p.default, sources, forward, flow, f))
            if not found and p.required:
                found = list(self._by_site(p.name, p.default, sources, forward, f)) or [("?", None)]
            if not p.required and (not found or p.name in ("P", "m")):
                found = [("default", None), *found]
            per_parameter.append(found)
        ways = []
        for way in itertools.islice(itertools.product(*per_parameter), 400):
            once = [key for key, _v in way if key in ("X", "Y", "params", "cache", "P")]
            if len(once) == len(set(once)):
                ways.append(way)
        ways = ways or [tuple(found[0] for found in per_parameter)]
        results = []
        for way in ways[:MOST_WAYS]:
            used = {key for key, _v in way}
            spare = [k for k in ("X", "params", "Y", "cache", "P") if k not in used and (k in sources or forward)]
            chosen = {}
            for p, (key, value) in zip(f.parameters, way, strict=True):
                if key == "default":
                    continue
                if key == "?":
                    key = spare.pop(0) if spare else "none"
                    value = self._source(key, sources, forward)
                chosen[p.name] = value
            results.append(chosen)
        self.used[f.name] = {p.name: key for p, (key, _v) in zip(f.parameters, ways[0], strict=True)}
        return results

    def _source(self, key: str, sources: dict[str, Any], forward: Outcome | None) -> Any:
        if key in sources:
            return sources[key]
        if forward is not None and key == "cache":
            return self._cache(forward)
        if forward is not None and key == "P":
            return self._P_ref(forward, sources)
        return None

    def _by_site(
        self, name: str, default: str | None, sources: dict[str, Any], forward: Outcome | None, f: Function
    ) -> Iterator[tuple[str, Any]]:
        """A parameter whose own name says nothing: what the variable is called that the submission hands over."""
        given = names_given(self.inventory, f).get(name) if self.inventory is not None else None
        if given and given != name:
            yield from self._fillings(given, default, sources, forward, {}, f)

    def _fillings(
        self,
        name: str,
        default: str | None,
        sources: dict[str, Any],
        forward: Outcome | None,
        flow: dict[str, Path],
        f: Function,
    ) -> Iterator[tuple[str, Any]]:
        if name in flow and forward is not None and forward.handle:
            yield "cache " + name, Ref(forward.handle, flow[name])
            return
        tensor = self.provider.names.get(name) or _tensor_key(name, self.provider)
        if tensor in sources:
            yield str(tensor), sources[str(tensor)]
            return
        if self.forward is not None and f is not self.forward:
            before = self.used.get(self.forward.name, {}).get(name)
            if before in ("params", "weights", "biases") and (before in sources or "object" in sources):
                yield before, sources.get(before, sources.get("object"))
                return
        if forward is not None:
            ref = self._by_name(name, forward)
            if ref is not None and not (name in ("X", "x") and "X" in sources):
                yield "cache " + name, ref
                if isinstance(ref, Ref) and (tensor_of(name) is not None or len(name) > 2):
                    return  # forward gives it under this very name
        joined = "".join(words(name))
        if re.fullmatch(r"(weights?|poids|ws|w|matrices)", joined) and "weights" in sources:
            yield "weights", sources["weights"]
        if re.fullmatch(r"(biases|biais|bias|bs|b)", joined) and "biases" in sources:
            yield "biases", sources["biases"]
        if tensor is not None and forward is not None and tensor == f"A{self.provider.L}":
            yield "P", self._P_ref(forward, sources)
        for role in parameter_roles(name):
            yield from self._by_role(role, name, default, sources, forward)

    def _by_role(
        self, role: str, name: str, default: str | None, sources: dict[str, Any], forward: Outcome | None
    ) -> Iterator[tuple[str, Any]]:
        if role in ("X", "Y", "m") and role in sources:
            yield role, sources[role]
        elif role == "params" and ("params" in sources or "object" in sources):
            yield role, sources.get("params", sources.get("object"))
        elif role == "cache" and forward is not None:
            cache = self._cache(forward)
            if cache is not None:
                yield role, cache
        elif role == "P" and forward is not None:
            ref = self._scores_ref(name, forward, sources) or self._P_ref(forward, sources)
            if ref is not None:
                yield role, ref
        elif role == "classes" and default is None:
            yield role, sources.get("classes", 3)
        elif role == "activation" and default is None:
            yield from self._activations()
        else:
            value = _setting(role, name, default)
            if value is not None:
                yield role, value

    def _activations(self) -> Iterator[tuple[str, Any]]:
        for a in ("relu", "tanh", "sigmoid"):
            yield "activation", a
        if self.inventory is not None:
            for g in self.inventory.functions.values():
                if g.has("relu", "tanh", "sigm") and len(g.parameters) == 1:
                    yield "activation", named(g.short)

    def _cache(self, forward: Outcome) -> Any:
        """The part of forward's result that backward may want as its cache."""
        ref = Ref(forward.handle)
        value = forward.value
        if isinstance(value, tuple):
            inner = [i for i, v in enumerate(value) if isinstance(v, (dict, list, tuple, Opaque))]
            return ref.item(inner[0]) if len(inner) == 1 else ref
        return ref if value is not None else None

    def _by_name(self, name: str, forward: Outcome) -> Any:
        """The part of forward's result that has this very name."""
        wanted = "".join(words(name))
        for path, text in self._named_parts(forward):
            if "".join(words(text)) == wanted:
                return Ref(forward.handle, path)
        if tensor_of(name) is not None or len(wanted) > 2:
            for step in reversed(forward.steps):
                if "".join(words(step.name)) == wanted and "[" not in step.name:
                    return step.value
        return None

    def _named_parts(self, forward: Outcome) -> Iterator[tuple[Path, str]]:
        value = forward.value
        returned = self.forward.returned if self.forward else []
        if isinstance(value, tuple):
            for i, v in enumerate(value):
                if i < len(returned):
                    yield (("item", i),), returned[i]
                if isinstance(v, dict):
                    for key in v:
                        yield (("item", i), ("item", key)), str(key)
        elif isinstance(value, dict):
            for key in value:
                yield (("item", key),), str(key)
        elif len(returned) == 1 and value is not None:
            yield (), returned[0]

    def _scores_ref(self, name: str, forward: Outcome, sources: dict[str, Any]) -> Ref | None:
        """For a parameter that is called scores: the part of forward's result that is none of its probabilities."""
        if not re.fullmatch(r"logits?|scores?", "".join(words(name))):
            return None
        shape = (sources.get("m"), sources.get("classes"))
        for path, a in arrays_in(forward.value):
            rows = self.layout.rows(a)
            if a.dtype.kind == "f" and a.ndim == 2 and rows.shape == shape and not are_probabilities(rows):
                return Ref(forward.handle, path)
        return None

    def _P_ref(self, forward: Outcome, sources: dict[str, Any]) -> Any:
        """The part of forward's result that is P: what looks like it, else what has its shape, else the first."""
        for path, a in arrays_in(forward.value):
            usable = a.dtype.kind == "f" and a.ndim in (1, 2) and not _is_one_hot(a)
            if usable and are_probabilities(self.layout.rows(a)):
                return Ref(forward.handle, path)
        if isinstance(forward.value, np.ndarray):
            return Ref(forward.handle)
        shape = (sources.get("m"), sources.get("classes"))
        for path, a in arrays_in(forward.value):
            if a.dtype.kind == "f" and a.ndim == 2 and self.layout.rows(a).shape == shape:
                return Ref(forward.handle, path)
        if isinstance(forward.value, (tuple, list)) and forward.value:
            return Ref(forward.handle).item(0)
        return None


def _tensor_key(name: str, provider: Provider) -> str | None:
    tensor = tensor_of(name)
    return f"{tensor[0]}{tensor[1] if tensor[1] > 0 else provider.L}" if tensor is not None else None


def _setting(role: str, name: str, default: str | None) -> Any:
    """The value of a parameter that is no array; None where its default will do, or where it is none of these."""
    if role == "lr":
        return LEARNING_RATE
    if role == "keep":
        return 1 - KEEP if "drop" in name.lower() and "keep" not in name.lower() else KEEP
    if role == "l2":
        return LAMBDA
    if role == "training":
        return literal(default, True)
    if default is not None:
        return None
    return {"epochs": 1, "flag": False, "seed": 0}.get(role)


def _is_one_hot(a: np.ndarray) -> bool:
    return bool(((a == 0) | (a == 1)).all())


def are_probabilities(a: np.ndarray) -> bool:
    """Whether every row of `a` has entries ≥ 0 that sum to 1."""
    with np.errstate(all="ignore"):
        return bool(a.ndim == 2 and (a >= 0).all() and np.allclose(a.sum(axis=1), 1, atol=1e-6) and a.shape[1] > 1)

"""The containers in which a submission keeps its parameters: by calling what makes them, or as its text reads them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pasapas.doctor.inventory import Class, Function, Inventory, plain, words
from pasapas.doctor.making import Provider, call_maker, other_init
from pasapas.doctor.products import affine_steps, loose_tensors, stated_layout
from pasapas.doctor.roles import other_role, parameter_roles, tensor_of
from pasapas.doctor.session import Session
from pasapas.doctor.slots import Slot, find_parameters
from pasapas.doctor.syntax import parse
from pasapas.doctor.values import Ref

HIDDEN_WIDTHS = {1: (), 2: (5,), 3: (5, 4), 4: (6, 5, 4), 5: (8, 6, 5, 4)}
"""The widths of hidden layers by the number of layers: unlike each other, the input, the output and the batch."""


def widths(L: int, outputs: int) -> tuple[int, ...]:
    """The widths of all layers of a network of L layers."""
    return (9 if L > 4 else 7, *HIDDEN_WIDTHS.get(L, tuple(range(L + 2, 3, -1))), outputs)


def fixed_depth(text: str) -> int | None:
    """How many layers a text names by number: 3 where it speaks of W1, W2 and W3; None where it names none."""
    text = plain(text)
    numbers = [int(n) for n in re.findall(r"(?<![A-Za-z])(?:W|w|weights?_?|poids_?|Theta|theta)_?(\d)(?!\d)", text)]
    if not numbers:
        numbers = [int(n) for n in re.findall(r"(?<![A-Za-z])(?:b|biais_?|bias_?)_?(\d)(?!\d)", text)]
    if numbers and max(numbers) > 1:
        return max(numbers)
    if re.search(r"(?i)(w|poids|weights?)_?(h(idden)?|cachee?|ih|in|entree)\b", text):
        return 2
    return max(numbers) + 1 if numbers and 0 in numbers else None


def outputs_of(source: str) -> list[int]:
    """How many outputs to try, likeliest first: 3, what is written as a number, or one for yes and no."""
    source = plain(source)
    found = [3]
    if re.search(r"eye\(\s*10|10\)|, ?10\]|n_classes ?= ?10", source):
        found.append(10)
    sigmoid = re.search(r"(?i)sigmo|bce|binary|binaire|xor|logisti|1(\.0?)? ?/ ?\(1(\.0?)? ?\+ ?np\.exp\(-", source)
    if sigmoid:
        many = re.search(
            r"(?i)softmax|argmax|classes|one_?hot|eye\(|exp\([^\n]*\)\.sum\(|/ ?(np\.)?sum\(|/ ?\w+\.sum\(.*axis",
            source,
        )
        found = [*found, 1] if many else [1, *found]
    return found


def size_choices(text: str, source: str, depth: int | None = None) -> list[tuple[int, ...]]:
    """Networks to try, likeliest first."""
    depth = depth or fixed_depth(text)
    return [widths(L, o) for o in outputs_of(source) for L in ([depth] if depth else [3, 2])]


def providers(
    session: Session, inventory: Inventory, forward: Function | None, backward: Function, owner: Class | None
) -> Iterator[Provider]:
    """The places where parameters may be, likeliest first."""
    text = (forward.text if forward else "") + "\n" + backward.text
    source = ast.unparse(inventory.tree)
    if owner is not None:
        yield from _by_class(session, owner, owner.text, source)
        return
    reader = forward or backward
    names, depth = _names(reader, backward)
    yielded = False
    for maker in _makers(inventory, reader, backward):
        for provider in _by_function(session, maker, size_choices(text, source, depth)):
            if names:
                if len(provider.sizes) - 1 == (depth or len(provider.sizes) - 1):
                    yield replace(provider, kind="loose", names=names)
                    yielded = True
                continue
            yield from _inner(provider)
            yield provider
            yielded = True
            if provider.fixed:
                break
    if not names:
        yield from _by_globals(session, reader, backward)
    for sizes in size_choices(text, source, depth):
        if len(sizes) > 2 or not yielded:
            yield from _by_text(reader, backward, sizes, names, inventory)


def _names(forward: Function, backward: Function) -> tuple[dict[str, str], int | None]:
    """Parameters that are single weights or biases, and how many layers these make; {} where there are none."""
    by_name = {}
    for p in (*forward.parameters, *backward.parameters):
        tensor = tensor_of(p.name)
        if tensor and tensor[0] in "Wb":
            by_name[p.name] = tensor
    read = loose_tensors(forward)
    steps = [t for t in read.values() if t[0] == "W"]
    in_forward = [n for n, t in by_name.items() if t[0] == "W" and n in {p.name for p in forward.parameters}]
    if steps and len(steps) >= len(in_forward):
        differ = any(by_name[n] != (read[n][0], int(read[n][1:])) for n in in_forward if n in read)
        if len(steps) > len(in_forward) or differ:
            return read, len(steps)
    if not any(t[0] == "W" for t in by_name.values()):
        return {}, None
    L = max(l for _k, l in by_name.values())
    if any(l == 0 for _k, l in by_name.values()):
        by_name = {n: (k, l + 1 if l >= 0 else l) for n, (k, l) in by_name.items()}
        L += 1
    L = max(L, len(in_forward), 1)
    return {n: f"{k}{l if l > 0 else L}" for n, (k, l) in by_name.items()}, L


def _lists(f: Function) -> bool:
    """Whether weights and biases come as two lists."""
    names = ["".join(words(p.name)) for p in f.parameters]
    return any(re.fullmatch(r"weights?|poids|ws|w|matrices", n) for n in names) and any(
        re.fullmatch(r"biases|biais|bias|bs|b", n) for n in names
    )


# by calling what makes them ------------------------------------------------------------------------------------------


def _makers(inventory: Inventory, forward: Function, backward: Function) -> list[Function]:
    """What may make the parameters, likeliest first."""
    functions = list(inventory.functions.values())
    found = [f for f in functions if other_role(f) == "initialize"]
    hint = r"weights|poids|param|reseau|network|model|couche|layers|theta|net"
    found += [
        f
        for f in functions
        if f not in found
        and f not in (forward, backward)
        and re.search(hint, "".join(f.words))
        and other_role(f) is None
    ]
    for c in inventory.classes.values():
        found += [
            m
            for m in c.methods.values()
            if (m.is_static or m.is_class_method) and not re.search("forward|backward|loss", m.short)
        ]
        found += [m for m in c.methods.values() if m.short == "__init__" and not m.generated]
    return found


def _inner(provider: Provider) -> Iterator[Provider]:
    """Of an initialisation that gives more than the parameters, the part that has them all."""
    first = {slot.path[:1] for slot in provider.slots}
    value = provider.template
    if isinstance(value, tuple) and len(first) == 1 and len(value) > 1:
        index = next(iter(first))[0][1]
        slots = [replace(slot, path=slot.path[1:]) for slot in provider.slots]
        yield replace(provider, template=value[index], slots=slots, inside=index)


def _call_shapes(f: Function) -> list[str]:
    """The ways of `init_arguments` to try, likeliest first."""
    required = [p for p in f.parameters if p.required]
    joined = ["".join(words(p.name)) for p in f.parameters]
    if f.node.args.vararg is not None and not required:
        return ["starred", "none"]
    if len(required) == 1 or (
        not required and joined and re.search(r"sizes|dims|tailles|couches|layers|architecture|dimensions", joined[0])
    ):
        return ["list", "numbers", "in-out", "none"]
    if len(required) == 2:
        return ["in-out", "numbers", "list", "none"]
    if len(required) >= 3:
        return ["numbers", "in-out", "list"]
    return ["numbers", "list", "in-out", "none"]


def _made(session: Session, maker: Function, choices: Sequence[tuple[int, ...]], kind: str) -> Iterator[Provider]:
    """What a function or a class makes, for each network that it can be asked for."""
    any_found = False
    for sizes in choices:
        for shape in _call_shapes(maker):
            if shape == "none" and (any_found or any(not other_init(p.name, known=True) for p in maker.required)):
                continue
            outcome = call_maker(session, maker, sizes, shape)
            if outcome.failure is not None:
                continue
            found = find_parameters(outcome.value, None if shape == "none" else sizes)
            if found is not None:
                slots, widths_found, out_in = found
                any_found = True
                fixed = shape == "none"
                yield Provider(
                    kind, slots, widths_found, out_in, outcome.value, maker, shape, fixed, asked=tuple(sizes)
                )
                break
    if not any_found:
        shapes = [shape for shape in _call_shapes(maker) if shape != "none"]
        for shape in (*shapes, "none") if any(p.required for p in maker.parameters) else ("none", *shapes):
            outcome = call_maker(session, maker, (7, 5, 3), shape)
            found = find_parameters(outcome.value, None) if outcome.failure is None else None
            if found is not None:
                slots, widths_found, out_in = found
                yield Provider(kind, slots, widths_found, out_in, outcome.value, maker, shape, True, asked=(7, 5, 3))
                return


def _by_function(session: Session, maker: Function, choices: Sequence[tuple[int, ...]]) -> Iterator[Provider]:
    yield from _made(session, maker, choices, "container")


def _by_class(session: Session, owner: Class, text: str, source: str) -> Iterator[Provider]:
    maker = owner.methods.get("__init__")
    if maker is None:
        node = parse("def __init__(self): pass").body[0]
        assert isinstance(node, ast.FunctionDef)
        maker = Function(f"{owner.name}.__init__", node, owner.name)
    maker = replace(maker, name=f"{owner.name}.__init__", owner=owner.name)  # it may be inherited
    yield from _made(session, maker, size_choices(text, source), "object")


def _by_globals(session: Session, f: Function, backward: Function) -> Iterator[Provider]:
    """Weights that functions find in the module."""
    local = {p.name for p in (*f.parameters, *backward.parameters)}
    stored = {n.id for n in ast.walk(f.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    declared = {name for n in ast.walk(f.node) if isinstance(n, ast.Global) for name in n.names}
    free = {
        n.id
        for node in (f.node, backward.node)
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id not in local
    }
    used = {n for s in affine_steps(f) for n in (s.weight, s.bias)}
    singles = {
        n
        for n in free
        if n not in stored - declared and (n in used or ((t := tensor_of(n)) is not None and t[0] in "Wb"))
    }
    groups = [singles, *({n} for n in free - stored if "params" in parameter_roles(n))]
    for group in groups:
        content = {n: value for n in sorted(group) if (value := session.look(Ref(0, (("global", n),)))) is not None}
        found = find_parameters(content, None) if content else None
        if found is not None:
            slots, sizes, out_in = found
            slots = [Slot(s.tensor, (("global", s.path[0][1]), *s.path[1:]), s.bias, s.fold) for s in slots]
            yield Provider("globals", slots, list(widths(len(sizes) - 1, 1 if sizes[-1] == 1 else 3)), out_in)
            yield Provider("globals", slots, sizes, out_in, fixed=True)


# as a text reads them ------------------------------------------------------------------------------------------------


def _by_text(
    f: Function, backward: Function, sizes: Sequence[int], names: dict[str, str], inventory: Inventory
) -> Iterator[Provider]:
    """Containers as the text of the functions reads them, in each layout."""
    L = len(sizes) - 1
    stated = stated_layout(f, None, inventory.classes)
    choices = (False, True) if stated is None else (stated[1], not stated[1])
    biases = _bias_shapes(ast.unparse(inventory.tree), stated is not None and stated[0])
    for out_in in choices:
        for bias in biases:
            if names or _lists(f):
                tensors = list(dict.fromkeys(names.values())) if names else []
                tensors = sorted(t for t in tensors if int(t[1:]) <= L) or [
                    f"{k}{l}" for l in range(1, L + 1) for k in "Wb"
                ]
                slots = [Slot(t, (), bias if t[0] == "b" else "") for t in tensors]
                yield Provider("loose" if names else "lists", slots, list(sizes), out_in, names=names)
                continue
            for template, paths in _templates(f, backward, L):
                slots = [Slot(t, path, bias if t[0] == "b" else "") for t, path in paths.items()]
                yield Provider("container", slots, list(sizes), out_in, template)


def _bias_shapes(source: str, columns: bool) -> list[str]:
    """The shapes that biases may have, likeliest first: as zeros are made in the text."""
    patterns = (("column", r"zeros\(\(\w+, 1\)"), ("row", r"zeros\(\(1, "), ("flat", r"zeros\(\w+(\[\w+\])?\)"))
    usual = ["column", "flat", "row"] if columns else ["row", "flat", "column"]
    stated = [shape for shape, pattern in patterns if re.search(pattern, source)]
    return sorted(usual, key=lambda shape: shape not in stated)


def _templates(f: Function, backward: Function, L: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Empty containers with the paths of their tensors, as a function's text reads its parameters."""
    name = next((p.name for p in f.parameters if "params" in parameter_roles(p.name)), None)
    tensors = [f"{k}{l}" for l in range(1, L + 1) for k in "Wb"]
    keys = _keys(f, backward, name)
    if [k for k, _l in keys.values()].count("W") == L:
        yield dict.fromkeys(keys), {f"{kind}{l if l > 0 else L}": (("item", k),) for k, (kind, l) in keys.items()}
    for order in _unpacked(f, name):
        named_ones = [(i, t) for i, n in enumerate(order) if (t := tensor_of(n)) and t[0] in "Wb"]
        if len(named_ones) == len(order):
            paths = {f"{k}{l if l > 0 else L}": (("item", i),) for i, (k, l) in named_ones}
            yield [None] * len(order), paths
    by_key = dict.fromkeys(tensors), {t: (("item", t),) for t in tensors}
    keyed = re.search(r"\[f?['\"](W|w)['\"{]|['\"]W['\"] ?\+|f'W\{", f.text)
    if keyed:
        yield by_key
        yield (
            [{"W": None, "b": None} for _ in range(L)],
            {t: (("item", int(t[1:]) - 1), ("item", t[0])) for t in tensors},
        )
    yield [(None, None)] * L, {t: (("item", int(t[1:]) - 1), ("item", "Wb".index(t[0]))) for t in tensors}
    yield tuple([None] * len(tensors)), {t: (("item", i),) for i, t in enumerate(tensors)}
    yield ([None] * L, [None] * L), {t: (("item", "Wb".index(t[0])), ("item", int(t[1:]) - 1)) for t in tensors}
    if not keyed:  # a function that hands its parameters on, and does not show how it reads them
        yield by_key


def _unpacked(f: Function, name: str | None) -> Iterator[list[str]]:
    """The names into which a function unpacks its parameters: `W1, b1, W2, b2 = theta`."""
    for node in ast.walk(f.node):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == name:
            elements = getattr(node.targets[0], "elts", [None])
            if all(isinstance(e, ast.Name) for e in elements):
                yield [ast.unparse(e) for e in elements]


def _keys(f: Function, backward: Function, name: str | None) -> dict[str, tuple[str, int]]:
    """The keys under which a function reads single weights and biases, with what they are."""
    keys: dict[str, tuple[str, int]] = {}
    for node in (*ast.walk(f.node), *ast.walk(backward.node)):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and isinstance(node.slice, ast.Constant)
        ):
            key = node.slice.value
            if isinstance(key, str) and (t := tensor_of(key)) and t[0] in "Wb" and not keys.get(key):
                keys[key] = t
    for l, step in enumerate(affine_steps(f), 1):
        for text, kind in ((step.weight, "W"), (step.bias, "b")):
            match = re.fullmatch(rf"{name}\[['\"](\w+)['\"]\]", text)
            if match and match[1] not in keys:
                keys[match[1]] = (kind, l)
    return keys

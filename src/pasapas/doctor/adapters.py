"""Pieces of a submission put together as it puts them together itself: layers to a network, a loss to its gradient.

What comes out is source text that calls the submission's own functions, and its inventory; it is run in the submission's
namespace under another name than the submission's, so nothing of it is watched or reported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pasapas.doctor.callsites import arguments_of, calls_of
from pasapas.doctor.inventory import Class, Function, Inventory, called
from pasapas.doctor.layer_objects import (
    LOSS_WORDS,
    NETWORK,
    Keepers,
    Layers,
    backward_of,
    criterion_lines,
    forward_of,
    given_criterion,
    given_value,
    held_criterion,
    network_source,
)
from pasapas.doctor.roles import UPSTREAM, backward_score, forward_score, parameter_roles

BACKWARD = "pasapas_backward"


@dataclass(frozen=True)
class Adapter:
    """Source text and what it defines. The functions stand for the submission's own."""

    source: str
    forward: Function | None
    backward: Function
    owner: Class | None = None


def adapters(inventory: Inventory) -> Iterator[Adapter]:
    """What can be put together of a submission, likeliest first."""
    yield from _closures(inventory)
    yield from _factories(inventory)
    keepers, layers = Keepers.of(inventory), Layers.of(inventory)
    if keepers is not None:
        source, forward, backward = keepers.source()
        yield _adapter(source, inventory, forward, backward)
    elif layers is not None:
        built = network_source(inventory, layers)
        if built is not None:
            source, forward, backward = built
            yield _adapter(source, inventory, forward, backward)
    else:
        yield from _criteria(inventory)


def _adapter(source: str, inventory: Inventory, forward: Function | None, backward: Function) -> Adapter:
    """An adapter that is a class with `forward` and `backward`, which stand for functions of the submission."""
    made = Inventory.of(source).classes[NETWORK]
    base = inventory.classes.get(ast.unparse(made.node.bases[0])) if made.node.bases else None
    if base is not None:
        made.methods = {**base.methods, **made.methods}
    for name, own in (("forward", forward), ("backward", backward)):
        made.methods[name].stands_for = own
    return Adapter(source, made.methods["forward"], made.methods["backward"], made)


# networks that hold a loss -------------------------------------------------------------------------------------------


def _criteria(inventory: Inventory) -> Iterator[Adapter]:
    """Networks whose backward pass takes nothing, because a loss object that they hold has seen the labels."""
    for c in inventory.classes.values():
        forward, backward = forward_of(c), backward_of(c)
        held = held_criterion(inventory, c)
        if held is None or forward is None or backward is None or len(forward.parameters) != 1:
            continue
        attribute, criterion = held
        taken = [p.name for p in backward.parameters if p.required]
        if not taken or UPSTREAM.match(taken[0]):
            lines = criterion_lines(f"self.{attribute}", criterion)
            argument = "gradient" if taken else ""
            source = "\n".join(
                [
                    f"class {NETWORK}({c.name}):",
                    "    def forward(self, X):",
                    f"        self.pasapas_P = {c.name}.{forward.short}(self, X)",
                    "        return self.pasapas_P",
                    "    def backward(self, Y):",
                    *(
                        f"        {line.replace('self.P', 'self.pasapas_P')}"
                        for line in (lines if taken else lines[:1])
                    ),
                    f"        return {c.name}.{backward.short}({', '.join(['self', argument] if argument else ['self'])})",
                ]
            )
            yield _adapter(source, inventory, forward, backward)


# networks that a function puts together ------------------------------------------------------------------------------


def _factories(inventory: Inventory) -> Iterator[Adapter]:
    """A function that puts layers and a loss together to a network whose backward pass takes no labels."""
    for factory in inventory.functions.values():
        c = _class_made(inventory, factory)
        if c is None or len([p for p in factory.parameters if p.required]) > 3:
            continue
        forward, backward, held = forward_of(c), backward_of(c), given_criterion(inventory, c, factory)
        if forward is None or backward is None or held is None:
            continue
        attribute, criterion = held
        taken = [p for p in backward.parameters if p.required]
        upstream = [p for p in taken if UPSTREAM.match(p.name)]
        lines = criterion_lines(f"self.network.{attribute}", criterion)
        if len(lines) < 2 or any("Y" in parameter_roles(p.name) for p in taken if p not in upstream):
            continue
        given = ", ".join(f"{p.name}={'gradient' if p in upstream else given_value(p.name)}" for p in taken)
        shown, inputs = lines[0], [p for p in forward.parameters if p.required]
        others = "".join(f", {p.name}={given_value(p.name)}" for p in inputs[1:])
        arguments = ", ".join(p.arg for p in factory.node.args.args)
        source = [
            f"class {NETWORK}:",
            f"    def __init__(self, {ast.unparse(factory.node.args)}):",
            f"        self.network = {factory.short}({arguments})",
            "    def forward(self, X):",
            f"        self.P = self.network.{forward.short}(X{others})",
            "        return self.P",
            "    def backward(self, Y):",
            *(f"        {line}" for line in (lines if upstream else [shown])),
            f"        return self.network.{backward.short}({given})",
            "    def loss(self, P, Y):",
            f"        return {shown.replace('self.P', 'P')}",
        ]
        yield _adapter("\n".join(source), inventory, forward, backward)


def _class_made(inventory: Inventory, factory: Function) -> Class | None:
    """The class of the object that a function makes and gives back."""
    returned = factory.node.body[-1]
    value = returned.value if isinstance(returned, ast.Return) else None
    if isinstance(value, ast.Name):
        made = [n.value for n in ast.walk(factory.node) if isinstance(n, ast.Assign) and _is(n.targets[0], value.id)]
        value = made[-1] if made else None
    return inventory.classes.get(called(value)) if isinstance(value, ast.Call) else None


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


# closures ------------------------------------------------------------------------------------------------------------


def _closures(inventory: Inventory) -> Iterator[Adapter]:
    """A function that defines forward and backward inside itself, and gives them back."""
    for factory in inventory.functions.values():
        inner = [Function(n.name, n) for n in factory.node.body if isinstance(n, ast.FunctionDef)]
        forward = max(inner, key=forward_score, default=None)
        backward = max(inner, key=backward_score, default=None)
        if forward is None or backward is None or not forward_score(forward) or not backward_score(backward):
            continue
        places = _returned_places(factory, (forward.short, backward.short))
        if places is None:
            continue
        parameters = factory.node.args.args
        names = ", ".join(p.arg for p in parameters)
        signature = ast.unparse(factory.node.args)
        lines = [
            f"class {NETWORK}:",
            f"    def __init__(self, {signature}):",
            f"        made = {factory.short}({names})",
            f"        self.forward_inside, self.backward_inside = made{places[0]}, made{places[1]}",
            "        self.cells = {}",
            "        for f in (self.forward_inside, self.backward_inside):",
            "            for name, cell in zip(f.__code__.co_freevars, f.__closure__ or ()):",
            "                if not callable(cell.cell_contents):",
            "                    self.cells[name] = cell.cell_contents",
            f"    def forward(self, {ast.unparse(forward.node.args)}):",
            f"        return self.forward_inside({', '.join(p.name for p in forward.parameters)})",
            f"    def backward(self, {ast.unparse(backward.node.args)}):",
            f"        return self.backward_inside({', '.join(p.name for p in backward.parameters)})",
        ]
        yield _adapter("\n".join(lines), inventory, forward, backward)


def _returned_places(factory: Function, wanted: tuple[str, ...]) -> list[str] | None:
    """How each of some names is reached in what a function returns: "[1]", "['forward']", ".forward"."""
    value = next((n.value for n in reversed(factory.node.body) if isinstance(n, ast.Return)), None)
    where: dict[str, str] = {}
    if isinstance(value, (ast.Tuple, ast.List)):
        where = {ast.unparse(e): f"[{i}]" for i, e in enumerate(value.elts)}
    elif isinstance(value, ast.Dict):
        where = {ast.unparse(v): f"[{ast.unparse(k)}]" for k, v in zip(value.keys, value.values, strict=True) if k}
    elif isinstance(value, ast.Call):
        where = {ast.unparse(k.value): f".{k.arg}" for k in value.keywords if k.arg}
    return [where[name] for name in wanted] if all(name in where for name in wanted) else None


# the gradient of the loss, computed apart ----------------------------------------------------------------------------


def with_loss_gradient(inventory: Inventory, backward: Function) -> Adapter | None:
    """A backward pass that is handed ∂L/∂(its scores) by another function of the submission, made into one."""
    taken = [p for p in backward.parameters if p.required and UPSTREAM.match(p.name) and p.name not in ("d", "g")]
    taken = taken or [p for p in backward.parameters if p.required and UPSTREAM.match(p.name)]
    if not taken or backward.owner is not None:
        return None
    name = taken[0].name
    helper = _helper_at_site(inventory, backward, name) or next(
        (
            f
            for f in inventory.functions.values()
            if f is not backward
            and f.has("grad", "deriv", "prime", "delta", "d")
            and re.search(LOSS_WORDS + "|softmax|logit|output|sortie", "".join(f.words))
            and len([p for p in f.parameters if p.required]) == 2
            and {"Y"} & {r for p in f.parameters for r in parameter_roles(p.name)}
        ),
        None,
    )
    if helper is None:
        return None
    own = [p.name for p in backward.parameters if p.name != name]
    given = [p.name for p in helper.parameters if p.required]
    together = [*own, *(n for n in given if n not in own)]
    gradient = f"{helper.short}({', '.join(given)})"
    arguments = ", ".join(f"{p.name}={gradient if p.name == name else p.name}" for p in backward.parameters)
    source = f"def {BACKWARD}({', '.join(together)}):\n    return {backward.short}({arguments})"
    made = Inventory.of(source).functions[BACKWARD]
    made.stands_for = backward
    return Adapter(source, None, made)


def _helper_at_site(inventory: Inventory, backward: Function, name: str) -> Function | None:
    """The function whose result a submission hands to `backward` as `name`."""
    for call in calls_of(inventory, backward):
        argument = dict(arguments_of(call, backward)).get(name)
        if isinstance(argument, ast.Name):
            wanted = argument.id
            values = [
                n.value
                for n in ast.walk(inventory.tree)
                if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == wanted and isinstance(n.value, ast.Call)
            ]
            argument = values[0] if values else argument
        if isinstance(argument, ast.Call) and called(argument) in inventory.functions:
            return inventory.functions[called(argument)]
    return None

"""How a submission wants its labels: one-hot rows or numbers, as its own text uses them."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pasapas.doctor.inventory import Class, Function, Inventory
from pasapas.doctor.roles import UPSTREAM, parameter_roles


@dataclass(frozen=True)
class Labels:
    """The forms of labels to try, likeliest first; `sure` where the text leaves no doubt about the first."""

    forms: tuple[str, ...]
    sure: bool


def label_forms(inventory: Inventory, backward: Function, owner: Class | None, sizes: Sequence[int]) -> Labels:
    """What the text of the backward pass, and of what it calls, says about labels."""
    readers = _readers(inventory, backward, owner)
    numbers = any(_as_numbers(f, name) for f in readers for name in _label_names(f))
    one_hot = any(_as_rows(f, name) for f in readers[:1] for name in _label_names(f))
    one_hot = one_hot or any(_as_rows(f, name) for f in readers[1:] for name in _label_names(f))
    if sizes[-1] == 1:
        return _binary(inventory, readers)
    if numbers:
        return Labels(("numbers", "one-hot", "numbers in a column"), True)
    return Labels(("one-hot", "numbers", "numbers in a column"), one_hot)


def _binary(inventory: Inventory, readers: list[Function]) -> Labels:
    """For one output: labels in a column, unless the submission's text flattens its output to meet flat labels."""
    source = ast.unparse(inventory.tree)
    column = re.search(
        r"\b(y|Y|t|T|labels|cibles|etiquettes)\w* = [^\n]*(reshape\(-1, 1\)|reshape\(1, -1\)|\[:, (None|np\.newaxis)\])",
        source,
    )
    flattened = any(
        re.search(r"(\.ravel\(\)|\.flatten\(\)|\[:, 0\]|\.squeeze\(\)|reshape\(-1\))", f.text) for f in readers
    )
    if column and not flattened:
        return Labels(("one-hot", "numbers"), True)
    return Labels(("one-hot", "numbers"), False)


def _readers(inventory: Inventory, backward: Function, owner: Class | None) -> list[Function]:
    """The backward pass, and the functions that may read labels on its behalf."""
    own = backward.stands_for or backward
    found = [backward, own]
    called = set(backward.calls | own.calls)
    found += [f for f in inventory.functions.values() if f.short in called and f not in found]
    methods = [m for c in inventory.classes.values() for m in c.methods.values() if m not in found]
    if any("Y" in parameter_roles(p.name) and not UPSTREAM.match(p.name) for p in own.parameters):
        return [*found, *(m for m in methods if m.short in called and m.owner == own.owner)]
    if owner is not None:  # the labels come by way of a loss
        found += [m for m in methods if not m.has("accura", "exact", "predi", "evalu", "train", "entrain", "fit")]
    return found


def _label_names(f: Function) -> list[str]:
    """The names under which a function knows labels: its parameters, and what loops take from them."""
    names = [p.name for p in f.parameters if "Y" in parameter_roles(p.name)]
    names += [n for n in ("y", "Y", "t", "labels", "targets", "cibles") if f"self.{n}" in f.text and n not in names]
    for node in ast.walk(f.node):
        pairs = []
        if isinstance(node, (ast.For, ast.comprehension)):
            pairs = [(node.target, node.iter)]
        for target, over in pairs:
            if isinstance(over, ast.Call) and ast.unparse(over.func) == "zip" and isinstance(target, ast.Tuple):
                names += [
                    ast.unparse(t)
                    for t, a in zip(target.elts, over.args, strict=False)
                    if ast.unparse(a) in names and isinstance(t, ast.Name)
                ]
    return names


def _as_numbers(f: Function, name: str) -> bool:
    """Whether labels index something, or are encoded."""
    n = rf"(?:self\.)?{re.escape(name)}\b(?:\.\w+\([^()]*\))?"
    return any(
        re.search(pattern, f.text)
        for pattern in (
            rf", ?{n}\]",
            rf"\[{n}\] ?[-+]=",
            rf", ?{n}\[\w+\]\]",
            rf"\[{n}\[\w+\]\]",
            rf"\w\[{n}\](?! ?=)(?=[^=]*$|\s*[-+*/),])",
            rf"eye\([^()]*(?:\([^()]*\))?[^()]*\)\[{n}",
            rf"(?i:one_?hot|un_chaud|onehot|encod|categor|indicat)\w*\(\s*{n}",
        )
    )


def _as_rows(f: Function, name: str) -> bool:
    """Whether labels are subtracted from something, or multiply it, as an array."""
    n = rf"(?:self\.)?{re.escape(name)}\b(?![\w\[.(])"
    return bool(re.search(rf"- {n}|\b{n} \*|\* {n}|\({n} - |{n} / |-{n}", f.text))

"""What the page needs of a step: its stages with every word, its numbers as bytes, and answers to what is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer, language, number
from pasapas.tracing import Tensor, Trace
from pasapas.tracing.tensors import layer_names
from pasapas.tracing.text import convention, shape_text, statistics
from pasapas.views.mathml import mathml
from pasapas.views.sources import Account, Index, Region, Sum, Term, account, entry_text, more, written

_GROUPS = {"inputs": "forward", "forward": "forward", "loss": "loss", "backward": "backward"}


def describe(step: Trace) -> dict[str, Any]:
    """Everything but the numbers, for JSON: the stages in the order of the computation, and every word on the page."""
    given = ("inputs", "parameters")
    names = [tensor.name for tensor in step if tensor.name == "X" or tensor.stage not in given]
    columns = _columns(step)
    return {
        "language": language(),
        "decimal": "," if language() == "fr" else ".",
        "title": _("One training step on {m} images: loss {before} before, {after} after.").format(
            m=integer(step.m), before=number(step.loss, 6), after=number(step.loss_after, 6)
        ),
        "convention": convention(step),
        "groups": [
            {"key": "forward", "title": _("Forward")},
            {"key": "loss", "title": _("The loss")},
            {"key": "backward", "title": _("Backward")},
            {"key": "update", "title": _("The update")},
        ],
        "stages": [
            {"name": name, "group": _group(step[name]), "say": _say(step[name], i, len(names)), **_where(name, columns)}
            for i, name in enumerate(names, 1)
        ],
        "tensors": {tensor.name: _tensor(tensor, step) for tensor in step},
        "texts": _texts(),
    }


def arrays(step: Trace) -> dict[str, bytes]:
    """The numbers of each tensor by name: float32, the least significant byte first, row after row."""
    return {tensor.name: np.asarray(tensor.value, "<f4", order="C").tobytes() for tensor in step}


def answer(step: Trace, question: object) -> dict[str, Any]:
    """What the page is told that asks about an entry: `{"tensor": "Z1", "index": [0, 3]}`, with an `id` to come back.

    It never raises: what cannot be answered gets a sentence under `error`.
    """
    asked = question if isinstance(question, Mapping) else {}
    identity = asked.get("id")
    reply: dict[str, Any] = {"id": identity if isinstance(identity, int) and abs(identity) < 2**53 else None}
    name, index = asked.get("tensor"), asked.get("index")
    try:
        if not isinstance(name, str) or not isinstance(index, list | tuple) or not all(map(_is_index, index)):
            raise PasapasError(_("A question names a tensor and an entry of it, as a list of whole numbers."))
        if len(name) > 32 or len(index) > 2:  # no sentence repeats more than that
            raise PasapasError(_("There is no such entry in this step."))
        return {**reply, **_told(account(step, name, index))}
    except PasapasError as error:
        return {**reply, "error": str(error)}


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _told(found: Account) -> dict[str, Any]:
    told: dict[str, Any] = {
        "tensor": found.tensor,
        "index": list(found.index),
        "entry": found.entry,
        "value": written(found.value),
        "regions": [_region(region) for region in found.regions],
        "terms": [],
        "more": "",
        "inside": [],
        "note": "",
    }
    if found.sum is None:
        told["note"] = _("{entry} is given: nothing of this step computed it.").format(entry=found.entry)
        told["say"] = f"{found.entry} = {told['value']}"
        return told
    told["terms"] = _terms(found.sum)
    told["more"] = more(found.sum)
    told["say"] = _("{entry} = {value}, from {sources}").format(
        entry=found.entry, value=told["value"], sources=", ".join(map(str, found.regions))
    )
    if found.inside is not None:
        told["note"] = _(
            "S = {total} is the sum over the classes, below. c = {largest} is the largest score of the row: without it the "
            "quotient is the same, but large scores would overflow."
        ).format(total=written(found.inside.total), largest=written(found.largest))
        told["inside"] = _terms(found.inside)
    return told


def _terms(whole: Sum) -> list[dict[str, Any]]:
    terms = whole.shown()
    largest = max((abs(term.value) for term in terms), default=0.0)
    return [_term(term, largest) for term in terms]


def _term(term: Term, largest: float) -> dict[str, Any]:
    entries = [entry for region in term.regions if len(region) == 1 for entry in region.entries()]
    return {
        "names": term.names,
        "numbers": term.numbers,
        "value": written(term.value),
        "share": term.value / largest if largest else 0.0,
        "entries": [
            {"tensor": name, "place": _place(index), "text": entry_text(name, index)} for name, index in entries
        ],
    }


def _region(region: Region) -> dict[str, Any]:
    spans = {"rows": region.rows, "columns": region.columns}
    return {"tensor": region.tensor, "text": str(region), **{key: [s.start, s.stop] for key, s in spans.items()}}


def _place(index: Index) -> list[int]:
    return [*(0, 0)[len(index) :], *index]


def _group(tensor: Tensor) -> str:
    return _GROUPS.get(tensor.stage, "update")


def _say(tensor: Tensor, i: int, n: int) -> str:
    return _("Stage {i} of {n}: {name}.").format(i=i, n=n, name=tensor.name)


def _tensor(tensor: Tensor, step: Trace) -> dict[str, Any]:
    table = np.atleast_2d(tensor.value)
    side = math.isqrt(table.shape[1])
    image = tensor.name in ("X", "D0", "M0") and side >= 4 and side * side == table.shape[1]
    largest = float(np.max(np.abs(table)))
    return {
        "rows": table.shape[0],
        "columns": table.shape[1],
        "dimensions": tensor.value.ndim,
        "shape": shape_text(tensor),
        "formula": tensor.formula or "",
        "math": mathml(tensor.latex) if tensor.formula else [],
        "meaning": tensor.meaning,
        "statistics": _minus(statistics(tensor, step)) if tensor.shape else "",
        "picture": _picture(tensor, image, side),
        "side": side if image else 0,
        "captions": [str(label) for label in step["y"].value.tolist()] if image else [],
        "largest": largest,
        "scale": [written(-largest), "0", written(largest)],
        "digits": _digits(tensor.value, largest),
        "start": _start(table, step),
        "operands": _operands(tensor, step),
    }


def _picture(tensor: Tensor, image: bool, side: int) -> str:
    if not tensor.shape:
        return ""
    span = {"low": written(tensor.minimum), "high": written(tensor.maximum)}
    if image:
        return _("Picture of {name}: {m} images of {side} × {side} pixels, values from {low} to {high}.").format(
            name=tensor.name, m=integer(len(tensor.value)), side=side, **span
        )
    return _("Picture of {name}: shape {shape}, values from {low} to {high}.").format(
        name=tensor.name, shape=shape_text(tensor), **span
    )


def _operands(tensor: Tensor, step: Trace) -> list[str]:
    """The tensors that the formula names, each once, in its order."""
    words = re.findall(r"\w+", tensor.formula or "")
    return [name for name in dict.fromkeys(words) if name in step.tensors]


def _start(table: npt.NDArray[Any], step: Trace) -> list[int]:
    """The entry that is looked at first: the largest, of the first image where rows are images."""
    rows = table[:1] if len(table) == step.m else table
    return [int(i) for i in np.unravel_index(int(np.argmax(rows)), rows.shape)]


def _digits(array: npt.NDArray[Any], largest: float) -> int:
    """Decimals for a table: the largest number gets four digits that count; −1 for powers of ten."""
    if np.issubdtype(array.dtype, np.integer) or not largest:
        return 0
    digits = 3 - math.floor(math.log10(largest))
    return max(digits, 0) if digits <= 8 else -1


def _columns(step: Trace) -> dict[str, int]:
    """Where each value stands in the diagram, from X at 1 to the loss."""
    names = ["X", *(names["Y"] for names in layer_names(step.network) if names["Y"] in step.tensors), "P", "L"]
    return {name: i for i, name in enumerate(names, 1)}


def _where(name: str, columns: Mapping[str, int]) -> dict[str, int]:
    """A stage's place in the diagram: row, column, and which half of the column (0: all of it)."""
    base = name.removesuffix("_new").removeprefix("d")
    if name == "L_new":
        return {"row": 4, "column": columns["L"], "half": 0}
    if base in columns:
        return {"row": 2 if name.startswith("d") else 1, "column": columns[base], "half": 0}
    return {
        "row": 4 if name.endswith("_new") else 3,
        "column": columns[f"Z{base[1:]}"],
        "half": 1 if base[0] == "W" else 2,
    }


def _minus(text: str) -> str:
    return re.sub(r"-(?=\d)", "−", text)


def _texts() -> dict[str, str]:
    return {
        "stages": _("Stages of the step"),
        "previous": _("Previous"),
        "next": _("Next"),
        "numbers": _("Numbers of {name}, rows {top} to {bottom}, columns {left} to {right}"),
        "row": _("Row"),
        "column": _("Column"),
        "sources": _("Computed from"),
        "sum": _("How this entry came about"),
        "term": _("Term"),
        "withNumbers": _("With its numbers"),
        "value": _("Value"),
        "silent": _(
            "Python does not answer: run this cell again to see the sums. The stages can be walked without it."
        ),
        "help": _(
            "Point at an entry, or move through the numbers with the arrow keys: what it was computed from lights up. A click "
            "on a picture goes there, a click on an entry in a term goes to where that was computed."
        ),
        "scale": _("Colours from {low} to {high}: orange below zero, blue above."),
        "open": _("Go to {entry}"),
    }

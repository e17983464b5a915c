"""A trace as a page part for notebooks: plain HTML, readable without scripts and by screen readers."""

from __future__ import annotations

from html import escape

import numpy as np

from pasapas.i18n import _, integer, number
from pasapas.tracing.tensors import STAGES, Tensor, Trace
from pasapas.tracing.text import shape_text, stage_title, statistics

_ROWS, _COLUMNS = 5, 10


def as_html(step: Trace) -> str:
    """All tensors of a step, stage by stage: formula, sentence, statistics, and the first numbers of each."""
    summary = _("One training step on {m} images: loss {before} before, {after} after.").format(
        m=integer(step.m), before=number(step.loss, 6), after=number(step.loss_after, 6)
    )
    parts = [f"<section><p><strong>{escape(summary)}</strong></p>"]
    for stage in STAGES:
        tensors = [tensor for tensor in step if tensor.stage == stage]
        if tensors:
            parts.append(f"<h4>{escape(stage_title(stage))}</h4>")
            parts += [_details(tensor, step) for tensor in tensors]
    return "".join([*parts, "</section>"])


def _details(tensor: Tensor, step: Trace) -> str:
    formula = f" = {tensor.formula}" if tensor.formula else ""
    return (
        f"<details><summary><code><strong>{escape(tensor.name)}</strong>{escape(formula)}</code> "
        f"{escape(shape_text(tensor))}</summary>"
        f"<p>{escape(tensor.meaning)}</p><p>$${tensor.latex}$$</p>"
        f"<p>{escape(statistics(tensor, step))}</p>{_table(tensor)}</details>"
    )


def _table(tensor: Tensor) -> str:
    if not tensor.shape:
        return ""
    rows = np.atleast_2d(tensor.value)
    shown = rows[:_ROWS, :_COLUMNS]
    digits = 0 if np.issubdtype(rows.dtype, np.integer) else 4
    body = "".join(
        f"<tr><th scope='row'>{i}</th>" + "".join(f"<td>{number(float(v), digits)}</td>" for v in row) + "</tr>"
        for i, row in enumerate(shown)
    )
    head = "".join(f"<th scope='col'>{j}</th>" for j in range(shown.shape[1]))
    more = _("The first rows and columns.") if shown.size < rows.size else ""
    return (
        f"<table><caption>{escape(more)}</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )

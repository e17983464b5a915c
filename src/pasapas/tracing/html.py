"""A trace as a page part for notebooks: plain HTML, readable without scripts, by screen readers, in light and dark."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np

from pasapas.i18n import _, integer, number
from pasapas.tracing.tensors import STAGES, Tensor, Trace
from pasapas.tracing.text import convention, digits, first_numbers, magnitudes, shape_text, stage_title, statistics

_ROWS, _COLUMNS, _PICTURES = 5, 10, 10
_STYLE = """<style>
.pasapas summary { cursor: pointer; padding: .15em 0 }
.pasapas details { margin: 0 0 .3em 1em }
.pasapas p { margin: .3em 0 }
.pasapas table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9em; margin: .4em 0 .8em }
.pasapas th, .pasapas td { padding: .15em .5em; text-align: right; color: inherit }
.pasapas caption { text-align: left; opacity: .7; padding: .15em 0 }
.pasapas img { width: 56px; height: 56px; image-rendering: pixelated; margin-right: 4px; border: 1px solid #8888 }
.pasapas .wide { overflow-x: auto }
</style>"""


def as_html(step: Trace) -> str:
    """All tensors of a step, stage by stage: formula, sentence, statistics, and the first numbers of each."""
    summary = _("One training step on {m} images: loss {before} before, {after} after.").format(
        m=integer(step.m), before=number(step.loss, 6), after=number(step.loss_after, 6)
    )
    parts = [f"<section class='pasapas'>{_STYLE}<p><strong>{escape(summary)}</strong></p>{_pictures(step)}"]
    for stage in STAGES:
        tensors = [tensor for tensor in step if tensor.stage == stage]
        if tensors:
            parts.append(f"<h4>{escape(stage_title(stage))}</h4>")
            parts += [_details(tensor, step) for tensor in tensors]
    headings, *rows = magnitudes(step)
    head = "".join(f"<th scope='col'>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr><th scope='row'>{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    in_short = _("In short")
    parts.append(f"<h4>{escape(in_short)}</h4>")
    parts.append(f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")
    return "".join([*parts, f"<p>{escape(convention(step))}</p></section>"])


def _details(tensor: Tensor, step: Trace) -> str:
    formula = f" = {tensor.formula}" if tensor.formula else ""
    latex = f"<p>$${escape(tensor.latex)}$$</p>" if tensor.formula else ""
    return (
        f"<details><summary><code><strong>{escape(tensor.name)}</strong>{escape(formula)}</code> "
        f"{escape(shape_text(tensor))}</summary>"
        f"<p>{escape(tensor.meaning)}</p>{latex}<p>{escape(statistics(tensor, step))}</p>{_table(tensor)}</details>"
    )


def _table(tensor: Tensor) -> str:
    """The first numbers, each on a tint that says its sign and size."""
    if not tensor.shape:
        return ""
    top, left, block = first_numbers(tensor.value, _ROWS, _COLUMNS)
    largest = float(np.max(np.abs(block))) or 1.0
    places = digits(tensor.value)
    rows = []
    for i, row in enumerate(block):
        cells = "".join(f"<td style='background: {_tint(v / largest)}'>{number(v, places)}</td>" for v in row.tolist())
        rows.append(f"<tr><th scope='row'>{top + i}</th>{cells}</tr>")
    head = "".join(f"<th scope='col'>{left + j}</th>" for j in range(block.shape[1]))
    cut = block.size < tensor.value.size
    words = _("The first rows and columns that are not all 0.")
    caption = f"<caption>{escape(words)}</caption>" if cut else ""
    return f"<div class='wide'><table>{caption}<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _tint(share: float) -> str:
    colour = "0, 114, 178" if share > 0 else "213, 94, 0"
    return f"rgba({colour}, {0.45 * min(abs(share), 1):.2f})"


def _pictures(step: Trace) -> str:
    """The images of the batch with their classes, where they are square."""
    X = step["X"].value
    side = round(X.shape[1] ** 0.5)
    if side * side != X.shape[1] or side < 4:
        return ""
    tags = []
    for row, label in zip(X[:_PICTURES], step["y"].value.tolist(), strict=False):
        grey = (255 * np.clip(row, 0, 1)).round().astype(np.uint8).reshape(side, side)
        text = escape(_("An image of class {label}.").format(label=label))
        tags.append(f"<img alt='{text}' title='{text}' src='data:image/png;base64,{_png(grey)}'>")
    return f"<p>{''.join(tags)}</p>"


def _png(grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(grey).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()

"""A report as a page part for notebooks and for the class: plain HTML, readable without scripts, in light and dark."""

from __future__ import annotations

import re
from html import escape

from pasapas.doctor import texts
from pasapas.doctor.corner import MARK, corner
from pasapas.doctor.presentation import MARKS
from pasapas.doctor.report import Comparison, Finding, Report
from pasapas.i18n import _, language

STYLE = """
.doctor { --good: #177245; --bad: #b3261e; --unsure: #8a5a00; --quiet: #66707a; --tint: #8881; --line: #8885; line-height: 1.45 }
@media (prefers-color-scheme: dark) {
 .doctor { --good: #6fce9b; --bad: #ff9a90; --unsure: #e8b860; --quiet: #a3adb8 } }
[data-jp-theme-light="true"] .doctor { --good: #177245; --bad: #b3261e; --unsure: #8a5a00; --quiet: #66707a }
[data-jp-theme-light="false"] .doctor { --good: #6fce9b; --bad: #ff9a90; --unsure: #e8b860; --quiet: #a3adb8 }
.doctor p { margin: .35em 0; max-width: 46em }
.doctor code { background: var(--tint); padding: 0 .2em; border-radius: .2em; overflow-wrap: anywhere }
.doctor .quiet { color: var(--quiet) }
.doctor .verdict { font-weight: bold; font-size: 1.1em }
.doctor .correct, .doctor .right { color: var(--good) }
.doctor .wrong { color: var(--bad) }
.doctor .unknown, .doctor .unrunnable { color: var(--unsure) }
.doctor ol { padding-left: 1.4em; margin: .4em 0 }
.doctor ol.one { list-style: none; padding-left: 0 }
.doctor .mistake { font-weight: bold }
.doctor .sides { display: flex; flex-wrap: wrap; gap: .4em 1.6em; margin: .5em 0 }
.doctor table.numbers { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9em }
.doctor table.numbers caption { text-align: left; font-weight: bold; padding: .15em 0 }
.doctor table.numbers th { font-weight: normal; color: var(--quiet) }
.doctor table.numbers th, .doctor table.numbers td { padding: .1em .5em; text-align: right; border: 0; background: none }
.doctor table.numbers td.differs { font-weight: bold; text-decoration: underline; color: var(--bad) }
.doctor table.numbers td.due { font-weight: bold }
.doctor .wide { overflow-x: auto }
"""


def as_html(report: Report) -> str:
    """A report with its style, for a notebook cell."""
    return f"<style>{STYLE}</style>{body(report, python=True)}"


def body(report: Report, with_name: bool = True, python: bool = False) -> str:
    """A report without its style. `python` is whether it is read in Python, where the next hint is asked for in another way."""
    parts = [f"<section class='doctor' lang='{language()}'>"]
    read = texts.recognised(report)
    if report.context.file and with_name:
        parts.append(f"<p><strong>{escape(report.context.file)}</strong></p>")
    if read:
        parts.append(f"<p class='quiet'>{coded(' '.join(read))}</p>")
    parts.append(
        f"<p class='verdict {report.verdict}'><span aria-hidden='true'>{MARKS[report.verdict]}</span> "
        f"{coded(texts.headline(report))}</p>"
    )
    right = texts.right(report)
    if right:
        line = _("Checked: {tensors}.") if report.verdict == "correct" else _("Right so far: {tensors}.")
        parts.append(
            f"<p class='right'><span aria-hidden='true'>✓</span> {coded(line.format(tensors=', '.join(right)))}</p>"
        )
    parts += [f"<p>{coded(detail)}</p>" for detail in texts.details(report)]
    table = numbers(report.comparison) if report.comparison is not None else ""
    if report.findings:
        items = [
            f"<li>{_finding(finding, report, '' if i else table)}</li>" for i, finding in enumerate(report.findings)
        ]
        parts.append(f"<ol{' class=one' if len(items) == 1 else ''}>{''.join(items)}</ol>")
    else:
        parts.append(table)
    parts += [f"<p>{coded(note)}</p>" for note in texts.notes(report)]
    further = texts.next_hint(report, python)
    if further:
        parts.append(f"<p class='quiet'>{coded(further)}</p>")
    return "".join([*parts, "</section>"])


def _finding(finding: Finding, report: Report, table: str) -> str:
    parts = [f"<p class='mistake'>{coded(texts.message(finding, report))}</p>"]
    line, code = texts.code(finding, report)
    if code:
        parts.append(f"<p><span class='quiet'>{escape(line)}</span> <code>{escape(code)}</code></p>")
    parts.append(table)
    for n, hint in enumerate(texts.hints(finding, report)[: report.hint], 1):
        if hint:
            label = texts.colon(_("Hint {n} of 3").format(n=n))
            parts.append(f"<p><strong>{escape(label)}</strong> {coded(hint)}</p>")
    lesson = texts.lesson(finding)
    if lesson:
        file = texts.lesson_file(finding.code)
        link = f"<a href='{escape(file.as_uri())}'>{escape(lesson)}</a>" if file else escape(lesson)
        more = _("More: pasapas mistakes {code}").format(code=f"`{finding.code}`")
        parts.append(f"<p class='quiet'>→ {link}. {coded(more)}</p>")
    return "".join(parts)


def coded(text: str) -> str:
    """Escaped, with `code` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def numbers(shown: Comparison) -> str:
    """Theirs beside the expected; below each other on a narrow screen."""
    part = corner(shown)
    left, right = texts.sides(shown)
    tables = []
    for heading, cells, side in ((left, part.theirs, "differs"), (right, part.expected, "due")):
        head = "".join(f"<th scope='col'>{j}</th>" for j in part.columns)
        rows = []
        for i, row in enumerate(part.rows):
            entries = [
                f"<td class='{side}'>{MARK if side == 'differs' else ''}{escape(cell) or '–'}</td>"
                if wrong
                else f"<td>{escape(cell)}</td>"
                for cell, wrong in zip(cells[i], part.differs[i], strict=True)
            ]
            rows.append(f"<tr><th scope='row'>{row}</th>{''.join(entries)}</tr>")
        tables.append(
            f"<div class='wide'><table class='numbers'><caption>{escape(heading)}</caption>"
            f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )
    explained = escape(texts.caption(part.whole, MARK))
    return f"<div class='sides'>{''.join(tables)}</div><p class='quiet'>{explained}</p>"

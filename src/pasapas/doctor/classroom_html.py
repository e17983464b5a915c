"""The report on a class as one page: no network, readable without scripts, on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from pasapas.doctor import html, texts
from pasapas.doctor.classroom import Entry, causes, commonest, verdicts
from pasapas.doctor.presentation import MARKS
from pasapas.i18n import _, integer, language, ngettext

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c2126; --bar: #0072b2; --rule: #d5dade }
@media (prefers-color-scheme: dark) { :root { --page: #14181c; --ink: #e4e8ec; --bar: #4aa8de; --rule: #39424b } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64em; padding: 1em; background: var(--page); color: var(--ink); font: 16px/1.45 system-ui, sans-serif }
h1 { font-size: 1.5em; margin: .2em 0 }
h2 { font-size: 1.2em; margin: 1.6em 0 .4em }
ul.counts { list-style: none; padding: 0; margin: .6em 0; display: flex; flex-wrap: wrap; gap: .3em 1.6em }
ul.counts b { font-size: 1.3em; font-variant-numeric: tabular-nums }
table.mistakes, table.class { border-collapse: collapse; width: 100% }
table.mistakes td, table.mistakes th, table.class td, table.class th { text-align: left; vertical-align: top; padding: .35em .6em .35em 0 }
table.mistakes tr, table.class tr.first { border-top: 1px solid var(--rule) }
table.mistakes td.n { text-align: right; font-weight: bold; width: 3em; font-variant-numeric: tabular-nums }
.bar { height: .55em; border-radius: .2em; background: var(--bar); margin-top: .35em; min-width: .3em; max-width: 100% }
table.mistakes td + td { max-width: 30em }
.lesson { color: var(--quiet) }
table.class th button { font: inherit; font-weight: bold; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left }
table.class th[aria-sort=ascending] button::after { content: " ↑" }
table.class th[aria-sort=descending] button::after { content: " ↓" }
table.class { table-layout: fixed }
table.class th.said { width: 11em }
table.class td { overflow-wrap: anywhere }
table.class td.said { font-weight: bold; overflow-wrap: normal; font-size: 1em }
table.class td.details { padding: 0 0 .6em }
table.class details { border-left: 3px solid var(--rule); padding-left: .8em }
summary { cursor: pointer; color: var(--quiet) }
summary:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--bar); outline-offset: 2px }
footer { margin-top: 2em; font-size: .9em }
@media (max-width: 40em) { body { padding: .7em } .lesson { display: block } table.class th.said { width: 6em } }
@media print { details::details-content { content-visibility: visible } }
"""

_SORT = """
document.querySelectorAll("table.class th button").forEach((button, column) => button.addEventListener("click", () => {
  const table = button.closest("table"), head = button.parentElement;
  const up = head.getAttribute("aria-sort") !== "ascending";
  table.querySelectorAll("th").forEach(th => th.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = body => body.rows[0].cells[column].dataset.key || body.rows[0].cells[column].textContent;
  [...table.tBodies].sort((a, b) => (up ? 1 : -1) * key(a).localeCompare(key(b), undefined, {numeric: true}))
    .forEach(body => table.append(body));
}));
"""


def page(entries: Sequence[Entry]) -> str:
    """The whole page: counts, the commonest mistakes, and each submission."""
    title = _("What the class computes")
    n = len(entries)
    how_many = ngettext("One submission", "{n} submissions", n).format(n=integer(n))
    parts = [
        f"<!doctype html><html lang='{language()}'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(title)}</title><style>{_STYLE}{html.STYLE}</style></head><body class='doctor'>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(how_many)}</p>",
        _counts(entries),
        _mistakes(entries),
        _submissions(entries),
        f"<script>{_SORT}</script></body></html>",
    ]
    return "".join(parts)


def name_of(verdict: str) -> str:
    """A verdict in a word."""
    return {
        "correct": _("right"),
        "wrong": _("wrong"),
        "unknown": _("wrong, unexplained"),
        "unrunnable": _("does not run"),
    }[verdict]


def count_of(verdict: str, n: int) -> str:
    """How many submissions have a verdict: "3 right"."""
    return {
        "correct": ngettext("{n} right", "{n} right", n),
        "wrong": ngettext("{n} wrong", "{n} wrong", n),
        "unknown": ngettext("{n} wrong, unexplained", "{n} wrong, unexplained", n),
        "unrunnable": ngettext("{n} does not run", "{n} do not run", n),
    }[verdict].format(n=integer(n))


def _counts(entries: Sequence[Entry]) -> str:
    items = [
        f"<li class='{verdict}'><span aria-hidden='true'>{MARKS[verdict]}</span> <b>{escape(count_of(verdict, n))}</b></li>"
        for verdict, n in verdicts(entries).items()
        if n
    ]
    return f"<ul class='counts'>{''.join(items)}</ul>"


def _mistakes(entries: Sequence[Entry]) -> str:
    found = commonest(entries)
    heading = _("What to teach next")
    if not found:
        nothing = _("No mistake was recognised.")
        return f"<h2>{escape(heading)}</h2><p>{escape(nothing)}</p>"
    most = found[0][1]
    rows = []
    for code, n in found:
        who = [entry.path.name for entry in entries if code in causes(entry)]
        said = ngettext("One submission", "{n} submissions", n).format(n=n)
        rows.append(
            f"<tr><td class='n' aria-label='{escape(said)}'>{n}</td><td>{escape(texts.title(code))} "
            f"<span class='lesson'>{escape(texts.lesson_of(code))}</span>"
            f"<div class='bar' style='width: {100 * n / most:.1f}%' role='presentation'></div>"
            f"<details><summary>{escape(said)}</summary><p>{escape(', '.join(who))}</p>"
            f"<p><code>pasapas mistakes {escape(code)}</code></p></details></td></tr>"
        )
    count, mistake = _("Submissions"), _("Mistake")
    head = f"<thead hidden><tr><th scope='col'>{escape(count)}</th><th scope='col'>{escape(mistake)}</th></tr></thead>"
    return f"<h2>{escape(heading)}</h2><table class='mistakes'>{head}<tbody>{''.join(rows)}</tbody></table>"


def _submissions(entries: Sequence[Entry]) -> str:
    heading, words = _("Each submission"), _("What was found")
    columns = [(_("File"), ""), (_("Verdict"), " class='said'"), (_("Mistake, and where"), "")]
    head = "".join(
        f"<th scope='col'{kind}><button type='button'>{escape(text)}</button></th>" for text, kind in columns
    )
    order = {verdict: str(i) for i, verdict in enumerate(MARKS)}
    names = _shortest([entry.path for entry in entries])
    bodies = []
    for entry, name in zip(entries, names, strict=True):
        report = entry.report
        first = report.findings[0] if report.findings else None
        what = texts.title(first.code) if first else ""
        more = len(report.findings) - 1
        if first and first.tensor:
            what += f" · {first.tensor}"
        what += f" (+{more})" if more > 0 else ""
        bodies.append(
            f"<tbody><tr class='first'><td>{escape(name)}</td>"
            f"<td class='said {report.verdict}' data-key='{order[report.verdict]}'>"
            f"<span aria-hidden='true'>{MARKS[report.verdict]}</span> {escape(name_of(report.verdict))}</td>"
            f"<td>{escape(what) or '–'}</td></tr>"
            f"<tr><td class='details' colspan='3'><details><summary>{escape(words)}</summary>{html.body(report, with_name=False)}"
            "</details></td></tr></tbody>"
        )
    return f"<h2>{escape(heading)}</h2><table class='class'><thead><tr>{head}</tr></thead>{''.join(bodies)}</table>"


def _shortest(paths: Sequence[Path]) -> list[str]:
    """The names of files, with their folders where they are not all in one."""
    if len({path.parent for path in paths}) == 1:
        return [path.name for path in paths]
    return [str(path) for path in paths]

"""`pasapas check`."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.text import Text

from pasapas.cli.options import Json, Lang, whole
from pasapas.cli.terminal import console, print_json, say, table, wrapped
from pasapas.doctor import classroom, presentation, texts
from pasapas.doctor.checkup import SECONDS, check_file
from pasapas.doctor.classroom import Entry
from pasapas.errors import PasapasError
from pasapas.files import write_atomically
from pasapas.i18n import _, short


def command() -> Callable[..., Any]:
    """The command."""

    def check(
        paths: Annotated[
            list[Path] | None,
            typer.Argument(
                metavar=_("PATH …"), help=_("Python files, notebooks, or folders of them."), show_default=False
            ),
        ] = None,
        hint: Annotated[
            str | None,
            typer.Option("--hint", metavar="1|2|3", help=_("Hints up to this one, otherwise 1; 3 is the correction.")),
        ] = None,
        forward: Annotated[
            str | None, typer.Option("--forward", metavar=_("NAME"), help=_("The function that is the forward pass."))
        ] = None,
        backward: Annotated[
            str | None, typer.Option("--backward", metavar=_("NAME"), help=_("The function that is the backward pass."))
        ] = None,
        report: Annotated[
            Path | None,
            typer.Option("--report", metavar=_("FILE"), help=_("Write a page about the class, HTML, to this file.")),
        ] = None,
        csv: Annotated[
            Path | None,
            typer.Option("--csv", metavar=_("FILE"), help=_("Write a table for a spreadsheet to this file.")),
        ] = None,
        seconds: Annotated[
            str | None,
            typer.Option(
                "--seconds",
                metavar="N",
                help=_("How long one file may take in all; otherwise {seconds}.").format(seconds=short(SECONDS)),
            ),
        ] = None,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> int:
        if not paths:
            sentence = _("'{command}' needs {name}.") + " " + _("See '{command} --help'.")
            raise PasapasError(sentence.format(command="pasapas check", name=_("PATH …")))
        n, limit = whole("--hint", hint, 1, 3) or 1, _seconds(seconds)
        files = classroom.submissions(paths)
        if len(files) == 1 and len(paths) == 1 and not paths[0].is_dir():
            entries = [Entry(files[0], check_file(files[0], forward, backward, limit).hints(n))]
        else:
            with _progress(len(files)) as done:
                found = classroom.check_all(files, forward, backward, limit, done)
            entries = [Entry(entry.path, entry.report.hints(n)) for entry in found]
        _write(entries, report, csv)
        if json:
            for entry in entries:
                print_json({"file": str(entry.path), **entry.report.as_dict()})
        elif len(entries) == 1:
            console().print(presentation.view(entries[0].report))
        else:
            show(console(), entries)
        for path, line in ((report, _("Page: {path}")), (csv, _("Table: {path}"))):
            if path is not None and not json:
                say(console(), line, path=path)
        return classroom.status(entries)

    return check


def _seconds(text: str | None) -> float:
    if text is None:
        return SECONDS
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 <= value <= 600:
        raise PasapasError(
            _("--seconds takes a number from {low} to {high}, not '{text}'.").format(low=1, high=600, text=text)
        )
    return value


class _progress:
    """A bar on standard error, gone when all is done, and not there where nobody watches."""

    def __init__(self, total: int) -> None:
        terminal = console(error=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        self.bar = ProgressBar(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)
        self.total = total

    def __enter__(self) -> Callable[[int], None]:
        self.bar.start()
        task = self.bar.add_task(_("Checking"), total=self.total)
        return lambda n: self.bar.update(task, completed=n)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


def show(terminal: Console, entries: Sequence[Entry]) -> None:
    """One line for each submission, and the mistakes that are made most."""
    from pasapas.doctor.classroom_html import count_of

    names = [str(entry.path) for entry in entries]
    short_names = [entry.path.name for entry in entries]
    names = short_names if len(set(short_names)) == len(names) else names
    width = min(max(map(len, names)), (terminal.width - 2) // 2 - 4)
    grid = table(_("File"), "", _("Mistake, and where"))
    grid.columns[0].width, grid.columns[1].width, grid.columns[2].width = width, 1, terminal.width - width - 5
    grid.columns[2].justify = "left"
    grid.columns[2].overflow = "ellipsis"
    for entry, name in zip(entries, names, strict=True):
        report = entry.report
        what = " ".join(texts.details(report))
        if report.findings:
            first, *others = report.findings
            more = f" (+{len(others)})" if others else ""
            what = f"{first.tensor}{more} · " + texts.title(first.code)
        shown = name if len(name) <= width else "…" + name[1 - width :]
        grid.add_row(
            Text(shown), Text(presentation.MARKS[report.verdict], presentation.STYLES[report.verdict]), Text(what)
        )
    terminal.print(grid)
    counts = classroom.verdicts(entries)
    terminal.print()
    totals = [f"{presentation.MARKS[v]} {count_of(v, n)}" for v, n in counts.items() if n]
    say(terminal, "[bold]{total}[/]", total="   ".join(totals))
    found = classroom.commonest(entries)
    if found:
        terminal.print()
        grid = table(_("Submissions"), "", _("Mistake"), title=_("What to teach next"))
        grid.columns[0].justify = "right"
        grid.columns[1].justify = grid.columns[2].justify = "left"
        for code, n in found:
            bar = Text("█" * max(1, round(12 * n / found[0][1])), "cyan")
            grid.add_row(
                str(n), bar, Text(wrapped(f"{texts.title(code)}, {texts.lesson_of(code)}", terminal.width - 29))
            )
        terminal.print(grid)


def _write(entries: Sequence[Entry], report: Path | None, csv: Path | None) -> None:
    if report is not None:
        from pasapas.doctor.classroom_html import page

        write_atomically(report, page(entries))
    if csv is not None:
        write_atomically(csv, classroom.as_csv(entries))

"""`pasapas course`."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pasapas.cli.options import NO_VALUE, Json, Lang
from pasapas.cli.terminal import console, print_json, say, table
from pasapas.course import progress, shelf
from pasapas.course.exercises import exercises_of
from pasapas.doctor.texts import LESSONS
from pasapas.errors import PasapasError
from pasapas.i18n import _, ngettext


def command() -> Callable[..., Any]:
    """The command."""

    def course(
        lessons: Annotated[
            list[str] | None,
            typer.Argument(
                metavar=_("LESSON …"),
                help=_("Lessons to copy, by number or name, or 'all'; without any, they are listed."),
                show_default=False,
            ),
        ] = None,
        to: Annotated[
            Path | None,
            typer.Option(
                "--to",
                metavar=_("FOLDER"),
                help=_("Where to copy them; otherwise {name}.").format(name=shelf.FOLDER),
                show_default=False,
            ),
        ] = None,
        open: Annotated[
            bool,
            typer.Option("--open", metavar=NO_VALUE, help=_("Copy, then open in JupyterLab; without a lesson, all.")),
        ] = False,
        teacher: Annotated[
            bool,
            typer.Option(
                "--teacher", metavar=NO_VALUE, help=_("Add solutions and a page of advice; without a lesson, for all.")
            ),
        ] = False,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        folder = shelf.FOLDER if to is None else to
        if not lessons and not open and not teacher:
            if to is not None:
                raise PasapasError(_("{option} needs a lesson too: a number, a name, or 'all'.").format(option="--to"))
            listing(folder, json)
            return
        wanted = [*LESSONS] if not lessons or "all" in lessons else list(dict.fromkeys(map(shelf.find, lessons)))
        if open and find_spec("jupyterlab") is None:
            raise PasapasError(
                _(
                    "JupyterLab is not installed: run pip install 'pasapas[course]', or leave --open out and open the notebooks with what you have."
                )
            )
        copied = shelf.copy(wanted, folder, teacher)
        if json:
            print_json(
                {
                    "folder": str(folder),
                    "copied": [str(one.path) for one in copied if not one.kept],
                    "kept": [str(one.path) for one in copied if one.kept],
                }
            )
        else:
            tell(copied, folder, opened=open)
        if open:
            first = wanted[0] if lessons else _next_lesson(folder)
            raise typer.Exit(_jupyterlab(folder, f"{first}.ipynb"))

    return course


def listing(folder: Path, json: bool) -> None:
    """All lessons, with the exercises solved in the notebooks' folder: `folder`, or the one that we are in."""
    here = next((place for place in (folder, Path()) if (place / progress.FILE).exists()), folder)
    done = progress.read(here)
    rows = [
        (name, str(title), progress.solved(done.get(name, {})), len(exercises_of(number)))
        for number, (name, title) in enumerate(LESSONS.items(), 1)
    ]
    if json:
        print_json(
            [
                {"lesson": name, "title": title, "exercises": exercises, "solved": solved}
                for name, title, solved, exercises in rows
            ]
        )
        return
    terminal = console()
    grid = table("", _("Lesson"), _("Exercises"), _("Solved"))
    grid.columns[1].justify = "left"
    for name, title, solved, exercises in rows:
        style = "green" if solved == exercises else ""
        grid.add_row(Text(name.split("-")[0], "bold cyan"), title, str(exercises), Text(str(solved or "·"), style))
    terminal.print(grid)
    say(
        terminal,
        _(
            "\nCopy one:     pasapas course 3\nCopy all:     pasapas course all --to FOLDER\nOpen:         pasapas course --open (JupyterLab)\nFor teachers: pasapas course --teacher"
        ),
    )


def tell(copied: Sequence[shelf.Copied], folder: Path, opened: bool) -> None:
    """What was copied and what stayed, and what to do next."""
    terminal = console()
    fresh = [one.path for one in copied if not one.kept]
    kept = [one.path for one in copied if one.kept]
    for path in fresh:
        say(terminal, "[cyan]{path}[/]", path=path)
    if kept:
        say(
            terminal,
            ngettext(
                "{n} file was there already and stays as it is, with your work; --to another folder gives a fresh one.",
                "{n} files were there already and stay as they are, with your work; --to another folder gives fresh ones.",
                len(kept),
            ),
            n=len(kept),
        )
    if not opened:
        say(terminal, _("Open:  jupyter lab {folder}   (or VS Code, or any program for notebooks)"), folder=folder)


def _next_lesson(folder: Path) -> str:
    """The first lesson in which something is left to solve."""
    done = progress.read(folder)
    names = [*LESSONS]
    return next(
        (name for n, name in enumerate(names, 1) if progress.solved(done.get(name, {})) < len(exercises_of(n))),
        names[0],
    )


def _jupyterlab(folder: Path, notebook: str) -> int:
    """Runs JupyterLab in `folder` until it is closed."""
    try:
        return subprocess.run([sys.executable, "-m", "jupyterlab", notebook], cwd=folder, check=False).returncode
    except KeyboardInterrupt:  # JupyterLab has had it too
        return 0

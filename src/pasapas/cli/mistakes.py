"""`pasapas mistakes`."""

from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from textwrap import dedent
from typing import Annotated, Any

import typer
from rich.text import Text

from pasapas.cli.options import Json, Lang, whole
from pasapas.cli.terminal import console, print_json, say, table, wrapped
from pasapas.doctor.catalogue import find, mistakes
from pasapas.doctor.mistake import STAGES, Mistake
from pasapas.doctor.programs import planted, program
from pasapas.doctor.sabotage import names_in_general
from pasapas.errors import PasapasError
from pasapas.i18n import N_, _

TITLES = {
    "data": N_("Data"),
    "initialisation": N_("First weights"),
    "forward": N_("Forward pass"),
    "loss": N_("Loss"),
    "backward": N_("Backward pass"),
    "update": N_("Update"),
    "measure": N_("Measuring"),
}


def command() -> Callable[..., Any]:
    """The command."""

    def mistakes(
        code: Annotated[
            str | None,
            typer.Argument(metavar=_("[CODE]"), help=_("The mistake to explain; without a code, all are listed.")),
        ] = None,
        hint: Annotated[
            str | None, typer.Option("--hint", metavar="1|2|3", help=_("Show the hints up to this one; otherwise all."))
        ] = None,
        example: Annotated[
            str | None,
            typer.Option(
                "--example", metavar=_("PROGRAM"), help=_("Print this whole program, with the mistake planted in it.")
            ),
        ] = None,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        hints = whole("--hint", hint, 1, 3)
        if code is None:
            for option, value in {"--hint": hint, "--example": example}.items():
                if value is not None:
                    raise PasapasError(_("{option} needs the code of a mistake too.").format(option=option))
            listing(json)
            return
        mistake = find(code)
        text = None if example is None else _example(mistake, example)
        if json:
            print_json({**_as_dict(mistake, hints or 3), **({"text": text} if text else {})})
        elif text is not None:
            typer.echo(text, nl=False)
        else:
            explain(mistake, hints or 3)

    return mistakes


def _example(mistake: Mistake, name: str) -> str:
    if name not in mistake.examples:
        program(name)  # the error where there is no such program at all
        raise PasapasError(
            _("The mistake '{code}' is not planted in the program '{program}': choose one of {programs}.").format(
                code=mistake.code, program=name, programs=", ".join(mistake.examples)
            )
        )
    return planted(name, mistake.examples[name])


def _as_dict(mistake: Mistake, hints: int) -> dict[str, Any]:
    names = names_in_general(mistake)
    return {
        "code": mistake.code,
        "stage": mistake.stage,
        "name": str(mistake.name),
        "hints": [text.show(**names) for text in mistake.hints[:hints]],
        "lesson": mistake.lesson,
        "trains": mistake.trains,
        "examples": {name: dict(edits) for name, edits in mistake.examples.items()},
    }


def listing(json: bool) -> None:
    """All mistakes, by the stage of the computation at which they are made."""
    known = list(mistakes().values())
    if json:
        print_json(
            [
                {"code": m.code, "stage": m.stage, "name": str(m.name), "trains": m.trains, "programs": [*m.examples]}
                for m in known
            ]
        )
        return
    terminal = console()
    width = max(len(mistake.code) for mistake in known)
    for stage in STAGES:
        grid = table(_("Code"), _("Mistake"), title="\n" + _(TITLES[stage]))
        grid.columns[0].width = width
        grid.columns[1].justify = "left"
        for mistake in known:
            if mistake.stage == stage:
                style = "bold cyan" if mistake.trains else ""
                grid.add_row(Text(mistake.code, style), wrapped(str(mistake.name), terminal.width - width - 2))
        terminal.print(grid)
    say(
        terminal,
        _(
            "\nIn colour: mistakes with which a network can still learn well.\nExplain one: pasapas mistakes sign-flipped\nHunt one:    pasapas sabotage"
        ),
    )


def explain(mistake: Mistake, hints: int) -> None:
    """One mistake: its name, its hints, and the lines that make it in each program."""
    terminal = console()
    say(terminal, "[bold]{name}[/] ({code})", name=mistake.name, code=mistake.code)
    say(terminal, _("Stage: {stage} · lesson: {lesson}"), stage=_(TITLES[mistake.stage]), lesson=mistake.lesson)
    names = names_in_general(mistake)
    for number, hint in enumerate(mistake.hints[:hints], 1):
        say(terminal, _("\n[bold]Hint {number}[/]"), number=number)
        terminal.print(wrapped(hint.show(**names), terminal.width), markup=False)
    say(terminal, _("\n[bold]In programs[/], the right line and the wrong one:"))
    for name, edits in mistake.examples.items():
        say(terminal, "\n[cyan]{name}[/]", name=name)
        terminal.print(*difference(name, edits), sep="\n", soft_wrap=True)
    say(
        terminal,
        _("\nA whole program: pasapas mistakes {code} --example {name}"),
        code=mistake.code,
        name=next(iter(mistake.examples)),
    )


def difference(name: str, edits: Mapping[str, str]) -> Iterator[Text]:
    """The lines of a program that a mistake takes away and puts in their place, each with its sign."""
    right, wrong = program(name).splitlines(), planted(name, edits).splitlines()
    for kind, a, a_end, b, b_end in SequenceMatcher(None, right, wrong, autojunk=False).get_opcodes():
        if kind != "equal":
            old, new = dedent("\n".join(right[a:a_end])), dedent("\n".join(wrong[b:b_end]))
            yield from (Text(f"− {line}", "green") for line in old.splitlines())
            yield from (Text(f"+ {line}", "red") for line in new.splitlines())

"""`pasapas sabotage`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pasapas.cli.mistakes import difference
from pasapas.cli.options import NO_VALUE, Json, Lang, whole
from pasapas.cli.terminal import console, print_json, say, wrapped
from pasapas.doctor.catalogue import find
from pasapas.doctor.sabotage import Exercise, choose, judge, recognise
from pasapas.errors import PasapasError, cannot_read
from pasapas.files import write_atomically
from pasapas.i18n import _, percent

DEFAULT = Path("exercise.py")
LARGEST = 1 << 20
"""Files with more bytes are none of ours."""


def command() -> Callable[..., Any]:
    """The command."""

    def sabotage(
        file: Annotated[
            Path,
            typer.Argument(
                metavar=_("[FILE]"),
                help=_("Where to write the program; otherwise {name}.").format(name=DEFAULT),
                show_default=False,
            ),
        ] = DEFAULT,
        program: Annotated[
            str | None,
            typer.Option("--program", metavar=_("NAME"), help=_("The program to hide a mistake in; otherwise any.")),
        ] = None,
        mistake: Annotated[str | None, typer.Option("--mistake", metavar="CODE", hidden=True)] = None,
        seed: Annotated[
            str | None,
            typer.Option("--seed", metavar="N", help=_("What draws the mistake: the same seed, the same one.")),
        ] = None,
        force: Annotated[bool, typer.Option("--force", metavar=NO_VALUE, help=_("Overwrite the file."))] = False,
        diagnose: Annotated[
            str | None,
            typer.Option("--diagnose", metavar="CODE", help=_("Say which mistake is in the file, and be told.")),
        ] = None,
        line: Annotated[
            str | None, typer.Option("--line", metavar="N", help=_("With --diagnose: the line that it is in."))
        ] = None,
        hint: Annotated[
            str | None,
            typer.Option("--hint", metavar="1|2|3", help=_("Ask for a hint: where, what kind, how to correct it.")),
        ] = None,
        reveal: Annotated[
            bool, typer.Option("--reveal", metavar=NO_VALUE, help=_("Give up: be shown the mistake."))
        ] = False,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> int:
        written = {"--program": program, "--mistake": mistake, "--seed": seed, "--force": force or None}
        asked = {"--diagnose": diagnose, "--line": line, "--hint": hint, "--reveal": reveal or None}
        asks = [option for option, value in asked.items() if value is not None]
        for option, value in written.items():
            if asks and value is not None:
                raise PasapasError(
                    _("{option} writes a new program and {other} asks about one: leave one of them out.").format(
                        option=option, other=asks[0]
                    )
                )
        if line is not None and diagnose is None:
            raise PasapasError(_("--line needs --diagnose too."))
        if not asks:
            write(file, choose(whole("--seed", seed, 0, 2**63 - 1), program, mistake), force, json)
            return 0
        place, number = whole("--line", line, 1, 1_000_000), whole("--hint", hint, 1, 3)
        if diagnose is not None:
            find(diagnose)
        exercise, text = read(file)
        if reveal:
            tell(file, exercise, text, json)
            return 0
        if diagnose is None:
            give_hint(file, exercise, number or 1, json)
            return 0
        return answer(file, exercise, text, diagnose, place, number, json)

    return sabotage


def write(path: Path, exercise: Exercise, force: bool, json: bool) -> None:
    """Writes the program and says what to do with it."""
    if path.exists() and not force:
        raise PasapasError(
            _("'{path}' exists already: choose another name, or overwrite it with --force.").format(path=path)
        )
    write_atomically(path, exercise.text)
    if json:
        print_json({"file": str(path), "program": exercise.program, "accuracy": exercise.accuracy})
        return
    terminal = console()
    say(terminal, _("One mistake is hidden in {path}."), path=path)
    if exercise.accuracy is None:
        say(terminal, _("The program fails when it runs."))
    elif exercise.learns:
        say(
            terminal,
            _("The program still learns: about {accuracy} of the test images."),
            accuracy=percent(exercise.accuracy, 0),
        )
    else:
        say(
            terminal,
            _("The program does not learn as it should: about {accuracy} of the test images."),
            accuracy=percent(exercise.accuracy, 0),
        )
    say(
        terminal,
        _(
            "\nFind it by reading, by shapes, by small numbers on paper. Then say which it is, and where:\n  pasapas sabotage {path} --diagnose CODE --line N\nThe codes: pasapas mistakes\nA hint:    pasapas sabotage {path} --hint 1"
        ),
        path=path,
    )


def read(path: Path) -> tuple[Exercise, str]:
    """The exercise in a file that was handed out, and the file's text. Raises PasapasError where it is none."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise cannot_read(path, error) from None
    text = content.decode("utf-8", "replace") if len(content) <= LARGEST else ""
    exercise = recognise(text)
    if exercise is None:
        raise PasapasError(
            _("'{path}' is no program of 'pasapas sabotage', or no mistake of its is left in it.").format(path=path)
        )
    return exercise, text


def answer(path: Path, exercise: Exercise, text: str, code: str, line: int | None, hint: int | None, json: bool) -> int:
    """Says whether a diagnosis is right: exit status 0 if it is, else 1 and a hint."""
    judgement = judge(exercise, text, code, line)
    helped = None if judgement.mistake and hint is None else exercise.hint(hint or 1)
    if json:
        print_json(
            {
                "file": str(path),
                "right": judgement.right,
                "mistake": judgement.mistake,
                "line": judgement.line,
                "state": judgement.state,
                "hint": helped,
            }
        )
        return 0 if judgement.right else 1
    terminal = console()
    if judgement.mistake:
        say(terminal, _("[bold green]Right[/]: {name}."), name=exercise.mistake.name)
    else:
        say(terminal, _("[bold red]No[/], it is not '{code}': {name}."), code=code, name=find(code).name)
    if judgement.line is not None:
        near = _("It is in line {line}, or next to it.") if judgement.line else _("It is not in line {line}.")
        say(terminal, near, line=line)
    if helped is not None:
        _print_hint(terminal, hint or 1, helped)
    if judgement.right and judgement.state == "repaired":
        say(terminal, _("And it is repaired: the program is as it should be."))
    elif judgement.right and judgement.state == "changed":
        say(terminal, _("Its lines were changed: 'pasapas check {path}' says whether they are right now."), path=path)
    elif judgement.right:
        say(terminal, _("Now correct it: 'pasapas check {path}' says whether it is right then."), path=path)
    return 0 if judgement.right else 1


def give_hint(path: Path, exercise: Exercise, number: int, json: bool) -> None:
    """One hint."""
    if json:
        print_json({"file": str(path), "hint": exercise.hint(number)})
    else:
        _print_hint(console(), number, exercise.hint(number))


def _print_hint(terminal: Any, number: int, hint: str) -> None:
    say(terminal, _("\n[bold]Hint {number}[/]"), number=number)
    terminal.print(wrapped(hint, terminal.width), markup=False)


def tell(path: Path, exercise: Exercise, text: str, json: bool) -> None:
    """Everything: which mistake it is, where, and how to correct it."""
    lines = exercise.lines(text)
    if json:
        print_json(
            {
                "file": str(path),
                "program": exercise.program,
                "code": exercise.code,
                "name": str(exercise.mistake.name),
                "lines": lines,
                "edits": dict(exercise.edits),
                "state": exercise.state(text),
                "hints": [exercise.hint(number) for number in (1, 2, 3)],
            }
        )
        return
    terminal = console()
    say(terminal, "[bold]{name}[/] ({code})", name=exercise.mistake.name, code=exercise.code)
    say(terminal, _("In {path}: {lines}. The right line and the wrong one:"), path=path, lines=_lines(lines))
    terminal.print(*difference(exercise.program, exercise.edits), sep="\n", soft_wrap=True)
    _print_hint(terminal, 3, exercise.hint(3))


def _lines(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers))
    return (_("line {numbers}") if len(numbers) == 1 else _("lines {numbers}")).format(numbers=shown)

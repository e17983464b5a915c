"""`pasapas show`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pasapas.cli import pictures, surface
from pasapas.cli.options import Activation, Figure, Json, Lang
from pasapas.cli.terminal import console, print_json, say, table, wrapped
from pasapas.errors import PasapasError, nearest
from pasapas.i18n import N_, _


def command() -> Callable[..., Any]:
    """The command."""

    def show(
        name: Annotated[
            str | None,
            typer.Argument(metavar=_("NAME"), help=_("The picture to draw; without a name, all are listed.")),
        ] = None,
        figure: Figure(_("NAME") + ".png") = None,  # type: ignore[valid-type]
        model: Annotated[
            Path | None,
            typer.Option(
                "--model",
                metavar=_("PATH"),
                help=_(
                    "A model file, a run's folder, a pickled dictionary, or 'shipped'; otherwise the newest run, or the model that ships with pasapas."
                ),
                show_default=False,
            ),
        ] = None,
        activation: Activation() = None,  # type: ignore[valid-type]
        learning_rate: Annotated[
            str | None,
            typer.Option("--learning-rate", metavar="X,X,…", help=_("For 'descent': other learning rates, 8 at most.")),
        ] = None,
        index: Annotated[
            str | None,
            typer.Option(
                "--index",
                metavar="N",
                help=_(
                    "For 'digit': test image N, otherwise one at random; for 'deformations': training image N, otherwise 0."
                ),
            ),
        ] = None,
        unit: Annotated[
            str | None,
            typer.Option("--unit", metavar="N", help=_("For 'unit': its number; otherwise the strongest.")),
        ] = None,
        recipe: Annotated[
            str | None,
            typer.Option(
                "--recipe",
                metavar=_("NAME|FILE"),
                help=_("For 'deformations': the recipe whose deformations to draw."),
                show_default=False,
            ),
        ] = None,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        given = {
            "--figure": figure,
            "--model": model,
            "--activation": activation,
            "--learning-rate": learning_rate,
            "--index": index,
            "--unit": unit,
            "--recipe": recipe,
        }
        chosen = [option for option, value in given.items() if value is not None]
        if name is None:
            if chosen:
                raise PasapasError(_("{option} needs the name of a picture too.").format(option=chosen[0]))
            listing(json)
            return
        picture = find_picture(name)
        for option in chosen:
            if option not in picture.options and option != "--figure":
                raise PasapasError(
                    _("The picture '{name}' takes no {option}: leave it out.").format(name=name, option=option)
                )
        terminal = console(error=json)
        drawn = None
        if figure is not None or not json:
            from pasapas import figures

            drawn = figures.check_place(figure or Path(f"{name}.png"))  # before the computation, which can take long
        shown = picture.make(pictures.Asked(model, activation, learning_rate, index, unit, recipe, terminal))
        if drawn is not None:
            with terminal.status(_("Drawing …")):
                figures.save(shown.draw(), drawn)
        if json:
            print_json({"picture": name, "figure": str(drawn) if drawn else None, **shown.numbers})
            return
        for sentence in shown.sentences:
            terminal.print(wrapped(sentence, terminal.width), markup=False)
        say(terminal, _("Picture: {path}"), path=drawn)

    return show


def find_picture(name: str) -> pictures.Picture:
    """The picture of that name. Raises PasapasError where there is none."""
    if name not in PICTURES:
        raise PasapasError(
            _("There is no picture '{name}'; 'pasapas show' lists them.").format(name=name) + nearest(name, PICTURES)
        )
    return PICTURES[name]


def listing(json: bool) -> None:
    """All pictures, with a line on each."""
    if json:
        print_json({name: _(picture.about) for name, picture in PICTURES.items()})
        return
    terminal = console()
    grid = table(_("Picture"), _("What it shows"))
    grid.columns[1].justify = "left"
    for name, picture in PICTURES.items():
        grid.add_row(Text(name, "bold cyan"), wrapped(_(picture.about), terminal.width - 12))
    terminal.print(grid)
    say(terminal, _("\nDraw one: pasapas show loss"))


_MODEL = ("--model", "--activation")
PICTURES = {
    "loss": pictures.Picture(N_("What the loss says of good and bad answers: −ln p."), (), pictures.loss),
    "descent": pictures.Picture(
        N_("Gradient descent on x²: learning rates too small, good, exact, too large."),
        ("--learning-rate",),
        pictures.descent,
    ),
    "valley": pictures.Picture(
        N_("Two directions, one learning rate: descent in a valley, with and without momentum."), (), pictures.valley
    ),
    "surface": pictures.Picture(
        N_("The loss around a trained network, and the path that training took down to it."), _MODEL, surface.surface
    ),
    "gradients": pictures.Picture(
        N_("Gradients that vanish, arrive or explode on their way back."), (), pictures.gradients
    ),
    "history": pictures.Picture(
        N_("How a run went, epoch by epoch, with its final statistics."), ("--model",), pictures.history
    ),
    "digit": pictures.Picture(
        N_("One of MNIST's test images and what a model makes of it."), (*_MODEL, "--index"), pictures.digit
    ),
    "unit": pictures.Picture(
        N_("What a unit of the first layer looks for, and what it finds."), (*_MODEL, "--unit"), pictures.unit
    ),
    "deformations": pictures.Picture(
        N_("How training images are deformed at random, each way by itself and all together."),
        ("--recipe", "--index"),
        pictures.deformations,
    ),
}
"""The pictures by name, in the order of the listing."""

"""`pasapas predict`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from rich.columns import Columns
from rich.console import Console

from pasapas.cli.options import NO_VALUE, Activation, Figure, Json, Lang, NoFigure, find_model, is_model, origin, whole
from pasapas.cli.terminal import bars, console, picture, print_json, say
from pasapas.data.mnist import load_mnist_test
from pasapas.errors import PasapasError
from pasapas.i18n import _, percent
from pasapas.models import SHIPPED


class _Asked(NamedTuple):
    name: str
    image: npt.NDArray[np.uint8]  # (28, 28)
    label: int | None


def command() -> Callable[..., Any]:
    """The command."""

    def predict(
        paths: Annotated[
            list[Path] | None,
            typer.Argument(
                metavar=_("[MODEL] [IMAGE …]"),
                help=_(
                    "A model (otherwise the newest run's, or the one that ships with pasapas; 'shipped' names it) and pictures, PNG or JPEG; without a picture, one of MNIST's test images."
                ),
            ),
        ] = None,
        index: Annotated[
            str | None,
            typer.Option("--index", metavar="N", help=_("MNIST's test image N, 0 to 9999; otherwise one at random.")),
        ] = None,
        show: Annotated[
            bool, typer.Option("--show", metavar=NO_VALUE, help=_("Show how the picture was brought to MNIST's form."))
        ] = False,
        unsure_below: Annotated[
            str | None,
            typer.Option(
                "--unsure-below",
                metavar="P",
                help=_(
                    "Abstain from answers less probable than P, from 0 to 1; 'pasapas evaluate' says what abstaining buys."
                ),
            ),
        ] = None,
        figure: Figure("prediction.png") = None,  # type: ignore[valid-type]
        no_figure: NoFigure() = False,  # type: ignore[valid-type]
        activation: Activation() = None,  # type: ignore[valid-type]
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        paths = list(paths or [])
        named = paths.pop(0) if paths and is_model(paths[0]) else None
        number = whole("--index", index, 0, 9999)
        confidence = probability("--unsure-below", unsure_below)
        if paths and number is not None:
            raise PasapasError(_("Either pictures or --index, not both."))
        if show and not paths:
            raise PasapasError(_("--show tells how a picture was prepared: name a picture too."))
        path, model = find_model(named, activation)
        asked, prepared = read(paths, show) if paths else ([mnist_image(number)], [])
        P = model.probabilities(np.stack([one.image for one in asked]))
        drawn = []
        if not no_figure and (figure is not None or not json):
            drawn = draw(figure or Path("prediction.png"), asked, P, prepared)
        if json:
            print_json(
                {
                    "model": str(path),
                    "shipped": path == SHIPPED,
                    "predictions": [
                        {
                            "image": one.name,
                            "true": one.label,
                            "predicted": int(p.argmax()),
                            "sure": bool(p.max() >= confidence),
                            "probabilities": p.tolist(),
                        }
                        for one, p in zip(asked, P, strict=True)
                    ],
                    "figures": [str(file) for file in drawn],
                }
            )
            return
        terminal = console()
        say(terminal, _("Model: {path}"), path=origin(path, named))
        for one, p in zip(asked, P, strict=True):
            answer(terminal, one, p, confidence)
        for file in drawn:
            say(terminal, _("Picture: {path}"), path=file)

    return predict


def probability(name: str, text: str | None) -> float:
    """The number in the text of option `name`, 0 without it. Raises PasapasError where it is none from 0 to 1."""
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:  # nan fails as well
        raise PasapasError(
            _("{name} must be from {low} to {high}, not {value}.").format(name=name, low=0, high=1, value=text)
        )
    return value


def mnist_image(index: int | None) -> _Asked:
    """MNIST's test image of that number, or one at random."""
    test = load_mnist_test()
    i = int(np.random.default_rng().integers(len(test))) if index is None else index
    return _Asked(_("MNIST test image {index}").format(index=i), test.images[i], int(test.labels[i]))


def read(paths: list[Path], show: bool) -> tuple[list[_Asked], list[Any]]:
    """Pictures, brought to MNIST's form; the stages of that where they are to be shown."""
    from pasapas.data.images import prepare
    from pasapas.data.pictures import read_picture

    prepared = [prepare(read_picture(path)) for path in paths]
    asked = [_Asked(str(path), one.image, None) for path, one in zip(paths, prepared, strict=True)]
    return asked, prepared if show else []


def answer(terminal: Console, one: _Asked, p: npt.NDArray[Any], confidence: float) -> None:
    """The image and what the model says of it, if it is so sure at least."""
    best = int(p.argmax())
    sure = percent(float(p[best]), 1)
    lines = (
        (
            _("\n{name}: predicted [bold]{predicted}[/] ({sure})"),
            _("\n{name}: true [bold]{true}[/], predicted [bold]{predicted}[/] ({sure})"),
        )
        if p[best] >= confidence
        else (
            _("\n{name}: [bold]not sure[/], most likely {predicted} ({sure})"),
            _("\n{name}: true [bold]{true}[/], [bold]not sure[/], most likely {predicted} ({sure})"),
        )
    )
    line = lines[one.label is not None]
    say(terminal, line, name=one.name, true=one.label, predicted=best, sure=sure)
    terminal.print(Columns([picture(terminal, one.image), bars(p)], padding=(0, 4)))


def draw(file: Path, asked: list[_Asked], P: npt.NDArray[Any], prepared: list[Any]) -> list[Path]:
    """The answers as a figure, and how the pictures were prepared as others beside it."""
    from pasapas import figures

    figures.save(figures.digits([(one.image, p, one.label) for one, p in zip(asked, P, strict=True)]), file)
    drawn = [file]
    for i, stages in enumerate(prepared, 1):
        other = file.with_name(f"{file.stem}-prepared{f'-{i}' if len(prepared) > 1 else ''}{file.suffix}")
        figures.save(figures.preparation(stages), other)
        drawn.append(other)
    return drawn

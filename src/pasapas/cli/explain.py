"""`pasapas explain`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.columns import Columns
from rich.console import Console

from pasapas.cli.options import NO_VALUE, Activation, Json, Lang, find_network, is_model, whole
from pasapas.cli.terminal import console, picture, print_json, say
from pasapas.data import load_mnist
from pasapas.errors import PasapasError, one_of
from pasapas.i18n import _
from pasapas.layers import Params
from pasapas.network import Network
from pasapas.recipes import parse_field, recipe
from pasapas.tracing import Trace, chain, terminal, trace
from pasapas.tracing.capsule import SUFFIX, Alteration, open_capsule
from pasapas.tracing.tensors import CONVENTIONS, open_gates

_MOST_VALUES = 2000  # numbers of one tensor that --json gives without --values


def command() -> Callable[..., Any]:
    """The command."""

    def explain(
        paths: Annotated[
            list[Path] | None,
            typer.Argument(
                metavar=_("[MODEL|CAPSULE] [IMAGE]"),
                help=_(
                    "A model or a capsule, otherwise the lesson's network before training; and a picture of a digit."
                ),
            ),
        ] = None,
        index: Annotated[
            str | None,
            typer.Option("--index", metavar="N", help=_("The first training image of the batch; otherwise 0.")),
        ] = None,
        batch_size: Annotated[
            str | None, typer.Option("--batch-size", metavar="N", help=_("How many images, 1 to 1000; otherwise 5."))
        ] = None,
        label: Annotated[
            str | None, typer.Option("--label", metavar="N", help=_("The digit that the picture shows, 0 to 9."))
        ] = None,
        learning_rate: Annotated[
            str | None, typer.Option("--learning-rate", metavar="X", help=_("Size of the step; otherwise 0.01."))
        ] = None,
        convention: Annotated[
            str,
            typer.Option(
                "--convention",
                metavar="|".join(CONVENTIONS),
                help=_("Where the division by the batch size happens: at once, or with the parameters' gradients."),
                show_default=False,
            ),
        ] = "mean",
        step: Annotated[
            bool, typer.Option("--step", metavar=NO_VALUE, help=_("One tensor at a time, forwards and backwards."))
        ] = False,
        neuron: Annotated[
            str | None,
            typer.Option("--neuron", metavar="LAYER,UNIT", help=_("The chain rule for one unit, with its numbers.")),
        ] = None,
        weight: Annotated[
            str | None,
            typer.Option("--weight", metavar="LAYER,I,J", help=_("The chain rule for one weight, with its numbers.")),
        ] = None,
        check: Annotated[
            bool, typer.Option("--check", metavar=NO_VALUE, help=_("Check every gradient by finite differences."))
        ] = False,
        save: Annotated[
            Path | None, typer.Option("--save", metavar=_("FILE"), help=_("Keep the step as a capsule."))
        ] = None,
        values: Annotated[
            bool, typer.Option("--values", metavar=NO_VALUE, help=_("With --json: all numbers, of large tensors too."))
        ] = False,
        activation: Activation() = None,  # type: ignore[valid-type]
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> int:
        convention = one_of(_("convention"), convention, CONVENTIONS)
        rate = parse_field("learning_rate", learning_rate) if learning_rate is not None else 0.01
        start, m = whole("--index", index, 0, 59_999) or 0, whole("--batch-size", batch_size, 1, 1000) or 5
        places = {
            "neuron": _places("--neuron", neuron, 2),
            "weight": _places("--weight", weight, 3),
        }
        paths = list(paths or [])
        altered: list[Alteration] = []
        if paths and paths[0].suffix == SUFFIX:
            recorded, altered = open_capsule(paths[0])
        else:
            network, params, image = _network(paths, activation)
            X, y = _batch(image, whole("--label", label, 0, 9), start, m)
            recorded = trace(network, params, X, y, learning_rate=rate, convention=convention)
        if save is not None:
            recorded.save(save)

        chains = {}
        if places["neuron"]:
            chains["neuron"] = chain.neuron(recorded, *places["neuron"])
        if places["weight"]:
            chains["weight"] = chain.weight(recorded, *places["weight"])
        checked = _check(recorded) if check else None
        if json:
            content = as_json(recorded, values)
            content |= {name: terminal.as_numbers(result) for name, result in chains.items()}
            content["check"] = checked.as_dict() if checked else None
            content["altered"] = [str(alteration) for alteration in altered]
            print_json(content)
            return 1 if altered else 0
        out = console()
        for alteration in altered:
            say(out, _("[bold red]Altered:[/] {what}"), what=alteration)
        if chains or checked:
            for result in chains.values():
                out.print(terminal.chain(result))
            if checked:
                out.print(terminal.gradients(checked))
        elif step:
            _one_at_a_time(out, terminal.pages(recorded))
        else:
            _introduce(out, recorded)
            for title, page in terminal.pages(recorded):
                terminal.show_page(out, title, page)
        if save is not None:
            say(out, _("Capsule: {path}"), path=save)
        return 1 if altered else 0

    return explain


def _places(option: str, text: str | None, n: int) -> list[int] | None:
    """The numbers in "1,5". Raises PasapasError where they are not n whole numbers."""
    if text is None:
        return None
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != n or min(numbers) < 0:
        raise PasapasError(
            _("{option} takes {n} whole numbers with commas between them, such as {example}, not '{text}'.").format(
                option=option, n=n, example=",".join(["1", "5", "7"][:n]), text=text
            )
        )
    return numbers


def _network(paths: list[Path], activation: str | None) -> tuple[Network, list[Params], Path | None]:
    """The network to look into, its parameters, and the picture to show it."""
    if paths and is_model(paths[0]):
        _path, model = find_network(paths.pop(0), activation)
        network, params = model.network, list(model.params)
    else:
        lesson = recipe("lesson-3")
        network = lesson.network()
        params = network.initialize(lesson.make_initializer(), lesson.seed, lesson.dtype)
    if len(paths) > 1:
        raise PasapasError(_("One picture at a time, not {n}.").format(n=len(paths)))
    return network, params, paths[0] if paths else None


def _batch(image: Path | None, label: int | None, start: int, m: int) -> tuple[Any, Any]:
    """The images to follow through the network, and their classes."""
    if image is not None:
        from pasapas.data.images import prepare  # SciPy, which nothing else here needs
        from pasapas.data.pictures import read_picture

        prepared = prepare(read_picture(image))
        if label is None:
            raise PasapasError(_("The loss needs to know what digit '{path}' shows: add --label.").format(path=image))
        return prepared.image[None], np.array([label])
    training, _test = load_mnist()
    part = slice(start, start + m)
    return training.images[part], training.labels[part]


def _check(recorded: Trace) -> Any:
    from pasapas.checking import gradient_check

    return gradient_check(recorded.network, recorded.params(), recorded["X"].value, recorded["y"].value)


def _introduce(out: Console, recorded: Trace) -> None:
    sizes = "-".join(map(str, recorded.network.sizes))
    digits = ", ".join(map(str, recorded["y"].value[:20].tolist()))
    say(
        out,
        _("One step of {sizes} on {m} images of the digits {digits}."),
        sizes=sizes,
        m=recorded.m,
        digits=digits,
    )
    X = recorded["X"].value
    if X.shape[1] == 784:
        small = (255 * X[:5].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))).round().astype(np.uint8)
        out.print(Columns([picture(out, image) for image in small], padding=(0, 2)))


def _one_at_a_time(out: Console, pages: list[tuple[str, Any]]) -> None:
    """Pages forwards and backwards by the keyboard, until q or the end of the input."""
    i = 0
    while True:
        title, content = pages[i]
        terminal.show_page(out, title, content, f"{i + 1}/{len(pages)} · ")
        out.print(_("Enter: next · b: back · a number: that page · q: stop"), style="dim")
        answer = sys.stdin.readline()
        key = answer.strip().lower()
        if not answer or key == "q":
            return
        if key == "b":
            i = max(i - 1, 0)
        elif key.isdecimal():
            i = min(max(int(key), 1), len(pages)) - 1
        elif i + 1 == len(pages):
            return
        else:
            i += 1


def as_json(recorded: Trace, all_values: bool) -> dict[str, Any]:
    """The step as one object: its tensors under the lesson's names, with their numbers unless they are many."""
    tensors = {}
    for tensor in recorded:
        tensors[tensor.name] = {
            "shape": list(tensor.shape),
            "stage": tensor.stage,
            "formula": tensor.formula,
            "latex": tensor.latex,
            "meaning": tensor.meaning,
            "minimum": tensor.minimum,
            "maximum": tensor.maximum,
            "mean_absolute": tensor.mean_absolute,
            "zeros": tensor.zeros,
            "open_gates": open_gates(tensor, recorded),
            "values": tensor.value.tolist() if all_values or tensor.value.size <= _MOST_VALUES else None,
        }
    return {
        "sizes": recorded.network.sizes,
        "m": recorded.m,
        "learning_rate": recorded.learning_rate,
        "convention": recorded.convention,
        "loss": recorded.loss,
        "loss_after": recorded.loss_after,
        "tensors": tensors,
    }

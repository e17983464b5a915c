"""The picture of the loss around a network, for `pasapas show`: the one that takes long, with its progress."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar

from pasapas import runs, training
from pasapas.cli.options import find_network, origin
from pasapas.cli.pictures import Asked, Shown, finite
from pasapas.cli.train import limited
from pasapas.data import load_mnist
from pasapas.errors import Diverged, PasapasError
from pasapas.i18n import _, integer, number, percent
from pasapas.layers import Params
from pasapas.models import Model
from pasapas.recipes import Recipe, recipe
from pasapas.studies import landscape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GRID = 21  # points on each side of a map of the loss
_IMAGES = 1000  # that the loss of a map is the mean over
_MOST_WORK = 5e11  # images × weights, half a minute: no longer training is done again for the sake of its path
_MOST_NUMBERS = 2e7  # that the parameters on the way may have together: 160 MB


def surface(asked: Asked) -> Shown:
    """The loss around a network."""
    with progress_bar(asked.terminal) as bar:
        path: Path | None = None
        how: Recipe | None
        way: landscape.Path | None
        if asked.model is None and runs.newest_model() is None:
            how = recipe("lesson-3")
            result, way = recorded(how, bar)
            model = result.model
        else:
            path, model = find_network(asked.model, asked.activation)
            how, way = replayed(path, model, bar)
        training_images = load_mnist()[0]
        training_images.check_fits(model.network.sizes[0], model.network.sizes[-1])
        images = landscape.sample(training_images.first(how.train_images) if how else training_images, _IMAGES)
        plane = landscape.path_plane(way.params, model.params) if way else None
        random = np.random.default_rng(0)
        first, second = (landscape.random_direction(model.params, random) for _direction in range(2))
        side = np.linspace(-1, 1, _GRID)
        task = bar.add_task(_("Measuring the loss"), total=_GRID**2 * (2 if plane else 1))

        def loss_on(first: list[Params], second: list[Params], x: Any, y: Any, done: int) -> landscape.Surface:
            return landscape.surface(
                model.network, model.params, first, second, x, y, images, lambda n: bar.update(task, completed=done + n)
            )

        around = loss_on(first, second, side, side, 0)
        along = None
        if plane:
            x, y = landscape.margins(plane.coordinates, _GRID)
            along = loss_on(list(plane.first), list(plane.second), x, y, _GRID**2), plane
    centre = float(around.loss[_GRID // 2, _GRID // 2])
    numbers: dict[str, Any] = {
        "model": None if path is None else str(path),
        "images": len(images),
        "loss": centre,
        "random": on_grid(around),
        "path": None,
    }
    sentences = [
        _("Network: {path}").format(path=origin(path, asked.model))
        if path
        else _("Network: trained just now by the recipe lesson-3, as there is no run in '{folder}' yet.").format(
            folder=runs.RUNS
        ),
        _(
            "On the left the loss over {images} training images around the network, {loss} where it stands, when all its weights are moved along two random directions, each unit by as much as its own weights are long."
        ).format(images=integer(len(images)), loss=number(centre)),
    ]
    if along and plane and way:
        numbers["path"] = {
            **on_grid(along[0]),
            "steps": list(way.steps),
            "coordinates": plane.coordinates.tolist(),
            "explained": plane.explained.tolist(),
        }
        sentences.append(
            _(
                "On the right the plane that training moved in most: its two directions hold {share} of the path's variance, in a space of {n} parameters. Large steps lead down from the start, small ones through the flat part at the end."
            ).format(share=percent(float(plane.explained.sum()), 1), n=integer(len(landscape.vector(model.params))))
        )
    else:
        sentences.append(
            _(
                "The path of its training is not drawn: the model's recipe is unknown, takes long, or gives another network."
            )
        )

    def draw() -> "Figure":
        from pasapas import figures

        return figures.loss_surface(around, along, centre)

    return Shown(draw, numbers, sentences)


def progress_bar(terminal: Console) -> ProgressBar:
    """A bar that is gone when the work is done, and is not there where nobody watches."""
    return ProgressBar(
        TextColumn("{task.description}"),
        BarColumn(),
        console=terminal,
        transient=True,
        refresh_per_second=8,
        disable=not terminal.is_terminal,
    )


def recorded(how: Recipe, bar: ProgressBar) -> tuple[training.Result, landscape.Path]:
    """A training by `how` and the parameters on its way."""
    weights = sum(a * b for a, b in zip(how.sizes, how.sizes[1:], strict=False))
    images = how.train_images - how.validation_images
    task = bar.add_task(_("Training, for its path"), total=how.epochs * images)

    def step(epoch: int, so_far: int, loss: float, accuracy: float) -> None:
        bar.update(task, completed=(epoch - 1) * images + so_far)

    points = max(3, min(60, int(_MOST_NUMBERS / weights)))
    return landscape.record(how, points, training.Watcher(step))


def replayed(path: Path, model: Model, bar: ProgressBar) -> tuple[Recipe | None, landscape.Path | None]:
    """The recipe of a model, and the path on which it gives that model again; None for what there is not."""
    try:
        how = Recipe(**model.about["recipe"])
    except (KeyError, TypeError, PasapasError):
        return None, None
    weights = sum(a * b for a, b in zip(how.sizes, how.sizes[1:], strict=False))
    work = how.epochs * how.train_images * weights
    if how.sizes != model.network.sizes or work > _MOST_WORK or 3 * weights > _MOST_NUMBERS:
        return how, None
    try:
        with limited(
            runs.threads_of(path)
        ):  # another number of threads rounds otherwise, and trainings drift far apart
            result, way = recorded(how, bar)
    except Diverged:
        return how, None
    end = landscape.vector(model.params)
    apart = np.linalg.norm(landscape.vector(result.model.params) - end)
    same = apart < 0.1 * np.linalg.norm(landscape.vector(way.params[0]) - end)
    return how, way if same and len(way.params) >= 3 else None


def on_grid(one: landscape.Surface) -> dict[str, Any]:
    """A surface as JSON holds it."""
    return {"x": one.x.tolist(), "y": one.y.tolist(), "loss": [finite(row) for row in one.loss]}

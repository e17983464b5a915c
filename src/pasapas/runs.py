"""A run folder: the model, the recipe as run, the history, the checkpoint to go on from, and the pictures."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.files import make_folder, write_atomically
from pasapas.i18n import _
from pasapas.layers import Params
from pasapas.models import MODEL as MODEL
from pasapas.models import MOST_MEMBERS, Classifier, Committee, Model, check_tensors, named, unnamed
from pasapas.recipes import Recipe, load_recipe
from pasapas.training import Epoch, Progress, Result, start

RUNS = Path("runs")
CHECKPOINT, RECIPE, HISTORY = "checkpoint.safetensors", "recipe.toml", "history.json"
_RUN = "run.json"
_FORMAT = "pasapas checkpoint 1"


def new_folder(output: str | Path | None, name: str) -> Path:
    """A folder for a new run: `output`, or one in `runs/` named after the time and the recipe.

    Raises PasapasError where it cannot be written, or already holds a run.
    """
    if output is None:
        stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
        names = (RUNS / f"{stamp}-{name}{suffix}" for suffix in ("", *(f"-{i}" for i in range(2, 1000))))
        return make_folder(next(path for path in names if not path.exists()))
    folder = Path(output)
    if any((folder / name).exists() for name in (MODEL, CHECKPOINT)) or member_folder(folder, 1).exists():
        raise PasapasError(
            _("'{folder}' already holds a run: choose another folder, or go on with it by --resume {folder}.").format(
                folder=folder
            )
        )
    return make_folder(folder)


def member_folder(folder: Path, k: int) -> Path:
    """Where in the folder of a committee the run of its member k is, counted from 1."""
    return folder / f"member-{k}"


def newest_model() -> Path | None:
    """The model or committee that was written last in `runs/`, not one of a committee's members; None without any."""
    return max(RUNS.glob(f"*/{MODEL}"), key=lambda path: path.stat().st_mtime_ns, default=None)


def start_run(folder: Path, recipe: Recipe, about: Mapping[str, Any]) -> None:
    """Writes what is known before the first epoch: the recipe, the versions, and `about`."""
    versions = {name: version(name) for name in ("pasapas", "numpy", "array-api-compat", "safetensors")}
    content = {"seed": recipe.seed, **about, "versions": {**versions, "python": platform.python_version()}}
    write_atomically(folder / _RUN, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    keep_recipe(folder, recipe)  # last: with it the run can be gone on with


def threads_of(path: Path) -> int | None:
    """How many threads the run used, in its folder or to which the model at `path` belongs; None if that is unknown.

    Another number rounds otherwise, and trainings drift far apart.
    """
    return _number_of_run(path if path.is_dir() else path.parent, "threads", 1024)


def members_of(folder: Path) -> int | None:
    """How many networks the committee in a run's folder has when it is whole; None where it holds no committee."""
    return _number_of_run(folder, "members", MOST_MEMBERS)


def _number_of_run(folder: Path, name: str, most: int) -> int | None:
    try:
        number = json.loads((folder / _RUN).read_text(encoding="utf-8"))[name]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return number if type(number) is int and 1 <= number <= most else None


def keep_recipe(folder: Path, recipe: Recipe) -> None:
    """Writes the recipe as it is run; one that goes on may have been given more epochs."""
    write_atomically(folder / RECIPE, recipe.to_toml())


def summary(folder: Path, result: Result) -> dict[str, Any]:
    """What `--json` prints and `history.json` holds: accuracies are fractions, what was not measured is null."""
    test = result.test
    return {
        "model": str(folder / MODEL),
        "run": str(folder),
        "epochs": [dataclasses.asdict(epoch) for epoch in result.history],
        "test": {"loss": test[0], "accuracy": test[1]} if test else None,
        "stopped": result.stopped,
        "seconds": result.seconds,
    }


def committee_summary(
    folder: Path, members: Sequence[tuple[Recipe, Result]], test: tuple[float, float] | None, stopped: str
) -> dict[str, Any]:
    """The same for a committee: `members` are those it has, from the first, and `test` its own figures."""
    return {
        "model": str(folder / MODEL),
        "run": str(folder),
        "members": [
            {"seed": recipe.seed, **summary(member_folder(folder, k), result)}
            for k, (recipe, result) in enumerate(members, 1)
        ],
        "test": {"loss": test[0], "accuracy": test[1]} if test else None,
        "stopped": stopped,
        "seconds": sum(result.seconds for _recipe, result in members),
    }


def finished(recipe: Recipe, result: Result) -> Model:
    """The model of a training, which says how it was trained."""
    about = {"recipe": recipe.as_dict(), "epochs": len(result.history), "stopped": result.stopped}
    return dataclasses.replace(result.model, about=about)


def write_result(folder: Path, recipe: Recipe, result: Result) -> Path:
    """Writes the model and the history; returns the model's path."""
    path = finished(recipe, result).save(folder / MODEL)
    write_history(folder, summary(folder, result))
    return path


def write_history(folder: Path, content: Mapping[str, Any]) -> None:
    """Writes a summary into a run's folder."""
    write_atomically(folder / HISTORY, json.dumps(content, indent=2) + "\n")


def save_checkpoint(folder: Path, recipe: Recipe, progress: Progress) -> None:
    """Writes all that training needs to go on after the last whole epoch."""
    from safetensors.numpy import save

    about = {
        "format": _FORMAT,
        "recipe": recipe.as_dict(),
        "history": [dataclasses.asdict(epoch) for epoch in progress.history],
        "best_epoch": progress.best_epoch,
        "numbers": {name: int(value) for name, value in progress.state.items() if not isinstance(value, list)},
    }
    tensors = _tensors(recipe, progress)
    write_atomically(folder / CHECKPOINT, save(tensors, {"pasapas": json.dumps(about, sort_keys=True)}))


def load_checkpoint(folder: str | Path) -> tuple[Recipe, Progress]:
    """The recipe of a run and where it stood. Raises PasapasError for a folder without a whole checkpoint."""
    from safetensors import SafetensorError, safe_open

    folder = Path(folder)
    path = folder / CHECKPOINT
    if not path.exists():
        if (folder / RECIPE).exists():  # stopped before its first epoch was over
            recipe = load_recipe(folder / RECIPE)
            return recipe, start(recipe.network(), recipe)
        raise PasapasError(
            _("'{folder}' holds no run to go on with: it has no {file}.").format(folder=folder, file=CHECKPOINT)
        )
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["pasapas"])
            if about["format"] != _FORMAT:
                raise ValueError
            recipe = Recipe(**about["recipe"])
            history = tuple(Epoch(**entry) for entry in about["history"])
            progress = dataclasses.replace(
                start(recipe.network(), recipe), history=history, best_epoch=int(about["best_epoch"])
            )
            if recipe.keep == "best" and progress.best_epoch:
                progress = dataclasses.replace(progress, best_params=progress.params)
            template = _tensors(recipe, progress)
            check_tensors(path, file, {name: list(array.shape) for name, array in template.items()})
            tensors = {name: file.get_tensor(name) for name in template}
            return recipe, _with_tensors(path, recipe, progress, tensors, about["numbers"])
    except PasapasError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, OSError, MemoryError, RecursionError):
        raise PasapasError(_("'{path}' is no checkpoint of pasapas, or it is damaged.").format(path=path)) from None


def _parts(progress: Progress) -> dict[str, Any]:
    """The lists of parameters, by the name they have in a checkpoint."""
    lists = {"params": progress.params}
    lists |= {name: value for name, value in progress.state.items() if isinstance(value, list)}
    if progress.best_params is not None:
        lists["best"] = progress.best_params
    if progress.average is not None:
        lists["average"] = progress.average
    return lists


def _tensors(recipe: Recipe, progress: Progress) -> dict[str, npt.NDArray[Any]]:
    network = recipe.network()
    return {
        f"{part}.{name}": array
        for part, params in _parts(progress).items()
        for name, array in named(network, params).items()
    }


def _with_tensors(
    path: Path, recipe: Recipe, progress: Progress, tensors: Mapping[str, npt.NDArray[Any]], numbers: Mapping[str, Any]
) -> Progress:
    network = recipe.network()
    filled: dict[str, list[Params]] = {}
    for part in _parts(progress):
        filled[part] = unnamed(path, network, tensors, f"{part}.")
    state = {
        name: filled[name] if isinstance(value, list) else int(numbers[name]) for name, value in progress.state.items()
    }
    return dataclasses.replace(
        progress, params=filled["params"], state=state, best_params=filled.get("best"), average=filled.get("average")
    )


def draw(folder: Path, result: Result, images: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> list[Path]:
    """Draws the run's pictures from the test images: history, confusion matrix, worst mistakes, first layer."""
    from pasapas import figures

    pictures = {"history.png": figures.training_history(result.history)} if result.history else {}
    pictures |= _of_answers(result.model, images, labels)
    W = named(result.model.network, result.model.params)["W1"]
    pictures["first-layer.png"] = figures.first_layer_units(W, images.shape[1:])
    return _drawn(folder, pictures)


def draw_committee(
    folder: Path, committee: Committee, images: npt.NDArray[np.uint8], labels: npt.NDArray[Any]
) -> list[Path]:
    """Draws a committee's pictures from the test images: confusion matrix, worst mistakes."""
    return _drawn(folder, _of_answers(committee, images, labels))


def _of_answers(model: Classifier, images: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> dict[str, Any]:
    from pasapas import figures, metrics

    P = model.probabilities(images)
    counts = metrics.confusion_matrix(labels, P.argmax(axis=1), P.shape[1])
    return {
        "confusion.png": figures.confusion_matrix(counts),
        "mistakes.png": figures.worst_mistakes(images, labels, P),
    }


def _drawn(folder: Path, pictures: Mapping[str, Any]) -> list[Path]:
    from pasapas import figures

    for name, figure in pictures.items():
        figures.save(figure, folder / name)
    return [folder / name for name in pictures]

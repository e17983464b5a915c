"""A run folder: the model, the recipe as run, the history, the checkpoint to go on from, and the pictures."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
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
from pasapas.models import check_tensors, named, unnamed
from pasapas.recipes import Recipe, load_recipe
from pasapas.training import Epoch, Progress, Result, start

RUNS = Path("runs")
CHECKPOINT, RECIPE, HISTORY = "checkpoint.safetensors", "recipe.toml", "history.json"
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
    if any((folder / name).exists() for name in (MODEL, CHECKPOINT)):
        raise PasapasError(
            _("'{folder}' already holds a run: choose another folder, or go on with it by --resume {folder}.").format(
                folder=folder
            )
        )
    return make_folder(folder)


def newest_model() -> Path:
    """The model that was written last in `runs/`. Raises PasapasError where there is none."""
    models = sorted(RUNS.glob(f"*/{MODEL}"), key=lambda path: path.stat().st_mtime_ns)
    if not models:
        raise PasapasError(
            _(
                "There is no trained model in '{folder}' yet: train one with 'pasapas train', or name a model file."
            ).format(folder=RUNS)
        )
    return models[-1]


def start_run(folder: Path, recipe: Recipe, about: Mapping[str, Any]) -> None:
    """Writes what is known before the first epoch: the recipe, the versions, and `about`."""
    keep_recipe(folder, recipe)
    versions = {name: version(name) for name in ("pasapas", "numpy", "array-api-compat", "safetensors")}
    content = {"seed": recipe.seed, **about, "versions": {**versions, "python": platform.python_version()}}
    write_atomically(folder / "run.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def threads_of(path: Path) -> int | None:
    """How many threads the run used, in its folder or to which the model at `path` belongs; None if that is unknown.

    Another number rounds otherwise, and trainings drift far apart.
    """
    folder = path if path.is_dir() else path.parent
    try:
        threads = json.loads((folder / "run.json").read_text(encoding="utf-8"))["threads"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return threads if isinstance(threads, int) and 1 <= threads <= 1024 else None


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


def write_result(folder: Path, recipe: Recipe, result: Result) -> Path:
    """Writes the model and the history; returns the model's path."""
    about = {"recipe": recipe.as_dict(), "epochs": len(result.history), "stopped": result.stopped}
    path = dataclasses.replace(result.model, about=about).save(folder / MODEL)
    write_atomically(folder / HISTORY, json.dumps(summary(folder, result), indent=2) + "\n")
    return path


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
        own = {name.removeprefix(f"{part}."): tensor for name, tensor in tensors.items() if name.startswith(f"{part}.")}
        filled[part] = unnamed(path, network, own)
    state = {
        name: filled[name] if isinstance(value, list) else int(numbers[name]) for name, value in progress.state.items()
    }
    return dataclasses.replace(
        progress, params=filled["params"], state=state, best_params=filled.get("best"), average=filled.get("average")
    )


def draw(folder: Path, result: Result, images: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> list[Path]:
    """Draws the run's pictures from the test images: history, confusion matrix, worst mistakes, first layer."""
    from pasapas import figures, metrics

    P = result.model.probabilities(images)
    n_classes = P.shape[1]
    pictures = {
        "history.png": figures.training_history(result.history) if result.history else None,
        "confusion.png": figures.confusion_matrix(metrics.confusion_matrix(labels, P.argmax(axis=1), n_classes)),
        "mistakes.png": figures.worst_mistakes(images, labels, P),
        "first-layer.png": figures.first_layer_units(
            named(result.model.network, result.model.params)["W1"], images.shape[1:]
        ),
    }
    for name, figure in pictures.items():
        if figure is not None:
            figures.save(figure, folder / name)
    return [folder / name for name, figure in pictures.items() if figure is not None]

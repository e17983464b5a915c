"""Training: epochs of mini-batches, what is measured after each, when to stop, and what is kept.

Everything random in epoch e comes from (seed, e), and everything that the next epoch needs is in `Progress`; so a run
that goes on from a checkpoint gives the same bits as one that never stopped.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.backends import Engine, make_engine
from pasapas.backends.epochs import make_plan
from pasapas.data.dataset import Dataset
from pasapas.data.mnist import load_mnist
from pasapas.errors import Diverged, PasapasError
from pasapas.i18n import _, number, percent, short
from pasapas.layers import Params
from pasapas.models import Model
from pasapas.network import Network
from pasapas.optimizers import State
from pasapas.recipes import Recipe
from pasapas.recipes import recipe as named_recipe

_OF_THE_NETWORK = ("hidden", "activation", "dropout", "input_dropout", "label_smoothing", "l2")
_OF_MNIST = ("train_images", "validation_images", "test_images")


@dataclass(frozen=True)
class Epoch:
    """What was measured in one epoch: losses, accuracies as fractions, seconds; None for what was not measured."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Where training stands after whole epochs: all that is needed to go on.

    Its arrays are NumPy's at the start, and then those of the recipe's engine.
    """

    params: Sequence[Params]
    state: State
    history: tuple[Epoch, ...] = ()
    best_params: Sequence[Params] | None = None
    best_epoch: int = 0
    average: Sequence[Params] | None = None

    @property
    def epochs(self) -> int:
        """How many epochs are behind."""
        return len(self.history)

    @property
    def model_params(self) -> Sequence[Params]:
        """The parameters that are measured, and become the model: their running average, where there is one."""
        return self.params if self.average is None else self.average


@dataclass(frozen=True, repr=False)
class Result:
    """What training gave. `stopped` says why it ended: "finished", "patience", "accuracy" or "interrupted"."""

    model: Model
    history: tuple[Epoch, ...]
    stopped: str
    test: tuple[float, float] | None
    seconds: float

    def __repr__(self) -> str:
        test = f", test accuracy {self.test[1]:.2%}" if self.test else ""
        return f"Result({self.model!r}, epochs: {len(self.history)}{test})"


@dataclass(frozen=True)
class Splits:
    """The images to train on, to choose by, and to judge by at the end."""

    training: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None


@dataclass(frozen=True)
class Watcher:
    """What to call while training runs. `step(epoch, images, loss, accuracy)` gives the epoch's running figures."""

    step: Callable[[int, int, float, float], None] = lambda epoch, images, loss, accuracy: None
    epoch: Callable[[Progress], None] = lambda progress: None


def epoch_line(recipe: Recipe, epoch: Epoch) -> str:
    """What one epoch measured, in one line."""
    parts = [
        _("Epoch {epoch}/{epochs}").format(epoch=f"{epoch.epoch:>{len(str(recipe.epochs))}}", epochs=recipe.epochs),
        _("loss {loss}").format(loss=number(epoch.loss)),
        _("accuracy {accuracy}").format(accuracy=percent(epoch.accuracy)),
    ]
    if epoch.validation_accuracy is not None and epoch.validation_loss is not None:
        parts.append(
            _("validation {loss}, {accuracy}").format(
                loss=number(epoch.validation_loss), accuracy=percent(epoch.validation_accuracy)
            )
        )
    if epoch.test_accuracy is not None:
        parts.append(_("test {accuracy}").format(accuracy=percent(epoch.test_accuracy)))
    return " · ".join([*parts, f"{number(epoch.seconds, 1)} s"])


class Interrupted(Exception):
    """Ctrl-C came in the middle of an epoch; `params` are those after the last whole step."""

    def __init__(self, params: Sequence[Params]) -> None:
        self.params = params


def printing(recipe: Recipe) -> Watcher:
    """Prints a line after each epoch."""
    return Watcher(epoch=lambda progress: print(epoch_line(recipe, progress.history[-1]), flush=True))


def train(
    recipe: Recipe | str = "default",
    *,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    quiet: bool = False,
    distributed: bool = False,
    **changes: Any,
) -> Result:
    """Trains the recipe's network on MNIST, with other values in the fields named by `changes`.

    `progress` is where an earlier run of the same recipe stood. Unless there is a `watcher`, or `quiet` is asked for, a
    line is printed after each epoch. `distributed` takes all devices that JAX knows, those of other processes too after
    `jax.distributed.initialize`. Raises PasapasError for unknown recipes, fields and values, and Diverged when the loss
    is no longer finite.
    """
    recipe = named_recipe(recipe) if isinstance(recipe, str) else recipe
    recipe = recipe.replace(**changes)
    watcher = watcher or (None if quiet else printing(recipe))
    return run(recipe.network(), recipe, mnist_splits(recipe), progress, watcher, distributed)


def fit(
    network: Network,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    *,
    validation: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
    test: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
    watcher: Watcher | None = None,
    quiet: bool = False,
    distributed: bool = False,
    **fields: Any,
) -> Result:
    """Trains `network` on images (m, ...) with integer labels (m,); `fields` are those of a `Recipe` on training.

    Bytes are scaled to 0–1, other numbers taken as they are. Unless there is a `watcher`, or `quiet` is asked for, a line
    is printed after each epoch. The engine `jax` reads memory-mapped images batch by batch; `distributed` is as for `train`.
    Raises PasapasError for what does not fit together.
    """
    for name in fields:
        if name in _OF_THE_NETWORK or name in _OF_MNIST:
            raise PasapasError(
                _("'{name}' is settled by the network and the images that fit is given: leave it out.").format(
                    name=name
                )
            )
    recipe = Recipe().replace(**fields)
    splits = Splits(Dataset(images, labels), validation and Dataset(*validation), test and Dataset(*test))
    return run(network, recipe, splits, None, watcher or (None if quiet else printing(recipe)), distributed)


def mnist_splits(recipe: Recipe) -> Splits:
    """MNIST, cut as the recipe says."""
    training, test = load_mnist()
    training, test = training.first(recipe.train_images), test.first(recipe.test_images)
    if not recipe.validation_images:
        return Splits(training, None, test)
    training, validation = training.split(recipe.validation_images)
    return Splits(training, validation, test)


def start(network: Network, recipe: Recipe) -> Progress:
    """Before the first epoch."""
    params = network.initialize(recipe.make_initializer(), recipe.seed, recipe.dtype)
    if recipe.output_scale != 1:
        params[-1] = {**params[-1], "W": params[-1]["W"] * params[-1]["W"].dtype.type(recipe.output_scale)}
    average = params if recipe.averaging else None
    return Progress(params, recipe.make_optimizer().initialize(params), average=average)


def run(
    network: Network,
    recipe: Recipe,
    splits: Splits,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    distributed: bool = False,
) -> Result:
    """Trains until the recipe's last epoch, or until it has learned enough, or until Ctrl-C."""
    check(network, recipe, splits)
    engine = make_engine(recipe, network, distributed)
    watcher = watcher or Watcher()
    progress = progress or start(network, recipe)
    if distributed:
        from pasapas.backends.distributed import agree_on

        agree_on(recipe.as_dict(), splits.training, progress.params)
    progress = placed(engine, progress)
    began = time.perf_counter()
    stopped = reason_to_stop(recipe, progress)
    params = progress.model_params
    with interruptible() as pressed:
        interrupted = agreed(pressed) if distributed else pressed
        while not stopped:
            try:
                progress = one_epoch(engine, recipe, splits, progress, watcher, interrupted)
            except Interrupted as stop:
                stopped, params = "interrupted", stop.params
                break
            params = progress.model_params
            watcher.epoch(progress)
            stopped = "interrupted" if interrupted() else reason_to_stop(recipe, progress)
    if recipe.keep == "best" and progress.best_params is not None:
        params = progress.best_params
    seconds = sum(epoch.seconds for epoch in progress.history) or time.perf_counter() - began
    test = engine.evaluate(params, splits.test) if splits.test else None
    model = Model(network, recipe.for_pixels(engine.fetch(params)))
    return Result(model, progress.history, stopped, test, seconds)


def placed(engine: Engine, progress: Progress) -> Progress:
    """`progress` with arrays of the engine's own."""
    return replace(
        progress,
        params=engine.place(progress.params),
        state=engine.place(progress.state),
        best_params=progress.best_params and engine.place(progress.best_params),
        average=progress.average and engine.place(progress.average),
    )


def check(network: Network, recipe: Recipe, splits: Splits) -> None:
    """Raises PasapasError where network, recipe and images do not fit together."""
    if recipe.drop_last and recipe.batch_size > len(splits.training):
        raise PasapasError(
            _(
                "drop_last with a batch_size of {batch} leaves out all {train} training images: choose smaller batches."
            ).format(batch=recipe.batch_size, train=len(splits.training))
        )
    if splits.validation is None and (recipe.patience or recipe.keep == "best"):
        raise PasapasError(
            _("'patience' and 'keep = best' compare epochs on validation images: set some apart, such as 5000.")
        )
    for data in (splits.training, splits.validation, splits.test):
        if data is not None:
            data.check_fits(network.sizes[0], network.sizes[-1])
    if recipe.deformation:
        recipe.deformation.check(splits.training.images)


def one_epoch(
    engine: Engine,
    recipe: Recipe,
    splits: Splits,
    progress: Progress,
    watcher: Watcher,
    interrupted: Callable[[], bool] = lambda: False,
) -> Progress:
    """One more epoch. Raises Diverged or Interrupted."""
    began = time.perf_counter()
    number = progress.epochs + 1
    plan = make_plan(recipe, len(splits.training), number)
    params, state = progress.params, progress.state
    loss_sum, correct, images, done = 0.0, 0.0, 0, 0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the loss tells, and is looked at
        for steps in engine.epoch(params, state, splits.training, plan):
            params, state = steps.params, steps.state
            for loss, right, size in zip(steps.losses, steps.correct, steps.images, strict=True):
                done += 1
                if not math.isfinite(loss):
                    raise diverged(loss, number, done, recipe.learning_rate)
                loss_sum, correct, images = loss_sum + loss * size, correct + right, images + size
            watcher.step(number, images, loss_sum / images, correct / images)
            if interrupted() and done < len(plan.batches):
                raise Interrupted(params)

        average = averaged(engine, recipe, progress, params)
        measured = params if average is None else average
        loss, accuracy = loss_sum / images, correct / images
        if recipe.training_accuracy == "after":
            accuracy = engine.evaluate(measured, splits.training)[1]
        validation_loss, validation_accuracy = measure(engine, measured, splits.validation)
        test_loss, test_accuracy = measure(
            engine, measured, splits.test if recipe.test_accuracy == "each-epoch" else None
        )
    seconds = time.perf_counter() - began
    entry = Epoch(
        epoch=number,
        loss=loss,
        accuracy=accuracy,
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        test_loss=test_loss,
        test_accuracy=test_accuracy,
        learning_rate=plan.learning_rates[-1],
        seconds=seconds,
    )
    progress = replace(progress, params=params, state=state, history=(*progress.history, entry), average=average)
    if is_best(recipe, progress):
        best = progress.model_params if recipe.keep == "best" else None
        progress = replace(progress, best_epoch=number, best_params=best)
    return progress


def diverged(loss: float, epoch: int, batch: int, learning_rate: float) -> Diverged:
    """What there is to say of a loss that is no longer finite."""
    return Diverged(
        _(
            "The loss became {loss} in epoch {epoch}, batch {batch}: try a smaller learning rate than {rate}, or smaller first weights."
        ).format(loss=loss, epoch=epoch, batch=batch, rate=short(learning_rate))
    )


def averaged(engine: Engine, recipe: Recipe, progress: Progress, params: Sequence[Params]) -> Sequence[Params] | None:
    """The running average of the parameters with those after one more epoch, or None where the recipe asks for none.

    Of t epochs it forgets the first ones sooner, by min(averaging, (1 + t) / (10 + t)): they are far from the end.
    """
    if progress.average is None:
        return None
    kept = min(recipe.averaging, (1 + progress.epochs) / (10 + progress.epochs))
    return engine.average(progress.average, params, 1 - kept)


def measure(engine: Engine, params: Sequence[Params], data: Dataset | None) -> tuple[float, float] | tuple[None, None]:
    """The loss and the accuracy over `data`, or None for both where there is nothing to measure on."""
    return (None, None) if data is None else engine.evaluate(params, data)


def is_best(recipe: Recipe, progress: Progress) -> bool:
    """Whether the last epoch is the best so far, by what the recipe monitors."""
    values = [getattr(epoch, recipe.monitor) for epoch in progress.history]
    if values[-1] is None:
        return False
    last, earlier = values[-1], values[:-1]
    if recipe.monitor == "validation_loss":
        return bool(last < min(earlier, default=math.inf))
    return bool(last > max(earlier, default=-math.inf))


def reason_to_stop(recipe: Recipe, progress: Progress) -> str:
    """Why training should end here, or an empty text."""
    if progress.history and progress.history[-1].accuracy > recipe.stop_accuracy:
        return "accuracy"
    if recipe.patience and progress.epochs - progress.best_epoch >= recipe.patience:
        return "patience"
    return "finished" if progress.epochs >= recipe.epochs else ""


def agreed(pressed: Callable[[], bool]) -> Callable[[], bool]:
    """Whether Ctrl-C came to any of the processes that train together: they must all stop at the same step."""
    from pasapas.backends.distributed import anywhere

    return lambda: anywhere(pressed())


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C into a question that training asks after each step; the second acts as usual."""
    pressed = False

    def handle(number: int, frame: Any) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, previous)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, previous)

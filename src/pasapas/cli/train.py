"""`pasapas train`."""

import inspect
import os
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from pasapas import runs, training
from pasapas.backends import make_engine
from pasapas.backends.distributed import Ended, Meeting, World, divide, is_about_others, meet
from pasapas.cli.options import NO_VALUE, Json, Lang, whole
from pasapas.cli.terminal import complain, console, print_json, say
from pasapas.errors import Diverged, PasapasError
from pasapas.files import make_folder
from pasapas.i18n import _, integer, ngettext, number, percent
from pasapas.models import MOST_MEMBERS
from pasapas.recipes import FIELDS, Recipe, load_recipe, parse_field
from pasapas.recipes import recipe as named_recipe
from pasapas.recipes.definition import as_text

_BETWEEN = 20
"""How many times the time that writing a checkpoint took passes before the next one."""


@dataclass(frozen=True)
class Order:
    """What the command line asks for; `chosen` is the recipe, unless it is that of the run to resume."""

    recipe: str | None
    changes: dict[str, Any]
    chosen: Recipe | None
    output: Path | None
    resume: Path | None
    cores: int | None
    distributed: bool
    figures: bool
    quiet: bool
    json: bool


def command() -> Callable[..., Any]:
    """The command, with an option for every field of a recipe."""

    def train(
        recipe: str | None,
        output: Path | None,
        resume: Path | None,
        members: str | None,
        threads: str | None,
        distributed: bool,
        coordinator: str | None,
        processes: str | None,
        process: str | None,
        figures: bool,
        quiet: bool,
        json: bool,
        lang: str | None,
        **options: Any,
    ) -> int:
        changes = {
            name: parse_field(name, value) if isinstance(value, str) else value
            for name, value in options.items()
            if value is not None
        }
        cores = whole("--threads", threads, 1, 1024)
        meeting = Meeting.of(
            coordinator, whole("--processes", processes, 1, 100_000), whole("--process", process, 0, 99_999)
        )
        if resume is not None and output is not None:
            raise PasapasError(_("--resume goes on in the run's own folder: leave out --output."))
        chosen = find_recipe(recipe).replace(**changes) if resume is None else None
        order = Order(recipe, changes, chosen, output, resume, cores, distributed, figures, quiet, json)
        there = runs.members_of(resume) if resume is not None else None
        several = whole("--members", members, 2, MOST_MEMBERS)
        if several or there:
            from pasapas.cli import committees  # which needs this module

            return committees.carry_out(order, several, there)
        if distributed:
            return in_processes(order, meeting)
        if coordinator is not None:
            raise PasapasError(_("--coordinator is for training in several processes: add --distributed."))
        return carry_out(order, World())

    train.__signature__ = inspect.Signature([*_own_options(), *_recipe_options()])  # type: ignore[attr-defined]
    return train


def _own_options() -> list[inspect.Parameter]:
    def option(name: str, kind: Any, default: Any, metavar: str, help: str, flag: str = "") -> inspect.Parameter:
        info = typer.Option(flag or f"--{name}", help=help, metavar=metavar, show_default=False)
        return _keyword(name, Annotated[kind, info], default)

    recipe = _("A recipe's name ('pasapas recipes' lists them) or TOML file.")
    output = _("Folder for the run; otherwise a new one in runs/.")
    resume = _("Go on with the run in this folder, from its last checkpoint.")
    members = _(
        "Train so many networks, 2 to 100, each from another seed, and make them a committee: the mean of their probabilities decides."
    )
    threads = _("Processor threads to use at most; otherwise all. The same number gives the same bits.")
    distributed = _("Share each batch among all devices: those here, and those of other processes.")
    coordinator = _(
        "Where the processes meet: a free port of the host of process 0. Slurm and Open MPI tell it themselves."
    )
    processes = _("How many processes there are; otherwise what Slurm or MPI says.")
    process = _("Which of them this one is, from 0 on; otherwise what Slurm or MPI says.")
    figures = _("Draw the run's pictures, as is usual, or leave them out.")
    return [
        option("recipe", str | None, None, _("NAME|FILE"), recipe),
        option("output", Path | None, None, _("FOLDER"), output),
        option("resume", Path | None, None, _("FOLDER"), resume),
        option("members", str | None, None, "N", members),
        option("threads", str | None, None, "N", threads),
        option("distributed", bool, False, NO_VALUE, distributed),
        option("coordinator", str | None, None, _("HOST:PORT"), coordinator),
        option("processes", str | None, None, "N", processes),
        option("process", str | None, None, "I", process),
        option("figures", bool, True, NO_VALUE, figures, "--figures/--no-figures"),
        option("quiet", bool, False, NO_VALUE, _("Print nothing but errors.")),
        _keyword("json", Json(), False),
        _keyword("lang", Lang(), None),
    ]


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _recipe_options() -> list[inspect.Parameter]:
    options = []
    for name, field in FIELDS.items():
        kind, dashed = field.metadata["kind"], name.replace("_", "-")
        help, group = field.metadata["help"], field.metadata["group"]
        flag = kind.type is bool
        annotation: Any = Annotated[
            bool | None if flag else str | None,
            typer.Option(
                f"--{dashed}/--no-{dashed}" if flag else f"--{dashed}",
                help=_(help),
                metavar=NO_VALUE if flag else "|".join(kind.choices) if kind.choices else _metavar(kind.type),
                rich_help_panel=_("Recipe: {group}").format(group=_(group)),
                show_default=False,
            ),
        ]
        options.append(_keyword(name, annotation, None))
    return options


def _metavar(type: type) -> str:
    return {int: "N", float: "X", tuple: "N,N,…"}.get(type, "…")


def find_recipe(name: str | None) -> Recipe:
    """The recipe of that name from the package, or from a TOML file."""
    if name is not None and (name.endswith(".toml") or "/" in name or Path(name).is_file()):
        return load_recipe(name)
    return named_recipe(name or "default")


def resumed(folder: Path, name: str | None, changes: dict[str, Any]) -> tuple[Recipe, training.Progress]:
    """Where the run in `folder` stood. Raises PasapasError where `name` or `changes` ask for another recipe."""
    old, progress = runs.load_checkpoint(folder)
    return agreed(folder, old, (find_recipe(name) if name is not None else old).replace(**changes)), progress


def agreed(folder: Path, old: Recipe, new: Recipe) -> Recipe:
    """`new`, if the run in `folder`, which began with `old`, can go on with it. Raises PasapasError where it cannot."""
    different = [field for field in FIELDS if getattr(old, field) != getattr(new, field)]
    if different == ["epochs"] and new.epochs > old.epochs and old.schedule in ("constant", "step"):
        return new  # what was done so far would have been the same
    if different:
        field = different[0]
        raise PasapasError(
            _(
                "The run in '{folder}' has {field} = {old}, not {new}: a run goes on only with the recipe that it began with."
            ).format(folder=folder, field=field, old=getattr(old, field), new=getattr(new, field))
        )
    return old


def terminal_for(order: Order, leads: bool = True) -> Console:
    """Where to say how training goes: nowhere if nobody is to hear."""
    speaks = leads and not order.quiet and not (order.json and not console(True).is_terminal)
    return console(error=order.json) if speaks else Console(quiet=True)


def carry_out(order: Order, world: World) -> int:
    """Trains, as one of the processes of `world`: the one that leads writes all files, and speaks."""
    terminal = terminal_for(order, world.leads)
    with handed_out(world, order.resume) as run:
        chosen, progress, splits = world.together(lambda: prepared(order, run))
        cores = order.cores or (runs.threads_of(run) if run else None)
    if world.processes > 1:
        world.agree(about(chosen, splits))
    folder = world.together(lambda: folder_for(order, world))
    with limited(cores) as used:
        if not world.leads:
            pass
        elif progress is None:
            runs.start_run(folder, chosen, {"recipe": order.recipe or "default", "threads": used})
        else:
            runs.keep_recipe(folder, chosen)
        try:
            result = train_in(folder, chosen, splits, progress, terminal, world, order.distributed)
        except Diverged:  # which came to all processes
            world.leave()
            raise
        if world.leads:
            runs.write_result(folder, chosen, result)
        world.leave()
        if world.leads and order.figures and splits.test is not None:
            with terminal.status(_("Drawing …")):
                runs.draw(folder, result, splits.test.images, splits.test.labels)
    report(terminal, folder, chosen, result)
    if world.leads and order.json:
        print_json(runs.summary(folder, result))
    return 130 if result.stopped == "interrupted" else 0


def prepared(order: Order, run: Path | None) -> tuple[Recipe, training.Progress | None, training.Splits]:
    """Recipe and images, and where training stands in the folder `run`. Raises PasapasError where they do not fit."""
    if run is None:
        assert order.chosen is not None
        chosen, progress = order.chosen, None
    else:
        chosen, progress = resumed(run, order.recipe, order.changes)
    splits = training.mnist_splits(chosen)
    training.check(chosen.network(), chosen, splits)
    if order.distributed:
        make_engine(chosen, chosen.network(), distributed=True)
    return chosen, progress, splits


def folder_for(order: Order, world: World) -> Path:
    """The folder of the run, made by the process that leads."""
    folder = order.resume
    if folder is None and world.leads:
        folder = runs.new_folder(order.output, Path(order.recipe).stem if order.recipe else "default")
    return make_folder(folder) if folder is not None and world.leads else Path()


@contextmanager
def handed_out(world: World, folder: Path | None) -> Iterator[Path | None]:
    """The run in `folder` of the process that leads; the others, which may have other disks, get a copy."""
    if folder is None or world.processes == 1:
        yield folder
        return
    with tempfile.TemporaryDirectory() as copy:
        for name in (runs.CHECKPOINT, runs.RECIPE):
            content = world.from_first(_content(folder / name) if world.leads else b"")
            if content:
                (Path(copy) / name).write_bytes(content)
        yield folder if world.leads else Path(copy)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process that leads says so, when it reads it
        return b""


def about(recipe: Recipe, splits: training.Splits) -> dict[str, Any]:
    """What all processes must have in common."""
    versions = {name: version(name) for name in ("pasapas", "jax", "jaxlib")}
    images = [data.images for data in (splits.training, splits.validation, splits.test) if data is not None]
    return {**recipe.as_dict(), **versions, "MNIST": [zlib.crc32(array.tobytes()) for array in images]}


def in_processes(order: Order, meeting: Meeting) -> int:
    """Trains on all devices, as one of the processes that `meeting` brings together."""
    if order.chosen is not None and order.chosen.engine != "jax":
        make_engine(order.chosen, order.chosen.network(), distributed=True)  # which says what to do
    parent = divide()
    if isinstance(parent, Ended):
        return complain(parent.sentence, parent.status) if parent.sentence else parent.status
    status, leads = 1, True
    try:
        world = meet(meeting)
        leads = world.leads
        parent.met()
        given = {"--resume": as_text(order.resume is not None), "--processes": meeting.processes or world.processes}
        world.agree(given)  # before anything that some of them would not do
        status = carry_out(order, world)
    except Diverged as error:
        status = complain(error, 1) if leads else 1
    except PasapasError as error:
        status = complain(error, 2)
    except KeyboardInterrupt:
        status = complain(_("Interrupted."), 130)
    except Exception as error:
        if is_about_others(error):
            parent.lost()
        else:
            traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # at once: JAX would wait for the others


@contextmanager
def limited(threads: int | None) -> Iterator[int]:
    """Holds NumPy's matrix products to that many threads; gives the number that they then use."""
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(threads, user_api="blas"):
        yield max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def train_in(
    folder: Path,
    recipe: Recipe,
    splits: training.Splits,
    progress: training.Progress | None,
    terminal: Console,
    world: World,
    distributed: bool,
) -> training.Result:
    """Trains with a progress bar, a line for each epoch, and a checkpoint after it, unless the last one is too fresh."""
    sizes = "-".join(map(str, recipe.sizes))
    images = recipe.train_images - recipe.validation_images
    say(
        terminal,
        _("Training [bold]{sizes}[/] ({activation}) on {images} images of MNIST, {epochs}, seed {seed}."),
        sizes=sizes,
        activation=recipe.activation,
        images=integer(images),
        epochs=ngettext("{n} epoch", "{n} epochs", recipe.epochs).format(n=recipe.epochs),
        seed=recipe.seed,
    )
    if distributed:
        import jax

        devices = jax.device_count()
        shared = _("Each batch is shared by {devices} in {processes}.")
        if recipe.batch_size % devices:
            shared = _(
                "Nothing is gained from {devices} in {processes}: batch_size = {batch} is no multiple of the devices, so each computes all of it."
            )
        say(
            terminal,
            shared,
            devices=ngettext("{n} device", "{n} devices", devices).format(n=devices),
            processes=ngettext("{n} process", "{n} processes", world.processes).format(n=world.processes),
            batch=recipe.batch_size,
        )
    done = progress.epochs if progress else 0
    if done:
        say(terminal, _("Going on after epoch {epoch}."), epoch=done)
    bar = ProgressBar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(compact=True),
        console=terminal,
        transient=True,
        refresh_per_second=8,
        disable=not terminal.is_terminal,
    )
    checkpoints = Checkpoints(folder, recipe, world.leads)
    with bar:
        task = bar.add_task("", total=recipe.epochs * images, completed=done * images, figures="")
        began, seen = time.perf_counter(), 0
        shown = 0.0

        def step(epoch: int, so_far: int, loss: float, accuracy: float) -> None:
            nonlocal shown
            now = time.perf_counter()
            if now - shown < 0.1 and so_far < images:
                return
            shown = now
            speed = (seen + so_far) / max(now - began, 1e-9)
            figures = _("loss {loss} · accuracy {accuracy} · {speed} images/s").format(
                loss=number(loss), accuracy=percent(accuracy), speed=integer(round(speed))
            )
            label = _("Epoch {epoch}/{epochs}").format(epoch=epoch, epochs=recipe.epochs)
            bar.update(task, completed=(epoch - 1) * images + so_far, description=label, figures=figures)

        def epoch(progress: training.Progress) -> None:
            nonlocal seen
            seen += images
            checkpoints.after(progress)
            bar.console.print(training.epoch_line(recipe, progress.history[-1]))

        try:
            watcher = training.Watcher(step, epoch)
            return training.run(recipe.network(), recipe, splits, progress, watcher, distributed)
        except Diverged as error:
            if checkpoints.last is not None or done:
                raise Diverged(
                    f"{error} " + _("The last whole epoch is kept in {folder}.").format(folder=folder)
                ) from None
            raise
        finally:
            checkpoints.finish()


class Checkpoints:
    """Keeps the last whole epoch on disk. Of epochs in quick succession it leaves out some: writing them would take longer
    than training.
    """

    def __init__(self, folder: Path, recipe: Recipe, writes: bool) -> None:
        self.folder, self.recipe, self.writes = folder, recipe, writes
        self.last: training.Progress | None = None
        self._written, self._due = True, 0.0

    def after(self, progress: training.Progress) -> None:
        """Takes note of a whole epoch, and writes it unless the last one written is too fresh."""
        self.last, self._written = progress, False
        if time.perf_counter() >= self._due:
            self.finish()

    def finish(self) -> None:
        """Writes the last whole epoch if it is not yet written."""
        if self.last is None or self._written or not self.writes:
            return
        began = time.perf_counter()
        runs.save_checkpoint(self.folder, self.recipe, self.last)
        ended = time.perf_counter()
        self._written, self._due = True, ended + _BETWEEN * (ended - began)


def report(terminal: Console, folder: Path, recipe: Recipe, result: training.Result) -> None:
    """How training ended, how good the model is, where it is, and what can be done with it."""
    epochs = len(result.history)
    reasons = {
        "interrupted": _("Interrupted after {epochs}: what was learned so far is saved."),
        "patience": _("Stopped early after {epochs}: no better one in the last {patience}."),
        "accuracy": _("Stopped after {epochs}: the training accuracy is above {accuracy}."),
    }
    if result.stopped in reasons:
        say(
            terminal,
            reasons[result.stopped],
            epochs=ngettext("{n} epoch", "{n} epochs", epochs).format(n=epochs),
            patience=recipe.patience,
            accuracy=percent(recipe.stop_accuracy, 0),
        )
    if result.test:
        say(
            terminal,
            _(
                "\n[bold]Test accuracy {accuracy}[/] on {images} images never seen in training (loss {loss}), after {seconds} s."
            ),
            accuracy=percent(result.test[1]),
            images=integer(recipe.test_images),
            loss=number(result.test[0]),
            seconds=number(result.seconds, 1),
        )
    show_next(terminal, folder, result.stopped)


def show_next(terminal: Console, folder: Path, stopped: str) -> None:
    """Where the model is, and what can be done with it."""
    say(terminal, _("Model and pictures: {folder}"), folder=folder)
    if stopped == "interrupted":
        say(terminal, _("Go on with it:      pasapas train --resume {folder}"), folder=folder)
    next_steps = _(
        "Look closer:        pasapas evaluate {folder}\nAsk it:             pasapas predict {folder} --index 0"
    )
    say(terminal, next_steps, folder=folder)

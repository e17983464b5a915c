"""`pasapas train`."""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from pasapas import runs, training
from pasapas.cli.options import NO_VALUE, Json, Lang, whole
from pasapas.cli.terminal import console, print_json, say
from pasapas.errors import Diverged, PasapasError
from pasapas.files import make_folder
from pasapas.i18n import _, integer, ngettext, number, percent
from pasapas.recipes import FIELDS, Recipe, load_recipe, parse_field
from pasapas.recipes import recipe as named_recipe


def command() -> Callable[..., Any]:
    """The command, with an option for every field of a recipe."""

    def train(
        recipe: str | None,
        output: Path | None,
        resume: Path | None,
        threads: str | None,
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
        terminal = Console(quiet=True) if quiet or (json and not console(True).is_terminal) else console(error=json)
        progress = None
        if resume is not None:
            if output is not None:
                raise PasapasError(_("--resume goes on in the run's own folder: leave out --output."))
            folder = resume
            chosen, progress = resumed(folder, recipe, changes)
            cores = cores or runs.threads_of(folder)
        else:
            chosen = find_recipe(recipe).replace(**changes)
        splits = training.mnist_splits(chosen)
        training.check(chosen.network(), chosen, splits)
        if resume is None:
            folder = runs.new_folder(output, Path(recipe).stem if recipe else "default")
        make_folder(folder)
        with limited(cores) as used:
            if progress is None:
                runs.start_run(folder, chosen, {"recipe": recipe or "default", "threads": used})
            else:
                runs.keep_recipe(folder, chosen)
            result = train_in(folder, chosen, splits, progress, terminal)
            runs.write_result(folder, chosen, result)
            if figures and splits.test is not None:
                with terminal.status(_("Drawing …")):
                    runs.draw(folder, result, splits.test.images, splits.test.labels)
        report(terminal, folder, chosen, result)
        if json:
            print_json(runs.summary(folder, result))
        return 130 if result.stopped == "interrupted" else 0

    train.__signature__ = inspect.Signature([*_own_options(), *_recipe_options()])  # type: ignore[attr-defined]
    return train


def _own_options() -> list[inspect.Parameter]:
    def option(name: str, kind: Any, default: Any, metavar: str, help: str, flag: str = "") -> inspect.Parameter:
        info = typer.Option(flag or f"--{name}", help=help, metavar=metavar, show_default=False)
        return _keyword(name, Annotated[kind, info], default)

    recipe = _("A recipe's name ('pasapas recipes' lists them) or TOML file.")
    output = _("Folder for the run; otherwise a new one in runs/.")
    resume = _("Go on with the run in this folder, from its last whole epoch.")
    threads = _("Processor threads to use; otherwise all. The same number gives the same bits.")
    figures = _("Draw the run's pictures, as is usual, or leave them out.")
    return [
        option("recipe", str | None, None, _("NAME|FILE"), recipe),
        option("output", Path | None, None, _("FOLDER"), output),
        option("resume", Path | None, None, _("FOLDER"), resume),
        option("threads", str | None, None, "N", threads),
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
    new = (find_recipe(name) if name is not None else old).replace(**changes)
    different = [field for field in FIELDS if getattr(old, field) != getattr(new, field)]
    if different == ["epochs"] and new.epochs > old.epochs and old.schedule in ("constant", "step"):
        return new, progress  # what was done so far would have been the same
    if different:
        field = different[0]
        raise PasapasError(
            _(
                "The run in '{folder}' has {field} = {old}, not {new}: a run goes on only with the recipe that it began with."
            ).format(folder=folder, field=field, old=getattr(old, field), new=getattr(new, field))
        )
    return old, progress


@contextmanager
def limited(threads: int | None) -> Iterator[int]:
    """Holds NumPy's matrix products to that many threads; gives the number that they then use."""
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(threads, user_api="blas"):
        yield max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def train_in(
    folder: Path, recipe: Recipe, splits: training.Splits, progress: training.Progress | None, terminal: Console
) -> training.Result:
    """Trains with a progress bar, a line for each epoch, and a checkpoint after it."""
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
            runs.save_checkpoint(folder, recipe, progress)
            bar.console.print(training.epoch_line(recipe, progress.history[-1]))

        try:
            return training.run(recipe.network(), recipe, splits, progress, training.Watcher(step, epoch))
        except Diverged as error:
            if (folder / runs.CHECKPOINT).exists():
                raise Diverged(
                    f"{error} " + _("The last whole epoch is kept in {folder}.").format(folder=folder)
                ) from None
            raise


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
    say(terminal, _("Model and pictures: {folder}"), folder=folder)
    if result.stopped == "interrupted":
        say(terminal, _("Go on with it:      pasapas train --resume {folder}"), folder=folder)
    next_steps = _(
        "Look closer:        pasapas evaluate {folder}\nAsk it:             pasapas predict {folder} --index 0"
    )
    say(terminal, next_steps, folder=folder)

"""`pasapas search`."""

import inspect
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from pasapas import searching, training
from pasapas.cli.options import NO_VALUE, Json, Lang, whole
from pasapas.cli.terminal import console, print_json, say, table, wrapped
from pasapas.cli.train import _keyword, _recipe_options, find_recipe
from pasapas.errors import PasapasError
from pasapas.files import make_folder
from pasapas.i18n import _, integer, ngettext, number, percent, short
from pasapas.recipes import parse_field
from pasapas.recipes.definition import as_text
from pasapas.searching import Place, Search, Trial

if TYPE_CHECKING:
    import optuna

_SHOWN = 5  # of the best trials
_FEW = 20  # complete trials, below which importances say little


def command() -> Callable[..., Any]:
    """The command, with an option for every field of a recipe."""

    def search(
        vary: list[str] | None,
        recipe: str | None,
        trials: str,
        study: str | None,
        storage: str | None,
        jobs: str,
        threads: str | None,
        pruning: bool,
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
        total = whole("--trials", trials, 1, 1_000_000) or 1
        processes = whole("--jobs", jobs, 1, 1024) or 1
        cores = whole("--threads", threads, 1, 1024)
        terminal = Console(quiet=True) if quiet or (json and not console(True).is_terminal) else console(error=json)

        chosen = find_recipe(recipe).replace(**{"monitor": "validation_accuracy", **changes})
        asked = searching.make_search(chosen, vary or [], pruning)
        for one in asked.space:
            if one.field in changes:
                raise PasapasError(
                    _("'{field}' is both given and to vary: leave out --{option} or --vary {field}.").format(
                        field=one.field, option=one.field.replace("_", "-")
                    )
                )
        splits = training.mnist_splits(asked.recipe)
        training.check(asked.recipe.network(), asked.recipe, training.Splits(splits.training, splits.validation))
        searching.import_optuna()
        folder = _folder(study, Path(recipe).stem if recipe else "default")
        place = Place(storage or str(folder / searching.JOURNAL), folder.name)
        if storage is None:
            make_folder(folder)
        opened = place.open(asked)
        make_folder(folder)

        before = searching.trials(opened, asked)
        _introduce(terminal, asked, total, place, before)
        with _Display(terminal, asked, total, before) as display:
            if processes == 1:
                stopped = searching.run(place, asked, total, threads=cores, changed=display.changed)
            else:
                each = cores or max(1, _cores() // processes)
                stopped = searching.run_processes(
                    place, asked, total, jobs=processes, threads=each, changed=display.changed
                )
        found = searching.trials(opened, asked)
        best = next(iter(searching.best_first(found, asked)), None)
        shares = searching.importances(opened)
        own = bool(chosen.validation_images)
        winner = searching.best_recipe(asked, own, best) if best else None
        searching.write(folder, asked, found, winner, _best_line(asked, best) if best else "")
        picture = _draw(terminal, folder, asked, found, shares) if figures and best else None
        report(terminal, folder, asked, found, shares, stopped, picture)
        if json:
            print_json(
                {
                    "study": place.name,
                    "folder": str(folder),
                    "monitor": asked.recipe.monitor,
                    "stopped": stopped,
                    "trials": [trial.as_dict() for trial in found],
                    "best": best.as_dict() if best else None,
                    "importances": shares or None,
                    "recipe": str(folder / searching.BEST) if best else None,
                    "figure": str(picture) if picture else None,
                }
            )
        return 130 if stopped == "interrupted" else 0 if best else 1

    search.__signature__ = inspect.Signature([*_own_options(), *_recipe_options()])  # type: ignore[attr-defined]
    return search


def _own_options() -> list[inspect.Parameter]:
    def option(name: str, kind: Any, default: Any, metavar: str, help: str, flag: str = "") -> inspect.Parameter:
        info = typer.Option(flag or f"--{name}", help=help, metavar=metavar, show_default=False)
        return _keyword(name, Annotated[kind, info], default)

    vary = _(
        "What to vary: a range low:high, by its logarithm if it spans a factor of 10 (or with :log or :linear after it), or values with / between them. Once for each field."
    )
    recipe = _("A recipe's name ('pasapas recipes' lists them) or TOML file: what does not vary.")
    trials = _("How many trainings to make in all, counting those made before; otherwise 20.")
    study = _("Name of the search, and of its folder in searches/: the same name again goes on with it.")
    storage = _("File or URL of a database, which several hosts may share; otherwise a file in the folder.")
    jobs = _("Trainings at a time, in as many processes; otherwise 1.")
    threads = _("Processor threads for each process; otherwise all, shared out among the processes.")
    pruning = _(
        "End a trial early that is worse than the median of the others at the same epoch, as is usual, or never."
    )
    figures = _("Draw what mattered, as is usual, or leave it out.")
    return [
        option("vary", list[str] | None, None, _("FIELD=VALUES"), vary),
        option("recipe", str | None, None, _("NAME|FILE"), recipe),
        option("trials", str, "20", "N", trials),
        option("study", str | None, None, _("NAME"), study),
        option("storage", str | None, None, _("FILE|URL"), storage),
        option("jobs", str, "1", "N", jobs),
        option("threads", str | None, None, "N", threads),
        option("pruning", bool, True, NO_VALUE, pruning, "--pruning/--no-pruning"),
        option("figures", bool, True, NO_VALUE, figures, "--figures/--no-figures"),
        option("quiet", bool, False, NO_VALUE, _("Print nothing but errors.")),
        _keyword("json", Json(), False),
        _keyword("lang", Lang(), None),
    ]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _folder(study: str | None, name: str) -> Path:
    """The search's folder: that of its name, or a new one named after the time and the recipe."""
    if study is None:
        stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
        names = (searching.SEARCHES / f"{stamp}-{name}{suffix}" for suffix in ("", *(f"-{i}" for i in range(2, 1000))))
        return next(path for path in names if not path.exists())
    if study in ("", ".", "..") or Path(study).name != study:
        raise PasapasError(
            _("--study takes a name, which becomes a folder in '{folder}', not '{value}'.").format(
                folder=searching.SEARCHES, value=study
            )
        )
    return searching.SEARCHES / study


def _introduce(terminal: Console, search: Search, total: int, place: Place, before: Sequence[Trial]) -> None:
    recipe = search.recipe
    _tell(
        terminal,
        _("Search [bold]{name}[/]: {trials} of {epochs} at most, on {images} images of MNIST."),
        name=place.name,
        trials=ngettext("{n} trial", "{n} trials", total).format(n=integer(total)),
        epochs=ngettext("{n} epoch", "{n} epochs", recipe.epochs).format(n=integer(recipe.epochs)),
        images=integer(recipe.train_images - recipe.validation_images),
    )
    _tell(
        terminal,
        _("Judged by {monitor} on {validation} others; the test images are never looked at."),
        monitor=_("validation accuracy") if search.by_accuracy else _("validation loss"),
        validation=integer(recipe.validation_images),
    )
    for dimension in search.space:
        say(terminal, "  {dimension}", dimension=dimension)
    done = sum(trial.finished for trial in before)
    if done:
        _tell(terminal, ngettext("Going on after {n} trial.", "Going on after {n} trials.", done), n=integer(done))


def _tell(terminal: Console, text: str, **values: object) -> None:
    """What `say` does, but in a terminal no line breaks within a word: for text without a path to be copied."""
    if terminal.is_terminal:
        text, values = wrapped(text.format(**values), terminal.width), {}
        text = text.replace("{", "{{").replace("}", "}}")
    say(terminal, text, **values)


def _score(search: Search, score: float) -> str:
    return percent(score) if search.by_accuracy else number(score)


def _values(trial: Trial) -> str:
    texts = {
        name: short(float(f"{value:.3g}")) if isinstance(value, float) else as_text(value)
        for name, value in trial.values.items()
    }
    return " · ".join(f"{name} {text}" for name, text in texts.items())


def _line(search: Search, trial: Trial) -> str:
    """One trial that has ended, in one line."""
    epochs = ngettext("{n} epoch", "{n} epochs", len(trial.curve)).format(n=len(trial.curve))
    last = next(reversed(list(trial.curve.values())), None)
    told = {
        "complete": _score(search, trial.score) if trial.score is not None else "",
        "pruned": _("pruned after {epochs} at {score}").format(
            epochs=epochs, score=_score(search, last) if last is not None else "–"
        ),
        "diverged": _("diverged after {epochs}").format(epochs=epochs),
        "impossible": _("impossible: {reason}").format(reason=trial.reason),
        "interrupted": _("interrupted after {epochs}").format(epochs=epochs),
    }
    return " · ".join([_("Trial {n}").format(n=trial.number), told[trial.state], _values(trial)])


class _Display:
    """A line for each trial that ends; in a terminal, below these, the best ones so far and a bar."""

    def __init__(self, terminal: Console, search: Search, total: int, before: Sequence[Trial]) -> None:
        self.terminal, self.search, self.total = terminal, search, total
        self.told = {trial.number for trial in before if trial.state != "running"}
        self.bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[at_work]}"),
            TimeRemainingColumn(compact=True),
            console=terminal,
        )
        self.task = self.bar.add_task("", total=total, completed=sum(trial.finished for trial in before), at_work="")
        self.live = Live(console=terminal, transient=True, refresh_per_second=4) if terminal.is_terminal else None

    def __enter__(self) -> "_Display":
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.live is not None:
            self.live.stop()

    def changed(self, study: "optuna.Study") -> None:
        """Shows how far the search is."""
        found = searching.trials(study, self.search)
        for trial in found:
            if trial.state != "running" and trial.number not in self.told:
                self.told.add(trial.number)
                _tell(self.terminal, "{line}", line=_line(self.search, trial))
        if self.live is None:
            return
        epochs = self.search.recipe.epochs
        finished = sum(trial.finished for trial in found)
        running = [trial for trial in found if trial.state == "running"]
        at_work = ", ".join(
            _("epoch {epoch}/{epochs}").format(epoch=min(len(trial.curve) + 1, epochs), epochs=epochs)
            for trial in running[:2]
        )
        self.bar.update(
            self.task,
            completed=min(finished + sum(len(trial.curve) / epochs for trial in running), self.total),
            description=_("Trial {n}/{total}").format(
                n=integer(min(finished + len(running), self.total)), total=integer(self.total)
            ),
            at_work=at_work + (", …" if len(running) > 2 else ""),
        )
        bar = Padding(self.bar, (0, 3, 0, 0))  # room for the ^C that a terminal writes
        self.live.update(Group(_best_table(self.search, searching.best_first(found, self.search)), bar))


def _best_table(search: Search, ranked: Sequence[Trial]) -> Any:
    grid = table(_("Trial"), _("accuracy") if search.by_accuracy else _("loss"), title=_("Best so far"))
    grid.add_column(_("values"))
    for trial in ranked[:_SHOWN]:
        grid.add_row(str(trial.number), _score(search, trial.score or 0.0), _values(trial))
    return grid


def _best_line(search: Search, best: Trial) -> str:
    monitor = _("validation accuracy") if search.by_accuracy else _("validation loss")
    return _("Trial {n}: {monitor} {score}").format(
        n=best.number, monitor=monitor, score=_score(search, best.score or 0.0)
    )


def _draw(terminal: Console, folder: Path, search: Search, found: Sequence[Trial], shares: dict[str, float]) -> Path:
    with terminal.status(_("Drawing …")):
        from pasapas import figures

        figures.save(figures.search_overview(search, found, shares), folder / searching.PICTURE)
    return folder / searching.PICTURE


def report(
    terminal: Console,
    folder: Path,
    search: Search,
    found: Sequence[Trial],
    shares: dict[str, float],
    stopped: str,
    picture: Path | None,
) -> None:
    """The best trials, what mattered, and what can be done with it."""
    ranked = searching.best_first(found, search)
    finished = sum(trial.finished for trial in found)
    if stopped == "interrupted":
        _tell(
            terminal,
            ngettext(
                "Interrupted after {n} trial: the same command with --study {name} goes on.",
                "Interrupted after {n} trials: the same command with --study {name} goes on.",
                finished,
            ),
            n=integer(finished),
            name=folder.name,
        )
    if not ranked:
        reason = next((trial.reason for trial in reversed(found) if trial.reason), "")
        if finished:
            _tell(terminal, _("No trial was completed. {reason}"), reason=reason)
        return
    say(terminal, "")
    _tell(
        terminal,
        _("[bold]{best}[/], the best of {complete}; ended early: {ended}."),
        best=_best_line(search, ranked[0]),
        complete=ngettext("{n} complete trial", "{n} complete trials", len(ranked)).format(n=integer(len(ranked))),
        ended=integer(finished - len(ranked)),
    )
    for name, value in ranked[0].values.items():
        say(
            terminal,
            "  {name} = {value}",
            name=name,
            value=short(value) if isinstance(value, float) else as_text(value),
        )
    if shares:
        mattered = " · ".join(f"{name} {percent(share, 0)}" for name, share in shares.items())
        _tell(terminal, _("What mattered: {shares}"), shares=mattered)
        if len(ranked) < _FEW:
            few = ngettext("{n} complete trial", "{n} complete trials", len(ranked)).format(n=integer(len(ranked)))
            _tell(terminal, _("After only {complete} this says little."), complete=few)
    if picture:
        say(terminal, _("Picture: {path}"), path=picture)
    say(terminal, _("Trials:  {path}"), path=folder / searching.TRIALS)
    _tell(
        terminal,
        _(
            "The best of many trials looks a little better on their validation images than it is. Train it, and measure it on the test images:"
        ),
    )
    say(terminal, "  pasapas train --recipe {path}", path=folder / searching.BEST)

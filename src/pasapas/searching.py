"""Searching for good values of a recipe's fields: many short trainings, judged on validation images, by Optuna.

All that is known stands in one storage, a file or a database; so a search goes on where it stopped, and any number of
processes and hosts work on it together. The test images are never looked at.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasapas import i18n, training
from pasapas.errors import Diverged, PasapasError, cannot_read, cannot_write
from pasapas.files import write_atomically
from pasapas.i18n import _
from pasapas.recipes import FIELDS, Recipe
from pasapas.recipes.definition import Kind, as_text

if TYPE_CHECKING:
    from optuna import Study
    from optuna import Trial as Asked

SEARCHES = Path("searches")
JOURNAL, BEST, TRIALS, PICTURE = "journal.log", "best.toml", "trials.csv", "search.png"
_FIXED = ("train_images", "validation_images", "test_images", "epochs", "monitor")
_LOG_FROM = 10  # a range this many times as wide as its low end is searched by its logarithm
_BEAT, _STALE = 20, 600  # seconds: how often a trial shows that it is alive, and when it is taken for lost
_FEWEST = 4  # complete trials from which importances are computed


# --- what is searched


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included; `log` spreads them evenly in their logarithm."""

    field: str
    low: float
    high: float
    log: bool

    def __str__(self) -> str:
        return f"{self.field}={self.low!r}:{self.high!r}:{'log' if self.log else 'linear'}"

    def suggest(self, trial: Asked) -> float:
        """The value that `trial` is to try."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.field, self.low, self.high, log=self.log)
        return trial.suggest_float(self.field, self.low, self.high, log=self.log)

    def value(self, stored: Any) -> Any:
        """The field's value, from what the storage holds."""
        return stored


@dataclass(frozen=True)
class Choice:
    """A few values, of any kind. The storage holds them as text, since not all databases know lists."""

    field: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.field}={'/'.join(map(as_text, self.values))}"

    def suggest(self, trial: Asked) -> Any:
        """The value that `trial` is to try."""
        return self.value(trial.suggest_categorical(self.field, [as_text(value) for value in self.values]))

    def value(self, stored: Any) -> Any:
        """The field's value, from what the storage holds."""
        return next(value for value in self.values if as_text(value) == stored)


def parse(text: str, recipe: Recipe) -> Range | Choice:
    """What `text` asks to vary in `recipe`: field=low:high, with :log or :linear after it, or field=a/b/c.

    Raises PasapasError for what the recipe does not take.
    """
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not values.strip():
        raise PasapasError(
            _(
                "'{text}' does not say what to vary: write field=low:high or field=a/b/c, such as learning_rate=0.01:0.5 or hidden=128/256,128."
            ).format(text=text)
        )
    if name in FIELDS and name in _FIXED:
        raise PasapasError(
            _("'{field}' cannot vary within a search: all its trials are judged alike.").format(field=name)
        )
    parts = values.split(":")
    if len(parts) > 1:
        return _range(text, name, parts, recipe)
    chosen = tuple(_value(recipe, name, part) for part in values.split("/"))
    if len(set(chosen)) < 2 or len(set(chosen)) < len(chosen):
        raise PasapasError(_("'{text}' needs at least two different values, with '/' between them.").format(text=text))
    return Choice(name, chosen)


def _range(text: str, name: str, parts: Sequence[str], recipe: Recipe) -> Range:
    scale = parts[2].strip().lower() if len(parts) == 3 else None
    if len(parts) > 3 or scale not in (None, "log", "linear"):
        raise PasapasError(
            _("'{text}' is no range: write field=low:high, and :log or :linear after it if need be.").format(text=text)
        )
    low, high = (_value(recipe, name, part) for part in parts[:2])
    if FIELDS[name].metadata["kind"].type not in (int, float):
        raise PasapasError(
            _("'{field}' takes no range: write the values to try with '/' between them.").format(field=name)
        )
    if not low < high:
        raise PasapasError(_("'{text}': the low end of the range must be below its high end.").format(text=text))
    if scale == "log" and low <= 0:
        raise PasapasError(_("'{text}': a logarithm needs a low end above 0.").format(text=text))
    return Range(name, low, high, scale == "log" or (scale is None and low > 0 and high / low >= _LOG_FROM))


def _value(recipe: Recipe, name: str, text: str) -> Any:
    """The value of a field in `text`. Raises PasapasError where the recipe has no such field, or cannot have it."""
    value: Any = text.strip()
    if name in FIELDS:
        kind: Kind = FIELDS[name].metadata["kind"]
        with suppress(ValueError):  # what stays text is refused in the recipe's own words
            value = {"true": True, "false": False}.get(value, value) if kind.type is bool else kind.parse(value)
    recipe.replace(**{name: value})
    return value


@dataclass(frozen=True)
class Search:
    """What is searched: the recipe, validation images and all, and what varies in it.

    Scores are the recipe's `monitor`: validation accuracies, fractions, or validation losses.
    """

    recipe: Recipe
    space: tuple[Range | Choice, ...]
    pruning: bool = True

    @property
    def by_accuracy(self) -> bool:
        """Whether a score is an accuracy, the higher the better; otherwise it is a loss."""
        return self.recipe.monitor == "validation_accuracy"

    def score(self, history: Sequence[training.Epoch]) -> float:
        """The score of the weights that the recipe keeps: those of the last epoch, or of the best."""
        scores = [float(getattr(epoch, self.recipe.monitor)) for epoch in history]
        if self.recipe.keep == "last":
            return scores[-1]
        return max(scores) if self.by_accuracy else min(scores)


def make_search(recipe: Recipe, vary: Sequence[str], pruning: bool = True) -> Search:
    """The search for the fields that the texts `vary` name. A sixth of the images, the last ones, are set apart for
    validation where the recipe sets none apart: 10,000 of MNIST's 60,000.

    Raises PasapasError for what cannot be searched.
    """
    if not recipe.validation_images:
        recipe = recipe.replace(validation_images=recipe.train_images // 6)
    if not recipe.validation_images:
        raise PasapasError(
            _("train_images = {train} leaves no images for validation: choose at least 6.").format(
                train=recipe.train_images
            )
        )
    if not vary:
        raise PasapasError(
            _(
                "A search needs to know what to vary: add --vary field=low:high or --vary field=a/b/c, such as --vary learning_rate=0.01:0.5."
            )
        )
    space = tuple(parse(text, recipe) for text in vary)
    names = [one.field for one in space]
    for name in names:
        if names.count(name) > 1:
            raise PasapasError(_("'{field}' is to vary in two ways: give one --vary for it.").format(field=name))
    return Search(recipe, space, pruning)


# --- where it is kept


@dataclass(frozen=True)
class Place:
    """Where a search is kept: a file or the URL of a database, and its name there."""

    storage: str
    name: str

    def shown(self) -> str:
        """The storage without the password that its URL may hold."""
        if "://" not in self.storage:
            return self.storage
        scheme, _colon, rest = self.storage.partition("://")
        login, at, host = rest.rpartition("@")
        return f"{scheme}://{login.partition(':')[0]}{at}{host}"

    def open(self, search: Search) -> Study:
        """The study of `search`, a new one or that which is there.

        Raises PasapasError where Optuna is missing, the storage cannot be opened, or holds another search of that name.
        """
        optuna = import_optuna()
        storage = self._storage()
        try:
            study: Study = optuna.create_study(
                study_name=self.name,
                storage=storage,
                direction="maximize" if search.by_accuracy else "minimize",
                sampler=_sampler(search.recipe.seed),
                pruner=_pruner(search),
                load_if_exists=True,
            )
            told = study.user_attrs.get("search")
            if told is None:
                if study.get_trials(deepcopy=False):
                    raise PasapasError(
                        _("'{storage}' holds a study '{name}' that is none of pasapas: choose another name.").format(
                            storage=self.shown(), name=self.name
                        )
                    )
                study.set_user_attr("search", _identity(search))
        except optuna.exceptions.StorageInternalError as error:
            raise self._lost(error) from None
        except json.JSONDecodeError:
            raise self._damaged() from None
        if told is not None:
            _same(self.name, told, search)
        return study

    def _storage(self) -> Any:
        optuna = import_optuna()
        if "://" in self.storage:
            for attempt in range(3):
                try:
                    return optuna.storages.get_storage(self.storage)
                except Exception as error:  # whatever a driver, or its absence, raises
                    if attempt == 2 or isinstance(error, ImportError):
                        raise self._lost(error) from None
                    time.sleep(0.5)  # two processes may be making the tables at the same moment
        path = Path(self.storage).absolute()
        try:
            if not path.parent.is_dir():
                raise PasapasError(_("There is no folder '{path}': create it first.").format(path=path.parent))
            # a lock that Windows and NFS have as well; others need the right to make symbolic links
            lock = optuna.storages.journal.JournalFileOpenLock(str(path))
            _mend(path, lock)
            return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path), lock))
        except OSError as error:
            raise cannot_read(self.storage, error) from None
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            if isinstance(error, PasapasError):
                raise
            raise self._damaged() from None

    def _damaged(self) -> PasapasError:
        return PasapasError(_("'{path}' is no journal of a search, or it is damaged.").format(path=self.storage))

    def _lost(self, error: Exception) -> PasapasError:
        reason = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
        reason = reason.replace(self.storage, self.shown()).rstrip(".")
        return PasapasError(
            _("The storage '{storage}' cannot be used: {reason}.").format(storage=self.shown(), reason=reason)
        )


def import_optuna() -> Any:
    """Optuna, told to be silent. Raises PasapasError where it is not installed."""
    try:
        import optuna
    except ModuleNotFoundError:
        raise PasapasError(
            _("A search needs Optuna: install it with {command}.").format(command="pip install 'pasapas[search]'")
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _mend(path: Path, lock: Any) -> None:
    """Cuts off the last line of a journal where whoever wrote it did not come to its end: the next one would be glued to it."""
    if not path.is_file():
        return
    lock.acquire()  # nobody is writing now
    try:
        with path.open("r+b") as file:
            first = file.readline(1 << 20)
            if not first.startswith(b'{"op_code"'):
                return  # no journal: `open` says so
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - (1 << 20))
            file.seek(start)
            cut = file.read().rfind(b"\n") + 1
            if cut and start + cut < end:
                file.truncate(start + cut)
    finally:
        lock.release()


def _identity(search: Search) -> dict[str, Any]:
    return {"recipe": search.recipe.as_dict(), "vary": {one.field: str(one) for one in search.space}}


def _same(name: str, told: Mapping[str, Any], search: Search) -> None:
    """Raises PasapasError unless the study was begun with this recipe and space."""
    asked = _identity(search)
    before, now = dict(told["vary"]), asked["vary"]
    nothing = _("no {field} to vary")
    different = [
        tuple(texts.get(key, nothing.format(field=key)) for texts in (before, now))
        for key in {**before, **now}
        if before.get(key) != now.get(key)
    ]
    if not different:
        defaults = Recipe().as_dict()  # fields that a later version added
        before, now = {**defaults, **told["recipe"]}, asked["recipe"]
        different = [
            (f"{key} = {as_text(before[key])}", f"{key} = {as_text(now[key])}")
            for key in FIELDS
            if before[key] != now[key]
        ]
    if different:
        old, new = different[0]
        raise PasapasError(
            _(
                "The search '{name}' was begun with {old}, not {new}: go on with what it began with, or choose another name by --study."
            ).format(name=name, old=old, new=new)
        )


def _sampler(seed: int) -> Any:
    """TPE, seeded anew for each trial by its number: one process gives the same trials, however often it stops.

    J. Bergstra et al., "Algorithms for hyper-parameter optimization", 2011. The first ten trials are drawn at random.
    """
    import numpy as np
    from optuna.samplers import BaseSampler, TPESampler

    class Seeded(BaseSampler):
        def __init__(self) -> None:
            self.tpe: BaseSampler = TPESampler(seed=seed)

        def before_trial(self, study: Any, trial: Any) -> None:
            self.tpe = TPESampler(seed=int(np.random.SeedSequence((seed, trial.number)).generate_state(1)[0]))

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            return self.tpe.infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
            return self.tpe.sample_relative(study, trial, search_space)

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return self.tpe.sample_independent(study, trial, param_name, param_distribution)

    return Seeded()


def _pruner(search: Search) -> Any:
    """After the first fifth of the epochs, ends a trial whose best epoch is worse than the median of the complete
    trials at that epoch; never before five are complete.
    """
    from optuna.pruners import MedianPruner, NopPruner

    return MedianPruner(5, search.recipe.epochs // 5 + 1) if search.pruning else NopPruner()


# --- what came of it


@dataclass(frozen=True)
class Trial:
    """One training of a search. `curve` has the score after each epoch, `score` that of a complete trial alone.

    `state` is "running", "complete", "pruned", "diverged", "impossible" (values that do not go together, or no memory
    for them) or "interrupted"; `reason` says more of the last three.
    """

    number: int
    state: str
    values: Mapping[str, Any]
    score: float | None
    curve: Mapping[int, float] = field(default_factory=dict)
    seconds: float | None = None
    reason: str = ""

    @property
    def finished(self) -> bool:
        """Whether it counts among the trials asked for."""
        return self.state not in ("running", "interrupted")

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "number": self.number,
            "state": self.state,
            "score": self.score,
            "epochs": len(self.curve),
            "seconds": self.seconds,
            "values": {name: list(v) if isinstance(v, tuple) else v for name, v in self.values.items()},
            "reason": self.reason or None,
        }


def trials(study: Study, search: Search) -> list[Trial]:
    """All trials so far, in the order in which they were begun."""
    return [
        _trial(frozen, search)
        for frozen in study.get_trials(deepcopy=False)
        if frozen.user_attrs.get("state") != "surplus"
    ]


def _trial(frozen: Any, search: Search) -> Trial:
    state = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "interrupted"}.get(frozen.state.name, "running")
    if state == "pruned":
        state = frozen.user_attrs.get("state", state)
    return Trial(
        number=frozen.number + 1,
        state=state,
        values={one.field: one.value(frozen.params[one.field]) for one in search.space if one.field in frozen.params},
        score=frozen.value if state == "complete" else None,
        curve=dict(sorted(frozen.intermediate_values.items())),
        seconds=frozen.duration.total_seconds() if frozen.duration else None,
        reason=frozen.user_attrs.get("reason", ""),
    )


def best_first(all_trials: Sequence[Trial], search: Search) -> list[Trial]:
    """The complete trials, the best first; the earlier of two with the same score."""
    complete = [trial for trial in all_trials if trial.score is not None]
    return sorted(complete, key=lambda trial: (trial.score or 0) * (-1 if search.by_accuracy else 1))


def importances(study: Study) -> dict[str, float]:
    """How much each field mattered for being among the best complete trials: shares of 1, the largest first.

    Nothing where fewer than four are complete, or all are equally good. PED-ANOVA: S. Watanabe, A. Bansal, F. Hutter,
    "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary subspaces", 2023. The best are a tenth, or
    as many more as make five of them.
    """
    import warnings

    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _FEWEST or len({trial.value for trial in complete}) == 1:
        return {}
    quantile = min(0.5, max(0.1, 5 / len(complete)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on few trials: the command says so itself
        shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=quantile))
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def best_recipe(search: Search, own_validation: bool, best: Trial) -> Recipe:
    """The recipe with the best trial's values. Unless it had validation images of its own, or compares epochs on them,
    those that the search set apart are trained on again.
    """
    chosen = search.recipe.replace(**best.values)
    if own_validation or chosen.patience or chosen.keep == "best":
        return chosen
    return chosen.replace(validation_images=0)


def write(folder: Path, search: Search, all_trials: Sequence[Trial], best: Recipe | None, heading: str) -> None:
    """Writes the trials as a table, and the best recipe, under `heading` as a comment."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    fields = [one.field for one in search.space]
    table.writerow(["trial", "state", search.recipe.monitor, "epochs", "seconds", *fields, "reason"])
    for trial in all_trials:
        values = [as_text(trial.values[name]) if name in trial.values else "" for name in fields]
        table.writerow([trial.number, trial.state, trial.score, len(trial.curve), trial.seconds, *values, trial.reason])
    write_atomically(folder / TRIALS, text.getvalue())
    if best is not None:
        write_atomically(folder / BEST, f"# {heading}\n{best.to_toml()}")


# --- doing it


class _Pruned(Exception):
    """The trial is worse than most at this epoch."""


class _Stopped(Exception):
    """The search is to end here."""


def run(
    place: Place,
    search: Search,
    total: int,
    *,
    threads: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    changed: Callable[[Study], None] = lambda study: None,
) -> str:
    """Tries until `total` trials of the study are finished, by whichever process; says "finished" or "interrupted".

    Where others work on the last ones, waits for them. `stop` is asked after each step, `changed` is called after each
    epoch and trial; `threads` is how many each matrix product may use. Raises PasapasError where the storage is lost.
    """
    from threadpoolctl import threadpool_limits

    optuna = import_optuna()
    study = place.open(search)
    splits = training.mnist_splits(search.recipe)
    splits = training.Splits(splits.training, splits.validation)  # the test images stay unseen
    try:
        with threadpool_limits(threads, user_api="blas"), training.interruptible() as interrupted:
            while True:
                counted, finished = _counted(study)
                if finished >= total:
                    return "finished"
                if stop() or interrupted():
                    return "interrupted"
                if len(counted) < total:
                    state = _try(study, search, total, splits, stop, changed)
                    if state == "interrupted":
                        return state
                else:
                    time.sleep(0.5)
                changed(study)
    except optuna.exceptions.StorageInternalError as error:
        raise place._lost(error) from None
    except json.JSONDecodeError:
        raise place._damaged() from None
    except OSError as error:
        raise cannot_write(place.shown(), error) from None


def run_processes(
    place: Place,
    search: Search,
    total: int,
    *,
    jobs: int,
    threads: int | None = None,
    changed: Callable[[Study], None] = lambda study: None,
) -> str:
    """What `run` does, in `jobs` processes of this machine."""
    from multiprocessing import get_context

    study = place.open(search)
    context = get_context("spawn")
    stop = context.Event()
    arguments = (place, search, total, threads, i18n.language(), stop)
    workers = [context.Process(target=_work, args=arguments, daemon=True) for _i in range(jobs)]
    with training.interruptible() as interrupted:
        with _deaf():
            for worker in workers:
                worker.start()
        while any(worker.is_alive() for worker in workers):
            if interrupted():
                stop.set()
            changed(study)
            time.sleep(0.2)
        changed(study)
        if interrupted():
            return "interrupted"
    if _counted(study)[1] < total:
        raise PasapasError(_("The processes of the search ended before it was over; the same command goes on with it."))
    return "finished"


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started here take no notice of Ctrl-C, which goes to all at once: they are told to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(place: Place, search: Search, total: int, threads: int | None, language: str, stop: Any) -> None:
    """One of the processes. It ends with the one that started it."""
    from multiprocessing import parent_process

    i18n.activate(language)
    parent = parent_process()
    asked = 0.0

    def ended() -> bool:
        nonlocal asked
        if parent is not None and time.monotonic() - asked > 1:
            asked = time.monotonic()
            if not parent.is_alive():
                return True
        return bool(stop.is_set())

    run(place, search, total, threads=threads, stop=ended)


def _try(
    study: Study,
    search: Search,
    total: int,
    splits: training.Splits,
    stop: Callable[[], bool],
    changed: Callable[[Study], None],
) -> str:
    """One trial, from its values to its score; returns its state."""
    import optuna

    trial = study.ask()
    try:
        _beat(trial)
        # two processes may both have found one trial missing: that with the lower number makes it
        if sum(number < trial.number for number in _counted(study)[0]) >= total:
            return _tell(study, trial, "surplus")
        beaten = time.monotonic()

        def step(epoch: int, images: int, loss: float, accuracy: float) -> None:
            nonlocal beaten
            if stop():
                raise _Stopped
            if time.monotonic() - beaten > _BEAT:
                beaten = time.monotonic()
                _beat(trial)

        def epoch(progress: training.Progress) -> None:
            trial.report(float(getattr(progress.history[-1], search.recipe.monitor)), progress.epochs)
            changed(study)
            if search.pruning and progress.epochs < search.recipe.epochs and trial.should_prune():
                raise _Pruned

        try:
            chosen = search.recipe.replace(**{one.field: one.suggest(trial) for one in search.space})
            result = training.run(chosen.network(), chosen, splits, None, training.Watcher(step, epoch))
        except _Pruned:
            return _tell(study, trial, "pruned")
        except Diverged as error:
            return _tell(study, trial, "diverged", reason=str(error))
        except PasapasError as error:
            return _tell(study, trial, "impossible", reason=str(error))
        except MemoryError:
            return _tell(study, trial, "impossible", reason=_("There is not enough memory for it."))
        if result.stopped == "interrupted":
            raise _Stopped
        score = search.score(result.history)
        if not math.isfinite(score):
            return _tell(study, trial, "diverged", reason=_("The score is not a finite number."))
        return _tell(study, trial, "complete", score)
    except optuna.exceptions.UpdateFinishedTrialError:
        return "lost"  # no sign of life for so long that another process has begun it again
    except (_Stopped, KeyboardInterrupt):
        return _tell(study, trial, "interrupted")
    except BaseException:
        _tell(study, trial, "interrupted")
        raise


def _tell(study: Study, trial: Asked, state: str, score: float | None = None, reason: str = "") -> str:
    """Ends a trial. What diverges counts as pruned, not failed: the sampler learns to keep away from there."""
    from optuna.trial import TrialState

    trial.set_user_attr("state", state)
    if reason:
        trial.set_user_attr("reason", reason)
    failed = state in ("interrupted", "surplus")
    end = TrialState.COMPLETE if score is not None else TrialState.FAIL if failed else TrialState.PRUNED
    study.tell(trial, score, end, skip_if_finished=True)
    return state


def _beat(trial: Asked) -> None:
    """Notes who works on a trial, and that it does so now."""
    trial.set_user_attr("worker", {"host": socket.gethostname(), "pid": os.getpid(), "time": time.time()})


def _alive(frozen: Any) -> bool:
    """Whether somebody still works on a running trial: a process here exists, another one was heard of lately."""
    worker = frozen.user_attrs.get("worker")
    if worker is None:  # only just begun
        return bool(time.time() - frozen.datetime_start.timestamp() < _STALE)
    if worker["host"] == socket.gethostname() and os.name == "posix":
        try:
            os.kill(worker["pid"], 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it exists, and is somebody else's
    return bool(time.time() - worker["time"] < _STALE)


def _counted(study: Study) -> tuple[list[int], int]:
    """The numbers of the trials that are finished or at work, and how many are finished; lost ones are given up."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    counted, finished = [], 0
    for frozen in study.get_trials(deepcopy=False):
        if frozen.state in (TrialState.COMPLETE, TrialState.PRUNED):
            finished += 1
            counted.append(frozen.number)
        elif frozen.state == TrialState.RUNNING:
            if _alive(frozen):
                counted.append(frozen.number)
            else:
                with suppress(UpdateFinishedTrialError):  # another process was faster
                    study.tell(frozen.number, state=TrialState.FAIL, skip_if_finished=True)
    return counted, finished

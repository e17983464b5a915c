"""The view Train: one or two trainings, batch by batch, from the same start."""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pasapas.errors import PasapasError
from pasapas.i18n import N_, _
from pasapas.views.bench import Bench, mnist
from pasapas.views.packing import packed_bytes
from pasapas.views.train_run import HARD, HELD_OUT, PROBE, Run
from pasapas.views.train_settings import checked, command_of, described, recipe_of
from pasapas.views.train_words import words
from pasapas.views.view import View

_LABELS = {"a": N_("run A"), "b": N_("run B")}


class TrainView(View):
    """Trains a run A, and a run B beside it: the same number of batches each, one after the other.

    `advance` does the work. Whoever asks goes first: `advance` begins no further slice while a question waits.
    """

    name = "train"
    asks: ClassVar[tuple[str, ...]] = (
        "setup", "start", "pause", "batch", "epoch", "rewind", "rate", "units", "hardest", "save", "figures",
    )  # fmt: skip

    def __init__(self, bench: Bench | None = None) -> None:
        super().__init__(bench)
        self._door = threading.RLock()
        self._settings: dict[str, dict[str, Any]] = {}
        self._runs: dict[str, Run] = {}
        self._until: float | None = None  # so many batches are wanted of each run
        self._turn = 0  # counts the starts, so that late news of an earlier one are known

    def about(self) -> dict[str, Any]:
        """Words, settings with their bounds, and the settings of the runs that are there."""
        with self._mine():
            current = {"a": None, "b": None, **self._settings}
        return {
            **super().about(),
            "settings": described(),
            "current": current,
            "images": {"heldOut": HELD_OUT, "probe": PROBE, "hard": HARD},
        }

    def texts(self) -> dict[str, str]:
        """Every word of the page by a name."""
        return words()

    def answer(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """See `View.answer`."""
        with self._door:
            return super().answer(kind, fields)

    @contextmanager
    def _mine(self) -> Iterator[None]:
        """The view for itself, before `advance` goes on."""
        with self._door, self.lock:
            yield

    # What is asked

    def setup(self, a: Mapping[str, Any], b: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Runs of these settings, as they begin; runs that have just these settings stay where they are.

        Raises PasapasError for settings that cannot be.
        """
        wanted = {"a": checked(a)} | ({} if b is None else {"b": checked(b)})
        self._until = None
        if wanted != self._settings:
            # both anew, as they are to begin together; nothing is given up where one cannot be made
            runs = {key: Run(recipe_of(settings), *mnist()) for key, settings in wanted.items()}
            self._runs, self._settings = runs, wanted
            self._turn += 1
        return self._state()

    def start(self) -> dict[str, Any]:
        """Goes on until `pause`."""
        return self._go(math.inf)

    def pause(self) -> dict[str, Any]:
        """Stops after the step under way."""
        self._until = None
        self._publish()
        return {"running": False}

    def batch(self) -> dict[str, Any]:
        """One more batch of each run."""
        return self._go(self._batches() + 1)

    def epoch(self) -> dict[str, Any]:
        """On to the end of the epoch of run A, or of B where A came to grief: B does as many batches."""
        runs = [run for run in self._runs.values() if not run.failed]
        if not runs:
            return self._go(0)
        left = runs[0].per_epoch - runs[0].in_epoch
        return self._go(runs[0].batches + (left or runs[0].per_epoch))

    def rewind(self) -> dict[str, Any]:
        """Back to the same first weights and the same order of images."""
        self._until = None
        for run in self._runs.values():
            run.rewind()
        self._turn += 1
        return self._state()

    def rate(self, run: str, value: float) -> dict[str, Any]:
        """Another learning rate, from the next step on, also while it runs."""
        one = self._run(run)
        settings = checked({**self._settings[run], "learning_rate": value})
        self._settings[run] = settings
        one.set_rate(settings["learning_rate"])
        return {
            "learning_rate": one.recipe.learning_rate,
            "rate_changed": len(one.rates) > 1,
            "command": command_of(one.recipe),
        }

    def units(self, run: str) -> dict[str, Any]:
        """The weights of the first layer's units."""
        return self._run(run).units()

    def hardest(self, run: str) -> dict[str, Any]:
        """The test images with the highest loss; none where the run came to grief."""
        one = self._run(run)
        return {"images": [] if one.failed else one.hardest()}

    def save(self, run: str) -> dict[str, Any]:
        """The run's network: the name and the bytes of a file."""
        one = self._run(run)
        if one.failed:
            raise PasapasError(
                _("This run has no network worth keeping: its loss is no longer a number. Rewind first.")
            )
        self._publish()
        with tempfile.TemporaryDirectory(prefix="pasapas-") as folder:
            path = one.model().save(Path(folder) / "model.safetensors")
            return {"name": f"run-{run}-{one.batches}.safetensors", "content": packed_bytes(path.read_bytes())}

    def figures(self) -> dict[str, Any]:
        """All that the charts show, as a table: the name and the bytes of a CSV file."""
        lines = ["run,batch,quantity,value"]
        for key, run in self._runs.items():
            for batch, loss, accuracy in run.losses.rows():
                lines += [f"{key},{batch},training loss,{loss!r}", f"{key},{batch},training accuracy,{accuracy!r}"]
            for row in run.measures.rows:
                named = {"test loss": row["loss"], "test accuracy": row["accuracy"]}
                named |= {f"norm of dL/dW{k}": value for k, value in enumerate(row["gradients"], 1)}
                named |= {f"off in layer {k}": value for k, value in enumerate(row["off"], 1)}
                lines += [
                    f"{key},{row['batch']},{name},{value!r}" for name, value in named.items() if value is not None
                ]
        return {"name": "training.csv", "content": packed_bytes("\n".join([*lines, ""]).encode())}

    # What goes on

    @property
    def running(self) -> bool:
        """Whether a run has batches to do."""
        until = self._until
        return until is not None and any(run.due(until) for run in self._runs.values())

    def advance(self, seconds: float) -> None:
        """Trains for about so many seconds, one step at least. Does nothing while a question takes longer than that."""
        if not self._door.acquire(timeout=seconds):
            return
        self._door.release()
        with self.lock, _one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            end = time.monotonic() + seconds
            while (until := self._until) is not None:  # once: `close` may come from another thread
                due = [run for run in self._runs.values() if run.due(until)]
                if not due:
                    break
                min(due, key=lambda run: run.batches).work()
                if time.monotonic() >= end:
                    break
            if self._until is not None and not self.running:
                self._until = None
                self._publish()

    def news(self) -> dict[str, Any] | None:
        """Where the runs stand, and what was measured since `news` was asked last."""
        with self._mine():
            if not self._runs:
                return None
            runs = {key: run.news() for key, run in self._runs.items()}
            return {"turn": self._turn, "running": self.running, "runs": runs}

    def close(self) -> None:
        """Nothing runs any more."""
        self._until = None

    def _state(self) -> dict[str, Any]:
        """Everything, from the beginning."""
        return {
            "turn": self._turn,
            "running": self.running,
            "settings": {"a": None, "b": None, **self._settings},
            "runs": {key: run.news(whole=True) for key, run in self._runs.items()},
            "commands": {key: command_of(run.recipe) for key, run in self._runs.items()},
            "architectures": {key: "-".join(map(str, run.network.sizes)) for key, run in self._runs.items()},
        }

    def _go(self, until: float) -> dict[str, Any]:
        if not self._runs:
            self.setup({})
        self._until = until
        return {"running": self.running}

    def _batches(self) -> int:
        return max((run.batches for run in self._runs.values()), default=0)

    def _run(self, key: str) -> Run:
        if key not in self._runs:
            raise PasapasError(
                _("There is no run '{key}' here: the runs are {known}.").format(
                    key=str(key)[:20], known=", ".join(self._runs) or "∅"
                )
            )
        return self._runs[key]

    def _publish(self) -> None:
        """Lets the other views choose the networks as they are now."""
        for key, run in self._runs.items():
            if run.batches and not run.failed:
                self.bench.put(f"run-{key}", _LABELS[key], run.model())


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _one_thread() -> Any:
    """One thread for the BLAS: there may be many who train, and as many who draw; and one rounds the same everywhere."""
    try:
        return _blas().limit(limits=1)
    except ImportError:
        return nullcontext()

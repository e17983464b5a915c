"""Trains for all sessions in one thread, slice by slice: many that train cannot starve those that draw, nor one another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pasapas.i18n import speaking
from pasapas.views.view import View

SLICE = 0.02
"""Seconds for one view before another has its turn: one step at least."""

_log = logging.getLogger(__name__)


@dataclass
class _Job:
    tell: Callable[[], None]
    language: str
    used: float  # seconds, counted from those of whoever had had least when it came


class Trainer:
    """Advances the views that run: next is always the one that has had the least time, so that all get as much.

    `tell` of each is called, in the trainer's thread, after each of its slices.
    """

    def __init__(self) -> None:
        self._jobs: dict[View, _Job] = {}
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="pasapas-trainer", daemon=True)
        self._thread.start()

    def run(self, view: View, tell: Callable[[], None], language: str) -> None:
        """Advances `view` for as long as it runs."""
        with self._wake:
            there = self._jobs.get(view)
            used = there.used if there else min((job.used for job in self._jobs.values()), default=0.0)
            self._jobs[view] = _Job(tell, language, used)
            self._wake.notify()

    def stop(self, view: View) -> None:
        """Advances `view` no more."""
        with self._wake:
            self._jobs.pop(view, None)

    def close(self) -> None:
        """Ends the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._jobs or self._closed)
                if self._closed:
                    return
                view, job = min(self._jobs.items(), key=lambda item: item[1].used)
            began = time.monotonic()
            try:
                with speaking(job.language):
                    view.advance(SLICE)
            except Exception:  # one reader's trouble must not end the training of all others
                _log.exception("A training stopped")
                view.close()
            with self._wake:
                job.used += time.monotonic() - began
                # looked at here, so that whoever starts it again meanwhile is not forgotten
                if not view.running:
                    self._jobs.pop(view, None)
            try:
                job.tell()
            except RuntimeError:  # its event loop has ended
                self.stop(view)

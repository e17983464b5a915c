"""Trains for all sessions in one thread, a slice of time each in turn: many that train cannot starve those that draw."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pasapas.i18n import speaking
from pasapas.views.view import View

SLICE = 0.02
"""Seconds for one view before the next has its turn: one step at least."""

_log = logging.getLogger(__name__)


class Trainer:
    """Advances the views that run. `tell` of each is called, in the trainer's thread, after each of its slices."""

    def __init__(self) -> None:
        self._jobs: dict[View, tuple[Callable[[], None], str]] = {}
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="pasapas-trainer", daemon=True)
        self._thread.start()

    def run(self, view: View, tell: Callable[[], None], language: str) -> None:
        """Advances `view` for as long as it runs."""
        with self._wake:
            self._jobs[view] = tell, language
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
                jobs = list(self._jobs.items())
            for view, (tell, language) in jobs:
                try:
                    with speaking(language):
                        view.advance(SLICE)
                    tell()
                except Exception:  # one reader's trouble must not end the training of all others
                    _log.exception("A training stopped")
                    view.close()
                if not view.running:
                    self.stop(view)

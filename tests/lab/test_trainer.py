"""One thread trains for all: nobody's trouble is another's, and nobody's slowness either."""

from __future__ import annotations

import threading
import time

import pytest

from pasapas.i18n import language
from pasapas.lab.trainer import Trainer
from pasapas.views.view import View


class Working(View):
    """A view that works for as long as it is told to."""

    def __init__(self, step: float = 0.001, until: float = float("inf")) -> None:
        super().__init__()
        self.step, self.until, self.going = step, until, True
        self.used, self.slices, self.told = 0.0, 0, 0
        self.languages: set[str] = set()
        self.enough = threading.Event()

    @property
    def running(self) -> bool:
        return self.going and self.slices < self.until

    def advance(self, seconds: float) -> None:
        began = time.monotonic()
        while time.monotonic() - began < max(seconds, self.step):
            time.sleep(self.step)
        self.slices += 1
        self.used += time.monotonic() - began
        self.languages.add(language())

    def tell(self) -> None:
        self.told += 1
        if not self.running or self.used > 0.5:
            self.enough.set()

    def close(self) -> None:
        self.going = False


class Failing(Working):
    def advance(self, seconds: float) -> None:
        raise ArithmeticError


@pytest.fixture
def trainer():
    one = Trainer()
    yield one
    one.close()


def test_a_slow_step_takes_no_more_time_than_quick_ones(trainer):
    slow, quick = Working(step=0.15), [Working(), Working()]
    for view in (slow, *quick):
        trainer.run(view, view.tell, "en")
    assert all(view.enough.wait(20) for view in quick)
    used = [view.used for view in (slow, *quick)]
    assert max(used) - min(used) < 0.2  # a step of the slow one
    assert slow.slices < quick[0].slices


def test_one_that_comes_later_does_not_make_the_others_wait(trainer):
    first = Working()
    trainer.run(first, first.tell, "en")
    assert first.enough.wait(20)
    later, before = Working(), first.slices
    trainer.run(later, later.tell, "en")
    assert later.enough.wait(20)
    assert first.slices > before + later.slices / 4


def test_one_that_fails_is_closed_and_told(trainer, caplog):
    bad, good = Failing(), Working(until=10)
    trainer.run(bad, bad.tell, "en")
    trainer.run(good, good.tell, "fr")
    assert good.enough.wait(20)
    assert good.slices == good.told == 10
    assert good.languages == {"fr"}
    assert bad.enough.wait(20)
    assert not bad.running
    assert "A training stopped" in caplog.text
    again = Working(until=2)
    trainer.run(again, again.tell, "en")
    assert again.enough.wait(20), "the thread goes on"


def test_one_whose_page_has_gone_is_dropped(trainer):
    gone = Working()

    def tell() -> None:
        raise RuntimeError("Event loop is closed")

    trainer.run(gone, tell, "en")
    other = Working(until=5)
    trainer.run(other, other.tell, "en")
    assert other.enough.wait(20)
    assert gone.slices == 1


def test_stopping_and_starting_again(trainer):
    view = Working(until=3)
    trainer.run(view, view.tell, "en")
    assert view.enough.wait(20)
    view.enough.clear()
    view.until = 6
    trainer.run(view, view.tell, "en")
    assert view.enough.wait(20)
    assert view.slices == 6


def test_closing_ends_the_thread():
    one = Trainer()
    view = Working()
    one.run(view, view.tell, "en")
    assert view.enough.wait(20)
    one.close()
    assert not one._thread.is_alive()

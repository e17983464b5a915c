"""Several submissions are parsed at the same time."""

from __future__ import annotations

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

from pasapas.doctor.programs import program
from pasapas.doctor.syntax import parse


class _Slow:
    """Collected in the middle of the parser's work, it lets the other thread in."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        sum(range(2000))


def test_two_threads():
    source = program("classe")

    def some(_thread: int) -> None:
        for _ in range(200):
            for _ in range(50):
                _Slow()
            parse(source)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(some, range(2)))
    finally:
        sys.setswitchinterval(interval)


def test_warnings_are_not_for_the_teacher():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        parse("x = 1\nx is 1\n'\\d'")
    assert said == []

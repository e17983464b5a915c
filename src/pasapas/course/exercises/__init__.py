"""The exercises of the lessons, a file for each: `EXERCISES` in their order."""

from __future__ import annotations

from importlib import import_module

from pasapas.course.judging import Exercise


def exercises_of(number: int) -> tuple[Exercise, ...]:
    """The exercises of lesson `number`."""
    found: tuple[Exercise, ...] = import_module(f"{__name__}.lesson_{number}").EXERCISES
    return found

"""Right programs as learners write them, each in a style of its own: what mistakes are planted in.

They are text, read and handed out, and never imported by the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from pasapas.errors import PasapasError, nearest
from pasapas.i18n import _


@cache
def names() -> tuple[str, ...]:
    """The names of the programs, sorted."""
    files = (file.name for file in resources.files(__name__).iterdir())
    return tuple(sorted(name[:-3] for name in files if name.endswith(".py") and name != "__init__.py"))


@cache
def program(name: str) -> str:
    """The source text of a program. Raises PasapasError where there is none of that name."""
    if name not in names():
        raise PasapasError(
            _("There is no program '{name}': choose one of {names}.").format(name=name, names=", ".join(names()))
            + nearest(name, names())
        )
    return (resources.files(__name__) / f"{name}.py").read_text(encoding="utf-8")


def planted(name: str, edits: Mapping[str, str]) -> str:
    """The text of a program with each old text replaced by its new one.

    Raises ValueError where an old text does not stand in the right program exactly once, or where two overlap.
    """
    text = program(name)
    places = []
    for old in edits:
        if text.count(old) != 1:
            raise ValueError(f"{name} has this text {text.count(old)} times, not once: {old!r}")
        places.append((text.index(old), old))
    places.sort(reverse=True)
    end = len(text)
    for start, old in places:
        if start + len(old) > end:
            raise ValueError(f"{name}: two edits overlap at {old!r}")
        text = text[:start] + edits[old] + text[start + len(old) :]
        end = start
    return text

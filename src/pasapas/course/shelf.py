"""The lessons that ship with the package, and how they get to where the reader works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pasapas.doctor.texts import LESSONS
from pasapas.errors import PasapasError, nearest
from pasapas.files import make_folder, write_atomically
from pasapas.i18n import _, language

FOLDER = Path("pasapas-course")
"""Where lessons are copied unless another folder is named."""

_SHELF = Path(__file__).parent


@dataclass(frozen=True)
class Copied:
    """What became of a file: `kept` where the reader has one of that name already."""

    path: Path
    kept: bool


def find(word: str) -> str:
    """The name of the lesson that is meant by "3", "3-backpropagation" or "backprop".

    Raises PasapasError where no lesson is meant, or several are.
    """
    word = word.removesuffix(".ipynb").lower()
    found = [name for name in LESSONS if word == name.split("-")[0]] or [name for name in LESSONS if word in name]
    if len(found) != 1 or not word:
        raise PasapasError(
            _("There is no lesson '{word}': say a number from 1 to {last}, or a name, or 'all'.").format(
                word=word, last=len(LESSONS)
            )
            + nearest(word, LESSONS)
        )
    return found[0]


def files_of(name: str, teacher: bool = False) -> list[Path]:
    """The files of a lesson, in the language spoken now, relative to the shelf of that language."""
    found = [Path(f"{name}.ipynb")]
    if teacher:
        found += [Path("solutions", f"{name}.ipynb"), Path("teacher", f"{name}.md")]
    return found


def copy(names: Sequence[str], folder: Path, teacher: bool = False) -> list[Copied]:
    """Puts lessons into `folder`, made if need be. A file that is there stays as it is: it may hold a learner's work.

    Raises PasapasError where the folder cannot be written in.
    """
    copied = []
    for name in names:
        for file in files_of(name, teacher):
            target = folder / file
            make_folder(target.parent)
            kept = target.exists()
            if not kept:
                write_atomically(target, (_SHELF / language() / file).read_bytes())
            copied.append(Copied(target, kept))
    return copied

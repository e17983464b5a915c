"""What goes wrong, said in one sentence: what, what was expected, what came, and what to do."""

from __future__ import annotations

import errno
from collections.abc import Collection
from pathlib import Path

from pasapas.i18n import N_, _


class PasapasError(ValueError):
    """Something that the caller can put right. The message is one sentence in the reader's language."""


class Diverged(PasapasError):
    """Training was stopped because its loss was no longer a finite number."""


def nearest(word: str, words: Collection[str]) -> str:
    """ " Did you mean …?" for the nearest of `words`, or an empty text where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return " " + _("Did you mean '{word}'?").format(word=near[0]) if near else ""


def one_of(what: str, value: str, choices: Collection[str]) -> str:
    """`value` if it is one of `choices`; otherwise raises PasapasError, naming the nearest."""
    if value in choices:
        return value
    raise PasapasError(
        _("Unknown {what} '{value}': choose one of {choices}.").format(
            what=what, value=value, choices=", ".join(choices)
        )
        + nearest(str(value), choices)
    )


_REASONS = {
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("the disk quota is used up"),
    errno.EFBIG: N_("the file would be larger than is allowed here"),
    errno.EACCES: N_("permission is missing"),
    errno.EPERM: N_("permission is missing"),
    errno.EROFS: N_("the disk can only be read"),
    errno.EISDIR: N_("it is a folder"),
    errno.ENOTDIR: N_("a part of the path is a file, not a folder"),
    errno.ENOENT: N_("there is no such file or folder"),
    errno.EEXIST: N_("it exists already"),
    errno.ENAMETOOLONG: N_("the name is too long"),
}


def reason(error: OSError) -> str:
    """Why the system refused, in the reader's language where it is a common reason."""
    return _(_REASONS[error.errno]) if error.errno in _REASONS else str(error.strerror or error)


def cannot_read(path: str | Path, error: OSError) -> PasapasError:
    """The error to raise where a file cannot be read."""
    if error.errno == errno.ENOENT:
        return PasapasError(_("There is no file '{path}'.").format(path=path))
    return PasapasError(_("Cannot read '{path}': {reason}.").format(path=path, reason=reason(error)))


def cannot_write(path: str | Path, error: OSError) -> PasapasError:
    """The error to raise where a file or folder cannot be written."""
    return PasapasError(_("Cannot write '{path}': {reason}.").format(path=path, reason=reason(error)))

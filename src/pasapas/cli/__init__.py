"""The command line: thin commands over the package. `main` is what `pasapas` runs."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence

from pasapas import i18n


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 training failed, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # the language must be known before the commands, whose help is text too, are made
    i18n.activate(_language(arguments))
    from pasapas.cli.app import run

    try:
        status = run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # as in `pasapas recipes | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _language(arguments: Sequence[str]) -> str | None:
    for argument, following in itertools.pairwise([*arguments, ""]):
        option, equals, value = argument.partition("=")
        if option == "--lang":
            chosen = value if equals else following
            return chosen if chosen in i18n.LANGUAGES else None
    return None

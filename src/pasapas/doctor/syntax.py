"""Python's own parser, for one thread at a time."""

from __future__ import annotations

import ast
import threading
import warnings

_one_at_a_time = threading.Lock()


def parse(source: str) -> ast.Module:
    """What `ast.parse` gives, without its warnings ("\\d" in a string, `x is 1`).

    Before Python 3.11.9 and 3.12.3 the parser counts its depth for the whole process: two threads in it make it
    raise SystemError (https://github.com/python/cpython/issues/106905). So do filters of warnings belong to all.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)

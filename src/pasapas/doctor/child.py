"""The process in which a learner's code runs: it loads the code, and then does what it is asked, until the pipe closes.

Started by `process.py`. What it needs to answer is taken hold of before the learner's code runs, which may replace what
it likes in `builtins`, `os` or `json`.
"""

from __future__ import annotations

import builtins
import os
import random
import sys
from collections.abc import Callable
from typing import Any

from pasapas.doctor import guard, stubs, wire
from pasapas.doctor.session import FILE, Failure, Outcome, Session

METHODS = ("call", "run", "look", "put", "hold", "supply", "define")
_read, _write, _exit = os.read, os.write, os._exit


def main(parent: int) -> None:
    """Serves the process `parent` over what are descriptors 0 and 1 at the start."""
    requests, answers = _out_of_reach(0), _out_of_reach(1)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    guard.die_with_parent(parent)
    serve(requests, answers)


def _out_of_reach(descriptor: int) -> int:
    """A copy of a descriptor with a high number that is not easily guessed."""
    try:
        import fcntl
    except ImportError:  # Windows
        return os.dup(descriptor)
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, random.SystemRandom().randrange(100, 200))


def serve(requests: int, answers: int) -> None:
    """Answers requests. The first is the code to load."""
    token, (source, name, folder, seconds, load_seconds, memory) = _receive(requests)
    guard.limit(seconds, memory)
    imports = stubs.install(source, FILE, folder)
    session = Session()
    vars(builtins)["__file__"] = os.path.join(os.getcwd(), name)
    sys.argv = [name]
    guard.watch_over(os.getcwd())
    restore = _keeper(vars(builtins))
    answer: Any = (session.load(source, load_seconds), imports.missing)
    while True:
        restore()
        _send(answers, token, answer)
        token, (method, args, kwargs) = _receive(requests)
        answer = _answer(session, method, args, kwargs, restore)


def _keeper(names: dict[str, Any]) -> Callable[[], None]:
    """A function that puts back what these names stand for now."""
    kept = dict(names)
    update, refill = names.update, kept.items

    def restore() -> None:
        update(refill())

    return restore


def _answer(session: Session, method: str, args: Any, kwargs: Any, restore: Callable[[], None]) -> Any:
    try:
        return getattr(session, method)(*args, **kwargs)
    except BaseException as error:
        restore()
        failure = Failure(type(error).__name__, repr(error)[:500])
        return Outcome(failure=failure) if method in ("call", "run") else failure


def _receive(requests: int) -> tuple[bytes, Any]:
    prefix = _take(requests, wire.PREFIX.size)
    token = prefix[: wire.TOKEN]
    header, data = wire.lengths(prefix, token)
    return token, wire.unpack(_take(requests, header), _take(requests, data))


def _take(requests: int, n: int) -> bytes:
    parts = []
    while n > 0:
        part = _read(requests, min(n, 1 << 20))
        if not part:
            _exit(0)  # the doctor has closed the pipe
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def _send(answers: int, token: bytes, answer: Any) -> None:
    try:
        message = wire.pack(token, answer)
    except Exception as error:
        failure = Failure(type(error).__name__, "the result is too large to be looked at")
        message = wire.pack(token, Outcome(failure=failure) if isinstance(answer, Outcome) else None)
    rest = memoryview(message)
    while rest:
        rest = rest[_write(answers, rest[: 1 << 20]) :]

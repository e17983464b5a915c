"""Runs a learner's code in a process of its own, with limits, and asks it what a `Session` is asked.

Each child has a fresh scratch folder, an environment with nothing of ours, no terminal, and bounds on time, memory,
files and processes. Messages go over pipes of their own (`wire.py`), never over what the code prints to.

What this does not protect against: code that means harm. The child runs as the same user on the same machine; it can
read that user's files, and code that goes round Python (by ctypes, for instance) can do whatever that user can: write
elsewhere, use the network, leave its process group, signal other processes. Code that searches this process's memory can
also make up the results of its own functions. For submissions of strangers, run the doctor in a container or a virtual
machine.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

import pasapas
from pasapas.doctor import wire
from pasapas.doctor.reading import Submission
from pasapas.doctor.recording import Wanted
from pasapas.doctor.session import Failure, Outcome
from pasapas.doctor.values import Ref

GRACE = 0.6
"""Seconds that a child has, beyond a call's own, to notice that its time is over and to answer."""

HAS_POLL = hasattr(select, "poll")
"""Whether one can wait for a pipe for a limited time."""

_START = "import sys; sys.path += sys.argv[2:]; from pasapas.doctor.child import main; main(int(sys.argv[1]))"


class ChildLost(Exception):
    """The child answers no more.

    `reason` is "time" (no answer in time), "memory", "ended" (it exited or crashed) or "protocol" (it sent something else).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Child:
    """A `Session` in a process of its own, from `with` to the end of the block. To be used by one thread at a time."""

    def __init__(
        self,
        submission: Submission | str,
        *,
        seconds: float = 10.0,
        load_seconds: float = 2.0,
        memory: int = 4 << 30,
    ) -> None:
        """`seconds` bounds everything until the end of the block, `load_seconds` what runs at import, `memory` the
        address space in bytes."""
        if isinstance(submission, str):
            self._source, self._name, self._folder = submission, "submission.py", ""
        else:
            self._source, self._name = submission.source, submission.path.name
            self._folder = str(submission.path.parent.resolve())
        self._seconds, self._load_seconds, self._memory = seconds, load_seconds, memory
        self._end = 0.0
        self._lost = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch = ""
        self.load_failures: list[Failure] = []
        """What failed while the code was loaded, statement by statement."""
        self.missing: list[str] = []
        """The learner's own modules that it imports and that were not found; stand-ins took their places."""

    def __enter__(self) -> Self:
        """Starts the process and loads the code. Raises ChildLost."""
        self._end = time.monotonic() + self._seconds
        self._scratch = tempfile.mkdtemp(prefix="pasapas-doctor-")
        try:
            self._start()
            first = (self._source, self._name, self._folder, self._seconds, self._load_seconds, self._memory)
            self.load_failures, self.missing = _loaded(self._exchange(first, self._seconds)) or self._refuse()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # what a Session is asked ------------------------------------------------------------------------------------

    def call(
        self,
        target: Ref,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        seed: int = 0,
        watch: bool = False,
        seconds: float = 2.0,
        keep: bool = True,
        record: Wanted | None = None,
    ) -> Outcome:
        """As `Session.call`. Raises ChildLost, as all of these do."""
        options = {"seed": seed, "watch": watch, "seconds": seconds, "keep": keep, "record": record}
        outcome = self._ask("call", (target, list(args), kwargs), options, seconds)
        return outcome if isinstance(outcome, Outcome) else self._refuse()

    def run(self, record: Wanted, seconds: float) -> Outcome:
        """As `Session.run`."""
        outcome = self._ask("run", (record, seconds), {}, seconds)
        return outcome if isinstance(outcome, Outcome) else self._refuse()

    def restart(self) -> None:
        """As `Session.restart`."""
        self._ask("restart", (), {}, self._load_seconds)

    def look(self, target: Ref) -> Any:
        """As `Session.look`."""
        return self._ask("look", (target,), {}, 2.0)

    def put(self, target: Ref, value: Any) -> bool:
        """As `Session.put`."""
        return self._ask("put", (target, value), {}, 2.0) is True

    def hold(self, value: Any) -> Ref:
        """As `Session.hold`."""
        ref = self._ask("hold", (value,), {}, 2.0)
        return ref if isinstance(ref, Ref) else self._refuse()

    def supply(self, name: str, seconds: float) -> bool:
        """As `Session.supply`."""
        return self._ask("supply", (name, seconds), {}, seconds) is True

    def define(self, source: str) -> None:
        """As `Session.define`."""
        self._ask("define", (source,), {}, 2.0)

    def _ask(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float) -> Any:
        return self._exchange((method, args, kwargs), seconds + GRACE)

    def _refuse(self) -> Any:
        raise self._lose("protocol")

    # the process ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        roots = [Path(module.__file__ or "").parents[1] for module in (np, pasapas)]
        packages = [p for p in sys.path if p.rstrip("/\\").endswith(("site-packages", "dist-packages"))]
        paths = list(dict.fromkeys([*map(str, roots), *packages]))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _START, str(os.getpid()), *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=self._scratch,
            env=_environment(self._scratch),
            close_fds=True,
            start_new_session=True,
        )
        if HAS_POLL and self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)

    def _exchange(self, request: Any, seconds: float) -> Any:
        """Sends a request and returns its answer; whatever comes in between, it takes no longer than `seconds`."""
        if self._lost or self._process is None:
            raise ChildLost(self._lost or "ended")
        deadline = min(time.monotonic() + seconds, self._end)
        token = secrets.token_bytes(wire.TOKEN)
        try:
            with self._ends_at(deadline):
                self._send(wire.pack(token, request), deadline)
                header, data = wire.lengths(self._receive(wire.PREFIX.size, deadline), token)
                return wire.unpack(self._receive(header, deadline), self._receive(data, deadline))
        except TimeoutError:
            raise self._lose("time") from None
        except wire.Malformed:
            raise self._lose("protocol") from None
        except (OSError, EOFError):
            raise self._lose("time" if time.monotonic() >= deadline else self._why()) from None

    def _send(self, message: bytes, deadline: float) -> None:
        assert self._process is not None
        pipe = self._process.stdin
        assert pipe is not None
        rest = memoryview(message)
        while rest:
            _await(pipe, deadline, writing=True)
            rest = rest[pipe.write(rest[: 1 << 20]) or 0 :]

    def _receive(self, n: int, deadline: float) -> bytes:
        assert self._process is not None
        pipe = self._process.stdout
        assert pipe is not None
        parts = []
        while n > 0:
            _await(pipe, deadline)
            part = pipe.read(min(n, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    @contextlib.contextmanager
    def _ends_at(self, deadline: float) -> Iterator[None]:
        """Where one cannot wait for a pipe for a limited time (Windows), a timer ends the child, which closes it."""
        if HAS_POLL:
            yield
            return
        assert self._process is not None
        timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _why(self) -> str:
        """Why the pipe has closed."""
        assert self._process is not None
        by_itself = _ends_soon(self._process.pid)
        self._kill()
        code = self._process.returncode
        if not by_itself:
            return "protocol"  # it closed the pipe and went on
        if code == -getattr(signal, "SIGXCPU", 0) and code:
            return "time"
        return (
            "memory" if code == -getattr(signal, "SIGKILL", 9) else "ended"
        )  # none of us has killed it: the system did

    def _lose(self, reason: str) -> ChildLost:
        self._lost = self._lost or reason
        self._kill()
        return ChildLost(self._lost)

    def _kill(self) -> None:
        """Ends the child and all of its process group."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)  # before it is waited for: its number is still its own
        process.kill()
        process.wait()

    def close(self) -> None:
        """Ends the process, and removes its folder."""
        self._lost = self._lost or "ended"
        self._kill()
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        if self._scratch:
            _remove(self._scratch)
            self._scratch = ""


def _loaded(answer: Any) -> tuple[list[Failure], list[str]] | None:
    """The first answer: what failed, and what was missing."""
    if not isinstance(answer, tuple) or len(answer) != 2 or not all(isinstance(part, list) for part in answer):
        return None
    failures, missing = answer
    if not all(isinstance(f, Failure) for f in failures) or not all(isinstance(name, str) for name in missing):
        return None
    return failures, missing


def _await(pipe: IO[bytes], deadline: float, *, writing: bool = False) -> None:
    """Returns when `pipe` can be read or written; raises TimeoutError when `deadline` has come first."""
    if not HAS_POLL:
        return
    left = deadline - time.monotonic()
    poll = select.poll()
    poll.register(pipe, select.POLLOUT if writing else select.POLLIN)
    if left <= 0 or not poll.poll(1000 * left):
        raise TimeoutError


def _environment(scratch: str) -> dict[str, str]:
    """All that the child is told: nothing of this process's environment."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    if os.name == "nt":  # without it Windows starts no interpreter
        environment |= {"SYSTEMROOT": os.environ.get("SYSTEMROOT", ""), "TEMP": scratch, "TMP": scratch}
    return environment


def _ends_soon(pid: int) -> bool:
    """Whether a child that has closed its pipe is ending by itself; it is not waited for, so its number stays its own."""
    if not hasattr(os, "waitid"):  # Windows, macOS before Python 3.13
        return True
    for _attempt in range(40):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        time.sleep(0.01)
    return False


def _remove(folder: str) -> None:
    """Removes a scratch folder, whatever rights its owner has taken from it."""
    if os.path.islink(folder):
        os.unlink(folder)
        return
    for place, folders, _files in os.walk(folder):
        for name in folders:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, stat.S_IRWXU)
    with contextlib.suppress(OSError):
        os.chmod(folder, stat.S_IRWXU)
    with contextlib.suppress(RecursionError):  # a folder in a folder in a folder …
        shutil.rmtree(folder, ignore_errors=True)

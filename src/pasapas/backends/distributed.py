"""Several processes, on one host or on many, as one training: how they meet, agree on what to do, and end together.

JAX's runtime ends a process from C++, with a page of text, where another one is lost. So each process is two: one that
trains, and its parent, which waits and says in one sentence what became of it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Self, TypeVar

import numpy as np

from pasapas.data import Dataset
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Params

_MEETING = 60
"""Seconds that processes wait for each other at the start."""

_SILENCE = 20
"""Seconds after which a process that gives no sign of life is taken for lost."""

_INSIST = 3
"""So many times Ctrl-C ends the process that trains, whatever it is doing."""

_LAUNCHERS = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("PMI_SIZE", "PMI_RANK"),
    ("SLURM_NTASKS", "SLURM_PROCID"),
)
"""The environment variables in which launchers say how many processes there are, and which of them this one is."""

_ABOUT_OTHERS = re.compile(
    r"gloo|nccl|distributed service|coordination|heartbeat|connection|unavailable", re.IGNORECASE
)
"""What JAX's errors mention where the others are the reason."""

_MET, _LOST = b"m", b"l"  # what the process that trains tells its parent


@dataclass(frozen=True)
class Meeting:
    """Where processes meet, how many they are and which one this is; None for what JAX is to find out."""

    address: str | None = None
    processes: int | None = None
    process: int | None = None

    @classmethod
    def of(
        cls,
        address: str | None,
        processes: int | None,
        process: int | None,
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """What was given, completed by what a launcher says. Raises PasapasError where it does not fit together."""
        if address is None:
            if processes is not None or process is not None:
                raise PasapasError(
                    _("--processes and --process need --coordinator HOST:PORT, the address of process 0.")
                )
            return cls()
        if not re.fullmatch(r"[^\s:]+:[0-9]{1,5}|\[[0-9a-fA-F:.]+\]:[0-9]{1,5}", address) or not (
            0 < int(address.rpartition(":")[2]) < 65536
        ):
            raise PasapasError(
                _("--coordinator must be HOST:PORT, such as 10.0.0.1:1234, not '{address}'.").format(address=address)
            )
        if processes is None and process is None:
            processes, process = _launched(environment)
        if processes is None or process is None:
            raise PasapasError(
                _("--coordinator needs --processes, how many there are, and --process, which one this is, from 0 on.")
            )
        if process >= processes:
            raise PasapasError(
                _("--process must be from 0 to {last}, one less than --processes, not {process}.").format(
                    last=processes - 1, process=process
                )
            )
        return cls(address, processes, process)


def _launched(environment: Mapping[str, str]) -> tuple[int, int] | tuple[None, None]:
    """How many processes a launcher started, and which one this is; None for both where it does not say."""
    for size, rank in _LAUNCHERS:
        if environment.get(size, "").isdecimal() and environment.get(rank, "").isdecimal():
            return int(environment[size]), int(environment[rank])
    return None, None


T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """The processes that train together: how many they are, and which one this is."""

    processes: int = 1
    process: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.process == 0

    def together(self, work: Callable[[], T]) -> T:
        """What `work` gives here. Raises PasapasError on all processes where it does on one of them."""
        try:
            result, failed = work(), None
        except PasapasError as error:
            failed = error
        words = self.gather(str(failed or ""))
        if failed is not None and (self.leads or not words[0]):
            raise failed
        for i, word in enumerate(words):
            if word:
                raise PasapasError(_("Process {i} says: {sentence}").format(i=i, sentence=word))
        return result

    def agree(self, about: Mapping[str, Any]) -> None:
        """Raises PasapasError on all processes where one of them was given something else than process 0."""
        first, *others = map(json.loads, self.gather(json.dumps(dict(about), default=str)))
        for i, other in enumerate(others, 1):
            for name in first:
                if first[name] != other[name]:
                    raise PasapasError(
                        _(
                            "Processes disagree: {name} is {first} in process 0 and {other} in process {i}: start all of them with the same command and the same versions."
                        ).format(name=name, first=first[name], other=other[name], i=i)
                    )

    def gather(self, word: str) -> list[str]:
        """What each process says, in their order."""
        if self.processes == 1:
            return [word]
        from jax.experimental.multihost_utils import process_allgather

        own = np.frombuffer(word.encode(), np.uint8)
        lengths = np.asarray(process_allgather(np.int32(len(own))))
        rows = np.asarray(process_allgather(np.pad(own, (0, int(lengths.max()) - len(own) + 1))))
        return [rows[i, :length].tobytes().decode() for i, length in enumerate(lengths.tolist())]

    def from_first(self, content: bytes) -> bytes:
        """What process 0 gives."""
        if self.processes == 1:
            return content
        from jax.experimental.multihost_utils import broadcast_one_to_all

        length = int(broadcast_one_to_all(np.int32(len(content))))
        own = np.frombuffer(content, np.uint8) if self.leads else np.zeros(length, np.uint8)
        return np.asarray(broadcast_one_to_all(own)).astype(np.uint8).tobytes()

    def leave(self) -> None:
        """Waits for the others to come to their end too; from then on none of them is missed."""
        if self.processes > 1:
            import jax

            jax.distributed.shutdown()  # type: ignore[no-untyped-call]


def _look_at(address: str, leads: bool) -> None:
    """Raises PasapasError where a host is unknown, or has no such port to give: JAX would wait, or crash."""
    host, _colon, port = address.rpartition(":")
    try:
        socket.getaddrinfo(host.strip("[]"), int(port))
    except OSError:
        raise PasapasError(
            _("The host '{host}' of --coordinator is not known here: check its name, or give its address.").format(
                host=host
            )
        ) from None
    if not leads:
        return
    both = socket.has_dualstack_ipv6()
    try:
        family = socket.AF_INET6 if both else socket.AF_INET
        socket.create_server(("", int(port)), family=family, dualstack_ipv6=both).close()
    except OSError:
        raise PasapasError(
            _(
                "Process 0 cannot listen on port {port}, which another program may have: give all processes another one in --coordinator."
            ).format(port=port)
        ) from None


def meet(meeting: Meeting) -> World:
    """Waits for the other processes. Without an address and without a launcher, this one is alone.

    Must come before anything else that uses JAX.
    """
    try:
        import jax
    except ModuleNotFoundError:
        raise PasapasError(_("--distributed needs the engine 'jax': pip install 'pasapas[jax]'.")) from None
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # type: ignore[no-untyped-call]
    if meeting.address is not None:
        _look_at(meeting.address, meeting.process == 0)
    try:
        jax.distributed.initialize(
            meeting.address,
            meeting.processes,
            meeting.process,
            initialization_timeout=_MEETING,
            heartbeat_timeout_seconds=_SILENCE,
        )
    except ValueError:  # nothing was given, and JAX knows of no launcher
        processes, _process = _launched(os.environ)
        if processes is not None and processes > 1:
            raise PasapasError(
                _(
                    "{n} processes were started here, but JAX does not know where they meet: add --coordinator HOST:PORT, the host of process 0."
                ).format(n=processes)
            ) from None
        return World()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which JAX holds back, to tell of it
    return World(jax.process_count(), jax.process_index())


def agree_on(recipe: Mapping[str, Any], data: Dataset, params: Sequence[Params]) -> None:
    """Raises PasapasError on all processes where one of them is to train something else than process 0."""
    import jax

    checksums = {
        "images": list(data.images.shape),
        "labels": zlib.crc32(np.ascontiguousarray(data.labels).tobytes()),
        "params": [zlib.crc32(np.ascontiguousarray(p[name]).tobytes()) for p in params for name in sorted(p)],
    }
    World(jax.process_count(), jax.process_index()).agree({**recipe, **checksums})


def anywhere(happened: bool) -> bool:
    """Whether something happened to any of the processes. All of them must ask, and at the same point."""
    import jax

    if jax.process_count() == 1:
        return happened
    from jax.experimental.multihost_utils import process_allgather

    return bool(np.any(process_allgather(np.asarray(happened))))


class Parent:
    """What the process that trains has of the one that waits for it."""

    def __init__(self, telling: int) -> None:
        self._telling = telling

    def met(self) -> None:
        """All processes have found each other."""
        os.write(self._telling, _MET)

    def lost(self) -> None:
        """Another process is gone."""
        os.write(self._telling, _LOST)


@dataclass(frozen=True)
class Ended:
    """How the process that trained has ended: its exit status, and what is to be said that it could not say itself."""

    status: int
    sentence: str = ""


def divide() -> Parent | Ended:
    """Goes on twice: at once as the process that trains, with its `Parent`; and when that has ended, as the parent.

    Standard output and error of the process that trains are Python's alone; what C++ writes there is kept away.
    """
    if not hasattr(os, "fork"):
        raise PasapasError(_("--distributed works on Linux and macOS only."))
    noise = tempfile.TemporaryFile()  # noqa: SIM115
    alive, held = os.pipe()  # closed when the parent is gone
    hearing, telling = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(alive)
        os.close(telling)
        return _wait(child, hearing, noise)
    os.setpgid(0, 0)  # Ctrl-C reaches it by way of its parent alone, and so once
    os.close(held)
    os.close(hearing)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(n), "w", 1, encoding="utf-8", errors="replace") for n in (1, 2))
    for n in (1, 2):
        os.dup2(noise.fileno(), n)
    threading.Thread(target=lambda: (os.read(alive, 1), os._exit(1)), daemon=True).start()
    return Parent(telling)


def _wait(child: int, hearing: int, noise: IO[bytes]) -> Ended:
    pressed: list[int] = []

    def forward(number: int, frame: Any) -> None:
        pressed.append(number)
        # Python hears nothing while JAX waits for a process that will not come
        os.kill(child, number if len(pressed) < _INSIST else signal.SIGKILL)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for number, handler in before.items():
        signal.signal(number, handler)
    if status == -signal.SIGKILL and len(pressed) >= _INSIST:
        return Ended(128 + pressed[0])
    told = os.read(hearing, 16)
    noise.seek(0)
    heard = noise.read().decode(errors="replace").splitlines()
    if _LOST in told or (status == -signal.SIGABRT and _MET in told and any(map(_ABOUT_OTHERS.search, heard))):
        return Ended(
            1,
            _(
                "Another process of this training is gone, or cannot be reached any more: go on from the last checkpoint with --resume."
            ),
        )
    if status >= 0:
        return Ended(status)
    if status in (-signal.SIGINT, -signal.SIGTERM):
        return Ended(128 - status)
    if _MET not in told and any(map(_ABOUT_OTHERS.search, heard)):
        return Ended(
            1,
            _(
                "The processes did not all meet within {seconds} s: start as many as --processes says, each with a number of its own and with the address of process 0."
            ).format(seconds=_MEETING),
        )
    if status == -signal.SIGKILL:
        return Ended(
            1,
            _(
                "The process that trains was killed, as happens where memory runs out: go on from the last checkpoint with --resume."
            ),
        )
    reason = next((line for line in heard if re.match(r"F\d{4} ", line)), "")
    return Ended(
        1,
        _("The process that trains was ended by signal {number}. {reason}")
        .format(number=-status, reason=reason)
        .strip(),
    )


def is_about_others(error: Exception) -> bool:
    """Whether JAX failed since another process is gone."""
    return isinstance(error, (RuntimeError, ValueError)) and bool(_ABOUT_OTHERS.search(str(error)))

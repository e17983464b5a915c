"""Limits that the child process sets for itself before it runs a learner's code.

They keep a mistake from doing harm. They are no prison for an attacker: see `process.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

LARGEST_FILE = 32 << 20
MOST_FILES = 256
MORE_THREADS = 64

_PROCESSES = (
    "os.fork",
    "os.forkpty",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.startfile",
    "subprocess.Popen",
)
_NETWORK = ("socket.__new__", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_CHANGES: dict[str, tuple[int, ...]] = {
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.link": (0, 1),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "shutil.rmtree": (0,),
    "shutil.move": (0, 1),
}
"""Which arguments of these events are paths that are changed."""

_FOLLOW = ("open", "os.truncate", "os.chmod", "os.chown")
"""These change what a symbolic link leads to, the others the link itself."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def limit(seconds: float, memory: int) -> None:
    """Bounds what this process may use, where the system knows how: address space in bytes, processor time in seconds,
    the size and the number of files, and threads. The number of processes is counted per user, and not for root."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(seconds) + 2,
        "RLIMIT_FSIZE": LARGEST_FILE,
        "RLIMIT_NOFILE": MOST_FILES,
        "RLIMIT_AS": memory,
        "RLIMIT_NPROC": _threads_now() + MORE_THREADS,
    }
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(number, (value, value))
        except (ValueError, OSError):
            continue  # macOS refuses some


def _threads_now() -> int:
    """How many threads there are on this machine, of all users; a few thousand where it is not told."""
    try:
        with open("/proc/loadavg") as file:
            return int(file.read().split()[3].split("/")[1])
    except (OSError, ValueError, IndexError):
        return 4_000


def die_with_parent(parent: int) -> None:
    """Has the system end this process when `parent` ends. Linux alone; elsewhere the closed pipe does it, between calls."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    PR_SET_PDEATHSIG, SIGKILL = 1, 9
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        os._exit(0)


def watch_over(folder: str) -> None:
    """From now on no process is started, no socket is opened, no other process is signalled, and nothing outside of
    `folder` is written to or removed, as far as Python's own functions go."""
    sys.addaudithook(_hook(os.path.realpath(folder), os.getpid(), os.path))


def _hook(folder: str, me: int, paths: Any) -> Callable[[str, tuple[Any, ...]], None]:
    realpath, split, join, fsdecode = paths.realpath, paths.split, paths.join, os.fsdecode
    inside, null = folder + os.sep, os.devnull

    def refuse(event: str, path: Any) -> None:
        if isinstance(path, int) or path is None:
            return  # open already
        text = fsdecode(path)
        parent, name = split(text)
        real = realpath(text) if event in _FOLLOW or name in ("", ".", "..") else join(realpath(parent), name)
        if real not in (folder, null) and not real.startswith(inside):
            raise PermissionError(13, "Nothing can be written outside of the working folder here", text)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[2], int) and args[2] & _WRITES:
                refuse(event, args[0])
        elif event in _CHANGES:
            if event in ("os.remove", "os.rmdir") and args[-1] != -1:
                return  # a name in a folder that is open: rmtree was asked about that folder
            for i in _CHANGES[event]:
                refuse(event, args[i])
        elif event in _PROCESSES:
            raise PermissionError(13, "No process can be started here")
        elif event in _NETWORK:
            raise ConnectionRefusedError(111, "There is no network here")
        elif event in ("os.kill", "os.killpg") and args[0] != me:
            raise PermissionError(1, "No other process can be signalled here")

    return hook

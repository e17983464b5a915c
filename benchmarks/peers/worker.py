"""The process of one contender: does what `compare.py` asks on standard input, and answers on standard output.

    python -m peers.worker NAME THREADS

Requests and answers are pickles, a request (method, arguments), an answer (True, result) or (False, what went wrong).
"""

from __future__ import annotations

import importlib
import os
import pickle
import statistics
import sys
import time
import traceback
from pathlib import Path
from typing import Any

MANY = 10_000


def environment(threads: int, cache: str) -> dict[str, str]:
    """What tells libraries how many threads to take, to use processors only, and to keep what they compile in `cache`."""
    names = ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")
    counts = {f"{name}_NUM_THREADS": str(threads) for name in names}
    caches = {"XDG_CACHE_HOME": cache, "TORCHINDUCTOR_CACHE_DIR": cache}
    return {**counts, **caches, "NPROC": str(threads), "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}


class Worker:
    """Answers requests about one contender."""

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self, setting: Any, images: int) -> float:
        """Reads MNIST, makes the contender, and trains the first epoch: its seconds, compiling included."""
        import pasapas
        from peers import CONTENDERS
        from peers.contender import Task

        entry = CONTENDERS[self.name]
        kind = getattr(importlib.import_module(f"peers.{entry.module}"), entry.name)
        data = pasapas.load_mnist()[0].first(images)
        self.contender = kind(Task(setting, data.images, data.labels))
        del data  # a contender keeps what it trains on, and no more
        return self.epoch()

    def epoch(self) -> float:
        """The seconds of one epoch from the first weights."""
        self.contender.reset()
        return self.contender.epoch()

    def peak(self) -> float:
        """The most memory so far, in MB."""
        status = Path("/proc/self/status")
        if status.exists():  # Linux's ru_maxrss would count what the parent had before this process began
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            return int(line.split()[1]) * 1024 / 1e6
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024) / 1e6

    def weights(self) -> Any:
        return self.contender.weights()

    def threads(self) -> int:
        return self.contender.threads()

    def inference(self, calls: int) -> tuple[float, float, float]:
        """Seconds for one image (median of `calls`), seconds for 10,000, and how many of those are right, a fraction."""
        import numpy as np

        import pasapas

        test = pasapas.load_mnist()[1]
        one, many = self.contender.inputs(test.images[:1]), self.contender.inputs(test.images[:MANY])
        seconds = []
        for _ in range(calls):
            began = time.perf_counter()
            self.contender.classes(one)
            seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        classes = self.contender.classes(many)
        of_many = time.perf_counter() - began
        return statistics.median(seconds), of_many, float(np.mean(np.asarray(classes) == test.labels[:MANY]))

    def reach(self, seed: int) -> Any:
        """See `accuracy.py`."""
        from peers.accuracy import CONTENDERS

        return CONTENDERS[self.name][0](seed)


def main() -> None:
    name, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is not an answer
    if hasattr(os, "sched_setaffinity"):  # XLA and others count the processors that they may use
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    worker = Worker(name)
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, getattr(worker, method)(*arguments)
        except Exception as error:
            traceback.print_exc()
            answer = False, f"{type(error).__name__}: {error}".splitlines()[0]
        pickle.dump(answer, answers, protocol=5)
        answers.flush()


if __name__ == "__main__":
    main()

"""pasapas, the reference documents' loops, the peers, and the matrix products alone, side by side in one session.

    python benchmarks/compare.py [--networks 784-128-10@128 ...] [--peers torch keras ...] [--rounds 7] [--threads N]
        [--starts 3] [--to-98] [--quick] [--json FILE] [--picture FILE] [--write [--add]]

Peers are installed by hand, `pip install -r benchmarks/requirements.txt`; those that are not there are named as missing.
Each contender trains in a process of its own, which waits while others run; all take their turn in each round. Everything
is printed; `--write` also writes compare.md, compare.json and compare.png beside this file. All networks with all peers take
an hour or so on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from peers import CONTENDERS, accuracy, report
from peers.contender import Setting, Weights, pixels
from peers.worker import environment

import pasapas

HERE = Path(__file__).parent
SETTINGS = [
    Setting((784, 128, 10), batch_size=32, tolerance=5e-3),
    Setting((784, 128, 10), batch_size=128),
    Setting((784, 128, 10), batch_size=512),
    Setting((784, 132, 10), activation="tanh"),
    Setting((784, 512, 512, 10), tolerance=5e-3),
    Setting((784, 2500, 2000, 1500, 1000, 500, 10), batch_size=512, learning_rate=0.05, tolerance=2e-2, images=10_240),
]
NETWORKS = {setting.name: setting for setting in SETTINGS}
QUIET = 0.2  # seconds before each turn
SEEDS = 3


class Failed(Exception):
    """A contender that could not do what was asked; what it said."""


class Process:
    """A contender's process."""

    def __init__(self, name: str, threads: int) -> None:
        self.folder = tempfile.TemporaryDirectory()  # nothing compiled is there from an earlier start
        self.log = Path(self.folder.name, "log")
        time.sleep(QUIET)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "peers.worker", name, str(threads)],
            cwd=HERE,
            env={**os.environ, **environment(threads, self.folder.name)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("wb"),
            start_new_session=True,  # with the processes that it may start, such as compilers
        )

    def ask(self, method: str, *arguments: Any) -> Any:
        """What the method of `peers.worker.Worker` returns. Raises Failed."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            pickle.dump((method, arguments), self.process.stdin)
            self.process.stdin.flush()
            right, answer = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError):
            raise Failed(f"its process ended with {self.process.wait()}: {self.last_words()}") from None
        if not right:
            raise Failed(answer)
        return answer

    def turn(self, method: str, *arguments: Any) -> Any:
        """The same, once the last one's waiting threads are asleep."""
        time.sleep(QUIET)
        return self.ask(method, *arguments)

    def last_words(self) -> str:
        return (self.log.read_text(errors="replace").strip().splitlines() or [""])[-1]

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        with contextlib.suppress(OSError):
            self.folder.cleanup()


def missing(name: str) -> str:
    """Why a contender cannot take part, or an empty text."""
    absent = [module for module in CONTENDERS[name].needs if not importlib.util.find_spec(module)]
    return f"not installed: {', '.join(absent)}" if absent else ""


def mean_loss(setting: Setting, weights: Weights, data: Any) -> float:
    """The mean cross-entropy over all of `data`, in float64 from the scores on."""
    network = setting.network()
    dense = iter(weights)
    params = [dict(zip("Wb", next(dense), strict=True)) if hasattr(layer, "n_in") else {} for layer in network.layers]
    total = 0.0
    for i in range(0, len(data), 1000):
        X, labels = pixels(data.images[i : i + 1000]), data.labels[i : i + 1000]
        Z = pasapas.forward(network.layers, params, X)[-1].astype("float64")
        total -= float(pasapas.log_softmax(Z)[np.arange(len(labels)), labels].sum())
    return total / len(data)


class Session:
    """All contenders on one network. Who fails is left out from there on, and named."""

    def __init__(self, names: list[str], setting: Setting, arguments: argparse.Namespace) -> None:
        self.setting, self.arguments = setting, arguments
        self.missing: dict[str, str] = {}
        self.processes: dict[str, Process] = {}
        self.measured: dict[str, dict[str, Any]] = {}
        for name in names:
            reason = missing(name)
            if reason:
                self.missing[name] = reason
            elif self.can_train(name):
                self.measured[name] = {"seconds": [], "cold": [], "inference": [], "loss": None}

    def can_train(self, name: str) -> bool:
        """Whether a document's loop is for this network."""
        activation = CONTENDERS[name].activation
        return activation is None or (activation == self.setting.activation and len(self.setting.sizes) == 3)

    def turn(self, number: int) -> list[str]:
        """All that are still there, another first in each round."""
        names = list(self.measured)
        first = number % max(1, len(names))
        return names[first:] + names[:first]

    @contextlib.contextmanager
    def unless_it_fails(self, name: str) -> Any:
        try:
            yield
        except Failed as error:
            self.missing[name] = str(error)
            self.measured.pop(name)
            if name in self.processes:
                self.processes.pop(name).end()

    def run(self) -> dict[str, Any]:
        try:
            self.measure()
        finally:
            for process in self.processes.values():
                process.end()
        images = min(self.arguments.images, self.setting.images)
        return {
            "images": images,
            "tolerance": self.setting.tolerance,
            "measured": self.measured,
            "missing": self.missing,
        }

    def measure(self) -> None:
        setting, arguments, measured = self.setting, self.arguments, self.measured
        images = min(arguments.images, setting.images)
        data = pasapas.load_mnist()[0].first(images)
        for number in range(arguments.starts):
            for name in self.turn(number):
                if name in self.processes:
                    self.processes.pop(name).end()
                with self.unless_it_fails(name):
                    self.processes[name] = Process(name, arguments.threads)
                    seconds = self.processes[name].ask("start", setting, images)
                    measured[name]["cold"].append(time.perf_counter() - self.processes[name].began)
                    say(f"{setting.name} start {number + 1}: {name}, first epoch {seconds:.3f} s")
        for number in range(arguments.rounds):
            for name in self.turn(number):
                with self.unless_it_fails(name):
                    measured[name]["seconds"].append(self.processes[name].turn("epoch"))
                    say(f"{setting.name} round {number + 1}: {name} {measured[name]['seconds'][-1]:.3f} s")
        for name in self.turn(0):
            with self.unless_it_fails(name):
                measured[name]["peak"] = self.processes[name].ask("peak")
                measured[name]["threads"] = self.processes[name].ask("threads")
                weights = self.processes[name].ask("weights")
                if weights:
                    measured[name]["loss"] = mean_loss(setting, weights, data)
        able = [name for name in measured if measured[name]["loss"] is not None]
        for number in range(arguments.rounds + 1):
            for name in able:
                if name in measured:
                    with self.unless_it_fails(name):
                        figures = self.processes[name].turn("inference", arguments.calls)
                        measured[name]["inference"] += [figures] if number else []  # the first one may compile


def time_to_accuracy(names: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """See `peers/accuracy.py`: a fresh process for each seed."""
    absent = {name: missing(name) for name in names if missing(name)}
    measured: dict[str, list[Any]] = {name: [] for name in names if name not in absent}
    for seed in range(1 if arguments.quick else SEEDS):
        for name in list(measured):
            process = Process(name, arguments.threads)
            try:
                measured[name].append(process.ask("reach", seed))
                say(f"to {accuracy.AIM:.0%}: {name}, seed {seed}: {measured[name][-1]}")
            except Failed as error:
                absent[name] = str(error)
                measured.pop(name)
            finally:
                process.end()
    return {"measured": measured, "missing": absent}


def say(text: str) -> None:
    """How far it is, beside what is printed at the end."""
    print(text, file=sys.stderr, flush=True)


def about(names: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Under what circumstances."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    versions = {"Python": platform.python_version()}
    for package in ("numpy", "pasapas", "scikit-learn", "torch", "jax", "keras"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    if "torch" in versions and any("nvidia" in need for need in importlib.metadata.requires("torch") or []):
        versions["torch"] += " (the build for CUDA too, which takes more memory)"
    if {"keras", "jax"} <= set(versions):
        versions["keras"] += " on " + os.environ.get("KERAS_BACKEND", "jax")
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
    return {
        "command": "python benchmarks/compare.py " + " ".join(sys.argv[1:]),
        "rounds": arguments.rounds,
        "starts": arguments.starts,
        "threads": arguments.threads,
        "machine": f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} processors, {blas['name']} {blas['version']}",
        "load_before": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "versions": versions,
        "contenders": names,
    }


def parse() -> argparse.Namespace:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--peers", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--starts", type=int, default=3, help="cold starts of each contender on each network")
    parser.add_argument("--threads", type=int, default=processors, help="of each contender (all processors)")
    parser.add_argument("--calls", type=int, default=200, help="of inference on one image, each round")
    parser.add_argument("--to-98", action="store_true", help="also the time to 98%% of the test images")
    parser.add_argument("--quick", action="store_true", help="6,000 images, one seed: to see whether everything runs")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--write", action="store_true", help="compare.md, compare.json and compare.png")
    parser.add_argument("--add", action="store_true", help="keep the networks that compare.json has, with --write")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.starts, arguments.threads, arguments.calls) < 1:
        parser.error("rounds, starts, threads and calls are at least 1")
    if arguments.threads > processors:
        parser.error(f"only {processors} processors can be used here")
    arguments.images = 6_000 if arguments.quick else 60_000
    return arguments


def main() -> None:
    arguments = parse()
    names = [name for name in CONTENDERS if name in arguments.peers]
    session: dict[str, Any] = {"about": about(names, arguments), "networks": {}, "reached": None}
    if arguments.add:
        earlier = json.loads((HERE / "compare.json").read_text(encoding="utf-8"))
        session = {**session, "networks": earlier["networks"], "reached": earlier["reached"]}
    files = [arguments.json, HERE / "compare.json" if arguments.write else None]
    for key in arguments.networks:
        network = session["networks"][key] = Session(names, NETWORKS[key], arguments).run()
        print("\n".join(report.network_section(key, network)), flush=True)
        keep(session, files)  # a long session that is broken off leaves what it has
    if arguments.to_98:
        reached = session["reached"] = time_to_accuracy([n for n in names if n in accuracy.CONTENDERS], arguments)
        print("\n".join(report.reached_section(reached)), flush=True)
        keep(session, files)
    if arguments.write:
        (HERE / "compare.md").write_text(report.markdown(session), encoding="utf-8")
    for path in (arguments.picture, HERE / "compare.png" if arguments.write else None):
        if path:
            report.picture(session, path)


def keep(session: dict[str, Any], files: list[Path | None]) -> None:
    for file in files:
        if file:
            file.write_text(json.dumps(session, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

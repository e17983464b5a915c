"""When sharing batches among devices pays: on paper for up to 1,024 devices, and measured here with two processes.

    python benchmarks/distributed.py            # both
    python benchmarks/distributed.py --paper    # in no time

On paper: a step alone takes 6 · weights · images / rate, and at least the time to launch it. Shared by n devices, each
computes its rows and then all add up their gradients: 4 · parameters · 2 (n − 1)/n bytes through each device's link, as
in a ring (P. Patarasuk, X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009), and
2 · log2(n) messages one after the other, as in a tree, which no ring can beat for n above 4. Nothing overlaps, so real
runs can be somewhat better.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import socket
import subprocess
import sys
import tempfile

RATE = 40e12  # operations a second, in float32 products of one H100 with TensorFloat-32, well short of its peak
LAUNCH = 30e-6  # seconds for the smallest step: ten epochs of 784-132-10, 4,690 steps, in 0.14 s
LINKS = {  # bytes a second, seconds a message
    "NVLink": (450e9, 5e-6),
    "InfiniBand": (50e9, 10e-6),
    "Ethernet 10 Gb/s": (1.25e9, 50e-6),
}
NETWORKS = {
    "784-128-10": 128,
    "784-512-512-10": 128,
    "784-2500-2000-1500-1000-500-10": 512,
}
DEVICES = (8, 64, 256, 1024)
MEASURED = {"784-128-10": 128, "784-512-512-10": 128, "784-1024-1024-10": 1024}


def pairs(network: str) -> list[tuple[int, int]]:
    sizes = [int(n) for n in network.split("-")]
    return list(itertools.pairwise(sizes))


def alone(network: str, images: float) -> float:
    return max(LAUNCH, 6 * sum(a * b for a, b in pairs(network)) * images / RATE)


def gradient_bytes(network: str) -> int:
    return 4 * sum(a * b + b for a, b in pairs(network))


def adding_up(network: str, n: int, link: str) -> float:
    rate, latency = LINKS[link]
    return 2 * (n - 1) / n * gradient_bytes(network) / rate + 2 * math.log2(n) * latency


def paper() -> None:
    print("| network, link | gradient | " + " | ".join(f"{n:,}" for n in DEVICES) + " |")
    print("|-|-|" + "-|" * len(DEVICES))
    for network, batch in NETWORKS.items():
        for link in LINKS:
            cells = []
            for n in DEVICES:
                if link == "NVLink" and n > 8:
                    cells.append("")
                    continue
                same = alone(network, batch) / (alone(network, batch / n) + adding_up(network, n, link))
                grown = alone(network, batch) / (alone(network, batch) + adding_up(network, n, link))
                cells.append(f"{same:.2g} × · {grown:.0%}" if n <= batch else f"– · {grown:.0%}")
            name = f"{network}, {batch} images, {1e6 * alone(network, batch):,.0f} µs: {link}"
            print(f"| {name} | {gradient_bytes(network) / 1e6:.1f} MB | " + " | ".join(cells) + " |")


def seconds(n: int, network: str, batch: int) -> float:
    """The shortest step, a mean over an epoch of ten, in n processes with one thread each for their products."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    hidden = ",".join(network.split("-")[1:-1])
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pasapas",
            "train",
            "--engine",
            "jax",
            "--distributed",
            "--no-figures",
            "--json",
        ]
        command += [
            "--dropout",
            "0",
            "--input-dropout",
            "0",
            "--hidden",
            hidden,
            "--batch-size",
            str(batch),
            "--output",
            f"{folder}/run",
        ]
        command += [
            "--train-images",
            str(20 * batch),
            "--epochs",
            "6",
            "--test-images",
            "100",
            "--schedule",
            "constant",
        ]
        command += ["--coordinator", address, "--processes", str(n), "--process"]
        environment = {**os.environ, "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
        running = [subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, env=environment) for i in range(n)]
        told = [process.communicate()[0] for process in running]
    return min(epoch["seconds"] for epoch in json.loads(told[0])["epochs"][1:]) / 10


def measure(rounds: int) -> None:
    print("| network, images in a step | one process | two | speed-up |\n|-|-|-|-|")
    for network, batch in MEASURED.items():
        times = [[seconds(n, network, batch) for n in (1, 2)] for _round in range(rounds)]
        one, two = (min(column) for column in zip(*times, strict=True))
        print(f"| {network}, {batch} | {1e3 * one:.2f} ms | {1e3 * two:.2f} ms | {one / two:.2f} × |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", action="store_true", help="measure nothing")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    paper()
    if not arguments.paper:
        print()
        measure(arguments.rounds)

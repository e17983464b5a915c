"""What a training step costs on NumPy beside its matrix products alone, and how an epoch's cost grows.

    python benchmarks/numpy_step.py [--threads N] [--rounds 15] [--only 784-128-10] [--growth]

For each network, in turn within each round: the matrix products alone (float32, same shapes, same BLAS, results written
into arrays made before, on pixels already gathered and scaled); the readable loop (`pasapas.steps.step`); and
`FusedSteps`. Medians over the rounds, and medians of the ratios within a round. `--growth` measures whole epochs instead:
twice the images, and twice the weights, should cost twice as much.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from pasapas import SGD, Dataset, Momentum, Network, load_mnist, mlp
from pasapas.backends.fused import FusedSteps
from pasapas.backends.threads import threads_for
from pasapas.data.dataset import scaled
from pasapas.layers import Params
from pasapas.optimizers import Optimizer
from pasapas.steps import step


@dataclass(frozen=True)
class Case:
    name: str
    network: Network
    batch_size: int
    optimizer: Optimizer = SGD()  # noqa: RUF009, frozen


DEEPEST = "784-2500-2000-1500-1000-500-10"
CASES = [
    *(Case(f"784-128-10, batch {m}", mlp(784, 128, 10), m) for m in (32, 128, 512)),
    Case("784-132-10 tanh, batch 128", mlp(784, 132, 10, activation="tanh"), 128),
    Case("784-512-512-10, batch 128", mlp(784, 512, 512, 10), 128),
    Case(f"{DEEPEST}, batch 512", mlp(784, 2500, 2000, 1500, 1000, 500, 10), 512),
    Case(
        "default recipe (784-512-10, dropout, Nesterov, batch 128)",
        mlp(784, 512, 10, dropout=0.3, input_dropout=0.1),
        128,
        Momentum(0.9, nesterov=True),
    ),
]
LEARNING_RATE = 0.01


def products(case: Case) -> Callable[[int], None]:
    """The matrix products of a step, n times."""
    random, m, sizes = np.random.default_rng(0), case.batch_size, case.network.sizes
    pairs = list(itertools.pairwise(sizes))
    A = [np.maximum(random.standard_normal((m, n), dtype=np.float32), 0) for n in sizes]
    dZ = [random.standard_normal((m, n), dtype=np.float32) for n in sizes]
    W = [random.standard_normal(pair, dtype=np.float32) for pair in pairs]
    Z, dA, dW = ([np.empty_like(a) for a in arrays] for arrays in (A, A, W))

    def run(n: int) -> None:
        for _ in range(n):
            for i in range(len(W)):
                np.matmul(A[i], W[i], out=Z[i + 1])
            for i in reversed(range(len(W))):
                np.matmul(A[i].T, dZ[i + 1], out=dW[i])
                if i:
                    np.matmul(dZ[i + 1], W[i].T, out=dA[i])

    return run


def batches(data: Dataset, m: int) -> Callable[[int], np.ndarray]:
    """A function that gives the i-th batch of shuffled places, again and again."""
    order, count = np.random.default_rng(0).permutation(len(data)), len(data) // m
    return lambda i: order[i % count * m : (i % count + 1) * m]


def readable(case: Case, data: Dataset) -> Callable[[int], None]:
    """n readable steps, as `backends.numpy` takes them."""
    network, optimizer, batch = case.network, case.optimizer, batches(data, case.batch_size)
    params: Sequence[Params] = network.initialize()
    state, masks, dtype = optimizer.initialize(params), np.random.default_rng(1), np.dtype(np.float32)

    def run(n: int) -> None:
        nonlocal params, state
        for i in range(n):
            places = batch(i)
            labels = data.labels[places]
            X = scaled(data.images[places], dtype)
            Y = network.loss.targets(labels, 10, dtype)
            masked = network.with_masks(params, len(labels), masks)
            params, state, L, Z = step(network, optimizer, params, state, X, Y, LEARNING_RATE, masked)
            float(L), int(np.sum(np.argmax(Z, axis=1) == labels))

    return run


def fused(case: Case, data: Dataset) -> Callable[[int], None]:
    """n fused steps."""
    params, batch, masks = case.network.initialize(), batches(data, case.batch_size), np.random.default_rng(1)
    steps = FusedSteps(case.network, case.optimizer, params, case.optimizer.initialize(params), case.batch_size)

    def run(n: int) -> None:
        for i in range(n):
            steps.step(data.images, data.labels, LEARNING_RATE, masks, batch(i))

    return run


def seconds(run: Callable[[int], None], n: int) -> float:
    began = time.perf_counter()
    run(n)
    return (time.perf_counter() - began) / n


def compare(case: Case, data: Dataset, rounds: int) -> None:
    runs = {"products": products(case), "readable": readable(case, data), "fused": fused(case, data)}
    count = max(1, int(0.05 / min(seconds(runs["products"], 3) for _ in range(3))))
    for run in runs.values():
        run(3)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(seconds(run, count))

    def ratio(a: str, b: str) -> float:
        return statistics.median(x / y for x, y in zip(times[a], times[b], strict=True))

    shown = " | ".join(f"{statistics.median(t) * 1e6:,.0f} ({min(t) * 1e6:,.0f})" for t in times.values())
    print(
        f"| {case.name} | {shown} | {ratio('readable', 'products'):.2f} | {ratio('fused', 'products'):.2f} "
        f"| {min(times['fused']) / min(times['products']):.2f} | {ratio('readable', 'fused'):.2f} |",
        flush=True,
    )


def growth(data: Dataset, rounds: int) -> None:
    """Seconds an epoch for more and more images, and for more and more weights, in turn; minima over the rounds."""
    images = {n: (mlp(784, 128, 10), n) for n in (7_500, 15_000, 30_000, 60_000)}
    weights = {h * (784 + 10) + h + 10: (mlp(784, h, 10), 15_000) for h in (128, 256, 512, 1024, 2048)}
    times: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for kind, cases in (("images", images), ("weights", weights)):
            for size, (network, n) in cases.items():
                run = fused(Case("", network, 128), data)
                run(2)
                times.setdefault((kind, size), []).append(seconds(run, n // 128) * (n // 128))
    for kind, cases in (("images", images), ("weights", weights)):
        print(
            f"| {kind} | seconds an epoch | microseconds for 1,000 {kind} | exponent from the size before |\n|-|-|-|-|"
        )
        before = None
        for size in cases:
            best = min(times[kind, size])
            exponent = f"{np.log(best / before[1]) / np.log(size / before[0]):.2f}" if before else ""
            print(f"| {size:,} | {best:.4f} | {best / size * 1e9:,.0f} | {exponent} |", flush=True)
            before = size, best


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help="BLAS threads; by default as many as `threads_for` says")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="networks whose name contains this")
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    data = load_mnist()[0]
    print(f"NumPy {np.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    if arguments.growth:
        with threadpool_limits(arguments.threads or 1, user_api="blas"):
            growth(data, arguments.rounds)
    else:
        print(
            "Microseconds a step: median (minimum)\n\n| network | products alone | readable | fused | readable / products "
            "| fused / products | the same of minima | readable / fused |\n|-|-|-|-|-|-|-|-|"
        )
        for case in CASES:
            if arguments.only in case.name:
                threads = arguments.threads or threads_for(case.network, case.batch_size, os.cpu_count() or 1)
                with threadpool_limits(threads, user_api="blas"):
                    compare(case, data, arguments.rounds)
    print(f"load at the end {os.getloadavg()[0]:.2f}")

"""What deforming training images costs, beside a training epoch: seconds for 60,000 images in batches of 128.

    python benchmarks/deformations.py [--rounds 7] [--jax]

In turn within each round, with the strong amplitudes that `pasapas show deformations` has: an epoch of 784-800-800-10 on
images as they are and on deformed ones; deforming alone, each sampling; the random numbers of it alone; the same places
read by scipy.ndimage.map_coordinates, image by image, after smoothing by scipy.ndimage.gaussian_filter. With `--jax`,
what deforming adds to the compiled epoch too. Minima over the rounds, and the median over the rounds of the ratio to the
epoch on images as they are. A round takes part of the images; its seconds are multiplied accordingly.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from pasapas import Recipe, load_mnist, training
from pasapas.data import Dataset
from pasapas.data.deformations import REFERENCE, Deformation, deformed

BATCH, IMAGES = 128, 60_000
CUBIC = dataclasses.replace(REFERENCE, sampling="cubic")


def epoch(data: Dataset, deformation: Deformation, engine: str) -> Callable[[], float]:
    """Seconds of an epoch; with JAX of the second, since the first one compiles."""
    recipe = Recipe(
        hidden=(800, 800), epochs=2 if engine == "jax" else 1, engine=engine, batch_size=BATCH, drop_last=True,
        **dataclasses.asdict(deformation),
    )  # fmt: skip
    network, splits = recipe.network(), training.Splits(data)
    return lambda: training.run(network, recipe, splits).history[-1].seconds


def batches(data: Dataset, do: Callable[[np.ndarray, np.random.Generator], object]) -> Callable[[], float]:
    """Seconds of doing it for one batch after the other."""

    def run() -> float:
        random = np.random.default_rng(0)
        began = time.perf_counter()
        for i in range(0, len(data) - BATCH + 1, BATCH):
            do(data.images[i : i + BATCH], random)
        return time.perf_counter() - began

    return run


def numbers(images: np.ndarray, random: np.random.Generator) -> None:
    for shape in REFERENCE.numbers(*images.shape):
        random.random(shape, np.float32)


def by_scipy(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same deformation, its fields and pixels by scipy; where affine places lie is computed as ours are."""
    affine, noise = (random.random(shape, np.float32) for shape in REFERENCE.numbers(*images.shape))
    places = dataclasses.replace(REFERENCE, elastic=0).places(images.shape, affine, noise)
    moves = ndimage.gaussian_filter(2 * noise - 1, REFERENCE.elastic_sigma, axes=(2, 3), mode="constant", radius=10)
    rows, columns = (place + REFERENCE.elastic * moves[:, i] for i, place in enumerate(places))
    X = [
        ndimage.map_coordinates(image / np.float32(255), place, order=1)
        for image, *place in zip(images, rows, columns, strict=True)
    ]
    return np.stack(X)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=100 * BATCH, help="images in a round")
    parser.add_argument("--jax", action="store_true")
    arguments = parser.parse_args()
    data = load_mnist()[0].first(arguments.images // BATCH * BATCH)
    plain = "an epoch of 784-800-800-10"
    ways = {
        plain: epoch(data, Deformation(), "numpy"),
        "an epoch on deformed images, linear": epoch(data, REFERENCE, "numpy"),
        "deforming alone, linear": batches(data, lambda images, random: deformed(REFERENCE, images, random)),
        "deforming alone, cubic": batches(data, lambda images, random: deformed(CUBIC, images, random)),
        "its random numbers alone": batches(data, numbers),
        "deforming by scipy.ndimage, linear": batches(data, by_scipy),
    }
    if arguments.jax:
        for name, deformation in (("", Deformation()), (", linear", REFERENCE), (", cubic", CUBIC)):
            ways["JAX: an epoch" + (f" on deformed images{name}" if name else "")] = epoch(data, deformation, "jax")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            seconds[name].append(way() * IMAGES / len(data))
    print("| what | seconds for 60,000 images | ratio to the epoch on images as they are |\n|-|-|-|")
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(times, seconds[plain], strict=True))
        print(f"| {name} | {min(times):.2f} (median {statistics.median(times):.2f}) | {ratio:.2f} |")
    print(f"load at the end {os.getloadavg()[0]:.2f}")

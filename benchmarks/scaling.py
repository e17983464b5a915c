"""Are bytes better scaled for each batch, or once? One epoch of 784-512-10 both ways, in turn; medians and ratio.

python benchmarks/scaling.py
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from pasapas import Recipe, load_mnist, training
from pasapas.data import Dataset
from pasapas.data.dataset import scaled

ROUNDS = 7

if __name__ == "__main__":
    recipe = Recipe(hidden=(512,), epochs=1)
    network = recipe.network()
    bytes_in_memory = load_mnist()[0]
    floats_in_memory = Dataset(scaled(bytes_in_memory.images, np.float32), bytes_in_memory.labels)
    seconds: dict[str, list[float]] = {"per batch": [], "once": []}
    for _ in range(ROUNDS):
        for name, data in (("per batch", bytes_in_memory), ("once", floats_in_memory)):
            began = time.perf_counter()
            training.run(network, recipe, training.Splits(data))
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for (name, median), data in zip(medians.items(), (bytes_in_memory, floats_in_memory), strict=True):
        print(f"{name:>9}: {median:.3f} s an epoch, {data.images.nbytes / 1e6:.0f} MB of pixels")
    ratio = statistics.median(a / b for a, b in zip(seconds["per batch"], seconds["once"], strict=True))
    print(f"per batch / once: {ratio:.3f} (median of {ROUNDS} rounds)")

"""What is to be measured where there is a GPU: the engine `jax` on it against NumPy on the processor, and how fast it is.

python benchmarks/gpu.py                 agreement, tanh-132, wide networks
python benchmarks/gpu.py --full          and the recipe champion, in full length, with three seeds
"""

from __future__ import annotations

import statistics
import sys
import time

import jax
import numpy as np

from pasapas import Recipe, recipe, train

MOST = {"float64": 1e-9, "float32": 5e-3}
"""How far parameters may be apart: more is no rounding. Adam divides by small numbers, and so makes most of it."""


def agreement() -> bool:
    """Whether parameters agree after two epochs without anything random but the order of images."""
    agree = True
    for dtype, most in MOST.items():
        for options in ({}, {"optimizer": "nesterov", "l2": 1e-4}, {"optimizer": "adam", "learning_rate": 0.001}):
            chosen = Recipe(hidden=(128,), epochs=2, train_images=10_000, dtype=dtype, **options)
            numpy, jax_ = (train(chosen, engine=engine, quiet=True).model.params for engine in ("numpy", "jax"))
            difference = max(np.abs(p[k] - q[k]).max() for p, q in zip(numpy, jax_, strict=True) for k in p)
            print(
                f"{dtype} {options}: parameters differ by at most {difference:.1e}, of {most:.0e} allowed", flush=True
            )
            agree &= bool(difference <= most)
    return agree


def timed(name: str, chosen: Recipe) -> None:
    """Seconds of all epochs but the first, which compiles, scaled to the recipe's number of epochs."""
    began = time.perf_counter()
    result = train(chosen, quiet=True)
    whole = time.perf_counter() - began
    seconds = [epoch.seconds for epoch in result.history]
    later = statistics.median(seconds[1:])
    print(
        f"{name}: {later * 1e3:.2f} ms an epoch (best {min(seconds) * 1e3:.2f}), {later * len(seconds):.3f} s for "
        f"{len(seconds)} epochs, first {seconds[0]:.2f} s, test {result.test[1]:.2%}, {whole:.1f} s in all",
        flush=True,
    )


if __name__ == "__main__":
    print("devices:", *jax.devices())
    agreed = agreement()
    for products in ("full", "tensorfloat32", "bfloat16"):
        timed(f"tanh-132, {products}", recipe("tanh-132", dtype="float32", engine="jax", products=products))
    timed("784-512-512-10", Recipe(hidden=(512, 512), epochs=5, engine="jax", products="bfloat16"))
    champion = recipe("champion")
    timed("champion, 60 epochs", champion.replace(epochs=60))
    if "--full" in sys.argv:
        for seed in range(3):
            timed(f"champion, seed {seed}", champion.replace(seed=seed))
    sys.exit(0 if agreed else "the engines disagree by more than rounding")

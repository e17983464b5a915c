"""Trains recipes over several seeds and writes what the test images say, with its spread, to benchmarks/seeds.md.

    python benchmarks/seeds.py default thorough tanh-132
    python benchmarks/seeds.py undeformed --seeds 3 --engine jax --products bfloat16

The figures of recipes that are not named stay as they are in the file.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import pasapas

HERE = Path(__file__).parent


def measure(name: str, seeds: int, **engine: str) -> dict[str, object]:
    accuracies, losses, seconds = [], [], []
    for seed in range(seeds):
        began = time.perf_counter()
        result = pasapas.train(name, seed=seed, quiet=True, **engine)
        seconds.append(time.perf_counter() - began)
        loss, accuracy = result.test or (float("nan"), float("nan"))
        accuracies.append(accuracy)
        losses.append(loss)
        print(f"{name}, seed {seed}: {accuracy:.2%}, loss {loss:.4f}, {seconds[-1]:.1f} s", flush=True)
    threads = max((pool["num_threads"] for pool in threadpool_info()), default=1)
    return {
        "accuracies": accuracies,
        "losses": losses,
        "seconds": seconds,
        "machine": f"{platform.machine()}, BLAS threads: {threads}, NumPy {np.__version__}"
        + "".join(f", {name} = {value}" for name, value in engine.items()),
    }


def table(results: dict[str, dict[str, object]]) -> str:
    lines = [
        "# Accuracy on the 10,000 test images, by seed",
        "",
        "Made by `python benchmarks/seeds.py " + " ".join(results) + "`; the raw figures are in `seeds.json`.",
        "",
        "| recipe | each seed, % | lowest | mean | standard deviation | median seconds | machine |",
        "|-|-|-|-|-|-|-|",
    ]
    for name, result in results.items():
        percents = [100 * a for a in result["accuracies"]]  # type: ignore[attr-defined]
        lines.append(
            f"| `{name}` | {', '.join(f'{p:.2f}' for p in percents)} | {min(percents):.2f} | {statistics.mean(percents):.2f} "
            f"| {statistics.stdev(percents):.2f} | {statistics.median(result['seconds']):.0f} | {result['machine']} |"  # type: ignore[type-var]
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--engine", choices=("numpy", "jax"), default=argparse.SUPPRESS)
    parser.add_argument("--products", choices=("full", "bfloat16"), default=argparse.SUPPRESS)
    arguments = parser.parse_args()
    file = HERE / "seeds.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    for name in arguments.recipes:
        engine = {k: v for k, v in vars(arguments).items() if k in ("engine", "products")}
        results[name] = measure(name, arguments.seeds, **engine)
        file.write_text(json.dumps(results, indent=1) + "\n")
        (HERE / "seeds.md").write_text(table(results))

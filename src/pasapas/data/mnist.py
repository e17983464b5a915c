"""MNIST: 70,000 handwritten digits, in the four original files, which ship with the package.

Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", under CC BY-SA 3.0 (see `mnist/LICENSE`).
"""

from __future__ import annotations

from pathlib import Path

from pasapas.data.dataset import Dataset
from pasapas.data.idx import read_idx

FOLDER = Path(__file__).parent / "mnist"

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The digests of the unpacked files as published; `hatch_build.py` checks them whenever the package is built."""


def load_mnist() -> tuple[Dataset, Dataset]:
    """The 60,000 training images and the 10,000 test images, each (m, 28, 28) of uint8. Needs no network."""
    return _load("train"), _load("t10k")


def load_mnist_test() -> Dataset:
    """The 10,000 test images alone."""
    return _load("t10k")


def _load(part: str) -> Dataset:
    return Dataset(read_idx(FOLDER / f"{part}-images-idx3-ubyte.gz"), read_idx(FOLDER / f"{part}-labels-idx1-ubyte.gz"))

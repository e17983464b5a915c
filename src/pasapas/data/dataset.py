"""A data set in memory: pixels as bytes, and the label of each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer
from pasapas.layers import Array


@dataclass(frozen=True)
class Dataset:
    """`images` (m, height, width) of uint8, 0 black to 255 white, and `labels` (m,) of whole numbers from 0.

    Raises PasapasError where the two do not belong together.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[Any]

    def __post_init__(self) -> None:
        if self.images.ndim < 2 or self.labels.ndim != 1 or len(self.images) != len(self.labels):
            raise PasapasError(
                _(
                    "Images and labels do not belong together: expected images (m, height, width) and labels (m,), got {images} and {labels}."
                ).format(images=self.images.shape, labels=self.labels.shape)
            )
        if not np.issubdtype(self.labels.dtype, np.integer):
            raise PasapasError(_("Labels must be whole numbers, not {dtype}.").format(dtype=self.labels.dtype))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_inputs(self) -> int:
        """The number of pixels of an image: the width of a network's input."""
        return int(np.prod(self.images.shape[1:]))

    def check_fits(self, n_inputs: int, n_classes: int) -> None:
        """Raises PasapasError unless there are images, each of `n_inputs` numbers, with labels below `n_classes`."""
        if not len(self):
            raise PasapasError(_("There are no images to train or to measure on."))
        if self.n_inputs != n_inputs:
            raise PasapasError(
                _("The network takes {expected} numbers for an image, but these images have {got}.").format(
                    expected=n_inputs, got=self.n_inputs
                )
            )
        if self.labels.min() < 0 or self.labels.max() >= n_classes:
            raise PasapasError(
                _("The network knows classes 0 to {last}, but the labels go from {low} to {high}.").format(
                    last=n_classes - 1, low=self.labels.min(), high=self.labels.max()
                )
            )

    def first(self, n: int) -> Dataset:
        """The first n images. Raises PasapasError if there are fewer."""
        if n > len(self):
            raise PasapasError(
                _("{n} images were asked for, but there are only {there}.").format(
                    n=integer(n), there=integer(len(self))
                )
            )
        return Dataset(self.images[:n], self.labels[:n])

    def split(self, n: int) -> tuple[Dataset, Dataset]:
        """All but the last n images, and the last n. Raises PasapasError if nothing would be left of the first."""
        if n >= len(self):
            raise PasapasError(
                _("A validation split of {n} leaves nothing of {there} images to train on.").format(
                    n=integer(n), there=integer(len(self))
                )
            )
        cut = len(self) - n
        return Dataset(self.images[:cut], self.labels[:cut]), Dataset(self.images[cut:], self.labels[cut:])


def scaled(images: Array, dtype: Any) -> Array:
    """X (m, n_in) for a network: one row an image, bytes brought from 0–255 to 0–1, other numbers left as they are."""
    rows = images.reshape(len(images), -1).astype(dtype, copy=False)
    return rows / 255 if images.dtype == np.uint8 else rows

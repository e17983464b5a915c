"""What a unit of the first layer answers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.data.dataset import Dataset, scaled
from pasapas.errors import PasapasError
from pasapas.i18n import _, integer
from pasapas.layers import Dense, Dropout
from pasapas.models import Model


@dataclass(frozen=True)
class Unit:
    """Unit `number` of the first dense layer: its weights (n_in,), and the images that its sum is largest and smallest for.

    `most` and `least` are numbers of images (n,), the most extreme first. `sums` (m,) are Z = x · w + b of all images and
    `activations` (m,) what the unit makes of them; the two are the same where no activation follows. `likes` (n_classes,)
    are the mean activations over the images of each class, nan for a class without images.
    """

    number: int
    weights: npt.NDArray[Any]
    most: npt.NDArray[np.intp]
    least: npt.NDArray[np.intp]
    sums: npt.NDArray[Any]
    activations: npt.NDArray[Any]
    likes: npt.NDArray[np.float64]


def first_weights(model: Model) -> npt.NDArray[Any]:
    """W (n_in, n_units) of the first dense layer."""
    W: npt.NDArray[Any] = next(p["W"] for p in model.params if "W" in p)
    return W


def strongest(model: Model) -> int:
    """The unit of the first layer with the longest weights."""
    return int(np.argmax(np.linalg.norm(first_weights(model), axis=0)))


def look_at(model: Model, number: int, data: Dataset, n: int = 6) -> Unit:
    """Unit `number` of the model's first dense layer, asked about all of `data`.

    Raises PasapasError for a number that the layer does not have, and for images of another size.
    """
    W = first_weights(model)
    if not 0 <= number < W.shape[1]:
        raise PasapasError(
            _("The first layer has units 0 to {last}, but unit {number} was asked for.").format(
                last=integer(W.shape[1] - 1), number=number
            )
        )
    if data.n_inputs != W.shape[0]:
        raise PasapasError(
            _("The network takes {expected} numbers for an image, but these images have {got}.").format(
                expected=W.shape[0], got=data.n_inputs
            )
        )
    layers = [(layer, p) for layer, p in zip(model.network.layers, model.params, strict=True)]
    i = next(i for i, (layer, _p) in enumerate(layers) if isinstance(layer, Dense))
    sums = scaled(data.images, W.dtype) @ W[:, number] + layers[i][1]["b"][number]  # (m,)
    following = [layer for layer, _p in layers[i + 1 : i + 2] if not isinstance(layer, (Dense, Dropout))]
    activations = following[0].forward({}, sums) if following else sums  # (m,)
    order = np.argsort(-sums, kind="stable")
    counts = np.bincount(data.labels)
    totals = np.bincount(data.labels, activations)
    likes = np.divide(totals, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return Unit(number, W[:, number], order[:n], order[::-1][:n], sums, activations, likes)

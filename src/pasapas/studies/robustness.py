"""How much of its accuracy a model keeps on digits that are disturbed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasapas.data.dataset import Dataset
from pasapas.data.disturbances import DISTURBANCES, Disturbance
from pasapas.models import Classifier


@dataclass(frozen=True)
class Robustness:
    """The accuracy, a fraction, at each strength of a disturbance: the mean over its directions."""

    disturbance: Disturbance
    accuracy: tuple[float, ...]


def robustness(
    model: Classifier, data: Dataset, watch: Callable[[Disturbance, float], Any] | None = None
) -> list[Robustness]:
    """The model's accuracy on `data` under each of the `DISTURBANCES`; `watch` is told of each before it is measured.

    Raises PasapasError for images that are not (m, height, width) of uint8, or not of the network's size.
    """
    found = []
    for disturbance in DISTURBANCES:
        accuracy = []
        for strength in disturbance.strengths:
            if watch:
                watch(disturbance, strength)
            right = [
                np.mean(model.predict(images) == data.labels) for images in disturbance.variants(data.images, strength)
            ]
            accuracy.append(float(np.mean(right)))
        found.append(Robustness(disturbance, tuple(accuracy)))
    return found

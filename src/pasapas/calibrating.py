"""Probabilities that mean what they say: a model's scores divided by a temperature."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy.typing as npt

from pasapas.layers import Dense
from pasapas.metrics import temperature
from pasapas.models import Committee, Model

_Either = TypeVar("_Either", Model, Committee)


def at_temperature(model: _Either, T: float) -> _Either:
    """The same network with W and b of its last dense layer divided by T > 0, so that its scores are Z / T.

    Its answers are the same; above 1 it is less sure of them. `about` says the temperature, against the training's. No
    weights hold that of a committee, whose scores are logarithms of mean probabilities: it keeps T itself.
    """
    if isinstance(model, Committee):
        return Committee(model.members, model.about, model.temperature * T)
    last = max(i for i, layer in enumerate(model.network.layers) if isinstance(layer, Dense))
    params = [
        {"W": p["W"] / p["W"].dtype.type(T), "b": p["b"] / p["b"].dtype.type(T)} if i == last else p
        for i, p in enumerate(model.params)
    ]
    about = {**model.about, "temperature": model.about.get("temperature", 1.0) * T}
    return Model(model.network, params, about)


def calibrated(model: _Either, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> _Either:
    """The model at the temperature that suits images (m, ...) with labels (m,) best: see `metrics.temperature`.

    They must be validation images: on its training images a network is right too often to learn how sure it may be,
    and on test images the calibration could no longer be measured. Raises PasapasError as `metrics.temperature` does.
    """
    return at_temperature(model, temperature(model.log_probabilities(images), labels))

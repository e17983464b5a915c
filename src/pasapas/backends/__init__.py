"""The engines: how the steps of an epoch are driven. Each of them runs the same functions, `pasapas.steps.step` and below.

`numpy` is a loop in Python, `jax` a compiled one, on processor or GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from pasapas.backends.epochs import Plan
from pasapas.data.dataset import Dataset
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Params
from pasapas.network import Network
from pasapas.optimizers import State
from pasapas.recipes import Recipe


class Steps(NamedTuple):
    """What some steps in a row gave: parameters and optimizer memory after them, and of each its loss, its number of
    right answers and its number of images. Where images are used twice, an answer to either counts half.

    The arrays may be written over by the next steps of the same epoch; after its last ones they stay.
    """

    params: Sequence[Params]
    state: State
    losses: Sequence[float]
    correct: Sequence[float]
    images: Sequence[int]


class Engine(Protocol):
    """What training asks of an engine. Its arrays are its own: `place` makes them, `fetch` brings them back to NumPy."""

    def place(self, values: Any) -> Any:
        """Parameters or an optimizer's memory, from NumPy."""

    def fetch(self, values: Any) -> Any:
        """Parameters or an optimizer's memory, to NumPy."""

    def epoch(self, params: Sequence[Params], state: State, data: Dataset, plan: Plan) -> Iterator[Steps]:
        """The steps of one epoch, some at a time."""

    def evaluate(self, params: Sequence[Params], data: Dataset) -> tuple[float, float]:
        """The mean cross-entropy, without smoothing or penalty, and the accuracy, as a fraction, over `data`."""

    def average(self, mean: Sequence[Params], params: Sequence[Params], share: float) -> Sequence[Params]:
        """mean + share · (params − mean)."""


def make_engine(recipe: Recipe, network: Network, distributed: bool = False) -> Engine:
    """The engine that the recipe names, on all devices of all processes if it is to be `distributed`.

    Raises PasapasError where it is not installed, or cannot do what is asked.
    """
    if recipe.engine == "jax":
        from pasapas.backends.jax import JaxEngine

        return JaxEngine(recipe, network, distributed)
    if distributed:
        raise PasapasError(_("Only the engine 'jax' trains on several devices: add --engine jax."))
    from pasapas.backends.numpy import NumpyEngine

    return NumpyEngine(recipe, network)

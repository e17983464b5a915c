"""What an epoch is to do, before anyone does it: which images each step takes, and at what learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pasapas.recipes import Recipe

_ORDER, _MASKS, _DEFORMATIONS = 0, 1, 2  # what the random numbers of an epoch are for


@dataclass(frozen=True)
class Plan:
    """One epoch: for each of its steps the images (m,) to take, as their places or as a slice, and the learning rate.

    `number` counts from 1. `strength` is that of deformations, 1 for those of the recipe. All that is random comes from
    `seed`, `number` and a purpose; so an epoch can be repeated without those before it.
    """

    number: int
    seed: int
    batches: Sequence[npt.NDArray[np.intp] | slice]
    learning_rates: Sequence[float]
    strength: float = 1.0

    def masks(self) -> np.random.Generator:
        """What draws the dropout masks."""
        return np.random.default_rng((self.seed, self.number, _MASKS))

    def deformations(self) -> np.random.Generator:
        """What draws the deformations."""
        return np.random.default_rng((self.seed, self.number, _DEFORMATIONS))


def make_plan(recipe: Recipe, m: int, number: int) -> Plan:
    """Epoch `number`, from 1, of a recipe on m images."""
    batches = make_batches(recipe, m, number)
    schedule = recipe.make_schedule()
    # the middle of the step: neither a first step of size 0 nor a last one
    moments = [number - 1 + (i + 0.5) / len(batches) for i in range(len(batches))]
    rates = [recipe.learning_rate * schedule.factor(moment, recipe.epochs) for moment in moments]
    return Plan(number, recipe.seed, batches, rates, strength(recipe, number))


def make_batches(recipe: Recipe, m: int, epoch: int) -> list[npt.NDArray[np.intp] | slice]:
    """Which of m images each step of an epoch takes: an order of its own for each epoch, or slices as they come."""
    end = m - m % recipe.batch_size if recipe.drop_last else m
    cuts = [slice(i, min(i + recipe.batch_size, end)) for i in range(0, end, recipe.batch_size)]
    if not recipe.shuffle:
        return list(cuts)
    order = np.random.default_rng((recipe.seed, epoch, _ORDER)).permutation(m)
    return [order[cut] for cut in cuts]


def strength(recipe: Recipe, number: int) -> float:
    """How much of the recipe's deformations epoch `number` applies: all until `deform_until`, then down to `deform_final`."""
    done = (number - 1) / recipe.epochs
    if done < recipe.deform_until or recipe.deform_until == 1:
        return 1.0
    share = (done - recipe.deform_until) / (1 - recipe.deform_until)
    return 1 + share * (recipe.deform_final - 1)

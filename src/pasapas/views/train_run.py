"""A training that is taken step by step: what `pasapas.train` does, to be held at any batch, and what is measured on the way."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.backends.epochs import make_plan
from pasapas.backends.numpy import NumpyEngine, evaluate
from pasapas.data.dataset import Dataset, scaled
from pasapas.layers import LeakyReLU, Params, ReLU, Sigmoid, Tanh
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.models import Model
from pasapas.network import forward
from pasapas.optimizers import State
from pasapas.recipes import Recipe
from pasapas.training import diverged, start
from pasapas.views.packing import packed, signed

MOST_POINTS = 400
"""Points of a curve; where there were more, each two become one."""

MOST_MEASURES = 300
HELD_OUT, PROBE, HARD = 1000, 200, 2000
"""How many images measures are taken on: the first test images, the first training images, and those the hardest are of."""

_BETWEEN_TESTS = 10_000  # training images, from one accuracy on all test images to the next
_PIECE = 1000  # test images at a time
_UNITS, _HARDEST = 36, 12
_FLAT = 0.1  # a slope below this share of its largest is flat


class Losses:
    """The mean loss and accuracy of each so many batches: twice as many whenever there are too many points."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, float, float]] = []  # batch, images, loss · images, right answers
        self._open: list[tuple[int, int, float, float]] = []
        self._size, self._told = 1, 0

    def add(self, batch: int, images: int, loss: float, correct: float) -> None:
        """What one batch gave."""
        self._open.append((batch, images, loss * images, correct))
        if len(self._open) == self._size:
            self._rows.append(_sum(self._open))
            self._open = []
        if len(self._rows) == MOST_POINTS:
            self._rows = [_sum(self._rows[i : i + 2]) for i in range(0, MOST_POINTS, 2)]
            self._size, self._told = 2 * self._size, 0

    def rows(self, start: int = 0) -> list[list[float]]:
        """Batch, loss and accuracy of the points from `start` on."""
        return [[batch, loss / images, right / images] for batch, images, loss, right in self._rows[start:]]

    def news(self, whole: bool) -> dict[str, Any]:
        """The points since the last time, or all: they come in place of those from `start` on."""
        first, self._told = 0 if whole else self._told, len(self._rows)
        return {"start": first, "rows": self.rows(first)}


def _sum(rows: Sequence[tuple[int, int, float, float]]) -> tuple[int, int, float, float]:
    return rows[-1][0], sum(r[1] for r in rows), sum(r[2] for r in rows), sum(r[3] for r in rows)


class Measures:
    """What is measured every so many batches, and half as often whenever there are too many measures."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.rows: list[dict[str, Any]] = []
        self._told = 0

    def add(self, row: dict[str, Any]) -> None:
        """One measure, with its `batch`."""
        self.rows.append(row)
        if len(self.rows) > MOST_MEASURES:
            self.every *= 2
            self.rows = [one for one in self.rows if one["batch"] % self.every == 0]
            self._told = 0

    def news(self, whole: bool) -> dict[str, Any]:
        """As for `Losses.news`."""
        first, self._told = 0 if whole else self._told, len(self.rows)
        return {"start": first, "rows": self.rows[first:]}


class Run:
    """A recipe's training on `training`, measured on `test`. The same recipe gives the same bits as `pasapas.train`."""

    def __init__(self, recipe: Recipe, training: Dataset, test: Dataset) -> None:
        self.recipe, self.network = recipe, recipe.network()
        self.training, self.test = training.first(recipe.train_images), test
        self._engine = NumpyEngine(recipe, self.network)
        self.rewind()

    def rewind(self) -> None:
        """Back to the first weights, and to the first order of the images. The learning rate stays what it is now."""
        progress = start(self.network, self.recipe)
        self.params: Sequence[Params] = progress.params
        self.state: State = progress.state
        self.epoch, self.in_epoch, self.batches, self.images = 1, 0, 0, 0
        self.per_epoch = math.ceil(len(self.training) / self.recipe.batch_size)
        self.tested: dict[str, Any] | None = None
        self.losses = Losses()
        # a measure costs as much as a few steps
        self.measures = Measures(max(16, 2000 // self.recipe.batch_size))
        self._trouble: tuple[float, int, int, float] | None = None
        self._busy = False
        self._rates: list[float] = []
        self.rates = [(0, self.recipe.learning_rate)]
        self._work = self._pieces()
        self._measure()

    # Training

    @property
    def failed(self) -> bool:
        """Whether the loss is no longer finite."""
        return self._trouble is not None

    def due(self, batches: float) -> bool:
        """Whether there is something to do before so many batches are behind."""
        return not self.failed and (self.batches < batches or self._busy)

    def work(self) -> None:
        """One more piece of work: a step, or a measure."""
        next(self._work, None)

    def set_rate(self, value: float) -> None:
        """Another learning rate, from the next step on."""
        self.recipe = self.recipe.replace(learning_rate=value)
        self._rates[:] = [value] * len(self._rates)
        before = [(batch, rate) for batch, rate in self.rates if batch < self.batches]
        self.rates = before if before and before[-1][1] == value else [*before, (self.batches, value)]

    def _pieces(self) -> Iterator[None]:
        untested = 0
        while True:
            plan = make_plan(self.recipe, len(self.training), self.epoch)
            self._rates = list(plan.learning_rates)  # read one by one, so that they can be changed before their step
            plan = dataclasses.replace(plan, learning_rates=self._rates)
            for steps in self._engine.steps(self.params, self.state, self.training, plan):
                self.params, self.state = steps.params, steps.state
                loss, correct, images = steps.losses[0], steps.correct[0], steps.images[0]
                if not math.isfinite(loss):
                    self._trouble = loss, self.epoch, self.in_epoch + 1, self.recipe.learning_rate
                    return
                self.in_epoch, self.batches, self.images = self.in_epoch + 1, self.batches + 1, self.images + images
                untested += images
                self.losses.add(self.batches, images, loss, correct)
                self._busy = True
                if self.batches % self.measures.every == 0:
                    yield
                    self._measure()
                if self.in_epoch == self.per_epoch and untested >= _BETWEEN_TESTS:
                    untested = 0
                    yield from self._test()
                self._busy = False
                yield
            self.epoch, self.in_epoch = self.epoch + 1, 0

    # Measuring

    def _measure(self) -> None:
        """Loss and accuracy on held-out images, the size of the gradient of each layer, and its dead units."""
        with np.errstate(over="ignore", invalid="ignore"):
            values, Y = self._forward(self.test.first(min(HELD_OUT, len(self.test))), SoftmaxCrossEntropy())
            loss = SoftmaxCrossEntropy().value(values[-1], Y)
            right = np.mean(np.argmax(values[-1], axis=1) == np.argmax(Y, axis=1))
            off = [
                _off(layer, A) for layer, A in zip(self.network.layers, values[1:], strict=True) if _is_hidden(layer)
            ]
            values, Y = self._forward(self.training.first(min(PROBE, len(self.training))), self.network.loss)
            gradients = self.network.gradients(self.params, values, Y)
            self.measures.add(
                {
                    "batch": self.batches,
                    "loss": finite(loss),
                    "accuracy": finite(right),
                    "gradients": [finite(np.linalg.norm(g["W"])) for g in gradients if g],
                    "weights": [finite(np.linalg.norm(p["W"])) for p in self.params if p],
                    "off": off,
                }
            )

    def _forward(self, data: Dataset, loss: SoftmaxCrossEntropy) -> tuple[list[npt.NDArray[Any]], npt.NDArray[Any]]:
        dtype = next(p["W"].dtype for p in self.params if p)
        X = scaled(data.images, dtype)  # (m, n_in)
        Y = loss.targets(data.labels, self.network.sizes[-1], dtype)  # (m, n_classes)
        return forward(self.network.layers, self.params, X), Y

    def _test(self) -> Iterator[None]:
        """Loss and accuracy on all test images, some at a time."""
        found = []
        for i in range(0, len(self.test), _PIECE):
            yield
            piece = Dataset(self.test.images[i : i + _PIECE], self.test.labels[i : i + _PIECE])
            found.append((*evaluate(self.network, self.params, piece), len(piece)))
        loss, accuracy = (sum(one[k] * one[2] for one in found) / len(self.test) for k in (0, 1))
        self.tested = {"epoch": self.epoch, "loss": finite(loss), "accuracy": finite(accuracy)}

    # Telling

    def news(self, whole: bool = False) -> dict[str, Any]:
        """Where it stands, and what was measured since the last time, or `whole`."""
        return {
            "batches": self.batches,
            "epoch": self.epoch,
            "in_epoch": self.in_epoch,
            "per_epoch": self.per_epoch,
            "images": self.images,
            "learning_rate": self.recipe.learning_rate,
            "rate_changed": len(self.rates) > 1,
            "losses": self.losses.news(whole),
            "measures": self.measures.news(whole),
            "tested": self.tested,
            "trouble": self.trouble(),
        }

    def trouble(self) -> str | None:
        """The sentence about a loss that is no longer finite."""
        return None if self._trouble is None else str(diverged(*self._trouble))

    def units(self) -> dict[str, Any]:
        """The weights of the first layer's first units, each 28×28; all in one scale."""
        W = next(p["W"] for p in self.params if p)  # (784, n)
        shown = np.nan_to_num(W[:, :_UNITS].T, posinf=0, neginf=0)  # (units, 784)
        return {"shown": len(shown), "units": W.shape[1], **signed(shown)}

    def hardest(self) -> list[dict[str, Any]]:
        """Of the first test images those with the highest loss: what they are, and what the network reads."""
        data = self.test.first(min(HARD, len(self.test)))
        log_P = self.model().log_probabilities(data.images)  # (m, n_classes)
        losses = -log_P[np.arange(len(data)), data.labels]  # (m,)
        worst = np.argsort(-losses, kind="stable")[:_HARDEST]
        answers = np.argmax(log_P, axis=1)
        return [
            {
                "number": int(i),
                "label": int(data.labels[i]),
                "answer": int(answers[i]),
                "probability": finite(np.exp(log_P[i, answers[i]])),
                "loss": finite(losses[i]),
                "pixels": packed(data.images[i], "u1"),
            }
            for i in worst
        ]

    def model(self) -> Model:
        """The network as it is now."""
        params = [{name: array.copy() for name, array in p.items()} for p in self.params]
        about = {"recipe": self.recipe.as_dict(), "epochs": self.images // len(self.training), "batches": self.batches}
        if len(self.rates) > 1:  # the recipe knows the last one alone
            about["learning_rates"] = [list(one) for one in self.rates]
        return Model(self.network, params, about)


def finite(value: Any) -> float | None:
    """A number for JSON, which knows neither NaN nor infinity."""
    return float(value) if math.isfinite(value) else None


def _is_hidden(layer: Any) -> bool:
    return isinstance(layer, (ReLU, LeakyReLU, Tanh, Sigmoid))


def _off(layer: Any, A: npt.NDArray[Any]) -> float | None:
    """Of ReLU the share of units that are 0 for all images; of tanh and sigmoid that of values where the slope is flat.

    A (m, n) are activations. None for leaky ReLU, whose slope is never 0, and where a value is no number.
    """
    if isinstance(layer, LeakyReLU) or not np.isfinite(A).all():
        return None
    if isinstance(layer, ReLU):
        return float(np.mean((A == 0).all(axis=0)))
    ones = np.ones_like(A)
    slopes = layer.input_gradient({}, A, A, ones)  # (m, n): both are told by their activation alone
    steepest = 1 if isinstance(layer, Tanh) else 0.25
    return float(np.mean(slopes < _FLAT * steepest))

"""The loss around a trained network, over planes through all its parameters, and the path that training took there.

A network of 100,000 parameters lives in a space of as many dimensions; its loss is looked at on a plane through it.
H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018: random
directions, each unit's part of which is as long as the unit's own weights (section 4), and for the path the first two
principal components of the parameters on the way (section 7).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas import training
from pasapas.backends.epochs import make_batches
from pasapas.data.dataset import Dataset, scaled
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Dense, Params
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.network import Network, forward
from pasapas.optimizers import Optimizer, State, each
from pasapas.recipes import Recipe

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """The loss (len(y), len(x)) at centre + x · first direction + y · second direction."""

    x: Floats
    y: Floats
    loss: Floats


@dataclass(frozen=True)
class PathPlane:
    """The plane in which a path of parameters lies best: two directions of length 1, at right angles to each other.

    `coordinates` (k, 2) are those of the k points from the centre, `explained` (2,) the shares of the path's variance
    that lie along the directions.
    """

    first: Sequence[Params]
    second: Sequence[Params]
    coordinates: Floats
    explained: Floats


def vector(params: Sequence[Params]) -> Floats:
    """All parameters in one row (n,) of float64: layer by layer, in each in the order of its names."""
    return np.concatenate([np.ravel(array).astype(np.float64) for layer in params for array in layer.values()])


def unvector(row: Floats, like: Sequence[Params]) -> list[Params]:
    """What `vector` made a row of, in the shapes and dtypes of `like`."""
    ends = np.cumsum([array.size for layer in like for array in layer.values()])
    pieces = iter(np.split(row, ends[:-1]))
    return each(lambda array: next(pieces).reshape(array.shape).astype(array.dtype), like)


def random_direction(params: Sequence[Params], random: np.random.Generator) -> list[Params]:
    """A direction in the shape of `params`, filter-normalised: each column of W as long as the weights' own.

    A column of W holds the weights into one unit. Where units are rescaled against each other the network computes the
    same, and thanks to the norm the picture stays the same as well. Biases do not move, as in the authors' code.
    """

    def normalised(W: npt.NDArray[Any]) -> npt.NDArray[Any]:
        D: npt.NDArray[Any] = random.standard_normal(W.shape)  # (n_in, n_out)
        D *= np.linalg.norm(W, axis=0) / np.linalg.norm(D, axis=0)  # (n_in, n_out)
        return D.astype(W.dtype)

    return [{"W": normalised(p["W"]), "b": np.zeros_like(p["b"])} if p else {} for p in params]


def surface(
    network: Network,
    centre: Sequence[Params],
    first: Sequence[Params],
    second: Sequence[Params],
    x: Floats,
    y: Floats,
    data: Dataset,
    watch: Callable[[int], None] = lambda points: None,
) -> Surface:
    """The mean cross-entropy over `data`, without smoothing or penalty, on the grid x × y; `watch` hears of each row."""
    dtype = next(p["W"].dtype for p in centre if p)
    X = scaled(data.images, dtype)  # (m, n_in)
    Y = SoftmaxCrossEntropy().targets(data.labels, network.sizes[-1], dtype)  # (m, n_classes)
    i = next(i for i, layer in enumerate(network.layers) if isinstance(layer, Dense))
    # the first, widest layer is linear in its parameters: three products do for the whole plane
    Z, Zx, Zy = (network.layers[i].forward(p[i], X) for p in (centre, first, second))  # (m, n_1) each
    after, rest = network.layers[i + 1 :], (centre[i + 1 :], first[i + 1 :], second[i + 1 :])
    loss = np.empty((len(y), len(x)))
    for row, v in enumerate(y.tolist()):
        for column, u in enumerate(x.tolist()):
            params = each(lambda p, dx, dy, u=u, v=v: p + u * dx + v * dy, *rest)
            scores = forward(after, params, Z + u * Zx + v * Zy)[-1]  # (m, n_classes)
            loss[row, column] = SoftmaxCrossEntropy().value(scores, Y)
        watch((row + 1) * len(x))
    return Surface(x, y, loss)


def path_plane(path: Sequence[Sequence[Params]], centre: Sequence[Params]) -> PathPlane:
    """The plane of the first two principal components of `path`, seen from `centre`.

    The first direction is turned so that the path begins on the left, the second so that it begins below. Raises
    PasapasError for fewer than three points.
    """
    if len(path) < 3:
        raise PasapasError(_("A path needs at least three points, not {n}.").format(n=len(path)))
    from_centre = np.stack([vector(params) for params in path]) - vector(centre)  # (k, n)
    centred = from_centre - from_centre.mean(axis=0)  # (k, n)
    # the points are few and long: the eigenvectors of their k × k products give those of the n × n covariance
    variance, U = np.linalg.eigh(centred @ centred.T)  # (k,) ascending, (k, k)
    directions = np.linalg.qr(centred.T @ U[:, :-3:-1])[0].T  # (2, n), at right angles even where the path is straight
    coordinates = from_centre @ directions.T  # (k, 2)
    signs = np.where(coordinates[0] > 0, -1.0, 1.0)
    first, second = (unvector(row, centre) for row in directions * signs[:, None])
    total = float(np.sum(centred**2))
    explained = np.clip(variance[:-3:-1] / total, 0, 1) if total else np.zeros(2)
    return PathPlane(first, second, coordinates * signs, explained)


def margins(coordinates: Floats, points: int = 21, margin: float = 0.25) -> tuple[Floats, Floats]:
    """The grid's x and y (points,) around all coordinates (k, 2), with a margin on each side."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    spread = np.maximum(high - low, max(0.1 * float(np.max(high - low)), 1e-6))
    x, y = (np.linspace(a - margin * s, b + margin * s, points) for a, b, s in zip(low, high, spread, strict=True))
    return x, y


@dataclass(frozen=True)
class Watched:
    """An optimizer that shows the parameters after each of its updates to `note`, and changes nothing."""

    optimizer: Optimizer
    note: Callable[[Sequence[Params]], None]

    def initialize(self, params: Sequence[Params]) -> State:
        """The memory of the optimizer that is watched."""
        return self.optimizer.initialize(params)

    def update(
        self, params: Sequence[Params], gradients: Sequence[Params], state: State, learning_rate: float
    ) -> tuple[list[Params], State]:
        """The update of the optimizer that is watched."""
        moved, state = self.optimizer.update(params, gradients, state, learning_rate)
        self.note(moved)
        return moved, state


@dataclass(frozen=True)
class Path:
    """Parameters on the way of a training, and after how many steps each; the last are those after the last step."""

    steps: tuple[int, ...]
    params: tuple[Sequence[Params], ...]


def steps_of(recipe: Recipe) -> int:
    """How many steps a training by `recipe` takes, unless it stops early."""
    images = recipe.train_images - recipe.validation_images
    return recipe.epochs * len(make_batches(recipe.replace(shuffle=False), images, 1))


def record(recipe: Recipe, points: int = 60, watcher: training.Watcher | None = None) -> tuple[training.Result, Path]:
    """Trains by `recipe` as ever, and notes the parameters at the start and at about `points` evenly spaced steps.

    Raises Diverged, and KeyboardInterrupt where it came in between.
    """
    every = -(-steps_of(recipe) // points)
    start = training.start(recipe.network(), recipe).params
    noted: list[tuple[int, Sequence[Params]]] = [(0, start)]
    last: list[Any] = [0, start]

    def note(params: Sequence[Params]) -> None:
        last[:] = last[0] + 1, params
        if last[0] % every == 0:
            noted.append((last[0], params))

    class Recorded(Recipe):
        def make_optimizer(self) -> Optimizer:
            return Watched(super().make_optimizer(), note)

    result = training.run(
        recipe.network(), Recorded(**dataclasses.asdict(recipe)), training.mnist_splits(recipe), None, watcher
    )
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    if noted[-1][0] != last[0]:
        noted.append((last[0], last[1]))
    steps, params = zip(*noted, strict=True)
    return result, Path(steps, params)


def sample(data: Dataset, n: int = 1000, seed: int = 0) -> Dataset:
    """At most n images of `data`, drawn without repetition, the same for the same seed."""
    chosen = np.random.default_rng(seed).permutation(len(data))[:n]
    return Dataset(data.images[chosen], data.labels[chosen])

"""An epoch on JAX: the same steps, compiled into one loop that runs where the data is, on processor or GPU.

Nothing is differentiated here: `pasapas.steps.step` is traced as it stands, with its hand-written backward pass.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import numpy as np

from pasapas.backends import Steps
from pasapas.backends.epochs import Plan
from pasapas.data.dataset import Dataset, scaled
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Array, Dense, Params
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.network import Network, forward
from pasapas.optimizers import State, each
from pasapas.recipes import Recipe
from pasapas.steps import step

try:
    import jax
    import jax.numpy as jnp
except ModuleNotFoundError:
    raise PasapasError(
        _("The engine 'jax' is not installed: pip install 'pasapas[jax]', or leave out --engine.")
    ) from None

_WORK = {"cpu": 4e10, "gpu": 4e12}
"""Multiplications and additions that one call of the compiled loop takes at most: some tenths of a second."""

_PRECISION = {"full": "highest", "tensorfloat32": "tensorfloat32", "bfloat16": "highest"}


class JaxEngine:
    """The engine `jax`. Images are on the device, and so is all that happens to them until an epoch is over."""

    def __init__(self, recipe: Recipe, network: Network) -> None:
        self.recipe, self.optimizer = recipe, recipe.make_optimizer()
        self.network = in_bfloat16(network) if recipe.products == "bfloat16" else network
        self._placed: dict[int, tuple[Dataset, Array, Array]] = {}
        self._steps = jax.jit(self._some_steps)
        self._scores = jax.jit(self._measures)
        self._average = jax.jit(lambda mean, params, share: each(lambda m, p: m + share * (p - m), mean, params))
        keep_compiled()

    def place(self, values: Any) -> Any:
        """`values` on the device."""
        with self._settings():
            return jax.tree.map(jnp.asarray, values)

    def fetch(self, values: Any) -> Any:
        """`values` as NumPy arrays."""
        return jax.tree.map(np.asarray, values)

    def epoch(self, params: Sequence[Params], state: State, data: Dataset, plan: Plan) -> Iterator[Steps]:
        """The steps of `plan`, as many at a time as take some tenths of a second."""
        with self._settings():
            images, labels = self._on_device(data)
            strength = jnp.asarray(plan.strength, self.recipe.dtype)
            done = 0
            for size in self._sizes(plan):
                batches = plan.batches[done : done + size]
                rates = np.asarray(plan.learning_rates[done : done + size], self.recipe.dtype)
                m = [_length(batch) for batch in batches]
                places = np.stack([_places(batch) for batch in batches])
                params, state, losses, correct = self._steps(
                    params, state, images, labels, places, rates, plan.seed, plan.number, done, strength
                )
                done += size
                yield Steps(params, state, np.asarray(losses).tolist(), np.asarray(correct).tolist(), m)

    def _sizes(self, plan: Plan) -> list[int]:
        """How many steps to take at a time; the incomplete last batch by itself."""
        m = _length(plan.batches[0])
        whole = sum(_length(batch) == m for batch in plan.batches)
        weights = sum(layer.n_in * layer.n_out for layer in self.network.dense)
        limit = max(1, int(_WORK["cpu" if jax.default_backend() == "cpu" else "gpu"] / (6 * weights * m)))
        if limit < whole:  # in equal parts where that is possible: each length is compiled for itself
            limit = next((n for n in range(limit, limit // 2, -1) if whole % n == 0), limit)
        sizes = [min(limit, whole - i) for i in range(0, whole, limit)]
        return sizes + [1] * (len(plan.batches) - whole)

    def _some_steps(
        self,
        params: Sequence[Params],
        state: State,
        images: Array,
        labels: Array,
        places: Array,
        rates: Array,
        seed: Array,
        number: Array,
        done: Array,
        strength: Array,
    ) -> tuple[Sequence[Params], State, Array, Array]:
        """Steps on images[places] (steps, m); `done` of the epoch's steps were before them."""
        epoch_key = jax.random.fold_in(jax.random.key(seed, impl="rbg"), number)

        def one(carry: tuple[Sequence[Params], State], batch: tuple[Array, Array, Array]) -> Any:
            params, state = carry
            i, chosen, rate = batch
            random = _Uniform(jax.random.fold_in(epoch_key, i))
            X = self._inputs(images, chosen, random, strength)  # (m, n_in)
            Y = self.network.loss.targets(labels[chosen], self.network.sizes[-1], X.dtype)  # (m, n_classes)
            masked = self.network.with_masks(params, len(chosen), random)  # type: ignore[arg-type]
            params, state, L, Z = step(self.network, self.optimizer, params, state, X, Y, rate, masked)
            return (params, state), (L, jnp.sum(jnp.argmax(Z, axis=1) == labels[chosen]))

        steps = done + jnp.arange(len(places)), places, rates
        (params, state), (losses, correct) = jax.lax.scan(one, (params, state), steps)
        return params, state, losses, correct

    def _inputs(self, images: Array, chosen: Array, random: _Uniform, strength: Array) -> Array:
        """X (m, n_in) of images[chosen], as the recipe prepares them for training."""
        X = scaled(images[chosen], self.recipe.dtype)
        deformation = self.recipe.deformation
        if deformation:
            X = X.reshape(len(chosen), *images.shape[1:])
            affine, noise = (random.random(shape, X.dtype) for shape in deformation.numbers(*X.shape))
            X = deformation.apply(X, affine, noise, strength).reshape(len(chosen), -1)
        return self.recipe.standardized(X)

    def evaluate(self, params: Sequence[Params], data: Dataset) -> tuple[float, float]:
        """The mean cross-entropy, without smoothing or penalty, and the accuracy, as a fraction, over `data`."""
        chunk = 10_000
        with self._settings():
            images, labels = self._on_device(data)
            parts = [
                self._scores(params, images[i : i + chunk], labels[i : i + chunk]) for i in range(0, len(data), chunk)
            ]
            loss, correct = (sum(map(float, part)) for part in zip(*parts, strict=True))
        return loss / len(data), correct / len(data)

    def _measures(self, params: Sequence[Params], images: Array, labels: Array) -> tuple[Array, Array]:
        """The sum of the cross-entropies, and the number of right answers."""
        params = self.recipe.for_pixels(params)
        Z = forward(self.network.layers, params, scaled(images, self.recipe.dtype))[-1]  # (m, n_classes)
        plain = SoftmaxCrossEntropy()
        Y = plain.targets(labels, Z.shape[1], Z.dtype)  # (m, n_classes)
        return plain.value(Z, Y) * len(Z), jnp.sum(jnp.argmax(Z, axis=1) == labels)

    def average(self, mean: Sequence[Params], params: Sequence[Params], share: float) -> Sequence[Params]:
        """mean + share · (params − mean)."""
        with self._settings():
            average: Sequence[Params] = self._average(mean, params, share)
        return average

    def _on_device(self, data: Dataset) -> tuple[Array, Array]:
        if id(data) not in self._placed:
            labels = jnp.asarray(data.labels.astype(np.int32))
            self._placed[id(data)] = data, jnp.asarray(data.images), labels  # data itself, so that its id stays its own
        return self._placed[id(data)][1:]

    def _settings(self) -> AbstractContextManager[Any]:
        """JAX's settings for the recipe's precision."""
        stack = ExitStack()
        stack.enter_context(jax.enable_x64(self.recipe.dtype == "float64"))
        stack.enter_context(jax.default_matmul_precision(_PRECISION[self.recipe.products]))
        return stack


class _Uniform:
    """Uniform numbers of a JAX key, drawn as from a NumPy generator: `random.random(shape, dtype)`."""

    def __init__(self, key: Array) -> None:
        self.key, self.drawn = key, 0

    def random(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Numbers in [0, 1), others at each call."""
        self.drawn += 1
        return jax.random.uniform(jax.random.fold_in(self.key, self.drawn), shape, dtype)


class _Rounded:
    """A matrix whose products read bfloat16 and add up in float32."""

    def __init__(self, values: Array) -> None:
        self.values = values

    @property
    def T(self) -> _Rounded:
        return _Rounded(self.values.T)

    def __matmul__(self, other: Array) -> Array:
        return _product(self.values, other.values if isinstance(other, _Rounded) else other)

    def __rmatmul__(self, other: Array) -> Array:
        return _product(other, self.values)


def _product(A: Array, B: Array) -> Array:
    return jax.lax.dot(A.astype(jnp.bfloat16), B.astype(jnp.bfloat16), preferred_element_type=jnp.float32)


class _RoundedDense(Dense):
    """A dense layer, its products in bfloat16; weights, biases and sums stay in float32."""

    def forward(self, params: Params, X: Array) -> Array:
        return super().forward({**params, "W": _Rounded(params["W"])}, _Rounded(X))

    def parameter_gradients(self, params: Params, X: Array, Y: Array, dY: Array) -> Params:
        return super().parameter_gradients(params, _Rounded(X), Y, dY)

    def input_gradient(self, params: Params, X: Array, Y: Array, dY: Array) -> Array:
        return super().input_gradient({**params, "W": _Rounded(params["W"])}, X, Y, dY)


def in_bfloat16(network: Network) -> Network:
    """The network with dense layers whose products read bfloat16."""
    layers = [_RoundedDense(layer.n_in, layer.n_out) if isinstance(layer, Dense) else layer for layer in network.layers]
    return Network(tuple(layers), network.loss, network.l2)


def keep_compiled() -> None:
    """Keeps what JAX compiles on disk, so that the next run starts at once; where, JAX_COMPILATION_CACHE_DIR says."""
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        from platformdirs import user_cache_path

        jax.config.update("jax_compilation_cache_dir", str(user_cache_path("pasapas") / "jax"))  # type: ignore[no-untyped-call]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)  # type: ignore[no-untyped-call]


def _length(batch: Any) -> int:
    return batch.stop - batch.start if isinstance(batch, slice) else len(batch)


def _places(batch: Any) -> np.ndarray[Any, Any]:
    return np.arange(batch.start, batch.stop, dtype=np.int32) if isinstance(batch, slice) else batch.astype(np.int32)

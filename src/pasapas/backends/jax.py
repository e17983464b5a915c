"""An epoch on JAX: the same steps, compiled into one loop that runs where the data is, on processor or GPU.

Nothing is differentiated here: `pasapas.steps.step` is traced as it stands, with its hand-written backward pass.

On several devices it stays one program. Each of them has all parameters and takes its share of the rows of every batch;
where a sum runs over rows, as in dW = Xᵀ dZ, the compiler adds up what the devices have.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt

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
from pasapas.steps import adversarial, step

try:
    import jax
    import jax.numpy as jnp
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
except ModuleNotFoundError:
    raise PasapasError(
        _("The engine 'jax' is not installed: pip install 'pasapas[jax]', or leave out --engine.")
    ) from None

_WORK = {"cpu": 4e10, "gpu": 4e12}
"""Multiplications and additions that one call of the compiled loop takes at most: some tenths of a second."""

_RESIDENT = 4 << 30
"""Bytes of images that are put on a device whole; more than that is read batch by batch, as a memory-mapped file is."""

_FED = 64 << 20
"""Bytes of images that are read for one call of the compiled loop."""

_ROWS = "images"  # what the devices share: the rows of a batch

_PRECISION = {"full": "highest", "tensorfloat32": "tensorfloat32", "bfloat16": "highest"}


class JaxEngine:
    """The engine `jax`. Images are on the device, and so is all that happens to them until an epoch is over.

    `distributed` takes all devices of all processes instead of one. Raises PasapasError where a batch has fewer images
    than there are devices.
    """

    def __init__(self, recipe: Recipe, network: Network, distributed: bool = False) -> None:
        self.recipe, self.optimizer = recipe, recipe.make_optimizer()
        self.network = in_bfloat16(network) if recipe.products == "bfloat16" else network
        devices = jax.devices() if distributed else jax.local_devices()[:1]
        self.devices = len(devices)
        if recipe.batch_size < self.devices:
            raise PasapasError(
                _(
                    "A batch_size of {batch} leaves some of the {devices} devices without an image: choose larger batches or fewer devices."
                ).format(batch=recipe.batch_size, devices=self.devices)
            )
        self._mesh = Mesh(np.asarray(devices), (_ROWS,))
        self._whole = NamedSharding(self._mesh, _split())  # the same on each device
        self._placed: dict[int, tuple[Dataset, Array | None, Array]] = {}
        self._steps = jax.jit(self._some_steps, out_shardings=self._whole)
        self._scores = jax.jit(self._measures, out_shardings=self._whole)
        self._average = jax.jit(
            lambda mean, params, share: each(lambda m, p: m + share * (p - m), mean, params), out_shardings=self._whole
        )
        keep_compiled()

    def place(self, values: Any) -> Any:
        """`values` on each device."""
        with self._settings():
            return jax.tree.map(self._everywhere, values)

    def fetch(self, values: Any) -> Any:
        """`values` as NumPy arrays."""
        return jax.tree.map(np.asarray, values)

    def epoch(self, params: Sequence[Params], state: State, data: Dataset, plan: Plan) -> Iterator[Steps]:
        """The steps of `plan`, as many at a time as take some tenths of a second."""
        with self._settings():
            images, labels = self._on_device(data)
            strength = np.asarray(plan.strength, self.recipe.dtype)
            done = 0
            for size in self._sizes(plan, data):
                batches = plan.batches[done : done + size]
                seed = np.uint32(plan.seed)  # JAX would take a Python integer for an int32
                rates = np.asarray(plan.learning_rates[done : done + size], self.recipe.dtype)
                m = [_length(batch) for batch in batches]
                places = np.stack([_places(batch) for batch in batches])
                rows = None if images is not None else self._fed(data, places)
                params, state, losses, correct = self._steps(
                    params, state, images, labels, places, rows, rates, seed, plan.number, done, strength
                )
                done += size
                yield Steps(params, state, np.asarray(losses).tolist(), np.asarray(correct).tolist(), m)

    def _sizes(self, plan: Plan, data: Dataset) -> list[int]:
        """How many steps to take at a time; the incomplete last batch by itself."""
        m = _length(plan.batches[0])
        whole = sum(_length(batch) == m for batch in plan.batches)
        weights = sum(layer.n_in * layer.n_out for layer in self.network.dense)
        work = _WORK["cpu" if jax.default_backend() == "cpu" else "gpu"] * self.devices
        limit = max(1, int(work / (6 * weights * m)))
        if _is_fed(data):
            limit = max(1, min(limit, _FED // (m * data.images[:1].nbytes)))
        if limit < whole:  # in equal parts where that is possible: each length is compiled for itself
            limit = next((n for n in range(limit, limit // 2, -1) if whole % n == 0), limit)
        sizes = [min(limit, whole - i) for i in range(0, whole, limit)]
        return sizes + [1] * (len(plan.batches) - whole)

    def _some_steps(
        self,
        params: Sequence[Params],
        state: State,
        images: Array | None,
        labels: Array,
        places: Array,
        rows: Array | None,
        rates: Array,
        seed: Array,
        number: Array,
        done: Array,
        strength: Array,
    ) -> tuple[Sequence[Params], State, Array, Array]:
        """Steps on images[places] (steps, m), or on `rows` (steps, m, ...), which are the same, read from where they are.

        `done` of the epoch's steps were before them.
        """
        epoch_key = jax.random.fold_in(jax.random.key(seed, impl="rbg"), number)

        def one(carry: tuple[Sequence[Params], State], batch: tuple[Array, Array, Array | None, Array]) -> Any:
            params, state = carry
            i, chosen, taken, rate = batch
            random = _Uniform(jax.random.fold_in(epoch_key, i))
            taken = self._shared(taken if images is None else images[chosen])  # (m, ...)
            X = self._inputs(taken, random, strength)  # (m, n_in)
            Y = self.network.loss.targets(labels[chosen], self.network.sizes[-1], X.dtype)  # (m, n_classes)
            if self.recipe.adversarial:
                size = self.recipe.adversarial / self.recipe.input_std
                X = jnp.concatenate([X, adversarial(self.network, params, X, Y, size)])
                Y = jnp.concatenate([Y, Y])
            masked = self.network.with_masks(params, len(X), random)  # type: ignore[arg-type]
            params, state, L, Z = step(self.network, self.optimizer, params, state, X, Y, rate, masked)
            right = jnp.argmax(Z, axis=1) == jnp.tile(labels[chosen], len(X) // len(chosen))
            # counted in the loss's type, so that devices add it up together with the gradients
            return (params, state), (L, jnp.sum(right, dtype=L.dtype) * len(chosen) / len(X))

        steps = done + jnp.arange(len(places)), places, rows, rates
        (params, state), (losses, correct) = jax.lax.scan(one, (params, state), steps)
        return params, state, losses, correct

    def _inputs(self, images: Array, random: _Uniform, strength: Array) -> Array:
        """X (m, n_in) of images (m, ...), as the recipe prepares them for training."""
        X = scaled(images, self.recipe.dtype)
        deformation = self.recipe.deformation
        if deformation:
            X = X.reshape(images.shape)
            affine, noise = (random.random(shape, X.dtype) for shape in deformation.numbers(*X.shape))
            apply = deformation.apply
            if self._divides(len(X)) and self.devices > 1:
                # each device by itself: the compiler cannot see that no image is read for another
                rows, all = _split(_ROWS), _split()
                kinds = rows, rows, rows if deformation.elastic else all, all
                apply = jax.shard_map(apply, mesh=self._mesh, in_specs=kinds, out_specs=rows)
            X = apply(X, affine, noise, strength).reshape(len(images), -1)
        return self.recipe.standardized(X)

    def evaluate(self, params: Sequence[Params], data: Dataset) -> tuple[float, float]:
        """The mean cross-entropy, without smoothing or penalty, and the accuracy, as a fraction, over `data`."""
        chunk = 10_000
        with self._settings():
            images, labels = self._on_device(data)
            loss, correct = 0.0, 0.0
            for i in range(0, len(data), chunk):
                places = np.arange(i, min(i + chunk, len(data)))
                rows = self._fed(data, places) if images is None else images[i : i + chunk]
                part = self._scores(params, rows, labels[i : i + chunk])
                loss, correct = loss + float(part[0]), correct + float(part[1])
        return loss / len(data), correct / len(data)

    def _measures(self, params: Sequence[Params], images: Array, labels: Array) -> tuple[Array, Array]:
        """The sum of the cross-entropies, and the number of right answers."""
        params = self.recipe.for_pixels(params)
        X = scaled(self._shared(images), self.recipe.dtype)  # (m, n_in)
        Z = forward(self.network.layers, params, X)[-1]  # (m, n_classes)
        plain = SoftmaxCrossEntropy()
        Y = plain.targets(labels, Z.shape[1], Z.dtype)  # (m, n_classes)
        return plain.value(Z, Y) * len(Z), jnp.sum(jnp.argmax(Z, axis=1) == labels)

    def average(self, mean: Sequence[Params], params: Sequence[Params], share: float) -> Sequence[Params]:
        """mean + share · (params − mean)."""
        with self._settings():
            average: Sequence[Params] = self._average(mean, params, share)
        return average

    def _on_device(self, data: Dataset) -> tuple[Array | None, Array]:
        """Images, unless they are to be read batch by batch, and labels, whole on each device."""
        if id(data) not in self._placed:
            images = None if _is_fed(data) else self._everywhere(self._plain(data.images))
            labels = self._everywhere(data.labels.astype(np.int32))
            self._placed[id(data)] = data, images, labels  # data itself, so that its id stays its own
        return self._placed[id(data)][1:]

    def _fed(self, data: Dataset, places: npt.NDArray[Any]) -> Array:
        """The images at `places` (..., m), each process reading only the rows of its own devices."""
        split = _split(*[None] * (places.ndim - 1), _ROWS)
        kind = NamedSharding(self._mesh, split) if self._divides(places.shape[-1]) else self._whole

        def read(part: Any) -> npt.NDArray[Any]:
            return self._plain(data.images[places[part[: places.ndim]]])

        return jax.make_array_from_callback(places.shape + data.images.shape[1:], kind, read)

    def _plain(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Bytes as they are, other numbers as the recipe computes with them."""
        return np.asarray(images, np.uint8 if images.dtype == np.uint8 else self.recipe.dtype)

    def _everywhere(self, value: Any) -> Array:
        """One array, the same on each device of each process."""
        array = np.asarray(value)
        array = array.astype(jax.dtypes.canonicalize_dtype(array.dtype), copy=False)
        return jax.make_array_from_callback(array.shape, self._whole, lambda part: array[part])

    def _divides(self, m: int) -> bool:
        """Whether m rows can be shared evenly. If not, as with the last batch of an epoch, each device takes them all."""
        return m % self.devices == 0

    def _shared(self, rows: Array) -> Array:
        """`rows` (m, ...), spread over the devices."""
        if self.devices == 1:
            return rows
        kind = NamedSharding(self._mesh, _split(_ROWS)) if self._divides(len(rows)) else self._whole
        return jax.lax.with_sharding_constraint(rows, kind)  # type: ignore[no-untyped-call]

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
    # a cache that cannot be read or written costs time, and nothing else
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        from platformdirs import user_cache_path

        folder = user_cache_path("pasapas") / "jax"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        jax.config.update("jax_compilation_cache_dir", str(folder))  # type: ignore[no-untyped-call]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)  # type: ignore[no-untyped-call]


def _split(*names: str | None) -> PartitionSpec:
    """Which dimensions of an array the devices share, by the name in the mesh; none is the whole array on each."""
    return PartitionSpec(*names)  # type: ignore[no-untyped-call]


def _is_fed(data: Dataset) -> bool:
    """Whether images stay where they are and are read batch by batch."""
    return isinstance(data.images, np.memmap) or data.images.nbytes > _RESIDENT


def _length(batch: Any) -> int:
    return batch.stop - batch.start if isinstance(batch, slice) else len(batch)


def _places(batch: Any) -> np.ndarray[Any, Any]:
    return np.arange(batch.start, batch.stop, dtype=np.int32) if isinstance(batch, slice) else batch.astype(np.int32)

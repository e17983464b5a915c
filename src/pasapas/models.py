"""A trained network, or a committee of several: what it is asked, how it is saved, what is checked before it is loaded.

A model is one safetensors file: the parameters under the lesson's names (W1, b1, W2, b2, ...) and the architecture as
JSON in its metadata. A committee has those of each member, with its number before the name (1/W1, 1/b1, ..., 2/W1, ...).
The same model gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from pasapas.backends import numpy as backend
from pasapas.data.dataset import Dataset
from pasapas.errors import PasapasError, cannot_read
from pasapas.files import write_atomically
from pasapas.i18n import _
from pasapas.layers import ACTIVATIONS, Dense, Dropout, Layer, Params
from pasapas.losses import SoftmaxCrossEntropy, log_softmax
from pasapas.metrics import cross_entropy
from pasapas.network import Network, check_sizes

FORMAT = "pasapas model 1"
COMMITTEE_FORMAT = "pasapas committee 1"
MOST_MEMBERS = 100
MODEL = "model.safetensors"  # in a run folder
SHIPPED = Path(__file__).parent / "trained" / "digits.safetensors"  # docs/model.md says what it is
_LAYERS: dict[str, type] = {"dense": Dense, "dropout": Dropout, **ACTIVATIONS}
_DTYPES = {"F32": "float32", "F64": "float64"}


class Classifier:
    """What gives each class a probability: a `Model` or a `Committee`. `about` says how it was trained."""

    about: Mapping[str, Any]

    @property
    def architecture(self) -> str:
        """The sizes of the layers, such as 784-128-10."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.architecture})"

    def log_probabilities(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """log P (m, n_classes) for images (m, ...)."""
        raise NotImplementedError

    def probabilities(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """P (m, n_classes) for images (m, ...). Raises PasapasError where they are not of the network's size."""
        P: npt.NDArray[Any] = np.exp(self.log_probabilities(images))
        return P

    def predict(self, images: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """The most probable class of each of images (m, ...): (m,)."""
        best: npt.NDArray[np.intp] = np.argmax(self.probabilities(images), axis=1)
        return best


@dataclass(frozen=True, repr=False)
class Model(Classifier):
    """A network with its parameters. `about` says how it was trained, in values that JSON can hold."""

    network: Network
    params: Sequence[Params]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The sizes of the layers, such as 784-128-10."""
        return "-".join(map(str, self.network.sizes))

    def log_probabilities(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """log P (m, n_classes) for images (m, ...): finite also where P is too small for its type, and rounds to 0.

        Raises PasapasError where the images are not of the network's size.
        """
        n_in = self.network.sizes[0]
        if images.ndim < 2 or int(np.prod(images.shape[1:])) != n_in:
            raise PasapasError(
                _("The network takes images of {expected} numbers, (m, ...), but these have the shape {shape}.").format(
                    expected=n_in, shape=images.shape
                )
            )
        log_P: npt.NDArray[Any] = log_softmax(backend.scores(self.network, self.params, images))
        return log_P

    def evaluate(self, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[float, float]:
        """The mean cross-entropy and the accuracy, a fraction, over images (m, ...) with labels (m,)."""
        return backend.evaluate(self.network, self.params, Dataset(images, labels))

    def save(self, path: str | Path) -> Path:
        """Writes the model to `path`, whole or not at all. Raises PasapasError where it cannot be written."""
        from safetensors.numpy import save

        path = Path(path)
        about = {"format": FORMAT, "network": describe(self.network), "about": dict(self.about)}
        # one key alone: safetensors keeps several in an order of its own, another one each time
        write_atomically(path, save(named(self.network, self.params), {"pasapas": json.dumps(about, sort_keys=True)}))
        return path


@final
@dataclass(frozen=True, repr=False)
class Committee(Classifier):
    """Several networks that decide together: the mean of their probabilities, or its scores divided by `temperature`.

    With log P_k of member k of K, log P = log Σ_k exp(log P_k) − log K; at a temperature T that is not 1 it is divided by T
    and made probabilities again. The networks may differ within, but they take the same images and know the same
    classes, in numbers of one type. Raises PasapasError where they do not.
    """

    members: Sequence[Model]
    about: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0

    def __post_init__(self) -> None:
        _check_together([member.network for member in self.members])
        dtypes = {str(array.dtype) for member in self.members for p in member.params for array in p.values()}
        if len(dtypes) > 1:
            raise PasapasError(
                _("The networks of a committee have numbers of one type, but these have {got}.").format(
                    got=", ".join(sorted(dtypes))
                )
            )

    @property
    def architecture(self) -> str:
        """How many networks of which sizes there are, such as 5 × 784-128-10."""
        counts = Counter(member.architecture for member in self.members)
        return ", ".join(f"{n} × {sizes}" for sizes, n in counts.items())

    def log_probabilities(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """log P (m, n_classes) for images (m, ...): see the class.

        Raises PasapasError where the images are not of the networks' size.
        """
        first = self.members[0].log_probabilities(images)  # (m, n_classes)
        sums = first.astype(np.float64)  # in float32 the sum of many would no longer be 1
        for member in self.members[1:]:
            sums = np.logaddexp(sums, member.log_probabilities(images))
        Z = (sums - math.log(len(self.members))) / self.temperature  # (m, n_classes)
        return (Z if self.temperature == 1 else log_softmax(Z)).astype(first.dtype)

    def evaluate(self, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[float, float]:
        """The mean cross-entropy and the accuracy, a fraction, over images (m, ...) with labels (m,)."""
        data = Dataset(images, labels)
        data.check_fits(self.members[0].network.sizes[0], self.members[0].network.sizes[-1])
        log_P = self.log_probabilities(images)
        return cross_entropy(log_P, labels), float(np.mean(np.argmax(log_P, axis=1) == labels))

    def save(self, path: str | Path) -> Path:
        """Writes the committee to `path`, whole or not at all. Raises PasapasError where it cannot be written."""
        from safetensors.numpy import save

        path = Path(path)
        content = {
            "format": COMMITTEE_FORMAT,
            "members": [{"network": describe(one.network), "about": dict(one.about)} for one in self.members],
            "temperature": float(self.temperature),
            "about": dict(self.about),
        }
        tensors = {
            f"{k}/{name}": array
            for k, one in enumerate(self.members, 1)
            for name, array in named(one.network, one.params).items()
        }
        write_atomically(path, save(tensors, {"pasapas": json.dumps(content, sort_keys=True)}))
        return path


def _check_together(networks: Sequence[Network]) -> None:
    """Raises PasapasError unless the networks can be a committee."""
    if not 1 <= len(networks) <= MOST_MEMBERS:
        raise PasapasError(
            _("A committee has from {low} to {high} networks, not {n}.").format(
                low=1, high=MOST_MEMBERS, n=len(networks)
            )
        )
    first = networks[0].sizes
    for network in networks:
        if (network.sizes[0], network.sizes[-1]) != (first[0], first[-1]):
            raise PasapasError(
                _(
                    "The networks of a committee take the same images and know the same classes, but one is {one} and another {other}."
                ).format(one="-".join(map(str, first)), other="-".join(map(str, network.sizes)))
            )


def load(path: str | Path | None = None, activation: str | None = None) -> Model | Committee:
    """The model or committee in a safetensors file or in a run folder, or the model in a pickled dictionary of plain arrays.

    Without a path, the model that ships with pasapas, trained on MNIST: its `about` says how, and how good it is.

    `activation` is that of a pickled dictionary's hidden layers, which the file itself does not say. Raises
    PasapasError for whatever is not such a model; nothing in the file is ever executed.
    """
    path = SHIPPED if path is None else Path(path)
    if path.is_dir():
        path = path / MODEL
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise cannot_read(path, error) from None
    if not start:
        raise PasapasError(_("'{path}' is empty: it is no model.").format(path=path))
    if path.suffix in (".pkl", ".pickle") or (start[0] == 0x80 and start[8:9] != b"{"):
        from pasapas.pickled import load_pickled

        return Model(*load_pickled(path, activation))
    return _load_safetensors(path)


def _load_safetensors(path: Path) -> Model | Committee:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            found = _read_description(path, file.metadata())
            expected = {
                f"{one.prefix}{name}": shape
                for one in found.networks
                for i, layer in enumerate(one.network.dense, 1)
                for name, shape in ((f"W{i}", [layer.n_in, layer.n_out]), (f"b{i}", [layer.n_out]))
            }
            check_tensors(path, file, expected)
            tensors = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, ValueError, OSError, MemoryError) as error:
        if isinstance(error, PasapasError):
            raise
        raise PasapasError(
            _("'{path}' is no model, or it is damaged: it cannot be read as safetensors.").format(path=path)
        ) from None
    models = [Model(one.network, unnamed(path, one.network, tensors, one.prefix), one.about) for one in found.networks]
    return models[0] if found.temperature is None else Committee(models, found.about, found.temperature)


def check_tensors(path: Path, file: Any, expected: Mapping[str, list[int]], integers: Collection[str] = ()) -> None:
    """Raises PasapasError unless an open safetensors file holds just the expected tensors, before any is read.

    Those named in `integers` are int64, all others of one floating-point type.
    """
    names = set(file.keys())
    if names != set(expected):
        raise PasapasError(
            _("'{path}' holds {got} where its architecture asks for {expected}.").format(
                path=path, got=_listed(names), expected=_listed(expected)
            )
        )
    dtypes = set()
    for name, shape in expected.items():
        part = file.get_slice(name)
        if name not in integers or part.get_dtype() != "I64":
            dtypes.add(part.get_dtype())
        if part.get_shape() != shape:
            raise PasapasError(
                _("'{path}': {name} has the shape {got} where its architecture asks for {expected}.").format(
                    path=path, name=name, got=tuple(part.get_shape()), expected=tuple(shape)
                )
            )
    if len(dtypes) > 1 or not dtypes <= set(_DTYPES):
        raise PasapasError(
            _("'{path}' holds numbers of type {got}; a model has either float32 or float64 throughout.").format(
                path=path, got=", ".join(sorted(map(str, dtypes)))
            )
        )


def named(network: Network, params: Sequence[Params]) -> dict[str, npt.NDArray[Any]]:
    """The parameters by the lesson's names: W1, b1 for the first dense layer, W2, b2 for the second, and so on."""
    trained = [p for layer, p in zip(network.layers, params, strict=True) if isinstance(layer, Dense)]
    return {f"{name}{i}": np.ascontiguousarray(p[name]) for i, p in enumerate(trained, 1) for name in ("W", "b")}


def unnamed(
    path: str | Path, network: Network, tensors: Mapping[str, npt.NDArray[Any]], prefix: str = ""
) -> list[Params]:
    """What `named` gives, back as a list by layer, from the tensors whose names begin with `prefix`.

    Raises PasapasError for NaN and infinite numbers.
    """
    params: list[Params] = []
    i = 0
    for layer in network.layers:
        names = {}
        if isinstance(layer, Dense):
            i += 1
            names = {name: f"{prefix}{name}{i}" for name in ("W", "b")}
        for name in names.values():
            if not np.isfinite(tensors[name]).all():
                raise PasapasError(
                    _("'{path}': {name} has values that are NaN or infinite.").format(path=path, name=name)
                )
        params.append({name: tensors[full] for name, full in names.items()})
    return params


def describe(network: Network) -> dict[str, Any]:
    """The architecture in values that JSON can hold; `restore` is the way back.

    Raises PasapasError for a layer of one's own, which a file could only name.
    """
    names = {kind: name for name, kind in _LAYERS.items()}
    for layer in network.layers:
        if type(layer) not in names:
            raise PasapasError(
                _("A layer of type {type} cannot be saved: a model's file knows {known}.").format(
                    type=type(layer).__name__, known=", ".join(_LAYERS)
                )
            )
    return {
        "layers": [{"type": names[type(layer)], **vars(layer)} for layer in network.layers],
        "label_smoothing": network.loss.label_smoothing,
        "l2": network.l2,
    }


def restore(description: Any) -> Network:
    """The network that `describe` described. Raises ValueError, TypeError or KeyError for anything else."""
    layers: list[Layer] = []
    for entry in description["layers"][:1000]:
        kind = _LAYERS[entry["type"]]
        fields = {f.name: entry[f.name] for f in dataclasses.fields(kind)}
        fractions = [value for value in fields.values() if type(value) is not int]
        if len(fields) + 1 != len(entry) or not all(type(v) is float and 0 <= v < 1 for v in fractions):
            raise ValueError
        layers.append(kind(**fields))
    smoothing, l2 = float(description["label_smoothing"]), float(description["l2"])
    if not (0 <= smoothing < 1 and 0 <= l2 < math.inf):
        raise ValueError
    network = Network(tuple(layers), SoftmaxCrossEntropy(smoothing), l2)
    check_sizes(network.sizes)
    if any(a.n_out != b.n_in for a, b in zip(network.dense, network.dense[1:], strict=False)):
        raise ValueError
    return network


class _Described(NamedTuple):
    """A network in a file: what the names of its tensors begin with, its architecture, and how it was trained."""

    prefix: str
    network: Network
    about: dict[str, Any]


class _Found(NamedTuple):
    """What a file says it holds; `temperature` is None where it is one network, and no committee."""

    networks: list[_Described]
    about: dict[str, Any]
    temperature: float | None


def _read_description(path: Path, metadata: Mapping[str, str] | None) -> _Found:
    try:
        content = json.loads((metadata or {})["pasapas"])
        if content["format"] == FORMAT:
            return _Found([_Described("", restore(content["network"]), dict(content["about"]))], {}, None)
        if content["format"] != COMMITTEE_FORMAT:
            raise PasapasError(
                _("'{path}' is of format '{got}', and this version reads '{expected}': update pasapas.").format(
                    path=path, got=content["format"], expected=f"{FORMAT}', '{COMMITTEE_FORMAT}"
                )
            )
        members, temperature = content["members"], content["temperature"]
        if type(members) is not list or len(members) > MOST_MEMBERS:
            raise ValueError
        if type(temperature) is not float or not 0 < temperature < math.inf:
            raise ValueError
        networks = [
            _Described(f"{k}/", restore(one["network"]), dict(one["about"])) for k, one in enumerate(members, 1)
        ]
        _check_together([one.network for one in networks])
        return _Found(networks, dict(content["about"]), temperature)
    except PasapasError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, RecursionError):
        raise PasapasError(
            _("'{path}' does not say what network it is for: it was not written by pasapas, or it is damaged.").format(
                path=path
            )
        ) from None


def _listed(names: Any) -> str:
    names = sorted(names)
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else _("nothing")

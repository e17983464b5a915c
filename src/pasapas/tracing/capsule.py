"""A capsule: one step in one file, to be opened in terminal, notebook or browser, and checked.

It is a safetensors file: the tensors of a trace by name, and as JSON in its metadata the network, the learning rate, the
convention and the SHA-256 of each tensor. Formulas are not in it: they come from the program that reads it. The same
step gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError, cannot_read
from pasapas.files import write_atomically
from pasapas.i18n import _, short
from pasapas.models import check_tensors, describe, restore
from pasapas.tracing.recording import trace
from pasapas.tracing.tensors import CONVENTIONS, Tensor, Trace

FORMAT = "pasapas capsule 1"
SUFFIX = ".capsule"
MOST_ALTERATIONS = 10_000
"""So many altered numbers of one tensor are named at most."""
_ROUNDING = {"float32": 1e-4, "float64": 1e-10}  # relative to a tensor's largest value: another machine adds otherwise


@dataclass(frozen=True)
class Alteration:
    """A recorded number that is not what the step gives: where, what is recorded, what is expected; None if unknown."""

    tensor: str
    index: tuple[int, ...] | None
    recorded: float | None
    expected: float | None

    def __str__(self) -> str:
        if self.index is None or self.recorded is None or self.expected is None:
            return _("{name} is not the tensor that was saved: its checksum differs.").format(name=self.tensor)
        where = f"{self.tensor}[{', '.join(map(str, self.index))}]"
        return _("{where} is {recorded}, but the step gives {expected}.").format(
            where=where, recorded=short(self.recorded), expected=short(self.expected)
        )


def save(step: Trace, path: str | Path) -> Path:
    """Writes `step` to `path`, whole or not at all. Raises PasapasError where it cannot be written."""
    from safetensors.numpy import save as to_bytes

    tensors = {tensor.name: _plain(tensor.value) for tensor in step}
    about = {
        "format": FORMAT,
        "network": describe(step.network),
        "learning_rate": step.learning_rate,
        "convention": step.convention,
        "sha256": {name: _digest(value) for name, value in tensors.items()},
    }
    write_atomically(path, to_bytes(tensors, {"pasapas": json.dumps(about, sort_keys=True)}))
    return Path(path)


def load_capsule(path: str | Path) -> Trace:
    """The step in a capsule, as it was recorded; `verify` says whether anything in it was altered.

    Raises PasapasError for whatever is no capsule. Nothing in the file is executed.
    """
    recorded, _digests = _read(Path(path))
    return recorded


def verify(path: str | Path) -> list[Alteration]:
    """What in a capsule was altered, in the order of the computation: the step is run again from its own inputs.

    Each tensor is held against its checksum, and each number of a computed tensor against what its step gives, within
    the rounding by which machines differ. Raises PasapasError for whatever is no capsule.
    """
    return open_capsule(path)[1]


def open_capsule(path: str | Path) -> tuple[Trace, list[Alteration]]:
    """What `load_capsule` and what `verify` give, the file read once."""
    recorded, digests = _read(Path(path))
    again = trace(
        recorded.network,
        recorded.params(),
        recorded["X"].value,
        recorded["y"].value,
        learning_rate=recorded.learning_rate,
        convention=recorded.convention,
    )
    found = []
    for tensor in recorded:
        if wrong := _differences(tensor, again[tensor.name].value):
            found += wrong
        elif _digest(_plain(tensor.value)) != digests.get(tensor.name):
            found.append(Alteration(tensor.name, None, None, None))
    return recorded, found


def _differences(tensor: Tensor, expected: npt.NDArray[Any]) -> list[Alteration]:
    largest = float(np.max(np.abs(expected))) if expected.size else 0.0
    tolerance = _ROUNDING.get(str(tensor.value.dtype), 0.0) * max(largest, 1e-30)
    wrong = ~(np.abs(tensor.value.astype(np.float64) - expected) <= tolerance)
    places = [tuple(map(int, place)) for place in np.argwhere(wrong)[:MOST_ALTERATIONS]]
    return [Alteration(tensor.name, p, float(tensor.value[p]), float(expected[p])) for p in places]


def _read(path: Path) -> tuple[Trace, Mapping[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with path.open("rb"):
            pass
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["pasapas"])
            if about["format"] != FORMAT:
                raise ValueError
            network = restore(about["network"])
            learning_rate, convention = float(about["learning_rate"]), str(about["convention"])
            if not 0 < learning_rate < 1e6 or convention not in CONVENTIONS:
                raise ValueError
            template = _template(network, file, learning_rate, convention)
            check_tensors(path, file, {t.name: list(t.shape) for t in template}, integers=("y",))
            values = {t.name: file.get_tensor(t.name) for t in template}
            digests = {str(name): str(digest) for name, digest in about["sha256"].items()}
    except OSError as error:
        raise cannot_read(path, error) from None
    except PasapasError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError):
        raise PasapasError(_("'{path}' is no capsule, or it is damaged.").format(path=path)) from None
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise PasapasError(_("'{path}': {name} has values that are NaN or infinite.").format(path=path, name=name))
    tensors = {
        t.name: Tensor(t.name, values[t.name], t.stage, t.layer, t.meaning_id, t.formula, t.latex) for t in template
    }
    return Trace(network, learning_rate, convention, tensors), digests


def _template(network: Any, file: Any, learning_rate: float, convention: str) -> Trace:
    """A step of the same network and batch size: its names, shapes and formulas, before any recorded tensor is read."""
    shape = file.get_slice("X").get_shape()
    if len(shape) != 2 or shape[1] != network.sizes[0] or shape[0] < 1:
        raise ValueError
    for i, layer in enumerate(network.dense, 1):  # that the file has room for what is computed below, before it is
        if file.get_slice(f"W{i}").get_shape() != [layer.n_in, layer.n_out]:
            raise ValueError
        if file.get_slice(f"Z{i}").get_shape() != [shape[0], layer.n_out]:
            raise ValueError
    params = network.initialize()
    if any(name.startswith("M") for name in file.keys()):  # noqa: SIM118, a safetensors file is no mapping
        params = network.with_masks(params, shape[0], np.random.default_rng(0))
    return trace(
        network,
        params,
        np.zeros(shape, np.float32),
        np.zeros(shape[0], np.int64),
        learning_rate=learning_rate,
        convention=convention,
    )


def _plain(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    kind = np.int64 if np.issubdtype(value.dtype, np.integer) else value.dtype
    return np.asarray(value, kind, order="C")  # not ascontiguousarray, which makes a loss (1,)


def _digest(value: npt.NDArray[Any]) -> str:
    return hashlib.sha256(value.astype(value.dtype.newbyteorder("<")).tobytes()).hexdigest()

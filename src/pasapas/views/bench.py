"""The models and the data that one reader's views share: the model that ships, what was opened, what was trained."""

from __future__ import annotations

import tempfile
import threading
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from pasapas.data import Dataset, load_mnist
from pasapas.errors import PasapasError
from pasapas.i18n import N_, _
from pasapas.models import Classifier, Model, load

SHIPPED = "shipped"
MOST_MODELS = 8
"""So many opened models are kept for one reader; the one opened first makes room."""


@cache
def mnist() -> tuple[Dataset, Dataset]:
    """MNIST's training and test images, read once for all readers."""
    return load_mnist()


@cache
def shipped() -> Model:
    """The model that ships, read once for all readers."""
    model = load()
    assert isinstance(model, Model)
    return model


class Bench:
    """Models by key, each with a label. `shipped` is always there."""

    def __init__(self, model: Classifier | None = None) -> None:
        self._writing = threading.Lock()  # a training puts its networks here while files are opened
        self._models: dict[str, tuple[str, Classifier | None]] = {SHIPPED: (N_("the model that ships"), None)}
        self._opened = 0
        if model is not None:
            self.put("given", N_("your model"), model)

    @property
    def newest(self) -> str:
        """The key of the model that came last."""
        return next(reversed(self._models))

    def put(self, key: str, label: str, model: Classifier) -> str:
        """Keeps a model under a key, in place of what was there."""
        with self._writing:
            others = {one: entry for one, entry in self._models.items() if one != key}
            self._models = {**others, key: (label, model)}  # at once: others may be reading
        return key

    def open(self, name: str, content: bytes) -> str:
        """Reads a model's file that came as bytes, and gives its key. Raises PasapasError for whatever is no model of MNIST's digits."""
        with opened(name, content) as path:
            model = load(path)
        check_for_digits(name, model)
        with self._writing:
            self._opened += 1
            number = self._opened
            mine = [key for key in self._models if key.startswith("opened-")]
            gone = mine[: max(0, len(mine) - MOST_MODELS + 1)]
            self._models = {key: entry for key, entry in self._models.items() if key not in gone}
        return self.put(f"opened-{number}", PurePath(name).name, model)

    def classifier(self, key: str) -> Classifier:
        """The model or committee under a key. Raises PasapasError where there is none."""
        models = self._models
        if key not in models:
            raise PasapasError(_("That model is no longer here: choose another, or open its file again."))
        return _read(models[key][1])

    def model(self, key: str) -> Model:
        """The single network under a key. Raises PasapasError for a committee, and where there is none."""
        model = self.classifier(key)
        if not isinstance(model, Model):
            raise PasapasError(_("A committee cannot be looked into here: choose a single network."))
        return model

    def listed(self) -> list[dict[str, Any]]:
        """The models for a page to choose from: key, label, sizes of layers, and whether it is a single network."""
        return [
            {
                "key": key,
                "label": label if key.startswith("opened-") else _(label),
                "architecture": _read(model).architecture,
                "single": isinstance(_read(model), Model),
            }
            for key, (label, model) in self._models.items()
        ]


@cache
def notebook_bench() -> Bench:
    """What the views of a notebook share."""
    return Bench()


def _read(model: Classifier | None) -> Classifier:
    return shipped() if model is None else model


class opened:
    """A file that came as bytes, on disk for the length of a block; messages name it as it was named."""

    def __init__(self, name: str, content: bytes) -> None:
        last = PurePath(name.replace("\\", "/")).name[-60:]  # of letters of up to four bytes, a file system takes 63
        plain = "".join(c if c.isalnum() or c in "._- " else "_" for c in last)
        self._name, self._content = plain if plain.strip(". ") else "file", content
        self._folder = tempfile.TemporaryDirectory(prefix="pasapas-")

    def __enter__(self) -> Path:
        path = Path(self._folder.name) / self._name
        path.write_bytes(self._content)
        return path

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self._folder.cleanup()
        if isinstance(error, PasapasError):
            raise PasapasError(str(error).replace(f"{self._folder.name}/", "")) from None


def check_for_digits(name: str, model: Classifier) -> None:
    """Raises PasapasError unless the model reads 28×28 pixels and knows ten classes."""
    network = (model.members[0] if not isinstance(model, Model) else model).network  # type: ignore[attr-defined]
    if (network.sizes[0], network.sizes[-1]) != (784, 10):
        raise PasapasError(
            _("'{name}' is a network from {n_in} inputs to {n_out} classes: a model of digits has 784 and 10.").format(
                name=name, n_in=network.sizes[0], n_out=network.sizes[-1]
            )
        )

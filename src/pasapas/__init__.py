"""pasapas: a laboratory where backpropagation is understood, checked and run, step by step.

Each name is imported from its module when it is first used: `import pasapas` costs little more than `import numpy`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pasapas.checking import gradient_check
    from pasapas.data import Dataset, load_mnist, read_idx
    from pasapas.doctor.checkup import check
    from pasapas.errors import Diverged, PasapasError
    from pasapas.initializers import He, Normal, Xavier
    from pasapas.layers import Dense, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
    from pasapas.losses import SoftmaxCrossEntropy, log_softmax, one_hot, softmax
    from pasapas.models import Committee, Model, load
    from pasapas.network import Network, backward, forward, mlp
    from pasapas.optimizers import SGD, Adam, Momentum
    from pasapas.recipes import Recipe, load_recipe, recipe
    from pasapas.schedules import Constant, Cosine, Linear, Step, Warmup
    from pasapas.steps import step
    from pasapas.tracing import Trace, load_capsule, trace, verify
    from pasapas.training import Epoch, Result, Watcher, fit, train

__version__ = "0.1.0"

_MODULES = {
    "checking": ("gradient_check",),
    "data": ("Dataset", "load_mnist", "read_idx"),
    "doctor.checkup": ("check",),
    "errors": ("Diverged", "PasapasError"),
    "initializers": ("He", "Normal", "Xavier"),
    "layers": ("Dense", "Dropout", "LeakyReLU", "ReLU", "Sigmoid", "Tanh"),
    "losses": ("SoftmaxCrossEntropy", "log_softmax", "one_hot", "softmax"),
    "models": ("Committee", "Model", "load"),
    "network": ("Network", "backward", "forward", "mlp"),
    "optimizers": ("SGD", "Adam", "Momentum"),
    "recipes": ("Recipe", "load_recipe", "recipe"),
    "schedules": ("Constant", "Cosine", "Linear", "Step", "Warmup"),
    "steps": ("step",),
    "tracing": ("Trace", "load_capsule", "trace", "verify"),
    "training": ("Epoch", "Result", "Watcher", "fit", "train"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

_SUBMODULES = ("data", "figures", "layers", "lessons", "losses", "metrics", "recipes", "studies", "tracing", "views")
"""Modules that can be reached as `pasapas.lessons` without an import of their own."""

__all__ = [
    "SGD",
    "Adam",
    "Committee",
    "Constant",
    "Cosine",
    "Dataset",
    "Dense",
    "Diverged",
    "Dropout",
    "Epoch",
    "He",
    "LeakyReLU",
    "Linear",
    "Model",
    "Momentum",
    "Network",
    "Normal",
    "PasapasError",
    "ReLU",
    "Recipe",
    "Result",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Step",
    "Tanh",
    "Trace",
    "Warmup",
    "Watcher",
    "Xavier",
    "__version__",
    "backward",
    "check",
    "fit",
    "forward",
    "gradient_check",
    "load",
    "load_capsule",
    "load_mnist",
    "load_recipe",
    "log_softmax",
    "mlp",
    "one_hot",
    "read_idx",
    "recipe",
    "softmax",
    "step",
    "trace",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"pasapas.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'pasapas' has no attribute '{name}'")
    return getattr(importlib.import_module(f"pasapas.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

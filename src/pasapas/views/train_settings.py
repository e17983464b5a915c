"""What can be chosen in the view Train: fields of a recipe, within narrower bounds, so that a step never takes long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pasapas.errors import PasapasError
from pasapas.i18n import N_, _
from pasapas.layers import ACTIVATIONS
from pasapas.recipes import Recipe, recipe
from pasapas.recipes.definition import FIELDS, INITIALIZERS, OPTIMIZERS, Kind, as_text

MOST_LAYERS, MOST_UNITS, MOST_IN_BATCH, MOST_IMAGES, MOST_SEED = 4, 1024, 1024, 60_000, 2**32 - 1
LOWEST_RATE, HIGHEST_RATE = 1e-5, 100.0

_DEFORMATIONS = ("rotation", "scaling", "shear", "translation", "elastic", "elastic_sigma")


@dataclass(frozen=True)
class Setting:
    """A choice: what it is called, the values that it takes, and the one that it begins with."""

    label: str
    kind: Kind
    default: Any


SETTINGS: dict[str, Setting] = {
    "hidden": Setting(N_("Hidden layers"), Kind(tuple, 1, MOST_UNITS), (128,)),
    "activation": Setting(N_("Activation"), Kind(str, choices=tuple(ACTIVATIONS)), "relu"),
    "initializer": Setting(N_("First weights"), Kind(str, choices=INITIALIZERS), "he"),
    "sigma": Setting(N_("Their σ"), Kind(float, 0, 10, above=True), 0.1),
    "optimizer": Setting(N_("Optimizer"), Kind(str, choices=OPTIMIZERS), "sgd"),
    "learning_rate": Setting(N_("Learning rate"), Kind(float, LOWEST_RATE, HIGHEST_RATE), 0.1),
    "batch_size": Setting(N_("Batch size"), Kind(int, 1, MOST_IN_BATCH), 128),
    "train_images": Setting(N_("Training images"), Kind(int, 1, MOST_IMAGES), MOST_IMAGES),
    "deform": Setting(N_("Deform them"), Kind(bool), False),
    "l2": Setting(N_("L2 penalty"), Kind(float, 0, 1), 0.0),
    "dropout": Setting(N_("Dropout"), Kind(float, 0, 0.9), 0.0),
    "seed": Setting(N_("Seed"), Kind(int, 0, MOST_SEED), 0),
}
"""By name; all but `deform` are fields of a recipe."""


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings, those not given as they begin. Raises PasapasError for unknown ones and for values that cannot be."""
    for name in given:
        if name not in SETTINGS:
            raise PasapasError(
                _("'{name}' is no setting of a training: choose among {known}.").format(
                    name=name, known=", ".join(SETTINGS)
                )
            )
    found = {name: _value(setting, given.get(name, setting.default)) for name, setting in SETTINGS.items()}
    if len(found["hidden"]) > MOST_LAYERS:
        raise PasapasError(
            _("There can be {most} hidden layers at most here, not {n}: 'pasapas train' takes more.").format(
                most=MOST_LAYERS, n=len(found["hidden"])
            )
        )
    return found


def _value(setting: Setting, value: Any) -> Any:
    try:
        return setting.kind.check(value)
    except ValueError:
        raise PasapasError(
            _("{name} must be {expected}, not '{value}'.").format(
                name=_(setting.label), expected=_expected(setting.kind), value=as_text(value)[:60]
            )
        ) from None


def _expected(kind: Kind) -> str:
    if kind.type is float and (kind.low, kind.high) == (LOWEST_RATE, HIGHEST_RATE):
        return _("a number from {low} to {high}").format(low=f"{LOWEST_RATE:.5f}", high=f"{HIGHEST_RATE:g}")
    if kind.type is float and kind.high < 1:
        return _("a number from {low} to {high}").format(low=0, high=kind.high)
    return kind.expected()


def recipe_of(settings: Mapping[str, Any]) -> Recipe:
    """The recipe of checked settings. Deformations are those of the recipe `laptop`."""
    fields = {name: value for name, value in settings.items() if name != "deform"}
    if settings["deform"]:
        laptop = recipe("laptop")
        fields |= {name: getattr(laptop, name) for name in _DEFORMATIONS}
    return Recipe(**fields)


def command_of(one: Recipe) -> str:
    """The command that trains the same in a terminal."""
    usual = recipe("default")
    options = [
        f"--{name.replace('_', '-')} {as_text(getattr(one, name))}"
        for name in FIELDS
        if getattr(one, name) != getattr(usual, name)
    ]
    return " ".join(["pasapas train", *options])


def described() -> list[dict[str, Any]]:
    """The settings for the page's form, in the language spoken now."""
    return [
        {
            "name": name,
            "label": _(one.label),
            "type": one.kind.type.__name__,
            "choices": [{"value": value, "label": _choice(value)} for value in one.kind.choices],
            "low": one.kind.low,
            "high": one.kind.high if one.kind.type in (int, float, tuple) else None,
            "most": MOST_LAYERS if one.kind.type is tuple else None,
            "default": list(one.default) if isinstance(one.default, tuple) else one.default,
        }
        for name, one in SETTINGS.items()
    ]


def _choice(value: str) -> str:
    names = {
        "relu": "ReLU",
        "leaky-relu": _("leaky ReLU"),
        "tanh": "tanh",
        "sigmoid": _("sigmoid"),
        "he": "He",
        "xavier": "Xavier",
        "normal": _("normal"),
        "sgd": "SGD",
        "momentum": _("momentum"),
        "nesterov": "Nesterov",
        "adam": "Adam",
    }
    return names[value]

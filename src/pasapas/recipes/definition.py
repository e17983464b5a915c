"""What a recipe holds: every choice of a training run, with its bounds, its meaning and its default.

One dataclass says it all: the TOML reader, the command line's options and `pasapas recipes` are made from its fields.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from array_api_compat import array_namespace

from pasapas import initializers, optimizers, schedules
from pasapas.data.deformations import Deformation
from pasapas.errors import PasapasError, cannot_read, nearest
from pasapas.i18n import N_, _, integer, language, short
from pasapas.layers import ACTIVATIONS, Array, Params
from pasapas.network import Network, check_sizes, mlp

FOLDER = Path(__file__).parent
INITIALIZERS = ("he", "xavier", "normal")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam")
SCHEDULES = ("constant", "step", "linear", "cosine")


@dataclass(frozen=True)
class Kind:
    """The values that a field takes: their type and bounds, or the choice of words."""

    type: type
    low: float = 0
    high: float = math.inf
    below: bool = False  # the upper bound itself is excluded
    above: bool = False  # the lower bound itself is excluded
    choices: tuple[str, ...] = ()

    def expected(self) -> str:
        """What the field takes, in words."""
        if self.choices:
            return _("one of {choices}").format(choices=", ".join(self.choices))
        if self.type is bool:
            return _("true or false")
        low, high = integer(self.low), integer(self.high)
        if self.type is tuple:
            return _("whole numbers from {low} to {high}, with commas between them").format(low=low, high=high)
        if self.type is int:
            return _("a whole number from {low} to {high}").format(low=low, high=high)
        at_least = _("above {low}") if self.above else _("of at least {low}")
        at_most = _("below {high}") if self.below else _("of at most {high}")
        return _("a number {at_least} and {at_most}").format(
            at_least=at_least.format(low=low), at_most=at_most.format(high=high)
        )

    def within(self, value: float) -> bool:
        """Whether `value` lies between the bounds; NaN never does."""
        low = value > self.low if self.above else value >= self.low
        return low and (value < self.high if self.below else value <= self.high)

    def parse(self, text: str) -> Any:
        """The value that `text`, from a command line, stands for. Raises ValueError where it stands for none."""
        text = text.strip()
        if self.type is int:
            return int(text)
        if self.type is float:
            return float(text.replace(",", "."))
        if self.type is tuple:
            return tuple(int(n) for n in text.split(",")) if text.lower() not in ("", "none", "aucune") else ()
        return text

    def check(self, value: Any) -> Any:
        """`value`, as the field's type. Raises ValueError where it is of another type or out of bounds."""
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) < 1e300 else math.inf
        if self.type is tuple:
            if not isinstance(value, (list, tuple)) or len(value) > 100:
                raise ValueError
            return tuple(dataclasses.replace(self, type=int).check(n) for n in value)
        if type(value) is not self.type or (self.choices and value not in self.choices):
            raise ValueError
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not self.within(value):
            raise ValueError
        return value


def _field(default: Any, kind: Kind, group: str, help: str) -> Any:
    return dataclasses.field(default=default, metadata={"kind": kind, "group": group, "help": help})


def _whole(default: int, low: int, high: int, group: str, help: str) -> int:
    return cast(int, _field(default, Kind(int, low, high), group, help))


def _real(default: float, group: str, help: str, **bounds: Any) -> float:
    return cast(float, _field(default, Kind(float, **bounds), group, help))


def _flag(default: bool, group: str, help: str) -> bool:
    return cast(bool, _field(default, Kind(bool), group, help))


def _word(default: str, choices: tuple[str, ...], group: str, help: str) -> str:
    return cast(str, _field(default, Kind(str, choices=choices), group, help))


_DATA, _DEFORMATIONS, _NETWORK, _TRAINING = N_("Data"), N_("Deformations"), N_("Network"), N_("Training")
_OPTIMIZER, _STOPPING = N_("Optimizer"), N_("Measuring and stopping")


@dataclass(frozen=True)
class Recipe:
    """Every choice of a training run on MNIST. Raises PasapasError for a value that cannot be."""

    train_images: int = _whole(60_000, 1, 60_000, _DATA, N_("How many training images to use, from the first on."))
    validation_images: int = _whole(
        0, 0, 59_999, _DATA, N_("How many of them, the last ones, to set apart for validation.")
    )
    test_images: int = _whole(10_000, 1, 10_000, _DATA, N_("How many test images to measure on, from the first on."))

    input_mean: float = _real(0.0, _DATA, N_("What is subtracted from each pixel, 0 to 1, while training."), high=1)
    input_std: float = _real(
        1.0, _DATA, N_("What each pixel is divided by after that, while training."), high=10, above=True
    )

    rotation: float = _real(
        0.0, _DEFORMATIONS, N_("Turn each training image by up to this many degrees, either way."), high=180
    )
    scaling: float = _real(
        0.0, _DEFORMATIONS, N_("Stretch or shrink each axis by up to this fraction."), high=1, below=True
    )
    shear: float = _real(
        0.0, _DEFORMATIONS, N_("Slant by up to this many pixels sideways for each pixel of height."), high=2
    )
    translation: float = _real(0.0, _DEFORMATIONS, N_("Shift by up to this many pixels along each axis."), high=28)
    elastic: float = _real(
        0.0, _DEFORMATIONS, N_("Pixels by which the smoothed noise of an elastic deformation is multiplied."), high=1000
    )
    elastic_sigma: float = _real(
        6.0, _DEFORMATIONS, N_("Standard deviation, in pixels, of the Gaussian that smooths it."), high=28, above=True
    )
    sampling: str = _word(
        "linear", ("linear", "cubic"), _DEFORMATIONS, N_("How a deformed image reads between pixels.")
    )
    deform_until: float = _real(
        1.0, _DEFORMATIONS, N_("Fraction of the training during which deformations have their full strength."), high=1
    )
    deform_final: float = _real(
        1.0, _DEFORMATIONS, N_("The fraction of that strength to which they then fall, in a straight line."), high=1
    )

    hidden: tuple[int, ...] = cast(
        tuple[int, ...],
        _field(
            (128,),
            Kind(tuple, 1, 100_000),
            _NETWORK,
            N_("Widths of the hidden layers, such as 128,64; none for no hidden layer."),
        ),
    )
    activation: str = _word("relu", tuple(ACTIVATIONS), _NETWORK, N_("What hidden units apply to their sum."))
    dropout: float = _real(
        0.0, _NETWORK, N_("Share of the hidden units that each training step drops."), high=1, below=True
    )
    input_dropout: float = _real(
        0.0, _NETWORK, N_("Share of the pixels that each training step drops."), high=1, below=True
    )
    initializer: str = _word("he", INITIALIZERS, _NETWORK, N_("How large the first, random weights are."))
    sigma: float = _real(
        0.1, _NETWORK, N_("Standard deviation of the weights for the initializer 'normal'."), high=100, above=True
    )
    output_scale: float = _real(
        1.0, _NETWORK, N_("Factor on the first weights of the output layer."), high=100, above=True
    )
    generator: str = _word(
        "pcg64",
        ("pcg64", "legacy"),
        _NETWORK,
        N_("What draws the first weights: NumPy's generator of today, or its older one, as np.random.seed does."),
    )

    epochs: int = _whole(5, 1, 1_000_000, _TRAINING, N_("How many times to go through the training images."))
    batch_size: int = _whole(128, 1, 1_000_000, _TRAINING, N_("Images in each step."))
    shuffle: bool = _flag(True, _TRAINING, N_("Take the images in another order in each epoch."))
    drop_last: bool = _flag(False, _TRAINING, N_("Leave out the last batch of an epoch if it is incomplete."))
    label_smoothing: float = _real(
        0.0, _TRAINING, N_("Share of the target probability that is spread over all classes."), high=1, below=True
    )
    adversarial: float = _real(
        0.0,
        _TRAINING,
        N_(
            "Train on each image twice, once moved by this distance, pixels counted from 0 to 1, to where its loss rises."
        ),
        high=28,
    )
    l2: float = _real(
        0.0, _TRAINING, N_("Penalty on the squares of the weights: adds l2/2 · Σ W² to the loss."), high=10
    )
    seed: int = _whole(0, 0, 2**32 - 1, _TRAINING, N_("Where all random numbers start: the same seed, the same run."))
    dtype: str = _word("float32", ("float32", "float64"), _TRAINING, N_("Precision of all numbers."))
    engine: str = _word(
        "numpy",
        ("numpy", "jax"),
        _TRAINING,
        N_("What drives the steps: 'numpy' on the processor, 'jax' compiled, on processor or GPU."),
    )
    products: str = _word(
        "full",
        ("full", "tensorfloat32", "bfloat16"),
        _TRAINING,
        N_(
            "Precision of what goes into matrix products, with sums in float32: less is faster where the hardware has it."
        ),
    )
    averaging: float = _real(
        0.0,
        _TRAINING,
        N_("Take a running average of the weights after each epoch as the model: how much of it each epoch keeps."),
        high=1,
        below=True,
    )

    optimizer: str = _word("sgd", OPTIMIZERS, _OPTIMIZER, N_("How gradients move the weights."))
    learning_rate: float = _real(0.1, _OPTIMIZER, N_("Size of the step along the gradient."), high=1000, above=True)
    momentum: float = _real(
        0.9,
        _OPTIMIZER,
        N_("Share of its speed that 'momentum' or 'nesterov' keeps from step to step."),
        high=1,
        below=True,
    )
    beta1: float = _real(0.9, _OPTIMIZER, N_("Adam: how long the mean of the gradient remembers."), high=1, below=True)
    beta2: float = _real(0.999, _OPTIMIZER, N_("Adam: how long the mean of its square remembers."), high=1, below=True)
    epsilon: float = _real(
        1e-8, _OPTIMIZER, N_("Adam: what keeps its division from dividing by zero."), high=1, above=True
    )
    schedule: str = _word("constant", SCHEDULES, _OPTIMIZER, N_("How the learning rate changes over training."))
    warmup_epochs: float = _real(
        0.0,
        _OPTIMIZER,
        N_("Epochs, or a fraction of one, over which the learning rate first rises from zero."),
        high=1e6,
    )
    step_every: int = _whole(10, 1, 1_000_000, _OPTIMIZER, N_("Schedule 'step': epochs between two changes."))
    step_factor: float = _real(
        0.5, _OPTIMIZER, N_("Schedule 'step': what each change multiplies by."), high=1, above=True
    )

    training_accuracy: str = _word(
        "running",
        ("running", "after"),
        _STOPPING,
        N_("Training accuracy: 'running' counts along during the epoch, 'after' measures once it is over."),
    )
    test_accuracy: str = _word(
        "at-end",
        ("at-end", "each-epoch"),
        _STOPPING,
        N_("Test accuracy: 'at-end' measures once, 'each-epoch' after every epoch too."),
    )
    stop_accuracy: float = _real(
        1.0,
        _STOPPING,
        N_("Stop after an epoch whose training accuracy is above this fraction; 1 never does."),
        high=1,
        above=True,
    )
    monitor: str = _word(
        "validation_loss",
        ("validation_loss", "validation_accuracy"),
        _STOPPING,
        N_("What tells the best epoch, for 'patience' and 'keep'."),
    )
    patience: int = _whole(
        0, 0, 1_000_000, _STOPPING, N_("Stop after this many epochs without a better one; 0 never does.")
    )
    keep: str = _word("last", ("last", "best"), _STOPPING, N_("Which epoch's weights become the model."))

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            kind, value = field.metadata["kind"], getattr(self, name)
            try:
                object.__setattr__(self, name, kind.check(value))
            except ValueError:
                raise _unfit(name, kind, value) from None
        check_sizes(self.sizes)
        if self.validation_images >= self.train_images:
            raise PasapasError(
                _("validation_images = {validation} leaves nothing of train_images = {train} to train on.").format(
                    validation=self.validation_images, train=self.train_images
                )
            )
        if self.warmup_epochs and self.warmup_epochs >= self.epochs:
            raise PasapasError(
                _("warmup_epochs = {warmup} must be less than epochs = {epochs}.").format(
                    warmup=short(self.warmup_epochs), epochs=self.epochs
                )
            )

        if self.dtype == "float64" and self.products != "full":
            raise PasapasError(
                _("products = {products} are for dtype = float32: in float64 only full products make sense.").format(
                    products=self.products
                )
            )

    @property
    def sizes(self) -> list[int]:
        """The widths of the network's layers, from pixels to digits."""
        return [784, *self.hidden, 10]

    def network(self) -> Network:
        """The network that the recipe trains."""
        return mlp(
            *self.sizes,
            activation=self.activation,
            dropout=self.dropout,
            input_dropout=self.input_dropout,
            label_smoothing=self.label_smoothing,
            l2=self.l2,
        )

    @property
    def deformation(self) -> Deformation:
        """How training images are deformed."""
        return Deformation(
            self.rotation,
            self.scaling,
            self.shear,
            self.translation,
            self.elastic,
            self.elastic_sigma,
            self.sampling,
        )

    @property
    def standardizes(self) -> bool:
        """Whether pixels are brought to another mean and spread while the network trains."""
        return (self.input_mean, self.input_std) != (0, 1)

    def standardized(self, X: Array) -> Array:
        """X (m, n_in), pixels from 0 to 1, as the network sees them while it trains."""
        return (X - self.input_mean) / self.input_std if self.standardizes else X

    def for_pixels(self, params: Sequence[Params]) -> Sequence[Params]:
        """Parameters that give from pixels what `params` give from standardized ones.

        (X − μ) / σ · W + b is X · (W / σ) + (b − μ / σ · Σ W): the first dense layer takes it in.
        """
        if not self.standardizes:
            return params
        first = next(i for i, p in enumerate(params) if p)
        W, b = params[first]["W"], params[first]["b"]
        W = W / self.input_std  # (n_in, n_out)
        b = b - self.input_mean * array_namespace(W).sum(W, axis=0)  # (n_out,)
        return [{"W": W, "b": b} if i == first else p for i, p in enumerate(params)]

    def make_initializer(self) -> initializers.Initializer:
        """What draws the first weights."""
        legacy = self.generator == "legacy"
        if self.initializer == "normal":
            return initializers.Normal(legacy, self.sigma)
        return {"he": initializers.He, "xavier": initializers.Xavier}[self.initializer](legacy)

    def make_optimizer(self) -> optimizers.Optimizer:
        """What moves the weights."""
        if self.optimizer == "adam":
            return optimizers.Adam(self.beta1, self.beta2, self.epsilon)
        if self.optimizer == "sgd":
            return optimizers.SGD()
        return optimizers.Momentum(self.momentum, nesterov=self.optimizer == "nesterov")

    def make_schedule(self) -> schedules.Schedule:
        """What changes the learning rate."""
        named: dict[str, schedules.Schedule] = {
            "constant": schedules.Constant(),
            "step": schedules.Step(self.step_every, self.step_factor),
            "linear": schedules.Linear(),
            "cosine": schedules.Cosine(),
        }
        schedule = named[self.schedule]
        return schedules.Warmup(self.warmup_epochs, schedule) if self.warmup_epochs else schedule

    def replace(self, **changes: Any) -> Recipe:
        """This recipe with other values in some fields. Raises PasapasError for unknown fields and values."""
        _known(changes)
        return dataclasses.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """All fields, as JSON and TOML can hold them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }

    def to_toml(self) -> str:
        """The recipe as a TOML document that `load_recipe` reads back."""
        lines = []
        for name, value in self.as_dict().items():
            text = (
                str(value).lower()
                if isinstance(value, bool)
                else f'"{value}"'
                if isinstance(value, str)
                else repr(value)
            )
            lines.append(f"{name} = {text}\n")
        return "".join(lines)


FIELDS: dict[str, dataclasses.Field[Any]] = {field.name: field for field in dataclasses.fields(Recipe)}
"""The fields by name; each has in its metadata its `kind`, its `group` and its `help`, the latter two to be translated."""


def parse_field(name: str, text: str) -> Any:
    """The value of field `name` from the text of a command-line option. Raises PasapasError where it is none."""
    kind: Kind = FIELDS[name].metadata["kind"]
    try:
        return kind.check(kind.parse(text))
    except ValueError:
        raise _unfit("--" + name.replace("_", "-"), kind, text) from None


def as_text(value: Any) -> str:
    """The value of a field as the command line takes it: 128,64; none; true."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unfit(name: str, kind: Kind, value: Any) -> PasapasError:
    hint = nearest(value, kind.choices) if kind.choices and isinstance(value, str) else ""
    sentence = _("{name} must be {expected}, not '{value}'.")
    return PasapasError(sentence.format(name=name, expected=kind.expected(), value=as_text(value)) + hint)


def _known(names: Mapping[str, Any]) -> None:
    for name in names:
        if name not in FIELDS:
            raise PasapasError(
                _("A recipe has no field '{name}'; 'pasapas recipes default' shows those it has.").format(name=name)
                + nearest(name, FIELDS)
            )


def recipe_names() -> list[str]:
    """The names of the recipes in the package, the default first."""
    names = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return sorted(names, key=lambda name: name != "default")


def recipe(name: str = "default", **changes: Any) -> Recipe:
    """The recipe of that name from the package, with other values in some fields.

    Raises PasapasError for an unknown name, field or value.
    """
    if name not in recipe_names():
        raise PasapasError(
            _("There is no recipe '{name}': choose one of {choices}, or the path of a TOML file.").format(
                name=name, choices=", ".join(recipe_names())
            )
            + nearest(name, recipe_names())
        )
    return load_recipe(FOLDER / f"{name}.toml").replace(**changes)


def load_recipe(path: str | Path) -> Recipe:
    """The recipe in a TOML file. What it does not mention has the defaults of `Recipe`.

    Raises PasapasError for a file that is missing or no TOML, and for unknown fields and values.
    """
    fields = _read_toml(Path(path))
    fields.pop("description", None)
    _known(fields)
    return Recipe(**fields)


def description(name: str) -> str:
    """What the package's recipe of that name is for, in the language spoken now."""
    return str(_read_toml(FOLDER / f"{name}.toml")["description"][language()])


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > 1_000_000:
            raise PasapasError(_("'{path}' is too large for a recipe.").format(path=path))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise cannot_read(path, error) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PasapasError(_("'{path}' is no recipe in TOML: {reason}.").format(path=path, reason=error)) from None

"""What each picture of `pasapas show` draws, the numbers behind it, and what is said of it."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console

from pasapas import runs
from pasapas.cli.options import find_model, find_network, find_path, origin, several, whole
from pasapas.cli.predict import mnist_image
from pasapas.cli.train import find_recipe
from pasapas.data import load_mnist
from pasapas.data.deformations import REFERENCE
from pasapas.data.mnist import load_mnist_test
from pasapas.errors import PasapasError
from pasapas.i18n import _, integer, number, percent
from pasapas.metrics import final_statistics
from pasapas.models import SHIPPED
from pasapas.studies import demonstrations, gradient_flow, units

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Shown(NamedTuple):
    """What a picture shows: how to draw it, the numbers behind it, and what to say of it."""

    draw: Callable[[], "Figure"]
    numbers: dict[str, Any]
    sentences: list[str]


@dataclass(frozen=True)
class Asked:
    """The options of the command, and where progress is shown."""

    model: Path | None
    activation: str | None
    learning_rate: str | None
    index: str | None
    unit: str | None
    recipe: str | None
    terminal: Console


class Picture(NamedTuple):
    """One of the pictures: what it is, the options that it takes, and what makes it."""

    about: str
    options: tuple[str, ...]
    make: Callable[[Asked], Shown]


def finite(values: npt.NDArray[Any]) -> list[float | None]:
    """The numbers, with None for those that JSON cannot hold."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def loss(asked: Asked) -> Shown:
    """−ln p."""
    losses = {p: demonstrations.cross_entropy(p) for p in demonstrations.SCENARIOS}
    sentences = [
        _(
            "The loss of one image is −ln p, where p is the probability given to its true class: {good} where p is {sure}, {bad} where p is {unsure}."
        ).format(
            good=number(losses[0.99], 3), sure=percent(0.99, 0), bad=number(losses[0.05], 3), unsure=percent(0.05, 0)
        ),
        _(
            "It hardly tells a good answer from a perfect one, and grows without bound as p goes to 0: to be sure and wrong costs most."
        ),
    ]

    def draw() -> "Figure":
        from pasapas import figures

        return figures.loss_curve()

    return Shown(draw, {"scenarios": [{"p": p, "loss": value} for p, value in losses.items()]}, sentences)


def descent(asked: Asked) -> Shown:
    """Gradient descent on x²."""
    rates = learning_rates(asked.learning_rate)
    descents = [demonstrations.parabola(rate) for rate in rates]
    numbers = [
        {"learning_rate": d.learning_rate, "factor": d.factor, "regime": d.regime, "x": d.x.tolist()} for d in descents
    ]
    sentences = [
        _(
            "On x² the gradient is 2x, so each step x − α · 2x multiplies x, which is also its distance from the minimum, by 1 − 2α."
        ),
        _(
            "Below α = 0.5 it goes down on one side; at 0.5 the factor is 0 and a single step lands on the minimum; between 0.5 and 1 it goes down from side to side; at 1 it neither gains nor loses, and above 1 each step leads further away."
        ),
    ]

    def draw() -> "Figure":
        from pasapas import figures

        return figures.descent(rates)

    return Shown(draw, {"descents": numbers}, sentences)


def learning_rates(text: str | None) -> tuple[float, ...]:
    """The rates in a list such as 0.1,0.5; with semicolons between them, commas are decimal points."""
    if text is None:
        return demonstrations.RATES
    separator = ";" if ";" in text else ","
    try:
        rates = tuple(float(part.replace(",", ".")) for part in text.split(separator)[:9])
    except ValueError:
        rates = ()
    if not 1 <= len(rates) <= 8 or not all(0 < rate <= 10 for rate in rates):  # nan fails as well
        raise PasapasError(
            _(
                "--learning-rate must be 1 to 8 numbers above 0 and of at most 10, with commas between them, not '{value}'."
            ).format(value=text)
        )
    return rates


def valley(asked: Asked) -> Shown:
    """Momentum."""
    plain, fast = demonstrations.valley(), demonstrations.valley(demonstrations.MOMENTUM)
    sentences = [
        _(
            "The valley is {times} times as steep across as along: with α = {rate} plain descent jumps from wall to wall, for which α is nearly too large, and creeps along the bottom, for which it is too small."
        ).format(
            times=integer(demonstrations.VALLEY[1] / demonstrations.VALLEY[0]),
            rate=number(demonstrations.VALLEY_RATE, 4),
        ),
        _(
            "Momentum adds up the steps: those across cancel each other, those along the valley add up. After {steps} steps the loss is {times} times smaller with it than without."
        ).format(steps=len(plain.loss) - 1, times=integer(float(f"{plain.loss[-1] / fast.loss[-1]:.1g}"))),
    ]

    def draw() -> "Figure":
        from pasapas import figures

        return figures.valley()

    numbers = [
        {
            "momentum": path.momentum,
            "learning_rate": path.learning_rate,
            "points": path.points.tolist(),
            "loss": path.loss.tolist(),
        }
        for path in (plain, fast)
    ]
    return Shown(draw, {"curvatures": list(demonstrations.VALLEY), "descents": numbers}, sentences)


def gradients(asked: Asked) -> Shown:
    """Vanishing and exploding gradients."""
    images = load_mnist()[0]
    flows = [gradient_flow.gradient_flow(case, images) for case in gradient_flow.CASES]
    numbers = [
        {
            "name": flow.case.name,
            "activation": flow.case.activation,
            "learning_rate": flow.case.learning_rate,
            "loss": finite(flow.loss),
            "dZ": [finite(row) for row in flow.dZ],
            "dW": [finite(row) for row in flow.dW],
        }
        for flow in flows
    ]
    vanishing, _healthy, exploding = flows
    sentences = [
        _(
            "Three networks of six hidden layers, at work on the same images. Each layer hands the gradient back multiplied by its weights and by the slope of its activation."
        ),
        _(
            "With sigmoids, whose slope is 1/4 at most, and small weights, the first layer gets {fraction} of what the last one gets, and learns nothing; with ReLU and He's weights all layers get about as much; with large weights the first layer gets {times} times as much, and only a tiny learning rate keeps the numbers finite."
        ).format(
            fraction="1/" + integer(float(f"{1 / vanishing.reach:.2g}")),
            times=integer(float(f"{exploding.reach:.2g}")),
        ),
    ]

    def draw() -> "Figure":
        from pasapas import figures

        return figures.gradient_flow(flows)

    return Shown(draw, {"networks": numbers}, sentences)


def history(asked: Asked) -> Shown:
    """How a run went."""
    path = asked.model or runs.newest_model()
    if path is None:
        raise PasapasError(
            _("There is no run in '{folder}' yet: make one with 'pasapas train', or name a run's folder.").format(
                folder=runs.RUNS
            )
        )
    path = find_path(path)
    folder = path if path.is_dir() else path.parent
    if runs.members_of(folder):
        raise several(path)
    if not (folder / runs.CHECKPOINT).exists():
        raise PasapasError(
            _("'{folder}' is no run's folder: it has no {file}, which holds the history.").format(
                folder=folder, file=runs.CHECKPOINT
            )
        )
    _recipe, progress = runs.load_checkpoint(folder)
    rows = final_statistics(progress.history)
    sentences = [
        _("{name}: {first} in the first epoch, {last} in the last ({change}).").format(
            name=name, first=first, last=last, change=change
        )
        for name, first, last, change in rows
    ]
    sentences.append(
        _("Where the training loss goes on falling while that of other images rises, the network learns by heart.")
    )

    def draw() -> "Figure":
        from pasapas import figures

        return figures.training_history(progress.history)

    return Shown(draw, {"run": str(folder), "epochs": [vars(epoch) for epoch in progress.history]}, sentences)


def digit(asked: Asked) -> Shown:
    """A digit and its probabilities."""
    index = whole("--index", asked.index, 0, 9999)
    path, model = find_model(asked.model, asked.activation)
    one = mnist_image(index)
    P = model.probabilities(one.image[None])[0]
    order = np.argsort(-P, kind="stable")
    first, second = order[0], order[min(1, len(order) - 1)]
    sentences = [
        _("Network: {path}").format(path=origin(path, asked.model)),
        _(
            "{name} is a {true}. The network takes it for a {first}, with a probability of {p}; next comes {second}, with {q}."
        ).format(
            name=one.name, true=one.label, first=first, p=percent(float(P[first]), 1), second=second,
            q=percent(float(P[second]), 1),
        ),
        _("All probabilities add up to 1: what one class gains, the others lose."),
    ]  # fmt: skip

    def draw() -> "Figure":
        from pasapas import figures

        return figures.digit(one.image, P, one.label)

    numbers = {
        "model": str(path),
        "shipped": path == SHIPPED,
        "image": one.name,
        "true": one.label,
        "predicted": int(first),
        "probabilities": P.tolist(),
    }
    return Shown(draw, numbers, sentences)


def unit(asked: Asked) -> Shown:
    """What a hidden unit looks for."""
    path, model = find_network(asked.model, asked.activation)
    n = units.first_weights(model).shape[1]
    chosen = whole("--unit", asked.unit, 0, n - 1)
    test = load_mnist_test()
    found = units.look_at(model, units.strongest(model) if chosen is None else chosen, test)
    likes = [0.0 if math.isnan(value) else value for value in found.likes.tolist()]
    most, least = int(np.argmax(likes)), int(np.argmin(likes))
    sentences = [
        _("Network: {path}").format(path=origin(path, asked.model)),
        _("Unit {unit} of the {n} in the first layer adds up the pixels, each times its weight, and its bias.").format(
            unit=found.number, n=integer(n)
        ),
        _(
            "Of the test images, those of digit {most} activate it most on average ({high}), those of digit {least} least ({low}). Red pixels of its weights are where it wants ink, blue ones where it wants none."
        ).format(most=most, high=number(likes[most], 2), least=least, low=number(likes[least], 2)),
    ]

    def extremes(images: npt.NDArray[np.intp]) -> list[dict[str, Any]]:
        return [
            {
                "index": int(i),
                "label": int(test.labels[i]),
                "sum": float(found.sums[i]),
                "activation": float(found.activations[i]),
            }
            for i in images
        ]

    def draw() -> "Figure":
        from pasapas import figures

        return figures.unit(found, test.images, test.labels)

    numbers = {
        "model": str(path),
        "shipped": path == SHIPPED,
        "unit": found.number,
        "most": extremes(found.most),
        "least": extremes(found.least),
        "mean_activation": finite(found.likes),
        "weights": found.weights.tolist(),
    }
    return Shown(draw, numbers, sentences)


def deformations(asked: Asked) -> Shown:
    """What a recipe's deformations make of a digit."""
    index = whole("--index", asked.index, 0, 59_999) or 0
    name = asked.recipe or "default"
    own = find_recipe(name).deformation
    deformation = own or REFERENCE
    training = load_mnist()[0]
    sentences = [
        _(
            "Training image {index}, a {label}, each time with other random numbers, which are the same in a column."
        ).format(index=index, label=training.labels[index]),
        _(
            "A network that is trained on such images never sees quite the same one twice: it cannot learn them by heart, and learns instead what all ways of writing a digit have in common."
        ),
    ]
    if not own:
        sentences.insert(
            0,
            _("The recipe '{name}' deforms nothing; the picture has amplitudes that serve MNIST well.").format(
                name=name
            ),
        )

    def draw() -> "Figure":
        from pasapas import figures

        return figures.deformed_digits(deformation, training.images[index])

    numbers = {
        "recipe": name,
        "deforms": bool(own),
        "amplitudes": asdict(deformation),
        "index": index,
        "true": int(training.labels[index]),
    }
    return Shown(draw, numbers, sentences)

"""The view Microscope: one training step with every number in sight, and the steps that follow it on the same images."""

from __future__ import annotations

import itertools
import math
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer, ngettext, number, short
from pasapas.initializers import He
from pasapas.layers import Params
from pasapas.network import Network, mlp
from pasapas.recipes import recipe
from pasapas.tracing import Trace, chain, formulas, trace
from pasapas.tracing.capsule import open_capsule
from pasapas.tracing.tensors import CONVENTIONS
from pasapas.views.bench import Bench, mnist, opened
from pasapas.views.mathml import mathml
from pasapas.views.packing import packed, packed_bytes, unpacked
from pasapas.views.sources import SHOWN, WHOLE, written
from pasapas.views.stages import answer, describe
from pasapas.views.view import View

LESSON, SMALL, CAPSULE = "lesson", "small", "capsule"
MOST_IMAGES, LAST_IMAGE = 8, 59_999
MOST_UPDATES = 200
LOWEST_RATE, HIGHEST_RATE = 1e-6, 10.0
MOST_IN_CAPSULE = 1000
MOST_CAPSULE = 24
"""MB: the model that ships with eight images makes one of 12."""

_FIRST_IMAGES, _RATE = list(range(5)), 0.01  # those of `pasapas explain`
_UNITS = 16  # of a layer that are drawn
_LARGEST = 1e30
_EAGER = 20_000  # numbers: larger tensors are sent when they are looked at


class MicroscopeView(View):
    """One step on a few images, where it goes after so many updates, and the capsule that was opened last."""

    name = "microscope"
    asks: ClassVar[tuple[str, ...]] = ("step", "go", "arrays", "entry", "chain", "save", "open")

    def __init__(self, bench: Bench | None = None) -> None:
        super().__init__(bench)
        self._capsule: tuple[str, Trace] | None = None
        self._walk: _Walk | None = None

    def about(self) -> dict[str, Any]:
        """Words, models, and between which bounds one can choose."""
        return {
            **super().about(),
            "presets": self._presets(),
            "first": {"model": LESSON, "images": _FIRST_IMAGES, "learning_rate": _RATE},
            "bounds": {
                "images": MOST_IMAGES,
                "lastImage": LAST_IMAGE,
                "updates": MOST_UPDATES,
                "capsule": MOST_CAPSULE,
                "rate": [LOWEST_RATE, HIGHEST_RATE],
            },
        }

    def texts(self) -> dict[str, str]:
        """Every word of the page by a name."""
        return _texts()

    # What is asked

    def step(
        self,
        model: str = LESSON,
        images: Sequence[int] | None = None,
        learning_rate: float = _RATE,
        convention: str = CONVENTIONS[0],
        updates: int = 0,
    ) -> dict[str, Any]:
        """The step of a network on MNIST's training images of these numbers, after so many updates.

        Without numbers the images are a capsule's own; for other networks the first five.
        """
        if not LOWEST_RATE <= learning_rate <= HIGHEST_RATE:
            raise PasapasError(_bad_rate())
        network, params = self._network(model)
        if images is None and model == CAPSULE:
            recorded = self._opened()[1]
            X, y = recorded["X"].value, recorded["y"].value
        else:
            images = _checked(_FIRST_IMAGES if images is None else images)
            X, y = mnist()[0].images[images], mnist()[0].labels[images]
            params = [{name: array for name, array in p.items() if name != "mask"} for p in params]
        start = _traced(network, params, X, y, learning_rate, convention)
        self._walk = _Walk(start, model, images).at(updates)
        return self._shown()

    def go(self, updates: int) -> dict[str, Any]:
        """The step after so many updates from where one began: one more, one less, or none."""
        self._walk = self._current().at(updates)
        return self._shown()

    def arrays(self, tensors: Sequence[str]) -> dict[str, Any]:
        """The numbers of these tensors."""
        step = self._current().step
        return {"arrays": {name: packed(step[name].value) for name in tensors}}

    def entry(self, tensor: str, index: Sequence[int]) -> dict[str, Any]:
        """Where an entry comes from: the entries that it was computed from, and the sum with its numbers."""
        told = answer(self._current().step, {"tensor": tensor, "index": index})
        told.pop("id")
        if "error" in told:
            raise PasapasError(told["error"])
        return told

    def chain(
        self, layer: int = 1, i: int | None = None, j: int | None = None, image: int | None = None
    ) -> dict[str, Any]:
        """The chain rule from the loss to W[i,j] of a layer, for an image of the batch.

        Without i and j it is the weight with the largest gradient; without an image the one that adds most to it.
        """
        step = self._current().step
        gradient = step[f"dW{layer}"].value
        if i is None or j is None:
            i, j = map(int, np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape))
        found = chain.weight(step, layer, i, j)
        if image is None:
            image = int(np.argmax([abs(term.product) for term in found.sums[0].terms[: step.m]]))
        if not 0 <= image < step.m:
            raise PasapasError(
                _("There is no image {image} in this batch of {m}: they are counted from 0.").format(
                    image=image, m=integer(step.m)
                )
            )
        factors, sums = _path(step, found, layer, j, image)
        after, weight = f"W{layer}_new[{i},{j}]", f"W{layer}[{i},{j}]"
        return {
            "layer": layer,
            "i": i,
            "j": j,
            "image": image,
            "layers": [list(dense) for dense in (step[f"W{k}"].shape for k in range(1, len(step.network.dense) + 1))],
            "images": step["y"].value.tolist(),
            "weight": weight,
            "gradient": {"name": found.name, "place": _place(found.name), "value": written(found.value)},
            "factors": [
                {"name": name, "place": _place(name), "value": written(value), "math": mathml(latex)}
                for name, value, latex in factors
            ],
            "product": written(math.prod(value for _name, value, _latex in factors)),
            "paths": _paths(step, found, layer, image),
            "sums": [_sum(step, total) for total in (*sums, *found.sums)],
            "check": _("{name}: {value} by the chain rule, {differences} by finite differences.").format(
                name=found.name, value=_precise(found.value), differences=_precise(found.by_differences)
            ),
            "update": _("The update: {after} = {weight} − α · {gradient} = {sum} = {value}").format(
                after=after,
                weight=weight,
                gradient=found.name,
                sum=f"{written(step[f'W{layer}'].value[i, j])} − {short(step.learning_rate)} · ({written(found.value)})",
                value=written(step[f"W{layer}_new"].value[i, j]),
            ),
        }

    def save(self) -> dict[str, Any]:
        """The step as a capsule: the name and the bytes of a file."""
        walk = self._current()
        with tempfile.TemporaryDirectory(prefix="pasapas-") as folder:
            path = walk.step.save(Path(folder) / "step.capsule")
            return {"name": f"step-{walk.updates}.capsule", "content": packed_bytes(path.read_bytes())}

    def open(self, name: str, content: str) -> dict[str, Any]:
        """Opens a capsule, and says what in it was altered. Raises PasapasError for whatever is no capsule."""
        data = unpacked(content)
        if len(data) > MOST_CAPSULE << 20:
            raise PasapasError(
                _("{name} is too large: {most} MB at most.").format(
                    name=PurePath(name).name, most=integer(MOST_CAPSULE)
                )
            )
        with opened(name, data) as path, np.errstate(all="ignore"):
            step, altered = open_capsule(path)
        if step.m > MOST_IN_CAPSULE or not _moderate(step):
            raise PasapasError(
                _(
                    "This capsule cannot be shown: it may have {most} images at most, and no number beyond {largest}."
                ).format(most=integer(MOST_IN_CAPSULE), largest=short(_LARGEST))
            )
        label = PurePath(name.replace("\\", "/")).name
        self._capsule = (label, step)
        self._walk = _Walk(step, CAPSULE, None)
        verdict = (
            ngettext(
                "{name}: {n} number is not what the step gives.",
                "{name}: {n} numbers are not what the step gives.",
                len(altered),
            )
            if altered
            else _("{name}: every number is what the step gives.")
        )
        return {
            **self._shown(),
            "verdict": verdict.format(name=label, n=integer(len(altered))),
            "altered": [str(one) for one in altered[:5]],
        }

    # Networks

    def _presets(self) -> list[dict[str, Any]]:
        """What there is to choose beside the models on the bench."""
        labels = {LESSON: _("the lesson's network, untrained"), SMALL: _("a small network, untrained")}
        if self._capsule:
            labels[CAPSULE] = self._capsule[0]
        return [
            {
                "key": key,
                "label": label,
                "architecture": "-".join(map(str, self._network(key)[0].sizes)),
                "single": True,
            }
            for key, label in labels.items()
        ]

    def _network(self, key: str) -> tuple[Network, Sequence[Params]]:
        if key == LESSON:
            lesson = recipe("lesson-3")
            network = lesson.network()
            return network, network.initialize(lesson.make_initializer(), lesson.seed, lesson.dtype)
        if key == SMALL:
            network = mlp(784, 12, 10)
            return network, network.initialize(He(), 1, "float64")
        if key == CAPSULE:
            step = self._opened()[1]
            return step.network, step.params()
        model = self.bench.model(key)
        return model.network, model.params

    def _opened(self) -> tuple[str, Trace]:
        if self._capsule is None:
            raise PasapasError(_("No capsule is open here: open its file again."))
        return self._capsule

    # What is shown

    def _current(self) -> _Walk:
        if self._walk is None:
            self.step()
        assert self._walk is not None
        return self._walk

    def _shown(self) -> dict[str, Any]:
        walk = self._current()
        step = walk.step
        X, y = step["X"].value[:MOST_IMAGES], step["y"].value[:MOST_IMAGES]
        pictures = X.shape[1] == 784 and float(X.min()) >= 0 and float(X.max()) <= 1
        return {
            "model": walk.model,
            "presets": self._presets(),
            "images": walk.images,
            "learning_rate": step.learning_rate,
            "convention": step.convention,
            "updates": walk.updates,
            "losses": walk.losses,
            "after": step.loss_after,
            "labels": y.tolist(),
            "pictures": [packed(np.rint(255 * image), "u1") for image in X] if pictures else [],
            "about": {**describe(step), "convention": _convention(step)},
            "arrays": {tensor.name: packed(tensor.value) for tensor in step if tensor.value.size <= _EAGER},
            "drawing": walk.drawing(),
        }


class _Walk:
    """A step, and where it stands after updates, each the next step on the same images."""

    def __init__(self, start: Trace, model: str, images: Sequence[int] | None) -> None:
        self.model, self.images = model, None if images is None else list(images)
        self.start = self.step = start
        self.losses = [start.loss]

    @property
    def updates(self) -> int:
        """How many updates lie behind the step."""
        return len(self.losses) - 1

    def at(self, updates: int) -> _Walk:
        """The same after so many updates: from here where that is ahead, otherwise from the start."""
        if not 0 <= updates <= MOST_UPDATES:
            raise PasapasError(
                _("There can be 0 to {most} updates here, not {n}.").format(most=MOST_UPDATES, n=updates)
            )
        there = _Walk(self.start, self.model, self.images)
        if updates >= self.updates:
            there.step, there.losses = self.step, list(self.losses)
        while there.updates < updates:
            done = there.step
            there.step = _traced(
                done.network,
                done.params("_new"),
                done["X"].value,
                done["y"].value,
                done.learning_rate,
                done.convention,
            )
            there.losses.append(there.step.loss)
        return there

    def drawing(self) -> dict[str, Any]:
        """The network with its values for the first images: columns of units, and the weights between them.

        Of a large layer the units with the largest values are drawn, on average over the images where one began.
        """
        columns: list[dict[str, Any]] = []
        for names in _columns(self.step):
            table = np.abs(self.start[[name for name in names if not name.startswith("d")][-1]].value)
            most_active = np.argsort(-table.mean(axis=0), kind="stable")[:_UNITS]
            units = np.sort(most_active)
            values = {name: packed(self.step[name].value[:MOST_IMAGES][:, units]) for name in names}
            columns.append({"size": table.shape[1], "units": units.tolist(), "values": values})
        links = []
        for k, (left, right) in enumerate(itertools.pairwise(columns), 1):
            block = np.ix_(left["units"], right["units"])
            links.append({name: packed(self.step[name].value[block]) for name in (f"W{k}", f"dW{k}", f"W{k}_new")})
        return {"columns": columns, "links": links}


def _columns(step: Trace) -> list[list[str]]:
    """The tensors of each column of units, in the order of the computation: [X], [Z1, A1, dA1, dZ1], [Z2, P, dZ2]."""
    last = len(step.network.dense)
    columns: list[list[str]] = [[] for _layer in range(last + 1)]
    for tensor in step:
        base = tensor.name.removeprefix("d")
        if tensor.name == "X" or (tensor.stage in ("forward", "backward") and base[0] in "ZADP"):
            columns[last if base == "P" else tensor.layer].append(tensor.name)
    return columns


def _traced(
    network: Network,
    params: Sequence[Params],
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    learning_rate: float,
    convention: str,
) -> Trace:
    """A step with numbers that can be shown. Raises PasapasError where they are not."""
    with np.errstate(all="ignore"):
        step = trace(network, params, X, y, learning_rate=learning_rate, convention=convention)
    if not _moderate(step):
        raise PasapasError(_("The numbers of this step grow beyond all bounds: choose a smaller learning rate."))
    return step


def _moderate(step: Trace) -> bool:
    """Whether all numbers are finite, and their products too."""
    return all(float(np.max(np.abs(tensor.value))) <= _LARGEST for tensor in step)  # false for NaN


def _checked(images: Sequence[int]) -> list[int]:
    """Numbers of training images. Raises PasapasError where they are too many, too few, or not there."""
    if not 1 <= len(images) <= MOST_IMAGES or not all(0 <= one <= LAST_IMAGE for one in images):
        raise PasapasError(_bad_images())
    return [int(one) for one in images]


def _bad_images() -> str:
    return _("Choose 1 to {most} training images by their numbers, 0 to {last}.").format(
        most=MOST_IMAGES, last=integer(LAST_IMAGE)
    )


def _bad_rate() -> str:
    return _("The learning rate must be a number between {low} and {high}.").format(
        low=number(LOWEST_RATE, 6), high=integer(HIGHEST_RATE)
    )


# The chain rule


_Factor = tuple[str, float, str]  # its name, its number, and as LaTeX which derivative it is


def _path(step: Trace, found: chain.Chain, layer: int, unit: int, image: int) -> tuple[list[_Factor], list[chain.Sum]]:
    """One path from the loss to a weight into `unit`, as factors, and the sums on the way to dZ of the unit.

    At each layer the path goes through the unit that adds most to the sum.
    """
    given, _delta, *divided = found.sums[0].terms[image].factors
    factors = [(*given, _ratio(f"Z{layer}", f"W{layer}")), *((*one, r"\frac{1}{m}") for one in divided)]
    sums: list[chain.Sum] = []
    last = len(step.network.dense)
    for below in range(layer, last):
        back, through = chain.neuron(step, below, unit, image).sums[1:]
        sums = [back, through, *sums]
        most = max(back.terms, key=lambda term: abs(term.product))
        activation = _tensor(back.name).removeprefix("d")
        slopes = [
            (name, value, _ratio(*name[1:].split("/∂")) if name.startswith("∂") else formulas.symbol(_tensor(name)))
            for name, value in through.terms[0].factors[1:]
        ]
        factors = [(*most.factors[1], _ratio(f"Z{below + 1}", activation)), *slopes, *factors]
        unit = int(most.factors[0][0].rstrip("]").rpartition(",")[2])
    end = chain.neuron(step, last, unit, image).sums[1]
    symbol = formulas.symbol(f"dZ{last}")
    if step.convention == "per-example":  # ℓ is the loss of one example
        symbol = symbol.replace(r"\partial L", r"\partial \ell")
    return [(end.name, end.value, symbol), *factors], [end, *sums]


def _paths(step: Trace, found: chain.Chain, layer: int, image: int) -> str:
    """How many such paths there are, and what those of one image come to."""
    n = step.m * math.prod(step.network.sizes[layer + 1 :])
    text = _(
        "One of {n} paths from the loss to this weight. Those of image {image} come to {part}, all of them to {sum}."
    )
    part, total = (
        math.fsum(term.product for term in terms)
        for terms in (found.sums[0].terms[image : image + 1], found.sums[0].terms[: step.m])
    )
    text = text.format(n=integer(n), image=image, part=written(part), sum=written(total))
    if step.network.l2:
        text += " " + _("The penalty on large weights adds {part}.").format(
            part=written(found.sums[0].terms[-1].product)
        )
    return text


def _sum(step: Trace, total: chain.Sum) -> dict[str, Any]:
    """A sum with its terms: all of a short one, the largest of a long one."""
    terms, rest = total.terms, ""
    if len(terms) > WHOLE:
        terms = tuple(sorted(terms, key=lambda term: -abs(term.product)))
        others = math.fsum(term.product for term in terms[SHOWN:])
        rest = _("+ {n} smaller terms that add up to {sum}").format(n=integer(len(terms) - SHOWN), sum=written(others))
        terms = terms[:SHOWN]
    return {
        "name": total.name,
        "place": _place(total.name),
        "math": mathml(step[_tensor(total.name)].latex),
        "terms": [
            {
                "factors": [
                    {"name": name, "place": _place(name), "value": written(value)} for name, value in term.factors
                ],
                "product": written(term.product),
            }
            for term in terms
        ],
        "more": rest,
        "value": written(total.value),
    }


def _convention(step: Trace) -> str:
    """Where the division by m happens in this step, and that it makes no difference to the update."""
    if step.convention == "per-example":
        return _(
            "Here dZ and dA are those of each example’s own loss (P − Y), and the division by m comes with dW and db. Above one can "
            "choose the other way, with the same dW and db: what stands between is linear in dZ."
        )
    return _(
        "Here every d is the derivative of the mean loss, so m divides once, in dZ = (P − Y) / m. Above one can choose to divide "
        "later, as lessons often do, with the same dW and db: what stands between is linear in dZ."
    )


def _precise(value: float) -> str:
    return number(value, 8).replace("-", "−")


def _ratio(above: str, below: str) -> str:
    return rf"\frac{{\partial {formulas.symbol(above)}}}{{\partial {formulas.symbol(below)}}}"


def _tensor(entry: str) -> str:
    """dZ1 of dZ1[0,3]."""
    return entry.partition("[")[0]


def _place(entry: str) -> dict[str, Any] | None:
    """The tensor and the row and column in "dZ1[0,3]"; a factor without brackets is no entry."""
    found = re.fullmatch(r"(\w+)\[(\d+)(?:,(\d+))?\]", entry)
    if found is None:
        return None
    return {"tensor": found[1], "place": [int(found[2]), int(found[3])] if found[3] else [0, int(found[2])]}


def _texts() -> dict[str, str]:
    return {
        "batch": _("Images"),
        "numbersOfImages": _("Numbers of training images"),
        "others": _("Other images"),
        "own": _("the capsule’s own"),
        "imageLabel": _("image {k}, a {label}"),
        "showImage": _("Image {k}, a {label}: show it in the network"),
        "rate": _("Learning rate α"),
        "badImages": _bad_images(),
        "badRate": _bad_rate(),
        "convention": _("Division by m"),
        "mean": _("at once, in dZ"),
        "per-example": _("later, in dW and db"),
        "openCapsule": _("Open a capsule …"),
        "saveCapsule": _("Save as a capsule"),
        "saved": _("Saved as {name}."),
        "networkTitle": _("The network"),
        "previous": _("Previous"),
        "next": _("Next"),
        "input": _("28 × 28 pixels"),
        "inputs": _("{n} inputs"),
        "layer": _("layer {k}: {n} units"),
        "classes": _("{n} classes"),
        "moreUnits": _("… {n} more"),
        "unit": _("Unit {unit} of layer {k}, image {image}: {values}"),
        "class": _("Class {unit}, image {image}: {values}"),
        "inputUnit": _("Input {unit}, image {image}: {values}"),
        "right": _("the digit that it is"),
        "networkHelp": _(
            "Blue is above zero, orange with dashes below; the larger, the thicker. Arrow keys move among the units, Enter opens one below."
        ),
        "networkLabel": _("The network with the values of image {image}"),
        "updateTitle": _("The update"),
        "update": _("Do the update"),
        "undo": _("Undo"),
        "restart": _("Back to the start"),
        "lossNow": _("Loss of these images"),
        "lossAfter": _("after the update"),
        "done": _("After {n} updates: loss {loss}."),
        "notDone": _("Before the first update: loss {loss}."),
        "lossTitle": _("Loss, update by update"),
        "updates": _("Update"),
        "loss": _("loss"),
        "chainTitle": _("The chain rule of one weight"),
        "chainHelp": _("From the loss back to the weight, factor by factor. A click on a name goes there, above."),
        "weights": _("Weights"),
        "row": _("From input i"),
        "column": _("To unit j"),
        "throughImage": _("Through image"),
        "largest": _("The largest gradient"),
        "pathTitle": _("One path to"),
        "sumsTitle": _("The sums on the way"),
        "go": _("Go to {entry}"),
        "times": _("times"),
    }

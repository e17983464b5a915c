"""The view Draw: a digit that is being written, what a network makes of it, and what each hidden unit has to do with it."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.data.dataset import scaled
from pasapas.errors import PasapasError
from pasapas.i18n import _, integer
from pasapas.layers import Array, Dense, Dropout
from pasapas.models import Classifier, Model
from pasapas.network import forward, input_gradient
from pasapas.studies.units import look_at
from pasapas.views.bench import SHIPPED, Bench, mnist, opened
from pasapas.views.packing import packed, unpacked
from pasapas.views.view import View

MOST_SIDE = 640
"""Pixels: the longest side of a drawing; larger pictures are reduced before they are prepared anyway."""

_STRONGEST, _EXAMPLES = 6, 6


class DrawView(View):
    """Reads drawings, pictures and test images, and opens hidden units."""

    name = "draw"
    asks = ("read", "open", "excites")

    def __init__(self, bench: Bench | None = None) -> None:
        super().__init__(bench)
        # the first stroke is not to wait the second that this takes
        threading.Thread(target=import_module, args=["pasapas.data.images"], daemon=True).start()

    def about(self) -> dict[str, Any]:
        """What every view begins with, and how many test images there are."""
        return {**super().about(), "images": len(mnist()[1])}

    def read(
        self,
        model: str = SHIPPED,
        pixels: str | None = None,
        width: int = 0,
        image: int | None = None,
        unit: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """What a model makes of a drawing or of a test image; of neither, what it has to show.

        `pixels` are bytes of grey, `width` in a row, which are prepared as MNIST was: `box` is (top, left, bottom, right)
        of the ink in them. `image` is the number of a test image, taken as it is, and `label` is its digit. `found` is
        false where no digit was found, and `why` says why. `layers` are the hidden layers of a network and their
        activations, None for a committee; `unit` is that of the `layer` and `number` asked for, both from 0.

        Raises PasapasError for a model, an image or a unit that is not there, and for pixels that are no picture.
        """
        classifier = self.bench.classifier(model)
        inside = Inside(classifier) if isinstance(classifier, Model) else None
        reply: dict[str, Any] = {
            "found": False,
            "why": "",
            "image": None,
            "box": None,
            "label": None,
            "probabilities": None,
            "predicted": None,
            "sure": None,
            "threshold": _threshold(classifier),
            "layers": inside.blank() if inside else None,
            "unit": None,
        }
        if pixels is not None and image is not None:
            raise PasapasError(_("Either a drawing or a test image can be read, not both."))
        if pixels is not None:
            from pasapas.data.images import prepare

            picture = _picture(pixels, width)
            try:
                prepared = prepare(picture)
            except PasapasError as error:
                return {**reply, "why": str(error)}
            shown = prepared.image
            reply["box"] = [int(edge) for edge in prepared.box]
        elif image is not None:
            shown, reply["label"] = _test_image(image)
        else:
            return reply
        reply |= {"found": True, "image": packed(shown, "u1"), **_verdict(classifier, shown, reply["threshold"])}
        if inside:
            values = inside.values(shown)
            reply["layers"] = inside.lit(values)
            reply["unit"] = inside.unit(values, **unit) if unit else None
        return reply

    def open(self, name: str, content: str) -> dict[str, Any]:
        """The picture in a file, its bytes as base64: greys to be read. Raises PasapasError where there is no digit in it."""
        from pasapas.data.images import prepare
        from pasapas.data.pictures import read_picture

        with opened(name, unpacked(content)) as path:
            source = prepare(read_picture(path)).source
        return {"pixels": packed(source, "u1"), "width": source.shape[1]}

    def excites(self, model: str, unit: int) -> dict[str, Any]:
        """The test images for which the sum of a unit of the first hidden layer is largest."""
        test = mnist()[1]
        found = look_at(self.bench.model(model), unit, test, _EXAMPLES)
        return {
            "images": [
                {
                    "index": int(i),
                    "label": int(test.labels[i]),
                    "image": packed(test.images[i], "u1"),
                    "z": _finite(found.sums[i]),
                    "a": _finite(found.activations[i]),
                }
                for i in found.most
            ]
        }

    def texts(self) -> dict[str, str]:
        """Every word of the view."""
        return {
            "pad": _("Drawing pad"),
            "padHint": _("Write a digit here"),
            "padHelp": _(
                "With the keyboard: arrow keys move the pen, Space sets it down and lifts it, Ctrl+Z takes back, Delete clears."
            ),
            "penDown": _("Pen down"),
            "penUp": _("Pen up"),
            "penWidth": _("Width of the pen"),
            "undo": _("Undo"),
            "redo": _("Redo"),
            "clear": _("Clear"),
            "testImage": _("Test image (0 to {last})"),
            "random": _("At random"),
            "openPicture": _("Open a picture …"),
            "openHelp": _("One can also be dropped or pasted here."),
            "prepared": _("What the network gets"),
            "preparedHow": _(
                "Fitted into 20 × 20 pixels, the centre of mass of its ink brought to the cross, as in MNIST."
            ),
            "preparedAlready": _("A test image, as it is in MNIST."),
            "pixel": _("row {row}, column {column}: {value} of 255"),
            "weight": _("row {row}, column {column}: {value}"),
            "answer": _("{predicted}, {sure} sure"),
            "sure": _("{sure} sure"),
            "unsure": _("Not sure"),
            "likely": _("most likely {predicted}, {sure}"),
            "threshold": _("Below {threshold}, this model calls itself not sure."),
            "label": _("Test image {image}: its label is {label}."),
            "probabilities": _("Probability of each digit"),
            "none": _("nothing written yet"),
            "units": _("Hidden units"),
            "layer": _("Hidden layer {layer}: {units} units"),
            "active": _("{active} above 0"),
            "unitReadout": _("unit {unit}: a = {a}"),
            "unitHelp": _("Click on a unit, or press Enter, to open it."),
            "unitWait": _("They light up while one writes; then each can be opened."),
            "committee": _(
                "A committee has no one network to look into: choose a single network to see its hidden units."
            ),
            "noHidden": _("This network has no hidden layer."),
            "unit": _("Unit {unit} of hidden layer {layer}"),
            "close": _("Close"),
            "seeks": _("What it looks for: its weights w"),
            "seeksHere": _("What excites it in this drawing: ∂z/∂x"),
            "seeksHow": _("Blue: ink raises z. Orange: ink lowers it. The largest is {largest}."),
            "finds": _("What it finds: x · w, pixel by pixel"),
            "findsHow": _("Blue adds to z, orange takes away. Together: {sum}."),
            "sumOfPixels": _("z = Σ x · w + b = {sum} {bias} = {z}"),
            "sumOfUnits": _("z = Σ a · w + b = {sum} {bias} = {z}"),
            "activation": _("a = {name}(z) = {a}"),
            "noActivation": _("a = z = {a}"),
            "off": _("It is off: it adds nothing to any class."),
            "adds": _("What it adds to each class"),
            "addsExactly": _("Its activation a times its weight to each class: exactly its part of each score."),
            "addsAbout": _(
                "Its activation a times the slope ∂Z/∂a of each score: its part for as long as the layers after it answer in proportion."
            ),
            "addsCompared": _("Only differences between classes count: softmax does not see what is added to all."),
            "comesFrom": _("Where its z comes from"),
            "comesFromHow": _("The strongest a · w of hidden layer {layer}:"),
            "unitPart": _("unit {unit}: {part}"),
            "excitedBy": _("The test images that excite it most"),
            "digit": _("digit {label}"),
            "sum": _("z = {z}"),
            "takeExample": _("Put test image {image} on the pad: digit {label}, z = {z}"),
        }


@dataclass(frozen=True)
class Inside:
    """A single network and its hidden layers, counted from 0."""

    model: Model

    @property
    def hidden(self) -> list[tuple[int, int]]:
        """For each hidden layer, which of `forward`'s layers is its dense one, and which of the values its activations."""
        layers = self.model.network.layers
        dense = [i for i, layer in enumerate(layers) if isinstance(layer, Dense)]
        return [(i, i + 1 if isinstance(layers[i + 1], (Dense, Dropout)) else i + 2) for i in dense[:-1]]

    def values(self, image: npt.NDArray[np.uint8]) -> list[Array]:
        """All values of the forward pass of an image (28, 28), each (1, n)."""
        network, params = self.model.network, self.model.params
        dtype = next(p["W"].dtype for p in params if "W" in p)
        return forward(network.layers, params, scaled(image[None], dtype))

    def blank(self) -> list[dict[str, Any]]:
        """The hidden layers while nothing is shown to them."""
        return [{"units": n, "activations": None, "active": None} for n in self.model.network.sizes[1:-1]]

    def lit(self, values: Sequence[Array]) -> list[dict[str, Any]]:
        """The hidden layers with the activations of each of their units."""
        return [
            {"units": a.shape[1], "activations": packed(a), "active": int(np.count_nonzero(a > 0))}
            for a in (values[after] for _dense, after in self.hidden)
        ]

    def unit(self, values: Sequence[Array], layer: int, number: int) -> dict[str, Any]:
        """A unit at `values` of `forward`: how its sum z and its activation a come about, and what comes of them.

        `seeks` (784,) is ∂z/∂x, which for the first layer are its weights; `finds` (784,) are x · w in the first layer,
        `strongest` the largest a · w in those after it; `adds` (10,) is a · ∂Z/∂a, which for the last hidden layer is exactly
        its part of each score. Raises PasapasError where there is no such unit.
        """
        network, params = self.model.network, self.model.params
        sizes = network.sizes[1:-1]
        if not 0 <= layer < len(sizes) or not 0 <= number < sizes[layer]:
            raise PasapasError(
                _("There is no unit {number} in hidden layer {layer} of a network {architecture}.").format(
                    number=number, layer=layer + 1, architecture=self.model.architecture
                )
            )
        dense, after = self.hidden[layer]
        parts = values[dense][0] * params[dense]["W"][:, number]  # (n_in,)
        one = np.zeros_like(values[dense + 1])
        one[0, number] = 1
        seeks = input_gradient(network.layers[: dense + 1], params[: dense + 1], values[: dense + 2], one)  # (1, 784)
        scores = np.eye(network.sizes[-1], dtype=one.dtype)
        per_class = input_gradient(network.layers[after:], params[after:], values[after:], scores)[:, number]  # (10,)
        a = values[after][0, number]
        strongest = np.argsort(-np.abs(parts), kind="stable")[: _STRONGEST if layer else 0]
        return {
            "layer": layer,
            "number": number,
            "sum": _finite(parts.sum()),
            "bias": _finite(params[dense]["b"][number]),
            "z": _finite(values[dense + 1][0, number]),
            "a": _finite(a),
            "activation": type(network.layers[dense + 1]).__name__ if after == dense + 2 else "",
            "seeks": packed(seeks),
            "finds": None if layer else packed(parts),
            "strongest": [{"number": int(k), "part": _finite(parts[k])} for k in strongest],
            "adds": packed(a * per_class),
            "exact": layer == len(sizes) - 1,
        }


def _picture(pixels: str, width: int) -> npt.NDArray[np.uint8]:
    """The greys (h, w) in base64. Raises PasapasError where they are no picture, or a large one."""
    greys = np.frombuffer(unpacked(pixels), np.uint8)
    if not 0 < width <= MOST_SIDE or not len(greys) or len(greys) % width or len(greys) > width * MOST_SIDE:
        raise PasapasError(
            _("A drawing is {most} × {most} pixels at most, in whole rows: {n} bytes are no rows of {width}.").format(
                most=MOST_SIDE, n=integer(len(greys)), width=width
            )
        )
    return greys.reshape(-1, width)


def _test_image(number: int) -> tuple[npt.NDArray[np.uint8], int]:
    """An image (28, 28) of MNIST's test images, and its label. Raises PasapasError where there is no such number."""
    test = mnist()[1]
    if not 0 <= number < len(test):
        raise PasapasError(
            _("There is no test image {number}: they go from 0 to {last}.").format(
                number=number, last=integer(len(test) - 1)
            )
        )
    return test.images[number], int(test.labels[number])


def _verdict(classifier: Classifier, image: npt.NDArray[np.uint8], threshold: float | None) -> dict[str, Any]:
    """The probabilities, the most probable digit, and whether the model is sure of it."""
    P = classifier.probabilities(image[None])[0]  # (10,)
    if not np.isfinite(P).all():
        return {"why": _("This network's answer is not a number: its training has diverged.")}
    best = int(P.argmax())
    return {"probabilities": P.tolist(), "predicted": best, "sure": bool(P[best] >= (threshold or 0))}


def _threshold(classifier: Classifier) -> float | None:
    """The confidence that the model asks of itself, where it has one; `about` may be from anybody's file."""
    value = classifier.about.get("threshold")
    return float(value) if isinstance(value, float) and 0 < value <= 1 else None


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pasapas import PasapasError, forward, i18n, mlp
from pasapas.data.images import prepare
from pasapas.models import Committee, Model
from pasapas.views.bench import Bench, mnist
from pasapas.views.draw import DrawView, Inside
from pasapas.views.modules import STATIC
from pasapas.views.packing import packed, packed_bytes, unpacked


def drawing(side=140):
    """A 7 as written on the pad: greys (side, side), dark on white."""
    picture = Image.new("L", (side, side), 255)
    lines = [(0.25 * side, 0.2 * side), (0.7 * side, 0.2 * side), (0.4 * side, 0.85 * side)]
    ImageDraw.Draw(picture).line(lines, fill=0, width=side // 14, joint="curve")
    return np.array(picture)


def network(*sizes, seed=3, dtype="float64", about=None, **options):
    made = mlp(*sizes, **options)
    params = made.initialize(seed=seed, dtype=dtype)
    random = np.random.default_rng(seed)
    params = [{**p, "b": random.normal(0, 0.1, p["b"].shape).astype(dtype)} if p else p for p in params]
    return Model(made, params, about or {})


def view_of(model):
    return DrawView(Bench(model))


def floats(text):
    return np.frombuffer(unpacked(text), "<f4")


def test_of_nothing_it_says_what_there_is_to_see():
    reply = DrawView().read()
    assert not reply["found"]
    assert reply["why"] == ""
    assert reply["probabilities"] is None
    assert reply["layers"] == [{"units": n, "activations": None, "active": None} for n in (720, 500)]


def test_a_drawing_is_prepared_and_read_as_predict_does():
    view = DrawView()
    reply = view.read(pixels=packed(drawing(), "u1"), width=140)
    prepared = prepare(drawing())
    assert unpacked(reply["image"]) == prepared.image.tobytes()
    assert reply["box"] == list(prepared.box)
    expected = view.bench.classifier("shipped").probabilities(prepared.image[None])[0]
    np.testing.assert_array_equal(reply["probabilities"], expected)
    assert reply["predicted"] == 7
    assert reply["sure"]
    assert reply["label"] is None


def test_hidden_layers_are_those_of_the_forward_pass():
    view = DrawView()
    reply = view.read(image=17)
    model, test = view.bench.model("shipped"), mnist()[1]
    values = forward(model.network.layers, model.params, test.images[17].reshape(1, -1).astype(np.float32) / 255)
    for layer, a in zip(reply["layers"], (values[2], values[4]), strict=True):
        np.testing.assert_array_equal(floats(layer["activations"]), a[0])
        assert layer["active"] == (a > 0).sum()


def test_a_test_image_is_read_as_it_is():
    reply, test = DrawView().read(image=17), mnist()[1]
    assert unpacked(reply["image"]) == test.images[17].tobytes()
    assert reply["label"] == test.labels[17]
    assert reply["box"] is None


@pytest.mark.parametrize("grey", [255, 0, 128])
def test_a_blank_sheet_is_no_error(grey):
    reply = DrawView().read(pixels=packed(np.full((140, 140), grey), "u1"), width=140)
    assert not reply["found"]
    assert "no digit" in reply["why"]
    assert reply["predicted"] is None


def test_a_unit_of_the_first_layer_is_its_weights():
    model = network(784, 7, 5, 10)
    unit = view_of(model).read("given", image=3, unit={"layer": 0, "number": 4})["unit"]
    x = mnist()[1].images[3].reshape(-1) / 255
    W, b = model.params[0]["W"][:, 4], model.params[0]["b"][4]
    np.testing.assert_allclose(floats(unit["seeks"]), W, rtol=1e-6)
    np.testing.assert_allclose(floats(unit["finds"]), x * W, rtol=1e-6, atol=1e-9)
    assert unit["sum"] + unit["bias"] == pytest.approx(x @ W + b) == pytest.approx(unit["z"])
    assert unit["a"] == max(unit["z"], 0)
    assert unit["activation"] == "ReLU"
    assert unit["strongest"] == []
    assert not unit["exact"]


def test_what_the_last_hidden_units_add_makes_up_the_scores():
    model = network(784, 7, 5, 10)
    view = view_of(model)
    units = [view.read("given", image=3, unit={"layer": 1, "number": k})["unit"] for k in range(5)]
    Z = Inside(model).values(mnist()[1].images[3])[-1][0]
    np.testing.assert_allclose(sum(floats(u["adds"]) for u in units) + model.params[-1]["b"], Z, rtol=1e-5)
    assert all(unit["exact"] for unit in units)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "leaky-relu"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_slopes_are_those_of_central_differences(activation, layer):
    model = network(784, 9, 8, 7, 10, activation=activation, dropout=0.2, input_dropout=0.1)
    image, number, h = mnist()[1].images[5], 6, 1e-6
    values = Inside(model).values(image)
    dense, after = Inside(model).hidden[layer]
    unit = Inside(model).unit(values, layer, number)
    layers, params = model.network.layers, model.params
    nudge = np.eye(values[after].shape[1])[number] * h
    up, down = (forward(layers[after:], params[after:], values[after] + d)[-1][0] for d in (nudge, -nudge))
    expected = values[after][0, number] * (up - down) / (2 * h)
    np.testing.assert_allclose(floats(unit["adds"]), expected, rtol=1e-4, atol=1e-7)
    pixel = 14 * 28 + 14
    nudge = np.eye(784)[pixel] * h
    up, down = (forward(layers, params, values[0] + d)[dense + 1][0, number] for d in (nudge, -nudge))
    assert floats(unit["seeks"])[pixel] == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-7)


def test_the_strongest_of_the_layer_before_come_first():
    model = network(784, 12, 5, 10)
    unit = Inside(model).unit(values := Inside(model).values(mnist()[1].images[3]), 1, 2)
    parts = values[2][0] * model.params[2]["W"][:, 2]
    assert [one["number"] for one in unit["strongest"]] == np.argsort(-np.abs(parts), kind="stable")[:6].tolist()
    assert [one["part"] for one in unit["strongest"]] == pytest.approx(sorted(parts, key=abs, reverse=True)[:6])
    assert unit["finds"] is None


def test_the_test_images_that_excite_a_unit_most():
    model = network(784, 7, 10)
    images = view_of(model).excites("given", 2)["images"]
    test = mnist()[1]
    sums = test.images.reshape(len(test), -1) / 255 @ model.params[0]["W"][:, 2] + model.params[0]["b"][2]
    assert images[0]["index"] == sums.argmax()
    assert images[0]["z"] == pytest.approx(sums.max())
    assert images[0]["label"] == test.labels[sums.argmax()]
    assert [one["z"] for one in images] == sorted((one["z"] for one in images), reverse=True)


def test_a_committee_has_probabilities_alone():
    committee = Committee([network(784, 6, 10, seed=s) for s in (1, 2)])
    view = view_of(committee)
    reply = view.read("given", image=3, unit={"layer": 0, "number": 0})
    assert reply["layers"] is None
    assert reply["unit"] is None
    np.testing.assert_array_equal(reply["probabilities"], committee.probabilities(mnist()[1].images[3:4])[0])
    with pytest.raises(PasapasError, match="committee"):
        view.excites("given", 0)


def test_a_network_without_hidden_layers_has_none():
    assert view_of(network(784, 10)).read("given", image=3)["layers"] == []


@pytest.mark.parametrize(
    ("threshold", "sure"), [(0.9999, False), (1e-3, True), (7.0, True), ("high", True), (None, True)]
)
def test_below_its_threshold_a_model_is_not_sure(threshold, sure):
    reply = view_of(network(784, 6, 10, about={"threshold": threshold})).read("given", image=3)
    assert reply["sure"] is sure


def test_a_network_that_diverged_answers_with_a_sentence():
    model = network(784, 6, 10)
    model.params[0]["W"][:] = np.nan
    reply = view_of(model).read("given", image=3, unit={"layer": 0, "number": 0})
    assert "diverged" in reply["why"]
    assert reply["predicted"] is None
    assert reply["unit"]["z"] is None


def test_a_picture_in_a_file():
    file = io.BytesIO()
    Image.fromarray(drawing(900)).save(file, "PNG")
    view = DrawView()
    greys = view.open("seven.png", packed_bytes(file.getvalue()))
    assert greys["width"] == 450
    assert view.read(**greys)["predicted"] == 7


@pytest.mark.parametrize("name", ["../../x.png", "x.png"])
def test_what_is_no_picture_is_refused_by_its_name(name):
    with pytest.raises(PasapasError, match=r"^'x\.png' is no picture"):
        DrawView().open(name, packed_bytes(b"no picture"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image": 3, "pixels": "AAAA", "width": 3}, "not both"),
        ({"image": 10_000}, "from 0 to 9,999"),
        ({"image": -1}, "from 0 to 9,999"),
        ({"pixels": "AAAA", "width": 2}, "3 bytes are no rows of 2"),
        ({"pixels": "AAAA"}, "no rows of 0"),
        ({"pixels": "", "width": 5}, "no rows of 5"),
        ({"pixels": packed(np.zeros(641), "u1"), "width": 1}, "641 bytes"),
        ({"pixels": "?", "width": 1}, "not base64"),
        ({"image": 3, "unit": {"layer": 2, "number": 0}}, "no unit 0 in hidden layer 3"),
        ({"image": 3, "unit": {"layer": 1, "number": 500}}, "no unit 500 in hidden layer 2"),
        ({"model": "gone", "image": 3}, "no longer here"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(fields, message):
    with i18n.speaking("en"), pytest.raises(PasapasError, match=message):
        DrawView().read(**fields)


def test_the_page_uses_the_words_that_it_gets():
    scripts = "".join((STATIC / f"draw{part}.js").read_text() for part in ("", "_pad", "_cells", "_unit"))
    about = DrawView().about()
    assert set(re.findall(r"texts\.(\w+)", scripts)) <= set(about["texts"])
    assert set(DrawView().texts()) <= set(re.findall(r"texts\.(\w+)", scripts))
    assert about["images"] == 10_000

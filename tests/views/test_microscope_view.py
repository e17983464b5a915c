"""The view Microscope without a page: what it answers."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from pasapas import PasapasError, i18n, load, mlp, step, trace
from pasapas.models import Model
from pasapas.optimizers import SGD
from pasapas.recipes import recipe
from pasapas.tracing import chain
from pasapas.tracing.capsule import load_capsule, verify
from pasapas.views.bench import Bench
from pasapas.views.microscope import MOST_UPDATES, MicroscopeView
from pasapas.views.modules import bundled, stylesheet


@pytest.fixture
def view():
    return MicroscopeView()


def unpack(text, shape=-1):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def capsule_of(step_, tmp_path):
    path = step_.save(tmp_path / "mine.capsule")
    return {"name": "mine.capsule", "content": base64.b64encode(path.read_bytes()).decode()}


def altered(content, name, index, value):
    """The capsule with another number in it."""
    data = base64.b64decode(content)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    tensors = {key: array.copy() for key, array in from_bytes(data).items()}
    tensors[name][index] = value
    return base64.b64encode(to_bytes(tensors, header["__metadata__"])).decode()


@pytest.fixture
def small(mnist):
    network = mlp(784, 6, 10)
    return trace(network, network.initialize(), mnist[0].images[:2], mnist[0].labels[:2])


# A step


def test_it_begins_with_the_step_of_the_command_explain(view, mnist):
    shown = view.answer("step", {})
    lesson = recipe("lesson-3")
    params = lesson.network().initialize(lesson.make_initializer(), lesson.seed, lesson.dtype)
    expected = trace(lesson.network(), params, mnist[0].images[:5], mnist[0].labels[:5])
    assert shown["losses"] == [expected.loss]
    assert shown["after"] == expected.loss_after
    assert shown["labels"] == [5, 0, 4, 1, 9]
    assert shown["images"] == [0, 1, 2, 3, 4]
    picture = np.frombuffer(base64.b64decode(shown["pictures"][2]), np.uint8)
    np.testing.assert_array_equal(picture, mnist[0].images[2].ravel())
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_large_tensors_come_when_they_are_asked_for(view):
    shown = view.answer("step", {})
    assert "W1" not in shown["arrays"]
    assert {"X", "Z1", "P", "W2", "dW2"} <= set(shown["arrays"])
    sent = view.answer("arrays", {"tensors": ["W1", "b1"]})["arrays"]
    lesson = recipe("lesson-3")
    W1 = lesson.network().initialize(lesson.make_initializer(), lesson.seed, lesson.dtype)[0]["W"]
    np.testing.assert_array_equal(unpack(sent["W1"], (784, 128)), W1.astype(np.float32))
    with pytest.raises(PasapasError, match="no tensor 'W7'"):
        view.answer("arrays", {"tensors": ["W7"]})


def test_two_updates_are_two_steps_of_the_implementation(view, mnist):
    chosen = {"model": "shipped", "images": [3, 70, 59_999], "learning_rate": 0.1}
    before = view.answer("step", chosen)
    view.answer("go", {"updates": 1})
    after = view.answer("go", {"updates": 2})
    model = load()
    X = (mnist[0].images[chosen["images"]].reshape(3, -1) / np.float32(255)).astype(np.float32)
    Y = model.network.loss.targets(mnist[0].labels[chosen["images"]], 10, np.dtype("float32"))
    params, losses = model.params, []
    for _time in range(3):
        params, _state, L, _Z = step(model.network, SGD(), params, {}, X, Y, 0.1)
        losses.append(float(L))
    assert after["losses"] == pytest.approx(losses, rel=1e-6)
    assert after["losses"][0] == before["losses"][0]
    assert after["losses"][1] == before["after"]
    assert view.answer("step", {**chosen, "updates": 2}) == after


def test_updates_are_undone(view):
    at = [view.answer("step", {"model": "small"}), *(view.answer("go", {"updates": n}) for n in (1, 2, 3))]
    assert at[0]["losses"][0] > at[1]["losses"][1] > at[3]["losses"][3]
    assert view.answer("go", {"updates": 1}) == at[1]
    assert view.answer("go", {"updates": 0}) == at[0]
    assert view.answer("go", {"updates": 3}) == at[3]


@pytest.mark.parametrize("convention", ["mean", "per-example"])
def test_the_drawing_has_the_numbers_of_the_step(view, convention, mnist):
    shown = view.answer("step", {"model": "small", "images": [8, 9], "convention": convention})
    network = mlp(784, 12, 10)
    expected = trace(
        network, network.initialize(seed=1, dtype="float64"), mnist[0].images[8:10], mnist[0].labels[8:10], convention=convention
    )  # fmt: skip
    columns = shown["drawing"]["columns"]
    assert [list(column["values"]) for column in columns] == [["X"], ["Z1", "A1", "dA1", "dZ1"], ["Z2", "P", "dZ2"]]
    assert [column["size"] for column in columns] == [784, 12, 10]
    for column in columns[1:]:
        for name, values in column["values"].items():
            np.testing.assert_array_equal(unpack(values, (2, -1)), expected[name].value.astype(np.float32))
    W2 = unpack(shown["drawing"]["links"][1]["dW2"], (12, 10))
    np.testing.assert_array_equal(W2, expected["dW2"].value.astype(np.float32))


def test_of_a_large_layer_the_most_active_units_are_drawn_and_stay(view):
    columns = view.answer("step", {})["drawing"]["columns"]
    A1 = unpack(view.answer("arrays", {"tensors": ["A1"]})["arrays"]["A1"], (5, 128))
    units = columns[1]["units"]
    assert len(units) == 16 == len(set(units))
    assert A1.mean(axis=0)[units].min() >= np.delete(A1.mean(axis=0), units).max()
    later = view.answer("go", {"updates": 5})["drawing"]["columns"]
    assert later[1]["units"] == units
    assert later[1]["values"] != columns[1]["values"]


def test_an_entry_is_accounted_for(view):
    view.answer("step", {"model": "small"})
    told = view.answer("entry", {"tensor": "dW2", "index": [3, 1]})
    assert [region["text"] for region in told["regions"]] == ["A1[:, 3]", "dZ2[:, 1]"]
    with pytest.raises(PasapasError, match="no entry"):
        view.answer("entry", {"tensor": "dW2", "index": [12, 1]})


def test_a_model_of_the_readers_own_can_be_looked_into(mnist):
    network = mlp(784, 5, 10, activation="tanh", dropout=0.5)
    view = MicroscopeView(Bench(Model(network, network.initialize())))
    shown = view.answer("step", {"model": "given"})
    assert shown["about"]["tensors"]["A1"]["formula"] == "tanh(Z1)"
    assert "D1" not in shown["about"]["tensors"]  # a model has no masks
    assert view.answer("chain", {})["factors"][2]["name"] == "∂A1/∂Z1"


# What is refused


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"images": []}, "1 to 8 training images"),
        ({"images": list(range(9))}, "1 to 8 training images"),
        ({"images": [60_000]}, "1 to 8 training images"),
        ({"images": [-1]}, "1 to 8 training images"),
        ({"learning_rate": 0}, "between 0.000001 and 10"),
        ({"learning_rate": float("nan")}, "between 0.000001 and 10"),
        ({"learning_rate": 11}, "between 0.000001 and 10"),
        ({"convention": "median"}, "Unknown convention"),
        ({"model": "opened-9"}, "no longer here"),
        ({"model": "capsule"}, "No capsule is open"),
        ({"updates": MOST_UPDATES + 1}, "0 to 200 updates"),
        ({"updates": -1}, "0 to 200 updates"),
        ({"learning_rate": 10, "model": "shipped", "updates": 200}, "beyond all bounds"),
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_refused_and_changes_nothing(view, fields, sentence):
    before = view.answer("step", {"model": "small"})
    with pytest.raises(PasapasError, match=sentence):
        view.answer("step", fields)
    assert view.answer("go", {"updates": 0}) == before


# The chain rule


def number(text):
    return float(text.replace("−", "-"))


@pytest.mark.parametrize("convention", ["mean", "per-example"])
@pytest.mark.parametrize("model", ["small", "shipped"])
def test_the_chain_of_one_weight_leads_from_the_loss_to_its_gradient(view, model, convention):
    view.answer("step", {"model": model, "images": [3, 7, 11], "convention": convention})
    found = view.answer("chain", {"layer": 1, "i": 350, "j": 2})
    layers = len(found["layers"])
    names = [one["name"].partition("[")[0] for one in found["sums"]]
    assert names[0] == f"dZ{layers}"
    assert names[1:] == [f"d{kind}{k}" for k in range(layers - 1, 0, -1) for kind in "AZ"] + ["dW1"]
    for total in found["sums"]:
        for term in total["terms"]:
            product = np.prod([number(factor["value"]) for factor in term["factors"]])
            assert number(term["product"]) == pytest.approx(product, rel=2e-3, abs=1e-12)
        if not total["more"]:
            whole = sum(number(term["product"]) for term in total["terms"])
            scale = max(abs(number(term["product"])) for term in total["terms"])
            assert whole == pytest.approx(number(total["value"]), rel=2e-3, abs=1e-3 * scale)
    assert np.prod([number(one["value"]) for one in found["factors"]]) == pytest.approx(
        number(found["product"]), rel=2e-3
    )
    assert found["factors"][-1]["name"] == ("1/m" if convention == "per-example" else f"X[{found['image']},350]")


def test_all_paths_together_give_the_gradient(view, mnist):
    """The path that is shown is one of those whose sum is the gradient: worked out here without the chain's own sums."""
    view.answer("step", {"model": "small", "images": [3, 7]})
    i, j = 407, 4
    found = view.answer("chain", {"i": i, "j": j, "image": 1})
    network = mlp(784, 12, 10)
    s = trace(network, network.initialize(seed=1, dtype="float64"), mnist[0].images[[3, 7]], mnist[0].labels[[3, 7]])
    paths = s["dZ2"].value * s["W2"].value[j] * (s["Z1"].value[:, [j]] > 0) * s["X"].value[:, [i]]  # (m, 10)
    assert paths.sum() == pytest.approx(s["dW1"].value[i, j])
    assert np.min(np.abs(paths[1] - number(found["product"]))) <= 1e-3 * abs(number(found["product"]))
    assert f"One of {paths.size} paths" in found["paths"]


def test_without_places_it_is_the_weight_with_the_largest_gradient(view):
    view.answer("step", {})
    found = view.answer("chain", {"layer": 2})
    dW2 = unpack(view.answer("arrays", {"tensors": ["dW2"]})["arrays"]["dW2"], (128, 10))
    assert (found["i"], found["j"]) == np.unravel_index(np.argmax(np.abs(dW2)), dW2.shape)
    assert [one["name"].partition("[")[0] for one in found["factors"]] == ["dZ2", "A1"]
    assert "by finite differences" in found["check"]
    assert found["update"].startswith(f"The update: W2_new[{found['i']},{found['j']}] = ")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"layer": 3}, "no tensor 'dW3'"),
        ({"layer": 1, "i": 784, "j": 0}, "There is no input 784"),
        ({"layer": 1, "i": 0, "j": 12}, "There is no unit 12"),
        ({"image": 2}, "no image 2 in this batch of 2"),
    ],
    ids=str,
)
def test_a_weight_that_is_not_there(view, fields, sentence):
    view.answer("step", {"model": "small", "images": [3, 7]})
    with pytest.raises(PasapasError, match=sentence):
        view.answer("chain", fields)


# Capsules


def test_a_capsule_comes_back_as_it_was_saved(view, tmp_path):
    view.answer("step", {"model": "small", "images": [5, 6], "learning_rate": 0.3})
    shown = view.answer("go", {"updates": 2})
    saved = view.answer("save", {})
    path = tmp_path / saved["name"]
    path.write_bytes(base64.b64decode(saved["content"]))
    assert verify(path) == []
    assert load_capsule(path).loss == shown["losses"][-1]
    opened = MicroscopeView().answer("open", saved)
    assert opened["verdict"] == "step-2.capsule: every number is what the step gives."
    assert opened["altered"] == []
    assert (opened["model"], opened["images"], opened["labels"]) == ("capsule", None, shown["labels"])
    assert opened["losses"] == [shown["losses"][-1]]
    assert opened["after"] == shown["after"]


def test_after_a_capsule_its_network_stays_to_be_chosen(view, small, tmp_path):
    opened = view.answer("open", capsule_of(small, tmp_path))
    assert opened["presets"][-1] == {
        "key": "capsule",
        "label": "mine.capsule",
        "architecture": "784-6-10",
        "single": True,
    }
    assert view.answer("step", {"model": "capsule", "images": [9]})["labels"] == [4]
    assert view.answer("step", {"model": "capsule"})["losses"] == opened["losses"]
    assert view.answer("step", {"model": "capsule", "learning_rate": 0.02})["after"] < opened["after"]


def test_an_altered_capsule_is_shown_with_what_was_altered(view, small, tmp_path):
    given = capsule_of(small, tmp_path)
    given["content"] = altered(given["content"], "dZ2", (1, 3), 7.0)
    opened = view.answer("open", given)
    assert opened["verdict"] == "mine.capsule: 1 number is not what the step gives."
    assert opened["altered"][0].startswith("dZ2[1, 3] is 7, but the step gives ")
    assert view.answer("entry", {"tensor": "dZ2", "index": [1, 3]})["value"] == "7"


def test_a_capsule_that_nobody_could_look_at_is_refused(view, small, random, tmp_path):
    before = view.answer("step", {})
    given = capsule_of(small, tmp_path)
    given["content"] = altered(given["content"], "A1", (0, 0), 1e38)
    with pytest.raises(PasapasError, match="cannot be shown"):
        view.answer("open", given)
    network = mlp(2, 3)
    many = trace(network, network.initialize(), random.random((1001, 2)), random.integers(0, 3, 1001))
    given = capsule_of(many, tmp_path)
    with pytest.raises(PasapasError, match="1,000 images at most"):
        view.answer("open", given)
    assert view.answer("go", {"updates": 0}) == before


@pytest.mark.parametrize(
    "content", ["", "AAAA", base64.b64encode(b"no capsule at all").decode(), base64.b64encode(to_bytes({"X": np.zeros(3)})).decode()]
)  # fmt: skip
def test_what_is_no_capsule_is_refused(view, content):
    before = view.answer("step", {})
    with pytest.raises(PasapasError, match=r"no capsule|Cannot read|damaged") as refusal:
        view.answer("open", {"name": "../x.capsule", "content": content})
    assert "/tmp" not in str(refusal.value)
    assert view.answer("go", {"updates": 0}) == before


def test_a_capsule_of_something_else_than_digits(view, random, tmp_path):
    network = mlp(5, 4, 3)
    other = trace(network, network.initialize(), random.random((4, 5)), random.integers(0, 3, 4))
    opened = view.answer("open", capsule_of(other, tmp_path))
    assert opened["pictures"] == []
    assert [column["size"] for column in opened["drawing"]["columns"]] == [5, 4, 3]
    assert view.answer("go", {"updates": 1})["losses"][1] == opened["after"]
    with pytest.raises(PasapasError, match="takes 5 numbers"):
        view.answer("step", {"model": "capsule", "images": [0]})


def test_a_capsule_keeps_its_masks(view, mnist, random, tmp_path):
    network = mlp(784, 6, 10, dropout=0.5, l2=0.01)
    params = network.with_masks(network.initialize(), 2, random)
    kept = trace(network, params, mnist[0].images[:2], mnist[0].labels[:2])
    opened = view.answer("open", capsule_of(kept, tmp_path))
    assert list(opened["drawing"]["columns"][1]["values"]) == ["Z1", "A1", "D1", "dD1", "dA1", "dZ1"]
    found = view.answer("chain", {})
    expected = chain.weight(kept, 1, found["i"], found["j"])
    assert number(found["gradient"]["value"]) == pytest.approx(expected.value, rel=1e-3)
    assert "penalty" in found["paths"]
    assert any(factor["name"].startswith("M1[") for factor in found["factors"])
    assert view.answer("step", {"model": "capsule", "images": [1, 2, 3]})["labels"] == [0, 4, 1]


# In both languages, and in notebooks


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_words(view, language):
    with i18n.speaking(language):
        about = view.about()
        assert about["language"] == language
        assert json.loads(json.dumps(about)) == about
        assert view.answer("step", {})["about"]["language"] == language


def test_a_notebook_gets_scripts_and_styles_in_one():
    assert '"./' not in bundled("microscope.js").replace('import("./', "").replace('URL("./step.css"', "")
    assert ".pasapas-step" in stylesheet("microscope.css")
    assert stylesheet("microscope.css").index("--paper") < stylesheet("microscope.css").index(".microscope .desk")
    assert ".pasapas-step" not in stylesheet("draw.css")

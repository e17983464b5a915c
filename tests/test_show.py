"""`pasapas show`: the pictures, the numbers behind them, and a sentence for what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pasapas import i18n, load, mlp
from pasapas.cli.show import PICTURES
from pasapas.models import Model
from pasapas.studies.units import first_weights

NAMES = ["loss", "descent", "valley", "surface", "gradients", "history", "digit", "unit", "deformations"]
ENGLISH = {"the", "is", "with", "of", "and"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run folder with a small model."""
    from pasapas.cli import main

    folder = tmp_path_factory.mktemp("show") / "run"
    arguments = ["train", "--quiet", "--no-figures", "--hidden", "12", "--epochs", "3", "--train-images", "2000"]
    assert main([*arguments, "--batch-size", "50", "--threads", "1", "--output", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_pictures_are_listed(run, language):
    listing = run("show", "--lang", language)
    assert listing.status == 0
    assert list(PICTURES) == NAMES
    assert [line.split()[0] for line in listing.out.splitlines() if line.split() and line.split()[0] in NAMES] == NAMES
    assert list(json.loads(run("show", "--json").out)) == NAMES


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("name", ["loss", "descent", "valley", "gradients"])
def test_pictures_without_a_model(run, tmp_path, name, language):
    ran = run("show", name, "--lang", language)
    assert ran.status == 0
    assert ran.err == ""
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len(ran.out.split()) > 30
    assert f"{name}.png" in ran.out.splitlines()[-1]
    assert bool(ENGLISH & set(ran.out.lower().split())) == (language == "en")


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("options", [("surface",), ("history",), ("digit", "--index", 3), ("unit", "--unit", 5)])
def test_pictures_of_a_model(run, tmp_path, trained, options, language):
    ran = run("show", *options, "--model", trained, "--figure", "picture.svg", "--lang", language)
    assert ran.status == 0
    assert (tmp_path / "picture.svg").read_text().startswith("<?xml")
    assert "picture.svg" in ran.out.splitlines()[-1]
    assert len(ran.out.split()) > 20
    assert bool(ENGLISH & set(ran.out.lower().split())) == (language == "en")


def numbers(run, *arguments):
    ran = run("show", *arguments, "--json")
    assert ran.status == 0
    return json.loads(ran.out.splitlines()[-1])


def test_numbers_of_the_small_worlds(run, tmp_path):
    scenarios = numbers(run, "loss")["scenarios"]
    for scenario in scenarios:
        assert scenario["loss"] == pytest.approx(-np.log(scenario["p"]))
    descents = numbers(run, "descent", "--learning-rate", "0.5,1.05")["descents"]
    assert [d["regime"] for d in descents] == ["exact", "diverging"]
    assert descents[0]["x"] == [2.5] + [0] * 15
    assert descents[1]["factor"] == pytest.approx(-1.1)
    valley = numbers(run, "valley")
    assert [d["momentum"] for d in valley["descents"]] == [0, 0.7]
    assert valley["descents"][0]["points"][0] == [-10, 1.5]
    networks = numbers(run, "gradients")["networks"]
    assert [n["name"] for n in networks] == ["vanishing", "healthy", "exploding"]
    assert np.shape(networks[0]["dZ"]) == (60, 7)
    assert not list(tmp_path.iterdir())  # numbers alone draw nothing


def test_rates_with_decimal_commas(run):
    descents = numbers(run, "descent", "--learning-rate", "0,1;0,25")["descents"]
    assert [d["learning_rate"] for d in descents] == [0.1, 0.25]


def test_numbers_and_picture_at_once(run, tmp_path):
    assert numbers(run, "loss", "--figure", "mine.svg")["figure"] == "mine.svg"
    assert (tmp_path / "mine.svg").read_bytes().startswith(b"<?xml")


def test_surface_of_a_run_with_its_path(run, trained, mnist):
    found = numbers(run, "surface", "--model", trained)
    assert found["model"] == str(trained)
    loss = np.array(found["random"]["loss"])
    assert loss.shape == (21, 21)
    assert loss[10, 10] == found["loss"]
    chosen = np.random.default_rng(0).permutation(2000)[:1000]
    expected = load(trained).evaluate(mnist[0].images[chosen], mnist[0].labels[chosen])[0]
    assert found["loss"] == expected
    assert found["path"]["steps"][0] == 0
    assert found["path"]["steps"][-1] == 3 * 40
    assert len(found["path"]["coordinates"]) == len(found["path"]["steps"])
    np.testing.assert_allclose(found["path"]["coordinates"][-1], 0, atol=1e-4)
    assert 0.5 < sum(found["path"]["explained"]) <= 1


def test_surface_of_a_model_without_a_recipe(run, tmp_path):
    network = mlp(784, 5, 10)
    Model(network, network.initialize()).save(tmp_path / "bare.safetensors")
    ran = run("show", "surface", "--model", "bare.safetensors", "--figure", "bare.svg")
    assert "path of its training is not drawn" in ran.out.replace("\n", " ")


def test_surface_of_a_model_that_its_recipe_does_not_give(run, tmp_path, trained):
    model = load(trained)
    other = [{"W": p["W"] * 2, "b": p["b"]} if p else {} for p in model.params]
    Model(model.network, other, model.about).save(tmp_path / "other.safetensors")
    assert numbers(run, "surface", "--model", "other.safetensors")["path"] is None


def test_surface_without_any_model_trains_lesson_3(run, tmp_path):
    found = numbers(run, "surface")
    assert found["model"] is None
    assert found["path"]["steps"][-1] == 5 * 78
    assert found["loss"] == pytest.approx(0.2493, abs=5e-4)
    assert not (tmp_path / "runs").exists()


def test_digit_and_unit_and_history(run, trained):
    digit = numbers(run, "digit", "--model", trained, "--index", 0)
    assert digit["true"] == 7
    assert digit["predicted"] == int(np.argmax(digit["probabilities"]))
    unit = numbers(run, "unit", "--model", trained, "--unit", 11)
    assert unit["unit"] == 11
    assert unit["most"][0]["sum"] >= unit["most"][-1]["sum"] > unit["least"][-1]["sum"] >= unit["least"][0]["sum"]
    np.testing.assert_allclose(unit["weights"], first_weights(load(trained))[:, 11], rtol=1e-6)
    strongest = int(np.argmax(np.linalg.norm(first_weights(load(trained)), axis=0)))
    assert numbers(run, "unit", "--model", trained)["unit"] == strongest
    history = numbers(run, "history", "--model", trained / "model.safetensors")
    assert history["epochs"] == json.loads((trained / "history.json").read_text())["epochs"]


TABLE = [
    ("show los", "'loss'"),
    ("show surfaces", "'surface'"),
    ("show nothing-like-it", "nothing-like-it"),
    ("show loss extra", "extra"),
    ("show --index 3", "--index"),
    ("show loss --index 3", "--index"),
    ("show loss --model run", "--model"),
    ("show valley --learning-rate 0.1", "--learning-rate"),
    ("show descent --learning-rate nan", "nan"),
    ("show descent --learning-rate inf", "inf"),
    ("show descent --learning-rate 0", "'0'"),
    ("show descent --learning-rate -0.1", "-0.1"),
    ("show descent --learning-rate 0.1,,0.2", "0.1,,0.2"),
    ("show descent --learning-rate much", "much"),
    ("show descent --learning-rate 0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1", "--learning-rate"),
    ("show descent --learning-rate 1e400", "1e400"),
    ("show surface --model nowhere", "nowhere"),
    ("show surface --model hundred.safetensors", "100"),
    ("show surface --model three.safetensors", "2"),
    ("show surface --model text.safetensors", "text.safetensors"),
    ("show history", "runs"),
    ("show history --model nowhere", "nowhere"),
    ("show history --model three.safetensors", "checkpoint.safetensors"),
    ("show history --model shipped", "checkpoint.safetensors"),
    ("show digit --model hundred.safetensors --index 1", "100"),
    ("show digit --index 10000", "10000"),
    ("show digit --index x", "'x'"),
    ("show unit --model three.safetensors --unit 4", "'4'"),
    ("show unit --model three.safetensors --unit -1", "'-1'"),
    ("show unit --model three.safetensors --unit one", "one"),
    ("show unit --model hundred.safetensors", "100"),
    ("show loss --figure loss.gif", "loss.gif"),
    ("show loss --figure nowhere/loss.png", "nowhere"),
    ("show loss --figure folder.png", "folder.png"),
]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(("command", "names"), TABLE, ids=[command for command, _ in TABLE])
def test_one_sentence(command, names, language, refuses, tmp_path):
    three, hundred = mlp(784, 4, 3), mlp(100, 10)
    Model(three, three.initialize()).save(tmp_path / "three.safetensors")
    Model(hundred, hundred.initialize()).save(tmp_path / "hundred.safetensors")
    (tmp_path / "text.safetensors").write_text("no model at all")
    (tmp_path / "folder.png").mkdir()
    refuses(command, names, language)

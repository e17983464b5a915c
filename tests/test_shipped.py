"""The model that ships: it is as good as it says, and it is taken where there is no run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pasapas
from pasapas import Recipe, i18n, metrics
from pasapas.i18n import percent
from pasapas.models import SHIPPED, Model

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def model():
    return pasapas.load()


def test_it_is_what_it_says(model):
    assert isinstance(model, Model)
    assert SHIPPED.stat().st_size <= 4_000_000
    recipe = Recipe(**model.about["recipe"])
    assert recipe == pasapas.recipe("laptop").replace(seed=0, validation_images=5000)
    assert model.architecture == "784-720-500-10"
    assert model.about["epochs"] == recipe.epochs
    assert (SHIPPED.parents[1] / "__init__.py").exists()  # so that a wheel of the package holds it


def test_it_is_as_good_as_it_says(model, mnist):
    training, test = mnist
    for name, data in (("test", test), ("validation", training.split(5000)[1])):
        said = model.about[name]
        loss, accuracy = model.evaluate(data.images, data.labels)
        P = model.probabilities(data.images)
        assert said["accuracy"] >= 0.993
        assert accuracy == pytest.approx(said["accuracy"], abs=3e-4)  # an image near a tie may fall otherwise elsewhere
        assert loss == pytest.approx(said["loss"], abs=1e-5)
        assert metrics.calibration(P, data.labels).error == pytest.approx(said["calibration_error"], abs=1e-3)
        if name == "test":
            found = metrics.abstention(P, data.labels, [one["threshold"] for one in model.about["abstention"]])
            np.testing.assert_allclose(
                found.coverage, [one["coverage"] for one in model.about["abstention"]], atol=1e-3
            )
            assert found.accuracy[found.thresholds == model.about["threshold"]] >= 0.999
        else:
            assert metrics.threshold_for(P, data.labels, 0.001) == pytest.approx(model.about["threshold"], abs=2e-4)


def test_its_temperature_suits_the_validation_images(model, mnist):
    validation = mnist[0].split(5000)[1]
    assert model.about["temperature"] != 1
    left = metrics.temperature(model.log_probabilities(validation.images), validation.labels)
    assert left == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("name", "language"), [("model.md", "en"), ("model.fr.md", "fr")])
def test_the_documents_show_its_figures(model, name, language):
    i18n.activate(language)
    text = (DOCS / name).read_text(encoding="utf-8")
    about = model.about
    shown = [percent(about[part][key]) for part in ("test", "validation") for key in ("accuracy", "calibration_error")]
    shown += [percent(about["threshold"]), percent(about["turned"], 1)]
    shown += [percent(share, 1) for shares in about["robustness"].values() for share in shares]
    assert len(shown) > 20
    for figure in shown:
        assert f" {figure}" in text
    for command in about["commands"]:
        assert command in text


def test_without_a_run_commands_take_it_and_say_so(run, tmp_path):
    for command in (("predict", "--index", 0), ("evaluate",), ("show", "digit", "--index", 0), ("show", "unit")):
        ran = run(*command)
        assert ran.status == 0, ran.err
        assert "the one that ships with pasapas" in ran.out
        found = json.loads(run(*command, "--json").out)
        assert (found["model"], found["shipped"]) == (str(SHIPPED), True)
    assert "celui qui est livré avec pasapas" in run("predict", "--lang", "fr").out
    assert not (tmp_path / "runs").exists()


def test_the_newest_run_comes_first_and_shipped_names_it_all_the_same(run, tmp_path):
    network = pasapas.mlp(784, 5, 10)
    small = Model(network, network.initialize(seed=1))
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    small.save(folder / "model.safetensors")
    found = json.loads(run("predict", "--json").out)
    assert (found["model"], found["shipped"]) == ("runs/mine/model.safetensors", False)
    assert "runs/mine/model.safetensors, the newest run" in run("predict").out
    for command in (("predict", "shipped"), ("evaluate", "shipped"), ("show", "unit", "--model", "shipped")):
        assert json.loads(run(*command, "--json").out)["shipped"] is True
    assert run("explain", "shipped", "--batch-size", 2, "--json").status == 0
    assert "Did you mean 'shipped'?" in run("evaluate", "shiped").err


def test_a_file_or_folder_of_that_name_comes_first(run, tmp_path, mnist):
    (tmp_path / "shipped").mkdir()
    assert "shipped" in run("evaluate", "shipped").err
    shutil.copy(SHIPPED, tmp_path / "shipped" / "model.safetensors")
    assert json.loads(run("predict", "shipped", "--json").out)["shipped"] is False
    shutil.rmtree(tmp_path / "shipped")
    Image.fromarray(mnist[1].images[0]).save(tmp_path / "shipped", format="PNG")
    (prediction,) = json.loads(run("predict", "shipped", "--json").out)["predictions"]
    assert (prediction["image"], prediction["true"]) == ("shipped", None)

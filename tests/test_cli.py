from __future__ import annotations

import gettext
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pasapas import i18n, load
from pasapas.recipes import FIELDS, recipe

QUICK = ("--train-images", 1000, "--test-images", 300, "--hidden", 8, "--epochs", 2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run folder with a small model that knows its digits."""
    from pasapas.cli import main

    folder = tmp_path_factory.mktemp("run") / "run"
    arguments = ["train", "--quiet", "--no-figures", "--hidden", "32", "--epochs", "2", "--train-images", "20000"]
    assert main([*arguments, "--optimizer", "nesterov", "--output", str(folder)]) == 0
    return folder


def test_train_writes_a_run_and_says_what_to_do_next(run, tmp_path):
    ran = run("train", *QUICK)
    assert ran.status == 0
    (folder,) = (tmp_path / "runs").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "model.safetensors", "checkpoint.safetensors", "recipe.toml", "history.json", "run.json",
        "history.png", "confusion.png", "mistakes.png", "first-layer.png",
    }  # fmt: skip
    assert folder.name.endswith("-default")
    assert "Training 784-8-10 (relu) on 1,000 images of MNIST, 2 epochs, seed 0." in ran.out
    assert re.search(r"Epoch 2/2 · loss \d\.\d{4} · accuracy \d\d\.\d\d% · \d+\.\d s", ran.out)
    assert re.search(r"Test accuracy \d\d\.\d\d% on 300 images", ran.out)
    for next_step in ("pasapas evaluate", "pasapas predict", folder.name):
        assert next_step in ran.out
    assert ran.err == ""


def test_train_in_french(run):
    ran = run("train", *QUICK, "--lang", "fr", "--no-figures")
    assert "sur 1\u202f000 images de MNIST, 2 époques, graine 0." in ran.out
    assert re.search(r"Époque 2/2 · perte \d,\d{4} · exactitude \d\d,\d\d\u202f%", ran.out)


def test_train_json_is_one_object_last(run, tmp_path):
    ran = run("train", *QUICK, "--json", "--no-figures", "--validation-images", 200, "--output", "mine")
    result = json.loads(ran.out)
    assert set(result) == {"model", "run", "epochs", "test", "stopped", "seconds"}
    assert result["model"] == "mine/model.safetensors"
    assert Path(result["model"]).exists()
    assert [epoch["epoch"] for epoch in result["epochs"]] == [1, 2]
    for epoch in result["epochs"]:
        assert 0 < epoch["accuracy"] < 1
        assert 0 < epoch["validation_accuracy"] < 1
        assert epoch["validation_loss"] > 0
        assert epoch["test_accuracy"] is None
    assert 0 < result["test"]["accuracy"] < 1
    assert result["seconds"] > 0
    assert json.loads((tmp_path / "mine" / "history.json").read_text()) == result


def test_lesson_3_from_the_command_line(run):
    result = json.loads(run("train", "--recipe", "lesson-3", "--json", "--no-figures").out)
    assert [f"{e['loss']:.4f}" for e in result["epochs"]] == ["0.9653", "0.4375", "0.3580", "0.3180", "0.2909"]
    assert result["epochs"][-1]["accuracy"] == 0.9225
    assert result["test"]["accuracy"] == result["epochs"][-1]["test_accuracy"] == 0.894


def test_quiet_prints_nothing(run):
    ran = run("train", *QUICK, "--quiet", "--no-figures")
    assert (ran.out, ran.err) == ("", "")


def test_every_field_of_a_recipe_is_an_option(run, tmp_path):
    """Each option reaches the recipe that the run keeps."""
    values = {
        "train_images": 900, "validation_images": 100, "test_images": 100, "hidden": "9,8", "activation": "tanh",
        "dropout": 0.1, "input_dropout": 0.2, "initializer": "normal", "sigma": 0.2, "generator": "legacy", "epochs": 2,
        "batch_size": 50, "shuffle": False, "drop_last": True, "label_smoothing": 0.1, "l2": 0.001, "seed": 7,
        "dtype": "float64", "optimizer": "adam", "learning_rate": 0.01, "momentum": 0.8, "beta1": 0.8, "beta2": 0.9,
        "epsilon": 1e-7, "schedule": "step", "warmup_epochs": 0.5, "step_every": 1, "step_factor": 0.9,
        "training_accuracy": "after", "test_accuracy": "each-epoch", "stop_accuracy": 0.9, "monitor": "validation_accuracy",
        "patience": 3, "keep": "best", "input_mean": 0.1, "input_std": 0.3, "rotation": 5.0, "scaling": 0.1, "shear": 0.2,
        "translation": 1.0, "elastic": 20.0, "elastic_sigma": 5.0, "sampling": "cubic", "deform_until": 0.5, "deform_final": 0.2,
        "output_scale": 0.5, "engine": "jax", "products": "full", "averaging": 0.9, "adversarial": 0.5,
    }  # fmt: skip
    assert set(values) == set(FIELDS)
    options = []
    for name, value in values.items():
        dashed = name.replace("_", "-")
        options += [f"--{'' if value else 'no-'}{dashed}"] if isinstance(value, bool) else [f"--{dashed}", value]
    assert run("train", *options, "--no-figures", "--output", "mine").status == 0
    kept = json.loads(run("recipes", "mine/recipe.toml", "--json").out)
    assert kept == {**values, "hidden": [9, 8]}


def test_a_recipe_of_ones_own(run, tmp_path):
    ran = run("recipes", "lesson-3", "--toml")
    (tmp_path / "mine.toml").write_text(ran.out.replace("epochs = 5", "epochs = 1"))
    result = json.loads(run("train", "--recipe", "mine.toml", "--json", "--no-figures").out)
    assert [f"{e['loss']:.4f}" for e in result["epochs"]] == ["0.9653"]
    assert "mine" in result["run"]


def test_recipes_are_listed_and_explained(run):
    listing = run("recipes").out
    for name in ("default", "thorough", "lesson-3", "tanh-132"):
        assert name in listing
    explained = run("recipes", "tanh-132").out
    for field in FIELDS:
        assert field in explained
    assert "0.3" in explained
    assert set(json.loads(run("recipes", "--json").out)) >= {"default", "thorough", "lesson-3", "tanh-132"}


def test_same_seed_and_threads_same_bytes(run, tmp_path):
    for name in ("a", "b"):
        run("train", *QUICK, "--threads", 1, "--no-figures", "--output", name, "--dropout", 0.2)
    a, b = ((tmp_path / name / "model.safetensors").read_bytes() for name in "ab")
    assert a == b


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pasapas", "train", *map(str, arguments), "--no-figures", "--output", str(folder)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PASAPAS_LANG": "en"},
    )


LONG = ("--train-images", 6000, "--hidden", 64, "--epochs", 12, "--optimizer", "adam", "--learning-rate", 0.001,
        "--dropout", 0.2, "--schedule", "cosine", "--threads", 1)  # fmt: skip


def wait_for_checkpoint(folder: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if (folder / "checkpoint.safetensors").exists():
            return
        assert process.poll() is None
        time.sleep(0.05)
    raise AssertionError("no checkpoint after 30 s")


def test_a_killed_run_resumes_to_the_same_bits(run, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run("train", *LONG, "--no-figures", "--output", whole).status == 0
    process = start(killed, *LONG)
    wait_for_checkpoint(killed, process)
    process.kill()
    process.communicate()
    assert not (killed / "model.safetensors").exists()
    resumed = run("train", "--resume", killed, "--no-figures")  # on as many threads as it began with
    assert resumed.status == 0
    assert re.search(r"Going on after epoch \d+\.", resumed.out)
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    histories = [json.loads((folder / "history.json").read_text())["epochs"] for folder in (whole, killed)]
    for epoch in (epoch for history in histories for epoch in history):
        epoch.pop("seconds")
    assert histories[0] == histories[1]


def test_ctrl_c_saves_the_model_and_can_be_resumed(run, tmp_path):
    folder = tmp_path / "stopped"
    process = start(folder, *LONG, "--epochs", 1000)
    wait_for_checkpoint(folder, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "what was learned so far is saved" in output
    assert f"pasapas train --resume {folder}" in output
    assert load(folder).network.sizes == [784, 64, 10]
    assert json.loads((folder / "history.json").read_text())["stopped"] == "interrupted"


def test_a_finished_run_can_be_given_more_epochs_where_that_changes_nothing(run, tmp_path):
    constant = ("--train-images", 1000, "--test-images", 300, "--hidden", 8, "--schedule", "constant", "--no-figures")
    run("train", *constant, "--epochs", 2, "--output", "a")
    run("train", *constant, "--epochs", 4, "--output", "b")
    more = json.loads(run("train", "--resume", "a", "--epochs", 4, "--no-figures", "--json").out)
    assert [epoch["epoch"] for epoch in more["epochs"]] == [1, 2, 3, 4]
    assert (tmp_path / "a" / "recipe.toml").read_text() == (tmp_path / "b" / "recipe.toml").read_text()
    arrays = [load(tmp_path / name).params for name in "ab"]
    assert all(np.array_equal(p[k], q[k]) for p, q in zip(*arrays, strict=True) for k in p)
    again = run("train", "--resume", "a", "--no-figures")
    assert again.status == 0


def test_a_finished_run_with_a_schedule_cannot(run):
    run("train", *QUICK, "--no-figures", "--output", "a")
    ran = run("train", "--resume", "a", "--epochs", 4, "--no-figures")
    assert ran.status == 2
    assert "has epochs = 2, not 4" in ran.err


def test_evaluate(run, trained):
    ran = run("evaluate", trained)
    assert ran.status == 0
    result = json.loads(run("evaluate", trained, "--json").out)
    test_accuracy = json.loads((trained / "history.json").read_text())["test"]["accuracy"]
    assert result["accuracy"] == test_accuracy > 0.9
    confusion = np.array(result["confusion"])
    assert confusion.sum() == result["images"] == 10_000
    assert np.trace(confusion) == round(test_accuracy * 10_000)
    assert [c["images"] for c in result["classes"]] == confusion.sum(axis=1).tolist()
    assert result["classes"][3]["recall"] == pytest.approx(confusion[3, 3] / confusion[3].sum())
    assert result["classes"][3]["precision"] == pytest.approx(confusion[3, 3] / confusion[:, 3].sum())
    assert sum(b["images"] for b in result["calibration"]["bins"]) == 10_000
    assert f"{test_accuracy:.2%}" in ran.out
    assert "Expected calibration error" in ran.out


def test_evaluate_takes_the_newest_run_and_draws(run, tmp_path):
    run("train", *QUICK, "--no-figures")
    assert "the newest run" in run("evaluate").out
    result = json.loads(run("evaluate", "--json", "--figures", "pictures").out)
    assert result["model"].startswith("runs/")
    assert len(result["figures"]) == 4
    assert all(Path(path).exists() for path in result["figures"])


def test_evaluate_a_pickled_dictionary(run, tmp_path, random):
    params = {"W1": random.normal(0, 0.3, (132, 784)), "b1": np.zeros((132, 1)), "W2": random.normal(0, 0.3, (10, 132)),
              "b2": np.zeros((10, 1))}  # fmt: skip
    (tmp_path / "model_mnist.pkl").write_bytes(pickle.dumps(params))
    ran = run("evaluate", "model_mnist.pkl")
    assert ran.status == 0
    assert "taken as tanh" in ran.out
    other = run("evaluate", "model_mnist.pkl", "--activation", "relu", "--json")
    assert json.loads(other.out)["accuracy"] != json.loads(run("evaluate", "model_mnist.pkl", "--json").out)["accuracy"]


def test_predict_a_test_image(run, trained, tmp_path):
    ran = run("predict", trained, "--index", 0)
    assert ran.status == 0
    assert "true 7, predicted 7" in ran.out
    assert (tmp_path / "prediction.png").read_bytes().startswith(b"\x89PNG")
    assert len([line for line in ran.out.splitlines() if "@" in line or "#" in line]) > 5
    result = json.loads(run("predict", trained, "--index", 0, "--json").out)
    (prediction,) = result["predictions"]
    assert (prediction["true"], prediction["predicted"]) == (7, 7)
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_predict_abstains_below_a_confidence(run, trained):
    (one,) = json.loads(run("predict", trained, "--index", 8, "--json").out)["predictions"]
    p = max(one["probabilities"])
    assert one["sure"] is True
    for threshold, sure in ((p - 1e-6, True), (p, True), (p + 1e-6, False), (0, True)):
        arguments = ("predict", trained, "--index", 8, "--no-figure", "--unsure-below", repr(threshold))
        (again,) = json.loads(run(*arguments, "--json").out)["predictions"]
        assert again == {**one, "sure": sure}
        out = run(*arguments).out
        assert ("not sure, most likely" in out) != sure
        assert (f"predicted {one['predicted']} " in out) == sure


def test_predict_a_random_image_with_the_newest_run(run):
    run("train", *QUICK, "--no-figures")
    ran = run("predict", "--figure", "answer.svg")
    assert "the newest run" in ran.out
    assert Path("answer.svg").exists()


def test_predict_pictures(run, trained, tmp_path, mnist):
    for i, name in [(0, "seven.png"), (1, "two.jpg")]:
        image = Image.fromarray(255 - mnist[1].images[i]).resize((280, 280))
        canvas = Image.new("L", (500, 400), 255)
        canvas.paste(image, (150, 30))
        canvas.save(name)
    ran = run("predict", trained, "seven.png", "two.jpg", "--show")
    assert ran.status == 0
    assert "seven.png: predicted 7" in ran.out
    assert "two.jpg: predicted 2" in ran.out
    assert {path.name for path in tmp_path.glob("*prepared*")} == {
        "prediction-prepared-1.png",
        "prediction-prepared-2.png",
    }


def test_brackets_in_names_are_no_markup(run, trained, mnist):
    Image.fromarray(mnist[1].images[0]).save("seven[bold]:tada:.png")
    assert "seven[bold]:tada:.png: predicted 7" in run("predict", trained, "seven[bold]:tada:.png", "--no-figure").out
    ran = run("train", *QUICK, "--no-figures", "--output", "a[red]b")
    assert "pasapas evaluate a[red]b" in ran.out
    assert "a[red]b" in run("train", *QUICK, "--output", "a[red]b").err


def test_data(run, tmp_path):
    ran = run("data")
    assert "60,000 training images and 10,000 test images" in ran.out
    assert "5,923" in ran.out
    assert (tmp_path / "mnist.png").exists()
    result = json.loads(run("data", "--json").out)
    assert result["training"]["counts"][0] == 5923
    assert sum(result["test"]["counts"]) == 10_000
    assert result["figure"] is None
    assert result["mean"] == pytest.approx(0.1307, abs=1e-4)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(
    "command",
    [
        (),
        ("train",),
        ("evaluate",),
        ("predict",),
        ("recipes",),
        ("search",),
        ("data",),
        ("explain",),
        ("show",),
        ("course",),
        ("check",),
        ("mistakes",),
        ("sabotage",),
    ],
)
def test_help(run, command, language):
    ran = run(*command, "--help", "--lang", language)
    assert ran.status == 0
    french = language == "fr"
    assert ("Usage\u00a0:" if french else "Usage:") in ran.out
    assert ("Afficher cette aide" if french else "Show this help") in ran.out
    english = ("Show", "Print", "otherwise", "Draw", "Language")
    assert not (french and any(word in ran.out for word in english))


def test_version_and_no_command(run):
    import pasapas

    assert run("--version").out == f"pasapas {pasapas.__version__}\n"
    assert "train" in run().out


def test_python_dash_m_and_a_closed_pipe():
    command = f"{sys.executable} -m pasapas recipes | head -1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env={**os.environ, "PASAPAS_LANG": "en"}
    )
    assert done.stdout.startswith("Recipe")
    assert done.stderr == ""


def test_language_from_option_environment_and_locale(monkeypatch):
    assert i18n.preferred({"PASAPAS_LANG": "fr", "LANG": "en_US.UTF-8"}) == "fr"
    assert i18n.preferred({"LANG": "fr_CA.UTF-8"}) == "fr"
    assert i18n.preferred({"LC_ALL": "en_GB", "LANG": "fr_FR"}) == "en"
    assert i18n.preferred({"LANG": "C.UTF-8"}) == "en"
    assert i18n.preferred({}) == "en"
    assert isinstance(gettext.translation("pasapas", i18n.LOCALE, ["fr"]), gettext.GNUTranslations)


def test_the_recipe_that_is_kept_is_the_one_that_was_run(run, tmp_path):
    run("train", *QUICK, "--no-figures", "--output", "a")
    kept = json.loads(run("recipes", "a/recipe.toml", "--json").out)
    assert kept == recipe("default", train_images=1000, test_images=300, hidden=(8,), epochs=2).as_dict()

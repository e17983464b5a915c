from __future__ import annotations

import dataclasses
import json
import os
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from pasapas import PasapasError, Recipe, load, runs, train, training

SMALL = {"train_images": 600, "test_images": 200, "hidden": (8,), "epochs": 2, "batch_size": 64}
KINDS = [
    {},
    {"optimizer": "momentum"},
    {"optimizer": "adam", "learning_rate": 0.001, "hidden": (8, 6), "dtype": "float64"},
    {"validation_images": 100, "keep": "best", "dropout": 0.2, "input_dropout": 0.1},
]


def checkpointed(folder, **options):
    chosen = Recipe(**{**SMALL, **options})
    stages = []
    train(chosen, watcher=training.Watcher(epoch=stages.append))
    runs.save_checkpoint(folder, chosen, stages[0])
    return chosen, stages[0]


def equal(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_checkpoint_there_and_back(tmp_path, options):
    chosen, progress = checkpointed(tmp_path, **options)
    again, restored = runs.load_checkpoint(tmp_path)
    assert again == chosen
    for field in dataclasses.fields(progress):
        assert equal(getattr(restored, field.name), getattr(progress, field.name)), field.name


def test_a_run_stopped_before_its_first_epoch_begins_anew(tmp_path):
    chosen = Recipe(**SMALL)
    runs.start_run(tmp_path, chosen, {})
    again, progress = runs.load_checkpoint(tmp_path)
    assert (again, progress.epochs) == (chosen, 0)


def altered(change):
    """A checkpoint with `change` applied to its tensors and its description."""

    def make(path):
        from safetensors import safe_open

        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["pasapas"])
        tensors = load_file(path)
        change(tensors, about)
        path.write_bytes(save(tensors, {"pasapas": json.dumps(about)}))

    return make


BAD = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "text": lambda path: path.write_text("a text of more than eight letters"),
    "a model": lambda path: train(Recipe(**SMALL)).model.save(path),
    "another format": altered(lambda tensors, about: about.update(format="pasapas checkpoint 2")),
    "no recipe": altered(lambda tensors, about: about.pop("recipe")),
    "a recipe that cannot be": altered(lambda tensors, about: about["recipe"].update(epochs=-1)),
    "a field too many": altered(lambda tensors, about: about["recipe"].update(colour="red")),
    "another network": altered(lambda tensors, about: about["recipe"].update(hidden=[9])),
    "another optimizer": altered(lambda tensors, about: about["recipe"].update(optimizer="adam")),
    "history of words": altered(lambda tensors, about: about.update(history=["good", "better"])),
    "a tensor too few": altered(lambda tensors, about: tensors.pop("params.b1")),
    "NaN": altered(lambda tensors, about: tensors["params.W1"].fill(np.nan)),
}


@pytest.mark.parametrize("name", BAD)
def test_damaged_checkpoints(tmp_path, name):
    checkpointed(tmp_path)
    BAD[name](tmp_path / runs.CHECKPOINT)
    with pytest.raises(PasapasError) as error:
        runs.load_checkpoint(tmp_path)
    assert "\n" not in str(error.value)


def test_no_run_to_go_on_with(tmp_path):
    with pytest.raises(PasapasError, match="holds no run"):
        runs.load_checkpoint(tmp_path)
    with pytest.raises(PasapasError, match="holds no run"):
        runs.load_checkpoint(tmp_path / "nowhere")


def test_result_and_pictures(tmp_path, mnist):
    chosen = Recipe(**SMALL)
    result = train(chosen)
    runs.start_run(tmp_path, chosen, {"threads": 2})
    path = runs.write_result(tmp_path, chosen, result)
    assert load(path).about["recipe"] == chosen.as_dict()
    history = json.loads((tmp_path / runs.HISTORY).read_text())
    assert [e["epoch"] for e in history["epochs"]] == [1, 2]
    assert history["test"]["accuracy"] == result.test[1]
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["seed"] == 0
    assert {"pasapas", "numpy", "python"} <= set(about["versions"])
    drawn = runs.draw(tmp_path, result, mnist[1].images[:200], mnist[1].labels[:200])
    assert [p.name for p in drawn] == ["history.png", "confusion.png", "mistakes.png", "first-layer.png"]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in drawn)


def test_the_newest_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert runs.newest_model() is None
    model = train(Recipe(**SMALL)).model
    for i, name in enumerate(["b", "a"]):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        path = model.save(folder / runs.MODEL)
        os.utime(path, (time.time() + i, time.time() + i))
    assert runs.newest_model().parent.name == "a"


def test_new_folders_do_not_collide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {runs.new_folder(None, "default") for _ in range(5)}
    assert len(folders) == 5
    assert all(folder.parent.name == "runs" for folder in folders)


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path):
    checkpointed(tmp_path)
    with pytest.raises(PasapasError, match="already holds a run"):
        runs.new_folder(tmp_path, "default")


@pytest.mark.parametrize(
    ("content", "threads"),
    [
        ('{"threads": 3}', 3),
        ('{"threads": 0}', None),
        ('{"threads": "3"}', None),
        ("[]", None),
        ("{", None),
        (None, None),
    ],
)
def test_threads_of_a_run(tmp_path, content, threads):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    assert runs.threads_of(tmp_path) == runs.threads_of(tmp_path / runs.MODEL) == threads

"""Several networks that decide together: their probabilities, their file, and training them."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from safetensors.numpy import save

from pasapas import Committee, Model, PasapasError, load, metrics, mlp, runs, training
from pasapas.calibrating import at_temperature, calibrated
from pasapas.models import COMMITTEE_FORMAT, MOST_MEMBERS, describe


def member(*sizes, seed=1, dtype="float32", **options) -> Model:
    network = mlp(*(sizes or (6, 5, 3)), **options)
    return Model(network, network.initialize(seed=seed, dtype=dtype), {"seed": seed})


def three(dtype="float32") -> Committee:
    others = member(6, 7, 4, 3, seed=2, dtype=dtype, activation="tanh"), member(6, 3, seed=3, dtype=dtype)
    return Committee([member(dtype=dtype), *others], {"recipe": "mine"})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_are_the_mean_of_the_members(random, dtype):
    committee, images = three(dtype), 20 * random.normal(size=(50, 6))
    alone = [one.probabilities(images).astype(np.float64) for one in committee.members]
    P = committee.probabilities(images)
    assert P.dtype == dtype
    np.testing.assert_allclose(P, np.mean(alone, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(committee.predict(images), np.mean(alone, axis=0).argmax(axis=1))
    assert not all(np.array_equal(committee.predict(images), one.argmax(axis=1)) for one in alone)


def test_log_probabilities_stay_finite_where_probabilities_are_0():
    W = np.array([[0, 500]], "float32")
    one = Model(mlp(1, 2), [{"W": W, "b": np.zeros(2, "float32")}])
    log_P = Committee([one, one]).log_probabilities(np.ones((1, 1), "float32"))
    np.testing.assert_allclose(log_P, [[-500, 0]], atol=1e-4)


def test_probabilities_of_a_hundred_add_up_to_1(random):
    committee = Committee([member(seed=k) for k in range(MOST_MEMBERS)])
    P = committee.probabilities(20 * random.normal(size=(500, 6)))
    assert np.abs(P.astype(np.float64).sum(axis=1) - 1).max() < 1e-6


def test_evaluate_is_of_the_averaged_probabilities(random):
    committee, images, labels = three(), random.normal(size=(40, 6)), random.integers(0, 3, 40)
    loss, accuracy = committee.evaluate(images, labels)
    P = np.mean([one.probabilities(images) for one in committee.members], axis=0)
    assert loss == pytest.approx(-np.log(P[np.arange(40), labels]).mean(), rel=1e-5)
    assert accuracy == np.mean(P.argmax(axis=1) == labels)
    with pytest.raises(PasapasError, match="classes 0 to 2"):
        committee.evaluate(images, labels + 1)


def test_a_committee_of_one_is_that_one(random):
    images, labels = random.normal(size=(40, 6)), random.integers(0, 3, 40)
    assert Committee([member()]).evaluate(images, labels) == pytest.approx(member().evaluate(images, labels))


def test_what_it_is_is_said():
    assert repr(Committee([member(), member(seed=2), member(6, 3)])) == "Committee(2 × 6-5-3, 1 × 6-3)"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([], "not 0"),
        ([member()] * (MOST_MEMBERS + 1), "not 101"),
        ([member(), member(7, 5, 3)], "6-5-3 and another 7-5-3"),
        ([member(), member(6, 5, 4)], "6-5-3 and another 6-5-4"),
        ([member(), member(dtype="float64")], "float32, float64"),
    ],
)
def test_what_is_no_committee(members, says):
    with pytest.raises(PasapasError, match=says):
        Committee(members)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_there_and_back(tmp_path, random, dtype):
    committee = at_temperature(three(dtype), 1.5)
    again = load(committee.save(tmp_path / "model.safetensors"))
    assert isinstance(again, Committee)
    assert [one.network for one in again.members] == [one.network for one in committee.members]
    assert [one.about for one in again.members] == [{"seed": 1}, {"seed": 2}, {"seed": 3}]
    assert (again.about, again.temperature) == ({"recipe": "mine"}, 1.5)
    images = random.normal(size=(9, 6))
    np.testing.assert_array_equal(again.log_probabilities(images), committee.log_probabilities(images))
    assert load(tmp_path).about == {"recipe": "mine"}


def test_the_same_committee_gives_the_same_bytes(tmp_path):
    contents = [three().save(tmp_path / f"{i}.safetensors").read_bytes() for i in range(5)]
    assert len(set(contents)) == 1


def entry(**changes):
    return {"network": describe(mlp(6, 5, 3)), "about": {}, **changes}


def description(**changes):
    content = {"format": COMMITTEE_FORMAT, "members": [entry(), entry()], "temperature": 1.0, "about": {}, **changes}
    return {"pasapas": json.dumps(content)}


def tensors(**changes):
    f = np.float32
    shapes = {"W1": (6, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
    found = {f"{k}/{name}": np.ones(shape, f) for k in (1, 2) for name, shape in shapes.items()}
    found |= {name.replace("_", "/"): array for name, array in changes.items()}
    return {name: array for name, array in found.items() if array is not None}


BAD = {
    "cut off": save(tensors(), description())[:-7],
    "later version": save(tensors(), description(format="pasapas committee 2")),
    "no members": save(tensors(), description(members=[])),
    "members are a number": save(tensors(), description(members=2)),
    "members are an object": save(tensors(), description(members={"1": entry()})),
    "members are words": save(tensors(), description(members=["a", "b"])),
    "too many members": save(tensors(), description(members=[entry()] * (MOST_MEMBERS + 1))),
    "a hundred thousand members": save(tensors(), description(members=[{}] * 100_000)),
    "a member too few": save(tensors(), description(members=[entry()])),
    "a member too many": save(tensors(), description(members=[entry()] * 3)),
    "a member without a network": save(tensors(), description(members=[entry(), {"about": {}}])),
    "an enormous member": save(
        tensors(), description(members=[entry(), entry(network={**describe(mlp(6, 5, 3)), "layers": [{"type": "dense", "n_in": 6, "n_out": 10**12}]})])
    ),
    "members of other sizes": save(tensors(), description(members=[entry(), entry(network=describe(mlp(7, 3)))])),
    "members of other classes": save(tensors(), description(members=[entry(), entry(network=describe(mlp(6, 4)))])),
    "about is a number": save(tensors(), description(about=3)),
    "about of a member is a number": save(tensors(), description(members=[entry(), entry(about=3)])),
    "no temperature": save(tensors(), description(temperature=None)),
    "temperature of 0": save(tensors(), description(temperature=0.0)),
    "temperature is infinite": save(tensors(), description(temperature=float("inf"))),
    "temperature is NaN": save(tensors(), description(temperature=float("nan"))),
    "temperature is a word": save(tensors(), description(temperature="warm")),
    "a tensor too few": save(tensors(**{"2_b2": None}), description()),
    "a tensor too many": save(tensors(**{"3_W1": np.ones(2, np.float32)}), description()),
    "a model's tensors": save({name[2:]: array for name, array in tensors().items()}, description()),
    "another shape": save(tensors(**{"2_W1": np.ones((5, 6), np.float32)}), description()),
    "another dtype": save(tensors(**{"2_W1": np.ones((6, 5), np.int32)}), description()),
    "two dtypes": save(tensors(**{"2_W1": np.ones((6, 5), np.float64)}), description()),
    "NaN": save(tensors(**{"2_W1": np.full((6, 5), np.nan, np.float32)}), description()),
}  # fmt: skip


def test_the_table_of_bad_files_is_about_what_it_says(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(save(tensors(), description()))
    assert len(load(tmp_path / "m.safetensors").members) == 2


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_committee_file(name, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_bytes(BAD[name])
    if name != "NaN":  # all else is found before any number is used
        monkeypatch.setattr("pasapas.models.unnamed", None)
    with pytest.raises(PasapasError) as error:
        load(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value) or "network" in str(error.value)
    if name == "NaN":
        assert "2/W1" in str(error.value)


def test_temperature_is_of_the_averaged_probabilities(random):
    committee, images = three(), random.normal(size=(30, 6))
    softer = at_temperature(at_temperature(committee, 2.0), 1.5)
    powers = committee.probabilities(images).astype(np.float64) ** (1 / 3)
    np.testing.assert_allclose(softer.probabilities(images), powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(softer.predict(images), committee.predict(images))
    assert committee.temperature == 1


def test_calibrated_finds_the_temperature(random):
    committee, images = at_temperature(three(), 0.3), random.normal(size=(4000, 6))
    P = committee.probabilities(images) ** (1 / 3)
    P /= P.sum(axis=1, keepdims=True)
    labels = (P.cumsum(axis=1) < random.random((len(P), 1))).sum(axis=1).clip(max=2)
    better = calibrated(committee, images, labels)
    assert better.temperature == pytest.approx(0.9, rel=0.2)
    assert metrics.calibration(better.probabilities(images), labels).error < 0.03


QUICK = ("--train-images", 500, "--test-images", 200, "--hidden", 8, "--epochs", 3, "--members", 3, "--threads", 1,
         "--dropout", 0.2, "--optimizer", "adam", "--learning-rate", 0.003)  # fmt: skip


def everything(folder):
    return [(folder / place / "model.safetensors").read_bytes() for place in (".", "member-1", "member-2", "member-3")]


def at_epoch(number, act, monkeypatch):
    """Has `act` happen in the epoch of that number, counted through all members."""
    one_epoch, count = training.one_epoch, 0

    def counted(*arguments):
        nonlocal count
        count += 1
        progress = one_epoch(*arguments)
        if count == number:
            act()
        return progress

    monkeypatch.setattr(training, "one_epoch", counted)


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_train(run, tmp_path, mnist):
    ran = run("train", *QUICK)
    assert ran.status == 0, ran.err
    (folder,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors", "recipe.toml", "history.json", "run.json", "confusion.png", "mistakes.png",
        "member-1", "member-2", "member-3",
    }  # fmt: skip
    committee, test = load(folder), mnist[1].first(200)
    history = json.loads((folder / "history.json").read_text())
    alone = [one["test"]["accuracy"] for one in history["members"]]
    assert alone == [load(runs.member_folder(folder, k)).evaluate(test.images, test.labels)[1] for k in (1, 2, 3)]
    assert history["test"]["accuracy"] == committee.evaluate(test.images, test.labels)[1]
    assert [one["seed"] for one in history["members"]] == [0, 1, 2]
    assert [one.about["recipe"]["seed"] for one in committee.members] == [0, 1, 2]
    assert len(set(everything(folder))) == 4
    for text in ("Network 2 of 3", "seed 1.", f"Test accuracy {history['test']['accuracy']:.2%} on 200 images",
                 f"{min(alone):.2%} at the lowest, {sum(alone) / 3:.2%} on average, {max(alone):.2%} at the highest"):  # fmt: skip
        assert text in ran.out
    assert runs.newest_model().parent.name == folder.name


def test_a_member_is_what_the_recipe_gives_with_its_seed(run, tmp_path):
    result = json.loads(run("train", *QUICK, "--seed", 5, "--no-figures", "--json", "--output", "a").out)
    assert result == json.loads((tmp_path / "a" / "history.json").read_text())
    alone = [option for option in QUICK if option not in ("--members", 3)]
    alone.insert(alone.index("--epochs") + 1, 3)
    run("train", *alone, "--seed", 6, "--no-figures", "--output", "b")
    for name in ("model.safetensors", "recipe.toml"):
        assert (tmp_path / "a" / "member-2" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(("epoch", "network", "kept"), [(2, 1, 1), (4, 2, 1), (8, 3, 2)])
def test_ctrl_c_keeps_what_is_trained_and_goes_on_to_the_same_bits(run, tmp_path, monkeypatch, epoch, network, kept):
    run("train", *QUICK, "--no-figures", "--output", "whole")
    with monkeypatch.context() as patch:
        at_epoch(epoch, press, patch)
        ran = run("train", *QUICK, "--no-figures", "--output", "stopped")
    assert ran.status == 130
    assert f"Interrupted in network {network} of 3" in ran.out
    assert "pasapas train --resume stopped" in ran.out
    folder = tmp_path / "stopped"
    assert len(load(folder).members) == kept
    history = json.loads((folder / "history.json").read_text())
    assert (history["stopped"], len(history["members"])) == ("interrupted", kept)
    assert run("train", *QUICK, "--output", "stopped").status == 2  # nothing is overwritten
    ran = run("train", "--resume", "stopped", "--no-figures")
    assert ran.status == 0, ran.err
    assert ran.out.count("Trained already.") == network - 1
    assert everything(folder) == everything(tmp_path / "whole")
    assert everything(folder)[0] != everything(folder)[1]


def test_a_killed_committee_is_no_model_yet_and_goes_on_to_the_same_bits(run, tmp_path, monkeypatch):
    def die():
        raise KeyboardInterrupt

    run("train", *QUICK, "--no-figures", "--output", "whole")
    with monkeypatch.context() as patch:
        at_epoch(5, die, patch)
        assert run("train", *QUICK, "--no-figures").status == 130
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "member-1" / "model.safetensors").exists()
    assert runs.newest_model() is None
    assert run("evaluate", folder / "member-1").status == 0
    assert run("train", *QUICK, "--output", folder).status == 2
    assert run("train", "--resume", folder, "--no-figures").status == 0
    assert everything(folder) == everything(tmp_path / "whole")
    again = run("train", "--resume", folder, "--members", 3, "--no-figures", "--json")
    assert everything(folder) == everything(tmp_path / "whole")
    assert len(json.loads(again.out)["members"]) == 3


def test_more_epochs_for_all_where_that_changes_nothing(run, tmp_path):
    constant = (*QUICK, "--schedule", "constant", "--no-figures")
    run("train", *constant, "--epochs", 2, "--output", "a")
    run("train", *constant, "--epochs", 3, "--output", "b")
    assert run("train", "--resume", "a", "--epochs", 3, "--no-figures").status == 0
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    ran = run("train", "--resume", "a", "--hidden", 9)
    assert ran.status == 2
    assert "has hidden = (8,), not (9,)" in ran.err


def test_one_that_diverges_leaves_those_before_it(run, tmp_path, monkeypatch):
    def diverge():
        raise training.Diverged("Too far.")

    at_epoch(4, diverge, monkeypatch)
    ran = run("train", *QUICK, "--no-figures", "--output", "a")
    assert ran.status == 1
    assert "Too far." in ran.err
    assert "committee in a." in ran.err
    assert len(load(tmp_path / "a").members) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("options", "names"),
    [("--members 1", "--members"), ("--members 101", "101"), ("--members two", "two"), ("--members -3", "-3"),
     ("--members 2 --distributed --engine jax", "--distributed"), ("--members 2 --seed 4294967295", "seed")],
)  # fmt: skip
def test_refused(refuses, options, names, language):
    refuses(f"train {options}", names, language)


def test_resuming_with_another_number_is_refused(run, tmp_path):
    run("train", *QUICK, "--no-figures", "--output", "a")
    ran = run("train", "--resume", "a", "--members", 4)
    assert (ran.status, ran.out) == (2, "")
    assert "trains 3 networks, not 4" in ran.err
    assert run("train", "--resume", "a/member-1", "--members", 3).status == 2
    assert run("train", "--resume", "a/member-1", "--no-figures").status == 0


@pytest.fixture(scope="module")
def committee(tmp_path_factory):
    from pasapas.cli import main

    folder = tmp_path_factory.mktemp("run") / "run"
    assert main(["train", "--quiet", "--no-figures", *map(str, QUICK), "--output", str(folder)]) == 0
    return folder


def test_evaluate_command(run, committee, mnist, tmp_path):
    result = json.loads(run("evaluate", committee, "--json", "--figures", "pictures").out)
    loss, accuracy = load(committee).evaluate(mnist[1].images, mnist[1].labels)
    assert (result["loss"], result["accuracy"]) == (pytest.approx(loss), accuracy)
    assert "3 × 784-8-10" in run("evaluate", committee).out


def test_robustness_of_a_committee(committee, mnist):
    from pasapas.studies.robustness import robustness

    found = robustness(load(committee), mnist[1].first(20))
    assert len(found) > 3


def test_predict_and_digit_commands(run, committee, mnist):
    P = load(committee).probabilities(mnist[1].images[:1])[0]
    (one,) = json.loads(run("predict", committee, "--index", 0, "--json").out)["predictions"]
    np.testing.assert_allclose(one["probabilities"], P, rtol=1e-6)
    shown = json.loads(run("show", "digit", "--model", committee, "--index", 0, "--json").out)
    np.testing.assert_allclose(shown["probabilities"], P, rtol=1e-6)


LOOKING_IN = [("explain", "{}"), ("show", "unit", "--model", "{}"), ("show", "surface", "--model", "{}"),
              ("show", "history", "--model", "{}")]  # fmt: skip


@pytest.mark.parametrize("command", LOOKING_IN, ids=" ".join)
def test_what_looks_into_one_network_says_which(run, committee, command, tmp_path):
    for place in (committee, committee / "model.safetensors"):
        ran = run(*(word.format(place) for word in command))
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.count("\n") == 1
        assert f"such as {committee / 'member-1'}." in ran.err
    assert not list(tmp_path.glob("*.png"))


def test_a_committee_without_members_folders_says_what_to_do(run, tmp_path):
    three().save(tmp_path / "three.safetensors")
    assert "pasapas.load('three.safetensors').members[0]" in run("explain", "three.safetensors").err

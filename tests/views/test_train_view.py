"""The view Train without a server: what it trains is what `pasapas.train` trains, whenever one looks."""

from __future__ import annotations

import base64
import math
import threading

import numpy as np
import pytest

from pasapas import PasapasError, train
from pasapas.i18n import speaking
from pasapas.models import load
from pasapas.recipes import recipe
from pasapas.recipes.definition import FIELDS, parse_field
from pasapas.views.bench import mnist
from pasapas.views.train import TrainView
from pasapas.views.train_run import MOST_MEASURES, MOST_POINTS, Losses, Measures, Run
from pasapas.views.train_settings import checked, command_of, recipe_of

SMALL = {"hidden": [16], "train_images": 500, "batch_size": 50}


def view_of(a=None, b=None):
    view = TrainView()
    view.answer("setup", {"a": {**SMALL, **(a or {})}, "b": None if b is None else {**SMALL, **b}})
    return view


def done(view, ask):
    """Asks for a batch or an epoch, and lets the view do it."""
    view.answer(ask, {})
    while view.running:
        view.advance(0.02)
    return view


def losses(view, run="a"):
    return view._state()["runs"][run]["losses"]["rows"]


def same(params, others):
    return all((p[name] == q[name]).all() for p, q in zip(params, others, strict=True) for name in p)


@pytest.mark.parametrize(
    "settings",
    [{}, {"deform": True, "dropout": 0.2, "l2": 1e-3, "optimizer": "adam", "learning_rate": 0.01}, {"hidden": []}],
    ids=["plain", "all at once", "no hidden layer"],
)
def test_it_trains_what_pasapas_train_trains(settings):
    view = view_of(settings)
    for _epoch in range(2):
        done(view, "epoch")
    result = train(view._runs["a"].recipe, epochs=2, quiet=True)
    assert same(view._runs["a"].params, result.model.params)
    rows = losses(view)
    assert [batch for batch, _loss, _accuracy in rows] == list(range(1, 21))
    assert np.mean([loss for _batch, loss, _accuracy in rows[10:]]) == pytest.approx(result.history[1].loss)
    assert np.mean([accuracy for *_rest, accuracy in rows[10:]]) == pytest.approx(result.history[1].accuracy)


def test_the_test_accuracy_after_an_epoch_is_that_of_pasapas_train():
    view = done(view_of({"train_images": 10_000, "batch_size": 1000}), "epoch")
    result = train(view._runs["a"].recipe, epochs=1, quiet=True)
    tested = view._state()["runs"]["a"]["tested"]
    assert tested["epoch"] == 1
    assert tested["accuracy"] == pytest.approx(result.test[1])
    assert tested["loss"] == pytest.approx(result.test[0])


def test_rewinding_gives_the_same_bits_again():
    view = view_of({"dropout": 0.3, "deform": True})
    first = view._runs["a"].model().params
    done(view, "epoch")
    before, trained = losses(view), view._runs["a"].model().params
    state = view.answer("rewind", {})
    assert state["runs"]["a"]["batches"] == 0
    assert state["runs"]["a"]["losses"]["rows"] == []
    assert same(view._runs["a"].params, first)
    done(view, "epoch")
    assert losses(view) == before
    assert same(view._runs["a"].params, trained)


def test_one_batch_is_one_batch_and_one_epoch_ends_it():
    view = done(done(view_of(), "batch"), "batch")
    assert (view._runs["a"].batches, view._runs["a"].images) == (2, 100)
    assert done(view, "epoch")._runs["a"].batches == 10
    assert done(view, "epoch")._runs["a"].batches == 20


def test_both_begin_alike_and_do_as_many_batches():
    view = view_of(b={"learning_rate": 1.0})
    a, b = view._runs["a"], view._runs["b"]
    assert same(a.params, b.params)
    done(view, "batch")
    assert losses(view, "a")[0] == losses(view, "b")[0]  # the same images and weights: before the first step's result
    assert not same(a.params, b.params)
    done(view, "epoch")
    assert a.batches == b.batches == 10
    view.answer("start", {})
    for _slice in range(5):
        view.advance(0.005)
        assert abs(a.batches - b.batches) <= 1


def test_a_run_beside_another_is_the_run_alone():
    both, alone = done(view_of(b={"optimizer": "adam"}), "epoch"), done(view_of({"optimizer": "adam"}), "epoch")
    assert losses(both, "b") == losses(alone)


def test_the_learning_rate_changes_from_the_next_step_on():
    view, other = done(view_of(), "batch"), done(view_of(), "batch")
    reply = view.answer("rate", {"run": "a", "value": 0.5})
    assert reply["learning_rate"] == 0.5
    assert "--learning-rate 0.5" in reply["command"]
    done(view, "batch"), done(other, "batch")
    # the second loss was there before the second step, which was the first to be longer
    assert losses(view) == losses(other)
    moved = [np.linalg.norm(p["W"]) for p in view._runs["a"].params if p]
    assert moved != [np.linalg.norm(p["W"]) for p in other._runs["a"].params if p]
    done(view, "epoch")
    assert view._state()["settings"]["a"]["learning_rate"] == 0.5
    assert view._runs["a"].model().about["learning_rates"] == [[0, 0.1], [1, 0.5]]
    again = view.answer("rewind", {})["runs"]["a"]
    assert (again["learning_rate"], again["rate_changed"]) == (0.5, False)
    assert "learning_rates" not in done(view, "batch")._runs["a"].model().about


def test_a_rate_that_no_step_was_made_with_is_no_change():
    view = view_of()
    assert not view.answer("rate", {"run": "a", "value": 0.5})["rate_changed"]  # before the first step
    done(view, "batch")
    assert view.answer("rate", {"run": "a", "value": 0.2})["rate_changed"]
    assert not view.answer("rate", {"run": "a", "value": 0.5})["rate_changed"]  # back before the next one


def test_the_step_after_a_change_is_five_times_as_long():
    view = done(view_of(), "batch")
    other = done(view_of(), "batch")
    start = view._runs["a"].model().params
    view.answer("rate", {"run": "a", "value": 0.5})
    one = [p["W"] - s["W"] for p, s in zip(done(view, "batch")._runs["a"].params, start, strict=True) if p]
    two = [p["W"] - s["W"] for p, s in zip(done(other, "batch")._runs["a"].params, start, strict=True) if p]
    for long, short in zip(one, two, strict=True):
        np.testing.assert_allclose(long, 5 * short, atol=1e-6)


def test_a_run_that_diverges_says_so_and_the_other_goes_on():
    view = view_of({"learning_rate": 100.0, "l2": 1.0}, {})
    for _epoch in range(3):
        done(view, "epoch")
    with speaking("en"):
        news = view.news()["runs"]
    assert "try a smaller learning rate than 100" in news["a"]["trouble"]
    assert news["b"]["trouble"] is None
    assert news["b"]["batches"] > 20
    assert news["a"]["batches"] < news["b"]["batches"]
    assert view.answer("hardest", {"run": "a"}) == {"images": []}
    assert "largest" in view.answer("units", {"run": "a"})
    with pytest.raises(PasapasError, match="no longer a number"):
        view.answer("save", {"run": "a"})
    assert [one["key"] for one in view.models()["models"]] == ["shipped", "run-b"]
    with speaking("fr"):
        assert view._state()["runs"]["a"]["trouble"] != news["a"]["trouble"]
    assert view.answer("rewind", {})["runs"]["a"]["trouble"] is None


def numbers(value):
    if isinstance(value, dict):
        return [n for one in value.values() for n in numbers(one)]
    if isinstance(value, list):
        return [n for one in value for n in numbers(one)]
    return [value] if isinstance(value, float) else []


def test_everything_told_is_finite():
    view = view_of({"learning_rate": 100.0, "l2": 1.0, "hidden": [8, 8]})
    for _epoch in range(4):
        done(view, "epoch")
    assert all(map(math.isfinite, numbers(view._state())))


def test_news_are_told_once_and_put_together_are_all():
    view = view_of()
    pieces = [view._state()["runs"]["a"]]
    for _batch in range(35):
        pieces.append(done(view, "batch").news()["runs"]["a"])
    for kind in ("losses", "measures"):
        rows: list = []
        for piece in pieces:
            rows = rows[: piece[kind]["start"]] + piece[kind]["rows"]
        assert rows == view._state()["runs"]["a"][kind]["rows"]
    assert pieces[-1]["losses"]["start"] == 34
    assert view.news()["runs"]["a"]["losses"]["rows"] == []


def test_curves_stay_short_and_their_means_right():
    curve, told = Losses(), []
    for batch in range(1, 4001):
        curve.add(batch, 10 if batch % 2 else 30, float(batch), 5)
        if batch % 7 == 0:
            piece = curve.news(False)
            told = told[: piece["start"]] + piece["rows"]
    rows = curve.rows()
    assert MOST_POINTS / 2 <= len(rows) < MOST_POINTS
    assert told == rows[: len(told)]
    size = rows[0][0]
    assert rows[0][1] == pytest.approx(
        sum(b * (10 if b % 2 else 30) for b in range(1, size + 1))
        / sum(10 if b % 2 else 30 for b in range(1, size + 1))
    )
    measures = Measures(16)
    for batch in range(0, 16 * 5000, 16):
        if batch % measures.every == 0:
            measures.add({"batch": batch})
    assert len(measures.rows) <= MOST_MEASURES
    assert [row["batch"] for row in measures.rows][:3] == [0, measures.every, 2 * measures.every]


def test_what_is_measured():
    run = Run(recipe_of(checked({"hidden": [16, 8]})), *mnist())
    (first,) = run.measures.rows
    X, Y = run._forward(run.training.first(200), run.network.loss)
    gradients = run.network.gradients(run.params, X, Y)
    assert first["gradients"] == [float(np.linalg.norm(g["W"])) for g in gradients if g]
    assert first["accuracy"] == pytest.approx(
        run.model().evaluate(mnist()[1].images[:1000], mnist()[1].labels[:1000])[1]
    )
    assert first["off"] == [0.0, 0.0] or max(first["off"]) < 0.5


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh", "sigmoid"])
def test_units_that_are_off(activation):
    run = Run(recipe_of(checked({"hidden": [16], "activation": activation})), *mnist())
    bias = np.zeros(16, np.float32)
    bias[:4] = -1000
    run.params = [{**p, "b": bias} if p and p["b"].shape == (16,) else p for p in run.params]
    before = run.measures.rows[-1]["off"]
    run._measure()
    (off,) = run.measures.rows[-1]["off"]
    if activation == "leaky-relu":
        assert off is None
    else:
        assert off == pytest.approx(before[0] + 0.25, abs=0.1)


def test_settings_that_stay_keep_the_runs():
    view = done(view_of(), "epoch")
    state = view.answer("setup", {"a": SMALL, "b": None})
    assert state["runs"]["a"]["batches"] == 10
    turn = state["turn"]
    state = view.answer("setup", {"a": SMALL, "b": SMALL})
    assert {run["batches"] for run in state["runs"].values()} == {0}
    assert state["turn"] == turn + 1
    with speaking("en"):
        assert view.about()["current"]["b"]["hidden"] == (16,)


def test_a_refused_setting_leaves_everything_as_it_is():
    view = done(view_of(), "epoch")
    with pytest.raises(PasapasError):
        view.answer("setup", {"a": SMALL, "b": {"hidden": [0]}})
    assert view._runs["a"].batches == 10


@pytest.mark.parametrize("settings", [
    {"hidden": [1025]}, {"hidden": [8] * 5}, {"hidden": [8.0]}, {"hidden": "8"}, {"hidden": [True]},
    {"activation": "softmax"}, {"learning_rate": 0}, {"learning_rate": math.nan}, {"learning_rate": math.inf}, {"learning_rate": "1"},
    {"batch_size": 0}, {"batch_size": 1025}, {"batch_size": 1.5}, {"train_images": 60_001}, {"deform": 1},
    {"dropout": 1.0}, {"l2": -1}, {"seed": -1}, {"seed": 2**32}, {"epochs": 3},
])  # fmt: skip
def test_settings_have_bounds(settings):
    with speaking("en"), pytest.raises(PasapasError, match=r"\.$"):
        TrainView().setup(settings)


@pytest.mark.parametrize(
    "fields", [{"run": "a", "value": 0.0}, {"run": "a", "value": math.nan}, {"run": "b", "value": 0.1}]
)
def test_a_rate_has_bounds_and_a_run(fields):
    with pytest.raises(PasapasError):
        view_of().answer("rate", fields)


def test_first_layer_and_hardest_images():
    view = done(view_of(), "epoch")
    units = view.answer("units", {"run": "a"})
    values = np.frombuffer(base64.b64decode(units["values"]), np.int8).reshape(16, 784)
    W = view._runs["a"].params[0]["W"]
    np.testing.assert_allclose(values * units["largest"] / 127, W.T, atol=units["largest"] / 250)
    images = view.answer("hardest", {"run": "a"})["images"]
    assert len(images) == 12
    assert [one["loss"] for one in images] == sorted((one["loss"] for one in images), reverse=True)
    assert images[0]["answer"] != images[0]["label"] == mnist()[1].labels[images[0]["number"]]


def test_the_model_is_saved_and_on_the_bench(tmp_path):
    view = done(view_of(b={}), "epoch")
    file = view.answer("save", {"run": "a"})
    path = tmp_path / file["name"]
    path.write_bytes(base64.b64decode(file["content"]))
    model = load(path)
    assert same(model.params, view._runs["a"].params)
    assert model.about["epochs"] == 1
    assert same(view.bench.model("run-b").params, view._runs["b"].params)
    kept = view.bench.model("run-a").params
    done(view, "batch")
    assert not same(kept, view._runs["a"].params), "a copy, not what the next step writes over"


def test_the_figures_as_a_table():
    view = done(view_of(), "epoch")
    lines = base64.b64decode(view.answer("figures", {})["content"]).decode().splitlines()
    assert lines[0] == "run,batch,quantity,value"
    named = {tuple(line.split(",")[:3]): float(line.split(",")[3]) for line in lines[1:]}
    assert named["a", "10", "training loss"] == losses(view)[-1][1]
    assert ("a", "0", "norm of dL/dW1") in named


def test_the_command_says_the_same_recipe():
    for settings in ({}, {"hidden": [], "deform": True, "seed": 7}):
        one = recipe_of(checked(settings))
        words = command_of(one).split()[2:]
        given = {name[2:].replace("-", "_"): text for name, text in zip(words[::2], words[1::2], strict=True)}
        assert set(given) <= set(FIELDS)
        assert recipe("default", **{name: parse_field(name, text) for name, text in given.items()}) == one


def test_questions_go_first_while_it_trains():
    view = view_of({"train_images": 60_000})
    view.answer("start", {})
    ended = threading.Event()

    def work():
        while view.running:
            view.advance(0.02)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    for _question in range(20):
        view.answer("units", {"run": "a"})
    view.answer("pause", {})
    assert ended.wait(20)
    thread.join()
    assert view.news()["running"] is False


def test_a_view_that_was_never_set_up():
    view = TrainView()
    assert view.news() is None
    assert view.running is False
    view.advance(0.01)
    assert view.answer("pause", {}) == {"running": False}
    with pytest.raises(PasapasError):
        view.answer("units", {"run": "a"})
    view.answer("batch", {})
    assert view.running
    view.close()
    assert view.running is False

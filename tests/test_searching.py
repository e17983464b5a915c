from __future__ import annotations

import csv
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from optuna.trial import TrialState

from pasapas import PasapasError, Recipe, i18n, searching, training
from pasapas.figures import search_overview
from pasapas.recipes import load_recipe
from pasapas.recipes.definition import as_text
from pasapas.searching import Choice, Place, Range, Search, make_search, parse

BASE = Recipe(train_images=500, hidden=(8,), epochs=2, monitor="validation_accuracy")
VARY = ("learning_rate=0.01:0.5", "activation=relu/tanh")
TINY = ("--train-images", 500, "--hidden", 8, "--epochs", 2, "--no-figures")
SPACE = ("--vary", "learning_rate=0.01:0.5", "--vary", "activation=relu/tanh")


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(str(tmp_path / "journal.log"), "tried")


def made(place: Place, search: Search) -> list[searching.Trial]:
    return searching.trials(place.open(search), search)


# --- what is searched


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate=0.01:0.5", Range("learning_rate", 0.01, 0.5, True)),
        ("learning-rate=0.01:0.5:linear", Range("learning_rate", 0.01, 0.5, False)),
        ("learning_rate=0,01:0,5", Range("learning_rate", 0.01, 0.5, True)),
        ("dropout=0:0.5", Range("dropout", 0.0, 0.5, False)),
        ("dropout=0.1:0.5", Range("dropout", 0.1, 0.5, False)),
        ("dropout=0.1:0.5:log", Range("dropout", 0.1, 0.5, True)),
        ("batch_size=32:512", Range("batch_size", 32, 512, True)),
        ("step_every=2:6", Range("step_every", 2, 6, False)),
        ("hidden=128/256,128/none", Choice("hidden", ((128,), (256, 128), ()))),
        ("activation=relu/tanh", Choice("activation", ("relu", "tanh"))),
        ("shuffle=true/false", Choice("shuffle", (True, False))),
        ("batch_size=32/64", Choice("batch_size", (32, 64))),
    ],
)
def test_what_varies_is_read(text, expected):
    got = parse(text, BASE)
    assert got == expected
    assert parse(str(got), BASE) == got
    if isinstance(got, Range):
        assert type(got.low) is type(expected.low)


@given(st.floats(1e-12, 900), st.floats(1e-12, 900), st.sampled_from(["", ":log", ":linear"]))
def test_ranges_are_read_back(low, high, scale):
    assume(low < high)
    got = parse(f"learning_rate={low!r}:{high!r}{scale}", BASE)
    assert (got.low, got.high) == (low, high)
    assert got.log == (high / low >= 10 if not scale else scale == ":log")
    assert parse(str(got), BASE) == got


@given(st.lists(st.lists(st.integers(1, 500), max_size=4).map(tuple), min_size=2, max_size=5, unique=True))
def test_choices_are_read_back(widths):
    got = Choice("hidden", tuple(widths))
    assert parse(str(got), BASE) == got
    assert [got.value(as_text(w)) for w in widths] == widths


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("learning_rat=0.1:0.5", "Did you mean 'learning_rate'"),
        ("learning_rate", "does not say what to vary"),
        ("learning_rate=", "does not say what to vary"),
        ("learning_rate=0:0.5", "learning_rate must be a number above 0"),
        ("learning_rate=a:0.5", "not 'a'"),
        ("learning_rate=0.5:0.1", "must be below its high end"),
        ("learning_rate=nan:1", "learning_rate must be"),
        ("dropout=0:1", "below 1"),
        ("dropout=0:0.5:log", "above 0"),
        ("dropout=0:0.5:lig", "is no range"),
        ("dropout=0:0.1:0.2:log", "is no range"),
        ("dropout=0.1", "at least two different values"),
        ("dropout=0.1/0.10", "at least two different values"),
        ("activation=relu/tan", "Did you mean 'tanh'"),
        ("activation=relu:tanh", "takes no range"),
        ("hidden=8:16", "takes no range"),
        ("shuffle=true/perhaps", "shuffle must be true or false"),
        ("batch_size=1.5:3", "batch_size must be a whole number"),
        ("validation_images=10:20", "judged alike"),
        ("epochs=2:6", "judged alike"),
        ("warmup_epochs=0:3", "warmup_epochs"),
    ],
)
def test_what_cannot_vary_is_refused(text, says):
    with pytest.raises(PasapasError) as error:
        parse(text, BASE)
    assert says in str(error.value)


def test_a_sixth_of_the_images_is_set_apart_unless_the_recipe_does_so():
    assert make_search(Recipe(), VARY).recipe.validation_images == 10_000
    assert make_search(Recipe(validation_images=700), VARY).recipe.validation_images == 700
    with pytest.raises(PasapasError, match="no images for validation"):
        make_search(Recipe(train_images=5), VARY)


def test_the_score_is_that_of_what_the_recipe_keeps():
    def history(*pairs):
        return [training.Epoch(i + 1, 0.0, 0.0, a, b, None, None, 0.1, 0.0) for i, (a, b) in enumerate(pairs)]

    epochs = history((0.5, 0.8), (0.4, 0.9), (0.6, 0.7))
    base = BASE.replace(validation_images=100)
    assert Search(base, ()).score(epochs) == 0.7
    assert Search(base.replace(keep="best"), ()).score(epochs) == 0.9
    assert Search(base.replace(monitor="validation_loss"), ()).score(epochs) == 0.6
    assert Search(base.replace(monitor="validation_loss", keep="best"), ()).score(epochs) == 0.4


# --- searching


def test_going_on_gives_what_one_go_gives(tmp_path):
    """Before and after the first ten, which are drawn without a look at the others."""
    search = make_search(BASE, VARY)
    parts, whole = (Place(str(tmp_path / name), name) for name in ("parts", "whole"))
    for total in (4, 11, 13):
        assert searching.run(parts, search, total, threads=1) == "finished"
        assert [trial.number for trial in made(parts, search)] == list(range(1, total + 1))
    searching.run(whole, search, 13, threads=1)
    stopped, at_once = made(parts, search), made(whole, search)
    assert len({trial.values["learning_rate"] for trial in stopped}) == 13
    assert [(t.values, t.state, t.curve) for t in stopped] == [(t.values, t.state, t.curve) for t in at_once]
    assert all(trial.score == trial.curve[2] for trial in stopped if trial.state == "complete")
    assert searching.run(parts, search, 13) == "finished"
    assert len(made(parts, search)) == 13
    other = make_search(BASE.replace(seed=1), VARY)
    searching.run(Place(parts.storage, "other seed"), other, 1)
    assert made(Place(parts.storage, "other seed"), other)[0].values != stopped[0].values


def test_a_trial_is_the_training_of_its_recipe(place):
    search = make_search(BASE, VARY)
    searching.run(place, search, 1)
    (trial,) = made(place, search)
    result = training.train(search.recipe.replace(**trial.values), quiet=True)
    assert [e.validation_accuracy for e in result.history] == list(trial.curve.values())


def test_the_test_images_are_not_looked_at(place, monkeypatch):
    seen = []
    trained = training.run
    monkeypatch.setattr(training, "run", lambda *args: (seen.append(args[2]), trained(*args))[1])
    searching.run(place, make_search(BASE.replace(test_accuracy="each-epoch"), VARY), 1)
    (splits,) = seen
    assert splits.test is None
    assert (len(splits.training), len(splits.validation)) == (417, 83)


def begun_with(place: Place, search: Search, *rates: float) -> None:
    for rate in rates:
        place.open(search).enqueue_trial({"learning_rate": str(rate)})


BAD_LAST = (0.1, 0.2, 0.3, 0.2, 0.1, 1e-09)


def test_bad_trials_are_ended_early(place):
    search = make_search(BASE.replace(epochs=4, train_images=1200), ["learning_rate=1e-9/0.1/0.2/0.3"])
    begun_with(place, search, *BAD_LAST)
    searching.run(place, search, 6)
    *good, bad = made(place, search)
    assert [(trial.state, len(trial.curve)) for trial in good] == [("complete", 4)] * 5
    assert (bad.state, len(bad.curve), bad.score, bad.finished) == ("pruned", 1, None, True)
    ranked = searching.best_first([*good, bad], search)
    assert ranked[0].score == max(trial.score for trial in good)
    assert bad not in ranked
    assert searching.importances(place.open(search)) == {"learning_rate": 1.0}


def test_nothing_is_ended_early_without_pruning(place):
    search = make_search(BASE, ["learning_rate=1e-9/0.1/0.2/0.3"], pruning=False)
    begun_with(place, search, *BAD_LAST)
    searching.run(place, search, 6)
    assert [trial.state for trial in made(place, search)] == ["complete"] * 6


def test_diverging_and_impossible_trials_are_no_crash(place):
    base = BASE.replace(l2=10.0)
    search = make_search(base, ["learning_rate=999/900", "warmup_epochs=0/1"])
    searching.run(place, search, 3)
    found = made(place, search)
    assert [trial.state for trial in found] == ["diverged"] * 3
    assert "smaller learning rate" in found[0].reason
    assert searching.best_first(found, search) == []
    assert searching.importances(place.open(search)) == {}


def test_values_that_do_not_go_together_are_no_crash(place):
    search = make_search(BASE, ["batch_size=32/450", "drop_last=true/false"])
    study = place.open(search)
    study.enqueue_trial({"batch_size": "450", "drop_last": "true"})
    study.enqueue_trial({"batch_size": "450", "drop_last": "false"})
    searching.run(place, search, 2)
    impossible, possible = made(place, search)
    assert (impossible.state, possible.state) == ("impossible", "complete")
    assert "leaves out all 417 training images" in impossible.reason


def test_ctrl_c_keeps_what_is_finished(place):
    search = make_search(BASE, VARY)
    calls = []

    def press(study):
        calls.append(study)
        if len(calls) == 4:  # after the first epoch of the second trial
            os.kill(os.getpid(), signal.SIGINT)

    assert searching.run(place, search, 4, changed=press) == "interrupted"
    found = made(place, search)
    assert [trial.state for trial in found] == ["complete", "interrupted"]
    assert searching.run(place, search, 4) == "finished"
    assert [trial.state for trial in made(place, search)] == ["complete", "interrupted", *["complete"] * 3]


def test_an_error_leaves_no_trial_running(place, monkeypatch):
    search = make_search(BASE, VARY)

    def broken(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(training, "run", broken)
    with pytest.raises(ZeroDivisionError):
        searching.run(place, search, 1)
    assert [trial.state for trial in made(place, search)] == ["interrupted"]


@pytest.mark.parametrize("worker", [{"host": "elsewhere", "pid": 1, "time": 0.0}, "dead"])
def test_lost_trials_do_not_block(place, worker):
    search = make_search(BASE, VARY)
    study = place.open(search)
    trial = study.ask()
    if worker == "dead":
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        worker = {"host": socket.gethostname(), "pid": process.pid, "time": time.time()}
    trial.set_user_attr("worker", worker)
    assert searching.run(place, search, 1) == "finished"
    assert [trial.state for trial in made(place, search)] == ["interrupted", "complete"]


def test_trials_of_others_count_and_are_waited_for(place):
    search = make_search(BASE, VARY)
    study = place.open(search)
    theirs = study.ask()
    theirs.set_user_attr("worker", {"host": "elsewhere", "pid": 1, "time": time.time()})

    def changed(seen):
        if searching._counted(seen)[1] == 1 and theirs.user_attrs and not finished:
            finished.append(study.tell(theirs, 0.5))

    finished = []
    assert searching.run(place, search, 2, changed=changed) == "finished"
    assert len(finished) == 1
    assert len(made(place, search)) == 2


def test_one_too_many_is_given_up(place, monkeypatch):
    """Another process begins the last trial between our look at the storage and our own beginning."""
    search = make_search(BASE, VARY)
    study = place.open(search)
    ask = type(study).ask
    others = []

    def late(self):
        if not others:
            others.append(ask(self))
            searching._beat(others[0])
        return ask(self)

    monkeypatch.setattr(type(study), "ask", late)
    changed = lambda seen: others and study.tell(others[0], 0.5, skip_if_finished=True)  # noqa: E731
    assert searching.run(place, search, 1, changed=changed) == "finished"
    assert [trial.number for trial in made(place, search)] == [1]
    assert [t.state for t in study.get_trials(deepcopy=False)] == [TrialState.COMPLETE, TrialState.FAIL]


def test_two_processes_share_a_search(place):
    search = make_search(BASE, ["learning_rate=0.01:0.5", "dropout=0:0.5"], pruning=False)
    assert searching.run_processes(place, search, 7, jobs=2, threads=1) == "finished"
    study = place.open(search)
    frozen = study.get_trials(deepcopy=False)
    found = made(place, search)
    assert [trial.state for trial in found] == ["complete"] * 7
    assert len({tuple(trial.values.items()) for trial in found}) == 7
    assert os.getpid() not in {trial.user_attrs["worker"]["pid"] for trial in frozen}


def test_a_database(tmp_path):
    place = Place(f"sqlite:///{tmp_path}/search.db", "tried")
    search = make_search(BASE, ["hidden=8/8,8/none", "shuffle=true/false"])
    searching.run(place, search, 2)
    values = [trial.values for trial in made(place, search)]
    assert all(v["hidden"] in ((8,), (8, 8), ()) and type(v["shuffle"]) is bool for v in values)


def test_another_search_of_the_same_name_is_refused(place):
    place.open(make_search(BASE, VARY))
    place.open(make_search(BASE, VARY[::-1], pruning=False))  # neither the order nor the pruning makes it another
    for base, vary, says in [
        (BASE.replace(epochs=3), VARY, "epochs = 2, not epochs = 3"),
        (BASE.replace(monitor="validation_loss"), VARY, "validation_loss"),
        (BASE, VARY[:1], "activation=relu/tanh, not no activation to vary"),
        (BASE, ("learning_rate=0.02:0.5", VARY[1]), "learning_rate=0.01:0.5:log, not learning_rate=0.02:0.5:log"),
    ]:
        with pytest.raises(PasapasError) as error:
            place.open(make_search(base, vary))
        assert says in str(error.value)
    Place(place.storage, "other").open(make_search(BASE, VARY[:1]))


def test_a_journal_whose_last_line_is_cut_goes_on(place, tmp_path):
    search = make_search(BASE, VARY)
    study = place.open(search)
    for _trial in range(2):
        study.ask()
    journal = Path(place.storage)
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-9])
    again = place.open(search)
    assert len(again.trials) in (1, 2)
    again.ask()
    assert len(place.open(search).trials) == len(again.trials)
    assert journal.read_bytes().startswith(whole[: whole.rindex(b"\n", 0, -9) + 1])
    other = tmp_path / "notes.txt"
    other.write_text("first line\nno end of line")
    with pytest.raises(PasapasError):
        Place(str(other), "tried").open(search)
    assert other.read_text() == "first line\nno end of line"


def test_storages_that_cannot_be_used(tmp_path):
    search = make_search(BASE, VARY)
    (tmp_path / "text").write_text("hello\nworld\n")
    for storage, says in [
        (str(tmp_path / "text"), "no journal of a search"),
        (str(tmp_path / "missing" / "journal.log"), "There is no folder"),
        (str(tmp_path), "folder"),
        ("sqlite:////nowhere/at/all.db", "cannot be used"),
        ("nonsense://user:secret@host/name", "cannot be used"),
    ]:
        with pytest.raises(PasapasError) as error:
            Place(storage, "tried").open(search)
        assert says in str(error.value)
        assert "secret" not in str(error.value)
    assert not (tmp_path / "missing").exists()


def test_the_best_recipe_trains_on_all_images_where_it_can():
    best = searching.Trial(1, "complete", {"learning_rate": 0.2}, 0.9)
    search = make_search(BASE, VARY)
    assert searching.best_recipe(search, False, best) == BASE.replace(learning_rate=0.2)
    assert searching.best_recipe(search, True, best).validation_images == 83
    patient = make_search(BASE.replace(validation_images=0), VARY)
    patient = Search(patient.recipe.replace(patience=1), patient.space)
    assert searching.best_recipe(patient, False, best).validation_images == 83


# --- the picture


def found(search: Search, *scores: float | None) -> list[searching.Trial]:
    return [
        searching.Trial(
            i,
            "pruned" if score is None else "complete",
            {"learning_rate": 0.01 * i, "activation": "tanh"},
            score,
            {1: 0.5},
        )
        for i, score in enumerate(scores, 1)
    ]


def test_errors_and_the_best_so_far_are_drawn():
    search = make_search(BASE, VARY)
    figure = search_overview(search, found(search, 0.8, 0.9, None, 0.7), {"learning_rate": 0.75, "activation": 0.25})
    course, importances, rates, activations = figure.axes
    assert list(course.lines[0].get_ydata()) == pytest.approx([20, 10, 30])
    assert list(course.lines[1].get_ydata()) == pytest.approx([20, 10, 10, 10])
    assert list(course.lines[2].get_xdata()) == [3]
    assert [bar.get_width() for bar in importances.patches] == [75, 25]
    assert [text.get_text() for text in importances.texts] == ["75%", "25%"]
    assert (rates.get_title(loc="left"), rates.get_xscale()) == ("learning_rate", "log")
    others, best, ended = rates.lines
    assert (list(best.get_xdata()), list(best.get_ydata())) == ([0.02], pytest.approx([10]))
    assert list(others.get_xdata()) == pytest.approx([0.01, 0.04])
    assert list(ended.get_xdata()) == [0.03]
    assert list(activations.lines[1].get_xdata()) == [1]
    assert "best trial: 0.0200, 10.00%" in rates.get_xlabel()


def test_losses_and_perfect_scores_are_drawn():
    by_loss = make_search(BASE.replace(monitor="validation_loss"), VARY)
    course = search_overview(by_loss, found(by_loss, 0.8, 0.2), {}).axes[0]
    assert list(course.lines[1].get_ydata()) == pytest.approx([0.8, 0.2, 0.2])
    search = make_search(BASE, VARY)
    course, mattered, *_ = search_overview(search, found(search, 1.0), {}).axes
    assert list(course.lines[0].get_ydata()) == pytest.approx([100 * 0.5 / 83])
    assert "Too few" in mattered.texts[0].get_text()


def test_the_picture_speaks_french():
    i18n.activate("fr")
    search = make_search(BASE, VARY)
    course, mattered, rates, _ = search_overview(search, found(search, 0.9, 0.8), {"learning_rate": 1.0}).axes
    assert course.get_title(loc="left") == "Le déroulement de la recherche"
    assert mattered.get_title(loc="left") == "Ce qui a compté"
    ticks = [label.get_text() for label in rates.get_xticklabels()]
    assert "0,1" in ticks
    assert not any("." in tick for tick in ticks)


def test_nothing_complete_is_not_drawn():
    search = make_search(BASE, VARY)
    with pytest.raises(PasapasError, match="no complete trial"):
        search_overview(search, found(search, None, None), {})


# --- the command


def test_search_writes_what_it_found(run, tmp_path):
    ran = run("search", *TINY, *SPACE, "--trials", 4, "--study", "mine")
    assert ran.status == 0, ran.err
    assert ran.err == ""
    assert "Search mine: 4 trials of 2 epochs at most, on 417 images of MNIST." in ran.out
    assert "on 83 others; the test images are never looked at" in ran.out
    assert sum(line.startswith("Trial ") and " · " in line for line in ran.out.splitlines()) == 4
    folder = tmp_path / "searches" / "mine"
    assert {path.name for path in folder.iterdir()} == {"journal.log", "best.toml", "trials.csv"}
    rows = list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))
    assert [row["state"] for row in rows] == ["complete"] * 4
    best = max(rows, key=lambda row: float(row["validation_accuracy"]))
    recipe = load_recipe(folder / "best.toml")
    assert recipe.learning_rate == float(best["learning_rate"])
    assert (recipe.activation, recipe.validation_images) == (best["activation"], 0)
    assert "pasapas train --recipe searches/mine/best.toml" in ran.out
    trained = run("train", "--recipe", "searches/mine/best.toml", "--test-images", 300, "--no-figures")
    assert trained.status == 0, trained.err


def test_search_json_and_going_on(run):
    first = json.loads(run("search", *TINY, *SPACE, "--trials", 4, "--study", "mine", "--json").out)
    assert set(first) == {
        "study", "folder", "monitor", "stopped", "trials", "best", "importances", "recipe", "figure"
    }  # fmt: skip
    ran = run("search", *TINY, *SPACE, "--trials", 6, "--study", "mine", "--json")
    assert ran.err == ""
    second = json.loads(ran.out)
    assert second["trials"][:4] == first["trials"]
    assert [trial["number"] for trial in second["trials"]] == [1, 2, 3, 4, 5, 6]
    assert second["best"]["score"] == max(trial["score"] or 0 for trial in second["trials"])
    assert math.isclose(sum(second["importances"].values()), 1)
    assert (second["stopped"], second["monitor"]) == ("finished", "validation_accuracy")
    assert Path(second["recipe"]).exists()
    assert "Going on after 6 trials." in run("search", *TINY, *SPACE, "--trials", 6, "--study", "mine").out


def test_search_by_loss_draws(run):
    options = [option for option in TINY if option != "--no-figures"]
    ran = run("search", *options, *SPACE, "--trials", 2, "--monitor", "validation_loss", "--json")
    result = json.loads(ran.out)
    assert result["best"]["score"] == min(trial["score"] for trial in result["trials"])
    assert result["monitor"] == "validation_loss"
    assert result["study"].endswith("-default")
    assert Path(result["figure"]).read_bytes().startswith(b"\x89PNG")


def test_search_in_french_and_quiet(run):
    ran = run("search", *TINY, *SPACE, "--trials", 1, "--lang", "fr")
    assert "les images de test ne sont jamais regardées" in ran.out
    assert "Essai 1\u00a0: exactitude de validation" in ran.out
    ran = run("search", *TINY, *SPACE, "--trials", 1, "--quiet")
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_a_search_without_a_complete_trial_says_why(run):
    ran = run("search", *TINY, "--l2", 10, "--vary", "learning_rate=900:999", "--trials", 2, "--json")
    assert ran.status == 1
    result = json.loads(ran.out)
    assert result["best"] is None
    assert [trial["state"] for trial in result["trials"]] == ["diverged"] * 2
    ran = run("search", *TINY, "--l2", 10, "--vary", "learning_rate=900:999", "--trials", 1)
    assert "No trial was completed. The loss became" in ran.out


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("", "--vary"),
        ("--vary dropuot=0:1", "'dropout'"),
        ("--vary dropout=0:0.5 --dropout 0.1", "--dropout"),
        ("--vary dropout=0:0.5 --vary dropout=0/0.1", "'dropout'"),
        ("--vary dropout=0:0.5 --trials 0", "--trials"),
        ("--vary dropout=0:0.5 --jobs x", "--jobs"),
        ("--vary dropout=0:0.5 --study a/b", "--study"),
        ("--vary dropout=0:0.5 --storage nowhere/journal.log", "nowhere"),
        ("--vary dropout=0:0.5 --train-images 50 --drop-last", "drop_last"),
    ],
)
def test_search_refuses(refuses, options, names, language):
    refuses(f"search {options}", names, language)


def test_search_without_optuna(refuses, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    refuses("search --vary dropout=0:0.5", "pip install 'pasapas[search]'", "en")


def test_ctrl_c_ends_the_processes_of_a_search(tmp_path):
    options = [*map(str, TINY), *SPACE, "--trials", "1000", "--jobs", "2", "--study", "mine", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pasapas", "search", *options],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PASAPAS_LANG": "en"},
    )  # fmt: skip
    journal = tmp_path / "searches" / "mine" / "journal.log"
    for _ in range(600):
        if journal.exists() and '"values"' in journal.read_text():
            break
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    result = json.loads(out)
    assert result["stopped"] == "interrupted"
    states = {trial["state"] for trial in result["trials"]}
    assert "complete" in states
    assert "running" not in states
    assert err == ""

"""`pasapas course`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pasapas import i18n
from pasapas.cli import course as command
from pasapas.course import progress
from pasapas.doctor.texts import LESSONS


@pytest.fixture(autouse=True)
def away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_lessons_are_listed(run, language):
    ran = run("course", "--lang", language)
    assert ran.status == 0
    for title in LESSONS.values():
        assert (title.fr if language == "fr" else title.en) in ran.out
    listed = json.loads(run("course", "--json", "--lang", language).out)
    assert [entry["lesson"] for entry in listed] == [*LESSONS]
    assert all(2 <= entry["exercises"] <= 6 and entry["solved"] == 0 for entry in listed)


def test_what_is_solved_is_counted_where_the_notebooks_are(run, tmp_path):
    run("course", "3")
    progress.record("3-backpropagation", 2, "right", tmp_path / "pasapas-course")
    assert [entry["solved"] for entry in json.loads(run("course", "--json").out)] == [0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("word", ["3", "3-backpropagation", "backprop", "3-backpropagation.ipynb"])
def test_one_lesson_is_copied(run, tmp_path, word):
    ran = run("course", word, "--to", "mine/here", "--lang", "fr")
    assert ran.status == 0
    assert [path.name for path in (tmp_path / "mine" / "here").rglob("*.ipynb")] == ["3-backpropagation.ipynb"]
    assert "Leçon 3" in (tmp_path / "mine" / "here" / "3-backpropagation.ipynb").read_text(encoding="utf-8")


def test_all_lessons_with_what_a_teacher_needs(run, tmp_path):
    content = json.loads(run("course", "--teacher", "--json").out)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert set(content["copied"]) == files
    assert len(files) == 3 * len(LESSONS)
    assert content["kept"] == []


def test_a_learners_work_is_never_overwritten(run, tmp_path):
    mine = tmp_path / "pasapas-course" / "1-data-and-neurons.ipynb"
    mine.parent.mkdir()
    mine.write_text("mine")
    ran = run("course", "1", "2")
    assert ran.status == 0
    assert mine.read_text() == "mine"
    assert "1 file was there already and stays as it is" in ran.out
    assert (mine.parent / "2-forward.ipynb").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("99",), "There is no lesson '99': say a number from 1 to 7, or a name, or 'all'."),
        (("backproop",), "Did you mean '3-backpropagation'?"),
        (("",), "There is no lesson ''"),
        (("a",), "There is no lesson 'a'"),
        (("--to", "x"), "--to needs a lesson too"),
        (("3", "--to", "file"), "Cannot write 'file'"),
    ],
)
def test_bad_input_is_one_sentence(run, tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    ran = run("course", *arguments)
    assert ran.status == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


def test_without_jupyterlab_nothing_is_copied(run, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    ran = run("course", "3", "--open")
    assert ran.status == 2
    assert "pip install 'pasapas[course]'" in ran.err
    assert not [*tmp_path.iterdir()]


def test_jupyterlab_opens_at_the_first_lesson_that_is_not_solved(run, tmp_path, monkeypatch):
    calls = []

    def fake(arguments, cwd, check):
        calls.append((arguments, cwd))
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.setattr(command, "find_spec", lambda name: object())
    monkeypatch.setattr(command.subprocess, "run", fake)
    exercises = json.loads(run("course", "--json").out)[0]["exercises"]
    folder = tmp_path / "pasapas-course"
    folder.mkdir()
    for n in range(1, exercises + 1):
        progress.record("1-data-and-neurons", n, "right", folder)
    assert run("course", "--open").status == 0
    arguments, cwd = calls[0]
    assert arguments == [sys.executable, "-m", "jupyterlab", "2-forward.ipynb"]
    assert (tmp_path / cwd / "2-forward.ipynb").exists()
    run("course", "5", "--open")
    assert calls[1][0][-1] == "5-derivation.ipynb"

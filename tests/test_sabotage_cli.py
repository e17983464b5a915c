"""`pasapas mistakes` and `pasapas sabotage`."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from pasapas import i18n
from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.programs import planted, program
from pasapas.doctor.sabotage import Exercise, recognise


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_mistakes_are_listed_in_80_columns(run, monkeypatch, language):
    monkeypatch.setenv("COLUMNS", "80")
    ran = run("mistakes", "--lang", language)
    assert ran.status == 0
    assert all(len(line.rstrip()) <= 80 for line in ran.out.splitlines())
    for code in mistakes():
        assert ran.out.count(f"\n{code} ") == 1
    assert ("Passe arrière" if language == "fr" else "Backward pass") in ran.out
    listed = json.loads(run("mistakes", "--json", "--lang", language).out)
    assert [entry["code"] for entry in listed] == list(mistakes())
    assert all(set(entry) == {"code", "stage", "name", "trains", "programs"} for entry in listed)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("code", mistakes())
def test_a_mistake_is_explained(run, code, language):
    ran = run("mistakes", code, "--lang", language)
    assert ran.status == 0
    assert str(mistakes()[code].name) in ran.out
    assert not re.search(r"\{(tensor|layer|previous|next|last|function)\}", ran.out)
    assert re.search(r"^[−+] \S", ran.out, re.MULTILINE)
    for name in mistakes()[code].examples:
        assert f"\n{name}\n" in ran.out


def test_hints_up_to_one(run):
    assert [h for h in "123" if f"Hint {h}" in run("mistakes", "sign-flipped", "--hint", 2).out] == ["1", "2"]
    content = json.loads(run("mistakes", "sign-flipped", "--json", "--hint", 1).out)
    assert len(content["hints"]) == 1
    assert content["examples"]["lesson"] == {"dZ2 = A2 - Y": "dZ2 = Y - A2"}


def test_a_planted_program_is_printed_whole(run):
    text = planted("lesson", mistakes()["sign-flipped"].examples["lesson"])
    assert run("mistakes", "sign-flipped", "--example", "lesson").out == text
    assert json.loads(run("mistakes", "sign-flipped", "--example", "lesson", "--json").out)["text"] == text


def test_an_exercise_from_beginning_to_end(run, tmp_path):
    ran = run("sabotage", "mine.py", "--mistake", "sign-flipped", "--program", "entiers")
    assert ran.status == 0
    assert "about 94% of the test images" in ran.out
    assert "pasapas sabotage mine.py --diagnose CODE --line N" in ran.out
    path = tmp_path / "mine.py"
    exercise = Exercise("entiers", "sign-flipped")
    assert path.read_text(encoding="utf-8") == exercise.text
    (line,) = exercise.lines()

    wrong = run("sabotage", "mine.py", "--diagnose", "constant-factor", "--line", 3)
    assert wrong.status == 1
    assert "No, it is not 'constant-factor'" in wrong.out
    assert "not in line 3" in wrong.out
    assert "Hint 1" in wrong.out
    assert "sign-flipped" not in wrong.out
    assert "Hint 3" in run("sabotage", "mine.py", "--diagnose", "constant-factor", "--hint", 3).out
    assert "Hint 2" in run("sabotage", "mine.py", "--hint", 2).out

    right = run("sabotage", "mine.py", "--diagnose", "sign-flipped", "--line", line)
    assert right.status == 0
    assert "Right" in right.out
    assert f"in line {line}" in right.out
    assert run("sabotage", "mine.py", "--diagnose", "sign-flipped", "--line", line + 5).status == 1

    revealed = run("sabotage", "mine.py", "--reveal")
    assert "sign-flipped" in revealed.out
    assert "− db1 = ds1.sum(axis=0)\n+ db1 = -ds1.sum(axis=0)" in revealed.out

    path.write_text(exercise.text.replace("-ds1.sum", "ds1.sum"), encoding="utf-8")
    assert "it is repaired" in run("sabotage", "mine.py", "--diagnose", "sign-flipped").out
    path.write_text(exercise.text.replace("-ds1.sum(axis=0)", "np.sum(ds1, 0)"), encoding="utf-8")
    assert "pasapas check mine.py" in run("sabotage", "mine.py", "--diagnose", "sign-flipped").out


def test_an_exercise_in_json(run):
    content = json.loads(run("sabotage", "--seed", 5, "--json").out)
    assert set(content) == {"file", "program", "accuracy"}
    assert content["file"] == "exercise.py"
    assert content["accuracy"] >= 0.88
    told = json.loads(run("sabotage", "--reveal", "--json").out)
    judged = run("sabotage", "--diagnose", told["code"], "--line", told["lines"][0], "--json")
    assert judged.status == 0
    assert json.loads(judged.out) == {
        "file": "exercise.py", "right": True, "mistake": True, "line": True, "state": "planted", "hint": None,
    }  # fmt: skip
    other = next(code for code in mistakes() if code != told["code"])
    judged = run("sabotage", "--diagnose", other, "--json")
    assert judged.status == 1
    assert json.loads(judged.out)["hint"] == told["hints"][0]
    assert json.loads(run("sabotage", "--hint", 2, "--json").out)["hint"] == told["hints"][1]


def test_the_same_seed_writes_the_same_file(run, tmp_path):
    for name in ("a.py", "b.py"):
        assert run("sabotage", name, "--seed", 12).status == 0
    assert (tmp_path / "a.py").read_text() == (tmp_path / "b.py").read_text()
    texts = set()
    for seed in range(6):
        run("sabotage", "a.py", "--seed", seed, "--force")
        texts.add((tmp_path / "a.py").read_text())
    assert len(texts) > 3


def test_a_program_that_does_not_learn_is_said_to(run):
    assert "does not learn" in run("sabotage", "a.py", "--mistake", "update-sign").out
    assert "fails when it runs" in run("sabotage", "b.py", "--mistake", "elementwise-for-matmul").out


def test_nothing_is_overwritten(run, tmp_path):
    (tmp_path / "exercise.py").write_text("mine")
    ran = run("sabotage")
    assert ran.status == 2
    assert "--force" in ran.err
    assert (tmp_path / "exercise.py").read_text() == "mine"
    assert run("sabotage", "--force").status == 0
    assert recognise((tmp_path / "exercise.py").read_text(encoding="utf-8"))


def test_a_right_program_has_no_mistake_to_name(run, tmp_path):
    (tmp_path / "exercise.py").write_text(program("lesson"), encoding="utf-8")
    assert "'exercise.py' is no program of 'pasapas sabotage'" in run("sabotage", "--reveal").err
    (tmp_path / "exercise.py").write_bytes(b"\xff\x00" * 1_000_000)
    assert run("sabotage", "--reveal").status == 2


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("mistakes sign-fliped", "'sign-flipped'"),
        ("mistakes sign-flipped --hint 4", "'4'"),
        ("mistakes sign-flipped --example lessen", "'lesson'"),
        ("mistakes dropout-mask-missing --example lesson", "profond"),
        ("mistakes --hint 1", "--hint"),
        ("mistakes --example lesson", "--example"),
        ("sabotage --program lessen", "'lesson'"),
        ("sabotage --mistake nothing", "'nothing'"),
        ("sabotage --mistake dropout-mask-missing --program lesson", "profond"),
        ("sabotage --seed -1", "'-1'"),
        ("sabotage --line 3", "--diagnose"),
        ("sabotage --hint 0", "'0'"),
        ("sabotage --hint 1 --seed 4", "--seed"),
        ("sabotage --reveal --force", "--force"),
        ("sabotage --diagnose nothing", "'nothing'"),
        ("sabotage --diagnose sign-flipped", "'exercise.py'"),
        ("sabotage --reveal nowhere.py", "'nowhere.py'"),
        ("sabotage nowhere/mine.py", "'nowhere/mine.py'"),
        ("sabotage .", "'.'"),
        ("sabotage . --reveal", "'.'"),
    ],
)
def test_bad_input(refuses, command, names, language):
    refuses(command, names, language)


def test_the_file_runs(run, tmp_path):
    run("sabotage", "--mistake", "bias-gradient-averaged-twice", "--program", "lesson")
    path = tmp_path / "exercise.py"
    path.write_text(path.read_text(encoding="utf-8").replace("[:10000]", "[:500]"), encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "Test accuracy" in done.stdout

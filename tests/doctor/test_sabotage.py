"""Exercises can be told apart, found again after edits, and judged."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from pasapas import PasapasError, i18n
from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.programs import names, program
from pasapas.doctor.sabotage import WELL_ENOUGH, Exercise, choose, exercises, judge, names_in_general, recognise

ALL = pytest.mark.parametrize("exercise", exercises(), ids=lambda e: f"{e.program}-{e.code}")


@ALL
def test_an_exercise_is_recognised_as_handed_out_and_after_edits(exercise):
    text = exercise.text
    ast.parse(text)
    assert recognise(text) == exercise
    assert exercise.state(text) == "planted"
    marked, rest = text.split("\n", 1)
    assert recognise(rest) == exercise  # without its mark
    edited = text.replace("import numpy as np\n", "import numpy as np\nimport matplotlib.pyplot as plt\n\nx = 1\n", 1)
    assert recognise(edited) == exercise
    assert exercise.state(edited.replace("\n\n\n", "\n\n\n# a thought\n")) == "planted"
    assert exercise.lines(edited) == [line + 3 for line in exercise.lines()]
    repaired = f"{marked}\n{program(exercise.program)}"
    assert recognise(repaired) == exercise
    assert exercise.state(repaired) == "repaired"
    assert judge(exercise, repaired, exercise.code).right


@ALL
def test_lines_are_those_that_differ(exercise):
    wrong, right = exercise.text.splitlines(), Counter(program(exercise.program).splitlines())
    put = Counter(wrong[1:]) - right
    places = exercise.lines()
    assert 1 <= len(places) <= 24
    assert all(1 < place <= len(wrong) for place in places)
    assert {line for line in put if line.strip()} <= {wrong[place - 1] for place in places}


@ALL
def test_a_file_does_not_tell_its_mistake(exercise):
    added = exercise.text.removeprefix(f"# pasapas sabotage {exercise.mark}\n")
    assert exercise.code not in exercise.text
    assert added.count("#") <= program(exercise.program).count("#")


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@ALL
def test_hints_are_filled(exercise, language):
    i18n.activate(language)
    for number in (1, 2, 3):
        assert not re.search(r"\{\w*\}", exercise.hint(number))


def test_hints_name_what_stands_in_the_planted_line():
    assert "db3" in Exercise("classe", "bias-gradient-averaged-twice").hint(1)
    assert "delta1" in Exercise("tanh", "batch-mean-twice").hint(1) or "dW1" in Exercise(
        "tanh", "batch-mean-twice"
    ).hint(1)
    for mistake in mistakes().values():
        for hint in mistake.hints:
            hint.show(**names_in_general(mistake))


def test_marks_are_unlike_each_other():
    assert len({exercise.mark for exercise in exercises()}) == len(exercises())


def test_other_files_are_no_exercises():
    assert recognise("") is None
    assert recognise("print('hello')\n") is None
    assert recognise("# pasapas sabotage 00000000\n") is None
    for name in names():
        assert recognise(program(name)) is None


def test_a_correction_of_ones_own_counts_as_changed():
    exercise = Exercise("lesson", "constant-factor")
    corrected = exercise.text.replace("2 * (A2 - Y)", "-(Y - A2)")
    assert recognise(corrected) == exercise
    assert exercise.state(corrected) == "changed"
    (line,) = exercise.lines()
    assert exercise.lines(corrected) == [line]
    assert recognise(corrected.split("\n", 1)[1]) is None


def test_judgements():
    exercise = Exercise("lesson", "sign-flipped")
    (line,) = exercise.lines()
    assert "dZ2 = Y - A2" in exercise.text.splitlines()[line - 1]
    for code, place, right, near in [
        ("sign-flipped", None, True, None),
        ("sign-flipped", line, True, True),
        ("sign-flipped", line + 1, True, True),
        ("sign-flipped", line + 2, False, False),
        ("constant-factor", line, False, True),
        ("constant-factor", None, False, None),
    ]:
        judgement = judge(exercise, exercise.text, code, place)
        assert (judgement.right, judgement.line) == (right, near)
    with pytest.raises(PasapasError, match="sign-flipped"):
        judge(exercise, exercise.text, "sign-fliped")


def test_choosing():
    drawn = [choose(seed) for seed in range(200)]
    assert drawn == [choose(seed) for seed in range(200)]
    assert len(set(drawn)) > 40
    for exercise in drawn:
        assert exercise.accuracy >= WELL_ENOUGH
        assert exercise.mistake.trains
    assert {choose(seed, program="couches").program for seed in range(20)} == {"couches"}
    assert {choose(seed, code="weights-not-transposed").program for seed in range(20)} == {"classe"}
    assert choose(1, "lesson", "update-sign") == Exercise(
        "lesson", "update-sign"
    )  # asked for, though it does not learn
    for name in names():
        assert choose(0, name).learns
    with pytest.raises(PasapasError, match="lesson"):
        choose(0, "lessen")
    with pytest.raises(PasapasError, match="profond, entiers, couches"):
        choose(0, "lesson", "dropout-mask-missing")
    with pytest.raises(PasapasError, match="sign-flipped"):
        choose(0, None, "sign-fliped")


def test_enough_is_there_to_hunt():
    assert len({(e.program, e.code) for e in exercises() if e.learns and e.mistake.trains}) >= 50
    assert sum(mistake.trains for mistake in mistakes().values()) >= 20

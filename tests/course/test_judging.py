"""What a learner is told of an answer."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pasapas
from pasapas import PasapasError, i18n, lessons
from pasapas.course import Lesson, Verdict, progress
from pasapas.course.judging import Slip, by_doctor, by_gradient_check, choice, same_function, same_value
from pasapas.doctor.mistake import Text

TWICE = Slip(lambda x: 4 * x, Text("Only once.", "Une seule fois."))
INPUTS = [(np.array([1.0, 2.0]),), (np.array([[3.0]]),)]


def double(x):
    return 2 * x


def test_a_right_function():
    assert same_function(lambda x: x + x, double, INPUTS).ok


@pytest.mark.parametrize("f", [None, ..., lambda x: ..., lambda x: None, lambda x: (..., ...)])
def test_what_was_not_touched_is_no_answer(f):
    assert same_function(f, double, INPUTS).status == "unanswered"


def not_implemented(x):
    raise NotImplementedError


def test_not_implemented_is_no_answer():
    assert same_function(not_implemented, double, INPUTS).status == "unanswered"


def test_a_slip_is_named_in_both_languages():
    verdict = same_function(lambda x: x * 4, double, INPUTS, [TWICE])
    assert (verdict.status, verdict.message) == ("wrong", "Only once.")
    i18n.activate("fr")
    assert same_function(lambda x: x * 4, double, INPUTS, [TWICE]).message == "Une seule fois."


def test_a_slip_that_cannot_be_made_with_all_inputs_is_passed_over():
    inputs = [(np.eye(2),), (np.ones((2, 3)),)]
    square = Slip(lambda x: x + x.T, Text("Transposed.", "Transposée."))
    assert "it should be" in same_function(lambda x: x + 1, lambda x: x + x, inputs, [square]).message


def test_another_wrong_value_is_shown_beside_what_it_should_be():
    message = same_function(lambda x: 3 * x, double, INPUTS, [TWICE], names=("y",)).message
    assert message == (
        "`y[0]` is 3.0000; it should be 2.0000, when the function is called with an array of shape (2,)."
    )


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (3, "hand over the function itself, without parentheses after its name, not `int`."),
        (lambda x: 1 / 0, "stops with `ZeroDivisionError: division by zero`"),
        (lambda x: x[:1], "has the shape (1,); it should be (2,)"),
        (lambda x: "text", "should be numbers, not `str`"),
        (lambda x: [[1], [2, 3]], "should be numbers, not `list`"),
        (lambda x: x * np.nan, "is nan"),
    ],
)
def test_what_is_no_such_function_is_said_in_one_sentence(f, message):
    verdict = same_function(f, double, INPUTS)
    assert verdict.status == "wrong"
    assert message in verdict.message


def changes(x):
    x *= 2
    return x


def test_inputs_must_stay_as_they_are():
    inputs = [(np.array([1.0, 2.0]),)]
    assert "changes what it is given" in same_function(changes, double, inputs).message
    assert inputs[0][0].tolist() == [1.0, 2.0]


def test_several_values():
    def both(x):
        return x, 2 * x

    names = ("a", "b")
    assert same_function(both, both, INPUTS, names=names).ok
    assert "return 2 values, `a`, `b`" in same_function(lambda x: x, both, INPUTS, names=names).message
    assert "`b[0]`" in same_function(lambda x: (x, x), both, INPUTS, names=names).message


def test_a_value_is_not_given_away():
    slips = [Slip(25, Text("That is the square.", "C’est le carré."))]
    assert same_value(10, 10, slips).ok
    assert same_value(..., 10, slips).status == "unanswered"
    assert same_value(25, 10, slips).message == "That is the square."
    assert same_value(11, 10, slips).message == "your answer is not right yet."


def test_a_choice():
    options = {"a": Text("No: …", "Non : …")}
    assert choice("b", "b", options).ok
    assert choice("a", "b", options).message == "No: …"
    assert choice(..., "b", options).status == "unanswered"
    assert choice([1], "b", options).message == "answer with one of `'a'`, `'b'`."


forward, backward = lessons.forward_propagation, lessons.backward_propagation


def backward_without_gate(X, Y, parameters, cache):
    m = len(X)
    dZ2 = (cache["A2"] - Y) / m
    dZ1 = dZ2 @ parameters["W2"].T
    return {
        "dW1": X.T @ dZ1,
        "db1": dZ1.sum(axis=0, keepdims=True),
        "dW2": cache["A1"].T @ dZ2,
        "db2": dZ2.sum(axis=0, keepdims=True),
    }


def nothing(X, Y, parameters, cache):
    return ...


def test_the_doctor_judges():
    assert by_doctor(forward=forward, backward=backward).ok
    verdict = by_doctor(forward=forward, backward=backward_without_gate)
    assert verdict.status == "wrong"
    assert [finding.code for finding in verdict.report.findings] == ["activation-derivative-missing"]
    assert "Hint 1 of 3" in str(verdict)
    assert "Hint 2 of 3" in str(verdict.hints(2))
    assert "activation" in verdict._repr_html_()
    assert by_doctor(forward=forward, backward=nothing).status == "unanswered"
    assert by_doctor(forward=forward).status == "unanswered"


def test_the_gradient_check_judges():
    params = {"w": np.array([0.5, -2.0])}
    assert by_gradient_check(lambda p: (np.sum(p["w"] ** 2), {"dw": 2 * p["w"]}), params).ok
    verdict = by_gradient_check(lambda p: (np.sum(p["w"] ** 2), {"dw": p["w"]}), params)
    assert verdict.status == "wrong"
    assert not verdict.report.ok
    assert "return the loss and the gradients" in by_gradient_check(lambda p: 3.0, params).message
    assert by_gradient_check(lambda p: (..., ...), params).status == "unanswered"
    assert by_gradient_check(lambda p: (1.0, {}), params).status == "wrong"


def test_hints_are_shown_one_by_one():
    hints = (Text("First.", "D’abord."), Text("Second.", "Ensuite."))
    verdict = Verdict("wrong", "no.", exercise="Exercise 1.1", all_hints=hints)
    assert str(verdict) == "✗ Exercise 1.1: no.\n  A hint? Add `.hints(1)` to the end of this cell."
    assert "First." in str(verdict.hints(1))
    assert "Second." not in str(verdict.hints(1))
    assert str(verdict.hints(2)).endswith("Hint 2 of 2: Second.")
    for n in (0, 3, True, "1"):
        with pytest.raises(PasapasError, match="hints 1 to 2"):
            verdict.hints(n)


def test_a_verdict_is_safe_html():
    html = Verdict("wrong", "`<b>` & co", exercise="1")._repr_html_()
    assert "<code>&lt;b&gt;</code> &amp; co" in html


def test_progress_is_kept_beside_the_notebook(tmp_path):
    lesson = Lesson("3-backpropagation", "en")
    assert "0 of" in repr(lesson)
    progress.record("3-backpropagation", 1, "wrong")
    progress.record("3-backpropagation", 1, "right")
    progress.record("3-backpropagation", 1, "wrong")
    assert progress.read(tmp_path) == {"3-backpropagation": {"1": "right"}}
    assert "1 of" in repr(lesson)
    assert "3.1 ✓" in lesson._repr_html_()


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"3-backpropagation": 5}', '{"a": {"1": "right"}' * 2, "[" * 50_000]
)
def test_a_strange_progress_file_counts_for_nothing(tmp_path, content):
    (tmp_path / progress.FILE).write_text(content)
    assert progress.solved(progress.read().get("3-backpropagation", {})) == 0


def test_progress_that_cannot_be_kept_stops_nothing(tmp_path):
    progress.record("3-backpropagation", 1, "right", tmp_path / "missing")
    assert progress.read(tmp_path / "missing") == {}


@pytest.mark.parametrize(("language", "tick"), [("fr", "0,4"), ("en", "0.4")])
def test_the_ticks_of_figures_in_cells_are_written_as_the_language_writes_numbers(language, tick):
    Lesson("1-data-and-neurons", language)
    figure, axes = plt.subplots()
    axes.plot([0, 0.5, 1])
    figure.canvas.draw()
    assert tick in [label.get_text() for label in axes.get_yticklabels()]
    plt.close(figure)


def test_lesson_and_exercise_must_exist():
    with pytest.raises(PasapasError, match="Did you mean '3-backpropagation'"):
        Lesson("3-backprop")
    with pytest.raises(PasapasError, match="Unknown language 'de'"):
        Lesson("3-backpropagation", "de")
    with pytest.raises(PasapasError, match="This lesson has exercises 1 to"):
        Lesson("3-backpropagation", "en").check(99)


def test_the_source_of_what_runs_is_shown():
    shown = Lesson("3-backpropagation", "en").source(pasapas.layers.ReLU)
    assert "class ReLU" in repr(shown)
    assert "ReLU" in shown._repr_html_()

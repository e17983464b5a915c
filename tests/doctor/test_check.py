"""A check from beginning to end: files and live functions, what is said of them, and how it is shown."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

import pasapas
from pasapas import PasapasError, i18n
from pasapas.doctor.programs import planted, program
from pasapas.doctor.report import Comparison, Finding, Report

MISSING = {
    "dW2 = A1.T @ dZ2 / m": "dW2 = A1.T @ dZ2",
    "db2 = np.sum(dZ2, axis=0, keepdims=True) / m": "db2 = np.sum(dZ2, axis=0, keepdims=True)",
    "dW1 = X.T @ dZ1 / m": "dW1 = X.T @ dZ1",
    "db1 = np.sum(dZ1, axis=0, keepdims=True) / m": "db1 = np.sum(dZ1, axis=0, keepdims=True)",
}


@pytest.fixture
def right(tmp_path: Path) -> Path:
    path = tmp_path / "right.py"
    path.write_text(program("lesson"), encoding="utf-8")
    return path


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.py"
    path.write_text(planted("lesson", MISSING), encoding="utf-8")
    return path


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    path = tmp_path / "hanging.py"
    text = program("lesson").replace("    m = X.shape[0]\n", "    m = X.shape[0]\n    while True:\n        pass\n", 1)
    assert "while True" in text
    path.write_text(text, encoding="utf-8")
    return path


# files -----------------------------------------------------------------------------------------------------------


def test_right(run, right):
    start = time.monotonic()
    report = pasapas.check(right)
    assert time.monotonic() - start < 10  # two seconds where nothing else runs
    assert report.verdict == "correct"
    assert report.findings == []
    assert report.right[0] == "Z1"
    assert "dW1" in report.right
    ran = run("check", right)
    assert ran.status == 0
    assert "✓ Right: the gradients are those of the loss." in ran.out
    assert "I read `forward_propagation(X, parameters)` as your forward pass" in ran.out


def test_wrong_as_json(run, wrong):
    ran = run("check", wrong, "--json")
    assert ran.status == 1
    content = json.loads(ran.out)
    assert {"verdict", "findings", "checked"} <= set(content)
    assert content["verdict"] == "wrong"
    assert content["checked"]["forward"] == "forward_propagation"
    assert content["checked"]["backward"] == "backward_propagation"
    assert content["checked"]["W"] == "(n_in, n_out)"
    finding = content["findings"][0]
    assert {"code", "tensor", "layer", "certainty", "message", "hints"} <= set(finding)
    assert finding["code"] == "batch-mean-missing"
    assert finding["layer"] in (1, 2)
    assert finding["message"].startswith("The mean over the batch is missing: see ")
    assert len(finding["hints"]) == 3
    assert content["comparison"]["tensor"] == "dW2"
    theirs, expected = (np.array(content["comparison"][side]) for side in ("theirs", "expected"))
    np.testing.assert_allclose(theirs, expected * round(theirs[0, 0] / expected[0, 0]))


@pytest.mark.parametrize("n", [None, 1, 2, 3])
def test_hints_are_shown_up_to_the_one_asked_for(run, wrong, n):
    """And so the correction is never shown unasked."""
    asked = ("--hint", n) if n else ()
    hints = json.loads(run("check", wrong, "--json", *asked).out)["findings"][0]["hints"]
    assert [bool(hint) for hint in hints] == [i <= (n or 1) for i in (1, 2, 3)]
    out = run("check", wrong, *asked).out
    assert ("Hint 3 of 3" in out) == (n == 3)
    assert ("--hint 2" in out) == (n in (None, 1))
    assert ("--hint 3" in out) == (n == 2)


def test_numbers_are_marked_by_more_than_colour(run, wrong):
    out = run("check", wrong).out
    assert "yours: dW2 (5, 3)" in out
    assert "expected: dW2 (5, 3)" in out
    assert "≠" in out


def test_a_notebook(run, tmp_path):
    path = tmp_path / "carnet.ipynb"
    head, _, tail = planted("lesson", MISSING).partition("def backward_propagation")
    cells = [head, "%matplotlib inline\n!pip install keras", f"def backward_propagation{tail}"]
    content = {"cells": [{"cell_type": "code", "source": c} for c in cells], "metadata": {}, "nbformat": 4}
    path.write_text(json.dumps(content), encoding="utf-8")
    report = pasapas.check(path)
    assert [f.code for f in report.findings] == ["batch-mean-missing"]
    assert "code cell 3, line " in str(report)


def test_a_loop_that_never_ends(run, hanging):
    start = time.monotonic()
    ran = run("check", hanging)
    assert time.monotonic() - start < 15
    assert ran.status == 2
    assert "a loop that never ends" in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no function is defined"),
        ("def f(:\n", "Python says"),
        ("def montrer(x):\n    return x\n", "Functions: montrer."),
        ("def forward(X, W1, b1):\n    return X @ W1 + b1\n", "find no backward pass"),
        ("class A:\n    import ctypes\n    ctypes.string_at(0)\n", "ends Python while it is loaded"),
    ],
)
def test_what_cannot_be_checked(run, tmp_path, text, said):
    (tmp_path / "it.py").write_text(text)
    ran = run("check", "it.py")
    assert ran.status == 2
    assert said in " ".join(ran.out.split())
    content = json.loads(run("check", "it.py", "--json").out)
    assert content["verdict"] == "unrunnable"
    assert content["findings"] == []
    assert said in content["message"]


def test_recognition_can_be_overridden(run, tmp_path):
    _head, _, other = planted("lesson", MISSING).partition("def backward_propagation")
    body, _, _tail = other.partition("\n\n\n")
    (tmp_path / "it.py").write_text(f"{program('lesson')}\n\ndef second{body}\n", encoding="utf-8")
    assert json.loads(run("check", "it.py", "--json").out)["verdict"] == "correct"
    content = json.loads(run("check", "it.py", "--json", "--backward", "second").out)
    assert content["findings"][0]["code"] == "batch-mean-missing"
    assert content["checked"]["backward"] == "second"
    assert pasapas.check("it.py", forward="forward_propagation", backward="second").verdict == "wrong"


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("check", "'pasapas check'"),
        ("check nothing.py", "'nothing.py'"),
        ("check right.py --hint 4", "--hint"),
        ("check right.py --seconds soon", "--seconds"),
        ("check right.py --seconds nan", "--seconds"),
        ("check right.py --backward backward", "'backward'"),
    ],
)
@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_bad_input(refuses, right, command, names, language):
    refuses(command, names, language)


def test_in_french(run, wrong):
    ran = run("check", wrong, "--lang", "fr")
    text = " ".join(ran.out.split(" "))
    assert "La moyenne sur le lot manque\u00a0: voir " in text
    assert "Juste jusqu’ici\u00a0: Z1, A1, Z2, P" in text
    assert "obtenu\u00a0: dW2 (5, 3)" in text
    assert "Indice 1 sur 3\u00a0: " in text
    assert "Leçon 3, La rétropropagation" in text
    assert "0,0" in text


# live functions --------------------------------------------------------------------------------------------------

calls = 0
scale = np.ones(3)


def relu(Z):
    return np.maximum(Z, 0)


def forward(X, params):
    global calls
    calls += 1
    Z1 = X @ params["W1"] + params["b1"]
    A1 = relu(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), {"Z1": Z1, "A1": A1, "P": e / e.sum(axis=1, keepdims=True)}


def backward(X, Y, params, cache):
    m = len(X)
    scale[0] += 1
    dZ2 = cache["P"] - Y
    dW2 = cache["A1"].T @ dZ2 / m
    db2 = dZ2.sum(axis=0) / m
    dZ1 = dZ2 @ params["W2"].T
    dW1 = X.T @ dZ1 / m
    db1 = dZ1.sum(axis=0) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def misshapen(X, Y, params, cache):
    dZ2 = (cache["P"] - Y) / len(X)
    dW2 = cache["A1"] @ dZ2
    return {"dW2": dW2, "dW1": dW2, "db1": dW2, "db2": dW2}


def my_measure(P, Y):
    return -np.mean(np.sum(Y * np.log(P + 1e-12), axis=1))


class Network:
    def __init__(self, n_in, n_hidden, n_out):
        random = np.random.default_rng(0)
        self.W1, self.b1 = random.normal(size=(n_in, n_hidden)), np.zeros(n_hidden)
        self.W2, self.b2 = random.normal(size=(n_hidden, n_out)), np.zeros(n_out)

    def forward(self, X):
        self.X, self.A1 = X, np.tanh(X @ self.W1 + self.b1)
        Z2 = self.A1 @ self.W2 + self.b2
        e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
        self.P = e / e.sum(axis=1, keepdims=True)
        return self.P

    def backward(self, Y):
        d2 = (self.P - Y) / len(Y)
        self.dW2, self.db2 = self.A1.T @ d2, d2.sum(axis=0)
        d1 = (d2 @ self.W2.T) * (1 - self.A1**2)
        self.dW1 = self.X.T @ d1
        self.db1 = d1.mean(axis=0)


def test_live_functions():
    report = pasapas.check(forward=forward, backward=backward, loss=my_measure)
    assert [f.code for f in report.findings] == ["activation-derivative-missing"]
    assert report.checked["forward"] == "forward"
    assert report.checked["loss"] == "my_measure"
    assert ".hints(2)" in str(report)
    assert "Hint 2" in str(report.hints(2))


def test_nothing_of_yours_is_changed():
    np.random.seed(7)
    drawn = np.random.random()
    np.random.seed(7)
    before = calls, scale.copy()
    pasapas.check(forward=forward, backward=backward)
    assert calls == before[0]
    np.testing.assert_array_equal(scale, before[1])
    assert np.random.random() == drawn


def test_live_methods():
    network = Network(4, 3, 2)
    weights = network.W1.copy()
    report = pasapas.check(forward=network.forward, backward=network.backward)
    assert [f.code for f in report.findings] == ["bias-gradient-averaged-twice"]
    assert report.findings[0].tensor == "db1"
    np.testing.assert_array_equal(network.W1, weights)
    assert not hasattr(network, "X")


def test_errors_of_live_functions_are_explained():
    report = pasapas.check(forward=forward, backward=misshapen)
    assert "`cache['A1'] @ dZ2` multiplies (m, 5) by (m, 3)" in " ".join(str(report).split())
    assert "line 3 of misshapen" in " ".join(str(report).split()).lower()


def test_functions_without_a_text():
    names: dict = {"np": np, "relu": relu}
    source = "\n\n".join(
        [
            "def forward(X, params):\n    Z1 = X @ params['W1'] + params['b1']\n    A1 = relu(Z1)\n    Z2 = A1 @ params['W2'] + params['b2']\n"
            "    e = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True), A1",
            "def backward(X, Y, params, P, A1):\n    d2 = Y - P\n    d1 = (d2 @ params['W2'].T) * (A1 > 0)\n    m = len(X)\n"
            "    return {'W1': X.T @ d1 / m, 'b1': d1.sum(0) / m, 'W2': A1.T @ d2 / m, 'b2': d2.sum(0) / m}",
            "def initialize(a, b, c):\n    return {'W1': np.ones((a, b)), 'b1': np.zeros(b), 'W2': np.ones((b, c)), 'b2': np.zeros(c)}",
        ]
    )
    exec(source, names)
    report = pasapas.check(forward=names["forward"], backward=names["backward"], initialize=names["initialize"])
    assert report.verdict in ("wrong", "unknown")
    assert report.checked["backward"] == "backward"


@pytest.mark.parametrize(
    "arguments", [{}, {"forward": forward}, {"forward": "forward", "backward": backward}, {"backward": "backward"}]
)
def test_nothing_to_check(arguments):
    with pytest.raises(PasapasError, match="nothing to check"):
        pasapas.check(**arguments)


def test_a_file_and_functions(right):
    with pytest.raises(PasapasError, match="names of functions"):
        pasapas.check(right, backward=backward)


# how it is shown ---------------------------------------------------------------------------------------------------


def test_html_escapes_what_is_the_learners():
    evil = "<script>alert(1)</script>"
    comparison = Comparison("dW2", evil, np.array([[1.0, np.nan]]), np.array([[1.0, 2.0]]))
    report = Report("wrong", [Finding("sign-flipped", "dW2", 2, "exact", {"name": evil, "function": evil})])
    report.comparison, report.checked = comparison, {"forward": evil, "backward": evil}
    report.notes = [("{note}", {"note": evil})]
    for shown in (report._repr_html_(), report.hints(3)._repr_html_()):
        assert "<script" not in shown
        assert "&lt;script&gt;" in shown
    assert "NaN" in report._repr_html_()
    assert json.loads(report.to_json())["comparison"]["theirs"] == [[1.0, "nan"]]
    with pytest.raises(PasapasError, match="hints 1, 2 and 3"):
        report.hints(4)


def test_unknown_says_which_tensor_and_by_how_much():
    report = Report("unknown", comparison=Comparison("dW1", "W1", np.array([[1.0, 2.5]]), np.array([[1.0, 2.0]])))
    text = " ".join(str(report).split())
    assert "dW1 (yours: W1) is the first tensor that is wrong: by 0.5 at most" in text
    assert "largest number should be 2." in text
    assert report.status == 1
    report.comparison = Comparison("db1", "b1", np.ones((11, 5)), np.ones(5))
    assert "its shape is (11, 5), and (5,) was expected" in " ".join(str(report).split())


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e3, 1e9])
def test_numbers_can_be_compared_at_every_scale(scale):
    random = np.random.default_rng(0)
    expected = scale * random.normal(size=(30, 20))
    theirs = expected.copy()
    theirs[17, 12] *= 1.5
    report = Report("unknown", comparison=Comparison("dW1", "dW1", theirs, expected))
    text = str(report)
    assert max(map(len, text.split("\n"))) <= 80
    (marked,) = [line for line in text.split("\n") if "≠" in line and "differs" not in line]
    assert marked.split()[0] == "17"
    digits = [cell.strip("≠-0.e") for cell in marked.split()[1:] if "≠" in cell]
    assert len(digits[0]) >= 3


def test_a_code_that_the_catalogue_does_not_have():
    report = Report("wrong", [Finding("no-such-mistake", "dW1", 1)])
    assert "no-such-mistake" in str(report)
    assert json.loads(report.to_json(3))["findings"][0]["hints"] == ["", "", ""]

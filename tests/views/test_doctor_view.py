"""The view Doctor, without a server."""

from __future__ import annotations

import base64
import json
import tempfile

import pytest

from pasapas import PasapasError
from pasapas.doctor import programs
from pasapas.doctor.checkup import check_file
from pasapas.doctor.sabotage import choose
from pasapas.i18n import speaking
from pasapas.views.doctor import DoctorView

LOOP = "def forward(X, W1, b1):\n    while True: pass\n\ndef backward(X, Y, W1, b1):\n    while True: pass\n"


@pytest.fixture
def view() -> DoctorView:
    return DoctorView()


def opened(view, name, content: bytes):
    return view.answer("open", {"name": name, "content": base64.b64encode(content).decode()})


def notebook(*cells: str) -> bytes:
    content = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def plain(reply) -> str:
    """A reply as text, which must not say where on this machine anything is."""
    text = json.dumps(reply, ensure_ascii=False, allow_nan=False)
    assert tempfile.gettempdir() not in text
    assert "pasapas-" not in text
    return text


def test_a_planted_mistake_is_named_as_on_the_command_line(view, tmp_path):
    code = view.answer("planted", {"seed": 3})["code"]
    assert code == choose(3).text
    (tmp_path / "code.py").write_text(code)
    expected = check_file(tmp_path / "code.py").as_dict()
    first, second, third = view.answer("check", {"code": code})["reports"]
    assert first["verdict"] == "wrong"
    assert first["findings"][0]["code"] == expected["findings"][0]["code"] == choose(3).code
    assert first["findings"][0]["message"] == expected["findings"][0]["message"]
    assert code.split("\n")[first["findings"][0]["line"] - 1].strip() == first["findings"][0]["text"] != ""
    assert [len(one["findings"][0]["hints"]) for one in (first, second, third)] == [1, 2, 3]
    numbers = first["numbers"]
    assert any(map(any, numbers["differs"]))
    assert [len(side) for side in numbers["sides"]] == [len(numbers["rows"])] * 2
    assert first["findings"][0]["command"] == "pasapas course --open 3"
    plain([first, second, third])


def test_a_right_program_is_right(view):
    report = view.answer("check", {"code": programs.program("lesson")})["reports"][0]
    assert (report["verdict"], report["findings"], report["numbers"]) == ("correct", [], None)
    assert "dW2" in report["right"]


def test_passes_can_be_named(view):
    code = programs.program("lesson").replace("backward_propagation", "zurueck")
    assert view.answer("check", {"code": code, "backward": "zurueck"})["reports"][0]["verdict"] == "correct"
    with pytest.raises(PasapasError, match="no function 'elsewhere'"):
        view.answer("check", {"code": code, "backward": "elsewhere"})


def test_a_program_that_never_ends_is_ended():
    report = DoctorView(seconds=1.0).answer("check", {"code": LOOP})["reports"][0]
    assert report["verdict"] == "unrunnable"
    plain(report)


@pytest.mark.parametrize("code", [
    "def f(:\n    pass",
    "x = 1",
    "\0\0\0",
    "\ud800 = 1",
    "(" * 5000,
    "import sys; sys.exit(3)",
    "import os\ndef forward(X, W1, b1):\n    raise ValueError(os.getcwd())\ndef backward(X, Y, W1, b1):\n    return open(__file__ + '/x')\n",
    "def backward(X, Y, W1, b1):\n    return open('/etc/shadow').read()\ndef forward(X, W1, b1):\n    return np.load('gone.npy')\n",
], ids=["syntax", "nothing", "nul", "surrogate", "deep", "exit", "paths", "files"])  # fmt: skip
def test_whatever_is_pasted_gets_a_sentence(view, code):
    reports = view.answer("check", {"code": code})["reports"]
    assert [one["verdict"] for one in reports] == ["unrunnable"] * 3
    assert reports[0]["details"][0].endswith(".")
    plain(reports)


def test_where_it_fails_is_a_line_of_the_program(view):
    code = "import numpy as np\n\ndef forward(X, W1, b1):\n    return X @ W1 + b1\n\ndef backward(X, Y, W1, b1):\n    return Xx.T @ (Y - X)\n"
    report = view.answer("check", {"code": code})["reports"][0]
    assert (report["verdict"], report["line"]) == ("unrunnable", 7)


def test_a_python_file_is_opened_as_it_is(view):
    code = "def f():\n    return 'é'\n"
    assert opened(view, "a.py", code.encode()) == {"code": code, "notes": []}
    assert opened(view, "a.py", ("# coding: latin-1\n" + code).encode("latin-1"))["code"].endswith(code)
    assert opened(view, "a.py", b"def f(:")["code"] == "def f(:"


def test_a_notebook_is_opened_cell_by_cell(view):
    found = opened(view, "my notebook.ipynb", notebook("a = 1\nb = 2", "print 3", "c = 4"))
    assert found["code"] == "# %% [1]\na = 1\nb = 2\n# %% [3]\nc = 4"
    assert "Code cell 2 is left out" in found["notes"][0]


def test_a_notebook_is_checked_like_a_program(view):
    lesson = programs.program("lesson")
    there = lesson.index("\ndef backward") + 1
    found = opened(view, "n.ipynb", notebook(lesson[:there], lesson[there:]))
    assert view.answer("check", {"code": found["code"]})["reports"][0]["verdict"] == "correct"


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.py", b"\x00\x01\x02", "'a.py' is a binary file"),
    ("a.ipynb", b"{nothing", "'a.ipynb' is no notebook: its content is not JSON"),
    ("a.ipynb", b"[1, 2]", "'a.ipynb' is no notebook"),
    ("a.ipynb", notebook(), "'a.ipynb' has no code cells"),
    ("../../etc/passwd", b"x y", "'passwd' is not Python code"),
    ("日" * 200 + ".py", b"\x00", "is a binary file"),
    ("a.py", b"x" * 1_000_001, "'a.py' is too large"),
])  # fmt: skip
def test_a_file_that_is_no_program_is_refused_with_its_name(view, name, content, words):
    with pytest.raises(PasapasError, match=words) as caught:
        opened(view, name, content)
    plain(str(caught.value))


def test_what_is_no_base64_is_refused(view):
    with pytest.raises(PasapasError, match="base64"):
        view.answer("open", {"name": "a.py", "content": "é"})


def test_hints_are_in_the_language_of_whoever_asks(view):
    code = choose(3).text
    with speaking("fr"):
        french = view.answer("check", {"code": code})["reports"][0]
    english = view.answer("check", {"code": code})["reports"][0]
    assert french["headline"] == "Une erreur."
    assert french["findings"][0]["hints"] != english["findings"][0]["hints"]

"""Reading what a learner handed in: Python files and notebooks as they come."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pasapas.doctor.magics import body, without_magics
from pasapas.doctor.reading import Unreadable, read

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "work.py") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def notebook(*cells: str | list[str], **metadata: Any) -> str:
    made = [{"cell_type": "code", "source": c, "outputs": [], "execution_count": 1, "metadata": {}} for c in cells]
    made.insert(1, {"cell_type": "markdown", "source": "# not code", "metadata": {}})
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made})


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence[-1] in ".?"
    return sentence


def test_a_python_file_is_read_as_it_is(write: Write) -> None:
    source = "import numpy as np\n\ndef forward(X):\n    return X  # é\n"
    submission = read(write(source))
    assert submission.source == source
    assert submission.notes == ()
    assert submission.where(3) == "line 3"
    assert ast.dump(submission.tree) == ast.dump(ast.parse(source))
    assert read(str(submission.path)).source == source


@pytest.mark.parametrize(
    "content",
    [
        "x = 'é'\n".encode(),
        "\ufeffx = 'é'\n".encode(),
        "x = 'é'\n".encode("latin-1"),
        "# -*- coding: cp1252 -*-\nx = 'é'\n".encode("cp1252"),
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        "# coding: nonsense\nx = 'é'\n".encode(),
        "# coding: ascii\nx = 'é'\n".encode(),
        "x = 'é'\n".encode("utf-16"),
        "x = 'é'\r\n".encode(),
        "x = 'é'\r".encode(),
    ],
)
def test_encodings_and_ends_of_lines(write: Write, content: bytes) -> None:
    source = read(write(content)).source
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert namespace["x"] == "é"
    assert "\r" not in source


def test_a_string_with_an_odd_escape_is_no_warning(write: Write) -> None:
    assert read(write('x = "\\d"\ny = x is "a"\n')).source.startswith("x")


def test_tabs_and_spaces_mixed(write: Write) -> None:
    submission = read(write("def f(x):\n        y = x\n\tz = '\ta'\n        return z\n"))
    namespace: dict[str, Any] = {}
    exec(submission.source, namespace)
    assert namespace["f"](1) == "\ta"
    assert submission.notes == ("Tabs and spaces are mixed; each tab was read as 8 spaces.",)
    four = read(write("def f(x):\n    y = x\n\treturn y\n"))
    assert "4 spaces" in four.notes[0]


def test_a_notebook_is_one_text_and_its_cells_are_found_again(write: Write) -> None:
    path = write(
        notebook("import numpy as np\n%matplotlib inline", [], ["def f(x):\n", "    return x\n", "\n", "!ls"]),
        "a.ipynb",
    )
    submission = read(path)
    assert submission.source.split("\n") == [
        "import numpy as np",
        "pass",
        "def f(x):",
        "    return x",
        "",
        "pass",
    ]
    assert submission.where(1) == "code cell 1, line 1"
    assert submission.where(2) == "code cell 1, line 2"
    assert submission.where(4) == "code cell 3, line 2"
    assert submission.where(6) == "code cell 3, line 4"


def test_nbformat_3(write: Write) -> None:
    cells = [
        {"cell_type": "heading", "source": "x"},
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y = 2"]},
        {"cell_type": "code", "language": "python", "input": "z = 3"},
    ]
    path = write(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells[:2]}, {"cells": cells[2:]}]}), "a.ipynb")
    assert read(path).source == "x = 1\ny = 2\nz = 3"


def test_a_cell_that_does_not_parse_is_left_out_with_a_note(write: Write) -> None:
    submission = read(write(notebook("x = 1", "def f(:\n    pass", "print 'x'", "y = 2"), "a.ipynb"))
    assert submission.source == "x = 1\ny = 2"
    assert submission.where(2) == "code cell 4, line 1"
    assert submission.notes == (
        "Code cell 2 is left out: on its line 1, Python says “invalid syntax”.",
        "Code cell 3 is left out: it is written in Python 2 (line 1).",
    )


def test_a_notebook_under_another_name_is_one_all_the_same(write: Write) -> None:
    assert read(write(notebook("x = 1"), "work.py")).where(1) == "code cell 1, line 1"
    assert read(write(notebook("x = 1"), "work.ipynb.txt")).source == "x = 1"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("    %load_ext autoreload", "    pass"),
        ("!pip install \\\n  numpy 'a\nx = 1", "pass\n\nx = 1"),
        ("?np.dot\nnp.dot?\nnp.dot??\n??f", "pass\npass\npass\npass"),
        ("files = !ls *.py", "files = None"),
        ("a.b['c'] = %pwd", "a.b['c'] = None"),
        ("%time params = f(x)\n", "params = f(x)\n"),
        ("%timeit f(x)", "pass"),
        ("!echo don't\ny = 'a'", "pass\ny = 'a'"),
        ("x = '''\n%not a magic\n!nor this\n'''\n%magic", "x = '''\n%not a magic\n!nor this\n'''\npass"),
        ('x = """a\n%b\\"""\n%c\n"""\n!d', 'x = """a\n%b\\"""\n%c\n"""\npass'),
        ("x = (a\n  % b)\n%magic", "x = (a\n  % b)\npass"),
        ("x = a \\\n  % b\n%magic", "x = a \\\n  % b\npass"),
        ("x = 'it''s' # ' (\n%magic", "x = 'it''s' # ' (\npass"),
        ("# vraiment ?\nx = a != b\n%m", "# vraiment ?\nx = a != b\npass"),
        ("x = 'a\\'b' + \"c\"\n%m", "x = 'a\\'b' + \"c\"\npass"),
        ("x = {'a': [1,\n%s\n]}", "x = {'a': [1,\n%s\n]}"),
    ],
)
def test_ipythons_lines(code: str, expected: str) -> None:
    assert without_magics(code) == expected
    assert code.count("\n") == expected.count("\n")


def test_magics_of_whole_cells(write: Write) -> None:
    assert body("%%time\nx = 1") == "\nx = 1"
    assert body("\n%%timeit -n 3\nx = 1") == "\n\nx = 1"
    assert body("x = 1\n%%time") == "x = 1\n%%time"
    for magic in ("bash", "html", "writefile a.py", "javascript", "sql", "R"):
        assert body(f"%%{magic}\nx = 1") is None
    submission = read(write(notebook("%%time\nx = 1", "%%bash\nls", "y = 2"), "a.ipynb"))
    assert submission.source == "\nx = 1\ny = 2"
    assert submission.where(3) == "code cell 3, line 1"
    assert submission.notes == ()


def test_an_exported_notebook_has_magics_too(write: Write) -> None:
    assert read(write("!pip install numpy\nimport numpy as np\n")).source == "pass\nimport numpy as np\n"


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("def f(:\n  pass", "a.py", "on line 1, Python says “invalid syntax”"),
        ("x = 1\nprint 'hello'\n", "a.py", "Python 2 (line 2)"),
        ("try:\n    x\nexcept A, e:\n    pass\n", "a.py", "Python 2 (line 3)"),
        (b"\x7fELF\x00\x01", "a.py", "binary"),
        (b"%PDF-1.4\n1 0 obj", "a.py", "document"),
        ("x = (" * 300, "a.py", "Python says"),
        ("x = " + "-" * 100_000 + "1", "a.py", "nested too deeply"),
        ("x = " + "+".join(["1"] * 5000), "a.py", "nested too deeply"),
        ("x = 1\n" * 200_000, "a.py", "too large"),
        ("not json", "a.ipynb", "not JSON"),
        ("", "a.ipynb", "not JSON"),
        ("[" * 100_000, "a.ipynb", "not JSON"),
        ("[1]", "a.ipynb", "no cells"),
        ("{}", "a.ipynb", "no code cells"),
        ('{"cells": 5, "worksheets": [3, {"cells": {}}]}', "a.ipynb", "no code cells"),
        ('{"cells": [3, {"cell_type": "code", "source": [1, null]}]}', "a.ipynb", "no code cells"),
        (notebook(" ", "\n"), "a.ipynb", "no code cells"),
        (notebook("%%bash\nls"), "a.ipynb", "no code cell that parses"),
        (notebook("print 'x'"), "a.ipynb", "no code cell that parses. Code cell 1"),
        (notebook("x <- 1", kernelspec={"language": "R", "name": "ir"}), "a.ipynb", "in R, not in Python"),
        (notebook("x = 1\n" * 200_000), "a.ipynb", "too large"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_cannot_be_read_is_told_in_one_sentence(write: Write, content: str, name: str, says: str) -> None:
    path = write(content, name)
    assert says in refusal(path)
    assert str(path) in refusal(path)


def test_no_such_file(tmp_path: Path, write: Write) -> None:
    write("x = 1", "devoir.py")
    assert refusal(tmp_path / "devior.py").endswith("Did you mean 'devoir.py'?")
    assert refusal(tmp_path / "zzzzz").endswith("zzzzz'.")
    assert "folder" in refusal(tmp_path)
    assert "There is no file" in refusal(tmp_path / "a\0b")
    assert "There is no file" in refusal(tmp_path / "none" / "a.py")
    assert "no ordinary file" in refusal(Path("/dev/null"))

"""What the READMEs show works, and both show the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def my_function(params):
    return float(np.sum(params["x"] ** 3)), {"dx": 3 * params["x"] ** 2}


@pytest.mark.parametrize("name", ["README.md", "README.fr.md"])
def test_python_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = {"x": np.array([1.0, -2.0])}
    given = {"my_function": my_function, "my_params": mine, "ma_fonction": my_function, "mes_parametres": mine}
    code = blocks(name, "python")
    assert len(code) == 2
    for block in code:
        names = dict(given)
        exec(compile(block, name, "exec"), names)
        if "accuracy" in names:
            assert names["accuracy"] > 0.93
            np.testing.assert_array_equal(names["model"].predict(names["test"].images[:10]), names["digits"])


def test_both_have_the_same_commands_and_links():
    for language in ("console",):
        assert blocks("README.md", language) == blocks("README.fr.md", language)
    for name in ("README.md", "README.fr.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert (ROOT / link).exists(), link


def test_every_command_that_is_named_exists(run):
    for name in ("README.md", "README.fr.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for command in set(re.findall(r"`pasapas (\w+)", text)):
            assert run(command, "--help").status == 0, command


def test_the_numbers_of_the_step_are_those_that_are_shown(run):
    for name, language in (("README.md", "en"), ("README.fr.md", "fr")):
        (shown,) = (block for block in blocks(name, "text") if "dZ2 =" in block)
        out = re.sub(r"\s+", " ", run("explain", "--lang", language).out)
        for line in shown.strip().splitlines():
            assert re.sub(r"\s+", " ", line).strip() in out, line

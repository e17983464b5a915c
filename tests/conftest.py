from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import settings

from pasapas import Dataset, i18n, load_mnist
from pasapas.cli import main

# what JAX compiles is shared among the workers, and leaves the user's own cache alone
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.path.join(tempfile.gettempdir(), "pasapas-tests-jax"))

settings.register_profile("pasapas", deadline=None)  # a busy machine is no failure
settings.load_profile("pasapas")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins in English, whatever the machine speaks."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PASAPAS_LANG", "en")
    i18n.activate("en")
    yield
    i18n.activate("en")


@pytest.fixture(scope="module")  # as long as it is open, nothing else in the process can run an event loop of its own
def browser() -> Iterator[Any]:
    """Chromium. Without one the tests are skipped, but not where everything is to be there (CI)."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        _without("playwright is not installed")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            _without(f"no Chromium to be started: {error.message.splitlines()[0]}")
        yield started
        started.close()


def _without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def mnist() -> tuple[Dataset, Dataset]:
    return load_mnist()


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(2024)


@dataclass
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs `pasapas` with these arguments in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> Ran:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run


@pytest.fixture
def refuses(run: Callable[..., Ran], tmp_path: Path) -> Callable[[str, str, str], None]:
    """Asserts that a command is refused: status 2, one sentence that names what is wrong, nothing left behind."""

    def refuses(command: str, names: str, language: str) -> None:
        before = sorted(tmp_path.rglob("*"))
        name, *options = command.split()
        ran = run(name, "--lang", language, *options)
        assert ran.status == 2, ran.err
        assert ran.out == ""
        assert ran.err.count("\n") == 1
        assert ran.err.startswith("Erreur\u00a0: " if language == "fr" else "Error: ")
        assert (names.replace("'", "") if language == "fr" else names) in ran.err
        assert sorted(tmp_path.rglob("*")) == before

    return refuses

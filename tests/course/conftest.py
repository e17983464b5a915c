from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Lessons keep what is solved in the folder they are in."""
    monkeypatch.chdir(tmp_path)

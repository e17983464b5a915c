"""A class: one that hangs or crashes holds nobody up, and what is counted is right."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pasapas import PasapasError, i18n
from pasapas.doctor import classroom
from pasapas.doctor.catalogue import find
from pasapas.doctor.classroom import Entry, check_all, submissions
from pasapas.doctor.classroom_html import page
from pasapas.doctor.programs import planted, program
from pasapas.doctor.report import Finding, Report

WRONG = {"batch-mean-missing": ("lesson", "tanh", "classe"), "sign-flipped": ("lesson",)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten submissions: three right, four wrong, one that hangs, one that crashes, one that is empty."""
    folder = tmp_path / "class"
    folder.mkdir()
    texts = {f"right-{name}": program(name) for name in ("lesson", "tanh", "classe")}
    for code, names in WRONG.items():
        for name in names:
            texts[f"wrong-{code}-{name}"] = planted(name, find(code).examples[name])
    first_line = "    m = X.shape[0]\n"
    assert first_line in program("lesson")
    texts["hangs"] = program("lesson").replace(first_line, first_line + "    while True:\n        pass\n", 1)
    texts["crashes"] = "class A:\n    import ctypes\n    ctypes.string_at(0)\n" + program("lesson")
    texts["<b>empty"] = ""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "notes.txt").write_text("not for the doctor")
    return folder


@pytest.fixture
def entries(folder: Path) -> list[Entry]:
    return check_all(submissions([folder]))


class Page(HTMLParser):
    """What is in a page: its text, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_data(self, data):
        self.words.append(data)


def test_one_that_hangs_or_crashes_holds_nobody_up(folder):
    told: list[int] = []
    start = time.monotonic()
    paths = submissions([folder])
    found = check_all(paths, done=told.append)
    assert time.monotonic() - start < 60
    assert told == list(range(1, 11))
    assert [entry.path for entry in found] == paths
    verdicts = {entry.path.stem: entry.report.verdict for entry in found}
    assert verdicts["hangs"] == verdicts["crashes"] == "unrunnable"
    for name, verdict in verdicts.items():
        if name.startswith("right"):
            assert verdict == "correct", name
        if name.startswith("wrong"):
            assert verdict == "wrong", name
    assert classroom.status(found) == 2
    assert dict(classroom.commonest(found)) == {"batch-mean-missing": 3, "sign-flipped": 1}
    assert dict(classroom.verdicts(found)) == {"correct": 3, "wrong": 4, "unknown": 0, "unrunnable": 3}


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_page(entries, language):
    i18n.activate(language)
    text = page(entries)
    read = Page()
    read.feed(text)
    assert f"<html lang='{language}'>" in text
    assert not [address for address in read.addresses if not address.startswith("file:")]
    assert not re.search(r"@import|url\(|https?:", text)
    words = " ".join(read.words)
    assert str(find("batch-mean-missing").name) in words
    assert "<b>empty.py" in words
    assert "<b>empty.py" not in text
    assert read.tags.count("details") == 10 + 2
    assert "prefers-color-scheme: dark" in text
    first, second = re.findall(r"<td class='n'[^>]*>(\d+)</td>", text)
    assert (first, second) == ("3", "1")
    for n, verdict in ((3, "correct"), (4, "wrong"), (3, "unrunnable")):
        assert re.search(rf"<li class='{verdict}'>.*?<b>{n} ", text)


def test_command(run, folder, tmp_path):
    ran = run("check", folder, "--report", tmp_path / "class.html", "--csv", tmp_path / "class.csv")
    assert ran.status == 2
    assert ran.err == ""
    assert "✓ 3 right   ✗ 4 wrong   ! 3 do not run" in ran.out
    assert (tmp_path / "class.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    content = (tmp_path / "class.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 10
    assert tuple(rows[0]) == classroom.COLUMNS
    codes = [row["code"] for row in rows if row["code"]]
    assert sorted(codes) == ["batch-mean-missing"] * 3 + ["sign-flipped"]
    assert all(row["message"] for row in rows)


def test_json_is_one_object_in_each_line(run, folder):
    paths = sorted(folder.glob("right-*.py"))
    ran = run("check", *paths, "--json")
    assert ran.status == 0, ran.out
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["file"] for one in found] == [str(path) for path in paths]
    assert {one["verdict"] for one in found} == {"correct"}


def test_spreadsheets_run_no_formula():
    for name in ("=1+1", "@SUM(A1)", "+1", "-1"):
        entry = Entry(Path(name), Report("wrong", [Finding("sign-flipped", "dW1", 1)]))
        row = list(csv.reader(io.StringIO(classroom.as_csv([entry]).decode("utf-8-sig"))))[1]
        assert row[0] == f"'{name}"


def test_our_own_failure_is_not_the_end(folder, monkeypatch):
    def fails(path, *_):
        if path.stem == "hangs":
            raise ZeroDivisionError("oh")
        return Report("correct")

    monkeypatch.setattr(classroom, "check_file", fails)
    found = {entry.path.stem: entry.report for entry in check_all(submissions([folder]))}
    assert found.pop("hangs").verdict == "unrunnable"
    assert {report.verdict for report in found.values()} == {"correct"}


def test_which_files(folder, tmp_path):
    with pytest.raises(PasapasError, match="no file"):
        submissions([folder, tmp_path / "nothing.py"])
    (tmp_path / "none").mkdir()
    with pytest.raises(PasapasError, match="in the folder"):
        submissions([tmp_path / "none"])
    one = next(folder.glob("right-*.py"))
    assert submissions([one, folder])[0] == one
    assert len(submissions([one, folder])) == 10

"""Everything a user reads exists in French and in English, and both say the same thing."""

from __future__ import annotations

import ast
import re
import string
import threading
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import pasapas
from pasapas import i18n

SOURCE = Path(pasapas.__file__).parent
CATALOGUE = SOURCE / "locale" / "fr" / "LC_MESSAGES" / "pasapas.po"


def in_source() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(str(SOURCE), [("**.py", "python")])
    return {message[2] if isinstance(message[2], str) else tuple(message[2]) for message in found}


@pytest.fixture(scope="module")
def french():
    with CATALOGUE.open("rb") as file:
        return {m.id if isinstance(m.id, str) else tuple(m.id): m for m in read_po(file, locale="fr") if m.id}


def test_every_message_is_translated_and_none_is_left_over(french):
    assert set(french) == in_source()
    assert len(french) > 150
    for message in french.values():
        assert not message.fuzzy
        assert all(message.string) if isinstance(message.string, tuple) else message.string


def test_no_message_hides_in_an_f_string():
    """Before Python 3.12 the extraction does not look into them, and the message would stay English."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                called = [n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
                assert not {"_", "N_", "ngettext"} & set(called), f"{path.name}, line {node.lineno}"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_placeholders_and_line_breaks_agree(french):
    for key, message in french.items():
        sources = key if isinstance(key, tuple) else (key,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for translated in strings:
            assert placeholders(translated) <= placeholders(sources[-1]), key
            assert translated.count("\n") == sources[0].count("\n"), key
        assert placeholders(strings[-1]) == placeholders(sources[-1]), key


def test_french_typography(french):
    """No-break spaces before : ; ! ? % and inside guillemets; straight quotes in code alone, and no others there."""
    for message in french.values():
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            plain = re.sub(r"\{[^}]*\}", "x", text)
            assert not re.search(r" [:;!?%»]|« ", plain), text
            assert not re.search(r"[^\s\u00a0\u202f][;!?]|\w:(?=\s)|\d%", plain), text
            assert not re.search(r"(pip install |\w\()’", plain), text
            prose = re.sub(r"(pip install |\w\()'[^']*'", "", plain)
            assert "'" not in prose, text
            assert '"' not in prose, text


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("0.9653", "60,000", "92.25%", "-1,234.5", "100.0%")),
        ("fr", ("0,9653", "60\u202f000", "92,25\u202f%", "-1\u202f234,5", "100,0\u202f%")),
    ],
)
def test_numbers(language, texts):
    i18n.activate(language)
    got = i18n.number(0.96534), i18n.integer(60000), i18n.percent(0.9225), i18n.number(-1234.5, 1), i18n.percent(1, 1)
    assert got == texts


def test_short_numbers():
    for language, texts in (("en", ["0.05", "100", "1e-08"]), ("fr", ["0,05", "100", "1e-08"])):
        i18n.activate(language)
        assert [i18n.short(value) for value in (0.05, 100.0, 1e-8)] == texts


def test_plurals():
    for language, expected in (
        ("en", ["0 epochs", "1 epoch", "2 epochs"]),
        ("fr", ["0 époque", "1 époque", "2 époques"]),
    ):
        i18n.activate(language)
        assert [i18n.ngettext("{n} epoch", "{n} epochs", n).format(n=n) for n in range(3)] == expected


def test_a_block_speaks_its_own_language_and_leaves_others_alone():
    i18n.activate("en")
    heard = []
    with i18n.speaking("fr"):
        other = threading.Thread(target=lambda: heard.append((i18n.language(), i18n.number(0.5, 1))))
        other.start()
        other.join()
        assert (i18n.language(), i18n.number(0.5, 1)) == ("fr", "0,5")
        with i18n.speaking("en"):
            assert i18n.number(0.5, 1) == "0.5"
        assert i18n._("Epoch") == "Époque"
    assert heard == [("en", "0.5")]
    assert (i18n.language(), i18n._("Epoch")) == ("en", "Epoch")

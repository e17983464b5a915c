"""Every lesson and every solution is executed, on real data, in both languages; and the two languages are in step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from notebooks import COURSE, LANGUAGES, NAMES, WITHOUT, Executed, execute, notebook

from pasapas.course.exercises import exercises_of
from pasapas.doctor.texts import LESSONS

CLAIMS = Path(__file__).parent / "claims"
KINDS = (".", "solutions")
TURNS = ("À toi de jouer", "Your turn")

each = pytest.mark.parametrize("name", NAMES)
in_each_language = pytest.mark.parametrize("language", LANGUAGES)
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def number(name: str) -> int:
    return int(name.split("-")[0])


def verdicts(done: Executed) -> list[str]:
    """The first line that each check of an exercise showed."""
    return [
        output.data["text/plain"].split("\n")[0]
        for cell in done.cells
        if cell.cell_type == "code" and cell.source.startswith("lesson.check(")
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]


def markdown(name: str, language: str, kind: str = ".") -> list[str]:
    return [cell.source for cell in notebook(name, language, kind).cells if cell.cell_type == "markdown"]


def headings(texts: list[str]) -> list[str]:
    return re.findall(r"^#+ .*", "\n".join(texts), re.MULTILINE)


def test_the_course_is_complete():
    assert [*LESSONS] == NAMES
    for language in LANGUAGES:
        for kind in KINDS:
            assert sorted(path.stem for path in (COURSE / language / kind).glob("*.ipynb")) == NAMES
        assert sorted(path.stem for path in (COURSE / language / "teacher").glob("*.md")) == NAMES
    assert sorted(path.stem for path in CLAIMS.glob("*.py")) == NAMES


@each
@in_each_language
def test_a_lesson_runs_unsolved_and_keeps_what_it_claims(name, language, tmp_path):
    # a browser Python has no compiled packages beside NumPy and matplotlib; lesson 7 says that it needs SciPy
    without = WITHOUT if number(name) < 7 else ()
    done = execute(notebook(name, language), tmp_path, without, CLAIMS / f"{name}.py")
    exercise = {"fr": "Exercice", "en": "Exercise"}[language]
    expected = [f"… {exercise} {number(name)}.{n}" for n in range(1, len(exercises_of(number(name))) + 1)]
    assert [line[: len(due)] for line, due in zip(verdicts(done), expected, strict=True)] == expected
    assert {path.name for path in tmp_path.iterdir()} <= {"pasapas-progress.json", *_saved(name)}


def _saved(name: str) -> set[str]:
    """The files that a lesson leaves beside itself, as its text says."""
    return {word for text in markdown(name, "en") for word in re.findall(r"`([\w-]+\.\w+)`", text)}


@each
@in_each_language
def test_every_solution_is_judged_right(name, language, tmp_path):
    done = execute(notebook(name, language, "solutions"), tmp_path)
    shown = verdicts(done)
    assert len(shown) == len(exercises_of(number(name)))
    assert all(line.startswith("✓") for line in shown), shown


@each
@of_each_kind
def test_both_languages_have_the_same_code(name, kind):
    french, english = (notebook(name, language, kind).cells for language in LANGUAGES)
    assert [(cell.id, cell.cell_type) for cell in french] == [(cell.id, cell.cell_type) for cell in english]
    for fr, en in zip(french, english, strict=True):
        if fr.cell_type != "code":
            continue
        if "language" in fr.metadata.get("tags", []):
            assert fr.source == f'lesson = Lesson("{name}", "fr")\nlesson'
            assert en.source == fr.source.replace('"fr"', '"en"')
        else:
            assert fr.source == en.source
    assert sum("language" in cell.metadata.get("tags", []) for cell in french) == 1


@each
@of_each_kind
def test_both_languages_have_the_same_headings_and_exercises(name, kind):
    french, english = (headings(markdown(name, language, kind)) for language in LANGUAGES)
    assert [h.split()[0] for h in french] == [h.split()[0] for h in english]
    numbers = [re.findall(rf"{turn} (\d\.\d)", "\n".join(h)) for turn, h in zip(TURNS, (french, english), strict=True)]
    assert numbers[0] == numbers[1] == [f"{number(name)}.{n}" for n in range(1, len(exercises_of(number(name))) + 1)]
    cells = notebook(name, "fr", kind).cells
    assert sum("exercise" in cell.metadata.get("tags", []) for cell in cells) == len(numbers[0])


@each
@of_each_kind
@in_each_language
def test_a_notebook_is_clean(name, kind, language):
    nb = notebook(name, language, kind)
    assert nb.nbformat == 4
    assert nb.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in nb.cells:
        assert cell.source.strip(), cell.id
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.id
            assert cell.execution_count is None, cell.id
            assert "http" not in cell.source, cell.id


@each
@in_each_language
def test_links_lead_somewhere(name, language):
    for kind in KINDS:
        folder = COURSE / language / kind
        for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(markdown(name, language, kind))):
            if not target.startswith(("http", "#")):
                assert (folder / target).exists(), target


@each
def test_exercises_have_hints_in_both_languages(name):
    for exercise in exercises_of(number(name)):
        assert 2 <= len(exercise.hints) <= 4
        for hint in exercise.hints:
            assert hint.en
            assert hint.fr
            assert hint.en != hint.fr


@each
def test_advice_for_teachers_is_the_same_in_both_languages(name):
    french, english = (
        headings([(COURSE / language / "teacher" / f"{name}.md").read_text(encoding="utf-8")]) for language in LANGUAGES
    )
    assert [h.split()[0] for h in french] == [h.split()[0] for h in english]
    assert len(french) >= 4


def french_texts() -> list[tuple[str, str]]:
    texts = []
    for name in NAMES:
        for kind in KINDS:
            texts += [(f"{kind}/{name}", text) for text in markdown(name, "fr", kind)]
        texts.append((f"teacher/{name}", (COURSE / "fr" / "teacher" / f"{name}.md").read_text(encoding="utf-8")))
        for exercise in exercises_of(number(name)):
            texts += [(f"hints of {name}", hint.fr) for hint in exercise.hints]
    return texts


def test_french_typography():
    """No-break spaces before : ; ! ? % and inside guillemets, the typographic apostrophe, decimal commas."""
    found = []
    for place, text in french_texts():
        plain = re.sub(
            r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|https?://\S+", "x", text, flags=re.DOTALL
        )
        plain = re.sub(r"^[|\s:-]+$", "", plain, flags=re.MULTILINE)  # the rule below a table's head
        for pattern in (r" [:;!?%»]|« ", r"\w[;!?](?=\s|$)|\w:(?=\s)|\d%", r"\w'\w", r"\d\.\d+ (?!·)(?=[^\d·]*[a-zé])"):
            found += [(place, m[0], plain[max(0, m.start() - 30) : m.end() + 20]) for m in re.finditer(pattern, plain)]
    assert not found

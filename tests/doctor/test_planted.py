"""A sample of the benchmark's programs: every mistake once, some more, and right programs in other styles."""

from __future__ import annotations

import contextlib
import io
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.checkup import check_file
from pasapas.doctor.diagnosis import diagnose
from pasapas.doctor.inventory import Inventory
from pasapas.doctor.recognition import recognise
from pasapas.doctor.session import Session

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from planting.mistakes import PLANTERS, everything
from planting.running import Driver, differing, observations
from planting.styles import styles
from planting.writing import program

HARD = (
    "correct--082--dialect2-depth4-relu--dropout--reverse",
    "accuracy-wrong--kept-dimension--dialect1-depth4-relu",
    "accuracy-wrong--one-hot-labels--dialect1-depth2-tanh",
    "output-delta-extra-derivative--hidden-activation's--dialect1-depth4-leaky-relu",
    "wrong-input-in-weight-gradient--A0-layer4--dialect2-depth4-tanh",
)
"""Programs of which only the whole set showed that something else was found in them; now always in the sample."""


def sample(seed: int = 0, more: int = 14):
    """One program for each mistake, of two or three layers, which takes less time, and some of all."""
    source, planted = random.Random(seed), everything()
    by_code = {code: [p for p in planted if p.code == code and p.setting.depth < 4] for code in PLANTERS}
    chosen = [source.choice(programs) for programs in by_code.values()]
    chosen += [p for p in planted if p.name in HARD and p not in chosen]
    return chosen + source.sample([p for p in planted if p not in chosen], more)


PLANTED = sample()
RIGHT = random.Random(0).sample(styles(), 20) + [r for r in styles(120) if r.name in HARD]


SCRIPT = ("inputs-not-scaled", "labels-misaligned")
"""What may show only where the script runs, with its data: in a process of its own."""


def finding(text: str, path: Path | None = None) -> str:
    """The code of the first finding, or the verdict; with a path, of a file."""
    if path is not None:
        path.write_text(text, encoding="utf-8")
        found = check_file(path)
        return found.findings[0].code if found.findings else found.verdict
    session = Session()
    with contextlib.redirect_stdout(io.StringIO()):
        session.load(text, 2.0)
        recognition = recognise(session, Inventory.of(text))
        assert recognition.binding is not None
        report = diagnose(recognition)
    return report.findings[0].code if report.findings else report.verdict


def test_every_mistake_of_the_catalogue_is_planted():
    assert set(PLANTERS) == set(mistakes())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("p", PLANTED, ids=lambda p: p.name)
def test_the_first_finding_is_what_was_planted(p, tmp_path):
    right = observations(p.setting, program(p.setting))
    assert differing(p.setting, p.text, right)
    assert finding(p.text, tmp_path / "program.py" if p.code in SCRIPT else None) == p.code


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("r", RIGHT, ids=lambda r: r.name)
def test_a_right_program_in_another_style_is_correct(r):
    course = replace(r.setting, names="course")
    assert Driver(course, program(course)).gradients_are_right()
    assert finding(r.text) == "correct"

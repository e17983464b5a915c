"""Every example of the catalogue is diagnosed, and every program without a mistake is passed."""

import pytest

from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.diagnosis import diagnose
from pasapas.doctor.inventory import Inventory
from pasapas.doctor.programs import names, planted, program
from pasapas.doctor.recognition import recognise
from pasapas.doctor.session import Session

EXAMPLES = [(code, name) for code, mistake in mistakes().items() for name in mistake.examples]


def report(source):
    session = Session()
    session.load(source, 5)
    recognition = recognise(session, Inventory.of(source))
    assert recognition.binding is not None
    return diagnose(recognition)


@pytest.mark.parametrize("name", names())
def test_a_right_program_is_correct(name):
    found = report(program(name))
    assert (found.verdict, found.findings) == ("correct", [])


@pytest.mark.parametrize(("code", "name"), EXAMPLES, ids=[f"{code}-{name}" for code, name in EXAMPLES])
def test_a_planted_mistake_is_named(code, name):
    found = report(planted(name, mistakes()[code].examples[name]))
    assert found.verdict == "wrong"
    assert found.findings[0].code == code


def test_every_mistake_has_examples_in_three_styles():
    assert {code for code, mistake in mistakes().items() if len(mistake.examples) < 3} == set()

"""The programs are right, and each mistake that is planted in them makes them wrong where its stage says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import driving
import numpy as np
import pytest
from driving import DRIVERS, driver

from pasapas import PasapasError
from pasapas.doctor.catalogue import mistakes
from pasapas.doctor.programs import names, planted, program
from pasapas.doctor.sabotage import WELL_ENOUGH, measured

EXAMPLES = [(code, name) for code, mistake in mistakes().items() for name in mistake.examples]


def test_every_program_has_a_driver():
    assert set(names()) == set(DRIVERS)


def test_unknown_programs_are_refused():
    with pytest.raises(PasapasError, match="lesson"):
        program("lessen")


def test_an_edit_must_fit_exactly_once():
    with pytest.raises(ValueError, match="0 times"):
        planted("lesson", {"nothing like it": ""})
    with pytest.raises(ValueError, match="times, not once"):
        planted("lesson", {"Z1": "Z2"})
    with pytest.raises(ValueError, match="overlap"):
        planted("lesson", {"dZ2 = A2 - Y": "", "A2 - Y  # (m, 10)": ""})


def central_differences(made: driving.Driver, step: float = 1e-6) -> list[np.ndarray]:
    slopes = []
    for array in made.params:
        slope = np.zeros_like(array)
        for index in np.ndindex(*array.shape):
            kept = array[index]
            array[index] = kept + step
            above = made.loss()
            array[index] = kept - step
            below = made.loss()
            array[index] = kept
            slope[index] = (above - below) / (2 * step)
        slopes.append(slope)
    return slopes


@pytest.mark.parametrize("name", names())
def test_the_gradients_of_the_right_programs(name):
    made = driver(name, program(name))
    for _ in range(2):  # nothing is kept from one call to the next
        gradients = made.gradients()
        for gradient, slope, array in zip(gradients, central_differences(made), made.params, strict=True):
            assert gradient.shape == array.shape
            assert np.abs(slope).max() > 1e-3
            np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", names())
def test_the_right_programs_learn(name, mnist):
    made = driver(name, program(name))
    images, labels = mnist[0].images[:3000], mnist[0].labels[:3000]
    assert made.learn(images, labels, 0)[1] < 0.65
    _, accuracy = made.learn(images, labels, 8)
    assert accuracy > 0.75


@pytest.mark.parametrize("name", names())
def test_the_right_programs_withstand_large_numbers(name):
    made = driver(name, program(name))
    assert np.isfinite(made.certain())
    assert np.isfinite(made.huge()).all()


def test_a_program_runs_as_it_is_handed_out(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(program("tanh").replace("[:10000]", "[:500]").replace("epochs=10", "epochs=1"), encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "exactitude" in done.stdout


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives, or the error that it raises."""
    with np.errstate(all="ignore"):
        try:
            return function(*arguments)
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and np.allclose(a, b, equal_nan=True)
    if isinstance(a, (float, np.floating)) and isinstance(b, (float, np.floating)):
        return bool(np.isclose(a, b, equal_nan=True))
    return bool(a == b) if type(a) is type(b) and not hasattr(a, "__dict__") else type(a).__name__ == type(b).__name__


def observations(name: str, text: str, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """All that can be seen of a program, each with fresh state."""
    made = lambda: driver(name, text)  # noqa: E731
    first = made()
    return {
        "data": outcome(first.data, images, labels),
        "init": outcome(first.init),
        "loss": outcome(first.loss),
        "certain": outcome(first.certain),
        "huge": outcome(first.huge),
        "gradients": outcome(made().gradients),
        "again": outcome(lambda d: (d.gradients(), d.gradients()), made()),
        "given": outcome(made().given),
        "learned": outcome(made().learn, images, labels, 1),
    }


SEEN_IN = {
    "data": {"data"},
    "initialisation": {"init"},
    "forward": {"loss", "huge", "gradients"},
    "loss": {"loss", "certain"},
    "backward": {"gradients"},
    "update": {"learned"},
    "measure": {"learned"},
}
ELSEWHERE = {
    "gradient-accumulated": {"again"},
    "cache-mutated": {"given"},
    "updated-before-backpropagation": {"learned"},
}
NOT_IN = {
    "data": {"loss", "gradients", "init"},
    "initialisation": {"data", "loss", "gradients"},
    "loss": {"data", "init", "learned"},
    "backward": {"data", "init", "certain", "huge"},
    "update": {"data", "init", "loss", "gradients"},
    "measure": {"data", "init", "gradients"},
}


@pytest.fixture(scope="module")
def right() -> dict[str, dict[str, Any]]:
    return {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("code", "name"), EXAMPLES)
def test_a_planted_mistake_shows_at_its_stage_and_not_before(code, name, right, mnist):
    images, labels = mnist[0].images[:60], mnist[0].labels[:60]
    if name not in right:
        right[name] = observations(name, program(name), images, labels)
    mistake = mistakes()[code]
    text = planted(name, mistake.examples[name])
    assert text != program(name)
    seen = observations(name, text, images, labels)
    differ = {key for key in seen if not alike(seen[key], right[name][key])}
    expected = ELSEWHERE.get(code, SEEN_IN[mistake.stage])
    if code == "labels-misaligned":
        expected = expected | {"learned"}  # in some programs it is the loop that shuffles X alone
    assert differ & expected, differ
    unchanged = NOT_IN.get(mistake.stage, {"data", "init"})
    assert not differ & unchanged, differ
    if code == "symmetric-initialisation":
        weights = [a for a in arrays_in(seen["init"]) if a.ndim == 2 and min(a.shape) > 1]
        assert weights
        assert all(np.ptp(a) == 0 for a in weights)
    if code in ("softmax-overflow", "log-of-zero"):
        key = "huge" if code == "softmax-overflow" else "certain"
        assert not np.isfinite(seen[key]).all()
    if code in ("cache-mutated", "gradient-accumulated"):
        assert alike(seen["gradients"], right[name]["gradients"])


def arrays_in(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [array for item in items for array in arrays_in(item)]


@pytest.mark.parametrize("code", mistakes())
def test_every_mistake_is_planted_in_three_programs(code):
    assert len(mistakes()[code].examples) >= 3


def test_no_two_planted_programs_are_the_same():
    texts = [planted(name, mistakes()[code].examples[name]) for code, name in EXAMPLES]
    assert len(set(texts)) == len(texts)


def test_what_was_measured_is_what_is_planted():
    assert set(measured()) == {"right", *mistakes()}
    assert min(measured()["right"].values()) > 0.93
    for code, mistake in mistakes().items():
        assert set(measured()[code]) == set(mistake.examples)
        if mistake.trains:  # then the first example does, and so well that nobody notices
            assert measured()[code][next(iter(mistake.examples))] >= WELL_ENOUGH

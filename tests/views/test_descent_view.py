"""The view Descent, without a server."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

from pasapas import PasapasError
from pasapas.i18n import speaking
from pasapas.studies.demonstrations import LANDSCAPES
from pasapas.views.descent import DescentView

ONE = [one.name for one in LANDSCAPES.values() if len(one.start) == 1]
TWO = [one.name for one in LANDSCAPES.values() if len(one.start) == 2]


@pytest.fixture
def view() -> DescentView:
    return DescentView()


def numbers(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.parametrize("name", ONE)
def test_a_curve_is_the_function(view, name):
    found = view.answer("curve", {"function": name})
    x, values = numbers(found["x"]), numbers(found["values"])
    assert (x[0], x[-1]) == pytest.approx((*LANDSCAPES[name].low, *LANDSCAPES[name].high))
    np.testing.assert_allclose(values, LANDSCAPES[name].value(x[:, None].astype(float)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TWO)
def test_a_surface_is_the_function_the_lowest_y_first(view, name):
    found, landscape = view.answer("surface", {"function": name}), LANDSCAPES[name]
    values = numbers(found["values"]).reshape(found["rows"], found["columns"])
    corner = [landscape.high[0], landscape.low[1]]
    assert values[0, -1] == pytest.approx(landscape.value(np.array(corner)), rel=1e-5)
    across, up = np.subtract(landscape.high, landscape.low)
    assert (found["rows"] - 1) / (found["columns"] - 1) == pytest.approx(up / across, rel=0.02)
    assert values.min() < min(found["levels"]) < max(found["levels"]) < values.max()


@pytest.mark.parametrize("momentum", [0.0, 0.6])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_the_arithmetic_says_what_was_done(view, name, momentum, nesterov):
    fields = {"start": LANDSCAPES[name].start, "learning_rate": 0.02, "momentum": momentum, "nesterov": nesterov}
    with speaking("en"):
        found = view.answer("path", {"function": name, "steps": 5, **fields})
    json.dumps(found, allow_nan=False)
    for step in found["arithmetic"]:
        for line in step:
            sum_, result = re.sub(r"^\w = ", "", line).replace("−", "-").replace("·", "*").split(" = ")
            assert eval(sum_) == pytest.approx(float(result), rel=5e-3, abs=5e-3)
    ends = [line.split(" = ")[-1] for line in found["arithmetic"][-1] if line[0] != "v"]
    assert [float(end.replace("−", "-")) for end in ends] == pytest.approx(found["points"][-1], rel=1e-3)


@pytest.mark.parametrize("regime", LANDSCAPES["parabola"].rates)
def test_the_six_regimes_are_named_and_explained(view, regime):
    rate = LANDSCAPES["parabola"].rates[regime]
    found = view.answer("path", {"function": "parabola", "start": [2.5], "learning_rate": rate, "steps": 15})
    assert found["regime"] == regime
    with speaking("en"):
        assert regime in view.about()["regimes"]
        found = view.answer("path", {"function": "parabola", "start": [2.5], "learning_rate": rate, "steps": 15})
    assert f"1 − 2α = {f'{1 - 2 * rate:.4g}'.replace('-', '−')}:" in found["why"]


def test_where_it_ended_is_said(view):
    def result(name, start, rate, steps):
        with speaking("en"):
            return view.answer("path", {"function": name, "start": start, "learning_rate": rate, "steps": steps})[
                "result"
            ]

    assert result("parabola", [2.5], 0.5, 10) == "comes to x = 0 in 1 step"
    assert result("parabola", [2.5], 1.1, 10) == "leaves the picture at step 2"
    assert result("parabola", [2.5], 0.1, 2) == "not at a minimum after 2 steps"
    assert result("saddle", [0.0, 0.5], 0.5, 20).startswith("comes to (0; 1) in ")


def test_french_has_decimal_commas(view):
    with speaking("fr"):
        found = view.answer("path", {"function": "parabola", "start": [2.5], "learning_rate": 0.1, "steps": 2})
    assert found["arithmetic"][0] == ["x = 2,5 − 0,1 · 5 = 2"]


def test_every_function_and_regime_has_words(view):
    about = view.about()
    for one in about["functions"]:
        assert one["label"]
        assert one["hint"]
        assert set(one["rates"]) <= set(about["regimes"])
    json.dumps(about, allow_nan=False)


@pytest.mark.parametrize(("kind", "fields"), [
    ("curve", {"function": "valley"}),
    ("surface", {"function": "parabola"}),
    ("path", {"function": "cliff", "start": [1.0], "learning_rate": 0.1}),
    ("path", {"function": "parabola", "start": [1.0, 2.0], "learning_rate": 0.1}),
    ("path", {"function": "parabola", "start": [float("nan")], "learning_rate": 0.1}),
    ("path", {"function": "parabola", "start": [101.0], "learning_rate": 0.1}),
    ("path", {"function": "parabola", "start": [1.0], "learning_rate": 0.0}),
    ("path", {"function": "parabola", "start": [1.0], "learning_rate": float("inf")}),
    ("path", {"function": "parabola", "start": [1.0], "learning_rate": 0.1, "momentum": 1.0}),
    ("path", {"function": "parabola", "start": [1.0], "learning_rate": 0.1, "steps": 201}),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(view, kind, fields):
    with pytest.raises(PasapasError, match=r"\.$"):
        view.answer(kind, fields)

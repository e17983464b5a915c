from __future__ import annotations

import builtins
import json
import math
import sys

import numpy as np
import pytest

from pasapas import PasapasError, i18n, mlp, trace
from pasapas.views import step_view
from pasapas.views.stages import answer, arrays, describe


@pytest.fixture
def step(mnist):
    network = mlp(784, 12, 10)
    return trace(network, network.initialize(), mnist[0].images[:3], mnist[0].labels[:3], learning_rate=0.1)


@pytest.fixture
def without_anywidget(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **options):
        if name.partition(".")[0] in ("anywidget", "ipywidgets", "traitlets"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delitem(sys.modules, "pasapas.views.widget", raising=False)


def test_without_anywidget_the_step_shows_itself(step, without_anywidget):
    assert step_view(step) is step


def test_only_a_step_can_be_shown():
    with pytest.raises(PasapasError, match="type ndarray"):
        step_view(np.zeros(3))


# What the page is given


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_stages_are_in_the_order_of_the_computation(step, language):
    i18n.activate(language)
    about = describe(step)
    names = [stage["name"] for stage in about["stages"]]
    assert names == ["X", "Z1", "A1", "Z2", "P", "L", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1",
                     "W1_new", "b1_new", "W2_new", "b2_new", "L_new"]  # fmt: skip
    assert list(about["tensors"]) == list(step.tensors)
    groups = [stage["group"] for stage in about["stages"]]
    assert groups == ["forward"] * 5 + ["loss"] + ["backward"] * 7 + ["update"] * 5
    assert {group["key"] for group in about["groups"]} == set(groups)
    assert about["language"] == language
    Z1 = about["tensors"]["Z1"]
    assert Z1["formula"] == step["Z1"].formula
    assert Z1["meaning"] == step["Z1"].meaning
    assert Z1["operands"] == ["X", "W1", "b1"]
    assert about["tensors"]["X"]["side"] == 28
    assert about["tensors"]["X"]["captions"] == ["5", "0", "4"]
    assert about["tensors"]["W1"]["side"] == 0
    assert json.loads(json.dumps(about, allow_nan=False)) == about


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "input_dropout": 0.2}], ids=str)
@pytest.mark.parametrize("sizes", [(5, 3), (5, 4, 6, 2, 3)], ids=str)
def test_no_two_stages_stand_at_one_place(random, sizes, options):
    network = mlp(*sizes, **options)
    params = network.with_masks(network.initialize(), 4, random)
    about = describe(trace(network, params, random.random((4, 5)), random.integers(0, 3, 4)))
    places = [(stage["row"], stage["column"], stage["half"]) for stage in about["stages"]]
    assert len(set(places)) == len(places)
    for tensor in about["tensors"].values():
        row, column = tensor["start"]
        assert 0 <= row < tensor["rows"]
        assert 0 <= column < tensor["columns"]


def test_numbers_travel_as_float32(step):
    sent = arrays(step)
    for tensor in step:
        got = np.frombuffer(sent[tensor.name], "<f4")
        np.testing.assert_array_equal(got, tensor.value.astype(np.float32).ravel())
    assert sum(map(len, sent.values())) < 4 * 3 * (784 * 12 + 2000)


def test_a_table_shows_four_digits_of_the_largest_number(step):
    tensors = describe(step)["tensors"]
    assert tensors["y"]["digits"] == 0
    assert tensors["X"]["digits"] == 3
    for name in ("Z1", "dW1", "dZ2"):
        largest = float(np.abs(step[name].value).max())
        assert 10**3 <= largest * 10 ** tensors[name]["digits"] < 10**4
    assert all(math.isfinite(tensor["largest"]) for tensor in tensors.values())


# What it asks


def test_an_entry_is_accounted_for(step):
    reply = answer(step, {"id": 7, "tensor": "Z1", "index": [1, 4]})
    assert (reply["id"], reply["tensor"], reply["index"], reply["entry"]) == (7, "Z1", [1, 4], "Z1[1,4]")
    assert reply["regions"] == [
        {"tensor": "X", "text": "X[1, :]", "rows": [1, 2], "columns": [0, 784]},
        {"tensor": "W1", "text": "W1[:, 4]", "rows": [0, 784], "columns": [4, 5]},
        {"tensor": "b1", "text": "b1[4]", "rows": [0, 1], "columns": [4, 5]},
    ]
    assert len(reply["terms"]) == 8
    assert abs(reply["terms"][0]["share"]) == 1
    assert [entry["tensor"] for entry in reply["terms"][0]["entries"]] == ["X", "W1"]
    assert all(entry["text"] in reply["terms"][0]["names"] for entry in reply["terms"][0]["entries"])
    assert reply["more"].startswith("+ 777 more")
    assert json.loads(json.dumps(reply, allow_nan=False)) == reply


def test_every_stage_answers(step):
    for tensor in step:
        reply = answer(step, {"id": 1, "tensor": tensor.name, "index": [0] * tensor.value.ndim})
        assert "error" not in reply
        assert bool(reply["terms"]) == (tensor.formula is not None)
        json.dumps(reply, allow_nan=False)


class Hostile(dict):
    pass


@pytest.mark.parametrize(
    "question",
    [
        None, 3, "Z1", [], {}, {"tensor": "Z1"}, {"index": [0, 0]}, {"tensor": ["Z1"], "index": [0, 0]},
        {"tensor": "Z9", "index": [0, 0]}, {"tensor": "__class__", "index": [0, 0]}, {"tensor": "x" * 10**6, "index": [0]},
        {"tensor": "Z1", "index": [0]}, {"tensor": "Z1", "index": [0, 0, 0]}, {"tensor": "Z1", "index": [0] * 10**5},
        {"tensor": "Z1", "index": [-1, 0]}, {"tensor": "Z1", "index": [3, 0]}, {"tensor": "Z1", "index": [0, 10**30]},
        {"tensor": "Z1", "index": [0.0, 0]}, {"tensor": "Z1", "index": [True, 0]}, {"tensor": "Z1", "index": ["0", 0]},
        {"tensor": "Z1", "index": [None, 0]}, {"tensor": "Z1", "index": {"0": 0}}, {"tensor": "Z1", "index": [[0], 0]},
        {"tensor": "Z1", "index": [float("nan"), 0]}, {"tensor": "L", "index": [0]}, {"id": "<b>", "tensor": 1, "index": 1},
        {"id": 10**400, "tensor": "Z1", "index": [7, 7]}, Hostile(tensor="Z1", index=None),
    ],
    ids=lambda question: str(question)[:40],
)  # fmt: skip
@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_what_cannot_be_answered_gets_a_sentence(step, question, language):
    i18n.activate(language)
    reply = answer(step, question)
    assert set(reply) == {"id", "error"}
    assert reply["id"] is None
    assert reply["error"].endswith(".")
    assert len(reply["error"]) < 300


# The widget


@pytest.fixture
def view(step):
    pytest.importorskip("anywidget")
    return step_view(step)


def test_a_viewer_without_widgets_sees_the_plain_step(view, step):
    data, _metadata = view._repr_mimebundle_()
    assert data["text/html"] == step._repr_html_()
    assert data["text/plain"] == repr(step)
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_widget_has_all_that_the_page_reads(view, step):
    state = view.get_state()
    assert state["about"] == describe(step)
    assert state["arrays"] == arrays(step)
    assert state["stage"] == "X"
    assert "export default" in state["_esm"]
    assert ".pasapas-step" in state["_css"]


def test_the_widget_answers_messages(view, monkeypatch):
    sent = []
    monkeypatch.setattr(view, "send", lambda content, buffers=None: sent.append(content))
    view._handle_custom_msg({"id": 1, "tensor": "A1", "index": [0, 0]}, [])
    view._handle_custom_msg({"id": 2, "tensor": "A1", "index": [0, 99]}, [])
    view._handle_custom_msg("rubbish", [b""])
    assert sent[0]["regions"][0]["text"] == "Z1[0, 0]"
    assert "no entry [0, 99]" in sent[1]["error"]
    assert len(sent) == 3


def test_the_stage_can_be_set_but_to_no_other_name(view):
    view.stage = "dZ1"
    with pytest.raises(PasapasError, match="no tensor 'dZ9'"):
        view.stage = "dZ9"
    assert view.stage == "dZ1"

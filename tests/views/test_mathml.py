from __future__ import annotations

import pytest

from pasapas import i18n, mlp, trace
from pasapas.layers import ACTIVATIONS
from pasapas.views.mathml import mathml


def flat(node):
    content = node[1]
    return content if isinstance(content, str) else "".join(map(flat, content))


def tags(node):
    yield node[0]
    if not isinstance(node[1], str):
        for child in node[1]:
            yield from tags(child)


@pytest.mark.parametrize("convention", ["mean", "per-example"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("options", [{}, {"dropout": 0.2, "l2": 1e-5, "label_smoothing": 0.1}], ids=str)
def test_every_formula_can_be_drawn(random, convention, activation, options):
    network = mlp(6, 5, 4, 3, activation=activation, **options)
    params = network.with_masks(network.initialize(dtype="float64"), 4, random)
    step = trace(network, params, random.random((4, 6)), random.integers(0, 3, 4), convention=convention)
    for tensor in step:
        if tensor.formula:
            text = flat(mathml(tensor.latex))
            assert not set(text) & set("\\{}_^<"), text
            assert "=" in text


def test_how_it_is_built():
    W, one = ["msub", [["mi", "W"], ["mn", "1"]]], ["mn", "1"]
    assert mathml("X W_1") == ["mrow", [["mi", "X"], W]]
    assert mathml(r"\frac{1}{m}") == ["mrow", [["mfrac", [one, ["mi", "m"]]]]]
    assert mathml("W_1^{+}") == ["mrow", [["msubsup", [["mi", "W"], ["mn", "1"], ["mo", "+"]]]]]
    assert mathml(r"e^{-Z_1}")[1][0][0] == "msup"
    assert mathml(r"\sum_{\text{batch}} Z")[1][0] == ["munder", [["mo", "∑"], ["mtext", "batch"]]]
    assert mathml(r"\mathbf{1}[Z > 0]")[1][0] == ["mn", "1", "bold"]
    assert mathml(r"(1 \text{ or } 0.01)")[1][2] == ["mtext", "\u00a0or\u00a0"]
    assert flat(mathml(r"dZ_{12} \odot \partial L")) == "dZ12⊙∂L"


def test_numbers_and_words_in_french():
    i18n.activate("fr")
    assert flat(mathml("0.01 Z")) == "0,01Z"
    assert flat(mathml("2e-05 W")) == "2e-05W"


@pytest.mark.parametrize("latex", [r"\sqrt{2}", r"\frac{1}", "{Z", r"\text{unheard of}", "Z}", "&"])
def test_what_no_formula_of_ours_has_is_refused(latex):
    with pytest.raises(ValueError, match=r"."):
        mathml(latex)

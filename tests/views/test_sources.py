"""The sum of an entry's terms is the entry, and it depends on what is lit and on nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pasapas import He, PasapasError, i18n, mlp, trace
from pasapas.layers import ACTIVATIONS
from pasapas.tracing import formulas
from pasapas.views.sources import SHOWN, WHOLE, Sum, account, more, sources, written

SIZES = [(5, 3), (5, 4, 3), (7, 5, 6, 3), (4, 6, 3, 5, 2)]
OPTIONS = [{}, {"dropout": 0.4, "input_dropout": 0.3}, {"l2": 0.1, "label_smoothing": 0.2}]


def a_step(random, *sizes, convention="mean", m=4, **options):
    network = mlp(*sizes, **options)
    params = network.initialize(He(), seed=3, dtype="float64")
    for p in params:
        if "b" in p:
            p["b"] = random.standard_normal(p["b"].shape)
    X, y = random.standard_normal((m, sizes[0])), random.integers(0, sizes[-1], m)
    masked = network.with_masks(params, m, random)
    return trace(network, masked, X, y, learning_rate=0.3, convention=convention)


def entries(tensor):
    return list(np.ndindex(tensor.shape))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("convention", ["mean", "per-example"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_terms_of_every_entry_add_up_to_it(random, sizes, activation, convention, options):
    step = a_step(random, *sizes, activation=activation, convention=convention, **options)
    for tensor in step:
        for index in entries(tensor)[:: 1 if tensor.value.size < 30 else 5]:
            found = account(step, tensor.name, index)
            if tensor.formula is None:
                assert found.sum is None
                assert found.regions == ()
            else:
                assert found.sum is not None
                assert found.sum.total == pytest.approx(found.value, rel=1e-11, abs=1e-13), (tensor.name, index)


def evaluated(step, name, changed):
    values = {tensor.name: changed.get(tensor.name, tensor.value) for tensor in step}
    with np.errstate(all="ignore"):
        return formulas.evaluate(step[name].formula, {**values, "m": step.m, "learning_rate": step.learning_rate})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_nothing_that_is_not_lit_matters(random, activation, options):
    """Where every other number of the step is NaN, the entry is what it was."""
    step = a_step(random, 7, 5, 6, 3, activation=activation, **options)
    for tensor in step:
        if tensor.formula is None:
            continue
        for index in {entries(tensor)[0], entries(tensor)[-1], entries(tensor)[len(entries(tensor)) // 2]}:
            lit = set(sources(step, tensor.name, index))
            changed = {}
            for other in step:
                spoilt = np.full(other.shape, -1 if other.name == "y" else np.nan, other.value.dtype)
                for name, at in lit:
                    if name == other.name:
                        spoilt[at] = other.value[at]
                changed[other.name] = spoilt
            assert evaluated(step, tensor.name, changed)[index] == pytest.approx(step[tensor.name].value[index])


def test_everything_that_is_lit_matters(random):
    """Where one of the lit numbers is NaN, so is the entry."""
    step = a_step(random, 6, 5, 3, activation="tanh", l2=0.1, label_smoothing=0.2)
    for tensor in step:
        if tensor.formula is None or tensor.name == "Y":
            continue
        index = entries(tensor)[-1]
        for name, at in sources(step, tensor.name, index):
            spoilt = step[name].value.copy()
            spoilt[at] = np.nan
            assert np.isnan(evaluated(step, tensor.name, {name: spoilt})[index]), (tensor.name, name, at)


def test_what_is_lit_by_hand(random):
    step = a_step(random, 5, 4, 3)

    def lit(name, *index):
        return [str(region) for region in account(step, name, index).regions]

    assert lit("X", 0, 0) == []
    assert lit("Y", 2, 1) == ["y[2]"]
    assert lit("Z1", 2, 3) == ["X[2, :]", "W1[:, 3]", "b1[3]"]
    assert lit("A1", 2, 3) == ["Z1[2, 3]"]
    assert lit("P", 1, 2) == ["Z2[1, :]"]
    assert lit("L") == ["Y[:, :]", "Z2[:, :]"]
    assert lit("dZ2", 1, 2) == ["P[1, 2]", "Y[1, 2]"]
    assert lit("dW2", 3, 1) == ["A1[:, 3]", "dZ2[:, 1]"]
    assert lit("db2", 1) == ["dZ2[:, 1]"]
    assert lit("dA1", 2, 3) == ["dZ2[2, :]", "W2[3, :]"]
    assert lit("dZ1", 2, 3) == ["dA1[2, 3]", "Z1[2, 3]"]
    assert lit("W1_new", 4, 3) == ["W1[4, 3]", "dW1[4, 3]"]
    assert sources(step, "dW2", (3, 1))[:2] == [("A1", (0, 3)), ("A1", (1, 3))]
    assert sources(step, "Z1", (2, 3))[-1] == ("b1", (3,))
    assert len(sources(step, "L_new", ())) == 4 * 5 + 5 * 4 + 4 + 4 * 3 + 3 + 4 * 3


def test_how_terms_are_written(random):
    step = a_step(random, 5, 4, 3)
    assert [term.names for term in account(step, "Z2", (1, 2)).sum.shown()] == [
        "A1[1,0] × W2[0,2]", "A1[1,1] × W2[1,2]", "A1[1,2] × W2[2,2]", "A1[1,3] × W2[3,2]", "b2[2]"
    ]  # fmt: skip
    term = account(step, "dW1", (4, 3)).sum.shown()[2]
    x, d = step["X"].value[2, 4], step["dZ1"].value[2, 3]
    assert term.names == "X[2,4] × dZ1[2,3]"
    assert term.numbers == " × ".join(f"({written(v)})" if v < 0 else written(v) for v in (x, d))
    assert term.value == pytest.approx(x * d)
    assert [str(region) for region in term.regions] == ["X[2, 4]", "dZ1[2, 3]"]
    assert [term.names for term in account(step, "dZ2", (0, 1)).sum.shown()] == ["P[0,1] / m", "−Y[0,1] / m"]
    assert account(step, "W2_new", (0, 1)).sum.shown()[1].names == "−learning_rate × dW2[0,1]"
    assert account(step, "dZ1", (0, 1)).sum.shown()[0].names == "dA1[0,1] × (Z1[0,1] > 0)"
    assert account(step, "L", ()).sum.shown()[0].names in {
        f"−Y[{n},{c}] × log P[{n},{c}] / m" for n in range(4) for c in range(3)
    }
    quotient = account(step, "P", (0, 1))
    assert quotient.sum.shown()[0].names == "exp(Z2[0,1] − c) / S"
    assert [term.names for term in quotient.inside.shown()] == [f"exp(Z2[0,{k}] − c)" for k in range(3)]
    assert quotient.inside.total == pytest.approx(np.exp(step["Z2"].value[0] - step["Z2"].value[0].max()).sum())
    i18n.activate("fr")
    assert "," in account(step, "A1", (0, 0)).sum.shown()[0].numbers


def test_slopes_and_scales_are_written_as_in_the_formula(random):
    tanh = a_step(random, 5, 4, 3, activation="tanh", l2=0.25, convention="per-example")
    assert account(tanh, "dZ1", (0, 1)).sum.shown()[0].names == "dA1[0,1] × (1 − A1[0,1]²)"
    names = [term.names for term in account(tanh, "dW1", (0, 1)).sum.shown()]
    assert names[0] == "X[0,0] × dZ1[0,1] / m"
    assert names[-1] == "0.25 × W1[0,1]"
    loss = account(tanh, "L", ()).sum
    assert len(loss) == 4 * 3 + 5 * 4 + 4 * 3  # a term for each score, and one for each weight
    assert "0.125 × W1[0,0]²" in [part.term(0).names for part in loss.parts]
    leaky = a_step(random, 5, 4, 3, activation="leaky-relu")
    assert account(leaky, "dZ1", (0, 1)).sum.shown()[0].names == "where(Z1[0,1] > 0, dA1[0,1], 0.01 × dA1[0,1])"
    sigmoid = a_step(random, 5, 4, 3, activation="sigmoid")
    assert account(sigmoid, "dZ1", (0, 1)).sum.shown()[0].names == "dA1[0,1] × A1[0,1] × (1 − A1[0,1])"
    assert account(sigmoid, "A1", (0, 1)).sum.shown()[0].names == "1 / (1 + exp(−Z1[0,1]))"


@pytest.mark.parametrize("name", ["Z1", "dA1", "dZ1", "dW2", "W1_new", "dZ2", "A1", "dW1", "Z2"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_numbers_that_are_shown_give_the_value_that_is_shown(random, name, activation):
    """What stands there can be typed into a calculator."""
    step = a_step(random, 6, 5, 3, activation=activation)
    for term in account(step, name, (2, 1)).sum.shown():
        text = re.sub(r" > 0 → ([01])", r" > 0", term.numbers)
        text = text.replace("−", "-").replace("×", "*").replace("²", "**2")
        where = {"where": np.where, "maximum": np.maximum, "exp": np.exp, "tanh": np.tanh}
        assert eval(text, where) == pytest.approx(term.value, rel=5e-3, abs=1e-12), term.numbers


def test_long_sums_show_the_largest_terms_and_add_up_the_rest(mnist):
    network = mlp(784, 12, 10)
    step = trace(network, network.initialize(), mnist[0].images[:3], mnist[0].labels[:3])
    whole = account(step, "Z1", (1, 4)).sum
    assert len(whole) == 785
    assert whole.total == pytest.approx(float(step["Z1"].value[1, 4]), rel=1e-4)
    shown = whole.shown()
    assert len(shown) == SHOWN
    sizes = [abs(term.value) for term in shown]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == np.max(np.abs(whole.values))
    rest = whole.total - sum(term.value for term in shown)
    assert more(whole) == f"+ 777 more: {written(rest)}"
    assert len(account(step, "dW1", (300, 4)).sum.shown()) == 3 <= WHOLE
    assert more(account(step, "dW1", (300, 4)).sum) == ""


def test_large_scores_do_not_overflow(random):
    network = mlp(3, 4)
    params = [{"W": np.eye(3, 4) * 3000.0, "b": np.zeros(4)}]
    step = trace(network, params, random.random((2, 3)) + 1, np.array([0, 3]))
    for k in range(4):
        found = account(step, "P", (0, k))
        assert found.sum.total == pytest.approx(found.value)


@pytest.mark.parametrize("index", [(4, 0), (0, 4), (-1, 0), (0,), (0, 0, 0), ()])
def test_an_entry_that_is_not_there(random, index):
    with pytest.raises(PasapasError, match=r"Z1 has the shape \(4, 4\)"):
        account(a_step(random, 5, 4, 3), "Z1", index)


def test_a_tensor_that_is_not_there(random):
    with pytest.raises(PasapasError, match="no tensor 'Z9'"):
        sources(a_step(random, 5, 4, 3), "Z9", (0, 0))


def test_a_wrong_sum_would_be_found(random):
    """The terms come from the factors, not from the entry."""
    step = a_step(random, 5, 4, 3)
    tensor = step["Z1"]
    broken = dict(step.tensors) | {"Z1": type(tensor)("Z1", tensor.value + 1e-6, *list(vars(tensor).values())[2:])}
    found = account(type(step)(step.network, 0.3, "mean", broken), "Z1", (0, 0))
    assert isinstance(found.sum, Sum)
    assert found.sum.total != pytest.approx(found.value, rel=1e-9, abs=1e-9)

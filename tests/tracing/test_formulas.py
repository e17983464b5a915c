"""Every formula that is shown is evaluated against the arrays that were recorded."""

from __future__ import annotations

import numpy as np
import pytest

from pasapas import He, forward, i18n, mlp, step
from pasapas.layers import ACTIVATIONS
from pasapas.optimizers import SGD
from pasapas.tracing import trace

SIZES = [(5, 3), (5, 4, 3), (7, 5, 6, 3), (4, 6, 3, 5, 2)]


def a_step(random, *sizes, convention="mean", m=6, **options):
    network = mlp(*sizes, **options)
    params = network.initialize(He(), seed=3, dtype="float64")
    for p in params:
        if "b" in p:
            p["b"] = random.standard_normal(p["b"].shape)
    X = random.standard_normal((m, sizes[0]))
    y = random.integers(0, sizes[-1], m)
    masked = network.with_masks(params, m, random)
    return trace(network, masked, X, y, learning_rate=0.3, convention=convention), masked


def assert_formulas_hold(recorded) -> None:
    for tensor in recorded:
        with np.errstate(over="ignore"):
            got = np.asarray(recorded.evaluate(tensor.name))
        assert got.shape == tensor.shape, tensor.name
        np.testing.assert_allclose(got, tensor.value, rtol=1e-11, atol=1e-13, err_msg=tensor.name)
        assert (tensor.formula is None) == (tensor.stage == "parameters" or tensor.name in ("X", "y"))


@pytest.mark.parametrize("convention", ["mean", "per-example"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_formula(random, sizes, activation, convention):
    recorded, _ = a_step(random, *sizes, activation=activation, convention=convention)
    assert_formulas_hold(recorded)


@pytest.mark.parametrize("convention", ["mean", "per-example"])
@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.4},
        {"input_dropout": 0.3},
        {"dropout": 0.4, "input_dropout": 0.3},
        {"label_smoothing": 0.2},
        {"l2": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("sizes", [(5, 3), (7, 5, 6, 3)], ids=str)
def test_every_formula_with_what_can_be_added(random, sizes, options, convention):
    recorded, _ = a_step(random, *sizes, convention=convention, **options)
    assert_formulas_hold(recorded)


def test_dropout_without_masks_stands_for_its_input(random):
    network = mlp(6, 5, 4, dropout=0.5, input_dropout=0.2)
    recorded = trace(network, network.initialize(dtype="float64"), random.standard_normal((3, 6)), np.array([0, 1, 2]))
    assert not {"M0", "D0", "M1", "D1"} & set(recorded.tensors)
    assert recorded["Z2"].formula == "A1 @ W2 + b2"
    assert_formulas_hold(recorded)


def test_a_wrong_formula_would_be_found(random):
    recorded, _ = a_step(random, 5, 4, 3)
    broken = dict(recorded.tensors)
    tensor = broken["dZ1"]
    broken["dZ1"] = type(tensor)(tensor.name, tensor.value * (1 + 1e-6), *list(vars(tensor).values())[2:])
    with pytest.raises(AssertionError):
        assert_formulas_hold(type(recorded)(recorded.network, 0.3, "mean", broken))


def test_names_and_order_are_the_lessons(random):
    recorded, _ = a_step(random, 5, 4, 3)
    assert list(recorded.tensors) == [
        "X", "y", "Y", "W1", "b1", "W2", "b2", "Z1", "A1", "Z2", "P", "L",
        "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1", "W1_new", "b1_new", "W2_new", "b2_new", "L_new",
    ]  # fmt: skip
    deep, _ = a_step(random, 5, 4, 4, 3, dropout=0.5, input_dropout=0.2)
    assert " ".join(deep.tensors) == (
        "X y Y M0 W1 b1 M1 W2 b2 M2 W3 b3 D0 Z1 A1 D1 Z2 A2 D2 Z3 P L "
        "dZ3 dW3 db3 dD2 dA2 dZ2 dW2 db2 dD1 dA1 dZ1 dW1 db1 W1_new b1_new W2_new b2_new W3_new b3_new L_new"
    )


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "l2": 0.1, "label_smoothing": 0.1}], ids=str)
def test_the_trace_is_the_step_that_trains(random, options):
    recorded, masked = a_step(random, 6, 5, 4, **options)
    network = recorded.network
    plain = [{k: v for k, v in p.items() if k != "mask"} for p in masked]
    new, _, L, Z = step(network, SGD(), plain, {}, recorded["X"].value, recorded["Y"].value, 0.3, masked)
    assert recorded.loss == float(L)
    np.testing.assert_array_equal(recorded["Z2"].value, Z)
    for p, q in zip(recorded.params("_new"), new, strict=True):
        for name in q:
            np.testing.assert_array_equal(p[name], q[name])
    after = forward(
        network.layers,
        [{**q, **{k: v for k, v in p.items() if k == "mask"}} for p, q in zip(masked, new, strict=True)],
        recorded["X"].value,
    )
    assert recorded.loss_after == float(network.loss_value(new, after, recorded["Y"].value))


def test_both_conventions_agree_on_what_counts(random):
    seed = random.integers(1000)
    mean, _ = a_step(np.random.default_rng(seed), 5, 4, 3)
    each, _ = a_step(np.random.default_rng(seed), 5, 4, 3, convention="per-example")
    for name in ("dW1", "db1", "dW2", "db2", "W1_new", "L_new"):
        np.testing.assert_array_equal(mean[name].value, each[name].value)
    for name in ("dZ2", "dA1", "dZ1"):
        np.testing.assert_array_equal(mean[name].value * 6, each[name].value)
        assert r"\partial \ell" in each[name].latex
        assert r"\partial L" in mean[name].latex


def test_latex_and_meanings(random):
    recorded, _ = a_step(random, 5, 4, 3)
    assert recorded["Z1"].latex == "Z_1 = X W_1 + b_1"
    assert recorded["dW2"].latex == (r"\frac{\partial L}{\partial W_2} = A_1^\top \frac{\partial L}{\partial Z_2}")
    english = {tensor.name: tensor.meaning for tensor in recorded}
    i18n.activate("fr")
    for tensor in recorded:
        assert tensor.meaning.endswith(".")
        assert tensor.meaning != english[tensor.name]


def test_statistics():
    network = mlp(2, 2, 2)
    params = [{"W": np.array([[1.0, -1], [0, 2]]), "b": np.array([0.0, -1])}, {}, {"W": np.eye(2), "b": np.zeros(2)}]
    recorded = trace(network, params, np.array([[1.0, 0], [2, 1]]), np.array([0, 1]))
    Z1 = recorded["Z1"]
    np.testing.assert_array_equal(Z1.value, [[1, -2], [2, -1]])
    assert (Z1.shape, Z1.minimum, Z1.maximum, Z1.mean_absolute, Z1.zeros) == ((2, 2), -2, 2, 1.5, 0)
    assert recorded["A1"].zeros == 0.5
    assert recorded.m == 2


def test_short_in_a_notebook(random):
    recorded, _ = a_step(random, 5, 4, 3)
    assert repr(recorded["dZ1"]) == "Tensor(dZ1 = dA1 * (Z1 > 0), shape (6, 4))"
    assert repr(recorded).startswith("Trace(5-4-3, m = 6, loss ")

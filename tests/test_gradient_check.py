from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
import pytest

from pasapas import He, Network, PasapasError, Tanh, forward, i18n, mlp
from pasapas.checking import gradient_check
from pasapas.layers import ACTIVATIONS


def a_problem(network, random, m=6, scale=1.0):
    """Parameters with biases that are not zero, images, and labels."""
    params = network.initialize(He(), seed=3, dtype="float64")
    for p in params:
        if "b" in p:
            p["W"] *= scale
            p["b"] = random.standard_normal(p["b"].shape)
    return params, random.standard_normal((m, network.sizes[0])), random.integers(0, network.sizes[-1], m)


def as_function(network, X, y, change=lambda gradients: None):
    """The network as somebody's own function of {"W1", "b1", ...}, with gradients {"dW1", ...}, changed by `change`."""
    Y = network.loss.targets(y, network.sizes[-1], np.float64)

    def by_layer(flat):
        numbers = iter(range(1, 9))
        return [{k: flat[f"{k}{i}"] for k in "Wb"} if (i := d and next(numbers)) else {} for d in is_dense]

    def f(flat):
        params = by_layer(flat)
        values = forward(network.layers, params, X)
        found = [g for g in network.gradients(params, values, Y) if g]
        gradients = {f"d{k}{i}": g[k] for i, g in enumerate(found, 1) for k in g}
        change(gradients)
        return network.loss_value(params, values, Y), gradients

    is_dense = [layer in network.dense for layer in network.layers]
    return f


def flat(params):
    return {f"{k}{i}": p[k] for i, p in enumerate((p for p in params if p), 1) for k in p}


def count(check, kind):
    return sum(int(np.sum(getattr(row, kind))) for row in check.rows)


SIZES = [(5, 3), (5, 4, 3), (7, 5, 5, 3), (4, 6, 3, 5, 2)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("scale", [0.01, 1.0, 20.0])
def test_right_gradients_are_right(sizes, activation, scale, random):
    """As a network and as a function, with weights that are tiny, usual, or so large that units saturate."""
    network = mlp(*sizes, activation=activation, label_smoothing=0.1, l2=0.3)
    params, X, y = a_problem(network, random, scale=scale)
    check = gradient_check(network, params, X, y)
    assert check.ok
    assert check.tolerance == 1e-4
    assert [row.name for row in check.rows] == list(flat(params))
    assert not any(np.isnan(row.numeric[~row.kinks]).any() for row in check.rows)
    assert gradient_check(as_function(network, X, y), flat(params)).ok
    if scale == 1:
        assert count(check, "too_small") + count(check, "kinks") == 0
        assert max(np.max(row.relative_errors) for row in check.rows) < 1e-6


def test_dropout_masks_are_held_fixed(random):
    network = mlp(6, 5, 4, 3, dropout=0.3, input_dropout=0.2, l2=0.1)
    params, X, y = a_problem(network, random)
    masked = network.with_masks(params, len(X), random)
    check = gradient_check(network, masked, X, y)
    assert check.ok
    assert [row.name for row in check.rows] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    other = network.with_masks(params, len(X) + 1, random)
    with pytest.raises(PasapasError, match=r"Parameter mask must have the shape \(6, 6\).*not \(7, 6\)"):
        gradient_check(network, other, X, y)


@dataclass(frozen=True)
class Planted(Network):
    """One entry of one gradient is multiplied by `factor`."""

    at: tuple = ()
    factor: float = 1.001

    def gradients(self, params, values, Y):
        gradients = super().gradients(params, values, Y)
        layer, name, index = self.at
        changed = gradients[layer][name].copy()
        changed[index] *= self.factor
        gradients[layer] = {**gradients[layer], name: changed}
        return gradients


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_one_part_in_a_thousand_is_found_in_every_entry(activation, random):
    network = mlp(5, 4, 3, activation=activation, label_smoothing=0.1)
    params, X, y = a_problem(network, random)
    clean = gradient_check(network, params, X, y)
    tried = 0
    for layer, p in enumerate(params):
        for name in p:
            for index in np.ndindex(p[name].shape):
                shown = f"{name}{1 if layer == 0 else 2}"
                (row,) = (row for row in clean.rows if row.name == shown)
                if row.zero[index]:
                    continue
                tried += 1

                def plant(gradients, shown=shown, index=index):
                    gradients[f"d{shown}"] = gradients[f"d{shown}"].copy()
                    gradients[f"d{shown}"][index] *= 1.001

                wrong = Planted(network.layers, network.loss, at=(layer, name, index))
                f = as_function(network, X, y, plant)
                for check in (gradient_check(wrong, params, X, y), gradient_check(f, flat(params))):
                    assert not check.ok
                    assert count(check, "wrong") == 1
                    (row,) = (row for row in check.rows if row.wrong.any())
                    assert (row.name, row.worst) == (shown, index)
                    assert row.wrong[index]
                    assert row.relative_errors[index] == pytest.approx(1e-3, rel=0.01)
                    assert f"d{shown}[{', '.join(map(str, index))}]" in check.verdict
                    assert "wrong" in check.verdict
    assert tried >= 30


def test_a_small_error_in_a_tiny_gradient_is_found(random):
    """Gradients of 1e-7, from pixels that are nearly black."""
    network = mlp(5, 4, 3, activation="tanh")
    params, X, y = a_problem(network, random)
    X[:, 2] *= 1e-6
    at = (0, "W", (2, 1))
    check = gradient_check(Planted(network.layers, network.loss, at=at), params, X, y)
    assert abs(check.rows[0].analytic[2, 1]) < 1e-6
    assert check.rows[0].worst == (2, 1)
    assert count(check, "wrong") == 1


def test_what_is_below_the_noise_is_not_judged(random):
    network = mlp(5, 4, 3, activation="tanh")
    params, X, y = a_problem(network, random)
    X[:, 2] *= 1e-14
    check = gradient_check(Planted(network.layers, network.loss, at=(0, "W", (2, 1))), params, X, y)
    assert check.ok
    np.testing.assert_array_equal(check.rows[0].too_small, np.arange(5)[:, None] == [[2] * 4][0])
    assert "too small to be judged: 4" in check.verdict


def test_a_saturated_network_says_what_it_cannot_judge():
    network = mlp(2, 2)
    params = [{"W": np.zeros((2, 2)), "b": np.array([60.0, 0.0])}]
    check = gradient_check(network, params, np.ones((3, 2)), np.zeros(3, int))
    assert not check.ok
    assert check.verdict.startswith("Nothing can be said of these gradients")
    assert "exactly 0 on both sides: 3, too small to be judged: 3" in check.verdict
    dead = gradient_check(
        mlp(2, 1, 2), [PARAMS_OF_ONE, {}, {"W": np.ones((1, 2)), "b": np.ones(2)}], -np.ones((3, 2)), [0, 1, 1]
    )
    assert dead.ok
    assert "exactly 0 on both sides: 5" in dead.verdict
    assert "not judged" not in str(dead)


PARAMS_OF_ONE = {"W": np.ones((2, 1)), "b": np.zeros(1)}


class WrongTanh(Tanh):
    def input_gradient(self, params, X, Y, dY):
        return dY * (1 - Y)


class UnknownKink(Tanh):
    """A layer that the check knows nothing about."""

    def forward(self, params, X):
        return np.abs(X)

    def input_gradient(self, params, X, Y, dY):
        return dY * np.sign(X)


def test_a_layer_of_ones_own(random):
    network = mlp(5, 4, 3, activation="tanh")
    params, X, y = a_problem(network, random)
    dense = network.dense
    check = gradient_check(Network((dense[0], WrongTanh(), dense[1])), params, X, y)
    assert [bool(row.wrong.any()) for row in check.rows] == [True, True, False, False]
    assert gradient_check(Network((dense[0], UnknownKink(), dense[1])), params, X, y).ok


@pytest.mark.parametrize("activation", ["relu", "leaky-relu"])
@pytest.mark.parametrize("distance", [0.0, 1e-9, -1e-9])
def test_kinks_are_left_out_and_counted(activation, distance, random):
    """The input of unit 1 is at a kink for image 2, or within 1e-9 of one; its pixel 3 is black."""
    network = mlp(5, 4, 3, activation=activation)
    params, X, y = a_problem(network, random)
    X = np.round(X * 8) / 8  # so that the bias can cancel the rest exactly
    X[2, 3] = 0
    params[0]["W"] = np.round(params[0]["W"] * 8) / 8
    params[0]["b"][1] = distance - X[2] @ params[0]["W"][:, 1]
    expected = np.zeros((5, 4), bool)
    expected[:, 1] = X[2] != 0
    for check in (gradient_check(network, params, X, y), gradient_check(as_function(network, X, y), flat(params))):
        assert check.ok
        W1, b1, W2, b2 = check.rows
        np.testing.assert_array_equal(W1.kinks, expected)
        np.testing.assert_array_equal(b1.kinks, [False, True, False, False])
        assert not W2.kinks.any()
        assert not b2.kinks.any()
        assert np.isnan(W1.relative_errors[expected]).all()
        assert f"left out at a kink, where there is no slope: {expected.sum() + 1}" in check.verdict


def test_kinks_of_a_function():
    def f(p):
        return np.sum(np.abs(p["x"])), {"x": np.sign(p["x"])}

    check = gradient_check(f, {"x": np.array([[0.0, 1e-9, 0.5], [-3.0, -1e-8, 2e-3]])})
    np.testing.assert_array_equal(check.rows[0].kinks, [[True, True, False], [False, True, False]])
    assert check.ok
    assert check.rows[0].relative_errors[1, 2] < 1e-8


def test_functions_of_many_kinds(random):
    A = random.standard_normal((3, 3))

    def quadratic(p):
        return p["x"] @ A @ p["x"] + p["c"] ** 3, {"x": (A + A.T) @ p["x"], "dc": 3 * p["c"] ** 2}

    check = gradient_check(quadratic, {"x": [1, 2, 3], "c": 200.0})
    assert check.ok
    assert [row.shape for row in check.rows] == [(3,), ()]
    assert not gradient_check(lambda p: (quadratic(p)[0], {"x": A @ p["x"], "c": 0}), {"x": np.ones(3), "c": 1.0}).ok

    def layered(ps):
        return sum(np.sum(np.exp(p["W"])) for p in ps if p), [{k: np.exp(v) for k, v in p.items()} for p in ps]

    check = gradient_check(layered, [{"W": np.ones(2)}, {}, {"W": np.zeros((1, 2))}])
    assert check.ok
    assert [row.name for row in check.rows] == ["W1", "W2"]

    near_the_edge = gradient_check(lambda p: (np.sum(np.log(p["x"])), {"x": 1 / p["x"]}), {"x": np.array([1e-3, 1e-4])})
    assert near_the_edge.ok
    pixels = gradient_check(lambda p: (np.sin(255 * p["x"]), {"x": 255 * np.cos(255 * p["x"])}), {"x": np.array(0.3)})
    assert pixels.ok
    constant = gradient_check(lambda p: (1.0, {"x": np.zeros(3)}), {"x": np.ones(3)})
    assert constant.ok
    nowhere = gradient_check(lambda p: (np.abs(p["x"]), {"x": np.sign(p["x"])}), {"x": 0.0})
    assert not nowhere.ok
    assert "not judged" in str(nowhere)
    assert nowhere.rows[0].worst is None
    assert "exactly 0 on both sides: 3" in constant.verdict


def test_a_function_in_float32_is_judged_by_what_it_can_give(random):
    x = random.standard_normal(6)

    def f(p, factor=1.0):
        q = p["x"].astype(np.float32)
        return np.sum(q * q * q), {"x": np.float32(factor * 3) * q * q}

    check = gradient_check(f, {"x": x})
    assert not any(row.wrong.any() for row in check.rows)
    assert "the function rounds to float32, in float64 more could be judged" in check.verdict
    assert gradient_check(f, {"x": x}, tolerance=0.05).ok
    assert not gradient_check(lambda p: f(p, 1.1), {"x": x}).ok
    # the same, hidden in a Python float: the rounding is measured
    hidden = gradient_check(lambda p: (float(f(p)[0]), f(p)[1]), {"x": x})
    assert not any(row.wrong.any() for row in hidden.rows)


def test_a_large_network_is_sampled_with_a_seed(mnist):
    network = mlp(784, 16, 10)
    params = network.initialize(seed=1)
    X, y = mnist[0].images[:12], mnist[0].labels[:12]
    check, again, other = (gradient_check(network, params, X, y, entries=40, seed=seed) for seed in (0, 0, 1))
    assert check.ok
    assert [row.checked for row in check.rows] == [40, 16, 40, 10]
    assert "a sample of 106 among 12,730, drawn with seed 0" in check.verdict
    assert "40 / 12,544" in str(check)
    np.testing.assert_array_equal(check.rows[0].numeric, again.rows[0].numeric)
    assert not np.array_equal(np.isnan(check.rows[0].numeric), np.isnan(other.rows[0].numeric))


def test_of_more_than_20_000_entries_a_sample_is_checked_without_a_word(random):
    network = mlp(150, 140, 3)
    params, X, y = a_problem(network, random, m=2)
    check = gradient_check(network, params, X, y)
    assert check.ok
    assert [row.checked for row in check.rows] == [200, 140, 200, 3]
    assert "a sample of 543 among 21,563" in check.verdict


def test_table_and_verdict_in_both_languages(random):
    network = mlp(5, 4, 3, activation="tanh")
    params, X, y = a_problem(network, random)
    check = gradient_check(network, params, X, y)
    for language, point in (("en", "."), ("fr", ",")):
        i18n.activate(language)
        for text in (str(check), check._repr_html_()):
            assert check.verdict in text
            for row in check.rows:
                mantissa, exponent = f"{row.analytic[row.worst]:.4e}".split("e")
                assert f"d{row.name}" in text
                assert str(row.shape) in text
                assert mantissa.replace(".", point) + "e" + exponent in text
        assert re.search(rf"\d\{point}\de-\d\d", check.verdict)
        assert len(str(check).splitlines()) == 2 + 4 + 2
        assert check._repr_html_().startswith(f'<table lang="{language}"><caption>')
        assert check._repr_html_().count('scope="row"') == 4


def test_names_are_escaped_in_a_notebook():
    check = gradient_check(lambda p: (p["<i>"] ** 2, {"<i>": 2 * p["<i>"]}), {"<i>": 3.0})
    assert "d&lt;i&gt;" in check._repr_html_()
    assert "<i>" not in check._repr_html_()


def test_as_json(random):
    network = mlp(5, 4, 3)
    params, X, y = a_problem(network, random)
    got = json.loads(json.dumps(gradient_check(network, params, X, y).as_dict(), allow_nan=False))
    assert got["ok"] is True
    assert got["rows"][0]["shape"] == [5, 4]
    assert got["rows"][0]["checked"] == got["rows"][0]["judged"] == 20
    assert got["rows"][0]["relative_error"] < 1e-6
    assert len(got["rows"][3]["at"]) == 1


def test_nothing_that_is_passed_in_is_changed(random):
    network = mlp(6, 5, 4, dropout=0.5)
    params, X, y = a_problem(network, random)
    masked = network.with_masks(params, len(X), random)
    for array in [X, y, *(a for p in masked for a in p.values())]:
        array.flags.writeable = False
    assert gradient_check(network, masked, X, y).ok
    given = {"x": np.arange(3.0)}
    given["x"].flags.writeable = False
    assert gradient_check(lambda p: (np.sum(p["x"] ** 2), {"x": 2 * p["x"]}), given).ok


def test_a_gradient_whose_memory_is_used_again():
    buffer = np.zeros(3)

    def f(p):
        np.multiply(2, p["x"], out=buffer)
        return np.sum(p["x"] ** 2), {"x": buffer}

    assert gradient_check(f, {"x": np.arange(1.0, 4.0)}).ok


def _in_place(p):
    p["x"] -= 0.1
    return 1.0, {"x": p["x"]}


_calls = []


def _later_in_place(p):
    _calls.append(1)
    if len(_calls) == 16:  # while the slope at x[0] is measured
        p["x"][2] += 1
    return np.sum(p["x"] ** 2), {"x": 2 * p["x"]}


ONES = np.ones(3)


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda p: 1.0, "must return two things, (loss, gradients), not float"),
        (lambda p: ("1", {"x": ONES}), "The loss must be one number, not str"),
        (lambda p: (None, {"x": ONES}), "The loss must be one number, not NoneType"),
        (lambda p: (True, {"x": ONES}), "The loss must be one number, not bool"),
        (lambda p: (np.ones((3, 1)), {"x": ONES}), "The loss must be one number, not an array of shape (3, 1)"),
        (lambda p: (1j, {"x": ONES}), "The loss must be one number, not complex"),
        (lambda p: (np.nan, {"x": ONES}), "The loss is nan"),
        (lambda p: (1.0, {}), "The gradients lack dx: there are none"),
        (lambda p: (1.0, {"y": ONES}), "The gradients lack dx: there are y"),
        (
            lambda p: (1.0, {"dx": ONES, "dy": ONES}),
            "The gradients have dy, but there is no such parameter: there are x",
        ),
        (lambda p: (1.0, [ONES]), "The gradients must be built like the parameters"),
        (lambda p: (1.0, {"x": np.ones((3, 1))}), "The gradient of x must have its shape, (3,), not (3, 1)"),
        (lambda p: (1.0, {"x": np.array([1, np.nan, 1])}), "The gradient of x has values that are NaN or infinite"),
        (lambda p: (1.0, {"x": ["a", "b", "c"]}), "The gradient of x must be an array of numbers, not list"),
        (_in_place, "changes its parameter x in place"),
        (_later_in_place, "changes its parameter x in place"),
        (lambda p: (np.random.random(), {"x": ONES}), "gives another loss for the same parameters"),
        (lambda p: (1.0 if np.all(p["x"] == 1) else np.nan, {"x": ONES}), "The loss is not finite around x[0]"),
    ],
)
def test_functions_that_cannot_be_checked(f, says):
    with pytest.raises(PasapasError) as error:
        gradient_check(f, {"x": ONES})
    assert says in str(error.value)
    np.testing.assert_array_equal(ONES, 1)


NETWORK = mlp(4, 3, 2)
PARAMS = NETWORK.initialize()
X, Y = np.ones((5, 4)), np.zeros(5, int)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((NETWORK, PARAMS), {}, "gradient_check(network, params, X, y)"),
        ((NETWORK, PARAMS, np.ones((5, 3)), Y), {}, "takes 4 numbers for an image"),
        ((NETWORK, PARAMS, X, Y[:3]), {}, "do not belong together"),
        ((NETWORK, PARAMS, X, np.zeros(5)), {}, "Labels must be whole numbers"),
        ((NETWORK, PARAMS, X, Y + 2), {}, "the labels go from 2 to 2"),
        ((NETWORK, PARAMS[:2], X, Y), {}, "The network has 3 layers, but the parameters are for 2"),
        ((NETWORK, [PARAMS[2], {}, PARAMS[0]], X, Y), {}, "Parameter W1 must have the shape (4, 3)"),
        ((NETWORK, [{"W": PARAMS[0]["W"]}, {}, PARAMS[2]], X, Y), {}, "Parameter b1 must have the shape (3,)"),
        (
            (NETWORK, [{**PARAMS[0], "b": np.full(3, np.inf)}, {}, PARAMS[2]], X, Y),
            {},
            "Parameter b has values that are NaN",
        ),
        ((NETWORK, PARAMS, X, Y), {"entries": 0}, "'entries' is how many"),
        ((NETWORK, PARAMS, X, Y), {"entries": 2.5}, "not 2.5"),
        ((NETWORK, PARAMS, X, Y), {"tolerance": 0}, "'tolerance' must be between 0 and 1"),
        ((len, {"x": 1.0}, X, Y), {}, "gradient_check(f, params)"),
        ((len, 3.0), {}, "not float"),
        ((len, {}), {}, "no parameters to check"),
        ((len, {"x": "abc"}), {}, "Parameter x must be an array of numbers, not str"),
    ],
)
def test_what_cannot_be_is_refused(arguments, options, says):
    with pytest.raises(PasapasError) as error:
        gradient_check(*arguments, **options)
    assert says in str(error.value)

from __future__ import annotations

import pickle

import numpy as np
import pytest

from pasapas import PasapasError, forward, i18n, lessons, load, mlp
from pasapas.checking import gradient_check


@pytest.fixture
def lesson(random):
    """Parameters with biases that are not zero, X (6, 7), labels (6,) and Y (6, 3)."""
    parameters = lessons.initialize_parameters([7, 5, 3])
    parameters = {k: v + 0.1 * random.standard_normal(v.shape) for k, v in parameters.items()}
    y = random.integers(0, 3, 6)
    return parameters, random.standard_normal((6, 7)), y, lessons.one_hot_encode(y, 3)


@pytest.fixture
def tanh(random):
    """Parameters with biases that are not zero, X (6, 7) and Y (6, 3)."""
    np.random.seed(5)
    params = lessons.init_params(7, 5, 3)
    params = {k: v + 0.1 * random.standard_normal(v.shape) for k, v in params.items()}
    return params, random.standard_normal((6, 7)), np.eye(3)[random.integers(0, 3, 6)]


@pytest.fixture(scope="module")
def ten_thousand(mnist):
    train, test = (data.first(n) for data, n in zip(mnist, (10000, 1000), strict=True))
    return (
        train.images.reshape(-1, 784) / 255.0,
        train.labels,
        test.images.reshape(-1, 784) / 255.0,
        test.labels,
    )


def test_the_names_of_both_lessons():
    for name in lessons.__all__:
        assert callable(getattr(lessons, name))
        assert getattr(lessons, name).__doc__
    assert len(lessons.__all__) == 15


def test_the_lessons_figures(ten_thousand):
    X, y, X_test, y_test = ten_thousand
    Y = lessons.one_hot_encode(y)
    parameters = lessons.initialize_parameters([784, 128, 10])
    losses = []
    for _ in range(5):
        parameters, loss = lessons.train_one_epoch(X, Y, parameters, 0.1, 128)
        losses.append(f"{loss:.4f}")
    assert losses == ["0.9653", "0.4375", "0.3580", "0.3180", "0.2909"]
    assert lessons.compute_accuracy(X, y, parameters) == 0.9225
    assert lessons.compute_accuracy(X_test, y_test, parameters) == 0.894


def test_an_epoch_is_its_steps_one_by_one(lesson):
    parameters, X, _, Y = lesson
    together, loss = lessons.train_one_epoch(X, Y, parameters, 0.3, 2)
    apart, losses = parameters, []
    for batch in (slice(0, 2), slice(2, 4), slice(4, 6)):
        A2, cache = lessons.forward_propagation(X[batch], apart)
        losses.append(lessons.cross_entropy_loss(Y[batch], A2))
        gradients = lessons.backward_propagation(X[batch], Y[batch], apart, cache)
        apart = lessons.update_parameters(apart, gradients, 0.3)
    assert loss == pytest.approx(np.mean(losses), rel=1e-12)
    for name in parameters:
        assert together[name].shape == parameters[name].shape
        np.testing.assert_allclose(together[name], apart[name], rtol=1e-12, atol=1e-14)
    of_four, _ = lessons.train_one_epoch(X, Y, parameters, 0.3, 4)  # the last two images fill no batch
    first, _ = lessons.train_one_epoch(X[:4], Y[:4], parameters, 0.3, 4)
    np.testing.assert_array_equal(of_four["W1"], first["W1"])


def test_lesson_3_against_its_formulas(lesson):
    parameters, X, _, Y = lesson
    W1, b1, W2, b2 = parameters.values()
    Z1 = X @ W1 + b1
    A1 = np.maximum(0, Z1)
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2)
    P = E / E.sum(axis=1, keepdims=True)
    A2, cache = lessons.forward_propagation(X, parameters)
    assert list(cache) == ["Z1", "A1", "Z2", "A2"]
    for got, expected in zip([A2, *cache.values()], [P, Z1, A1, Z2, P], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
    assert lessons.cross_entropy_loss(Y, A2) == pytest.approx(-np.mean(np.log(P[Y == 1])), rel=1e-12)

    dZ2 = P - Y
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    expected = {
        "dW1": X.T @ dZ1 / 6,
        "db1": dZ1.sum(axis=0, keepdims=True) / 6,
        "dW2": A1.T @ dZ2 / 6,
        "db2": dZ2.sum(axis=0, keepdims=True) / 6,
    }
    gradients = lessons.backward_propagation(X, Y, parameters, cache)
    assert list(gradients) == list(expected)
    for name in expected:
        assert gradients[name].shape == expected[name].shape == parameters[name[1:]].shape
        np.testing.assert_allclose(gradients[name], expected[name], rtol=1e-12, atol=1e-15)
    updated = lessons.update_parameters(parameters, gradients, 0.5)
    for name in parameters:
        np.testing.assert_allclose(updated[name], parameters[name] - 0.5 * expected[f"d{name}"], rtol=1e-12)


@pytest.mark.parametrize("sizes", [(7, 3), (7, 5, 3), (7, 5, 4, 3), (7, 5, 4, 6, 3)], ids=str)
def test_lesson_3_is_the_one_implementation_at_any_depth(sizes, random):
    parameters = lessons.initialize_parameters(sizes)
    X, y = random.standard_normal((6, 7)), random.integers(0, 3, 6)
    Y = lessons.one_hot_encode(y, 3)
    network = mlp(*sizes)
    depth = len(sizes) - 1
    params = [{} for _ in network.layers]
    params[::2] = [{"W": parameters[f"W{i}"], "b": parameters[f"b{i}"][0]} for i in range(1, depth + 1)]
    expected = network.gradients(params, forward(network.layers, params, X), Y)[::2]
    _, cache = lessons.forward_propagation(X, parameters)
    assert len(cache) == 2 * depth
    gradients = lessons.backward_propagation(X, Y, parameters, cache)
    for i, g in enumerate(expected, 1):
        np.testing.assert_allclose(gradients[f"dW{i}"], g["W"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(gradients[f"db{i}"], g["b"][None], rtol=0, atol=1e-12)

    def f(p):
        A, cache = lessons.forward_propagation(X, p)
        return lessons.cross_entropy_loss(Y, A), lessons.backward_propagation(X, Y, p, cache)

    assert gradient_check(f, parameters).ok


def test_initialize_parameters_is_the_lessons_seed_42():
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    parameters = lessons.initialize_parameters([784, 128, 10])
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    random = np.random.RandomState(42)
    for i, (n_in, n_out) in enumerate([(784, 128), (128, 10)], 1):
        expected = random.randn(n_in, n_out) * np.sqrt(2 / n_in)
        np.testing.assert_allclose(parameters[f"W{i}"], expected, rtol=1e-15)
        np.testing.assert_array_equal(parameters[f"b{i}"], np.zeros((1, n_out)))


def test_the_lessons_examples_of_a_loss():
    """The second row sums to 0.9: what counts is the probability of the right class, as it stands."""
    Y = lessons.one_hot_encode([3])
    good = np.array([[0.01, 0.01, 0.01, 0.95, 0.01, 0.01, 0, 0, 0, 0]])
    bad = np.array([[0.05, 0.05, 0.05, 0.10, 0.25, 0.15, 0.10, 0.10, 0.10, 0.05]])
    assert f"{lessons.cross_entropy_loss(Y, good):.4f}" == "0.0513"
    assert f"{lessons.cross_entropy_loss(Y, bad):.4f}" == "2.3026"
    assert lessons.cross_entropy_loss(Y, 1 - Y) == pytest.approx(-np.log(1e-7))


def test_one_hot_and_relu():
    for y in ([1, 0, 2], np.array([1, 0, 2], np.uint8)):
        np.testing.assert_array_equal(lessons.one_hot_encode(y, 3), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert lessons.one_hot_encode(np.array([3], np.uint8), 300).shape == (1, 300)
    np.testing.assert_array_equal(lessons.relu([-1.5, 0, 2]), [0, 0, 2])
    np.testing.assert_array_equal(lessons.relu(np.array([[-3, 4]])), [[0, 4]])


def test_large_scores_stay_finite(tanh, random):
    np.testing.assert_allclose(lessons.softmax([[1e4, 0, -1e4], [1000, 1000, 1000]]), [[1, 0, 0], [1 / 3] * 3])
    parameters = {k: 1e4 * v for k, v in lessons.initialize_parameters([7, 5, 3]).items()}
    X, Y = random.standard_normal((6, 7)), lessons.one_hot_encode(random.integers(0, 3, 6), 3)
    A2, cache = lessons.forward_propagation(X, parameters)
    assert np.abs(cache["Z2"]).max() > 1e6
    assert np.isfinite(lessons.cross_entropy_loss(Y, A2))
    assert all(np.isfinite(g).all() for g in lessons.backward_propagation(X, Y, parameters, cache).values())
    updated, loss = lessons.train_one_epoch(X, Y, parameters, 0.1, 3)
    assert np.isfinite(loss)
    assert all(np.isfinite(p).all() for p in updated.values())

    params, X, Y = tanh
    params["W2"] *= 1e5
    outputs = lessons.forward(params, X)
    np.testing.assert_allclose(outputs[0].sum(axis=1), 1)
    assert np.isfinite(lessons.loss_accuracy(outputs[0], Y)[0])
    assert all(np.isfinite(g).all() for g in lessons.backward(params, outputs, Y, X).values())


@pytest.mark.parametrize(
    ("language", "says"), [("en", "active {active} / 30, {share}%"), ("fr", "{active} / 30, {share}\u202f%")]
)
def test_verbose_tells_every_step(lesson, capsys, language, says):
    parameters, X, _, Y = lesson
    _, cache = lessons.forward_propagation(X, parameters)
    i18n.activate(language)
    quiet = lessons.backward_propagation(X, Y, parameters, cache)
    assert capsys.readouterr().out == ""
    loud = lessons.backward_propagation(X, Y, parameters, cache, verbose=True)
    out = capsys.readouterr().out
    for name in quiet:
        np.testing.assert_array_equal(quiet[name], loud[name])
    steps = ["dZ2 = (A2 − Y) / 6", "dW2 = A1.T · dZ2", "db2 = Σ dZ2", "dA1 = dZ2 · W2.T", "dZ1 = dA1 ⊙ (Z1 > 0)",
             "dW1 = X.T · dZ1", "db1 = Σ dZ1"]  # fmt: skip
    places = [out.index(step) for step in steps]
    assert places == sorted(places)
    dZ2 = (cache["A2"] - Y) / 6
    dA1 = dZ2 @ parameters["W2"].T
    dZ1 = dA1 * (cache["Z1"] > 0)
    values = [dZ2, quiet["dW2"], quiet["db2"], dA1, dZ1, quiet["dW1"], quiet["db1"]]
    lines = [line for line in out.splitlines() if " = " in line and line.startswith("  d")]
    for line, value in zip(lines, values, strict=True):
        assert str(value.shape) in line
        for extreme in (value.min(), value.max()):
            assert i18n.number(float(extreme), 6) in line
    active = int((cache["Z1"] > 0).sum())
    share = f"{100 * active / 30:.1f}"
    expected = says.format(active=active, share=share.replace(".", ",") if language == "fr" else share)
    assert expected in out


def test_tanh_against_its_formulas(tanh):
    params, X, Y = tanh
    W1, b1, W2, b2 = params.values()
    Yhat, Z1, A1 = outputs = lessons.forward(params, X)
    np.testing.assert_allclose(Z1, X @ W1.T + b1.T, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(A1, np.tanh(X @ W1.T + b1.T), rtol=1e-12, atol=1e-14)
    E = np.exp(A1 @ W2.T + b2.T)
    np.testing.assert_allclose(Yhat, E / E.sum(axis=1, keepdims=True), rtol=1e-12)
    loss, accuracy = lessons.loss_accuracy(Yhat, Y)
    assert loss == pytest.approx(-np.mean(np.log(Yhat[Y == 1] + 1e-8)), abs=1e-6)
    assert accuracy == pytest.approx(100 * np.mean(Yhat.argmax(axis=1) == Y.argmax(axis=1)))

    d2 = Yhat - Y
    d1 = d2 @ W2 * (1 - A1**2)
    expected = {
        "W1": d1.T @ X / 6,
        "b1": d1.sum(axis=0)[:, None] / 6,
        "W2": d2.T @ A1 / 6,
        "b2": d2.sum(axis=0)[:, None] / 6,
    }
    gradients = lessons.backward(params, outputs, Y, X)
    network = mlp(7, 5, 3, activation="tanh")
    rows = [{"W": W1.T, "b": b1[:, 0]}, {}, {"W": W2.T, "b": b2[:, 0]}]
    ours = network.gradients(rows, forward(network.layers, rows, X), Y)
    for name, g in zip(("W1", "b1", "W2", "b2"), (p[k] for p in ours[::2] for k in "Wb"), strict=True):
        assert gradients[name].shape == params[name].shape
        np.testing.assert_allclose(gradients[name], expected[name], rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(gradients[name], g.T if g.ndim == 2 else g[:, None], rtol=0, atol=1e-12)

    arrays = dict(params)
    before = {name: p.copy() for name, p in params.items()}
    assert lessons.sgd(params, gradients, 0.5) is None
    for name in before:
        assert params[name] is arrays[name]
        np.testing.assert_allclose(params[name], before[name] - 0.5 * expected[name], rtol=1e-11, atol=1e-15)


def test_init_params_follows_numpys_seed():
    np.random.seed(11)
    params = lessons.init_params(7, 5, 3)
    np.random.seed(11)
    np.testing.assert_array_equal(params["W1"], np.random.normal(0, 0.3, (5, 7)))
    np.testing.assert_array_equal(params["W2"], np.random.normal(0, 0.3, (3, 5)))
    np.testing.assert_array_equal(params["b1"], np.zeros((5, 1)))
    np.testing.assert_array_equal(params["b2"], np.zeros((3, 1)))


def test_the_tanh_network_learns_and_comes_back_from_its_pickle(ten_thousand, tmp_path):
    X, y, X_test, _ = ten_thousand
    X, Y = X[:2000], np.eye(10)[y[:2000]]
    np.random.seed(0)
    params = lessons.init_params(784, 132, 10)
    before = lessons.loss_accuracy(lessons.forward(params, X)[0], Y)
    for _ in range(8):
        for i in range(0, len(X), 128):
            batch = slice(i, i + 128)
            outputs = lessons.forward(params, X[batch])
            lessons.sgd(params, lessons.backward(params, outputs, Y[batch], X[batch]), 0.05)
    after = lessons.loss_accuracy(lessons.forward(params, X)[0], Y)
    assert after[0] < 0.4 * before[0]
    assert after[1] > 70 > before[1]
    path = tmp_path / "model_mnist.pkl"
    path.write_bytes(pickle.dumps(params))
    model = load(path, activation="tanh")
    np.testing.assert_allclose(model.probabilities(X_test), lessons.forward(params, X_test)[0], rtol=1e-10)


def test_nothing_is_changed_in_place(lesson, tanh):
    parameters, X, y, Y = lesson
    params, X2, Y2 = tanh
    for array in [*parameters.values(), X, y, Y, *params.values(), X2, Y2]:
        array.flags.writeable = False
    _, cache = lessons.forward_propagation(X, parameters)
    lessons.update_parameters(parameters, lessons.backward_propagation(X, Y, parameters, cache), 0.1)
    lessons.train_one_epoch(X, Y, parameters, 0.1, 3)
    assert 0 <= lessons.compute_accuracy(X, y, parameters) <= 1
    lessons.backward(params, lessons.forward(params, X2), Y2, X2)


ONES = {"W1": np.ones((4, 3)), "b1": np.ones((1, 3)), "W2": np.ones((3, 2)), "b2": np.ones((1, 2))}
COLUMNS = {name: array.T for name, array in ONES.items()}
X, Y = np.ones((5, 4)), np.ones((5, 2)) / 2
CACHE = {"Z1": np.ones((5, 3)), "A1": np.ones((5, 3)), "Z2": np.ones((5, 2)), "A2": Y}
OUTPUTS = (Y, np.ones((5, 3)), np.ones((5, 3)))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lessons.one_hot_encode([0, -1]), "the labels go from -1 to 0"),
        (lambda: lessons.one_hot_encode([0, 10]), "classes 0 to 9"),
        (lambda: lessons.one_hot_encode([0.5]), "whole numbers in one row, (m,), not float64"),
        (lambda: lessons.one_hot_encode([[1]]), "of shape (1, 1)"),
        (lambda: lessons.cross_entropy_loss(Y, Y[:3]), "not (5, 2) and (3, 2)"),
        (lambda: lessons.forward_propagation(X, {}), "W1, b1, W2, b2 and so on, not nothing"),
        (lambda: lessons.forward_propagation(X, {"W1": 1, "b2": 2}), "not W1, b2"),
        (lambda: lessons.forward_propagation(X, COLUMNS), "W1 (3, 4)"),
        (lambda: lessons.forward_propagation(X[0], ONES), "X must have the shape (m, 4), not (4,)"),
        (lambda: lessons.backward_propagation(X, Y, ONES, {}), "The cache lacks Z1"),
        (lambda: lessons.backward_propagation(X, Y[:4], ONES, CACHE), "do not belong together"),
        (lambda: lessons.update_parameters(ONES, {}, 0.1), "The gradient dW1 must have the shape (4, 3), not None"),
        (lambda: lessons.update_parameters({"b1": np.ones((1, 3))}, {"db1": np.ones((3, 1))}, 0.1), "not (3, 1)"),
        (lambda: lessons.train_one_epoch(X, Y, ONES, 0.1), "at least one batch of 32"),
        (lambda: lessons.train_one_epoch(X, Y, ONES, 0.1, 0), "at least one batch of 0"),
        (lambda: lessons.train_one_epoch(X, Y[:, :1], ONES, 0.1, 2), "(5, 1)"),
        (lambda: lessons.compute_accuracy(X, Y, ONES), "one label for each image, (5,), not an array of shape (5, 2)"),
        (lambda: lessons.initialize_parameters([784]), "at least two layer sizes"),
        (lambda: lessons.init_params(784, 0, 10), "784, 0, 10"),
        (lambda: lessons.forward({}, X), "b2 (ny, 1), not nothing"),
        (lambda: lessons.forward(ONES, X), "W1 (4, 3)"),
        (lambda: lessons.forward(COLUMNS, X[:, :2]), "X must have the shape (m, 4), not (5, 2)"),
        (lambda: lessons.backward(COLUMNS, OUTPUTS, Y[:2], X), "(2, 2)"),
        (lambda: lessons.backward(COLUMNS, OUTPUTS[:2], Y, X), "three arrays (Yhat, Z1, A1), not 2"),
        (lambda: lessons.sgd(dict(COLUMNS), ONES, 0.1), "The gradient W1 must have the shape (3, 4), not (4, 3)"),
    ],
)
def test_what_does_not_fit_is_refused(call, says):
    with pytest.raises(PasapasError) as error:
        call()
    assert says in str(error.value)

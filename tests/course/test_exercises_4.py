"""What a learner is told of each answer to lesson 4's exercises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pasapas import metrics
from pasapas.checking import GradientCheck
from pasapas.course import Lesson
from pasapas.losses import log_softmax


@pytest.fixture
def lesson():
    return Lesson("4-a-complete-network", "en")


def sigmoid(X):
    return 1 / (1 + np.exp(-X))


# 4.1, a layer of one's own ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Softplus:
    def forward(self, params, X):
        return np.logaddexp(0, X)

    def parameter_gradients(self, params, X, Y, dY):
        return {}

    def input_gradient(self, params, X, Y, dY):
        return dY * (1 - np.exp(-Y))


class Untouched(Softplus):
    def forward(self, params, X):
        return ...

    def input_gradient(self, params, X, Y, dY):
        return ...


class HalfDone(Softplus):
    def input_gradient(self, params, X, Y, dY):
        return ...


def with_forward(f):
    class Layer(Softplus):
        def forward(self, params, X):
            return f(X)

    return Layer()


def with_input_gradient(f):
    class Layer(Softplus):
        def input_gradient(self, params, X, Y, dY):
            return f(X, Y, dY)

    return Layer()


def with_parameter_gradients(value):
    class Layer(Softplus):
        def parameter_gradients(self, params, X, Y, dY):
            return value

    return Layer()


@pytest.mark.parametrize("answer", [..., None, Untouched(), HalfDone()])
def test_no_layer_yet(lesson, answer):
    assert lesson.check(1, answer).status == "unanswered"


@pytest.mark.parametrize("layer", [Softplus(), with_input_gradient(lambda X, Y, dY: dY / (1 + np.exp(-X)))])
def test_a_right_layer_is_shown_with_the_gradient_check_of_its_network(lesson, layer):
    verdict = lesson.check(1, layer)
    assert verdict.ok
    assert isinstance(verdict.report, GradientCheck)
    assert verdict.report.ok


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Softplus, "hand over a layer, not its class"),
        (3, "`forward` is missing"),
        (np.tanh, "`forward` is missing"),
        (with_forward(lambda X: np.logaddexp(0, -X)), "in `forward`: the sign in the exponential"),
        (with_forward(sigmoid), "in `forward`: this is 1 / (1 + e⁻ˣ), the derivative"),
        (with_forward(lambda X: np.maximum(X, 0)), "in `forward`: this is ReLU"),
        (with_forward(lambda X: np.log(1 + np.exp(X))), "in `forward`: right for small sums, but not for 1000"),
        (with_forward(lambda X: X.sum()), "in `forward`: `Y` has the shape ()"),
        (with_forward(lambda X: X + 1), "in `forward`: `Y[0, 0]` is -1.0000; it should be 0.1269"),
        (with_forward(lambda X: X.nothing), "in `forward`: your function stops with `AttributeError"),
        (with_parameter_gradients({"W": 0.0}), "in `parameter_gradients`: return an empty dictionary"),
        (with_parameter_gradients(0.0), "in `parameter_gradients`: return an empty dictionary"),
        (
            with_input_gradient(lambda X, Y, dY: sigmoid(X)),
            "in `input_gradient`: the derivative is right, but it is alone",
        ),
        (with_input_gradient(lambda X, Y, dY: dY), "in `input_gradient`: `dY` goes through unchanged"),
        (with_input_gradient(lambda X, Y, dY: dY * sigmoid(Y)), "in `input_gradient`: the derivative is taken at `Y`"),
        (with_input_gradient(lambda X, Y, dY: dY * (X > 0)), "in `input_gradient`: this is the derivative of ReLU"),
        (with_input_gradient(lambda X, Y, dY: dY * sigmoid(-X)), "in `input_gradient`: the sign in the exponential"),
        (with_input_gradient(lambda X, Y, dY: dY * Y), "multiplied by the layer's value"),
        (with_input_gradient(lambda X, Y, dY: dY * sigmoid(X) / len(X)), "in `input_gradient`: no division by m here"),
        (
            with_input_gradient(lambda X, Y, dY: dY * np.exp(X) / (1 + np.exp(X))),
            "in `input_gradient`: right for small sums, but not for 1000",
        ),
        (with_input_gradient(lambda X, Y, dY: 2 * dY * sigmoid(X)), "in `input_gradient`: `dX[0, 0]` is"),
    ],
)
def test_which_method_is_wrong(lesson, layer, message):
    verdict = lesson.check(1, layer)
    assert verdict.status == "wrong"
    assert message in verdict.message


def test_a_layer_that_is_right_alone_and_wrong_in_a_network(lesson):
    def only_for_positive_losses(X, Y, dY):
        return dY * sigmoid(X) if X.shape[1] < 4 else dY

    verdict = lesson.check(1, with_input_gradient(only_for_positive_losses))
    assert verdict.status == "wrong"
    assert not verdict.report.ok


# 4.2, mini-batches -----------------------------------------------------------------------------------------------------


def batches(m, batch_size, random):
    order = random.permutation(m)
    return [order[start : start + batch_size] for start in range(0, m, batch_size)]


def one_by_one(m, batch_size, random):
    order = random.permutation(m)
    for start in range(0, m, batch_size):
        yield order[start : start + batch_size]


def as_lists(m, batch_size, random):
    return [batch.tolist() for batch in batches(m, batch_size, random)]


def shuffled_after(m, batch_size, random):
    cut = [np.arange(start, min(start + batch_size, m)) for start in range(0, m, batch_size)]
    return [random.permutation(batch) for batch in cut]


def filled_up(m, batch_size, random):
    order = random.permutation(m)
    return [np.resize(np.roll(order, -start), batch_size) for start in range(0, m, batch_size)]


def half(m, batch_size, random):
    return batches(m, batch_size, random)[: max(1, m // batch_size - 1)]


@pytest.mark.parametrize("f", [batches, one_by_one, as_lists])
def test_right_batches(lesson, f):
    assert lesson.check(2, f).ok


@pytest.mark.parametrize("f", [..., lambda m, batch_size, random: ...])
def test_no_batches_yet(lesson, f):
    assert lesson.check(2, f).status == "unanswered"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (5, "hand over the function itself"),
        (lambda m, b, random: 5, "your function stops with `TypeError"),
        (lambda m, b, random: random.permutation(m), "should be an array of indices"),
        (lambda m, b, random: [batch / 2 for batch in batches(m, b, random)], "should be an array of indices"),
        (
            lambda m, b, random: [random.permutation(m)[i * b : (i + 1) * b] for i in range(m // b)],
            "drawing with replacement",
        ),
        (lambda m, b, random: [random.integers(0, m, b) for _ in range(0, m, b)], "drawing with replacement"),
        (lambda m, b, random: batches(m, b, random)[: m // b], "the last images are lost: 4 never come"),
        (half, "with m = 100 and batch_size = 32, 36 images never come"),
        (lambda m, b, random: [batch + 1 for batch in batches(m, b, random)], "there are indices from 1 to 100"),
        (filled_up, "the last batch is filled up"),
        (lambda m, b, random: [*batches(m, b, random), np.array([], int)], "one batch is empty"),
        (
            lambda m, b, random: np.array_split(random.permutation(m), -(-m // b)),
            "the batches have 25, 25, 25, 25 images",
        ),
        (lambda m, b, random: [np.arange(m)[i : i + b] for i in range(0, m, b)], "in the order of the file"),
        (shuffled_after, "Shuffle before you cut"),
        (lambda m, b, random: batches(m, b, np.random.default_rng(0)), "every epoch has the same order"),
        (lambda m, b, random: batches(m, b, np.random.default_rng()), "draw from `random` alone"),
        (lambda m, b, random: [], "with m = 100 and batch_size = 32, 100 images never come"),
    ],
)
def test_wrong_batches(lesson, f, message):
    verdict = lesson.check(2, f)
    assert verdict.status == "wrong"
    assert message in verdict.message


# 4.3, early stopping ---------------------------------------------------------------------------------------------------


def stopping(losses, patience, equal_is_better=False):
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss < losses[best - 1] or (equal_is_better and loss == losses[best - 1]):
            best = epoch
        if epoch - best >= patience:
            return best, epoch
    return best, len(losses)


def against_the_previous(losses, patience):
    worse = 0
    for epoch in range(2, len(losses) + 1):
        worse = worse + 1 if losses[epoch - 1] >= losses[epoch - 2] else 0
        if worse >= patience:
            return int(np.argmin(losses[:epoch])) + 1
    return int(np.argmin(losses)) + 1


def test_right_epoch(lesson):
    verdict = lesson.check(3, lambda losses, patience: stopping(losses, patience)[0])
    assert verdict.ok
    assert "pasapas.fit" in verdict.message


@pytest.mark.parametrize("f", [None, lambda losses, patience: ...])
def test_no_epoch_yet(lesson, f):
    assert lesson.check(3, f).status == "unanswered"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda losses, patience: stopping(losses, patience)[0] - 1, "epochs count from 1"),
        (lambda losses, patience: stopping(losses, patience)[1], "the epoch at which training stops"),
        (lambda losses, patience: int(np.argmin(losses)) + 1, "the best of all epochs"),
        (lambda losses, patience: stopping(losses, patience + 1)[0], "waits one epoch too long"),
        (lambda losses, patience: stopping(losses, patience - 1)[0], "stops one epoch too early"),
        (against_the_previous, "compare each epoch with the best so far"),
        (lambda losses, patience: stopping(losses, patience, True)[0], "an equal loss is no better one"),
        (
            lambda losses, patience: len(losses),
            "for the losses 0.50 · 0.40 · 0.45 · 0.41 · 0.39 · 0.42 · 0.43 · 0.44 · 0.30 and a patience of 3, "
            "epoch 5 is to be kept, not 9.",
        ),
        (lambda losses, patience: 1, "epoch 5 is to be kept, not 1."),
        (lambda losses, patience: min(losses), "return the number of an epoch"),
        (lambda losses, patience: "two", "return the number of an epoch"),
        (lambda losses: 1, "your function stops with `TypeError"),
    ],
)
def test_wrong_epoch(lesson, f, message):
    verdict = lesson.check(3, f)
    assert verdict.status == "wrong"
    assert message in verdict.message


# 4.4, the confusion matrix ---------------------------------------------------------------------------------------------


def counted(labels, predicted):
    return metrics.confusion_matrix(labels, predicted, 10)


def at_once(labels, predicted):
    C = np.zeros((10, 10), int)
    C[labels, predicted] += 1
    return C


def shares(labels, predicted, axis):
    C = counted(labels, predicted)
    return C / C.sum(axis, keepdims=True)


def guarded(labels, predicted):
    C = counted(labels, predicted)
    return C / np.maximum(C.sum(axis=1, keepdims=True), 1)


def added(labels, predicted):
    C = np.zeros((10, 10))
    np.add.at(C, (labels, predicted), 1)
    return C


@pytest.mark.parametrize("f", [counted, added])
def test_right_counts(lesson, f):
    assert lesson.check(4, f).ok


def test_no_counts_yet(lesson):
    assert lesson.check(4, lambda labels, predicted: ...).status == "unanswered"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda y, p: counted(p, y), "rows and columns are exchanged"),
        (at_once, "each pair is counted once at most"),
        (lambda y, p: counted(y, p) - np.diag(np.diag(counted(y, p))), "the diagonal is missing"),
        (lambda y, p: shares(y, p, 0), "these are shares"),
        (lambda y, p: shares(y, p, 1), "these are shares"),
        (lambda y, p: shares(y, p, None), "these are shares"),
        (guarded, "these are shares"),
        (lambda y, p: metrics.confusion_matrix(y, p, 1 + max(y.max(), p.max())), "`C` has the shape (6, 6)"),
        (lambda y, p: counted(y, p) + 1, "`C[0, 0]` is"),
        (lambda y, p: (y == p).mean(), "`C` has the shape ()"),
    ],
)
def test_wrong_counts(lesson, f, message):
    verdict = lesson.check(4, f)
    assert verdict.status == "wrong"
    assert message in verdict.message


# 4.5, the temperature --------------------------------------------------------------------------------------------------


def searched(Z, labels):
    candidates = np.geomspace(0.2, 5, 400)
    return min(candidates, key=lambda T: metrics.cross_entropy(log_softmax(Z / T), labels))


def surest(Z, labels):
    return max(
        np.geomspace(0.2, 5, 100),
        key=lambda T: metrics.calibration(np.exp(log_softmax(Z / T)), labels).error,
    )


def of_probabilities(Z, labels):
    return metrics.temperature(np.exp(log_softmax(Z)), labels)


@pytest.mark.parametrize("f", [searched, metrics.temperature])
def test_right_temperature(lesson, f):
    assert lesson.check(5, f).ok


def test_no_temperature_yet(lesson):
    assert lesson.check(5, lambda Z, labels: ...).status == "unanswered"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda Z, labels: 1 / metrics.temperature(Z, labels), "this is 1 / T"),
        (lambda Z, labels: 1.0, "the same T comes for quite different scores"),
        (of_probabilities, "the softmax is taken twice"),
        (lambda Z, labels: 2 * metrics.temperature(Z, labels), "not the minimum: with your T = "),
        (surest, "not the minimum: with your T = "),
        (lambda Z, labels: 0, "return one number `T` > 0"),
        (lambda Z, labels: np.ones(3), "return one number `T` > 0"),
        (lambda Z, labels: "hot", "return one number `T` > 0"),
        (lambda Z: 1, "your function stops with `TypeError"),
    ],
)
def test_wrong_temperature(lesson, f, message):
    verdict = lesson.check(5, f)
    assert verdict.status == "wrong"
    assert message in verdict.message

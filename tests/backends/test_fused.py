"""The fused steps are the readable ones, bit for bit."""

from __future__ import annotations

import dataclasses
import itertools
import math
import tracemalloc

import numpy as np
import pytest

from pasapas import SGD, Adam, Momentum, Network, mlp
from pasapas.backends.fused import FusedSteps
from pasapas.data.dataset import scaled
from pasapas.layers import Dense, Dropout, LeakyReLU, ReLU, Tanh
from pasapas.losses import SoftmaxCrossEntropy
from pasapas.steps import step

OPTIMIZERS = {"sgd": SGD(), "momentum": Momentum(0.8), "nesterov": Momentum(0.9, nesterov=True), "adam": Adam()}
BATCHES = [np.arange(0, 99, 3), np.array([5, 3, 90]), slice(10, 43), np.arange(33)[::-1], slice(0, 100, 7)]


def start(network, optimizer, dtype, seed=3):
    """Parameters with biases that are not zero, and the optimizer's memory."""
    random = np.random.default_rng(seed)
    params = network.initialize(dtype=dtype)
    for p in params:
        if p:
            p["b"] = random.normal(0, 0.3, p["b"].shape).astype(dtype)
    return params, optimizer.initialize(params)


def pixels(n=100, width=5, height=9, classes=7):
    random = np.random.default_rng(4)
    images = random.integers(0, 256, (n, height, width), dtype=np.uint8)
    return images * (images > 120), random.integers(0, classes, n).astype(np.uint8)


def readable(network, optimizer, params, state, images, labels, batches, dtype, learning_rate=0.05):
    """The steps as `pasapas.steps` takes them: parameters and memory at the end, losses, right answers."""
    masks, losses, correct = np.random.default_rng(9), [], []
    for batch in batches:
        X = scaled(images[batch], dtype)
        Y = network.loss.targets(labels[batch], network.sizes[-1], np.dtype(dtype))
        masked = network.with_masks(params, len(X), masks)
        params, state, L, Z = step(network, optimizer, params, state, X, Y, learning_rate, masked)
        losses.append(float(L))
        correct.append(int(np.sum(np.argmax(Z, axis=1) == labels[batch])))
    return params, state, losses, correct


def fused(network, optimizer, params, state, images, labels, batches, learning_rate=0.05):
    masks = np.random.default_rng(9)
    steps = FusedSteps(network, optimizer, params, state, 33)
    taken = [steps.step(images, labels, learning_rate, masks, batch) for batch in batches]
    return steps.params, steps.state, [loss for loss, _ in taken], [right for _, right in taken]


def assert_same(a, b):
    """The same structure, the same dtypes, the same bits (but for the sign of zeros)."""
    assert type(a) is type(b) or {type(a), type(b)} <= {list, tuple}
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            assert_same(a[name], b[name])
    elif isinstance(a, (list, tuple)):
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh", "sigmoid"])
def test_same_bits_as_the_readable_step(activation, optimizer, dtype):
    images, labels = pixels()
    for dropout, input_dropout, l2, smoothing in itertools.product([0, 0.3], [0, 0.1], [0, 0.01], [0, 0.1]):
        network = mlp(
            45,
            23,
            11,
            7,
            activation=activation,
            dropout=dropout,
            input_dropout=input_dropout,
            l2=l2,
            label_smoothing=smoothing,
        )
        assert FusedSteps.supports(network, OPTIMIZERS[optimizer])
        begin = start(network, OPTIMIZERS[optimizer], dtype)
        expected = readable(network, OPTIMIZERS[optimizer], *begin, images, labels, BATCHES, dtype)
        assert_same(fused(network, OPTIMIZERS[optimizer], *begin, images, labels, BATCHES), expected)


@pytest.mark.parametrize("sizes", [(45, 7), (45, 1, 7), (45, 500, 200, 7)], ids=str)
def test_same_bits_for_other_depths_and_more_weights_than_a_piece(sizes):
    images, labels = pixels()
    network, optimizer = mlp(*sizes, l2=0.01), Adam()
    begin = start(network, optimizer, "float32")
    expected = readable(network, optimizer, *begin, images, labels, BATCHES, "float32")
    assert_same(fused(network, optimizer, *begin, images, labels, BATCHES), expected)


@pytest.mark.parametrize("kind", ["floats", "other floats", "whole numbers", "strided bytes", "rows", "fortran"])
def test_images_of_other_kinds(kind):
    images, labels = pixels()
    images = {
        "floats": images.astype("float32") / 255 - 0.3,
        "other floats": images / 255 - 0.3,
        "whole numbers": images.astype(np.int64) // 64,
        "strided bytes": np.repeat(images, 2, axis=2)[:, :, ::2],
        "rows": images.reshape(len(images), -1),
        "fortran": np.asfortranarray(images.astype("float32")),
    }[kind]
    before = images.copy()
    for rate in (0, 0.2):
        network, optimizer = mlp(45, 23, 7, input_dropout=rate), OPTIMIZERS["nesterov"]
        begin = start(network, optimizer, "float32")
        expected = readable(network, optimizer, *begin, images, labels, BATCHES, "float32")
        assert_same(fused(network, optimizer, *begin, images, labels, BATCHES), expected)
    np.testing.assert_array_equal(images, before)


def test_what_is_handed_in_is_not_written_to():
    images, labels = pixels()
    network, optimizer = mlp(45, 23, 7, dropout=0.2), Adam()
    params, state = start(network, optimizer, "float32")
    steps = FusedSteps(network, optimizer, params, state, 33)
    for p in [*params, *state["mean"], *state["square"]]:
        for array in p.values():
            array.flags.writeable = False
    images.flags.writeable = labels.flags.writeable = False
    steps.step(images, labels, 0.1, np.random.default_rng(0), slice(0, 33))
    assert state["step"] == 0
    assert steps.state["step"] == 1


def test_going_on_where_others_stopped():
    """Two steps, and two more in new memory, are four steps."""
    images, labels = pixels()
    network, optimizer = mlp(45, 23, 7), Adam()
    begin = start(network, optimizer, "float32")
    whole = fused(network, optimizer, *begin, images, labels, BATCHES[:4])
    params, state, *_ = fused(network, optimizer, *begin, images, labels, BATCHES[:2])
    assert_same(fused(network, optimizer, params, state, images, labels, BATCHES[2:4])[:2], whole[:2])


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_not_finite_is_seen_in_the_loss(activation, bad):
    images, labels = pixels()
    network = mlp(45, 23, 7, activation=activation, dropout=0.2)
    params, state = start(network, SGD(), "float32")
    params[-1]["b"][2] = bad
    expected = readable(network, SGD(), params, state, images, labels, BATCHES[:2], "float32")
    got = fused(network, SGD(), params, state, images, labels, BATCHES[:2])
    assert math.isnan(got[2][0])
    assert_same(got, expected)


class OtherReLU(ReLU):
    pass


class OtherSGD(SGD):
    pass


class OtherLoss(SoftmaxCrossEntropy):
    pass


def test_what_is_not_supported():
    a, b = Dense(45, 23), Dense(23, 7)
    assert FusedSteps.supports(Network((Dropout(0.1), a, LeakyReLU(1.0), Dropout(0.2), b)), SGD())
    for layers in [
        (),
        (ReLU(),),
        (a, b),
        (a, ReLU()),
        (a, ReLU(), Tanh(), b),
        (a, Dropout(0.1), b),
        (a, Dropout(0.1), ReLU(), b),
        (Dropout(0.1), Dropout(0.1), a, ReLU(), b),
        (ReLU(), a, ReLU(), b),
        (a, ReLU(), b, Dropout(0.1)),
        (a, OtherReLU(), b),
        (a, LeakyReLU(-0.1), b),
        (a, LeakyReLU(1.5), b),
    ]:
        assert not FusedSteps.supports(Network(layers), SGD())
    network = mlp(45, 23, 7)
    assert not FusedSteps.supports(network, OtherSGD())
    assert not FusedSteps.supports(dataclasses.replace(network, loss=OtherLoss()), SGD())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_allocates_next_to_nothing(optimizer):
    """Rows are given as bytes by places, the way training does; the largest array of this network has 5 MB."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (500, 28, 28), dtype=np.uint8)
    labels = random.integers(0, 10, 500)
    network = mlp(784, 1600, 10, dropout=0.3, input_dropout=0.1, l2=1e-4)
    params, state = start(network, OPTIMIZERS[optimizer], "float32")
    steps = FusedSteps(network, OPTIMIZERS[optimizer], params, state, 100)
    batches = random.permutation(500).reshape(5, 100)
    steps.step(images, labels, 0.01, random, batches[0])
    tracemalloc.start()
    try:
        for batch in batches[1:]:
            steps.step(images, labels, 0.01, random, batch)
        assert tracemalloc.get_traced_memory()[1] < 50_000  # NumPy's own buffer for a cast has 32 KB
    finally:
        tracemalloc.stop()

from __future__ import annotations

import dataclasses
import os
import signal

import numpy as np
import pytest

from pasapas import Diverged, PasapasError, Recipe, fit, mlp, recipe, train, training
from pasapas.backends.epochs import make_batches
from pasapas.backends.numpy import evaluate
from pasapas.data.dataset import scaled
from pasapas.losses import softmax
from pasapas.network import forward

SMALL = {"train_images": 1000, "test_images": 500, "hidden": (16,), "epochs": 3, "batch_size": 64}


def same(a, b) -> bool:
    return all(np.array_equal(p[k], q[k]) for p, q in zip(a, b, strict=True) for k in p)


def test_lesson_3_to_the_digits_shown():
    result = train("lesson-3")
    assert [f"{e.loss:.4f}" for e in result.history] == ["0.9653", "0.4375", "0.3580", "0.3180", "0.2909"]
    assert result.history[-1].accuracy == 0.9225
    assert result.history[-1].test_accuracy == result.test[1] == 0.894


def test_tanh_132_over_five_seeds():
    accuracies = [train("tanh-132", seed=seed).test[1] for seed in range(5)]
    assert np.mean(accuracies) == pytest.approx(0.9304, abs=0.003)


def test_the_loop_is_the_one_in_the_lesson(mnist):
    """An epoch of the training loop against the same steps written out with plain NumPy."""
    chosen = recipe("lesson-3", train_images=300, epochs=1, batch_size=128, drop_last=False)
    got = train(chosen).model.params
    data = mnist[0].first(300)
    p = [q.copy() for q in chosen.network().initialize(chosen.make_initializer(), 42, "float64")]
    W1, b1, W2, b2 = p[0]["W"], p[0]["b"], p[2]["W"], p[2]["b"]
    for start in (0, 128, 256):
        X = data.images[start : start + 128].reshape(-1, 784) / 255
        Y = np.eye(10)[data.labels[start : start + 128]]
        Z1 = X @ W1 + b1
        A1 = np.maximum(0, Z1)
        E = np.exp(A1 @ W2 + b2)
        dZ2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
        dZ1 = dZ2 @ W2.T * (Z1 > 0)
        W1, b1, W2, b2 = (
            W1 - 0.1 * X.T @ dZ1,
            b1 - 0.1 * dZ1.sum(axis=0),
            W2 - 0.1 * A1.T @ dZ2,
            b2 - 0.1 * dZ2.sum(axis=0),
        )
    for mine, theirs in zip((got[0]["W"], got[0]["b"], got[2]["W"], got[2]["b"]), (W1, b1, W2, b2), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.001, "dropout": 0.3, "input_dropout": 0.1},
        {"optimizer": "nesterov", "schedule": "cosine", "warmup_epochs": 0.5, "l2": 1e-4, "label_smoothing": 0.1},
        {"optimizer": "momentum", "validation_images": 100, "keep": "best", "dtype": "float64"},
    ],
    ids=lambda options: ",".join(options) or "plain",
)
def test_same_seed_same_bits_and_resumed_the_same(options):
    chosen = Recipe(**SMALL, **options)
    stages = []
    whole = train(chosen, watcher=training.Watcher(epoch=stages.append))
    again = train(chosen)
    resumed = train(chosen, progress=stages[0])
    assert same(whole.model.params, again.model.params)
    assert same(whole.model.params, resumed.model.params)
    assert not same(whole.model.params, train(chosen, seed=1).model.params)
    strip = [[dataclasses.replace(e, seconds=0) for e in r.history] for r in (whole, again, resumed)]
    assert strip[0] == strip[1] == strip[2]


def test_every_image_once_an_epoch_in_another_order():
    chosen = Recipe(batch_size=64)
    first, second = (make_batches(chosen, 1000, epoch) for epoch in (1, 2))
    assert [len(b) for b in first] == [64] * 15 + [40]
    for batches in (first, second):
        np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(1000))
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))
    dropped = make_batches(chosen.replace(drop_last=True), 1000, 1)
    assert [len(b) for b in dropped] == [64] * 15
    plain = make_batches(chosen.replace(shuffle=False), 100, 1)
    assert plain == [slice(0, 64), slice(64, 100)]


def test_running_figures_are_means_over_images(mnist):
    """With a learning rate of almost nothing, the running figures are those of the first weights."""
    chosen = Recipe(**{**SMALL, "epochs": 1}, learning_rate=1e-30, dtype="float64")
    epoch = train(chosen).history[0]
    network = chosen.network()
    params = network.initialize(chosen.make_initializer(), chosen.seed, "float64")
    loss, accuracy = evaluate(network, params, mnist[0].first(1000))
    assert epoch.loss == pytest.approx(loss, rel=1e-12)
    assert epoch.accuracy == accuracy


def test_evaluation_by_hand(mnist):
    result = train(Recipe(**SMALL))
    network, params, test = result.model.network, result.model.params, mnist[1].first(500)
    P = softmax(forward(network.layers, params, scaled(test.images, "float32"))[-1])
    assert result.test[0] == pytest.approx(-np.mean(np.log(P[np.arange(500), test.labels])), rel=1e-5)
    assert result.test[1] == np.mean(P.argmax(axis=1) == test.labels)
    assert result.model.evaluate(test.images, test.labels) == result.test


def test_validation_images_are_the_last_and_not_trained_on():
    chosen = Recipe(**SMALL, validation_images=200)
    splits = training.mnist_splits(chosen)
    assert (len(splits.training), len(splits.validation), len(splits.test)) == (800, 200, 500)
    epoch = train(chosen).history[-1]
    assert 0 < epoch.validation_accuracy < 1
    assert epoch.test_accuracy is None


def test_patience_stops_and_best_is_kept():
    chosen = Recipe(
        train_images=300, validation_images=100, hidden=(64,), epochs=200, learning_rate=0.5, patience=4, keep="best"
    )
    result = train(chosen)
    losses = [e.validation_loss for e in result.history]
    best = int(np.argmin(losses))
    assert result.stopped == "patience"
    assert len(losses) == best + 1 + 4 < 200
    validation = training.mnist_splits(chosen).validation
    assert result.model.evaluate(validation.images, validation.labels)[0] == losses[best]
    last = train(chosen.replace(keep="last"))
    assert last.model.evaluate(validation.images, validation.labels)[0] == losses[-1]


def test_monitoring_accuracy():
    history = [
        training.Epoch(i + 1, 0.0, 0.0, loss, accuracy, None, None, 0.1, 0.0)
        for i, (loss, accuracy) in enumerate([(1.0, 0.5), (2.0, 0.6), (0.5, 0.6)])
    ]
    base = Recipe(validation_images=10)
    for monitor, expected in (("validation_loss", [True, False, True]), ("validation_accuracy", [True, True, False])):
        chosen = base.replace(monitor=monitor)
        got = [training.is_best(chosen, training.Progress([], {}, tuple(history[:n]))) for n in (1, 2, 3)]
        assert got == expected


def test_stops_when_accurate_enough():
    result = train(Recipe(**{**SMALL, "epochs": 50}, stop_accuracy=0.9))
    assert result.stopped == "accuracy"
    assert result.history[-1].accuracy > 0.9 >= max(e.accuracy for e in result.history[:-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divergence_says_where_and_what_to_try(dtype):
    with pytest.raises(Diverged) as error:
        # every step makes the weights 1,000 times larger
        train(Recipe(**{**SMALL, "epochs": 10}, learning_rate=100, l2=10, dtype=dtype))
    sentence = str(error.value)
    assert "epoch" in sentence
    assert "batch" in sentence
    assert "smaller learning rate than 100," in sentence


def test_ctrl_c_keeps_what_was_learned():
    chosen = Recipe(**SMALL)
    steps = []

    def press(epoch, images, loss, accuracy):
        steps.append((epoch, images))
        if len(steps) == 20:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    result = train(chosen, watcher=training.Watcher(step=press))
    assert result.stopped == "interrupted"
    assert len(result.history) == 1
    assert len(steps) == 20
    assert signal.getsignal(signal.SIGINT) is before
    one_epoch = train(chosen, epochs=1)
    assert not same(result.model.params, one_epoch.model.params)
    assert result.test[1] > 0.5


def test_interruption_at_the_end_of_an_epoch_keeps_the_epoch():
    def press(epoch, images, loss, accuracy):
        if images == 1000:
            os.kill(os.getpid(), signal.SIGINT)

    result = train(Recipe(**SMALL), watcher=training.Watcher(step=press))
    assert (result.stopped, len(result.history)) == ("interrupted", 1)


def test_schedules_reach_the_steps():
    rates = []

    class Recording(training.Watcher):
        pass

    chosen = Recipe(**{**SMALL, "epochs": 4}, schedule="linear", learning_rate=0.1)
    train(chosen, watcher=Recording(epoch=lambda progress: rates.append(progress.history[-1].learning_rate)))
    # the last of 16 steps of each epoch, at its middle
    assert rates == pytest.approx([0.1 * (1 - (epoch + 15.5 / 16) / 4) for epoch in range(4)])


def test_fit_on_other_data(random):
    X = random.standard_normal((200, 3)).astype("float32")
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    network = mlp(3, 8, 2, activation="tanh")
    result = fit(network, X, y, test=(X, y), epochs=30, batch_size=20, learning_rate=0.5)
    assert result.test[1] > 0.97
    np.testing.assert_array_equal(result.model.predict(X) == y, result.model.probabilities(X).argmax(axis=1) == y)


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        (np.zeros((4, 5)), np.zeros(4, int), "takes 3 numbers for an image, but these images have 5"),
        (np.zeros((4, 3)), np.zeros(5, int), "do not belong together"),
        (np.zeros((4, 3)), np.zeros(4), "whole numbers, not float64"),
        (np.zeros((4, 3)), np.array([0, 1, 2, 1]), "classes 0 to 1, but the labels go from 0 to 2"),
        (np.zeros((4, 3)), np.array([0, -1, 0, 1]), "from -1 to 1"),
        (np.zeros((0, 3)), np.zeros(0, int), "no images"),
    ],
)
def test_fit_refuses_what_does_not_fit(X, y, says):
    with pytest.raises(PasapasError) as error:
        fit(mlp(3, 4, 2), X, y)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"train_images": 100, "batch_size": 128, "drop_last": True}, "leaves out all 100"),
        ({"patience": 3}, "validation images"),
        ({"keep": "best"}, "validation images"),
    ],
)
def test_recipes_that_cannot_be_trained(fields, says):
    with pytest.raises(PasapasError) as error:
        train(Recipe(**fields))
    assert says in str(error.value)


def test_fit_refuses_the_fields_that_the_network_has_already():
    with pytest.raises(PasapasError) as error:
        fit(mlp(3, 4, 2), np.zeros((4, 3)), np.zeros(4, int), hidden=(5,))
    assert "hidden" in str(error.value)


def test_a_line_after_each_epoch_unless_quiet(capsys):
    train(Recipe(**SMALL))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" · ")[0] for line in lines] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]
    train(Recipe(**SMALL), quiet=True)
    fit(mlp(3, 2), np.zeros((4, 3)), np.array([0, 1, 0, 1]), epochs=2, quiet=True)
    assert capsys.readouterr().out == ""
    fit(mlp(3, 2), np.zeros((4, 3)), np.array([0, 1, 0, 1]), epochs=2)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_short_in_a_notebook():
    result = train(Recipe(**SMALL), quiet=True)
    assert repr(result).startswith("Result(Model(784-16-10), epochs: 3, test accuracy ")
    assert len(repr(result)) < 80

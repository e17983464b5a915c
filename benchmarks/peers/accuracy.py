"""How long until 98% of the test images are right: pasapas' default recipe, and peers with usual settings.

Each function trains from `seed`, evaluates after each epoch, and gives the seconds, the epochs and the accuracy of the
first epoch that reaches the aim, or of the last one tried. Reading the images and importing do not count; evaluating does.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import numpy as np

import pasapas
from peers.contender import pixels

AIM = 0.98
MOST_EPOCHS = 40
SIZES = (784, 512, 10)
BATCH_SIZE = 128
Reached = tuple[float, int, float]


class _Enough(Exception):
    pass


def until(epoch: Callable[[], float]) -> Reached:
    """Runs `epoch`, which trains one and gives the accuracy on the test images."""
    began = time.perf_counter()
    accuracy, epochs = 0.0, 0
    while accuracy < AIM and epochs < MOST_EPOCHS:
        accuracy, epochs = epoch(), epochs + 1
    return time.perf_counter() - began, epochs, accuracy


def _pasapas(engine: str, seed: int) -> Reached:
    from pasapas.training import Progress, Watcher, mnist_splits, run
    from peers.pasapas_engines import for_engine

    chosen = for_engine(engine, pasapas.recipe("default").replace(seed=seed, test_accuracy="each-epoch"))
    splits = mnist_splits(chosen)
    network = chosen.network()
    seconds, epochs, accuracy = 0.0, 0, 0.0
    began = time.perf_counter()

    def look(progress: Progress) -> None:
        nonlocal seconds, epochs, accuracy
        seconds, epochs = time.perf_counter() - began, progress.epochs
        accuracy = progress.history[-1].test_accuracy or 0.0
        if accuracy >= AIM:
            raise _Enough

    with contextlib.suppress(_Enough):
        run(network, chosen, splits, watcher=Watcher(epoch=look))
    return seconds, epochs, accuracy


def pasapas_numpy(seed: int) -> Reached:
    return _pasapas("numpy", seed)


def pasapas_jax(seed: int) -> Reached:
    return _pasapas("jax", seed)


def in_scikit_learn(seed: int) -> Reached:
    from sklearn.neural_network import MLPClassifier

    (train, test), model = pasapas.load_mnist(), MLPClassifier((512,), random_state=seed)
    X, X_test = pixels(train.images), pixels(test.images)

    def epoch() -> float:
        model.partial_fit(X, train.labels, classes=range(10))
        return float(np.mean(model.predict(X_test) == test.labels))

    return until(epoch)


def in_torch(seed: int) -> Reached:
    import torch
    from torch.nn import functional as F

    from peers.pytorch import mlp

    torch.manual_seed(seed)
    (train, test), model = pasapas.load_mnist(), mlp(SIZES, "relu")
    X, X_test = torch.from_numpy(pixels(train.images)), torch.from_numpy(pixels(test.images))
    y, y_test = torch.from_numpy(train.labels.astype("int64")), torch.from_numpy(test.labels.astype("int64"))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def epoch() -> float:
        for batch in torch.randperm(len(y)).split(BATCH_SIZE):
            optimizer.zero_grad()
            F.cross_entropy(model(X[batch]), y[batch]).backward()
            optimizer.step()
        with torch.inference_mode():
            return float((model(X_test).argmax(1) == y_test).float().mean())

    return until(epoch)


def in_keras(seed: int) -> Reached:
    from peers.keras_fit import keras, mlp

    keras.utils.set_random_seed(seed)
    train, test = pasapas.load_mnist()
    X, X_test = pixels(train.images), pixels(test.images)
    model = mlp(SIZES, "relu", keras.optimizers.Adam(1e-3))

    def epoch() -> float:
        model.fit(X, train.labels, batch_size=BATCH_SIZE, epochs=1, verbose=0)
        return float(model.evaluate(X_test, test.labels, batch_size=1000, verbose=0)[1])

    return until(epoch)


CONTENDERS = {
    "pasapas-numpy": (pasapas_numpy, "recipe `default`: 512 units, dropout, Nesterov"),
    "pasapas-jax": (pasapas_jax, "recipe `default`: 512 units, dropout, Nesterov; compiling counts"),
    "scikit-learn": (in_scikit_learn, "MLPClassifier((512,)), all else by default: Adam, batches of 200"),
    "torch": (in_torch, "512 units, Adam 0.001, batches of 128, tensors in memory"),
    "keras": (in_keras, "512 units, Adam 0.001, batches of 128; compiling counts"),
}

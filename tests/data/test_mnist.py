from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest

from pasapas import Dataset, PasapasError
from pasapas.data.dataset import scaled
from pasapas.data.mnist import FOLDER, SHA256


@pytest.mark.parametrize("name", SHA256)
def test_the_files_are_those_that_were_published(name):
    with gzip.open(FOLDER / f"{name}.gz") as file:
        assert hashlib.sha256(file.read()).hexdigest() == SHA256[name]


def test_counts_and_first_labels(mnist):
    training, test = mnist
    assert training.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)
    assert training.images.dtype == training.labels.dtype == np.uint8
    assert training.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(training.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_split_and_first(mnist):
    _, test = mnist
    left, right = test.first(100).split(30)
    assert (len(left), len(right)) == (70, 30)
    np.testing.assert_array_equal(np.concatenate([left.labels, right.labels]), test.labels[:100])
    assert right.n_inputs == 784
    with pytest.raises(PasapasError, match="10,001"):
        test.first(10_001)
    with pytest.raises(PasapasError, match="leaves nothing"):
        left.split(70)


def test_scaling():
    images = np.array([[[0, 51], [255, 102]]], np.uint8)
    for dtype in ("float32", "float64"):
        X = scaled(images, dtype)
        assert X.dtype == dtype
        np.testing.assert_allclose(X, [[0, 0.2, 1, 0.4]], rtol=1e-7)
    np.testing.assert_array_equal(scaled(np.array([[3.5, -1.0]]), "float32"), [[3.5, -1]])


def test_what_is_no_data_set():
    with pytest.raises(PasapasError, match="belong together"):
        Dataset(np.zeros((2, 3, 3)), np.zeros(3, int))
    with pytest.raises(PasapasError, match="float64"):
        Dataset(np.zeros((2, 3, 3)), np.zeros(2))

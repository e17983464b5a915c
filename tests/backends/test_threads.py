from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pasapas import mlp
from pasapas.backends.threads import blas_threads, threads_for


@pytest.mark.parametrize(
    ("sizes", "batch_size", "threads"),
    [
        ((784, 128, 10), 32, 1),
        ((784, 128, 10), 128, 2),
        ((784, 512, 10), 128, 8),
        ((5, 4, 3), 1, 1),
        ((784, 2500, 2000, 10), 512, 64),
    ],
    ids=str,
)
def test_more_threads_for_larger_products(sizes, batch_size, threads):
    network = mlp(*sizes)
    assert threads_for(network, batch_size, 64) == threads
    assert threads_for(network, batch_size, 2) == min(threads, 2)
    assert threads_for(network, batch_size, 1) == 1


def in_use() -> int:
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


def test_threads_are_held_and_given_back():
    with threadpool_limits(2, user_api="blas"):
        with blas_threads(mlp(784, 128, 10), 32):
            assert in_use() == 1
        assert in_use() == 2
        with blas_threads(mlp(784, 512, 10), 128):
            assert in_use() == 2

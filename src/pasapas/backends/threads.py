"""How many threads the matrix products of NumPy's BLAS share.

Threads that share a small product wait for each other more than they compute, all the more on a machine that has other
work: a waiting thread of OpenBLAS keeps its core busy, and the one that it waits for does not get it. The number changes
the order of sums and with it the last bits of a result; so it is chosen by sizes alone, once for a whole training.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pasapas.network import Network

_SHARE = 6_000_000
"""Multiplications in a product for each thread that takes part: a tenth of a millisecond, 30 times what sharing costs."""


def threads_for(network: Network, batch_size: int, available: int) -> int:
    """How many of `available` threads to use for training `network` in batches of `batch_size` images."""
    largest = batch_size * max(layer.n_in * layer.n_out for layer in network.dense)
    return max(1, min(available, largest // _SHARE))


@contextmanager
def blas_threads(network: Network, batch_size: int) -> Iterator[None]:
    """Gives the BLAS `threads_for` threads of those that it has, until the block ends.

    Costs some tenths of a millisecond: for an epoch, not for a step. Does nothing where threadpoolctl is not installed.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        yield
        return
    blas = ThreadpoolController().select(user_api="blas")
    available = max((pool["num_threads"] for pool in blas.info()), default=1)
    with blas.limit(limits=threads_for(network, batch_size, available)):
        yield

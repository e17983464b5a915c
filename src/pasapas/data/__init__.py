"""Images with labels: MNIST as it ships, IDX files, and drawings brought to MNIST's form."""

from pasapas.data.dataset import Dataset
from pasapas.data.idx import mapped_idx, read_idx
from pasapas.data.mnist import load_mnist

__all__ = ["Dataset", "load_mnist", "mapped_idx", "read_idx"]

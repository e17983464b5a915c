"""What `benchmarks/compare.py` sets side by side: one module for each kind of contender, and the table of them all.

Each contender lives in a process of its own (`worker.py`) and has the interface of `contender.Contender`.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A contender: the class, as module and name, what must be installed for it, and what it is."""

    module: str
    name: str
    needs: tuple[str, ...]
    about: str
    activation: str | None = None  # documents are written for one activation and one hidden layer


CONTENDERS = {
    "products": Entry("products", "Products", (), "the matrix products alone, NumPy, float32, preallocated"),
    "pasapas-numpy": Entry("pasapas_engines", "NumPyEngine", (), "pasapas, engine numpy: bytes, scaled for each batch"),
    "pasapas-jax": Entry(
        "pasapas_engines", "JaxEngine", ("jax", "platformdirs"), "pasapas, engine jax: the second epoch of a run"
    ),
    "pasapas-step": Entry("pasapas_engines", "Readable", (), "pasapas, the readable loop over `pasapas.steps.step`"),
    "lesson-3": Entry("documents", "Lesson3", (), "the lesson's loop, NumPy, float64", "relu"),
    "tanh-document": Entry("documents", "TanhDocument", (), "the tanh document's loop, NumPy, float64", "tanh"),
    "scikit-learn": Entry("scikit_learn", "ScikitLearn", ("sklearn",), "MLPClassifier.partial_fit, float32"),
    "torch": Entry("pytorch", "Eager", ("torch",), "PyTorch eager, autograd and SGD, tensors in memory"),
    "torch-loader": Entry("pytorch", "Loader", ("torch", "PIL"), "PyTorch with a Dataset of pictures and a DataLoader"),
    "torch-compile": Entry("pytorch", "Compiled", ("torch",), "PyTorch, `torch.compile` of forward and loss"),
    "torch-by-hand": Entry("pytorch", "ByHand", ("torch",), "PyTorch tensors, gradients written by hand, in place"),
    "jax-grad": Entry("jax_grad", "JaxGrad", ("jax",), "JAX, `value_and_grad` in one compiled scan, floats in memory"),
    "keras": Entry("keras_fit", "Keras", ("keras",), "Keras, model.fit"),
}

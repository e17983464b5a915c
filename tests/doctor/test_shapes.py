"""What Python and NumPy raise in a learner's code is explained: which product of which shapes, and what it should be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pasapas import i18n
from pasapas.doctor.report import Context
from pasapas.doctor.session import Failure, Session
from pasapas.doctor.shapes import explain, transposed
from pasapas.doctor.values import named

M, N_IN, N_HIDDEN, N_OUT = 11, 7, 5, 3


def failing(line: str) -> tuple[Failure, Context]:
    """What comes of running a line in which the lesson's arrays are known."""
    source = f"""
import numpy as np

def relu(Z):
    return np.maximum(Z, 0)

class Net:
    pass

def backward(X, Y, W1, W2, b1, cache, l):
    Z1 = X @ W1 + b1
    A1 = relu(Z1)
    Z2 = A1 @ W2
    dZ2 = Z2 - Y
    params = {{"W1": W1, "W2": W2}}
    m = len(X)
    {line}
"""
    session = Session()
    session.load(source, 5)
    random = np.random.default_rng(0)
    X, W1, W2 = (random.normal(size=s) for s in ((M, N_IN), (N_IN, N_HIDDEN), (N_HIDDEN, N_OUT)))
    namespace = session.namespace
    session.namespace["go"] = lambda: namespace["backward"](
        X, np.eye(N_OUT)[np.arange(M) % N_OUT], W1, W2, np.zeros(N_HIDDEN), {"A1": X}, 2
    )
    failure = session.call(named("go")).failure
    assert failure is not None
    return failure, Context(source=source, sizes=(N_IN, N_HIDDEN, N_OUT), batch_sizes=(M, 2))


def said(line: str, hint: int = 1) -> str:
    failure, context = failing(line)
    return explain(failure, context, hint)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("dA1 = dZ2 @ W2", ["`dZ2 @ W2`", "(m, 3) by (5, 3)", "3 and 5", "`dA1` should be (m, 5)", "With (3, 5)"]),
        ("dA1 = np.dot(dZ2, W2)", ["`np.dot(dZ2, W2)`", "(m, 3) by (5, 3)", "With (3, 5)"]),
        ("dA1 = dZ2.dot(W1.T)", ["`dZ2.dot(W1.T)`", "(m, 3) by (5, 7)", "`dA1` should be (m, 5)"]),
        ("dW2 = A1 @ dZ2 / m", ["`A1 @ dZ2`", "(m, 5) by (m, 3)", "With (5, m)", "`dW2` should be (5, 3)"]),
        ("dA1 = np.dot(dZ2, params['W' + str(l)])", ["(m, 3) by (5, 3)", "3 and 5"]),
        ("dA1 = dZ2 * W2.T", ["(m, 3) by (3, 5) number by number", "A matrix product", "gives (m, 5)"]),
        ("dZ1 = (dZ2 @ W2.T) * (Z1.T > 0)", ["(m, 5) by (5, m) number by number"]),
        ("dZ2 = dZ2 - np.sum(A1, axis=1)", ["subtracts (m,) from (m, 3)"]),
        ("b1 -= dZ2.sum(axis=0)", ["`b1 -= dZ2.sum(axis=0)`", "subtracts (3,) from (5,)"]),
        ("b1 -= A1", ["subtracts (m, 5) from (5,)"]),
        ("W1[0] = dZ2[0]", ["puts (3,) in the place of (5,)"]),
        ("Z1 = relu(X) @ W2", ["`relu(X) @ W2`", "(m, 7) by (5, 3)"]),
        ("Y = np.reshape(Y, (m, 1))", ["the shape (m, 1)", "33 numbers"]),
        ("dW1, db1, dW2 = A1.shape", ["3 names on the left", "gives 2 values"]),
        ("A1 = moyenne(Z1)", ["nothing in the file gives `moyenne` a value"]),
        ("A1 = rellu(Z1)", ["`rellu`", "Did you mean 'relu'?"]),
        ("A2 = A2 + 1", ["`A2` is read before it is given a value"]),
        ("A1 = cache['A2']", ["`cache` has no key 'A2'; it has A1."]),
        ("A1[np.arange(m), Y.argmax(axis=1) + 9] = 1", ["along axis 1, which has 5"]),
        ("A1[Y] = 0", ["one-hot labels"]),
        ("relu(Z1, 3)", ["`relu` takes 1 arguments, and 2 are given"]),
        ("relu()", ["`relu` is called without `Z`"]),
        ("a, b = None", ["something is None"]),
        ("a, b = m", ["no elements: a int"]),
        ("Net().Z1", ["class `Net` has no `Z1`"]),
        ("params.W1", ["keys, not attributes"]),
        ("np.exponential(Z1)", ["`numpy` has no `exponential`"]),
        ("assert X.shape == Y.shape", ["not true: `assert X.shape == Y.shape`"]),
        ("backward(X, Y, W1, W2, b1, cache, l)", ["calls itself without end"]),
        ("raise NotImplementedError", ["not written yet"]),
        ("1 / 0", ["divided by 0"]),
        ("raise RuntimeError('oh')", ["“RuntimeError: oh”"]),
    ],
)  # fmt: skip
def test_it_says_what_and_where(line, parts):
    text = said(line)
    assert re.match(r"Line \d+, in `(backward|relu)`: ", text)  # an endless recursion ends in either
    for part in parts:
        assert part in text


def test_the_numbers_are_named():
    assert said("dA1 = dZ2 @ W2").endswith("(Here m = 11 samples, 5 hidden units, 3 classes.)")


@pytest.mark.parametrize(("line", "way_out"), [("dA1 = dZ2 @ W2", "W2.T"), ("dA1 = dZ2 * W2.T", "dZ2 @ W2.T")])
def test_only_the_third_hint_writes_the_correction(line, way_out):
    for hint in (1, 2):
        assert f"That is `{way_out}`" not in said(line, hint)
    assert f"That is `{way_out}`" in said(line, 3)


def test_in_french():
    i18n.activate("fr")
    assert "(m, 3)" in said("dA1 = dZ2 @ W2")
    assert said("dA1 = dZ2 @ W2").startswith("Ligne 17, dans `backward`\u00a0: ")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("W2", "W2.T"), ("W2.T", "W2"), ("params['W2']", "params['W2'].T"), ("A + B", "(A + B).T")],
)
def test_transposed(code, expected):
    assert transposed(code) == expected


def test_a_failure_without_a_place_or_a_source():
    assert explain(Failure("ValueError", "oh"), Context()) == "Python says “ValueError: oh”."
    assert "never ends" in explain(Failure("OutOfTime", "", 3, "backward"), Context())
    assert "(2, 3)" in explain(
        Failure("ValueError", "shapes (2,3) and (2,3) not aligned: …", 99), Context(source="x = 1")
    )

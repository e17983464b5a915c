"""What happens around the two passes: batches, updates and the script's data, in several styles, wrong and right."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pasapas.doctor.checkup import check_file
from pasapas.doctor.evidence import Evidence
from pasapas.doctor.identify import identify
from pasapas.doctor.inventory import Inventory
from pasapas.doctor.observing import all_arrays
from pasapas.doctor.pairing import Known, keys, misaligned
from pasapas.doctor.process import Child
from pasapas.doctor.recognition import recognise
from pasapas.doctor.recording import SUMMARY, Wanted, shortened
from pasapas.doctor.rounds import local_updates
from pasapas.doctor.script import Flow, script_findings, script_flow
from pasapas.doctor.session import Session
from pasapas.doctor.trainers import training_functions
from pasapas.doctor.training import detect
from pasapas.doctor.values import Opaque, named
from pasapas.doctor.world import world

ROWS = """
import numpy as np

def relu(Z):
    return np.maximum(0, Z)

def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)

def one_hot_encode(y, n_classes=10):
    return np.eye(n_classes)[y]

def initialize_parameters(layer_dims):
    p = {}
    for l in range(1, len(layer_dims)):
        p[f"W{l}"] = np.random.randn(layer_dims[l - 1], layer_dims[l]) * 0.1
        p[f"b{l}"] = np.zeros((1, layer_dims[l]))
    return p

def forward_propagation(X, parameters):
    Z1 = X @ parameters["W1"] + parameters["b1"]
    A1 = relu(Z1)
    Z2 = A1 @ parameters["W2"] + parameters["b2"]
    A2 = softmax(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

def backward_propagation(X, Y, parameters, cache):
    m = X.shape[0]
    dZ2 = (cache["A2"] - Y) / m
    dZ1 = (dZ2 @ parameters["W2"].T) * (cache["Z1"] > 0)
    return {"dW1": X.T @ dZ1, "db1": dZ1.sum(axis=0, keepdims=True),
            "dW2": cache["A1"].T @ dZ2, "db2": dZ2.sum(axis=0, keepdims=True)}
"""

UPDATE = """
def update_parameters(parameters, gradients, learning_rate):
    for k in parameters:
        parameters[k] = parameters[k] - learning_rate * gradients["d" + k]
    return parameters
"""

TRAIN = """
def train_one_epoch(X, Y, parameters, learning_rate, batch_size=32):
    PREPARE
    for i in range(0, len(X), batch_size):
        xb, yb = X[i:i + batch_size], Y[i:i + batch_size]
        A2, cache = forward_propagation(xb, parameters)
        grads = backward_propagation(xb, yb, parameters, cache)
        parameters = update_parameters(parameters, grads, learning_rate)
    return parameters
"""

COLUMNS = """
import numpy as np

def init_params(nx, nh, ny):
    return {"W1": np.random.randn(nh, nx) * 0.1, "b1": np.zeros((nh, 1)),
            "W2": np.random.randn(ny, nh) * 0.1, "b2": np.zeros((ny, 1))}

def forward(params, X):
    Z1 = params["W1"] @ X + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    E = np.exp(Z2 - Z2.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True), Z1, A1

def backward(params, outputs, Y, X):
    Yhat, Z1, A1 = outputs
    m = X.shape[1]
    d2 = (Yhat - Y) / m
    d1 = (params["W2"].T @ d2) * (1 - A1 ** 2)
    return {"W1": d1 @ X.T, "b1": d1.sum(axis=1, keepdims=True), "W2": d2 @ A1.T, "b2": d2.sum(axis=1, keepdims=True)}

def sgd(params, grads, eta):
    for k in params:
        params[k] -= eta * grads[k]

def entrainer(X, Y, nh=15, epochs=15, taille=20, eta=0.2):
    params = init_params(X.shape[0], nh, Y.shape[0])
    for epoch in range(epochs):
        perm = np.random.permutation(X.shape[1])
        for i in range(0, X.shape[1], taille):
            xb, yb = BATCH
            out = forward(params, xb)
            sgd(params, backward(params, out, yb, xb), eta)
    return params
"""

CLASS = """
import numpy as np

class Network:
    def __init__(self, n_in=784, n_hidden=16, n_out=10, lr=0.1):
        self.lr, self.n_out = lr, n_out
        self.W1, self.b1 = np.random.randn(n_in, n_hidden) * 0.1, np.zeros((1, n_hidden))
        self.W2, self.b2 = np.random.randn(n_hidden, n_out) * 0.1, np.zeros((1, n_out))

    def forward(self, X):
        self.X = X
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.maximum(0, self.z1)
        z2 = self.a1 @ self.W2 + self.b2
        e = np.exp(z2 - z2.max(axis=1, keepdims=True))
        self.a2 = e / e.sum(axis=1, keepdims=True)
        return self.a2

    def backward(self, Y):
        dz2 = (self.a2 - Y) / len(Y)
        self.dW2, self.db2 = self.a1.T @ dz2, dz2.sum(axis=0, keepdims=True)
        dz1 = (dz2 @ self.W2.T) * (self.z1 > 0)
        self.dW1, self.db1 = self.X.T @ dz1, dz1.sum(axis=0, keepdims=True)

    def update(self):
        self.W1 -= self.lr * self.dW1
        self.b1 -= self.lr * self.db1
        self.W2 -= self.lr * self.dW2
        self.b2 -= self.lr * self.db2

    def fit(self, images, y, epochs=5, batch=64):
        X = images.astype(np.float64)SCALE
        Y = np.eye(self.n_out)[y]
        for _ in range(epochs):
            order = np.random.permutation(len(X))
            for i in range(0, len(X), batch):
                idx = order[i:i + batch]
                self.forward(X[idx])
                self.backward(TARGETS)
                self.update()
"""

LOAD = """
from keras.datasets import mnist
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(60000, 784)
"""

LOOP = """
params = initialize_parameters([784, 16, 10])
Y_train = one_hot_encode(y_train)
for epoch in range(5):
    params = train_one_epoch(X_train, Y_train, params, learning_rate=0.1)
"""

TOGETHER = "X[:, perm[i:i + taille]], Y[:, perm[i:i + taille]]"

CUT = """
from keras.datasets import mnist
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X = {}
Y = np.eye(10)[y_train].T
entrainer(X, Y)
"""

MOMENTUM = """
velocity = {}
def update_parameters(parameters, gradients, learning_rate):
    for k in parameters:
        velocity[k] = 0.9 * velocity.get(k, 0) - learning_rate * gradients["d" + k]
        parameters[k] = parameters[k] + velocity[k]
    return parameters
"""

BINARY = """
import numpy as np

class Classifier:
    def __init__(self, n_features, n_hidden=8, lr=0.1):
        rng = np.random.default_rng(0)
        self.W1, self.b1 = rng.normal(size=(n_features, n_hidden)), np.zeros((1, n_hidden))
        self.W2, self.b2 = rng.normal(size=(n_hidden, 1)), np.zeros((1, 1))
        self.lr = lr

    def forward(self, X):
        self.A1 = np.tanh(X @ self.W1 + self.b1)
        self.A2 = 1 / (1 + np.exp(-(self.A1 @ self.W2 + self.b2)))
        return self.A2

    def backward(self, X, y):
        m = len(X)
        dZ2 = self.A2 - LABELS
        self.dW2, self.db2 = self.A1.T @ dZ2 / m, dZ2.sum(axis=0, keepdims=True) / m
        dZ1 = dZ2 @ self.W2.T * (1 - self.A1 ** 2)
        self.dW1, self.db1 = X.T @ dZ1 / m, dZ1.sum(axis=0, keepdims=True) / m

X = np.random.default_rng(0).normal(size=(64, 5))
y = (X.sum(axis=1) > 0).astype(float)SHAPE
model = Classifier(5)
for i in range(10):
    model.forward(X)
    model.backward(X, y)
    for name in ("W1", "b1", "W2", "b2"):
        setattr(model, name, getattr(model, name) - model.lr * getattr(model, "d" + name))
"""


def rows(prepare: str = "pass", update: str = UPDATE, script: str = "") -> str:
    return ROWS + update + TRAIN.replace("PREPARE", prepare) + script


def columns(batch: str) -> str:
    return COLUMNS.replace("BATCH", batch)


def network(targets: str = "Y[idx]", scale: str = " / 255.0", script: str = "", **changes: str) -> str:
    text = CLASS.replace("TARGETS", targets).replace("SCALE", scale) + script
    for old, new in changes.values() if changes else ():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def gathered() -> Iterator[Any]:
    children = []

    def gather(source: str) -> Evidence:
        child = Child(source, seconds=30).__enter__()
        children.append(child)
        recognition = recognise(child, Inventory.of(source))  # type: ignore[arg-type]
        binding = recognition.binding
        assert binding is not None
        sizes = list(binding.provider.sizes)
        worlds = [world(sizes, m, 1) for m in (11, 13)]
        evidence = Evidence(recognition, binding, worlds, [binding.observe(w) for w in worlds])
        evidence.architecture = identify(worlds[0], evidence.seen[0].P, all_arrays(evidence.seen[0]))
        return evidence

    yield gather
    for child in children:
        child.close()


SHUFFLE = "perm = np.random.permutation(len(X)); X, Y = X[perm], Y[perm]"
FIT = "\nX, y = np.random.rand(100, 784) * 1.0, np.arange(100) % 10\nNetwork().fit(X, y)\n"
IN_SCRIPT = ROWS + UPDATE + LOAD + "X_train = X_train / 255\nparams = initialize_parameters([784, 16, 10])\n"
SCRIPT_LOOP = """
Y_train = one_hot_encode(y_train)
for i in range(100):
    idx = np.random.randint(0, 60000, 64)
    A2, cache = forward_propagation(X_train[idx], params)
    grads = backward_propagation(X_train[idx], Y_train[OTHER], params, cache)
    KEEPupdate_parameters(params, grads, 0.1)
"""
NEW = UPDATE.replace("parameters[k] = parameters[k]", "new[k] = parameters[k]").replace(
    "    for k", "    new = {}\n    for k"
)
TOY = (
    ROWS
    + UPDATE
    + """
X_train = np.random.randn(90, 6)
y_train = X_train[:, :3].argmax(axis=1)
Y_train = one_hot_encode(y_train, 3)
params = initialize_parameters([6, 8, 3])
for epoch in range(3):
    perm = np.random.permutation(90)
    X = X_train[perm]
    Y = Y_train[perm]
    A2, cache = forward_propagation(X[:30], params)
    params = update_parameters(params, backward_propagation(X[:30], Y[:30], params, cache), 0.1)
"""
)
LOCAL = """
def apply_gradients(W1, b1, dW1, db1, lr):
    W1 = W1 - lr * dW1
    b1 = b1 - lr * db1
"""

WRONG = {
    "two permutations": ("labels-misaligned", rows("X, Y = X.copy(), Y.copy(); np.random.shuffle(X); np.random.shuffle(Y)")),
    "labels not shuffled": ("labels-misaligned", rows("X = X[np.random.permutation(len(X))]")),
    "labels sorted": ("labels-misaligned", rows("Y = Y[np.argsort(Y.argmax(axis=1))]")),
    "shifted by one row": ("labels-misaligned", rows("Y = np.roll(Y, 1, axis=0)")),
    "columns": ("labels-misaligned", columns("X[:, perm[i:i + taille]], Y[:, i:i + taille]")),
    "in fit": ("labels-misaligned", network("Y[i:i + batch]")),
    "in the script": (
        "labels-misaligned",
        IN_SCRIPT + SCRIPT_LOOP.replace("OTHER", ":64").replace("KEEP", "params = "),
    ),
    "shuffled apart at top level": (
        "labels-misaligned",
        rows(script=LOAD + "X_train = X_train / 255\nX_train = X_train[np.random.permutation(60000)]\n" + LOOP),
    ),
    "own data": ("labels-misaligned", TOY.replace("Y = Y_train[perm]", "Y = Y_train")),
    "result dropped in a loop": ("update-lost", rows(update=NEW + "    return new\n").replace("parameters = update_p", "update_p")),
    "result dropped in the script": (
        "update-lost",
        IN_SCRIPT.replace(UPDATE, NEW + "    return new\n") + SCRIPT_LOOP.replace("OTHER", "idx").replace("KEEP", ""),
    ),
    "biases forgotten": (
        "update-lost",
        network(a=("self.b1 -= self.lr * self.db1", "pass"), b=("self.b2 -= self.lr * self.db2", "pass")),
    ),
    "local names": ("update-lost", rows(script=LOCAL + "apply_gradients(1, 2, 3, 4, 5)")),
    "plus": ("update-sign", rows(update=UPDATE.replace("parameters[k] - ", "parameters[k] + "))),
    "plus in a class": ("update-sign", network(a=("self.W1 -=", "self.W1 +="), b=("self.b1 -=", "self.b1 +="),
                                               c=("self.W2 -=", "self.W2 +="), d=("self.b2 -=", "self.b2 +="))),
    "not scaled": ("inputs-not-scaled", rows(script=LOAD + LOOP)),
    "not stored": ("inputs-not-scaled", rows(script=LOAD + "X_train / 255\n" + LOOP)),
    "centred alone": ("inputs-not-scaled", rows(script=LOAD + "X_train = X_train - X_train.mean()\n" + LOOP)),
    "not scaled in fit": ("inputs-not-scaled", network(scale="", script=LOAD + "Network().fit(X_train, y_train)\n")),
    "with momentum": ("update-sign", rows(update=MOMENTUM.replace("parameters[k] + ", "parameters[k] - "))),
    "cut elsewhere": ("images-scrambled", columns(TOGETHER) + CUT.format("X_train.reshape(784, -1) / 255")),
    "some, cut elsewhere": ("images-scrambled", columns(TOGETHER) + CUT.format("X_train[:10000].reshape(784, -1) / 255").replace("[y_train]", "[y_train[:10000]]")),
    "cut elsewhere, in rows": ("images-scrambled", rows(SHUFFLE, script=LOAD.replace("reshape(60000, 784)", "reshape(784, 60000).T / 255.0") + LOOP)),
    "flat labels": ("labels-broadcast", BINARY.replace("LABELS", "y").replace("SHAPE", "")),
}  # fmt: skip

RIGHT = {
    "in order": rows(),
    "shuffled together": rows(SHUFFLE),
    "by the same seed": rows(
        "X, Y = X.copy(), Y.copy(); s = np.random.get_state(); np.random.shuffle(X); np.random.set_state(s); np.random.shuffle(Y)"
    ),
    "columns": columns(TOGETHER),
    "columns of images": columns(TOGETHER) + CUT.format("X_train.reshape(len(X_train), -1).T / 255"),
    "momentum": rows(update=MOMENTUM),
    "class": network(script=LOAD + "Network().fit(X_train, y_train)\n"),
    "class with noise": network(script=FIT, a=("self.forward(X[idx])", "self.forward(X[idx] + np.random.rand(784))")),
    "labels of another order": network("np.eye(self.n_out)[self.n_out - 1 - y[idx]]"),
    "script": rows(script=LOAD + "X_train = X_train / 255\n" + LOOP),
    "standardised": rows(script=LOAD + "X_train = (X_train - X_train.mean()) / X_train.std()\n" + LOOP),
    "each pixel standardised": rows(
        script=LOAD + "from sklearn.preprocessing import StandardScaler\n"
        "X_train = StandardScaler().fit_transform(X_train)\n" + LOOP
    ),
    "scaled in forward": rows(script=LOAD + LOOP).replace(
        'Z1 = X @ parameters["W1"]', 'X = X / 255.0\n    Z1 = X @ parameters["W1"]'
    ).replace("return {", "X = X / 255.0\n    return {"),
    "loop in the script": IN_SCRIPT + SCRIPT_LOOP.replace("OTHER", "idx").replace("KEEP", ""),
    "own data": TOY,
    "stale labels": TOY.replace("    Y = Y_train[perm]", "    Y = Y_train = Y_train[perm]").replace("X = X_train[", "X = X_train = X_train["),
    "opposite signs": rows(update=UPDATE.replace("parameters[k] - ", "parameters[k] + ")).replace(
        'cache["A2"] - Y', 'Y - cache["A2"]'
    ),
    "column of labels": BINARY.replace("LABELS", "y").replace("SHAPE", ".reshape(-1, 1)"),
    "reshaped inside": BINARY.replace("LABELS", "y.reshape(-1, 1)").replace("SHAPE", ""),
    "hangs": rows("\n    while True: pass", script=LOAD + LOOP),
    "raises": rows("raise RuntimeError", script="raise SystemExit"),
    "unknown parameters": rows().replace("batch_size=32", "sampler, batch_size=32"),
    "in place": rows(script=LOCAL.replace("W1 = W1 - ", "W1 -= ") + "apply_gradients(1, 2, 3, 4, 5)"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_finds_what_is_wrong_and_nothing_else(name: str, gathered: Any) -> None:
    code, source = WRONG[name]

    found = detect(gathered(source))

    assert [f.code for f in found] == [code]
    assert found[0].facts["line"] > 0


@pytest.mark.parametrize("name", RIGHT)
def test_finds_nothing_in_what_is_right(name: str, gathered: Any) -> None:
    evidence = gathered(RIGHT[name])

    assert training_functions(evidence) + script_findings(evidence) + local_updates(evidence) == []
    assert detect(evidence) == []


def test_a_script_that_stops_is_noted_and_no_mistake(tmp_path):
    text = rows(script=LOAD + "X_train = X_train / 255\n" + LOOP)
    swapped = text.replace('gradients["d" + k]', 'gradients["d" + k[0] + "12"[k[1] == "1"]]')
    stops = [note for note in noted(swapped, tmp_path) if "failure" in note[1]]

    assert len(stops) == 1
    assert "learning_rate * gradients" in swapped.splitlines()[stops[0][1]["failure"].line - 1]
    assert noted(text, tmp_path) == []


def noted(text: str, folder: Path) -> list[tuple[str, dict[str, Any]]]:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    report = check_file(path)
    assert report.verdict == "correct"
    return report.notes


def test_says_where_and_what(gathered: Any) -> None:
    source = network(a=("self.b1 -= self.lr * self.db1", "pass"))
    (lost,) = detect(gathered(source))

    assert (lost.tensor, lost.layer, lost.facts["lost"]) == ("b1", 1, ("b1",))
    assert "self.backward" in source.splitlines()[lost.facts["line"] - 1]


def test_flow_tells_what_the_script_passes(gathered: Any) -> None:
    flow = script_flow(gathered(rows(script=LOAD + LOOP)).binding)

    assert isinstance(flow, Flow)
    assert flow.X is not None
    assert flow.Y is not None
    assert (flow.X.shape, flow.X.dtype, flow.X.high) == ((32, 784), "|u1", 255)
    assert flow.Y.shape == (32, 10)


def test_no_flow_where_the_script_calls_nothing(gathered: Any) -> None:
    assert script_flow(gathered(rows()).binding) is None


# what they are made of -----------------------------------------------------------------------------------------------


def test_recorder_keeps_arguments_results_and_lines():
    session = Session()
    session.load(
        "import numpy as np\ndef f(x, k=2):\n    x[0] = 7\n    return x * k\ndef g():\n    f(np.ones(2))\n    f(np.zeros(2), 3)\n",
        1,
    )

    calls = session.call(named("g"), record=Wanted(("f",))).calls

    assert [(c.function, c.caller, c.line) for c in calls] == [("f", "g", 6), ("f", "g", 7)]
    np.testing.assert_array_equal(calls[0].arguments["x"], [1, 1])
    np.testing.assert_array_equal(calls[1].value, [21, 0])
    assert calls[1].arguments["k"] == 3


def test_recorder_ends_a_loop():
    session = Session()
    session.load("def f(i): pass\ndef g():\n    while True:\n        try: f(1)\n        except Exception: pass\n", 1)

    outcome = session.call(named("g"), record=Wanted(("f",), "f", 3), seconds=2)

    assert outcome.failure is not None
    assert (outcome.failure.kind, len(outcome.calls)) == ("Enough", 3)


def test_recorder_sums_up_large_arrays():
    session = Session()
    session.load("import numpy as np\ndef f(x): return 1\ndef g(): f(np.arange(60000.0).reshape(600, 100))\n", 1)

    (call,) = session.call(named("g"), record=Wanted(("f",))).calls
    x = call.arguments["x"]

    assert isinstance(x, Opaque)
    assert (x.kind, x.attributes["shape"], x.attributes["max"]) == (SUMMARY, (600, 100), 59999)
    np.testing.assert_array_equal(x.attributes["rows"][1], np.arange(100, 200))


def test_run_leaves_the_namespace_as_it_was():
    session = Session()
    session.load("w = [0]\ndef f(x): w[0] += x\nn = len(w)\nfor i in range(10000): f(i)\n", 1)

    calls = session.run(Wanted(("f",), "f", 5), 1).calls

    assert [c.arguments["x"] for c in calls] == [0, 1, 2, 3, 4]
    assert session.namespace["w"] == [0]
    assert "n" not in session.namespace


def test_child_records_as_a_session_does():
    source = "import numpy as np\ndef f(x): return x + 1\ndef g(): f(np.ones(3))\nfor i in range(3): g()\n"
    with Child(source) as child:
        (call,) = child.call(named("g"), record=Wanted(("f",))).calls
        run = child.run(Wanted(("f",), "f", 2), 1)

    np.testing.assert_array_equal(call.value, [2, 2, 2])
    assert len(run.calls) == 2


def test_scripts_are_made_for_the_smaller_data_set():
    (statement,) = shortened(ast.parse("x = a[:60000], a[10000:], 70000, 784, 1e5, True").body)

    assert ast.unparse(statement) == "x = (a[:2000], a[500:], 2500, 784, 100000.0, True)"


@pytest.mark.parametrize("change", [lambda X: X, lambda X: X / 255, lambda X: X.astype(np.float32), lambda X: X.T])
def test_rows_are_recognised(change: Any) -> None:
    X = np.random.default_rng(0).normal(size=(20, 7))
    order = np.array([3, 1, 19, 4])

    np.testing.assert_array_equal(Known(X, np.zeros(20)).rows(change(X[order])), order)
    assert Known(X, np.zeros(20)).rows(change(X[order] + 1)) is None
    np.testing.assert_array_equal(Known(X, np.zeros(20), shifted=True).rows(change(X[order] + 1)), order)


def test_labels_are_read_in_any_form():
    y = np.array([2, 0, 1, 2])
    forms = [y, y[:, None], y[None], np.eye(3)[y], np.eye(3)[y].T, y.tolist()]

    assert {tuple(keys(form, 4) or ()) for form in forms} == {((2.0,), (0.0,), (1.0,), (2.0,))}
    assert keys(np.ones((4, 4)), 4) is None
    assert keys("labels", 4) is None


def test_labels_under_other_names_are_not_misaligned():
    labels = np.array([0, 1, 2, 0, 1, 2])
    order = np.array([5, 0, 3, 1])

    assert not misaligned([(order, keys(9 - labels[order], 4) or [])], labels)
    assert misaligned([(order, keys(labels[[5, 0, 1, 3]], 4) or [])], labels)

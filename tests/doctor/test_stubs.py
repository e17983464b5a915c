"""Code as learners write it runs in the child: what is missing or slow is stood in for, and data are what they would be."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pasapas import load_mnist
from pasapas.doctor.process import Child
from pasapas.doctor.reading import read
from pasapas.doctor.standin import StandIn
from pasapas.doctor.values import named

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits are POSIX's")


def evaluated(source: str, *names: str) -> list[Any]:
    """The values that these names have once the code has run as far as they need."""
    with Child(source) as child:
        for name in names:
            assert child.supply(name, 2.0), name
        return [child.look(named(name)) for name in names]


def ran(code: str) -> Any:
    """What `code`, as the body of a function, returns."""
    body = "\n    ".join(code.strip().split("\n"))
    with Child(f"import numpy as np\ndef f():\n    {body}\n") as child:
        assert child.load_failures == []
        outcome = child.call(named("f"))
    assert outcome.failure is None, outcome.failure
    return outcome.value


# stand-ins ----------------------------------------------------------------------------------------------------------


def test_a_stand_in_takes_everything() -> None:
    plt = StandIn("plt")
    fig, ax = plt.subplots(2, 5)
    first, *rest, last = plt.anything
    (a, b), (c, d) = plt.load()
    ax[0, 1].imshow(np.ones((2, 2)), cmap="gray").colour = "red"
    assert [x for x in ax.flat] == list(ax) == [*ax] == rest == []  # noqa: C416
    with plt.figure() as figure:
        figure["a"] = 1
        del figure["a"]
    assert not any([ax, len(ax), ax > 1, ax <= 1, 3 in ax, float(ax), int(ax)])
    for value in (ax + 1, 1 - ax, np.ones(3) * ax, -ax, ax @ np.ones(2), ax**2, fig, first, last, a, b, c, d):
        assert isinstance(value, StandIn)
    assert f"{ax:.2f}{ax}" == ""
    assert np.asarray(ax).size == 0

    @plt.decorator
    @plt.decorator(nopython=True)
    def function() -> int:
        return 1

    assert function() == 1
    with pytest.raises(AttributeError):
        plt.__all__  # noqa: B018


def test_a_stand_in_can_be_derived_from() -> None:
    made = ran("""
import torch.nn as nn
from keras.callbacks import Callback
class Net(nn.Module, Callback):
    def __init__(self):
        super().__init__()
        self.x = 3
return Net().x
""")
    assert made == 3


PLOTS = """
import matplotlib.pyplot as plt, seaborn as sns, pandas as pd, tensorflow as tf
from matplotlib import cm
from mpl_toolkits.mplot3d import Axes3D
import plotly.express as px
from IPython.display import clear_output, display as show
from google.colab import files, drive
import wandb
from tqdm.auto import tqdm, trange
from tqdm import tqdm_notebook
from no_such_package.at_all import Thing, other as o
import no_such_package.deep.er as deep
import no.such
from numba import jit, njit
import cv2
from PIL import Image
import requests, urllib.request
from pylab import *
plt.style.use("ggplot"); sns.set_theme()
drive.mount("/content/drive")

@njit
def square(x): return x * x

@jit(nopython=True)
def cube(x): return x ** 3

def f():
    fig, axes = plt.subplots(2, 5, figsize=(10, 4))
    for i, ax in enumerate(axes.flat): ax.imshow(1)
    axes[0, 1].imshow(np.ones((2, 2))); axes[0][1].set_title("x")
    plt.plot([1, 2]); plt.legend(); plt.show(); plt.savefig("x.png")
    total = 0
    for i in tqdm(range(3), desc="x"): total += i
    with trange(4) as bar:
        for i in bar: bar.set_postfix(loss=i); total += i
    urllib.request.urlretrieve("https://example.org/x", "x")
    r = requests.get("https://example.org"); r.raise_for_status()
    clear_output(); display(fig); get_ipython().run_line_magic("matplotlib", "inline")
    deep.what(o(Thing()), no.such.x)
    figure(); plot([1]); show()
    return total, square(3), cube(2), exp(0.0), len(input("? "))
import numpy as np
"""


def test_plots_and_progress_and_downloads_stop_nothing() -> None:
    start = time.monotonic()
    with Child(PLOTS) as child:
        assert child.load_failures == []
        outcome = child.call(named("f"))
        assert outcome.failure is None, outcome.failure
        assert outcome.value == (9, 9, 8, 1.0, 0)
        assert child.missing == ["no_such_package", "no"]
    assert time.monotonic() - start < 3


def test_a_fallback_of_the_learners_is_used() -> None:
    x, y, z = evaluated(
        """
try:
    import no_such_package as p
    x = 1
except ImportError:
    x = 2
try:
    import cPickle as pickle
except ImportError:
    import pickle
y = len(pickle.dumps(1)) > 0
try:
    from numpy import no_such_function
except ImportError:
    z = 3
""",
        "x", "y", "z",
    )  # fmt: skip
    assert (x, y, z) == (2, True, 3)


def test_what_a_real_module_lacks_is_stood_in_for() -> None:
    assert ran("from scipy.misc import imread, derivative\nfrom scipy.special import expit\nreturn expit(0.0)") == 0.5


def test_numpy_under_other_names() -> None:
    assert ran(
        "import cupy as cp\nimport jax.numpy as jnp\nfrom jax import numpy as j, grad\nreturn cp is jnp is j is np"
    )


def test_sleep_takes_no_time() -> None:
    assert ran("import time\nfrom time import sleep\nsleep(100)\ntime.sleep(100)\nreturn 1") == 1


# data ---------------------------------------------------------------------------------------------------------------

TRAIN, TEST = load_mnist()


@pytest.mark.parametrize(
    "imports",
    [
        "from keras.datasets import mnist",
        "from tensorflow.keras.datasets import mnist",
        "import tensorflow as tf; mnist = tf.keras.datasets.mnist",
        "import tensorflow.keras.datasets.mnist as mnist",
        "from tensorflow import keras; mnist = keras.datasets.mnist",
        "import keras; mnist = keras.datasets.fashion_mnist",
    ],
)
def test_keras(imports: str) -> None:
    (x, y), (x_test, y_test) = ran(f"{imports}\n(a, b), (c, d) = mnist.load_data()\nreturn (a, b), (c, d)")
    for array, expected in [(x, TRAIN.images[:2000]), (y, TRAIN.labels[:2000]), (x_test, TEST.images[:500]),
        (y_test, TEST.labels[:500])]:  # fmt: skip
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, expected)


def test_openml() -> None:
    X, y, X2, y2 = ran("""
from sklearn.datasets import fetch_openml
mnist = fetch_openml('mnist_784', version=1, as_frame=False)
X, y = fetch_openml('mnist_784', version=1, return_X_y=True)
return mnist.data, mnist["target"][0], X.to_numpy(), y.astype(int).to_numpy()
""")
    assert X.shape == (2500, 784)
    assert X.dtype == np.float64
    assert X.max() == 255
    assert y == "5"
    np.testing.assert_array_equal(X, X2)
    np.testing.assert_array_equal(y2[:2000], TRAIN.labels[:2000])


def test_kaggle() -> None:
    y, X, again, shuffled, shape, columns, test, ones = ran("""
import pandas as pd
data = pd.read_csv('/kaggle/input/digit-recognizer/train.csv')
data.head(); data.info(); print(data.describe())
array = np.array(data)
np.random.shuffle(array)
frame = data.sample(frac=1)
ones = data[data["label"] == 1]
return (data['label'].values, data.drop('label', axis=1).values / 255., data.iloc[:, 1:].to_numpy(), array.T[0],
    frame.shape, list(data.columns[:2]), pd.read_csv("test.csv").shape, set(np.array(ones.label).tolist()) == {1})
""")
    np.testing.assert_array_equal(y, TRAIN.labels[:2000])
    np.testing.assert_array_equal(X, TRAIN.images[:2000].reshape(2000, 784) / 255)
    np.testing.assert_array_equal(again, TRAIN.images[:2000].reshape(2000, 784))
    assert sorted(shuffled) == sorted(TRAIN.labels[:2000])
    assert (shape, columns, test, ones) == ((2000, 785), ["label", "pixel0"], (500, 784), True)


def test_files_that_are_missing() -> None:
    value = ran("""
import gzip, pickle, struct
with np.load('data/mnist.npz') as data:
    x, y = data['x_train'], data['y_test']
rows = np.loadtxt('mnist_train.csv', delimiter=',')
with gzip.open('train-images-idx3-ubyte.gz', 'rb') as f:
    images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
with open('t10k-labels.idx1-ubyte', 'rb') as f:
    magic, n = struct.unpack('>II', f.read(8))
    labels = np.frombuffer(f.read(), np.uint8)
with gzip.open('mnist.pkl.gz', 'rb') as f:
    train, valid, test = pickle.load(f, encoding='latin1')
lines = open("mnist_train_100.csv").readlines()
try: open("notes.txt")
except FileNotFoundError: missing = True
return x, y, rows, images, labels, train[0], len(lines[0].split(",")), missing, (magic, n)
""")
    x, y, rows, images, labels, floats, columns, missing, head = value
    np.testing.assert_array_equal(x, TRAIN.images[:2000])
    np.testing.assert_array_equal(y, TEST.labels[:500])
    np.testing.assert_array_equal(rows[:, 0], TRAIN.labels[:2000])
    np.testing.assert_array_equal(images, x)
    np.testing.assert_array_equal(labels, y)
    assert (floats.shape, floats.dtype, floats.max()) == ((2000, 784), np.float32, 1.0)
    assert (columns, missing, head) == (785, True, (2049, 500))


def test_torchvision_and_other_packages() -> None:
    data, flat, target, one, images, listed = ran("""
from torchvision import datasets, transforms
import mnist
train = datasets.MNIST('.', train=True, download=True, transform=transforms.Compose([transforms.ToTensor()]))
image, label = train[0]
from mnist import MNIST
X, y = MNIST('data').load_training()
return (train.data.numpy(), train.data.view(-1, 784).float().numpy() / 255, train.targets.numpy(), image.numpy(),
    mnist.train_images(), (len(X), y[:3]))
""")
    np.testing.assert_array_equal(data, TRAIN.images[:2000])
    np.testing.assert_allclose(flat, TRAIN.images[:2000].reshape(2000, 784) / 255, rtol=1e-6)
    np.testing.assert_array_equal(target, TRAIN.labels[:2000])
    assert one.shape == (1, 28, 28)
    np.testing.assert_array_equal(images, data)
    assert listed == (2000, [5, 0, 4])


def test_scikit_learns_helpers() -> None:
    X, Xt, y, yt, hot, scaled, digits, moons = ran("""
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.datasets import load_digits, make_moons
from keras.utils import to_categorical
from sklearn.metrics import accuracy_score
a = np.arange(40.0).reshape(20, 2)
X, Xt, y, yt = train_test_split(a, a[:, 0], test_size=0.2, random_state=1, stratify=None)
hot = OneHotEncoder(sparse_output=False).fit_transform(np.array([3, 1, 3]).reshape(-1, 1))
assert (to_categorical([1, 0, 2], 4) == np.eye(4)[[1, 0, 2]]).all() and accuracy_score([1, 2], [1, 3]) == 0.5
scaler = StandardScaler()
digits = load_digits()
return X, Xt, y, yt, hot, scaler.fit_transform(a), (digits.data.shape, digits.data.max()), make_moons(n_samples=30)[0]
""")
    assert X.shape == (16, 2)
    assert Xt.shape == (4, 2)
    np.testing.assert_array_equal(X[:, 0], y)
    np.testing.assert_array_equal(Xt[:, 0], yt)
    assert sorted([*y, *yt]) == list(np.arange(0.0, 40, 2))
    np.testing.assert_array_equal(hot, [[0, 1], [1, 0], [0, 1]])
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    assert digits[0] == (1797, 64)
    assert 10 < digits[1] <= 16
    assert moons.shape == (30, 2)


@pytest.mark.parametrize(
    ("targets", "call"),
    [
        ("X_train, y_train, X_test, y_test", "load_mnist_data()"),
        ("(X_train, y_train), (X_test, y_test)", "charger_donnees('mnist')"),
        ("X_train, y_train", "get_data(normalize=True)"),
    ],
)
def test_a_courses_own_loader(targets: str, call: str) -> None:
    name = call.split("(")[0]
    X, y = evaluated(f"from src.utils import {name}\n{targets} = {call}\n", "X_train", "y_train")
    np.testing.assert_array_equal(X, TRAIN.images[:2000].reshape(2000, 784) / 255)
    np.testing.assert_array_equal(y, TRAIN.labels[:2000])
    assert y.dtype == np.int64


def test_modules_beside_the_file_are_used(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "utils.py").write_text("import matplotlib.pyplot as plt\ndef double(x): return 2 * x\n")
    (tmp_path / "helper.py").write_text(
        "from src.utils import double\nrate = float('0.5')\ndef four(x):\n    return double(double(x))\nwhile True: pass\n"
    )
    (tmp_path / "random.py").write_text("raise SystemExit")
    (tmp_path / "numpy.py").write_text("raise SystemExit")
    work = tmp_path / "notebooks" / "work.py"
    work.parent.mkdir()
    source = "import random, numpy as np\nfrom src.utils import double\nfrom src import utils\nimport src.utils\n"
    work.write_text(source + "def f(x): return double(x), utils.double(x), src.utils.double(x), random.random() < 1\n")
    with Child(read(work)) as child:
        assert child.call(named("f"), [3]).value == (6, 6, 6, True)
    other = tmp_path / "other.py"
    other.write_text("import helper\nfrom helper import four, rate\ndef f(x): return four(x), helper.rate, rate\n")
    with Child(read(other)) as child:
        assert child.missing == []
        assert child.call(named("f"), [3]).value == (12, 0.5, 0.5)


def test_a_library_that_does_without_another_still_does(tmp_path: Path) -> None:
    assert ran("import json, tokenize, unittest.mock, scipy.linalg\nreturn 1") == 1


# whole files --------------------------------------------------------------------------------------------------------

TRAINING = """
from tensorflow.keras.datasets import mnist
import numpy as np
import matplotlib.pyplot as plt
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(X_train.shape[0], -1) / 255.0
print(X_train.shape)
learning_rate = float("0.1")
def init():
    return {"W": np.random.randn(784, 10) * 0.01}
params = init()
for epoch in range(10**9):
    params["W"] -= learning_rate
    losses = [epoch]
plt.plot(losses); plt.show()
def predict(X):
    return X @ params["W"] * learning_rate
if __name__ == "__main__":
    offset = len(X_test)
    while True: pass
def shifted(x):
    return x + offset
"""


def test_a_training_section_at_import_is_not_waited_for() -> None:
    start = time.monotonic()
    with Child(TRAINING) as child:
        assert child.load_failures == []
        assert child.call(named("predict"), [np.ones((2, 784))]).value.shape == (2, 10)
        assert child.call(named("shifted"), [1]).value == 501
        assert child.look(named("X_train")).max() == 1.0
    assert time.monotonic() - start < 3

"""The functions of other libraries on which a learner's training depends, in their simplest form.

Each does what the original does for the arguments that such code gives it; `KNOWN` says where the original lives. Used in
the child process alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pasapas.doctor import frames, loaders
from pasapas.doctor.standin import StandIn

Array = np.ndarray


class Bunch(dict[str, Any]):
    """scikit-learn's dictionary whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]


# data --------------------------------------------------------------------------------------------------------------


def fetch_openml(*_: Any, return_X_y: bool = False, as_frame: Any = "auto", **__: Any) -> Any:
    """MNIST as OpenML has it: X (n, 784) from 0 to 255, and labels that are strings."""
    (images, labels), (test_images, test_labels) = loaders.keras()
    everything = np.concatenate([images, test_images])
    strings = np.concatenate([labels, test_labels]).astype(str).astype(object)
    X = everything.reshape(len(everything), -1)
    framed = bool(as_frame)
    data: Any = (
        frames.Frame(X.astype(np.int64), [f"pixel{i + 1}" for i in range(784)]) if framed else X.astype(np.float64)
    )
    target: Any = strings.view(frames.Column) if framed else strings
    return (data, target) if return_X_y else Bunch(data=data, target=target, DESCR="", feature_names=[])


def load_digits(*_: Any, return_X_y: bool = False, **__: Any) -> Any:
    """Digits of 8 × 8 with values from 0 to 16: MNIST made smaller, in the shape of scikit-learn's own."""
    images, labels = loaders.mnist()
    small = images[:1797, 2:26, 2:26].reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4)) // 16
    X, y = small.reshape(len(small), -1), labels[:1797].astype(np.int64)
    return (X, y) if return_X_y else Bunch(data=X, target=y, images=small, target_names=np.arange(10))


def _clusters(n: int, features: int, classes: int) -> Callable[..., Any]:
    def load(*_: Any, return_X_y: bool = False, **__: Any) -> Any:
        random = np.random.RandomState(0)
        y = np.arange(n) % classes
        X = random.randn(n, features) + random.randn(classes, features)[y]
        return (X, y) if return_X_y else Bunch(data=X, target=y, target_names=np.arange(classes).astype(str))

    return load


def _points(n_samples: int = 100, *_: Any, centers: Any = 2, n_features: int = 2, **__: Any) -> tuple[Array, Array]:
    """In place of make_moons, make_circles and the like: two groups of points in the plane, or as many as are asked for."""
    X, y = _clusters(int(n_samples), n_features, centers if isinstance(centers, int) else 2)(return_X_y=True)
    return X, y


class Tensor(np.ndarray):
    """As much of a torch tensor as a data set gives: an array with torch's names."""

    def numpy(self) -> Array:
        """The plain array."""
        return np.asarray(self)

    def float(self) -> Tensor:
        """In float32."""
        return self.astype(np.float32).view(Tensor)

    def long(self) -> Tensor:
        """In int64."""
        return self.astype(np.int64).view(Tensor)

    def detach(self) -> Tensor:
        """The same."""
        return self

    cpu = detach

    def view(self, *shape: Any) -> Any:  # type: ignore[override]
        """In another shape, as torch has it; with a type, NumPy's own."""
        if shape and all(isinstance(n, (int, np.integer)) for n in shape):
            return self.reshape(*shape)
        return super().view(*shape)


class TorchMNIST:
    """`torchvision.datasets.MNIST`: bytes (n, 28, 28) in `data`, int64 in `targets`, pairs by index."""

    def __init__(self, root: Any = "", train: bool = True, *_: Any, **__: Any) -> None:
        images, labels = loaders.mnist(train)
        self.data, self.targets = images.view(Tensor), labels.astype(np.int64).view(Tensor)
        self.train_data = self.test_data = self.data
        self.train_labels = self.test_labels = self.targets

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        return (self.data[i].astype(np.float32) / 255).reshape(1, 28, 28).view(Tensor), int(self.targets[i])


def tfds_load(*_: Any, split: Any = None, as_supervised: bool = False, batch_size: int = 0, **__: Any) -> Any:
    """`tensorflow_datasets.load("mnist")`: examples one by one, or all at once; a dictionary of splits without `split`."""
    if split is None or isinstance(split, (list, tuple)):
        parts = {s: tfds_load(split=s, as_supervised=as_supervised, batch_size=batch_size) for s in split or _SPLITS}
        return list(parts.values()) if split else parts
    images, labels = loaders.mnist(not str(split).startswith("test"))
    images, labels = images[..., None], labels.astype(np.int64)
    if batch_size == -1:
        return (images, labels) if as_supervised else {"image": images, "label": labels}
    pairs = zip(images, labels, strict=True)
    return list(pairs) if as_supervised else [{"image": image, "label": label} for image, label in pairs]


_SPLITS = ("train", "test")


class PythonMNIST:
    """`mnist.MNIST` of the package python-mnist: lists of bytes."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def load_training(self) -> tuple[list[Any], list[int]]:
        """2,000 lists of 784 whole numbers, and their labels."""
        images, labels = loaders.mnist()
        return images.reshape(len(images), -1).tolist(), labels.tolist()

    def load_testing(self) -> tuple[list[Any], list[int]]:
        """500 of them."""
        images, labels = loaders.mnist(False)
        return images.reshape(len(images), -1).tolist(), labels.tolist()


# what is done with it ----------------------------------------------------------------------------------------------


def to_categorical(y: Any, num_classes: int | None = None, *_: Any, **__: Any) -> Array:
    """One-hot rows, float."""
    labels = np.asarray(y).astype(np.int64)
    labels = labels.reshape(labels.shape[:-1]) if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    return np.eye(num_classes or int(labels.max()) + 1)[labels]


def train_test_split(
    *arrays: Any,
    test_size: Any = None,
    train_size: Any = None,
    random_state: Any = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Each array in two, by the same order."""
    n = len(arrays[0])
    if test_size is None:
        test_size = 0.25 if train_size is None else (n - train_size if isinstance(train_size, int) else 1 - train_size)
    held_out = test_size if isinstance(test_size, int) else int(np.ceil(test_size * n))
    order = np.random.RandomState(random_state).permutation(n) if shuffle else np.arange(n)[::-1]
    test, train = order[:held_out], order[held_out:]
    if not shuffle:
        test, train = test[::-1], train[::-1]
    return [_rows(array, part) for array in arrays for part in (train, test)]


def shuffled(*arrays: Any, random_state: Any = None, **_: Any) -> Any:
    """The arrays in the same new order."""
    order = np.random.RandomState(random_state).permutation(len(arrays[0]))
    parts = [_rows(array, order) for array in arrays]
    return parts if len(parts) > 1 else parts[0]


def _rows(array: Any, rows: Array) -> Any:
    return [array[i] for i in rows] if isinstance(array, list) else array[rows]


class Transformer(StandIn):
    """scikit-learn's way: `fit` looks, `transform` does."""

    def __init__(self, *_: Any, **options: Any) -> None:
        super().__init__("sklearn.preprocessing")
        self.options = options

    def fit(self, X: Any, y: Any = None) -> Any:
        """Looks at X and returns itself."""
        self.look(np.asarray(X))
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Both at once."""
        return self.fit(X).transform(X)

    def look(self, X: Array) -> None:
        """What `fit` does."""

    def transform(self, X: Any) -> Any:
        """X, changed."""
        return np.asarray(X)


class StandardScaler(Transformer):
    """Mean 0 and deviation 1 in each column."""

    def look(self, X: Array) -> None:
        """Keeps the columns' means and deviations."""
        self.mean_, deviation = X.mean(axis=0), X.std(axis=0)
        self.scale_ = np.where(deviation == 0, 1.0, deviation)

    def transform(self, X: Any) -> Any:
        """(X − mean) / deviation."""
        return (np.asarray(X) - self.mean_) / self.scale_


class MinMaxScaler(Transformer):
    """Each column from 0 to 1."""

    def look(self, X: Array) -> None:
        """Keeps the columns' bounds."""
        self.low, span = X.min(axis=0), np.ptp(X.astype(np.float64), axis=0)
        self.span = np.where(span == 0, 1.0, span)

    def transform(self, X: Any) -> Any:
        """(X − min) / (max − min)."""
        return (np.asarray(X) - self.low) / self.span


class OneHot(Transformer):
    """OneHotEncoder of a column (m, 1), and LabelBinarizer of labels (m,)."""

    sparse_by_default = True

    def look(self, X: Array) -> None:
        """Keeps the values that occur."""
        self.classes_ = np.unique(X)
        self.categories_ = [self.classes_]

    def transform(self, X: Any) -> Any:
        """(m, classes) of zeros and ones."""
        encoded = (np.asarray(X).reshape(-1, 1) == self.classes_).astype(np.float64)
        sparse = self.options.get("sparse_output", self.options.get("sparse", self.sparse_by_default))
        return encoded.view(Sparse) if sparse else encoded

    def inverse_transform(self, X: Any) -> Array:
        """The values again."""
        values: Array = self.classes_[np.asarray(X).argmax(axis=1)]
        return values


class LabelBinarizer(OneHot):
    """The same, never sparse."""

    sparse_by_default = False


class LabelEncoder(OneHot):
    """Values as their numbers."""

    def transform(self, X: Any) -> Any:
        """(m,) of whole numbers."""
        return np.searchsorted(self.classes_, np.asarray(X))


class Sparse(np.ndarray):
    """A matrix that says that it is sparse."""

    def toarray(self) -> Array:
        """The plain array."""
        return np.asarray(self)

    todense = toarray


def accuracy_score(y_true: Any, y_pred: Any, *_: Any, **__: Any) -> float:
    """The fraction that is right."""
    return float(np.mean(np.asarray(y_true) == np.asarray(y_pred)))


def confusion_matrix(y_true: Any, y_pred: Any, *_: Any, **__: Any) -> Array:
    """Counts by true and by predicted class."""
    kinds, numbers = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    counts = np.zeros((len(kinds), len(kinds)), dtype=np.int64)
    np.add.at(counts, (numbers[: len(y_true)], numbers[len(y_true) :]), 1)
    return counts


class Progress(StandIn):
    """`tqdm(items)`: the items."""

    @staticmethod
    def write(*_: Any, **__: Any) -> None:
        """Nothing."""

    def __init__(self, items: Iterable[Any] = (), *_: Any, **__: Any) -> None:
        super().__init__("tqdm")
        self.items: Any = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items) if hasattr(self.items, "__len__") else 0


def _pixels(train: bool, labels: bool) -> Callable[..., Array]:
    return lambda *_, **__: loaders.mnist(train)[labels]


def _progress_range(*bounds: int, **_: Any) -> Progress:
    return Progress(range(*bounds))


KNOWN: dict[str, Any] = {
    "keras.datasets.mnist.load_data": loaders.keras,
    "keras.datasets.fashion_mnist.load_data": loaders.keras,
    "keras.utils.to_categorical": to_categorical,
    "keras.utils.np_utils.to_categorical": to_categorical,
    "sklearn.datasets.fetch_openml": fetch_openml,
    "sklearn.datasets.fetch_mldata": fetch_openml,
    "sklearn.datasets.load_digits": load_digits,
    "sklearn.datasets.load_iris": _clusters(150, 4, 3),
    "sklearn.datasets.load_wine": _clusters(178, 13, 3),
    "sklearn.datasets.load_breast_cancer": _clusters(569, 30, 2),
    "sklearn.datasets.make_moons": _points,
    "sklearn.datasets.make_circles": _points,
    "sklearn.datasets.make_blobs": _points,
    "sklearn.datasets.make_gaussian_quantiles": _points,
    "sklearn.datasets.make_classification": _points,
    "sklearn.model_selection.train_test_split": train_test_split,
    "sklearn.preprocessing.OneHotEncoder": OneHot,
    "sklearn.preprocessing.LabelBinarizer": LabelBinarizer,
    "sklearn.preprocessing.LabelEncoder": LabelEncoder,
    "sklearn.preprocessing.StandardScaler": StandardScaler,
    "sklearn.preprocessing.MinMaxScaler": MinMaxScaler,
    "sklearn.metrics.accuracy_score": accuracy_score,
    "sklearn.metrics.confusion_matrix": confusion_matrix,
    "sklearn.utils.shuffle": shuffled,
    "torchvision.datasets.MNIST": TorchMNIST,
    "torchvision.datasets.FashionMNIST": TorchMNIST,
    "mnist.train_images": _pixels(True, False),
    "mnist.train_labels": _pixels(True, True),
    "mnist.test_images": _pixels(False, False),
    "mnist.test_labels": _pixels(False, True),
    "mnist.MNIST": PythonMNIST,
    "tensorflow_datasets.load": tfds_load,
    "tensorflow_datasets.as_numpy": lambda data: data,
    "idx2numpy.convert_from_file": loaders.load,
    "pandas.read_csv": frames.read_csv,
    "pandas.get_dummies": frames.get_dummies,
    "pandas.DataFrame": frames.Frame,
    "pandas.Series": lambda values=(), *_, **__: np.asarray(values).view(frames.Column),
    "tqdm.tqdm": Progress,
    "tqdm.trange": _progress_range,
    "jax.numpy": np,
}
for _name in ("tqdm", "trange"):
    for _place in ("auto", "notebook"):
        KNOWN[f"tqdm.{_place}.{_name}"] = KNOWN[f"tqdm.{_name}"]
KNOWN["tqdm.tqdm_notebook"] = Progress

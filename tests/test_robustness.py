import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox

from pasapas import figures, i18n, mlp
from pasapas.cli import evaluate
from pasapas.data.disturbances import DISTURBANCES
from pasapas.errors import PasapasError
from pasapas.models import Model
from pasapas.studies.robustness import Robustness, robustness


@pytest.fixture(scope="module")
def some(mnist):
    return mnist[1].first(200)


@pytest.fixture
def model(some):
    """It has learnt these images by heart, and little else."""
    network = mlp(784, 10)
    X = some.images.reshape(200, -1) / 255
    W, *_ = np.linalg.lstsq(X, 20 * np.eye(10)[some.labels], rcond=None)
    return Model(network, [{"W": W, "b": np.zeros(10)}])


@pytest.fixture
def small(monkeypatch, some, model, tmp_path):
    """`pasapas evaluate` on few images: the path of a model."""
    monkeypatch.setattr(evaluate, "load_mnist_test", lambda: some)
    return model.save(tmp_path / "model.safetensors")


def test_robustness_is_the_mean_over_the_directions(model, some):
    told = []
    results = robustness(model, some, lambda *what: told.append(what))
    assert told == [(d, strength) for d in DISTURBANCES for strength in d.strengths]
    for result, disturbance in zip(results, DISTURBANCES, strict=True):
        assert result.disturbance is disturbance
        for strength, accuracy in zip(disturbance.strengths, result.accuracy, strict=True):
            right = [model.predict(images) == some.labels for images in disturbance.variants(some.images, strength)]
            assert accuracy == pytest.approx(np.mean(right))
    assert model.evaluate(some.images, some.labels)[1] == 1
    assert all(result.accuracy[-1] < 0.95 for result in results)


def test_robustness_refuses_images_that_are_rows(model, some):
    rows = type(some)(some.images.reshape(200, 784), some.labels)
    with pytest.raises(PasapasError, match="disturbed"):
        robustness(model, rows)


def test_the_figure_has_a_point_a_number_and_a_digit_for_each_strength(some):
    i18n.activate("fr")
    results = [Robustness(d, tuple(0.9 - 0.123 * i for i in range(len(d.strengths)))) for d in DISTURBANCES]
    figure = figures.robustness(results, 0.985, some.images[0])
    for axes, result in zip(figure.axes, results, strict=False):
        n = len(result.accuracy) + 1
        np.testing.assert_allclose(axes.lines[0].get_ydata(), 100 * np.array([0.985, *result.accuracy]))
        numbers = [text.get_text() for text in axes.texts]
        assert numbers[:3] == ["98,5\u202f%", "90,0\u202f%", "77,7\u202f%"]
        digits = [box for box in axes.get_children() if isinstance(box, AnnotationBbox)]
        assert len(numbers) == len(digits) == n
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        assert ticks[1:] == [result.disturbance.label(strength) for strength in result.disturbance.strengths]
        shown = [box.offsetbox.get_children()[0].get_array() for box in digits]
        np.testing.assert_array_equal(shown[0], some.images[0])
        last = next(result.disturbance.variants(some.images[:1], result.disturbance.strengths[-1]))
        np.testing.assert_array_equal(shown[-1], last[0])
        assert axes.get_ylim()[0] < axes.lines[0].get_ydata().min()


def test_the_figure_of_abstention():
    P = np.array([[0.95, 0.05], [0.15, 0.85], [0.35, 0.65], [0.6, 0.4], [0.15, 0.85]])
    figure = figures.abstention(P, [0, 0, 1, 0, 1])
    left, right = figure.axes
    coverage, accuracy = (line.get_ydata() for line in left.lines)
    assert (coverage[0], accuracy[0]) == (100, 80)
    assert coverage[-1] == 0
    assert np.isnan(accuracy[-1])
    assert [label.get_text() for label in left.get_xticklabels()] == ["50", "90", "99", "99.9", "99.99"]
    np.testing.assert_allclose(right.lines[0].get_xydata(), [[100, 20], [80, 25], [60, 100 / 3], [20, 0]])


def test_evaluate_says_what_abstaining_buys(run, small, model, some):
    result = json.loads(run("evaluate", small, "--json").out)
    P = model.probabilities(some.images)
    confidence, right = P.max(axis=1), P.argmax(axis=1) == some.labels
    for row, threshold in zip(result["abstention"], evaluate.THRESHOLDS, strict=True):
        answered = confidence >= threshold
        assert (row["threshold"], row["answered"]) == (threshold, answered.sum())
        assert row["coverage"] == pytest.approx(answered.mean())
        assert row["errors"] == (answered & ~right).sum()
        assert row["accuracy"] == (pytest.approx(right[answered].mean()) if answered.any() else None)
    assert [row["error_rate"] for row in result["error_rates"]] == list(evaluate.ERROR_RATES)
    for row in result["error_rates"]:
        assert row["errors"] <= row["error_rate"] * row["answered"]
    assert result["loss"] == pytest.approx(model.evaluate(some.images, some.labels)[0])
    assert result["robustness"] is None
    out = run("evaluate", small).out
    assert "always answers" in out
    assert "Robustness" not in out


def test_evaluate_says_so_where_no_confidence_helps(run, small, model, some, tmp_path):
    wrong = Model(model.network, [{"W": -model.params[0]["W"], "b": np.zeros(10)}]).save(tmp_path / "wrong.safetensors")
    result = json.loads(run("evaluate", wrong, "--json").out)
    row = result["error_rates"][0]
    assert row.pop("error_rate") == 0.01
    assert set(row) == set(result["abstention"][0])
    assert not any(row.values())
    out = run("evaluate", wrong).out
    (line,) = (line for line in out.splitlines() if line.startswith("at most 1.0%"))
    assert line.split()[3:] == ["–", "–"]


def test_evaluate_robust(run, small, model, some):
    expected = robustness(model, some)
    ran = run("evaluate", small, "--robust", "--json", "--figures", "pictures")
    assert ran.err == ""
    result = json.loads(ran.out)
    assert [row["disturbance"] for row in result["robustness"]] == ["shift", "rotation", "noise", "thick", "thin"]
    for row, one in zip(result["robustness"], expected, strict=True):
        assert row["strengths"] == list(one.disturbance.strengths)
        assert row["accuracy"] == list(one.accuracy)
        assert row["unit"]
    assert [Path(path).name for path in result["figures"]][-1] == "robustness.png"
    assert all(Path(path).exists() for path in result["figures"])


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_evaluate_robust_fits_80_columns(run, small, model, some, monkeypatch, language):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("evaluate", small, "--robust", "--lang", language).out.splitlines()
    assert max(map(len, lines[1:])) <= 80  # the first names the file
    rows = [[cell.strip(" ") for cell in re.split(" {2,}", line) if cell] for line in lines]
    for one in robustness(model, some):
        i = rows.index([i18n.percent(accuracy, 1) for accuracy in one.accuracy])
        assert rows[i - 1][1:] == [one.disturbance.label(strength) for strength in one.disturbance.strengths]

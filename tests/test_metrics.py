import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasapas import i18n, metrics
from pasapas.errors import PasapasError
from pasapas.training import Epoch


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_translations", i18n.gettext.NullTranslations())
    monkeypatch.setattr(i18n, "_language", "en")


def epoch(n, loss, accuracy, validation=None, test=None):
    return Epoch(n, loss, accuracy, None, validation, None, test, 0.1, 1.0)


def test_confusion_matrix_has_true_classes_in_rows():
    counts = metrics.confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 0, 2, 2], 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert np.issubdtype(counts.dtype, np.integer)


def test_confusion_matrix_keeps_classes_without_images_and_takes_bytes():
    labels = np.array([20, 20], np.uint8)  # 20 · 30 + 20 does not fit in a byte
    counts = metrics.confusion_matrix(labels, labels, 30)
    assert counts.shape == (30, 30)
    assert counts[20, 20] == counts.sum() == 2
    assert not metrics.confusion_matrix([], [], 2).any()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4))))
def test_confusion_matrix_counts_every_pair(pairs):
    counts = metrics.confusion_matrix([a for a, _ in pairs], [b for _, b in pairs], 5)
    assert all(counts[i, j] == pairs.count((i, j)) for i in range(5) for j in range(5))


@pytest.mark.parametrize(("labels", "predicted"), [([0, 1], [0]), ([0, 3], [0, 1]), ([0, 1], [0, -1]), ([[0]], [[0]])])
def test_confusion_matrix_refuses_what_does_not_fit(labels, predicted):
    with pytest.raises(PasapasError):
        metrics.confusion_matrix(labels, predicted, 3)


def test_precision_and_recall_by_hand():
    counts = np.array([[8, 2, 0], [1, 4, 0], [0, 0, 0]])
    np.testing.assert_allclose(metrics.precision(counts), [8 / 9, 4 / 6, np.nan])
    np.testing.assert_allclose(metrics.recall(counts), [8 / 10, 4 / 5, np.nan])


def test_calibration_by_hand():
    P = np.array([[0.95, 0.05], [0.15, 0.85], [0.35, 0.65], [0.6, 0.4]])
    found = metrics.calibration(P, [0, 0, 1, 0], bins=5)
    assert found.counts.tolist() == [0, 0, 1, 1, 2]  # 0.6 belongs to (0.4, 0.6]
    np.testing.assert_allclose(found.confidence, [np.nan, np.nan, 0.6, 0.65, 0.9])
    np.testing.assert_allclose(found.accuracy, [np.nan, np.nan, 1, 1, 0.5])
    assert found.error == pytest.approx((0.4 * 1 + 0.35 * 1 + 0.4 * 2) / 4)


def test_calibration_is_perfect_where_certainty_is_right():
    P = np.eye(3, dtype=np.float32)
    found = metrics.calibration(P, [0, 1, 2])
    assert found.error == 0
    assert found.counts[-1] == 3


@pytest.mark.parametrize(
    ("P", "labels", "bins"),
    [
        ([[0.5, 0.5]], [0, 1], 10),
        ([0.5, 0.5], [0, 1], 10),
        (np.empty((0, 3)), [], 10),
        ([[0.5, 0.5]], [0], 0),
        ([[2.0, -1.0]], [0], 10),
        ([[np.nan, 0.5]], [0], 10),
    ],
)
def test_calibration_refuses_what_does_not_fit(P, labels, bins):
    with pytest.raises(PasapasError):
        metrics.calibration(P, labels, bins)


def test_final_statistics_are_the_lessons():
    history = [epoch(1, 0.9653, 0.8664, test=0.838), epoch(2, 0.5, 0.9), epoch(3, 0.2909, 0.9225, test=0.894)]
    assert metrics.final_statistics(history) == [
        ("Training loss", "0.9653", "0.2909", "−69.9%"),
        ("Training accuracy", "86.64%", "92.25%", "+5.6 points"),
        ("Test accuracy", "83.80%", "89.40%", "+5.6 points"),
    ]


def test_final_statistics_in_french(monkeypatch):
    monkeypatch.setattr(i18n, "_language", "fr")
    rows = metrics.final_statistics([epoch(1, 1.0, 0.5), epoch(2, 1.5, 0.4)])
    assert [row[1:] for row in rows] == [
        ("1,0000", "1,5000", "+50,0\u202f%"),
        ("50,00\u202f%", "40,00\u202f%", "−10,0 points"),
    ]


def test_points_agree_with_their_number_in_both_languages(monkeypatch):
    asked = []
    monkeypatch.setattr(metrics, "ngettext", lambda one, many, n: asked.append(n) or many)
    metrics.final_statistics([epoch(1, 1.0, 0.5, 0.5, 0.5), epoch(2, 0.5, 0.519, 0.5196, 0.53)])
    assert asked == [1, 2, 3]  # +1.9, +2.0 and +3.0, as French counts


@pytest.mark.parametrize(("losses", "change"), [([0.5], "—"), ([0.0, 0.0], "—"), ([0.5, 0.5], "+0.0%")])
def test_final_statistics_where_nothing_changes(losses, change):
    rows = metrics.final_statistics([epoch(i, loss, 0.5) for i, loss in enumerate(losses, 1)])
    assert rows[0][3] == change


def test_no_history_has_no_statistics():
    assert metrics.final_statistics([]) == []

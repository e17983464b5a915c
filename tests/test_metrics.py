import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from pasapas import i18n, metrics
from pasapas.errors import PasapasError
from pasapas.losses import log_softmax, softmax
from pasapas.training import Epoch


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_catalogue", lambda language: i18n.gettext.NullTranslations())
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


def test_cross_entropy_by_hand():
    log_P = np.log([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]])
    assert metrics.cross_entropy(log_P, [0, 0, 1]) == pytest.approx(-np.log(0.5 * 0.25 * 0.9) / 3)
    assert metrics.cross_entropy([[0, -300.0]], [1]) == 300  # e⁻³⁰⁰ is 0 in float32


ANSWERS = np.array([[0.95, 0.05], [0.15, 0.85], [0.35, 0.65], [0.6, 0.4], [0.15, 0.85]])
TRUE = [0, 0, 1, 0, 1]  # the second is wrong, and as sure as the last


def test_abstention_by_hand():
    found = metrics.abstention(ANSWERS, TRUE, [0, 0.61, 0.85, 0.9, 0.99])
    assert found.answered.tolist() == [5, 4, 3, 1, 0]
    assert found.errors.tolist() == [1, 1, 1, 0, 0]
    np.testing.assert_allclose(found.coverage, [1, 0.8, 0.6, 0.2, 0])
    np.testing.assert_allclose(found.accuracy, [4 / 5, 3 / 4, 2 / 3, 1, np.nan])


def test_abstention_at_every_confidence():
    found = metrics.abstention(ANSWERS, TRUE)
    assert found.thresholds.tolist() == [0.6, 0.65, 0.85, 0.95]
    assert found.answered.tolist() == [5, 4, 3, 1]


@pytest.mark.parametrize(("rate", "threshold"), [(0, 0.95), (0.19, 0.95), (0.2, 0.6), (0.5, 0.6), (1, 0.6)])
def test_threshold_for_a_rate_of_errors(rate, threshold):
    assert metrics.threshold_for(ANSWERS, TRUE, rate) == threshold


def test_no_threshold_helps_where_the_surest_answer_is_wrong():
    assert metrics.threshold_for(ANSWERS[:2], [1, 0], 0.3) is None


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rates_of_errors_are_from_0_to_1(rate):
    with pytest.raises(PasapasError, match="from 0 to 1"):
        metrics.threshold_for(ANSWERS, TRUE, rate)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0, 1))
def test_asking_for_more_answers_fewer(seed, m, rate):
    random = np.random.default_rng(seed)
    P = random.dirichlet(np.ones(3), m).round(1)  # with ties
    labels = random.integers(0, 3, m)
    found = metrics.abstention(P, labels, np.linspace(0, 1, 30))
    assert found.coverage[0] == 1
    assert (np.diff(found.coverage) <= 0).all()
    assert (np.diff(found.errors) <= 0).all()
    threshold = metrics.threshold_for(P, labels, rate)
    confidence, right = P.max(axis=1), P.argmax(axis=1) == labels
    allowed = [c for c in np.unique(confidence) if (~right[confidence >= c]).mean() <= rate]
    assert threshold == (min(allowed) if allowed else None)


def scores_and_labels(random, T, m=600):
    """Scores, and labels drawn from softmax(Z / T)."""
    Z = random.normal(0, 3, (m, 4))
    P = softmax(Z / T)
    return Z, (P.cumsum(axis=1) < random.random((m, 1))).sum(axis=1).clip(max=3)


@pytest.mark.parametrize("T", [1, 0.2, 7.0])
def test_temperature_of_scores_that_are_exactly_as_often_right_as_they_say(T):
    Z = T * np.log([[0.75, 0.25]] * 4 + [[0.2, 0.8]] * 5)
    labels = [0, 0, 0, 1, 0, 1, 1, 1, 1]
    assert metrics.temperature(Z, labels) == pytest.approx(T)
    assert metrics.temperature(Z + np.arange(9)[:, None], labels) == pytest.approx(T)  # softmax does not see this


@pytest.mark.parametrize("factor", [1e-6, 0.01, 1, 3.7, 1000, 1e6])
def test_temperature_is_what_scipy_finds(random, factor):
    Z, labels = scores_and_labels(random, 2.0)
    reached = minimize_scalar(
        lambda log_T: metrics.cross_entropy(log_softmax(Z / np.exp(log_T)), labels), (-1, 1), tol=1e-12
    )
    assert metrics.temperature(factor * Z, labels) == pytest.approx(factor * np.exp(reached.x), rel=1e-6)


def test_temperature_from_log_probabilities_is_that_from_scores(random):
    Z, labels = scores_and_labels(random, 0.5)
    assert metrics.temperature(log_softmax(Z), labels) == pytest.approx(metrics.temperature(Z, labels))


def test_temperature_where_one_sure_mistake_flattens_the_curve():
    Z = np.array([[2000.0, 0]] * 99 + [[1, 0]])
    labels = [0] * 99 + [1]
    T = metrics.temperature(Z, labels)
    losses = [metrics.cross_entropy(log_softmax(Z / t), labels) for t in (T, 0.99 * T, 1.01 * T)]
    assert losses[0] < min(losses[1:])


@pytest.mark.parametrize(("labels", "reason"), [([0, 1, 0], "all answered right"), ([1, 0, 1], "guessing")])
def test_no_temperature_is_best(labels, reason):
    with pytest.raises(PasapasError, match=reason):
        metrics.temperature([[2.0, 1], [0, 3], [1, 0]], labels)


@pytest.mark.parametrize("measure", [metrics.cross_entropy, metrics.temperature, metrics.abstention])
@pytest.mark.parametrize(
    ("scores", "labels"), [([[0.5, 0.5]], [0, 1]), ([0.5, 0.5], [0, 1]), (np.empty((0, 3)), []), ([[0.5, 0.5]], [2])]
)
def test_measures_refuse_what_does_not_fit(measure, scores, labels):
    with pytest.raises(PasapasError):
        measure(scores, labels)


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

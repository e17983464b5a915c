import numpy as np
import pytest

from pasapas import load, metrics, mlp
from pasapas.calibrating import at_temperature, calibrated
from pasapas.losses import softmax
from pasapas.models import Model


@pytest.fixture(params=["float32", "float64"])
def model(request, random):
    network = mlp(6, 7, 5, 4, activation="tanh", dropout=0.25)
    params = network.initialize(seed=3, dtype=request.param)
    params = [{name: p + random.normal(0, 1, p.shape).astype(p.dtype) for name, p in layer.items()} for layer in params]
    return Model(network, params, {"seed": 3})


def test_log_probabilities_are_the_logarithms_of_the_probabilities(model, random):
    images = random.random((9, 6))
    np.testing.assert_allclose(np.exp(model.log_probabilities(images)), model.probabilities(images))


def test_log_probabilities_stay_finite_where_probabilities_are_0():
    network = mlp(1, 2)
    model = Model(network, [{"W": np.array([[0, 500]], "float32"), "b": np.zeros(2, "float32")}])
    image = np.ones((1, 1), "float32")
    assert model.probabilities(image)[0, 0] == 0
    assert model.log_probabilities(image)[0, 0] == -500


def test_at_temperature_divides_the_scores(model, random):
    images = random.random((9, 6))
    softer = at_temperature(model, 2.5)
    P = softmax(model.log_probabilities(images) / 2.5)  # the logarithms are the scores but for a constant in each row
    np.testing.assert_allclose(softer.probabilities(images), P, rtol=1e-5)
    np.testing.assert_array_equal(softer.predict(images), model.predict(images))
    assert softer.params[-1]["W"].dtype == model.params[-1]["W"].dtype
    assert softer.params[0]["W"] is model.params[0]["W"]


def test_temperatures_multiply_and_are_kept_in_the_file(model, tmp_path):
    twice = at_temperature(at_temperature(model, 2.0), 1.5)
    assert model.about == {"seed": 3}
    assert load(twice.save(tmp_path / "model.safetensors")).about == {"seed": 3, "temperature": 3.0}


def test_calibrated_is_better_calibrated_on_other_images_too(model, random):
    images = random.normal(0, 1, (4000, 6))
    P = softmax(model.log_probabilities(images).astype(float) / 3)  # the truth: three times less sure
    labels = (P.cumsum(axis=1) < random.random((len(P), 1))).sum(axis=1).clip(max=3)
    better = calibrated(model, images[:2000], labels[:2000])
    assert better.about["temperature"] == pytest.approx(3, rel=0.15)

    others, truth = images[2000:], labels[2000:]
    np.testing.assert_array_equal(better.predict(others), model.predict(others))
    before, after = (metrics.calibration(m.probabilities(others), truth).error for m in (model, better))
    assert after < before / 3
    assert metrics.cross_entropy(better.log_probabilities(others), truth) < metrics.cross_entropy(
        model.log_probabilities(others), truth
    )

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from pasapas import Dataset, Diverged, PasapasError, Recipe, forward, recipe, train, training
from pasapas.backends import make_engine
from pasapas.backends.epochs import make_plan
from pasapas.backends.numpy import NumpyEngine

SMALL = {"train_images": 1000, "test_images": 500, "hidden": (17, 13), "epochs": 3, "batch_size": 64}
PREPARED = {"input_mean": 0.13, "input_std": 0.31, "averaging": 0.8, "output_scale": 0.5}
DEFORMED = {"rotation": 10.0, "scaling": 0.1, "elastic": 30.0, "deform_until": 0.4, "deform_final": 0.0}
OPTIONS = [
    {},
    {"optimizer": "nesterov", "l2": 1e-3, "label_smoothing": 0.1, "schedule": "linear", "warmup_epochs": 0.5},
    {"optimizer": "adam", "learning_rate": 0.003, "dtype": "float64", "activation": "tanh", "shuffle": False},
    {"optimizer": "momentum", "activation": "leaky-relu", "drop_last": True, "validation_images": 100, "keep": "best"},
    {"hidden": (), "activation": "sigmoid", "training_accuracy": "after", "test_accuracy": "each-epoch"},
    PREPARED,
]


def differences(a, b) -> float:
    return max(float(np.abs(p[k] - q[k]).max()) for p, q in zip(a, b, strict=True) for k in p)


def measured(result) -> list[float]:
    epochs = [dataclasses.replace(e, seconds=0.0) for e in result.history]
    return [float(value) for e in epochs for value in dataclasses.astuple(e) if value is not None] + [*result.test]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ",".join(options) or "plain")
def test_jax_trains_as_numpy_does(options):
    a, b = (train(Recipe(**{**SMALL, **options}, engine=engine), quiet=True) for engine in ("numpy", "jax"))
    exact = options.get("dtype") == "float64"
    assert differences(a.model.params, b.model.params) < (1e-12 if exact else 2e-5)
    assert all(p[k].dtype == q[k].dtype for p, q in zip(a.model.params, b.model.params, strict=True) for k in p)
    np.testing.assert_allclose(measured(a), measured(b), rtol=1e-11 if exact else 1e-4)


def test_lesson_3_on_jax_to_the_digits_shown():
    result = train("lesson-3", engine="jax", quiet=True)
    assert [f"{e.loss:.4f}" for e in result.history] == ["0.9653", "0.4375", "0.3580", "0.3180", "0.2909"]
    assert result.history[-1].test_accuracy == result.test[1] == 0.894


@pytest.mark.parametrize("engine", ["numpy", "jax"])
@pytest.mark.parametrize("options", [{"dropout": 0.4, "input_dropout": 0.2}, {**DEFORMED, **PREPARED}])
def test_same_seed_same_bits_and_resumed_the_same(options, engine):
    chosen = Recipe(**SMALL, **options, engine=engine)
    stages = []
    whole = train(chosen, watcher=training.Watcher(epoch=stages.append))
    assert differences(whole.model.params, train(chosen, quiet=True).model.params) == 0
    assert differences(whole.model.params, train(chosen, quiet=True, progress=stages[0]).model.params) == 0
    plain = dict.fromkeys(("dropout", "input_dropout", "rotation", "scaling", "elastic"), 0.0)
    without = train(chosen.replace(**plain), quiet=True)
    assert abs(whole.history[0].loss - without.history[0].loss) > 1e-3
    assert whole.history[-1].loss < whole.history[0].loss


@pytest.mark.parametrize("seed", [2**31, 2**32 - 1])
def test_every_seed_of_a_recipe_trains_on_jax(seed):
    chosen = Recipe(**{**SMALL, "epochs": 1}, dropout=0.4, engine="jax", seed=seed)
    first, other = (train(chosen.replace(seed=s), quiet=True).model.params for s in (seed, seed - 1))
    assert differences(first, train(chosen, quiet=True).model.params) == 0
    assert differences(first, other) > 0


def test_dropout_on_jax_drops_the_share_asked_for_and_others_each_time():
    import jax

    from pasapas.backends.jax import _Uniform

    network = Recipe(hidden=(400,), dropout=0.3, input_dropout=0.1).network()
    random = _Uniform(jax.random.key(1))
    masked = network.with_masks(network.initialize(), 50, random)
    again = network.with_masks(network.initialize(), 50, random)
    kept = [float(np.mean(np.asarray(p["mask"]) > 0)) for p in masked if "mask" in p]
    assert kept == pytest.approx([0.9, 0.7], abs=0.01)
    assert not np.array_equal(masked[0]["mask"], again[0]["mask"])


@pytest.mark.parametrize("options", [{"dropout": 0.3, "optimizer": "adam", "l2": 1e-4}, DEFORMED, PREPARED])
def test_numpy_gives_the_bits_of_the_readable_steps(options, monkeypatch):
    chosen = Recipe(**SMALL, **options)
    fast = train(chosen, quiet=True)
    monkeypatch.setattr(NumpyEngine, "steps", NumpyEngine.readable_epoch)  # on the same BLAS threads
    assert differences(fast.model.params, train(chosen, quiet=True).model.params) == 0


def test_a_compiled_epoch_in_several_parts_is_the_same(monkeypatch):
    from pasapas.backends import jax as backend

    chosen = Recipe(**SMALL, engine="jax")
    seen = []
    watcher = training.Watcher(step=lambda epoch, images, loss, accuracy: seen.append((epoch, images)))
    whole = train(chosen, watcher=watcher)
    assert seen == [(e, n) for e in (1, 2, 3) for n in (960, 1000)]
    monkeypatch.setitem(
        backend._WORK, "cpu", 6 * (784 * 17 + 17 * 13 + 130) * 64 * 6
    )  # six steps at a time; 5 divides 15
    seen.clear()
    parts = train(chosen, watcher=watcher)
    assert [n for e, n in seen if e == 1] == [320, 640, 960, 1000]
    assert differences(whole.model.params, parts.model.params) < 1e-6


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_divergence_is_told_with_its_batch(engine):
    with pytest.raises(Diverged, match=r"in epoch 1, batch \d+: try a smaller learning rate than 1000"):
        train(Recipe(**SMALL, activation="leaky-relu", learning_rate=1000.0, engine=engine), quiet=True)


def test_products_in_bfloat16_round_what_goes_in_and_add_up_in_float32(random):
    import jax.numpy as jnp

    from pasapas.backends.jax import in_bfloat16

    X, W, b = random.random((6, 300), np.float32), random.random((300, 7), np.float32), random.random(7, np.float32)
    dY = random.random((6, 7), np.float32)

    def rounded(A):
        return np.asarray(jnp.asarray(A, jnp.bfloat16), np.float64)

    (layer,) = in_bfloat16(Recipe(hidden=()).network()).layers
    p = {"W": jnp.asarray(W), "b": jnp.asarray(b)}
    Y = layer.forward(p, jnp.asarray(X))
    gradients = layer.parameter_gradients(p, jnp.asarray(X), Y, jnp.asarray(dY))
    dX = layer.input_gradient(p, jnp.asarray(X), Y, jnp.asarray(dY))
    assert {a.dtype for a in (Y, dX, *gradients.values())} == {np.dtype("float32")}
    np.testing.assert_allclose(Y, rounded(X) @ rounded(W) + b, rtol=1e-5)
    np.testing.assert_allclose(gradients["W"], rounded(X).T @ rounded(dY), rtol=1e-5)
    np.testing.assert_allclose(gradients["b"], dY.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(dX, rounded(dY) @ rounded(W).T, rtol=1e-5)
    assert np.abs(np.asarray(Y) - (X @ W + b)).max() > 1e-3


def test_training_in_bfloat16_is_close_to_full_precision():
    full, low = (train(Recipe(**SMALL, engine="jax", products=p), quiet=True) for p in ("full", "bfloat16"))
    assert 1e-6 < differences(full.model.params, low.model.params) < 0.05
    assert low.test[1] == pytest.approx(full.test[1], abs=0.02)
    assert {str(p["W"].dtype) for p in low.model.params if p} == {"float32"}


def test_what_cannot_be_is_refused():
    with pytest.raises(PasapasError, match="NumPy has no products in bfloat16"):
        train(Recipe(**SMALL, products="bfloat16"), quiet=True)
    with pytest.raises(PasapasError, match="in float64 only full products"):
        Recipe(dtype="float64", products="tensorfloat32")
    with pytest.raises(PasapasError, match="engine must be one of numpy, jax"):
        Recipe(engine="cuda")


def test_without_jax_one_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "pasapas.backends.jax", raising=False)
    chosen = Recipe(engine="jax")
    with pytest.raises(PasapasError, match=r"pip install 'pasapas\[jax\]'"):
        make_engine(chosen, chosen.network())


def test_what_was_compiled_is_kept_for_the_next_run(tmp_path):
    code = "import pasapas; pasapas.train('lesson-3', engine='jax', epochs=1, quiet=True)"
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**environment, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 1000]


def test_standardized_pixels_are_taken_in_by_the_first_layer(random):
    chosen = Recipe(hidden=(9,), input_dropout=0.1, **PREPARED)
    network = chosen.network()
    params = [{k: p[k] + 0.1 for k in p} for p in network.initialize(seed=3, dtype="float64")]
    X = random.random((5, 784))
    expected = forward(network.layers, params, (X - 0.13) / 0.31)[-1]
    np.testing.assert_allclose(forward(network.layers, chosen.for_pixels(params), X)[-1], expected, rtol=1e-12)
    assert Recipe().for_pixels(params) is params
    assert Recipe().standardized(X) is X


def test_the_model_is_the_running_average():
    stages = []
    result = train(Recipe(**SMALL, averaging=0.15), watcher=training.Watcher(epoch=stages.append))
    mean = training.start(result.model.network, Recipe(**SMALL)).params[0]["W"].astype(float)
    for kept, stage in zip((1 / 10, 0.15, 0.15), stages, strict=True):  # 0.15 < 2 / 11
        mean = kept * mean + (1 - kept) * stage.params[0]["W"]
    np.testing.assert_allclose(result.model.params[0]["W"], mean, atol=1e-6)


def test_output_weights_are_scaled():
    plain, half = (training.start(r.network(), r).params for r in (Recipe(), Recipe(output_scale=0.5)))
    np.testing.assert_array_equal(half[-1]["W"], plain[-1]["W"] / 2)
    np.testing.assert_array_equal(half[0]["W"], plain[0]["W"])
    assert half[-1]["W"].dtype == np.float32


def test_deformations_fall_at_the_end():
    chosen = Recipe(epochs=20, rotation=5.0, deform_until=0.5, deform_final=0.4)
    strengths = [make_plan(chosen, 1000, n).strength for n in range(1, 21)]
    assert strengths[:11] == [1.0] * 11
    np.testing.assert_allclose(np.diff(strengths[10:]), -0.06)
    assert make_plan(Recipe(epochs=20, rotation=5.0), 1000, 20).strength == 1.0


def test_a_plan_is_of_its_own_for_each_epoch():
    chosen = recipe("default", epochs=4)
    plans = [make_plan(chosen, 1000, n) for n in (1, 2)]
    assert sorted(np.concatenate(plans[0].batches)) == list(range(1000))
    assert not np.array_equal(plans[0].batches[0], plans[1].batches[0])
    assert plans[0].learning_rates[0] == pytest.approx(0.2 * (1 - 0.5 / 8 / 4))
    for draw in ("masks", "deformations"):
        assert getattr(plans[0], draw)().random() == getattr(make_plan(chosen, 1000, 1), draw)().random()
        assert getattr(plans[0], draw)().random() != getattr(plans[1], draw)().random()
    assert plans[0].masks().random() != plans[0].deformations().random()


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_evaluation_in_parts_is_the_whole(engine, mnist):
    chosen = Recipe(hidden=(5,), engine=engine, **PREPARED)
    network = chosen.network()
    driver = make_engine(chosen, network)
    params = network.initialize(seed=2)
    loss, accuracy = driver.evaluate(driver.place(params), mnist[0].first(23_456))
    data = Dataset(mnist[0].images[:23_456], mnist[0].labels[:23_456])
    X = (data.images.reshape(-1, 784) / np.float32(255) - 0.13) / 0.31
    Z = forward(network.layers, params, X)[-1].astype(float)
    log_P = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    assert accuracy == np.mean(Z.argmax(axis=1) == data.labels)
    assert loss == pytest.approx(-np.mean(log_P[np.arange(len(Z)), data.labels]), rel=1e-5)

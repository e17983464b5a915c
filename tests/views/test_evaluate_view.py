"""The view Evaluate, without a server."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from pasapas import PasapasError, mlp
from pasapas.data.disturbances import DISTURBANCES
from pasapas.i18n import speaking
from pasapas.losses import log_softmax
from pasapas.models import Classifier, Committee, Model
from pasapas.views.bench import Bench, mnist, shipped
from pasapas.views.evaluate import DISTURBED, PAGE, THRESHOLDS, EvaluateView, steps


class Diverged(Classifier):
    """Answers nothing but nan."""

    architecture = "784-10"

    def log_probabilities(self, images):
        return np.full((len(images), 10), np.nan)


class Guesses(Classifier):
    """Weighs the pixels at random, and counts how often it is asked. Knows the labels where `right`."""

    architecture = "784-10"

    def __init__(self, right: bool = False) -> None:
        self.W = np.random.default_rng(7).normal(size=(784, 10)).astype(np.float32)
        self.right, self.asked = right, 0

    def log_probabilities(self, images):
        self.asked += 1
        if self.right and len(images) == len(mnist()[1]):
            return log_softmax(9.0 * np.eye(10)[mnist()[1].labels])
        return log_softmax(images.reshape(len(images), 784) / 2550 @ self.W)


@pytest.fixture(scope="module")
def view() -> EvaluateView:
    return EvaluateView(Bench(Guesses()))


@pytest.fixture(scope="module")
def truth():
    log_P = Guesses().log_probabilities(mnist()[1].images)
    return mnist()[1].labels, np.exp(log_P)


def test_the_overview_is_that_of_the_test_images(view, truth):
    labels, P = truth
    found = view.answer("overview", {"model": "given"})
    assert found["accuracy"] == np.mean(P.argmax(axis=1) == labels)
    assert found["errors"] == np.sum(P.argmax(axis=1) != labels)
    assert found["loss"] == pytest.approx(-np.log(P[np.arange(10_000), labels]).mean(), rel=1e-5)
    counts = np.array(found["counts"])
    assert counts[3, 5] == np.sum((labels == 3) & (P.argmax(axis=1) == 5))
    off = counts - np.diag(counts.diagonal())
    assert off[tuple(found["worst"])] == off.max()
    assert [one["images"] for one in found["classes"]] == np.bincount(labels).tolist()
    assert found["classes"][2]["recall"] == counts[2, 2] / counts[2].sum()
    assert found["classes"][2]["precision"] == counts[2, 2] / counts[:, 2].sum()
    json.dumps(found, allow_nan=False)


def test_answering_only_when_sure(view, truth):
    labels, P = truth
    for one, threshold in zip(view.answer("overview", {"model": "given"})["abstention"], THRESHOLDS, strict=True):
        sure = P.max(axis=1) >= threshold
        assert (one["threshold"], one["answered"]) == (threshold, sure.sum())
        assert one["errors"] == np.sum(P.argmax(axis=1)[sure] != labels[sure])


def test_the_shipped_model_is_as_good_as_it_says():
    found = EvaluateView().answer("overview", {"model": "shipped"})
    loss, accuracy = shipped().evaluate(mnist()[1].images, mnist()[1].labels)
    assert (found["accuracy"], found["loss"]) == (pytest.approx(accuracy), pytest.approx(loss, rel=1e-4))


@pytest.mark.parametrize(("label", "answer"), [(3, 5), (4, None), (None, 8), (None, None), (6, 6)])
def test_images_are_those_of_the_entry(view, truth, label, answer):
    labels, P = truth
    found = view.answer("images", {"model": "given", "truth": label, "answer": answer})
    counts = np.array(view.answer("overview", {"model": "given"})["counts"])
    wrong = counts if label is not None and answer is not None else counts - np.diag(counts.diagonal())
    rows, columns = (slice(None) if one is None else [one] for one in (label, answer))
    assert found["total"] == wrong[rows][:, columns].sum()
    assert len(found["images"]) == min(PAGE, found["total"]) > 3
    for one in found["images"]:
        i = one["number"]
        assert (one["label"], one["answer"]) == (labels[i], P[i].argmax())
        assert one["probability"] == pytest.approx(P[i].max())
        assert base64.b64decode(one["pixels"]) == mnist()[1].images[i].tobytes()
    sure = [one["probability"] for one in found["images"]]
    assert sure == sorted(sure, reverse=label != 6)


def test_pages_of_images_follow_one_another(view):
    ask = {"model": "given", "truth": None, "answer": None}
    first, second = (view.answer("images", {**ask, "offset": n})["images"] for n in (0, PAGE))
    assert not {one["number"] for one in first} & {one["number"] for one in second}
    assert first[-1]["probability"] >= second[0]["probability"]
    assert view.answer("images", {**ask, "offset": 10_000})["images"] == []


def test_one_image_with_its_probabilities(view, truth):
    labels, P = truth
    found = view.answer("image", {"model": "given", "number": 17})
    assert (found["label"], found["answer"]) == (labels[17], P[17].argmax())
    assert found["probabilities"] == pytest.approx(P[17].tolist())
    with pytest.raises(PasapasError, match="9999, but none has the number 10000"):
        view.answer("image", {"model": "given", "number": 10_000})


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda one: one.name)
def test_disturbing_costs_what_it_costs(view, disturbance):
    few, labels = mnist()[1].images[::DISTURBED], mnist()[1].labels[::DISTURBED]
    strength = disturbance.strengths[1]
    found = view.answer("disturb", {"model": "given", "kind": disturbance.name, "strength": strength})
    right = [np.mean(Guesses().predict(one) == labels) for one in disturbance.variants(few, strength)]
    assert (found["strength"], found["images"]) == (strength, len(labels))
    assert found["accuracy"] == np.mean(right)
    assert found["clean"] == np.mean(Guesses().predict(few) == labels)
    assert found["cost"] == found["clean"] - found["accuracy"]
    assert [one["label"] for one in found["examples"]] == list(range(10))
    example = mnist()[1].images[np.flatnonzero(mnist()[1].labels == 3)[:1]]
    clean = base64.b64decode(found["examples"][3]["pixels"])
    assert clean != example.tobytes()


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("overview", {}),
        ("images", {"truth": 4, "answer": 4}),
        ("image", {"number": 3}),
        ("disturb", {"kind": "shift", "strength": 1.0}),
    ],
)
def test_a_network_that_diverged_answers_with_a_sentence(monkeypatch, kind, asked):
    view = EvaluateView()
    monkeypatch.setattr(view.bench, "classifier", lambda key: Diverged())
    with pytest.raises(PasapasError, match="not a number: its training has diverged"):
        view.answer(kind, {"model": "opened", **asked})


def test_every_strength_that_is_studied_is_a_step(view):
    for disturbance in DISTURBANCES:
        assert set(disturbance.strengths) < set(steps(disturbance))
        assert steps(disturbance)[0] == 0


def test_nothing_disturbed_costs_nothing(view):
    found = view.answer("disturb", {"model": "given", "kind": "rotation", "strength": 1.2})
    assert (found["strength"], found["cost"]) == (0, 0)
    assert base64.b64decode(found["examples"][7]["pixels"]) == mnist()[1].images[0].tobytes()  # the first image is a 7


@pytest.mark.parametrize(("kind", "strength", "words"), [
    ("blur", 1.0, "no disturbance 'blur': choose among shift, rotation"),
    ("shift", 9.0, "from 0 to 8, not 9"),
    ("noise", -1.0, "from 0 to 1, not -1"),
    ("noise", float("nan"), "from 0 to 1, not nan"),
])  # fmt: skip
def test_what_cannot_be_disturbed_is_said(view, kind, strength, words):
    with pytest.raises(PasapasError, match=words):
        view.answer("disturb", {"model": "given", "kind": kind, "strength": strength})


def test_a_model_is_evaluated_once():
    model = Guesses()
    view = EvaluateView(Bench(model))
    for _again in range(2):
        view.overview("given")
        view.images("given")
        view.disturb("given", "noise", 0.3)
    assert model.asked == 1 + 2 + 2  # all, clean and noisy, and the examples each time


def test_a_model_that_makes_no_mistake_has_no_worst():
    view = EvaluateView(Bench(Guesses(right=True)))
    found = view.overview("given")
    assert (found["worst"], found["errors"]) == (None, 0)
    assert view.images("given")["total"] == 0


def test_a_committee_is_evaluated_too():
    network = mlp(784, 10)
    committee = Committee([Model(network, network.initialize(seed=seed)) for seed in (1, 2)])
    found = EvaluateView(Bench(committee)).overview("given")
    assert found["accuracy"] == np.mean(committee.predict(mnist()[1].images) == mnist()[1].labels)


def test_it_speaks_the_language_of_whoever_asks(view):
    with speaking("fr"):
        french = view.about()
    with speaking("en"):
        english = view.about()
    assert [one["title"] for one in french["disturbances"]] != [one["title"] for one in english["disturbances"]]
    assert english["texts"]["truth"] == "digit"

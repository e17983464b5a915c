"""`pasapas explain`: one step, number by number."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from pasapas import i18n, load_mnist, mlp, softmax
from pasapas.models import Model


@pytest.fixture(scope="module")
def lesson():
    """The lesson's first step, written out in plain NumPy: five images, 784-128-10, He from the older generator."""
    random = np.random.RandomState(42)
    W1, W2 = random.randn(784, 128) * np.sqrt(2 / 784), random.randn(128, 10) * np.sqrt(2 / 128)
    train, _ = load_mnist()
    X = train.images[:5].reshape(5, -1) / 255
    Y = np.eye(10)[train.labels[:5]]
    Z1 = X @ W1
    A1 = np.maximum(0, Z1)
    Z2 = A1 @ W2
    P = softmax(Z2)
    dZ2 = (P - Y) / 5
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * (Z1 > 0)
    return {
        "X": X, "Y": Y, "W1": W1, "W2": W2, "Z1": Z1, "A1": A1, "Z2": Z2, "P": P, "L": -np.log(P[Y == 1]).mean(),
        "dZ2": dZ2, "dW2": A1.T @ dZ2, "db2": dZ2.sum(axis=0), "dA1": dA1, "dZ1": dZ1, "dW1": X.T @ dZ1,
        "db1": dZ1.sum(axis=0), "W2_new": W2 - 0.01 * A1.T @ dZ2,
    }  # fmt: skip


def test_five_images_number_by_number(run, lesson):
    ran = run("explain", "--json", "--values")
    assert ran.status == 0
    step = json.loads(ran.out)
    for name, expected in lesson.items():
        tensor = step["tensors"][name]
        np.testing.assert_allclose(tensor["values"], expected, rtol=1e-9, atol=1e-12, err_msg=name)
        assert tensor["shape"] == list(np.shape(expected))
        assert tensor["maximum"] == pytest.approx(np.max(expected))
        assert tensor["mean_absolute"] == pytest.approx(np.mean(np.abs(expected)))
    assert step["loss"] == pytest.approx(lesson["L"])
    gates = [int((lesson["Z1"] > 0).sum()), 640]
    assert step["tensors"]["A1"]["open_gates"] == step["tensors"]["dZ1"]["open_gates"] == gates
    assert step["tensors"]["Z1"]["open_gates"] is None
    assert step["loss_after"] < step["loss"]


def test_the_terminal_shows_the_whole_step(run, lesson):
    ran = run("explain")
    assert ran.status == 0
    places = [ran.out.index(f"\n{name}") for name in ("Z1 =", "A1 =", "Z2 =", "P =", "L =", "dZ2 =", "dW2 =", "db2 =",
              "dA1 =", "dZ1 =", "dW1 =", "db1 =", "W1_new =", "L_new =")]  # fmt: skip
    assert places == sorted(places)
    for text in (
        "dZ2 = (P - Y) / m",
        "dW1 = X.T @ dZ1",
        "(784, 5) @ (5, 128) → (784, 128)",
        f"{lesson['L']:.6f}",
        f"active {(lesson['Z1'] > 0).sum()} / 640, {(lesson['Z1'] > 0).mean():.1%}",
        " ".join(f"{p:.4f}" for p in lesson["P"][0][:3]),
        f"{np.abs(lesson['dW2']).max():.6f}",
        "step downhill",
        "digits 5, 0, 4, 1, 9",
    ):
        assert re.sub(r" +", " ", text) in re.sub(r" +", " ", ran.out), text


def test_french(run, lesson):
    ran = run("explain", "--lang", "fr")
    assert f"{lesson['L']:.6f}".replace(".", ",") in ran.out
    assert "Sommes pondérées" in ran.out
    assert "actifs" in ran.out
    assert not any(word in ran.out for word in ("Weights", "Forward", "Backward", "The "))


def test_conventions(run, lesson):
    step = json.loads(run("explain", "--json", "--convention", "per-example").out)["tensors"]
    np.testing.assert_allclose(step["dZ2"]["values"], 5 * lesson["dZ2"], rtol=1e-12)
    assert (step["dZ2"]["formula"], step["dW2"]["formula"]) == ("P - Y", "A1.T @ dZ2 / m")
    shown = run("explain", "--convention", "per-example").out
    assert "dZ2 = P - Y" in shown
    assert "--convention mean" in shown


def test_large_tensors_need_values(run):
    step = json.loads(run("explain", "--json").out)["tensors"]
    assert step["W1"]["values"] is None
    assert len(step["W2"]["values"]) == 128


def test_chain_rule_of_a_weight_and_of_a_unit(run, lesson):
    i = int(np.argmax(np.abs(lesson["dW1"]).sum(axis=1)))
    j = int(np.argmax(np.abs(lesson["dW1"][i])))
    result = json.loads(run("explain", "--weight", f"1,{i},{j}", "--neuron", "2,5", "--json").out)
    assert result["weight"]["value"] == pytest.approx(lesson["dW1"][i, j])
    assert result["weight"]["by_differences"] == pytest.approx(lesson["dW1"][i, j], rel=1e-6)
    assert sum(t["product"] for t in result["weight"]["sums"][0]["terms"]) == pytest.approx(lesson["dW1"][i, j])
    assert result["neuron"]["value"] == pytest.approx(lesson["dZ2"][0, 5])
    shown = run("explain", "--weight", f"1,{i},{j}").out
    assert f"dW1[{i},{j}]: {lesson['dW1'][i, j]:.8f} by the chain rule" in shown
    assert f"X[0,{i}] · dZ1[0,{j}]" in shown
    shown = run("explain", "--neuron", "1,0").out
    assert "dZ2[0,0] · W2[0,0]" in shown
    assert "∂A1/∂Z1" in shown


def test_check(run):
    ran = run("explain", "--check", "--batch-size", 3)
    assert ran.status == 0
    assert "The gradients are right" in ran.out
    result = json.loads(run("explain", "--check", "--json", "--batch-size", 3).out)
    assert result["check"]["ok"] is True


def test_step_by_step_forwards_and_backwards(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\nb\n8\nq\n"))
    ran = run("explain", "--step")
    shown = re.findall(r"^(\d+)/25 ·", ran.out, re.MULTILINE)
    assert shown == ["1", "2", "3", "2", "8"]
    assert "Z1 = X @ W1 + b1" in ran.out
    monkeypatch.setattr("sys.stdin", io.StringIO("999\n\n"))
    assert re.findall(r"^(\d+)/25 ·", run("explain", "--step").out, re.MULTILINE) == ["1", "25"]


def test_a_model_and_a_picture(run, tmp_path, mnist):
    network = mlp(784, 12, 8, 10, activation="tanh")
    Model(network, network.initialize(seed=4)).save(tmp_path / "m.safetensors")
    Image.fromarray(mnist[1].images[0]).save(tmp_path / "seven.png")
    step = json.loads(run("explain", "m.safetensors", "seven.png", "--label", 7, "--json", "--learning-rate", 0.1).out)
    assert step["sizes"] == [784, 12, 8, 10]
    assert step["m"] == 1
    assert step["tensors"]["y"]["values"] == [7]
    assert step["tensors"]["A2"]["formula"] == "tanh(Z2)"
    assert step["learning_rate"] == 0.1


def test_capsules_are_kept_opened_and_checked(run, tmp_path):
    ran = run("explain", "--save", "step.capsule", "--index", 10, "--batch-size", 2)
    assert "Capsule: step.capsule" in ran.out
    assert json.loads(run("explain", "step.capsule", "--json").out)["altered"] == []
    content = (tmp_path / "step.capsule").read_bytes()
    at = len(content) - 800
    (tmp_path / "step.capsule").write_bytes(content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1 :])
    changed = run("explain", "step.capsule")
    assert changed.status == 1
    assert "Altered:" in changed.out


TABLE = [
    ("explain --index 60000", "--index"),
    ("explain --index -1", "-1"),
    ("explain --batch-size 0", "--batch-size"),
    ("explain --batch-size many", "many"),
    ("explain --learning-rate nan", "nan"),
    ("explain --learning-rate 0", "--learning-rate"),
    ("explain --convention maen", "'mean'"),
    ("explain --neuron 1", "--neuron"),
    ("explain --neuron 1,a", "1,a"),
    ("explain --neuron 3,0", "3"),
    ("explain --neuron 0,0", "0"),
    ("explain --neuron 1,128", "128"),
    ("explain --weight 1,784,0", "784"),
    ("explain --weight 1,-1,0", "1,-1,0"),
    ("explain --weight 1,2,3,4", "1,2,3,4"),
    ("explain nowhere.capsule", "nowhere.capsule"),
    ("explain text.capsule", "text.capsule"),
    ("explain nowhere.safetensors", "nowhere.safetensors"),
    ("explain nowhere.png --label 3", "nowhere.png"),
    ("explain line.png", "--label"),
    ("explain line.png --label 10", "10"),
    ("explain line.png line.png --label 1", "2"),
    ("explain --save nowhere/step.capsule", "nowhere/step.capsule"),
]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(("command", "names"), TABLE, ids=[command for command, _ in TABLE])
def test_bad_input(command, names, language, refuses, tmp_path):
    (tmp_path / "text.capsule").write_text("no capsule")
    drawn = np.zeros((60, 60), np.uint8)
    drawn[10:50, 28:32] = 255
    Image.fromarray(drawn).save(tmp_path / "line.png")
    refuses(command, names, language)

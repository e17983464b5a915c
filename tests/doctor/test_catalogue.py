"""The catalogue of mistakes: all of them, in both languages, and each a mistake of its own."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator

import numpy as np
import pytest

import pasapas
from gradients import central_differences
from pasapas.doctor.catalogue import find, mistakes
from pasapas.doctor.mistake import STAGES, Mistake, Replays
from pasapas.doctor.replay import FUNCTIONS, LOSSES, Problem, Replay
from pasapas.losses import softmax

CODES = [
    "batch-mean-missing", "batch-mean-twice", "batch-mean-wrong-size", "sign-flipped", "constant-factor",
    "output-delta-extra-derivative", "output-delta-without-jacobian", "softmax-cross-terms-missing",
    "softmax-wrong-axis", "softmax-applied-twice", "labels-misaligned", "labels-broadcast",
    "bias-gradient-not-summed", "bias-gradient-averaged-twice", "bias-gradient-wrong-shape", "weight-gradient-transposed",
    "preactivation-in-weight-gradient", "wrong-input-in-weight-gradient", "weights-not-transposed",
    "gradient-in-place-of-weights", "reshape-for-transpose", "wrong-delta-in-backpropagation", "wrong-weights-in-backpropagation", "updated-before-backpropagation",
    "activation-derivative-missing", "activation-derivative-wrong-argument", "activation-derivative-of-another",
    "relu-mask-on-gradient", "elementwise-for-matmul", "regularisation-gradient-wrong", "dropout-mask-missing",
    "gradient-accumulated", "cache-mutated", "softmax-overflow", "log-of-zero", "loss-not-averaged",
    "loss-wrong-formula", "activation-wrong", "bias-missing-in-forward", "inputs-not-scaled", "uint8-arithmetic",
    "symmetric-initialisation", "initialisation-too-large", "update-sign", "update-lost", "one-hot-wrong",
    "accuracy-wrong", "images-scrambled",
]  # fmt: skip

BY_BEHAVIOUR = [
    "softmax-overflow", "log-of-zero", "loss-not-averaged", "loss-wrong-formula", "inputs-not-scaled",
    "uint8-arithmetic", "symmetric-initialisation", "initialisation-too-large", "update-sign", "update-lost",
    "one-hot-wrong", "accuracy-wrong", "gradient-accumulated", "cache-mutated", "bias-gradient-wrong-shape",
    "images-scrambled",
]  # fmt: skip

LESSONS = [
    "1-data-and-neurons", "2-forward", "3-backpropagation", "4-a-complete-network", "5-derivation",
    "6-when-it-goes-wrong", "7-further",
]  # fmt: skip

PLACEHOLDERS = {"tensor", "layer", "previous", "next", "last", "function", "where"}
FILLED = {
    "tensor": "dW2", "layer": 2, "previous": 1, "next": 3, "last": 3, "function": "backward", "where": "dW2 = …",
}  # fmt: skip

every_mistake = pytest.mark.parametrize("mistake", mistakes().values(), ids=list(mistakes()))


# words -----------------------------------------------------------------------------------------------------------


def test_every_code_is_there_and_in_order():
    assert sorted(mistakes()) == sorted(CODES)
    assert len(CODES) == 48
    stages = [STAGES.index(m.stage) for m in mistakes().values()]
    assert stages == sorted(stages)
    assert [code for code, m in mistakes().items() if not m.replays] == [c for c in mistakes() if c in BY_BEHAVIOUR]


def test_an_unknown_code_names_the_nearest():
    assert find("sign-flipped").code == "sign-flipped"
    with pytest.raises(pasapas.PasapasError, match=r"'sign-fliped'.*'sign-flipped'"):
        find("sign-fliped")


def test_a_mistake_is_the_file_of_its_name():
    for code, mistake in mistakes().items():
        module = f"pasapas.doctor.catalogue.{code.replace('-', '_')}"
        assert __import__(module, fromlist=["MISTAKE"]).MISTAKE is mistake


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@every_mistake
def test_words(mistake: Mistake):
    assert mistake.lesson in LESSONS
    for text in (mistake.name, *mistake.hints):
        assert placeholders(text.en) == placeholders(text.fr)
        assert placeholders(text.en) <= PLACEHOLDERS
        for words in (text.en, text.fr):
            filled = words.format(**FILLED)
            assert len(filled) > 8
            assert not re.search(r"[{}]|  |\n", filled)
            assert filled == filled.strip()
            assert filled.count("`") % 2 == 0
    assert not placeholders(mistake.name.en)
    assert len({text.en for text in mistake.hints}) == 3
    assert len({text.fr for text in mistake.hints}) == 3
    for text in mistake.hints:
        for words in (text.en, text.fr):
            assert words[-1] in ".?)"
            plain = re.sub(r"`[^`]*`", "", words)
            assert 1 <= len(re.findall(r"[.?!…](?=\s[A-ZÉÀ`(]|[)]?$)", plain)) <= 3, words


@every_mistake
def test_only_the_third_hint_corrects(mistake: Mistake):
    for text in mistake.hints[:2]:
        for words in (text.en, text.fr):
            assert not re.search(r"`[^`]*(@|np\.|dZ|dW|db)[^`]*`", words), words
    assert any("`" in text for text in (mistake.hints[2].en,))
    assert re.findall("`[^`]*`", mistake.hints[2].en) == re.findall("`[^`]*`", mistake.hints[2].fr)


@every_mistake
def test_french_typography(mistake: Mistake):
    """The rules of the messages' catalogue, outside code."""
    for text in (mistake.name, *mistake.hints):
        plain = re.sub(r"`[^`]*`|\{[^}]*\}", "x", text.fr)
        assert not re.search(r" [:;!?%»]|« ", plain), plain
        assert not re.search(r"[^\s\u00a0\u202f][;!?]|\w:(?=\s)|\d%", plain), plain
        assert not re.search(r"['\"]", plain), plain
        assert not re.search(r"\b(tu|ton|ta|tes|vous|votre|vos)\b", plain), plain
        assert not re.search(r"\d\.\d", plain), plain
        assert not re.search("[\u00a0\u202f’]", text.en)


# replays ---------------------------------------------------------------------------------------------------------

GENERIC = (5, 7, 6, 3)
SQUARE = (4, 4, 4, 4)


def problem(
    sizes: tuple[int, ...] = GENERIC,
    hidden: str = "tanh",
    output: str = "softmax",
    loss: str = "cross-entropy",
    m: int = 11,
    penalty: float = 0.0,
    dropout: bool = False,
) -> Problem:
    random = np.random.default_rng(sum(sizes) + m)
    Y = np.eye(max(sizes[-1], 2))[random.integers(0, max(sizes[-1], 2), m)][:, -sizes[-1] :]
    return Problem(
        X=random.standard_normal((m, sizes[0])),
        Y=Y,
        W=tuple(0.7 * random.standard_normal(pair) for pair in itertools.pairwise(sizes)),
        b=tuple(0.7 * random.standard_normal(n) for n in sizes[1:]),
        activations=(*[hidden] * (len(sizes) - 2), output),
        loss=loss,
        scale=1 / m,
        penalty=penalty,
        masks=tuple((random.random((m, n)) < 0.8) / 0.8 for n in sizes[1:-1]) if dropout else (),
        learning_rate=0.3,
    )


ONE = {"output": "sigmoid", "loss": "binary cross-entropy"}
SQUARED = {"output": "sigmoid", "loss": "squared error"}
LEAKY = "leaky-relu 0.2"

PROBLEMS = {
    **{f"{hidden} {len(sizes) - 1}": problem(sizes, hidden)
       for hidden in ("relu", "tanh", "sigmoid", LEAKY) for sizes in ((5, 7, 3), GENERIC)},
    "leaky, usual slope": problem(hidden="leaky-relu 0.01"),
    "leaky, slope 0.1": problem(hidden="leaky-relu 0.1"),
    "square": problem(SQUARE, m=9),
    "equal": problem(SQUARE, m=4),
    "deep": problem((4, 4, 4, 4, 4), m=9),
    "one output": problem((5, 7, 6, 1), **ONE),
    "one layer": problem((5, 1), **ONE),
    "one layer, softmax": problem((5, 3)),
    "squared": problem(GENERIC, "sigmoid", **SQUARED),
    "penalty": problem(penalty=0.3),
    "dropout": problem(dropout=True),
    "dropout, relu": problem(hidden="relu", dropout=True),
}  # fmt: skip


def layers(replays: Replays, L: int) -> list[int | None]:
    """Where a mistake is made: everywhere at once, and then in each layer alone."""
    first = {"each": 1, "hidden": 1, "upper": 2}
    last = {"each": L, "hidden": L - 1, "upper": L}
    if replays.layers == "all":
        return [None]
    alone = list(range(first[replays.layers], last[replays.layers] + 1))
    return [None, *alone] if alone else []


def run(kind: type[Replay], problem: Problem, layer: int | None) -> dict[str, np.ndarray] | None:
    """The gradients, or None where the mistake cannot be made there."""
    try:
        return kind(problem, layer).run().gradients()
    except (ValueError, IndexError, KeyError):
        return None


def alike(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all(
        np.shape(a[k]) == np.shape(b[k]) and np.allclose(a[k], b[k], rtol=1e-9, atol=1e-12, equal_nan=True) for k in a
    )


@every_mistake
def test_each_replay_goes_wrong(mistake: Mistake):
    """It differs from the right pass wherever it can be made, and it can be made somewhere."""
    for replays in mistake.replays:
        assert "{" not in replays.tensor.format(l=1, L=2)
        made = 0
        for name, p in PROBLEMS.items():
            right = Replay(p).run().gradients()
            for layer in layers(replays, p.L):
                wrong = run(replays.kind, p, layer)
                if wrong is not None:
                    made += 1
                    assert not alike(wrong, right), (replays, name, layer)
        assert made, replays


def all_runs(p: Problem) -> Iterator[tuple[str, int, int | None, dict[str, np.ndarray]]]:
    for code, mistake in mistakes().items():
        for i, replays in enumerate(mistake.replays):
            for layer in layers(replays, p.L):
                gradients = run(replays.kind, p, layer)
                if gradients is not None:
                    yield code, i, layer, gradients


OTHER_SIZE = {("batch-mean-wrong-size", "constant-factor")}
EQUAL_SIZES = {
    ("batch-mean-missing", "constant-factor"), ("batch-mean-twice", "constant-factor"),
    ("batch-mean-twice", "batch-mean-wrong-size"), ("batch-mean-wrong-size", "bias-gradient-averaged-twice"),
}  # fmt: skip
TWO_SLOPES = {("activation-derivative-of-another", "activation-derivative-wrong-argument")}
TIES = {"leaky, slope 0.1": TWO_SLOPES, "square": OTHER_SIZE, "deep": OTHER_SIZE, "equal": OTHER_SIZE | EQUAL_SIZES}
"""Where two mistakes give the same gradients: ¼ may be 1 over 4 classes, and with m = 4 too, m, n and 4 are one number; 0.1² is the
usual slope 0.01."""


def ties(p: Problem) -> dict[tuple[str, str], list[tuple[int, int | None, int, int | None]]]:
    random = np.random.default_rng(0).standard_normal(100_000)
    found: dict[tuple[str, str], list[tuple[int, int | None, int, int | None]]] = {}
    runs = []
    for code, i, layer, g in all_runs(p):
        flat = np.concatenate([np.ravel(g[k]) for k in g])
        runs.append((float(flat @ random[: flat.size]), code, i, layer, g))
    runs.sort(key=lambda r: r[0] if np.isfinite(r[0]) else np.inf)
    for at, (value, code, i, layer, g) in enumerate(runs):
        for other, code2, i2, layer2, g2 in runs[at + 1 :]:
            if not other - value <= 1e-9 * max(abs(value), 1):
                break
            if code2 != code and alike(g, g2):
                (a, *x), (b, *y) = sorted([(code, i, layer), (code2, i2, layer2)], key=lambda t: t[0])
                found.setdefault((a, b), []).append((*x, *y))
    return found


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_two_mistakes_are_one(name: str):
    assert set(ties(PROBLEMS[name])) == TIES.get(name, set())


def test_two_mistakes_are_made_at_once():
    """One class that inherits from both, in either order."""
    p = problem(m=11)
    right = Replay(p).run().gradients()
    kinds = [mistakes()[code].replays[0].kind for code in ("batch-mean-missing", "sign-flipped", "constant-factor")]
    for order in itertools.permutations(kinds):
        got = type("Both", order, {})(p).run().gradients()
        assert alike(got, {k: -11 * 2 * g for k, g in right.items()})
    bias = mistakes()["bias-gradient-averaged-twice"].replays[0].kind
    transposed = mistakes()["weight-gradient-transposed"].replays[0].kind
    for order in itertools.permutations([bias, transposed, kinds[1]]):
        got = type("Both", order, {})(p, 2).run().gradients()
        expected = {k: -g for k, g in right.items()}
        assert alike(got, {**expected, "dW2": expected["dW2"].T, "db2": expected["db2"] / 11})


# the right pass --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "leaky-relu"])
@pytest.mark.parametrize(("dropout", "l2"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.1), (0.4, 0.1)])
def test_the_right_pass_is_ours(random, activation, dropout, l2):
    network = pasapas.mlp(*GENERIC, activation=activation, dropout=dropout, l2=l2)
    params = network.initialize(dtype="float64")
    params = [{k: v + 0.1 * random.standard_normal(v.shape) for k, v in p.items()} for p in params]
    masked = network.with_masks(params, 11, random)
    X, Y = random.standard_normal((11, 5)), np.eye(3)[random.integers(0, 3, 11)]
    values = pasapas.forward(network.layers, masked, X)
    expected = [g for g in network.gradients(masked, values, Y) if g]
    dense = [p for p in masked if "W" in p]
    name = "leaky-relu 0.01" if activation == "leaky-relu" else activation
    p = Problem(
        X, Y, tuple(d["W"] for d in dense), tuple(d["b"] for d in dense), (name, name, "softmax"),
        scale=1 / 11, penalty=l2, masks=tuple(p["mask"] for p in masked if "mask" in p),
    )  # fmt: skip
    got = Replay(p).run()
    np.testing.assert_allclose(got.A[3], softmax(values[-1]), rtol=1e-12)
    assert got.loss() == pytest.approx(float(network.loss_value(masked, values, Y)), rel=1e-12)
    for l, g in enumerate(expected, 1):
        np.testing.assert_allclose(got.dW[l], g["W"], rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(got.db[l], g["b"], rtol=1e-10, atol=1e-14)


PAIRS = [(loss, output) for loss in LOSSES for output in ("softmax", "sigmoid")]
PAIRS += [("squared error", output) for output in ("tanh", "identity", "relu")]


@pytest.mark.parametrize(("loss", "output"), PAIRS)
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("penalty", [0.0, 0.2])
@pytest.mark.parametrize("hidden", ["tanh", "relu", LEAKY, "sigmoid"])
def test_the_right_pass_is_the_slope_of_its_loss(loss, output, dropout, penalty, hidden):
    p = problem((4, 5, 3, 2), hidden, output, loss, 5, penalty, dropout)
    gradients = Replay(p).run().gradients()
    for l in range(1, p.L + 1):
        for kind, values in (("dW", p.W), ("db", p.b)):

            def f(x, l=l, kind=kind, values=values):
                moved = (*values[: l - 1], x, *values[l:])
                replay = Replay(Problem(**{**vars(p), ("W" if kind == "dW" else "b"): moved}))
                replay.forward()
                return replay.loss()

            expected = central_differences(f, values[l - 1])
            np.testing.assert_allclose(gradients[f"{kind}{l}"], expected, rtol=1e-6, atol=1e-8)


def test_every_activation_has_the_slope_of_its_curve():
    Z = np.array([[-2.1, -0.3, 0.4, 1.7]])
    for name, function in FUNCTIONS.items():
        if name != "softmax":
            slope = (function.forward({}, Z + 1e-6) - function.forward({}, Z - 1e-6)) / 2e-6
            derivative = Replay(problem()).derivative(name, Z, function.forward({}, Z))
            np.testing.assert_allclose(derivative, slope, rtol=1e-8)

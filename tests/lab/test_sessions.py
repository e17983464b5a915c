"""Sessions: none sees another's, none stays for ever, and there is an end to their number."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from running_lab import Lab

from pasapas import Model, PasapasError, mlp
from pasapas.lab.sessions import Full, Sessions
from pasapas.views.bench import MOST_MODELS, Bench
from pasapas.views.packing import packed_bytes, signed, unpacked
from pasapas.views.view import View


class Counting(View):
    """A view that remembers."""

    name = "counting"
    asks = ("count",)
    closed = False

    def count(self) -> dict[str, int]:
        self.n = getattr(self, "n", 0) + 1
        return {"n": self.n}

    def close(self) -> None:
        self.closed = True


def test_each_session_has_views_of_its_own():
    sessions = Sessions()
    one, other = sessions.new(), sessions.new()
    assert one.key != other.key
    assert [one.answer(Counting, "count", {})["n"] for _time in range(3)] == [1, 2, 3]
    assert other.answer(Counting, "count", {}) == {"n": 1}
    assert sessions.get(one.key) is one
    assert sessions.get("no such key") is None


def test_idle_sessions_are_dropped_but_not_those_that_are_connected():
    sessions = Sessions(idle=0.0)
    one = sessions.new()
    view = one.view(Counting)
    one.connected = 1
    sessions.drop_idle()
    assert sessions.get(one.key) is one
    one.connected = 0
    time.sleep(0.001)
    sessions.drop_idle()
    assert sessions.get(one.key) is None
    assert view.closed


def test_there_is_an_end_to_their_number():
    sessions = Sessions(most=2)
    first = sessions.new()
    sessions.new()
    with pytest.raises(Full, match="2 readers"):
        sessions.new()
    sessions.drop(first.key)
    sessions.new()
    with Lab(most=1) as lab:
        assert httpx.post(lab.address + "/api/sessions").status_code == 201
        full = httpx.post(lab.address + "/api/sessions")
        assert full.status_code == 503
        assert "at once" in full.json()["error"]


def test_a_view_has_itself_to_itself():
    view = Counting()
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _i: view.answer("count", {})["n"], range(400)))
    assert sorted(counts) == list(range(1, 401))
    for kind in ("close", "__init__", "texts", "bench"):
        with pytest.raises(PasapasError, match="cannot be asked here"):
            view.answer(kind, {})


def model_bytes(tmp_path, *sizes: int) -> bytes:
    network = mlp(*sizes)
    return Model(network, network.initialize(seed=1)).save(tmp_path / "m.safetensors").read_bytes()


def test_models_are_opened_and_the_oldest_make_room(tmp_path):
    bench = Bench()
    content = model_bytes(tmp_path, 784, 5, 10)
    keys = [bench.open("../../my model.safetensors", content) for _time in range(MOST_MODELS + 2)]
    listed = bench.listed()
    assert [one["key"] for one in listed] == ["shipped", *keys[2:]]
    assert listed[1]["label"] == "my model.safetensors"
    assert bench.newest == keys[-1]
    assert bench.model(keys[-1]).architecture == "784-5-10"
    with pytest.raises(PasapasError, match="no longer here"):
        bench.model(keys[0])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.safetensors", b"", "'a.safetensors' is empty"),
        ("a.safetensors", b"\xff" * 100, "'a.safetensors' is no model"),
        ("evil.pkl", b"cos\nsystem\n(S'echo'\ntR.", "evil.pkl"),
        ("..", b"x" * 9, "'file' is no model"),
    ],
)
def test_what_is_no_model_is_refused_by_its_own_name(name, content, says):
    with pytest.raises(PasapasError, match=says) as refused:
        Bench().open(name, content)
    assert "/tmp" not in str(refused.value)


def test_a_model_of_something_else_is_refused(tmp_path):
    with pytest.raises(PasapasError, match="'small' is a network from 4 inputs to 3 classes"):
        Bench().open("small", model_bytes(tmp_path, 4, 3))


def test_models_by_the_api(ask, tmp_path):
    opened = ask("models/open", {"name": "mine", "content": packed_bytes(model_bytes(tmp_path, 784, 4, 10))}).json()
    assert opened["opened"] == "opened-1"
    assert opened["models"] == ask("models").json()["models"]
    assert ask("models/open", {"name": "x", "content": "no base64!"}).status_code == 422
    broken = ask("models/open", {"name": "x", "content": "AAAA"}, params={"lang": "fr"})
    assert broken.status_code == 400
    assert "modèle" in broken.json()["error"]


def test_an_unknown_session_is_told_so(lab):
    for headers in ({}, {"x-session": "unknown"}, {"x-session": "x" * 100}):
        answer = httpx.get(lab.address + "/api/models", headers=headers)
        assert answer.status_code == (404 if headers.get("x-session") == "unknown" else 422)
        assert answer.json()["error"]


def test_packing():
    array = np.array([[0.0, -2.0], [1.0, 0.5]])
    packed = signed(array)
    values = np.frombuffer(unpacked(packed["values"]), np.int8)
    np.testing.assert_array_equal(values, [0, -127, 64, 32])
    assert packed["largest"] == 2.0
    assert signed(np.zeros((0, 3)))["largest"] == 0.0
    with pytest.raises(PasapasError, match="base64"):
        unpacked("§")

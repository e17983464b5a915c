"""Fifty readers at once, who train and draw: each gets what is theirs, and all of them get it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from running_lab import Lab
from websockets.sync.client import connect

from pasapas.views.bench import mnist
from pasapas.views.train import TrainView

READERS = 50


def settings(reader: int) -> dict:
    return {"hidden": [8], "train_images": 600, "batch_size": 50, "seed": reader}


def losses(runs: dict) -> list[tuple[int, float]]:
    return [(row[0], row[1]) for row in runs["a"]["losses"]["rows"]]


def reader(lab: Lab, number: int) -> tuple[list[tuple[int, float]], list[int], str]:
    """The losses of an epoch, the labels of test images that were drawn meanwhile, and which session it was."""
    with httpx.Client(base_url=lab.address, timeout=60) as client:
        client.headers["X-Session"] = key = client.post("/api/sessions").json()["session"]
        address = f"ws://{lab.host}/api/train/live?session={key}"
        with connect(address, origin=lab.address, open_timeout=60) as socket:
            found: dict[int, float] = {}
            drawn: list[int] = []
            for i, message in enumerate([{"ask": "setup", "a": settings(number), "b": None}, {"ask": "epoch"}]):
                socket.send(json.dumps({"id": i, **message}))
            running = True
            while running:
                message = json.loads(socket.recv(timeout=60))
                if "news" in message:
                    found.update(losses(message["news"]["runs"]))
                    running = message["news"]["running"]
                drawn.append(client.post("/api/draw/read", json={"image": number}).json()["label"])
        client.delete("/api/sessions")
    return sorted(found.items()), drawn, key


def test_none_mixes_with_another_and_none_is_left_out(lab):
    with ThreadPoolExecutor(READERS) as pool:
        done = list(pool.map(lambda number: reader(lab, number), range(READERS)))
    assert len({key for _losses, _drawn, key in done}) == READERS
    for number, (found, drawn, _key) in enumerate(done):
        alone = TrainView()
        alone.answer("setup", {"a": settings(number), "b": None})
        alone.answer("epoch", {})
        while alone.running:
            alone.advance(1.0)
        expected = losses(alone.news()["runs"])
        assert [batch for batch, _loss in found] == list(range(1, 13))
        assert [loss for _batch, loss in found] == pytest.approx([loss for _batch, loss in expected], rel=1e-5)
        assert set(drawn) == {int(mnist()[1].labels[number])}
    assert len({tuple(found) for found, _drawn, _key in done}) == READERS

"""What the view Train asks: over a WebSocket, for it is told what happens without asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.websockets import WebSocketState

from pasapas.errors import PasapasError
from pasapas.i18n import _, language
from pasapas.lab.routes.common import ERRORS, Body, InSession
from pasapas.lab.sessions import Session
from pasapas.lab.trainer import Trainer
from pasapas.layers import ACTIVATIONS
from pasapas.recipes.definition import INITIALIZERS, OPTIMIZERS
from pasapas.views.train import TrainView
from pasapas.views.train_settings import (
    HIGHEST_RATE,
    LOWEST_RATE,
    MOST_IMAGES,
    MOST_IN_BATCH,
    MOST_LAYERS,
    MOST_SEED,
    MOST_UNITS,
)

router = APIRouter(prefix="/api/train", tags=["train"], responses=ERRORS)

LONGEST = 16 << 10
"""Letters that a message may have."""

MOST_BAD = 20
"""So many messages that are not as described end the connection."""

PAUSE = 0.1
"""Seconds from one piece of news to the next."""

GONE, REPLACED, REFUSED = 4404, 4409, 1008
"""Why a connection is closed."""

Real = Annotated[float, Field(allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=LOWEST_RATE, le=HIGHEST_RATE, allow_inf_nan=False)]
Which = Literal["a", "b"]


class Settings(Body):
    """A run's settings: fields of a recipe. `hidden` are the widths of the hidden layers, `deform` deforms the images."""

    hidden: Annotated[list[Annotated[int, Field(ge=1, le=MOST_UNITS)]], Field(max_length=MOST_LAYERS)] = [128]  # noqa: RUF012
    activation: Literal[tuple(ACTIVATIONS)] = "relu"  # type: ignore[valid-type]
    initializer: Literal[INITIALIZERS] = "he"  # type: ignore[valid-type]
    sigma: Annotated[Real, Field(gt=0, le=10)] = 0.1
    optimizer: Literal[OPTIMIZERS] = "sgd"  # type: ignore[valid-type]
    learning_rate: Rate = 0.1
    batch_size: Annotated[int, Field(ge=1, le=MOST_IN_BATCH)] = 128
    train_images: Annotated[int, Field(ge=1, le=MOST_IMAGES)] = MOST_IMAGES
    deform: bool = False
    l2: Annotated[Real, Field(ge=0, le=1)] = 0.0
    dropout: Annotated[Real, Field(ge=0, le=0.9)] = 0.0
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0


class _Ask(Body):
    id: Annotated[int, Field(ge=0, le=2**53)]


class Setup(_Ask):
    """Runs of these settings; B is null where there is to be only A."""

    ask: Literal["setup"]
    a: Settings
    b: Settings | None = None


class Plain(_Ask):
    """What needs nothing more to be said."""

    ask: Literal["start", "pause", "batch", "epoch", "rewind", "figures"]


class OfRun(_Ask):
    """What is asked of one run."""

    ask: Literal["units", "hardest", "save"]
    run: Which


class Faster(_Ask):
    """Another learning rate for a run."""

    ask: Literal["rate"]
    run: Which
    value: Rate


_MESSAGES: TypeAdapter[Setup | Plain | OfRun | Faster] = TypeAdapter(
    Annotated[Setup | Plain | OfRun | Faster, Field(discriminator="ask")]
)


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen.

    Training itself is asked for over a WebSocket, `/api/train/live?session=KEY&lang=en`, one for each session: a second
    one takes the place of the first. Messages are JSON of 16 384 letters at most, with a number `id` of your choice; each
    is answered by an object with the same `id`, or by `{id, error}` with one sentence.

    | `ask` | fields | answer |
    |---|---|---|
    | `setup` | `a`, `b`: settings, `b` null for one run alone | everything, from the beginning: `turn`, `settings`, `runs`, `commands`, `architectures` |
    | `start` | | `running`: goes on until `pause` |
    | `pause` | | `running`: false |
    | `batch` | | `running`: one more batch of each run |
    | `epoch` | | `running`: to the end of the epoch of run A, B does as many batches |
    | `rewind` | | as for `setup`: the same first weights, the same order of images |
    | `rate` | `run`: `a` or `b`; `value` | `learning_rate`, `command`: from the next step on |
    | `units` | `run` | `values`: 28×28 signed bytes for each of `shown` units of the first layer; 127 stands for `largest` |
    | `hardest` | `run` | `images`: those with the highest loss of the first test images |
    | `save` | `run` | `name`, `content`: the network as a file |
    | `figures` | | `name`, `content`: all curves as CSV |

    Settings are `hidden` (list of widths), `activation`, `initializer`, `sigma`, `optimizer`, `learning_rate`,
    `batch_size`, `train_images`, `deform`, `l2`, `dropout`, `seed`; `settings` in this reply has their bounds, and what is
    left out has its `default`.

    Unasked, and ten times a second at most, comes `{"news": {"turn", "running", "runs"}}`. In a run, `losses` and
    `measures` each have `rows` that come in place of those from number `start` on; `losses` are `[batch, loss, accuracy]`,
    means over some batches, and `measures` have loss and accuracy on held-out images, norms of the gradients and of the
    weights of each layer, and the share of units that are off. What is not finite is null.

    The connection is closed with 4404 where there is no such session, with 4409 where another took its place, and with
    1008 after 20 messages that are not as described. Training stops as soon as it is closed.
    """
    return session.view(TrainView).about()


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """A page that trains, for as long as it is open."""
    await socket.accept()
    sessions, trainer = socket.app.state.sessions, socket.app.state.trainer
    key = socket.query_params.get("session", "")
    session: Session | None = sessions.get(key)
    if session is None:
        await socket.close(GONE, _("This session is over: reload the page to begin another."))
        return
    line = Line(socket, session, trainer)
    before, _lines[session] = _lines.get(session), line
    if before is not None:
        with anyio.move_on_after(1):  # it may be one that no longer takes anything
            await before.leave(REPLACED, _("This session was opened in another place."))
    with _connected(session):
        try:
            await line.serve(lambda: sessions.get(key) is session)
        finally:
            with anyio.CancelScope(shield=True):
                if _lines.get(session) is line:
                    del _lines[session]
                    await line.stop()


_lines: dict[Session, Line] = {}  # the connection of each session that has one; used in the event loop alone


@contextmanager
def _connected(session: Session) -> Iterator[None]:
    """Counts a connection, so that the session is not dropped as idle."""
    session.connected += 1
    try:
        yield
    finally:
        session.connected -= 1
        session.heard = time.monotonic()


class Line:
    """One connection: what it asks is answered, and it is told what happens."""

    def __init__(self, socket: WebSocket, session: Session, trainer: Trainer) -> None:
        self.socket, self.view, self.trainer = socket, session.view(TrainView), trainer
        self._language, self._loop = language(), asyncio.get_running_loop()
        self._happened = asyncio.Event()
        self._sending = asyncio.Lock()

    async def serve(self, open: Any) -> None:
        """Until it is closed, or `open()` is false: the session has ended."""
        telling = asyncio.create_task(self._tell())
        bad = 0
        try:
            while bad < MOST_BAD:
                message = await self.socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if not open():
                    await self.leave(GONE, _("This session is over: reload the page to begin another."))
                    return
                bad += not await self._answer(message.get("text"))
            await self.leave(REFUSED, _("Too many messages were not as /docs describes them."))
        except (WebSocketDisconnect, RuntimeError):
            if self.socket.client_state is WebSocketState.CONNECTED is self.socket.application_state:
                raise  # not because the other side has gone
        finally:
            telling.cancel()

    async def leave(self, code: int, reason: str) -> None:
        """Closes the connection."""
        async with self._sending:
            if self.socket.application_state is WebSocketState.CONNECTED:
                await self.socket.close(code, reason)

    async def stop(self) -> None:
        """Nobody looks any more: training stops."""
        self.trainer.stop(self.view)
        await anyio.to_thread.run_sync(partial(self.view.answer, "pause", {}))

    async def _answer(self, text: str | None) -> bool:
        """Answers a message; false where it is not as described."""
        identity = None
        try:
            if text is None or len(text) > LONGEST:
                raise ValueError
            content = from_json(text, allow_inf_nan=False)
            if isinstance(content, dict) and type(content.get("id")) is int:
                identity = content["id"] if 0 <= content["id"] <= 2**53 else None
            message = _MESSAGES.validate_python(content).model_dump()
        except ValueError as error:  # those of pydantic too
            await self._say({"id": identity, "error": _refusal(error)})
            return False
        del message["id"]
        ask = message.pop("ask")
        try:
            reply = await anyio.to_thread.run_sync(partial(self.view.answer, ask, message))
        except PasapasError as error:
            reply = {"error": str(error)}
        if self.view.running:
            self.trainer.run(self.view, self._notify, self._language)
        await self._say({**reply, "id": identity})
        if ask in ("pause", "batch", "epoch", "start"):
            self._happened.set()
        return True

    async def _say(self, content: dict[str, Any]) -> None:
        async with self._sending:
            if self.socket.application_state is WebSocketState.CONNECTED:
                await self.socket.send_json(content)

    def _notify(self) -> None:
        """Called by the trainer, in its thread."""
        self._loop.call_soon_threadsafe(self._happened.set)

    async def _tell(self) -> None:
        """Sends the news, never faster than the other side takes them: what it missed comes with the next."""
        try:
            while True:
                await self._happened.wait()
                self._happened.clear()
                news = await anyio.to_thread.run_sync(self.view.news)
                if news is not None:
                    await self._say({"news": news})
                await asyncio.sleep(PAUSE)
        except (WebSocketDisconnect, RuntimeError):
            return  # the other side has gone, which `serve` notices too


def _refusal(error: ValueError) -> str:
    where = ""
    if isinstance(error, ValidationError):
        where = ", ".join(dict.fromkeys(".".join(map(str, one["loc"][1:])) or "ask" for one in error.errors()[:20]))[
            :300
        ]
    return _("The message is not as the API says, in: {where}. /docs has its description.").format(
        where=where or "JSON"
    )

"""The view Train: what is said over its WebSocket, and its page."""

from __future__ import annotations

import contextlib
import json
import re
import time

import httpx
import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from pasapas.lab.routes.train import LONGEST, MOST_BAD
from pasapas.models import load
from pasapas.views.train import TrainView

SMALL = {"hidden": [16], "train_images": 500, "batch_size": 50}


class Socket:
    """A connection of a session."""

    def __init__(self, lab, session):
        self.session, self.last, self.news = session, 0, []
        address = f"ws://{lab.host}/api/train/live?session={session}&lang=en"
        self._opened = contextlib.ExitStack()
        self.connection = self._opened.enter_context(connect(address, origin=lab.address, open_timeout=20))

    def close(self):
        self._opened.close()

    def receive(self):
        return json.loads(self.connection.recv(timeout=20))

    def send(self, text):
        self.connection.send(text)
        return self.receive()

    def ask(self, kind, **fields):
        self.last += 1
        self.connection.send(json.dumps({"id": self.last, "ask": kind, **fields}))
        while True:
            message = self.receive()
            if message.get("id") == self.last:
                return message
            self.news.append(message["news"])

    def until(self, condition):
        """The first news for which it holds."""
        while True:
            for news in self.news:
                if condition(news):
                    return news
            message = self.receive()
            if "news" in message:
                self.news.append(message["news"])

    def closed_with(self):
        """The code that the connection is closed with, after what still comes."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.connection.recv(timeout=20)
        return self.connection.close_code


@pytest.fixture
def session(lab):
    with httpx.Client(base_url=lab.address) as client:
        yield client.post("/api/sessions").json()["session"]


@pytest.fixture
def socket(lab, session):
    one = Socket(lab, session)
    yield one
    one.close()


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def view_of(lab, session):
    return lab.app.state.sessions.get(session).view(TrainView)


def test_it_trains_and_tells(socket):
    state = socket.ask("setup", a=SMALL, b=None)
    assert state["architectures"] == {"a": "784-16-10"}
    assert state["running"] is False
    assert socket.ask("epoch")["running"] is True
    news = socket.until(lambda news: not news["running"])
    assert news["runs"]["a"]["batches"] == 10
    rows = [row for news in socket.news for row in news["runs"]["a"]["losses"]["rows"]]
    assert [row[0] for row in rows] == list(range(1, 11))
    assert rows[-1][1] < rows[0][1]
    assert socket.ask("rewind")["runs"]["a"]["batches"] == 0


def test_everything_can_be_asked(socket):
    socket.ask("setup", a=SMALL, b={**SMALL, "learning_rate": 1.0})
    assert socket.ask("start")["running"] is True
    assert socket.ask("rate", run="b", value=0.5)["learning_rate"] == 0.5
    socket.until(lambda news: min(run["batches"] for run in news["runs"].values()) > 3)
    assert socket.ask("units", run="b")["shown"] == 16
    assert socket.ask("pause")["running"] is False
    assert len(socket.ask("hardest", run="a")["images"]) == 12
    assert socket.ask("save", run="b")["name"].startswith("run-b-")
    assert socket.ask("figures")["name"] == "training.csv"


def test_a_closed_tab_stops_its_training(lab, socket):
    socket.ask("setup", a=SMALL)
    socket.ask("start")
    view = view_of(lab, socket.session)
    assert view.running
    assert lab.app.state.sessions.get(socket.session).connected == 1
    socket.connection.socket.close()  # as when the machine goes: no farewell
    eventually(lambda: not view.running)
    eventually(lambda: lab.app.state.sessions.get(socket.session).connected == 0)


def test_an_ended_session_ends_its_training_and_its_connection(lab, socket):
    socket.ask("setup", a=SMALL)
    socket.ask("start")
    view = view_of(lab, socket.session)
    httpx.request("DELETE", lab.address + "/api/sessions", headers={"X-Session": socket.session})
    eventually(lambda: not view.running)
    socket.connection.send('{"id": 9, "ask": "start"}')
    assert socket.closed_with() == 4404


def test_a_second_connection_takes_the_place_of_the_first(lab, socket):
    socket.ask("setup", a=SMALL)
    socket.ask("start")
    second = Socket(lab, socket.session)
    assert socket.closed_with() == 4409
    eventually(lambda: lab.app.state.sessions.get(socket.session).connected == 1)
    assert second.ask("setup", a=SMALL)["runs"]["a"]["batches"] > 0, "where it stood"
    second.ask("start")
    second.until(lambda news: news["running"])
    second.close()


def test_sessions_do_not_mix(lab):
    with httpx.Client(base_url=lab.address) as client:
        sockets = [Socket(lab, client.post("/api/sessions").json()["session"]) for _session in range(5)]
    for seed, one in enumerate(sockets):
        one.ask("setup", a={**SMALL, "seed": seed % 2})
        one.ask("epoch")
    ends = [one.until(lambda news: not news["running"]) for one in sockets]
    assert {end["runs"]["a"]["batches"] for end in ends} == {10}
    curves = [[row for news in one.news for row in news["runs"]["a"]["losses"]["rows"]] for one in sockets]
    assert curves[0] == curves[2] == curves[4] != curves[1] == curves[3]
    for one in sockets:
        one.close()


@pytest.mark.parametrize("key", ["", "nobody", "a" * 5000])
def test_an_unknown_session_is_told_so(lab, key):
    one = Socket(lab, key)
    assert one.closed_with() == 4404
    assert one.connection.close_reason.startswith("This session is over")


@pytest.mark.parametrize("text", [
    "", "{", "null", "[]", "7", '"start"', "{}", '{"id": 1}', '{"ask": "start"}', '{"id": "1", "ask": "start"}',
    '{"id": 1, "ask": "explode"}', '{"id": 1, "ask": "start", "now": true}', '{"id": 1, "ask": ["start"]}',
    '{"id": 1, "ask": "rate", "run": "a", "value": NaN}', '{"id": 1, "ask": "rate", "run": "a", "value": 1e999}',
    '{"id": 1, "ask": "rate", "run": "c", "value": 0.1}', '{"id": 1, "ask": "setup"}', '{"id": 1, "ask": "setup", "a": null}',
    '{"id": 1, "ask": "setup", "a": {"hidden": [100000]}}', '{"id": 1, "ask": "setup", "a": {"hidden": "128"}}',
    '{"id": 1, "ask": "setup", "a": {"seed": 1' + "0" * 400 + "}}", '{"id": 1, "ask": "setup", "a": {"path": "/etc/passwd"}}',
    "[" * 5000, '{"id": 1, "ask": "start", "' + "x" * LONGEST + '": 1}', '{"id": -1, "ask": "close"}', '{"id": 1, "ask": "_publish"}',
    b"\x00\xff", b'{"id": 1, "ask": "start"}',
])  # fmt: skip
def test_hostile_messages_get_a_sentence(socket, text):
    reply = socket.send(text)
    assert reply["error"].endswith("/docs has its description.")
    assert "Traceback" not in reply["error"]
    assert socket.ask("pause") == {"id": 1, "running": False}


def test_what_cannot_be_gets_a_sentence(socket):
    assert "no run 'b'" in socket.ask("units", run="b")["error"]
    socket.ask("setup", a=SMALL)
    assert socket.ask("hardest", run="b")["error"]


def test_too_many_bad_messages_end_the_connection(socket):
    for _message in range(MOST_BAD):
        socket.connection.send("no")
    assert socket.closed_with() == 1008


def test_another_page_is_refused(lab, session):
    address = f"ws://{lab.host}/api/train/live?session={session}"
    with pytest.raises(InvalidStatus, match="403"), connect(address, origin="http://evil.example", open_timeout=20):
        pass


def test_the_messages_are_documented(lab):
    described = httpx.get(lab.address + "/openapi.json").json()["paths"]["/api/train"]["get"]["description"]
    for ask in TrainView.asks:
        assert f"`{ask}`" in described


# The page

QUICK = "hidden=16&train_images=2000&batch_size=50"


@pytest.fixture
def page(tab):
    """Opens the view in a state, with its first numbers there."""

    def opened(state=QUICK, **options):
        page = tab(f"train?{state}", **options).page
        page.wait_for_selector(".tiles canvas")
        return page

    return opened


def figure(page, name, run=0):
    """The text of a number, such as the batch."""
    return page.locator(".score").nth(run).locator("div", has=page.get_by_text(name, exact=True)).locator("dd")


def path(page, chart, line=0):
    return page.locator(".charts .chart").nth(chart).locator("path.line").nth(line).get_attribute("d") or ""


def test_starting_lets_the_loss_fall(page):
    one = page()
    expect(one.locator(".state")).to_have_text("New network, not trained yet.")
    before = float(figure(one, "loss").text_content())
    one.click("text=Start")
    expect(one.locator(".state")).to_have_text("Training …")
    expect(figure(one, "loss")).to_have_text(re.compile(r"^0\.[0-6]"))
    assert before > 1.5
    expect(one.locator(".hard canvas")).to_have_count(12)
    one.click("text=Pause")
    expect(one.locator(".state")).to_have_text("Paused.")
    stopped = figure(one, "Images seen").text_content()
    one.click("text=One batch")
    expect(figure(one, "Images seen")).not_to_have_text(stopped)
    assert len(path(one, 0)) > 100


def test_rewinding_gives_the_same_curve(page):
    one = page()
    one.click("text=One epoch")
    expect(figure(one, "Batch")).to_have_text("40 / 40")
    expect(one.locator(".state")).to_have_text("Paused.")
    curve, loss = path(one, 0), figure(one, "loss").text_content()
    one.click("text=Rewind")
    expect(figure(one, "Batch")).to_have_text("0 / 40")
    expect(one.locator(".state")).to_have_text("New network, not trained yet.")
    one.click("text=One epoch")
    expect(figure(one, "Batch")).to_have_text("40 / 40")
    expect(one.locator(".state")).to_have_text("Paused.")
    expect(figure(one, "loss")).to_have_text(loss)
    assert path(one, 0) == curve


def test_two_runs_side_by_side(page):
    one = page()
    one.check("text=Compare with a run B")
    expect(one.locator(".score")).to_have_count(2)
    expect(one).to_have_url(re.compile(r"compare=1&b\.learning_rate=1"))
    one.click("text=One epoch")
    expect(figure(one, "Batch", 1)).to_have_text("40 / 40")
    expect(figure(one, "Batch", 0)).to_have_text("40 / 40")
    assert one.locator(".charts .chart").first.locator("path.line").count() == 4
    one.select_option("[data-name='b.activation']", "tanh")
    expect(one.locator(".panel").nth(1).locator("thead")).to_contain_text("Saturated")
    expect(one.locator(".panel").nth(0).locator("thead")).to_contain_text("Dead units")
    expect(one).to_have_url(re.compile(r"b\.activation=tanh"))
    one.uncheck("text=Compare with a run B")
    expect(one.locator(".score")).to_have_count(1)
    assert "compare" not in one.url


def test_the_address_opens_the_same_again(page):
    one = page()
    one.fill("[data-name='a.hidden']", "24, 12")
    one.press("[data-name='a.hidden']", "Enter")
    expect(one.locator(".architecture")).to_have_text("784-24-12-10")
    one.select_option("[data-name='a.optimizer']", "adam")
    one.fill("[data-name='a.learning_rate']", "0.01")
    one.press("[data-name='a.learning_rate']", "Enter")
    expect(one).to_have_url(
        re.compile(r"hidden=24%2C12&optimizer=adam&learning_rate=0.01&batch_size=50&train_images=2000")
    )
    one.click("text=One epoch")
    expect(one.locator(".state")).to_have_text("Paused.")
    loss = figure(one, "loss").text_content()
    one.reload()
    one.wait_for_selector(".tiles canvas")
    expect(one.locator(".architecture")).to_have_text("784-24-12-10")
    expect(one.locator("[data-name='a.optimizer']")).to_have_value("adam")
    expect(one.locator("[data-name='a.learning_rate']")).to_have_value("0.01")
    one.click("text=One epoch")
    expect(one.locator(".state")).to_have_text("Paused.")
    expect(figure(one, "loss")).to_have_text(loss)


def test_nonsense_in_the_address_is_ignored(page):
    one = page("hidden=many&activation=none&learning_rate=-1&batch_size=1e9&seed=&b.seed=3&train_images=200&x=<b>")
    expect(one.locator(".architecture")).to_have_text("784-128-10")
    expect(one.locator("[data-name='a.train_images']")).to_have_value("200")
    expect(one.locator(".score")).to_have_count(1)


def test_the_learning_rate_changes_while_it_runs(page):
    one = page()
    one.click("text=Start")
    one.focus("[data-name='a.slider']")
    one.keyboard.press("ArrowRight")
    expect(one.locator("[data-name='a.learning_rate']")).to_have_value("0.11")
    expect(one).to_have_url(re.compile("learning_rate=0.11"))
    expect(one.locator(".state")).to_have_text("Training …")
    expect(one.locator("code")).to_contain_text("--learning-rate 0.11")
    expect(one.locator(".rate-changed")).to_contain_text("train with 0.11 from the first batch on")
    one.click("text=Rewind")
    expect(one.locator(".rate-changed")).to_have_text("")


def test_a_wrong_setting_is_refused_with_a_sentence(page):
    one = page()
    one.fill("[data-name='a.hidden']", "8, lots")
    one.press("[data-name='a.hidden']", "Enter")
    expect(one.locator(".trouble").first).to_contain_text("whole numbers")
    one.fill("[data-name='a.hidden']", "8, 8, 8, 8, 8")
    one.press("[data-name='a.hidden']", "Enter")
    expect(one.locator(".trouble").first).to_contain_text("4 at most")
    one.fill("[data-name='a.hidden']", "8")
    one.press("[data-name='a.hidden']", "Enter")
    expect(one.locator(".architecture")).to_have_text("784-8-10")
    expect(one.locator(".trouble").first).to_be_hidden()


def test_limits_are_written_as_the_language_writes_numbers(page):
    one = page("", language="fr")
    one.fill("[data-name='a.dropout']", "5")
    one.press("[data-name='a.dropout']", "Enter")
    expect(one.locator(".trouble").first).to_contain_text("de 0 à 0,9")


def test_a_run_that_diverges_says_so(page):
    one = page(QUICK + "&l2=1&learning_rate=100")
    one.click("text=Start")
    expect(one.locator(".score .trouble")).to_contain_text("try a smaller learning rate")
    expect(one.locator(".state")).to_have_text("Paused.")


def test_by_keyboard_alone(page):
    one = page()
    one.keyboard.press("Space")
    expect(one.locator(".state")).to_have_text("Training …")
    expect(figure(one, "Images seen")).not_to_have_text("0")
    one.keyboard.press("Space")
    expect(one.locator(".state")).to_have_text("Paused.")
    one.focus(".go")
    one.keyboard.press("Tab")
    seen = figure(one, "Images seen").text_content()
    one.keyboard.press("Enter")
    expect(figure(one, "Images seen")).not_to_have_text(seen)
    one.focus("[data-name='a.hidden']")
    one.keyboard.press("Space")
    expect(one.locator(".state")).to_have_text("Paused.")


def test_leaving_the_view_stops_it_and_coming_back_finds_it(lab, page):
    one = page()
    one.click("text=One epoch")
    expect(figure(one, "Batch")).to_have_text("40 / 40")
    one.click("text=Start")
    expect(figure(one, "Epoch")).not_to_have_text("1")
    views = [one._views[TrainView] for one in lab.app.state.sessions._sessions.values() if TrainView in one._views]
    one.click("nav >> text=Evaluate")
    one.wait_for_selector(".evaluate")
    eventually(lambda: not any(view.running for view in views))
    one.locator("option", has_text="run A (784-16-10)").first.wait_for(state="attached")
    one.click("nav >> text=Train")
    one.wait_for_selector(".tiles canvas")
    expect(one.locator(".architecture")).to_have_text("784-16-10")
    expect(figure(one, "Epoch")).not_to_have_text("1")


def test_the_model_and_the_curves_are_saved(page, tmp_path):
    one = page()
    one.click("text=One epoch")
    expect(one.locator(".state")).to_have_text("Paused.")
    with one.expect_download() as waiting:
        one.click("text=Save the model of run A")
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert load(file).architecture == "784-16-10"
    with one.expect_download() as waiting:
        one.click("text=Save the curves")
    assert waiting.value.suggested_filename == "training.csv"


@pytest.mark.parametrize(
    "options", [{"color_scheme": "dark"}, {"viewport": {"width": 375, "height": 740}, "language": "fr"}]
)
def test_it_is_accessible_while_two_learn(tab, options):
    one = tab(f"train?{QUICK}&compare=1&b.activation=sigmoid", **options)
    one.page.click(".buttons button >> nth=2")
    expect(one.page.locator(".hard canvas")).to_have_count(24)
    assert one.serious() == []
    assert one.fits()

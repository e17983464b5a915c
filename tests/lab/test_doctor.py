"""The view Doctor: its API, and its page."""

from __future__ import annotations

import base64
import re
import tempfile

import httpx
import pytest
from playwright.sync_api import expect
from running_lab import Lab

from pasapas.doctor import programs
from pasapas.doctor.sabotage import choose

WRONG = choose(3)


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_the_api_names_the_mistake(ask):
    answer = ask("doctor/check", {"code": WRONG.text})
    assert answer.status_code == 200
    assert answer.json()["reports"][0]["findings"][0]["code"] == WRONG.code
    assert tempfile.gettempdir() not in answer.text


def test_the_api_plants_and_opens(ask):
    assert ask("doctor/planted", {"seed": 3}).json()["code"] == WRONG.text
    assert ask("doctor/planted", {}).json()["code"].startswith("# pasapas sabotage")
    opened = ask("doctor/open", {"name": "a.py", "content": packed(b"x = 1")})
    assert opened.json() == {"code": "x = 1", "notes": []}


@pytest.mark.parametrize(("path", "body", "status"), [
    ("check", {"code": ""}, 422),
    ("check", {"code": "x = 1", "seconds": 600}, 422),
    ("check", {"code": "def f(): pass", "forward": "g"}, 400),
    ("check", {"code": "é" * 1_000_000}, 413),
    ("open", {"name": "a.ipynb", "content": packed(b"{")}, 400),
    ("open", {"name": "../a.py", "content": packed(b"\x00\xff")}, 400),
    ("open", {"name": "a.py", "content": "%%%"}, 422),
    ("planted", {"seed": -1}, 422),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(ask, path, body, status):
    answer = ask(f"doctor/{path}", body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert tempfile.gettempdir() not in answer.text


def test_a_large_program_is_read(ask):
    reply = ask("doctor/check", {"code": "x" * 1_000_000}).json()
    assert reply["reports"][0]["verdict"] == "unrunnable"


@pytest.fixture(scope="module")
def shut():
    """A lab that runs nobody's program."""
    with Lab(runs_code=False) as running:
        yield running


def test_a_lab_for_other_machines_runs_no_program(shut):
    with httpx.Client(base_url=shut.address) as client:
        client.headers["X-Session"] = client.post("/api/sessions").json()["session"]
        assert client.get("/api/doctor").json()["runsCode"] is False
        answer = client.post("/api/doctor/check", json={"code": WRONG.text})
        assert answer.status_code == 400
        assert "--run-code" in answer.json()["error"]


def test_its_page_says_so_at_once(browser, shut):
    page = browser.new_page()
    page.goto(f"{shut.address}/?lang=en#doctor")
    expect(page.locator(".trouble")).to_contain_text("--run-code")
    expect(page.locator("button.main")).to_be_disabled()
    page.close()


def test_a_pasted_program_is_checked_and_its_hints_come_one_by_one(tab):
    one = tab("doctor")
    page = one.page
    page.fill("textarea", WRONG.text)
    page.press("textarea", "Control+Enter")
    expect(page.locator(".mistake")).to_contain_text("averaged twice")
    expect(page.locator(".hint")).to_have_count(1)
    assert one.serious() == []
    page.focus(".next")
    page.keyboard.press("Enter")
    expect(page.locator(".hint")).to_have_count(2)
    expect(page.locator(".hint").nth(1)).to_be_focused()
    page.click(".next")
    expect(page.locator(".hint")).to_have_count(3)
    expect(page.locator(".next")).to_have_count(0)
    assert page.locator("td.differs").count() > 0
    assert "def " not in page.url


def test_a_report_fits_a_phone(tab):
    one = tab("doctor", language="fr", viewport={"width": 375, "height": 740}, color_scheme="dark")
    one.page.fill("textarea", WRONG.text)
    one.page.click("button.main")
    expect(one.page.locator(".sides table")).to_have_count(2)
    assert one.fits()
    assert one.serious() == []


def test_the_line_is_selected_in_the_program(tab):
    page = tab("doctor").page
    page.fill("textarea", WRONG.text)
    page.click("button.main")
    page.click("button.line")
    expect(page.locator("textarea")).to_be_focused()
    chosen = page.evaluate(
        "(() => { const a = document.querySelector('textarea'); return a.value.slice(a.selectionStart, a.selectionEnd).trim() })()"
    )
    assert chosen == page.text_content("button.line code")


def test_a_corrected_program_is_right(tab):
    page = tab("doctor").page
    page.fill("textarea", WRONG.text)
    page.click("button.main")
    expect(page.locator(".verdict.wrong")).to_be_visible()
    page.fill("textarea", programs.program(WRONG.program))
    expect(page.get_by_text("The program has changed since")).to_be_visible()
    page.click("button.main")
    expect(page.locator(".verdict.correct")).to_be_visible()
    expect(page.get_by_text("The program has changed since")).to_be_hidden()


def test_a_program_with_a_mistake_is_given_and_ones_own_comes_back(tab):
    page = tab("doctor").page
    page.fill("textarea", "mine = 1")
    page.click("text=Give me a program")
    expect(page.locator("textarea")).to_have_value(re.compile("^# pasapas sabotage"))
    expect(page.locator(".titled [role=status]")).to_contain_text("still learns")
    page.click("text=Bring my program back")
    expect(page.locator("textarea")).to_have_value("mine = 1")


def test_a_program_stays_while_the_tab_is_open(tab):
    page = tab("doctor").page
    page.fill("textarea", "mine = 1")
    page.click("a.language")
    page.wait_for_selector("html[lang=fr] .doctor-view")
    expect(page.locator("textarea")).to_have_value("mine = 1")


def test_a_file_is_opened_and_checked_at_once(tab):
    page = tab("doctor").page
    page.set_input_files(
        "input[type=file]", {"name": "mine.py", "mimeType": "text/x-python", "buffer": WRONG.text.encode()}
    )
    expect(page.locator(".verdict.wrong")).to_be_visible()
    expect(page.locator(".titled [role=status]")).to_have_text("mine.py")


def test_a_file_is_dropped(tab):
    page = tab("doctor").page
    data = page.evaluate_handle(
        "(() => { const d = new DataTransfer(); d.items.add(new File(['x = 1'], 'a.py')); return d })()"
    )
    page.dispatch_event(".editor", "dragover", {"dataTransfer": data})
    expect(page.locator(".over")).to_be_visible()
    page.dispatch_event(".editor", "drop", {"dataTransfer": data})
    expect(page.locator("textarea")).to_have_value("x = 1")
    expect(page.locator(".over")).to_be_hidden()
    expect(page.locator(".verdict.unrunnable")).to_be_visible()


def test_a_file_that_is_no_program_is_said(tab):
    one = tab("doctor")
    one.page.set_input_files("input[type=file]", {"name": "a.ipynb", "mimeType": "", "buffer": b"{"})
    expect(one.page.locator(".trouble")).to_contain_text("'a.ipynb' is no notebook")
    assert one.troubles.pop().endswith("400 (Bad Request)")  # the browser's own word, on its console


def test_nothing_to_check_is_said(tab):
    page = tab("doctor").page
    page.click("button.main")
    expect(page.locator(".trouble")).to_contain_text("nothing to check yet")


def test_the_field_is_left_by_tab(tab):
    page = tab("doctor").page
    page.focus("textarea")
    page.keyboard.press("Tab")
    expect(page.locator("button.main")).to_be_focused()


def test_what_a_program_says_is_text(tab):
    page = tab("doctor").page
    page.fill(
        "textarea",
        "def backward(X, Y, W1, b1):\n    raise ValueError('<img src=x onerror=alert(1)>')\ndef forward(X, W1, b1):\n    raise ValueError('<b>bold</b>')\n",
    )
    page.click("button.main")
    expect(page.locator(".report")).to_contain_text("<b>bold</b>")
    assert page.locator(".report img, .report b").count() == 0

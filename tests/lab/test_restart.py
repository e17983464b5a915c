"""A lab that is stopped and started again, and sessions that end: the page goes on by itself."""

from __future__ import annotations

import httpx
import pytest
from running_lab import Lab


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def test_a_page_finds_the_lab_again(page):
    with Lab() as lab:
        page.goto(f"{lab.address}/?lang=en#descent")
        page.wait_for_selector(".ball")
        page.click("[data-regime=exact]")
        page.wait_for_url("**rate=0.5**")
    page.click("[data-regime=diverging]")
    page.wait_for_selector(".lab-notice:has-text('does not answer')")
    with Lab(port=lab.port):
        page.wait_for_selector(".lab-notice:has-text('a new one has begun')")
        page.wait_for_selector(".ball")
        assert "rate=" in page.url
        page.click("[data-regime=slow]")
        page.wait_for_selector(".regime:has-text('slow')")


def test_a_session_that_ended_is_begun_anew(page):
    with Lab() as lab:
        keys = []
        page.on("request", lambda request: keys.append(request.headers.get("x-session")))
        page.goto(f"{lab.address}/?lang=en#evaluate?cell=9-4")
        page.wait_for_selector("text=9 read as 4")
        old = next(key for key in reversed(keys) if key)
        assert httpx.delete(lab.address + "/api/sessions", headers={"x-session": old}).status_code == 204
        page.click("[role=grid] button[aria-label^='5 read as 3']")
        page.wait_for_selector(".lab-notice:has-text('a new one has begun')")
        page.wait_for_selector("h2:has-text('read as')")
        assert keys[-1] != old

"""Pages of a lab that runs in a real browser, and what must never be said on their console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from running_lab import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab() as running:
        yield running


class Tab:
    """A tab on the lab. `close` fails the test where anything was complained about, or left the machine."""

    def __init__(self, browser: Any, lab: Lab, place: str, language: str = "en", **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.troubles: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url, lab))
        self.page.goto(f"{lab.address}/?lang={language}#{place}")
        self.page.wait_for_selector(".view:not([aria-busy])")

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    def _asked(self, url: str, lab: Lab) -> None:
        if not url.startswith((lab.address, f"ws://{lab.host}", "data:", "blob:")):
            self.troubles.append(f"asks for {url}")

    def serious(self) -> list[str]:
        """What axe-core finds that is serious or worse."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]

    def fits(self) -> bool:
        """Whether nothing sticks out at the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))

    def close(self) -> None:
        self.context.close()
        assert self.troubles == []


@pytest.fixture
def tab(browser: Any, lab: Lab) -> Iterator[Any]:
    """`tab("draw", language="fr", viewport=…)` opens a view; at the end nothing may have been complained about."""
    tabs: list[Tab] = []

    def opened(place: str, **options: Any) -> Tab:
        tabs.append(Tab(browser, lab, place, **options))
        return tabs[-1]

    yield opened
    for one in tabs:
        one.close()


@pytest.fixture
def ask(lab: Lab) -> Iterator[Any]:
    """`ask("draw/recognise", {...})` asks the API in a session of its own: the response of httpx."""
    import httpx

    with httpx.Client(base_url=lab.address, timeout=60) as client:
        client.headers["X-Session"] = client.post("/api/sessions").json()["session"]

        def asked(path: str, body: Any = None, **options: Any) -> httpx.Response:
            method = "GET" if body is None else "POST"
            return client.request(method, f"/api/{path}", json=body, **options)

        yield asked
        client.delete("/api/sessions")

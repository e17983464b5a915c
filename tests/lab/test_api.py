"""The API against its own description: whatever is sent, what comes back is described there, and it is never a crash."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pasapas.lab.app import create_app

schema = schemathesis.openapi.from_dict(create_app().openapi())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def session(lab):
    return httpx.post(lab.address + "/api/sessions").json()["session"]


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, lab, session):
    if case.path != "/api/sessions" and "X-Session" in case.headers:
        case.headers["X-Session"] = session
    case.call_and_validate(base_url=lab.address, checks=CHECKS)


def test_the_description_is_shown_from_this_machine(tab):
    one = tab("draw")
    one.page.goto(one.page.url.partition("?")[0] + "docs")
    one.page.wait_for_selector(".opblock")
    assert one.page.locator(".opblock").count() > 10


def test_every_operation_says_what_it_does(lab):
    paths = httpx.get(lab.address + "/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"
            assert operation["tags"], f"{method} {path}"

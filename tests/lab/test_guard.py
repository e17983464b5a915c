"""Who may ask, and how much may come."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing

import httpx
import pytest
from running_lab import Lab
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from pasapas.lab.guard import SMALL, cookie_name, hostname, wanted_language


def got(lab: Lab, path: str = "/api/health", **headers: str) -> httpx.Response:
    return httpx.get(lab.address + path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.2", ""])
def test_another_name_for_this_machine_is_refused(lab, host):
    """A page of evil.example whose name was made to mean 127.0.0.1 (DNS rebinding) sends that name."""
    refused = got(lab, host=host)
    assert refused.status_code == 421
    assert "address that it printed" in refused.json()["error"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_the_names_of_this_machine_are_answered(lab, host):
    assert got(lab, host=f"{host}:{lab.host.partition(':')[2]}").status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"]
)
def test_pages_of_other_origins_are_refused(lab, origin):
    refused = got(lab, origin=origin)
    assert (refused.status_code, refused.json()["error"]) == (403, "Only the lab's own page may ask this.")
    assert "access-control-allow-origin" not in refused.headers


def test_a_page_elsewhere_cannot_ask_without_an_origin(lab):
    assert got(lab, sec_fetch_site="cross-site").status_code == 403
    assert got(lab, "/", sec_fetch_site="cross-site").status_code == 200  # a link to the lab may be followed


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_sockets_of_other_origins_are_refused(lab, origin):
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        connect(f"ws://{lab.host}/api/train/live?session=x", origin=origin).recv()


def test_every_answer_forbids_what_it_does_not_need(lab):
    for path in ("/", "/api/health", "/static/lab.js", "/nothing", "/docs"):
        policy = got(lab, path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert got(lab, path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/i18n.py", "/static//etc/passwd", "/static/index.html", "/docs/..%2fx", "/static/"]
)  # fmt: skip
def test_no_path_from_a_request_is_opened(lab, path):
    with closing(http.client.HTTPConnection("127.0.0.1", lab.port)) as connection:  # httpx would tidy the path
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("Host", lab.host)
        connection.endheaders()
        assert connection.getresponse().status == 404


def test_large_bodies_are_refused_before_they_come(lab):
    with socket.create_connection(("127.0.0.1", lab.port)) as one:
        one.sendall(f"POST /api/draw/x HTTP/1.1\r\nHost: {lab.host}\r\nContent-Length: {SMALL + 1}\r\n\r\n".encode())
        assert b" 413 " in one.recv(1000).partition(b"\r\n")[0]


def test_large_bodies_of_no_stated_length_are_cut(lab):
    def endless():
        for _megabyte in range(80):
            yield b"x" * (1 << 20)

    with httpx.Client(timeout=30) as client:
        client.headers["X-Session"] = client.post(lab.address + "/api/sessions").json()["session"]
        try:
            answer = client.post(
                lab.address + "/api/models/open", content=endless(), headers={"content-type": "application/json"}
            )
        except httpx.WriteError:
            return  # the server closed the connection: nothing more comes in
        assert answer.status_code == 413


def test_a_lab_for_others_asks_for_a_token():
    with Lab(hosts=None, token="drei-Zeichen") as lab, httpx.Client(base_url=lab.address) as client:
        refused = client.get("/", headers={"host": "teacher.example", "accept-language": "fr-CH, en"})
        assert refused.status_code == 401
        assert "jeton" in refused.json()["error"]
        assert client.get("/?token=other").status_code == 401
        entered = client.get("/?token=drei-Zeichen&lang=fr")
        assert (entered.status_code, entered.headers["location"]) == (303, "/?lang=fr")
        assert "HttpOnly" in entered.headers["set-cookie"]
        page = client.get("/?lang=fr")
        assert page.status_code == 200
        assert 'lang="fr"' in page.text
        assert client.get("/api/health").status_code == 200
        odd = f"{cookie_name({'host': lab.host})}=\xe9; x".encode("latin-1")
        assert client.get("/api/health", headers={b"cookie": odd}).status_code == 401


@pytest.mark.parametrize("other", ['prefs={"x":1,"y":"b c"}', "flag", "u[0]=1", "name=Zoë", "pasapas-token=old"])
def test_the_cookies_of_other_services_keep_nobody_out(other):
    with Lab(hosts=None, token="drei-Zeichen") as lab, httpx.Client(base_url=lab.address) as client:
        own = f"{cookie_name({'host': lab.host})}=drei-Zeichen"
        for cookies in (f"{other}; {own}", f"{own}; {other}"):
            assert client.get("/api/health", headers={b"cookie": cookies.encode()}).status_code == 200
        assert client.get("/api/health", headers={b"cookie": other.encode()}).status_code == 401


def test_two_labs_of_one_machine_do_not_lock_each_other_out():
    first, second = Lab(hosts=None, token="eins-eins"), Lab(hosts=None, token="zwei-zwei")
    with first, second, httpx.Client(follow_redirects=True) as client:  # as a browser: cookies know no ports
        for lab, token in ((first, "eins-eins"), (second, "zwei-zwei")):
            assert client.get(f"{lab.address}/?token={token}").status_code == 200
        for lab in (first, second):
            assert client.get(f"{lab.address}/api/health").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/nothing", "", 404, "rien à cette adresse"),
        ("DELETE", "/api/health", "", 405, "n’accepte pas DELETE"),
        ("POST", "/api/descent/path", "[" * 100_000, 400, "JSON"),
    ],
)
def test_what_the_server_refuses_by_itself_is_said_in_the_language_asked_for(method, path, body, status, says):
    with Lab() as lab, httpx.Client(base_url=lab.address) as client:
        headers = {"Content-Type": "application/json", "Accept-Language": "fr"}
        answer = client.request(method, path, content=body, headers=headers)
        assert answer.status_code == status
        assert says in answer.json()["error"]


def test_a_lab_for_others_runs_no_programs():
    with (
        Lab(hosts=None, token="t", runs_code=False) as lab,
        httpx.Client(base_url=lab.address, params={"token": "t"}) as client,
    ):
        words = client.get("/", follow_redirects=True).text.partition('id="words">')[2].partition("</script>")[0]
        assert json.loads(words)["runsCode"] is False


def test_hosts_and_languages():
    assert [hostname(h) for h in ("localhost:80", "[::1]:80", "[::1]", "A.b", "")] == [
        "localhost",
        "[::1]",
        "[::1]",
        "a.b",
        "",
    ]
    assert wanted_language({"lang": ["xx", "fr"]}, {}) == "fr"
    assert wanted_language({}, {"accept-language": "de, fr;q=0.5, en;q=0.1"}) == "fr"
    assert wanted_language({}, {"accept-language": "en-GB,fr"}) == "en"

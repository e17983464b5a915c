"""`pasapas lab`, as it is started."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib import util

import httpx
import pytest

from pasapas import PasapasError
from pasapas.cli import main
from pasapas.lab.serve import PORT, listen


@contextmanager
def started(*arguments: str, language: str = "en"):
    """The command, and the address that it prints."""
    environment = {**os.environ, "PASAPAS_LANG": language, "COLUMNS": "200"}
    command = [sys.executable, "-m", "pasapas", "lab", "--no-browser", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        yield process, re.search(r"http://\S+", line)[0], line
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert "Traceback" not in process.stderr.read()


def test_it_says_where_it_is_and_ends_with_ctrl_c():
    with started(language="fr") as (_process, address, line):
        assert "Ctrl-C" in line
        page = httpx.get(address, headers={"Accept-Language": "en"})  # what was asked for by name goes before
        assert page.status_code == 200
        assert '<html lang="fr">' in page.text
        with pytest.raises(httpx.ConnectError):  # to this machine alone
            httpx.get(
                address.replace("localhost", socket.gethostbyname(socket.gethostname())).replace(
                    "127.0.0.1", "127.0.0.9"
                )
            )


def test_a_taken_port_is_a_sentence_and_the_next_is_found():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PasapasError, match=f"port {port} .*--port"):
            listen("127.0.0.1", port)
    with listen("127.0.0.1", None) as first, listen("127.0.0.1", None) as second:
        assert PORT <= first.getsockname()[1] < second.getsockname()[1] < PORT + 20
    with pytest.raises(PasapasError, match=r"'no\.such\.host\.invalid' is no address"):
        listen("no.such.host.invalid", None)


def test_for_other_machines_with_a_token():
    with started("--host", "127.0.0.1") as (process, address, _line):
        assert "trust" in process.stdout.readline()
        assert httpx.get(address.partition("?")[0]).status_code == 401
        assert httpx.get(address).status_code == 303
        with httpx.Client(follow_redirects=True) as client:
            assert '"runsCode": false' in client.get(address).text


def test_without_a_language_asked_for_the_browser_says_which():
    with started(language="") as (_process, address, _line):
        assert "?" not in address
        for language in ("fr", "en"):
            assert f'<html lang="{language}">' in httpx.get(address, headers={"Accept-Language": language}).text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "0"], "--port must be a whole number from 1 to 65535, not 0"),
        (["--port", "70000"], "--port must be"),
        (["--run-code"], "--run-code goes with --host"),
    ],
)
def test_what_cannot_be_is_a_sentence(capsys, arguments, says):
    assert main(["lab", "--no-browser", *arguments]) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_without_its_packages_it_says_how_to_install_them(capsys, monkeypatch):
    monkeypatch.setattr("pasapas.cli.lab.find_spec", lambda name: None if name == "uvicorn" else util.find_spec(name))
    assert main(["lab", "--no-browser"]) == 2
    assert "pip install 'pasapas[lab]'" in " ".join(capsys.readouterr().err.split())

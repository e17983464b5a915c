"""`pasapas lab`."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from pasapas.cli.options import NO_VALUE, Lang
from pasapas.cli.terminal import console, say
from pasapas.errors import PasapasError
from pasapas.i18n import _


def command() -> Callable[..., Any]:
    """The command."""

    def lab(
        port: Annotated[
            int | None,
            typer.Option(
                "--port",
                metavar="N",
                help=_("Where to listen, 1 to 65535; otherwise {port}, or the next that is free.").format(port=8765),
                show_default=False,
            ),
        ] = None,
        browser: Annotated[
            bool,
            typer.Option("--browser/--no-browser", metavar=NO_VALUE, help=_("Open the page, or only say where it is.")),
        ] = True,
        host: Annotated[
            str | None,
            typer.Option(
                "--host",
                metavar=_("ADDRESS"),
                help=_(
                    "Answer to other machines too, at this address of yours (0.0.0.0: at all). A token is asked for."
                ),
                show_default=False,
            ),
        ] = None,
        run_code: Annotated[
            bool,
            typer.Option(
                "--run-code",
                metavar=NO_VALUE,
                help=_("With --host: let whoever has the token run programs here, by the doctor."),
            ),
        ] = False,
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        if port is not None and not 1 <= port <= 65535:
            raise PasapasError(_("--port must be a whole number from 1 to 65535, not {port}.").format(port=port))
        if run_code and host is None:
            raise PasapasError(_("--run-code goes with --host: on this machine alone, programs can be checked anyway."))
        if not all(map(find_spec, ("fastapi", "uvicorn", "websockets", "fastapi_swagger"))):
            raise PasapasError(_("The lab is not installed: run pip install 'pasapas[lab]'."))
        from pasapas.lab.serve import serve

        serve(host, port, browser, run_code or None, tell)

    return lab


def tell(address: str, token: str) -> None:
    """Where the page is, and who can reach it."""
    terminal = console()
    say(terminal, _("The lab is at [bold cyan]{address}[/]  (Ctrl-C ends it)"), address=address)
    if token:
        say(
            terminal,
            _(
                "[yellow]Other machines can reach it. Whoever has this address can use your processor; what they send travels unencrypted. Give the address only to those you trust.[/]"
            ),
        )

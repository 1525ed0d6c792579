"""The command that serves the web pages until Ctrl-C."""

import os
from typing import Annotated

import typer

from connector_host.contract.errors import ConfigurationError

from .collecting import collect_as_at_work
from .output import say, write
from .state import state_of

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("serve")(serve)


def serve(
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8765,
    address: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback need a password.")
    ] = "127.0.0.1",
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Name that browsers reach it by, beside loopback; may be given several times."
        ),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of a proxy in front, whose X-Forwarded-For is believed; may be given several times.",
        ),
    ] = None,
    secure: Annotated[bool, typer.Option("--secure", help="Behind HTTPS: cookies are sent over HTTPS only.")] = False,
    set_password: Annotated[
        str | None,
        typer.Option("--set-password", metavar="USER", help="Ask for a user's password, keep its hash, and stop."),
    ] = None,
) -> None:
    """Serve the web pages: set up instances, try operations, watch runs.

    A sign-in token is printed, unless a user was set with --set-password or with CONNECTOR_HOST_WEB_USER and
    CONNECTOR_HOST_WEB_PASSWORD.
    """
    try:
        from connector_host.web.access import PasswordAccess, TokenAccess, access_from  # noqa: PLC0415 -- an extra
        from connector_host.web.serving import listen, run  # noqa: PLC0415 -- as above
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The web pages need {error.name}, which is not installed.",
            next_step="Install it with: pip install 'connector-host[web]'",
        ) from None
    from connector_host.web import WebOptions, create_app  # noqa: PLC0415 -- as above

    state = state_of(context)
    home = state.home().create()
    users_file = home.path / "web-user"
    if set_password is not None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        PasswordAccess.with_password(set_password, password).save(users_file)
        say(f"{set_password} can sign in with it from the next start on.", colour=typer.colors.GREEN)
        return
    access = access_from(os.environ, users_file)
    listener = listen(address, port)
    with listener:
        names = (*listener.host_names, *(host_name or ()))
        if not listener.loopback and isinstance(access, TokenAccess):
            raise ConfigurationError(
                f"{address} can be reached by others, so a user with a password is needed.",
                next_step="Set one first: connector-host serve --set-password USER",
            )
        app = create_app(WebOptions(home=home, access=access, folders=state.folders, host_names=names, secure=secure))
        write(f"Open    {listener.url}")
        if isinstance(access, TokenAccess):
            write(f"Token   {access.token}")
        say("Ctrl-C stops it.")
        collect_as_at_work()
        run(app, listener, proxy or ())
    say("\nStopped.")

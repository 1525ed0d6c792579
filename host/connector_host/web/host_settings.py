"""The page about the host itself: where it keeps things, encryption keys, and tokens for programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import make_url
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.contract.errors import ConnectorHostError, InputInvalid, NameTaken
from connector_host.instances import ApiToken, FileKeys, KeyringKeys, TokenStore, key_source
from connector_host.runs.retention import RETENTION_SCHEMA, RetentionStore

from .host import WebHost, host_of
from .pages import Filled, action, go, page, render, session_of

__all__ = ["routes"]


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/settings", show),
        action("/settings/keys", rotate),
        action("/settings/retention", keep_for),
        action("/settings/tokens", add_token),
        page("/settings/tokens/{id}/revoke", ask_to_revoke),
        action("/settings/tokens/{id}/revoke", revoke_token),
    ]


def show(request: Request) -> Response:
    """Show what can be set."""
    return _page(request)


def _page(
    request: Request,
    *,
    status: int = 200,
    secret: str = "",
    name: str = "",
    error: str = "",
    kept: Mapping[str, Any] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    """Show the page; `kept` is what was typed about retention, and `wrong` what is wrong with each of it."""
    host = host_of(request)
    return render(
        request,
        "settings.html",
        status=status,
        facts=_facts(host),
        writable=_keys_writable(host),
        retention={**asdict(_retention(host).get()), **(kept or {})},
        wrong=wrong or {},
        tokens=TokenStore(host.store.database).list(),
        secret=secret,
        name=name,
        error=error,
    )


def _facts(host: WebHost) -> list[tuple[str, str]]:
    database = str(host.home.database)
    kind = make_url(host.home.database_url).get_backend_name()
    return [
        ("Home", str(host.home.path)),
        ("Database", database if kind == "sqlite" else f"{kind}, by URL"),
        ("Encryption keys", _words_of_keys(host)),
        ("Sign-in", "A user with a password" if host.options.access.asks_for_user else "A token, new at every start"),
        ("Log", str(host.home.path / "connector-host.log")),
    ]


def _words_of_keys(host: WebHost) -> str:
    source = key_source(host.home)
    if isinstance(source, FileKeys):
        return f"In {host.home.key_file}, which only its owner can read"
    return "In the system's keyring" if isinstance(source, KeyringKeys) else "From the environment"


def _keys_writable(host: WebHost) -> bool:
    try:
        return bool(key_source(host.home).writable)
    except ConnectorHostError:
        return False


def _retention(host: WebHost) -> RetentionStore:
    return RetentionStore(host.store.database, host.home)


async def rotate(request: Request, filled: Filled) -> Response:
    """Write every secret anew under a new key."""
    del filled
    rotation = await run_in_threadpool(host_of(request).store.rotate_keys)
    session = session_of(request)
    session.note(f"A new key is in use; {rotation.rewritten:,} secrets were written anew with it.")
    if rotation.unreadable:
        session.note(f"No key at hand opens: {', '.join(rotation.unreadable)}.", "warning")
    return go("/settings")


async def keep_for(request: Request, filled: Filled) -> Response:
    """Set for how long logs and samples of runs are kept."""
    host, session = host_of(request), session_of(request)
    given = {key: (filled.get(key) or ("",))[-1].strip() for key in RETENTION_SCHEMA["properties"]}
    changes = {key: int(text) if text.isascii() and text.isdigit() else text for key, text in given.items() if text}
    try:
        await run_in_threadpool(_retention(host).set, changes)
    except InputInvalid as error:
        wrong = {each.where.rpartition(".")[2]: f"{each.sentence} {each.fix}".strip() for each in error.problems}
        return await run_in_threadpool(lambda: _page(request, status=422, kept=given, wrong=wrong))
    session.note("Saved.")
    return go("/settings#retention")


async def add_token(request: Request, filled: Filled) -> Response:
    """Make a token for a program; its secret is on this one answer and nowhere else."""
    name = (filled.get("name") or ("",))[-1]
    try:
        token, secret = await run_in_threadpool(TokenStore(host_of(request).store.database).add, name)
    except (NameTaken, InputInvalid) as error:
        words = " ".join(f"{each.sentence} {each.fix}" for each in error.problems) or error.message
        return await run_in_threadpool(lambda: _page(request, status=422, name=name, error=words))
    return await run_in_threadpool(lambda: _page(request, secret=secret, name=token.name))


def ask_to_revoke(request: Request) -> Response:
    """Ask once before a token is revoked."""
    token = _token_of(request)
    return go("/settings#tokens") if token is None else render(request, "token_revoke.html", token=token)


async def revoke_token(request: Request, filled: Filled) -> Response:
    """End a token at once."""
    del filled
    token = await run_in_threadpool(_token_of, request)
    if token is not None:
        await run_in_threadpool(TokenStore(host_of(request).store.database).revoke, token.name)
        session_of(request).note(f'The token "{token.name}" is revoked.')
    return go("/settings#tokens")


def _token_of(request: Request) -> ApiToken | None:
    """Return the token of the address; None when it is revoked already."""
    known = TokenStore(host_of(request).store.database).list()
    return next((each for each in known if each.id == request.path_params["id"]), None)

"""The page about the host itself: where it keeps things, encryption keys, and tokens for programs."""

from dataclasses import asdict, dataclass, field, replace

from sqlalchemy import make_url
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.contract.errors import ConnectorHostError, InputInvalid, NameTaken
from connector_host.instances import ApiToken, FileKeys, KeyringKeys, TokenStore, key_source
from connector_host.runs.retention import RETENTION_SCHEMA, RetentionStore

from .host import WebHost, host_of
from .pages import Filled, action, go, page, render, session_of, tell
from .refused import problems_at, refuse, refused_of
from .shelves import keep, take

__all__ = ["NewToken", "routes"]

_RETENTION, _TOKENS = "/settings/retention", "/settings/tokens"


@dataclass(frozen=True)
class NewToken:
    """A token that was just made, with the secret that is shown once."""

    name: str
    secret: str = field(repr=False)


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/settings", show),
        action("/settings/keys", rotate),
        action(_RETENTION, keep_for),
        action(_TOKENS, add_token),
        page("/settings/tokens/{id}/revoke", ask_to_revoke),
        action("/settings/tokens/{id}/revoke", revoke_token),
    ]


def show(request: Request) -> Response:
    """Show what can be set; a token that was just made, once."""
    host, refused = host_of(request), refused_of(request, _RETENTION, _TOKENS)
    return render(
        request,
        "settings.html",
        facts=_facts(host),
        writable=_keys_writable(host),
        retention=refused.of(_RETENTION),
        kept_for=asdict(_retention(host).get()),
        tokens=TokenStore(host.store.database).list(),
        token=refused.of(_TOKENS),
        made=_made(request),
    )


def _made(request: Request) -> NewToken | None:
    """Return the token that the address names; whoever looks again is told that it was shown."""
    name = request.query_params.get("made", "")
    made = take(request, NewToken, name) if name else None
    if name and made is None:
        tell(request, "A new token is shown once. If it was not copied, revoke it and make another.")
    return made


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
    if isinstance(source, FileKeys) and not host.home.key_file.exists():
        return f"{host.home.key_file} is not there: the first secret makes it, or it comes back from a backup"
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
    session.note(f"A new key is in use; {_secrets(rotation.rewritten)} written anew with it.")
    if rotation.unreadable:
        session.note(f"No key at hand opens: {', '.join(rotation.unreadable)}.", "warning")
    return go("/settings")


def _secrets(number: int) -> str:
    return "1 secret was" if number == 1 else f"{number:,} secrets were"


async def keep_for(request: Request, filled: Filled) -> Response:
    """Set for how long logs and samples of runs are kept."""
    host, session = host_of(request), session_of(request)
    given = {key: (filled.get(key) or ("",))[-1].strip() for key in RETENTION_SCHEMA["properties"]}
    changes = {key: int(text) if text.isascii() and text.isdigit() else text for key, text in given.items() if text}
    try:
        await run_in_threadpool(_retention(host).set, changes)
    except InputInvalid as error:
        problems = [replace(each, where=each.where.rpartition(".")[2]) for each in error.problems]
        return refuse(request, "/settings", given, problems=problems)
    session.note("Saved.")
    return go("/settings#retention")


async def add_token(request: Request, filled: Filled) -> Response:
    """Make a token for a program; its secret is on the next page and nowhere else."""
    name = (filled.get("name") or ("",))[-1]
    try:
        token, secret = await run_in_threadpool(TokenStore(host_of(request).store.database).add, name)
    except (NameTaken, InputInvalid) as error:
        return refuse(request, "/settings", {"name": name}, problems=problems_at("name", error))
    return go(f"/settings?made={keep(request, NewToken(token.name, secret))}#tokens")


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

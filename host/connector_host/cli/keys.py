"""Commands about the encryption keys and the tokens of the API."""

from typing import Annotated

import typer

from .connectors import JsonOption
from .output import say, write, write_json, write_table
from .state import state_of

__all__ = ["add_to"]

TokenName = Annotated[str, typer.Argument(metavar="NAME", help="Name of a token.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module, as two groups."""
    keys = typer.Typer(no_args_is_help=True, help="List and rotate the keys that encrypt the credentials.")
    keys.command("list")(list_keys)
    keys.command("rotate")(rotate)
    app.add_typer(keys, name="keys")
    tokens = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens of the API for programs.")
    tokens.command("add")(add_token)
    tokens.command("list")(list_tokens)
    tokens.command("revoke")(revoke_token)
    app.add_typer(tokens, name="token")


def list_keys(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the ids of the keys; the first one writes."""
    from connector_host.instances import key_source  # noqa: PLC0415 -- heavy

    ring = key_source(state_of(context).home()).load()
    ids = [key.id for key in ring] if ring is not None else []
    if as_json:
        write_json([{"id": each, "writes": number == 0} for number, each in enumerate(ids)])
        return
    write_table(("key", "use"), [(each, "reads" if number else "writes") for number, each in enumerate(ids)])
    if not ids:
        say("There is no key yet; the first instance makes one.")


def rotate(
    context: typer.Context,
    drop: Annotated[bool, typer.Option("--drop", help="Forget the old keys that nothing needs any more.")] = False,
) -> None:
    """Write every stored secret anew under a new key. It can be interrupted: the next time it goes on."""
    with state_of(context).store() as store:
        done = store.rotate_keys()
        dropped = store.drop_unused_keys() if drop else ()
    secrets = "1 secret is" if done.rewritten == 1 else f"{done.rewritten} secrets are"
    say(f"{secrets} written under the key {done.key_id} now.", colour=typer.colors.GREEN)
    for place in done.unreadable:
        say(f"{place}: no key at hand opens it; it stays as it was.", colour=typer.colors.YELLOW)
    if dropped:
        say(f"Forgotten: {', '.join(dropped)}.")


def add_token(context: typer.Context, name: TokenName) -> None:
    """Make a token for programs. It is shown once: send it as Authorization: Bearer TOKEN."""
    from connector_host.instances import TokenStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        token, secret = TokenStore(store.database).add(name)
    write(secret)
    say(f'This is the token "{token.name}". It is not shown again.')


def list_tokens(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the tokens, and when each was used last."""
    from connector_host.instances import TokenStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        found = TokenStore(store.database).list()
    rows = [
        (each.name, each.created_at.isoformat(), each.last_used_at.isoformat() if each.last_used_at else "")
        for each in found
    ]
    if as_json:
        write_json([{"name": name, "created_at": made, "last_used_at": used or None} for name, made, used in rows])
        return
    write_table(("name", "made", "last used"), rows)


def revoke_token(context: typer.Context, name: TokenName) -> None:
    """End a token at once."""
    from connector_host.instances import TokenStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        token = TokenStore(store.database).revoke(name)
    say(f'The token "{token.name}" has ended.')

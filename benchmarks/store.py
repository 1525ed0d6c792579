"""Ten thousand instances against a hundred: the page of a list, a search, and the command that lists them."""

import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select

from connector_host.instances import Home, InstanceState, InstanceStore, tables

from .measure import best_of, ratio_line
from .options import Options

__all__ = ["main"]

_FEW, _MANY = 100, 10_000
_PAGE = 25
_CALLS = 50


def main(options: Options) -> None:
    """Print the ratios."""
    print(f"{_MANY:,} instances in the store, as a ratio to {_FEW}:")
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_home(Path(folder) / str(count), count) for count in (_FEW, _MANY))
        for what, look in _LOOKS.items():
            small, large = _best(few, look, options.rounds), _best(many, look, options.rounds)
            print(ratio_line(what, large / small))
        command = ("-c", "from connector_host.cli import main; main()")
        small_cost, large_cost = best_of(
            options.rounds,
            *((*command, "--home", str(home.path), "instance", "list", "--json") for home in (few, many)),
        )
        print(ratio_line("connector-host instance list (every instance, CPU)", large_cost.cpu / small_cost.cpu))


_LOOKS: dict[str, Callable[[InstanceStore], object]] = {
    "first page of the list, with its total": lambda store: (store.list(limit=_PAGE), store.count()),
    "page in the middle": lambda store: store.list(offset=store.count() // 2, limit=_PAGE),
    "page of a search, with its total": lambda store: (store.list("shop 42", limit=_PAGE), store.count("shop 42")),
    "one instance by its name": lambda store: store.get("SHOP 42"),
}


def _home(path: Path, count: int) -> Home:
    """Make a home with that many instances."""
    home = Home(path).create()
    with InstanceStore.open(home) as store:
        store.add(
            "Shop 0",
            connector="plain",
            connector_version=1,
            authentication="Token",
            settings={"time_zone": "UTC"},
            credentials={"token": "a-token"},
            state=InstanceState.OK,
        )
        with store.database.write() as connection:
            row = dict(connection.execute(select(tables.instances)).one()._mapping)  # noqa: SLF001 -- its documented name
            rows = [
                {
                    **row,
                    "id": str(uuid.uuid4()),
                    "name": f"Shop {number}",
                    "name_key": f"shop {number}",
                    "search_text": f"shop {number}\n\nplain",
                }
                for number in range(1, count)
            ]
            connection.execute(insert(tables.instances), rows)
    return home


def _best(home: Home, look: Callable[[InstanceStore], object], rounds: int) -> float:
    """Return the seconds of the quickest of some looks."""
    times = []
    with InstanceStore.open(home) as store:
        for _ in range(rounds * _CALLS):
            started = time.perf_counter()
            look(store)
            times.append(time.perf_counter() - started)
    return min(times)

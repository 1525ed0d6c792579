"""Where a command's words go: results to stdout, everything else to stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

__all__ = ["on_terminal", "say", "write", "write_facts", "write_json", "write_table"]


def on_terminal() -> bool:
    """Tell whether a person reads stdout, rather than a program or a file."""
    return sys.stdout.isatty()


def say(text: str = "", *, colour: str | None = None, bold: bool = False) -> None:
    """Tell the person something that is no result; styles show on a terminal only."""
    typer.echo(typer.style(text, fg=colour, bold=bold or None) if colour or bold else text, err=True)


def write(text: str = "") -> None:
    """Write a line of the result."""
    typer.echo(text)


def write_json(value: Any) -> None:
    """Write a result for programs."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def write_facts(facts: Mapping[str, str | None]) -> None:
    """Write names and values, a pair on each line; those without a value are left out."""
    shown = {name: value for name, value in facts.items() if value}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        first, *more = value.splitlines()
        typer.echo(f"{typer.style(name.ljust(width), bold=True)}  {first}")
        for line in more:
            typer.echo(f"{' ' * width}  {line}")


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, wrap: str | None = None) -> None:
    """Write a table: fitted to a terminal, or with whole cells, two blanks apart, for a program or a file.

    `wrap` is the column that gives way when the terminal is narrow; by default the last.
    """
    listed = [tuple(row) for row in rows]
    if on_terminal():
        _write_fitted(columns, listed, wrap or columns[-1])
        return
    widths = [max(len(line[at]) for line in (columns, *listed)) for at in range(len(columns))]
    for line in (tuple(column.upper() for column in columns), *listed):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _write_fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], wrap: str) -> None:
    from rich import box  # noqa: PLC0415 -- only where a terminal shows it
    from rich.console import Console  # noqa: PLC0415 -- as above
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column != wrap)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)

"""What a pull would take, for people: requests, the vendor's limits, and time."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from connector_host.contract.durations import duration

from .output import say, write, write_table

if TYPE_CHECKING:
    from connector_host.engine.report import Estimate, OperationEstimate

__all__ = ["facts_of_plan", "write_plan"]


def write_plan(estimates: "Sequence[Estimate]") -> None:
    """Write a row for each operation of each stream, and the sum."""
    write_table(("stream", "mode", "records", "operation", "requests", "limit", "time"), _rows(estimates))
    requests, seconds = sum(each.requests for each in estimates), sum(each.seconds for each in estimates)
    if all(each.exact or each.likely for each in estimates):
        about = "" if all(each.exact for each in estimates) else "About "
        write(f"\n{about}{requests:,} {'request' if requests == 1 else 'requests'}, {duration(seconds)}.")
    else:
        long = f", and at least {duration(seconds)}" if seconds >= 1 else ""
        write(f"\nAt least {requests:,} {'request' if requests == 1 else 'requests'}{long}.")
    for each in estimates:
        if not (each.exact or each.likely or each.by_code):
            limit = f"; its limits let through up to {each.per_minute:,} records a minute" if each.per_minute else ""
            say(f"{each.stream}: the vendor does not tell how many there are{limit}.")
    if coded := [each.stream for each in estimates if each.by_code]:
        say(f"How often the connector's own code calls is not known beforehand, and not counted: {', '.join(coded)}.")
    say(f"{sum(each.asked for each in estimates):,} requests were made to find out; nothing was pulled.")


def facts_of_plan(estimates: "Sequence[Estimate]") -> dict[str, Any]:
    """Return the same as plain data; `requests` is None where it is not known beforehand."""
    return {
        "streams": [
            {
                "stream": each.stream,
                "mode": each.mode,
                "records": each.records,
                "requests": each.requests,
                "exact": each.exact,
                "likely": each.exact or each.likely,
                "seconds": round(each.seconds, 3),
                "records_per_minute": each.per_minute,
                "operations": [_facts(row, row.requests) for row in each.operations]
                + [_facts(row, None) for row in each.by_code],
            }
            for each in estimates
        ],
        "asked": sum(each.asked for each in estimates),
    }


def _facts(row: "OperationEstimate", requests: int | None) -> dict[str, Any]:
    limit = None if row.calls is None else {"calls": row.calls, "seconds": row.per_seconds}
    return {"operation": row.operation, "requests": requests, "rate_limit": limit}


def _rows(estimates: "Sequence[Estimate]") -> Iterator[tuple[str, ...]]:
    for each in estimates:
        records = "not told" if each.records is None else f"{each.records:,}"
        head = (each.stream, each.mode, records)
        for row in each.operations:
            number = _number(each, row.requests)
            yield (*head, row.operation, number, _limit(row), duration(max(row.seconds, 0)))
            head = ("", "", "")
        for row in each.by_code:
            yield (*head, row.operation, "not known", _limit(row), "not known")
            head = ("", "", "")
        if each.operations:
            seconds = duration(each.seconds) if each.exact or each.likely else "not known"
            yield ("", "", "", "together", _number(each, each.requests), "", seconds)


def _number(each: "Estimate", number: int) -> str:
    if each.likely:
        return f"about {number:,}"
    return f"{number:,}" if each.exact else f"{number:,} or more"


def _limit(row: "OperationEstimate") -> str:
    return "none" if row.calls is None else f"{row.calls} in {row.per_seconds} s"

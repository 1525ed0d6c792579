"""A vendor whose things change: lists by page, offset or token, limited by time, and details by id."""

import datetime
import json
import math

import httpx

UTC = datetime.UTC
START = datetime.datetime.fromtimestamp(1_800_000_000 - 40 * 86_400, UTC)


class ThingsVendor:
    """`things` are by id; each has `at`, the second after START in which it last changed.

    `before` is called with each request, and may change things, raise, or answer in their place.
    """

    def __init__(self, things=(), *, page_size=2):
        self.things = {thing["id"]: thing for thing in things}
        self.page_size = page_size
        self.sent = []
        self.before = None
        self.count_more = 0

    async def __call__(self, request):
        if request.url.path == "/sign-in":
            return httpx.Response(
                200, json={"token": "MARKER-token-of-things", "server": "https://eu.shop.example", "account": "Tess"}
            )
        given = json.loads(request.content) if request.content else {}
        self.sent.append((request.url.path.strip("/"), given))
        if self.before is not None and (answer := self.before(request.url.path.strip("/"), given)) is not None:
            return answer
        return httpx.Response(200, json=getattr(self, request.url.path.strip("/"))(given))

    def list(self, given):
        rows = [dict(thing) for _, thing in sorted(self.things.items()) if _within(thing, given)]
        if "token" in given or "page" not in given:
            begin = int(given.get("token") or 0)
        else:
            begin = (given["page"] - 1) * self.page_size
        pages = math.ceil(len(rows) / self.page_size)
        more = begin + self.page_size < len(rows)
        return {
            "data": rows[begin : begin + self.page_size],
            "n": pages,
            "total": len(rows),
            "next": str(begin + self.page_size) if more else "",
            "likely": len(rows) + self.count_more,
        }

    def details(self, given):
        return [{**self.things[key], "full": True} for key in given["ids"] if key in self.things]

    def free(self, given):
        del given
        return {"n": len(self.things) + self.count_more}

    def places(self, given):
        del given
        return [{"key": place} for place in sorted({thing["place"] for thing in self.things.values()})]


def _within(thing, given):
    at = START + datetime.timedelta(seconds=thing.get("at", 0))
    earliest, latest = given.get("from"), given.get("to")
    return (
        (earliest is None or at >= _moment(earliest))
        and (latest is None or at <= _moment(latest))
        and given.get("place") in (None, thing.get("place"))
    )


def _moment(text):
    return datetime.datetime.fromisoformat(text)


def things(*numbers):
    """Return things, each with its id as the second in which it last changed."""
    return [{"id": number, "at": number} for number in numbers]


def stream(paging="total", *, time=False, details=False, **more):
    pagings = {
        "total": {"kind": "page_number", "page": "page", "page_size": 2, "until": "total_pages", "total_pages": "n"},
        "short": {"kind": "page_number", "page": "page", "page_size": 2, "until": "short_page"},
        "end": {"kind": "page_number", "page": "page", "page_size": 2, "until": "end_answer"},
        "token": {"kind": "cursor_token", "token": "token", "next": "next"},
        "none": {"kind": "none"},
    }
    chosen = dict(pagings[paging])
    if more.pop("counted", False):
        chosen["total_records"] = "total"
    one = {"operation": "shop.List", "paging": chosen, "records": "data", **more.pop("list", {})}
    if time:
        one["time"] = {
            "since": "from",
            "until": "to",
            "field": "at",
            "required": True,
            "default_days": 60,
            "overlap": 600,
        }
    if details:
        one["id"] = "id"
        more["details"] = {"operation": "shop.Details", "ids": "ids", "batch": 3}
    return {
        "name": "things",
        "title": "Things",
        "description": "Things of the shop.",
        "entity_type": "Products",
        "lists": [one],
        "primary_key": ["id"],
        "record_schema": "things.json",
        **more,
    }

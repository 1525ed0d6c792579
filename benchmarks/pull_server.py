"""A stand-in for the vendor that is no bottleneck: a thread per connection, records as bytes, no quota.

Run beside what is measured: `python -m benchmarks.pull_server --records N` prints its address and serves until its
standard input ends. It answers what the three streams need: sign-in, GetStockItemsFull, GetInventoryItemsCount,
SearchProcessedOrders and GetOrdersById, in JSON and as forms, and tells at /cpu what it has used. It shares no code
with the connector or its sandbox.
"""

import argparse
import contextlib
import datetime
import json
import re
import socket
import socketserver
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from .pull_records import Template, templates

__all__ = ["DAYS", "Shop", "serve"]

DAYS: Final = 28
"""The processed orders are spread evenly over so many days before the server's start."""
_MOST_STOCK, _MOST_ORDERS = 200, 500
_END = json.dumps({"Code": None, "Message": "No items found with given filter."}).encode()
_ID = re.compile(rb"00000000-0000-4000-8000-(\d{12})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_REASONS = {200: b"OK", 400: b"Bad Request", 404: b"Not Found"}
Answer = tuple[int, bytes]


class Shop:
    """So many records of each stream, made when they are asked for."""

    def __init__(self, records: int) -> None:
        self._records = records
        self._templates = {
            name: templates(name) for name in ("stock_items", "processed_orders", "processed_order_details")
        }
        self._until = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self._since = self._until - datetime.timedelta(days=DAYS)
        self._step = DAYS * 86400 / max(records, 1)
        self.routes: dict[str, Callable[[dict[str, Any], bytes], Answer]] = {
            "/api/Stock/GetStockItemsFull": self._stock_items,
            "/api/Inventory/GetInventoryItemsCount": self._count,
            "/api/ProcessedOrders/SearchProcessedOrders": self._processed_orders,
            "/api/Orders/GetOrdersById": self._orders_by_id,
        }

    def _count(self, given: dict[str, Any], body: bytes) -> Answer:
        del given, body
        return 200, b"%d" % self._records

    def _stock_items(self, given: dict[str, Any], body: bytes) -> Answer:
        del body
        size = min(int(given.get("entriesPerPage", _MOST_STOCK)), _MOST_STOCK)
        first = (max(int(given.get("pageNumber", 1)), 1) - 1) * size
        rows = range(first, min(first + size, self._records))
        return (200, self._list("stock_items", rows)) if rows else (400, _END)

    def _processed_orders(self, given: dict[str, Any], body: bytes) -> Answer:
        del body
        asked = given["request"]
        asked = json.loads(asked) if isinstance(asked, str) else asked
        size = min(int(asked.get("ResultsPerPage", _MOST_ORDERS)), _MOST_ORDERS)
        page = max(int(asked.get("PageNumber", 1)), 1)
        found = range(self._place(asked["FromDate"], upwards=False), self._place(asked["ToDate"], upwards=True))
        head = {
            "PageNumber": page,
            "EntriesPerPage": size,
            "TotalEntries": len(found),
            "TotalPages": -(-len(found) // size),
        }
        data = self._list("processed_orders", found[(page - 1) * size : page * size])
        return 200, b'{"ProcessedOrders":%s,"Data":%s}}' % (json.dumps(head)[:-1].encode(), data)

    def _orders_by_id(self, given: dict[str, Any], body: bytes) -> Answer:
        del given
        return 200, self._list("processed_order_details", map(int, _ID.findall(body)))

    def _list(self, stream: str, rows: "range | Iterator[int]") -> bytes:
        variants = self._templates[stream]
        return b"[%s]" % b",".join([self._record(variants[row % len(variants)], row) for row in rows])

    def _record(self, template: Template, row: int) -> bytes:
        values = {"id": b'"00000000-0000-4000-8000-%012d"' % row, "number": b"%d" % (row + 1)}
        if "date" in template.gaps:
            moment = self._since + datetime.timedelta(seconds=int((row + 0.5) * self._step))
            values["date"] = b'"%s"' % moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
        return template.filled(values)

    def _place(self, text: str, *, upwards: bool) -> int:
        """Return how many orders were processed before a moment, or with `upwards` up to it."""
        moment = datetime.datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        seconds = int((moment - self._since).total_seconds()) + upwards
        # An order's second is int((row + 0.5) * step), so it is before `seconds` when (row + 0.5) * step is.
        return min(max(0, -int(-(seconds / self._step - 0.5) // 1)), self._records)


class _Connection(socketserver.BaseRequestHandler):
    """HTTP/1.1 with connections that stay open."""

    server: "_Server"

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a pull with a limit hangs up when it has enough
            self._answer_all()

    def _answer_all(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        while True:
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                if not self._receive(buffer):
                    return
            head = bytes(buffer[:end])
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            while len(buffer) < whole:
                if not self._receive(buffer):
                    return
            body = bytes(buffer[end + 4 : whole])
            del buffer[:whole]
            status, answer = self.server.answer(head.split(b" ", 2)[1].decode(), body)
            reason = _REASONS[status]
            self.request.sendall(
                b"HTTP/1.1 %d %s\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
                % (status, reason, len(answer))
            )
            self.request.sendall(answer)

    def _receive(self, buffer: bytearray) -> bool:
        found = self.request.recv(65536)
        buffer += found
        return bool(found)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, shop: Shop) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self._shop = shop

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, target: str, body: bytes) -> Answer:
        path, _, query = target.partition("?")
        if path.endswith("/Auth/AuthorizeByApplication"):
            session = {"Token": "b" * 32, "Server": self.address, "TTL": 3600, "Locality": "EU", "Email": "a@b.c"}
            return 200, json.dumps(session).encode()
        if path == "/cpu":
            return 200, b"%f" % time.process_time()
        route = self._shop.routes.get(path)
        if route is None:
            return 404, b'{"Message":"Not found"}'
        given: dict[str, Any] = dict(urllib.parse.parse_qsl(query))
        if body[:1] == b"{":
            given |= json.loads(body)
        elif body:
            given |= urllib.parse.parse_qsl(body.decode())
        return route(given, body)


def serve(records: int, said: BinaryIO, until: BinaryIO) -> None:
    """Serve until a stream ends; the address is the first line on the other one."""
    with _Server(Shop(records)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said.write(f"{server.address}\n".encode())
        said.flush()
        until.read()
        server.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=20_000)
    serve(parser.parse_args().records, sys.stdout.buffer, sys.stdin.buffer)

"""Answers that break off, cannot be read or never come."""

import httpx

JSON = {"content-type": "application/json"}


def html(status=200, text="<html><head><title>Bad gateway</title></head><body>nginx</body></html>"):
    return httpx.Response(status, text=text, headers={"content-type": "text/html"})


class BreaksOff(httpx.AsyncByteStream):
    async def __aiter__(self):
        yield b'{"n": '
        raise httpx.ReadError("connection reset")


def breaks_off(_request):
    return httpx.Response(200, stream=BreaksOff(), headers={"content-length": "1000"})


def cut_json(_request):
    return httpx.Response(200, content=b'{"n": [1, 2', headers=JSON)


def short_body(_request):
    return httpx.Response(200, content=b'{"n": 1}', headers={**JSON, "content-length": "500"})


def bad_gzip(_request):
    async def parts():
        yield b"this is not gzip"

    return httpx.Response(200, content=parts(), headers={"content-encoding": "gzip"})


def raises(kind):
    return kind("cannot", request=httpx.Request("GET", "https://eu.shop.example/"))

"""Tests that give a secret away, each in another way, and one that does not. Run by test_leaks.py, not collected."""

import asyncio
import gzip
import logging
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from typer import Typer, echo
from typer.testing import CliRunner

from connector_host.contract.errors import InputInvalid
from connector_host.contract.secrets import Credentials
from connector_host.contract.sessions import Session

SECRET = "5a4db0c5-0001-4000-8000-00000000beef"
TOKEN = "a token of a session"


@pytest.fixture(autouse=True)
def _credentials():
    Credentials({"token": SECRET}, {"token"})
    Session({"token": TOKEN}, frozenset({"token"}), 0.0)


def get(body, headers=None):
    app = Starlette(routes=[Route("/shown", lambda _: PlainTextResponse(body, headers=headers))])
    app.state.host = None

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host") as client:
            await client.get("/shown")

    asyncio.run(ask())


def test_log():
    logging.getLogger("connector_host.any").debug("signed in with %s", SECRET.upper())


def test_log_of_a_traceback():
    try:
        int(TOKEN)
    except ValueError:
        logging.getLogger("connector_host.any").debug("it failed", exc_info=True)


def test_page():
    get(f"<p>{TOKEN}</p>")


def test_header():
    get("", {"Location": f"/?key={TOKEN.replace(' ', '+')}"})


def test_file(tmp_path):
    (tmp_path / "store.db").write_bytes(b"\0" + SECRET.encode("utf-16-le"))


def test_packed_file(tmp_path):
    (tmp_path / "log.gz").write_bytes(gzip.compress(b64encode(b"shop:" + SECRET.encode())))


def test_temporary_file():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scratch").write_text(SECRET.replace("-", ""))


def test_planted_secret(tmp_path):
    (tmp_path / "values.json").write_text("MARKER-of-another-host")


def test_command_line():
    subprocess.run([sys.executable, "-c", "", SECRET], check=True)


def test_environment():
    subprocess.run([sys.executable, "-c", ""], env={"KEY": SECRET}, check=True)


def test_process():
    subprocess.run([sys.executable, "-c", f"print({SECRET.encode()!r}.hex())"], capture_output=True, check=True)


def test_process_that_is_read_by_lines():
    command = [sys.executable, "-c", f"print({SECRET.encode().hex()!r})"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        list(process.stdout)


def test_command():
    app = Typer()
    app.command()(lambda: echo(SECRET, err=True))
    CliRunner().invoke(app, [])


def test_standard_output():
    print(SECRET)  # noqa: T201 -- this is the leak


def test_taken_output(capsys):
    print(SECRET)  # noqa: T201 -- this is the leak
    capsys.readouterr()


def test_error():
    InputInvalid("not valid", detail=SECRET)


def test_error_behind_an_error():
    def fail():
        try:
            {}[SECRET]
        except KeyError as error:
            raise RuntimeError from error

    with pytest.raises(RuntimeError):
        fail()


def test_short_credential():
    Credentials({"token": "short"}, {"token"})


def test_nothing(tmp_path, capsys):
    logging.getLogger("connector_host.any").debug("signed in")
    get("<p>Signed in</p>")
    (tmp_path / "store.db").write_bytes(SECRET[:-4].encode())
    print("signed in")  # noqa: T201 -- what is looked at
    assert "in" in capsys.readouterr().out
    subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True)
    with pytest.raises(InputInvalid):
        raise InputInvalid("not valid")

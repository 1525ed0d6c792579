import re
import socket
import subprocess
import sys

import httpx
import pytest

from connector_host.contract.errors import ConfigurationError
from connector_host.web.serving import listen

COMMAND = [sys.executable, "-m", "connector_host"]


@pytest.fixture
def serve(tmp_path):
    """Start the command; stopped after the test."""
    started = []

    def start(*arguments, **environ):
        command = [*COMMAND, "--home", str(tmp_path / "home"), "serve", *arguments]
        given = {"PATH": "/usr/bin", "HOME": str(tmp_path), **environ}
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=given))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


def test_the_page_and_its_token_are_printed_and_let_a_person_in(serve):
    process = serve("--port", "0")
    url = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
    token = process.stdout.readline().split()[1]
    with httpx.Client(base_url=url, follow_redirects=True) as http:
        form = http.get("/")
        hidden = re.search(r'name="_csrf" value="([^"]+)"', form.text)[1]
        page = http.post("/sign-in", data={"_csrf": hidden, "secret": token})
        assert page.url.path == "/connectors"
    process.terminate()
    out, told = process.communicate(timeout=20)
    assert process.returncode in (0, -15)
    assert token not in out + told
    assert "Traceback" not in told


def test_no_token_is_printed_where_there_is_a_user(serve):
    names = {"CONNECTOR_HOST_WEB_USER": "ada", "CONNECTOR_HOST_WEB_PASSWORD": "a long enough one"}
    process = serve("--port", "0", **names)
    url = process.stdout.readline().split()[1]
    assert 'id="user"' in httpx.get(f"{url}sign-in").text
    process.terminate()
    out, _ = process.communicate(timeout=20)
    assert "Token" not in out


@pytest.mark.parametrize(("arguments", "address"), [((), "127.0.0.1"), (("--proxy", "127.0.0.1"), "203.0.113.7")])
def test_only_a_named_proxy_is_believed_about_who_fails_to_sign_in(serve, arguments, address):
    process = serve("--port", "0", *arguments)
    url = process.stdout.readline().split()[1]
    with httpx.Client(base_url=url, headers={"X-Forwarded-For": "203.0.113.7"}) as http:
        hidden = re.search(r'name="_csrf" value="([^"]+)"', http.get("/sign-in").text)[1]
        assert http.post("/sign-in", data={"_csrf": hidden, "secret": "WRONG"}).status_code == 303
    process.terminate()
    _, told = process.communicate(timeout=20)
    assert f"WARNING connector_host.web: A sign-in from {address} was refused: wrong token." in told
    assert "WRONG" not in told


def test_others_are_served_only_with_a_password(serve):
    process = serve("--port", "0", "--address", "0.0.0.0")  # noqa: S104 -- what is refused here
    _, told = process.communicate(timeout=20)
    assert "a user with a password is needed" in told
    assert process.returncode != 0


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} of 127.0.0.1 cannot be used"):
            listen("127.0.0.1", port)

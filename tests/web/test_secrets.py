"""Secrets that are given to pages, API and commands of a running host, and looked for in all that comes out of it."""

import base64
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from connector_host.instances import Home
from connector_host.web import TokenAccess, WebOptions, create_app
from linnworks_connector.sandbox.sessions import Sessions

PROCESSES = Path("/proc")
WAYS = ("page", "api", "command")
ENDED = {"success", "failure", "stopped", "partial_success", "interrupted"}


def marker(way, number):
    """A secret in the form of the vendor's, and another one for each way and number."""
    return f"5a4db0c5-{number:04d}-4000-8000-{hashlib.sha256(way.encode()).hexdigest()[:12]}"


def spellings(secret):
    """The ways in which a secret could stand in a file or an answer."""
    raw = secret.encode()
    yield from (raw, secret.upper().encode(), secret.replace("-", "").encode(), secret.encode("utf-16-le"))
    yield raw.hex().encode()
    for shift in range(3):
        yield base64.b64encode(b"x" * shift + raw)[4:-4]


def digests(secret):
    """What would let somebody who has a guess find out whether it is right."""
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, secret.encode())
        yield from (digest.digest(), digest.hexdigest().encode())


class Evidence:
    """What came out, by where it came out, and what must not be in it.

    `tokens` are the host's own: 128 random bits and more, of which it may keep a digest, as nobody can guess them.
    """

    def __init__(self):
        self.seen, self.secrets, self.tokens = {}, set(), set()

    def add(self, where, content):
        content = content if isinstance(content, bytes) else content.encode()
        self.seen[where] = self.seen.get(where, b"") + b"\n" + content

    def add_files(self, folder):
        """Every file of a folder as it is now; one that goes away meanwhile is none."""
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                self.add(f"file {path.relative_to(folder)}", path.read_bytes())

    def add_processes(self):
        """What the process list tells of each process of the host: its command line, and to its owner its variables."""
        for folder in PROCESSES.glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                command = (folder / "cmdline").read_bytes()
                if b"connector_host\0--home" in command:
                    variables = (folder / "environ").read_bytes()
                    self.add(f"process {command.decode().split(chr(0))[6]}", command + variables)

    def leaks(self):
        forms = {each: [*spellings(each), *digests(each)] for each in self.secrets}
        forms |= {each: list(spellings(each)) for each in self.tokens}
        return [
            f"{secret} in {where}"
            for secret, ways in forms.items()
            for where, content in self.seen.items()
            if any(way in content for way in ways)
        ]


class Host:
    """The served host in a process of its own, and commands beside it in the same home."""

    def __init__(self, folder, evidence):
        self.home, self.evidence = folder / "home", evidence
        self._variables = {key: value for key, value in os.environ.items() if not key.startswith("CONNECTOR_HOST_")}
        self._variables["PYTHONUNBUFFERED"] = "1"
        self._log = (folder / "stderr").open("w+b")
        self._process = subprocess.Popen(
            self._words("serve", "--port", "0"), stdout=subprocess.PIPE, stderr=self._log, env=self._variables
        )
        first = [self._process.stdout.readline().decode() for _ in range(2)]
        self.url, self.token = (line.split()[1] for line in first)
        evidence.tokens.add(self.token)

    def _words(self, *arguments):
        program = [sys.executable, "-m", "connector_host", "--home", str(self.home), "--log-level=debug"]
        return [*program, *map(str, arguments)]

    def run(self, *arguments, given=None, code=0):
        """Run a command; all that it writes is evidence. Return its standard output."""
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        done = subprocess.run(
            self._words(*arguments), input=text, env=self._variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, (arguments, done.stderr[-2000:])
        self.evidence.add(f"command {' '.join(map(str, arguments[:2]))}", done.stdout + done.stderr)
        return done.stdout

    def close(self):
        """End it; what it has logged, and written after its sign-in token, is evidence."""
        if self._log.closed:
            return
        self._process.terminate()
        self.evidence.add("standard output of serve", self._process.communicate(timeout=30)[0])
        self._log.seek(0)
        self.evidence.add("log of serve", self._log.read())
        self._log.close()


@pytest.fixture
def evidence(monkeypatch, browser):
    """Evidence; when a session is opened, its token is a secret, too, and the processes are looked at."""
    browser.need(PROCESSES, "The process list")
    evidence, opened = Evidence(), Sessions.open

    def note(self):
        session = opened(self)
        evidence.secrets.add(session.token)
        evidence.add_processes()
        return session

    monkeypatch.setattr(Sessions, "open", note)
    return evidence


@pytest.fixture
def host(tmp_path, evidence):
    running = Host(tmp_path, evidence)
    yield running
    running.close()


@pytest.fixture
def vendors(start_vendor, evidence):
    """A sandbox for each way of giving credentials, with secrets of its own."""
    made = {way: start_vendor(token=marker(way, 1), application_secret=marker(way, 2)) for way in WAYS}
    evidence.secrets |= {marker(way, number) for way in WAYS for number in (1, 2, 3)}
    return made


@pytest.fixture
def page(chromium, host, evidence):
    """A signed-in page; every answer that it gets is evidence."""
    context = chromium.new_context()
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    tab.on("response", lambda answer: evidence.add("heads", f"{answer.url} {answer.request.method} {answer.headers}"))
    tab.goto(f"{host.url}sign-in")
    tab.fill("#secret", host.token)
    tab.click("main button")
    tab.wait_for_url("**/connectors")
    yield tab
    context.close()


def form_of(vendor, name, **credentials):
    return {"name": name, "settings": vendor.settings, "credentials": {**vendor.credentials, **credentials}}


def use_pages(page, host, vendor, evidence):
    """Add an instance on the pages, wrongly first, and use it; return the addresses that no link leads to."""

    def press(name, until):
        page.get_by_role("button", name=name).first.click()
        page.wait_for_url(until)

    page.goto(f"{host.url}connectors/linnworks/add")
    page.get_by_label("Name").fill("Of pages")
    press("Next", "**/details")
    page.locator("summary", has_text="Advanced").click()
    page.get_by_label("API address").fill(vendor.address)
    press("Next", "**/credentials")
    for wrong in ({"token": f"{marker('page', 3)}!"}, {"application_secret": marker("page", 3)}, {}):
        for key, value in {**vendor.credentials, **wrong}.items():
            if page.locator(f"[name='credentials.{key}']").get_attribute("readonly") is None:
                page.locator(f"[name='credentials.{key}']").fill(value)
        page.get_by_role("button", name="Test and save").click()
        page.wait_for_selector(".summary" if wrong else "text=Open the instance")
        evidence.add("wizard", page.content())
    page.get_by_role("link", name="Open the instance").click()
    page.wait_for_url("**/instances/*")
    address = page.url
    press("Test it now", "**/instances/*")
    evidence.add("page of a test", page.content())
    page.goto(f"{address}/edit/credentials")
    page.locator("[name='credentials.application_secret']").fill(marker("page", 3))
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_selector(".summary")
    evidence.add("page of an edit", page.content())
    page.goto(f"{address}/streams/open_orders")
    press("Begin", "**/runs/*")
    page.wait_for_selector("#run-status >> text=success")
    page.goto(f"{address}/streams/open_orders")
    page.get_by_label("How often").fill("600")
    press("Begin", "**#schedules")
    schedule = page.get_by_role("link", name="Remove this schedule").evaluate("link => link.href")
    document = page.request.get(f"{address}/export").json()
    document["credentials"]["application_secret"] = marker("page", 3)
    page.goto(f"{host.url}instances/import")
    page.get_by_label("Or its text").fill(json.dumps(document)[:-1])
    press("Look at it", "**/instances/import?refused=*")
    evidence.add("page of a refused import", page.content())
    page.get_by_label("Or its text").fill(json.dumps({**document, "name": "Of a document"}))
    press("Look at it", "**/instances/import/*")
    evidence.add("page of an import", page.content())
    imported = page.url
    page.goto(f"{address}/operations/inventory.GetStockLocations")
    press("Call it", "**/calls/*")
    form = {"_csrf": page.locator("[name=_csrf]").first.input_value()}
    problem = page.request.post(f"{host.url}runs/nothing/stop", form=form).url
    return page.url, imported, f"{address}/streams/open_orders/reset", schedule, problem


def use_commands(host, vendor, folder):
    """Add an instance with commands, wrongly first, and use it in every way that writes something."""
    adding, name = ("instance", "add", "linnworks", "--values", "-"), "Of commands"
    wrong = form_of(vendor, name, application_secret=marker("command", 3))
    host.run(*adding, given=wrong, code=3)
    host.run(*adding, given=json.dumps(wrong)[:-2], code=2)
    host.run(*adding, given=form_of(vendor, name, token=[marker("command", 3)]), code=2)
    host.run(*adding, given=form_of(vendor, name))
    host.run("instance", "edit", name, "--values", "-", given={"credentials": wrong["credentials"]}, code=3)
    host.run("call", name, "inventory.GetStockLocations", "--raw")
    host.run("pull", name, "open_orders", "--to", folder / "pulled", "--progress", "json")
    host.run("runs", "start", name, "open_orders")
    host.run("instance", "show", name, "--json")
    document = folder / "document.json"
    document.write_text(host.run("instance", "export", name), "utf-8")
    secrets = folder / "secrets.json"
    secrets.write_text(json.dumps({key: vendor.credentials[key] for key in ("token", "application_secret")}), "utf-8")
    host.run("instance", "import", document, "--name", "Imported", "--secrets", secrets)
    host.run("environment", "add", "staging", f"{name}=Imported")
    host.run("schedule", "add", name, "open_orders", "--every", "600")


def use_api(client, vendor):
    """Add an instance as a program does, wrongly first."""
    wrong = form_of(vendor, "Of programs", application_secret=marker("api", 3))
    broken = {**wrong, "credentials": {"token": [marker("api", 3)], marker("api", 3): marker("api", 3)}}
    for status, body in ((502, wrong), (422, broken), (201, form_of(vendor, "Of programs"))):
        answer = client.post("instances", json={"connector": "linnworks", **body})
        assert answer.status_code == status or status != 201, answer.text
        assert answer.is_success == (status == 201)
    for content in (json.dumps(wrong)[:-1], json.dumps({**wrong, "filler": "x" * 2**21})):
        assert client.post("instances", content=content).is_client_error
    run = client.post("runs", json={"instance": "Of programs", "what": "open_orders"}).raise_for_status().json()
    client.get(f"runs/{run['id']}/stream").raise_for_status()


def crawl(page, host, evidence, patterns, begin):
    """Open a page of each pattern, by links and from where `begin` says; return the patterns that were met."""
    waiting, met = [host.url, f"{host.url}health", *begin], set()
    while waiting:
        address = waiting.pop(0).partition("#")[0]
        path = "/" + address.removeprefix(host.url).partition("?")[0]
        pattern = next((key for key, expression in patterns.items() if expression.match(path)), None)
        if pattern is None or pattern in met or not address.startswith(host.url):
            continue
        met.add(pattern)
        answer = page.request.get(address)
        assert answer.ok or pattern == "/problems/{name}", (address, answer.status)
        evidence.add(f"page {pattern}", f"{answer.url} {answer.headers} {answer.text()}")
        if "text/html" in answer.headers["content-type"]:
            page.goto(address)
            evidence.add(f"page {pattern}", page.content())
            waiting += page.evaluate("[...document.querySelectorAll('[href], [src]')].map(e => e.href || e.src)")
            parts = (
                "[...document.querySelectorAll('[hx-get]')].map(e => new URL(e.getAttribute('hx-get'), e.baseURI).href)"
            )
            waiting += page.evaluate(parts)
            waiting += [f"{address}/live"] if pattern == "/runs/{run}" else []
            waiting += [page.url.rpartition("/")[0]] if "/add/" in page.url else []
    return met


def read_api(client):
    """Ask every address of the API that its document has for reading; return those that were answered."""
    document = client.get("openapi.json").json()
    run = next(each for each in client.get("runs").json()["items"] if each["state"] in ENDED)
    values = {
        "connector": "linnworks",
        "operation": "inventory.GetStockLocations",
        "instance": "Of programs",
        "environment": "staging",
        "run": run["id"],
        "file": "open_orders.jsonl",
        "schedule": client.get("schedules").json()["items"][0]["id"],
    }
    asked = [path for path, item in document["paths"].items() if "get" in item]
    for path in asked:
        client.get(path.removeprefix("/api/v1").lstrip("/").format(**values)).raise_for_status()
    return asked


def test_no_secret_comes_out_of_a_host_in_use(page, host, vendors, evidence, tmp_path):
    begin = use_pages(page, host, vendors["page"], evidence)
    use_commands(host, vendors["command"], tmp_path)
    token = re.search(r"cht_\S+", host.run("token", "add", "programs"))[0]
    evidence.seen["command token add"] = evidence.seen["command token add"].replace(token.encode(), b"")
    evidence.tokens.add(token)

    def note(answer):
        answer.read()
        evidence.add(f"API {answer.request.method} {answer.request.url.path}", f"{answer.headers} {answer.text}")

    client = httpx.Client(
        base_url=f"{host.url}api/v1/",
        headers={"Authorization": f"Bearer {token}"},
        event_hooks={"response": [note]},
        timeout=30,
        trust_env=False,
    )
    with client:
        use_api(client, vendors["api"])
        assert len(read_api(client)) > 12
    other = create_app(WebOptions(home=Home(tmp_path / "other"), access=TokenAccess("x" * 24), folders=[]))
    patterns = {
        route.path: route.path_regex
        for route in other.routes
        if "GET" in (getattr(route, "methods", None) or ()) and not route.path.startswith("/api")
    }
    other.state.host.close()
    met = crawl(page, host, evidence, patterns, begin)
    assert patterns.keys() - met <= {"/sign-in"}, patterns.keys() - met

    evidence.add_files(host.home)
    for vendor in vendors.values():
        vendor.close()
    host.run("instance", "test", "Of commands", code=4)
    host.run("keys", "rotate")
    evidence.add_processes()
    host.close()
    evidence.add_files(host.home)

    # That it looks where something would be: what is no secret of the same form is found there.
    public = vendors["page"].credentials["application_id"].encode()
    for where in (
        "wizard",
        "page /instances/{id}",
        "page /instances/{id}/export",
        "API GET /api/v1/instances/Of programs/export",
        "command instance export",
    ):
        assert public in evidence.seen[where], where
    assert {"process serve", "process instance", "file instances.db", "file instances.db-wal"} <= evidence.seen.keys()
    assert b"auth_handler of linnworks" in evidence.seen["log of serve"]
    assert evidence.leaks() == []

import html.parser
import importlib.util
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from connector_host.connectors import load_connector
from connector_host.testing.clock import FakeClock
from connector_host.web import TokenAccess, WebOptions, create_app

_SPEC = importlib.util.spec_from_file_location("browser_of_host", Path(__file__).with_name("browser.py"))
_browser = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_browser)

TOKEN = "ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2"
_VOID = {"area", "base", "br", "hr", "img", "input", "link", "meta", "source"}


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children = tag, attributes, parent, []

    def __getitem__(self, name):
        return self.attributes.get(name)

    def all(self, tag=None, **wanted):
        for child in self.children:
            if isinstance(child, Element):
                names = {key.rstrip("_").replace("_", "-"): value for key, value in wanted.items()}
                if tag in (None, child.tag) and all(child[key] == value for key, value in names.items()):
                    yield child
                yield from child.all(tag, **wanted)

    def one(self, tag=None, **wanted):
        found = list(self.all(tag, **wanted))
        assert len(found) == 1, f"{len(found)} elements {tag} {wanted}"
        return found[0]

    @property
    def text(self):
        words = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(words).split())

    def fields(self):
        """What a browser would send of this form, without its buttons."""
        found = []
        for each in self.all():
            name = each["name"]
            if not name or "disabled" in each.attributes:
                continue
            if each.tag == "input":
                ticked = each["type"] not in ("checkbox", "radio") or "checked" in each.attributes
                found += [(name, each["value"] or "")] if ticked else []
            elif each.tag == "textarea":
                raw = "".join(child for child in each.children if isinstance(child, str))
                found.append((name, raw.removeprefix("\n")))
            elif each.tag == "select":
                options = list(each.all("option"))
                chosen = [option for option in options if "selected" in option.attributes] or options[:1]
                found += [(name, option.attributes.get("value", option.text)) for option in chosen]
        return found


class _Tree(html.parser.HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.root = self.at = Element("", {}, None)
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag == "wbr":
            return
        element = Element(tag, dict(attributes), self.at)
        self.at.children.append(element)
        if tag not in _VOID:
            self.at = element

    def handle_endtag(self, tag):
        assert self.at.tag == tag, f"</{tag}> closes <{self.at.tag}>"
        self.at = self.at.parent

    def handle_data(self, data):
        before = self.at.children[-1:]
        if before and isinstance(before[0], str):
            self.at.children[-1] += data
        else:
            self.at.children.append(data)


class Page(Element):
    """An answer as a person without JavaScript meets it; its tags must nest, and its ids be unique."""

    def __init__(self, answer):
        super().__init__("", {}, None)
        self.answer, self.status, self.source = answer, answer.status_code, answer.text
        self.path = answer.url.raw_path.decode()
        if answer.headers.get("content-type", "").startswith("text/html"):
            tree = _Tree(answer.text)
            assert tree.at is tree.root, f"<{tree.at.tag}> is not closed"
            self.children = tree.root.children
            ids = [each["id"] for each in self.all() if each["id"]]
            assert len(ids) == len(set(ids)), sorted(each for each in ids if ids.count(each) > 1)

    @property
    def main(self):
        return self.one("main").text

    @property
    def form(self):
        """The form of the page that does something, beside signing out."""
        forms = [each for each in self.all("form") if each["method"] == "post" and each["action"] != "/sign-out"]
        assert len(forms) == 1, f"{len(forms)} forms on {self.path}"
        return forms[0]

    def error_of(self, name):
        """The error that is announced with a field, an empty text when there is none."""
        field = next(each for each in self.all(name=name) if each["type"] != "hidden")
        ids = (field["aria-describedby"] or "").split()
        said = [each.text for each in self.all() if each["id"] in ids and each["class"] == "error"]
        assert bool(said) == (field["aria-invalid"] == "true")
        return " ".join(said)


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, app):
        self.app, transport = app, httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765", follow_redirects=True)
        self.pages = []

    async def get(self, path, **options):
        return self._seen(await self.http.get(path, **options))

    async def post(self, path, data, **options):
        return self._seen(await self.http.post(path, data=data, **options))

    async def send(self, page, changes=None, **buttons):
        """Send the page's form with some fields changed; None takes a field away."""
        fields = {}
        for name, value in page.form.fields():
            fields.setdefault(name, []).append(value)
        for name, value in ({**(changes or {}), **buttons}).items():
            fields.pop(name, None)
            if value is not None:
                fields[name] = value if isinstance(value, list) else [value]
        target = urljoin(page.path, page.form["action"] or page.path)
        return await self.post(target, fields)

    async def sign_in(self, token=TOKEN, **fields):
        return await self.send(await self.get("/sign-in"), {"secret": token, **fields})

    def _seen(self, answer):
        for each in (*answer.history, answer):
            self.pages.append((str(each.url), dict(each.headers), each.text))
        return Page(answer)


@pytest.fixture
def clock():
    return FakeClock(auto=False)


@pytest.fixture
async def make_app(home, clock, plain_folder):
    """Make applications that are closed after the test."""
    made = []

    def make(**options):
        values = {"home": home, "access": TokenAccess(TOKEN), "folders": [plain_folder], "clock": clock, **options}
        made.append(create_app(WebOptions(**values)))
        return made[-1]

    yield make
    for app in made:
        await app.state.runner.aclose()
        app.state.host.close()


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
async def stranger(app):
    visitor = Visitor(app)
    yield visitor
    await visitor.http.aclose()


@pytest.fixture
async def visitor(stranger):
    page = await stranger.sign_in()
    assert page.status == 200
    return stranger


@pytest.fixture
async def other(app):
    """Somebody else, signed in, too."""
    visitor = Visitor(app)
    await visitor.sign_in()
    yield visitor
    await visitor.http.aclose()


@pytest.fixture
def vendor(plain):
    """The plain connector's vendor, on loopback."""
    running = plain.sandbox().start({})
    yield running
    running.close()


@pytest.fixture
def add_instance(app, vendor):
    """Add an instance of the plain connector to the store, without its page."""

    def add(name="Shop", **changes):
        return _browser.add_instance(app.state.host, vendor, name, **changes)

    return add


@pytest.fixture(scope="module")
def chromium():
    with _browser.chromium() as running:
        yield running


@pytest.fixture
def site(tmp_path):
    running = _browser.Site(tmp_path / "home", [_browser.PLAIN])
    yield running
    running.close()


@pytest.fixture(scope="module")
def sandbox():
    running = load_connector("plain", [_browser.PLAIN]).sandbox().start({})
    yield running
    running.close()


@pytest.fixture
def open_tab(chromium, site):
    contexts = []

    def opened(**options):
        context = chromium.new_context(**{"viewport": _browser.WIDE, **options})
        contexts.append(context)
        return _browser.Tab(context, site).sign_in()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab):
    tab = open_tab()
    yield tab
    assert tab.complaints == []

import os
import re
import shutil
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy

from connector_host.connectors import load_connector
from connector_host.instances import Home

SECRET = "tok-marker-8f14e45f"
"""The token of the plain connector's stand-ins."""

PLAIN = Path(__file__).parent / "fixtures" / "plain"

POSTGRES = os.environ.get("CONNECTOR_HOST_TEST_POSTGRES", "")


def edit(file, changes):
    """Replace old texts by new ones in a file, which has to have them."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, f"{file.name} has no {old!r}"
        text = text.replace(old, new)
    file.write_text(text)


def copy_of(connector, folder, name):
    """Copy a connector's folder, which is called as it is, and give the copy and its package another name."""
    old = connector.name
    shutil.copytree(connector, folder)
    package = (folder / f"{old}_connector").rename(folder / f"{name}_connector")
    edit(folder / "connector.yaml", {f"name: {old}\n": f"name: {name}\n"})
    edit(folder / "pyproject.toml", {f"\n{old} = ": f"\n{name} = ", f"{old}_connector": f"{name}_connector"})
    edit(package / "plugin.py", {f"{old}_connector": f"{name}_connector"})
    return folder


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    """Leave nothing of what a developer has set for the host."""
    for name in [each for each in os.environ if each.startswith("CONNECTOR_HOST_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


@pytest.fixture
def plain(plain_folder):
    return load_connector(plain_folder.name, [plain_folder])


@pytest.fixture
def vendor(plain):
    """Start stand-ins of the plain API, and stop them afterwards."""
    running = []

    def start(**options):
        running.append(plain.sandbox().start({"token": SECRET, **options}))
        return running[-1]

    yield start
    for each in running:
        each.pause.set()
        each.close()


@pytest.fixture
def plain_folder():
    """The folder of the plain connector: a small REST API with a token, and a sandbox."""
    return PLAIN


@pytest.fixture(scope="session")
def coded_folder(tmp_path_factory):
    """The folder of a connector named coded: the plain one, with the stream in code that docs/hooks.md shows."""
    folder = copy_of(PLAIN, tmp_path_factory.mktemp("connector") / "coded", "coded")
    package = folder / "coded_connector"
    page = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text().partition("## Streams in code")[2]
    fences = re.findall(r"^```(?:yaml|python)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    stream, code, hook = fences[:3]
    (package / "reading.py").write_text(code)
    with (package / "plugin.py").open("a") as plugin:
        plugin.write("\n\n" + hook)
    edit(folder / "connector.yaml", {"\nstreams:\n": f"\nstreams:\n{stream}"})
    edit(package / "plugin.py", {"my_shop": "coded_connector"})
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def any_home(request, home, leaks):
    """A home on each database; on PostgreSQL the test has a schema of its own."""
    if request.param == "sqlite":
        yield home
        return
    if not POSTGRES:
        pytest.skip("CONNECTOR_HOST_TEST_POSTGRES has no SQLAlchemy URL of a PostgreSQL database")
    schema = f"test_{uuid.uuid4().hex}"
    engine = sqlalchemy.create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.schema.CreateSchema(schema))
    url = sqlalchemy.make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield replace(home, database_override=url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names(schema):
            rows = connection.execute(
                sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(table, schema=schema))
            )
            leaks.see(f"table {table}", *map(repr, rows))
        connection.execute(sqlalchemy.schema.DropSchema(schema, cascade=True))
    engine.dispose()

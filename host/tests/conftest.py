import os
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right.
# CI tries the same examples each time; everywhere else new ones are looked for.
settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("unhurried")

POSTGRES = os.environ.get("CONNECTOR_HOST_TEST_POSTGRES", "")


@pytest.fixture
def plain_folder():
    """The folder of the plain connector: a small REST API with a token, and a sandbox."""
    return Path(__file__).parent / "fixtures" / "plain"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_home(request, home):
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
        connection.execute(sqlalchemy.schema.DropSchema(schema, cascade=True))
    engine.dispose()

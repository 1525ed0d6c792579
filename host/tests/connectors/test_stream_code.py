"""Streams that a connector's own code reads, from outside: pulled, gone on with, refused and broken."""

import pytest

from connector_host import connect
from connector_host.connectors import load_connector


@pytest.fixture
def coded(coded_folder):
    return load_connector("coded", [coded_folder])


@pytest.fixture
def running(coded):
    running = coded.sandbox().start({"things": 35})
    yield running
    running.close()


def test_records_come_as_from_every_stream(coded, running):
    with connect(coded, credentials=running.credentials, settings=running.settings) as shop:
        found = list(shop.pull("whole_things"))
        assert found == list(shop.pull("things"))
    assert len(found) == 32

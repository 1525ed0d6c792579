import pytest

from .pulls import STREAMS, connection_to, sandbox_of


@pytest.fixture(scope="session")
def shop_sandbox():
    """A shop that no test changes."""
    with sandbox_of() as running:
        yield running


@pytest.fixture(scope="session")
def pulled(shop_sandbox):
    """Everything that the shop gives, each stream pulled once."""
    with connection_to(shop_sandbox) as connection:
        return {name: list(connection.pull(name)) for name in STREAMS}

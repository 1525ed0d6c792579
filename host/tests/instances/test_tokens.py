import pytest

from connector_host.contract.errors import InputInvalid, NameTaken, UnknownName
from connector_host.instances import TokenStore


@pytest.fixture
def tokens(store, clock):
    return TokenStore(store.database, clock=clock)


def test_a_token_is_found_by_its_secret_only(tokens):
    made, secret = tokens.add("CI")
    assert secret.startswith("cht_")
    assert tokens.find(secret).id == made.id
    for wrong in (secret[:-1], secret + "x", secret.upper(), "", "cht_", "\ud800"):
        assert tokens.find(wrong) is None


def test_every_token_is_another(tokens):
    assert len({tokens.add(f"token {number}")[1] for number in range(20)}) == 20


def test_its_use_is_noted_but_not_at_every_request(tokens, clock):
    _, secret = tokens.add("CI")
    assert tokens.find(secret).last_used_at is None
    first = tokens.list()[0].last_used_at
    clock.sleep_here(30)
    tokens.find(secret)
    assert tokens.list()[0].last_used_at == first
    clock.sleep_here(31)
    tokens.find(secret)
    assert (tokens.list()[0].last_used_at - first).total_seconds() == 61


def test_a_revoked_token_is_gone(tokens):
    _, secret = tokens.add("CI")
    assert tokens.revoke("ci").name == "CI"
    assert tokens.find(secret) is None
    assert tokens.list() == ()
    with pytest.raises(UnknownName):
        tokens.revoke("CI")


def test_names_are_unique_and_can_be_told_apart(tokens):
    tokens.add("CI")
    with pytest.raises(NameTaken):
        tokens.add("ci")
    with pytest.raises(InputInvalid):
        tokens.add(" ")
    with pytest.raises(UnknownName, match="There are: CI"):
        tokens.revoke("CJ")


def test_nothing_stored_or_shown_tells_the_secret(tokens, any_home, store):
    made, secret = tokens.add("CI")
    assert secret not in repr((made, tokens.list(), tokens))
    with store.database.read() as connection:
        stored = repr(connection.exec_driver_sql("SELECT * FROM api_tokens").all())
    assert secret not in stored
    for path in any_home.path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()

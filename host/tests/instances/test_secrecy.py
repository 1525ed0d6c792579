import base64
import contextlib
import hashlib
import logging
import traceback

import pytest
from sqlalchemy import text

from connector_host.contract.errors import ConnectorHostError
from connector_host.contract.sessions import Rejection, Session
from connector_host.instances import FileKeys, InstanceState, KeyRing

MARKER = "MARKER-b1946ac92492d2347c6235b4d2611184"
OTHER_KEY = base64.b64encode(b"z" * 32).decode()


def spellings():
    """Return the ways in which a secret could stand in a file."""
    raw = MARKER.encode()
    yield raw
    yield MARKER.encode("utf-16-le")
    for shift in range(3):
        yield base64.b64encode(b"x" * shift + raw)[4:-4]
    yield raw.hex().encode()
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, raw)
        yield from (digest.digest(), digest.hexdigest().encode(), base64.b64encode(digest.digest()))


def use(store, add_shop):
    """Do with a secret all that a store can do with one, and more often than not badly."""
    shop = add_shop(store, credentials={"token": MARKER, "empty": ""}, state=InstanceState.OK)
    credentials = store.credentials("Shop", {"token"})
    sessions = store.sessions(shop, credentials)
    session = Session(variables={"token": MARKER}, secret=frozenset({"token"}), signed_in_at=1.0)
    with sessions.signing_in():
        sessions.save(session)
        sessions.save(Rejection(f"The token {MARKER} is wrong", 2.0))
        sessions.save(session)
    store.rotate_keys()
    store.replace_credentials("Shop", {"token": MARKER + "2"})
    yield from (shop, credentials, credentials.shown(), sessions, session, store, store.list(), store.get("Shop"))


def mistakes(store, home, add_shop):
    """Yield what is said when a secret is at hand and something goes wrong."""
    add_shop(store, "Mistaken", credentials={"token": MARKER})
    attempts = [
        lambda: add_shop(store, "Mistaken", credentials={"token": MARKER}),
        lambda: add_shop(store, "a/b", credentials={"token": MARKER}),
        lambda: store.replace_credentials("none", {"token": MARKER}),
        lambda: store.replace_credentials("Mistaken", {"token": MARKER, "x" * 200: MARKER}),
        lambda: store.replace_credentials("Mistaken", {"token": [MARKER]}),
        lambda: store.update("Mistaken", settings={"unserialisable": object()}),
    ]
    for attempt in attempts:
        with pytest.raises(Exception) as caught:  # noqa: PT011 -- what matters is what each says
            attempt()
        yield caught.value
    FileKeys(home.key_file).save(KeyRing.parse(OTHER_KEY))
    with pytest.raises(ConnectorHostError) as caught:
        store.credentials("Mistaken", ())
    yield caught.value


def test_a_secret_is_nowhere_in_the_files(home, open_store, add_shop):
    store = open_store(home)
    list(use(store, add_shop))
    with contextlib.suppress(ConnectorHostError):
        list(mistakes(store, home, add_shop))
    files = {path.name: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    assert {"instances.db", "instances.db-wal"} <= files.keys()
    assert b"Mistaken" in files["instances.db-wal"]
    for name, content in files.items():
        for spelling in spellings():
            assert spelling not in content, name
    assert {path.stat().st_mode & 0o077 for path in home.path.iterdir()} == {0}


def test_a_secret_is_in_no_text_that_anyone_sees(any_home, store, add_shop, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    try:
        seen = [f"{thing!r}\n{thing}" for thing in use(store, add_shop)]
        for error in mistakes(store, any_home, add_shop):
            detail = getattr(error, "detail", "")
            seen.append(f"{error!r}\n{error}\n{detail}\n" + "".join(traceback.format_exception(error)))
    finally:
        logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)
    assert "INSERT INTO credentials" in caplog.text
    assert MARKER not in "\n".join([*seen, caplog.text])


def test_a_fingerprint_cannot_be_made_without_the_key(home, open_store, add_shop):
    """The same credentials have other fingerprints under other keys, so that nobody can try them out on a copy."""
    fingerprints = []
    store = open_store(home)
    shop = add_shop(store)
    for key in (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b")):
        FileKeys(home.key_file).save(KeyRing.parse(key))
        credentials = store.replace_credentials("Shop", {"token": MARKER}) and store.credentials("Shop", ())
        store.sessions(shop, credentials).save(Rejection("no", 1.0))
        with store._database.read() as connection:
            fingerprints += connection.execute(text("SELECT fingerprint FROM sessions")).scalars()
    assert len(set(fingerprints)) == 2

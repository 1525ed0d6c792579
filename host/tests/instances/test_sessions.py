import threading

import pytest
import sqlalchemy

from connector_host.contract.errors import SecretsUnreadable
from connector_host.contract.secrets import Credentials
from connector_host.contract.sessions import Rejection, Session
from connector_host.instances import InstanceState

SESSION = Session(
    variables={"token": "a-session-token", "server": "https://eu1.example.com"},
    secret=frozenset({"token"}),
    signed_in_at=1_700_000_000.25,
    expires_at=1_700_001_800.0,
    idle_seconds=1800.0,
    account="Ann",
)
BARE = Session(variables={}, secret=frozenset(), signed_in_at=0.0)
REJECTION = Rejection("wrong secret", 1_700_000_000.5)


@pytest.fixture(autouse=True)
def shop(store, add_shop):
    return add_shop(store)


def sessions_of(store, name="Shop"):
    return store.sessions(store.get(name), store.credentials(name, {"token"}))


@pytest.mark.parametrize("known", [SESSION, BARE, REJECTION])
def test_what_is_saved_is_known_to_every_process(any_home, open_store, store, known):
    sessions = sessions_of(store)
    assert sessions.load() is None
    sessions.save(known)
    assert sessions.load() == known
    assert sessions_of(open_store(any_home)).load() == known
    sessions.save(REJECTION)
    assert sessions_of(open_store(any_home)).load() == REJECTION


def test_only_the_session_that_died_is_forgotten(store):
    sessions = sessions_of(store)
    sessions.forget(SESSION)
    sessions.save(BARE)
    sessions.forget(SESSION)
    assert sessions.load() == BARE
    sessions.forget(BARE)
    assert sessions.load() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.replace_credentials("Shop", {"token": "marker-another", "account": "shop-7"}),
        lambda store: store.replace_credentials("Shop", {"token": "marker-a-token", "account": "shop-7"}),
        lambda store: store.update("Shop", settings={"time_zone": "UTC"}),
        lambda store: store.update("Shop", authentication="Key"),
        lambda store: store.update("Shop", connector_version=2),
    ],
)
@pytest.mark.parametrize("known", [SESSION, REJECTION])
def test_a_change_of_what_a_session_depends_on_ends_it(store, change, known):
    sessions = sessions_of(store)
    sessions.save(known)
    change(store)
    assert sessions_of(store).load() is None
    assert sessions.load() is None
    assert rows(store) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.rename("Shop", "Other") and store.rename("Other", "Shop"),
        lambda store: store.set_state("Shop", InstanceState.REJECTED, "no"),
        lambda store: store.update("Shop", account="Ann"),
        lambda store: store.update("Shop", settings={"time_zone": "Europe/London"}),
        lambda store: store.rotate_keys(),
    ],
)
def test_any_other_change_leaves_it(store, change):
    sessions_of(store).save(SESSION)
    change(store)
    assert sessions_of(store).load() == SESSION


def test_credentials_that_are_only_being_tried_have_sessions_of_their_own(store, shop):
    present = sessions_of(store)
    present.save(SESSION)
    tried = store.sessions(shop, Credentials({"token": "marker-tried"}, {"token"}))
    assert tried.load() is None
    tried.save(REJECTION)
    assert present.load() == SESSION
    assert tried.load() == REJECTION


def test_instances_with_the_same_credentials_do_not_share(store, add_shop):
    add_shop(store, "Twin")
    sessions_of(store).save(SESSION)
    assert sessions_of(store, "Twin").load() is None


def test_a_removed_instance_takes_its_sessions_along(store):
    sessions = sessions_of(store)
    sessions.save(SESSION)
    store.remove("Shop")
    assert rows(store) == 0
    sessions.save(SESSION)
    sessions.forget(SESSION)
    assert sessions.load() is None
    assert rows(store) == 0


@pytest.mark.parametrize("damage", ["v1.none.AAAA", "rubbish", ""])
def test_a_session_that_cannot_be_read_is_none_and_can_be_replaced(store, damage):
    sessions = sessions_of(store)
    sessions.save(SESSION)
    with store._database.write() as connection:
        connection.execute(sqlalchemy.text("UPDATE sessions SET envelope = :damage"), {"damage": damage})
    assert sessions.load() is None
    sessions.forget(SESSION)
    sessions.save(BARE)
    assert sessions.load() == BARE
    assert rows(store) == 1


def test_without_the_key_there_is_no_session_and_nothing_is_lost(store, any_home):
    sessions = sessions_of(store)
    sessions.save(SESSION)
    kept = any_home.key_file.rename(any_home.path / "kept")
    assert sessions.load() is None
    sessions.forget(SESSION)
    with pytest.raises(SecretsUnreadable):
        sessions.save(BARE)
    kept.rename(any_home.key_file)
    assert sessions.load() == SESSION


def test_a_session_moved_to_another_instance_does_not_open(store, shop, add_shop):
    """Neither does a credential: both are bound to their place."""
    twin = add_shop(store, "Twin", credentials={"token": "twins", "account": "shop-7"})
    with store._database.write() as connection:
        connection.execute(
            sqlalchemy.text(
                "UPDATE credentials SET envelope = (SELECT envelope FROM credentials"
                " WHERE instance_id = :shop AND field = 'token') WHERE instance_id = :twin AND field = 'token'"
            ),
            {"shop": shop.id, "twin": twin.id},
        )
    with pytest.raises(SecretsUnreadable, match='token of "Twin"'):
        store.credentials("Twin", ())
    assert store.credentials("Shop", ())["token"] == "marker-a-token"


def test_many_threads_sign_in_once(any_home, open_store, store, clock):
    signed_in = []
    start = threading.Barrier(8)

    def work(own):
        start.wait()
        with own.signing_in():
            if own.load() is None:
                signed_in.append(threading.get_ident())
                own.save(SESSION)

    other = open_store(any_home, clock=clock)
    threads = [threading.Thread(target=work, args=(sessions_of((store, other)[n % 2]),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed_in) == 1


def test_a_sign_in_that_fails_lets_the_next_one_try(store):
    sessions = sessions_of(store)
    with pytest.raises(RuntimeError), sessions.signing_in():
        raise RuntimeError
    with sessions.signing_in():
        sessions.save(SESSION)
    assert sessions.load() == SESSION


def test_nothing_of_a_session_store_shows_a_secret(store):
    sessions = sessions_of(store)
    sessions.save(SESSION)
    assert "marker-a-token" not in repr(sessions)
    assert "a-session-token" not in f"{sessions.load()!r}{vars(sessions)['_lease']!r}"


def rows(store):
    with store._database.read() as connection:
        return connection.execute(sqlalchemy.text("SELECT count(*) FROM sessions")).scalar_one()

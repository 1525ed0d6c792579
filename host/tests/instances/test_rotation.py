import base64

import pytest
import sqlalchemy

from connector_host.contract.errors import ConfigurationError
from connector_host.contract.sessions import Session
from connector_host.instances import Database, EnvironmentKeys, FileKeys, InstanceStore

SESSION = Session(variables={"token": "marker-of-a-session"}, secret=frozenset({"token"}), signed_in_at=1.0)
OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 8).decode()}" for name in ("old_", "new_"))


def envelopes(store):
    """Return every secret as it stands in the database, by its place."""
    query = (
        "SELECT instance_id, field AS part, envelope FROM credentials"
        " UNION ALL SELECT instance_id, fingerprint, envelope FROM sessions"
    )
    with store._database.read() as connection:
        rows = connection.execute(sqlalchemy.text(query))
        return {(row.instance_id, row.part): row.envelope for row in rows}


def key_ids(store):
    return {envelope.split(".")[1] for envelope in envelopes(store).values()}


@pytest.fixture
def shops(store, add_shop):
    for number in range(3):
        add_shop(store, f"Shop {number}", credentials={"token": f"token-{number}", "id": "same"})
    first = store.get("Shop 0")
    store.sessions(first, store.credentials("Shop 0", ())).save(SESSION)
    return store


def check(store):
    assert [store.credentials(f"Shop {number}", ())["token"] for number in range(3)] == [
        f"token-{number}" for number in range(3)
    ]


def test_everything_is_written_anew_under_a_new_key(shops, any_home):
    before, old = envelopes(shops), FileKeys(any_home.key_file).load().writing
    done = shops.rotate_keys()
    after = envelopes(shops)
    assert (done.rewritten, done.unreadable) == (7, ())
    assert key_ids(shops) == {done.key_id} != {old.id}
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    check(shops)
    assert shops.sessions(shops.get("Shop 0"), shops.credentials("Shop 0", ())).load() == SESSION
    assert any_home.key_file.stat().st_mode & 0o777 == 0o600


def test_old_keys_go_when_nothing_needs_them(shops, any_home):
    old = FileKeys(any_home.key_file).load().writing.id
    assert shops.drop_unused_keys() == ()
    new = shops.rotate_keys().key_id
    assert shops.drop_unused_keys() == (old,)
    assert [key.id for key in FileKeys(any_home.key_file).load()] == [new]
    check(shops)


def test_an_old_key_that_is_still_needed_stays(shops, any_home):
    old = FileKeys(any_home.key_file).load()
    kept = next(iter(envelopes(shops).items()))
    shops.rotate_keys()
    with shops._database.write() as connection:
        connection.execute(
            sqlalchemy.text("UPDATE credentials SET envelope = :envelope WHERE instance_id = :id AND field = :field"),
            {"envelope": kept[1], "id": kept[0][0], "field": kept[0][1]},
        )
    assert shops.drop_unused_keys() == ()
    assert old.writing in FileKeys(any_home.key_file).load().keys
    check(shops)


def test_another_process_goes_on_through_a_rotation(shops, any_home, open_store, add_shop):
    other = open_store(any_home)
    check(other)
    shops.rotate_keys()
    check(other)
    add_shop(other, "New")
    shops.drop_unused_keys()
    check(other)
    assert shops.credentials("New", ())["token"] == "marker-a-token"
    assert len(key_ids(shops)) == 1


class Interrupted(BaseException):
    """The process is told to end."""


class Interrupting(Database):
    """A database that is interrupted at a given write."""

    writes_left = 0

    def write(self):
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Interrupted
        return super().write()


@pytest.mark.parametrize("writes", range(8))
def test_an_interrupted_rotation_is_finished_by_the_next(shops, any_home, writes):
    database = Interrupting(any_home.database_url)
    database.writes_left = writes
    stopped = InstanceStore(database, FileKeys(any_home.key_file))
    finished = None
    try:
        finished = stopped.rotate_keys()
    except Interrupted:
        check(shops)
    database.close()
    keys = len(FileKeys(any_home.key_file).load().keys)
    assert keys == 2
    assert (finished is not None) == (writes == 7)
    if 0 < writes < 7:
        assert len(key_ids(shops)) == 2
        resumed = shops.rotate_keys()
        assert resumed.rewritten == 7 - writes
        assert len(FileKeys(any_home.key_file).load().keys) == keys
        assert key_ids(shops) == {resumed.key_id}
    check(shops)


def test_a_secret_that_no_key_opens_is_named_and_left_as_it_is(shops):
    with shops._database.write() as connection:
        connection.execute(
            sqlalchemy.text(
                "UPDATE credentials SET envelope = 'v1.lost.AAAA' WHERE instance_id = :id AND field = 'id'"
            ),
            {"id": shops.get("Shop 1").id},
        )
    done = shops.rotate_keys()
    assert (done.rewritten, done.unreadable) == (6, ("Shop 1: id",))
    assert envelopes(shops)[shops.get("Shop 1").id, "id"] == "v1.lost.AAAA"
    assert shops.rotate_keys().key_id != done.key_id
    assert shops.credentials("Shop 2", ())["token"] == "token-2"


def test_a_secret_replaced_meanwhile_is_not_undone(shops, any_home):
    class Replacing(Database):
        """Replaces the credentials just before they are written anew."""

        replaced = False

        def write(self):
            if not self.replaced:
                self.replaced = True
                for number in range(3):
                    shops.replace_credentials(f"Shop {number}", {"token": "marker-newer"})
            return super().write()

    database = Replacing(any_home.database_url)
    InstanceStore(database, FileKeys(any_home.key_file)).rotate_keys()
    database.close()
    assert [shops.credentials(f"Shop {number}", ())["token"] for number in range(3)] == ["marker-newer"] * 3


def test_more_than_a_batch_is_rotated(store, add_shop, monkeypatch):
    monkeypatch.setattr("connector_host.instances.rotation._BATCH", 3)
    add_shop(store, credentials={f"field_{number}": "x" for number in range(10)})
    add_shop(store, "Other", credentials={f"field_{number}": "x" for number in range(5)})
    assert store.rotate_keys().rewritten == 15
    assert len(key_ids(store)) == 1


def test_keys_from_the_environment_are_rotated_by_putting_the_new_one_first(any_home, open_store, add_shop):
    add_shop(open_store(any_home, keys=EnvironmentKeys(OLD)))
    assert open_store(any_home, keys=EnvironmentKeys(OLD)).rotate_keys().rewritten == 0
    both = open_store(any_home, keys=EnvironmentKeys(f"{NEW},{OLD}"))
    done = both.rotate_keys()
    assert (done.key_id, done.rewritten) == ("new_", 2)
    assert both.rotate_keys().rewritten == 0
    with pytest.raises(ConfigurationError, match=r"(?s)CONNECTOR_HOST_KEY.*NEW,OLD"):
        both.drop_unused_keys()
    assert open_store(any_home, keys=EnvironmentKeys(NEW)).credentials("Shop", ())["token"] == "marker-a-token"


def test_key_ids_that_look_like_patterns_are_told_apart(any_home, open_store, add_shop):
    alike = [f"{key_id}:{base64.b64encode(key_id.encode() * 16).decode()}" for key_id in ("a_", "ab")]
    add_shop(open_store(any_home, keys=EnvironmentKeys(alike[1])))
    assert open_store(any_home, keys=EnvironmentKeys(",".join(alike))).rotate_keys().rewritten == 2


def test_a_store_without_instances_can_be_rotated(store, any_home):
    first = store.rotate_keys()
    assert first.rewritten == 0
    assert store.drop_unused_keys() != ()
    assert [key.id for key in FileKeys(any_home.key_file).load()] == [first.key_id]

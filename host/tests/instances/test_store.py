import datetime
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_host.contract.errors import ConfigurationError, InputInvalid, NameTaken, TemporaryError, UnknownName
from connector_host.instances import Instance, InstanceState, database

TESTED = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))


def test_what_was_added_is_there_when_opened_again(any_home, open_store, clock, add_shop):
    added = add_shop(
        open_store(any_home, clock=clock),
        "Shop Zürich",
        connector_version=3,
        settings={"api_address": "http://127.0.0.1:1", "limits": [1, None, {"deep": True}]},
        account="Someone",
        tested_at=TESTED,
        state=InstanceState.OK,
    )
    again = open_store(any_home)
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.UTC)
    assert again.get("Shop Zürich") == added
    assert again.get_by_id(added.id) == added
    assert added == Instance(
        id=added.id,
        name="Shop Zürich",
        connector="plain",
        connector_version=3,
        authentication="Token",
        settings={"api_address": "http://127.0.0.1:1", "limits": [1, None, {"deep": True}]},
        account="Someone",
        tested_at=TESTED,
        state=InstanceState.OK,
        state_message="",
        created_at=now,
        updated_at=now,
    )
    assert again.get("Shop Zürich").tested_at.tzinfo is datetime.UTC
    credentials = again.credentials("Shop Zürich", {"token"})
    assert dict(credentials) == {"token": "marker-a-token", "account": "shop-7"}
    assert credentials.secret_values == ("marker-a-token",)


@pytest.mark.parametrize("name", ["SHOP ZÜRICH", " shop zürich ", "Shop Zu\u0308rich"])
def test_a_name_is_found_whatever_its_case_and_composition(store, add_shop, name):
    added = add_shop(store, "Shop Zürich")
    assert store.get(name) == added
    with pytest.raises(NameTaken, match=r"(?s)already.*another name"):
        add_shop(store, name)
    assert store.count() == 1


def test_a_refused_instance_leaves_nothing(store, add_shop):
    add_shop(store)
    with pytest.raises(NameTaken):
        add_shop(store, "shop", credentials={"token": "other"})
    assert store.credentials("Shop", ())["token"] == "marker-a-token"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "name-empty"),
        ("   ", "name-empty"),
        ("x" * 81, "name-too-long"),
        ("a/b", "name-like-a-path"),
        ("a\\b", "name-like-a-path"),
        ("..", "name-like-a-path"),
        ("a\nb", "name-invisible"),
        ("a\x00b", "name-invisible"),
        ("a\u202eb", "name-invisible"),
        ("a\ud800b", "name-invisible"),
    ],
)
def test_a_name_that_could_do_harm_is_refused(store, add_shop, name, rule):
    kept = add_shop(store)
    for refused in (lambda: add_shop(store, name), lambda: store.rename("Shop", name)):
        with pytest.raises(InputInvalid) as caught:
            refused()
        assert [problem.rule for problem in caught.value.problems] == [rule]
        assert caught.value.problems[0].fix
    assert store.list() == (kept,)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(name=st.text(st.characters(), max_size=90))
def test_any_name_is_either_refused_or_found_again(home, open_store, add_shop, name):
    with open_store(home) as store:
        try:
            added = add_shop(store, name)
        except InputInvalid:
            return
        assert store.get(name) == store.get(added.name) == added
        store.remove(name)


def test_an_unknown_name_is_answered_with_the_nearest(store, add_shop):
    with pytest.raises(UnknownName, match="nor any other"):
        store.get("Shop")
    add_shop(store, "Shop London")
    add_shop(store, "Warehouse")
    with pytest.raises(UnknownName, match=r'(?s)no instance "shop lodnon".*Did you mean "Shop London"\?'):
        store.get("shop lodnon")
    with pytest.raises(UnknownName, match="List the instances"):
        store.get("qqqqqqqqqqq")
    with pytest.raises(UnknownName):
        store.get_by_id("no such id")


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.get("none"),
        lambda store: store.credentials("none", ()),
        lambda store: store.update("none", account="x"),
        lambda store: store.rename("none", "other"),
        lambda store: store.remove("none"),
        lambda store: store.replace_credentials("none", {"a": "b"}),
        lambda store: store.set_state("none", InstanceState.OK),
    ],
)
def test_everything_that_takes_a_name_says_when_it_is_unknown(store, act):
    with pytest.raises(UnknownName):
        act(store)


def test_lists_are_ordered_searched_and_paged(store, add_shop):
    for name, connector, account in [
        ("beta", "plain", "Ann"),
        ("Alpha", "plain", "Bob"),
        ("gamma 100%", "other", "ÉMILE"),
        ("delta_1", "other", "Ann"),
    ]:
        add_shop(store, name, connector=connector, account=account)

    def names(**query):
        assert len(store.list(**query)) == store.count(**query)
        return [instance.name for instance in store.list(**query)]

    assert names() == ["Alpha", "beta", "delta_1", "gamma 100%"]
    assert names(connector="other") == ["delta_1", "gamma 100%"]
    assert names(search="ann") == ["beta", "delta_1"]
    assert names(search="émile") == ["gamma 100%"]
    assert names(search="PLAIN") == ["Alpha", "beta"]
    assert names(search="%") == ["gamma 100%"]
    assert names(search="_") == ["delta_1"]
    assert names(search=" ") == names()
    assert names(search="ann", connector="other") == ["delta_1"]
    assert names(search="'; drop table instances; --") == []
    for no_text in ("\0", "ann\0", "\ud800"):
        assert names(search=no_text) == []
    assert [instance.name for instance in store.list(offset=1, limit=2)] == ["beta", "delta_1"]
    assert [instance.name for instance in store.list(offset=3)] == ["gamma 100%"]
    assert store.list(offset=9) == ()


def test_an_update_changes_what_is_given_and_leaves_the_rest(store, add_shop, clock):
    added = add_shop(store)
    clock.sleep_here(60)
    changed = store.update("SHOP", settings={"time_zone": "UTC"}, account="Ann", connector_version=2, tested_at=TESTED)
    assert store.get("Shop") == changed
    assert (changed.settings, changed.account, changed.connector_version) == ({"time_zone": "UTC"}, "Ann", 2)
    assert (changed.id, changed.name, changed.state) == (added.id, "Shop", InstanceState.UNTESTED)
    assert (changed.updated_at - added.updated_at).total_seconds() == 60
    assert changed.created_at == added.created_at
    assert [instance.id for instance in store.list(search="ann")] == [added.id]
    assert dict(store.credentials("Shop", ())) == {"token": "marker-a-token", "account": "shop-7"}


def test_a_state_comes_with_its_reason_and_goes_with_it(store, add_shop):
    add_shop(store)
    rejected = store.set_state("Shop", InstanceState.REJECTED, "the vendor says no")
    assert (rejected.state, rejected.state_message) == ("rejected", "the vendor says no")
    store.set_state("Shop", InstanceState.OK)
    assert (store.get("Shop").state, store.get("Shop").state_message) == (InstanceState.OK, "")


def test_a_renamed_instance_keeps_everything(store, add_shop):
    added = add_shop(store)
    add_shop(store, "Other")
    with pytest.raises(NameTaken):
        store.rename("Shop", "OTHER")
    assert store.rename("shop", "New name").id == added.id
    assert store.credentials("new NAME", ())["token"] == "marker-a-token"
    assert store.rename("New name", "NEW NAME").name == "NEW NAME"
    assert store.list(search="shop") == ()
    with pytest.raises(UnknownName):
        store.get("Shop")


def test_a_removed_instance_is_gone_with_its_secrets(store, add_shop):
    removed = add_shop(store)
    assert store.remove("shop").id == removed.id
    assert store.count() == 0
    again = add_shop(store, credentials={})
    assert again.id != removed.id
    assert dict(store.credentials("Shop", {"token"})) == {}


def test_replaced_credentials_leave_none_of_the_old(store, add_shop):
    add_shop(store, account="Ann", tested_at=TESTED, state=InstanceState.OK)
    replaced = store.replace_credentials("shop", {"key": "marker-new"}, authentication="Key")
    assert dict(store.credentials("Shop", {"key"})) == {"key": "marker-new"}
    assert (replaced.authentication, replaced.account, replaced.tested_at) == ("Key", "", None)
    assert replaced.state is InstanceState.UNTESTED
    tested = store.replace_credentials("shop", {"key": "2"}, account="Bob", tested_at=TESTED, state=InstanceState.OK)
    assert (tested.authentication, tested.account, tested.tested_at) == ("Key", "Bob", TESTED)
    assert store.get("Shop") == tested


@pytest.mark.parametrize("key", ["", "x" * 129])
def test_credentials_that_cannot_be_stored_leave_the_old_ones(store, add_shop, key):
    add_shop(store)
    with pytest.raises(InputInvalid):
        store.replace_credentials("Shop", {"token": "marker-new", key: "MARKER"})
    assert store.credentials("Shop", ())["token"] == "marker-a-token"


def test_a_credential_of_any_characters_comes_back_as_it_was(store, add_shop):
    values = {"a": "", "b": "\x00\n\u202e\U0001f600", "c": "\ud800", "d": "x" * 20_000}
    add_shop(store, credentials=values)
    assert dict(store.credentials("Shop", values)) == values


@pytest.mark.parametrize("name", ["a\0", "Shop\0", "\ud800"])
def test_a_name_that_is_no_text_is_refused_where_it_is_looked_for(store, add_shop, name):
    add_shop(store)
    for look in (store.get, store.get_by_id, lambda text: store.rename(text, "Other")):
        with pytest.raises((UnknownName, InputInvalid)) as caught:
            look(name)
        assert caught.value.next_step
    assert store.count() == 1


def test_two_stores_see_each_others_changes(any_home, open_store, add_shop):
    first, second = open_store(any_home), open_store(any_home)
    add_shop(first)
    second.rename("Shop", "Other")
    assert first.get("other").name == "Other"
    first.remove("Other")
    assert second.count() == 0


def test_a_database_that_is_locked_for_too_long_is_a_passing_fault(home, open_store, add_shop, monkeypatch):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.0)
    store = open_store(home)
    other = sqlite3.connect(home.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(TemporaryError, match=r"(?s)in use.*again"):
            add_shop(store)
        assert store.count() == 0
    finally:
        other.close()
    add_shop(store)


def test_a_damaged_database_is_a_mistake_to_mend_and_not_a_traceback(home, open_store):
    store = open_store(home)
    with store._database.write() as connection:
        connection.exec_driver_sql("DROP TABLE instances")
    with pytest.raises(ConfigurationError, match="no such table") as caught:
        store.count()
    assert caught.value.next_step

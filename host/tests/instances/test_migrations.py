import pytest
import sqlalchemy
from sqlalchemy import inspect, text

from connector_host.contract.errors import ConfigurationError
from connector_host.instances import Database, EnvironmentKeys, Home, InstanceStore, tables
from connector_host.instances.migrations import MIGRATIONS, schema_version

KEYS = EnvironmentKeys("main:" + "QUFB" * 10 + "QUE=")
INSTANCE_ID = "00000000-0000-0000-0000-000000000001"
ENVELOPE = "v1.main.AeXOsASmz9ZQOFEYHLO8c1M_Wi9WCiKG_qApsYzaKZqF57CMeD9bEJdm9ge3EH40"


def shape(engine):
    """Describe the tables of a database, apart from the one with its version."""
    seen = inspect(engine)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(table)],
            seen.get_pk_constraint(table)["constrained_columns"],
            sorted(str(index["column_names"]) for index in seen.get_indexes(table)),
            sorted(str(constraint["column_names"]) for constraint in seen.get_unique_constraints(table)),
            [
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in seen.get_foreign_keys(table)
            ],
        )
        for table in seen.get_table_names()
        if table != "schema_versions"
    }


def test_the_migrations_make_the_tables_that_the_code_uses(home, tmp_path):
    Database(home.database_url).close()
    migrated = sqlalchemy.create_engine(home.database_url)
    declared = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    tables.metadata.create_all(declared)
    assert shape(migrated) == shape(declared)
    migrated.dispose()
    declared.dispose()


def add_by_version_1(database):
    """Put an instance in a database of version 1, as that version did."""
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO instances (id, name, name_key, search_text, connector, connector_version, authentication,"
                " settings, account, tested_at, state, state_message, created_at, updated_at) VALUES (:id, 'Shop',"
                " 'shop', 'shop', 'plain', 1, 'Token', '{\"zone\": \"UTC\"}', 'Ann', NULL, 'ok', '',"
                " '2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000')"
            ),
            {"id": INSTANCE_ID},
        )
        connection.execute(
            text("INSERT INTO credentials (instance_id, field, envelope) VALUES (:id, 'token', :envelope)"),
            {"id": INSTANCE_ID, "envelope": ENVELOPE},
        )


def test_what_version_1_wrote_is_read_by_this_version(any_home):
    old = Database(any_home.database_url, migrations=MIGRATIONS[:1])
    add_by_version_1(old)
    old.close()
    with InstanceStore.open(any_home, keys=KEYS) as store:
        shop = store.get("shop")
        assert (shop.id, shop.settings, shop.account, shop.state) == (INSTANCE_ID, {"zone": "UTC"}, "Ann", "ok")
        assert shop.created_at.isoformat() == "2026-01-02T03:04:05+00:00"
        assert store.credentials("Shop", ())["token"] == "written by version 1"


def add_a_column(connection):
    connection.execute(text("ALTER TABLE instances ADD COLUMN note TEXT"))
    connection.execute(text("UPDATE instances SET note = 'moved'"))


def fail_half_way(connection):
    connection.execute(text("CREATE TABLE half_way (x INTEGER)"))
    connection.execute(text("UPDATE instances SET name = 'changed'"))
    raise RuntimeError("half-way")


def test_a_step_runs_once_and_keeps_what_is_there(any_home):
    with InstanceStore.open(any_home, keys=KEYS) as store:
        add_by_version_1(store._database)
    steps = [*MIGRATIONS, add_a_column]
    for _ in range(2):
        database = Database(any_home.database_url, migrations=steps)
        with database.read() as connection:
            assert schema_version(connection) == len(steps)
            assert connection.execute(text("SELECT name, note FROM instances")).all() == [("Shop", "moved")]
        database.close()


def test_a_step_that_fails_leaves_the_database_as_it_was(any_home):
    with InstanceStore.open(any_home, keys=KEYS) as store:
        add_by_version_1(store._database)
    with pytest.raises(RuntimeError, match="half-way"):
        Database(any_home.database_url, migrations=[*MIGRATIONS, fail_half_way])
    with InstanceStore.open(any_home, keys=KEYS) as store:
        assert store.get("Shop").name == "Shop"
        with store._database.read() as connection:
            assert not inspect(connection).has_table("half_way")
            assert schema_version(connection) == len(MIGRATIONS)


def test_a_database_of_a_newer_version_is_refused_and_not_touched(any_home):
    Database(any_home.database_url, migrations=[*MIGRATIONS, add_a_column]).close()
    with pytest.raises(ConfigurationError, match=r"(?s)newer connector-host.*Nothing was changed.*Upgrade"):
        InstanceStore.open(any_home)
    database = Database(any_home.database_url, migrations=[*MIGRATIONS, add_a_column])
    with database.read() as connection:
        assert schema_version(connection) == len(MIGRATIONS) + 1
    database.close()


def test_an_override_in_a_folder_of_its_own_works(tmp_path):
    home = Home(tmp_path / "home", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    with InstanceStore.open(home) as store:
        assert store.count() == 0
    assert not home.database.exists()
    assert (tmp_path / "elsewhere.db").stat().st_mode & 0o077 == 0

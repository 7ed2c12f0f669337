"""From the first migration to the last: no data is lost, and what comes out is what the model says."""

from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel, select

from fleet import orders
from fleet.errors import FleetError
from fleet.model import Deployment, Device, LogLine, Rollout, Target
from fleet.sql.base import VERSION
from fleet.sql.upgrade import newest, upgrade
from fleet.store import Store

# What a fleet of version 0.1.0 held: two boards, of which one was given its module.
FILLED = """
INSERT INTO setting VALUES ('schema', '1'), ('credentials', '2'), ('root', 'ab');
INSERT INTO groups VALUES ('attic', 1.0);
INSERT INTO device (id, home_group, sealed_key, capabilities, state, seen, created) VALUES
    ('one', 'attic', X'01', '["gpio:15"]', 'ready', 2.0, 1.0), ('two', 'attic', X'02', '[]', 'never seen', NULL, 1.0);
INSERT INTO membership VALUES ('attic', 'one'), ('attic', 'two');
INSERT INTO keylist VALUES (1, 'cd', 9, 1.0);
INSERT INTO module VALUES ('ee', 9, 'sensor', '1', 'ff', 3, 'kid', '[]', 1.0);
INSERT INTO blob VALUES ('ff', 'payload', 3, X'000102', 1.0);
INSERT INTO rollout (id, module, "group", state, window_s, timeout_s, actor, created, ended) VALUES
    (7, 'ee', 'attic', 'running', 0, 60, 'ann', 3.0, NULL);
INSERT INTO target (rollout, device, wave, seq, state, reason, detail, progress, sent, updated) VALUES
    (7, 'one', 0, 4, 'confirmed', NULL, NULL, 100, 3.0, 5.0), (7, 'two', 0, NULL, 'queued', NULL, NULL, NULL, NULL, 3.0);
INSERT INTO deployment (device, seq, rollout, module, document, document_size, key_list, window_s, nonce, created) VALUES
    ('one', 4, 7, 'ee', 'dd', 50, 1, 0, X'0102030405060708', 3.0);
INSERT INTO logline VALUES (5, 'one', 1, 9000000000, 1, 'hello', 4.0);
INSERT INTO auditevent VALUES (3, 'ann', 'push', 'sensor 1', 'attic', 1, 3.0);
"""


def fill(store):
    """Put the rows of `FILLED` into a database of the first version."""
    text = FILLED
    if store.engine.dialect.name == "postgresql":
        text = text.replace("X'", "'\\x")
    with store.engine.begin() as connection:
        for statement in text.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)


@pytest.fixture
def old(database):
    """A filled database of the first version, as before there were migrations."""
    with closing(Store(database)) as store:
        upgrade(store.engine, "0001")
        fill(store)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
        yield store


def test_version_in_the_program_is_the_newest_migration():
    assert newest() == VERSION


def test_upgrade_keeps_all_data(old):
    with pytest.raises(FleetError, match="fleet db upgrade"):
        old.check()
    upgrade(old.engine)
    old.check()
    one, two = old.rows(select(Device).order_by(Device.id))
    assert (one.id, one.sealed_key, one.capabilities, one.state, one.seen, one.board) == ("one", b"\1", ["gpio:15"], "ready", 2.0, None)
    assert old.memberships() == {"one": ["attic"], "two": ["attic"]}
    assert old.blob("ff") == b"\0\1\2" and old.module("ee").name == "sensor" and old.setting("root") == "ab"
    assert [(row.id, row.uptime_ms, row.text) for row in old.rows(select(LogLine))] == [(5, 9000000000, "hello")]
    assert [(row.id, row.actor) for row in old.audit_events()] == [(3, "ann")]
    order = old.rows(select(Deployment))[0]
    assert (order.seq, order.nonce, order.published) == (4, bytes(range(1, 9)), 3.0)


def test_upgraded_rollout_goes_on(old):
    upgrade(old.engine)
    row = old.rows(select(Rollout))[0]
    assert (row.id, row.actor, row.opened) == (7, "ann", 3.0)
    assert orders.read_policy(row).waves == (1.0,) and orders.read_policy(row).timeout_s == 60
    one, two = old.rows(select(Target).order_by(Target.device))
    assert (one.module, one.state, one.ended, one.wave) == ("ee", "confirmed", 5.0, 0)
    assert (two.module, two.state, two.ended, two.wave) == ("ee", "queued", None, -1)


def test_upgraded_database_is_like_a_new_one(old):
    upgrade(old.engine)
    with old.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), SQLModel.metadata)
    assert [entry for entry in differences if "alembic_version" not in str(entry)] == []


def test_failed_upgrade_leaves_the_database_as_it_was(old):
    with old.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE label (x INTEGER)")  # in the way
    with pytest.raises(Exception, match="label"):
        upgrade(old.engine)
    assert old.version() == "0001"
    with old.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE label")
    upgrade(old.engine)
    assert old.version() == VERSION

"""The database: one transaction for nested calls, names that are taken, audit entries that merge, secrets that stay secret."""

import threading
from contextlib import closing

import pytest
from cryptography.exceptions import InvalidTag

from fleet.errors import FleetError
from fleet.model import Device, LogLine, Rollout
from fleet.sql import care
from fleet.store import Store
from fleet.vault import Vault


@pytest.fixture
def store(database):
    """An empty database of either kind."""
    with closing(Store(database)) as made:
        made.create()
        yield made


def add(store, name, group="greenhouse"):
    """Add a board without a real key."""
    store.add_device(Device(id=name, home_group=group, sealed_key=b"x", created=1.0))


def test_wal_is_on(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/fleet.db")) as store, store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_nested_writes_are_one_transaction(store):
    with pytest.raises(RuntimeError), store.write():
        add(store, "one")
        raise RuntimeError("power failure")
    assert store.devices() == [] and store.groups() == []


def test_device_id_is_taken_once(store):
    add(store, "one")
    with pytest.raises(FleetError, match="already"):
        add(store, "one")
    assert store.groups() == [("greenhouse", 1)]


def test_removed_device_is_gone_from_all_tables(store):
    add(store, "one")
    number = store.add_rollout(Rollout(module="m", group="greenhouse", window_s=0, timeout_s=1, actor="a", created=1.0), {"one": "m"})
    before = store.credentials_revision()
    store.remove_device("one")
    assert store.devices() == [] and store.memberships() == {} and store.targets(number) == []
    assert store.credentials_revision() > before


def test_same_audit_entry_is_counted(store):
    for _ in range(5):
        store.audit("a", "refused", "topic", "mac")
    store.audit("a", "refused", "topic", "cbor")
    assert [(event.detail, event.count) for event in store.audit_events()] == [("mac", 5), ("cbor", 1)]


def test_blob_is_stored_once_by_its_digest(store):
    first = store.put_blob(b"abc", "payload")
    assert store.put_blob(b"abc", "payload") == first == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.blob(first) == b"abc" and store.blob("00") is None


def test_log_starts_at_the_newest_lines(store):
    store.add_lines([LogLine(device="one" if i % 2 else "two", counter=i, uptime_ms=i, level=1, text=str(i), received=1.0) for i in range(10)])
    assert [row.text for row in store.lines(store.last_line_ids(3))] == ["7", "8", "9"]
    assert [row.text for row in store.lines(store.last_line_ids(2, "one"), "one")] == ["7", "9"]
    assert store.lines(store.last_line_ids(3, "nobody")) == []


def test_older_rollouts_are_superseded(store):
    add(store, "one")
    numbers = [store.add_rollout(Rollout(module="m", group="g", window_s=0, timeout_s=1, actor="a", created=1.0), {"one": "m"}) for _ in range(2)]
    store.supersede(["one"], numbers[1])
    assert [store.target(number, "one").state for number in numbers] == ["superseded", "queued"]
    assert store.latest_target("one").rollout == numbers[1]


def test_many_writers_wait_for_each_other(store):
    errors = []

    def write(name):
        try:
            for i in range(20):
                store.audit(name, "wrote", str(i))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(store.audit_events()) == 80


def test_other_database_is_refused_in_words(tmp_path):
    (tmp_path / "x.db").write_bytes(b"not a database" * 100)
    with closing(Store(f"sqlite:///{tmp_path}/x.db")) as other, pytest.raises(FleetError, match="not one of this fleet manager"):
        other.check()


@pytest.mark.parametrize(("version", "words"), [("0001", "fleet db upgrade"), ("9999", "newer than this program")])
def test_other_version_is_refused_in_words(store, version, words):
    with store.write() as session:
        session.connection().exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    with pytest.raises(FleetError, match=words):
        store.check()


def test_device_keys_are_encrypted_for_their_board(tmp_path):
    vault = Vault.create(tmp_path / "keys")
    sealed = vault.seal("one", b"k" * 32)
    assert b"kkkk" not in sealed and vault.unseal("one", sealed) == b"k" * 32
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FleetError, match="cannot be decrypted"):
        vault.unseal("two", sealed)
    with pytest.raises(FleetError, match="cannot be decrypted") as caught:
        Vault.create(tmp_path / "others").unseal("one", sealed)
    assert isinstance(caught.value.__cause__, InvalidTag)


def test_missing_or_damaged_key_file_is_named(tmp_path):
    with pytest.raises(FleetError, match="is missing"):
        Vault.open(tmp_path / "nothing")
    (tmp_path / "short").write_bytes(b"123")
    with pytest.raises(FleetError, match="is damaged"):
        Vault.open(tmp_path / "short")


def test_old_lines_go_in_steps_and_new_ones_stay(store, monkeypatch):
    monkeypatch.setattr(care, "PRUNE_AT_ONCE", 3)
    store.add_lines([LogLine(device="one", counter=i, uptime_ms=i, level=1, text=str(i), received=float(i)) for i in range(10)])
    assert store.prune(8.0, None) == {"logs": 8, "readings": 0}
    assert [row.text for row in store.lines()] == ["8", "9"]
    assert store.prune(8.0, 8.0) == {"logs": 0, "readings": 0}


def test_export_has_all_rows_and_no_secrets(store):
    add(store, "one")
    store.add_lines([LogLine(device="one", counter=1, uptime_ms=2, level=1, text="hello", received=1.0)])
    assert [row["text"] for row in store.export("logline")] == ["hello"]
    assert [set(row) & {"sealed_key"} for row in store.export("device")] == [set()]
    assert {"device", "logline", "rollout", "auditevent", "token"} <= set(store.tables())

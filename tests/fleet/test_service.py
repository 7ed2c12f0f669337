"""The service's loop without a broker: boards that vanish while it works do not stop it."""

from types import SimpleNamespace

import pytest

from fleet.model import LogLine, Reading
from fleet.rollout import Send
from fleet.service import PRUNE_EVERY_S, Service
from fleet.vault import Vault
from tests.fleet.desk import DeadBus


@pytest.fixture
def service(quiet):
    """A service on a fleet with two boards and a queued push; its clock is `service.time.now`."""
    for name in ("one", "two"):
        quiet.ok("device", "add", name, "--group", "greenhouse")
    quiet.ok("push", quiet.module(), "--group", "greenhouse", "--waves", "100%")
    time = SimpleNamespace(now=1000.0)
    made = Service(quiet.store(), Vault.open(quiet.home.key_file), DeadBus(), clock=lambda: time.now)
    made.time, made.site = time, quiet
    return made


def test_first_step_sends_the_queued_orders(service):
    service.step()
    assert sorted(topic for topic, _, _, _ in service.bus.sent) == ["f/1/one/desired", "f/1/two/desired"]
    assert all(payload and qos == 1 and retain for _, payload, qos, retain in service.bus.sent)


def test_orders_of_a_removed_board_are_withdrawn(service):
    service.step()
    service.site.ok("device", "remove", "one", "--yes")
    service.time.now += 1
    service.step()
    assert service.bus.sent[-1] == ("f/1/one/desired", b"", 1, True)
    assert [row.device for row in service.store.all_desired()] == ["two"]


def test_board_removed_before_its_turn_gets_no_order(service):
    row = service.store.rollout(1)
    service.store.remove_device("one")
    with service.store.write():
        orders = service.orders._send(row, Send(("one", "two")), service.time.now)
    assert [order.device for order in orders] == ["two"]


def test_new_connection_publishes_everything_again(service):
    service.step()
    service.bus.sent.clear()
    service.bus.events.put(("up",))
    service.step()
    assert sorted(topic for topic, _, _, _ in service.bus.sent) == ["f/1/one/desired", "f/1/two/desired"]


def rename_table(store, old, new):
    """Take a table away from the service, or give it back."""
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
        connection.commit()


def test_database_errors_do_not_end_the_loop(service, caplog):
    rename_table(service.store, "target", "elsewhere")
    service.step()
    assert "the database failed" in caplog.text and not service.bus.sent
    rename_table(service.store, "elsewhere", "target")
    service.time.now += 1
    service.step()
    assert len(service.bus.sent) == 2


def test_what_was_kept_long_enough_goes_by_itself(service):
    """[retention] in fleet.toml, in days, is heeded at the start and then once an hour; the audit log stays."""
    path = service.site.home.settings_path
    path.write_text(path.read_text().replace("logs_days = 30", "logs_days = 1").replace("telemetry_days = 30", "telemetry_days = 0"))
    made = Service(
        service.store, Vault.open(service.site.home.key_file), DeadBus(), clock=lambda: service.time.now, keep_s=service.site.home.retention()
    )
    row = {"device": "one", "counter": 1, "uptime_ms": 1}
    for received in (100.0, 100_000.0):
        service.store.add_lines([LogLine(text=str(received), level=1, received=received, **row)])
        service.store.add_readings([Reading(name="t", value_int=1, scale=0, received=received, **row)])
    events = len(service.store.audit_events())

    def left(now):
        service.time.now = now
        made.step()
        return [line["received"] for line in service.site.ok("logs", "-o", "json").json], len(service.store.readings())

    assert left(100_001.0) == ([100_000.0], 2)  # older than a day goes; telemetry_days 0 keeps all
    assert left(100_001.0 + 86_400 - 60) == ([100_000.0], 2)
    assert left(100_001.0 + 86_400 + PRUNE_EVERY_S) == ([], 2)
    assert len(service.store.audit_events()) >= events

"""Freeze: a broker that shows the old order for ever can't be noticed by the board, but is by the service, from authentic reports."""

import time
from contextlib import closing

import pytest

from fleet import freshness
from fleet.intake import Intake
from fleet.model import Deployment, Device
from fleet.store import Store
from mpwasm.wire import topics
from tests.security.conftest import GOOD


@pytest.fixture
def service(tmp_path, fleet):
    """The service's intake and watch over a store in which the board is known: (store, hear(now) what the board said last)."""

    class Plain:
        def unseal(self, device, sealed):
            return sealed

    with closing(Store(f"sqlite:///{tmp_path}/fleet.db")) as store:
        store.create()
        store.add_device(Device(id="b1", home_group="g", sealed_key=fleet.device_key, state="ready", created=1.0))
        intake = Intake(store, Plain())

        def hear(now):
            intake.take([(topics.topic("b1", "reported"), fleet.broker.retained["f/1/b1/reported"])], now)

        yield store, hear


def order(store, seq, created):
    fields = {"rollout": 1, "module": "m", "document": "d", "document_size": 1, "key_list": 1, "window_s": 0, "nonce": bytes(8)}
    store.add_deployments([Deployment(device="b1", seq=seq, created=created, **fields)])


def found(store):
    return [event.detail for event in store.audit_events("not fresh")]


def test_orders_withheld_are_seen_by_the_service(board, fleet, service):
    store, hear = service
    now = time.time()
    hear(now)
    freshness.Watch(store).look(now)
    assert found(store) == []
    fleet.broker.tamper = lambda topic, payload: [] if topic.endswith("desired") else [payload]
    fleet.push(GOOD, name="good", version="2", counter=6)
    order(store, fleet.seq, now + 1)
    board.unmoved()
    freshness.Watch(store).look(now + 30)
    assert found(store) == [], "an order may take a while"
    board.speak()
    hear(now + 100)
    freshness.Watch(store).look(now + 101)
    assert found(store) == ["behind"]


def test_reports_withheld_are_seen_by_the_service(board, fleet, service):
    store, hear = service
    now = time.time()
    hear(now)
    freshness.Watch(store).look(now + 190)
    assert found(store) == []
    hear(now + 250)  # the broker shows the same report again
    freshness.Watch(store).look(now + 251)
    assert found(store) == ["silent"]


def test_without_counters_a_report_shown_again_hides_the_freeze(board, fleet, service, monkeypatch):
    store, hear = service
    now = time.time()
    hear(now)
    monkeypatch.setattr("fleet.intake._fresh", lambda mark, read: True)
    hear(now + 250)
    freshness.Watch(store).look(now + 251)
    assert found(store) == []

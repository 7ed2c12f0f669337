"""Broker compromise: who owns the broker reads, drops and repeats; he starts nothing, stops nothing, and is believed nothing."""

import os
from contextlib import closing

import pytest

from fleet.intake import Intake
from fleet.model import Device
from fleet.store import Store
from mpwasm.wire import cbor, mac, report, topics
from tests.fakes.fleet import wait

NAMES = ("desired", "blk", "cmd", "reported", "state", "get", "log", "tele")


@pytest.fixture
def intake(tmp_path, fleet):
    """The service's judge of what boards say, with its store."""

    class Plain:
        def unseal(self, device, sealed):
            return sealed

    with closing(Store(f"sqlite:///{tmp_path}/fleet.db")) as store:
        store.create()
        store.add_device(Device(id="b1", home_group="g", sealed_key=fleet.device_key, state="ready", created=1.0))
        yield Intake(store, Plain()), store


def forged(key):
    """A report that says that the board runs something else, sealed with `key`."""
    part = report.ComponentReport(state="confirmed", name="evil", version="6.6.6")
    told = {"seq": 99, "components": [part], "boot_id": bytes(8), "counter": 1, "boots": 99, "free_heap": 1, "abi": 1, "nonce": bytes(8), "floor": 0}
    body = report.Report(keys_version=1, port="rp2", firmware="f", agent="a", min_free_heap=1, **told)
    return mac.seal_mac(key, topics.topic("b1", "reported"), body.encode())


def test_garbage_and_replays_on_every_topic(board, fleet):
    recorded = [fleet.desired, fleet.broker.retained["f/1/b1/reported"]]
    for name in NAMES:
        for payload in [*recorded, b"", os.urandom(40), bytes(1900), cbor.encode([1, 2, 3])]:
            fleet.broker.publish("f/1/b1/" + name, payload)
    board.unmoved()
    assert board.agent.dead is None and board.agent.resets == 0


def test_a_broker_that_is_no_mqtt_broker(board, fleet):
    for data in (b"\x00\x00", b"\xf0\x00", os.urandom(64), b"\x20\x02\x00\x00", b"\x30\x03\x00\x05a"):
        connects = fleet.broker.connects
        fleet.broker.raw(data)
        wait(lambda seen=connects: fleet.broker.connects > seen)
    board.unmoved()


def test_a_broker_that_acknowledges_nothing(board, fleet):
    session, ring = board.supervisor.link.session, board.supervisor.log.lines
    fleet.broker.withhold_puback = True
    for _ in range(20):
        fleet.broker.publish("f/1/b1/desired", b"garbage")
    wait(lambda: session.inflight == 8 and ring.dropped)
    board.rest()
    assert session.inflight == 8 and len(ring.entries) == ring.limit and board.running
    fleet.broker.withhold_puback = False
    fleet.broker.cut()
    board.unmoved()


def test_forged_and_altered_reports_are_not_believed(board, fleet, intake):
    judge, store = intake
    topic = topics.topic("b1", "reported")
    true = fleet.broker.retained[topic]
    judge.take([(topic, forged(mac.derive(os.urandom(32), b"report")))], 1.0)
    judge.take([(topic, true[:-1] + bytes([true[-1] ^ 1]))], 1.0)
    assert store.report("b1") is None
    judge.take([(topic, true)], 1.0)
    assert store.report("b1").seq == board.seq


def test_what_boards_show_the_broker_signs_nothing(board, fleet):
    """The MQTT password that a broker learns is another key than those that authenticate."""
    password = fleet.broker.sessions[0].password
    for label in (b"desired", b"cmd", b"report", b"cache"):
        assert mac.derive(fleet.device_key, label).hex().encode() != password
    fleet.push(b"", manifest=fleet.blobs[fleet.component.manifest], key=bytes.fromhex(password.decode()))
    board.ignores("desired refused: mac")


def test_without_the_tag_forged_reports_are_believed(board, intake, monkeypatch):
    judge, store = intake
    monkeypatch.setattr(mac, "equal", lambda one, other: True)
    judge.take([(topics.topic("b1", "reported"), forged(bytes(32)))], 1.0)
    assert store.components()["b1"][0].name == "evil"

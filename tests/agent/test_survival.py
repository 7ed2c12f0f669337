"""What the agent outlives: brokers, restarts, silence, garbage, guests that never return, flash that isn't what it was."""

import os
import random
import time

from mpwasm.wire.mac import derive, seal_mac
from tests.agent.chip import another_life
from tests.agent.test_update import NEW, OLD, confirm, refused, running
from tests.fakes.engine import program
from tests.fakes.fleet import wait

TOPICS = ("desired", "blk", "cmd", "reported", "state", "get", "log", "tele", "nonsense")


def big(*lines):
    """A module of some 40 KiB."""
    return program(*lines, "again") + b"\n" + os.urandom(20000).hex().encode()


def test_presence(online, fleet):
    assert fleet.states == ["init", "ready"]
    fleet.broker.cut()
    wait(lambda: fleet.states[2:] == ["lost", "init", "ready"])
    session = fleet.broker.sessions[0]
    assert session.user == session.client_id == "b1" and session.password == b"".join(b"%02x" % b for b in derive(fleet.device_key, b"mqtt"))
    assert session.topics == {"f/1/b1/desired", "f/1/b1/blk", "f/1/b1/cmd"}


def test_broker_killed_in_mid_transfer(online, fleet):
    confirm(fleet, OLD, name="old")
    payload = big("log big", "sleep 20")

    def answer(payloads):
        if len(payloads) > 8:
            fleet.answer = lambda all: all
            fleet.broker.stop()
            return []
        return payloads

    fleet.answer = answer
    seq = fleet.push(payload, name="big")
    wait(lambda: not fleet.broker.sessions)
    running_at = online.last_turn
    wait(lambda: online.last_turn > running_at + 0.3)
    fleet.broker.start()
    wait(lambda: fleet.said("confirmed", seq=seq))
    running(fleet, "big")


def test_agent_restarted_in_mid_transfer_resumes(online, fleet, monkeypatch):
    confirm(fleet, OLD, name="old")
    payload = big("log big", "sleep 20")
    served = []

    def answer(payloads):
        if len(payloads) < 3:
            return payloads
        served.append(len(payloads))
        return payloads if len(served) == 1 else []

    fleet.answer = answer
    seq = fleet.push(payload, name="big")
    wait(lambda: len(served) == 2)
    online.stop()
    fleet.answer = lambda payloads: served.append(len(payloads)) or payloads
    online.start()
    wait(lambda: fleet.said("confirmed", seq=seq))
    blocks = (len(payload) + 1023) // 1024
    assert sum(n for n in served[2:] if n > 1) <= blocks - 8, (served, blocks)
    running(fleet, "big")


def test_restart_runs_the_confirmed_module_before_the_broker_is_there(online, fleet):
    confirm(fleet, NEW)
    online.stop()
    fleet.broker.stop()
    online.start()
    wait(lambda: (15, 1) in online.hardware.levels)
    fleet.broker.start()
    wait(lambda: fleet.said("confirmed") and fleet.reports[-1].boots == 2)
    running(fleet, "new")


def test_garbage_on_every_topic(online, fleet):
    confirm(fleet, OLD, name="old")
    dice = random.Random(1)
    for name in TOPICS:
        for size in (0, 1, 7, 40, 300, 1500):
            fleet.broker.publish("f/1/b1/" + name, dice.randbytes(size))
            fleet.broker.publish("f/1/other/" + name, dice.randbytes(size))
    for item in (b"\xff" * 50, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x5a\x7f\xff\xff\xff", b"\xa1\x00\x00", b"\xd2" * 200):
        for session in fleet.broker.sessions:
            for name in ("desired", "blk", "cmd"):
                session.deliver("f/1/b1/" + name, item)
            session.deliver("\u20ac/+", item)
    running(fleet, "old")
    confirm(fleet, NEW)
    assert fleet.component.name == "sensor"


def test_authentic_nonsense_on_desired(online, fleet):
    confirm(fleet, OLD, name="old")
    where = "f/1/b1/desired"
    for payload in (b"", b"\x80", b"\x81\x40", b"\x85\x18\x63\x40\x00\x00\x40", os.urandom(50)):
        fleet.broker.publish(where, seal_mac(derive(fleet.device_key, b"desired"), where, payload))
    wait(lambda: len([t for t in fleet.texts() if "desired refused: cbor" in t]) == 5)
    assert fleet.reports[-1].seq == fleet.seq and online.supervisor.updater.order == 99
    running(fleet, "old")


def test_bytes_that_are_no_mqtt(online, fleet):
    confirm(fleet, OLD, name="old")
    for data in (b"\x00" * 20, b"\xff" * 20, b"\x30\xff\xff\xff\xff\xff", b"\x36\x05\x00\x01a\x00\x00", b"\x20\x02\x00\x00"):
        connects = fleet.broker.connects
        fleet.broker.raw(data)
        wait(lambda n=connects: fleet.broker.connects > n and fleet.broker.sessions)
        wait(lambda: online.supervisor.link.ready)
    running(fleet, "old")


def test_a_guest_that_never_returns(online, fleet):
    confirm(fleet, program("log spinning", "loop"))
    reports = len(fleet.reports)
    where = "f/1/b1/desired"
    start = time.monotonic()
    fleet.broker.publish(where, b"anything")
    wait(lambda: len(fleet.reports) > reports)
    assert time.monotonic() - start < 2
    confirm(fleet, OLD, name="old")
    running(fleet, "old")


def test_a_bug_in_a_host_function_ends_the_guest_only(online, fleet):
    confirm(fleet, program("log x", "sleep 300", "crash"))
    wait(lambda: fleet.said("failed", "internal"))
    confirm(fleet, OLD, name="old")


def test_trap_of_a_confirmed_guest_is_reported(online, fleet):
    seq = confirm(fleet, program("log x", "sleep 300", "trap"))
    wait(lambda: fleet.said("failed", "trap", seq))
    assert "3+14" in fleet.component.detail
    confirm(fleet, OLD, name="old")
    seq = confirm(fleet, program("sleep 200", "trap"), name="again")
    wait(lambda: fleet.said("failed", "trap", seq))


def test_a_guest_that_ends_well_stays_confirmed(online, fleet):
    confirm(fleet, program("log bye", "exit 0"))
    wait(lambda: "guest ended" in fleet.texts())
    assert fleet.said("confirmed") and "bye" in fleet.texts()


def test_a_silent_fleet_is_a_failure_that_is_tried_again(online, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.agent.tasks._STALL_MS", 400)
    monkeypatch.setattr("mpwasm.wire.staging._FIRST_RETRY_MS", 300)
    monkeypatch.setattr("mpwasm.wire.blocks._TIMEOUT_MS", 100)
    confirm(fleet, OLD, name="old")
    fleet.serving = False
    seq = fleet.push(NEW)
    wait(lambda: fleet.said("failed", "timeout", seq))
    running(fleet, "old")
    fleet.serving = True
    wait(lambda: fleet.said("confirmed", seq=seq))


def test_newer_desired_replaces_an_update_under_way(online, fleet):
    confirm(fleet, OLD, name="old")
    fleet.serving = False
    fleet.push(big("log big", "sleep 20"), name="big")
    wait(lambda: fleet.component.state == "check")
    fleet.serving = True
    confirm(fleet, NEW)
    running(fleet, "new")


def test_forged_journal_starts_nothing_and_is_said(online, fleet):
    confirm(fleet, OLD, name="old")
    online.stop()
    path = online.root / "state" / "journal"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    online.start()
    wait(lambda: "journal lost" in fleet.texts())
    wait(lambda: fleet.said("confirmed") and fleet.reports[-1].boots == 2)
    running(fleet, "old")


def test_altered_module_on_flash_is_not_started(online, fleet):
    confirm(fleet, OLD, name="old")
    online.stop()
    for path in (online.root / "state").iterdir():
        if len(path.name) == 32:
            path.write_bytes(path.read_bytes().replace(b"old", b"bad"))
    fleet.lines.clear()
    online.start()
    wait(lambda: fleet.said("failed", "digest"))
    time.sleep(0.2)
    assert "bad" not in fleet.texts()
    confirm(fleet, NEW)


def test_altered_spec_on_flash_is_not_used(online, fleet):
    confirm(fleet, OLD, name="old")
    online.stop()
    (path,) = (online.root / "state").glob("*.spec")
    path.write_bytes(path.read_bytes().replace(b"gpio:15", b"gpio:16"))
    online.start()
    wait(lambda: fleet.said("failed", "digest"))


def test_nothing_is_left_on_flash_but_the_module(online, fleet):
    confirm(fleet, OLD, name="old")
    confirm(fleet, NEW)
    names = sorted(path.name for path in (online.root / "state").iterdir())
    assert sorted(len(name) for name in names) == [5, 7, 32, 37], names


def test_power_lost_on_trial_counts_tries_then_rolls_back(online, fleet):
    confirm(fleet, OLD, name="old")
    seq = fleet.push(NEW, confirm_s=60, tries=2)
    for boot in (2, 3):
        wait(lambda: fleet.said("trial", seq=seq))
        online.stop()
        online.start()
        wait(lambda n=boot: fleet.reports[-1].boots == n)
    refused(fleet, seq, "timeout", "rolled-back")


def test_three_deaths_start_no_guest(online, fleet):
    confirm(fleet, OLD, name="old")
    online.stop()
    online.start(crashes=3)
    wait(lambda: "safe mode: no guest started" in fleet.texts())
    assert not online.supervisor.guests
    confirm(fleet, NEW)
    running(fleet, "new")


def test_lines_dropped_while_offline_show_as_a_gap(online, fleet):
    confirm(fleet, program("log tick", "sleep 5", "again"))
    running(fleet, "tick")
    fleet.broker.stop()
    before = max(line[0] for line in list(fleet.lines))
    wait(lambda: online.supervisor.log.lines.dropped > 50)
    fleet.broker.start()
    wait(lambda: fleet.lines[-1][0] > before + 50)
    counters = [line[0] for line in list(fleet.lines)]
    assert counters == sorted(counters) and len(counters) == len(set(counters))


def test_broker_that_acknowledges_nothing_or_refuses(online, fleet):
    fleet.broker.withhold_puback = True
    fleet.push(OLD, name="old")
    time.sleep(0.5)
    fleet.broker.withhold_puback = False
    fleet.broker.refuse_connect = 5
    fleet.broker.cut()
    time.sleep(1)
    fleet.broker.refuse_connect = 0
    wait(lambda: fleet.said("confirmed", seq=1))
    running(fleet, "old")


def test_heartbeat_each_minute(online, fleet):
    confirm(fleet, OLD, name="old")
    time.sleep(0.3)
    reports = len(fleet.reports)
    online.hardware.skip_ms += 10000
    time.sleep(0.3)
    assert len(fleet.reports) == reports
    online.hardware.skip_ms += 50000
    wait(lambda: len(fleet.reports) == reports + 1)
    assert fleet.reports[-1].counter > fleet.reports[-2].counter


def test_a_bug_in_the_update_path_leaves_agent_and_guest_alone(online, fleet, monkeypatch):
    confirm(fleet, OLD, name="old")
    from mpwasm.agent.install import Install

    def broken(self):
        raise RuntimeError("bug")

    monkeypatch.setitem(Install._DO, "measure", broken)
    fleet.push(NEW)
    wait(lambda: fleet.said("failed", "internal"))
    running(fleet, "old")


def test_a_module_too_big_for_the_heap(online, fleet):
    confirm(fleet, OLD, name="old")
    seq = fleet.push(program("nomem"))
    another_life(online)  # where the heap is whole
    refused(fleet, seq, "no-memory")


def test_flash_that_is_full_is_a_failure_tried_again(online, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.wire.staging._FIRST_RETRY_MS", 300)
    confirm(fleet, OLD, name="old")
    from mpwasm.agent.store import Store

    good = Store.write_part

    def full(self, offset, data):
        raise OSError(28)

    monkeypatch.setattr(Store, "write_part", full)
    seq = fleet.push(NEW)
    wait(lambda: fleet.said("failed", "timeout", seq))
    running(fleet, "old")
    monkeypatch.setattr(Store, "write_part", good)
    wait(lambda: fleet.said("confirmed", seq=seq))

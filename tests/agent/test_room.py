"""Memory that only a restart gives, as on an ESP32: what lacks some gets one restart, for that alone; the network's share is kept from the heap.

The agent's own code; engine and chip are those of `chip`.
"""

import gc
import sys
from hashlib import sha256

from mpwasm.agent import launch, making, room, tasks
from mpwasm.native import importer
from tests.agent.chip import SIZE, another_life, executor, push
from tests.fakes.engine import program
from tests.fakes.fleet import wait


def test_what_fits_starts_and_the_report_says_how_much_is_left(chip, online, fleet):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    executor(fleet, push(fleet, chip, "two", 3000), "native, 4000 B left")
    assert online.resets == 0


def test_what_lacks_room_gets_it_by_one_restart_that_costs_no_try(chip, online, fleet):
    executor(fleet, push(fleet, chip, "one", 6000), "native, 4000 B left")
    seq = push(fleet, chip, "two", 6000, tries=1)
    assert another_life(online, chip) == 0
    executor(fleet, seq, "native, 4000 B left")
    assert online.resets == 1 and fleet.component.name == "two"
    wait(lambda: "restarted to start, executable memory 10000 B in one piece" in [line[3] for line in fleet.lines])


def test_a_board_that_dies_fast_is_still_seen(chip, online, fleet):
    """A restart for memory neither counts as a fast death nor hides those before."""
    executor(fleet, push(fleet, chip, "one", 6000), "native, 4000 B left")
    online.supervisor.crashes = 3
    seq = push(fleet, chip, "two", 6000)
    assert another_life(online, chip) == 3  # safe mode, but what the restart was for is started
    executor(fleet, seq, "native, 4000 B left")


def test_what_never_fits_runs_without_machine_code_at_once(chip, online, fleet):
    executor(fleet, push(fleet, chip, "one", SIZE + 1), "plain: executable memory: wanted 10001, free 10000")
    assert online.resets == 0


def executors(agent):
    """What runs the guest in each slot."""
    guests = agent.supervisor.guests
    return [guests[slot].executor for slot in sorted(guests)]


def test_modules_share_the_room(chip, online, fleet):
    """Two fit; the third doesn't even after a restart, and runs plain beside them."""
    first, second = (program(f"log {name}", "sleep 50", "again") for name in "ab")
    third = program("log c", "sleep 50", "again")
    chip.sizes = {sha256(payload).digest(): 4000 for payload in (first, second, third)}
    beside = [fleet.manifest(payload, name=f"m{slot}", slot=slot) for slot, payload in enumerate((first, second))]
    for payload in (first, second, third):
        fleet.add(payload)
    seq = fleet.aim(beside[1], beside=beside[:1], slot=1)
    wait(lambda: fleet.said("confirmed", seq=seq))
    wait(lambda: executors(online) == ["native, 6000 B left", "native, 2000 B left"])
    seq = fleet.aim(fleet.manifest(third, name="m2", slot=2), beside=beside, slot=2)
    another_life(online, chip)
    wait(lambda: fleet.said("confirmed", seq=seq))
    wait(lambda: executors(online) == ["native, 6000 B left", "native, 2000 B left", "plain: executable memory: wanted 4000, free 2000"])
    assert online.resets == 1


def in_vain(agent, chip, fleet, most):
    """Push a module for which a restart seems to make room but doesn't; how often the board restarts, at `most`."""
    executor(fleet, push(fleet, chip, "one", 6000), "native, 4000 B left")
    chip.grown = 9000
    seq = push(fleet, chip, "two", 6000)
    for restarts in range(1, most + 1):
        another_life(agent, chip)
        if wait(lambda: fleet.said("confirmed", seq=seq) or not agent.thread.is_alive()) and agent.thread.is_alive():
            return restarts
    return most


def test_a_restart_in_vain_is_not_repeated(chip, online, fleet):
    assert in_vain(online, chip, fleet, 4) == 1
    wait(lambda: fleet.reports[-1].executor == "plain: executable memory: wanted 6000, free 1000")
    assert not (online.root / "state" / "room").exists()


def test_it_would_restart_for_ever_without_its_note(chip, online, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.agent.store.Store.take", lambda store, name: b"")
    assert in_vain(online, chip, fleet, 4) == 4
    another_life(online, chip)
    wait(lambda: not online.thread.is_alive())


def test_a_heap_in_pieces_is_whole_after_one_restart(chip, online, fleet):
    chip.heap_full = lambda: True
    seq = push(fleet, chip, "one", 6000)
    wait(lambda: not online.thread.is_alive())
    chip.heap_full = lambda: False
    another_life(online, chip)
    executor(fleet, seq, "native, 4000 B left")


def scattered(agent, chip, fleet, full=None):
    """Push a module whose pieces the heap doesn't hold once what decides on updates is loaded, or while it is `full`."""
    chip.heap_full = full or (lambda: agent.supervisor.updater.install is not None)
    seq = push(fleet, chip, "one", 6000)
    another_life(agent, chip)
    return seq


def test_a_life_for_a_module_begins_with_it(chip, online, fleet):
    executor(fleet, scattered(online, chip, fleet), "native, 4000 B left")
    assert online.resets == 1 and online.supervisor.updater.early is None


def test_what_a_life_begins_with_ends_if_nothing_shall_be_started(chip, online, fleet):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    online.stop()
    (online.root / "state" / "room").write_bytes(b" " + online.supervisor.updater.wanted)
    count = len(fleet.reports)
    online.start(3)
    wait(lambda: len(fleet.reports) > count)
    assert chip.loads == 2 and not online.supervisor.guests


def test_what_leaves_no_heap_to_decide_in_is_not_started_at_once(chip, online, fleet, monkeypatch):
    free = lambda: 40000 if any(guest.inst for guest in online.supervisor.guests.values()) else 90000  # noqa: E731
    monkeypatch.setattr(gc, "mem_free", free, raising=False)
    monkeypatch.setattr(gc, "mem_alloc", lambda: 50000, raising=False)
    executor(fleet, scattered(online, chip, fleet, lambda: online.supervisor.updater.life == ""), "plain: executable memory: wanted 6000, free 4000")
    wait(lambda: "not at once: heap: wanted 40960, free 40000" in fleet.texts())
    assert online.resets == 1


def test_it_would_be_refused_otherwise(chip, online, fleet, monkeypatch):
    monkeypatch.setattr(launch, "first", lambda *_arguments: None)
    seq = scattered(online, chip, fleet)
    wait(lambda: fleet.said("rejected", "no-memory", seq))


def test_a_heap_that_stays_full_refuses_after_one_restart(chip, online, fleet):
    chip.heap_full = lambda: True
    seq = push(fleet, chip, "one", 6000)
    another_life(online, chip)
    wait(lambda: fleet.said("rejected", "no-memory", seq))
    assert online.resets == 1


def test_a_start_that_breaks_does_not_keep_the_board_from_the_network(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    online.stop()
    monkeypatch.setattr(launch, "task", lambda *_arguments: 1 // 0)
    count = len(fleet.reports)
    online.start()
    wait(lambda: len(fleet.reports) > count)
    assert online.supervisor.updater.pin == () and not chip.keeps()


def test_the_heap_can_not_have_the_networks_share_while_an_update_is_heavy(chip, online, fleet, monkeypatch):
    seen = {}
    for place, name in ((tasks, "verify"), (making, "image"), (importer, "load")):
        monkeypatch.setattr(place, name, spied(seen, name, getattr(place, name), chip))
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    assert seen == {"verify": {True}, "image": {True}, "load": {True}}
    assert chip.held and not chip.keeps()


def test_it_would_have_it_otherwise(chip, online, fleet, monkeypatch):
    seen = {}
    monkeypatch.setattr("mpwasm.agent.room.hold", lambda: None)
    monkeypatch.setattr(importer, "load", spied(seen, "load", importer.load, chip))
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    assert seen == {"load": {False}}


def test_what_is_left_of_the_networks_share_is_held(chip, monkeypatch):
    sizes = []
    monkeypatch.setattr(sys.modules["_thread"], "stack_size", sizes.append)
    for left in (20000, 10240):
        network(chip, monkeypatch, lambda left=left: left)
        assert room.hold()
    assert sizes == [12288, 0, 10240 - 512, 0]


def network(chip, monkeypatch, left):
    """Let what the heap has not taken be `left()` bytes in one piece."""
    monkeypatch.setattr(room.esp32, "idf_heap_info", lambda kind: [(SIZE, SIZE, left() if kind == 2 else chip.free(), 0)])


def starving(agent, chip, fleet, monkeypatch):
    """A board that has an order behind it loses the broker, and with it nearly all memory of the network, for two minutes."""
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    network(chip, monkeypatch, lambda: 4000 if agent.supervisor.link.ready else 700)
    fleet.broker.stop()
    wait(lambda: not agent.supervisor.link.ready)
    agent.hardware.skip_ms = 121000


def test_a_network_that_the_heap_leaves_nothing_gets_it_by_a_restart(chip, online, fleet, monkeypatch):
    starving(online, chip, fleet, monkeypatch)
    wait(lambda: not online.thread.is_alive())
    network(chip, monkeypatch, lambda: 4000)
    fleet.broker.start()
    count = len(fleet.reports)
    another_life(online, chip)
    wait(lambda: len(fleet.reports) > count and fleet.reports[-1].executor == "native, 7000 B left")
    assert online.resets == 1


def test_a_connection_that_is_lost_while_the_networks_share_is_held_ends_no_update(chip, online, fleet, monkeypatch):
    network(chip, monkeypatch, lambda: 500 if chip.keeps() else 4000)
    real = tasks.verify

    def verify(*arguments):
        online.supervisor.link.transport.close()
        while online.supervisor.link.ready:
            yield 0
        yield 0
        return (yield from real(*arguments))

    monkeypatch.setattr(tasks, "verify", verify)
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    assert online.resets == 0


def spied(seen, name, real, chip):
    """`real`, noting under its name whether memory was kept from the heap when it was called."""

    def call(*arguments):
        seen.setdefault(name, set()).add(chip.keeps())
        return real(*arguments)

    return call

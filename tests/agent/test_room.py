"""Memory that only a restart gives, as on an ESP32: what lacks some gets one restart, for that alone; the network's share is kept from the heap.

The agent's own code, its engine and the loader of machine code are stand-ins; a module takes as many bytes of executable memory as it is said to.
"""

import gc
import sys
import threading
import types
from hashlib import sha256

import pytest

from mpwasm.agent import images, launch, making, room, tasks
from mpwasm.native import importer, targets
from mpwasm.wire.topics import topic
from tests.fakes.engine import load_module, program
from tests.fakes.fleet import wait

SIZE = 10000
WINDOW = 0, 16, 64


class Chip:
    """The executable memory of a board: `used` bytes since it started, `grown` that its heap takes with each start; images survive in `made`."""

    def __init__(self):
        self.sizes, self.made = {}, set()
        self.used = self.grown = self.loads = 0
        self.heap_full = False
        self.makes = lambda: True  # whether the heap is large enough to make an image
        self.held = []  # a row for each thread that keeps memory from the heap: its lock

    def free(self):
        return max(0, SIZE - self.used)

    def load(self, file):
        """What `importer.load` does."""
        self.used += self.grown
        size = self.sizes[file.digest]
        if self.heap_full or size > self.free():
            raise MemoryError(f"memory allocation failed, allocating {size} bytes")
        self.used += size
        self.loads += 1
        return None, file

    def opened(self, store, digest, target):
        if digest not in self.made:
            return None, None
        file = open(store.path(digest), "rb")
        return WINDOW, types.SimpleNamespace(digest=digest, close=file.close, file=file)

    def image(self, store, digest, module, target):
        yield 50
        if not self.makes():
            return "no-memory, wanted 512, largest free 400"
        self.made.add(digest)
        return ""

    def keeps(self):
        """Whether a thread's stack keeps memory from the heap now."""
        return any(lock.locked() for lock in self.held)

    def thread(self):
        """A `_thread` whose threads are only noted."""
        made = types.ModuleType("_thread")
        made.allocate_lock = threading.Lock
        made.stack_size = lambda size: None
        made.start_new_thread = lambda function, arguments: self.held.append(function.__self__)
        return made


@pytest.fixture
def chip(monkeypatch):
    chip = Chip()
    esp32 = types.ModuleType("esp32")
    esp32.HEAP_EXEC = 1
    esp32.HEAP_DATA = 2
    esp32.idf_heap_info = lambda kind: [(SIZE, chip.free(), chip.free() if kind == 1 else 4000, 0), (99, 9, 9, 9)]
    monkeypatch.setattr(room, "esp32", esp32)
    monkeypatch.setitem(sys.modules, "_thread", chip.thread())
    monkeypatch.setattr(gc, "threshold", lambda size: None, raising=False)
    monkeypatch.setitem(sys.modules, "mpwasm.native.board", types.ModuleType("mpwasm.native.board"))
    monkeypatch.setattr(targets, "target", lambda: (targets.XTENSAWIN, 3))
    monkeypatch.setattr(images, "opened", chip.opened)
    monkeypatch.setattr(making, "image", chip.image)
    monkeypatch.setattr(importer, "load", chip.load)
    monkeypatch.setattr(importer, "restore", lambda file: load_module(file.file))
    monkeypatch.setattr(launch, "_instantiate", instantiate(launch._instantiate))
    monkeypatch.setattr("tests.agent.conftest.Machine.soft_reset", lambda self: self.reset(), raising=False)
    return chip


def instantiate(real):
    """`launch._instantiate` with the stand-in for the engine also where code is given."""
    return lambda guest, spec, module, window, code: real(guest, spec, module, window, None)


def push(fleet, chip, name, size, **fields):
    """Push a module whose machine code takes `size` bytes; its number."""
    payload = program(f"log {name}", "sleep 50", "again")
    chip.sizes[sha256(payload).digest()] = size
    return fleet.push(payload, name=name, **fields)


def another_life(agent, chip):
    """Once the board has restarted, start it as main.py does; how often it has died fast."""
    wait(lambda: not agent.thread.is_alive())
    chip.used = 0
    count = agent.root / "state" / "crashes"
    died = int(count.read_text()) if count.exists() else 0
    count.write_text(str(died + 1))
    agent.start(died)
    return died


def executor(fleet, seq, words):
    """Wait until `seq` is confirmed and its report says that its executor is `words`."""
    wait(lambda: fleet.said("confirmed", seq=seq))
    wait(lambda: fleet.reports[-1].executor == words)


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
    chip.heap_full = True
    seq = push(fleet, chip, "one", 6000)
    wait(lambda: not online.thread.is_alive())
    chip.heap_full = False
    another_life(online, chip)
    executor(fleet, seq, "native, 4000 B left")


def test_a_heap_that_stays_full_refuses_after_one_restart(chip, online, fleet):
    chip.heap_full = True
    seq = push(fleet, chip, "one", 6000)
    another_life(online, chip)
    wait(lambda: fleet.said("rejected", "no-memory", seq))
    assert online.resets == 1


def test_an_image_is_made_in_a_life_before_the_network(chip, online, fleet):
    chip.makes = lambda: online.supervisor.updater.life == "make"
    seq = push(fleet, chip, "one", 3000, tries=1)
    wait(lambda: not online.thread.is_alive())
    ready = len(fleet.states)
    assert another_life(online, chip) == 0  # the life to make it, which no broker sees
    wait(lambda: not online.thread.is_alive())
    assert len(chip.made) == 1 and not online.supervisor.guests[0].inst and len(fleet.states) <= ready + 1  # the will of the life before
    another_life(online, chip)
    executor(fleet, seq, "native, 7000 B left")
    wait(lambda: any("restarted to start" in text for text in fleet.texts()))
    assert online.resets == 2


def made_in_vain(agent, chip, fleet):
    """Push a module of which no life can make an image; it runs all the same, and then the power comes again."""
    chip.makes = lambda: False
    seq = push(fleet, chip, "one", 3000)
    for _ in range(2):
        another_life(agent, chip)
    executor(fleet, seq, "plain: no-memory, wanted 512, largest free 400")
    agent.stop()
    agent.start()


def test_what_can_not_be_made_gets_one_life_for_it(chip, online, fleet):
    made_in_vain(online, chip, fleet)  # nothing is tried anew
    wait(lambda: online.supervisor.guests and online.supervisor.guests[0].executor.startswith("plain"))
    assert online.resets == 2


def test_it_would_be_made_for_ever_without_the_mark(chip, online, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.agent.room.untried", lambda updater, what: not updater.life)
    made_in_vain(online, chip, fleet)
    wait(lambda: not online.thread.is_alive())
    assert online.resets == 3


def short_of_memory(monkeypatch, agent):
    """Verifying lacks memory while a guest runs."""
    real = tasks.verify

    def verify(*arguments):
        if any(guest.inst for guest in agent.supervisor.guests.values()):
            raise MemoryError("memory allocation failed, allocating 512 bytes")
        return real(*arguments)

    monkeypatch.setattr(tasks, "verify", verify)


def test_an_update_that_lacks_memory_gets_a_life_without_guests(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    short_of_memory(monkeypatch, online)
    seq = push(fleet, chip, "two", 3000)
    assert another_life(online, chip) == 0
    assert not online.supervisor.guests
    another_life(online, chip)
    executor(fleet, seq, "native, 7000 B left")
    assert online.resets == 2 and fleet.component.name == "two"


def test_an_order_that_lacks_memory_in_every_life_fails_once(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")

    def verify(*_arguments):
        raise MemoryError("memory allocation failed, allocating 512 bytes")

    monkeypatch.setattr(tasks, "verify", verify)
    seq = push(fleet, chip, "two", 3000)
    for _ in range(2):
        another_life(online, chip)
    wait(lambda: fleet.said("failed", "no-memory", seq) and online.supervisor.guests)
    assert online.resets == 2 and online.supervisor.guests[0].executor == "native, 7000 B left"


def test_a_module_that_can_not_be_read_beside_the_network_gets_a_life_for_it(chip, online, fleet):
    seq = fleet.push(program("nomem"))
    for _ in range(2):
        another_life(online, chip)
    wait(lambda: fleet.said("rejected", "no-memory", seq))
    assert online.resets == 2


def test_a_start_that_breaks_does_not_keep_the_board_from_the_network(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    online.stop()
    monkeypatch.setattr(launch, "task", lambda *_arguments: 1 // 0)
    count = len(fleet.reports)
    online.start()
    wait(lambda: len(fleet.reports) > count)
    assert online.supervisor.updater.pin == () and not chip.keeps()


def test_a_life_for_an_update_ends_if_none_comes(chip, online, fleet):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    online.stop()
    (online.root / "state" / "room").write_text("update")
    fleet.broker.publish(topic(fleet.device, "desired"), b"", True)
    online.start()
    online.hardware.skip_ms = 121000
    another_life(online, chip)
    wait(lambda: online.supervisor.guests and online.supervisor.guests[0].inst)


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


def spied(seen, name, real, chip):
    """`real`, noting under its name whether memory was kept from the heap when it was called."""

    def call(*arguments):
        seen.setdefault(name, set()).add(chip.keeps())
        return real(*arguments)

    return call

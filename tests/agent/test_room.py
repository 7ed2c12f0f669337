"""Executable memory that only a soft reset frees, as on an ESP32: a module that lacks it gets it by one restart, or runs without machine code.

The agent's own code, its engine and the loader of machine code are stand-ins; a module takes as many bytes of executable memory as it is said to.
"""

import sys
import types
from hashlib import sha256

import pytest

from mpwasm.agent import images, launch, making, room
from mpwasm.native import importer, targets
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
        self.made.add(digest)
        yield 50
        return ""


@pytest.fixture
def chip(monkeypatch):
    chip = Chip()
    esp32 = types.ModuleType("esp32")
    esp32.HEAP_EXEC = 1
    esp32.idf_heap_info = lambda _kind: [(SIZE, chip.free(), chip.free(), 0), (99, 9, 9, 9)]
    monkeypatch.setattr(room, "esp32", esp32)
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
    wait(lambda: "restarted for executable memory, 10000 B in one piece" in [line[3] for line in fleet.lines])


def test_a_board_that_dies_fast_is_still_seen(chip, online, fleet):
    """A restart for memory neither counts as a fast death nor hides those before."""
    executor(fleet, push(fleet, chip, "one", 6000), "native, 4000 B left")
    online.supervisor.crashes = 2
    push(fleet, chip, "two", 6000)
    assert another_life(online, chip) == 2


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
    monkeypatch.setattr("mpwasm.agent.store.Store.take", lambda store, name: False)
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

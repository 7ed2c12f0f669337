"""A board on which some memory is of its own kind, and given by a restart only: stand-ins for chip and engine, and what starts the board anew.

A module takes as many bytes of executable memory as it is said to.
"""

import gc
import sys
import threading
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
    """The executable memory of a board: `used` bytes since it started, `grown` of them its heap's; images survive in `made`."""

    def __init__(self):
        self.sizes, self.made = {}, set()
        self.used = self.grown = self.loads = 0
        self.heap_full = lambda: False
        self.makes = lambda: True  # whether the heap is large enough to make an image
        self.held = []  # a row for each thread that keeps memory from the heap: its lock

    def free(self):
        return max(0, SIZE - self.used)

    def load(self, file):
        """What `importer.load` does."""
        self.used = max(self.used, self.grown)
        size = self.sizes[file.digest]
        if self.heap_full() or size > self.free():
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
    monkeypatch.setitem(sys.modules, "mpwasm.native.board", types.SimpleNamespace(stack=lambda words: []))
    monkeypatch.setattr(targets, "target", lambda: (targets.XTENSAWIN, 3))
    monkeypatch.setattr(images, "opened", chip.opened)
    monkeypatch.setattr(making, "image", chip.image)
    monkeypatch.setattr(importer, "load", chip.load)
    monkeypatch.setattr(importer, "restore", lambda file: load_module(file.file))
    monkeypatch.setattr(launch, "_instantiate", instantiate(launch._instantiate))
    return chip


@pytest.fixture
def pico(chip, monkeypatch):
    """A board whose machine code lies in its heap, which each start leaves in smaller pieces: as much as `chip` gives lies in one at a boot."""
    monkeypatch.setattr(room, "esp32", None)
    monkeypatch.delattr(gc, "threshold")
    monkeypatch.setattr(targets, "target", lambda: (targets.ARMV6M, 3))
    return chip


def instantiate(real):
    """`launch._instantiate` with the stand-in for the engine also where code is given."""
    return lambda guest, spec, module, window, code: real(guest, spec, module, window, None)


def push(fleet, chip, name, size, **fields):
    """Push a module whose machine code takes `size` bytes; its number."""
    payload = program(f"log {name}", "sleep 50", "again")
    chip.sizes[sha256(payload).digest()] = size
    return fleet.push(payload, name=name, **fields)


def another_life(agent, chip=None):
    """Once the board has restarted, start it as main.py does; how often it has died fast."""
    wait(lambda: not agent.thread.is_alive())
    if chip:
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


def made_in_vain(agent, chip, fleet):
    """Push a module of which no life can make an image; it runs all the same."""
    chip.makes = lambda: False
    seq = push(fleet, chip, "one", 3000)
    for _ in range(2):
        another_life(agent, chip)
    executor(fleet, seq, "plain: no-memory, wanted 512, largest free 400")


def retry_once(updater):
    """`room.retry` without its defences: one life for each order, of which the last alone is known."""
    store = room.notes(updater)
    if not updater.life and store.read("order") != b"%d" % updater.order:
        store.write("order", b"%d" % updater.order)
        room.again(updater, room.UPDATE, "an update lacks memory")

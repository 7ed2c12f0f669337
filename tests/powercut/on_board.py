"""The board's part of `hil.powercut`: the agent's own install, store and update machine, told what is in a folder of files.

Prints "start VERSION" for each module that it would start, "bad" for one that is not the signed one, and the outcome.
"""

import os
from hashlib import sha256

from mpwasm.agent import tasks
from mpwasm.agent.install import Install
from mpwasm.wire import blocks
from mpwasm.wire.cbor import decode
from mpwasm.wire.mac import derive


def verify(key, signature, message):
    """The signature of `tests.powercut.scenario`: the real one takes seconds a boot."""
    yield 0
    return signature == sha256(key + message).digest() * 2


tasks.verify = verify


class Fleet:
    """The line of a board whose fleet is the file ``blobs``."""

    ready = True

    def __init__(self, told):
        self.told, self.inbox = told, []

    def publish(self, name, payload, qos=0, retain=False):
        """Keep what is asked for."""
        if name == "get":
            self.inbox.append(blocks.parse_get(payload))
        return True

    def blob(self, digest):
        """The blob with this digest, None if there is none."""
        with open(self.told + "blobs", "rb") as file:
            while True:
                size = int.from_bytes(file.read(4), "little")
                if not size:
                    return None
                data = file.read(size)
                if sha256(data).digest() == digest:
                    return data


class View:
    """What the update looks like from outside: its state."""

    nonce = bytes(8)

    def take(self, machine):
        """Look."""
        self.state = machine.state


class Board:
    """A clock that goes on by itself."""

    now = 0

    def uptime_ms(self):
        """The board's own time, in ms."""
        return self.now

    def feed(self):
        """Time passes in slow work."""
        self.now += 1


class Owner:
    """As much of `updater.Updater` as an update needs."""

    life = ""
    early = None
    held = None
    pin = ()
    room = 0

    def __init__(self, told):
        self.identity = decode(read(told + "identity"))
        self.link, self.board, self.view, self.log = Fleet(told), Board(), View(), self
        self.guests, self.running, self.told = {}, {}, {}
        self.key = derive(self.identity[2], b"desired")

    def note(self, words):
        """A line of the log."""
        if not words.startswith("started"):
            print("note", words)

    def changed(self):
        """Nobody hears reports."""

    def refused(self, reason, detail):
        """An order is not followed."""
        print("refused", reason, detail)

    def stop(self, slot):
        """Stop what does not run."""
        self.running.pop(slot, None)


def read(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def start(owner, work):
    """Start what is staged: look at it."""
    slot, key = work.pending.pop(0)
    spec = work.store.load_spec(key)
    whole = spec is not None and work.store.holds(spec[0])
    print("start" if whole else "bad", spec[2] if spec else "")
    owner.running[slot] = key
    if whole:
        work.feed(("started",))
    else:
        work.events.append(("failed", slot, "digest", "flash"))


def live(order, root=""):
    """A life of the board over ``<root>/state``, which hears the order ``<root>/told/<order>``, until all is settled."""
    told = root + "/told/"
    owner = Owner(told)
    work = Install(owner, root)
    work.begin(True, False)
    while work.pending:
        start(owner, work)
    work.events.append(("desired", "f/1/pico/desired", read(told + order)))
    for _ in range(3000):
        due = work.step(owner.board.now)
        while owner.link.inbox:
            get = owner.link.inbox.pop(0)
            for data in blocks.serve(owner.link.blob(get[0]), get):
                work.on_blk(data)
        while work.pending:
            start(owner, work)
        if due is None and not work.events:
            break
        owner.board.now += 20
    print("end", work.machine.state, work.machine.saved.seq, len(os.listdir(root + "/state")))

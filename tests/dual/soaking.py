"""A board in a bottle for days on end: updates, bad ones among them, broker outages and silent fleets; time leaps where nothing is under way."""

import gc

from bottle import TRAP, Bottle, guest, main_source, running
from cutting import settled

HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS
LEAP_MS = 300000
OUTAGE_LEAP_MS = 5000  # while nothing can come and nothing is over yet, and while a retry is waited for
STUCK_MS = 8 * HOUR_MS  # an outage lasts two hours at most, and a retry comes after one
BAD_EVERY = 10
NEVER = 1 << 30


class Soak:
    """`run()` goes through `updates` of them in `days`; afterwards `confirmed`, `rolled_back`, `outages` and `grown` (bytes of heap) tell of it.

    AssertionError for an update that did not come to the end that it should, or got stuck. `leak` bytes are lost with each update.
    """

    def __init__(self, days, updates, leak=0):
        self.bottle = Bottle(main_source())
        self.every = int(days * DAY_MS) // updates
        self.updates = updates
        self.seq = 0
        self.ordered = 0
        self.next_outage = HOUR_MS
        self.outage_ends = None
        self.confirmed = self.rolled_back = self.outages = 0
        self.day = 0
        self.version = ""
        self.heap = None
        self.grown = 0
        self.dice = 12345
        self.leak = leak
        self.leaked = []

    def _dice(self, sides):
        """A number from 0 to sides - 1, the same in every run."""
        self.dice = (self.dice * 1103515 + 12345) % 1000003
        return self.dice * sides // 1000003

    def run(self):
        """All of it, in one boot."""
        self._order()
        bottle = self.bottle
        bottle.hub.clock = self._clock
        assert bottle.run(self.goal, NEVER)
        assert not bottle.unsigned

    def _clock(self):
        return self.bottle.now

    def _bad(self):
        return self.seq % BAD_EVERY == 0

    def _order(self):
        self.seq += 1
        bottle = self.bottle
        self.ordered = bottle.now
        bottle.fleet.blobs.clear()
        bottle.signed = bottle.signed[-2:]
        bottle.flash.log = []
        if self.leak:
            self.leaked.append(bytearray(self.leak))
        bottle.order(self.seq, guest("m%03d" % self.seq, TRAP if self._bad() else b"\x03\x40\x0c\x00\x0b", 2000))

    def goal(self, agent):
        """Called in each turn: what happens now; True when all is over."""
        bottle = self.bottle
        self._weather(bottle.now)
        self._tell(bottle.now)
        if not settled(self.seq, ("rolled-back", "trap") if self._bad() else ("confirmed", None))(agent):
            assert bottle.now - self.ordered < STUCK_MS, "update %d is stuck in %s" % (self.seq, agent.updater.view.state)
            assert agent.updater.view.seq < self.seq or agent.updater.view.state not in ("rejected",), agent.updater.view.components
            if not bottle.hub.pipe.inbox and (self.outage_ends is not None or agent.updater.view.state == "failed"):
                bottle.now += OUTAGE_LEAP_MS
            return False
        if not bottle.hub.pipe.inbox:
            bottle.now += LEAP_MS
        if bottle.now - self.ordered < self.every or (self.seq in (2, self.updates) and not self._quiet(agent)):
            return False
        self._count(agent)
        if self.seq == 2:
            self.heap = used()
        if self.seq == self.updates:
            self.grown = used() - self.heap
            return True
        self._order()
        return False

    def _tell(self, now):
        """A line for each day that is over: it takes a while."""
        if now // DAY_MS > self.day:
            self.day = now // DAY_MS
            print("day %d: %d confirmed, %d rolled back, %d outages" % (self.day, self.confirmed, self.rolled_back, self.outages))

    def _quiet(self, agent):
        """Whether the fleet is there and all is said, so that the heap is what stays."""
        return self.outage_ends is None and not agent.log.lines.entries and not agent.link.session.inflight

    def _count(self, agent):
        assert running(agent)
        shown = agent.updater.view.components[0][6]
        if self._bad():
            self.rolled_back += 1
            assert shown == self.version, "the one before runs"
        else:
            self.confirmed += 1
            self.version = shown
            assert shown == str(self.seq)

    def _weather(self, now):
        """Every few hours the broker is down, or the fleet silent, for up to two hours."""
        hub = self.bottle.hub
        if self.outage_ends is not None and now >= self.outage_ends:
            hub.up = hub.serving = True
            self.outage_ends = None
        if now >= self.next_outage:
            self.outages += 1
            self.next_outage = now + HOUR_MS + self._dice(8 * HOUR_MS)
            self.outage_ends = now + self._dice(2 * HOUR_MS)
            if self._dice(3):
                hub.up = False
            else:
                hub.serving = False


def used():
    """Bytes of the heap in use; 0 where Python does not tell."""
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0

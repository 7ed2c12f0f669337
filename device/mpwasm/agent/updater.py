"""The guests' slots between updates: what `reported` says of them, what has to be looked at on `desired`, a guest that fails.

`install` and all that it needs, some 40 KiB, are imported when there is something to decide, and dropped when that is settled.
"""

from mpwasm.agent import guest as guests
from mpwasm.agent import phase
from mpwasm.compat import const

_SETTLED = ("idle", "confirmed", "rolled-back", "rejected")
_AGAIN_MS = const(10000)
_LATEST_MS = const(3600000)
_UPDATE_MS = const(120000)
_IDLE = {1: 0, 2: "idle", 3: None, 4: None, 5: "", 6: "", 7: 0, 8: ""}


class View:
    """What `reported` says of the update machine: `components` are maps as of `wire.report.ComponentReport`, `state` is the machine's."""

    def __init__(self):
        self.state = "idle"
        self.components = [dict(_IDLE)]
        self.seq = self.floor = self.keys_version = 0
        self.nonce = bytes(8)

    def take(self, machine):
        """Copy from the machine."""
        self.state = machine.state
        self.components = [component.to_map() for component in machine.components()]
        self.seq = machine.saved.seq
        self.floor = machine.saved.floor
        self.keys_version = machine.saved.keys_version
        self.nonce = machine.nonce


class Updater:
    """The slots of the `Supervisor` `agent`, told of each change; `key` is what `desired` is sealed with, `running` {slot: key of what is in
    it}, `told` {slot: whether the failure of its guest is known}, `again` {slot: (uptime at which what failed is started again, ms until then)}: ten
    seconds at first, twice as long each time that it fails soon, an hour at most; `room` the executable memory at boot (`room.largest`, 0 where
    there is none of its own kind); `life` what this one is for (`room`), until that is done; `ends` the uptime when one to UPDATE is over if no order
    comes, and when others look after the network;
    `order` the number of what came on `desired`; `wanted` slot and key of the module that was started last, `early` the slot of one that was
    started before there was an `Install` (`launch.first`); `pin` of `room.settle`, None until then, and `held` of `room.hold`."""

    def __init__(self, agent, key):
        self.agent = agent
        self.guests = agent.guests
        self.link = agent.link
        self.log = agent.log
        self.board = agent.board
        self.identity = agent.identity
        self.key = key
        self.view = View()
        self.install = None
        self.loaded = None
        self.note = ""
        self.words = ""
        self.running = {}
        self.told = {}
        self.room = 0
        self.life = ""
        self.ends = _UPDATE_MS
        self.order = 0
        self.wanted = b""
        self.early = None
        self.pin = ()
        self.held = None
        self.again = {}

    @property
    def busy(self):
        """True while an update is under way."""
        return self.view.state not in _SETTLED

    def guest_in(self, slot):
        """The guest in a slot, made if there is none."""
        if slot not in self.guests:
            self.guests[slot] = guests.Guest(self.board, self.log)
        return self.guests[slot]

    def stop(self, slot):
        """End the guest in a slot, and free it."""
        self.running.pop(slot, None)
        if slot in self.guests:
            self.guests.pop(slot).stop()

    def executor(self):
        """What runs the guest in the lowest slot: "native", or "plain: why"; "" without one."""
        return self.guests[min(self.guests)].executor if self.guests else ""

    def reset(self, why):
        """Restart the board for a reason that is none to worry about: fast deaths are counted anew."""
        self.log.note("restart: " + why)
        self.agent.healthy()
        from machine import reset

        reset()

    def wake(self, first=False, safe=False, loaded=None):
        """Have an `Install`, or its `Arrival`; at the `first` one of a boot it starts what the journal says, unless `safe`. `loaded` is of
        `phase.begin`."""
        if self.install is None:
            self.loaded = loaded or phase.begin()
            from mpwasm.agent.arrival import Arrival

            self.install = Arrival(self, first, safe)

    def _sleep(self):
        """Drop the `Install`: all is settled, and the journal says so."""
        self.install = None
        if self.order:
            self.ends = 0
        phase.end(self.loaded, "mpwasm.wire.")
        phase.end(self.loaded, "mpwasm.agent.")
        self.agent.report()  # the free heap as it is between updates

    def step(self, now):
        """One slice of an update under way; return the uptime at which the next is due, or None."""
        for slot in self.guests:
            if self.guests[slot].state == guests.FAILED:
                if not self.told.get(slot):
                    self._failed(slot, self.guests[slot], now)
                    return now
                if self.install is None and slot in self.again and now >= self.again[slot][0]:
                    self._later(slot, min(2 * self.again[slot][1], _LATEST_MS), now)
                    self.running.pop(slot, None)
                    self.wake(True)
                    return now
        if self.install is None:
            if self.pin is None or self.room and now >= self.ends:
                from mpwasm.agent.room import over

                over(self)
            return None
        due = self.install.step(now)
        if due is None:
            self._sleep()
        return due

    def _later(self, slot, delay, now):
        self.again[slot] = now + delay, delay

    def _failed(self, slot, guest, now):
        self.told[slot] = True
        delay = self.again.get(slot, (0, 0))[1]
        self._later(slot, _AGAIN_MS if now - guest.started_ms >= 2 * delay else delay, now)
        if self.install:
            self.install.feed(("failed", slot, guest.reason, guest.detail))
        else:
            self.wake()  # learns of it there

    def broke(self, error):
        """Give up for an error that nothing foresaw: the update is forgotten, the journal counts, the next `desired` tries again; for want of
        memory, where a restart gives some, at once, in a life without guests."""
        if self.install and self.install.bears(error):
            return
        if self.loaded:
            self._sleep()
        reason = "no-memory" if isinstance(error, MemoryError) else "internal"
        if self.room and reason == "no-memory":
            from mpwasm.agent.room import retry

            retry(self)
        self.view.state = "failed"
        for component in self.view.components:
            component.update({2: "failed", 3: reason, 8: repr(error)[:120]})
        self.changed()

    def changed(self):
        """The view has changed: report it, and log a reason that is new."""
        words = ""
        for c in self.view.components:
            if c[3]:
                words = "%s: %s %s" % (c[2], c[3], c[8])
        if words and words != self.words:
            self.log.note(words)
        self.words = words
        self.agent.report()

    def refused(self, reason, detail):
        """A message on `desired` that changes nothing."""
        self.note = ("%s %s" % (reason, detail or ""))[:120]
        self.log.note("desired refused: " + self.note)
        self.agent.report()

    def on_desired(self, message):
        """A message on `desired`."""
        loaded = phase.begin()
        from mpwasm.agent.arrival import heard

        heard(self, message, loaded)

    def on_blk(self, payload):
        """A message on `blk`."""
        if self.install:
            self.install.on_blk(payload)

"""Slot 0 between updates: what `reported` says of it, what has to be looked at on `desired`, a guest that fails.

`install` and all that it needs, some 40 KiB, are imported when there is something to decide, and dropped when that is settled.
"""

from mpwasm.agent import guest as guests
from mpwasm.agent import phase
from mpwasm.errors import Refused

_SETTLED = ("idle", "confirmed", "rolled-back", "rejected")
_IDLE = {1: 0, 2: "idle", 3: None, 4: None, 5: "", 6: "", 7: 0, 8: ""}


class View:
    """What `reported` says of the update machine: `component` is the map of `wire.report.ComponentReport`."""

    def __init__(self):
        self.component = _IDLE
        self.seq = self.floor = self.keys_version = 0
        self.nonce = bytes(8)

    def take(self, machine):
        """Copy from the machine."""
        self.component = machine.component().to_map()
        self.seq = machine.saved.seq
        self.floor = machine.saved.floor
        self.keys_version = machine.saved.keys_version
        self.nonce = machine.nonce


class Updater:
    """Slot 0 of the `Supervisor` `agent`, told of each change; `key` is what `desired` is sealed with, `running` the manifest digest of
    what is in the guest's slot."""

    def __init__(self, agent, key):
        self.root = agent.root
        self.guest = agent.guest
        self.link = agent.link
        self.log = agent.log
        self.board = agent.board
        self.identity = agent.identity
        self.report = agent.report
        self.key = key
        self.view = View()
        self.install = None
        self.loaded = None
        self.note = ""
        self.told = ""
        self.running = None
        self.failure_told = False

    @property
    def busy(self):
        """True while an update is under way."""
        return self.view.component[2] not in _SETTLED

    def wake(self, first=False, safe=False, loaded=None):
        """Have an `Install`; at the `first` one of a boot it starts what the journal says, unless `safe`. `loaded` is of `phase.begin`."""
        if self.install is None:
            self.loaded = loaded or phase.begin()
            from mpwasm.agent.install import Install

            self.install = Install(self, self.root)
            self.install.begin(first, safe)

    def _sleep(self):
        """Drop the `Install`: all is settled, and the journal says so."""
        self.install = None
        phase.end(self.loaded, "mpwasm.wire")
        phase.end(self.loaded, "mpwasm.agent")
        self.report()  # the free heap as it is between updates

    def step(self, now):
        """One slice of an update under way; return the uptime at which the next is due, or None."""
        if self.guest.state == guests.FAILED and not self.failure_told:
            self.failure_told = True
            if self.install:
                self.install.feed(("failed", self.guest.reason, self.guest.detail))
            else:
                self.wake()  # learns of it there
        if self.install is None:
            return None
        due = self.install.step(now)
        if due is None:
            self._sleep()
        return due

    def broke(self, error):
        """Give up for an error that nothing foresaw: the update is forgotten, the journal counts, the next `desired` tries again."""
        if self.install:
            self.install.cancel()
        if self.loaded:
            self._sleep()
        reason = "no-memory" if isinstance(error, MemoryError) else "internal"
        component = dict(self.view.component)
        component.update({2: "failed", 3: reason, 8: repr(error)[:120]})
        self.view.component = component
        self.changed()

    def changed(self):
        """The view has changed: report it, and log a reason that is new."""
        c = self.view.component
        words = "%s: %s %s" % (c[2], c[3], c[8])
        if c[3] and words != self.told:
            self.log.note(words)
        self.told = words
        self.report()

    def refused(self, reason, detail):
        """A message on `desired` that changes nothing."""
        self.note = ("%s %s" % (reason, detail or ""))[:120]
        self.log.note("desired refused: " + self.note)
        self.report()

    def on_desired(self, message):
        """A message on `desired`; one that this board's key doesn't vouch for costs an HMAC and nothing more."""
        loaded = phase.begin()
        from mpwasm.wire.mac import open_mac

        topic = self.identity[21] + "desired"
        try:
            open_mac(self.key, topic, message)
        except Refused as refusal:
            self.refused(refusal.reason, refusal.detail)
            topic = None
        del open_mac
        if topic is None:
            phase.end(loaded, "mpwasm.wire")
            return
        self.note = ""
        self.wake(loaded=loaded)
        self.install.feed(("desired", topic, message))

    def on_blk(self, payload):
        """A message on `blk`."""
        if self.install:
            self.install.on_blk(payload)

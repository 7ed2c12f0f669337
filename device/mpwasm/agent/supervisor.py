"""The agent: one cooperative loop over link, updater and guest; `run` never returns.

A turn polls the link, steps the updater and the guest, sends what there is to say, and tells how long it may sleep.
"""

import gc
import os
import sys

from mpwasm.agent import guest, health, link, log, net, phase, updater  # noqa: F401 - all that stays; boot makes what is in them
from mpwasm.compat import const
from mpwasm.wasi import host  # noqa: F401 - and a guest's
from mpwasm.wasi.hardware import Board
from mpwasm.wasm import base, memory, module, table  # noqa: F401
from mpwasm.wire import session  # noqa: F401

_MAX_SLEEP_MS = const(1000)
_HEARTBEAT_MS = const(60000)
_BUSY_REPORT_MS = const(30000)
_LOG_MS = const(200)
_MEASURE_MS = const(2000)
_BATCH = const(6)
_INFLIGHT = const(2)  # batches that may wait for the broker: in an outage the rest waits in its ring
_HEALTHY_MS = const(60000)
_SAFE_MS = const(600000)
_CRASHES = const(3)


class Supervisor:
    """All parts of the agent of one board; `root` is "" on a board, a folder in tests; `guests` {slot: guest}.

    `crashes` is how often in a row the board has restarted within a minute: from three on no guest is started for ten minutes (safe mode).
    """

    def __init__(self, root="", crashes=0, board=None):
        self.root = root
        self.crashes = crashes
        self.board = board or Board()
        self.guests = {}
        self.well = False
        self.report_due = True
        self.next_report = 0
        self.next_log = 0
        self.next_measure = 0
        self.commanded = [0, b"", False]

    def boot(self):
        """Read identity and journal, count the boot, prepare the line, start the confirmed guest."""
        loaded = phase.begin()
        from mpwasm.agent.boot import boot

        safe = self.crashes >= _CRASHES
        boot(self, safe)
        del boot
        phase.end(loaded, "mpwasm.agent.")
        phase.end(loaded, "mpwasm.wire.")
        self.updater.wake(True, safe)
        self.updater.install.whole()

    # -- what comes in

    def on_message(self, name, payload):
        """A message on one of our topics. Whatever is in it, the agent goes on."""
        if name == "blk":
            self._guarded(self.updater.broke, self.updater.on_blk, payload)
        elif name == "desired":
            self._guarded(self.updater.broke, self.updater.on_desired, payload)
        elif name == "cmd":
            self._guarded(self.broke, self.on_cmd, payload)

    def on_cmd(self, payload):
        """A command of the fleet; `commanded` is the last one: counter, answer, whether the module is to be started again."""
        loaded = phase.begin()
        from mpwasm.agent.command import obey

        self.commanded = obey(self, payload, self.commanded)
        del obey
        phase.end(loaded, "mpwasm.agent.")
        phase.end(loaded, "mpwasm.wire.")
        if self.commanded[2]:
            self.updater.wake(True)

    def broke(self, error):
        """A command failed in a way that nothing foresaw."""
        self.log.note("command failed: %r" % error)

    # -- what goes out

    def report(self):
        """Publish `reported` now, or as soon as there is room."""
        self.report_due = True
        if self.link.ready:
            payload = self.health.report(self.identity, self.updater, self.net.rssi())
            if self.link.publish("reported", payload, 1, True):
                self.report_due = False
                self.next_report = self.board.uptime_ms() + (_BUSY_REPORT_MS if self.updater.busy else _HEARTBEAT_MS)

    def _say(self, now):
        """Reports that are due, then a batch of lines and of readings."""
        if not self.link.ready:
            return
        if self.report_due or now >= self.next_report:
            self.report()
        if now >= self.next_log:
            self.next_log = now + _LOG_MS
            for name, ring in (("log", self.log.lines), ("tele", self.log.readings)):
                if ring.entries and self.link.session.inflight < _INFLIGHT and self.link.publish(name, ring.batch(_BATCH), 1):
                    ring.sent(_BATCH)

    # -- the loop

    def turn(self):
        """One turn of the loop; returns the milliseconds that it may sleep now. Nothing is joined while a module is made ready, which takes most of
        the heap, as TLS takes some. Where the line or a report lacks memory beside an update, that is the update's lack."""
        self.board.feed()
        now = self.board.uptime_ms()
        try:
            busy = self.updater.pin is None or self.updater.install and self.updater.install.pending
            due = min(now + _MAX_SLEEP_MS, self.link.poll(now, not busy and self.net.up(now)))
            for slot in [None] + list(self.guests):
                part = self.updater if slot is None else self.guests.get(slot)
                at = self._guarded(part.broke, part.step, now) if part else None
                if at is not None:
                    due = min(due, at)
            if self.updater.install and self.updater.install.pending:
                self._guarded(self.updater.broke, self.updater.install.start, now)
                due = now
            self._say(now)
            self.link.send()
            if self.link.ready and (self.log.lines.entries or self.log.readings.entries):
                due = min(due, self.next_log)
            if now >= self.next_measure:  # it walks the whole heap: not in every turn
                self.next_measure = now + _MEASURE_MS
                self.health.measure()
        except MemoryError as error:
            if not self.updater.install:
                raise
            self.link.transport.close()  # what was being read or written is lost
            self.updater.broke(error)
            return 0
        return max(0, due - self.board.uptime_ms())

    def _guarded(self, blame, action, argument):
        """The one broad handler: a bug in an update or in a host function ends that, not the agent. What `action` returns, or None."""
        try:
            return action(argument)
        except Exception as error:
            getattr(sys, "print_exception", print)(error)
            blame(error)
            return None

    def healthy(self):
        """This was no fast restart: those before are forgotten."""
        self.well = True
        if "crashes" in os.listdir(self.root + "/state"):
            os.remove(self.root + "/state/crashes")

    def run(self):
        """Turn for ever; safe mode ends, after ten minutes without an update, by a restart."""
        while True:
            self.link.transport.wait(self.turn())
            now = self.board.uptime_ms()
            if now > _HEALTHY_MS and not self.well:
                self.healthy()
            if now > _SAFE_MS and self.crashes >= _CRASHES and not self.guests and not self.updater.busy:
                self.updater.reset("safe mode is over")


def run(root="", crashes=0):
    """What main.py calls: the agent under the watchdog, until something in it dies or Ctrl-C ends it."""
    agent = Supervisor(root, crashes)
    loaded = phase.begin()
    from mpwasm.agent.watchdog import arm, disarm

    arm(agent.board)
    phase.end(loaded, "mpwasm.agent.")
    try:
        agent.boot()
        gc.collect()
        agent.run()
    finally:
        disarm(agent.board)

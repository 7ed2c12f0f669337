"""One guest: run in slices, its end reported; it can neither stop nor outlive the agent's turn. `launch` brings it here."""

import gc

from mpwasm.agent import phase
from mpwasm.compat import const
from mpwasm.errors import GuestExit, Trap

EMPTY = 0
RUNNING = 1
FAILED = 3

_EXITED = const(2)
_SHARE_MS = const(10)
_MIN_STEPS = const(64)
_LOOPS = const(64)
_DONE = const(0)
_PAUSED = const(2)
_FIRST_STEPS = const(256)
_LONG_MS = const(1000)


class Guest:
    """Slot for one guest: `inst` the instance that runs, `wasi` and `devices` of its `wasi.host.Host`. `state` is EMPTY, RUNNING, 2 (exited)
    or FAILED, with `reason` and `detail` for the last two."""

    def __init__(self, board, log):
        self.board = board
        self.log = log
        self.inst = self.wasi = self.devices = None
        self.executor = ""
        self.state = EMPTY
        self.reason = None
        self.detail = ""
        self.started_ms = 0
        self.wake_ms = 0
        self.steps = _FIRST_STEPS
        self.fuel = _FIRST_STEPS
        self.slice_ms = _SHARE_MS
        self.busy = self.busy_ms = self.long = 0

    def begin(self, fuel, share, busy_ms):
        """Let the instance run from the next `step` on, about `share` times 10 ms a slice and at most `fuel` slot ops, or `_LOOPS` times as
        many loop iterations of machine code. It fails as exhausted once its slices have taken more than `busy_ms` without a wait; 0: never. A
        second of that is logged, and then each time it is twice as much."""
        self.state = RUNNING
        self.fuel = max(fuel * (_LOOPS if self.executor == "native" else 1), _MIN_STEPS)
        self.slice_ms = share * _SHARE_MS
        self.busy = 0
        self.busy_ms = busy_ms
        self.long = _LONG_MS
        self.steps = min(_FIRST_STEPS, self.fuel)
        self.started_ms = self.wake_ms = self.board.uptime_ms()

    def step(self, now):
        """Run one slice if it is due at uptime `now`; return the uptime when the next one is, or None if nothing runs."""
        if self.state != RUNNING:
            return None
        if now < self.wake_ms:
            return self.wake_ms
        began = self.board.uptime_ms()
        try:
            end = self.inst.run(self.steps)
        except (Trap, GuestExit, MemoryError) as error:
            return self._ended(error)
        if end == _DONE:
            return self._ended(GuestExit(0))
        took = self.board.uptime_ms() - began
        if end == _PAUSED:
            self.busy = 0
            self.wake_ms = self.wasi.wake_ms
        else:
            self.busy += took
            self.wake_ms = now
            if self.busy > self.busy_ms > 0:
                return self._ended(None)
            if self.busy > self.long:
                self.long = 2 * self.busy
                self.log.note("guest computes for %d ms" % self.busy)
        if end != _PAUSED or took > self.slice_ms:  # a slice that ended early tells nothing
            self._adapt(took)
        return self.wake_ms

    def _adapt(self, took_ms):
        """Aim at the slice's length, within the manifest's fuel."""
        fit = self.steps // took_ms * self.slice_ms if took_ms else self.fuel
        self.steps = max(min(fit, self.steps * 2, self.fuel), _MIN_STEPS)

    def _ended(self, error):
        """The end, for an exception of engine or guest; None: it is a runaway."""
        if isinstance(error, GuestExit) and error.code == 0:
            self.close(_EXITED, None, "")
            self.log.note("guest ended")
            return
        loaded = phase.begin()
        from mpwasm.agent.failure import refusal, runaway

        refused = refusal(error or runaway(self))
        del refusal, runaway
        phase.end(loaded, "mpwasm.agent.")
        self.fail(refused.reason, refused.detail)

    def fail(self, reason, detail):
        """End the guest as failed, for `reason`."""
        self.close(FAILED, reason, detail)
        self.log.note("guest failed: %s %s" % (reason, detail))

    def broke(self, error):
        """End the guest for an error that is not its own: a bug of a host function."""
        self.fail("internal", repr(error)[:120])

    def stop(self):
        """End the guest, if there is one, without a verdict."""
        self.close(EMPTY, None, "")

    def close(self, state, reason, detail):
        """Let go of instance and pins; the slot is then in `state`."""
        ended = self.inst is not None
        if ended:
            self.wasi.flush()
            self.devices.release()
            for file in self.wasi.parts:
                phase.drop("mpwasm.wasi." + file)
        self.inst = self.wasi = self.devices = None
        self.state = state
        self.reason = reason
        self.detail = detail
        if ended:
            gc.collect()

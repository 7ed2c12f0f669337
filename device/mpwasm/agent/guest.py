"""One guest: loaded from flash, run in slices, its end reported; it can neither stop nor outlive the agent's turn."""

import gc

from mpwasm.agent import phase
from mpwasm.compat import const
from mpwasm.errors import GuestExit, Refused, Trap, WasmError

EMPTY = 0
RUNNING = 1
EXITED = 2
FAILED = 3

_SLICE_MS = const(20)
_MIN_STEPS = const(64)
_FIRST_STEPS = const(256)
_FRAME_WORDS = const(1024)


def refusal(error):
    """The `Refused` that says what an exception of engine or guest was."""
    loaded = phase.begin()
    from mpwasm.agent.verdict import detail_of, reason_of

    refused = Refused(reason_of(error), detail_of(error))
    del detail_of, reason_of
    phase.end(loaded, "mpwasm.agent")
    return refused


def load(path):
    """Read and validate the module at `path`, one slice of its own: Malformed, Invalid or MemoryError."""
    loaded = phase.begin()
    from mpwasm.wasm import instance

    phase.keep(loaded)
    loaded = phase.begin()
    from mpwasm.wasm.load import load_module

    try:
        with open(path, "rb") as file:
            return load_module(file)
    finally:
        del load_module, instance
        phase.end(loaded, "mpwasm.wasm")


# What stays of a manifest while its module is here, as a list that the store keeps under an HMAC: the cached verdict on it.
DIGEST = 0
NAME = 1
VERSION = 2
MEMORY = 3
FUEL = 4
CAPABILITIES = 5
ENTRY = 6
CONFIG = 7


def spec_of(manifest, config):
    """The spec of a `wire.manifest.Manifest`, with the config that counts (str -> str|int)."""
    m = manifest
    return [m.digest, m.name, m.version, m.memory, m.fuel, list(m.capabilities), m.entry, config]


class Guest:
    """Slot for one guest. `state` is EMPTY, RUNNING, EXITED or FAILED, with `reason` and `detail` for the last two."""

    def __init__(self, board, log):
        self.board = board
        self.log = log
        self.inst = self.wasi = self.devices = None
        self.state = EMPTY
        self.reason = None
        self.detail = ""
        self.started_ms = 0
        self.wake_ms = 0
        self.steps = _FIRST_STEPS
        self.fuel = _FIRST_STEPS

    def start(self, module, spec):
        """Instantiate a loaded `module` with the rights of its `spec`, and let it run from the next `step` on.

        `Refused` (its reason as in `verdict`) if it can't be linked or doesn't fit; then the slot is empty.
        """
        self.stop()
        loaded = phase.begin()
        try:
            self._link(module, spec)
        finally:
            phase.end(loaded, "mpwasm.wasi")
        self.state = RUNNING
        self.reason = None
        self.detail = ""
        self.fuel = max(spec[FUEL], _MIN_STEPS)
        self.steps = min(_FIRST_STEPS, self.fuel)
        self.started_ms = self.wake_ms = self.board.uptime_ms()

    def _link(self, module, spec):
        from mpwasm.wasi.resolver import make_resolver
        from mpwasm.wasm.instance import Instance

        if spec[ENTRY] not in module.exports:
            raise Refused("unlinkable", "export " + spec[ENTRY])
        host = make_resolver(spec[CAPABILITIES], self.board, self.log, spec[NAME], spec[CONFIG])
        try:
            inst = Instance(module, host, max_memory=spec[MEMORY], max_frames=_FRAME_WORDS)
            inst.begin(spec[ENTRY])
        except (WasmError, GuestExit, MemoryError) as error:
            host.close()
            raise refusal(error) from None
        self.inst = inst
        self.wasi = host.wasi
        self.devices = host.devices

    def step(self, now):
        """Run one slice if it is due at uptime `now`; return the uptime when the next one is, or None if nothing runs."""
        if self.state != RUNNING:
            return None
        if now < self.wake_ms:
            return self.wake_ms
        from mpwasm.wasm.instance import DONE, PAUSED

        try:
            end = self.inst.run(self.steps)
        except (Trap, GuestExit, MemoryError) as error:
            return self._ended(error)
        if end == DONE:
            return self._ended(GuestExit(0))
        self.wake_ms = self.wasi.wake_ms if end == PAUSED else now
        self._adapt(self.board.uptime_ms() - now)
        return self.wake_ms

    def _adapt(self, took_ms):
        """Aim the length of a slice at 20 ms, within the manifest's fuel."""
        if took_ms > 2 * _SLICE_MS:
            self.steps = max(self.steps // 2, _MIN_STEPS)
        elif took_ms < _SLICE_MS // 2:
            self.steps = min(self.steps * 2, self.fuel)

    def _ended(self, error):
        if isinstance(error, GuestExit) and error.code == 0:
            self.close(EXITED, None, "")
            self.log.note("guest ended")
        else:
            refused = refusal(error)
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
        if self.inst:
            self.wasi.flush()
            self.devices.release()
        self.inst = self.wasi = self.devices = None
        self.state = state
        self.reason = reason
        self.detail = detail
        gc.collect()

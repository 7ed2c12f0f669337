"""WASI preview 1 for a guest without files, what most use: output to the log, time, sleep, exit. The rest is in `process` and `files`.

Errors are positive WASI errno numbers, as preview 1 wants; a bad guest pointer traps in `inst.memory`. Numbers and layouts:
https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md (errno, ciovec, fdstat, subscription, event).
"""

from mpwasm.compat import const
from mpwasm.errors import GuestExit

_BADF = const(8)
_INVAL = const(28)
_ABSTIME = const(1)
_SUBSCRIPTION_BYTES = const(48)
_EVENT_BYTES = const(32)
_MAX_SUBSCRIPTIONS = const(16)
_MAX_IOVS = const(64)
_MAX_WRITE_BYTES = const(512)
_NS_PER_MS = const(1000000)
_NEVER_MS = const(0x3FFFFFFFFFFF)


class Part:
    """Functions of one guest: output, clocks, sleep."""

    def __init__(self, context):
        self.context = context
        self.board = context.board
        self.sub = bytearray(_SUBSCRIPTION_BYTES)
        self.event = bytearray(_EVENT_BYTES)

    # -- output

    def fd_write(self, inst, fd, iovs, iovs_len, nwritten):
        """Write buffers to the log: fd 1 at level info, fd 2 at level error, a line each; at most 512 B a call."""
        if fd != 1 and fd != 2:
            return _BADF
        if iovs_len > _MAX_IOVS:
            return _INVAL
        total = 0
        for i in range(iovs_len):
            at = inst.memory.read_u32(iovs + 8 * i)
            size = inst.memory.read_u32(iovs + 8 * i + 4)
            size = min(size, _MAX_WRITE_BYTES - total)
            self.context.copy_out(inst.memory, at, size, fd)
            total += size
        inst.memory.write_u32(nwritten, total)
        return 0

    # -- clocks

    def _clock_ns(self, clock):
        """Time in ns of clock 0 (realtime) or 1 (monotonic); there are no CPU-time clocks."""
        return self.board.monotonic_ns() if clock else self.board.wall_ns()

    def clock_time_get(self, inst, clock, precision, result):
        """Time in ns: clock 0 the board's wall clock (unset on most boards), clock 1 since the agent started."""
        if clock > 1:
            return _INVAL
        inst.memory.write_u64(result, self._clock_ns(clock))
        return 0

    def sched_yield(self, inst):
        """Let the agent have a turn."""
        self.context.sleep(inst, 0)
        return 0

    def poll_oneoff(self, inst, subs, events, count, nevents):
        """Sleep until the first of at most 16 subscriptions is due: standard streams are ready at once, other files EBADF."""
        if not 0 < count <= _MAX_SUBSCRIPTIONS:
            return _INVAL
        memory = inst.memory
        first = _NEVER_MS
        now = (self._clock_ns(0), self._clock_ns(1))  # one moment for both passes
        for i in range(count):
            memory.load(subs + _SUBSCRIPTION_BYTES * i, self.sub)
            if self.sub[8] > 2:
                return _INVAL
            first = min(first, max(self._delay_ms(now), 0))
        written = 0
        for i in range(count):
            memory.load(subs + _SUBSCRIPTION_BYTES * i, self.sub)
            delay = self._delay_ms(now)
            if delay <= first:
                self._write_event(memory, events + _EVENT_BYTES * written, max(-delay, 0))
                written += 1
        memory.write_u32(nevents, written)
        self.context.sleep(inst, first)
        return 0

    def _delay_ms(self, now):
        """Delay of the subscription in `self.sub` at `now` (ns of both clocks), rounded up, or -errno."""
        sub = self.sub
        clock = int.from_bytes(memoryview(sub)[16:20], "little")  # or the file descriptor
        if sub[8]:
            return 0 if clock <= 2 and (clock > 0) == (sub[8] == 2) else -_BADF
        if clock > 1:
            return -_INVAL
        wait = int.from_bytes(memoryview(sub)[24:32], "little")
        if sub[40] & _ABSTIME:
            wait = max(wait - now[clock], 0)
        return (wait + _NS_PER_MS - 1) // _NS_PER_MS

    def _write_event(self, memory, at, errno):
        event = self.event
        event[0:8] = memoryview(self.sub)[0:8]
        event[8] = errno
        event[10] = self.sub[8]
        event[24] = 1 if event[10] == 1 else 0  # eventrwflags::fd_readwrite_hangup: nothing will ever come
        memory.store(at, event)

    # -- the rest

    def proc_exit(self, inst, code):
        """End the guest with an exit code."""
        raise GuestExit(code)

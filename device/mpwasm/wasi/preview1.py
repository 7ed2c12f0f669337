"""WASI preview 1 for a guest without files: output to the log, clocks, randomness, sleep, exit, arguments.

Errors are positive WASI errno numbers, as preview 1 wants; a bad guest pointer traps in `inst.memory`. Numbers and layouts:
https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md (errno, ciovec, fdstat, subscription, event).
"""

from mpwasm.compat import const
from mpwasm.errors import GuestExit

_BADF = const(8)
_INVAL = const(28)
_NOTSUP = const(58)
_SPIPE = const(70)
_ABSTIME = const(1)
_SUBSCRIPTION_BYTES = const(48)
_EVENT_BYTES = const(32)
_MAX_SUBSCRIPTIONS = const(16)
_MAX_IOVS = const(64)
_MAX_WRITE_BYTES = const(512)
_LINE_BYTES = const(160)
_CHUNK_BYTES = const(64)
_NS_PER_MS = const(1000000)
_NEVER_MS = const(0x3FFFFFFFFFFF)


class Line:
    """Gathers bytes of one stream until a newline or a full buffer, then hands a line to the sink."""

    def __init__(self, sink, level):
        self.sink = sink
        self.level = level
        self.buf = bytearray(_LINE_BYTES)
        self.used = 0

    def put(self, data, count):
        """Append `count` bytes of `data`."""
        for i in range(count):
            byte = data[i]
            if byte == 10:
                self.flush(True)
                continue
            if self.used == _LINE_BYTES:
                self.flush()
            self.buf[self.used] = byte
            self.used += 1

    def flush(self, empty=False):
        """Hand over what there is; an empty line only if `empty`."""
        if self.used or empty:
            self.sink.line(self.level, bytes(memoryview(self.buf)[: self.used]))
            self.used = 0


class Preview1:
    """State and functions of one guest: its output lines, arguments, and the time it wants to be woken at.

    `wake_ms` (uptime) says when a guest that asked for a pause goes on. `args` and `environ` are lists of bytes.
    """

    def __init__(self, board, sink, args, environ):
        self.board = board
        self.args = args
        self.environ = environ
        self.wake_ms = 0
        self.out = Line(sink, 1)
        self.err = Line(sink, 2)
        self.chunk = bytearray(_CHUNK_BYTES)
        self.sub = bytearray(_SUBSCRIPTION_BYTES)
        self.event = bytearray(_EVENT_BYTES)

    def flush(self):
        """Hand over unfinished lines, as at exit."""
        self.out.flush()
        self.err.flush()

    def sleep(self, inst, delay_ms):
        """Ask the instance to stop, and the agent to go on with it `delay_ms` from now."""
        self.wake_ms = self.board.uptime_ms() + delay_ms
        inst.pause = True

    # -- output

    def wasi_fd_write(self, inst, fd, iovs, iovs_len, nwritten):
        """Write buffers to the log: fd 1 at level info, fd 2 at level error, a line each; at most 512 B a call."""
        if fd != 1 and fd != 2:
            return _BADF
        if iovs_len > _MAX_IOVS:
            return _INVAL
        line = self.out if fd == 1 else self.err
        total = 0
        for i in range(iovs_len):
            at = inst.memory.read_u32(iovs + 8 * i)
            size = inst.memory.read_u32(iovs + 8 * i + 4)
            size = min(size, _MAX_WRITE_BYTES - total)
            self._copy_out(inst.memory, at, size, line)
            total += size
        inst.memory.write_u32(nwritten, total)
        return 0

    def _copy_out(self, memory, at, size, line):
        chunk = self.chunk
        while size > 0:
            n = min(size, _CHUNK_BYTES)
            memory.load(at, chunk if n == _CHUNK_BYTES else memoryview(chunk)[:n])
            line.put(chunk, n)
            at += n
            size -= n

    def wasi_fd_close(self, inst, fd):
        """Close a standard stream, which does nothing."""
        return 0 if fd <= 2 else _BADF

    def wasi_fd_seek(self, inst, fd, offset, whence, result):
        """Refuse: the standard streams can't seek."""
        return _SPIPE if fd <= 2 else _BADF

    def wasi_fd_fdstat_get(self, inst, fd, stat):
        """Describe a standard stream: a character device that can be written and not sought, so libc buffers lines."""
        if fd > 2:
            return _BADF
        out = bytearray(24)
        out[0] = 2  # filetype::character_device
        if fd:
            out[8] = 1 << 6  # rights::fd_write
        inst.memory.store(stat, out)
        return 0

    # -- clocks

    def _clock_ns(self, clock):
        """Time in ns of clock 0 (realtime) or 1 (monotonic); there are no CPU-time clocks."""
        return self.board.monotonic_ns() if clock else self.board.wall_ns()

    def wasi_clock_res_get(self, inst, clock, result):
        """Resolution of a clock: 1 ms for both."""
        if clock > 1:
            return _INVAL
        inst.memory.write_u64(result, _NS_PER_MS)
        return 0

    def wasi_clock_time_get(self, inst, clock, precision, result):
        """Time in ns: clock 0 the board's wall clock (unset on most boards), clock 1 since the agent started."""
        if clock > 1:
            return _INVAL
        inst.memory.write_u64(result, self._clock_ns(clock))
        return 0

    def wasi_sched_yield(self, inst):
        """Let the agent have a turn."""
        self.sleep(inst, 0)
        return 0

    def wasi_poll_oneoff(self, inst, subs, events, count, nevents):
        """Sleep until the first of at most 16 clock subscriptions is due; one on a file gets an event with ENOTSUP."""
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
        self.sleep(inst, first)
        return 0

    def _delay_ms(self, now):
        """Delay of the subscription in `self.sub` at `now` (ns of both clocks), rounded up, or -errno."""
        sub = self.sub
        if sub[8]:
            return -_NOTSUP
        clock = int.from_bytes(memoryview(sub)[16:20], "little")
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
        memory.store(at, event)

    # -- the rest

    def wasi_random_get(self, inst, at, size):
        """Fill a buffer from the board's random source."""
        if size:
            inst.memory.load(at + size - 1, memoryview(self.chunk)[:1])  # traps before the work, not after
        while size > 0:
            n = min(size, _CHUNK_BYTES)
            inst.memory.store(at, self.board.random(n))
            at += n
            size -= n
        return 0

    def wasi_proc_exit(self, inst, code):
        """End the guest with an exit code."""
        raise GuestExit(code)

    def _sizes(self, memory, strings, count_at, size_at):
        memory.write_u32(count_at, len(strings))
        memory.write_u32(size_at, sum([len(s) + 1 for s in strings]))
        return 0

    def _strings(self, memory, strings, pointers, at):
        for s in strings:
            memory.write_u32(pointers, at)
            memory.store(at, s + b"\0")
            pointers += 4
            at += len(s) + 1
        return 0

    def wasi_args_sizes_get(self, inst, count_at, size_at):
        """Number and total bytes of the arguments: the module's name only."""
        return self._sizes(inst.memory, self.args, count_at, size_at)

    def wasi_args_get(self, inst, pointers, at):
        """The arguments: the module's name only."""
        return self._strings(inst.memory, self.args, pointers, at)

    def wasi_environ_sizes_get(self, inst, count_at, size_at):
        """Number and total bytes of the environment."""
        return self._sizes(inst.memory, self.environ, count_at, size_at)

    def wasi_environ_get(self, inst, pointers, at):
        """The environment: the manifest's config as ``KEY=value``, empty without the capability ``args``."""
        return self._strings(inst.memory, self.environ, pointers, at)

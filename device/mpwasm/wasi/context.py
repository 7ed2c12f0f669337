"""What the host functions of one guest share: board, rights, output lines, and the time it wants to be woken at."""

from mpwasm.compat import const

_LINE_BYTES = const(160)
_CHUNK_BYTES = const(64)


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


class Context:
    """One guest's side of the host. `wake_ms` (uptime) says when a guest that asked for a pause goes on.

    `parts` are the files of host functions that the guest's imports brought in, each with a class ``Part(context)``, whose
    ``release()``, where it has one, is called when the guest has ended.
    """

    def __init__(self, grants, board, sink, name, config):
        self.grants = grants
        self.board = board
        self.sink = sink
        self.name = name
        self.args = [name.encode()]
        self.config = config
        self.wake_ms = 0
        self.parts = {}
        self.lines = {}
        self.chunk = bytearray(_CHUNK_BYTES)
        self.told = []

    def part(self, file):
        """The host functions of ``mpwasm.wasi.<file>``, loaded when first asked for."""
        if file not in self.parts:
            self.parts[file] = __import__("mpwasm.wasi." + file, None, None, ("Part",)).Part(self)
        return self.parts[file]

    def sleep(self, inst, delay_ms):
        """Ask the instance to stop, and the agent to go on with it `delay_ms` from now."""
        self.wake_ms = self.board.uptime_ms() + delay_ms
        inst.pause = True

    def line(self, level):
        """The unfinished line of level 1 (info) or 2 (error)."""
        if level not in self.lines:
            self.lines[level] = Line(self.sink, level)
        return self.lines[level]

    def copy_out(self, memory, at, size, level):
        """Append `size` bytes of guest memory to the line of `level`."""
        chunk = self.chunk
        line = self.line(level)
        while size > 0:
            n = min(size, _CHUNK_BYTES)
            memory.load(at, chunk if n == _CHUNK_BYTES else memoryview(chunk)[:n])
            line.put(chunk, n)
            at += n
            size -= n

    def flush(self):
        """Hand over unfinished lines, as at exit."""
        for level in sorted(self.lines):
            self.lines[level].flush()

    def release(self):
        """The guest has ended: pins become inputs, buses are let go of."""
        for file in self.parts:
            part = self.parts[file]
            if hasattr(part, "release"):
                part.release()

"""WASI preview 1 for a guest without files, what many ask for once: arguments, environment, randomness, what the standard streams are.

Errors, numbers and layouts as in `preview1`.
"""

from mpwasm.compat import const

_BADF = const(8)
_INVAL = const(28)
_SPIPE = const(70)
_CHUNK_BYTES = const(64)
_NS_PER_MS = const(1000000)


class Part:
    """Functions of one guest."""

    def __init__(self, context):
        self.context = context
        self.environ = []
        if context.config and context.grants.allow("args"):
            self.environ = [("%s=%s" % (key, context.config[key])).encode() for key in context.config]

    def fd_close(self, inst, fd):
        """Close a standard stream, which does nothing."""
        return 0 if fd <= 2 else _BADF

    def fd_seek(self, inst, fd, offset, whence, result):
        """Refuse: the standard streams can't seek."""
        return _SPIPE if fd <= 2 else _BADF

    def fd_fdstat_get(self, inst, fd, stat):
        """Describe a standard stream: a character device that can be written and not sought, so libc buffers lines."""
        if fd > 2:
            return _BADF
        out = bytearray(24)
        out[0] = 2  # filetype::character_device
        if fd:
            out[8] = 1 << 6  # rights::fd_write
        inst.memory.store(stat, out)
        return 0

    def clock_res_get(self, inst, clock, result):
        """Resolution of a clock: 1 ms for both."""
        if clock > 1:
            return _INVAL
        inst.memory.write_u64(result, _NS_PER_MS)
        return 0

    def random_get(self, inst, at, size):
        """Fill a buffer from the board's random source."""
        if size:
            inst.memory.load(at + size - 1, memoryview(self.context.chunk)[:1])  # traps before the work, not after
        while size > 0:
            n = min(size, _CHUNK_BYTES)
            inst.memory.store(at, self.context.board.random(n))
            at += n
            size -= n
        return 0

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

    def args_sizes_get(self, inst, count_at, size_at):
        """Number and total bytes of the arguments."""
        return self._sizes(inst.memory, self.context.args, count_at, size_at)

    def args_get(self, inst, pointers, at):
        """The arguments: the module's name; `fleet run` adds its own."""
        return self._strings(inst.memory, self.context.args, pointers, at)

    def environ_sizes_get(self, inst, count_at, size_at):
        """Number and total bytes of the environment."""
        return self._sizes(inst.memory, self.environ, count_at, size_at)

    def environ_get(self, inst, pointers, at):
        """The environment: the manifest's config as ``KEY=value``, empty without the capability ``args``."""
        return self._strings(inst.memory, self.environ, pointers, at)

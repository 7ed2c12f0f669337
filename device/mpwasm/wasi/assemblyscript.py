"""AssemblyScript's own imports (module ``env``): abort, trace, seed, console.log, Date.now.

Signatures: AssemblyScript/assemblyscript, std/assembly/builtins.ts and bindings/dom.ts. A string is a pointer to UTF-16 whose
length in bytes stands in the four bytes before it (rtSize of std/assembly/rt/common.ts); at most 160 units are read.
"""

import struct

from mpwasm.compat import const
from mpwasm.errors import Trap
from mpwasm.wasi.foreign import say

_UNREACHABLE = const(100)
_MAX_UNITS = const(160)
_MS_NS = const(1000000)


def double(value):
    """The bit pattern of the f64 that is the whole number `value`, 0 <= value < 2^53, without the host's own floats."""
    if not value:
        return 0
    exponent = 1075
    while value < 1 << 52:
        value <<= 1
        exponent -= 1
    return exponent << 52 | value & (1 << 52) - 1


def decimal(pattern):
    """An f64 as text, with the digits that this Python's floats have."""
    return "%s" % struct.unpack("<d", pattern.to_bytes(8, "little"))[0]


class Part:
    """Strings are read out of guest memory; a bad pointer traps there."""

    def __init__(self, context):
        self.context = context

    def _string(self, inst, at):
        if not at:
            return "null"
        units = min(inst.memory.read_u32(at - 4 & 0xFFFFFFFF) // 2, _MAX_UNITS)
        raw = bytearray(2 * units)
        inst.memory.load(at, raw)
        out = []
        high = 0
        for i in range(0, len(raw), 2):
            unit = raw[i] | raw[i + 1] << 8
            if 0xD800 <= unit < 0xDC00:
                high = unit
                continue
            if 0xDC00 <= unit < 0xE000:
                unit = 0x10000 + ((high & 0x3FF) << 10) + (unit & 0x3FF) if high else 0xFFFD
            high = 0
            out.append(chr(unit))
        return "".join(out)

    def abort(self, inst, message, file, line, column):
        """End the guest with a trap that says why and where in its source."""
        where = "%s:%d:%d" % (self._string(inst, file), line, column) if file else "?"
        raise Trap(_UNREACHABLE, "abort: %s at %s" % (self._string(inst, message), where))

    def trace(self, inst, message, count, a, b, c, d, e):
        """Write a text and up to five numbers to the log."""
        numbers = [decimal(p) for p in (a, b, c, d, e)[: min(count, 5)]]
        say(self.context, "trace: " + self._string(inst, message) + (" " if numbers else "") + ", ".join(numbers) + "\n")

    def seed(self, inst):
        """A random f64 from 1 up to 2, whose bits seed the guest's own generator."""
        return 0x3FF << 52 | int.from_bytes(self.context.board.random(7), "little") & (1 << 52) - 1

    def console_log(self, inst, text):
        """Write a text to the log."""
        say(self.context, self._string(inst, text) + "\n")

    def date_now(self, inst):
        """Milliseconds since 1970 by the board's own clock, as an f64."""
        return double(self.context.board.wall_ns() // _MS_NS)

"""The run-time library, `library.wasm` (its source is in `c/`): finds the function that does an op, and lowers it when asked."""

from array import array

from mpwasm.compat import const
from mpwasm.wasm.load import Loader
from mpwasm.wasm.reader import Reader

_SATURATING = const(0xFC00)


class Library(Loader):
    """The functions in the seekable `stream`. ``row(i)`` reads and lowers the one with index i, anew each time: the slot code of
    one function is all that is held. `loading` comes first."""

    def __init__(self, stream):
        Loader.__init__(self, Reader(stream))
        self.places = array("H")
        self.numbers = {}

    def export(self):
        """An export: the opcode that it does, in hexadecimal."""
        name = self.reader.name()
        kind = self.reader.byte()
        index = self.reader.u32()
        if kind == 0:
            self.numbers[int(name, 16)] = index

    def body(self):
        """Only remember where a body is."""
        r = self.reader
        self.places.append(r.pos)
        r.skip(r.u32())
        self.bodies += 1

    def row(self, i):
        """The row of function `i`, as `Module.codes` would have it: a generator that yields every few instructions."""
        r = self.reader
        r.stream.seek(self.places[i])
        r.before = self.places[i]
        r.index = r.fill = 0
        r.end = 1 << 29
        end = r.u32()
        end += r.pos
        r.end = end
        return (yield from self.lower.compile(i, end))

    def find(self, op, opcode):
        """The index of the function that does the slot op `op` (of a float op the instruction `opcode`), or -1. What its operands are is for
        the caller to check: see `traps`."""
        if op < 0xC9:
            opcode = instruction(op)
        elif op > 0xCA:
            return -1
        elif 0xA8 <= opcode <= 0xB1:
            opcode += _SATURATING - (0xA8 if opcode < 0xAE else 0xAA)
        return self.numbers.get(opcode, -1)


def instruction(op):
    """The opcode of the integer instruction that the slot op `op` does, of those that the library may have; else 0."""
    kind = op & 0x1F
    if op < 0x40:
        return 0x62 + kind if 11 <= kind < 15 else 0
    if 0x6D <= op < 0x70:
        return op - 6
    if 0x80 <= op < 0xC0:
        return 0x7E if kind == 2 else 0x80 + kind if 6 <= kind < 11 else 0x74 + kind if 11 <= kind < 15 else 0
    return op - 0x4A if 0xC3 <= op < 0xC6 else 0

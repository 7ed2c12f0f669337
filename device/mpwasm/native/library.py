"""The run-time library, `library.slots`: finds the function that does an op, and reads its slot code when asked.

The file is what the host lowered `c/library.wasm` to (tests/native/lowered.py), so a board neither reads nor validates any of it: words of 16 bits,
low byte first. How many functions there are; five words for each: the opcode that it does or 0, where its code begins behind these and how long
that is, words of parameters times 256 plus those of other locals, words of its frame times 256 plus those of its result; then the code.
"""

from array import array

from mpwasm.compat import const

_SATURATING = const(0xFC00)
_ROW = const(5)


class Functions:
    """As much of a `Module` as the compiler asks for: what functions have as results, by the words that these take."""

    imported = 0
    types = ((b"", b""), (b"", b"\x7f"), (b"", b"\x7e"))

    def __init__(self, funcs):
        self.funcs = funcs


class Library:
    """The functions in the seekable `stream`, from where it stands. ``row(i)`` reads the one with index i, anew each time: the slot code
    of one function is all that is held."""

    def __init__(self, stream):
        self.stream = stream
        self.start = stream.tell()
        self.rows = self.read(self.read(1)[0] * _ROW)
        self.numbers = {}
        funcs = bytearray(len(self.rows) // _ROW)
        for i in range(len(funcs)):
            self.numbers[self.rows[_ROW * i]] = i
            funcs[i] = self.rows[_ROW * i + 4] & 255
        self.numbers.pop(0, 0)
        self.module = Functions(funcs)

    def read(self, count):
        """So many words."""
        words = array("H", bytes(2 * count))
        self.stream.readinto(words)
        return words

    def row(self, i):
        """The row of function `i`, as `Module.codes` would have it."""
        _, at, count, locals_, frame = self.rows[_ROW * i : _ROW * i + _ROW]
        self.stream.seek(self.start + 2 * (1 + len(self.rows) + at))
        return self.read(count), locals_ >> 8, locals_ & 255, frame >> 8

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

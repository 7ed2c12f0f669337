"""What an emitter needs to know of slot ops: how long they are, which words of the frame they read and write, where they branch to.

A 64-bit value is two words of the frame, its slot and the next.
"""

from mpwasm.compat import const
from mpwasm.wasm.opcodes import NUMERIC, SATURATING, SIGNATURES

_BR_TABLE = const(0x71)
_FLOAT1 = const(0xC9)
_FLOAT2 = const(0xCA)

# The irregular ops, 0x60 to 0x78 and 0xC0 to 0xD1, two bytes each. First: unit of the first slot that is read (bits 0 to 2), how many
# (3, 4), which of them are wide (5 to 7). Second: length (0 to 2), unit of the slot that is written (3 to 5), whether it is wide (6).
_SHAPES = (
    b"\x09\x13\x29\x53\x00\x13\x00\x1c\x00\x6e\x00\x13\x09\x03\x00\x53\x29\x03\x19\x25\x79\x65\x09\x13\x09\x13\x09\x13\x09\x13"
    b"\x09\x13\x00\x02\x09\x00\x00\x04\x09\x06\x00\x03\x00\x01\x09\x25\x00\x0a\x09\x13"
    b"\x29\x13\x09\x53\x09\x53\x29\x53\x29\x53\x29\x53\x29\x53\x29\x53\x29\x53"
    b"\x0a\x1c\x12\x25\x1c\x07\x00\x03\x12\x25\x00\x13\x0a\x1c\x12\x04\x00\x13"
)
# Units of each op by its number; 0 for br_table, and for those that do not exist
LENGTH = b"\x04" * 0x60 + (
    b"\x03\x03\x03\x04\x06\x03\x03\x03\x03\x05\x05\x03\x03\x03\x03\x03\x02\x00\x04\x06\x03\x01\x05\x02\x03"
    + bytes(7)
    + b"\x04" * 0x40
    + b"\x03\x03\x03\x03\x03\x03\x03\x03\x03\x04\x05\x07\x03\x05\x03\x04\x04\x03"
)
_SECOND = const(0x60 * 2)
_THIRD = const((0xC0 - 25) * 2)


def length(code, at):
    """Units of the op at unit `at`, its operands included (the formats are those of `slots.OPS`)."""
    return LENGTH[code[at]] or 4 + code[at + 2]


def targets(code, at):
    """The range of units that hold branch targets of the op at `at`."""
    op = code[at]
    if 0x40 <= op < 0x50:
        return range(at + 3, at + 4)
    if op == 0x70:
        return range(at + 1, at + 2)
    if op == _BR_TABLE:
        return range(at + 3, at + 4 + code[at + 2])
    return range(0)


def reads(code, at):
    """What the op at `at` reads, as the first byte of a shape says: one that `words_read` leaves to this."""
    op = code[at]
    if op < 0x60:
        if op < 0x50:
            return 0x09 if op & 8 else 0x11
        return 0x09 if op < 0x58 else 0x51 if op == 0x5B else 0x11
    if op == _FLOAT1:
        return 0x0A if signature(code[at + 1])[0] & 1 else 0x2A
    return _SHAPES[2 * op - (_SECOND if op < 0xC0 else _THIRD)]


def writes(code, at):
    """The unit, counted from `at`, that names the slot which the op writes (0: none), with bit 3 set where it is wide: of one that
    `words_written` leaves to this."""
    op = code[at]
    if op < 0x60:
        return 0 if 0x40 <= op < 0x50 or op > 0x57 else 0x0B if op == 0x55 else 3
    if op == _FLOAT1:
        return 3 if signature(code[at + 1])[-1] & 1 else 0x0B
    return _SHAPES[2 * op - (_SECOND if op < 0xC0 else _THIRD) + 1] >> 3


def signature(opcode):
    """Value types that a float instruction takes and gives, by its opcode: wide ones are even numbers."""
    return SIGNATURES[SATURATING[opcode - 0xFC00] if opcode >= 0xFC00 else NUMERIC[2 * (opcode - 0x45)] & 0x7F]


def words_read(code, at):
    """The words of the frame that the op at `at` reads, low ones first; arguments of calls and results of returns are not counted."""
    op = code[at]
    if op < 0x40:
        return (code[at + 1],) if op & 0x20 else (code[at + 1], code[at + 2])
    if 0x7F < op < 0xC0:
        a, b = code[at + 1], code[at + 2]
        return (a, a + 1) if op & 0x20 else (a, a + 1, b, b + 1)
    if op == _FLOAT2:
        opcode, a, b = code[at + 1], code[at + 2], code[at + 3]
        return (a, a + 1, b, b + 1) if 0x60 < opcode < 0x67 or opcode > 0x9F else (a, b)
    shape = reads(code, at)
    at += shape & 7
    if shape < 0x20:  # none of them wide
        n = shape >> 3
        return () if not n else (code[at],) if n == 1 else (code[at], code[at + 1]) if n == 2 else (code[at], code[at + 1], code[at + 2])
    return pairs(code, at, shape)


def pairs(code, at, shape):
    """The words of operands from unit `at` on, some of them wide."""
    out = []
    for i in range(shape >> 3 & 3):
        out.append(code[at + i])
        if shape >> 5 + i & 1:
            out.append(code[at + i] + 1)
    return out


def words_written(code, at):
    """The words of the frame that the op at `at` writes; not of calls."""
    op = code[at]
    if op < 0x40:
        return (code[at + 3],)
    if 0x7F < op < 0xC0:
        slot = code[at + 3]
        return (slot,) if op & 0x10 else (slot, slot + 1)
    if op == _FLOAT2:
        return (code[at + 4], code[at + 4] + 1) if code[at + 1] > 0x9F else (code[at + 4],)
    shape = writes(code, at)
    if not shape:
        return ()
    slot = code[at + (shape & 7)]
    return (slot, slot + 1) if shape & 8 else (slot,)

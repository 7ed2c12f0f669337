"""What every CPU's templates need to know of a function before they begin: op lengths, labels, loops, the hottest slots."""

from mpwasm.compat import const

_FEW = b"\x03\x03\x03\x04\x06\x03\x03\x03\x03\x05\x05\x03\x03\x03\x03\x03\x02\x00\x04\x06\x03\x01\x05\x02\x03"
_RARE = b"\x04\x05\x07\x03\x05\x03\x04\x04\x03"
_BR_TABLE = const(0x71)
_LEADER = const(1)
_LOOP = const(2)


def length(code, at):
    """Units of the op at unit `at`, its operands included (the formats are those of `slots.OPS`)."""
    op = code[at]
    if op < 0x60 or 0x80 <= op < 0xC0:
        return 4
    if op < 0x80:
        return 4 + code[at + 2] if op == _BR_TABLE else _FEW[op - 0x60]
    return 3 if op < 0xC9 else _RARE[op - 0xC9]


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


def sources(code, at):
    """The units that name 32-bit slots which the op at `at` reads."""
    op = code[at]
    if op < 0x50:
        return (at + 1,) if op & 0x20 or (op >= 0x48) else (at + 1, at + 2)
    if op < 0x58:
        return (at + 1,)
    if op < 0x5B:
        return (at + 1, at + 2)
    if op == 0x5B or op in (0x60, 0x66, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, _BR_TABLE, 0x76, 0x78):
        return (at + 1,)
    if op == 0x69:
        return (at + 1, at + 2, at + 3)
    if op == 0x74:
        return (at + 1,) if code[at + 2] == 1 else ()
    return ()


def result(code, at):
    """The 32-bit slot that the op at `at` writes, or -1; calls are not meant."""
    op = code[at]
    if op < 0x40 or 0x50 <= op < 0x55:
        return code[at + 3]
    if op == 0x60 or op == 0x62 or op == 0x65 or 0x6B <= op <= 0x6F or op == 0x78:
        return code[at + 2]
    if op == 0x63:
        return code[at + 3]
    if op == 0x69 or op == 0x76:
        return code[at + 4]
    return code[at + 1] if op == 0x77 else -1


def wide_slots(code, at):
    """Slots that the op at `at` uses in a way that keeps them out of registers: pairs, call areas, rare ops."""
    op = code[at]
    if op == 0x74:
        return [code[at + 1] + i for i in range(code[at + 2])] if code[at + 2] > 1 else ()
    if op == 0x55:
        return pair(code[at + 3])
    if op == 0x5B:
        return pair(code[at + 2])
    if op == 0x61:
        return pair(code[at + 1]) + pair(code[at + 2])
    if op == 0x64:
        return pair(code[at + 5])
    if op == 0x67:
        return pair(code[at + 2])
    if op == 0x68:
        return pair(code[at + 1])
    if op == 0x6A:
        return pair(code[at + 1]) + pair(code[at + 2]) + (code[at + 3],) + pair(code[at + 4])
    if op == 0x73:
        return (code[at + 1],)
    if op < 0x80:
        return ()
    return any_of(code, at)


def any_of(code, at):
    """Every operand of an op, and the slot behind it: what cannot be told apart stays in memory."""
    out = []
    for i in range(at + 1, at + length(code, at)):
        out.append(code[i])
        out.append(code[i] + 1)
    return out


def pair(slot):
    """The two slots of a 64-bit value."""
    return slot, slot + 1


class Scan:
    """One function: `marks` has a byte per unit (1 a branch target, 2 the head of a loop too), `homes` the hottest slots.

    `call_words(at)` tells how many words from a call's delta on are its arguments and results.
    """

    def __init__(self, code, registers, call_words):
        self.code = code
        self.marks = bytearray(len(code))
        self.back = []
        self.find_labels()
        self.homes = self.hottest(registers, call_words)

    def find_labels(self):
        """Mark the targets, and keep the loops as (first unit, last unit)."""
        code, at = self.code, 0
        while at < len(code):
            for t in targets(code, at):
                self.marks[code[t]] |= _LEADER
                if code[t] <= at:
                    self.marks[code[t]] |= _LOOP
                    self.back.append((code[t], at))
            at += length(code, at)

    def weight(self, at):
        """How often the op at `at` probably runs: 8 to the power of its loop depth."""
        heads = set()
        for first, last in self.back:
            if first <= at <= last:
                heads.add(first)
        return 8 ** min(len(heads), 4)

    def hottest(self, registers, call_words):
        """The `registers` slots that are used most, hottest first, of those that may live in a register."""
        code, at = self.code, 0
        uses, barred = {}, set()
        while at < len(code):
            weight = self.weight(at)
            for unit in sources(code, at):
                uses[code[unit]] = uses.get(code[unit], 0) + weight
            slot = result(code, at)
            if slot >= 0:
                uses[slot] = uses.get(slot, 0) + weight
            barred.update(wide_slots(code, at))
            if code[at] == 0x72 or code[at] == 0x73:
                end = at + length(code, at)
                delta = code[end - 2]
                barred.update(range(delta, delta + call_words(at)))
                slot = code[end - 1]
                if slot != delta:
                    uses[slot] = uses.get(slot, 0) + weight
            at += length(code, at)
        found = sorted((-uses[s], s) for s in uses if s not in barred)
        return [s for n, s in found[:registers] if n <= -2]

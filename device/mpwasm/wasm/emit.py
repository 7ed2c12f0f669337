"""Writes slot code: ops and their operands, copies to where values must be, branches and their targets."""

from array import array

from mpwasm.compat import const
from mpwasm.wasm.module import width, words
from mpwasm.wasm.stack import Stack

_TOO_LARGE = const(71)
_MAX_UNITS = const(65535)
_LOOP = const(0x03)

# slot ops, see slots.OPS
_EQ = const(0x10)
_BRANCH = const(0x40)
_BRANCH_NE_K = const(0x49)
_MOVE = const(0x60)
_CONST = const(0x62)
_CONST32 = const(0x63)
_CONST64 = const(0x64)
_BR = const(0x70)
_RET = const(0x74)


class Emitter(Stack):
    """A stack that also makes slot code: 16-bit units in `code`, of which `pos` are used.

    `last` is the unit where the newest op starts if its result slot may still be changed (the result is its last
    unit and no label lies behind it), else -1.
    """

    def __init__(self, reader):
        self.code = array("H", bytes(512))
        self.pos = 0
        self.last = -1
        Stack.__init__(self, reader)

    def emit(self, op, a=-1, b=-1, c=-1, d=-1):
        """Append an op and up to four operands (each 0 to 65535; -1: there is none). Nothing while unreachable.

        There is room for three units more, which the longest ops add themselves.
        """
        self.last = -1
        if self.dead:
            return
        p = self.pos
        if p + 8 > len(self.code):
            self.grow_code(p + 8)
        code = self.code
        code[p] = op
        p += 1
        if a >= 0:
            code[p] = a
            p += 1
        if b >= 0:
            code[p] = b
            p += 1
        if c >= 0:
            code[p] = c
            p += 1
        if d >= 0:
            code[p] = d
            p += 1
        self.pos = p

    def grow_code(self, size):
        """Make room for `size` units."""
        if size > _MAX_UNITS:
            self.fail(_TOO_LARGE)
        bigger = array("H", bytes(2 * min(size + size // 2 + 32, _MAX_UNITS)))
        for i in range(self.pos):
            bigger[i] = self.code[i]
        self.code = bigger

    def emit_result(self, valtype, op, a=-1, b=-1, c=-1):
        """Append an op whose last operand is its result, and push that result at its home."""
        start = self.pos
        self.emit(op, a, b, c, self.top)
        if not self.dead:
            self.last = start
        self.push(valtype)

    def finished(self):
        """The code made so far, in an array of its own size."""
        out = array("H", bytes(2 * self.pos))
        for i in range(self.pos):
            out[i] = self.code[i]
        return out

    # values

    def made_now(self, loc, home):
        """Whether the value in slot `loc` is the newest op's result, in its temporary."""
        return self.last >= 0 and loc == home and self.code[self.pos - 1] == home

    def put_const(self, valtype, value, slot):
        """Put the constant `value` into `slot`."""
        start = self.pos
        if -32768 <= value < 32768 and width(valtype) == 1:
            self.emit(_CONST, value & 0xFFFF, slot)
        elif width(valtype) == 1:
            self.emit(_CONST32, value & 0xFFFF, value >> 16 & 0xFFFF, slot)
        else:
            self.emit(_CONST64, value & 0xFFFF, value >> 16 & 0xFFFF, value >> 32 & 0xFFFF, value >> 48 & 0xFFFF)
            if not self.dead:
                self.code[self.pos] = slot
                self.pos += 1
        if not self.dead:
            self.last = start

    def copy(self, valtype, source, slot):
        """Copy a value of `valtype` from slot `source` to `slot`."""
        if source != slot:
            start = self.pos
            self.emit(_MOVE + width(valtype) - 1, source, slot)
            if not self.dead:
                self.last = start

    def operand(self, valtype, loc, val, home):
        """The slot of a popped value; a constant is put into its home first."""
        if loc >= 0:
            return loc
        self.put_const(valtype, val, home)
        return home

    def bring(self, i, slot):
        """Copy operand `i` of the stack into `slot`."""
        if self.locs[i] < 0:
            self.put_const(self.types[i], self.vals[i], slot)
        else:
            self.copy(self.types[i], self.locs[i], slot)

    def settle(self, first):
        """Bring operands from index `first` up to their homes; while unreachable they may be those of blocks around, and stay."""
        if self.dead:
            return
        for i in range(first, len(self.locs)):
            if self.locs[i] != self.homes[i]:
                self.bring(i, self.homes[i])
                self.locs[i] = self.homes[i]

    def spill(self, slot=-1):
        """Give every operand that still lives in local `slot` (-1: in any local) a copy of its own."""
        for i in range(len(self.locs)):
            loc = self.locs[i]
            if loc >= 0 and loc != self.homes[i] and (loc == slot or slot < 0):
                self.copy(self.types[i], loc, self.homes[i])
                self.locs[i] = self.homes[i]

    def store_local(self, valtype, slot):
        """Put the value just popped into local `slot`, by changing where the newest op puts it if that can be."""
        loc, val, home = self.loc, self.val, self.top
        self.spill(slot)
        if loc < 0:
            self.put_const(valtype, val, slot)
        elif self.made_now(loc, home) and not self.dead:
            self.code[self.pos - 1] = slot
        else:
            self.copy(valtype, loc, slot)
        self.last = -1

    # control

    def in_place(self, label, types):
        """Whether the operands on top already lie where `label` wants `types`."""
        slot = label.base
        for i in range(len(self.types) - len(types), len(self.types)):
            if self.locs[i] != slot:
                return False
            slot += width(self.types[i])
        return True

    def move_results(self, label, types):
        """Bring the operands on top to where `label` wants `types`; lower ones first, so none is overwritten."""
        if self.dead:
            return
        slot = label.base
        for i in range(len(self.types) - len(types), len(self.types)):
            self.bring(i, slot)
            slot += width(self.types[i])

    def link(self, label, at):
        """Make the unit `at` hold the branch target of `label`, now or when its end is known."""
        if self.dead:
            return
        if label.opcode == _LOOP:
            self.code[at] = label.start
        else:
            self.code[at] = label.fix
            label.fix = at

    def land(self, at):
        """The chain of forward branches that ends in unit `at` goes to here."""
        self.last = -1
        while at:
            before = self.code[at]
            self.code[at] = self.pos
            at = before

    def branch_if(self, loc, val, home, invert):
        """Branch on the popped i32 (not zero; zero if `invert` is 1); returns the unit of the target.

        A comparison that was made just before becomes the branch itself.
        """
        if not self.dead and self.made_now(loc, home):
            op = self.code[self.last]
            if op & 0xD8 == _EQ and op & 7 < 6:
                self.code[self.last] = _BRANCH | (op & 0x20) >> 2 | op & 7 ^ invert
                self.last = -1
                return self.pos - 1
        self.emit(_BRANCH_NE_K ^ invert, self.operand(0x7F, loc, val, home), 0, 0)
        return self.pos - 1

    def jump(self, label):
        """Branch always to `label`, with its values; to the outermost one that is a return."""
        types = label.ins if label.opcode == _LOOP else label.outs
        if label is self.labels[0]:
            self.ret(types)
            return
        self.move_results(label, types)
        self.emit(_BR, 0)
        self.link(label, self.pos - 1)

    def ret(self, types):
        """Return with the operands on top: a single one from where it is, several from the first temporaries."""
        label = self.labels[0]
        slot = label.base
        if len(types) == 1 and not self.dead:
            i = len(self.locs) - 1
            slot = self.operand(types[0], self.locs[i], self.vals[i], self.homes[i])
        else:
            self.move_results(label, types)
        self.emit(_RET, slot, words(types))

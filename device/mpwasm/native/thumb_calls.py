"""Templates of control: branches, tables, calls, returns, and ops that are left to Python."""

from mpwasm.compat import const
from mpwasm.native.scan import length, result, sources
from mpwasm.native.thumb_frame import Frame

_FP = const(4)
_NOTHING = const(-1)
_LSLS = const(2)
_CMP = const(10)
_EQ = const(0)
_HOST = const(2)
_TRAP = const(5)


class Calls(Frame):
    """A frame that knows the control ops."""

    def control(self, op, at):
        """br, br_table, calls, return, unreachable."""
        code = self.code
        if op == 0x70:
            self.branch(14, code[at + 1])
            self.islands(True)
        elif op == 0x71:
            self.table(at)
            self.islands(True)
        elif op == 0x72:
            self.call(at)
        elif op == 0x73:
            self.call_indirect(at)
        elif op == 0x74:
            self.ret(at)
        else:
            self.python(_TRAP, at)
            self.islands(True)

    def python(self, reason, at):
        """Leave the op at `at` to Python: operands to the frame, exit, the result from the frame."""
        code = self.code
        for unit in sources(code, at):
            slot = code[unit]
            home = self.home.get(slot, _NOTHING)
            if slot == self.acc:
                self.word(0, 0, slot)
            elif home != _NOTHING:
                self.asm.mov(1, home)
                self.word(0, 1, slot)
        self.acc = _NOTHING
        self.asm.constant(2, self.told(at))
        self.asm.bl(self.exits[reason])
        slot = self.called(at) if reason == _HOST else result(code, at)
        home = self.home.get(slot, _NOTHING)
        if home != _NOTHING:
            self.word(4, 1, slot)
            self.asm.mov(home, 1)

    def called(self, at):
        """The slot where the call at `at` puts its result."""
        return self.code[at + length(self.code, at) - 1]

    def frame_by(self, words):
        """Move the frame pointer by `words` words."""
        asm = self.asm
        if -63 <= words <= 63:
            if words:
                asm.add8(_FP, 4 * words)
        else:
            asm.constant(1, 4 * words)
            asm.add(_FP, _FP, 1)

    def call(self, at):
        """call: a branch to machine code, an exit for imported functions."""
        asm, code = self.asm, self.code
        function, delta, slot = code[at + 1], code[at + 2], code[at + 3]
        words = self.results(function)
        if function < self.imported:
            self.acc = _NOTHING
            asm.constant(2, self.told(at))
            asm.bl(self.exits[_HOST])
            if words == 1:
                self.word(4, 0, delta)
        else:
            self.homes(0)
            self.frame_by(delta)
            self.asm.calls.append((asm.here, function))
            asm.put(0)
            asm.put(0)
            self.frame_by(-delta)
            self.homes(4)
            self.acc = _NOTHING
        if words == 1:
            self.received(slot, at)

    def call_indirect(self, at):
        """call_indirect: Python looks the element up; of machine code it hands the address back in r0, else it made the call."""
        asm = self.asm
        delta, slot = self.code[at + 4], self.code[at + 5]
        words = self.indirect(self.code[at + 2])
        index = self.code[at + 1]
        if index == self.acc:
            self.word(0, 0, index)
        self.acc = _NOTHING
        self.homes(0)
        asm.constant(2, self.told(at))
        asm.bl(self.exits[_HOST])
        asm.cmp8(0, 0)
        over = asm.here
        asm.put(0)
        self.frame_by(delta)
        asm.put(0x4780)
        self.frame_by(-delta)
        self.homes(4)
        out = asm.here
        asm.put(0)
        asm.patch_bcc(over, _EQ, asm.here)
        if words == 1:
            self.word(4, 0, delta)
        asm.patch_b(out, asm.here)
        if words == 1:
            self.received(slot, at)

    def received(self, slot, at):
        """A call's result is in r0."""
        home = self.home.get(slot, _NOTHING)
        if home == _NOTHING:
            self.done(slot, at)
        else:
            self.asm.mov(home, 0)
            self.acc = slot if home > 7 else _NOTHING

    def ret(self, at):
        """return: one word in r0, more in the first words of the frame."""
        code = self.code
        slot, words = code[at + 1], code[at + 2]
        if words == 1:
            self.asm.mov(0, self.use(slot, 0))
        self.word(4, 1, self.params)
        if words > 1:
            # only now: the results may lie where the return address did
            for i in range(words):
                self.word(4, 0, slot + i)
                self.word(0, 0, i)
        self.asm.bx(1)
        self.islands(True)

    def table(self, at):
        """br_table: a table of distances behind an ADD to the program counter; loops, which lie before, by a B behind it."""
        asm, code = self.asm, self.code
        count = code[at + 2]
        asm.mov(1, self.use(code[at + 1], 0))
        if count > 30:
            self.islands(False, True)
        asm.mov8(2, count >> 8)
        asm.shift(_LSLS, 2, 2, 8)
        asm.add8(2, count & 255)
        asm.op(_CMP, 1, 2)
        asm.put(0xD900)  # BLS over the next
        asm.mov(1, 2)
        asm.shift(_LSLS, 1, 1, 1)
        asm.add_high(1, 15)
        asm.put(0x8889)  # LDRH r1, [r1, #4]: the table begins 8 bytes behind the ADD
        asm.shift(_LSLS, 1, 1, 1)
        asm.add_high(15, 1)
        base = asm.here + 2
        first = asm.here
        for _ in range(count + 1):
            asm.put(0)
        for i in range(count + 1):
            unit = code[at + 3 + i]
            if unit in self.places:
                self.entry(first + 2 * i, base, asm.here)
                self.branch(14, unit)
            else:
                self.entries.append((first + 2 * i, base, unit))

    def entry(self, at, base, target):
        """Write one entry of a branch table."""
        self.asm.patch(at, (target - base) >> 1)

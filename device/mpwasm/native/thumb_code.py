"""Templates for ARMv6-M: what slot ops need, as Thumb instructions on registers.

Registers: r0, r1, r2, r3, r7 hold values, r8 and r12 pinned words; r4 the frame, r5 fuel, r6 the first byte of the memory window,
r9 the window's length, r10 the globals behind the record, r11 the frame limit, r14 free. Results come back in r0 and r1.
"""

from mpwasm.compat import const
from mpwasm.native.thumb import Thumb

_FP = const(4)
_FUEL = const(5)
_MEM = const(6)
_LENGTH = const(9)
_GLOBALS = const(10)
_LIMIT = const(11)

_EORS = const(1)
_LSLS = const(2)
_LSRS = const(3)
_ASRS = const(4)
_ADCS = const(5)
_SBCS = const(6)
_RORS = const(7)
_RSBS = const(9)
_CMP = const(10)
_MULS = const(13)
_MVNS = const(15)
_STR = const(0)
_LDR = const(4)
_EQ = const(0)
_NE = const(1)
_HS = const(2)
_LO = const(3)
_HI = const(8)
_CONDITIONS = b"\x00\x01\x0b\x0a\x03\x02"  # eq ne lt_s ge_s lt_u ge_u
_LOGIC = b"\x0d\x00\x0c\x01"  # mul and or xor
_SHIFTS = b"\x02\x04\x03\x07\x07"  # shl shr_s shr_u rotl rotr
_MEMORY = b"\x06\x03\x05\x07\x04\x04\x00\x00\x02\x01\x00\x00"  # LDRB LDRSB LDRH LDRSH LDR LDR, STRB STRH STR STR
_SIZES = b"\x00\x00\x01\x01\x02\x02\x00\x00\x00\x01\x02\x02"  # alignment they need, as a power of two
_ALWAYS = const(-1)
_DATA = b"\x00\x00\x01\x01\x01\x00\x00\x00\x00"  # exits with two halfwords behind the call


class ThumbCode(Thumb):
    """The templates. `exits` gives the place of each exit."""

    LOW = b"\x00\x01\x02\x03\x07"  # registers for values
    POOL = b"\x00\x01\x02\x03\x07"
    LOW_PINS = b"\x07\x03"
    HIGH_PINS = b"\x08\x0c"
    RESULTS = b"\x00\x01"
    SCRATCH = 2  # never pinned
    REACH = 220  # of a conditional branch, less what may be between looks
    COLD = 10  # bytes of a piece of cold code
    COLD_LEVEL = 0  # of branches to cold code, see `branch`
    COUNTS = True  # counts of shifts have to go through `count`

    def begin(self, code):
        """Begin a function, whose slot code is `code`."""
        self.align()

    def saved(self, r):
        """The number of register `r` among those that an exit saves."""
        return r if r < 4 else 4

    # moves

    def move(self, rd, rm):
        """rd = rm."""
        self.mov(rd, rm)

    def load(self, rd, word):
        """Load a word of the frame; the carry stays."""
        if word < 32:
            self.ldr5(rd, _FP, 4 * word)
        else:
            self.constant(rd, 4 * word)
            self.memory(_LDR, rd, _FP, rd)

    def store(self, rt, word):
        """Store a word of the frame; the carry stays where `carry` says so."""
        if word < 32:
            self.str5(rt, _FP, 4 * word)
        elif word < 95 and not self.carry:
            self.add8(_FP, 4 * (word - 31))
            self.str5(rt, _FP, 124)
            self.add8(_FP, -4 * (word - 31))
        else:
            r = 1 if rt == 0 else 0
            self.push(1 << r, 0)
            self.constant(r, 4 * word)
            self.memory(_STR, rt, _FP, r)
            self.pop(1 << r, 0)

    def get_global(self, rd, index):
        """Load word `index` of the globals."""
        if index < 32:
            self.mov(rd, _GLOBALS)
            self.ldr5(rd, rd, 4 * index)
        else:
            self.constant(rd, 4 * index)
            self.add_high(rd, _GLOBALS)
            self.ldr5(rd, rd, 0)

    def set_global(self, rt, index, free):
        """Store word `index` of the globals; `free` is lost."""
        if index < 32:
            self.mov(free, _GLOBALS)
            self.str5(rt, free, 4 * index)
        else:
            self.constant(free, 4 * index)
            self.add_high(free, _GLOBALS)
            self.str5(rt, free, 0)

    def select(self, rd, rc, ra, rb):
        """rd = ra if rc is not 0, else rb."""
        if ra == rb:
            self.mov(rd, ra)
            return
        self.cmp8(rc, 0)
        condition = _NE
        if rd == rb:
            ra, rb, condition = rb, ra, _EQ
        self.mov(rd, ra)
        self.put(0xD000 | condition << 8)  # over the next
        self.mov(rd, rb)

    # arithmetic

    def binary(self, kind, rd, ra, rb):
        """rd = ra op rb, by the number of the slot op; a count of a shift must have gone through `count`."""
        if kind < 2:
            (self.sub if kind else self.add)(rd, ra, rb)
        elif kind < 6:
            if rd == rb:
                ra, rb = rb, ra
            self.mov(rd, ra)
            self.op(_LOGIC[kind - 2], rd, rb)
        else:
            self.mov(rd, ra)
            self.op(_SHIFTS[kind - 6], rd, rb)

    def count(self, kind, rd, rb):
        """rd = rb as the count of a shift (6 to 8) or rotation (9, 10) wants it."""
        if kind < 9:
            self.shift(_LSLS, rd, rb, 27)
            self.shift(_LSRS, rd, rd, 27)
        elif kind == 9:
            self.op(_RSBS, rd, rb)
        else:
            self.mov(rd, rb)

    def takes(self, kind, k):
        """Whether `binary_k` does this op with the constant `k`."""
        if kind < 2:
            return -255 <= k <= 255
        if kind == 2:
            return k > 0 and not k & k - 1
        if kind == 3:
            return k > 0 and not k & k + 1 or k < 0 and not -k & -k - 1
        return 5 < kind < 9 or kind == 5 and k == -1

    def binary_k(self, kind, rd, ra, k):
        """rd = ra op k, where it `takes` that."""
        if kind < 2:
            self.add_k(rd, ra, -k if kind else k)
        elif kind == 2:
            self.shift_k(6, rd, ra, bits(k - 1))
        elif kind == 3:
            self.mask(rd, ra, k)
        elif kind == 5:
            self.op(_MVNS, rd, ra)
        else:
            self.shift_k(kind, rd, ra, k & 31)

    def shift_k(self, kind, rd, ra, k):
        """A shift by a constant."""
        if k:
            self.shift(_SHIFTS[kind - 6], rd, ra, k)
        else:
            self.mov(rd, ra)

    def add_k(self, rd, ra, k):
        """rd = ra + k, with flags, for -255 <= k <= 255."""
        if -7 <= k <= 7:
            self.add3(rd, ra, k)
        else:
            self.mov(rd, ra)
            self.add8(rd, k)

    def mask(self, rd, ra, k):
        """rd = ra & k: all bits below some bit, or all from it on."""
        if k == 255 or k == 65535:
            self.extend(3 if k == 255 else 2, rd, ra)
            return
        one, two, n = (_LSLS, _LSRS, 32 - bits(k)) if k > 0 else (_LSRS, _LSLS, bits(-k - 1))
        if n:
            self.shift(one, rd, ra, n)
            self.shift(two, rd, rd, n)
        else:
            self.mov(rd, ra)

    def negate(self, rd, ra):
        """rd = 0 - ra."""
        self.op(_RSBS, rd, ra)

    def sign_extend(self, size, rd, ra):
        """rd = the low 8 or 16 bits of ra, with their sign."""
        self.extend(1 if size == 8 else 0, rd, ra)

    def first(self, kind, rd, ra, rb):
        """Low words of a sum (0) or difference (1)."""
        (self.sub if kind else self.add)(rd, ra, rb)

    def second(self, kind, rd, ra, rb):
        """High words of a sum or difference, with the carry of `first`."""
        if rd == rb and not kind:
            ra, rb = rb, ra
        if rd == rb and ra != rb:
            self.op(_MVNS, rd, rb)
            self.op(_ADCS, rd, ra)
        else:
            self.mov(rd, ra)
            self.op(_SBCS if kind else _ADCS, rd, rb)

    def add_carry(self, rd, ra, rb):
        """rd = ra + rb; returns the condition that it carried."""
        self.add(rd, ra, rb)
        return _HS

    # comparisons

    def compares(self, k):
        """Whether `compare_k` takes the constant `k`."""
        return 0 <= k < 256

    def compare(self, kind, ra, rb):
        """The condition that ra kind rb (eq ne lt_s ge_s lt_u ge_u)."""
        self.op(_CMP, ra, rb)
        return _CONDITIONS[kind]

    def compare_k(self, kind, ra, k):
        """The condition that ra kind k."""
        self.cmp8(ra, k)
        return _CONDITIONS[kind]

    def opposite(self, condition):
        """The condition that holds where this one does not."""
        return condition ^ 1

    def below_first(self, kind, free, ra, rb):
        """Low words of a comparison of pairs (lt_s ge_s lt_u ge_u); `free` is for `below_second`."""
        self.op(_CMP, ra, rb)
        if kind < 4:
            self.op(_SBCS, free, free)

    def below_second(self, kind, free, ra, rb):
        """High words of it: the condition. Signed ones are decided by the low words if they are equal; the overflow flag behind SBCS
        would do it in one instruction, but the emulated core gets it wrong."""
        if kind < 4:
            self.op(_CMP, ra, rb)
            self.put(0xD100)  # BNE over the next
            self.cmp8(free, 0)
        else:
            self.second(1, free, ra, rb)
        return _CONDITIONS[kind]

    def set_if(self, kind, rd, ra, rb):
        """rd = 1 if ra kind rb, else 0."""
        if kind < 2:
            self.sub(rd, ra, rb)
            self.set_if_k(kind, rd, rd, 0)
        else:
            self.op(_CMP, ra, rb)
            self.set_flag(rd, _CONDITIONS[kind])

    def set_if_k(self, kind, rd, ra, k):
        """rd = 1 if ra kind k, else 0."""
        if kind < 2:
            if k:
                self.add_k(rd, ra, -k)
                ra = rd
            self.cmp8(ra, 1)
            self.set_flag(rd, _LO ^ kind)
        else:
            self.cmp8(ra, k)
            self.set_flag(rd, _CONDITIONS[kind])

    def set_flag(self, rd, condition):
        """rd = 1 where the condition holds, else 0."""
        if condition == _LO or condition == _HS:
            self.op(_SBCS, rd, rd)
            if condition == _LO:
                self.op(_RSBS, rd, rd)
            else:
                self.add8(rd, 1)
        else:
            self.put(0xD001 | condition << 8)
            self.mov8(rd, 0)
            self.put(0xE000)
            self.mov8(rd, 1)

    # memory

    def access(self, op, regs, offset, item, function):
        """A load or store (0x50 to 0x5B) at the address in a register, plus `offset`; checks branch to the cold code `item`.

        `regs`: the value's low and high word, the address, a free one, which may be the word of a load that comes last.
        """
        low, high, ra, free = regs
        wide = op & 7 == (5 if op < 0x58 else 3)
        self.check_alignment(_SIZES[op - 0x50], ra, offset, free, item, function)
        ea = self.effective(ra, offset + 4 * wide, free, item, function)
        self.cmp_high(ea, _LENGTH)
        function.site(item, _HS)
        number = _MEMORY[op - 0x50]
        if not wide:
            self.memory(number, low, _MEM, ea)
        elif offset < 124 and not offset & 3:
            self.add(free, ra, _MEM)
            (self.ldr5 if number else self.str5)(low, free, offset)
            (self.ldr5 if number else self.str5)(high, free, offset + 4)
        else:
            self.add8(free, -4)
            self.add(free, free, _MEM)
            (self.ldr5 if number else self.str5)(low, free, 0)
            (self.ldr5 if number else self.str5)(high, free, 4)

    def check_alignment(self, size, ra, offset, free, item, function):
        """ra + offset must be a multiple of 1 << size."""
        if size:
            if offset & (1 << size) - 1:
                self.add3(free, ra, offset & (1 << size) - 1)
                ra = free
            self.shift(_LSLS, free, ra, 32 - size)
            function.site(item, _NE)

    def effective(self, ra, offset, free, item, function):
        """A register with ra + offset, which must not carry: ra itself, or `free`."""
        if not offset:
            return ra
        if offset < 256:
            self.add_k(free, ra, offset)
        else:
            self.constant(free, offset)
            self.add(free, free, ra)
        function.site(item, _HS)
        return free

    # control

    def check_frame(self, words, item, function):
        """Branch to the cold code `item` where a frame of so many words goes beyond the limit."""
        if words <= 64:
            self.cmp_high(_FP, _LIMIT)
        else:
            self.constant(1, 4 * (words - 64))
            self.add(1, 1, _FP)
            self.cmp_high(1, _LIMIT)
        function.site(item, _HI)

    def count_fuel(self):
        """Use up one unit of fuel; the condition that it was the last."""
        self.add8(_FUEL, -1)
        return _EQ

    def clear(self, first, end):
        """Zero the words of the frame from `first` up to `end`; r0 to r2 are lost."""
        self.mov8(0, 0)
        self.constant(1, 4 * first)
        self.constant(2, 4 * end)
        loop = self.here
        self.memory(_STR, 0, _FP, 1)
        self.add8(1, 4)
        self.op(_CMP, 1, 2)
        self.patch_branch(self.branch(_NE, 0), loop)

    def keep_return(self, word):
        """Store the return address."""
        self.mov(1, 14)
        self.store(1, word)

    def take_return(self, word):
        """Load the return address, for `go_back`."""
        self.load(2, word)

    def go_back(self):
        """Return."""
        self.bx(2)

    def frame_by(self, words):
        """Move the frame pointer by `words` words."""
        if -126 <= words <= 126:
            half = max(-63, min(63, words))
            if half:
                self.add8(_FP, 4 * half)
            if words != half:
                self.add8(_FP, 4 * (words - half))
        else:
            self.constant(2, 4 * words)
            self.add(_FP, _FP, 2)

    def call(self):
        """A call; returns where its target is to be written."""
        at = self.here
        self.put(0)
        self.put(0)
        return at

    def call_to(self, at, target):
        """Give the call at `at` its target."""
        self.patch_bl(at, target)

    def call_register(self, r):
        """A call of the address in register `r`."""
        self.put(0x4780 | r << 3)

    def exit(self, reason, told):
        """Leave machine code; HOST, ACCESS and OP have something to tell, 32 bits."""
        self.bl(self.exits[reason])
        if _DATA[reason]:
            self.put(told & 0xFFFF)
            self.put(told >> 16)

    def branch(self, condition, level):
        """A branch whose target comes later, conditional unless `condition` is -1; returns where it is to be patched. Higher levels reach farther."""
        if condition != _ALWAYS:
            if not level:
                self.put(0xD000 | condition << 8)
                return self.here - 2
            self.put(0xD000 | (condition ^ 1) << 8 | level - 1)
            level -= 1
        if not level:
            self.put(0xE000)
            return self.here - 2
        return self.call()

    def patch_branch(self, at, target):
        """Give the branch at `at` its target; false where it does not reach."""
        kind = self.out[at + 1] >> 4
        if kind == 13:
            return self.patch_bcc(at, self.out[at + 1] & 15, target)
        if kind == 14:
            return self.patch_b(at, target)
        self.patch_bl(at, target)
        return True

    def table(self, index, count):
        """A jump by a table: of its `count` + 1 entries the last one is for greater numbers too. Returns where it begins; r1 and r2 are lost."""
        self.mov(1, index)
        self.constant(2, count)
        self.op(_CMP, 1, 2)
        self.put(0xD900)  # BLS over the next
        self.mov(1, 2)
        self.shift(_LSLS, 1, 1, 1)
        self.add_high(1, 15)
        self.put(0x8889)  # LDRH r1, [r1, #4]: the table begins 8 bytes behind the ADD
        self.shift(_LSLS, 1, 1, 1)
        self.add_high(15, 1)
        first = self.here
        for _ in range(count + 1):
            self.put(0)
        return first

    def table_entry(self, first, i, target):
        """Write entry `i` of the table at `first`. Raises ValueError beyond 128 KiB."""
        distance = target - first - 2 >> 1
        if distance > 0xFFFF:
            raise ValueError(distance)
        self.patch(first + 2 * i, distance)


def bits(value):
    """How many bits the positive number `value` has."""
    n = 0
    while value:
        value >>= 1
        n += 1
    return n

"""Templates for ARMv6-M on values: moves, arithmetic, comparisons (which register is for what, see `thumb_code`)."""

from mpwasm.compat import const
from mpwasm.native.thumb import Thumb

_FP = const(4)
_GLOBALS = const(10)
_LSLS = const(2)
_LSRS = const(3)
_ADCS = const(5)
_SBCS = const(6)
_RSBS = const(9)
_CMP = const(10)
_MVNS = const(15)
_STR = const(0)
_LDR = const(4)
_EQ = const(0)
_NE = const(1)
_HS = const(2)
_LO = const(3)
_CONDITIONS = b"\x00\x01\x0b\x0a\x03\x02"  # eq ne lt_s ge_s lt_u ge_u
_LOGIC = b"\x0d\x00\x0c\x01"  # mul and or xor
_SHIFTS = b"\x02\x04\x03\x07\x07"  # shl shr_s shr_u rotl rotr


class ThumbValues(Thumb):
    """What computes."""

    # moves

    move = Thumb.mov

    def load(self, rd, word):
        """Load a word of the frame; the carry stays."""
        if word < 32:
            self.out.append(0x6820 | word << 6 | rd)
            self.here += 2
        else:
            self.constant(rd, 4 * word)
            self.memory(_LDR, rd, _FP, rd)

    def store(self, rt, word):
        """Store a word of the frame; the carry stays where `carry` says so."""
        if word < 32:
            self.out.append(0x6020 | word << 6 | rt)
            self.here += 2
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
        if kind == 0:
            self.add(rd, ra, rb)
        elif kind == 1:
            self.sub(rd, ra, rb)
        elif kind < 6:
            if rd == rb:
                ra, rb = rb, ra
            if rd != ra:
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

    def cheap(self, k):
        """Whether a constant takes one instruction, or has to leave the carry alone."""
        return k < 256 or self.carry

    def binary_k(self, kind, rd, ra, k):
        """rd = ra op k, where it `takes` that."""
        if kind > 5 and k & 31:
            self.shift(_SHIFTS[kind - 6], rd, ra, k & 31)
        elif kind < 2:
            self.add_k(rd, ra, -k if kind else k)
        elif kind == 2:
            self.binary_k(6, rd, ra, bits(k - 1))
        elif kind == 3:
            self.mask(rd, ra, k)
        elif kind == 5:
            self.op(_MVNS, rd, ra)
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
        """The condition that ra kind rb (eq ne lt_s ge_s lt_u ge_u); high registers too."""
        if ra > 7 or rb > 7:
            self.cmp_high(ra, rb)
        else:
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


def bits(value):
    """How many bits the positive number `value` has."""
    n = 0
    while value:
        value >>= 1
        n += 1
    return n

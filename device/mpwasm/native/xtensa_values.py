"""Templates for Xtensa on values: constants, moves, arithmetic, comparisons (which register is for what, see `xtensa_code`)."""

from mpwasm.compat import const
from mpwasm.native.xtensa import ADD, AND, EQ, GE, LT, LTU, MOVEQZ, MOVNEZ, MULL, MULUH, NE, OR, SRC, SUB, XOR, Xtensa, b4const

_ONE = const(0)
_TWO = const(10)
_RECORD = const(12)
_FP = const(15)
_GLOBALS = const(128)

_ADD = const(0x80)
_SUB = const(0xC0)
_LTU = const(3)
_L32I = const(2)
_S32I = const(6)
_PAIR = const(0)
_ZERO = const(1)
_CONSTANT = const(2)
_OPS = (ADD, SUB, MULL, AND, OR, XOR)
_DIVISIONS = b"\xd2\xc2\xf2\xe2"
_PAIRS = (EQ, NE, LT, GE, LTU, LTU ^ 8)  # eq ne lt_s ge_s lt_u ge_u
_CONSTANTS = b"\x26\x66\xa6\xe6\xb6\xf6"


class XtensaValues(Xtensa):
    """What computes."""

    def align(self):
        """Go on at a multiple of 4, over bytes that are no code."""
        while self.here & 3:
            self.out.append(0)

    def literal(self, value):
        """Lay down a word, unless it is there or a constant is as well made without."""
        if value not in self.literals and not self.made(_ONE, value, False):
            self.literals[value] = self.here
            for shift in (0, 8, 16, 24):
                self.out.append(value >> shift & 255)

    def make(self, condition):
        """A short branch; returns where it is."""
        kind, number, rs, rt = condition & 3, condition >> 2 & 255, condition >> 12 & 15, condition >> 16
        if kind == _PAIR:
            self.branch_pair(number, rs, rt)
        elif kind == _ZERO:
            self.branch_zero(number, rs)
        elif kind == _CONSTANT:
            self.branch_k(number, rs, rt)
        else:
            self.branch_bit(number, rs, rt)
        return self.here - 3

    # moves

    def constant(self, rd, value):
        """rd = value (32 bits, of any sign): in one or two instructions, else from a word before."""
        value &= 0xFFFFFFFF
        if self.made(rd, value, True):
            return
        if value not in self.literals or self.here - self.literals[value] > 200000:
            over = self.here
            self.put(6)
            self.literals.pop(value, 0)
            self.align()
            self.literal(value)
            self.patch_jump(over, self.here)
        self.l32r(rd, self.literals[value])

    def made(self, rd, value, really):
        """Whether a constant is made in one or two instructions; makes it if `really`."""
        k = (value ^ 0x80000000) - 0x80000000
        if -2048 <= k < 2048:
            if really:
                self.movi(rd, k)
            return True
        low = (k & 255 ^ 128) - 128
        if -32768 <= k - low < 32768:
            if really:
                self.movi(rd, low)
                self.addmi(rd, rd, k - low >> 8)
            return True
        if not value & value + 1:  # ones
            if really:
                n = 32
                while not value >> n - 1:
                    n -= 1
                self.movi(rd, -1)
                self.srli(rd, rd, 32 - n)
            return True
        n = 0
        while not k & 1:
            k >>= 1
            n += 1
        if -2048 <= k < 2048:
            if really:
                self.movi(rd, k)
                self.slli(rd, rd, n)
            return True
        return False

    def load(self, rd, word):
        """Load a word of the frame."""
        self.far_word(_L32I, rd, _FP, 4 * word, rd)

    def store(self, rt, word):
        """Store a word of the frame."""
        self.far_word(_S32I, rt, _FP, 4 * word, _ONE if rt != _ONE else _TWO)

    def get_global(self, rd, index):
        """Load word `index` of the globals."""
        self.far_word(_L32I, rd, _RECORD, _GLOBALS + 4 * index, rd)

    def set_global(self, rt, index, free):
        """Store word `index` of the globals."""
        self.far_word(_S32I, rt, _RECORD, _GLOBALS + 4 * index, _ONE)

    def far_word(self, number, r, base, offset, free):
        """Load or store a word at any offset; `free` is lost where it is large."""
        if offset > 1020:
            self.constant(free, offset)
            self.op(_ADD, free, free, base)
            base, offset = free, 0
        self.memory(number, r, base, offset)

    def select(self, rd, rc, ra, rb):
        """rd = ra if rc is not 0, else rb."""
        out = _ONE if rd == rc else rd
        if out == ra:
            self.op(MOVEQZ, out, rb, rc)
        else:
            self.move(out, rb)
            self.op(MOVNEZ, out, ra, rc)
        self.move(rd, out)

    # arithmetic

    def binary(self, kind, rd, ra, rb):
        """rd = ra op rb, by the number of the slot op."""
        if kind < 6:
            self.op(_OPS[kind], rd, ra, rb)
            return
        (self.ssl if kind == 6 or kind == 9 else self.ssr)(rb)
        self.shifted(kind, rd, ra)

    def shifted(self, kind, rd, ra):
        """rd = ra shifted as SAR says."""
        if kind > 8:
            self.op(SRC, rd, ra, ra)
        else:
            (self.sll, self.sra, self.srl)[kind - 6](rd, ra)

    def takes(self, kind, k):
        """Whether `binary_k` does this op with the constant `k`."""
        if kind < 2:
            return -32768 <= k < 32640
        if kind == 2:
            return k > 0 and not k & k - 1
        if kind == 3:
            return 0 < k < 65536 and not k & k + 1
        return kind > 5

    def cheap(self, k):
        """Whether a constant takes one instruction: all do, L32R if no other."""
        return True

    def binary_k(self, kind, rd, ra, k):
        """rd = ra op k, where it `takes` that."""
        if kind < 2:
            self.add_k(rd, ra, -k if kind else k)
        elif kind < 4:
            n = 0
            while k >> n > (1 if kind == 2 else 0):
                n += 1
            if kind == 3:
                self.extui(rd, ra, 0, n)
            else:
                self.shift_k(6, rd, ra, n)
        else:
            self.shift_k(kind, rd, ra, k & 31)

    def add_k(self, rd, ra, k):
        """rd = ra + k for -32768 <= k <= 32768."""
        low = (k & 255 ^ 128) - 128
        if k - low == 32768:
            self.addmi(rd, ra, 127)
            ra, k = rd, k - 32512
            low = (k & 255 ^ 128) - 128
        if k != low:
            self.addmi(rd, ra, k - low >> 8)
            ra = rd
        if low or k == low:
            if low:
                self.addi(rd, ra, low)
            else:
                self.move(rd, ra)

    def shift_k(self, kind, rd, ra, k):
        """A shift or rotation by a constant, 0 to 31."""
        if not k:
            self.move(rd, ra)
        elif kind > 8:
            self.ssai(k if kind > 9 else 32 - k)
            self.op(SRC, rd, ra, ra)
        else:
            (self.slli, self.srai, self.srli)[kind - 6](rd, ra, k)

    def negate(self, rd, ra):
        """rd = 0 - ra."""
        self.neg(rd, ra)

    def divide(self, kind, rd, ra, rb):
        """rd = ra divided by rb (div_s div_u rem_s rem_u)."""
        self.op(_DIVISIONS[kind], rd, ra, rb)

    def multiply_wide(self, low, high, a, b):
        """The pair (low, high) = the product of the pairs of registers `a` and `b`."""
        self.op(MULUH, _TWO, a[0], b[0])
        self.op(MULL, _ONE, a[1], b[0])
        self.op(_ADD, _TWO, _TWO, _ONE)
        self.op(MULL, _ONE, a[0], b[1])
        self.op(MULL, low, a[0], b[0])
        self.op(_ADD, high, _TWO, _ONE)

    def leading_zeros(self, rd, ra):
        """rd = how many zero bits ra begins with."""
        self.nsau(rd, ra)

    def sign_extend(self, size, rd, ra):
        """rd = the low 8 or 16 bits of ra, with their sign."""
        self.sext(rd, ra, size - 1)

    def first(self, kind, rd, ra, rb):
        """Low words of a sum (0) or difference (1)."""
        if kind:
            self.below(_TWO, ra, rb)
            self.op(_SUB, rd, ra, rb)
        elif ra == rb:
            self.extui(_TWO, ra, 31, 1)
            self.op(_ADD, rd, ra, rb)
        else:
            self.op(_ADD, rd, ra, rb)
            self.below(_TWO, rd, ra if rd == rb else rb)

    def below(self, rd, ra, rb):
        """rd = 1 if ra < rb, unsigned, else 0; rd is neither of them."""
        self.set_flag(rd, self.pair(_LTU, ra, rb))

    def second(self, kind, rd, ra, rb):
        """High words of a sum or difference, with the carry of `first`."""
        self.op(_SUB if kind else _ADD, rd, ra, rb)
        self.op(_SUB if kind else _ADD, rd, rd, _TWO)

    def add_carry(self, rd, ra, rb):
        """rd = ra + rb; returns the condition that it carried."""
        self.first(0, rd, ra, rb)
        return self.zero(1, _TWO)

    # comparisons

    def pair(self, number, rs, rt):
        """The condition of a branch on two registers."""
        return _PAIR | number << 2 | rs << 12 | rt << 16

    def zero(self, number, rs):
        """The condition of a branch on a register and 0 (EQZ NEZ LTZ GEZ)."""
        return _ZERO | number << 2 | rs << 12

    def compares(self, k):
        """Whether `compare_k` takes the constant `k`: what a move makes, and powers of two."""
        return -2048 <= k < 2048 or k > 0 and not k & k - 1

    def compare(self, kind, ra, rb):
        """The condition that ra kind rb (eq ne lt_s ge_s lt_u ge_u)."""
        return self.pair(_PAIRS[kind], ra, rb)

    def compare_k(self, kind, ra, k):
        """The condition that ra kind k."""
        if k == 0 and kind < 4:
            return self.zero(kind, ra)
        number = b4const(k, kind > 3)
        if number >= 0:
            return _CONSTANT | _CONSTANTS[kind] << 2 | ra << 12 | number << 16
        if kind < 2 and -32512 <= k <= 32512 and (-127 <= k <= 128 or not k & 255):
            self.add_k(_ONE, ra, -k)  # branches on 0 reach farthest
            return self.zero(kind, _ONE)
        if k >= 2048 and kind > 3:
            n = 11
            while k >> n > 1:
                n += 1
            self.srli(_ONE, ra, n)
            return self.zero(kind & 1, _ONE)
        self.constant(_ONE, k)
        return self.compare(kind, ra, _ONE)

    def opposite(self, condition):
        """The condition that holds where this one does not."""
        return condition ^ (32, 4, 256, 4)[condition & 3]

    def below_first(self, kind, free, ra, rb):
        """Low words of a comparison of pairs (lt_s ge_s lt_u ge_u)."""
        self.below(_TWO, ra, rb)

    def below_second(self, kind, free, ra, rb):
        """High words of it: the condition."""
        self.move(_ONE, _TWO)
        same = self.make(self.pair(EQ, ra, rb))
        self.set_flag(_ONE, self.pair(LT if kind < 4 else _LTU, ra, rb))
        self.patch_branch(same, self.here)
        return self.zero(kind & 1 ^ 1, _ONE)

    def set_if(self, kind, rd, ra, rb):
        """rd = 1 if ra kind rb, else 0."""
        self.set_flag(rd, self.compare(kind, ra, rb))

    def set_if_k(self, kind, rd, ra, k):
        """rd = 1 if ra kind k, else 0."""
        if kind == 0 and k == 0:
            self.nsau(rd, ra)
            self.srli(rd, rd, 5)
        elif kind == 2 and k == 0:
            self.extui(rd, ra, 31, 1)
        else:
            self.set_flag(rd, self.compare_k(kind, ra, k))

    def set_flag(self, rd, condition):
        """rd = 1 where the condition holds, else 0."""
        uses = condition >> 12 & 15 == rd or condition & 3 == _PAIR and condition >> 16 == rd
        out = _TWO if uses else rd
        self.movi(out, 1)
        over = self.make(condition)
        self.movi(out, 0)
        self.patch_branch(over, self.here)
        self.move(rd, out)

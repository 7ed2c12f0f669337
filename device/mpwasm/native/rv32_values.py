"""Templates for RV32IMC on values: moves, arithmetic, comparisons (which register is for what, see `rv32_code`)."""

from mpwasm.compat import const
from mpwasm.native.rv32 import RV32

_FP = const(8)
_RECORD = const(29)
_ONE = const(5)
_TWO = const(6)
_CARRY = const(7)
_GLOBALS = const(128)

_SUB = const(0x100)
_SLT = const(2)
_SLTU = const(3)
_XOR = const(4)
_SRL = const(5)
_SLL = const(1)
_SRA = const(0x105)
_OR = const(6)
_AND = const(7)
_LW = const(2)
_SW = const(10)
_NE = const(1)
_CONDITIONS = b"\x00\x01\x04\x05\x06\x07"  # eq ne lt_s ge_s lt_u ge_u
_KINDS = b"\x00\x01\x00\x00\x02\x03\x04\x05"  # back from funct3
_OPS = (0x000, 0x100, 0x008, 0x007, 0x006, 0x004, 0x001, 0x105, 0x005)  # add sub mul and or xor shl shr_s shr_u


class RV32Values(RV32):
    """What computes."""

    # moves

    def load(self, rd, word):
        """Load a word of the frame."""
        self.frame_word(_LW, rd, word)

    def store(self, rt, word):
        """Store a word of the frame."""
        self.frame_word(_SW, rt, word)

    def frame_word(self, number, r, word):
        """Load or store a word of the frame."""
        if word < 512:
            self.memory(number, r, _FP, 4 * word)
        else:
            self.constant(_ONE, 4 * word)
            self.op(0, _ONE, _ONE, _FP)
            self.memory(number, r, _ONE, 0)

    def get_global(self, rd, index):
        """Load word `index` of the globals."""
        self.global_word(_LW, rd, index)

    def set_global(self, rt, index, free):
        """Store word `index` of the globals."""
        self.global_word(_SW, rt, index)

    def global_word(self, number, r, index):
        """Load or store a word of the globals."""
        offset = _GLOBALS + 4 * index
        if offset < 2048:
            self.memory(number, r, _RECORD, offset)
        else:
            self.constant(_ONE, offset)
            self.op(0, _ONE, _ONE, _RECORD)
            self.memory(number, r, _ONE, 0)

    def select(self, rd, rc, ra, rb):
        """rd = ra if rc is not 0, else rb."""
        out = _ONE if rd == rc else rd
        condition = _NE
        if out == rb:
            ra, rb, condition = rb, ra, 0
        self.move(out, ra)
        if ra != rb:
            self.b_type(condition, rc, 0, self.here + 6)  # over a move, which is short
            self.move(out, rb)
        self.move(rd, out)

    # arithmetic

    def binary(self, kind, rd, ra, rb):
        """rd = ra op rb, by the number of the slot op."""
        if kind < 9:
            self.op(_OPS[kind], rd, ra, rb)
            return
        self.op(_SUB, _ONE, 0, rb)
        self.op(_SLL if kind > 9 else _SRL, _ONE, ra, _ONE)
        self.op(_SRL if kind > 9 else _SLL, _TWO, ra, rb)
        self.op(_OR, rd, _ONE, _TWO)

    def takes(self, kind, k):
        """Whether `binary_k` does this op with the constant `k`."""
        if kind == 1:
            return -2048 < k <= 2048
        if kind == 2:
            return k > 0 and not k & k - 1
        return kind > 5 or -2048 <= k < 2048

    def cheap(self, k):
        """Whether a constant takes one instruction."""
        return not k & 0xFFF or not 0x800 <= k < 0xFFFFF800

    def binary_k(self, kind, rd, ra, k):
        """rd = ra op k, where it `takes` that."""
        if kind < 2:
            self.addi(rd, ra, -k if kind else k)
        elif kind == 2:
            n = 0
            while k >> n > 1:
                n += 1
            self.shift_k(_SLL, rd, ra, n)
        elif kind < 6:
            (self.andi, self.ori, self.xori)[kind - 3](rd, ra, k)
        elif kind < 9:
            self.shift_k(_OPS[kind], rd, ra, k & 31)
        else:
            self.shift_k(_SLL, _ONE, ra, (-k if kind > 9 else k) & 31)
            self.shift_k(_SRL, _TWO, ra, (k if kind > 9 else -k) & 31)
            self.op(_OR, rd, _ONE, _TWO)

    def shift_k(self, number, rd, ra, k):
        """A shift by a constant, 0 to 31."""
        if k:
            self.shift(number, rd, ra, k)
        else:
            self.move(rd, ra)

    def negate(self, rd, ra):
        """rd = 0 - ra."""
        self.op(_SUB, rd, 0, ra)

    def divide(self, kind, rd, ra, rb):
        """rd = ra divided by rb (div_s div_u rem_s rem_u)."""
        self.op(0x00C + kind, rd, ra, rb)

    def multiply_wide(self, low, high, a, b):
        """The pair (low, high) = the product of the pairs of registers `a` and `b`."""
        self.op(0x00B, _ONE, a[0], b[0])
        self.op(0x008, _TWO, a[1], b[0])
        self.op(0, _ONE, _ONE, _TWO)
        self.op(0x008, _TWO, a[0], b[1])
        self.op(0x008, low, a[0], b[0])
        self.op(0, high, _ONE, _TWO)

    def sign_extend(self, size, rd, ra):
        """rd = the low 8 or 16 bits of ra, with their sign."""
        self.shift(_SLL, rd, ra, 32 - size)
        self.shift(_SRA, rd, rd, 32 - size)

    def first(self, kind, rd, ra, rb):
        """Low words of a sum (0) or difference (1)."""
        if kind:
            self.op(_SLTU, _CARRY, ra, rb)
            self.op(_SUB, rd, ra, rb)
        elif ra == rb:
            self.shift(_SRL, _CARRY, ra, 31)
            self.op(0, rd, ra, rb)
        else:
            if rd == rb:
                ra, rb = rb, ra
            self.op(0, rd, ra, rb)
            self.op(_SLTU, _CARRY, rd, rb)

    def second(self, kind, rd, ra, rb):
        """High words of a sum or difference, with the carry of `first`."""
        self.op(_SUB if kind else 0, rd, ra, rb)
        self.op(_SUB if kind else 0, rd, rd, _CARRY)

    def add_carry(self, rd, ra, rb):
        """rd = ra + rb; returns the condition that it carried."""
        self.first(0, rd, ra, rb)
        return _NE | _CARRY << 3

    # comparisons

    def compares(self, k):
        """Whether `compare_k` takes the constant `k`."""
        return -2048 < k < 2048

    def compare(self, kind, ra, rb):
        """The condition that ra kind rb (eq ne lt_s ge_s lt_u ge_u)."""
        return _CONDITIONS[kind] | ra << 3 | rb << 8

    def compare_k(self, kind, ra, k):
        """The condition that ra kind k."""
        if k:
            self.addi(_ONE, 0, k)
        return self.compare(kind, ra, _ONE if k else 0)

    def opposite(self, condition):
        """The condition that holds where this one does not."""
        return condition ^ 1

    def below_first(self, kind, free, ra, rb):
        """Low words of a comparison of pairs (lt_s ge_s lt_u ge_u)."""
        self.op(_SLTU, _CARRY, ra, rb)

    def below_second(self, kind, free, ra, rb):
        """High words of it: the condition."""
        self.op(_XOR, _TWO, ra, rb)
        self.sltiu(_TWO, _TWO, 1)
        self.op(_AND, _CARRY, _CARRY, _TWO)
        self.op(_SLT if kind < 4 else _SLTU, _ONE, ra, rb)
        self.op(_OR, _ONE, _ONE, _CARRY)
        return _ONE << 3 | (kind & 1 ^ 1)

    def set_if(self, kind, rd, ra, rb):
        """rd = 1 if ra kind rb, else 0."""
        if kind < 2:
            self.op(_XOR, rd, ra, rb)
            self.set_if_k(kind, rd, rd, 0)
        else:
            self.op(_SLT if kind < 4 else _SLTU, rd, ra, rb)
            if kind & 1:
                self.xori(rd, rd, 1)

    def set_if_k(self, kind, rd, ra, k):
        """rd = 1 if ra kind k, else 0."""
        if kind < 2:
            if k:
                self.addi(rd, ra, -k)
                ra = rd
            if kind:
                self.op(_SLTU, rd, 0, ra)
            else:
                self.sltiu(rd, ra, 1)
        else:
            (self.slti if kind < 4 else self.sltiu)(rd, ra, k)
            if kind & 1:
                self.xori(rd, rd, 1)

    def set_flag(self, rd, condition):
        """rd = 1 where the condition holds, else 0."""
        self.set_if(_KINDS[condition & 7], rd, condition >> 3 & 31, condition >> 8)

"""Templates for ARMv7-M and later (RP2350, most Cortex-M): those of ARMv6-M, but one instruction where that takes several, or the library: division,
64-bit products, leading zeros, rotations, larger constants (ARMv7-M Architecture Reference Manual, A7.7).
"""

from mpwasm.compat import const
from mpwasm.native.thumb_code import ThumbCode

_LINK = const(14)
# first halfwords, the number of the first operand's register to be added
_DIVIDE = (0xFB90, 0xFBB0)  # SDIV UDIV
_MULTIPLY = const(0xFB00)  # MUL, MLA; MLS with 16 in the second halfword
_UMULL = const(0xFBA0)
_CLZ = const(0xFAB0)
_CMN = const(0xF110)
_IMMEDIATE = (0xF200, 0xF2A0, 0, 0xF000, 0xF040, 0xF080)  # ADDW SUBW, no product, AND ORR EOR
_ROR = const(0xEA4F)
_CONDITIONS = b"\x00\x01\x0b\x0a\x03\x02"  # eq ne lt_s ge_s lt_u ge_u


class Thumb2Code(ThumbCode):
    """The templates of ARMv6-M with those."""

    LIBRARY = "armv7m"
    DIVIDES = b"\x01\x00\x00\x00"  # which of div_s div_u rem_s rem_u must not be given -1
    CLZ = True
    WIDENS = True

    def divide(self, kind, rd, ra, rb):
        """rd = ra divided by rb (div_s div_u rem_s rem_u)."""
        out = _LINK if kind > 1 else rd
        self.put(_DIVIDE[kind & 1] | ra)
        self.put(0xF0F0 | out << 8 | rb)
        if kind > 1:  # MLS: what is left
            self.put(_MULTIPLY | _LINK)
            self.put(ra << 12 | rd << 8 | 16 | rb)

    def multiply_wide(self, low, high, a, b):
        """The pair (low, high) = the product of the pairs of registers `a` and `b`."""
        self.put(_MULTIPLY | a[1])
        self.put(0xF000 | _LINK << 8 | b[0])
        self.put(_MULTIPLY | a[0])
        self.put(_LINK << 12 | _LINK << 8 | b[1])
        self.put(_UMULL | a[0])
        self.put(low << 12 | high << 8 | b[0])
        self.add_high(high, _LINK)

    def leading_zeros(self, rd, ra):
        """rd = how many zero bits ra begins with."""
        self.put(_CLZ | ra)
        self.put(0xF080 | rd << 8 | ra)

    def takes(self, kind, k):
        """Whether `binary_k` does this op with the constant `k`."""
        if kind < 2:
            return -4096 < k < 4096
        return kind > 8 or 2 < kind < 6 and 0 <= k < 256 or ThumbCode.takes(self, kind, k)

    def binary_k(self, kind, rd, ra, k):
        """rd = ra op k, where it `takes` that."""
        if kind > 8:
            k = (-k if kind == 9 else k) & 31
            self.mov(rd, ra) if not k else self.rotate(rd, ra, k)
        elif 2 < kind < 6 and 0 <= k < 256 and (kind != 3 or k != 255):
            self.immediate(kind, rd, ra, k)
        elif kind < 2 and not -256 < k < 256:
            self.immediate(kind if k > 0 else 1 - kind, rd, ra, abs(k))
        else:
            ThumbCode.binary_k(self, kind, rd, ra, k)

    def immediate(self, kind, rd, ra, k):
        """rd = ra op k, below 4096 for sums, else below 256; the flags stay."""
        self.put(_IMMEDIATE[kind] | (k & 0x800) >> 1 | ra)
        self.put((k & 0x700) << 4 | rd << 8 | k & 255)

    def rotate(self, rd, ra, k):
        """rd = ra turned right by 0 < k < 32 bits."""
        self.put(_ROR)
        self.put((k & 28) << 10 | rd << 8 | (k & 3) << 6 | 0x30 | ra)

    def compares(self, k):
        """Whether `compare_k` takes the constant `k`."""
        return -256 < k < 256

    def compare_k(self, kind, ra, k):
        """The condition that ra kind k."""
        if k < 0:
            self.put(_CMN | ra)
            self.put(0x0F00 | -k)
            return _CONDITIONS[kind]
        return ThumbCode.compare_k(self, kind, ra, k)

    def set_if_k(self, kind, rd, ra, k):
        """rd = 1 if ra kind k, else 0."""
        if kind > 1 and k < 0:
            self.set_flag(rd, self.compare_k(kind, ra, k))
        else:
            ThumbCode.set_if_k(self, kind, rd, ra, k)

    def shifted(self, rd, value):
        """rd = value: a byte shifted, 16 bits by MOVW, or a word of the pool."""
        if value < 0x10000 and value & value - 1:
            self.movw(rd, value)
        else:
            ThumbCode.shifted(self, rd, value)

    def movw(self, rd, value):
        """rd = value, 16 bits; the flags stay."""
        self.put(0xF240 | (value & 0x800) >> 1 | value >> 12)
        self.put((value & 0x700) << 4 | rd << 8 | value & 255)

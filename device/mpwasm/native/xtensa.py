"""An assembler for Xtensa with the density, MUL32, MUL32HIGH, DIV32, NSA and SEXT options: instruction forms, narrow where they fit, branches
(Xtensa Instruction Set Architecture Reference Manual, 2010, chapter 6).

Registers are numbers 0 to 15. `out` is the code so far, `here` its length in bytes. Nothing here knows WebAssembly.
"""

from mpwasm.compat import const

# three-register operations: ``op(ADD, rd, rs, rt)``; op1 in bits 0 to 3, op2 in bits 4 to 7
ADD = const(0x80)
ADDX2 = const(0x90)
ADDX4 = const(0xA0)
SUB = const(0xC0)
AND = const(0x10)
OR = const(0x20)
XOR = const(0x30)
SRC = const(0x81)  # (rs:rt) >> SAR
MULL = const(0x82)
MULUH = const(0xA2)
MULSH = const(0xB2)
QUOU = const(0xC2)
QUOS = const(0xD2)
REMU = const(0xE2)
REMS = const(0xF2)
MOVEQZ = const(0x83)  # rd = rs if rt == 0
MOVNEZ = const(0x93)
MOVLTZ = const(0xA3)
MOVGEZ = const(0xB3)

# loads and stores with a byte offset, scaled by their size
L8UI = const(0)
L16UI = const(1)
L32I = const(2)
S8I = const(4)
S16I = const(5)
S32I = const(6)
L16SI = const(9)

# conditions of branches on two registers; a condition's opposite is its number with bit 3 turned
EQ = const(1)
LT = const(2)
LTU = const(3)
NE = const(9)
GE = const(10)
GEU = const(11)
BNONE = const(0)  # rs & rt == 0
BANY = const(8)

# conditions of branches on one register and zero; the opposite has bit 0 turned
EQZ = const(0)
NEZ = const(1)
LTZ = const(2)
GEZ = const(3)

# conditions of branches on a register and a constant of B4CONST (signed ones) or B4CONSTU
EQI = const(0x26)
NEI = const(0x66)
LTI = const(0xA6)
GEI = const(0xE6)
LTUI = const(0xB6)
GEUI = const(0xF6)

_B4 = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0a\x0c\x10\x20\x40\x80\xff"  # the first and the last stand for -1 (or 32768) and 256


def b4const(k, unsigned=False):
    """The number under which branches know the constant `k`, or -1."""
    if k == (32768 if unsigned else -1):
        return 0
    if k == (65536 if unsigned else 1):
        return 1
    if k == 256:
        return 15
    return _B4.find(bytes((k,))) if 1 < k <= 128 else -1


class Xtensa:
    """Machine code under way."""

    def __init__(self):
        self.out = bytearray()

    @property
    def here(self):
        """Byte offset of the next instruction."""
        return len(self.out)

    def ready(self, words):
        """Code that is made already, in words of 16 bits."""
        self.out += words

    def narrow(self, word):
        """One instruction of 16 bits."""
        self.out.append(word & 255)
        self.out.append(word >> 8)

    def put(self, word):
        """One instruction of 24 bits."""
        self.out.append(word & 255)
        self.out.append(word >> 8 & 255)
        self.out.append(word >> 16)

    # arithmetic

    def op(self, number, rd, rs, rt):
        """rd = rs op rt."""
        if number == ADD:
            self.narrow(0x000A | rd << 12 | rs << 8 | rt << 4)
        else:
            self.put(number << 16 | rd << 12 | rs << 8 | rt << 4)

    def move(self, rd, rs):
        """rd = rs."""
        if rd != rs:
            self.narrow(0x000D | rs << 8 | rd << 4)

    def neg(self, rd, rt):
        """rd = -rt."""
        self.put(0x600000 | rd << 12 | rt << 4)

    def addi(self, rd, rs, k):
        """rd = rs + k for -128 <= k < 128."""
        if k == -1 or 0 < k < 16:
            self.narrow(0x000B | rd << 12 | rs << 8 | (0 if k < 0 else k) << 4)
        else:
            self.put(0x00C002 | (k & 255) << 16 | rs << 8 | rd << 4)

    def addmi(self, rd, rs, k):
        """rd = rs + (k << 8) for -128 <= k < 128."""
        self.put(0x00D002 | (k & 255) << 16 | rs << 8 | rd << 4)

    def movi(self, rd, k):
        """rd = k for -2048 <= k < 2048."""
        if -32 <= k < 96:
            self.narrow(0x000C | (k & 15) << 12 | rd << 8 | (k & 0x70))
        else:
            self.put(0x00A002 | (k & 255) << 16 | (k & 0xF00) | rd << 4)

    def slli(self, rd, rs, k):
        """rd = rs << k for 1 <= k < 32."""
        k = 32 - k
        self.put(0x010000 | (k & 16) << 16 | rd << 12 | rs << 8 | (k & 15) << 4)

    def srli(self, rd, rt, k):
        """rd = rt >> k, unsigned, for 0 <= k < 32; counts from 16 on take out what is left of the word."""
        if k < 16:
            self.put(0x410000 | rd << 12 | k << 8 | rt << 4)
        else:
            self.extui(rd, rt, k, min(16, 32 - k))

    def srai(self, rd, rt, k):
        """rd = rt >> k, signed, for 0 <= k < 32."""
        self.put(0x210000 | (k & 16) << 16 | rd << 12 | (k & 15) << 8 | rt << 4)

    def extui(self, rd, rt, k, bits):
        """rd = `bits` (1 to 16) bits of rt from bit `k` on."""
        self.put(0x040000 | bits - 1 << 20 | (k & 16) << 12 | rd << 12 | (k & 15) << 8 | rt << 4)

    def sext(self, rd, rs, bit):
        """rd = rs with `bit` (7 to 22) as the sign of all above."""
        self.put(0x230000 | rd << 12 | rs << 8 | bit - 7 << 4)

    def nsau(self, rt, rs):
        """rt = leading zeros of rs, 32 of zero."""
        self.put(0x40F000 | rs << 8 | rt << 4)

    # shifts by a register go by way of SAR

    def ssl(self, rs):
        """SAR for a left shift by rs & 31."""
        self.put(0x401000 | rs << 8)

    def ssr(self, rs):
        """SAR for a right shift by rs & 31."""
        self.put(0x400000 | rs << 8)

    def ssai(self, k):
        """SAR = k."""
        self.put(0x404000 | (k & 15) << 8 | k & 16)

    def sll(self, rd, rs):
        """rd = rs << 32 - SAR."""
        self.put(0xA10000 | rd << 12 | rs << 8)

    def srl(self, rd, rt):
        """rd = rt >> SAR, unsigned."""
        self.put(0x910000 | rd << 12 | rt << 4)

    def sra(self, rd, rt):
        """rd = rt >> SAR, signed."""
        self.put(0xB10000 | rd << 12 | rt << 4)

    # memory

    def memory(self, number, rt, rs, k):
        """A load or store (L8UI … L16SI) at rs + k, for k a multiple of the size, up to 255 times it."""
        shift = 0 if number & 3 == 0 else 2 if number & 3 == 2 else 1
        if shift == 2 and k < 64:
            self.narrow((8 if number == L32I else 9) | k << 10 | rs << 8 | rt << 4)
        else:
            self.put(2 | k >> shift << 16 | number << 12 | rs << 8 | rt << 4)

    def l32r(self, rt, at):
        """rt = the word at offset `at`, which is aligned and lies before, within 256 KiB."""
        self.put(1 | rt << 4 | (at - (self.here + 3 & -4) >> 2 & 0xFFFF) << 8)

    # jumps

    def jx(self, rs):
        """Jump to the address in rs."""
        self.put(0x0000A0 | rs << 8)

    def callx0(self, rs):
        """Call the address in rs; a0 takes the return address."""
        self.put(0x0000C0 | rs << 8)

    def ret(self):
        """Jump to a0."""
        self.narrow(0xF00D)

    def entry(self, size):
        """The start of a windowed function with a stack frame of `size` bytes, a multiple of 8 (ENTRY a1)."""
        self.put(0x000136 | size >> 3 << 12)

    def retw(self):
        """Return from a windowed function (RETW.N)."""
        self.narrow(0xF01D)

    def call0(self, target):
        """Call the offset `target`, a multiple of 4 within 512 KiB."""
        self.put(5)
        self.patch_call(self.here - 3, target)

    def patch_call(self, at, target):
        """Make the three bytes at `at` a CALL0 to `target`; false beyond 512 KiB."""
        k = (target >> 2) - (at >> 2) - 1
        if not -(1 << 17) <= k < 1 << 17:
            return False
        self.patch(at, 5 | (k & 0x3FFFF) << 6)
        return True

    def patch_jump(self, at, target):
        """Make the three bytes at `at` a J to `target`; false beyond 128 KiB."""
        k = target - at - 4
        if not -(1 << 17) <= k < 1 << 17:
            return False
        self.patch(at, 6 | (k & 0x3FFFF) << 6)
        return True

    # branches: made without a target, to be patched

    def branch_pair(self, condition, rs, rt):
        """If rs condition rt."""
        self.put(7 | condition << 12 | rs << 8 | rt << 4)

    def branch_bit(self, on, rs, bit):
        """If bit `bit` of rs is set (`on` 1) or clear (0)."""
        self.put(7 | (14 if on else 6) + (bit >> 4) << 12 | rs << 8 | (bit & 15) << 4)

    def branch_k(self, condition, rs, number):
        """If rs condition the constant with this number (see `b4const`)."""
        self.put(condition | number << 12 | rs << 8)

    def branch_zero(self, condition, rs):
        """If rs condition 0."""
        self.put(0x16 | condition << 6 | rs << 8)

    def patch_short(self, at, target):
        """Make the branch at `at` go to `target`; false where it does not reach: 128 bytes, or 2 KiB against zero."""
        k = target - at - 4
        if self.out[at] & 0x3F == 0x16:
            if not -2048 <= k < 2048:
                return False
            self.out[at + 1] = self.out[at + 1] & 15 | (k & 15) << 4
            self.out[at + 2] = k >> 4 & 255
            return True
        self.out[at + 2] = k & 255
        return -128 <= k < 128

    def patch(self, at, word):
        """Overwrite the three bytes at `at`."""
        self.out[at] = word & 255
        self.out[at + 1] = word >> 8 & 255
        self.out[at + 2] = word >> 16

"""An assembler for RV32IMC: instruction forms, each as short as it can be, constants, branches (RISC-V Unprivileged ISA 20191213).

Registers are numbers 0 to 31. `out` is the code so far, `here` its length in bytes. Nothing here knows WebAssembly.
"""

from mpwasm.compat import const

# register-register operations: ``op(ADD, rd, rs1, rs2)``; funct3 in bits 0 to 2, funct7 from bit 3 on
ADD = const(0x000)
SUB = const(0x100)
SLL = const(0x001)
SLT = const(0x002)
SLTU = const(0x003)
XOR = const(0x004)
SRL = const(0x005)
SRA = const(0x105)
OR = const(0x006)
AND = const(0x007)
MUL = const(0x008)
MULH = const(0x009)
MULHSU = const(0x00A)
MULHU = const(0x00B)
DIV = const(0x00C)
DIVU = const(0x00D)
REM = const(0x00E)
REMU = const(0x00F)

# loads and stores: funct3, and 8 for a store
LB = const(0)
LH = const(1)
LW = const(2)
LBU = const(4)
LHU = const(5)
SB = const(8)
SH = const(9)
SW = const(10)

# conditions of branches, by funct3; a condition's opposite is its number with bit 0 turned
EQ = const(0)
NE = const(1)
LT = const(4)
GE = const(5)
LTU = const(6)
GEU = const(7)


def small(rd):
    """Whether a register is one of the eight (x8 to x15) that most compressed forms can name."""
    return 8 <= rd < 16


class RV32:
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

    def half(self, word):
        """One compressed instruction."""
        self.out.append(word & 255)
        self.out.append(word >> 8)

    def put(self, low, high):
        """One instruction of 32 bits, by its halves."""
        self.half(low)
        self.half(high)

    def i_type(self, opcode, funct3, rd, rs1, k):
        """An instruction with a signed constant of 12 bits."""
        self.put(opcode | rd << 7 | funct3 << 12 | (rs1 & 1) << 15, rs1 >> 1 | (k & 0xFFF) << 4)

    # arithmetic

    def op(self, number, rd, rs1, rs2):
        """rd = rs1 op rs2."""
        if number < 8 and number & 3 == 0 or number > 5 and number < 8 or number == SUB:
            if self.short(number, rd, rs1, rs2):
                return
        self.put(0x33 | rd << 7 | (number & 7) << 12 | (rs1 & 1) << 15, rs1 >> 1 | rs2 << 4 | number >> 3 << 9)

    def short(self, number, rd, rs1, rs2):
        """The compressed form of an ADD, SUB, XOR, OR or AND; false if it has none."""
        if number == ADD and rd and rs2 and not rs1:
            self.half(0x8002 | rd << 7 | rs2 << 2)
            return True
        if rd == rs2 and number != SUB:
            rs1, rs2 = rs2, rs1
        if rd != rs1 or not rd or not rs2:
            return False
        if number == ADD:
            self.half(0x9002 | rd << 7 | rs2 << 2)
            return True
        if not small(rd) or not small(rs2):
            return False
        kind = 0 if number == SUB else number - 3 if number == XOR else number - 4
        self.half(0x8C01 | (rd & 7) << 7 | kind << 5 | (rs2 & 7) << 2)
        return True

    def move(self, rd, rs):
        """rd = rs."""
        if rd != rs:
            self.op(ADD, rd, 0, rs)

    def addi(self, rd, rs, k):
        """rd = rs + k for -2048 <= k < 2048."""
        if rs == 0 and rd and -32 <= k < 32:
            self.half(0x4001 | (k & 32) << 7 | rd << 7 | (k & 31) << 2)
        elif k == 0 and rs and rd:
            self.half(0x8002 | rd << 7 | rs << 2)
        elif rd == rs and rd and k and -32 <= k < 32:
            self.half(0x0001 | (k & 32) << 7 | rd << 7 | (k & 31) << 2)
        elif rd == 2 and rs == 2 and k and not k & 15 and -512 <= k < 512:
            self.half(0x6101 | (k & 512) << 3 | (k & 16) << 2 | (k & 64) >> 1 | (k & 384) >> 4 | (k & 32) >> 3)
        else:
            self.i_type(0x13, 0, rd, rs, k)

    def slti(self, rd, rs, k):
        """rd = rs < k, signed, for -2048 <= k < 2048."""
        self.i_type(0x13, 2, rd, rs, k)

    def sltiu(self, rd, rs, k):
        """rd = rs < k sign-extended, unsigned, for -2048 <= k < 2048."""
        self.i_type(0x13, 3, rd, rs, k)

    def xori(self, rd, rs, k):
        """rd = rs ^ k for -2048 <= k < 2048."""
        self.i_type(0x13, 4, rd, rs, k)

    def ori(self, rd, rs, k):
        """rd = rs | k for -2048 <= k < 2048."""
        self.i_type(0x13, 6, rd, rs, k)

    def andi(self, rd, rs, k):
        """rd = rs & k for -2048 <= k < 2048."""
        if rd == rs and small(rd) and -32 <= k < 32:
            self.half(0x8801 | (k & 32) << 7 | (rd & 7) << 7 | (k & 31) << 2)
        else:
            self.i_type(0x13, 7, rd, rs, k)

    def shift(self, number, rd, rs, k):
        """rd = rs shifted (SLL, SRL, SRA) by 1 to 31."""
        if rd == rs and number == SLL and rd:
            self.half(0x0002 | rd << 7 | k << 2)
        elif rd == rs and small(rd) and number != SLL:
            self.half(0x8001 | (number >> 8) << 10 | (rd & 7) << 7 | k << 2)
        else:
            self.i_type(0x13, number & 7, rd, rs, k | number >> 8 << 10)

    def lui(self, rd, k):
        """rd = k << 12, k of 20 bits."""
        signed = (k & 0xFFFFF ^ 0x80000) - 0x80000
        if rd and rd != 2 and k and -32 <= signed < 32:
            self.half(0x6001 | (signed & 32) << 7 | rd << 7 | (signed & 31) << 2)
        else:
            self.put(0x37 | rd << 7 | (k & 15) << 12, k >> 4 & 0xFFFF)

    def auipc(self, rd, k):
        """rd = the address of this instruction + (k << 12), k of 20 bits."""
        self.put(0x17 | rd << 7 | (k & 15) << 12, k >> 4 & 0xFFFF)

    def constant(self, rd, value):
        """rd = value (32 bits, of any sign)."""
        value = (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
        if -2048 <= value < 2048:
            self.addi(rd, 0, value)
            return
        low = (value & 0xFFF ^ 0x800) - 0x800
        self.lui(rd, value - low >> 12 & 0xFFFFF)
        if low:
            self.addi(rd, rd, low)

    # memory

    def memory(self, number, r, rs, k):
        """A load (LB … LHU) of `r` or store (SB … SW) at rs + k for -2048 <= k < 2048."""
        if number & 7 == LW and self.short_memory(number >> 3, r, rs, k):
            return
        if number < 8:
            self.i_type(0x03, number, r, rs, k)
        else:
            self.put(0x23 | (k & 31) << 7 | (number & 7) << 12 | (rs & 1) << 15, rs >> 1 | r << 4 | (k >> 5 & 127) << 9)

    def short_memory(self, store, r, rs, k):
        """The compressed form of a LW or SW; false if it has none."""
        if k & 3 or k < 0:
            return False
        if small(r) and small(rs) and k < 128:
            self.half(0x4000 | store << 15 | (k & 0x38) << 7 | (rs & 7) << 7 | (k & 4) << 4 | (k & 64) >> 1 | (r & 7) << 2)
        elif rs == 2 and k < 256 and store:
            self.half(0xC002 | (k & 0x3C) << 7 | (k & 0xC0) << 1 | r << 2)
        elif rs == 2 and k < 256 and r:
            self.half(0x4002 | (k & 32) << 7 | r << 7 | (k & 0x1C) << 2 | (k & 0xC0) >> 4)
        else:
            return False
        return True

    # jumps and branches

    def jalr(self, rd, rs):
        """Jump to the address in `rs`; `rd` (0 or 1) takes the return address."""
        self.half((0x9002 if rd else 0x8002) | rs << 7)

    def j_type(self, rd, target):
        """Jump to the offset `target` (1 MiB away at most); `rd` takes the return address."""
        self.put(0, 0)
        self.patch_j(self.here - 4, rd, target)

    def b_type(self, condition, rs1, rs2, target=0):
        """Branch to the offset `target`, within 4 KiB, if rs1 condition rs2; returns where it may be patched."""
        at = self.here
        self.put(0x63 | condition << 12 | (rs1 & 1) << 15, rs1 >> 1 | rs2 << 4)
        if target:
            self.patch_b(at, target)
        return at

    def patch_j(self, at, rd, target):
        """Write a JAL to `target` at `at`; false beyond 1 MiB."""
        k = target - at
        if not -(1 << 20) <= k < 1 << 20:
            return False
        self.patch(at, 0x6F | rd << 7 | (k >> 12 & 15) << 12)
        self.patch(at + 2, k >> 16 & 15 | (k >> 11 & 1) << 4 | (k >> 1 & 0x3FF) << 5 | (k >> 20 & 1) << 15)
        return True

    def patch_b(self, at, target):
        """Make the branch at `at` go to `target`; false beyond 4 KiB."""
        k = target - at
        if not -4096 <= k < 4096:
            return False
        low, high = self.out[at] | self.out[at + 1] << 8, self.out[at + 2] | self.out[at + 3] << 8
        self.patch(at, low & 0xF07F | (k >> 11 & 1) << 7 | (k >> 1 & 15) << 8)
        self.patch(at + 2, high & 0x01FF | (k >> 5 & 63) << 9 | (k >> 12 & 1) << 15)
        return True

    def patch(self, at, half):
        """Overwrite the 16 bits at byte `at`."""
        self.out[at] = half & 255
        self.out[at + 1] = half >> 8

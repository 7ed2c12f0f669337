"""An assembler for ARMv6-M (Thumb): instruction forms, constants with their pools, labels (ARM DDI 0419, chapter A6).

Registers are numbers 0 to 15. `out` is the code so far in halfwords, `here` its length in bytes. Nothing here knows WebAssembly.
"""

from array import array

from mpwasm.compat import const

_POOL_REACH = const(900)
_FAR = const(1 << 29)

# two-operand data processing: ``op(ANDS, rd, rm)`` (A5.2.2)
ANDS = const(0)
EORS = const(1)
LSLS = const(2)
LSRS = const(3)
ASRS = const(4)
ADCS = const(5)
SBCS = const(6)
RORS = const(7)
TST = const(8)
RSBS = const(9)
CMP = const(10)
CMN = const(11)
ORRS = const(12)
MULS = const(13)
BICS = const(14)
MVNS = const(15)

# conditions (A6.3); a condition's opposite is its number with bit 0 turned
EQ = const(0)
NE = const(1)
HS = const(2)
LO = const(3)
MI = const(4)
PL = const(5)
HI = const(8)
LS = const(9)
GE = const(10)
LT = const(11)

# loads and stores with a register offset (A5.2.4)
STR = const(0)
STRH = const(1)
STRB = const(2)
LDRSB = const(3)
LDR = const(4)
LDRH = const(5)
LDRB = const(6)
LDRSH = const(7)


class Thumb:
    """Machine code under way."""

    def __init__(self):
        self.out = array("H")
        self.here = 0
        self.pool = []  # (offset of the ldr, value)
        self.due = _FAR  # from where on the pool must be laid down soon
        self.carry = False  # whether constants must leave the carry flag alone

    def put(self, halfword):
        """One 16-bit instruction."""
        self.out.append(halfword)
        self.here += 2

    def ready(self, words):
        """Code that is made already, in words of 16 bits."""
        self.out += words
        self.here += 2 * len(words)

    def align(self):
        """Go on at a multiple of 4, where no code runs on."""
        if self.here & 2:
            self.put(0x46C0)

    # data processing

    def op(self, number, rd, rm):
        """rd = rd op rm; low registers."""
        self.out.append(0x4000 | number << 6 | rm << 3 | rd)
        self.here += 2

    def add(self, rd, rn, rm):
        """ADDS rd, rn, rm."""
        self.out.append(0x1800 | rm << 6 | rn << 3 | rd)
        self.here += 2

    def sub(self, rd, rn, rm):
        """SUBS rd, rn, rm."""
        self.put(0x1A00 | rm << 6 | rn << 3 | rd)

    def add3(self, rd, rn, k):
        """ADDS rd, rn, #k for -7 <= k <= 7."""
        self.put((0x1C00 | k << 6 if k >= 0 else 0x1E00 | -k << 6) | rn << 3 | rd)

    def add8(self, rd, k):
        """ADDS rd, #k for -255 <= k <= 255."""
        self.out.append((0x3000 | k if k >= 0 else 0x3800 | -k) | rd << 8)
        self.here += 2

    def cmp8(self, rn, k):
        """CMP rn, #k for 0 <= k <= 255."""
        self.put(0x2800 | rn << 8 | k)

    def mov8(self, rd, k):
        """MOVS rd, #k for 0 <= k <= 255."""
        self.out.append(0x2000 | rd << 8 | k)
        self.here += 2

    def shift(self, number, rd, rm, k):
        """LSLS (0 to 31), LSRS or ASRS (1 to 31) rd, rm, #k."""
        self.out.append((number - LSLS) << 11 | k << 6 | rm << 3 | rd)
        self.here += 2

    def mov(self, rd, rm):
        """MOV between any registers; flags stay."""
        if rd != rm:
            self.out.append(0x4600 | (rd & 8) << 4 | rm << 3 | rd & 7)
            self.here += 2

    def cmp_high(self, rn, rm):
        """CMP of any registers, one of them high."""
        self.put(0x4500 | (rn & 8) << 4 | rm << 3 | rn & 7)

    def add_high(self, rd, rm):
        """ADD rd, rm of any registers; flags stay."""
        self.put(0x4400 | (rd & 8) << 4 | rm << 3 | rd & 7)

    def extend(self, number, rd, rm):
        """SXTH (0), SXTB (1), UXTH (2), UXTB (3)."""
        self.put(0xB200 | number << 6 | rm << 3 | rd)

    # memory

    def ldr5(self, rt, rn, offset):
        """LDR rt, [rn, #offset], a multiple of 4 up to 124."""
        self.put(0x6800 | offset << 4 | rn << 3 | rt)

    def str5(self, rt, rn, offset):
        """STR rt, [rn, #offset], a multiple of 4 up to 124."""
        self.put(0x6000 | offset << 4 | rn << 3 | rt)

    def memory(self, number, rt, rn, rm):
        """A load or store (STR … LDRSH) at [rn, rm]."""
        self.put(0x5000 | number << 9 | rm << 6 | rn << 3 | rt)

    def push(self, mask, lr):
        """PUSH of low registers, and LR."""
        self.put(0xB400 | lr << 8 | mask)

    def pop(self, mask, pc):
        """POP of low registers, and PC."""
        self.put(0xBC00 | pc << 8 | mask)

    # constants

    def constant(self, rd, value):
        """rd = value (32 bits, of any sign): in one or two instructions, else from a pool; the carry stays if `carry` says so."""
        value &= 0xFFFFFFFF
        if value < 256:
            self.mov8(rd, value)
        elif value >= 0xFFFFFF00:
            self.mov8(rd, value ^ 0xFFFFFFFF)
            self.op(MVNS, rd, rd)
        elif self.carry:
            self.literal(rd, value)
        elif value < 511:
            self.mov8(rd, 255)
            self.add8(rd, value - 255)
        else:
            self.shifted(rd, value)

    def shifted(self, rd, value):
        """rd = value: a byte shifted, or a word of the pool."""
        zeros = 0
        while not value >> zeros & 1:
            zeros += 1
        if value >> zeros < 256:
            self.mov8(rd, value >> zeros)
            self.shift(LSLS, rd, rd, zeros)
        else:
            self.literal(rd, value)

    def literal(self, rd, value):
        """rd = a word of the pool."""
        if not self.pool:
            self.due = self.here + _POOL_REACH
        self.due -= 4
        self.pool.append((self.here, value))
        self.put(0x4800 | rd << 8)

    def lay_pool(self):
        """Lay the pool, which holds something, down here, where no code runs into it."""
        self.align()
        placed = {}
        for at, value in self.pool:
            if value not in placed:
                placed[value] = self.here
                self.put(value & 0xFFFF)
                self.put(value >> 16)
            self.out[at >> 1] |= (placed[value] - (at + 4 & -4)) >> 2
        self.pool = []
        self.due = _FAR

    # branches

    def patch(self, at, halfword):
        """Overwrite the instruction at byte `at`."""
        self.out[at >> 1] = halfword

    def patch_b(self, at, target):
        """Make the instruction at `at` a B to `target`; false beyond 2 KiB."""
        distance = target - at - 4
        if not -2048 <= distance <= 2046:
            return False
        self.out[at >> 1] = 0xE000 | distance >> 1 & 0x7FF
        return True

    def patch_bcc(self, at, condition, target):
        """Make the instruction at `at` a conditional branch to `target`; false beyond 256 bytes."""
        distance = target - at - 4
        if not -256 <= distance <= 254:
            return False
        self.out[at >> 1] = 0xD000 | condition << 8 | distance >> 1 & 0xFF
        return True

    def patch_bl(self, at, target):
        """Make the two halfwords at `at` a BL to `target` (16 MiB; A6.7.13)."""
        distance = target - at - 4
        at >>= 1
        if -0x400000 <= distance < 0x400000:  # J1 and J2 are 1
            self.out[at] = 0xF000 | distance >> 12 & 0x7FF
            self.out[at + 1] = 0xF800 | distance >> 1 & 0x7FF
            return
        s = distance >> 24 & 1
        j1 = (distance >> 23 & 1 ^ 1) ^ s
        j2 = (distance >> 22 & 1 ^ 1) ^ s
        self.out[at] = 0xF000 | s << 10 | distance >> 12 & 0x3FF
        self.out[at + 1] = 0xD000 | j1 << 13 | j2 << 11 | distance >> 1 & 0x7FF

    def bl(self, target):
        """BL to a known offset, within 4 MiB."""
        distance = target - self.here - 4
        self.put(0xF000 | distance >> 12 & 0x7FF)
        self.put(0xF800 | distance >> 1 & 0x7FF)

    def bx(self, rm):
        """BX rm."""
        self.put(0x4700 | rm << 3)

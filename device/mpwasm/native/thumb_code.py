"""Templates for ARMv6-M: what slot ops need, as Thumb instructions on registers.

Registers: r0, r1, r2, r3, r7 hold values, r8 and r12 pinned words; r4 the frame, r5 fuel, r6 the first byte of the memory window,
r9 the window's length (and r12 less its base where code is `based`), r10 the globals behind the record, r11 the frame limit, r14 is free.
Results come back in r0 and r1.
"""

from mpwasm.compat import const
from mpwasm.native.thumb_entry import lay
from mpwasm.native.thumb_values import ThumbValues

_FP = const(4)
_FUEL = const(5)
_MEM = const(6)
_LENGTH = const(9)
_LIMIT = const(11)
_LSLS = const(2)
_CMP = const(10)
_STR = const(0)
_EQ = const(0)
_NE = const(1)
_HS = const(2)
_LO = const(3)
_HI = const(8)
_MEMORY = b"\x06\x03\x05\x07\x04\x04\x00\x00\x02\x01\x00\x00"  # LDRB LDRSB LDRH LDRSH LDR LDR, STRB STRH STR STR
_ALWAYS = const(-1)
_FAR = const(1 << 29)
_ACCESS = const(3)
_BACK = const(0xF000000)
_DATA = b"\x00\x00\x01\x01\x01\x00\x00\x00\x00"  # exits with two halfwords behind the call


class ThumbCode(ThumbValues):
    """The templates. `exits` gives the place of each exit; `based` code is for memory windows that do not begin at 0."""

    # found in this class, too: MicroPython looks class by class, for each 3 us on an RP2040
    put, op, add, sub = ThumbValues.put, ThumbValues.op, ThumbValues.add, ThumbValues.sub
    mov, add3, add8, shift = ThumbValues.mov, ThumbValues.add3, ThumbValues.add8, ThumbValues.shift
    mov8, cmp8, memory, constant = ThumbValues.mov8, ThumbValues.cmp8, ThumbValues.memory, ThumbValues.constant
    shifted, literal, patch_b = ThumbValues.shifted, ThumbValues.literal, ThumbValues.patch_b
    patch_bcc, patch_bl, bl, move = ThumbValues.patch_bcc, ThumbValues.patch_bl, ThumbValues.bl, ThumbValues.move
    load, store, binary, binary_k = ThumbValues.load, ThumbValues.store, ThumbValues.binary, ThumbValues.binary_k
    takes, add_k, compare = ThumbValues.takes, ThumbValues.add_k, ThumbValues.compare
    compare_k, opposite, set_flag = ThumbValues.compare_k, ThumbValues.opposite, ThumbValues.set_flag

    lay_entry = lay
    FIXED = 4092  # the highest constant address that `access_known` takes
    LOW = b"\x00\x01\x02\x03\x07"  # registers for values
    POOL = b"\x00\x01\x02\x03\x07"
    LOW_PINS = b"\x07\x03"
    HIGH_PINS = b"\x08\x0c"
    RESULTS = b"\x00\x01"
    SCRATCH = 2  # never pinned
    REACH = 220  # of a conditional branch, less what may be between looks
    COLD = 10  # bytes of a piece of cold code
    ENTRY = 1  # in the addresses of functions
    DIVIDES = b""  # whether there is a division, see `Lowering.divide`
    FPU = False
    CLZ = False  # whether it counts leading zeros
    WIDENS = False  # whether there is a product of 64 bits
    NEAR = 150  # units of slot code; a conditional branch farther ahead does not reach but for one in fifty
    COLD_LEVEL = 0  # of branches to cold code, see `branch`
    LIBRARY = "armv6m"
    ROUTINES = (0x5B, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x92, 0x93, 0x94)  # instructions that have a hand-made routine
    COUNTS = True  # counts of shifts have to go through `count`

    def __init__(self, based=False):
        ThumbValues.__init__(self)
        self.based = based
        if based:
            self.HIGH_PINS = self.HIGH_PINS[:1]

    def begin(self, code):
        """Begin a function, whose slot code is `code`."""
        self.align()

    def rewind(self, start):
        """Forget all code from the offset `start` on, and its constants."""
        self.cut(start)
        self.pool = []
        self.due = _FAR

    def cut(self, at):
        """Forget the instructions from the offset `at` on."""
        self.out = self.out[: at >> 1]
        self.here = at

    def code(self):
        """The bytes of the code."""
        return bytearray(self.out)

    def saved(self, r):
        """The number of register `r` among those that an exit saves."""
        return r if r < 4 else 4

    # memory

    def access(self, op, regs, offset, item, function):
        """A load or store (0x50 to 0x5B) at the address in a register, plus `offset`; checks branch to the cold code `item` (None: no checks).

        `regs`: the value's low and high word, the address, a free one, which may be the word of a load that comes last.
        """
        low, high, ra, free = regs
        wide = op & 7 == (5 if op < 0x58 else 3)
        if item is None and offset < 121 and not offset & 3 and not _MEMORY[op - 0x50] & 3 and (offset or wide):
            return self.behind(_MEMORY[op - 0x50], regs, offset, wide)
        if function.size:
            self.check_alignment(function.size, ra, offset, free, item, function)
        ea = self.effective(ra, offset + 4 * wide, free, item, function)
        if self.based:
            self.mov(free, ea)
            self.add_high(free, 12)
            ea = free
        if item is not None:
            self.cmp_high(ea, _LENGTH)
            function.site(item, _HS)
        number = _MEMORY[op - 0x50]
        if not wide:
            self.memory(number, low, _MEM, ea)
        elif offset < 121 and not offset & 3 and not self.based:
            self.behind(number, regs, offset, True)
        else:
            self.add8(free, -4)
            if self.based:
                function.site(item, _LO)  # the low word lies before the window
            self.add(free, free, _MEM)
            (self.ldr5 if number else self.str5)(low, free, 0)
            (self.ldr5 if number else self.str5)(high, free, 4)

    def behind(self, number, regs, offset, wide):
        """A load or store of one or two words a little behind an address within the window."""
        low, high, ra, free = regs
        self.add(free, ra, _MEM)
        (self.ldr5 if number else self.str5)(low, free, offset)
        if wide:
            (self.ldr5 if number else self.str5)(high, free, offset + 4)

    def access_known(self, op, r, address, function):
        """A load or store of `r`, or of one of the words of a wide one, at a constant address within the window."""
        number = _MEMORY[op - 0x50]
        if number & 3 or address > 124:
            self.memory(number, r, _MEM, function.constant(address))
        else:
            (self.ldr5 if number else self.str5)(r, _MEM, address)

    def check_alignment(self, size, ra, offset, free, item, function):
        """ra + offset must be a multiple of 1 << size."""
        if offset & (1 << size) - 1:
            self.add3(free, ra, offset & (1 << size) - 1)
            ra = free
        self.shift(_LSLS, free, ra, 32 - size)
        function.site(item, _NE)

    def effective(self, ra, offset, free, item, function):
        """A register with ra + offset, which must not carry (but without `item`): ra itself, or `free`."""
        if not offset:
            return ra
        if offset < 256:
            self.add_k(free, ra, offset)
        else:
            self.constant(free, offset)
            self.add(free, free, ra)
        if item is not None:
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

    def exit_back(self, told, back):
        """Leave for an access with the way back in what is told, in the byte above the offset; false where that takes more. See `executor.access`."""
        distance = self.here + 8 - back
        if told & 0xFF00 or told >> 28 == 5 or told >> 28 == 11 or not 0 <= distance < 512:
            return False
        self.exit(_ACCESS, told | distance >> 1 << 8 | _BACK)
        return True

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
        kind = self.out[at >> 1] >> 8
        if kind >> 4 == 13:
            return self.patch_bcc(at, kind & 15, target)
        if kind >> 4 == 14:
            return self.patch_b(at, target)
        self.patch_bl(at, target)
        return True

    def table(self, index, count):
        """A jump by a table: of its `count` + 1 entries the last one is for greater numbers too. Returns where it begins; r1 and r2 are lost."""
        self.mov(1, index)
        self.mov8(2, count >> 8)  # no literal, which might come to lie out of reach behind the table
        self.shift(_LSLS, 2, 2, 8)
        self.add8(2, count & 255)
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

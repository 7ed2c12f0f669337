"""Templates for Xtensa (LX6, LX7): what slot ops need, as instructions on registers of one windowed frame, in the style of the CALL0 ABI.

Registers: a2 to a9 hold values and pinned words; a11 fuel, a12 the record, a13 the window's length, a14 the first byte of the memory window,
a15 the frame; a0 and a10 are scratch, a10 also a carry. Results come back in a2 and a3. A condition is a number: what kind of branch (bits 0, 1),
which one (2 to 9), a register (12 to 15), and a register, the number of a constant or a bit (from 16 on).
"""

from mpwasm.compat import const
from mpwasm.native.scan import length
from mpwasm.native.xtensa_entry import lay
from mpwasm.native.xtensa_values import XtensaValues

_ONE = const(0)
_TWO = const(10)
_FUEL = const(11)
_RECORD = const(12)
_LENGTH = const(13)
_MEM = const(14)
_FP = const(15)
_LIMIT = const(16)
_BASE = const(120)

_ADD = const(0x80)
_SUB = const(0xC0)
_LTU = const(3)
_GEU = const(11)
_L32I = const(2)
_S32I = const(6)
_BIT = const(3)
_ALWAYS = const(-1)
_MEMORY = b"\x00\x00\x01\x09\x02\x02\x00\x00\x04\x05\x06\x06"  # L8UI twice, L16UI L16SI L32I L32I, S8I S16I S32I S32I
_TOLD = b"\x00\x00\x01\x01\x01\x00\x00\x00\x00"  # exits with a word behind the call


class XtensaCode(XtensaValues):
    """The templates. `exits` gives the place of each exit, `literals` where the words lie that are constants; `based` code is for memory windows
    that do not begin at 0."""

    lay_entry = lay
    FIXED = 4092  # the highest constant address that `access_known` takes
    LOW = bytes(range(2, 10))  # registers for values
    POOL = bytes(range(2, 10))
    LOW_PINS = b"\x09\x08\x07\x06\x05"
    HIGH_PINS = b""
    RESULTS = b"\x02\x03"
    SCRATCH = _ONE
    COUNTS = False  # shifts take any count
    ENTRY = 0
    DIVIDES = b"\x01\x00\x01\x00"  # which of div_s div_u rem_s rem_u must not be given -1
    WIDENS = True
    FPU = False
    CLZ = True
    REACH = 60000  # of a branch to cold code, less what may be between looks
    NEAR = 1 << 16
    COLD_LEVEL = 1
    COLD = 16  # bytes of a piece of cold code
    carry = False
    LIBRARY = "xtensa"
    ROUTINES = ()
    pool = ()  # constants lie before the functions
    due = 1 << 29

    def __init__(self, based=False):
        XtensaValues.__init__(self)
        self.based = based
        self.literals = {}

    def begin(self, code):
        """Lay down the constants of a function's slot code that take a word, then be where a function may begin."""
        at = 0
        self.align()
        while at < len(code):
            if 0x62 < code[at] < 0x65:
                for i in range(1, 2 * (code[at] - 0x62), 2):
                    self.literal(code[at + i] | code[at + i + 1] << 16)
            elif code[at] == 0x76:
                self.literal(code[at + 2] | code[at + 3] << 16)
            at += length(code, at)

    def code(self):
        """The bytes of the code."""
        return self.out

    def rewind(self, start):
        """Forget all code from the offset `start` on."""
        self.cut(start)
        self.literals = {value: self.literals[value] for value in self.literals if self.literals[value] < start}

    def cut(self, at):
        """Forget the instructions from the offset `at` on."""
        self.out = self.out[:at]

    def saved(self, r):
        """The number of register `r` among those that an exit saves."""
        return r - 2 if 1 < r < 10 else 0

    # memory

    def access(self, op, regs, offset, item, function):
        """A load or store (0x50 to 0x5B) at the address in a register, plus `offset`; checks branch to the cold code `item` (None: no checks).

        `regs`: the value's low and high word, the address, and one that is not needed here.
        """
        low, high, ra, _ = regs
        at = ra
        wide = op & 7 == (5 if op < 0x58 else 3)
        if item is None and offset < 252:
            self.op(_ADD, _TWO, at, _MEM)
            self.words(op, low, high, offset, wide)
            return
        if offset:
            if offset < 32640:
                self.add_k(_TWO, ra, offset)
            else:
                self.constant(_TWO, offset)
                self.op(_ADD, _TWO, _TWO, ra)
            at = _TWO
            if item is not None:
                function.site(item, self.pair(_LTU, _TWO, ra))
        for bit in range(function.size):
            function.site(item, _BIT | 4 | at << 12 | bit << 16)
        if self.based:
            self.memory(_L32I, _ONE, _RECORD, _BASE)
            self.op(_SUB, _TWO, at, _ONE)
            at = _TWO
        if item is not None:
            function.site(item, self.pair(_GEU, at, _LENGTH))
        if wide and item is not None:
            self.addi(_ONE, at, 4)
            function.site(item, self.pair(_GEU, _ONE, _LENGTH))
        self.op(_ADD, _TWO, at, _MEM)
        self.words(op, low, high, 0, wide)

    def words(self, op, low, high, offset, wide):
        """The load or store itself, `offset` bytes behind the address in scratch register a2."""
        self.memory(_MEMORY[op - 0x50], low, _TWO, offset)
        if op == 0x51:
            self.sext(low, low, 7)
        if wide:
            self.memory(_MEMORY[op - 0x50], high, _TWO, offset + 4)

    def access_known(self, op, r, address, function):
        """A load or store of `r`, or of one of the words of a wide one, at a constant address within the window."""
        base = _MEM
        if address > 255:
            self.addmi(_TWO, _MEM, address >> 8)
            base = _TWO
        self.memory(_MEMORY[op - 0x50], r, base, address & 255)
        if op == 0x51:
            self.sext(r, r, 7)

    # control

    def check_frame(self, words, item, function):
        """Branch to the cold code `item` where a frame of so many words goes beyond the limit."""
        self.memory(_L32I, _TWO, _RECORD, _LIMIT)
        if words > 64:
            self.add_k(_TWO, _TWO, -4 * (words - 64))
        function.site(item, self.pair(_LTU, _TWO, _FP))

    def count_fuel(self):
        """Use up one unit of fuel; the condition that it was the last."""
        self.addi(_FUEL, _FUEL, -1)
        return self.zero(0, _FUEL)

    def clear(self, first, end):
        """Zero the words of the frame from `first` up to `end`; a0, a2 and a10 are lost."""
        for r, word in ((_ONE, first), (_TWO, end)):
            self.constant(r, 4 * word)
            self.op(_ADD, r, r, _FP)
        self.movi(2, 0)
        loop = self.here
        self.memory(_S32I, 2, _ONE, 0)
        self.addi(_ONE, _ONE, 4)
        self.patch_branch(self.make(self.pair(_LTU, _ONE, _TWO)), loop)

    def keep_return(self, word):
        """Store the return address."""
        self.store(0, word)

    def take_return(self, word):
        """Load the return address, for `go_back`."""
        self.load(0, word)

    def go_back(self):
        """Return."""
        self.ret()

    def frame_by(self, words):
        """Move the frame pointer by `words` words."""
        if -8192 <= words < 8000:
            if words:
                self.add_k(_FP, _FP, 4 * words)
        else:
            self.constant(_ONE, 4 * words)
            self.op(_ADD, _FP, _FP, _ONE)

    def call(self):
        """A call; returns where its target is to be written."""
        self.put(5)
        return self.here - 3

    def call_to(self, at, target):
        """Give the call at `at` its target."""
        if not self.patch_call(at, target):
            raise ValueError(target - at)

    def call_register(self, r):
        """A call of the address in register `r`."""
        self.callx0(r)

    def exit_back(self, told, back):
        """An access's exit that tells the way back: not made here."""
        return False

    def exit(self, reason, told):
        """Leave machine code; HOST, ACCESS and OP have a word to tell, which lies behind the call, at a multiple of 4."""
        self.call0(self.exits[reason])
        if _TOLD[reason]:
            self.align()
            for shift in (0, 8, 16, 24):
                self.out.append(told >> shift & 255)

    def branch(self, condition, level):
        """A branch whose target comes later, conditional unless `condition` is -1; returns where it is to be patched. Higher levels reach farther."""
        if condition != _ALWAYS:
            if not level:
                return self.make(condition)
            self.patch_branch(self.make(self.opposite(condition)), self.here + 3)
        self.put(6)
        return self.here - 3

    def patch_branch(self, at, target):
        """Give the branch at `at` its target; false where it does not reach."""
        return self.patch_jump(at, target) if self.out[at] & 63 == 6 else self.patch_short(at, target)

    def table(self, index, count):
        """A jump by a table: of its `count` + 1 entries, which are jumps, the last one is for greater numbers too. Returns where it begins."""
        self.constant(_ONE, count)
        self.move(_TWO, index)
        over = self.make(self.pair(_LTU, _TWO, _ONE))
        self.move(_TWO, _ONE)
        self.patch_branch(over, self.here)
        self.op(0x90, _TWO, _TWO, _TWO)  # ADDX2: three bytes an entry
        while self.here & 3 != 1:
            self.narrow(0xF03D) if self.here & 1 else self.put(0x0020F0)
        self.call0(self.here + 3)  # a0 = where this ends
        base = self.here
        self.op(_ADD, _ONE, _ONE, _TWO)
        self.addi(_ONE, _ONE, 8)
        self.jx(_ONE)
        while self.here < base + 8:
            self.out.append(0)
        first = self.here
        for _ in range(count + 1):
            self.put(6)
        return first

    def table_entry(self, first, i, target):
        """Write entry `i` of the table at `first`. Raises ValueError beyond 128 KiB."""
        if not self.patch_jump(first + 3 * i, target):
            raise ValueError(target - first)

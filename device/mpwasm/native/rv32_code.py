"""Templates for RV32IMC: what slot ops need, as instructions on registers.

Registers: x10 to x17 hold values, x18 to x25 pinned words; x8 the frame, x9 the first byte of the memory window, x28 the window's length and
x26 its base, x29 the record, x30 the frame limit, x31 fuel; x5 and x6 are scratch, x7 a carry. Results come back in x10 and x11. A condition
is the funct3 of a branch, and its two registers from bits 3 and 8 on.
"""

from mpwasm.compat import const
from mpwasm.native.rv32_entry import lay
from mpwasm.native.rv32_values import RV32Values

_FP = const(8)
_MEM = const(9)
_BASE = const(26)
_LENGTH = const(28)
_LIMIT = const(30)
_FUEL = const(31)
_ONE = const(5)
_TWO = const(6)

_SUB = const(0x100)
_SLL = const(1)
_SW = const(10)
_NE = const(1)
_LTU = const(6)
_GEU = const(7)
_MEMORY = b"\x04\x00\x05\x01\x02\x02\x00\x00\x08\x09\x0a\x0a"  # LBU LB LHU LH LW LW, SB SH SW SW
_ALWAYS = const(-1)
_TOLD = b"\x00\x00\x01\x01\x01\x00\x00\x00\x00"  # exits that have something to tell


class RV32Code(RV32Values):
    """The templates. `exits` gives the place of each exit; `based` code is for memory windows that do not begin at 0."""

    lay_entry = lay
    FIXED = 2044  # the highest constant address that `access_known` takes
    LOW = bytes(range(10, 26))  # registers for values
    POOL = bytes(range(10, 18))
    LOW_PINS = bytes(range(18, 26))
    HIGH_PINS = b""
    RESULTS = b"\x0a\x0b"
    SCRATCH = _ONE
    COUNTS = False  # shifts take any count
    ENTRY = 0
    DIVIDES = b"\x01\x00\x00\x00"  # which of div_s div_u rem_s rem_u must not be given -1
    WIDENS = True
    FPU = False
    CLZ = False
    NEAR = 1 << 16
    COLD_LEVEL = 0
    REACH = 3500  # of a conditional branch, less what may be between looks
    COLD = 16  # bytes of a piece of cold code
    carry = False
    LIBRARY = "rv32imc"
    ROUTINES = ()
    pool = ()  # constants need none
    due = 1 << 29

    def __init__(self, based=False):
        RV32Values.__init__(self)
        self.based = based

    def begin(self, code):
        """Functions may begin anywhere."""

    def code(self):
        """The bytes of the code."""
        return self.out

    def rewind(self, start):
        """Forget all code from the offset `start` on."""
        self.cut(start)

    def cut(self, at):
        """Forget the instructions from the offset `at` on."""
        self.out = self.out[:at]

    def saved(self, r):
        """The number of register `r` among those that an exit saves."""
        return r - 10 if r > 9 else 0

    # memory

    def access(self, op, regs, offset, item, function):
        """A load or store (0x50 to 0x5B) at the address in a register, plus `offset`; checks branch to the cold code `item` (None: no checks).

        `regs`: the value's low and high word, the address, and one that is not needed here.
        """
        low, high, ra, _ = regs
        at = ra
        wide = op & 7 == (5 if op < 0x58 else 3)
        if item is None:
            if offset > 2040:
                self.constant(_ONE, offset)
                self.op(0, _ONE, _ONE, ra)
                at, offset = _ONE, 0
            self.op(0, _ONE, at, _MEM)
            self.memory(_MEMORY[op - 0x50], low, _ONE, offset)
            if wide:
                self.memory(_MEMORY[op - 0x50], high, _ONE, offset + 4)
            return
        if offset:
            if offset < 2048:
                self.addi(_ONE, ra, offset)
            else:
                self.constant(_ONE, offset)
                self.op(0, _ONE, _ONE, ra)
            at = _ONE
            function.site(item, _LTU | _ONE << 3 | ra << 8)
        if function.size:
            self.andi(_TWO, at, (1 << function.size) - 1)
            function.site(item, _NE | _TWO << 3)
        if self.based:
            self.op(_SUB, _ONE, at, _BASE)
            at = _ONE
        function.site(item, _GEU | at << 3 | _LENGTH << 8)
        if wide:
            self.addi(_TWO, at, 4)
            function.site(item, _GEU | _TWO << 3 | _LENGTH << 8)
        self.op(0, _ONE, at, _MEM)
        self.memory(_MEMORY[op - 0x50], low, _ONE, 0)
        if wide:
            self.memory(_MEMORY[op - 0x50], high, _ONE, 4)

    def access_known(self, op, r, address, function):
        """A load or store of `r`, or of one of the words of a wide one, at a constant address within the window."""
        self.memory(_MEMORY[op - 0x50], r, _MEM, address)

    # control

    def check_frame(self, words, item, function):
        """Branch to the cold code `item` where a frame of so many words goes beyond the limit."""
        r = _FP
        if words > 64:
            r = _ONE
            self.constant(_ONE, 4 * (words - 64))
            self.op(0, _ONE, _ONE, _FP)
        function.site(item, _LTU | _LIMIT << 3 | r << 8)

    def count_fuel(self):
        """Use up one unit of fuel; the condition that it was the last."""
        self.addi(_FUEL, _FUEL, -1)
        return _FUEL << 3

    def clear(self, first, end):
        """Zero the words of the frame from `first` up to `end`."""
        for r, word in ((_ONE, first), (_TWO, end)):
            self.constant(r, 4 * word)
            self.op(0, r, r, _FP)
        loop = self.here
        self.memory(_SW, 0, _ONE, 0)
        self.addi(_ONE, _ONE, 4)
        self.b_type(_LTU, _ONE, _TWO, loop)

    def keep_return(self, word):
        """Store the return address."""
        self.store(1, word)

    def take_return(self, word):
        """Load the return address, for `go_back`."""
        self.load(1, word)

    def go_back(self):
        """Return."""
        self.jalr(0, 1)

    def frame_by(self, words):
        """Move the frame pointer by `words` words."""
        if -512 <= words < 512:
            if words:
                self.addi(_FP, _FP, 4 * words)
        else:
            self.constant(_ONE, 4 * words)
            self.op(0, _FP, _FP, _ONE)

    def call(self):
        """A call; returns where its target is to be written."""
        self.put(0xEF, 0)
        return self.here - 4

    def call_to(self, at, target):
        """Give the call at `at` its target; what it links in stays."""
        if not self.patch_j(at, self.out[at] >> 7 | self.out[at + 1] << 1 & 31, target):
            raise ValueError(target - at)

    def call_register(self, r):
        """A call of the address in register `r`."""
        self.jalr(1, r)

    def exit_back(self, told, back):
        """An access's exit that tells the way back: not made here."""
        return False

    def exit(self, reason, told):
        """Leave machine code; HOST, ACCESS and OP have something to tell, 32 bits, in x6."""
        if _TOLD[reason]:
            self.constant(_TWO, told)
        self.j_type(_ONE, self.exits[reason])

    def branch(self, condition, level):
        """A branch whose target comes later, conditional unless `condition` is -1; returns where it is to be patched. Higher levels reach farther."""
        if condition == _ALWAYS:
            self.put(0x6F, 0)
        elif level:
            self.b_type(condition & 7 ^ 1, condition >> 3 & 31, condition >> 8, self.here + 8)
            self.put(0x6F, 0)
        else:
            self.b_type(condition & 7, condition >> 3 & 31, condition >> 8)
        return self.here - 4

    def patch_branch(self, at, target):
        """Give the branch at `at` its target; false where it does not reach."""
        if self.out[at] & 127 == 0x63:
            return self.patch_b(at, target)
        return self.patch_j(at, 0, target)

    def table(self, index, count):
        """A jump by a table: of its `count` + 1 entries, which are jumps, the last one is for greater numbers too. Returns where it begins."""
        self.constant(_ONE, count)
        self.op(0, _TWO, 0, index)
        self.b_type(_LTU, _TWO, _ONE, self.here + 6)
        self.move(_TWO, _ONE)
        self.shift(_SLL, _TWO, _TWO, 2)
        self.auipc(_ONE, 0)
        self.op(0, _ONE, _ONE, _TWO)
        self.i_type(0x67, 0, 0, _ONE, 10)  # JALR: the table lies 10 bytes behind the AUIPC
        first = self.here
        for _ in range(count + 1):
            self.put(0x6F, 0)
        return first

    def table_entry(self, first, i, target):
        """Write entry `i` of the table at `first`. Raises ValueError beyond 1 MiB."""
        if not self.patch_j(first + 4 * i, 0, target):
            raise ValueError(target - first)

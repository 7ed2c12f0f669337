"""Templates for f32 on the FPU of ESP32 and ESP32-S3 (Floating-Point Coprocessor and Boolean Options; Xtensa ISA Reference Manual, 2010, chapter 6).

Floats live in the address registers, like all words, and are moved to f0 and f1 for an operation; only temporaries that go from one operation to
another, with nothing else between, stay in f2 to f14. f15 holds the canonical NaN from the entry on: what gives a NaN gives that one.
b0 takes conditions. Division and square root are routines (`xtensa_divide`, `xtensa_root`); all of f64 is left to the library.
"""

from mpwasm.compat import const
from mpwasm.native.scan import length
from mpwasm.native.xtensa_code import XtensaCode

# forms of three registers, for `Xtensa.op`: ``op(_ADD_S, fr, fs, ft)``; of conditions the first is a boolean
_ADD_S = const(0x0A)
_SUB_S = const(0x1A)
_MUL_S = const(0x2A)
_FLOOR_S = const(0xAA)  # ar, fs and 0; so are the next three
_CEIL_S = const(0xBA)
_TRUNC_S = const(0x9A)
_UTRUNC_S = const(0xEA)
_FLOAT_S = const(0xCA)  # fr, as and 0
_UFLOAT_S = const(0xDA)
_UN_S = const(0x1B)
_OEQ_S = const(0x2B)
_UEQ_S = const(0x3B)
_OLT_S = const(0x4B)
_OLE_S = const(0x6B)
_MOVF = const(0xC3)  # ar, as, bt
_MOVT = const(0xD3)
_MOVT_S = const(0xDB)  # fr, fs, bt
_MOVES = const(0xFA)  # with one of the next two as the last
_RFR = const(4)  # ar, fs
_WFR = const(5)  # fr, as

_ONE = const(0)
_TWO = const(10)
_NAN = const(15)
_FP = const(15)
_AND = const(0x10)
_OR = const(0x20)
_XOR = const(0x30)
_SRC = const(0x81)
_GEU = const(11)
_LTZ = const(2)
_OP = const(4)
_DIV = const(0x95)
_SQRT = const(0x91)
_FAR = const(60)  # units that are looked through
_SIGN = const(0x80000000)
_BF = const(2 | 0x76 << 2)  # a condition: b0 is 0
_BT = const(2 | 0x76 << 2 | 1 << 16)
_COMPARISONS = b"\x2b\x2b\x4b\x4b\x6b\x6b"  # eq ne lt gt le ge


class XtensaFloat(XtensaCode):
    """The templates of Xtensa and those of its FPU."""

    FPU = True

    def __init__(self, based=False):
        XtensaCode.__init__(self, based)
        self.kept = {}  # word: the register among f2 to f14 that has it, and only that

    def float_op(self, function, at):
        """The op at unit `at`, if it is one that the FPU does to the bit; else false."""
        code = function.code
        opcode = code[at + 1]
        if sums(code, at):
            a = self.take(function, code[at + 2], 0)
            b = self.take(function, code[at + 3], 1) if code[at + 3] != code[at + 2] else a
            if opcode < 0x61:
                self.compare_floats(function, at, a, b)
            else:
                f = self.keep(function, at, code[at + 4])
                self.op((_ADD_S, _SUB_S, _MUL_S)[opcode - 0x92], f, a, b)
                if not f:
                    self.canonical(function.define(code[at + 4]))
            return True
        if code[at] == 0xCA and 0x95 < opcode < 0x99:
            ra, rb = function.use(code[at + 2]), function.use(code[at + 3])
            (self.least if opcode < 0x98 else self.copysign)(opcode, function.define(code[at + 4], ra, rb), ra, rb)
            return True
        if (code[at] == 0xCA and opcode == _DIV or code[at] == 0xC9 and opcode == _SQRT) and function.library:
            function.call_routine(at, opcode)
            return True
        if code[at] != 0xC9:
            return False
        if opcode in (0xA8, 0xA9, 0xFC00, 0xFC01):
            self.truncate(function, at)
            return True
        if 0x8A < opcode < 0x91:
            ra = function.use(code[at + 2])
            (self.sign if opcode < 0x8D else self.round)(opcode, function.define(code[at + 3], ra), ra)
            return True
        if 0xB1 < opcode < 0xB4:
            ra = function.use(code[at + 2])
            f = self.keep(function, at, code[at + 3])
            self.op(_FLOAT_S if opcode == 0xB2 else _UFLOAT_S, f, ra, 0)
            if not f:
                self.op(_MOVES, function.define(code[at + 3], ra), 0, _RFR)
            return True
        return False

    # words in registers of the FPU

    def take(self, function, word, f):
        """The register that has `word`: where it was kept, or `f`, into which it is moved, or loaded where only the frame has it."""
        if word in self.kept:
            return self.kept.pop(word)
        if word < 256 and word not in function.lazy and function.home(word) < 0 and function.find(word) < 0:
            self.lsi(f, word)
        else:
            self.op(_MOVES, f, function.use(word), _WFR)
        return f

    def lsi(self, f, word):
        """Load a word of the frame, below 256 (LSI)."""
        self.put(3 | word << 16 | _FP << 8 | f << 4)

    def keep(self, function, at, word):
        """The register for the result of the op at `at`: one of f2 to f14 if only sums and comparisons come until one of them reads it; else f0."""
        code, f, far = function.code, 2, at + _FAR
        while f in self.kept.values():
            f += 1
        at += length(code, at)
        while word >= function.temps and f < _NAN and at < far and at < len(code) and not function.plan.marks[at] and sums(code, at):
            if word in (code[at + 2], code[at + 3]):
                function.drop(word)
                self.kept[word] = f
                return f
            at += 5
        return 0

    def rewind(self, start):
        """Forget all code from the offset `start` on."""
        XtensaCode.rewind(self, start)
        self.kept = {}

    def opposite(self, condition):
        """The condition that holds where this one does not."""
        return condition ^ 1 << 16 if condition & 0xFFFF == _BF else XtensaCode.opposite(self, condition)

    def canonical(self, rd):
        """rd = f0, or the canonical NaN where it is any."""
        self.op(_UN_S, 0, 0, 0)
        self.op(_MOVT_S, 0, _NAN, 0)
        self.op(_MOVES, rd, 0, _RFR)

    # two operands

    def least(self, opcode, rd, ra, rb):
        """min, max: of zeros the one with the sign, or without; a NaN if there is one."""
        self.op(_MOVES, 0, ra, _WFR)
        self.op(_MOVES, 1, rb, _WFR)
        self.move(_TWO, ra)
        self.op(_OLT_S, 0, 0, 1)
        self.op(_MOVF if opcode == 0x96 else _MOVT, _TWO, rb, 0)
        self.op(_UEQ_S, 0, 0, 1)
        over = self.make(_BF)
        self.op(_OR if opcode == 0x96 else _AND, _TWO, ra, rb)
        self.op(_UN_S, 0, 0, 1)
        self.op(_MOVES, _ONE, _NAN, _RFR)
        self.op(_MOVT, _TWO, _ONE, 0)
        self.patch_branch(over, self.here)
        self.move(rd, _TWO)

    def copysign(self, opcode, rd, ra, rb):
        """ra with the sign of rb."""
        self.extui(_TWO, rb, 31, 1)
        self.slli(_ONE, ra, 1)
        self.ssai(1)
        self.op(_SRC, rd, _TWO, _ONE)

    def compare_floats(self, function, at, a, b):
        """A comparison of two registers, or the branch behind it that it is made for."""
        kind = function.code[at + 1] - 0x5B
        if kind == 3 or kind == 5:
            a, b = b, a
        self.op(_COMPARISONS[kind], 0, a, b)
        condition = _BF if kind == 1 else _BT
        if function.branches_on(at + 1):
            function.flush()
            function.branch_on(at + 1, condition)
        else:
            self.set_flag(function.define(function.code[at + 4]), condition)

    # one operand

    def sign(self, opcode, rd, ra):
        """abs, neg: of the bits, whatever they are."""
        if opcode == 0x8B:
            self.slli(rd, ra, 1)
            self.srli(rd, rd, 1)
        else:
            self.constant(_TWO, _SIGN)
            self.op(_XOR, rd, ra, _TWO)

    def round(self, opcode, rd, ra):
        """ceil, floor, trunc, nearest: below 2**23 by way of an integer, or by adding and taking off 2**23, with the sign that it had."""
        self.op(_MOVES, 0, ra, _WFR)
        self.slli(_TWO, ra, 1)
        self.constant(_ONE, 150 << 24)
        large = self.make(self.pair(_GEU, _TWO, _ONE))
        self.extui(_TWO, ra, 31, 1)
        self.slli(_TWO, _TWO, 31)
        if opcode == 0x90:
            self.constant(_ONE, 150 << 23)
            self.op(_OR, _ONE, _ONE, _TWO)
            self.op(_MOVES, 1, _ONE, _WFR)
            self.op(_ADD_S, 0, 0, 1)
            self.op(_SUB_S, 0, 0, 1)
        else:
            self.op((_CEIL_S, _FLOOR_S, _TRUNC_S)[opcode - 0x8D], _ONE, 0, 0)
            self.op(_FLOAT_S, 0, _ONE, 0)
        self.op(_MOVES, _ONE, 0, _RFR)
        self.op(_OR, _ONE, _ONE, _TWO)
        self.op(_MOVES, 0, _ONE, _WFR)
        self.patch_branch(large, self.here)
        self.canonical(rd)

    def truncate(self, function, at):
        """The conversions to i32: what is not well within the integers goes to Python, but below 0 a saturating one to u32 gives 0."""
        code = function.code
        word, opcode = code[at + 3], code[at + 1]
        item = function.later(_OP, function.told(at))
        ra = function.use(code[at + 2])
        rd = function.define(word, ra)
        item.saves = ((ra, code[at + 2]),)
        item.loads = rd, word
        over = -1
        if opcode == 0xFC01:
            self.movi(_TWO, 0)
            over = self.make(self.zero(_LTZ, ra))
        if opcode & 1:
            self.constant(_ONE, 159 << 23)
            function.site(item, self.pair(_GEU, ra, _ONE))
        else:
            self.slli(_TWO, ra, 1)
            self.constant(_ONE, 158 << 24)
            function.site(item, self.pair(_GEU, _TWO, _ONE))
        self.op(_MOVES, 0, ra, _WFR)
        self.op(_UTRUNC_S if opcode & 1 else _TRUNC_S, _TWO, 0, 0)
        if over >= 0:
            self.patch_branch(over, self.here)
        self.move(rd, _TWO)
        item.back = self.here


def sums(code, at):
    """Whether the op at unit `at` is add, sub, mul or a comparison of f32."""
    return code[at] == 0xCA and (0x91 < code[at + 1] < 0x95 or 0x5A < code[at + 1] < 0x61)

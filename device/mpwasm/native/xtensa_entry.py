"""The way into Xtensa machine code and out of it: the one place that knows how MicroPython calls a viper function there (windowed ABI).

A function of kind viper is called as ``f(self, n_args, n_kw, args)``, with these in a2 to a5 once the window has turned (py/objfun.c; Xtensa ISA
manual, chapter 8); a small int is n * 2 + 1 (py/obj.h). Ours takes the record's address and returns the reason why it came back.
"""

from mpwasm.compat import const

_L32I = const(2)
_S32I = const(6)
# byte offsets in the record
_RESUME = const(0)
_FP = const(4)
_MEMORY = const(8)
_LENGTH = const(12)
_FUEL = const(20)
_TOLD = const(24)
_SAVED = const(32)
_BASE = const(120)
_CODE = const(124)
_REASONS = const(9)
_HOST = const(2)
_OP = const(4)

_STATE = ((15, _FP), (14, _MEMORY), (13, _LENGTH), (11, _FUEL), (10, _RESUME))


def lay(asm):
    """Lay all of it down at the beginning of the code; returns the offsets of the exits by their reasons."""
    done = enter(asm)
    starts = exits(asm, _REASONS)
    asm.call_to(done, starts[0])
    return starts


def enter(asm):
    """The entry: load the state that the record holds and go on where it says.

    It leaves the code's own address in the record; where the record names no place to go on at, that is all it does.

    Returns the offset of the place that a call out of machine code is to be written to: the outermost function returns there.
    """
    asm.entry(48)
    asm.memory(_S32I, 0, 1, 0)
    asm.memory(_L32I, 12, 5, 0)
    asm.srai(12, 12, 1)
    asm.put(0x0020F0)  # NOP, for the next one to end at a multiple of 4
    asm.call0(16)  # a0 = where this ends
    asm.addi(0, 0, -16)
    asm.memory(_S32I, 0, 12, _CODE)
    for register, offset in _STATE:
        asm.memory(_L32I, register, 12, offset)
    if asm.FPU:
        asm.movi(0, 511)
        asm.slli(0, 0, 22)
        asm.put(0xFAF050)  # WFR f15, a0: the NaN that all f32 operations give
    for register in range(2, 10):
        asm.memory(_L32I, register, 12, _SAVED + 4 * register - 8)
    if not asm.based:  # such code must see an empty window unless it begins at 0
        asm.memory(_L32I, 0, 12, _BASE)
        over = asm.here
        asm.branch_zero(0, 0)
        asm.movi(13, 0)
        asm.patch_short(over, asm.here)
    none = asm.here
    asm.branch_zero(0, 10)
    asm.callx0(10)
    asm.patch_short(none, asm.here)
    return asm.call()


def exits(asm, count):
    """The exits, one for each reason below `count`, called; behind the call may lie a word that tells more. A list of their offsets."""
    starts = []
    sites = []
    for reason in range(count):
        asm.align()
        starts.append(asm.here)
        asm.movi(10, 2 * reason + 1)
        sites.append(asm.here)
        asm.put(6)
    told = asm.here
    for register in range(2, 10):
        asm.memory(_S32I, register, 12, _SAVED + 4 * register - 8)
    asm.addi(0, 0, 3)  # the word lies at the next multiple of 4
    asm.srli(0, 0, 2)
    asm.slli(0, 0, 2)
    asm.memory(_L32I, 2, 0, 0)
    asm.extui(3, 2, 0, 16)
    asm.memory(_S32I, 3, 12, _TOLD)
    asm.extui(3, 2, 16, 16)
    asm.memory(_S32I, 3, 12, _TOLD + 4)
    asm.addi(0, 0, 4)
    over = asm.here
    asm.put(6)
    plain = asm.here
    for register in range(2, 10):
        asm.memory(_S32I, register, 12, _SAVED + 4 * register - 8)
    asm.patch_jump(over, asm.here)
    for register, offset in ((0, _RESUME), (15, _FP), (11, _FUEL)):
        asm.memory(_S32I, register, 12, offset)
    asm.move(2, 10)
    asm.memory(_L32I, 0, 1, 0)
    asm.retw()
    for reason in range(count):
        asm.patch_jump(sites[reason], told if _HOST <= reason <= _OP else plain)
    return starts

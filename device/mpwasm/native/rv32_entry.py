"""The way into RV32 machine code and out of it: the one place that knows how MicroPython calls a viper function there.

A function of kind viper is called as ``f(self, n_args, n_kw, args)`` with these in x10 to x13 (py/objfun.c; RISC-V calling convention); a small
int is n * 2 + 1 (py/obj.h). Ours takes the record's address and returns the reason why it came back.
"""

from mpwasm.compat import const

_LW = const(2)
_SW = const(10)
_SRA = const(0x105)
_SRL = const(5)
_SLL = const(1)
# byte offsets in the record
_RESUME = const(0)
_FP = const(4)
_MEMORY = const(8)
_LENGTH = const(12)
_LIMIT = const(16)
_FUEL = const(20)
_TOLD = const(24)
_SAVED = const(32)
_BASE = const(120)
_CODE = const(124)
_REASONS = const(9)

_STATE = ((8, _FP), (9, _MEMORY), (28, _LENGTH), (30, _LIMIT), (31, _FUEL), (26, _BASE))
_KEPT = b"\x01\x08\x09\x12\x13\x14\x15\x16\x17\x18\x19\x1a"  # ra, s0 to s10, which the caller wants back
_FIRST = const(10)  # of the registers that hold values, 16 of them


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
    asm.auipc(5, 0)
    asm.addi(2, 2, -48)
    kept(asm, _SW)
    asm.memory(_LW, 29, 13, 0)
    asm.shift(_SRA, 29, 29, 1)
    asm.memory(_SW, 5, 29, _CODE)
    asm.memory(_LW, 5, 29, _RESUME)
    for register, offset in _STATE:
        asm.memory(_LW, register, 29, offset)
    for i in range(16):
        asm.memory(_LW, _FIRST + i, 29, _SAVED + 4 * i)
    if not asm.based:  # such code must see an empty window unless it begins at 0
        asm.b_type(0, 26, 0, asm.here + 6)
        asm.addi(28, 0, 0)
    none = asm.here
    asm.b_type(0, 5, 0)
    asm.j_type(1, asm.here + 8)
    asm.patch_b(none, asm.here)
    done = asm.call()
    asm.jalr(0, 5)
    return done


def exits(asm, count):
    """The exits, one for each reason below `count`, called with x5 as the link and in x6 what there is to tell. A list of their offsets."""
    starts = []
    sites = []
    for reason in range(count):
        starts.append(asm.here)
        asm.addi(7, 0, 2 * reason + 1)
        sites.append(asm.here)
        asm.put(0, 0)
    for site in sites:
        asm.patch_j(site, 0, asm.here)
    asm.memory(_SW, 5, 29, _RESUME)
    asm.shift(_SLL, 5, 6, 16)
    asm.shift(_SRL, 5, 5, 16)
    asm.memory(_SW, 5, 29, _TOLD)
    asm.shift(_SRL, 6, 6, 16)
    asm.memory(_SW, 6, 29, _TOLD + 4)
    for i in range(16):
        asm.memory(_SW, _FIRST + i, 29, _SAVED + 4 * i)
    asm.memory(_SW, 8, 29, _FP)
    asm.memory(_SW, 31, 29, _FUEL)
    asm.move(10, 7)
    kept(asm, _LW)
    asm.addi(2, 2, 48)
    asm.jalr(0, 1)
    return starts


def kept(asm, number):
    """Store to the stack, or load from it, what the caller wants back."""
    for i in range(len(_KEPT)):
        asm.memory(number, _KEPT[i], 2, 4 * i)

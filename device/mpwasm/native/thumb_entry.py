"""The way into machine code and out of it: the one place that knows how MicroPython calls a viper function.

A function of kind viper is called as ``f(self, n_args, n_kw, args)``; a small int is n * 2 + 1 (py/objfun.c,
py/obj.h). Ours takes the record's address and returns the reason why it came back.
"""

from mpwasm.compat import const

_LSLS = const(2)
_ASRS = const(4)
_RSBS = const(9)
_GLOBALS = const(128)  # bytes of the record before the globals, where r10 points
# byte offsets in the record
_RESUME = const(0)
_FP = const(4)
_MEMORY = const(8)
_LENGTH = const(12)
_LIMIT = const(16)
_FUEL = const(20)
_TOLD = const(24)
_REGISTERS = const(28)
_SAVED = const(32)
_BASE = const(120)
_CODE = const(124)
_OP = const(4)


def enter(asm):
    """The entry: load the state that the record holds and go on where it says.

    It leaves the code's own address in the record; where the record names no place to go on at, that is all it does.

    Returns the offset of the place that a BL out of machine code is to be written to: the outermost function returns there.
    """
    asm.push(0xF0, 1)
    for low, high in ((4, 8), (5, 9), (6, 10), (7, 11)):
        asm.mov(low, high)
    asm.push(0xF0, 0)
    asm.ldr5(0, 3, 0)
    asm.shift(_ASRS, 0, 0, 1)
    asm.mov(1, 15)
    asm.add8(1, -(asm.here + 2))
    asm.str5(1, 0, _CODE)
    for register, offset in ((11, _LIMIT), (8, _SAVED + 20), (12, _SAVED + 24)):
        asm.ldr5(1, 0, offset)
        asm.mov(register, 1)
    window(asm)
    asm.mov(1, 0)
    asm.add8(1, _GLOBALS)
    asm.mov(10, 1)
    asm.ldr5(4, 0, _FP)
    asm.ldr5(5, 0, _FUEL)
    asm.ldr5(6, 0, _MEMORY)
    asm.ldr5(1, 0, _RESUME)
    asm.cmp8(1, 0)
    done = asm.here + 6
    asm.put(0xD001)  # BEQ done
    asm.bl(done + 4)
    asm.put(0)
    asm.put(0)
    asm.push(2, 0)
    for register in (1, 2, 3):
        asm.ldr5(register, 0, _SAVED + 4 * register)
    asm.ldr5(7, 0, _SAVED + 16)
    asm.ldr5(0, 0, _SAVED)
    asm.pop(0, 1)
    return done


def window(asm):
    """r9 the window's length, r12 less its base; code that does not subtract the base must see an empty window unless that is 0."""
    asm.ldr5(2, 0, _LENGTH)
    asm.ldr5(1, 0, _BASE)
    if asm.based:
        asm.op(_RSBS, 1, 1)
        asm.mov(12, 1)
    else:
        asm.cmp8(1, 0)
        asm.put(0xD000)  # BEQ over the next
        asm.mov8(2, 0)
    asm.mov(9, 2)


def exits(asm, count):
    """The exits, one for each reason below `count`, called by BL; behind that two halfwords tell more where the reason has more to tell.

    Returns a list of their offsets.
    """
    starts = []
    sites = []
    for reason in range(count):
        starts.append(asm.here)
        asm.push(1, 0)
        asm.mov8(0, reason)
        sites.append(asm.here)
        asm.put(0)
    for site in sites:
        asm.patch_b(site, asm.here)
    asm.push(2, 0)
    asm.mov(1, 10)
    asm.add8(1, -_GLOBALS)
    for register, offset in ((2, _SAVED + 8), (3, _SAVED + 12), (7, _SAVED + 16), (4, _FP), (5, _FUEL)):
        asm.str5(register, 1, offset)
    for offset in (_SAVED + 4, _SAVED):
        asm.pop(4, 0)
        asm.str5(2, 1, offset)
    for register, offset in ((8, _SAVED + 20), (12, _SAVED + 24)):
        asm.mov(2, register)
        asm.str5(2, 1, offset)
    asm.mov(2, 14)
    resume(asm)
    asm.str5(2, 1, _RESUME)
    asm.pop(0xF0, 0)
    for low, high in ((4, 8), (5, 9), (6, 10), (7, 11)):
        asm.mov(high, low)
    asm.shift(_LSLS, 0, 0, 1)
    asm.add3(0, 0, 1)
    asm.pop(0xF0, 1)
    return starts


def resume(asm):
    """r2, the return address of an exit: for HOST, ACCESS and OP read what is told there, and step over it."""
    asm.add3(3, 0, -2)
    asm.cmp8(3, _OP - 2)
    over = asm.here
    asm.put(0xD800)  # BHI
    asm.add3(2, 2, -1)
    for offset in (0, 2):
        asm.put(0x8800 | offset << 5 | 2 << 3 | 3)  # LDRH r3, [r2, #offset]
        asm.str5(3, 1, _TOLD + 2 * offset)
    asm.add3(2, 2, 5)
    asm.patch_bcc(over, 8, asm.here)

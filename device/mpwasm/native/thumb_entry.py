"""The way into machine code and out of it: the one place that knows how MicroPython calls a viper function.

A function of kind viper is called as ``f(self, n_args, n_kw, args)``; a small int is n * 2 + 1 (py/objfun.c,
py/obj.h). Ours takes the record's address and returns the reason why it came back.
"""

from mpwasm.compat import const

_LSLS = const(2)
_ASRS = const(4)


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
    asm.mov(10, 0)
    asm.mov(1, 15)
    asm.add8(1, -(asm.here + 2))
    asm.str5(1, 0, 56)
    asm.ldr5(1, 0, 16)
    asm.mov(11, 1)
    asm.ldr5(1, 0, 12)
    asm.mov(9, 1)
    asm.ldr5(1, 0, 40)
    asm.mov(8, 1)
    asm.ldr5(4, 0, 4)
    asm.ldr5(5, 0, 20)
    asm.ldr5(6, 0, 8)
    asm.ldr5(3, 0, 32)
    asm.ldr5(7, 0, 36)
    asm.ldr5(2, 0, 0)
    asm.ldr5(0, 0, 44)
    done = asm.here + 8
    asm.cmp8(2, 0)
    asm.put(0xD001)  # BEQ done
    asm.bl(done + 4)
    asm.put(0)
    asm.put(0)
    asm.bx(2)
    return done


def exits(asm, count):
    """The exits, one for each reason below `count`, called by BL with the unit in r2: a list of their offsets."""
    starts = []
    sites = []
    for reason in range(count):
        starts.append(asm.here)
        asm.mov(12, 3)
        asm.mov8(3, reason)
        sites.append(asm.here)
        asm.put(0)
    for site in sites:
        asm.patch_b(site, asm.here)
    asm.push(8, 0)
    asm.mov(3, 10)
    for rt, offset in ((0, 44), (1, 48), (2, 28), (7, 36), (4, 4), (5, 20)):
        asm.str5(rt, 3, offset)
    asm.pop(1, 0)
    asm.str5(0, 3, 24)
    for register, offset in ((12, 32), (8, 40), (14, 0)):
        asm.mov(1, register)
        asm.str5(1, 3, offset)
    asm.pop(0xF0, 0)
    for low, high in ((4, 8), (5, 9), (6, 10), (7, 11)):
        asm.mov(high, low)
    asm.shift(_LSLS, 0, 0, 1)
    asm.add3(0, 0, 1)
    asm.pop(0xF0, 1)
    return starts

"""The plain executor: one loop over slot code, in Python, on every port.

Values are signed Python ints, so that small negative numbers stay small ints on 32-bit boards; an i64 lies whole in the
first of its two slots. The run loop is one long function on purpose: a call for each op would double its cost.
"""

from mpwasm.compat import const
from mpwasm.errors import Trap
from mpwasm.wasm.base import element
from mpwasm.wasm.numeric import below, binary64, divide, shift, unary32, unary64, wrap32, wrap64

DONE = const(0)
FUEL = const(1)
PAUSED = const(2)

_UNREACHABLE = const(100)
_OUT_OF_BOUNDS = const(101)
_SIZES = b"\x01\x01\x02\x02\x04\x08\x00\x00\x01\x02\x04\x08"


def run(thread, steps):
    """Run at most `steps` slot ops of `thread` (an `Instance` with a call begun).

    Returns DONE when the call has returned, FUEL when the steps are used up, PAUSED when a host function asked for it;
    after the last two, call again to go on. Raises `Trap`; `thread.pc`, `fp` and `func` then tell where.
    """
    F = thread.frames
    f = thread.func
    fp = thread.fp
    pc = thread.pc
    code = f[0]
    inst = f[5]
    funcs = inst.funcs
    G = inst.globals
    mem = inst.memory
    M = mem.data
    base = mem.base
    top = len(M)
    try:
        for _ in range(steps):
            op = code[pc]
            if op < 0x40:  # i32: slot or constant on the right
                x = F[fp + code[pc + 1]]
                if op < 0x20:
                    y = F[fp + code[pc + 2]]
                else:
                    op -= 0x20
                    y = code[pc + 2]
                    if y > 32767:
                        y -= 65536
                if op < 6:
                    if op < 3:
                        r = x + y if op == 0 else x - y if op == 1 else x * y
                        if r > 0x3FFFFFFF or r < -0x40000000:
                            r = wrap32(r)
                    else:
                        r = x & y if op == 3 else x | y if op == 4 else x ^ y
                elif op < 16:
                    if op == 8 and x >= 0:
                        r = x >> (y & 31)
                    else:
                        r = wrap32(shift(op, x, y, 32) if op < 11 else divide(op, x, y, 32))
                elif op < 18:
                    r = 1 if (x == y) == (op == 16) else 0
                elif op < 20:
                    r = 1 if (x < y) == (op == 18) else 0
                else:
                    r = 1 if below(x, y) == (op == 20) else 0
                F[fp + code[pc + 3]] = r
                pc += 4
            elif op < 0x50:  # compare and branch
                x = F[fp + code[pc + 1]]
                y = code[pc + 2]
                if op < 0x48:
                    y = F[fp + y]
                elif y > 32767:
                    y -= 65536
                op &= 7
                if op < 2:
                    r = (x == y) == (op == 0)
                elif op < 4:
                    r = (x < y) == (op == 2)
                else:
                    r = below(x, y) == (op == 4)
                if r:
                    pc = code[pc + 3]
                else:
                    pc += 4
            elif op < 0x60:  # memory
                x = F[fp + code[pc + 1]]
                y = code[pc + 2] if op < 0x58 else code[pc + 3]
                e = x + y - base
                if x < 0 or e < 0 or e + _SIZES[op - 0x50] > top:
                    e = mem.at((x & 0xFFFFFFFF) + y, _SIZES[op - 0x50])
                    M = mem.data
                    base = mem.base
                    top = len(M)
                if op < 0x54:
                    r = M[e]
                    if op > 0x51:
                        r |= M[e + 1] << 8
                        if op == 0x53 and r > 32767:
                            r -= 65536
                    elif op == 0x51 and r > 127:
                        r -= 256
                    F[fp + code[pc + 3]] = r
                elif op == 0x54:
                    F[fp + code[pc + 3]] = M[e] | M[e + 1] << 8 | M[e + 2] << 16 | (M[e + 3] ^ 0x80) - 0x80 << 24
                elif op == 0x55:
                    F[fp + code[pc + 3]] = wrap64(int.from_bytes(M[e : e + 8], "little"))
                else:
                    x = F[fp + code[pc + 2]]
                    M[e] = x & 255
                    if op > 0x58:
                        M[e + 1] = x >> 8 & 255
                        if op > 0x59:
                            M[e + 2] = x >> 16 & 255
                            M[e + 3] = x >> 24 & 255
                            if op == 0x5B:
                                M[e + 4 : e + 8] = (x >> 32 & 0xFFFFFFFF).to_bytes(4, "little")
                pc += 4
            elif op < 0x70:
                if op < 0x66:
                    if op < 0x62:  # move
                        F[fp + code[pc + 2]] = F[fp + code[pc + 1]]
                        pc += 3
                    elif op < 0x64:  # constant
                        y = code[pc + 1]
                        if op == 0x62:
                            F[fp + code[pc + 2]] = y if y < 32768 else y - 65536
                            pc += 3
                        else:
                            F[fp + code[pc + 3]] = y | (code[pc + 2] ^ 0x8000) - 0x8000 << 16
                            pc += 4
                    elif op == 0x64:
                        x = code[pc + 1] | code[pc + 2] << 16 | code[pc + 3] << 32
                        F[fp + code[pc + 5]] = x | (code[pc + 4] ^ 0x8000) - 0x8000 << 48
                        pc += 6
                    else:
                        F[fp + code[pc + 2]] = G[code[pc + 1]][0]
                        pc += 3
                elif op < 0x69:
                    if op == 0x67:
                        F[fp + code[pc + 2]] = G[code[pc + 1]][0]
                    else:
                        G[code[pc + 2]][0] = F[fp + code[pc + 1]]
                    pc += 3
                elif op < 0x6B:  # select
                    F[fp + code[pc + 4]] = F[fp + code[pc + 1 if F[fp + code[pc + 3]] else pc + 2]]
                    pc += 5
                else:
                    F[fp + code[pc + 2]] = unary32(op, F[fp + code[pc + 1]])
                    pc += 3
            elif op == 0x70:  # br
                pc = code[pc + 1]
            elif op < 0x74:
                if op == 0x71:  # br_table
                    x = F[fp + code[pc + 1]]
                    y = code[pc + 2]
                    pc = code[pc + 3 + (x if 0 <= x < y else y)]
                    continue
                if op == 0x72:
                    g = funcs[code[pc + 1]]
                    r = pc + 4
                else:
                    g = element(inst, code, pc, F[fp + code[pc + 1]])
                    r = pc + 6
                n = fp + code[r - 2]
                if g[0] is None:
                    thread.fp = fp
                    x = thread.host(g, F, n)
                    if x is not None:
                        F[fp + code[r - 1]] = x
                    pc = r
                    M = mem.data
                    base = mem.base
                    top = len(M)
                    if g[5].pause:
                        g[5].pause = False
                        thread.func = f
                        thread.pc = pc
                        return PAUSED
                    continue
                if n + g[3] > len(F):
                    thread.grow_frames(n + g[3])
                x = n + g[1]
                F[x] = f
                F[x + 1] = r
                x += 2
                for y in range(x, x + g[2]):
                    F[y] = 0
                f = g
                code = g[0]
                fp = n
                pc = 0
                if g[5] is not inst:
                    inst = g[5]
                    funcs = inst.funcs
                    G = inst.globals
                    mem = inst.memory
                    M = mem.data
                    base = mem.base
                    top = len(M)
            elif op == 0x74:  # return
                n = code[pc + 2]
                x = fp + f[1]
                g = F[x]
                r = F[x + 1]
                if n:
                    x = fp + code[pc + 1]
                    y = F[x]
                    if n > 1:
                        for y in range(n):
                            F[fp + y] = F[x + y]
                    elif g is not None:
                        F[fp - g[0][r - 2] + g[0][r - 1]] = y
                    else:
                        F[fp] = y
                if g is None:
                    thread.func = None
                    return DONE
                f = g
                pc = r
                code = f[0]
                fp -= code[pc - 2]
                if f[5] is not inst:
                    inst = f[5]
                    funcs = inst.funcs
                    G = inst.globals
                    mem = inst.memory
                    M = mem.data
                    base = mem.base
                    top = len(M)
            elif op < 0x80:
                if op == 0x75:
                    raise Trap(_UNREACHABLE)
                if op == 0x76:
                    x = (F[fp + code[pc + 1]] & 0xFFFFFFFF) + (code[pc + 2] | code[pc + 3] << 16)
                    if x > 0xFFFFFFFF:
                        raise Trap(_OUT_OF_BOUNDS)
                    F[fp + code[pc + 4]] = wrap32(x)
                    pc += 5
                elif op == 0x77:
                    F[fp + code[pc + 1]] = mem.pages
                    pc += 2
                else:
                    F[fp + code[pc + 2]] = mem.grow(F[fp + code[pc + 1]] & 0xFFFFFFFF)
                    pc += 3
            elif op < 0xC0:  # i64
                y = code[pc + 2]
                if not op & 0x20:
                    y = F[fp + y]
                elif y > 32767:
                    y -= 65536
                F[fp + code[pc + 3]] = binary64(op & 0x1F, F[fp + code[pc + 1]], y)
                pc += 4
            elif op < 0xC9:
                F[fp + code[pc + 2]] = unary64(op, F[fp + code[pc + 1]])
                pc += 3
            else:
                pc += inst.extra(inst, code, pc, F, fp)
                M = mem.data
                base = mem.base
                top = len(M)
    except Trap:
        thread.func = f
        thread.pc = pc
        thread.fp = fp
        raise
    thread.func = f
    thread.pc = pc
    thread.fp = fp
    return FUEL

"""The slot ops beyond the everyday ones: floats, bulk memory, tables and references; loaded for modules that use them."""

from mpwasm.compat import const
from mpwasm.errors import Trap
from mpwasm.wasm.floats import float_op

_OUT_OF_BOUNDS = const(101)
_TABLE_BOUNDS = const(108)


def extra(inst, code, pc, F, fp):
    """Execute the op at `pc`, 0xC9 or above, for `inst`; returns its length in units. Memory may move."""
    op = code[pc]
    if op == 0xC9:
        F[fp + code[pc + 3]] = float_op(code[pc + 1], F[fp + code[pc + 2]], 0)
        return 4
    if op == 0xCA:
        F[fp + code[pc + 4]] = float_op(code[pc + 1], F[fp + code[pc + 2]], F[fp + code[pc + 3]])
        return 5
    if op == 0xCB:
        bulk(inst, code[pc + 1], code[pc + 2], code[pc + 3], F[fp + code[pc + 4]], F[fp + code[pc + 5]], F[fp + code[pc + 6]])
        return 7
    if op == 0xCC:
        segments = inst.datas if code[pc + 1] == 9 else inst.elems
        segments[code[pc + 2]] = b""
        return 3
    if op == 0xD1:
        F[fp + code[pc + 2]] = inst.funcs[code[pc + 1]]
        return 3
    return table_op(op, inst.tables[code[pc + 1]], code, pc, F, fp)


def table_op(op, table, code, pc, F, fp):
    """table.grow, size, get, set."""
    x = F[fp + code[pc + 2]]
    if op == 0xCD:
        F[fp + code[pc + 4]] = table.grow(F[fp + code[pc + 3]] & 0xFFFFFFFF, x)
        return 5
    if op == 0xCE:
        F[fp + code[pc + 2]] = len(table.items)
        return 3
    if not 0 <= x < len(table.items):
        raise Trap(_TABLE_BOUNDS)
    if op == 0xCF:
        F[fp + code[pc + 3]] = table.items[x]
    else:
        table.items[x] = F[fp + code[pc + 3]]
    return 4


def bulk(inst, sub, x, y, a, b, n):
    """init, copy and fill of memories and tables (spec 4.4.6, 4.4.7); `a`, `b`, `n` are destination, source or value, length."""
    n &= 0xFFFFFFFF
    a &= 0xFFFFFFFF
    if sub < 12:
        memory_op(inst, sub, x, a, b, n)
        return
    table = inst.tables[y if sub == 12 else x].items
    if sub == 17:
        check(a, n, len(table), _TABLE_BOUNDS)
        for i in range(a, a + n):
            table[i] = b
        return
    source = inst.elems[x] if sub == 12 else inst.tables[y].items
    b &= 0xFFFFFFFF
    check(b, n, len(source), _TABLE_BOUNDS)
    check(a, n, len(table), _TABLE_BOUNDS)
    forward = source is not table or a <= b
    for i in range(n) if forward else range(n - 1, -1, -1):
        table[a + i] = source[b + i]


def memory_op(inst, sub, x, a, b, n):
    """memory.init, memory.copy, memory.fill."""
    memory = inst.memory
    top = memory.pages * memory.page
    if sub == 11:
        check(a, n, top, _OUT_OF_BOUNDS)
        fill(memory, a, b & 255, n)
        return
    b &= 0xFFFFFFFF
    check(b, n, len(inst.datas[x]) if sub == 8 else top, _OUT_OF_BOUNDS)
    check(a, n, top, _OUT_OF_BOUNDS)
    if sub == 8:
        if n:
            memory.store(a, memoryview(inst.datas[x])[b : b + n])
    else:
        copy(memory, a, b, n)


def check(start, size, top, trap):
    """Trap where `size` items from `start` run over `top`."""
    if start + size > top:
        raise Trap(trap)


def fill(memory, address, value, size):
    """memory.fill, in pieces, so that it needs no second copy of what it fills."""
    piece = bytes([value]) * min(size, 256)
    while size > 0:
        step = min(size, 256)
        memory.store(address, piece if step == len(piece) else piece[:step])
        address += step
        size -= step


def copy(memory, to, source, size):
    """memory.copy: in pieces, from the end where the ranges overlap that way."""
    piece = bytearray(min(size, 256))
    done = 0
    while done < size:
        step = min(size - done, 256)
        at = done if to <= source else size - done - step
        view = memoryview(piece)[:step]
        memory.load(source + at, view)
        memory.store(to + at, view)
        done += step

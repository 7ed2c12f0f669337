"""From module to instance: imports, globals, tables, segments (spec 4.5.4). Needed once, so boards drop it afterwards."""

from mpwasm.compat import const
from mpwasm.errors import Trap, Unlinkable
from mpwasm.wasm.memory import Memory
from mpwasm.wasm.module import words
from mpwasm.wasm.table import Table, make_global

_UNKNOWN_IMPORT = const(80)
_WRONG_IMPORT = const(81)
_BOUNDS_MEMORY = const(101)
_BOUNDS_TABLE = const(108)


def instantiate(inst, resolve, max_memory, window):
    """Give `inst` (a `Base`) what its module declares; `Unlinkable`, and `Trap` where a segment does not fit."""
    module = inst.module
    low, high, page = module.memory or (0, 0, 65536)
    inst.memory = Memory(low, high, max_memory, page)
    if window and len(window[1]):
        inst.memory.base, inst.memory.data = window
    inst.globals = []
    inst.funcs = []
    inst.tables = []
    for entry in module.imports:
        link(inst, resolve, entry)
    if module.extras:
        from mpwasm.wasm.extra import extra

        inst.extra = extra
    for i in range(len(module.codes)):
        code, size, other, frame = module.codes[i]
        index = module.imported + i
        inst.funcs.append((code, size, other, frame, module.types[module.funcs[index]], inst, index, None))
    for i in range(len(inst.globals), len(module.globals)):
        valtype, mutable, value = module.globals[i]
        inst.globals.append(make_global(valtype, mutable, constant(inst, value)))
    for i in range(len(inst.tables), len(module.tables)):
        inst.tables.append(Table(*module.tables[i]))
    inst.elems = [[constant(inst, item) for item in items] if mode == 1 else () for mode, _, _, _, items in module.elems]
    inst.datas = [data if mode == 1 else b"" for mode, _, data in module.datas]
    fill(inst)


def link(inst, resolve, entry):
    """One import."""
    where, name, kind, what = entry
    found = None
    if resolve is not None:
        params, results = inst.module.types[what] if kind == 0 else (None, what)
        found = resolve(where, name, params, results)
    if found is None:
        raise Unlinkable(_UNKNOWN_IMPORT, where + "." + name)
    if not (link_function, link_table, link_memory, link_global)[kind](inst, found, what):
        raise Unlinkable(_WRONG_IMPORT, where + "." + name)


def link_function(inst, found, what):
    """A callable of the host, or a function of another instance."""
    kind = inst.module.types[what]
    if isinstance(found, tuple):
        inst.funcs.append(found)
        return found[4] == kind
    if not callable(found):
        return False
    size = words(kind[0])
    inst.funcs.append((None, size, 0, size + 2, kind, inst, len(inst.funcs), found))
    return True


def link_table(inst, found, what):
    """Another's table, at least as large and as bounded."""
    inst.tables.append(found)
    return isinstance(found, Table) and found.kind == what[0] and fits(len(found.items), found.most, what[1], what[2])


def link_memory(inst, found, what):
    """Another's memory, likewise."""
    inst.memory = found
    return isinstance(found, Memory) and found.page == what[2] and fits(found.pages, found.limit, what[0], what[1])


def link_global(inst, found, what):
    """Another's global of the same type, or, where it is immutable, a number."""
    if isinstance(found, int) and not what[1]:
        found = make_global(what[0], 0, found)
    inst.globals.append(found)
    return isinstance(found, list) and found[1] == what[0] and found[2] == what[1]


def fits(size, most, want_size, want_most):
    """Import matching of limits (spec 4.5.3.2)."""
    return size >= want_size and (want_most is None or (most is not None and most <= want_most))


def constant(inst, expression):
    """The value of a constant expression."""
    stack = []
    for i in range(0, len(expression), 2):
        op = expression[i]
        value = expression[i + 1]
        if op == 0x23:
            value = inst.globals[value][0]
        elif op == 0xD2:
            value = inst.funcs[value]
        elif 0x6A <= op <= 0x7E:
            from mpwasm.wasm.numeric import wrap32, wrap64

            y = stack.pop()
            x = stack.pop()
            value = x + y if op in b"\x6a\x7c" else x - y if op in b"\x6b\x7d" else x * y
            value = wrap32(value) if op < 0x70 else wrap64(value)
        stack.append(value)
    return stack[0]


def fill(inst):
    """Copy the active segments into tables and memory (spec 4.5.4, in order)."""
    for mode, table, offset, _, items in inst.module.elems:
        if mode == 0:
            fill_table(inst, inst.tables[table].items, constant(inst, offset) & 0xFFFFFFFF, items)
    for mode, offset, data in inst.module.datas:
        if mode == 0:
            offset = constant(inst, offset) & 0xFFFFFFFF
            if len(data):
                inst.memory.store(offset, data)
            elif offset > inst.memory.pages * inst.memory.page:
                raise Trap(_BOUNDS_MEMORY)


def fill_table(inst, table, offset, items):
    """One active element segment."""
    if offset + len(items) > len(table):
        raise Trap(_BOUNDS_TABLE)
    for i in range(len(items)):
        table[offset + i] = constant(inst, items[i])

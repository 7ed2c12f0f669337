"""What an image holds, the same to the byte wherever it is made: on the board, or ahead on the fleet's side (`fleet push --aot`)."""

from struct import pack

from mpwasm.compat import const
from mpwasm.errors import Unlinkable
from mpwasm.native.container import facts_of, wrap

_UNKNOWN_IMPORT = const(80)


def bound(module, find):
    """What `find` (of `wasi.resolver`) gives for each imported function, in order. Unlinkable where that is nothing."""
    rows = []
    for where, name, kind, what in module.imports:
        row = find(where, name, *module.types[what]) if kind == 0 else None
        if kind == 0:
            if row is None:
                raise Unlinkable(_UNKNOWN_IMPORT, where + "." + name)
            rows.append(row)
    return rows


def hint(rows, rare):
    """Which files a start needs besides, as bytes: see `boot.preload`. `rows` are those of `bound`, `rare` the blob's."""
    return " ".join(sorted({"wasi." + row[1] for row in rows}) + ["native.rare"] * rare).encode()


def parts(module, blob, rows, target):
    """What an image holds, as parts: `window`, three u32, then the `.mpy` for `target`, (architecture, sub-version)."""
    head, tail = wrap(len(blob.code), facts_of(module, blob, rows), target[0], target[1])
    return pack("<III", *window(module)), head, blob.code, tail


def window(module):
    """Where the memory of `module` begins to be used (base, bytes that its data segments need, bytes from there that it declares)."""
    low, high = 1 << 32, 0
    for mode, offset, data in module.datas:
        if mode == 0 and len(offset) == 2 and offset[0] == 0x41:
            first = offset[1] & 0xFFFFFFFF
            low, high = min(low, first), max(high, first + len(data))
    low = 0 if low > high or low < 4096 else low & -256
    declared = module.memory[0] * module.memory[2] if module.memory and not module.memory_imported else 0
    return low, min(max(0, high - low), declared), max(0, min(declared - low, 1 << 28))

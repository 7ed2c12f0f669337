"""Accesses around the edges of a memory window that does not begin at 0 stay within it, whatever their width: on a core where all else faults."""

import pytest
import wasmbuild
from wasmbuild import i32

from mpwasm.wasm.instance import Instance
from tests.native.unicorn_core import OnUnicorn

BASE = 1 << 20
# store and load by width in bytes, and the value's type
ACCESSES = {1: (0x3A, 0x2D, 0x7F), 2: (0x3B, 0x2F, 0x7F), 4: (0x36, 0x28, 0x7F), 8: (0x37, 0x29, 0x7E)}


DATA = (BASE, b"\x07")  # by which the compiler sees where the window will be


def raw(width):
    """A module with `store` (address, value) and `load` (address), each with the offset 1004 or none, and `touch`."""
    store, load, valtype = ACCESSES[width]
    kinds = [(bytes((0x7F, valtype)), b""), (b"\x7f", bytes((valtype,))), (b"", b"")]
    align = b"\0" if width == 1 else b"\1" if width == 2 else b"\2"
    bodies = [(0, 0x20, 0, 0x20, 1, store), (1, 0x20, 0, load)]
    funcs, exports = [(2, b"", wasmbuild.code(i32(BASE), i32(7), 0x36, b"\2\0"))], {"touch": (0, 0)}
    for offset, name in ((b"\0", ""), (b"\xec\x07", " far")):
        for (kind, *code), what in zip(bodies, ("store", "load")):
            exports[what + name] = (0, len(funcs))
            funcs.append((kind, b"", wasmbuild.code(*code, align, offset)))
    return wasmbuild.module(types=kinds, funcs=funcs, memory=(32, None), exports=exports, datas=[DATA])


@pytest.mark.parametrize("width", ACCESSES)
@pytest.mark.parametrize("name, offset", [("", 0), (" far", 1004)])
def test_edges(width, name, offset):
    """Each address near the window's first and last byte, in a window made anew: native and plain end with the same memory."""
    for distance in (-8, -5, -4, -3, -1, 0, 1, 4, 252, 253, 256, 260):
        memories = []
        for executor in (Instance, OnUnicorn):
            instance = executor(wasmbuild.load(raw(width)))
            instance.call("touch")
            assert instance.memory.base == BASE
            instance.call("store" + name, BASE + distance - offset, 0x1122334455667788)
            assert instance.call("load" + name, BASE + distance - offset) == 0x1122334455667788 & (1 << 8 * width) - 1
            memory = instance.memory
            memories.append(bytes(memory.data[memory.at(a, 1)] for a in range(BASE - 16, BASE + 300)))
        assert memories[0] == memories[1], distance

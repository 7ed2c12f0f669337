"""Accesses at every alignment on an Xtensa core, which dies of one that is not aligned, as an ESP32 traps: machine code never makes one. (RV32's is
watched in test_sandbox; a Cortex-M0 faults by itself.)"""

import pytest

from mpwasm.native import lowering
from mpwasm.wasm.instance import Instance
from tests.native.cores import QEMU
from tests.native.test_sandbox import LOADS, MEMORY, STORES, accesses, load, outcome
from tests.native.xtensa_core import OnXtensa

pytestmark = QEMU
OFFSETS = (0, 1, 124, 256)


def compare(ops):
    """Each access at sixteen addresses and each offset, by both executors on the same memory: what differs."""
    text = accesses(ops)[0]
    plain, native = (made(load(text), max_memory=MEMORY) for made in (Instance, OnXtensa))
    for instance in (plain, native):
        instance.memory.at(0, MEMORY)
    found = []
    for op in ops:
        for address in range(1000, 1016):
            for offset in OFFSETS:
                call = (f"{op} {offset}", address) if "load" in op else (f"{op} {offset}", address, 0x89ABCDEF + address)
                wanted, got = outcome(plain, *call), outcome(native, *call)
                if wanted != got:
                    found.append((call, wanted, got))
    return found, bytes(plain.memory.data) == bytes(native.memory.data)


def test_every_alignment():
    assert compare([*STORES, *LOADS]) == ([], True)


@pytest.mark.parametrize("op", ["i32.load", "i32.load16_s", "i64.load", "i32.store", "i32.store16", "i64.store"])
def test_the_check_is_missed(op, monkeypatch):
    monkeypatch.setattr(lowering, "_SIZES", bytes(12))
    with pytest.raises(RuntimeError, match="the core died"):
        compare([op])

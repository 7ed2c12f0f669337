"""Linear memory: every load and store, exact bounds, the committed window, and no garbage in the hot loop."""

import gc
import sys

from expect import raises
from wasmbuild import I32, code, i32, i64, instance, module, single, uleb

from mpwasm.errors import Exhausted, Invalid, Trap
from mpwasm.wasm.instance import FUEL

V = b"\x7f"
W = b"\x7e"
PAGE = 65536


def loader(opcode, result, offset=0, **rest):
    return instance(single(V, result, code(0x20, 0, opcode, 0, uleb(offset)), **rest))


def test_loads():
    data = [(16, b"\x80\xff\x7f\x81\xfe\xdc\xba\x98")]
    for opcode, result, want in (
        (0x28, V, 0x817FFF80 - (1 << 32)),
        (0x29, W, 0x98BADCFE817FFF80 - (1 << 64)),
        (0x2C, V, -128),
        (0x2D, V, 128),
        (0x2E, V, 0xFF80 - 65536),
        (0x2F, V, 0xFF80),
        (0x30, W, -128),
        (0x31, W, 128),
        (0x32, W, 0xFF80 - 65536),
        (0x33, W, 0xFF80),
        (0x34, W, 0x817FFF80 - (1 << 32)),
        (0x35, W, 0x817FFF80),
    ):
        assert loader(opcode, result, memory=(1,), datas=data).call("f", 16) == want, opcode
        assert loader(opcode, result, 9, memory=(1,), datas=data).call("f", 7) == want, opcode


def test_stores():
    narrow, wide = ((0x36, 4), (0x3A, 1), (0x3B, 2)), ((0x37, 8), (0x3C, 1), (0x3D, 2), (0x3E, 4))
    for opcode, size, const in [(o, s, i32) for o, s in narrow] + [(o, s, i64) for o, s in wide]:
        value = 0x1122334455667788 if const is i64 else 0x55667788
        inst = instance(single(V, b"", code(0x20, 0, const(value), opcode, 0, 1), memory=(1,)))
        inst.memory.store(0, b"\xaa" * 32)
        inst.call("f", 6)
        got = bytearray(32)
        inst.memory.load(0, got)
        assert got == b"\xaa" * 7 + (0x1122334455667788).to_bytes(8, "little")[:size] + b"\xaa" * (25 - size), opcode
        inst.call("f", PAGE - 1 - size)
        assert raises(Trap, inst.call, "f", PAGE - size).code == 101


def test_bounds_are_exact():
    for opcode, size, result in ((0x2D, 1, V), (0x2F, 2, V), (0x28, 4, V), (0x29, 8, W)):
        for offset in (0, 1, 100, 65000, 70000, 0x7FFFFFFF, 0xFFFFFFFF):
            inst = loader(opcode, result, offset, memory=(1,))  # one page: a board's heap holds no more
            top = PAGE
            for address in (0, 1, top - size - 1, top - size, top - size + 1, top - 1, top, -1, -100, -size, 0x7FFFFFFF, -0x80000000):
                end = (address & 0xFFFFFFFF) + offset + size
                if end <= top:
                    assert inst.call("f", address) == 0
                else:
                    assert raises(Trap, inst.call, "f", address).code == 101, (opcode, offset, address)


def test_memory_is_committed_as_it_is_touched():
    inst = loader(0x28, V, memory=(1,))
    assert len(inst.memory.data) == 0
    inst.call("f", 3000)
    assert len(inst.memory.data) == 256
    inst.call("f", 0)
    inst.call("f", 3000)
    assert 3004 <= len(inst.memory.data) <= 3840
    wide = instance(single(V, V, code(0x20, 0, 0x28, 0, 0), memory=(1,)), max_memory=4096)
    wide.call("f", 0)
    wide.call("f", 4092)
    error = raises(Exhausted, wide.call, "f", 4093)
    assert error.code == 121 and error.detail == (4097, 4096)
    assert wide.call("f", 0) == 0


def test_window_at_one_mebibyte():
    top = 1 << 20
    body = code(0x23, 0, i32(16), 0x6B, 0x22, 0, 0x20, 0, 0x36, 2, 0, 0x20, 0, 0x28, 2, 0, i32(top), 0x2D, 0, 0, 0x6A)
    raw = single(b"", V, body, [(1, I32)], memory=(17,), globals_=[(I32, 1, i32(top))], datas=[(top, b"\x07data")])
    inst = instance(raw, max_memory=8192)
    assert inst.call("f") == top - 16 + 7
    assert inst.memory.base >= top - 1024 and len(inst.memory.data) <= 2048
    assert raises(Exhausted, inst.memory.at, 0, 1).code == 121


def test_grow():
    body = code(0x20, 0, 0x40, 0, i32(1000), 0x6C, 0x3F, 0, 0x6A)
    inst = instance(single(V, V, body, memory=(1, 3)))
    assert [inst.call("f", n) for n in (0, 1, 5, 1, 1, -1)] == [1001, 1002, -998, 2003, -997, -997]
    held = instance(single(V, V, code(i32(1), 0x40, 0, 0x1A, 0x20, 0, 0x28, 0, 0), memory=(1, 2)))
    assert held.call("f", 2 * PAGE - 4) == 0


def test_data_segments():
    raw = module(memory=(1,), datas=[(3, b"abc"), (5, b"XYZ")])
    inst = instance(raw)
    got = bytearray(8)
    inst.memory.load(0, got)
    assert got == b"\0\0\0abXYZ"
    assert raises(Trap, instance, module(memory=(1,), datas=[(PAGE - 1, b"ab")])).code == 101
    instance(module(memory=(1,), datas=[(PAGE, b"")]))
    assert raises(Trap, instance, module(memory=(1,), datas=[(PAGE + 1, b"")])).code == 101


def test_elements():
    funcs = [(0, [], i32(7))]
    types = [(b"", V)]
    assert raises(Trap, instance, module(types=types, funcs=funcs, tables=[(1,)], elems=[(1, [0])])).code == 108
    assert raises(Trap, instance, module(types=types, funcs=funcs, tables=[(1,)], elems=[(-1, [0])])).code == 108


def test_host_access():
    inst = instance(module(memory=(1,)))
    memory = inst.memory
    memory.write_u32(10, -2)
    memory.write_u64(20, (1 << 64) - 3)
    assert memory.read_u32(10) == 0xFFFFFFFE and memory.read_u32(20) == 0xFFFFFFFD
    assert raises(Trap, memory.read_u32, PAGE - 3).code == 101
    assert raises(Trap, memory.store, 0xFFFFFFFF, b"ab").code == 101


def counting_loop():
    """Adds bytes of memory for ever, with small numbers only."""
    body = code(
        0x03, 0x40,
        0x20, 0, i32(1), 0x6A, i32(255), 0x71, 0x22, 0, 0x20, 1, 0x3A, 0, 0,
        0x20, 0, 0x2D, 0, 0, 0x20, 1, 0x6A, i32(0xFFF), 0x71, 0x21, 1,
        0x20, 1, i32(77), 0x46, 0x04, 0x40, 0x20, 1, 0x10, 1, 0x21, 1, 0x0B,
        0x0C, 0, 0x0B,
    )  # fmt: skip
    types = [(b"", b""), (V, V)]
    return module(types=types, funcs=[(0, [(2, I32)], body), (1, [], code(0x20, 0, i32(3), 0x6A))], memory=(1,), exports={"f": (0, 0)})


def test_hot_loop_makes_no_garbage():
    inst = instance(counting_loop())
    inst.begin("f")
    assert inst.run(2000) == FUEL
    if sys.implementation.name != "micropython":
        return
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    inst.run(100)
    few = gc.mem_alloc() - before
    before = gc.mem_alloc()
    inst.run(20000)
    many = gc.mem_alloc() - before
    gc.enable()
    assert many - few < 64, "20,000 slot ops left %d bytes of garbage" % (many - few)


def test_the_garbage_test_would_notice():
    inst = instance(single(b"", b"", code(0x03, 0x40, i32(0x7FFFFFFF), 0x21, 0, 0x0C, 0, 0x0B), [(1, I32)]))
    inst.begin("f")
    inst.run(10)
    if sys.implementation.name != "micropython":
        return
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    inst.run(2000)
    made = gc.mem_alloc() - before
    gc.enable()
    assert made > 2000


def test_custom_page_sizes():
    """Memories that grow by bytes (custom-page-sizes proposal): exact to the byte, and other sizes are refused."""
    body = code(0x20, 0, 0x40, 0, 0x1A, 0x3F, 0)
    plain = single(V, V, body, memory=(1, 3))
    by_bytes = plain.replace(b"\x05\x04\x01\x01\x01\x03", b"\x05\x07\x01\x09\x80\x01\x80\x02\x00")
    assert by_bytes != plain
    inst = instance(by_bytes)
    assert inst.call("f", 100) == 228 and inst.call("f", 28) == 256 and inst.call("f", 1) == 256
    inst.memory.at(255, 1)
    assert raises(Trap, inst.memory.at, 256, 1).code == 101
    same = plain.replace(b"\x05\x04\x01\x01\x01\x03", b"\x05\x05\x01\x09\x01\x03\x10")
    assert instance(same).call("f", 1) == 2
    assert raises(Invalid, instance, plain.replace(b"\x05\x04\x01\x01\x01\x03", b"\x05\x05\x01\x09\x01\x03\x05")).code == 53

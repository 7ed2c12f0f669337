"""What the fuzzer (tests/fuzz) found, one test each, so that it stays mended on both Pythons."""

import wasmbuild as w

I32 = b"\x7f"


def test_the_longest_op_fits_wherever_the_code_buffer_ends():
    fill = w.code(w.i32(8), w.i32(7), w.i32(4), 0xFC, 11, 0)
    move = w.code(0x20, 0, 0x21, 1)
    add = w.code(0x20, 0, 0x20, 0, 0x6A, 0x21, 1)
    for count in range(74, 84):
        for odd in range(3):
            raw = w.single(I32, I32, move * count + add * odd + fill * 2 + w.code(w.i32(8), 0x28, 2, 0), local_runs=[(1, w.I32)], memory=(1, 1))
            assert w.call(raw, 5) == 0x07070707


def test_unreachable_code_leaves_the_operands_of_blocks_around_alone():
    body = w.code(w.i32(40), 0x02, 0x40, 0x0C, 0, 0x02, 1, 0x1A, 0x1A, 0x0B, 0x0B, w.i32(2), 0x6A)
    raw = w.module(types=[(b"", I32), (I32 + I32, b"")], funcs=[(0, [], body)], exports={"f": (0, 0)})
    assert w.call(raw) == 42
    called = w.code(w.i32(40), 0x02, 0x40, 0x0C, 0, 0x10, 1, 0x0B, w.i32(2), 0x6A)
    raw = w.module(types=[(b"", I32), (I32 + I32, b"")], funcs=[(0, [], called), (1, [], b"")], exports={"f": (0, 0)})
    assert w.call(raw) == 42

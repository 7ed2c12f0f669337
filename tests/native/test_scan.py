"""What the templates know of slot code agrees with the table of slot ops."""

from array import array

from mpwasm.native import scan
from mpwasm.native.regions import Plan
from mpwasm.native.thumb_code import ThumbCode
from mpwasm.wasm.slots import OPS
from mpwasm.wasm.slots import length as table_length


def sample(op):
    """An op with plausible operands."""
    code = array("H", [op] + [3] * 12)
    return code


def test_lengths():
    for op in OPS:
        code = sample(op)
        assert scan.length(code, 0) == table_length(code, 0), OPS[op][0]


def test_slots_are_those_that_the_table_names():
    for op, (name, operands) in OPS.items():
        code = array("H", [op, *range(10, 130, 10)])
        if op in (0xC9, 0xCA):
            code[1] = 0x8B if op == 0xC9 else 0x92
        if name in ("call", "call_indirect", "return"):
            continue  # their slots are known by the callee's type
        for found, slot in ((scan.words_read(code, 0), "s"), (scan.words_written(code, 0), "d")):
            assert [word for word in found if not word % 10] == [code[i + 1] for i, kind in enumerate(operands) if kind == slot], name


def test_wide_slots_are_two_words():
    for code, read, written in (
        ([0x80, 2, 4, 6], [2, 3, 4, 5], (6, 7)),
        ([0x90, 2, 4, 6], [2, 3, 4, 5], (6,)),
        ([0x5B, 2, 4, 0], [2, 4, 5], ()),
        ([0x6A, 2, 4, 6, 8], [2, 3, 4, 5, 6], (8, 9)),
        ([0xC9, 0x99, 2, 4], [2, 3], (4, 5)),
    ):
        assert list(scan.words_read(array("H", code), 0)) == list(read) and scan.words_written(array("H", code), 0) == written


def test_wide_floats_are_two_words():
    for opcode in (*range(0x5B, 0x67), *range(0x8B, 0xA7), *range(0xA8, 0xAC), *range(0xAE, 0xBC), *range(0xFC00, 0xFC08)):
        *taken, given = scan.signature(opcode)
        code = array("H", [0xC8 + len(taken), opcode, 10, 20, 30])
        read = [10 * (i + 1) + high for i, kind in enumerate(taken) for high in range(2 - kind % 2)]
        written = [10 * (len(taken) + 1) + high for high in range(2 - given % 2)]
        assert list(scan.words_read(code, 0)) == read and list(scan.words_written(code, 0)) == written, hex(opcode)


def test_words_of_the_inner_loop_live_in_registers():
    # const s2; outer: const s3; inner: add.k s3; br_ne s3; add.k s2; br_ne s2; return s2
    code = array("H", [0x62, 9, 2, 0x62, 5, 3, 0x20, 3, 0xFFFF, 3, 0x49, 3, 0, 6, 0x20, 2, 0xFFFF, 2, 0x49, 2, 0, 3, 0x74, 2, 1])
    plan = Plan(code, 2, 4, ThumbCode())
    list(plan.made(4))
    assert [region.first for region in plan.regions] == [0, 3, 6]
    assert plan.marks[3] & 3 == plan.marks[6] & 3 == 3
    assert plan.zeroed == set()
    assert plan.regions[2].pins[3] == 7 and plan.regions[1].pins[2] == 3 == plan.regions[2].pins[2]


def test_only_locals_that_may_be_read_first_are_zeroed():
    """Locals 2 to 5 of a function with no parameter: 2 is written on one way of two only, 3 on both, 4 before, 5 is read in a loop before that."""
    code = array("H", [
        0x62, 9, 4,  # 0: const s4
        0x48, 4, 1, 13,  # 3: br_eq s4 1 to 13
        0x62, 9, 2, 0x62, 9, 3,  # 7: const s2, const s3
        0x60, 4, 3,  # 13: move s4 s3, where both ways meet
        0x60, 2, 4, 0x60, 3, 4,  # 16: reads of s2 and s3
        0x20, 5, 1, 5,  # 22: add.k s5
        0x49, 5, 0, 22,  # 26: br_ne s5 0 to 22
        0x74, 4, 1,
    ])  # fmt: skip
    plan = Plan(code, 0, 6, ThumbCode())
    list(plan.made(6))
    assert plan.zeroed == {2, 5}

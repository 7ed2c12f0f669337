"""What the templates know of slot code agrees with the table of slot ops."""

from array import array

from mpwasm.native import scan
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


def test_sources_and_results_are_slots_that_the_table_names():
    for op, (name, operands) in OPS.items():
        code = sample(op)
        reads = [i + 1 for i, kind in enumerate(operands) if kind == "s"]
        assert set(scan.sources(code, 0)) <= set(reads), name
        if scan.result(code, 0) >= 0:
            assert "d" in operands, name


def test_loops_weigh_more():
    # const s0; loop: add.k s1; br_if back; return s1
    code = array("H", [0x62, 5, 0, 0x20, 1, 1, 1, 0x49, 1, 0, 3, 0x74, 1, 1])
    found = scan.Scan(code, 1, lambda at: 0)
    assert found.homes == [1] and found.marks[3] == 3

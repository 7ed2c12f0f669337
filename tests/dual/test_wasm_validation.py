"""What validation refuses, by code (spec chapter 3), and what it must let pass."""

from expect import raises
from wasmbuild import I32, I64, code, i32, i64, load, module, single

from mpwasm.errors import Invalid, Malformed

BAD = (
    (40, b"", b"\x7f", b""),
    (40, b"", b"", i32(1)),
    (40, b"", b"\x7f", i64(1)),
    (40, b"", b"\x7f", code(i32(1), i64(1), 0x6A)),
    (40, b"", b"", b"\x1a"),
    (40, b"", b"\x7f", code(i32(1), 0x04, 0x7F, i32(1), 0x0B)),
    (40, b"", b"\x7f", code(i32(1), 0x04, 0x7F, i32(1), 0x05, 0x0B)),
    (40, b"", b"", code(0x02, 0x7F, 0x0C, 0, 0x0B, 0x1A)),
    (40, b"", b"", code(0x02, 0x40, i32(1), 0x0B)),
    (40, b"", b"\x7f", code(0x00, i64(1))),
    (40, b"", b"\x7f", code(0x00, i64(1), 0x45)),
    (40, b"", b"\x7f", code(i32(1), i64(1), i32(0), 0x1B)),
    (41, b"\x7f", b"", code(0x20, 1, 0x1A)),
    (42, b"", b"", code(0x23, 0, 0x1A)),
    (43, b"", b"", code(0x10, 9)),
    (44, b"", b"", code(i32(0), 0x11, 0, 0)),
    (45, b"", b"", code(i32(0), 0x28, 2, 0, 0x1A)),
    (45, b"", b"\x7f", code(0x3F, 0)),
    (47, b"", b"", code(0x0C, 1)),
    (47, b"", b"", code(i32(0), 0x0E, 1, 0, 7)),
    (40, b"", b"\x7f", code(0x43, b"\x00\x00\x00\x00")),
    (40, b"", b"", code(i32(1), 0x43, b"\x00\x00\x00\x00", 0x92, 0x1A)),
    (45, b"", b"", code(i32(0), i32(0), i32(0), 0xFC, 0x0B, 0)),
)

GOOD = (
    (b"", b"\x7f", code(0x00)),
    (b"", b"\x7f", code(0x00, 0x6A)),
    (b"", b"\x7f", code(0x00, 0x1B)),
    (b"", b"\x7f", code(0x02, 0x7F, i32(1), 0x0C, 0, 0x0B)),
    (b"", b"\x7f", code(0x03, 0x7F, i32(1), 0x0B)),
    (b"", b"", code(0x02, 0x40, 0x02, 0x40, i32(0), 0x0E, 2, 0, 1, 2, 0x0B, 0x0B)),
    (b"", b"", code(0x00, 0x02, 0x7F, 0x02, 0x7E, 0x00, i32(0), 0x0E, 1, 0, 1, 0x0B, 0x1A, i32(0), 0x0B, 0x1A)),
    (b"\x7f", b"", code(0x20, 0, 0x04, 0x40, 0x05, 0x0B)),
)


def test_refused():
    for number, params, results, body in BAD:
        assert raises(Invalid, load, single(params, results, body)).code == number, (number, body)


def test_accepted():
    for params, results, body in GOOD:
        load(single(params, results, body))


def test_alignment():
    load(single(b"", b"\x7f", code(i32(0), 0x28, 2, 0), memory=(1,)))
    assert raises(Invalid, load, single(b"", b"\x7f", code(i32(0), 0x28, 3, 0), memory=(1,))).code == 50


def test_globals():
    g = [(I32, 0, i32(5)), (I32, 1, i32(6))]
    load(single(b"", b"", code(i32(1), 0x24, 1), globals_=g))
    assert raises(Invalid, load, single(b"", b"", code(i32(1), 0x24, 0), globals_=g)).code == 51
    assert raises(Invalid, load, single(b"", b"", b"", globals_=[(I32, 0, i64(1))])).code == 40
    assert raises(Invalid, load, single(b"", b"", b"", globals_=[(I32, 0, b"\x01" + i32(1))])).code == 58
    assert raises(Invalid, load, single(b"", b"", b"", globals_=[(I32, 0, b"\x23\x00")])).code == 42


def test_limits_and_exports():
    assert raises(Invalid, load, module(memory=(65537,))).code == 54
    assert raises(Invalid, load, module(memory=(2, 1))).code == 55
    assert raises(Invalid, load, module(tables=[(70000,)])).code == 75
    assert raises(Invalid, load, module(exports={"x": (0, 0)})).code == 43
    assert raises(Invalid, load, module(exports={"x": (2, 0)})).code == 45
    twice = module(memory=(1,), exports={"x": (2, 0), "y": (2, 0)}).replace(b"\x01y", b"\x01x")
    assert raises(Invalid, load, twice).code == 56


def test_start():
    t = [(b"\x7f", b"")]
    assert raises(Invalid, load, module(types=t, funcs=[(0, [], b"")], start=0)).code == 57
    assert raises(Invalid, load, module(types=t, funcs=[(0, [], b"")], start=3)).code == 43


def test_our_limits_have_names():
    assert raises(Invalid, load, single(b"", b"", b"", [(5000, I32)])).code == 72
    assert raises(Malformed, load, single(b"", b"", b"", [(0xFFFFFFFF, I64), (2, I32)])).code == 17
    deep = b"\x02\x40" * 250 + b"\x0b" * 250
    assert raises(Invalid, load, single(b"", b"", deep)).code == 73
    long = i32(70000) + b"\x1a"
    load(single(b"", b"", long * 100))
    assert raises(Malformed, load, single(b"", b"", code(0x06))).code == 16


def test_a_function_may_be_too_long():
    try:
        raw = single(b"\x7f", b"", code(0x20, 0, 0x20, 0, 0x6A, 0x21, 0) * 17000)
    except MemoryError:
        return  # a board can't hold such a module, so it can't be given one
    assert raises(Invalid, load, raw).code == 71

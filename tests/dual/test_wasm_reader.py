"""LEB128 integers, names and the module's outer shape: what must decode and what must not (spec 5.2, 5.5)."""

import io

from expect import raises
from wasmbuild import code, load, module, section, single, sleb, uleb

from mpwasm.errors import Invalid, Malformed
from mpwasm.wasm.reader import Reader

HEAD = b"\x00asm\x01\x00\x00\x00"


def reader(raw):
    return Reader(io.BytesIO(raw))


def test_unsigned():
    for value in (0, 1, 127, 128, 300, 16383, 16384, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
        assert reader(uleb(value)).u32() == value
    assert reader(b"\x80\x80\x80\x80\x00").u32() == 0
    assert raises(Malformed, reader(b"\x80\x80\x80\x80\x80\x00").u32).code == 4
    assert raises(Malformed, reader(b"\xff\xff\xff\xff\x1f").u32).code == 5
    assert raises(Malformed, reader(b"\x80\x80").u32).code == 3


def test_signed():
    for bits in (32, 33, 64):
        for value in (0, 1, -1, 63, 64, -64, -65, 127, 128, (1 << (bits - 1)) - 1, -(1 << (bits - 1))):
            assert reader(sleb(value)).signed(bits) == value, (bits, value)
    assert reader(b"\xff\xff\xff\xff\x7f").signed(32) == -1
    assert raises(Malformed, reader(b"\xff\xff\xff\xff\x0f").signed, 32).code == 5
    assert raises(Malformed, reader(b"\xff\xff\xff\xff\xff\x7f").signed, 32).code == 4
    assert raises(Malformed, reader(b"\x80" * 9 + b"\x02").signed, 64).code == 5


def test_names():
    for good in (b"", b"a", "ä€😀".encode(), b"\x00", b"\xf4\x8f\xbf\xbf"):
        assert reader(uleb(len(good)) + good).name() == good.decode()
    for bad in (b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff", b"\xc3", b"\xf8\x88\x80\x80\x80"):
        assert raises(Malformed, reader(uleb(len(bad)) + bad).name).code == 9, bad


def test_long_reads_cross_the_buffer():
    raw = bytes(range(256)) * 5
    r = reader(raw)
    assert r.byte() == 0
    assert bytes(r.take(1000)) == raw[1:1001]
    r.skip(200)
    assert r.byte() == raw[1201] and r.pos == 1202


def test_false_length_allocates_nothing():
    r = reader(uleb((1 << 32) - 1) + b"abc")
    assert raises(Malformed, lambda: r.take(r.u32())).code == 3


def test_header():
    load(HEAD)
    for raw, number in ((b"", 1), (b"\x00as", 3), (b"\x01asm\x01\x00\x00\x00", 1), (b"\x00asm\x02\x00\x00\x00", 2), (b"\x00asm\x01\x00", 3)):
        assert raises(Malformed, load, raw).code == number, raw


def test_sections():
    for raw, number in (
        (HEAD + section(13, b""), 6),
        (HEAD + b"\x01\x05\x00", 7),
        (HEAD + section(3, b"\x00") + section(1, b"\x00"), 20),
        (HEAD + section(1, b"\x00") + section(1, b"\x00"), 20),
        (HEAD + section(1, b"\x00\x00"), 7),
        (HEAD + section(1, b"\x01\x60\x00\x00") + section(3, b"\x01\x00"), 8),
        (HEAD + section(12, b"\x01"), 18),
        (HEAD + section(0, b"\x05ab"), 21),
    ):
        assert raises(Malformed, load, raw).code == number, raw
    load(HEAD + section(0, b"\x02ab\xff\xff") + section(1, b"\x00") + section(0, b"\x01c"))


def test_every_truncation_is_malformed():
    raw = single(b"\x7f", b"\x7f", code(0x20, 0, b"\x41\x2a", 0x6A), memory=(1, 2), datas=[(0, b"hello")])
    load(raw)
    for cut in range(len(raw) - 1):
        try:
            load(raw[:cut])
        except Malformed:
            continue
        assert raw[:cut] == HEAD or raw[cut] <= 12, "cut at %d loads" % cut


def test_errors_name_the_place():
    raw = module(types=[(b"", b"\x7f")], funcs=[(0, [], b"\x41\x01"), (0, [], b"\x01")])
    error = raises(Invalid, load, raw)
    assert error.code == 40 and error.function == 1 and error.offset == len(raw)

"""Every integer instruction against Python's own arithmetic, with slots and with constants as operands (spec 4.3.2)."""

from expect import raises
from wasmbuild import call, code, i32, i64, instance, module, single

from mpwasm.errors import Trap

VALUES = (0, 1, 2, 3, 5, 7, 31, 32, 33, 63, 64, 127, 128, 255, 32767, 32768, 65535, 65536, 0x12345678, 0x3FFFFFFF, 0x40000000)


def samples(bits):
    top = 1 << (bits - 1)
    out = [v for v in VALUES]
    out += [-v for v in VALUES[1:]]
    return out + [top - 1, -top, -top + 1, top // 3, -top // 5]


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def quotient(x, y):
    q = abs(x) // abs(y)
    return -q if (x < 0) != (y < 0) else q


def binary(bits):
    """Name, opcode (of the i32 form) and meaning of the binary instructions."""
    m = (1 << bits) - 1

    def u(v):
        return v & m

    return (
        (0x6A, lambda x, y: x + y),
        (0x6B, lambda x, y: x - y),
        (0x6C, lambda x, y: x * y),
        (0x6D, quotient),
        (0x6E, lambda x, y: u(x) // u(y)),
        (0x6F, lambda x, y: x - y * quotient(x, y)),
        (0x70, lambda x, y: u(x) % u(y)),
        (0x71, lambda x, y: x & y),
        (0x72, lambda x, y: x | y),
        (0x73, lambda x, y: x ^ y),
        (0x74, lambda x, y: x << (y % bits)),
        (0x75, lambda x, y: x >> (y % bits)),
        (0x76, lambda x, y: u(x) >> (y % bits)),
        (0x77, lambda x, y: u(x) << (y % bits) | u(x) >> (bits - y % bits)),
        (0x78, lambda x, y: u(x) >> (y % bits) | u(x) << (bits - y % bits)),
    )


def comparisons(bits):
    m = (1 << bits) - 1
    return (
        (0x46, lambda x, y: x == y),
        (0x47, lambda x, y: x != y),
        (0x48, lambda x, y: x < y),
        (0x49, lambda x, y: x & m < y & m),
        (0x4A, lambda x, y: x > y),
        (0x4B, lambda x, y: x & m > y & m),
        (0x4C, lambda x, y: x <= y),
        (0x4D, lambda x, y: x & m <= y & m),
        (0x4E, lambda x, y: x >= y),
        (0x4F, lambda x, y: x & m >= y & m),
    )


def check_binary(bits, rows, shift, compares):
    t = b"\x7f" if bits == 32 else b"\x7e"
    const = i32 if bits == 32 else i64
    pool = samples(bits)
    for k, (opcode, meaning) in enumerate(rows):
        op = opcode + shift
        result = b"\x7f" if compares else t
        plain = instance(single(t + t, result, code(0x20, 0, 0x20, 1, op)))
        # a spread of pairs: all of the pool on the left, some of it on the right, moving on with every instruction
        for i, x in enumerate(pool):
            for y in pool[(i + k) % 7 :: 7]:
                if divides_badly(opcode, x, y, bits):
                    assert raises(Trap, plain.call, "f", x, y).code == (102 if y == 0 else 103)
                    continue
                want = signed(int(meaning(x, y)), bits)
                assert plain.call("f", x, y) == want, (opcode, x, y)
        for i in range(k % 5, len(pool), 5):
            x, y = pool[i], pool[(i * 3 + 1) % len(pool)]
            if divides_badly(opcode, x, y, bits):
                continue
            want = signed(int(meaning(x, y)), bits)
            assert call(single(t, result, code(0x20, 0, const(y), op)), x) == want, ("right constant", opcode, x, y)
            assert call(single(t, result, code(const(x), 0x20, 0, op)), y) == want, ("left constant", opcode, x, y)
            assert call(single(b"", result, code(const(x), const(y), op))) == want, ("both constant", opcode, x, y)


def divides_badly(opcode, x, y, bits):
    return 0x6D <= opcode <= 0x70 and (y == 0 or (opcode == 0x6D and y == -1 and x == -(1 << (bits - 1))))


def test_i32_binary():
    check_binary(32, binary(32), 0, False)


def test_i64_binary():
    check_binary(64, binary(64), 0x7C - 0x6A, False)


def test_i32_compare():
    check_binary(32, comparisons(32), 0, True)


def test_i64_compare():
    check_binary(64, comparisons(64), 0x51 - 0x46, True)


def branch(opcode, y):
    """f(x) = 1 if the branch on ``x opcode y`` is taken, once as br_if, once inverted by an if."""
    taken = code(0x02, 0x40, 0x20, 0, i32(y), opcode, 0x0D, 0, i32(0), 0x0F, 0x0B, i32(1))
    chosen = code(0x20, 0, i32(y), opcode, 0x04, 0x7F, i32(1), 0x05, i32(0), 0x0B)
    denied = code(0x20, 0, i32(y), opcode, 0x45, 0x04, 0x7F, i32(0), 0x05, i32(1), 0x0B)
    t = (b"\x7f", b"\x7f")
    return instance(module(types=[t], funcs=[(0, [], taken), (0, [], chosen), (0, [], denied)], exports={"a": (0, 0), "b": (0, 1), "c": (0, 2)}))


def test_compare_and_branch():
    pool = samples(32)
    for opcode, meaning in comparisons(32):
        for y in (0, -1, 7, 40000, -40000, 32767, -32768, -(1 << 31), (1 << 31) - 1):
            inst = branch(opcode, y)
            for x in pool[::3] + [y, signed(y + 1, 32), signed(y - 1, 32)]:
                want = 1 if meaning(x, y) else 0
                assert [inst.call(n, x) for n in "abc"] == [want] * 3, (opcode, x, y)


def bits_of(value, bits):
    return [value >> i & 1 for i in range(bits)]


def clz(value, bits):
    set_bits = bits_of(value, bits)[::-1]
    return set_bits.index(1) if 1 in set_bits else bits


def ctz(value, bits):
    set_bits = bits_of(value, bits)
    return set_bits.index(1) if 1 in set_bits else bits


def test_unary():
    for opcode, bits, meaning in (
        (0x45, 32, lambda x: x == 0),
        (0x67, 32, lambda x: clz(x, 32)),
        (0x68, 32, lambda x: ctz(x, 32)),
        (0x69, 32, lambda x: sum(bits_of(x, 32))),
        (0xC0, 32, lambda x: signed(x, 8)),
        (0xC1, 32, lambda x: signed(x, 16)),
        (0x79, 64, lambda x: clz(x, 64)),
        (0x7A, 64, lambda x: ctz(x, 64)),
        (0x7B, 64, lambda x: sum(bits_of(x, 64))),
        (0xC2, 64, lambda x: signed(x, 8)),
        (0xC3, 64, lambda x: signed(x, 16)),
        (0xC4, 64, lambda x: signed(x, 32)),
    ):
        t = b"\x7f" if bits == 32 else b"\x7e"
        inst = instance(single(t, t, code(0x20, 0, opcode)))
        for x in samples(bits):
            assert inst.call("f", x) == meaning(x), (opcode, x)


def test_conversions():
    wrap = instance(single(b"\x7e", b"\x7f", code(0x20, 0, 0xA7)))
    eqz = instance(single(b"\x7e", b"\x7f", code(0x20, 0, 0x50)))
    extend_s = instance(single(b"\x7f", b"\x7e", code(0x20, 0, 0xAC)))
    extend_u = instance(single(b"\x7f", b"\x7e", code(0x20, 0, 0xAD)))
    for x in samples(64):
        assert wrap.call("f", x) == signed(x, 32)
        assert eqz.call("f", x) == (1 if x == 0 else 0)
    for x in samples(32):
        assert extend_s.call("f", x) == x
        assert extend_u.call("f", x) == x & 0xFFFFFFFF


def test_constants():
    for x in samples(32):
        assert call(single(b"", b"\x7f", i32(x))) == x
    for x in samples(64):
        assert call(single(b"", b"\x7e", i64(x))) == x

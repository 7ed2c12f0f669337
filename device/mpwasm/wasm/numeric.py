"""Integer arithmetic that the run loop leaves to functions (spec 4.3.2). Values are signed Python ints. The rarer half is in `wide`."""

from mpwasm.compat import const
from mpwasm.errors import Trap

_DIVIDE_BY_ZERO = const(102)
_OVERFLOW = const(103)


def wrap32(value):
    """`value` modulo 2**32, as -2**31 to 2**31 - 1."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def wrap64(value):
    """`value` modulo 2**64, as -2**63 to 2**63 - 1."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - 0x10000000000000000 if value >> 63 else value


def divide(op, x, y, bits):
    """div_s (11), div_u (12), rem_s (13), rem_u (14) of `bits`-bit numbers; traps on 0 and on overflow."""
    if y == 0:
        raise Trap(_DIVIDE_BY_ZERO)
    if op == 12 or op == 14:
        mask = (1 << bits) - 1
        x &= mask
        y &= mask
        return x // y if op == 12 else x % y
    quotient = abs(x) // abs(y)
    if (x < 0) != (y < 0):
        quotient = -quotient
    if op == 13:
        return x - quotient * y
    if quotient >> (bits - 1) == 1:
        raise Trap(_OVERFLOW)
    return quotient


def shift(op, x, y, bits):
    """shl (6), shr_s (7), shr_u (8), rotl (9), rotr (10) of `bits`-bit numbers; the result is to be wrapped."""
    y &= bits - 1
    if op == 6:
        return x << y
    if op == 7:
        return x >> y
    x &= (1 << bits) - 1
    if op == 8:
        return x >> y
    if op == 10:
        y = bits - y
    return x << y | x >> (bits - y)


def below(x, y):
    """Whether `x` is less than `y` as unsigned numbers: a negative one is the larger."""
    return x < y if (x < 0) == (y < 0) else y < 0


_wide = []


def wide():
    """The module `wide`, loaded when first needed."""
    if not _wide:
        from mpwasm.wasm import wide

        _wide.append(wide)
    return _wide[0]


def binary64(op, x, y):
    """An i64 operation by its number within the group of binary slot ops; comparisons give 1 or 0."""
    return wide().binary64(op, x, y)


def unary32(op, x):
    """extend8_s, extend16_s, clz, ctz, popcnt of an i32 (slot ops 0x6B to 0x6F)."""
    return wide().unary32(op, x)


def unary64(op, x):
    """Slot ops 0xC0 to 0xC8: wrap, extend_i32_s, extend_i32_u, clz, ctz, popcnt, extend8_s, extend16_s, extend32_s."""
    return wide().unary64(op, x)

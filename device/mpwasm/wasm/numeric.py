"""Integer arithmetic that the run loop leaves to functions (spec 4.3.2). Values are signed Python ints."""

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


def compare(op, x, y):
    """eq, ne, lt_s, ge_s, lt_u, ge_u (0 to 5): 1 or 0."""
    if op < 2:
        truth = x == y
    elif op < 4:
        truth = x < y
    else:
        truth = below(x, y)
        return 1 if truth == (op == 4) else 0
    return 1 if truth == (op == 0 or op == 2) else 0


def binary64(op, x, y):
    """An i64 operation by its number within the group of binary slot ops; comparisons give 1 or 0."""
    if op >= 16:
        return compare(op - 16, x, y)
    if op < 3:
        value = x + y if op == 0 else x - y if op == 1 else x * y
    elif op < 6:
        return x & y if op == 3 else x | y if op == 4 else x ^ y
    elif op < 11:
        value = shift(op, x, y, 64)
    else:
        value = divide(op, x, y, 64)
    return wrap64(value)


def leading_zeros(x, bits):
    """clz."""
    x &= (1 << bits) - 1
    count = bits
    while x:
        x >>= 1
        count -= 1
    return count


def trailing_zeros(x, bits):
    """ctz."""
    if x == 0:
        return bits
    count = 0
    while not x & 1:
        x >>= 1
        count += 1
    return count


def ones(x, bits):
    """popcnt."""
    x &= (1 << bits) - 1
    count = 0
    while x:
        x &= x - 1
        count += 1
    return count


def extend(x, bits):
    """The low `bits` bits of `x`, sign-extended."""
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> (bits - 1) else x


def unary32(op, x):
    """extend8_s, extend16_s, clz, ctz, popcnt of an i32 (slot ops 0x6B to 0x6F)."""
    if op < 0x6D:
        return extend(x, 8 if op == 0x6B else 16)
    return (leading_zeros, trailing_zeros, ones)[op - 0x6D](x, 32)


def unary64(op, x):
    """Slot ops 0xC0 to 0xC8: wrap, extend_i32_s, extend_i32_u, clz, ctz, popcnt, extend8_s, extend16_s, extend32_s."""
    if op == 0xC0:
        return wrap32(x)
    if op == 0xC1:
        return x
    if op == 0xC2:
        return x & 0xFFFFFFFF
    if op < 0xC6:
        return (leading_zeros, trailing_zeros, ones)[op - 0xC3](x, 64)
    return extend(x, 8 << (op - 0xC6))

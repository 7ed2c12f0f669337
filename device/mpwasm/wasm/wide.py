"""Integer arithmetic of 64 bits, and the counting of bits (spec 4.3.2): loaded by `numeric` for guests that use it."""

from mpwasm.wasm.numeric import below, divide, shift, wrap32, wrap64


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

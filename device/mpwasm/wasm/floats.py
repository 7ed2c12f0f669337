"""f32 and f64 in integer arithmetic, exact to the bit on every Python, whatever its own floats are (spec 4.3.3, IEEE 754).

A value is its bit pattern as a signed int, as the frame holds it. A finite number is worked on as ``m * 2**e`` with an
integer m, and rounded once, to nearest, ties to even. Results that are NaN are the canonical NaN.
"""

from mpwasm.compat import const
from mpwasm.errors import Trap

_OVERFLOW = const(103)
_CONVERSION = const(104)
_NAN = const(3)
_INF = const(2)
_FINITE = const(1)


class Format:
    """A binary format: `bits` in all, `digits` of precision (the hidden one included), least exponent `low`."""

    def __init__(self, bits, digits):
        self.bits = bits
        self.digits = digits
        self.sign = 1 << (bits - 1)
        self.infinity = (1 << (bits - digits)) - 1 << (digits - 1)
        self.nan = self.infinity | 1 << (digits - 2)
        self.low = 3 - (1 << (bits - digits - 1)) - digits
        self.m = 0
        self.e = 0

    def split(self, x):
        """Take the pattern `x` apart: returns NaN, INF, FINITE or 0 for zero; a finite one is ``m * 2**e``."""
        x &= self.sign - 1
        if x >= self.infinity:
            return _NAN if x > self.infinity else _INF
        self.m = x & (1 << (self.digits - 1)) - 1
        self.e = x >> (self.digits - 1)
        if self.e:
            self.m |= 1 << (self.digits - 1)
            self.e -= 1
        self.e += self.low
        return _FINITE if self.m else 0

    def signed(self, x):
        """The pattern `x` as a signed int."""
        return x - (self.sign << 1) if x & self.sign else x

    def special(self, negative, magnitude):
        """The pattern of a zero, infinity or NaN given without sign."""
        return magnitude - self.sign if negative else magnitude

    def round(self, negative, m, e):
        """The pattern nearest to ``m * 2**e``, m >= 0; ties to even, overflow to infinity."""
        if m == 0:
            return self.special(negative, 0)
        drop = max(length(m) - self.digits, self.low - e)
        if drop > 0:
            rest = m & (1 << drop) - 1
            m >>= drop
            half = 1 << (drop - 1)
            if rest > half or (rest == half and m & 1):
                m += 1
        else:
            m <<= -drop
        pattern = (e + drop - self.low << (self.digits - 1)) + m
        return self.special(negative, min(pattern, self.infinity))


def length(m):
    """Bits of the integer m >= 0."""
    n = 0
    while m >> 64:
        m >>= 64
        n += 64
    while m:
        m >>= 1
        n += 1
    return n


F32 = Format(32, 24)
F64 = Format(64, 53)


def binary(f, op, x, y):
    """add, sub, mul, div, min, max, copysign (0 to 6) on patterns of format `f`."""
    if op == 6:
        return f.special(y < 0, x & f.sign - 1)
    kx = f.split(x)
    mx, ex = f.m, f.e
    ky = f.split(y)
    if kx == _NAN or ky == _NAN:
        return f.nan
    if op > 3:
        return smaller(f, x, y) if op == 4 else larger(f, x, y)
    if op == 1:
        y = f.signed(y & 2 * f.sign - 1 ^ f.sign)
    negative = (x < 0) != (y < 0)
    if op == 3:
        return divide(f, negative, kx, mx, ex, ky)
    if op == 2:
        if kx == _INF or ky == _INF:
            return f.special(negative, f.infinity) if kx and ky else f.nan
        return f.round(negative, mx * f.m if kx and ky else 0, ex + f.e)
    if kx == _INF or ky == _INF:
        return f.nan if kx == ky and negative else x if kx == _INF else y
    return add(f, x, mx, ex, y)


def add(f, x, mx, ex, y):
    """The sum of two finite numbers; the second one lies split in `f`."""
    my, ey = f.m, f.e
    if mx == 0 and my == 0:
        return x if x == y else 0
    e = min(ex, ey)
    if max(ex, ey) - e > 2 * f.digits + 2:
        # too far apart to meet: the smaller one only has to be seen by the rounding
        gap = f.digits + 2
        if ex > ey:
            mx, my, e = mx << gap, 1 if my else 0, ex - gap
        else:
            mx, my, e = 1 if mx else 0, my << gap, ey - gap
    else:
        mx, my = mx << (ex - e), my << (ey - e)
    total = (-mx if x < 0 else mx) + (-my if y < 0 else my)
    return f.round(total < 0, abs(total), e)


def divide(f, negative, kx, mx, ex, ky):
    """The quotient; the divisor lies split in `f`."""
    if kx == _INF or ky == 0:
        return f.nan if ky == kx else f.special(negative, f.infinity)
    if kx == 0 or ky == _INF:
        return f.special(negative, 0)
    shift = 2 * f.digits + 2
    q = (mx << shift) // f.m
    if q * f.m != mx << shift:
        q = q << 1 | 1
        shift += 1
    return f.round(negative, q, ex - f.e - shift)


def order(f, x):
    """A number that sorts as `x` does; both zeros are 0."""
    return x if x >= 0 else -(x & f.sign - 1)


def smaller(f, x, y):
    """min of two numbers that are no NaN; -0 is less than +0."""
    a, b = order(f, x), order(f, y)
    return x if a < b or (a == b and x < 0) else y


def larger(f, x, y):
    """max of two numbers that are no NaN."""
    a, b = order(f, x), order(f, y)
    return x if a > b or (a == b and x >= 0) else y


def compare(f, op, x, y):
    """eq, ne, lt, gt, le, ge (0 to 5): 1 or 0; NaN is unequal to everything."""
    if f.split(x) == _NAN or f.split(y) == _NAN:
        return 1 if op == 1 else 0
    a, b = order(f, x), order(f, y)
    return 1 if (a == b, a != b, a < b, a > b, a <= b, a >= b)[op] else 0


def unary(f, op, x):
    """abs, neg, ceil, floor, trunc, nearest, sqrt (0 to 6) on a pattern of format `f`."""
    if op < 2:
        x &= f.sign - 1 if op == 0 else 2 * f.sign - 1
        return x if op == 0 else f.signed(x ^ f.sign)
    kind = f.split(x)
    if kind == _NAN:
        return f.nan
    if op == 6:
        return square_root(f, kind, x)
    if kind != _FINITE or f.e >= 0:
        return x
    return f.round(x < 0, whole(op, x < 0, f.m, -f.e), 0)


def whole(op, negative, m, shift):
    """``m / 2**shift`` as an integer: ceil (2), floor (3), trunc (4), nearest (5) of the signed number, magnitude only."""
    rest = m & (1 << shift) - 1
    n = m >> shift
    if op == 5:
        half = 1 << (shift - 1)
        return n + 1 if rest > half or (rest == half and n & 1) else n
    if rest and op < 4 and negative == (op == 3):
        return n + 1
    return n


def square_root(f, kind, x):
    """sqrt; of a negative number NaN, of a zero that zero."""
    if kind == 0:
        return x
    if x < 0:
        return f.nan
    if kind == _INF:
        return x
    e = f.e
    shift = f.digits + 4 + (e & 1)
    m = f.m << (shift + f.digits + (f.digits & 1))
    e -= shift + f.digits + (f.digits & 1)
    if e & 1:
        m <<= 1
        e -= 1
    root = isqrt(m)
    sticky = root * root != m
    return f.round(False, root << 1 | (1 if sticky else 0), e // 2 - 1)


def isqrt(m):
    """The integer square root of m > 0, by Newton's method."""
    r = 1 << (length(m) + 1) // 2
    while True:
        n = (r + m // r) // 2
        if n >= r:
            return r
        r = n


def to_int(f, x, bits, signed, saturate):
    """Truncate `x` to an integer of `bits` bits; out of range it traps, or is clipped (NaN to 0) where `saturate`. The result
    is a signed int with those bits."""
    kind = f.split(x)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if kind == _NAN:
        if saturate:
            return 0
        raise Trap(_CONVERSION)
    if kind == _INF:
        n = 1 << bits
    elif kind == 0:
        n = 0
    else:
        n = f.m << f.e if f.e >= 0 else f.m >> -f.e
    if x < 0:
        n = -n
    if not low <= n <= high:
        if not saturate:
            raise Trap(_OVERFLOW)
        n = low if n < 0 else high
    return n - (1 << bits) if n >> (bits - 1) == 1 else n


def convert(source, target, x):
    """demote and promote: `x` of format `source` in format `target`."""
    kind = source.split(x)
    if kind == _NAN:
        return target.nan
    if kind == _INF:
        return target.special(x < 0, target.infinity)
    return target.round(x < 0, source.m if kind else 0, source.e)


def float_op(op, x, y):
    """The WebAssembly instruction with opcode `op` (0xFC00 + number for the saturating ones) on operands in the frame."""
    if op < 0x67:
        return compare(F32, op - 0x5B, x, y) if op < 0x61 else compare(F64, op - 0x61, x, y)
    if op < 0xA7:
        f = F32 if op < 0x99 else F64
        op -= 0x8B if op < 0x99 else 0x99
        return unary(f, op, x) if op < 7 else binary(f, op - 7, x, y)
    return conversion(op, x)


def conversion(op, x):
    """The conversions: 0xA8 to 0xBB, 0xFC00 to 0xFC07."""
    if op >= 0xFC00 or op < 0xB2:
        saturate = op >= 0xFC00
        i = op - 0xFC00 if saturate else op - 0xA8 if op < 0xAC else op - 0xAE + 4
        return to_int(F64 if i & 2 else F32, x, 64 if i & 4 else 32, not i & 1, saturate)
    if op == 0xB6:
        return convert(F64, F32, x)
    if op == 0xBB:
        return convert(F32, F64, x)
    i = op - 0xB2 if op < 0xB6 else op - 0xB7
    if i & 1:
        x &= 0xFFFFFFFFFFFFFFFF if i & 2 else 0xFFFFFFFF
    return (F32 if op < 0xB6 else F64).round(x < 0, abs(x), 0)

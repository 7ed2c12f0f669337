"""Ed25519 verification (RFC 8032, section 5.1.7), whole or in steps short enough for a board that has other work.

The rule, which is strict: the signature is accepted if S < L, the public key is a canonical encoding (y < p, no sign bit on
x = 0) of a curve point that is not of small order, and the canonical encoding of ``[S]B - [k]A`` equals the 32 bytes of R. That is
the cofactorless equation; a non-canonical R never equals a canonical encoding. Public keys with a component of small
order besides a large one are judged by the same equation, as OpenSSL and RFC 8032 do. Nothing here is secret, so times vary.

Arithmetic is on MicroPython's bignums, whose operations run in C: one product and one ``% P`` per multiplication (52 and
112 us on an RP2040; folding by 2^255 = 19 costs 57 us and must be done twice to stay bounded). `[S]B - [k]A` is Straus' method on width-5 NAFs.
Points are extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032, 5.1.4).

On an emulated RP2040 at 125 MHz with official MicroPython 1.28: 0.80 s in 36 steps of at most 40 ms; 0.89 s and 48 ms with 64 KiB of
live heap to collect around (tests/wire/measure_rp2040.py).
"""

from mpwasm.compat import const
from mpwasm.wire import sha512

_P = (1 << 255) - 19
_L = (1 << 252) + 27742317777372353535851937790883648493
_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
_2D = 2 * _D % _P
_SQRT_M1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960

_BITS = const(253)
_TABLE = const(8)
_DOUBLINGS_A_STEP = const(12)


def _double(point, with_t):
    """2 * point (dbl-2008-hwcd, a = -1, signs turned); T is left out (None) where the next operation is a doubling."""
    x, y, z, _ = point
    p = _P
    a = x * x
    b = y * y
    e = 2 * x * y % p
    g = (b - a) % p
    f = (2 * z * z - g) % p
    h = (a + b) % p
    return e * f % p, g * h % p, f * g % p, e * h % p if with_t else None


def _cached(point):
    """What `_add` wants of its second operand: (Y - X, Y + X, 2Z, 2dT)."""
    x, y, z, t = point
    return y - x, y + x, 2 * z, t * _2D % _P


def _add(point, cached, negative):
    """point + cached, or point - cached (add-2008-hwcd-3)."""
    x, y, z, t = point
    minus, plus, z2, t2d = cached
    p = _P
    if negative:
        minus, plus, t2d = plus, minus, -t2d
    a = (y - x) * minus % p
    b = (y + x) * plus % p
    c = t * t2d % p
    d = z * z2 % p
    e = b - a
    f = d - c
    g = d + c
    h = b + a
    return e * f % p, g * h % p, f * g % p, e * h % p


def _odd_multiples(point):
    """[1, 3, 5 .. 15] * point, cached."""
    twice = _cached(_double(point, True))
    table = [_cached(point)]
    while len(table) < _TABLE:
        point = _add(point, twice, False)
        table.append(_cached(point))
    return table


def _naf(scalar):
    """Width-5 non-adjacent form, lowest digit first: each byte is 0 or 128 + an odd digit of -15..15."""
    digits = bytearray(_BITS + 2)
    i = 0
    while scalar:
        if scalar & 1:
            digit = scalar & 31
            if digit > 15:
                digit -= 32
            digits[i] = 128 + digit
            scalar -= digit
        scalar >>= 1
        i += 1
    return digits


def _squares(x, count):
    """x ** (2 ** count) mod P."""
    p = _P
    for _ in range(count):
        x = x * x % p
    return x


def _root_power(x):
    """Generator: at its end x ** (2**252 - 3) mod P = x ** ((P - 5) / 8); at most 100 multiplications a step."""
    p = _P
    x2 = _squares(x, 1) * x % p
    x4 = _squares(x2, 2) * x2 % p
    x5 = _squares(x4, 1) * x % p
    x10 = _squares(x5, 5) * x5 % p
    x20 = _squares(x10, 10) * x10 % p
    x40 = _squares(x20, 20) * x20 % p
    x50 = _squares(x40, 10) * x10 % p
    yield
    x100 = _squares(x50, 50) * x50 % p
    yield
    x200 = _squares(x100, 100) * x100 % p
    yield
    return _squares(_squares(x200, 50) * x50 % p, 2) * x % p


def _decode(key):
    """Generator: at its end the point that 32 bytes encode (5.1.3), or None."""
    y = int.from_bytes(key, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    p = _P
    if y >= p:
        return None
    u = (y * y - 1) % p
    v = (_D * y * y + 1) % p
    v3 = v * v * v % p
    x = yield from _root_power(u * v3 * v3 * v % p)
    x = x * u * v3 % p
    vxx = v * x * x % p
    if vxx != u:
        if vxx != p - u:
            return None
        x = x * _SQRT_M1 % p
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = p - x
    return x, y, 1, x * y % p


def _is_small(point):
    """Whether [8]point is the neutral element."""
    for _ in range(3):
        point = _double(point, False)
    return point[0] == 0 and point[1] == point[2]


def _encode(point):
    """Generator: at its end the 32-byte encoding of `point` (5.1.2); 1/Z = Z ** (P - 2)."""
    x, y, z, _ = point
    p = _P
    root = yield from _root_power(z)
    inverse = _squares(root, 3) * z * z * z % p
    number = y * inverse % p | (x * inverse % p & 1) << 255
    return number.to_bytes(32, "little")


def _combine(s, k, key):
    """Generator: at its end [s]B - [k]key."""
    tables = [_odd_multiples((_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P))]
    yield
    tables.append(_odd_multiples(key))
    yield
    nafs = _naf(s), _naf(k)
    point = 0, 1, 1, 0
    for i in range(_BITS, -1, -1):
        point = _double(point, nafs[0][i] or nafs[1][i])
        for which in range(2):
            digit = nafs[which][i]
            if digit:
                digit -= 128
                point = _add(point, tables[which][abs(digit) >> 1], (digit < 0) != (which == 1))
        if i % _DOUBLINGS_A_STEP == 0:
            yield
    return point


def _verify(key, signature, message):
    """Generator: at its end True or False."""
    if len(key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= _L:
        return False
    point = yield from _decode(key)
    if point is None or _is_small(point):
        return False
    yield
    k = int.from_bytes((yield from sha512.hashing(signature[:32] + key + message)), "little")
    point = yield from _combine(s, k % _L, point)
    encoded = yield from _encode(point)
    return encoded == signature[:32]


class Verifier:
    """One verification in steps of at most about 50 ms on an RP2040 at 125 MHz."""

    def __init__(self, public_key, signature, message):
        self._steps = _verify(bytes(public_key), bytes(signature), bytes(message))
        self._result = None

    def step(self):
        """Do one step; None while there is more to do, then whether the signature is valid (and so ever after)."""
        if self._result is None:
            try:
                next(self._steps)
            except StopIteration as end:
                self._result = end.value
        return self._result


def verify(public_key, signature, message):
    """Whether `signature` (64 bytes) over `message` is the holder's of `public_key` (32 bytes), by the rule above."""
    verifier = Verifier(public_key, signature, message)
    result = None
    while result is None:
        result = verifier.step()
    return result

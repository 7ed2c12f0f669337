"""Our Ed25519 against `cryptography` (OpenSSL) and the cases that implementations differ in."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from mpwasm.wire import ed25519, sha512
from mpwasm.wire.ed25519 import verify

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
BASE = (ed25519._BASE_X, ed25519._BASE_Y, 1, ed25519._BASE_X * ed25519._BASE_Y % P)
NEUTRAL = (0, 1, 1, 0)
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def finish(steps):
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def times(scalar, point):
    """scalar * point, the slow way."""
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = ed25519._add(total, ed25519._cached(point), False)
        point = ed25519._add(point, ed25519._cached(point), False)
        scalar >>= 1
    return total


def encode(point):
    return finish(ed25519._encode(point))


def decode(data):
    return finish(ed25519._decode(data))


def challenge(r, key, message):
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def openssl(key, signature, message):
    """What OpenSSL says."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def pair(seed):
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
    return private, private.public_key().public_bytes_raw()


def secret(seed):
    """The secret scalar of `pair(seed)` (RFC 8032, 5.1.5)."""
    h = bytearray(hashlib.sha512(hashlib.sha256(seed).digest()).digest()[:32])
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    return int.from_bytes(h, "little")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=8))
def test_openssls_signatures_verify(message, seed):
    private, key = pair(seed)
    signature = private.sign(message)
    assert verify(key, signature, message)
    assert not verify(key, signature, message + b"x")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 95), st.integers(1, 255), st.binary(max_size=3))
def test_any_changed_byte_is_refused_as_openssl_does(at, change, seed):
    private, key = pair(seed)
    both = bytearray(key + private.sign(b"message"))
    both[at] ^= change
    key, signature = bytes(both[:32]), bytes(both[32:])
    assert verify(key, signature, b"message") is openssl(key, signature, b"message") is False


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_random_bytes_are_refused(key, signature):
    assert verify(key, signature, b"") is False


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=700))
def test_sha512_is_hashlibs(data):
    assert sha512.sha512(data) == hashlib.sha512(data).digest()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, L - 1))
def test_naf_is_its_scalar(scalar):
    digits = ed25519._naf(scalar)
    assert sum((digit - 128) << i for i, digit in enumerate(digits) if digit) == scalar
    assert all(digit == 0 or (digit - 128) % 2 and abs(digit - 128) <= 15 for digit in digits)
    places = [i for i, digit in enumerate(digits) if digit]
    assert all(later - earlier >= 5 for earlier, later in zip(places, places[1:], strict=False))


def test_scalars_with_the_longest_forms():
    for s, k in ((L - 1, L - 1), (0, 1), (1, 0), (2**252, 2**252 - 1), (0, 0)):
        key = times(7, BASE)
        assert encode(finish(ed25519._combine(s, k, key))) == encode(times((s - 7 * k) % L, BASE))


def test_s_plus_l_is_refused():
    private, key = pair(b"s")
    signature = private.sign(b"m")
    s = int.from_bytes(signature[32:], "little")
    for other in (s + L, s + 2 * L, L, 2**256 - 1):
        if other < 2**256:
            assert not verify(key, signature[:32] + other.to_bytes(32, "little"), b"m")
    for bit in (5, 6, 7):
        high = bytearray(signature)
        high[63] |= 1 << bit
        assert not verify(key, bytes(high), b"m")


def test_keys_with_y_not_below_p_are_refused():
    for y in range(19):
        canonical = decode(y.to_bytes(32, "little"))
        for sign in (0, 1):
            assert decode((y + P | sign << 255).to_bytes(32, "little")) is None
        assert canonical is None or canonical[1] == y


def test_minus_zero_is_refused():
    for y in (1, P - 1):
        assert decode(y.to_bytes(32, "little"))[0] == 0
        assert decode((y | 1 << 255).to_bytes(32, "little")) is None


def test_all_eight_keys_of_small_order_are_refused():
    point = decode(bytes.fromhex(ORDER_8))
    seen = set()
    for multiple in range(8):
        small = times(multiple, point)
        key = encode(small)
        seen.add(key)
        assert ed25519._is_small(decode(key))
        for message in (b"%d" % i for i in range(20)):
            # S = 0 and R neutral satisfy the equation whenever 8 divides the challenge
            assert not verify(key, encode(NEUTRAL) + bytes(32), message)
    assert len(seen) == 8
    assert not ed25519._is_small(decode(pair(b"x")[1]))


def test_key_of_mixed_order_is_judged_without_the_cofactor():
    a = secret(b"mixed")
    key = encode(ed25519._add(times(a, BASE), ed25519._cached(decode(bytes.fromhex(ORDER_8))), False))
    r = 987654321
    big_r = encode(times(r, BASE))
    verdicts = set()
    for i in range(40):
        message = b"%d" % i
        k = challenge(big_r, key, message)
        signature = big_r + ((r + k * a) % L).to_bytes(32, "little")
        verdict = verify(key, signature, message)
        assert verdict is (k % 8 == 0) is openssl(key, signature, message)
        verdicts.add(verdict)
    assert verdicts == {True, False}


def test_r_of_small_order_is_valid_but_only_in_its_canonical_encoding():
    a = secret(b"r")
    _, key = pair(b"r")
    assert encode(times(a, BASE)) == key
    for y, valid in ((1, True), (1 + P, False), (1 | 1 << 255, False)):
        big_r = y.to_bytes(32, "little")
        s = challenge(big_r, key, b"m") * a % L
        signature = big_r + s.to_bytes(32, "little")
        assert verify(key, signature, b"m") is valid is openssl(key, signature, b"m")


@pytest.mark.parametrize("point", [BASE, times(5, BASE), NEUTRAL])
def test_doubling_is_adding_to_itself(point):
    assert encode(ed25519._double(point, True)) == encode(ed25519._add(point, ed25519._cached(point), False))
    x, y, z, t = ed25519._double(point, True)
    assert (x * y - z * t) % P == 0

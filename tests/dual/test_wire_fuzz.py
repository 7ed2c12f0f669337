"""Random and mutated bytes into every decoder: a value or `Refused`, never another exception, and no more heap than a board can give."""

import sys

from expect import raises
from wire_mutations import Random, attempt, campaign, documents

from mpwasm.errors import Refused
from mpwasm.wire import cbor

ROUNDS = 120
SHARE = 1000  # of the mutations of `make fuzz`


def traced(seed, count, decoders=None):
    """A campaign; on CPython with its heap traced."""
    if sys.implementation.name == "micropython":
        return campaign(seed, count, decoders)
    import tracemalloc

    tracemalloc.start()
    try:
        return campaign(seed, count, decoders)
    finally:
        tracemalloc.stop()


def test_good_inputs_are_good():
    for decoder, good, reasons, _ in documents():
        assert not attempt(decoder, good, reasons), good


def test_random_bytes():
    random = Random(1)
    for decoder, _, reasons, _ in documents():
        refused = 0
        for _ in range(ROUNDS):
            refused += attempt(decoder, random.bytes(random.below(60)), reasons)
        assert refused > ROUNDS // 4


def test_a_share_of_the_mutations():
    refused, most = traced(2, SHARE)
    assert SHARE // 4 < refused < SHARE and most > 100


def test_the_campaign_sees_other_errors_and_too_much_heap():
    def careless(data):
        return {1: 1}[cbor.decode(data)[1]]

    def greedy(data):
        return len(bytearray(100000))

    good = cbor.encode({1: 1})
    raises((AttributeError, KeyError, TypeError, IndexError), campaign, 3, 200, ((careless, good, ("cbor",), True),))
    assert "AssertionError" in repr(raises(AssertionError, traced, 3, 200, ((greedy, good, ("cbor",), True),)))


def test_every_prefix_and_every_byte_replaced():
    for decoder, good, reasons, _ in documents():
        for size in range(min(len(good), 80)):
            attempt(decoder, good[:size], reasons)
            for byte in (0x00, 0x1B, 0x5F, 0x7B, 0x9F, 0xBB, 0xF6, 0xFF):
                attempt(decoder, good[:size] + bytes([byte]) + good[size + 1 :], reasons)


def test_announced_lengths_allocate_nothing():
    for head in (0x5A, 0x7A, 0x9A, 0xBA):
        for length in (0x7FFFFFFF, 0x10000000, 0x100000):
            bomb = bytes([head]) + length.to_bytes(4, "big")
            assert raises(Refused, cbor.decode, bomb + bytes(8)).reason == "cbor"
            assert raises(Refused, cbor.decode, b"\x81" * 7 + bomb).reason == "cbor"
    assert raises(Refused, cbor.decode, b"\x81" * 2000).reason == "cbor"
    assert raises(Refused, cbor.decode, b"\xc1" * 2000).reason == "cbor"
    assert raises(Refused, cbor.decode, b"\x99\x10\x00" + b"\xa0" * 4096).reason == "cbor"

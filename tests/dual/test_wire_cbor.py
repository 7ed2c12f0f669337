"""Deterministic CBOR: RFC 8949 appendix A, and everything that must be refused."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire.cbor import Tag, decode, encode

# RFC 8949, appendix A: the examples that the subset has (no floats, no indefinite lengths, no other simple values).
VECTORS = (
    (0, "00"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (Tag(1, 1363896240), "c11a514b67b0"),
    (Tag(23, b"\x01\x02\x03\x04"), "d74401020304"),
    (Tag(32, "http://www.example.com"), "d82076687474703a2f2f7777772e6578616d706c652e636f6d"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    ({"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}, "a56161614161626142616361436164614461656145"),
)

REFUSED = (
    "",  # nothing
    "0000",  # two items
    "18",  # head without argument
    "1817",  # 23 in two bytes
    "190018",  # 24 in three
    "1a0000ffff",
    "1b00000000ffffffff",
    "5803010203",  # length 3 in two bytes
    "1c",  # reserved
    "1f",
    "5f4101ff",  # indefinite lengths
    "7f6161ff",
    "9f01ff",
    "bf0101ff",
    "ff",
    "f90000",  # floats
    "fa47c35000",
    "fb3ff199999999999a",
    "f7",  # undefined
    "f0",  # unassigned simple values
    "f818",
    "f8ff",
    "44010203",  # shorter than said
    "5bffffffffffffffff",
    "7bffffffffffffffff",
    "9bffffffffffffffff",
    "bbffffffffffffffff",
    "9a10000000",
    "8101820102",  # trailing
    "a10101a0",
    "a2020101020a",  # trailing in a map
    "a203040102",  # keys out of order
    "a201020103",  # a key twice
    "a2616201616102",
    "a2616101186402",  # text before int
    "a1f401",  # keys that are no int or text
    "a1f601",
    "a1410101",
    "a1800101",
    "61ff",  # no UTF-8
    "62c080",  # overlong
    "63eda080",  # surrogate
    "64f4908080",  # above U+10FFFF
    "62c328",
    "c1",  # tag of nothing
    "d81701",  # tag 23 in two bytes
    "818181818181818180",  # nine deep
    "c1c1c1c1c1c1c1c1c100",
    "a101a101a101a101a101a101a101a101a0",
)


def test_examples_of_the_rfc_both_ways():
    for item, text in VECTORS:
        encoded = bytes.fromhex(text)
        assert encode(item) == encoded, text
        again = decode(encoded)
        assert again == item and type(again) is type(item), text


def test_what_encode_would_not_write_is_refused():
    for text in REFUSED:
        assert raises(Refused, decode, bytes.fromhex(text)).reason == "cbor", text


def test_every_prefix_is_refused():
    whole = encode({1: [1, b"abc", "text", {"k": None}], 2: Tag(18, [True, -70000, 1 << 40])})
    assert decode(whole)[1][1] == b"abc"
    for size in range(len(whole)):
        assert raises(Refused, decode, whole[:size]).reason == "cbor"


def test_map_keys_are_sorted_by_their_encodings():
    assert encode({"b": 1, -1: 2, 100: 3, 10: 4, "aa": 5, "z": 6}) == bytes.fromhex("a60a04186403200261620161" + "7a0662616105")
    assert decode(encode({-1: 1, 0: 2})) == {0: 2, -1: 1}


def test_eight_deep_is_the_limit_both_ways():
    deepest = [[[[[[[[1]]]]]]]]
    assert decode(encode(deepest)) == deepest
    raises(ValueError, encode, [deepest])


def test_number_of_items_is_limited():
    assert len(decode(b"\x99\x01\xff" + bytes(511))) == 511
    assert raises(Refused, decode, b"\x99\x02\x00" + bytes(512)).reason == "cbor"
    assert raises(Refused, decode, b"\x82" + 2 * (b"\x99\x01\x00" + bytes(256))).reason == "cbor"
    assert len(decode(b"\x99\x02\x00" + bytes(512), 600)) == 512


def test_what_has_no_encoding_is_the_callers_error():
    for item in (1 << 64, -1 - (1 << 64), 1.5, object(), {1: object()}, {2, 3}):
        raises(ValueError, encode, item)


def test_bytes_likes_are_read_and_written():
    assert encode([bytearray(b"ab"), memoryview(b"cd")]) == bytes.fromhex("82426162426364")
    assert decode(bytearray(b"\x41a")) == b"a"
    assert type(decode(memoryview(b"\x41a"))) is bytes

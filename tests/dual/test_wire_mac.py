"""HMAC-SHA-256 (RFC 4231), COSE_Mac0 and the keys derived from a device key."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire.cbor import Tag, decode, encode
from mpwasm.wire.mac import derive, equal, hmac_sha256, mqtt_password, open_mac, seal_mac

TOPIC = "f/1/pico-1/desired"
KEY = bytes(range(32))


def test_rfc_4231():
    vectors = (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    )
    for key, message, digest in vectors:
        assert hmac_sha256(key, message) == bytes.fromhex(digest)


def test_sealed_message_opens_on_its_topic_with_its_key_only():
    message = seal_mac(KEY, TOPIC, b"payload")
    assert open_mac(KEY, TOPIC, message) == b"payload"
    assert open_mac(KEY, TOPIC.encode(), message) == b"payload"
    for key, topic in ((KEY, "f/1/pico-2/desired"), (KEY, "f/1/pico-1/cmd"), (bytes(32), TOPIC)):
        assert raises(Refused, open_mac, key, topic, message).reason == "mac"


def test_every_flipped_bit_and_every_prefix_is_refused():
    message = seal_mac(KEY, TOPIC, b"payload")
    for i in range(len(message)):
        for bit in range(8):
            changed = bytearray(message)
            changed[i] ^= 1 << bit
            assert raises(Refused, open_mac, KEY, TOPIC, bytes(changed)).reason == "mac"
        assert raises(Refused, open_mac, KEY, TOPIC, message[:i]).reason == "mac"


def test_other_shapes_are_refused():
    tag = decode(seal_mac(KEY, TOPIC, b"p")).value[3]
    shapes = (
        1,
        [b"\xa1\x01\x05", {}, b"p", tag],
        Tag(18, [b"\xa1\x01\x05", {}, b"p", tag]),
        Tag(17, 5),
        Tag(17, [b"\xa1\x01\x05", {}, b"p"]),
        Tag(17, [b"\xa1\x01\x04", {}, b"p", tag]),
        Tag(17, [b"", {1: 5}, b"p", tag]),
        Tag(17, [b"\xa1\x01\x05", {4: b"k"}, b"p", tag]),
        Tag(17, [b"\xa1\x01\x05", {}, None, tag]),
        Tag(17, [b"\xa1\x01\x05", {}, b"p", tag[:16]]),
        Tag(17, [b"\xa1\x01\x05", {}, b"p", ""]),
    )
    for shape in shapes:
        assert raises(Refused, open_mac, KEY, TOPIC, encode(shape)).reason == "mac"


def test_derived_keys_differ_and_other_labels_have_none():
    keys = [derive(KEY, label) for label in (b"desired", b"cmd", b"report", b"cache", b"mqtt")]
    assert len(set(keys)) == 5 and KEY not in keys
    assert keys[0] == hmac_sha256(KEY, b"desired")
    raises(ValueError, derive, KEY, b"other")
    assert bytes.fromhex(mqtt_password(KEY)) == keys[4] and len(mqtt_password(KEY)) == 64


def test_equal_compares():
    assert equal(b"abc", b"abc") and not equal(b"abc", b"abd") and not equal(b"abc", b"ab") and equal(b"", b"")

"""Messages authenticated by the device key: COSE_Mac0 (RFC 9052, section 6.2) with HMAC-SHA-256 (RFC 2104, RFC 9053 3.1).

Message: ``17([protected bstr {1: 5}, {}, payload bstr, tag bstr32])``. The tag is over
``["MAC0", protected, external_aad, payload]``, whose external_aad is the whole topic as bytes: a message of another device
or channel does not verify. `Refused` ("mac") is raised for whatever does not verify, well-formed or not.

The device key K is never used as it is: `derive` gives a key per purpose.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.cbor import Tag, decode
from mpwasm.wire.seal import hmac_sha256, seal_mac, tag

__all__ = ("LABELS", "derive", "equal", "hmac_sha256", "mqtt_password", "open_mac", "seal_mac")

LABELS = (b"desired", b"cmd", b"report", b"cache", b"mqtt")

_COSE_MAC0 = const(17)
_PROTECTED = b"\xa1\x01\x05"


def derive(device_key, label):
    """The 32-byte key that `device_key` has for one of `LABELS`."""
    if label not in LABELS:
        raise ValueError("label")
    return hmac_sha256(device_key, label)


def mqtt_password(device_key):
    """The board's MQTT password: 64 hex digits (its user name and client id are the device id)."""
    return "".join(["%02x" % byte for byte in derive(device_key, b"mqtt")])


def equal(one, other):
    """Whether two byte strings are equal, in a time that depends on their lengths only."""
    if len(one) != len(other):
        return False
    difference = 0
    for i in range(len(one)):
        difference |= one[i] ^ other[i]
    return difference == 0


def open_mac(key, topic, message):
    """The payload bytes of a message received on `topic`; `Refused` ("mac") unless it verifies."""
    try:
        parts = decode(message)
    except Refused:
        parts = None
    if not isinstance(parts, Tag) or parts.number != _COSE_MAC0:
        raise Refused("mac", "tag")
    parts = parts.value
    if not isinstance(parts, list) or len(parts) != 4 or parts[0] != _PROTECTED or parts[1] != {}:
        raise Refused("mac", "header")
    if not isinstance(parts[2], bytes) or not isinstance(parts[3], bytes):
        raise Refused("mac", "header")
    if not equal(parts[3], tag(key, topic, parts[2])):
        raise Refused("mac")
    return parts[2]

"""The messages of `mpwasm.wire.mac` as a host makes and reads them thousands of times: the same bytes, with HMAC and CBOR in C.

What does not have the one deterministic form is left to `mpwasm.wire` to judge, so that host and board refuse the same things.
"""

import hmac

import cbor2

from mpwasm.errors import Refused
from mpwasm.wire import mac

_HEAD = b"\xd1\x84\x43\xa1\x01\x05\xa0"  # 17([<<{1: 5}>>, {},
_STRUCTURE = b"\x84\x64MAC0\x43\xa1\x01\x05"  # ["MAC0", <<{1: 5}>>,
_TAG_HEAD = b"\x58\x20"
_TAG_BYTES = 32


def _bytes_head(size):
    """The head of a CBOR byte string."""
    if size < 24:
        return bytes([0x40 | size])
    return bytes([0x58, size]) if size < 256 else b"\x59" + size.to_bytes(2, "big")


def _tag(key, topic, payload):
    aad = topic.encode()
    return hmac.digest(key, b"".join((_STRUCTURE, _bytes_head(len(aad)), aad, _bytes_head(len(payload)), payload)), "sha256")


def seal_mac(key, topic, payload):
    """As `mpwasm.wire.seal.seal_mac`, for payloads below 64 KiB."""
    return b"".join((_HEAD, _bytes_head(len(payload)), payload, _TAG_HEAD, _tag(key, topic, payload)))


def open_mac(key, topic, message):
    """As `mpwasm.wire.mac.open_mac`."""
    payload = _payload(message)
    if payload is None or not hmac.compare_digest(message[-_TAG_BYTES:], _tag(key, topic, payload)):
        return mac.open_mac(key, topic, message)
    return payload


def _payload(message):
    """The payload of a message of the one deterministic form, else None."""
    size = len(message) - len(_HEAD) - len(_TAG_HEAD) - _TAG_BYTES
    for head in (1, 2, 3):
        start = len(_HEAD) + head
        if message[:start] == _HEAD + _bytes_head(max(size - head, 0)) and message[-_TAG_BYTES - 2 : -_TAG_BYTES] == _TAG_HEAD:
            return message[start : -_TAG_BYTES - 2]
    return None


def decode(payload):
    """The data item in an authentic message; Refused ("cbor") if there is none."""
    try:
        return cbor2.loads(payload)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise Refused("cbor", "item") from error


def encode(item):
    """The deterministic encoding of maps with small keys, as `mpwasm.wire.cbor.encode` makes it."""
    return cbor2.dumps(item, canonical=True)

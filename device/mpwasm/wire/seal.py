"""Writing authenticated messages: the half of `mac` that a board keeps loaded; the format is described there."""

from hashlib import sha256

from mpwasm.compat import const
from mpwasm.wire.encoder import encode

_BLOCK = const(64)
_COSE_MAC0 = b"\xd1"  # the head of tag 17
_PROTECTED = b"\xa1\x01\x05"


def _pad(key, mask):
    masks = bytes((mask,)) * _BLOCK
    masked = int.from_bytes(key, "big") ^ int.from_bytes(masks[: len(key)], "big")  # one loop, in C
    return masked.to_bytes(len(key), "big") + masks[len(key) :]


def hmac_sha256(key, message):
    """HMAC-SHA-256 (RFC 2104): 32 bytes."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    inner = sha256(_pad(key, 0x36))
    inner.update(message)
    outer = sha256(_pad(key, 0x5C))
    outer.update(inner.digest())
    return outer.digest()


def tag(key, topic, payload):
    """The tag over `payload`, sent on `topic`: 32 bytes."""
    aad = topic.encode() if isinstance(topic, str) else topic
    return hmac_sha256(key, encode(["MAC0", _PROTECTED, aad, payload]))


def seal_mac(key, topic, payload):
    """The message bytes that carry `payload` (bytes) under `key` (a derived key) on `topic` (the full topic)."""
    return _COSE_MAC0 + encode([_PROTECTED, {}, payload, tag(key, topic, payload)])

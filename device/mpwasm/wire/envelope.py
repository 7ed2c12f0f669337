"""The signed envelope around a manifest or a key list, after SUIT (draft-ietf-suit-manifest, RFC 9052 section 4.2).

Blob: ``{2: bstr(COSE_Sign1), 3: bstr(body)}``. What is signed is not the body but its SUIT_Digest
``[-16, sha256(body)]``, the detached payload of ``18([protected bstr {1: -8}, {4: kid}, null, signature])``, over
``["Signature1", protected, external_aad, payload]``. external_aad says what kind of body it is, so that a key list is
never taken for a manifest. kid is the first 8 bytes of the SHA-256 of the public key.
"""

from hashlib import sha256

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.cbor import Tag, decode, encode

AAD_MANIFEST = b"wasmfleet/manifest/1"
AAD_KEYS = b"wasmfleet/keys/1"
AAD_ROOT = b"wasmfleet/root/1"

_COSE_SIGN1 = const(18)
_SHA_256 = const(-16)
_KID = const(4)
_PROTECTED = b"\xa1\x01\x27"


def kid_of(public_key):
    """The 8-byte id of a 32-byte public key."""
    return sha256(public_key).digest()[:8]


def to_be_signed(body, aad):
    """The Sig_structure (RFC 9052, 4.4) that a signature over `body` covers, as bytes."""
    payload = encode([_SHA_256, sha256(body).digest()])
    return encode(["Signature1", _PROTECTED, aad, payload])


class Envelope:
    """An opened, not yet verified envelope: `kid` 8 bytes, `signature` 64 bytes, `body` bytes."""

    def __init__(self, kid, signature, body):
        self.kid = kid
        self.signature = signature
        self.body = body

    def tbs(self, aad):
        """The bytes that `signature` must verify over, for a body of kind `aad`."""
        return to_be_signed(self.body, aad)


def seal(body, kid, aad, sign):
    """The blob of `body` signed with ``sign(bytes) -> 64 bytes`` by the key `kid`."""
    signature = sign(to_be_signed(body, aad))
    sign1 = Tag(_COSE_SIGN1, [_PROTECTED, {_KID: kid}, None, signature])
    return encode({2: encode(sign1), 3: body})


def _is_bytes(value, size):
    return isinstance(value, bytes) and len(value) == size


def open_envelope(blob):
    """The `Envelope` in `blob`; `Refused` ("cbor") for no CBOR, ("not-manifest") for any other shape."""
    outer = decode(blob)
    if not isinstance(outer, dict) or len(outer) != 2:
        raise Refused("not-manifest", "envelope")
    body = outer.get(3)
    if not isinstance(body, bytes) or not isinstance(outer.get(2), bytes):
        raise Refused("not-manifest", "envelope")
    sign1 = decode(outer[2])
    if not isinstance(sign1, Tag) or sign1.number != _COSE_SIGN1:
        raise Refused("not-manifest", "COSE_Sign1")
    return _signed(sign1.value, body)


def _signed(parts, body):
    if not isinstance(parts, list) or len(parts) != 4:
        raise Refused("not-manifest", "COSE_Sign1")
    protected, header, payload, signature = parts
    if protected != _PROTECTED or payload is not None or not _is_bytes(signature, 64):
        raise Refused("not-manifest", "COSE_Sign1")
    if not isinstance(header, dict) or len(header) != 1 or not _is_bytes(header.get(_KID), 8):
        raise Refused("not-manifest", "kid")
    return Envelope(header[_KID], signature, body)

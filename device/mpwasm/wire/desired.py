"""What a board should run: the deployment document, and the pointer to it that `desired` carries."""

from mpwasm.errors import Refused
from mpwasm.wire.cbor import decode, encode
from mpwasm.wire.record import Record

_U32 = 0xFFFFFFFF
_U53 = (1 << 53) - 1


class Component(Record):
    """One component: `slot`, `kind`, `manifest` (digest of its manifest blob), `manifest_size`, `config` (digest or None), `config_size`."""

    ROWS = (
        (1, "slot", "u", 0, 255),
        (2, "kind", ("wasm", "agent"), 0, 0),
        (3, "manifest", "b", 32, 32),
        (4, "manifest_size", "u", 1, 4096),
        (5, "config", "?b", 32, 32),
        (6, "config_size", "u", 0, 4096),
    )

    kind = "wasm"
    config = None
    config_size = 0


class Document(Record):
    """The deployment document: `components`, and the key list they are signed under: `keys_version`, `keys` (digest), `keys_size`."""

    FORMAT = 1
    ROWS = (
        (2, "components", Component, 0, 8),
        (3, "keys_version", "u", 1, _U32),
        (4, "keys", "b", 32, 32),
        (5, "keys_size", "u", 1, 8192),
    )


class Pointer:
    """`seq` int, `document` SHA-256 and `size` of the deployment document, `window_s`, `nonce` 8 bytes.

    On the wire: ``[seq, document, size, window_s, nonce]``, the payload of a `mac.seal_mac` message on `desired`.
    `window_s` is the time a board may spread its start over, in seconds.
    """

    def __init__(self, seq, document, size, window_s, nonce):
        self.seq = seq
        self.document = document
        self.size = size
        self.window_s = window_s
        self.nonce = nonce

    def encode(self):
        """The payload bytes."""
        return encode([self.seq, self.document, self.size, self.window_s, self.nonce])

    @classmethod
    def parse(cls, payload):
        """The pointer in an authenticated payload; `Refused` ("cbor")."""
        parts = decode(payload)
        if not isinstance(parts, list) or len(parts) != 5:
            raise Refused("cbor", "pointer")
        for value, high in ((parts[0], _U53), (parts[2], 4096), (parts[3], 86400)):
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
                raise Refused("cbor", "pointer")
        for value, size in ((parts[1], 32), (parts[4], 8)):
            if not isinstance(value, bytes) or len(value) != size:
                raise Refused("cbor", "pointer")
        return cls(*parts)

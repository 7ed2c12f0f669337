"""Moving a blob in blocks that the device paces: `get` asks, `blk` answers, in any order, with losses and repeats.

After AWS IoT's MQTT file delivery. `get` payload: ``[digest32, offset, length, count]``: `count` blocks of `length` bytes from `offset` on.
`blk` payload: ``[first 8 bytes of the digest, offset, data]``. Only the last block of a blob is shorter than `length`.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.cbor import decode, encode

_MAX_LENGTH = const(1024)
_MAX_COUNT = const(16)
_NAME = const(8)
_MAX_SIZE = const(0x3FFFFFFF)
_TIMEOUT_MS = const(2000)
_MAX_TIMEOUT_MS = const(30000)


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def encode_get(digest, offset, length, count):
    """The `get` payload for `count` (1..16) blocks of `length` (1..1024) bytes from byte `offset` of the blob `digest` on."""
    return encode([digest, offset, length, count])


def parse_get(payload):
    """``(digest, offset, length, count)`` of a `get` payload; `Refused` ("cbor")."""
    parts = decode(payload)
    if not isinstance(parts, list) or len(parts) != 4 or not isinstance(parts[0], bytes) or len(parts[0]) != 32:
        raise Refused("cbor", "get")
    if not (_is_int(parts[1], 0, _MAX_SIZE) and _is_int(parts[2], 1, _MAX_LENGTH) and _is_int(parts[3], 1, _MAX_COUNT)):
        raise Refused("cbor", "get")
    return tuple(parts)


def encode_blk(digest, offset, data):
    """The `blk` payload that carries `data` (1..1024 bytes) from byte `offset` of the blob `digest`."""
    return encode([bytes(digest[:_NAME]), offset, data])


def parse_blk(payload):
    """``(first 8 bytes of the digest, offset, data)`` of a `blk` payload; `Refused` ("cbor")."""
    parts = decode(payload)
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[2], bytes):
        raise Refused("cbor", "blk")
    if not isinstance(parts[0], bytes) or len(parts[0]) != _NAME or not _is_int(parts[1], 0, _MAX_SIZE) or len(parts[2]) > _MAX_LENGTH:
        raise Refused("cbor", "blk")
    return tuple(parts)


def serve(blob, get):
    """The `blk` payloads that answer the parsed `get` for `blob` (all of its bytes), one by one; none past its end."""
    digest, offset, length, count = get
    end = min(len(blob), offset + length * count)
    while offset < end:
        yield encode_blk(digest, offset, blob[offset : min(offset + length, end)])
        offset += length


class Download:
    """Which blocks of the blob `digest` (32 bytes, `size` bytes long) are still missing, and when to ask for them.

    One request is under way at a time. The next one follows at once when all its blocks are there; if no block comes for a
    time-out (2 s, doubling up to 30 s, back to 2 s with every new block), what is missing is asked for again.
    `bitmap`, one bit per block, lowest bit first, may be kept and given back to resume. Times are milliseconds of a clock that doesn't wrap.
    """

    def __init__(self, digest, size, block=_MAX_LENGTH, bitmap=None, count=_MAX_COUNT):
        self.digest = digest
        self.size = size
        self.block = block
        self.count = count
        self.blocks = (size + block - 1) // block
        self.bitmap = bytearray((self.blocks + 7) // 8)
        self.missing = self.blocks
        self._from = self._until = 0
        self._timeout = _TIMEOUT_MS
        self._due = 0
        if bitmap is not None and len(bitmap) == len(self.bitmap):
            self.bitmap[:] = bitmap
            self.missing = self._count(0, self.blocks)

    @property
    def done(self):
        """Whether every block is there."""
        return self.missing == 0

    @property
    def progress(self):
        """Percent of the blocks that are there."""
        return 100 if not self.blocks else 100 * (self.blocks - self.missing) // self.blocks

    def has(self, index):
        """Whether block `index` is there."""
        return self.bitmap[index >> 3] >> (index & 7) & 1

    def _count(self, start, stop):
        """How many of the blocks start..stop-1 are missing."""
        missing = 0
        for index in range(start, stop):
            if not self.has(index):
                missing += 1
        return missing

    def next_request(self, now):
        """``(offset, count)`` to ask for at time `now`, or None while waiting or done."""
        if not self.missing:
            return None
        if self._until > self._from and self._count(self._from, self._until):
            if now < self._due:
                return None
            self._timeout = min(2 * self._timeout, _MAX_TIMEOUT_MS)
        start = self._first_missing()
        stop = start + 1
        while stop < self.blocks and stop - start < self.count and not self.has(stop):
            stop += 1
        self._from, self._until = start, stop
        self._due = now + self._timeout
        return start * self.block, stop - start

    def _first_missing(self):
        index = 0
        while self.has(index):
            index += 1
        return index

    def wake(self):
        """The time at which `next_request` may have something to ask again; None when done. 0 stands for at once."""
        if not self.missing:
            return None
        return self._due if self._until > self._from and self._count(self._from, self._until) else 0

    def request(self, now):
        """The `get` payload to publish at time `now`, or None."""
        wanted = self.next_request(now)
        return None if wanted is None else encode_get(self.digest, wanted[0], self.block, wanted[1])

    def accept(self, payload, now=None):
        """``(offset, data)`` of a new block in a `blk` payload; None for a repeat or another blob's block.

        `Refused` ("cbor") if the payload is none or the block does not lie where blocks do. With `now`, each new block puts the time-out off.
        The caller has stored the data before it saves the bitmap; the blob's digest is checked when it is whole.
        """
        name, offset, data = parse_blk(payload)
        if name != self.digest[:_NAME]:
            return None
        if offset % self.block or offset >= self.size or len(data) != min(self.block, self.size - offset):
            raise Refused("cbor", "block")
        index = offset // self.block
        if self.has(index):
            return None
        self.bitmap[index >> 3] |= 1 << (index & 7)
        self.missing -= 1
        self._timeout = _TIMEOUT_MS
        if now is not None:
            self._due = now + _TIMEOUT_MS
        return offset, data

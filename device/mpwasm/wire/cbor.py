"""CBOR (RFC 8949), the deterministic subset of section 4.2.1 and nothing else.

Python and CBOR: int (-2^64 .. 2^64-1), bytes, str, list, dict, bool, None, `Tag`. Maps have keys of int or str, in the
bytewise order of their encodings. There are no floats, no other simple values and no indefinite lengths. Decoding refuses
what `encode` would not have written: longer heads than needed, unsorted or repeated keys, invalid UTF-8, trailing bytes.

Hostile input: lengths are checked against what is left of the buffer before anything is allocated, containers nest at
most 8 deep (section 10), and a message has at most `max_items` data items.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused

_UINT = const(0)
_NINT = const(1)
_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_MAP = const(5)
_TAG = const(6)

_MAX_DEPTH = const(8)
_MAX_ITEMS = const(512)


class Tag:
    """A tagged data item (section 3.4): `number` int, `value` any."""

    def __init__(self, number, value):
        self.number = number
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Tag) and self.number == other.number and self.value == other.value

    def __repr__(self):
        return "Tag(%r, %r)" % (self.number, self.value)


def encode(item):
    """The deterministic encoding of `item` as bytes; ValueError for what has none (the caller's mistake)."""
    out = bytearray()
    _put(out, item, 0)
    return bytes(out)


def decode(buf, max_items=_MAX_ITEMS):
    """The one data item that fills `buf` (bytes-like); `Refused` ("cbor") for anything else."""
    reader = _Reader(buf, max_items)
    item = reader.item(0)
    if reader.pos != reader.end:
        raise _refused("trailing", reader.pos)
    return item


def _refused(what, pos):
    return Refused("cbor", "%s at %d" % (what, pos))


def _put_head(out, major, value):
    """Append the shortest head (section 4.2.1): `major` type 0..7 and argument `value`."""
    major <<= 5
    if value < 24:
        out.append(major | value)
        return
    size, info = 1, 24
    while size < 8 and value >> (8 * size):
        size, info = size * 2, info + 1
    if value >> (8 * size):
        raise ValueError("int")
    out.append(major | info)
    out.extend(value.to_bytes(size, "big"))


def _put(out, item, depth):
    if item is None:
        out.append(0xF6)
    elif isinstance(item, bool):
        out.append(0xF5 if item else 0xF4)
    elif isinstance(item, int):
        _put_head(out, _UINT if item >= 0 else _NINT, item if item >= 0 else -1 - item)
    elif isinstance(item, str):
        item = item.encode()
        _put_head(out, _TEXT, len(item))
        out.extend(item)
    elif isinstance(item, (bytes, bytearray, memoryview)):
        _put_head(out, _BYTES, len(item))
        out.extend(item)
    else:
        _put_container(out, item, depth + 1)


def _put_container(out, item, depth):
    if depth > _MAX_DEPTH:
        raise ValueError("depth")
    if isinstance(item, (list, tuple)):
        _put_head(out, _ARRAY, len(item))
        for member in item:
            _put(out, member, depth)
    elif isinstance(item, dict):
        _put_head(out, _MAP, len(item))
        for key, value in sorted([(encode(key), item[key]) for key in item], key=_first):
            out.extend(key)
            _put(out, value, depth)
    elif isinstance(item, Tag):
        _put_head(out, _TAG, item.number)
        _put(out, item.value, depth)
    else:
        raise ValueError("type")


def _first(pair):
    return pair[0]


def utf8(raw):
    """`raw` bytes as str, or None if it is not well-formed UTF-8 (MicroPython itself lets overlong forms pass)."""
    try:
        text = str(raw, "utf-8")
    except ValueError:
        return None
    length = 0
    for character in text:
        point = ord(character)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            return None
        length += 1 + (point > 0x7F) + (point > 0x7FF) + (point > 0xFFFF)
    return text if length == len(raw) else None


class _Reader:
    """A place in a buffer of encoded items."""

    def __init__(self, buf, max_items):
        self.buf = memoryview(buf)
        self.pos = 0
        self.end = len(buf)
        self.left = max_items

    def take(self, size):
        """The next `size` bytes, copied."""
        start = self.pos
        if size > self.end - start:
            raise _refused("truncated", start)
        self.pos = start + size
        return bytes(self.buf[start : self.pos])

    def argument(self, info):
        """The argument of a head whose low five bits were `info` (section 3)."""
        if info < 24:
            return info
        if info > 27:
            raise _refused("head", self.pos)
        size = 1 << (info - 24)
        value = int.from_bytes(self.take(size), "big")
        if value < (24 if size == 1 else 1 << (4 * size)):
            raise _refused("longer than needed", self.pos)
        return value

    def item(self, depth):
        """The next data item; `depth` counts the containers around it."""
        start = self.pos
        self.left -= 1
        if start >= self.end or self.left < 0:
            raise _refused("truncated" if self.left >= 0 else "items", start)
        first = self.buf[start]
        self.pos = start + 1
        if first >= 0xE0:
            return self.simple(first)
        value = self.argument(first & 31)
        major = first >> 5
        if major == _UINT:
            return value
        if major == _NINT:
            return -1 - value
        if major == _BYTES:
            return self.take(value)
        if major == _TEXT:
            text = utf8(self.take(value))
            if text is None:
                raise _refused("utf-8", start)
            return text
        if depth >= _MAX_DEPTH:
            raise _refused("depth", start)
        return self.container(major, value, depth + 1)

    def simple(self, first):
        """false, true and null; every other simple value and all floats are refused."""
        if first == 0xF6:
            return None
        if first != 0xF4 and first != 0xF5:
            raise _refused("simple", self.pos - 1)
        return first == 0xF5

    def container(self, major, count, depth):
        """An array or a map of `count` members, or what tag number `count` holds."""
        if major == _TAG:
            return Tag(count, self.item(depth))
        if count > (self.end - self.pos) >> (major - _ARRAY) or count > self.left:
            raise _refused("count", self.pos)
        if major == _ARRAY:
            return [self.item(depth) for _ in range(count)]
        return self.map(count, depth)

    def map(self, count, depth):
        """`count` pairs, their encoded keys strictly rising (section 4.2.1), so none comes twice."""
        members = {}
        last = b""
        for _ in range(count):
            start = self.pos
            key = self.item(depth)
            if isinstance(key, bool) or not isinstance(key, (int, str)):
                raise _refused("key", start)
            encoded = bytes(self.buf[start : self.pos])
            if encoded <= last:
                raise _refused("order", start)
            last = encoded
            members[key] = self.item(depth)
        return members

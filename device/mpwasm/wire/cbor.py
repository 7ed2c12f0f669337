"""CBOR (RFC 8949), the deterministic subset of section 4.2.1 and nothing else.

Python and CBOR: int (-2^64 .. 2^64-1), bytes, str, list, dict, bool, None, `Tag`. Maps have keys of int or str, in the
bytewise order of their encodings. There are no floats, no other simple values and no indefinite lengths. Decoding refuses
what `encode` would not have written: longer heads than needed, unsorted or repeated keys, invalid UTF-8, trailing bytes.

Hostile input: lengths are checked against what is left of the buffer before anything is allocated, containers nest at
most 8 deep (section 10), and a message has at most `max_items` data items. The decoder doesn't recurse: firmware may allow no more
than some 25 nested calls in all.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.encoder import encode

__all__ = ("Tag", "decode", "encode", "utf8")

_UINT = const(0)
_NINT = const(1)
_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_TAG = const(6)

_MAX_DEPTH = const(8)
_MAX_ITEMS = const(512)


def decode(buf, max_items=_MAX_ITEMS):
    """The one data item that fills `buf` (bytes-like); `Refused` ("cbor") for anything else."""
    reader = _Reader(buf, max_items)
    item = reader.whole()
    if reader.pos != reader.end:
        raise _refused("trailing", reader.pos)
    return item


def _refused(what, pos):
    return Refused("cbor", "%s at %d" % (what, pos))


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


class Tag:
    """A tagged data item (section 3.4): `number` int, `value` any."""

    def __init__(self, number, value):
        self.number = number
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Tag) and self.number == other.number and self.value == other.value

    def __repr__(self):
        return "Tag(%r, %r)" % (self.number, self.value)


class _Open:
    """A container whose members are still coming: `value` list, dict or `Tag`; how many are `left`; for a dict the key just read."""

    def __init__(self, value, left):
        self.value = value
        self.left = left
        self.key = None
        self.last = b""
        self.keyed = False


class _Reader:
    """A place in a buffer of encoded items."""

    def __init__(self, buf, max_items):
        self.buf = memoryview(buf)
        self.pos = 0
        self.end = len(buf)
        self.left = max_items
        self.open = []

    def whole(self):
        """The data item that begins here, with all that it contains."""
        while True:
            start = self.pos
            item = self.item()
            if isinstance(item, _Open):
                if item.left:
                    self.open.append(item)
                    continue
                item = item.value
            while self.open:
                container = self.open[-1]
                self.add(container, item, start)
                if container.left:
                    break
                item = container.value
                self.open.pop()
                start = 0
            else:
                return item

    def add(self, container, item, start):
        """Put `item`, which began at `start`, into `container`; keys strictly rise by their encodings (section 4.2.1)."""
        value = container.value
        if isinstance(value, list):
            value.append(item)
        elif isinstance(value, Tag):
            value.value = item
        elif container.keyed:
            container.keyed = False
            value[container.key] = item
        else:
            encoded = bytes(self.buf[start : self.pos])
            if isinstance(item, bool) or not isinstance(item, (int, str)):
                raise _refused("key", start)
            if encoded <= container.last:
                raise _refused("order", start)
            container.key = item
            container.last = encoded
            container.keyed = True
            return
        container.left -= 1

    def take(self, size):
        """The next `size` bytes, copied."""
        start = self.pos
        if size > self.end - start:
            raise _refused("truncated", start)
        self.pos = start + size
        return bytes(self.buf[start : self.pos])

    def argument(self, info):
        """The argument of a head whose low five bits were `info`, from 24 on (section 3)."""
        if info > 27:
            raise _refused("head", self.pos)
        size = 1 << (info - 24)
        value = int.from_bytes(self.take(size), "big")
        if value < (24 if size == 1 else 1 << (4 * size)):
            raise _refused("longer than needed", self.pos)
        return value

    def item(self):
        """The next data item, a container as `_Open`."""
        start = self.pos
        self.left -= 1
        if start >= self.end or self.left < 0:
            raise _refused("truncated" if self.left >= 0 else "items", start)
        first = self.buf[start]
        self.pos = start + 1
        if first >= 0xE0:
            return self.simple(first)
        value = first & 31
        if value > 23:
            value = self.argument(value)
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
        if len(self.open) >= _MAX_DEPTH:
            raise _refused("depth", start)
        return self.container(major, value)

    def simple(self, first):
        """false, true and null; every other simple value and all floats are refused."""
        if first == 0xF6:
            return None
        if first != 0xF4 and first != 0xF5:
            raise _refused("simple", self.pos - 1)
        return first == 0xF5

    def container(self, major, count):
        """An array or a map of `count` members, or tag number `count`."""
        if major == _TAG:
            return _Open(Tag(count, None), 1)
        if count > (self.end - self.pos) >> (major - _ARRAY) or count > self.left:
            raise _refused("count", self.pos)
        return _Open([] if major == _ARRAY else {}, count)

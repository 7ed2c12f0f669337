"""Reads a module from a stream through one small buffer: bytes, LEB128 integers, names (spec 5.2).

The module is never held whole: 128 bytes of buffer serve every size of file.
"""

from mpwasm.compat import const
from mpwasm.errors import Malformed

_BUFFER = const(128)
_END = const(3)
_TOO_LONG = const(4)
_TOO_LARGE = const(5)
_UTF8 = const(9)
_LENGTH = const(21)


class Reader:
    """A forward-only view of `stream`, an object with ``readinto(buffer) -> int``.

    `pos` is the byte offset of the next byte in the module, `end` the offset that must not be passed.
    """

    def __init__(self, stream):
        self.stream = stream
        self.buffer = bytearray(_BUFFER)
        self.index = 0
        self.fill = 0
        self.before = 0
        self.end = 1 << 29

    @property
    def pos(self):
        """Byte offset in the module of the next byte."""
        return self.before + self.index

    def fail(self, code, detail=None):
        """Raise `Malformed` with `code` at the current offset."""
        raise Malformed(code, detail, self.pos)

    def more(self):
        """Refill the buffer; False at the end of the stream."""
        self.before += self.fill
        self.index = 0
        self.fill = self.stream.readinto(self.buffer) or 0
        return self.fill > 0

    def at_end(self):
        """True when no byte is left in the stream."""
        return self.index >= self.fill and not self.more()

    def byte(self):
        """The next byte, 0 to 255."""
        i = self.index
        if self.before + i >= self.end or (i >= self.fill and not self.more()):
            self.fail(_END)
        i = self.index
        self.index = i + 1
        return self.buffer[i]

    def u32(self):
        """An unsigned LEB128 of at most 32 bits (spec 5.2.2)."""
        b = self.byte()
        if b < 128:
            return b
        value = b & 127
        for shift in range(7, 35, 7):
            b = self.byte()
            if shift == 28 and b > 15:
                self.fail(_TOO_LONG if b > 127 else _TOO_LARGE)
            value |= (b & 127) << shift
            if b < 128:
                break
        return value

    def signed(self, bits):
        """A signed LEB128 of at most `bits` bits (32, 33 or 64), as a Python int."""
        value = shift = 0
        while True:
            b = self.byte()
            left = bits - shift
            if left < 8:
                self.check_last(b, left)
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                break
        if b & 64:
            value -= 1 << shift
        return value

    def check_last(self, b, left):
        """The last byte of a LEB128 with `left` value bits: nothing may follow, the unused bits repeat the sign."""
        if b > 127:
            self.fail(_TOO_LONG)
        rest = b >> (left - 1)
        if rest and rest != 127 >> (left - 1):
            self.fail(_TOO_LARGE)

    def check(self, size):
        """Refuse a length that runs over the section's end."""
        if self.pos + size > self.end:
            self.fail(_LENGTH if self.end < 1 << 29 else _END)

    def skip(self, size):
        """Pass over `size` bytes."""
        self.check(size)
        while size > 0:
            if self.index >= self.fill and not self.more():
                self.fail(_END)
            step = min(size, self.fill - self.index)
            self.index += step
            size -= step

    def take(self, size):
        """The next `size` bytes, as bytes; grows as they come, so a false length allocates nothing."""
        self.check(size)
        out = bytearray()
        view = memoryview(self.buffer)
        while size > 0:
            if self.index >= self.fill and not self.more():
                self.fail(_END)
            step = min(size, self.fill - self.index)
            out += view[self.index : self.index + step]
            self.index += step
            size -= step
        return out

    def pattern(self, size):
        """The bit pattern of a float of `size` bytes, as a signed int."""
        value = int.from_bytes(self.take(size), "little")
        return value - (1 << 8 * size) if value >> (8 * size - 1) else value

    def name(self):
        """A name: a length and that many bytes of UTF-8 (spec 5.2.4), as str."""
        raw = bytes(self.take(self.u32()))
        check_utf8(raw, self)
        return raw.decode()


def check_utf8(raw, reader):
    """Refuse what is not UTF-8 by RFC 3629; MicroPython's own decoder lets some of it pass."""
    i = 0
    while i < len(raw):
        size = _sequence(raw[i])
        if size == 0 or i + size > len(raw):
            reader.fail(_UTF8)
        value = raw[i] & (0x7F if size == 1 else 0x7F >> size)
        for k in range(i + 1, i + size):
            if raw[k] & 0xC0 != 0x80:
                reader.fail(_UTF8)
            value = value << 6 | raw[k] & 0x3F
        low = 0 if size == 1 else 0x80 if size == 2 else 0x800 if size == 3 else 0x10000
        if value < low or value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
            reader.fail(_UTF8)
        i += size


def _sequence(first):
    """Bytes in a UTF-8 sequence that begins with `first`, 0 where none may."""
    if first < 0x80:
        return 1
    if first < 0xC0:
        return 0
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4 if first < 0xF8 else 0

"""Host functions of our own: `kv`, a small store of values that survive a restart. Results are >= 0, or -errno with WASI's numbers.

One file for each module name, ``kv.<name in hex>`` beside the agent's own; written whole and renamed, so that a power cut leaves the old values
or the new. Flash wears out, so writes are rationed: 16 at once, then one in ten seconds; a write beyond that is refused with -EAGAIN.
"""

import os
from binascii import hexlify

from mpwasm.compat import const

_AGAIN = const(6)
_INVAL = const(28)
_IO = const(29)
_NOENT = const(44)
_NOSPC = const(51)
_MAX_KEY_BYTES = const(32)
_MAX_VALUE_BYTES = const(255)
_MAX_BYTES = const(2048)
_BURST = const(16)
_REFILL_MS = const(10000)


def unpack(raw):
    """{key: value} of a file's bytes: length and bytes of key and value in turn; what is cut off is left out."""
    found = {}
    at = 0
    fields = []
    while at < len(raw) and at + 1 + raw[at] <= len(raw):
        fields.append(bytes(raw[at + 1 : at + 1 + raw[at]]))
        at += 1 + raw[at]
    for i in range(0, len(fields) - 1, 2):
        found[fields[i]] = fields[i + 1]
    return found


def pack(values):
    """The bytes of a file."""
    out = bytearray()
    for key in values:
        for field in (key, values[key]):
            out.append(len(field))
            out.extend(field)
    return out


class Part:
    """The store of one guest: keys of 1 to 32 bytes, values of up to 255, together up to 2 KiB."""

    def __init__(self, context):
        self.board = context.board
        self.path = "%s/kv.%s" % (context.board.state, hexlify(context.name.encode()).decode())
        self.left = _BURST
        self.since_ms = context.board.uptime_ms()
        self.values = {}
        try:
            with open(self.path, "rb") as file:
                self.values = unpack(file.read(_MAX_BYTES))
        except OSError:
            self.values = {}  # the first time

    def _key(self, inst, at, size):
        if not 0 < size <= _MAX_KEY_BYTES:
            return None
        key = bytearray(size)
        inst.memory.load(at, key)
        return bytes(key)

    def kv_get(self, inst, key, key_len, at, size):
        """Store the value of a key, as far as it fits in `size` bytes; gives its whole length, or -ENOENT."""
        key = self._key(inst, key, key_len)
        if key is None:
            return -_INVAL
        value = self.values.get(key)
        if value is None:
            return -_NOENT
        inst.memory.store(at, value[: min(size, len(value))])
        return len(value)

    def kv_set(self, inst, key, key_len, at, size):
        """Keep a value of up to 255 bytes under a key; 0 once it is in flash, -EAGAIN where writes come too fast, -ENOSPC beyond 2 KiB."""
        key = self._key(inst, key, key_len)
        if key is None or size > _MAX_VALUE_BYTES:
            return -_INVAL
        value = bytearray(size)
        inst.memory.load(at, value)
        return self._change(key, bytes(value))

    def kv_delete(self, inst, key, key_len):
        """Forget a key; -ENOENT if it isn't there."""
        key = self._key(inst, key, key_len)
        if key is None:
            return -_INVAL
        return self._change(key, None) if key in self.values else -_NOENT

    def _change(self, key, value):
        before = self.values.get(key)
        if value == before:
            return 0
        changed = dict(self.values)
        if value is None:
            changed.pop(key)
        else:
            changed[key] = value
        raw = pack(changed)
        if len(raw) > _MAX_BYTES:
            return -_NOSPC
        if not self._may_write():
            return -_AGAIN
        try:
            self._write(raw)
        except OSError:
            return -_IO
        self.values = changed
        return 0

    def _may_write(self):
        now = self.board.uptime_ms()
        earned = (now - self.since_ms) // _REFILL_MS
        if earned > 0:
            self.left = min(_BURST, self.left + earned)
            self.since_ms += earned * _REFILL_MS
        if not self.left:
            return False
        self.left -= 1
        return True

    def _write(self, raw):
        with open(self.path + ".tmp", "wb") as file:
            file.write(raw)
        os.rename(self.path + ".tmp", self.path)

"""Objects that travel as CBOR maps with small-int keys: one row per field, checked on the way in and out.

A row is ``(key, attribute, kind, low, high)``. Kinds: ``"u"`` int in low..high; ``"b"`` bytes of low..high bytes, ``"+b"`` the same, absent where
there are none; ``"t"`` printable text and ``"x"`` any text, of low..high bytes of UTF-8; ``"l"`` list of low..high distinct printable texts of 1 to
64 bytes; ``"m"`` map of printable text to int or text, ``"f"`` of printable text to 32-bit uint, each of at most high entries; ``"k"`` list of at
most high 8-byte ids; a tuple: one of its members; a `Record` class: a list of low..high such records. A ``"?"`` before a kind's letter
allows None too. A default is a class attribute of that name.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.cbor import decode, encode

_MAX_NAME = const(64)
_MAX_VALUE = const(256)
_INT_BITS = const(63)
_COUNTER_BITS = const(32)
_ID = const(8)


def printable(text):
    """Whether `text` holds no control characters (C0, DEL, C1): nothing that would steer a terminal."""
    for character in text:
        point = ord(character)
        if point < 0x20 or 0x7F <= point < 0xA0:
            return False
    return True


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_text(value, low, high):
    return isinstance(value, str) and low <= len(value.encode()) <= high


def _is_name(value):
    return _is_text(value, 1, _MAX_NAME) and printable(value)


def _is_names(value, low, high):
    if not isinstance(value, (list, tuple)) or not low <= len(value) <= high:
        return False
    for name in value:
        if not _is_name(name):
            return False
    return len(set(value)) == len(value)


def _is_setting(value):
    return _is_text(value, 0, _MAX_VALUE) or _is_int(value, -1 << _INT_BITS, (1 << _INT_BITS) - 1)


def _is_counter(value):
    return _is_int(value, 0, (1 << _COUNTER_BITS) - 1)


def _is_named(value, high, check):
    """Whether `value` maps at most `high` names to what `check` accepts."""
    if not isinstance(value, dict) or len(value) > high:
        return False
    for name in value:
        if not _is_name(name) or not check(value[name]):
            return False
    return True


def _is_ids(value, high):
    if not isinstance(value, (list, tuple)) or len(value) > high:
        return False
    for member in value:
        if not isinstance(member, bytes) or len(member) != _ID:
            return False
    return True


def fits(value, kind, low, high):
    """Whether `value` is of a row's scalar kind."""
    if isinstance(kind, tuple):
        return isinstance(value, str) and value in kind
    if kind[0] == "?":
        if value is None:
            return True
        kind = kind[1:]
    if kind == "u":
        return _is_int(value, low, high)
    if kind == "b" or kind == "+b":
        return isinstance(value, bytes) and low <= len(value) <= high
    if kind == "l":
        return _is_names(value, low, high)
    if kind == "m":
        return _is_named(value, high, _is_setting)
    if kind == "f":
        return _is_named(value, high, _is_counter)
    if kind == "k":
        return _is_ids(value, high)
    return _is_text(value, low, high) and (kind == "x" or printable(value))


class Record:
    """Base: subclasses set `ROWS`, and may set `FORMAT` (map key 1 holds it), `REASON` (of `Refused`) and `OPEN`
    (unknown keys are ignored, missing ones have their default; never for what is signed, since a rule that isn't understood must not be skipped)."""

    ROWS = ()
    FORMAT = None
    REASON = "cbor"
    OPEN = False

    def __init__(self, **fields):
        """All attributes by name; ValueError for a missing or unknown one."""
        for row in self.ROWS:
            name = row[1]
            if name in fields:
                setattr(self, name, fields.pop(name))
            elif not hasattr(self, name):
                raise ValueError(name)
        if fields:
            raise ValueError(list(fields)[0])

    @classmethod
    def parse(cls, body):
        """The record in `body` (CBOR); `Refused` ("cbor" or `REASON`, detail names the field)."""
        return cls.from_map(decode(body))

    def encode(self):
        """Deterministic CBOR of this record; ValueError if a field breaks its row."""
        return encode(self.to_map())

    @classmethod
    def from_map(cls, data):
        """The record that a decoded map stands for; `Refused` (`REASON`)."""
        if not isinstance(data, dict):
            raise Refused(cls.REASON, "map")
        known = len(cls.ROWS)
        if cls.FORMAT is not None:
            known += 1
            if not _is_int(data.get(1), cls.FORMAT, cls.FORMAT):
                raise Refused(cls.REASON, "format")
        fields = {}
        for row in cls.ROWS:
            if row[0] in data:
                fields[row[1]] = cls._field(data[row[0]], row)
            elif row[2] == "+b":
                known -= 1
            elif not cls.OPEN or not hasattr(cls, row[1]):
                raise Refused(cls.REASON, row[1])
        if len(data) != known and not cls.OPEN:
            raise Refused(cls.REASON, "unknown key")
        return cls(**fields)

    @classmethod
    def _field(cls, value, row):
        _, name, kind, low, high = row
        if isinstance(kind, type):
            if not isinstance(value, list) or not low <= len(value) <= high:
                raise Refused(cls.REASON, name)
            records = []
            for member in value:
                records.append(kind.from_map(member))
            return records
        if not fits(value, kind, low, high):
            raise Refused(cls.REASON, name)
        return value

    def to_map(self):
        """The map that `encode` writes."""
        data = {} if self.FORMAT is None else {1: self.FORMAT}
        for key, name, kind, low, high in self.ROWS:
            value = getattr(self, name)
            if kind == "+b" and not value:
                continue
            if isinstance(kind, type):
                if not low <= len(value) <= high:
                    raise ValueError(name)
                value = [member.to_map() for member in value]
            elif not fits(value, kind, low, high):
                raise ValueError(name)
            data[key] = list(value) if isinstance(value, tuple) else value
        return data

    def __eq__(self, other):
        return type(self) is type(other) and self.to_map() == other.to_map()

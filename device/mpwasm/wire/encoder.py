"""Writing CBOR (RFC 8949, section 4.2.1): the half of `cbor` that a board keeps loaded; what may be written is said there."""

from mpwasm.compat import const

_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_MAP = const(5)
_TAG = const(6)
_MAX_DEPTH = const(8)


def encode(item):
    """The deterministic encoding of `item` as bytes; ValueError for what has none (the caller's mistake)."""
    out = bytearray()
    _put(out, item, 0)
    return bytes(out)


def _head(out, major, value):
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
    """Append `item`, which lies in `depth` containers: one Python call for each."""
    if item is None:
        out.append(0xF6)
    elif isinstance(item, bool):
        out.append(0xF5 if item else 0xF4)
    elif isinstance(item, int):
        _head(out, 0 if item >= 0 else 1, item if item >= 0 else -1 - item)
    elif isinstance(item, (str, bytes, bytearray, memoryview)):
        major = _BYTES
        if isinstance(item, str):
            major = _TEXT
            item = item.encode()
        _head(out, major, len(item))
        out.extend(item)
    elif depth == _MAX_DEPTH:
        raise ValueError("depth")
    elif isinstance(item, (list, tuple)):
        _head(out, _ARRAY, len(item))
        for member in item:
            _put(out, member, depth + 1)
    elif isinstance(item, dict):
        _head(out, _MAP, len(item))
        pairs = []
        for key in item:
            head = bytearray()
            _put(head, key, 0)
            pairs.append((bytes(head), item[key]))
        pairs.sort(key=_first)
        for head, member in pairs:
            out.extend(head)
            _put(out, member, depth + 1)
    elif hasattr(item, "number"):  # a `cbor.Tag`
        _head(out, _TAG, item.number)
        _put(out, item.value, depth + 1)
    else:
        raise ValueError("type")


def _first(pair):
    return pair[0]

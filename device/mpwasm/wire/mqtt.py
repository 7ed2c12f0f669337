"""MQTT 3.1.1 packets (OASIS standard, 29 October 2014) as a client sends and takes them: QoS 0 and 1, no I/O.

Each function below returns one whole packet as bytes. `Parser` takes what the broker sends, in pieces of any size. What a client
must not be sent is `Refused` ("mqtt"), and the connection is to be closed (section 4.8): QoS 2 too, and topics that aren't ASCII, as ours are.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBSCRIBE = const(0x82)
_MAX_REMAINING = const(268435455)

_AT_TYPE = const(0)
_AT_LENGTH = const(1)
_AT_BODY = const(2)
_BROKEN = const(3)
_SMALL = const(64)


def string(text):
    """A UTF-8 encoded string with its 2-byte length (1.5.3), or binary data in the same form (3.1.3.5)."""
    if isinstance(text, str):
        text = text.encode()
    if len(text) > 0xFFFF:
        raise ValueError("string")
    return len(text).to_bytes(2, "big") + text


def packet(first, body):
    """The fixed header (2.2) with the remaining length (2.2.3), then `body`: a list of bytes-likes."""
    remaining = sum([len(part) for part in body])
    if remaining > _MAX_REMAINING:
        raise ValueError("packet")
    packet = bytearray([first])
    while remaining > 127:
        packet.append(remaining & 127 | 128)
        remaining >>= 7
    packet.append(remaining)
    for part in body:
        packet.extend(part)
    return bytes(packet)


def publish(topic, payload, qos=0, retain=False, packet_id=0, dup=False):
    """PUBLISH (3.3), QoS 0 or 1; `packet_id` 1..65535 with QoS 1."""
    first = _PUBLISH | qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    parts = [string(topic), payload]
    if qos:
        parts.insert(1, packet_id.to_bytes(2, "big"))
    return packet(first, parts)


def puback(packet_id):
    """PUBACK (3.4)."""
    return packet(_PUBACK, [packet_id.to_bytes(2, "big")])


def subscribe(packet_id, filters):
    """SUBSCRIBE (3.8) to `filters`: a list of (topic filter, qos)."""
    parts = [packet_id.to_bytes(2, "big")]
    for topic_filter, qos in filters:
        parts += [string(topic_filter), bytes([qos])]
    return packet(_SUBSCRIBE, parts)


def pingreq():
    """PINGREQ (3.12)."""
    return b"\xc0\x00"


def _refused(detail):
    return Refused("mqtt", detail)


def _identifier(body, pos):
    """The packet identifier (2.3.1) at `pos`: 1..65535."""
    number = body[pos] << 8 | body[pos + 1]
    if not number:
        raise _refused("packet id")
    return number


def _parse_connack(flags, body):
    if len(body) != 2 or body[0] > 1 or body[1] > 5 or (body[0] and body[1]):
        raise _refused("connack")
    return CONNACK, body[1], body[0] == 1


def _parse_publish(flags, body):
    qos = flags >> 1 & 3
    if qos > 1 or (flags & 8 and not qos):
        raise _refused("publish flags")
    start = 2 + (body[0] << 8 | body[1]) if len(body) > 1 else 0
    end = start + 2 * qos
    if start < 3 or end > len(body):
        raise _refused("publish length")
    for byte in body[2:start]:
        if not 0x20 < byte < 0x7F or byte == 0x23 or byte == 0x2B:
            raise _refused("publish topic")
    topic = str(body[2:start], "utf-8")
    packet_id = _identifier(body, start) if qos else 0
    return PUBLISH, topic, bytes(body[end:]), qos, flags & 1 == 1, flags & 8 == 8, packet_id


def _parse_puback(flags, body):
    if len(body) != 2:
        raise _refused("puback")
    return PUBACK, _identifier(body, 0)


def _parse_suback(flags, body):
    if len(body) < 3:
        raise _refused("suback")
    for code in body[2:]:
        if code > 2 and code != 128:
            raise _refused("suback code")
    return SUBACK, _identifier(body, 0), bytes(body[2:])


def _parse_pingresp(flags, body):
    if len(body):
        raise _refused("pingresp")
    return (PINGRESP,)


_PARSERS = {
    CONNACK: _parse_connack,
    PUBLISH: _parse_publish,
    PUBACK: _parse_puback,
    SUBACK: _parse_suback,
    PINGRESP: _parse_pingresp,
}


class Parser:
    """An incremental parser. A packet with a body of more than `max_packet` bytes is refused at its head; one that the small buffer can't hold
    gets one of its own.

    Packets are tuples, by first member: (CONNACK, return code 0..5, session present), (PUBLISH, topic, payload, qos, retain, dup,
    packet id or 0), (PUBACK, id), (SUBACK, id, return codes as bytes), (PINGRESP,).
    """

    def __init__(self, max_packet):
        self._most = max_packet
        self._small = self._buffer = memoryview(bytearray(_SMALL))
        self.reset()

    def reset(self):
        """Forget what came so far: a new connection."""
        self._state = _AT_TYPE
        self._buffer = self._small
        self._first = self._size = self._fill = self._shift = 0

    def feed(self, data):
        """Generator of the packets that `data` (bytes-like) completes; exhaust it. `Refused` ("mqtt"), then and for ever until `reset`."""
        if self._state == _BROKEN:
            raise _refused("broken")
        data = memoryview(data)
        pos = 0
        while pos < len(data):
            try:
                if self._state == _AT_BODY:
                    pos = self._copy(data, pos)
                else:
                    self._head(data[pos])
                    pos += 1
                packet = self._whole()
            except Refused:
                self._state = _BROKEN
                raise
            if packet is not None:
                yield packet

    def _head(self, byte):
        """One byte of the fixed header."""
        if self._state == _AT_TYPE:
            kind = byte >> 4
            if kind not in _PARSERS or (kind != PUBLISH and byte & 15):
                raise _refused("type")
            self._first = byte
            self._size = self._fill = self._shift = 0
            self._state = _AT_LENGTH
            return
        self._size |= (byte & 127) << self._shift
        self._shift += 7
        if byte < 128:
            if self._size > self._most:
                raise _refused("too large")
            self._buffer = self._small if self._size <= _SMALL else memoryview(bytearray(self._size))
            self._state = _AT_BODY
        elif self._shift > 21:
            raise _refused("length")

    def _copy(self, data, pos):
        """Take from `data` at `pos` what the body still lacks; the position after it."""
        count = min(self._size - self._fill, len(data) - pos)
        self._buffer[self._fill : self._fill + count] = data[pos : pos + count]
        self._fill += count
        return pos + count

    def _whole(self):
        """The packet, if its last byte has come, else None."""
        if self._state != _AT_BODY or self._fill < self._size:
            return None
        self._state = _AT_TYPE
        body, self._buffer = self._buffer, self._small
        return _PARSERS[self._first >> 4](self._first & 15, body[: self._size])

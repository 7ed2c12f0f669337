"""A client's side of MQTT 3.1.1 sessions without the socket: what to write, what was heard, when to act next.

The caller owns the connection: it calls `open` when a socket is connected, writes what `outgoing` gives, passes what it reads to `feed`,
calls `tick` when `wake` says so, and `close` when the socket is gone. Times are milliseconds of a clock that doesn't wrap.

Events are tuples: ("connected", session present), ("refused", return code), ("message", topic, payload, retain, dup),
("acked", packet id), ("subscribed", packet id, return codes), ("lost", "connack" or "keepalive"). After "refused" and "lost" close the socket.

QoS 1: a message is kept until it is acknowledged, and sent again with DUP after 20 s and at each new connection (4.4). What
comes in with QoS 1 is acknowledged by the bytes that `outgoing` gives next, so act on the events first.
"""

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire import mqtt

_CONNACK_MS = const(10000)
_RETRY_MS = const(20000)
_MAX_INFLIGHT = const(8)
_MAX_QUEUE = const(16)
_MAX_PACKET = const(2048)
_MAX_ACKS = const(256)

_CLOSED = const(0)
_WAITING = const(1)
_OPEN = const(2)


class _Inflight:
    """A QoS 1 message on its way: `sent_at` is None until it was first written."""

    def __init__(self, packet_id, topic, payload, retain):
        self.packet_id = packet_id
        self.topic = topic
        self.payload = payload
        self.retain = retain
        self.sent_at = None


class Session:
    """One client's session, over any number of connections, one at a time."""

    def __init__(self, client_id, user=None, password=None, will=None, keepalive_s=30, clean=True, max_packet=_MAX_PACKET):
        from mpwasm.wire.connect import connect  # needed this once: boards drop it

        self._connect = connect(client_id, keepalive_s, clean, user, password, will)
        self._parser = mqtt.Parser(max_packet)
        self._keepalive_ms = keepalive_s * 1000
        self._filters = []
        self._inflight = []
        self._queue = []
        self._last_id = 0
        self._state = _CLOSED
        self._opened_at = self._pinged_at = 0
        self._ping_due = False

    @property
    def inflight(self):
        """How many QoS 1 messages wait for their acknowledgement."""
        return len(self._inflight)

    def open(self, now):
        """A socket was connected: CONNECT is the next thing to write."""
        self._parser.reset()
        self._queue = [self._connect]
        self._state = _WAITING
        self._opened_at = self._pinged_at = now
        self._ping_due = False

    def close(self):
        """The socket is gone. Unacknowledged QoS 1 messages and the subscriptions stay for the next one."""
        self._state = _CLOSED
        self._queue = []

    def outgoing(self):
        """The next bytes to write, b"" for none; they must all be written before those of the next call."""
        return self._queue.pop(0) if self._queue else b""

    def _new_id(self):
        """A packet identifier that no message in flight uses."""
        while True:
            self._last_id = self._last_id % 65535 + 1
            for message in self._inflight:
                if message.packet_id == self._last_id:
                    break
            else:
                return self._last_id

    def publish(self, topic, payload, now, qos=0, retain=False):
        """Queue a message: its packet id (0 for QoS 0), or None if there is no room for it now.

        QoS 0 needs an open connection; QoS 1 waits for one, at most 8 at a time.
        """
        if qos == 0:
            if self._state != _OPEN or len(self._queue) >= _MAX_QUEUE:
                return None
            self._queue.append(mqtt.publish(topic, payload, 0, retain))
            return 0
        if len(self._inflight) >= _MAX_INFLIGHT:
            return None
        message = _Inflight(self._new_id(), topic, payload, retain)
        self._inflight.append(message)
        if self._state == _OPEN:
            self._send(message, now)
        return message.packet_id

    def _send(self, message, now):
        packet = mqtt.publish(message.topic, message.payload, 1, message.retain, message.packet_id, message.sent_at is not None)
        message.sent_at = now
        self._queue.append(packet)

    def subscribe(self, filters):
        """Subscribe to (topic filter, qos) pairs, now if connected and again at each connection; the packet id, or 0."""
        self._filters += [each for each in filters if each not in self._filters]
        return self._subscribe(filters) if self._state == _OPEN else 0

    def _subscribe(self, filters):
        packet_id = self._new_id()
        self._queue.append(mqtt.subscribe(packet_id, filters))
        return packet_id

    def feed(self, data, now):
        """The events in what was read; `Refused` ("mqtt") for what a broker must not send: close the socket."""
        events = []
        for packet in self._parser.feed(data):
            if self._state == _WAITING and packet[0] == mqtt.CONNACK:
                events.append(self._accepted(packet, now))
            elif self._state != _OPEN or packet[0] == mqtt.CONNACK:
                raise Refused("mqtt", "order")
            elif packet[0] == mqtt.PUBLISH:
                events.append(self._received(packet))
            elif packet[0] == mqtt.PUBACK:
                self._acked(packet[1], events)
            elif packet[0] == mqtt.SUBACK:
                events.append(("subscribed", packet[1], packet[2]))
            elif packet[0] == mqtt.PINGRESP:
                self._ping_due = False
        return events

    def _accepted(self, packet, now):
        """CONNACK: subscribe again, then send again what was not acknowledged, in its order (4.6)."""
        if packet[1]:
            self._state = _CLOSED
            return "refused", packet[1]
        self._state = _OPEN
        if self._filters:
            self._subscribe(self._filters)
        for message in self._inflight:
            self._send(message, now)
        return "connected", packet[2]

    def _received(self, packet):
        _, topic, payload, qos, retain, dup, packet_id = packet
        if len(self._queue) >= _MAX_ACKS:
            raise Refused("mqtt", "acknowledgements")
        if qos:
            self._queue.append(mqtt.puback(packet_id))
        return "message", topic, payload, retain, dup

    def _acked(self, packet_id, events):
        for i in range(len(self._inflight)):
            if self._inflight[i].packet_id == packet_id:
                self._inflight.pop(i)
                events.append(("acked", packet_id))
                return

    def wake(self):
        """The time of the next `tick`, or None while closed."""
        if self._state == _CLOSED:
            return None
        if self._state == _WAITING:
            return self._opened_at + _CONNACK_MS
        times = [message.sent_at + _RETRY_MS for message in self._inflight]
        if self._keepalive_ms:
            times.append(self._pinged_at + self._keepalive_ms // 2)
        return min(times) if times else None

    def tick(self, now):
        """Do what is due at `now`: keepalive (3.1.2.10), retransmission, time-outs. Returns events."""
        if self._state == _WAITING and now - self._opened_at >= _CONNACK_MS:
            return [("lost", "connack")]
        if self._state != _OPEN:
            return []
        if self._keepalive_ms and now - self._pinged_at >= self._keepalive_ms // 2:
            if self._ping_due:
                return [("lost", "keepalive")]
            self._ping_due = True
            self._pinged_at = now
            self._queue.append(mqtt.pingreq())
        for message in self._inflight:
            if now - message.sent_at >= _RETRY_MS:
                self._send(message, now)
        return []

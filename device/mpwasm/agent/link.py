"""The board's line to the fleet: transport and MQTT session kept going, with back-off, presence, and nothing that blocks."""

from mpwasm.agent.transport import CLOSED, CONNECTING, Transport
from mpwasm.compat import const
from mpwasm.errors import Refused

_BUFFER_BYTES = const(256)
_FIRST_WAIT_MS = const(500)
_LAST_WAIT_MS = const(30000)
_READS = const(8)
_IDLE_MS = const(1000)


def connection(identity):
    """The transport that an identity asks for: with TLS where it pins a certificate authority."""
    if isinstance(identity[10], bytes):
        from mpwasm.agent.tls import Secure

        return Secure(identity[5], identity[6], identity[10])
    return Transport(identity[5], identity[6])


class Link:
    """`on_message(name, payload)` gets what comes on this board's own topics, `on_ready()` each time the line is up.

    `ready` is true between the broker's answer to our subscriptions and the loss of the connection.
    """

    def __init__(self, identity, board, log, session, on_message, on_ready):
        self.prefix = identity[21]
        self.board = board
        self.log = log
        self.session = session
        self.on_message = on_message
        self.on_ready = on_ready
        self.ready = False
        self.transport = connection(identity)
        self.buf = bytearray(_BUFFER_BYTES)
        self.view = memoryview(self.buf)
        self.now = 0
        self.wait_ms = _FIRST_WAIT_MS
        self.retry_at = 0

    def poll(self, now, net_up):
        """Do what can be done at uptime `now`; return the uptime of the next thing that is due."""
        self.now = now
        state = self.transport.state
        if state == CLOSED:
            if self.ready or self.session.wake() is not None:
                self._lost(self.transport.why or "closed")
            if net_up and now >= self.retry_at and not self.transport.open(now):
                self._lost("no connection")
            return max(self.retry_at, now + (0 if net_up else _IDLE_MS))
        if state == CONNECTING:
            if self.transport.connected(now):
                self.session.open(now)
                self.send()
            elif self.transport.state == CLOSED:
                self._lost(self.transport.why or "no connection")
            return now + _IDLE_MS
        self._receive(now)
        self._events(self.session.tick(now))
        self.send()
        return self.session.wake() or now

    def _receive(self, now):
        for _ in range(_READS):
            if self.transport.state == CLOSED:
                return
            n = self.transport.read(self.buf)
            if not n:
                return
            try:
                self._events(self.session.feed(self.view[:n], now))
            except Refused as refusal:
                self._lost("mqtt %s" % refusal.detail)

    def _events(self, events):
        for event in events:
            kind = event[0]
            if kind == "message":
                if event[1].startswith(self.prefix):  # else a broker's mistake
                    self.on_message(event[1][len(self.prefix) :], event[2])
            elif kind == "connected":
                self.publish("state", b"init", 1, True)
            elif kind == "subscribed":
                self._subscribed(event[2])
            elif kind != "acked":
                self._lost("%s %s" % (kind, event[1]))

    def _subscribed(self, codes):
        if 128 in codes:
            self._lost("subscription refused")
            return
        self.ready = True
        self.wait_ms = _FIRST_WAIT_MS
        self.publish("state", b"ready", 1, True)
        self.on_ready()

    def send(self):
        """Send what is queued, as far as it goes now."""
        while self.transport.state != CLOSED and self.transport.room() > 0:
            data = self.session.outgoing()
            if not data:
                break
            self.transport.send(data)
        self.transport.flush()

    def _lost(self, why):
        """The connection is gone or useless: close it, and wait before the next, longer each time, with jitter."""
        self.log.note("link lost: " + why)
        self.transport.close()
        self.session.close()
        self.ready = False
        self.retry_at = self.now + self.wait_ms + self.board.random(1)[0] * self.wait_ms // 512
        self.wait_ms = min(2 * self.wait_ms, _LAST_WAIT_MS)

    def publish(self, name, payload, qos=0, retain=False):
        """Queue a message on one of our topics; False if there is no room for it now or no connection."""
        return self.session.publish(self.prefix + name, payload, self.now, qos, retain) is not None

"""A small MQTT 3.1.1 broker on loopback that can misbehave; written apart from `wire.mqtt`, so that they check each other."""

import socket
import struct
import threading


def field(data):
    """A length-prefixed field (MQTT 3.1.1, 1.5.3)."""
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    """A packet: fixed header (2.2) and body."""
    size, head = len(body), bytes([first])
    while True:
        size, digit = divmod(size, 128)
        head += bytes([digit | (0x80 if size else 0)])
        if not size:
            return head + body


class Session:
    """One connected client."""

    def __init__(self, broker, sock):
        self.broker, self.sock = broker, sock
        self.client_id = self.user = self.password = self.will = None
        self.topics = set()
        self.lock = threading.Lock()
        self.clean = False

    def send(self, data):
        with self.lock:
            try:
                self.sock.sendall(data)
            except OSError:
                self.broker.note_lost(self)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def receive(self):
        first, size, shift = self.exactly(1)[0], 0, 0
        while True:
            digit = self.exactly(1)[0]
            size |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return first, self.exactly(size)

    def run(self):
        try:
            while not self.clean:
                self.handle(*self.receive())
        except (ConnectionError, OSError):
            self.broker.note_lost(self)
        self.sock.close()
        self.broker.gone(self)

    def handle(self, first, body):
        kind = first >> 4
        self.broker.packets.append((self.client_id, kind))
        if kind == 1:
            self.connect(body)
        elif kind == 3:
            self.publish(first, body)
        elif kind == 8:
            self.subscribe(body)
        elif kind == 12:
            self.send(b"\xd0\x00")
        elif kind == 14:
            self.will, self.clean = None, True

    def connect(self, body):
        assert body[:7] == b"\x00\x04MQTT\x04", body[:7]
        flags, self.keepalive = body[7], struct.unpack(">H", body[8:10])[0]
        rest, fields = body[10:], []
        while rest:
            n = struct.unpack(">H", rest[:2])[0]
            fields.append(rest[2 : 2 + n])
            rest = rest[2 + n :]
        self.client_id = fields.pop(0).decode()
        if flags & 4:
            topic, message = fields.pop(0), fields.pop(0)
            self.will = (topic.decode(), message, bool(flags & 0x20))
        self.user = fields.pop(0).decode() if flags & 0x80 else None
        self.password = fields.pop(0) if flags & 0x40 else None
        self.send(b"\x20\x02\x00" + bytes([self.broker.refuse_connect]))
        if not self.broker.refuse_connect:
            self.broker.arrived(self)

    def publish(self, first, body):
        n = struct.unpack(">H", body[:2])[0]
        topic, rest = body[2 : 2 + n].decode(), body[2 + n :]
        qos = first >> 1 & 3
        if qos:
            if not self.broker.withhold_puback:
                self.send(b"\x40\x02" + rest[:2])
            rest = rest[2:]
        self.broker.route(self, topic, rest, bool(first & 1))

    def subscribe(self, body):
        rest, codes = body[2:], b""
        added = []
        while rest:
            n = struct.unpack(">H", rest[:2])[0]
            added.append(rest[2 : 2 + n].decode())
            codes += bytes([min(rest[2 + n], 1)])
            rest = rest[3 + n :]
        self.topics.update(added)
        self.send(packet(0x90, body[:2] + codes))
        for topic in added:
            if topic in self.broker.retained:
                self.deliver(topic, self.broker.retained[topic], True)

    def deliver(self, topic, payload, retained=False):
        self.send(packet(0x31 if retained else 0x30, field(topic.encode()) + payload))


class Broker:
    """`on_message(topic, payload, retained)` is called for everything published; `publish` sends to subscribers.

    `tamper(topic, payload) -> payloads` may drop, repeat, change or hold back what goes to the board.
    """

    def __init__(self):
        self.retained, self.sessions, self.packets, self.connects = {}, [], [], 0
        self.on_message = lambda topic, payload, retained: None
        self.tamper = lambda topic, payload: [payload]
        self.refuse_connect, self.withhold_puback = 0, False
        self.port = 0
        self.listener = None
        self.lost = 0
        self.start()

    def start(self):
        """Listen, on the port of before."""
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(16)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = self.wrapped(sock)
            if sock is not None:
                threading.Thread(target=Session(self, sock).run, daemon=True).start()

    def wrapped(self, sock):
        """The socket to speak MQTT on, or None if it came to nothing: for a broker behind TLS."""
        return sock

    def arrived(self, session):
        self.connects += 1
        for old in [s for s in self.sessions if s.client_id == session.client_id]:
            old.sock.close()
        self.sessions.append(session)

    def note_lost(self, session):
        self.lost += 1

    def gone(self, session):
        if session in self.sessions:
            self.sessions.remove(session)
            if session.will:
                self.route(session, *session.will)

    def route(self, sender, topic, payload, retained):
        if retained:
            self.retained[topic] = payload
        self.on_message(topic, payload, retained)

    def publish(self, topic, payload, retained=False):
        """Send to the board; only retained messages reach one that isn't there."""
        if retained:
            self.retained[topic] = payload
        for session in list(self.sessions):
            if topic in session.topics:
                for data in self.tamper(topic, payload):
                    session.deliver(topic, data)

    def raw(self, data):
        """Send bytes that are no MQTT to every client."""
        for session in list(self.sessions):
            session.send(data)

    def cut(self):
        """Close every connection, without a word."""
        for session in list(self.sessions):
            try:
                session.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.note_lost(session)

    def stop(self):
        """Stop listening and cut everyone off, as a killed broker does."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.lost += 1
        self.listener.close()
        self.cut()

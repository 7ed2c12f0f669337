"""Our MQTT session against a real broker: mosquitto, where it is installed (paho-mqtt at the other end)."""

import select
import shutil
import socket
import subprocess
import time

import paho.mqtt.client as paho
import pytest

from mpwasm.wire.session import Session

pytestmark = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
LIMIT_S = 10


@pytest.fixture
def broker(tmp_path):
    """The port of a mosquitto of our own on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen(["mosquitto", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: reachable(port))
        yield port
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def until(condition):
    """Wait for `condition()`."""
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


class Line:
    """A session with a socket, as an agent drives it; `piece` bytes are read at a time."""

    def __init__(self, session, port, piece=7):
        self.session = session
        self.events = []
        self.piece = piece
        self.socket = socket.create_connection(("127.0.0.1", port))
        session.open(self.now())
        self.wait_for("connected")

    @staticmethod
    def now():
        return time.monotonic_ns() // 1000000

    def turn(self):
        """Write what there is, read what there is."""
        while data := self.session.outgoing():
            self.socket.sendall(data)
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        if poll.poll(10):
            self.events += self.session.feed(self.socket.recv(self.piece), self.now())
        self.events += self.session.tick(self.now())

    def wait_for(self, kind):
        """The first event of a kind, taken off the list."""
        found = []

        def look():
            self.turn()
            found.extend(event for event in self.events if event[0] == kind)
            return found

        until(look)
        self.events.remove(found[0])
        return found[0]

    def cut(self):
        """Lose the connection without a word."""
        self.socket.close()
        self.session.close()


def watcher(port, topic):
    """A paho client that collects (topic, payload, qos, retain) of `topic`."""
    heard, ready = [], []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="watcher")
    client.on_message = lambda client, data, message: heard.append((message.topic, message.payload, message.qos, message.retain))
    client.on_subscribe = lambda *rest: ready.append(True)
    client.connect("127.0.0.1", port)
    client.subscribe(topic, 1)
    client.loop_start()
    until(lambda: ready)
    return client, heard


def test_both_directions_with_qos_0_and_1(broker):
    client, heard = watcher(broker, "f/1/pico/#")
    try:
        line = Line(Session("pico"), broker)
        line.session.subscribe([("f/1/pico/blk", 0), ("f/1/pico/cmd", 1)])
        assert line.wait_for("subscribed")[2] == b"\x00\x01"
        assert line.session.publish("f/1/pico/log", b"line", line.now()) == 0
        packet_id = line.session.publish("f/1/pico/reported", b"x" * 1500, line.now(), 1, True)
        assert line.wait_for("acked") == ("acked", packet_id)
        until(lambda: len(heard) == 2)
        assert heard == [("f/1/pico/log", b"line", 0, False), ("f/1/pico/reported", b"x" * 1500, 1, False)]
        client.publish("f/1/pico/cmd", b"do", 1)
        assert line.wait_for("message") == ("message", "f/1/pico/cmd", b"do", False, False)
        client.publish("f/1/pico/blk", bytes(1100), 0)
        assert line.wait_for("message")[2] == bytes(1100)
        line.cut()
    finally:
        client.loop_stop()


def test_will_is_published_when_the_line_is_cut(broker):
    client, heard = watcher(broker, "f/1/pico/state")
    try:
        will = ("f/1/pico/state", b"lost", 1, True)
        Line(Session("pico", will=will), broker).cut()
        until(lambda: heard)
        assert heard == [("f/1/pico/state", b"lost", 1, False)]
    finally:
        client.loop_stop()


def test_unacknowledged_message_survives_the_connection(broker):
    client, heard = watcher(broker, "t")
    try:
        session = Session("pico")
        line = Line(session, broker)
        session.publish("t", b"kept", line.now(), 1)
        line.cut()  # before it was written
        line = Line(session, broker)
        line.wait_for("acked")
        until(lambda: heard)
        assert heard == [("t", b"kept", 1, False)] and session.inflight == 0
        line.cut()
    finally:
        client.loop_stop()


def test_retained_message_and_subscriptions_come_back_after_a_reconnect(broker):
    client, _ = watcher(broker, "unused")
    try:
        client.publish("f/1/pico/desired", b"pointer", 1, True).wait_for_publish(LIMIT_S)
        session = Session("pico")
        session.subscribe([("f/1/pico/desired", 1)])
        for _ in range(2):
            line = Line(session, broker)
            assert line.wait_for("message") == ("message", "f/1/pico/desired", b"pointer", True, False)
            line.cut()
    finally:
        client.loop_stop()


def test_keepalive_holds_a_quiet_line(broker):
    line = Line(Session("pico", keepalive_s=1), broker)
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        line.turn()
    assert line.session.wake() is not None and not line.events
    line.cut()

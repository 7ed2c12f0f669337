"""The wire of a board in a bottle: a stand-in for `agent.transport.Transport` with a broker and a fleet behind it, all in this process.

`Hub.filter(topic, payload)` gives the payloads that reach the board instead of one, so that a fleet can drop, repeat, change or delay.
"""

import sys

from update_bench import KEY

if sys.implementation.name == "micropython":
    sys.modules["select"] = sys.modules["socket"] = sys  # the VM of the tests has none, and `Pipe` needs none

from mpwasm.agent.transport import CLOSED, CONNECTING, OPEN
from mpwasm.wire import blocks, mqtt
from mpwasm.wire.mac import open_mac
from mpwasm.wire.report import Report

ROOM = 6144


def remaining(packet):
    """Where the variable header of a packet begins."""
    at = 1
    while packet[at] & 128:
        at += 1
    return at + 1


class Hub:
    """Broker and fleet of one board, in one: holds `desired`, serves `blobs` {digest: bytes}, keeps the last report.

    `up` False: nobody can connect. `clock()` is the time in ms; `later` is a list of (time, payload) that come on `blk` then.
    """

    def __init__(self, device, report_key, clock):
        self.prefix = "f/1/" + device + "/"
        self.report_key = report_key
        self.clock = clock
        self.blobs = {}
        self.desired = None
        self.report = None
        self.reports = 0
        self.states = []
        self.lines = 0
        self.gets = 0
        self.up = True
        self.serving = True
        self.later = []
        self.filter = lambda topic, payload: [payload]
        self.pipe = None

    def order(self, message):
        """Publish `desired`, retained."""
        self.desired = message
        self.send("desired", message)

    def send(self, name, payload):
        """A message to the board, if it is connected."""
        for each in self.filter(name, payload):
            self.deliver(name, each)

    def deliver(self, name, payload):
        """The same, not filtered."""
        if self.pipe and self.pipe.state == OPEN:
            self.pipe.inbox.extend(mqtt.publish(self.prefix + name, payload))

    def heard(self, packet):
        """A packet of the board's."""
        kind = packet[0] >> 4
        at = remaining(packet)
        if kind == 1:
            self.pipe.inbox.extend(b"\x20\x02\x00\x00")
        elif kind == 3:
            self._published(packet, at)
        elif kind == 8:
            self.pipe.inbox.extend(b"\x90\x05" + packet[at : at + 2] + b"\x01\x00\x01")
            if self.desired:
                self.send("desired", self.desired)
        elif kind == 12:
            self.pipe.inbox.extend(b"\xd0\x00")

    def _published(self, packet, at):
        size = packet[at] << 8 | packet[at + 1]
        name = str(packet[at + 2 : at + 2 + size], "utf-8")
        at += 2 + size
        if packet[0] & 6:
            self.pipe.inbox.extend(b"\x40\x02" + packet[at : at + 2])
            at += 2
        self._take(name, packet[at:])

    def _take(self, topic, payload):
        name = topic[len(self.prefix) :]
        if name == "get":
            self._serve(blocks.parse_get(payload))
        elif name == "reported":
            self.report = Report.parse(open_mac(self.report_key, topic, payload))
            self.reports += 1
        elif name == "state":
            self.states.append(str(payload, "utf-8"))
            del self.states[:-8]
        elif name == "log":
            self.lines += 1

    def _serve(self, get):
        self.gets += 1
        if self.serving and get[0] in self.blobs:
            for data in blocks.serve(self.blobs[get[0]], get):
                self.send("blk", data)

    def tick(self):
        """Deliver what was delayed until now."""
        due = [row for row in self.later if row[0] <= self.clock()]
        self.later = [row for row in self.later if row[0] > self.clock()]
        for _, payload in due:
            self.deliver("blk", payload)


class Pipe:
    """What `Transport` is to the link. `nap(ms)` is called where it would sleep."""

    why = ""

    def __init__(self, hub, nap):
        self.hub = hub
        self.nap = nap
        self.state = CLOSED
        self.inbox = bytearray()
        hub.pipe = self

    def open(self, now):
        """Begin to connect; False where the broker is down."""
        self.close()
        if self.hub.up:
            self.state = CONNECTING
        return self.hub.up

    def close(self):
        """Drop the connection and what was on its way."""
        self.state = CLOSED
        self.inbox = bytearray()

    def connected(self, now):
        """True: connecting takes no time."""
        self.state = OPEN
        return True

    def read(self, buf):
        """Bytes read into `buf`; CLOSED when the broker has gone."""
        if not self.hub.up:
            self.close()
            return 0
        count = min(len(buf), len(self.inbox))
        buf[:count] = self.inbox[:count]
        self.inbox = self.inbox[count:]
        return count

    def room(self):
        """As much as there ever is."""
        return ROOM

    def send(self, data):
        """One whole packet: heard at once."""
        if self.hub.up:
            self.hub.heard(data)

    def flush(self):
        """Nothing is held back."""

    def wait(self, ms):
        """Let the time go by."""
        self.nap(1 if self.inbox else ms)


def hub_of(device, clock):
    """A `Hub` for the board whose device key is `update_bench.KEY`."""
    from mpwasm.wire.mac import derive

    return Hub(device, derive(KEY, b"report"), clock)

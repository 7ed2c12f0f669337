"""Bounded rings for what a guest says, its lines and its readings, and for the agent's own lines.

Every entry has a counter that also counts those dropped for lack of room: a gap in the counters is their number.
"""

from mpwasm.compat import const
from mpwasm.wire.encoder import encode

INFO = 1
ERROR = 2
AGENT = 3

_LINES = const(24)
_READINGS = const(32)
_TEXT = const(160)


def text(raw):
    """`raw` bytes as str: UTF-8, or else with ``?`` for every byte that isn't ASCII."""
    try:
        return str(raw, "utf-8")
    except ValueError:
        return "".join([chr(b) if b < 128 else "?" for b in raw])


class Ring:
    """At most `limit` entries; the oldest give way. `counter` is that of the newest, `dropped` how many gave way."""

    def __init__(self, limit):
        self.limit = limit
        self.entries = []
        self.counter = 0
        self.dropped = 0

    def add(self, entry):
        """Put in `entry`, a list whose first item becomes its counter."""
        self.counter += 1
        entry[0] = self.counter
        if len(self.entries) >= self.limit:
            self.entries.pop(0)
            self.dropped += 1
        self.entries.append(entry)

    def batch(self, count):
        """The payload (CBOR bytes) of the oldest entries, at most `count`."""
        return encode(self.entries[:count])

    def sent(self, count):
        """Forget the oldest entries, at most `count`: they went out."""
        del self.entries[:count]


class Log:
    """The sink of guests and agent: `lines` [counter, uptime ms, level, text], `readings` [counter, uptime ms, name, value, scale]."""

    def __init__(self, board):
        self.board = board
        self.lines = Ring(_LINES)
        self.readings = Ring(_READINGS)

    def line(self, level, raw):
        """A line of a guest, bytes."""
        self.lines.add([0, self.board.uptime_ms(), level, text(raw[:_TEXT])])

    def note(self, words):
        """A line of the agent itself, str; shown on the console too."""
        print("agent:", words)
        self.lines.add([0, self.board.uptime_ms(), AGENT, words[:_TEXT]])

    def reading(self, name, value, scale):
        """A reading: `value` times ten to the power of `scale`."""
        self.readings.add([0, self.board.uptime_ms(), name, value, scale])

"""What an emulated RP2040 does, seen from outside in its own time and at no cost to it: turns of the agent's loop, and what goes over TCP."""

from rp2040py.external.cyw43 import nat

_LOAD = 0x04  # WATCHDOG LOAD (RP2040 datasheet, 4.7.6): written when the watchdog is fed, which the agent does at each turn


class Watch:
    """Of the chip `chip`, whose time `clock()` tells in seconds: `turns` [time of each feeding of the watchdog], `heard` and `said` [(time,
    bytes)] of each piece of a TCP stream. To be closed."""

    def __init__(self, chip, clock):
        self.clock = clock
        self.turns, self.heard, self.said = [], [], []
        self._chip, self._write = chip, chip.watchdog.write_uint32
        self._segment, self._frame = nat.TcpReflector._on_guest_segment, nat.TcpReflector._build_tcp_frame
        chip.watchdog.write_uint32 = self._written
        watch = self

        def segment(reflector, flow, tcp):
            watch._note(watch.said, tcp.payload)
            watch._segment(reflector, flow, tcp)

        def frame(reflector, flow, **fields):
            watch._note(watch.heard, fields.get("payload"))
            return watch._frame(reflector, flow, **fields)

        nat.TcpReflector._on_guest_segment, nat.TcpReflector._build_tcp_frame = segment, frame

    def _written(self, offset, value):
        if offset == _LOAD:
            self.turns.append(self.clock())
        self._write(offset, value)

    def _note(self, pieces, data):
        if data:
            pieces.append((self.clock(), bytes(data)))

    def close(self):
        """Let the chip and its network be as they were."""
        self._chip.watchdog.write_uint32 = self._write
        nat.TcpReflector._on_guest_segment, nat.TcpReflector._build_tcp_frame = self._segment, self._frame

    def gaps(self, start, end):
        """The times in seconds without a turn, of the turns that lie between two times, as (how long, from when on), the longest first."""
        times = [time for time in list(self.turns) if start <= time <= end]
        return sorted(((later - earlier, earlier) for earlier, later in zip(times, times[1:])), reverse=True) or [(end - start, start)]


def first(pieces, text, since):
    """When `text` (bytes) was first complete in a stream of pieces (time, bytes) after the time `since`; None if it was not."""
    whole = b""
    for time, data in list(pieces):
        if time >= since:
            whole += data
            if text in whole:
                return time
    return None


def last(pieces, text, since):
    """The time of the last piece after `since` that has `text` (bytes) in it; None if none has."""
    return max((time for time, data in list(pieces) if time >= since and text in data), default=None)

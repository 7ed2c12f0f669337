"""`select` of a simulated board: poll over sockets; waiting lets the processor sleep."""

import _board
import _vm
import uctypes as _uctypes
from simgc import relieve as _relieve

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16


class _Poll:
    """The object that `poll()` returns."""

    def __init__(self):
        self._wanted = {}

    def register(self, stream, mask=POLLIN | POLLOUT):
        """Watch `stream` (a socket) for `mask`."""
        self._wanted[stream] = mask

    def modify(self, stream, mask):
        """Watch a registered stream for another mask; OSError(ENOENT) if it is not registered."""
        if stream not in self._wanted:
            raise OSError(2)
        self._wanted[stream] = mask

    def unregister(self, stream):
        """Watch `stream` no longer."""
        del self._wanted[stream]

    def poll(self, timeout=-1):
        """[(stream, events), ...] of those with something to tell, after at most `timeout` ms (< 0: no limit)."""
        _relieve()
        timeout = -1 if timeout is None else int(timeout)
        streams = [stream for stream in self._wanted if stream.fileno() is not None]
        if not streams:
            _vm.sleep(max(0, timeout))
            return []
        table = bytearray(3 * len(streams))
        for i, stream in enumerate(streams):
            number = stream.fileno()
            table[3 * i], table[3 * i + 1], table[3 * i + 2] = number & 255, number >> 8, self._wanted[stream]
        if not _board.poll(_uctypes.addressof(table), len(streams), timeout):
            return []
        return [(stream, table[3 * i + 2]) for i, stream in enumerate(streams) if table[3 * i + 2]]

    def ipoll(self, timeout=-1, flags=0):
        """`poll` as an iterator."""
        return iter(self.poll(timeout))


def poll():
    """A new, empty poll object."""
    return _Poll()

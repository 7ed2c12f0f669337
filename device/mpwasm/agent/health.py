"""What the board knows about itself: boots, boot id, heap, port, firmware; and the message on `reported`."""

import gc
import sys

from mpwasm.compat import const
from mpwasm.wire.encoder import encode
from mpwasm.wire.seal import seal_mac

AGENT_VERSION = "0.1.0"
_ABI = const(1)


class Health:
    """Counted and measured facts for `reported`. `boots` comes from the journal; `boot_id` is new at each boot."""

    def __init__(self, board, boots):
        self.boots = boots
        self.boot_id = board.random(8)
        self.counter = 0
        self.min_free = self.free()
        self.port = sys.platform
        self.firmware = ".".join([str(n) for n in sys.implementation.version[:3]])

    def free(self):
        """Free heap in bytes; 0 where Python doesn't tell (CPython)."""
        return gc.mem_free() if hasattr(gc, "mem_free") else 0

    def measure(self):
        """Free heap now, and note the least seen."""
        free = self.free()
        self.min_free = min(self.min_free, free)
        return free

    def report(self, identity, updater, rssi):
        """The sealed report (bytes), made without the host's `wire.report` classes: the same map, in a fifth of the heap.

        The first component tells what was refused on `desired` since, where it has no detail of its own.
        """
        view = updater.view
        rows = view.components
        if updater.note and not rows[0][8]:
            rows = [dict(rows[0])] + rows[1:]
            rows[0][8] = updater.note
        self.counter += 1
        if self.free():
            gc.collect()  # free heap means what is left when the garbage is out
        body = {
            1: view.seq,
            2: rows,
            3: self.boot_id,
            4: self.counter,
            5: self.boots,
            6: self.measure(),
            7: rssi,
            8: _ABI,
            9: view.nonce,
            10: view.floor,
            11: view.keys_version,
            12: self.port,
            13: self.firmware,
            14: AGENT_VERSION,
            15: self.min_free,
            16: updater.board.uptime_ms(),
            17: updater.executor(),
        }
        return seal_mac(identity[20], identity[21] + "reported", encode(body))

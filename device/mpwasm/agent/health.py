"""What the board knows about itself: boots, boot id, heap, port, firmware."""

import gc
import sys

AGENT_VERSION = "0.1.0"


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

    def next_counter(self):
        """The number of the next report in this boot."""
        self.counter += 1
        return self.counter

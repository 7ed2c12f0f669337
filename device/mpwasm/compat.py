"""The few names in which CPython and MicroPython differ, so that board code is written once.

`const` is spelt here because mpy-cross folds ``const(...)`` only under that plain name.
"""

try:
    from micropython import const
except ImportError:

    def const(value):
        """Return `value`: CPython has no constant folding to ask for."""
        return value


try:
    from time import ticks_add, ticks_diff, ticks_ms
except ImportError:
    import time

    def ticks_ms():
        """Milliseconds from a free-running clock (MicroPython `time.ticks_ms`)."""
        return time.monotonic_ns() // 1000000

    def ticks_diff(end, start):
        """Milliseconds from `start` to `end`, both from `ticks_ms`."""
        return end - start

    def ticks_add(ticks, delta_ms):
        """The tick value `delta_ms` milliseconds after `ticks`."""
        return ticks + delta_ms

"""The board's hardware behind the few calls that host functions and agent need; `ports` adds buses for guests that use one."""

import time

from mpwasm.compat import const, ticks_diff, ticks_ms

_EPOCH_2000_S = const(946684800)
_NS_PER_MS = const(1000000)


class Board:
    """Pins, converters, clocks and randomness of the board this runs on; `granted` are its capability strings.

    Time is uptime in milliseconds as a plain growing int: ticks wrap after 2^30 ms on MicroPython, so `uptime_ms` must be
    called at least once in six days; the agent's loop calls it each turn. `state` is the folder of guests' stores (`kv`).
    """

    state = "/state"
    watchdog = None

    def __init__(self, granted=()):
        self.granted = granted
        self._ticks = ticks_ms()
        self._uptime_ms = 0
        # MicroPython ports count seconds from 1970 or from 2000 (ESP32): gmtime(0) tells.
        self._epoch_s = _EPOCH_2000_S if time.gmtime(0)[0] == 2000 else 0

    def uptime_ms(self):
        """Milliseconds since this object was made; never goes back."""
        now = ticks_ms()
        self._uptime_ms += max(0, ticks_diff(now, self._ticks))
        self._ticks = now
        return self._uptime_ms

    def monotonic_ns(self):
        """Nanoseconds of the same clock, in steps of a millisecond."""
        return self.uptime_ms() * _NS_PER_MS

    def wall_ns(self):
        """Nanoseconds since 1970 by the board's own clock, which nothing guarantees to be set."""
        return time.time_ns() + self._epoch_s * 1000000000

    def feed(self):
        """Keep the watchdog, where one is armed, from resetting the board: at least once in 8 s. Called each turn, and where work goes on."""
        if self.watchdog:
            self.watchdog.feed()

    def pin(self, number, mode):
        """A pin object with ``value()`` and ``value(v)``; mode 0 in, 1 out, 2 in with pull-up, 3 in with pull-down.

        Raises ValueError where the board has no such pin.
        """
        from machine import Pin

        if mode == 1:
            return Pin(number, Pin.OUT)
        if mode == 0:
            return Pin(number, Pin.IN)
        return Pin(number, Pin.IN, Pin.PULL_UP if mode == 2 else Pin.PULL_DOWN)

    def adc(self, number):
        """A converter object with ``read_u16()`` for pin `number`; raises ValueError where the pin has none."""
        from machine import ADC, Pin

        return ADC(Pin(number))

    def random(self, count):
        """`count` random bytes from the port's best source."""
        from os import urandom

        return urandom(count)

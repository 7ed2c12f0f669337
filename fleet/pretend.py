"""A pretended board for `fleet run`: pins, converters and buses that tell what a guest does with them, clocks that can run ahead."""

import os
import time

LEVELS = {1: "out", 0: "in", 2: "in with pull-up", 3: "in with pull-down"}
OWN = 0xFFFFFFFF


class Pin:
    """One pin; what a guest drives is told when it changes."""

    def __init__(self, number, mode, board):
        self.number, self.mode, self.board = number, mode, board
        self.level = board.pins.get(number, 1 if mode == 2 else 0)

    def value(self, level=None):
        """The level, or set it."""
        if level is None:
            return self.level
        if level != self.board.driven.get(self.number):
            self.board.driven[self.number] = level
            self.board.tell("pin", number=self.number, level=level)
        self.level = level


class Adc:
    """One converter with a constant value."""

    def __init__(self, value):
        self.value = value

    def read_u16(self):
        """The value, 0..65535."""
        return self.value


class Port:
    """A bus, serial port or pulse-width output with nothing at its other end: it tells what is sent, and reads zeros."""

    def __init__(self, kind, number, board):
        self.kind, self.number, self.tell = kind, number, board.tell

    def _sent(self, data, **more):
        self.tell(self.kind, number=self.number, sent=bytes(data).hex(), **more)
        return len(data)

    def writeto(self, address, data, _stop=True):
        """I2C write."""
        self._sent(data, address=address)

    def readfrom_into(self, address, into):
        """I2C read of zeros."""
        self.tell(self.kind, number=self.number, address=address, read=len(into))

    def scan(self):
        """No device is on the bus."""
        return []

    def write(self, data):
        """SPI or serial output."""
        return self._sent(data)

    def readinto(self, into, fill=0):
        """Nothing comes."""
        return 0

    def write_readinto(self, data, into):
        """SPI transfer; zeros come back."""
        self._sent(data)
        into[:] = bytes(len(into))

    def any(self):
        """Nothing waits."""
        return 0

    def duty_u16(self, duty):
        """Pulse-width output."""
        self.tell(self.kind, number=self.number, duty=duty)


class PretendBoard:
    """What host functions ask of a board. `tell(kind, **facts)` is called for each act; `pins` and `adcs` hold what guests read.

    With `ahead`, sleeping takes no time: the clocks jump.
    """

    granted = ("*",)

    def __init__(self, tell, pins, adcs, state, ahead=False):
        self.tell, self.pins, self.adcs, self.state, self.ahead = tell, pins, adcs, state, ahead
        self.driven = {}
        self.skipped_ns = 0
        self.started_ns = time.monotonic_ns()

    def monotonic_ns(self):
        """Nanoseconds since the start, jumps included."""
        return time.monotonic_ns() - self.started_ns + self.skipped_ns

    def uptime_ms(self):
        """The same in milliseconds."""
        return self.monotonic_ns() // 1_000_000

    def wall_ns(self):
        """Nanoseconds since 1970, jumps included."""
        return time.time_ns() + self.skipped_ns

    def wait(self, delay_ms):
        """Let time pass, or jump over it."""
        if self.ahead:
            self.skipped_ns += max(delay_ms, 0) * 1_000_000
        elif delay_ms > 0:
            time.sleep(delay_ms / 1000)

    def random(self, count):
        """`count` random bytes."""
        return os.urandom(count)

    def pin(self, number, mode):
        """A pin in a mode, which is told."""
        self.tell("mode", number=number, mode=LEVELS[mode])
        return Pin(number, mode, self)

    def adc(self, number):
        """A converter; half of full scale unless told otherwise."""
        return Adc(self.adcs.get(number, 32768))

    def port(self, kind, number, settings):
        """A bus with nothing on it."""
        self.tell(kind, number=number, settings=[value for value in settings if value != OWN])
        return Port(kind, number, self)

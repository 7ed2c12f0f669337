"""What the tests of host functions share: an instance with memory that traps, a board, a sink."""

import os

from mpwasm.errors import Trap
from mpwasm.wasi.resolver import make_resolver

WASI = "wasi_snapshot_preview1"
I32, I64 = 0x7F, 0x7E
EVERYTHING = ("log", "clock", "random", "args", "gpio:*", "adc:*", "telemetry:*", "i2c:*", "spi:*", "uart:*", "pwm:*", "kv")
TYPES = {"i": 0x7F, "I": 0x7E, "f": 0x7D, "F": 0x7C}


class Memory:
    """Guest memory of 64 KiB; every access outside it traps, as the engine's does."""

    def __init__(self):
        self.data = bytearray(65536)

    def _check(self, addr, size):
        if addr < 0 or addr + size > len(self.data):
            raise Trap(1, "out of bounds")

    def load(self, addr, buf):
        self._check(addr, len(buf))
        buf[:] = self.data[addr : addr + len(buf)]

    def store(self, addr, buf):
        self._check(addr, len(buf))
        self.data[addr : addr + len(buf)] = buf

    def number(self, addr, size):
        return int.from_bytes(self.data[addr : addr + size], "little")

    def put(self, addr, value, size):
        self._check(addr, size)
        self.data[addr : addr + size] = value.to_bytes(size, "little")

    def read_u32(self, addr):
        self._check(addr, 4)
        return self.number(addr, 4)

    def write_u32(self, addr, value):
        self.put(addr, value, 4)

    def write_u64(self, addr, value):
        self.put(addr, value, 8)


class Inst:
    def __init__(self):
        self.memory = Memory()
        self.pause = False


class Pin:
    def __init__(self, number):
        self.number = number
        self.level = 0

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level


class Adc:
    def read_u16(self):
        return 40000


class Port:
    """A bus, serial port or pulse-width output that remembers what was done with it; device 0x48 echoes what it was told."""

    def __init__(self, kind, number, settings):
        self.what = (kind, number, settings)
        self.done = []
        self.told = b""
        self.waiting = b""
        self.closed = False

    def writeto(self, address, data, stop=True):
        if address != 0x48:
            raise OSError(19)
        self.told = bytes(data)
        self.done.append((address, bytes(data), stop))

    def readfrom_into(self, address, into):
        if address != 0x48:
            raise OSError(19)
        for i in range(len(into)):
            into[i] = self.told[i % len(self.told)] if self.told else 0

    def scan(self):
        return [0x48]

    def write(self, data):
        self.done.append(bytes(data))
        return len(data)

    def readinto(self, into, fill=0):
        for i in range(len(into)):
            into[i] = self.waiting[i] if i < len(self.waiting) else fill
        return len(into)

    def write_readinto(self, out, into):
        self.done.append(bytes(out))
        for i in range(len(into)):
            into[i] = out[i] ^ 0xFF

    def any(self):
        return len(self.waiting)

    def duty_u16(self, duty):
        self.done.append(duty)

    def deinit(self):
        self.closed = True


def folder():
    """Where the fake board keeps its state: a real board has no /tmp."""
    try:
        os.stat("/tmp")
    except OSError:
        return ""
    return "/tmp"


class Board:
    state = folder()

    def __init__(self, granted=EVERYTHING):
        self.granted = granted
        self.ports = {}
        self.now_ms = 5000
        self.made = []

    def uptime_ms(self):
        return self.now_ms

    def monotonic_ns(self):
        return self.now_ms * 1000000

    def wall_ns(self):
        return 1700000000000000000

    def random(self, count):
        return bytes([0xA5] * count)

    def pin(self, number, mode):
        if number > 40:
            raise ValueError("no such pin")
        self.made.append((number, mode))
        return Pin(number)

    def port(self, kind, number, settings):
        if number > 31:
            raise ValueError("no such port")
        self.ports[(kind, number)] = Port(kind, number, settings)
        return self.ports[(kind, number)]

    def adc(self, number):
        if not 26 <= number <= 29:
            raise ValueError("no such channel")
        return Adc()


class Sink:
    def __init__(self):
        self.lines = []
        self.readings = []

    def line(self, level, raw):
        self.lines.append((level, raw))

    def reading(self, name, value, scale):
        self.readings.append((name, value, scale))


def guest(caps=EVERYTHING, granted=EVERYTHING, config=None):
    board, sink = Board(granted), Sink()
    return make_resolver(caps, board, sink, "mod", config), Inst(), board, sink


def trapped(fn, *args):
    try:
        fn(*args)
    except Trap:
        return True
    return False


def get(host, name, params, module=WASI, results="i"):
    """The host function of that name and type, its types in the table's letters."""
    return host(module, name, bytes([TYPES[c] for c in params]), bytes([TYPES[c] for c in results]))

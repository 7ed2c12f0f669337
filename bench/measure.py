"""Loads and runs programs in our engine, on both Pythons (MicroPython dialect)."""

import gc

from mpwasm.compat import ticks_diff, ticks_ms
from mpwasm.wasm.instance import DONE, Instance
from mpwasm.wasm.load import load_module

SLICE = 1000


class Slow:
    """A stream that gives 16 bytes at a time, and between them looks how much of the heap is in use."""

    def __init__(self, raw, used):
        self.raw = memoryview(raw)
        self.pos = 0
        self.used = used
        self.peak = 0

    def readinto(self, buffer):
        """The next bytes."""
        n = min(16, len(self.raw) - self.pos)
        buffer[:n] = self.raw[self.pos : self.pos + n]
        self.pos += n
        self.peak = max(self.peak, self.used())
        return n


class Plain:
    """A stream over bytes."""

    def __init__(self, raw):
        self.raw = memoryview(raw)
        self.pos = 0

    def readinto(self, buffer):
        """The next bytes."""
        n = min(len(buffer), len(self.raw) - self.pos)
        buffer[:n] = self.raw[self.pos : self.pos + n]
        self.pos += n
        return n


def used():
    """Bytes of the heap in use (MicroPython only)."""
    gc.collect()
    return gc.mem_alloc()


def memory(raw):
    """(bytes that loading needs at its peak beyond what it leaves, bytes it leaves); MicroPython only."""
    stream = Slow(raw, used)
    before = used()
    module = load_module(stream)
    after = used()
    assert module is not None
    return max(0, stream.peak - after), after - before


def load_ms(raw, rounds):
    """Milliseconds that loading takes, the mean of `rounds`."""
    start = ticks_ms()
    for _ in range(rounds):
        load_module(Plain(raw))
    return ticks_diff(ticks_ms(), start) / rounds


def run(raw):
    """(checksum, milliseconds, slot ops in thousands) of a call of ``run``."""
    instance = Instance(load_module(Plain(raw)), None)
    start = ticks_ms()
    instance.begin("run")
    slices = 1
    while instance.run(SLICE) != DONE:
        slices += 1
    return instance.results[0] & 0xFFFFFFFF, ticks_diff(ticks_ms(), start), slices

"""The soak bites: 150 bytes lost with each update are found out after a day of ten."""

import gc
import tracemalloc

import soaking
from test_soak import ALLOWED


def grown(leak):
    """By how many bytes the heap of this Python grows in a day."""
    made = soaking.Soak(1, 10, leak)
    made.run()
    return made.grown


def used():
    """Bytes in use, as CPython counts them."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_a_leak_is_found_out(monkeypatch):
    monkeypatch.setattr(soaking, "used", used)
    tracemalloc.start()
    try:
        sound, leaking = grown(0), grown(150)
    finally:
        tracemalloc.stop()
    assert sound <= ALLOWED < leaking, (sound, leaking)

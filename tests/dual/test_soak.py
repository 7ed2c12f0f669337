"""A short soak on both Pythons; `make soak` runs `month` in the MicroPython VM."""

import sys

from expect import raises
from soaking import Soak

ALLOWED = 2048


def soak(days, updates, leak=0):
    made = Soak(days, updates, leak)
    made.run()
    print(
        "%d days, %d updates: %d confirmed, %d rolled back, %d outages; heap grew by %d bytes"
        % (days, updates, made.confirmed, made.rolled_back, made.outages, made.grown)
    )
    assert made.confirmed + made.rolled_back == updates and made.rolled_back == updates // 10
    assert made.grown <= ALLOWED, made.grown


def test_a_day():
    """A day with a bad module in it; on MicroPython, which takes ten times as long, three hours without."""
    if sys.implementation.name == "cpython":
        soak(1, 10)
    else:
        soak(1 / 8, 3)


def leaking():
    """Three days with 200 bytes lost per update are found out."""
    raises(AssertionError, lambda: soak(3, 20, 200))


def month():
    """Thirty days."""
    soak(30, 200)

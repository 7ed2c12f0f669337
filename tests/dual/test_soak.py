"""A short soak on both Pythons; `make soak` runs `month` in the MicroPython VM."""

import sys

from soaking import Soak

ALLOWED = 2048


def soak(days, updates):
    made = Soak(days, updates)
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


def month():
    """Thirty days."""
    soak(30, 200)

"""`time` as on a board, but waiting lets the processor sleep (the port's own sleep spins)."""

import _vm
from simgc import relieve as _relieve
from utime import *  # noqa: F403 - the port's own module under its old name


def sleep_ms(ms):
    """Wait `ms` milliseconds."""
    _relieve()
    _vm.sleep(ms)


def sleep_us(us):
    """Wait `us` microseconds."""
    _vm.sleep(us / 1000)


def sleep(seconds):
    """Wait `seconds`, an int or a float."""
    _relieve()
    _vm.sleep(seconds * 1000)

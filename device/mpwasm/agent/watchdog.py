"""The hardware watchdog: resets a board whose agent hangs. Armed before the agent boots, disarmed when it ends in a way that it notices."""

import sys

from mpwasm.compat import const

_TIMEOUT_MS = const(8000)  # the RP2040's watchdog counts to 8.3 s
_NEVER_MS = const(86400000)
_RP2040_CONTROL = const(0x4005B000)  # WATCHDOG CTRL, its alias that clears bits (RP2040 datasheet, 2.1.2 and 4.7.6)
_RP2350_CONTROL = const(0x400DB000)
_ENABLE = const(1 << 30)


def arm(board):
    """Reset the board if `board.feed` isn't called for 8 s."""
    from machine import WDT

    board.watchdog = WDT(timeout=_TIMEOUT_MS)


def disarm(board):
    """Let the board live without being fed: at the REPL, or while it waits to be reset."""
    if sys.platform == "rp2":
        from machine import mem32

        mem32[_RP2350_CONTROL if "RP2350" in sys.implementation._machine else _RP2040_CONTROL] = _ENABLE
    elif sys.platform == "esp32":
        from machine import WDT

        WDT(timeout=_NEVER_MS)
    board.watchdog = None

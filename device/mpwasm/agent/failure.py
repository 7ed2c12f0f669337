"""What is said of an exception of engine or guest: a stable reason, and details as short text; imported when there is one, and for a start."""

import gc

from mpwasm.compat import const
from mpwasm.errors import Exhausted, GuestExit, Invalid, Malformed, Refused, Trap, Unlinkable

_GRAIN = const(256)
_RUNAWAY = const(122)


def runaway(guest):
    """The `Exhausted` of a guest that computes and never waits, with the frames that it is in."""
    error = Exhausted(_RUNAWAY, "%d ms without a wait" % guest.busy)
    error.backtrace = guest.inst.backtrace()
    return error


def refusal(error):
    """The `Refused` that says what an exception of engine or guest was."""
    return Refused(reason_of(error), detail_of(error))


def reason_of(error):
    """The stable reason name for an exception; None for one that is neither engine's nor guest's."""
    if isinstance(error, Refused):
        return error.reason
    for cls, reason in (
        (Malformed, "malformed"),
        (Invalid, "invalid"),
        (Unlinkable, "unlinkable"),
        (Exhausted, "exhausted"),
        (Trap, "trap"),
        (GuestExit, "exit"),
        (MemoryError, "no-memory"),
    ):
        if isinstance(error, cls):
            return reason
    return None


def detail_of(error):
    """What else there is to say: code and detail, offset and function, backtrace, as short text."""
    if isinstance(error, Refused):
        return error.detail or ""
    if isinstance(error, MemoryError):
        return shortage(error)
    words = "code %d" % error.code if hasattr(error, "code") else type(error).__name__
    if getattr(error, "detail", None):
        words += " " + str(error.detail)
    if getattr(error, "offset", -1) >= 0:
        words += " at %d" % error.offset
    for function, offset in getattr(error, "backtrace", ())[:4]:
        words += " in %s+%d" % (function, offset)
    return words[:120]


def lack(error):
    """Why there is no machine code, for a MemoryError."""
    return "no-memory, " + shortage(error)


def shortage(error):
    """What a MemoryError is about: the bytes that were wanted, and the largest piece of the heap that is free; on CPython its name."""
    if not hasattr(gc, "mem_free"):
        return "MemoryError"
    gc.collect()
    low, high = 0, gc.mem_free()
    while high - low > _GRAIN:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    from mpwasm.agent.room import wanted

    return "wanted %s, largest free %d" % (wanted(error) or "?", low)

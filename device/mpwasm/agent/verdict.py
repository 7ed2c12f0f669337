"""Names and words for the exceptions of engine and guest; imported when there is one."""

from mpwasm.errors import Exhausted, GuestExit, Invalid, Malformed, Refused, Trap, Unlinkable


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
    words = "code %d" % error.code if hasattr(error, "code") else type(error).__name__
    if getattr(error, "detail", None):
        words += " " + str(error.detail)
    if getattr(error, "offset", -1) >= 0:
        words += " at %d" % error.offset
    for function, offset in getattr(error, "backtrace", ())[:4]:
        words += " in %s+%d" % (function, offset)
    return words[:120]

"""Executable memory that a port gives back at a soft reset only (ESP32): how much is free, and whether it was that which lacked."""


try:
    import esp32
except ImportError:  # found out once: a search on flash takes 5 ms
    esp32 = None


class Again(Exception):
    """Machine code does not fit executable memory now; it will after a soft reset, which frees what old code holds. Its argument says how much."""


def largest():
    """The largest free piece of executable memory in bytes; None where machine code lies in the heap."""
    if esp32 is None:
        return None
    return max([0] + [region[2] for region in esp32.idf_heap_info(esp32.HEAP_EXEC)])


def left():
    """The same in words, for the report."""
    free = largest()
    return "" if free is None else ", %d B left" % free


def wanted(error):
    """The bytes that a MemoryError names, 0 if it names none."""
    return int("".join([c for c in str(error) if c in "0123456789"]) or "0")


def lacking(error):
    """What to say of a MemoryError if it was executable memory that lacked, else ""; the firmware copies code there from the heap."""
    free = largest()
    if free is None or wanted(error) <= free:
        return ""
    return "executable memory: wanted %d, free %d" % (wanted(error), free)

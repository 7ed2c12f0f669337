"""Names and words for what guest and engine may raise."""

from mpwasm.agent.launch import detail_of, reason_of
from mpwasm.errors import Exhausted, GuestExit, Invalid, Malformed, Refused, Trap, Unlinkable


def test_reasons():
    for error, reason in (
        (Malformed(1), "malformed"),
        (Invalid(1), "invalid"),
        (Unlinkable(1, "a.b"), "unlinkable"),
        (Trap(1), "trap"),
        (Exhausted(1), "exhausted"),
        (GuestExit(3), "exit"),
        (MemoryError(), "no-memory"),
        (Refused("digest"), "digest"),
        (KeyError(1), None),
    ):
        assert reason_of(error) == reason, reason


def test_details():
    trap = Trap(7)
    trap.backtrace = [(3, 14), ("main", 2)]
    assert detail_of(trap) == "code 7 in 3+14 in main+2"
    assert detail_of(Unlinkable(1, "gpio.toggle")) == "code 1 gpio.toggle"
    assert detail_of(Malformed(5, None, 99)) == "code 5 at 99"
    assert detail_of(GuestExit(3)) == "code 3"
    assert detail_of(MemoryError()) == "MemoryError" or detail_of(MemoryError("allocating 8208 bytes")).startswith("wanted 8208, largest free ")
    assert detail_of(Refused("digest")) == "" and detail_of(Refused("digest", "flash")) == "flash"
    assert len(detail_of(Unlinkable(1, "x" * 500))) == 120

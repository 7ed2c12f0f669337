"""Names and words for what guest and engine may raise; a compilation that is told of a lack of memory elsewhere."""

import io

from wasmbuild import module

from mpwasm.agent import making
from mpwasm.agent.failure import detail_of, reason_of
from mpwasm.errors import Exhausted, GuestExit, Invalid, Malformed, Refused, Trap, Unlinkable
from mpwasm.wasm.load import load_module


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


def test_memory_that_lacks_elsewhere_ends_a_compilation():
    function = 0, b"", b"\x20\x00\x20\x01\x6a\x21\x00" * 400 + b"\x20\x00"
    loaded = load_module(io.BytesIO(module(types=[(b"\x7f\x7f", b"\x7f")], funcs=[function], exports={"add": (0, 0)})))
    task = making.image(None, bytes(32), loaded, (4, 3))
    while next(task) is None:
        pass
    try:
        task.throw(MemoryError("memory allocation failed, allocating 828 bytes"))
    except StopIteration as end:
        said = end.value
    assert said == "no-memory, MemoryError" or said.startswith("no-memory, wanted 828, largest free ")

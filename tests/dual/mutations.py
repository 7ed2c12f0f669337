"""Mutates modules and runs what comes of it a little, on both Pythons: only the named errors may come out."""

import io

import wasmbuild as w

from mpwasm.errors import GuestExit, Invalid, Malformed, Trap, Unlinkable
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module

STEPS = 300
CODES = (1, 24, 40, 60, 70, 75, 80, 82, 100, 108, 120, 122)


class Random:
    """A seedable generator that is the same on every Python (xorshift32)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        """A number from 0 to n - 1."""
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return (x >> 4) % n

    def bytes(self, n):
        """`n` random bytes."""
        return bytes([self.below(256) for _ in range(n)])


def rich():
    """A module with every section and most kinds of instruction."""
    body = w.code(
        0x02, 0x40, 0x03, 0x40, 0x20, 0, w.i32(1), 0x6B, 0x22, 0, 0x45, 0x0D, 1, 0x20, 0, 0x0E, 2, 0, 1, 0, 0x0B, 0x0B,
        0x20, 0, w.i32(1), 0x11, 0, 0, 0x1A, w.i32(8), 0x28, 2, 4, 0x20, 0, w.i32(7), 0x1B,
    )  # fmt: skip
    wide = w.code(0x20, 0, w.i64(1 << 40), 0x7E, 0x22, 0, 0xA7, 0x3F, 0, 0x6C, 0x24, 0, 0x23, 0, 0xAD)
    return w.module(
        types=[(b"\x7f", b"\x7f"), (b"\x7e", b"\x7e"), (b"", b"")],
        imports=[("env", "f", 0, b"\x02")],
        funcs=[(0, [(2, w.I64)], body), (1, [], wide), (2, [], w.code(0x10, 0))],
        tables=[(4, 8)],
        memory=(1, 4),
        globals_=[(w.I32, 1, w.i32(3))],
        exports={"a": (0, 1), "b": (0, 2), "m": (2, 0)},
        start=3,
        elems=[(1, [1, 1])],
        datas=[(4, b"some data")],
    )


def mutate(rng, raw):
    """One to four random changes: a byte flipped, set, dropped, doubled, the end cut, or a piece of garbage put in."""
    raw = bytes(raw)
    for _ in range(1 + rng.below(4)):
        at = rng.below(len(raw))
        kind = rng.below(6)
        before, b, after = raw[:at], raw[at], raw[at + 1 :]
        if kind == 0:
            raw = before + bytes((b ^ 1 << rng.below(8),)) + after
        elif kind == 1:
            raw = before + bytes(((0, 1, 0x7F, 0x80, 0xFF, 0x0B, rng.below(256))[rng.below(7)],)) + after
        elif kind == 2 and len(raw) > 1:
            raw = before + after
        elif kind == 3:
            raw = before + bytes((b, b)) + after
        elif kind == 4 and len(raw) > 9:
            raw = raw[: max(9, at)]
        else:
            raw = before + rng.bytes(1 + rng.below(6)) + raw[at:]
    return raw


def host(module, name, params, results):
    """Whatever is imported: a function that returns 1, or a global that is 1."""
    if params is None:
        return 1
    return lambda inst, *args: 1


def run(raw):
    """Load, link, start and run every export a little; returns how it ended."""
    try:
        module = load_module(io.BytesIO(raw))
        instance = Instance(module, host, max_memory=1 << 16)
        for name in module.exports:
            kind, index = module.exports[name]
            if kind == 0:
                instance.begin(name, *([5] * len(module.types[module.funcs[index]][0])))
                instance.run(STEPS)
    except (Malformed, Invalid, Unlinkable, Trap) as error:
        assert codes_known(error)
        return type(error).__name__
    except GuestExit:
        return "exit"
    return "ran"


def codes_known(error):
    """Whether the error's code is one of ours."""
    return any(CODES[i] <= error.code <= CODES[i + 1] for i in range(0, len(CODES), 2))

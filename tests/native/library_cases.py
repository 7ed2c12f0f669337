"""Operands for the run-time library's functions, and what they should give by two references: our own Python arithmetic, and the machine's."""

import math
import random
import struct

from mpwasm.errors import Trap
from mpwasm.wasm import floats, numeric, wide
from mpwasm.wasm.opcodes import NUMERIC, SATURATING, SIGNATURES

INTEGERS = (0, 1, 2, 3, 10, 31, 32, 33, 63, 64, 255, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
F32, F64 = 0x7D, 0x7C
WIDE = (0x7E, F64)


def signature(opcode):
    """Value types of the instruction: operands, then the result."""
    return SIGNATURES[SATURATING[opcode - 0xFC00] if opcode >= 0xFC00 else NUMERIC[2 * (opcode - 0x45)] & 0x7F]


def edges(valtype):
    """Values at which arithmetic of `valtype` changes its ways, as signed numbers."""
    bits = 64 if valtype in WIDE else 32
    if valtype in (0x7F, 0x7E):
        top = 1 << (bits - 1)
        found = {*INTEGERS, top, top - 1, top + 1, 2 * top - 1, 2 * top - 2}
    else:
        f = floats.F64 if bits == 64 else floats.F32
        step = 1 << (f.digits - 1)
        bias = (1 << (bits - f.digits - 1)) - 1
        found = {0, 1, step - 1, step, f.infinity - 1, f.infinity, f.infinity + 1, f.nan}
        for power in (-2, -1, 0, 1, f.digits - 2, f.digits - 1, f.digits, 31, 32, 63, 64):
            one = (bias + power) * step
            found |= {one - 1, one, one + 1, one + step // 2}
        found |= {x | f.sign for x in found}
    return sorted(signed(x, bits) for x in found)


def signed(x, bits):
    """The pattern `x` as a signed int."""
    return x - (1 << bits) if x >> (bits - 1) & 1 else x


def random_value(rng, valtype):
    """Any pattern, or one of a size that is met more often."""
    bits = 64 if valtype in WIDE else 32
    x = rng.getrandbits(bits)
    if valtype in (0x7F, 0x7E):
        return signed(x >> rng.randrange(bits), bits)
    if rng.random() < 0.7:
        f = floats.F64 if bits == 64 else floats.F32
        exponent = (1 << (bits - f.digits - 1)) - 1 + rng.randrange(-4, 70)
        x = x & (f.sign | (1 << (f.digits - 1)) - 1) | exponent << (f.digits - 1)
    return signed(x, bits)


def cases(opcode, count, seed="library"):
    """`count` tuples of operands: edges with edges, edges with random ones, random ones."""
    rng = random.Random(f"{seed} {opcode}")
    types = signature(opcode)[:-1]
    sides = [edges(t) for t in types]
    for _ in range(count):
        yield tuple(rng.choice(side) if rng.random() < 0.6 else random_value(rng, t) for side, t in zip(sides, types))


def expected(opcode, operands):
    """What our own Python arithmetic says: a signed int, or None where the instruction traps."""
    x, y = (*operands, 0)[:2]
    try:
        if opcode in range(0x67, 0x6A):
            return wide.unary32(opcode + 6, x)
        if opcode in range(0x6D, 0x71):
            return numeric.wrap32(numeric.divide(opcode - 0x62, x, y, 32))
        if opcode in range(0x79, 0x7C):
            return wide.unary64(opcode + 0x4A, x)
        if opcode in range(0x7E, 0x8B):
            return wide.binary64(2 if opcode == 0x7E else opcode - (0x74 if opcode < 0x83 else 0x80), x, y)
        return floats.float_op(opcode, x, y)
    except Trap:
        return None


# the machine's own floats


def number(pattern, bits):
    """The float whose bits these are."""
    return struct.unpack("<d" if bits == 64 else "<f", (pattern & (1 << bits) - 1).to_bytes(bits // 8, "little"))[0]


def pattern(value, bits):
    """The bits of `value`, rounded once; the canonical NaN."""
    if math.isnan(value):
        return 0x7FF8 << 48 if bits == 64 else 0x7FC00000
    try:
        raw = struct.pack("<d" if bits == 64 else "<f", value)
    except OverflowError:  # rounds to infinity
        raw = struct.pack("<f", math.copysign(math.inf, value))
    return signed(int.from_bytes(raw, "little"), bits)


def divided(x, y):
    """x / y as IEEE 754 has it."""
    if y:
        return x / y
    return math.nan if not x or math.isnan(x) else math.copysign(math.inf, x) * math.copysign(1, y)


def root(x):
    """The square root as IEEE 754 has it."""
    return math.nan if x < 0 else x if x == 0 else math.sqrt(x)


MACHINE = (lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, divided)


def by_machine(opcode, operands):
    """What the machine's floating point says of add, sub, mul, div, sqrt, promote, demote and the conversions from i32; a double holds the
    exact f32 result closely enough for one more rounding to be right (2 * 24 + 2 < 53 digits)."""
    if opcode in (0xB2, 0xB3, 0xB7, 0xB8):
        x = operands[0] & 0xFFFFFFFF if opcode & 1 == (opcode < 0xB6) else operands[0]
        return pattern(float(x), 32 if opcode < 0xB6 else 64)
    if opcode in (0xB6, 0xBB):
        return pattern(number(operands[0], 64 if opcode == 0xB6 else 32), 32 if opcode == 0xB6 else 64)
    bits = 32 if opcode < 0x99 else 64
    values = [number(x, bits) for x in operands]
    first = 0x91 if bits == 32 else 0x9F
    return pattern(root(*values) if opcode == first else MACHINE[opcode - first - 1](*values), bits)

"""The numeric instructions by what they take and give, written down here once more, so that the engine's own table is checked
against them, and the constants worth trying."""

from tests.fuzz.tree import F32, F64, I32, I64

_ROWS = (
    (0x45, 0x45, (I32,), I32), (0x46, 0x4F, (I32, I32), I32), (0x50, 0x50, (I64,), I32), (0x51, 0x5A, (I64, I64), I32),
    (0x5B, 0x60, (F32, F32), I32), (0x61, 0x66, (F64, F64), I32), (0x67, 0x69, (I32,), I32), (0x6A, 0x78, (I32, I32), I32),
    (0x79, 0x7B, (I64,), I64), (0x7C, 0x8A, (I64, I64), I64), (0x8B, 0x91, (F32,), F32), (0x92, 0x98, (F32, F32), F32),
    (0x99, 0x9F, (F64,), F64), (0xA0, 0xA6, (F64, F64), F64), (0xA7, 0xA7, (I64,), I32), (0xA8, 0xA9, (F32,), I32),
    (0xAA, 0xAB, (F64,), I32), (0xAC, 0xAD, (I32,), I64), (0xAE, 0xAF, (F32,), I64), (0xB0, 0xB1, (F64,), I64),
    (0xB2, 0xB3, (I32,), F32), (0xB4, 0xB5, (I64,), F32), (0xB6, 0xB6, (F64,), F32), (0xB7, 0xB8, (I32,), F64),
    (0xB9, 0xBA, (I64,), F64), (0xBB, 0xBB, (F32,), F64), (0xBC, 0xBC, (F32,), I32), (0xBD, 0xBD, (F64,), I64),
    (0xBE, 0xBE, (I32,), F32), (0xBF, 0xBF, (I64,), F64), (0xC0, 0xC1, (I32,), I32), (0xC2, 0xC4, (I64,), I64),
    (0xFC00, 0xFC01, (F32,), I32), (0xFC02, 0xFC03, (F64,), I32), (0xFC04, 0xFC05, (F32,), I64), (0xFC06, 0xFC07, (F64,), I64),
)  # fmt: skip

OPERANDS = {op: (operands, result) for first, last, operands, result in _ROWS for op in range(first, last + 1)}
BY_RESULT = {t: [op for op, (_, result) in OPERANDS.items() if result == t] for t in (I32, I64, F32, F64)}
DIVISIONS = {0x6D, 0x6E, 0x6F, 0x70, 0x7F, 0x80, 0x81, 0x82}
TRUNCATIONS = set(range(0xA8, 0xAC)) | set(range(0xAE, 0xB2))

# loads and stores: (opcode, type, natural alignment as a power of two)
LOADS = (
    (0x28, I32, 2), (0x29, I64, 3), (0x2A, F32, 2), (0x2B, F64, 3), (0x2C, I32, 0), (0x2D, I32, 0), (0x2E, I32, 1), (0x2F, I32, 1),
    (0x30, I64, 0), (0x31, I64, 0), (0x32, I64, 1), (0x33, I64, 1), (0x34, I64, 2), (0x35, I64, 2),
)  # fmt: skip
STORES = (
    (0x36, I32, 2), (0x37, I64, 3), (0x38, F32, 2), (0x39, F64, 3), (0x3A, I32, 0), (0x3B, I32, 1), (0x3C, I64, 0), (0x3D, I64, 1), (0x3E, I64, 2),
)  # fmt: skip

# Every opcode that is generated; `else` and `end` come with the blocks.
ALL = sorted(
    {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x1A, 0x1B, 0x1C}
    | set(range(0x20, 0x27)) | set(range(0x28, 0xC5)) | {0xD0, 0xD1, 0xD2} | set(range(0xFC00, 0xFC12))
)  # fmt: skip

INTEGERS = (0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 127, 128, 255, 256, 32767, 32768, 32769, 65535, 65536, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF)
WIDE = (0x80000000, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x0123456789ABCDEF, 0x8000000000000001)
SINGLES = (
    0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x3F000000, 0x40200000, 0x00000001, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000,
    0xFF800000, 0x7FC00000, 0x7FA00001, 0xFFC12345, 0x4B000001, 0x4B7FFFFF, 0x4EFFFFFF, 0x4F000000, 0xCF000000, 0x4F800000, 0x5F000000,
    0x3DCCCCCD, 0x3FC00000, 0xC0600000,
)  # fmt: skip
DOUBLES = (
    0x0000000000000000, 0x8000000000000000, 0x3FF0000000000000, 0xBFF0000000000000, 0x3FE0000000000000, 0x4004000000000000,
    0x0000000000000001, 0x800FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000,
    0x7FF8000000000000, 0x7FF4000000000001, 0xFFF8123456789ABC, 0x4330000000000001, 0x433FFFFFFFFFFFFF, 0x41DFFFFFFFC00000,
    0x41E0000000000000, 0xC1E0000000200000, 0x43E0000000000000, 0x3FB999999999999A, 0x36A0000000000000, 0x3690000000000000,
    0x47EFFFFFE0000000, 0x47EFFFFFF0000000, 0x3FF0000010000000, 0x3FF0000030000000,
)  # fmt: skip


def value(rng, valtype):
    """An integer or the bits of a float, from the lists above or random; null for references is 0."""
    if valtype == F32:
        return rng.choice(SINGLES) if rng.random() < 0.6 else rng.getrandbits(32)
    if valtype == F64:
        return rng.choice(DOUBLES) if rng.random() < 0.6 else rng.getrandbits(64)
    bits = 32 if valtype == I32 else 64
    kind = rng.random()
    if kind < 0.3:
        number = rng.randrange(-4, 12)
    elif kind < 0.85:
        number = rng.choice(INTEGERS if bits == 32 else INTEGERS + WIDE) * rng.choice((1, 1, -1))
    else:
        number = rng.getrandbits(bits)
    return number & (1 << bits) - 1

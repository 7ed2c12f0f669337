"""Whether machine code may use the FPU of this Xtensa chip: imported on such boards only.

Firmware for an ESP32, S2 and S3 says the same in `_mpy`, and the S2 has no FPU. The word of ROM at 0x40001000 tells them apart; esptool
takes it for that. And MicroPython's own floats are f32 there, made by the instructions that our templates use, so whether these round as
IEEE 754 wants, denormals included, is tried out.
"""

from struct import pack, unpack

from mpwasm.compat import const

_ROM = const(0x40001000)
_CHIPS = (0x00F01D83, 9)  # ESP32, ESP32-S3

# f32 a, b, a + b; then a, b, a * b: halves to even both ways, overflow, denormals as operands and as results
_SUMS = (
    b"\x00\x00\x80\x3f\x00\x00\x80\x33\x00\x00\x80\x3f",
    b"\x01\x00\x80\x3f\x00\x00\x80\x33\x02\x00\x80\x3f",
    b"\xff\xff\x7f\x7f\x00\x00\x00\x73\x00\x00\x80\x7f",
    b"\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00",
    b"\x00\x00\x80\x00\x01\x00\x00\x80\xff\xff\x7f\x00",
    b"\xff\xff\x7f\x00\x01\x00\x00\x00\x00\x00\x80\x00",
    b"\x00\x00\x00\x40\x01\x00\x00\x80\x00\x00\x00\x40",
)  # fmt: skip
_PRODUCTS = (
    b"\x01\x00\x80\x00\x00\x00\x00\x3f\x00\x00\x40\x00",
    b"\x03\x00\x80\x00\x00\x00\x00\x3f\x02\x00\x40\x00",
    b"\x01\x00\x00\x00\x00\x00\x80\x4b\x00\x00\x00\x01",
    b"\x01\x00\x00\x80\x01\x00\x00\x00\x00\x00\x00\x80",
    b"\x00\x00\x00\x7f\x00\x00\x00\x40\x00\x00\x80\x7f",
    b"\x01\x00\x80\x3f\x01\x00\x80\x3f\x02\x00\x80\x3f",
    b"\xff\xff\xff\x3f\xff\xff\xff\x3f\xfe\xff\x7f\x40",
)  # fmt: skip


def usable():
    """Whether this is a chip with an FPU, and its floats are exact."""
    from machine import mem32

    return mem32[_ROM] in _CHIPS and exact(lambda a, b: a + b, lambda a, b: a * b, float)


def exact(add, multiply, convert):
    """Whether these three round as IEEE 754 wants: the sum and product of floats, the float of an int."""
    for operation, rows in ((add, _SUMS), (multiply, _PRODUCTS)):
        for row in rows:
            a, b, _ = unpack("<fff", row)
            if pack("<f", operation(a, b)) != row[8:]:
                return False
    return unpack("<f", b"\x01\0\0\0")[0] > 0 and convert(16777217) == convert(16777216) and convert(16777219) == convert(16777220)

"""Makes thumb_float.py of c/f32_thumb.s, and device/mpwasm/native/thumb_entry.py of c/entry_thumb.s, with GNU as.

``python -m tests.native.helpers``
"""

import subprocess
import tempfile
from pathlib import Path

NATIVE = Path(__file__).resolve().parents[2] / "device" / "mpwasm" / "native"
TARGET = Path(__file__).with_name("thumb_float.py")
ENTRY = NATIVE / "thumb_entry.py"
REASONS = 9  # of exits, see native/record.py; one has none
# opcode: routine, and the chunk that it is in
ROUTINES = {0x92: ("add", "sub"), 0x93: ("sub", "sub"), 0x94: ("mul", "mul")}
ROUTINES.update({0x5B + i: (name, name) for i, name in enumerate(("eq", "ne", "lt", "gt", "le", "ge"))})
CALLS = {"sub": (0x92, "call_add"), "mul": (0x94, "call_mul")}
A_LINE = 30

HEAD = '''"""Routines for f32 in Thumb, made of c/f32_thumb.s by tests/native/helpers.py: what they need and leave is told there."""

CHUNKS = (
%s
)  # fmt: skip
# by opcode: chunk, and where in it the routine begins
ROUTINES = {%s}
# by chunk: where it calls the library's function, and for which opcode
CALLS = {%s}
'''

ENTRY_TEXT = '''"""The way into machine code and out on ARMv6-M, made of c/entry_thumb.s by tests/native/helpers.py: what it does is told there."""

from array import array

from mpwasm.compat import const

_CODE = (
%s
)  # fmt: skip
_WINDOW = const(%d)  # halfwords before those that `based` code has otherwise
_BASED = (
%s
)  # fmt: skip
_EXITS = (
%s
)  # fmt: skip


def lay(asm):
    """Lay it down at the beginning of the code; returns the offsets of the exits by their reasons."""
    asm.out.extend(array("H", _CODE))
    if asm.based:
        for i in range(len(_BASED) // 2):
            asm.out[_WINDOW + i] = _BASED[2 * i] | _BASED[2 * i + 1] << 8
    asm.here = len(_CODE)
    return _EXITS
'''


def assembled(source="f32_thumb.s"):
    """(bytes of the whole, {label: offset}) of a file of c/."""
    with tempfile.TemporaryDirectory() as folder:
        made, flat = Path(folder) / "made.o", Path(folder) / "flat"
        subprocess.run(["arm-none-eabi-as", "-o", made, NATIVE / "c" / source], check=True)
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", made, flat], check=True)
        listed = subprocess.run(["arm-none-eabi-nm", made], check=True, capture_output=True, text=True).stdout
        return flat.read_bytes(), {line.split()[2]: int(line.split()[0], 16) for line in listed.splitlines()}


def literal(raw):
    """`raw` as lines of bytes literals."""
    pieces = (raw[i : i + A_LINE] for i in range(0, len(raw), A_LINE))
    return "\n".join('    b"' + "".join(f"\\x{b:02x}" for b in piece) + '"' for piece in pieces)


def text():
    """The module's text."""
    raw, labels = assembled()
    chunks = sorted({chunk for _, chunk in ROUTINES.values()}, key=labels.get)
    ends = [*(labels[chunk] for chunk in chunks[1:]), labels["end"]]
    pieces = [literal(raw[labels[chunk] : end]) + "," for chunk, end in zip(chunks, ends)]
    number = {chunk: i for i, chunk in enumerate(chunks)}
    routines = (f"0x{op:X}: ({number[chunk]}, {labels[name] - labels[chunk]})" for op, (name, chunk) in sorted(ROUTINES.items()))
    calls = (f"{number[chunk]}: ({labels[label] - labels[chunk]}, 0x{op:X})" for chunk, (op, label) in CALLS.items())
    return HEAD % ("\n".join(pieces), ", ".join(routines), ", ".join(calls))


def entry_text():
    """The text of thumb_entry.py."""
    raw, labels = assembled("entry_thumb.s")
    exits = bytes(labels.get(f"exit_{reason}", 0) for reason in range(REASONS))
    return ENTRY_TEXT % (literal(raw[: labels["end"]]), labels["window"] // 2, literal(raw[labels["based"] : labels["based_end"]]), literal(exits))


if __name__ == "__main__":
    TARGET.write_text(text())
    ENTRY.write_text(entry_text())

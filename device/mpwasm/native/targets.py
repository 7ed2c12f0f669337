"""Which CPU's machine code a port of MicroPython takes, and the templates that make it: only those that are asked for are loaded."""

import sys

from mpwasm.compat import const

# native architectures as `sys.implementation._mpy` numbers them (py/persistentcode.h)
ARMV6M = const(4)
_ARMV7EMDP = const(8)
XTENSAWIN = const(10)
RV32IMC = const(11)
THUMB2 = const(68)  # our number: armv6m, and 64 for a port of ARMv7-M or later, which has instructions more
XTENSA_FPU = const(74)  # our number: xtensawin, and 64 for a chip whose FPU our code may use
_VERSION = const(6)
_SUBVERSION = const(3)


def family(architecture):
    """The architecture whose machine code a port of this one takes: every Cortex-M takes that of ARMv6-M. None where we make none."""
    if ARMV6M <= architecture <= _ARMV7EMDP:
        return ARMV6M
    return architecture if architecture in (XTENSAWIN, RV32IMC) else None


def target(mpy=None):
    """What this port loads, or one whose `sys.implementation._mpy` is `mpy`: its `family` (`THUMB2` where the port is one of ARMv7-M; here, not by
    `mpy`, `XTENSA_FPU` where the chip has one) and the sub-version of the format; None where it loads none of ours."""
    own = mpy is None
    if own:
        mpy = getattr(sys.implementation, "_mpy", 0)
    found = family(mpy >> 10 & 63)
    if mpy & 255 != _VERSION or mpy >> 8 & 3 != _SUBVERSION or not found:
        return None
    if found == ARMV6M < mpy >> 10 & 63:
        found = THUMB2
    if own and found == XTENSAWIN:
        from mpwasm.native import fpu

        found = XTENSA_FPU if fpu.usable() else XTENSAWIN
    return found, _SUBVERSION


def values(architecture):
    """The file of templates that takes longest to load for one of `family`'s architectures."""
    return "rv32_values" if architecture == RV32IMC else "thumb_values" if architecture & 63 == ARMV6M else "xtensa_values"


def begin(architecture, based=False):
    """The templates for one of `family`'s architectures, `THUMB2` or `XTENSA_FPU`, the way in and the ways out already laid down; a function's
    code is to follow.

    `based` code is for memory windows that do not begin at 0.
    """
    if architecture == RV32IMC:
        from mpwasm.native.rv32_code import RV32Code as Code
    elif architecture == XTENSAWIN:
        from mpwasm.native.xtensa_code import XtensaCode as Code
    elif architecture == XTENSA_FPU:
        from mpwasm.native.xtensa_float import XtensaFloat as Code
    elif architecture == THUMB2:
        from mpwasm.native.thumb2_code import Thumb2Code as Code
    else:
        from mpwasm.native.thumb_code import ThumbCode as Code
    cpu = Code(based)
    cpu.exits = cpu.lay_entry()
    return cpu

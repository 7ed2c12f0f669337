"""Wraps machine code into a `.mpy` in RAM and has the stock firmware import it: one viper function named `run`.

The format is MicroPython's py/persistentcode.c, version 6; the port says in `sys.implementation._mpy` which code it takes.
"""

import io
import sys

from mpwasm.compat import const

_VERSION = const(6)
_KIND_VIPER = const(2)
_NAME = "wfrun"
ARMV6M = const(4)


def varuint(value):
    """`value` as the format's variable-length number, high bits first."""
    out = bytes((value & 127,))
    value >>= 7
    while value:
        out = bytes((value & 127 | 128,)) + out
        value >>= 7
    return out


def loads_native():
    """The native architecture that this port loads (`ARMV6M`, …), and its sub-version of the format; (0, 0) where it loads none."""
    mpy = getattr(sys.implementation, "_mpy", 0)
    if mpy & 255 != _VERSION:
        return 0, 0
    return mpy >> 10 & 63, mpy >> 8 & 3


def wrap(code, architecture, subversion):
    """The parts of a `.mpy` whose module defines ``run``: what lies before `code`, and what lies behind it.

    The module's bytecode is MAKE_FUNCTION 0, STORE_NAME 1, LOAD_CONST_NONE, RETURN_VALUE.
    """
    head = bytes((0x4D, _VERSION, architecture << 2 | subversion, 31, 2, 0))
    head += bytes((len(_NAME) << 1,)) + _NAME.encode() + b"\x00\x06run\x00"
    head += b"\x4c\x00\x02\x00\x32\x00\x16\x01\x51\x63\x01"
    return head + varuint(len(code) << 3 | _KIND_VIPER), b"\x00"


class _File(io.IOBase):
    """The parts of a file in RAM, to be read once."""

    def __init__(self, parts):
        self.parts = parts
        self.part = 0
        self.at = 0

    def readinto(self, buffer):
        """Fill `buffer` from the part that is due."""
        while self.part < len(self.parts):
            part = self.parts[self.part]
            size = min(len(buffer), len(part) - self.at)
            if size:
                buffer[:size] = memoryview(part)[self.at : self.at + size]
                self.at += size
                return size
            self.part += 1
            self.at = 0
        return 0

    def ioctl(self, request, argument):
        """Nothing to flush or close."""
        return 0


class _Folder:
    """A file system with one file, which importing needs."""

    def __init__(self, parts):
        self.parts = parts

    def mount(self, readonly, mkfs):
        """Called by `vfs.mount`."""

    def umount(self):
        """Called by `vfs.umount`."""

    def chdir(self, path):
        """There is one folder."""

    def stat(self, path):
        """A file, where it is the one."""
        if path.endswith(_NAME + ".mpy"):
            return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)

    def open(self, path, mode):
        """The file."""
        return _File(self.parts)


def load(code):
    """The function ``run(record address) -> reason`` of the machine code `code` (bytes). Raises ValueError where the port refuses it."""
    import vfs

    architecture, subversion = loads_native()
    head, tail = wrap(code, architecture, subversion)
    vfs.mount(_Folder((head, code, tail)), "/wfram")
    sys.path.insert(0, "/wfram")
    try:
        return __import__(_NAME).run
    finally:
        sys.path.pop(0)
        vfs.umount("/wfram")
        sys.modules.pop(_NAME, None)

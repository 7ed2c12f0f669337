"""`os` as on a board: the port's file functions, and random bytes from the host."""

import _vm
import uctypes as _uctypes
import uos as _uos
from uos import *  # noqa: F403 - the port's own module under its old name


def _absolute(path):
    """`path` from the root."""
    if path.startswith("/"):
        return path
    return _uos.getcwd().rstrip("/") + "/" + path


def rename(old, new):
    """Give the file or folder `old` the name `new`, replacing a file of that name in one step.

    Here because the port's own rename hands one buffer to the C function as both names when its root is a folder.
    """
    code = _vm.rename(_absolute(old), _absolute(new))
    if code:
        raise OSError(code)


def urandom(n):
    """`n` random bytes from the host's generator."""
    buf = bytearray(n)
    if n:
        _vm.random(_uctypes.addressof(buf), n)
    return bytes(buf)


def uname():
    """(sysname, nodename, release, version, machine), as the firmware's `os.uname`."""
    import sys

    release = ".".join(str(part) for part in sys.implementation[1][:3])
    return ("webassembly", "board", release, release, sys.implementation[2])

"""Has the stock firmware import machine code from a file that `container` made, and makes of its facts what an instance needs."""

import sys
from array import array

from mpwasm.wasm.module import Module

try:
    import vfs
except ImportError:  # CPython
    vfs = None

_MODULE = "wfrun"


class _Folder:
    """A file system with one file, which importing needs; `file` is read from where it stands."""

    def __init__(self, file):
        self.file = file

    def mount(self, readonly, mkfs):
        """Called by `vfs.mount`."""

    def umount(self):
        """Called by `vfs.umount`."""

    def chdir(self, path):
        """There is one folder."""

    def stat(self, path):
        """A file, where it is the one."""
        if path.endswith(_MODULE + ".mpy"):
            return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)

    def open(self, path, mode):
        """The file."""
        return self.file


def load(file):
    """The function ``run(record address) -> reason`` and the facts of the `.mpy` in `file`, which is closed.

    Its bytes must have been verified: the firmware runs them. Raises ValueError where it refuses the format, MemoryError.
    """
    vfs.mount(_Folder(file), "/wfram")
    sys.path.insert(0, "/wfram")
    try:
        made = __import__(_MODULE).__dict__
        return made["run"], made["facts"]
    finally:
        sys.path.pop(0)
        vfs.umount("/wfram")
        sys.modules.pop(_MODULE, None)


class Blob:
    """What `compile.Blob` tells, without the code."""

    def __init__(self, facts):
        self.starts = array("I", facts[12])
        self.left = array("H", facts[13])
        self.rare, self.fixed = facts[14], facts[16]


def restore(facts):
    """The `Module` (without slot code) that `container.facts_of` took the facts from."""
    m = Module()
    m.types, m.imports, funcs, m.imported, m.tables, m.memory, m.globals = facts[:7]
    m.funcs = array("H", funcs)
    m.codes = [((), 0, 0, 0)] * (len(m.funcs) - m.imported)
    m.exports = {name: (kind, index) for name, kind, index in facts[7]}
    m.start, m.extras, m.elems, m.datas = facts[8:12]
    return m

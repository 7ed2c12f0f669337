"""The rest of WASI preview 1, answered as the spec says for a guest that has three standard streams and neither files nor sockets.

A descriptor that isn't open gives EBADF; an open stream that lacks the right gives ENOTCAPABLE, and where it is of the wrong kind,
ENOTDIR, ENOTSOCK or ESPIPE. https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
"""

from mpwasm.compat import const

_BADF = const(8)
_NOSYS = const(52)
_NOTDIR = const(54)
_NOTSOCK = const(57)
_NOTSUP = const(58)
_SPIPE = const(70)
_NOTCAPABLE = const(76)
_FILESTAT_BYTES = const(64)
_FILETYPE_AT = const(16)


class Part:
    """No state: what isn't there can't be opened."""

    def __init__(self, context):
        pass

    def handle(self, inst, fd, *rest):
        """Refuse: a standard stream has no such right (ENOTCAPABLE), other descriptors aren't open (EBADF)."""
        return _NOTCAPABLE if fd <= 2 else _BADF

    def position(self, inst, fd, *rest):
        """Refuse: a standard stream has no position (ESPIPE), other descriptors aren't open (EBADF)."""
        return _SPIPE if fd <= 2 else _BADF

    def folder(self, inst, fd, *rest):
        """Refuse: a standard stream is no folder (ENOTDIR), other descriptors aren't open (EBADF)."""
        return _NOTDIR if fd <= 2 else _BADF

    def path_symlink(self, inst, old, old_len, fd, new, new_len):
        """Refuse: a standard stream is no folder (ENOTDIR), other descriptors aren't open (EBADF)."""
        return _NOTDIR if fd <= 2 else _BADF

    def socket(self, inst, fd, *rest):
        """Refuse: a standard stream is no socket (ENOTSOCK), other descriptors aren't open (EBADF)."""
        return _NOTSOCK if fd <= 2 else _BADF

    def fd_read(self, inst, fd, iovs, iovs_len, nread):
        """Read nothing: a board's standard input is at its end. Output streams lack the right (ENOTCAPABLE)."""
        if fd:
            return _NOTCAPABLE if fd <= 2 else _BADF
        inst.memory.write_u32(nread, 0)
        return 0

    def fd_prestat_get(self, inst, fd, result):
        """EBADF for every descriptor: no folder is open in advance, which ends libc's search for them."""
        return _BADF

    def fd_prestat_dir_name(self, inst, fd, at, size):
        """EBADF for every descriptor: no folder is open in advance."""
        return _BADF

    def fd_filestat_get(self, inst, fd, result):
        """Describe a standard stream: a character device of no size and no dates."""
        if fd > 2:
            return _BADF
        out = bytearray(_FILESTAT_BYTES)
        out[_FILETYPE_AT] = 2
        inst.memory.store(result, out)
        return 0

    def fd_renumber(self, inst, fd, to):
        """Refuse: the standard streams stay where they are (ENOTSUP), other descriptors aren't open (EBADF)."""
        return _NOTSUP if fd <= 2 and to <= 2 else _BADF

    def proc_raise(self, inst, signal):
        """Refuse: there are no signals (ENOSYS)."""
        return _NOSYS

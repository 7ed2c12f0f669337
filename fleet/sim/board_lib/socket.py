"""`socket` of a simulated board: TCP clients, with the return values and errors of the firmware's lwIP sockets.

The class is plain Python, not a C stream: the collector may only run while no C function waits (see vm.mjs).
"""

import errno as _errno

import _board
import uctypes as _uctypes

AF_INET = 2
SOCK_STREAM = 1
SOCK_DGRAM = 2
IPPROTO_TCP = 6
SOL_SOCKET = 1
SO_REUSEADDR = 4
TCP_NODELAY = 1

_next = 0


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    """[(family, type, proto, name, (address, port))] of a host name or dotted address; OSError(-2) when unknown."""
    address = _board.resolve(host)
    if not address:
        raise OSError(-2)
    return [(AF_INET, SOCK_STREAM, 0, "", (address, port))]


def _checked(status):
    """`status` itself, or OSError for -errno."""
    if status < 0:
        raise OSError(-status)
    return status


class socket:
    """A TCP socket. Time-outs: None blocks, 0 never blocks, else seconds."""

    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0):
        global _next
        if type != SOCK_STREAM:
            raise OSError(_errno.EOPNOTSUPP)
        _next = (_next + 1) & 0xFFFF
        self._fd = _next
        self._ms = -1
        _checked(_board.open(self._fd))

    def settimeout(self, seconds):
        """None, 0 or seconds (int or float)."""
        self._ms = -1 if seconds is None else int(seconds * 1000)

    def setblocking(self, flag):
        """True blocks for ever, False never."""
        self._ms = -1 if flag else 0

    def setsockopt(self, level, option, value):
        """Accepted; none has an effect here."""

    def fileno(self):
        """The socket's number."""
        return self._fd

    def connect(self, address):
        """Connect to (address, port); a non-blocking one raises EINPROGRESS and goes on by itself."""
        host, port = address
        _checked(_board.connect(self._fd, host, port, self._ms))

    def send(self, data):
        """Send what there is room for; the count sent."""
        return _checked(_board.send(self._fd, _uctypes.addressof(data), len(data), self._ms)) if len(data) else 0

    def sendall(self, data):
        """Send everything."""
        view, done = memoryview(data), 0
        while done < len(view):
            done += self.send(view[done:])

    def write(self, data, count=-1):
        """Stream write: everything where the socket blocks, else what there is room for, None when there is none."""
        view = memoryview(data) if count < 0 else memoryview(data)[:count]
        done = 0
        while done < len(view):
            got = _board.send(self._fd, _uctypes.addressof(view[done:]), len(view) - done, self._ms)
            if got == -_errno.EAGAIN:
                return done or None
            done += _checked(got)
        return done

    def _fill(self, view, once):
        """Read into `view` until it is full, the peer is done, or nothing is there; count, or -errno if none was read."""
        done = 0
        while done < len(view):
            got = _board.recv(self._fd, _uctypes.addressof(view[done:]), len(view) - done, self._ms)
            if got <= 0:
                return done or got
            done += got
            if once:
                break
        return done

    def recv(self, count):
        """At least one byte, at most `count`; b"" when the peer is done."""
        buf = bytearray(count)
        return bytes(memoryview(buf)[: _checked(self._fill(memoryview(buf), True))])

    def readinto(self, buf, count=-1):
        """Stream read: fill `buf`; the count, less at the end of the stream, None when nothing is there now."""
        got = self._fill(memoryview(buf) if count < 0 else memoryview(buf)[:count], False)
        return None if got == -_errno.EAGAIN else _checked(got)

    def read(self, count=-1):
        """Stream read: `count` bytes, or all until the end; None when nothing is there now."""
        parts = []
        while True:
            buf = bytearray(count if count >= 0 else 512)
            got = self.readinto(buf)
            if got:
                parts.append(bytes(memoryview(buf)[:got]))
            if count >= 0 or not got:
                return None if got is None and not parts else b"".join(parts)

    def readline(self):
        """Stream read of one line, with its newline."""
        line = bytearray()
        byte = bytearray(1)
        while not line.endswith(b"\n") and self.readinto(byte):
            line += byte
        return bytes(line)

    def makefile(self, mode="rwb", buffering=0):
        """The socket itself: it is its own stream."""
        return self

    def close(self):
        """Say goodbye to the peer and give the number back; closing twice does no harm."""
        if self._fd is not None:
            _board.close(self._fd)
            self._fd = None

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

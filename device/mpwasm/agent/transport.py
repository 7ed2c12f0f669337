"""A TCP connection that never blocks: connects with a time-out, queues what can't be sent yet, waits for either side."""

import errno
import select
import socket
import time

from mpwasm.compat import const

CLOSED = 0
CONNECTING = 1
OPEN = 2

_CONNECT_MS = const(10000)
_MAX_QUEUED_BYTES = const(6144)


class Transport:
    """One connection at a time to `host`:`port`; `state` is CLOSED, CONNECTING or OPEN, `why` what was wrong with the last one, if that is known."""

    again = (errno.EAGAIN, errno.EINPROGRESS)

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.state = CLOSED
        self.sock = None
        self.why = ""
        self.poller = select.poll()
        self.queue = []
        self.queued = 0
        self.sent = 0
        self.deadline = 0

    def open(self, now):
        """Begin to connect; False if that failed at once. Looking up a name blocks: identities carry addresses where that matters."""
        self.close()
        self.why = ""
        try:
            address = socket.getaddrinfo(self.host, self.port)[0][-1]
            self.sock = socket.socket()
            self.sock.setblocking(False)
            self.sock.connect(address)
        except OSError as error:
            if self.sock is None or error.args[0] not in (errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN):
                self.close()
                return False
        self.poller.register(self.sock, select.POLLOUT)
        self.state = CONNECTING
        self.deadline = now + _CONNECT_MS
        return True

    def close(self):
        """Drop connection and queue."""
        if self.sock:
            if self.state != CLOSED:
                self.poller.unregister(self.sock)
            self.sock.close()
        self.sock = None
        self.state = CLOSED
        self.queue = []
        self.queued = self.sent = 0

    def _broke(self, error):
        self.close()
        self.why = str(error)

    def connected(self, now):
        """While CONNECTING: True once it is OPEN. Closes at a refusal or when the time is up."""
        for _, events in self.poll(0):
            if events & (select.POLLERR | select.POLLHUP):
                self.close()
            elif events & select.POLLOUT:
                self.state = OPEN
                self.poller.modify(self.sock, select.POLLIN)
                return True
        if self.state == CONNECTING and now >= self.deadline:
            self.close()
        return False

    def read(self, buf):
        """Bytes read into `buf`, 0 if there are none now; the connection is CLOSED if the peer ended it."""
        try:
            n = self.sock.readinto(buf) if hasattr(self.sock, "readinto") else self.sock.recv_into(buf)
        except OSError as error:
            if error.args[0] not in self.again:
                self._broke(error)
            return 0
        if n == 0:
            self.close()
        return n or 0

    def room(self):
        """Bytes that may still be queued."""
        return _MAX_QUEUED_BYTES - self.queued

    def send(self, data):
        """Queue `data`, a bytes object that won't change, and send what goes."""
        self.queue.append(data)
        self.queued += len(data)
        self.flush()

    def put(self, data):
        """Bytes of `data` that were taken; OSError if none can be now."""
        return self.sock.send(data)

    def flush(self):
        """Send what goes now."""
        while self.queue and self.state == OPEN:
            data = self.queue[0]
            try:
                n = self.put(memoryview(data)[self.sent :]) or 0
            except OSError as error:
                if error.args[0] in self.again:
                    return
                self._broke(error)
                return
            self.sent += n
            self.queued -= n
            if self.sent < len(data):
                return
            self.queue.pop(0)
            self.sent = 0

    def wait(self, ms):
        """Sleep until something can be read or written, or `ms` are over."""
        if self.state == CLOSED:
            time.sleep(ms / 1000)
            return
        if self.state == OPEN:
            self.poller.modify(self.sock, select.POLLIN | select.POLLOUT if self.queue else select.POLLIN)
        self.poll(ms)

    def poll(self, ms):
        """What can be done within `ms`; nothing, and the connection is CLOSED, where the system can't tell: an ESP32 wants memory for that (EIO)."""
        try:
            return self.poller.poll(ms)
        except OSError as error:
            self._broke(error)
            return ()

"""A TLS connection in the place of a plain one, for boards whose identity pins a certificate authority and that can afford it (some 30 KB of heap).

Nothing here blocks: the handshake goes on with each read and write. The certificate must name the broker as the identity does, an address as
an address (subjectAltName), and be of this time by the board's clock, so the first connection may have to wait for NTP. Where the heap has no
room for a connection that is a MemoryError: what else takes it, an update or at last the agent, gives way, or the line would never be back.
"""

import errno
import select

from mpwasm.agent.transport import CLOSED, Transport


class Secure(Transport):
    """One TLS connection at a time; `authority` is the certificate (DER) that the broker's has to be signed by, or has to be."""

    def __init__(self, host, port, authority):
        import ssl

        super().__init__(host, port)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if hasattr(ssl, "SSL_ERROR_WANT_READ"):  # CPython
            self.again = self.again + (ssl.SSL_ERROR_WANT_READ, ssl.SSL_ERROR_WANT_WRITE)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(cadata=authority)

    def connected(self, now):
        """As a plain connection's; TLS begins when it is there."""
        if not super().connected(now):
            return False
        self.poller.unregister(self.sock)
        try:
            self.sock = self.context.wrap_socket(self.sock, do_handshake_on_connect=False, server_hostname=self.host)
        except (OSError, ValueError) as error:
            self.state = CLOSED
            self._refused(error)
            if error.args[0] == errno.ENOMEM:
                raise MemoryError("TLS") from None
            return False
        self.poller.register(self.sock, select.POLLIN)
        return True

    def put(self, data):
        """Bytes of `data` that were taken; None or OSError if none can be now."""
        try:
            return self.sock.write(data)
        except ValueError as error:
            raise OSError(_words(error)) from None

    def read(self, buf):
        """As a plain connection's."""
        try:
            return super().read(buf)
        except ValueError as error:
            self._refused(error)
            return 0

    def _refused(self, error):
        self.close()
        self.why = _words(error)

    def wait(self, ms):
        """As a plain connection's, but for what was received and not read yet (CPython; MicroPython's `poll` sees it)."""
        if hasattr(self.sock, "pending") and self.sock.pending():
            return
        super().wait(ms)


def _words(error):
    """One line; what is wrong with a certificate MicroPython says in a ValueError of several."""
    return " ".join(str(error).split())
